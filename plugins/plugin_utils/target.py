# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module on the controller may ask the host of the task, by Ansible's own connection."""

from __future__ import annotations

import contextlib
import contextvars
import copy
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action import ActionBase

#: The module that is carried to the machine.
_ON_TARGET = "offboard.iij_id.linux_target"
#: What a module of Ansible's own does there, with the operation's arguments for its options, and the code of its failure.
_BY_ANSIBLE = {"account_remove": ("ansible.builtin.user", "account_refused")}
#: A socket's path has 104 bytes at least (macOS), with its end. The folder for it is private wherever it is.
_LONGEST_FOLDER = 70


@contextlib.contextmanager
def lent(action: ActionBase, task_vars: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Options by which the module asks the machine, while the `with` block lasts: it runs on the controller, where run folder and journal are.

    Each question is one run of `linux_target` (or of a module of Ansible's own) on the machine, by the connection, the interpreter and the become of the task.
    """
    machine = copy.copy(action)  # keeps the connection of the task, while that one takes the local one
    host = str(action._task.delegate_to or task_vars.get("inventory_hostname") or "localhost")
    folder = tempfile.mkdtemp(prefix="offboard-target-", dir=C.DEFAULT_LOCAL_TMP if len(C.DEFAULT_LOCAL_TMP) < _LONGEST_FOLDER else "/tmp")
    try:
        path = os.path.join(folder, "socket")
        with _serving(path, lambda request: _ask(machine, request, task_vars)):
            yield {"host": host, "target_socket": path}
    finally:
        machine.cleanup(force=True)
        shutil.rmtree(folder, ignore_errors=True)


def _ask(machine: ActionBase, request: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
    """The answer of the machine, or what kept it from one."""
    name, refused = _BY_ANSIBLE.get(request["operation"], (_ON_TARGET, ""))
    arguments = request["arguments"] if refused else request
    try:
        result = machine._execute_module(module_name=name, module_args=arguments, task_vars=task_vars)
    except AnsibleConnectionFailure as exc:
        return _failure("unreachable", to_text(exc))
    except AnsibleError as exc:  # become, temporary folder, interpreter
        return _failure("target_failed", to_text(exc))
    if refused and not result.get("unreachable"):
        failed = result.get("failed")
        return _failure(refused, to_text(result.get("msg", ""))) if failed else {"answer": {"changed": bool(result.get("changed"))}}
    if "answer" in result:
        return {"answer": result["answer"]}
    if isinstance(result.get("failure"), dict):
        return {"failure": {**result["failure"], "msg": result["msg"]}}
    if result.get("unreachable"):
        return _failure("unreachable", to_text(result.get("msg", "")))
    return _failure("target_failed", to_text(result.get("msg", "")))


def _failure(code: str, msg: str) -> dict[str, Any]:
    return {"failure": {"code": code, "msg": " ".join(msg.split())[:500] or "the machine gave no answer"}}


@contextlib.contextmanager
def _serving(path: str, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[None]:
    """Questions that come by the socket at `path` are answered, one after another, until the `with` block ends."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen(1)
    accepted: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError), server.accept()[0] as client, client.makefile("rwb") as stream:
            accepted.append(client)
            for line in stream:
                try:
                    told = answer(json.loads(line))
                except Exception as exc:  # pylint: disable=broad-exception-caught
                    told = _failure("internal_error", f"a fault of this collection, please report it: {type(exc).__name__}")
                stream.write(json.dumps(told).encode() + b"\n")
                stream.flush()

    # ansible-core keeps the task in context variables
    thread = threading.Thread(target=contextvars.copy_context().run, args=(serve,), name="target", daemon=True)
    thread.start()
    try:
        yield
    finally:
        for one in (server, *accepted):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        thread.join()
        server.close()
