# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of long lists a task's answer holds: AWX keeps it as one event, which stays below 100 kB whatever the number of users.

Counted in bytes, since a thousand changes are 100 kB or 900; and as ansible-runner writes an event: every letter outside ASCII is six bytes of it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from .._core import plain
from .._core.heads import Heads, shares

#: Of an answer. A failed task's event holds it twice (as data, and as the line that is printed), and so does that of a difference.
ANSWER_BYTES = 40_000
#: Of the answers to all items of a loop together: its last event holds them all.
LOOP_BYTES = 80_000
#: What Ansible adds to each of them.
_ITEM_BYTES = 300
#: Of the lists of an answer that only reads: roles hand on several of them as one fact, which is one event too.
SAMPLE_BYTES = 20_000
#: Of one option among the arguments that Ansible repeats with each answer.
_OPTION_BYTES = 2_000

#: What of a changing module's answer a file keeps whole.
LISTS = ("failed_objects", "plan", "applied", "skipped_objects", "restore", "diff")
#: What of an info module's answer is the head of a longer list.
SAMPLES = ("users", "exceptions")


def size(value: Any) -> int:
    """Bytes of a value in an event."""
    return len(json.dumps(value, default=str))


def _size_of_diff(entry: Any) -> int:
    """`--diff` shows mappings as indented text (plugin_utils/diffs.py), which is escaped once more where it stands in an event."""
    return size({name: plain.to_json(value, indent=4) if isinstance(value, Mapping) else value for name, value in entry.items()})


def fitting(items: Sequence[Any], most: int, sizes: Iterable[int] | None = None) -> int:
    """How many of the first items have room in so many bytes."""
    return sum(total <= most for total in accumulate(one + 2 for one in (map(size, items) if sizes is None else sizes)))


def cut(lists: Mapping[str, Sequence[Any]], room: int) -> dict[str, list[Any]]:
    """The first entries of each list, so that all together have room in so many bytes: what a short list leaves is shared by the long ones."""
    sizes = {name: [_size_of_diff(item) if name == "diff" else size(item) for item in items] for name, items in lists.items()}
    share = shares({name: sum(of) + 2 * len(of) for name, of in sizes.items()}, max(room, 0))
    return {name: list(items[: fitting(items, share[name], sizes[name])]) for name, items in lists.items()}


def answer(result: Mapping[str, Any], totals: Mapping[str, int], files: Collection[str], room: int = ANSWER_BYTES) -> dict[str, Any]:
    """A changing module's answer with lists that are short enough. What is left off is counted in `cut`, with the files that have all of it."""
    lists = {name: result[name] for name in (*LISTS, *SAMPLES) if isinstance(result.get(name), list)}
    rest = {name: value for name, value in result.items() if name not in lists}
    failure = rest.get("failure")
    if isinstance(failure, Mapping) and (refusals := failure.get("details", {}).get("refusals")):
        rest["failure"] = {**failure, "details": {**failure["details"], "refusals": _refusals(refusals, room // 4)}}
    # a share of its own, so that a check run and the run after it show the same
    plan = cut({"plan": lists.get("plan", [])}, room // 3)
    others = cut({name: items for name, items in lists.items() if name != "plan"}, room - size(rest) - size(plan))
    kept = {name: {**plan, **others}[name] for name in lists}
    short = {name: {"shown": len(kept[name]), "of": max(totals.get(name, 0), len(items))} for name, items in lists.items() if name in LISTS}
    short = {name: counts for name, counts in short.items() if counts["shown"] < counts["of"]}
    return {**rest, **kept, **({"cut": {**short, "files": list(files)}} if short else {})}


def files(params: Mapping[str, Any], check_mode: bool) -> list[str]:
    """Those that keep all of what an answer has no room for."""
    return [str(params[name]) for name in (("predictions",) if check_mode else ("results_file", "journal")) if params.get(name)]


def in_loop(result: Mapping[str, Any], item: Any, room: int, whole: Collection[str]) -> tuple[dict[str, Any], int]:
    """The answer to one item of a loop, short enough for its share of the loop's event, and how much of that it takes. whole: the files that keep all."""
    room -= _ITEM_BYTES + size(item)
    if (taken := _size_of_answer(result)) > room:
        before = result.get("cut", {})
        totals = {name: counts["of"] for name, counts in before.items() if name != "files"}
        # the arguments of the task stand in the playbook
        rest = {name: value for name, value in result.items() if name not in ("cut", "invocation")}
        result = answer(rest, totals, before.get("files", whole), room)
        taken = _size_of_answer(result)
    return dict(result), taken + _ITEM_BYTES + size(item)


def _size_of_answer(result: Mapping[str, Any]) -> int:
    diff = result.get("diff")
    entries = diff if isinstance(diff, list) else []
    return size({name: value for name, value in result.items() if name != "diff"}) + sum(map(_size_of_diff, entries))


def _refusals(refusals: Iterable[Mapping[str, Any]], room: int) -> list[dict[str, Any]]:
    """Each with as many of its objects as have room; how many there are is said in words by `msg`."""
    refusals = list(refusals)
    each = room // max(len(refusals), 1)
    return [{**one, "objects": one["objects"][: fitting(one["objects"], each)]} for one in refusals]


def sample(items: Sequence[Any]) -> list[Any]:
    """The first of what an info module has found. It is a head already: what it leaves out is counted beside it, and in a file."""
    return list(items[: fitting(items, SAMPLE_BYTES)])


def sample_of(heads: Heads[Any], order: Iterable[str] = ()) -> list[Any]:
    """The same of several kinds: of each some."""
    order = list(order)
    rows = heads.rows(order)
    while (kept := fitting(rows, SAMPLE_BYTES)) < len(rows):
        rows = heads.rows(order, kept)
    return rows


def arguments(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options of the task, for the answer's `invocation`: a long one (what roles hand over) is told by its size."""
    told = {}
    for name, value in params.items():
        bytes_of = size(value)
        told[name] = value if bytes_of <= _OPTION_BYTES else f"({bytes_of} bytes)"
    return told
