# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An approval means what was approved: the plan of a check run as canonical JSON lines, its hash, and whether a later plan is that one or a part of it."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from . import strict_json
from .errors import OffboardError
from .kinds import ACTIONS, KINDS, OF_RUN_FOLDER, heading
from .marks import Marks, mark
from .model import Change
from .plain import line as plain_line
from .plain import to_json

_CANONICAL: dict[str, Any] = {"sort_keys": True, "separators": (",", ":")}

#: The hash of a plan that changes nothing. It is kept nowhere.
NOTHING = hashlib.sha256().hexdigest()

#: No property of the object: it names what the plan does not do.
_NOT_DONE = "left_out"
#: Of what goes, by kind: what moves on by itself, or with what the same plan does first (an uninstaller empties the folder that goes after it).
_MOVES_ON = {"windows_file": frozenset({"files", "hidden", "bytes", "children"})}
#: Kinds whose ids have no case: names that people type (machines and paths, DNs, domains), and UUIDs. Of grants they are base64.
_NO_CASE = frozenset({"directory_object", "domain", "user", *(kind for kind in KINDS if kind.startswith("windows_"))})
#: Which properties that are no list there are: of these none may have gone before.
_SINGLE = ""


def lines(changes: Iterable[Change]) -> Iterator[bytes]:
    """The plan as it is kept, hashed and approved: one change a line, keys in order, UTF-8. The same plan gives the same bytes.

    Without the files of the run folder itself, which record what was done and are no part of it.
    """
    for change in changes:
        if change.kind not in OF_RUN_FOLDER:
            yield (to_json(change.to_dict(), **_CANONICAL) + "\n").encode()


def parse(content: Iterable[bytes], sha256: str) -> Iterator[Change]:
    """The changes of a kept plan. Raises OffboardError `plan_damaged` where it is not the one with that hash; then no change given before counts."""
    digest = hashlib.sha256()
    for number, raw in enumerate(content, 1):
        digest.update(raw)
        try:
            yield Change.from_dict(strict_json.loads(raw.decode()))
        except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as exc:
            raise OffboardError(f"line {number} of the approved plan is no change. Make the check run again.", code="plan_damaged") from exc
    if digest.hexdigest() != sha256:
        raise OffboardError("the approved plan is not the one with that hash: it was changed since. Make the check run again.", code="plan_damaged")


class Approved:
    """What was approved, 8 bytes for each property that changes."""

    def __init__(self, changes: Iterable[Change]) -> None:
        found = array("Q")
        for change in changes:
            found.extend(_marks(change))
        self._marks = Marks(found)

    def covers(self, change: Change) -> bool:
        """Whether the change is one of the plan, or a part of one: fewer properties of the same object, which become the same."""
        return change.kind in OF_RUN_FOLDER or all(one in self._marks for one in _marks(change))


def not_approved(first: Sequence[Change], count: int, planned: Iterable[Change], sha256: str) -> OffboardError:
    """The refusal of `count` changes, which says of the `first` how they differ from what was planned for the same object."""
    keys = {_identity(change) for change in first}
    same = {_identity(change): change for change in planned if _identity(change) in keys}
    told = "; ".join(_difference(change, same.get(_identity(change))) for change in first)
    more = f"; and {count - len(first)} more" if count > len(first) else ""
    return OffboardError(
        f"The plan that was approved ({sha256[:12]}…) does not hold what would be done now, so nothing was changed: {told}{more}. Look at these, make the "
        "check run again, and have its plan approved (offboard_plan_hash).",
        code="not_approved",
        details={"sha256": sha256, "count": count, "changes": [{"kind": c.kind, "id": c.id, "name": c.name, "action": c.action} for c in first]},
    )


def summary(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """How many objects of each kind each action changes, in both languages."""
    counts: dict[tuple[str, str], int] = {}
    for change in changes:
        if change.kind not in OF_RUN_FOLDER:
            counts[change.kind, change.action] = counts.get((change.kind, change.action), 0) + 1
    told = []
    for (kind, action), count in counts.items():
        what, done = heading(kind), ACTIONS[action]
        told.append({"kind": kind, "action": action, "count": count, "en": f"{what.en}, {done.en}: {count}", "ja": f"{what.ja}、{done.ja}: {count}"})
    return told


def _canonical(value: Any) -> str:
    return json.dumps(value, **_CANONICAL)


def _marks(change: Change) -> Iterator[int]:
    what = _identity(change)
    yield mark(*what)
    for name, value in _says(change).items():
        yield mark(*what, name, value)


def _identity(change: Change) -> tuple[str, str, str]:
    """The object and the action, however the object's name was typed."""
    key = change.id if change.kind not in _NO_CASE else unicodedata.normalize("NFC", unicodedata.normalize("NFC", change.id).casefold())
    return change.kind, key, change.action


def _says(change: Change) -> dict[str, str]:
    """What somebody says yes to, each a word of its own: the properties that are set, and of what goes those that it has.

    Of a list that goes with its object, or becomes empty, each item: a part of it may have gone before, in whatever order a server names the rest.
    """
    said: dict[str, str] = {}
    before = change.before or {}
    if change.after is None:  # what goes must be what it was when somebody said yes to it
        names = sorted(before.keys() - _MOVES_ON.get(change.kind, frozenset()))
        for name in names:
            said |= _items(name, before[name])
        said[_SINGLE] = _canonical([name for name in names if not isinstance(before[name], (list, tuple))])
    for name, value in (change.after or {}).items():
        if name != _NOT_DONE:
            said[name] = _canonical(value)
            said |= _items(name, before.get(name)) if value == [] else {}
    return said


def _items(name: str, value: Any) -> dict[str, str]:
    if isinstance(value, (list, tuple)):
        return {f"{name} {text}": text for text in map(_canonical, value)}
    return {name: _canonical(value)}


def _difference(change: Change, planned: Change | None) -> str:
    what = f"{heading(change.kind).en}: {plain_line(change.name)} ({plain_line(change.id)}), {ACTIONS[change.action].en}"
    if planned is None:
        return f"{what}: not in the plan"
    now, then = _says(change), _says(planned)
    new = {name.partition(" ")[0]: None for name, value in now.items() if then.get(name) != value}
    if change.after is None:
        if _SINGLE in new:
            del new[_SINGLE]
            new |= dict.fromkeys(sorted((planned.before or {}).keys() - (change.before or {}).keys()))
        return f"{what}: it is not any more what it was then ({_others(new, planned.before, change.before)})"
    emptied = [name for name in new if change.after.get(name) == [] and (planned.after or {}).get(name) == []]
    told = [_others([name], planned.before, change.before) if name in emptied else _others([name], planned.after, change.after) for name in new]
    return f"{what}: {', '.join(told)}"


def _others(names: Iterable[str], planned: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str:
    before, after = planned or {}, now or {}
    return ", ".join(f"{name} {_shown(after.get(name))} instead of {_shown(before[name])}" if name in before else f"{name} was not to change" for name in names)


def _shown(value: Any) -> str:
    text = plain_line(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 80 else f"{text[:79]}…"
