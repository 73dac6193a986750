# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles' argument specifications say of their variables, for the roles."""

from __future__ import annotations

import functools
from pathlib import Path

from ansible.parsing.dataloader import DataLoader

_ROLES = Path(__file__).parents[2] / "roles"
#: it works on AWX, not on the exit, and checks its variables itself
_OWN = "awx"
#: it may be a text with commas
_LIST_OR_TEXT = "microsoft_365_domains"


@functools.cache
def lists() -> dict[str, str]:
    """The variables of all roles of the exit that are lists, with what they hold (str, dict)."""
    found: dict[str, str] = {}
    for file in sorted(_ROLES.glob("*/meta/argument_specs.yml")):
        for entry in DataLoader().load_from_file(str(file))["argument_specs"].values() if file.parts[-3] != _OWN else ():
            found |= {name: option.get("elements", "str") for name, option in entry["options"].items() if option["type"] == "list"}
    return {name: elements for name, elements in sorted(found.items()) if name != _LIST_OR_TEXT}
