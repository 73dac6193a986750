# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What win_restart takes besides RUN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._directory.arguments import DIRECTORY
from .._directory.client import LDAP3_IMPORT_ERROR
from .._directory.sysvol import SMBPROTOCOL_IMPORT_ERROR
from .._windows.arguments import WINDOWS
from .._windows.client import WINRM_IMPORT_ERROR

#: (library, why it cannot be imported), for every machine and for domain controllers
LIBRARIES = (("pywinrm", WINRM_IMPORT_ERROR),)
LIBRARIES_OF_DIRECTORY = (("ldap3", LDAP3_IMPORT_ERROR), ("smbprotocol", SMBPROTOCOL_IMPORT_ERROR))


def _without(fragment: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: option for name, option in fragment.items() if name not in names}


_CONNECTION = {**_without(WINDOWS, "verify_timeout"), "host": {"type": "str"}}
RESTART: dict[str, Any] = {
    **_CONNECTION,
    "verify_timeout": WINDOWS["verify_timeout"],
    "domain_controller": {"type": "str"},
    "machines": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {**_CONNECTION, "name": {"type": "str"}, "domain_controller": {"type": "str"}},
    },
    "directory": {"type": "dict", "options": _without(DIRECTORY, "verify_timeout")},
    "only_unregistered": {"type": "bool", "default": False},
    "also": {"type": "list", "elements": "str", "default": []},
    "healthy_others": {"type": "int", "default": 1},
    "ignore": {"type": "list", "elements": "str", "default": []},
    "gone_minutes": {"type": "int", "default": 5},
    "back_minutes": {"type": "int", "default": 30},
    "healthy_minutes": {"type": "int", "default": 15},
}


def libraries(params: Mapping[str, Any]) -> Iterable[tuple[str, Exception | None]]:
    """(library, why it cannot be imported), of those that the task needs."""
    return LIBRARIES + (LIBRARIES_OF_DIRECTORY if params["directory"] else ())
