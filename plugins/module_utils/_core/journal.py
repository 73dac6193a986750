# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of the run's journal (JSON lines): the intent before a change, the outcome after it, and what a guard refused."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .model import Change, Outcome, Refusal


def intent(change: Change, run: str, at: str) -> dict[str, Any]:
    """To be on disk before the change is applied. `at` is RFC 3339 UTC, `run` names the process."""
    return {"record": "intent", "run": run, "at": at, **change.to_dict()}


def outcome(result: Outcome, run: str, at: str) -> dict[str, Any]:
    """To be on disk after it. `change` is needed to undo, so it is not repeated: the intent holds it."""
    return {"record": "outcome", "run": run, "at": at, **result.to_dict()}


def refusal(item: Refusal, noun: str, run: str, at: str) -> dict[str, Any]:
    """A guard fired and nothing was changed; kept for the report."""
    return {"record": "refusal", "run": run, "at": at, "noun": noun, **item.to_dict()}


def known(records: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Those that are whole. A damaged line, or one that somebody wrote by hand, is evidence of nothing, and must not stop a run or its report."""
    for record in records:
        if _has_its_own(record) and _is_well_typed(record):
            yield record


#: The texts without which a record is none, by what it records.
_TEXTS_OF = {
    "intent": ("kind", "id", "name", "action"),
    "outcome": ("kind", "id", "name", "action", "status"),
    "refusal": ("rule", "msg", "noun", "allow_with"),
}


def _has_its_own(record: Mapping[str, Any]) -> bool:
    """Whether there is all that its sort of record is made of."""
    sort = record.get("record")
    texts = _TEXTS_OF.get(sort) if isinstance(sort, str) else None
    if texts is None or not all(isinstance(record.get(name), str) for name in texts):
        return False
    return _is_moment(record.get("at")) and (sort != "refusal" or _are_texts(record.get("objects")))


def _is_well_typed(record: Mapping[str, Any]) -> bool:
    """Whether what any record may have is of the type that it has in ours."""
    if not all(isinstance(record.get(name, ""), str) for name in ("run", "status", "code", "msg", "undo", "risk")):
        return False
    if not all(isinstance(record.get(name), Mapping | None) for name in ("before", "after", "details")) or not isinstance(record.get("objects", []), list):
        return False
    return all(_DETAILS[name](value) for name, value in (record.get("details") or {}).items() if name in _DETAILS)


def _is_moment(text: Any) -> bool:
    try:
        return datetime.datetime.fromisoformat(text).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


#: Of what type those details are on which later runs rely.
_DETAILS: dict[str, Callable[[Any], bool]] = {
    "begun_at": _is_moment,
    "password_set": _is_bool,
    "seen": _is_bool,
    "steps_done": _are_texts,
}

_TEXT = rb'("[^"\\]*(?:\\.[^"\\]*)*")'
#: How this collection writes a record. Groups: record, kind, id, action.
_BEGINS = re.compile(rb'\{"record":"(intent|outcome)","run":"[^"]*","at":"[^"]*","kind":%s,"id":%s,"name":%s,"action":%s' % ((_TEXT,) * 4))


def _written(*names: str) -> tuple[bytes, ...]:
    return tuple(json.dumps(name, ensure_ascii=False).encode(errors="surrogatepass") for name in names)


def _begins(line: bytes) -> tuple[bool, tuple[bytes, ...]] | None:
    """Whether it is an intent, and (kind, id, action), of an intent or an outcome that is written otherwise than we write it."""
    try:
        record = json.loads(line.decode())
        if record["record"] in ("intent", "outcome"):
            return record["record"] == "intent", _written(record["kind"], record["id"], record["action"])
    except (ValueError, LookupError, TypeError, RecursionError):  # cut off by a kill, or no record of a change
        pass
    return None


def paired(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Out of a journal's lines: each outcome behind its intent, which may be missing; at last the intents without one, of each (kind, id, action) the last."""
    waiting: dict[tuple[bytes, ...], bytes] = {}
    for line in lines:
        # one that was cut behind an inner brace ends as a whole one does
        whole = line.endswith((b"}\n", b"}")) and line.count(b"{") == line.count(b"}")
        if whole and (found := _BEGINS.match(line)) and b"\\" not in found[0]:
            begins, key = found[1] == b"intent", found.group(2, 3, 5)
        elif head := _begins(line):
            begins, key = head
        else:
            continue
        if begins:
            waiting[key] = line
        else:
            yield waiting.pop(key, b""), line
    yield from ((line, b"") for line in waiting.values())


def unfinished(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    """Intents without an outcome: a kill or a lost answer may have left them applied or not.

    Only those are decoded, since decoding the lines of 100,000 users takes a second.
    """
    records = []
    for intent, ended in paired(lines):
        if not ended:
            with contextlib.suppress(ValueError, RecursionError):
                records.append(json.loads(intent.decode()))
    return records


#: After these a request may have been carried out or not.
NOBODY_KNOWS = frozenset({"connection_lost", "timeout", "answer_lost", "not_seen"})


def came_to_nothing(record: Mapping[str, Any]) -> bool:
    """Whether a record says that a change was refused, so that all is as it was before."""
    details = record.get("details")
    return record.get("status") == "failed" and record.get("code") not in NOBODY_KNOWS and not (isinstance(details, Mapping) and details.get("steps_done"))


def disabled_last(records: Iterable[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """The intents to disable an object of that kind, of objects to which nothing else was done since.

    What was refused has not been done. Of an enabling nothing but `done` that was seen counts: who may still be disabled can be enabled once more.
    """
    standing: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        if record["record"] not in ("intent", "outcome") or record["kind"] != kind:
            continue
        action, so_far = record["action"], standing.setdefault(record["id"], [])
        if record["record"] == "intent":
            so_far += [record] if action != "enable" else []
        elif action == "enable" and record["status"] == "done":
            so_far.append(record)
        elif so_far and so_far[-1]["action"] == action and (came_to_nothing(record) or (action == "enable" and record["status"] == "failed")):
            so_far.pop()
    return [so_far[-1] for so_far in standing.values() if so_far and so_far[-1]["action"] == "disable"]


_REMOVALS = frozenset({"remove", "uninstall"})


def removed(records: Iterable[Mapping[str, Any]], kind: str) -> list[Mapping[str, Any]]:
    """The intents to remove an object of that kind of which it is known that it was done: in `before` is what it was."""
    begun: dict[str, Mapping[str, Any]] = {}
    gone: dict[str, Mapping[str, Any]] = {}
    for record in records:
        if record["record"] in ("intent", "outcome") and record["kind"] == kind and record["action"] in _REMOVALS:
            if record["record"] == "intent":
                begun[record["id"]] = record
            elif record["status"] == "done" and record["id"] in begun:
                gone[record["id"]] = begun[record["id"]]
            elif record["status"] == "failed":  # also of what was done, and not seen then
                gone.pop(record["id"], None)
    return [*gone.values()]
