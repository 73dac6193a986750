# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was answered to a role's variable, for the roles: they read their variables by no other way."""

from __future__ import annotations

DOCUMENTATION = r"""
name: answer
short_description: What was answered to a role's variable, or its default
version_added: 1.1.0
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
description:
  - An empty answer of a survey of AWX arrives as V(null) or as an empty text, and wins over everything else as an extra variable. It counts as not given.
    Then the variable has the default of its role.
  - A list or a mapping that is empty, a zero and V(false) are answers.
  - A text that was given for a list is taken as the list that it means - JSON, or one text a line. Where no text of the list can have a comma in it (domains,
    hosts, ids, names of sign-in), commas part them, too; elsewhere one line with a comma is an error, because the comma may belong to a name.
options:
  _terms:
    description: Variables of the roles of this collection.
    type: list
    elements: str
    required: true
  default:
    description: The default of variables that are a playbook's own.
    type: raw
"""

EXAMPLES = r"""
- name: How many objects one task may change
  ansible.builtin.debug:
    msg: "{{ lookup('offboard.iij_id.answer', 'offboard_max_changes') }}"
"""

RETURN = r"""
_raw:
  description: The value of each.
  type: list
  elements: raw
"""

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.variables import is_list_of_its_kind, no_list, unanswered
from ansible_collections.offboard.iij_id.plugins.plugin_utils import specs


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[Any]:
        return [self._answer(name, variables or {}, kwargs) for name in terms]

    @staticmethod
    def _meant(name: str, value: Any) -> Any:
        meant = specs.meant(name, value)
        if specs.is_list(name) and not is_list_of_its_kind(meant, specs.is_list_of_mappings(name)):
            raise AnsibleLookupError(no_list(name).en)
        return meant

    def _answer(self, name: str, variables: Any, given: dict[str, Any]) -> Any:
        value = self._templar.template(variables[name]) if name in variables else None
        if not unanswered(value):
            return self._meant(name, value)
        if "default" in given:
            return given["default"]
        if not specs.known(name):
            raise AnsibleLookupError(f"answer: {name!r} is no variable of this collection's roles")
        return self._templar.template(specs.default(name))
