# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the variables that are handed over or checked all at once, for the roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import ANSWERS, DECISIONS
from ansible_collections.offboard.iij_id.plugins.plugin_utils import specs

_NAMES: dict[str, Callable[[], list[str]]] = {
    "decisions": lambda: [one.variable for one in DECISIONS],
    "answers": lambda: list(dict.fromkeys(one.registered for one in ANSWERS)),
    "lists": lambda: list(specs.lists()),
    "lists_of_mappings": lambda: [name for name, elements in specs.lists().items() if elements == "dict"],
}


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[str]:
        if unknown := [term for term in terms if term not in _NAMES]:
            raise AnsibleLookupError(f"judged: {unknown[0]!r} is none of {', '.join(_NAMES)}")
        return [name for term in terms for name in _NAMES[term]()]
