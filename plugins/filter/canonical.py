# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that people type, for playbooks, by the one rule that the modules compare them by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.offboard.iij_id.plugins.module_utils._core import dn, names

_RULES: dict[str, Callable[[str], str]] = {"dn": dn.account_key, "domain": names.domain, "id": names.uuid}


def canonical(value: Any, kind: str) -> Any:
    """A name, or each name of a list once and without the empty ones. Raises AnsibleFilterError for another kind, or for what is no name."""
    if kind not in _RULES:
        raise AnsibleFilterError(f"canonical: {kind!r} is none of {', '.join(sorted(_RULES))}")
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, dict)):
        return [name for name in dict.fromkeys(_one(item, kind) for item in value) if name]
    return _one(value, kind)


def _one(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise AnsibleFilterError("canonical: a name or a list of names is needed; put numbers into quotes")
    return _RULES[kind](value)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"canonical": canonical}
