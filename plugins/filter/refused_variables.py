# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the variables that were given must not begin a run, for the role offboard."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.utils.vars import load_extra_vars
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._module.clock import time_zone
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import variables
from ansible_collections.offboard.iij_id.plugins.plugin_utils import specs


def refused_variables(
    given: Mapping[str, Any],
    lists: Collection[str],
    mappings: Collection[str],
    most: Mapping[str, int],
    roles: Sequence[str] = (),
    names: Collection[str] = (),
    words: Collection[str] = (),
) -> str:
    """The reason in the reader's language; an empty text where there is none. At last by the argument specifications of `roles` and of the options in use.

    names: of all variables that the play has, ours or not. words: what a playbook asks for besides, which nobody gives but with -e.
    """
    given = {name: specs.meant(name, value) for name, value in given.items()}
    refused = variables.mistyped(names, specs.names(*roles[:1])) or variables.mistyped_words(_extra_variables() if words else (), words)
    refused = (
        refused
        or variables.refused(given, lists, mappings, most)
        or variables.without_zone(given, _exists)
        or variables.not_as_specified(specs.errors(given, [*roles, *given.get("offboard_options", ())]))
    )
    return refused.told(given.get("offboard_language")) if refused else ""


def _extra_variables() -> Collection[str]:
    """Of those that everybody has, somebody's inventory may have any."""
    return load_extra_vars(DataLoader()).keys()  # Ansible has read them already


def _exists(zone: str) -> bool:
    try:
        time_zone(zone)
    except OffboardError:
        return False
    return True


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"refused_variables": refused_variables}
