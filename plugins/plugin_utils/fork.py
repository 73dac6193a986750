# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module of this collection in a fork of Ansible's process.

Ansible packs a module into an archive, and a new Python unpacks, compiles and imports it, with all its libraries, for each task. That is made to reach
other machines; these modules stay on the controller, where all of it is loaded already. The fork keeps what a process of its own gives: whatever the
module does to its process ends with it, and it can be killed alone.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from ansible.module_utils import basic
from ansible.module_utils.common import json as common_json
from ansible.module_utils.compat.version import LooseVersion
from ansible.release import __version__

try:  # ansible-core 2.19 and later
    from ansible.module_utils import _internal
    from ansible.module_utils.common.json import Direction, get_module_encoder
except ImportError:  # 2.18
    _internal = None

#: How ansible-core 2.19 and later speak with modules that say nothing of it; what `_parse_returned_data` wants to know besides the outcome.
_PROFILE = "legacy"
PARSED_BY = () if _internal is None else (_PROFILE,)
#: It takes parts of ansible-core that nobody has promised; others run modules in their own way until this has been tried with them.
KNOWN = LooseVersion("2.18") <= LooseVersion(__version__) < LooseVersion("2.22")
_PLUGINS = "ansible_collections.offboard.iij_id.plugins"
#: As Python starts with them.
_SIGNALS: dict[signal.Signals, Any] = {
    signal.SIGALRM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}


def parameters(arguments: Mapping[str, Any]) -> bytes:
    """The arguments as a module reads them; values encrypted with Ansible Vault are opened."""
    if _internal is None:
        return json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=common_json.AnsibleJSONEncoder, vault_to_text=True).encode()
    return json.dumps({"ANSIBLE_MODULE_ARGS": arguments}, cls=get_module_encoder(_PROFILE, Direction.CONTROLLER_TO_MODULE)).encode()


def at_hand(utils: str, *libraries: str) -> None:
    """Import a Python module below module_utils, and what its libraries import late, in the process that all later forks come from.

    Action plugins are imported there.
    """
    with contextlib.suppress(ImportError):  # the module will say so
        importlib.import_module(f"{_PLUGINS}.module_utils.{utils}")
        for library in libraries:
            importlib.import_module(library)


class Fork:
    """The module `name` (a Python module with a `main`), started with what `parameters` gave.

    Use it as a context manager: whatever ends the `with` block, the fork is gone afterwards.
    """

    def __init__(self, name: str, given: bytes, environment: Mapping[str, Any]) -> None:
        context = multiprocessing.get_context("fork")
        self._answers, child = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(child, name, given, {variable: str(value) for variable, value in environment.items()}))
        with warnings.catch_warnings():  # of threads: those of this collection wait for a socket and hold no lock
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process.start()
        child.close()

    def __enter__(self) -> Fork:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._process.is_alive():  # a time limit or an interruption of the task
            self._process.kill()
        self._process.join()
        self._answers.close()

    def outcome(self) -> dict[str, Any]:
        """What ActionBase expects of a command: rc, stdout, stderr. Waits for the module's end."""
        try:
            code, stdout, stderr = self._answers.recv()
        except EOFError:
            self._process.join()
            code, stdout, stderr = self._process.exitcode, "", f"The module's process ended with {self._process.exitcode} and without an answer."
        return {"rc": code, "stdout": stdout, "stdout_lines": stdout.splitlines(), "stderr": stderr, "stderr_lines": stderr.splitlines()}


def _run(answers: Connection, name: str, given: bytes, environment: Mapping[str, str]) -> NoReturn:
    """In the fork: all that a new process would have, then the module."""
    atexit._clear()  # Ansible's would delete Ansible's files
    gc.freeze()  # nothing to be found in what the fork came with
    for number, handler in _SIGNALS.items():
        signal.signal(number, handler)
    silent = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silent, descriptor)
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), io.StringIO(), io.StringIO()
    os.environ.update(environment)
    time.tzset()
    basic._ANSIBLE_ARGS = given
    if _internal is not None:
        basic._ANSIBLE_PROFILE = _PROFILE
        _internal.is_controller = False  # warnings belong into the answer
    code = 0
    try:
        importlib.import_module(name).main()
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    except BaseException as exc:
        what = type(exc).__name__  # what it says may be anybody's, a secret too
        where = "".join(traceback.format_tb(exc.__traceback__))
        print(json.dumps({"failed": True, "msg": f"a fault of this collection, please report it: {what}", "exception": f"{where}{what}"}))
        code = 1
    with contextlib.suppress(Exception):
        atexit._run_exitfuncs()
    with contextlib.suppress(OSError):  # nobody waits for it any more
        answers.send((code, sys.stdout.getvalue(), sys.stderr.getvalue()))
    os._exit(code)
