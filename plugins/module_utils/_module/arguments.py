# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument fragments; each has its twin in plugins/doc_fragments/. `spec(...)` joins them."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from .._core.errors import OffboardError
from .._core.text import LANGUAGES

#: In which language a module tells people what it has found; the twin is plugins/doc_fragments/language.py.
LANGUAGE: dict[str, Any] = {"language": {"type": "str", "choices": list(LANGUAGES), "default": "both"}}

#: Of what can be disabled, and enabled again; the twin is plugins/doc_fragments/only_disabled.py. `only_disabled` needs the journal of RUN.
ONLY_DISABLED: dict[str, Any] = {"only_disabled": {"type": "bool", "default": False}}


def spec(*fragments: dict[str, Any], **options: dict[str, Any]) -> dict[str, Any]:
    """An argument_spec of its own from fragments and further options."""
    joined: dict[str, Any] = {}
    for fragment in (*fragments, options):
        joined.update(copy.deepcopy(fragment))
    return joined


def fill(params: dict[str, Any], argument_spec: Mapping[str, Any]) -> None:
    """An option that is null (an empty one of a survey, or of a file of variables) is not given: it has its default, and switches no guard off."""
    for name, wanted, value in _options(params, argument_spec):
        if value is None and wanted.get("default") is not None:
            params[name] = copy.deepcopy(wanted["default"])
        for inner in _inner(wanted, params.get(name)):
            fill(inner, wanted["options"])


#: A duration is no longer than this; Python's calendar ends there.
_LONGEST, _MOST = 100_000, 1_000_000_000
_DURATION = re.compile(r"(?:^|_)(?:days|hours|minutes|seconds|timeout|skew)(?:$|_)")
#: Nobody answers in no time, and what has just begun would be ended; that a change is not waited for (verify_timeout) can be meant.
_NOT_ZERO = re.compile(r"(?:dns_|metadata_)?timeout|timeout_minutes|gone_minutes")
_PORT, _LAST_PORT = re.compile(r"(?:dns_)?port"), 65_535


def check_numbers(params: Mapping[str, Any], argument_spec: Mapping[str, Any]) -> None:
    """Raises OffboardError `bad_option` for a number below 0 or beyond what anybody means."""
    for name, wanted, value in _options(params, argument_spec):
        least = int(bool(_NOT_ZERO.fullmatch(name) or _PORT.fullmatch(name)))
        most = _LAST_PORT if _PORT.fullmatch(name) else _LONGEST if _DURATION.search(name) else _MOST
        if wanted.get("type") == "int" and value is not None and not least <= value <= most:
            raise OffboardError(f"{name} is {value}, but must be a whole number from {least} to {most}", code="bad_option")
        for inner in _inner(wanted, value):
            check_numbers(inner, wanted["options"])


def _options(params: Mapping[str, Any], argument_spec: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any], Any]]:
    return [(name, wanted, params[name]) for name, wanted in argument_spec.items() if name in params]


def _inner(wanted: Mapping[str, Any], value: Any) -> list[dict[str, Any]]:
    """The mappings below an option that has options of its own."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)] if wanted.get("options") else []
