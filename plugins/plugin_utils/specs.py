# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles' argument specifications say of their variables, for the roles."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.text.converters import to_text
from ansible.module_utils.common.yaml import yaml_load
from ansible.parsing.dataloader import DataLoader
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.variables import as_list, never_has_commas, unanswered
from ansible_collections.offboard.iij_id.plugins.plugin_utils import trust

_ROLES, _PLAYBOOKS = (Path(__file__).parents[2] / name for name in ("roles", "playbooks"))
#: lists that a playbook asks for itself
_OF_PLAYBOOKS = ("watch_certificates_domains", "watch_certificates_fail_on", "watch_certificates_trust_metadata_tls")
#: it works on AWX, not on the exit, and checks its variables itself
_OWN = "awx"


@functools.cache
def lists() -> dict[str, str]:
    """The variables of all roles of the exit that are lists, with what they hold (str, dict)."""
    found: dict[str, str] = {}
    for role in _roles():
        for entry in _entries(role).values():
            found |= {name: option.get("elements", "str") for name, option in entry["options"].items() if option["type"] == "list"}
    return dict(sorted(found.items()))


def meant(name: str, value: Any) -> Any:
    """What was given for a variable; for a list, a text as the list that it means."""
    if not is_list(name):
        return value
    if isinstance(value, list):
        value = [to_text(item) if getattr(item, "__ENCRYPTED__", False) else item for item in value]  # !vault, no text yet in ansible-core 2.18
    by_commas = never_has_commas(name) or "choices" in _option(name)
    return as_list(value, "json" if is_list_of_mappings(name) else "commas" if by_commas else "lines")


def is_list(name: str) -> bool:
    """Whether a variable, of a role or of a playbook, is one."""
    return name in _OF_PLAYBOOKS or _option(name).get("type") == "list"


def is_list_of_mappings(name: str) -> bool:
    """Whether what such a list holds are mappings."""
    return _option(name).get("elements") == "dict"


def _option(name: str) -> Mapping[str, Any]:
    return _options(_owners()[name])[name] if name in _owners() else {}


@functools.cache
def variables() -> list[str]:
    """All variables of the roles of the exit."""
    return sorted({name for role in _roles() for name in _options(role)})


def names(role: str = "") -> list[str]:
    """All variables that are read in the exit and beside it: those of the roles, and those that a playbook asks for itself. Of `awx` its own."""
    return sorted(_options(role)) if role == _OWN else _names()


@functools.cache
def _names() -> list[str]:
    asked = {name for file in _PLAYBOOKS.glob("*.yml") for name in re.findall(r"offboard\.iij_id\.answer', '(\w+)'", file.read_text(encoding="utf-8"))}
    return sorted(asked.union(variables()))


def errors(given: Mapping[str, Any], roles: Iterable[str]) -> list[str]:
    """What Ansible says against the values that were given, for these roles. Secrets are texts, which any value can be: none is among it."""
    found = []
    # an option of the contract that nobody knows is said by the specification of the role offboard
    for role in (role for role in roles if role in {*_roles(), _OWN}):
        options = _options(role)
        answered = {name: _plain(value) for name, value in given.items() if name in options and not unanswered(value)}
        found += ArgumentSpecValidator(options).validate(answered).error_messages
    return found


def _plain(value: Any) -> Any:
    """The same in Python's own types. The validator copies all that it is given, and with one of Ansible's every variable of the play."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return str.__str__(value) if isinstance(value, str) else value


def at_hand() -> None:
    """Read the files of all roles now, in the process that all later forks come from; without it each task would read its own."""
    for role in _owners().values():
        _defaults(role)


def known(name: str) -> bool:
    """Whether it is a variable of a role."""
    return name in _owners()


def default(name: str) -> Any:
    """What a role's variable is where nobody gives it, as its file says: its texts are templates."""
    return _templates(_defaults(_owners()[name]).get(name))


def _templates(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _templates(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_templates(inner) for inner in value]
    return trust.trusted(value) if isinstance(value, str) else value


@functools.cache
def _roles() -> list[str]:
    return sorted(file.parts[-3] for file in _ROLES.glob("*/meta/argument_specs.yml") if file.parts[-3] != _OWN)


@functools.cache
def _owners() -> Mapping[str, str]:
    """The role of each variable."""
    return {name: role for role in [*_roles(), _OWN] for name in _options(role)}


@functools.cache
def _defaults(role: str) -> Mapping[str, Any]:
    file = _ROLES / role / "defaults" / "main.yml"
    return DataLoader().load_from_file(str(file)) or {} if file.exists() else {}


@functools.cache
def _entries(role: str) -> Mapping[str, Any]:
    # without a template in it: Ansible's own loader marks each text with where it stands, which takes ten times as long in each task
    found: Mapping[str, Any] = yaml_load((_ROLES / role / "meta" / "argument_specs.yml").read_bytes())["argument_specs"]
    return found


def _options(role: str) -> Mapping[str, Any]:
    """Those of the role's first entry point, which has all of them."""
    found: Mapping[str, Any] = next(iter(_entries(role).values()))["options"]
    return found
