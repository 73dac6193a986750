# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of objects of the directory: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.dn import Name, parse
from ..known import Known
from .plan import ObjectRules, compiled


def _rules(params: Mapping[str, Any]) -> ObjectRules:
    """Raises OffboardError `pattern_invalid`."""
    result = ObjectRules(params["allowed_spns"], params["expected_members"], params["recently_used_days"], params.get("allow") or ())
    result.spn_patterns()
    return result


@dataclass(frozen=True)
class Options:
    """Of directory_object."""

    names: Sequence[Name]
    #: `absent`, `disabled`, `enabled` or `present`
    state: str
    #: "" where none is needed
    backup_dir: str
    rules: ObjectRules
    #: what the names meant earlier
    known: Known
    #: to enable only what a task with the same journal has disabled
    only_disabled: bool
    journal: str | None
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `invalid_dn` and the like for what names no object, `pattern_invalid`."""
        return cls(
            names=[parse(text) for text in ([params["dn"]] if params["objects"] is None else params["objects"])],
            state=params["state"],
            backup_dir=params["backup_dir"] or "",
            rules=_rules(params),
            known=Known.of(params),
            only_disabled=params["only_disabled"],
            journal=params["journal"] or None,
            verify_timeout=params["verify_timeout"],
        )


@dataclass(frozen=True)
class InfoOptions:
    """Of directory_object_info: by what candidates are found, and what would refuse their removal."""

    #: names of objects as they were typed; one that cannot be used hides no other
    objects: Sequence[str]
    #: regular expressions
    spn_patterns: Sequence[str]
    #: texts of agents' config.yml
    agent_configs: Sequence[str]
    rules: ObjectRules

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `pattern_invalid`."""
        compiled("spn_patterns", params["spn_patterns"])
        return cls(objects=params["objects"], spn_patterns=params["spn_patterns"], agent_configs=params["agent_configs"], rules=_rules(params))
