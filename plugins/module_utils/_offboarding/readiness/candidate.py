# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value that may belong into a variable of the operator, for the draft of the decisions. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..._core import plain
from ..._core.text import Text

#: halves of surrogate pairs, which YAML cannot hold: one name would make the whole file unreadable
_HALVES = re.compile("[\ud800-\udfff]")
#: a key that needs no quotes: no word that YAML takes for something else
_WORD = re.compile(r"(?!(?:null|true|false|yes|no|on|off|y|n)$)[a-z_]+")


class Candidate(NamedTuple):
    """The variable, a value that may belong into it, and why."""

    variable: str
    value: Any
    why: Text


def in_yaml(value: Any) -> str:
    """A value on one line. Names of strangers are quoted, and templates in them stay text (`!unsafe`) when the file is used."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name if _WORD.fullmatch(str(name)) else in_yaml(name)}: {in_yaml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(in_yaml, value)) + "]"
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    text = _HALVES.sub("\ufffd", str(value))
    if text == plain.line(text) and "\t" not in text:
        quoted = "'" + text.replace("'", "''") + "'"
    else:  # what is hidden is escaped as YAML does; JSON has halves for what YAML has one escape for
        quoted = '"' + plain.line(text.replace("\\", "\\\\").replace('"', '\\"')).replace("\t", "\\t") + '"'
    return f"!unsafe {quoted}" if any(mark in text for mark in ("{{", "{%", "{#")) else quoted


def nearly(candidate: Mapping[str, Any], wanted: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> Text | None:
    """That a confirmed entry means the candidate but for one field, or for case and blanks; None when none does."""
    for entry in wanted:
        other = [name for name in fields if entry.get(name) and entry.get(name) != candidate.get(name)]
        if not other or not set(fields) & {name for name in fields if entry.get(name)}:
            continue
        if all(_folded(entry[name]) == _folded(candidate.get(name)) for name in other):
            return Text(
                f"Differs from the confirmed {in_yaml(entry)} only in case or blanks of {', '.join(other)}: correct that one.",
                f"確認済みの {in_yaml(entry)} とは {'、'.join(other)} の大文字・小文字または空白だけが異なります。確認済みのものを修正してください。",
            )
        if len(other) == 1 and len([name for name in fields if entry.get(name)]) > 1:
            return Text(f"Differs from the confirmed {in_yaml(entry)} only in {other[0]}.", f"確認済みの {in_yaml(entry)} とは {other[0]} だけが異なります。")
    return None


def _folded(text: Any) -> str:
    return " ".join(str(text or "").casefold().split())


def with_hint(reason: Text, near: Text | None) -> Text:
    """The reason, and what `nearly` says."""
    return Text(f"{reason.en} {near.en}", f"{reason.ja} {near.ja}") if near else reason
