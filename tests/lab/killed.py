# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that is killed before each of its writes in turn, and what such a process leaves behind of a machine that is only imagined."""

from __future__ import annotations

import builtins
import contextlib
import json
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from ansible.module_utils import basic

#: what a made-up machine tells (`a_step`), and Python's own audit events of writes; `os.write` has none of its own
_STEP = "offboard.step"
_WRITES = {
    *(_STEP, "os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.utime", "os.truncate"),
    *("shutil.copystat", "subprocess.Popen", "tempfile.mkstemp"),
}


@contextlib.contextmanager
def module_args(options: dict[str, Any]) -> Iterator[None]:
    """What ansible-core's `patch_module_args` does; 2.18 has none."""
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:
        with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode()):
            yield
    else:
        with patch_module_args(options):
            yield


def a_step() -> None:
    """Something that is no write of this process; the process may be killed here."""
    sys.audit(_STEP)


def is_killed(step: int, work: Callable[[], Any]) -> bool:
    """Run `work` in a fork that ends, without any clean-up, before its write number `step`. False: it has less, and came to its end."""
    process = os.fork()
    if process == 0:
        left = step

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if event in _WRITES or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
                if not left:
                    os._exit(9)
                left -= 1

        write, opening = os.write, builtins.open

        def told(descriptor: int, data: bytes) -> int:
            a_step()
            return write(descriptor, data)

        def opened(*positional: Any, **named: Any) -> Any:
            stream = opening(*positional, **named)
            if stream.writable():  # it is empty now
                a_step()
            return stream

        os.write = told  # type: ignore[assignment]
        builtins.open = opened
        sys.addaudithook(hook)
        with contextlib.suppress(BaseException):
            work()
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code in (0, 9), code
    return code == 9


class Kept:
    """A value that a forked process changes for its parent too. Reading and writing it is no step."""

    def __init__(self, value: Any) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
        self.value = value

    @property
    def value(self) -> Any:
        return pickle.loads(os.pread(self._file.fileno(), 1 << 24, 0))

    @value.setter
    def value(self, value: Any) -> None:
        os.pwrite(self._file.fileno(), pickle.dumps(value), 0)

    @contextlib.contextmanager
    def changing(self) -> Any:
        """The value, to be changed in place."""
        value = self.value
        yield value
        self.value = value

    def close(self) -> None:
        self._file.close()
