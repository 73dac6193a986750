# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Password filters of the Local Security Authority, pure: the list of notification packages without one of them.

The list is a value that several products share, so one name is taken out and the rest is left as it is
(https://learn.microsoft.com/windows/win32/secmgmt/installing-and-registering-a-password-filter-dll).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..._core import names
from ..._core.errors import NotExact, OffboardError
from ..._core.model import Refusal

KIND = "windows_password_filter"
LSA = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa"
VALUE = "Notification Packages"
#: Windows' own entries
DEFAULTS = ("scecli", "rassfm")


def is_default(name: str) -> bool:
    """Whether an entry is Windows' own."""
    return names.program(name) in DEFAULTS


def check_name(name: str) -> None:
    """Raises OffboardError `filter_name_invalid` when `name` cannot be an entry, or must not be removed."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or name.casefold().endswith(".dll"):
        raise OffboardError(f"{name!r} is not the name of a password filter: give the file's name without folder and without .dll", code="filter_name_invalid")
    if is_default(name):
        raise OffboardError(f"{name} is Windows' own and is never removed", code="filter_name_invalid")


def meant(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of what win_password_filter_info has found: those for which something speaks, then those that a person has named."""
    return [*(item for item in found if item["why"]), *(item for item in found if item["named"] and not item["why"])]


def is_registered(packages: Sequence[str], name: str) -> bool:
    """Whether the filter is in the list; case does not count."""
    return names.program(name) in map(names.program, packages)


def check_spelling(packages: Sequence[str], name: str) -> None:
    """Raises NotExact where the filter is not in the list, but one is that may be it: spelled otherwise, with its folder, or with .dll."""
    if is_registered(packages, name):
        return
    files = {other: re.split(r"[\\/]", names.program(other))[-1].removesuffix(".dll") for other in packages}
    near = [other for other, file in files.items() if names.rough(file) == names.rough(name)]
    if near:
        msg = f"{name} is not in {VALUE}, but {', '.join(map(repr, near))} is. Give it as it stands there; one with a folder or .dll, take out by hand"
        raise NotExact(msg, [{"name": other} for other in near])


def without(packages: Sequence[str], name: str) -> list[str]:
    """The list without one name, otherwise as it was."""
    return [other for other in packages if names.program(other) != names.program(name)]


def refusals(packages: Sequence[str], name: str) -> list[Refusal]:
    """The rule would_be_empty: LSA needs at least Windows' own entry."""
    if is_registered(packages, name) and not without(packages, name):
        return [Refusal("would_be_empty", f"{VALUE} would be left empty without {name}; at least scecli belongs there", (name,))]
    return []
