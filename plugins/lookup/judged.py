# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of the variables that are handed over or checked all at once, for the roles."""

from __future__ import annotations

DOCUMENTATION = r"""
name: judged
short_description: Names of the variables that are handed over or checked all at once
version_added: 1.1.0
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
description:
  - The roles hand their variables and the answers of their tasks over to M(offboard.iij_id.readiness_info), which has the table of both.
options:
  _terms:
    description: V(decisions) for the variables in which people decide, V(answers) for what the tasks of the roles register, V(variables)
      for all of the roles, V(lists) for those of them that are lists, V(lists_of_mappings) for those of these that hold mappings.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Variables in which people decide
  ansible.builtin.debug:
    msg: "{{ query('offboard.iij_id.judged', 'decisions') }}"
"""

RETURN = r"""
_raw:
  description: The names.
  type: list
  elements: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import ANSWERS, DECISIONS
from ansible_collections.offboard.iij_id.plugins.plugin_utils import specs

_NAMES: dict[str, Callable[[], list[str]]] = {
    "decisions": lambda: [one.variable for one in DECISIONS],
    "answers": lambda: list(dict.fromkeys(one.registered for one in ANSWERS)),
    "variables": specs.variables,
    "lists": lambda: list(specs.lists()),
    "lists_of_mappings": lambda: [name for name, elements in specs.lists().items() if elements == "dict"],
}


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[str]:
        if unknown := [term for term in terms if term not in _NAMES]:
            raise AnsibleLookupError(f"judged: {unknown[0]!r} is none of {', '.join(_NAMES)}")
        return [name for term in terms for name in _NAMES[term]()]
