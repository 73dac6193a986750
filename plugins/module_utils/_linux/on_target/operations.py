# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which operations there are, and how one of them ends."""

from __future__ import annotations

import re
import traceback

from . import accounts, cron, files, programs
from .errors import TargetError


def _crontab(module):
    return module.get_bin_path("crontab")


#: name: a function of the module and the arguments
READING = {
    "accounts_look": lambda module, **arguments: accounts.look(**arguments),
    "cron_read": lambda module, **arguments: cron.read(_crontab(module), **arguments),
    "cron_scripts": lambda module, **arguments: cron.scripts(**arguments),
    "files_look": lambda module, **arguments: files.look(**arguments),
    "files_search": lambda module, **arguments: files.search(**arguments),
    "programs_look": lambda module, **arguments: programs.look(**arguments),
}
WRITING = {
    "cron_write": lambda module, **arguments: cron.write(_crontab(module), **arguments),
    "cron_set_mode": lambda module, **arguments: cron.set_mode(**arguments),
    "cron_remove": lambda module, **arguments: cron.remove(**arguments),
    "files_remove": lambda module, **arguments: files.remove(**arguments),
}


#: a byte of a name that is no UTF-8, which Python holds as half of a character and Ansible refuses, as it is written instead
_BYTE = re.compile("[\udc80-\udcff]")
_WRITTEN = re.compile(r"\\udc([89a-f][0-9a-f])")


def _each(value, change):
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {_each(name, change): _each(item, change) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_each(item, change) for item in value]
    return value


def _told(text):
    return _BYTE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _meant(text):
    return _WRITTEN.sub(lambda found: chr(0xDC00 + int(found.group(1), 16)), text)


def run(module):
    """Carry out what the module is asked for; never returns."""
    name, failure = module.params["operation"], None
    try:
        if name in WRITING and module.check_mode:
            raise TargetError(f"{name} in check mode", "internal_error")
        # apart, since Ansible hides whatever of an answer is the same as a secret
        content = {} if module.params["content"] is None else {"content": module.params["content"]}
        answer = {**READING, **WRITING}[name](module, **_each(module.params["arguments"], _meant), **content)
    except TargetError as exc:
        failure = exc
    except Exception as exc:  # pylint: disable=broad-exception-caught
        # its words may quote what was read
        where = traceback.extract_tb(exc.__traceback__)[-1]
        msg = f"a fault of this module, please report it: {type(exc).__name__} at {where.name}:{where.lineno}"
        failure = TargetError(msg, "internal_error")
    if failure is not None:
        module.fail_json(msg=_told(failure.msg), failure={"code": failure.code, "details": _each(failure.details, _told)})
    module.exit_json(changed=name in WRITING, answer=_each(answer, _told))
