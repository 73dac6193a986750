# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a stage stopped, out of the answer of the task that failed, in the language that its reader has chosen. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._core import heads
from .._core.text import Text
from . import phrases
from .steps.plan import told_not_done

#: Ansible's own words for what a module cannot do without, and where a stage takes it from.
_MISSING = re.compile(r"missing required arguments: (\w+)")
_VARIABLES = {"tenant_id": "offboard_tenant_id (AZURE_TENANT_ID)"}


def reason(failed: Mapping[str, Any], language: str) -> str:
    """Of a loop the reasons of its items, of several lines of a module the last, which is the verdict; those of a playbook are a problem each. A module's words
    are English: who reads Japanese is told before them what its code or its refusals mean."""
    items = [item for item in failed.get("results") or () if isinstance(item, Mapping) and item.get("failed")]
    told = [_one(item, language) for item in items or [failed]]
    if isinstance(lines := failed.get("msg"), (list, tuple)) and "failure" not in failed:
        told = [_line(line, language) for line in lines]
    return " ".join(heads.sentences(filter(None, told))) or str(failed.get("msg") or "")


def _line(line: Any, language: str) -> str:
    """One problem: told as it is, or, of a partner's metadata, with a code."""
    if not isinstance(line, Mapping):
        return str(line)
    return f"{line.get('name')}: {_one({'msg': line.get('msg'), 'failure': {'code': line.get('code')}}, language)}"


def _one(item: Mapping[str, Any], language: str) -> str:
    given = item.get("msg") or ""
    msg = str(given[-1] if isinstance(given, (list, tuple)) and given else given)
    details = _details(item)
    if details.get("steps") and details.get("confirm_command"):
        return told_not_done(details["steps"], details["confirm_command"], language)
    if not msg or phrases.in_japanese(msg):  # it has been told in the reader's language
        return msg
    if (found := _MISSING.fullmatch(msg)) and found[1] in _VARIABLES:
        variable = _VARIABLES[found[1]]
        return Text(f"{msg}. Set {variable}.", f"{variable} が指定されていません（{msg}）。").told(language)
    if language == "en" or not (japanese := _in_japanese(item, msg)):
        return msg
    if language == "both":
        return f"{msg} / {japanese}"
    return japanese if phrases.understood(msg) else f"{japanese} 原文（英語）: {msg}"


def _details(item: Mapping[str, Any]) -> Mapping[str, Any]:
    failure = item.get("failure")
    details = failure.get("details") if isinstance(failure, Mapping) else None
    return details if isinstance(details, Mapping) else {}


def _in_japanese(item: Mapping[str, Any], msg: str) -> str:
    failure = item.get("failure")
    if not isinstance(failure, Mapping):
        return ""
    if refusals := _details(item).get("refusals"):
        return f"何も変更していません。{phrases.joined([phrases.refused(refusal) for refusal in refusals], ' ', '').ja}"
    return phrases.by_code(str(failure.get("code") or ""), msg).ja.rstrip("。") + "。"
