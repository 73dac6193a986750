# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts out of the records of a Registry.pol. Pure.

What a client does with a value that the policy has no more depends on the key ([MS-GPREG] 3.2.5): below the policy keys it goes at the next refresh,
elsewhere it stays for ever. There the record is replaced by one that deletes the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .. import hosts
from ..mentions import LIST_NAMES, NUMBERED_KEYS, ZONE_KEY
from ..registry_pol import SZ, Record

_SWITCH = "listbox_support_zonemapkey"
_BLANK = " \0".encode("utf-16-le")


def is_policy_key(key: str) -> bool:
    """Whether values below the key go by themselves when no policy has them any more."""
    folded = key.casefold().strip("\\") + "\\"
    return folded.startswith(("software\\policies\\", "software\\microsoft\\windows\\currentversion\\policies\\"))


def _gone(record: Record) -> list[Record]:
    return [] if is_policy_key(record.key) else [Record(record.key, f"**del.{record.name}", SZ, _BLANK)]


def _list_without(record: Record, names: Sequence[str]) -> list[Record]:
    """A value with a list; what stays in it stays as it is spelled."""
    text = record.text or ""
    end = record.data[len(text.encode("utf-16-le", "surrogatepass")) :]
    pieces = text.split(",")
    kept = [piece for piece in pieces if not hosts.is_within(piece, names)]
    if len(kept) == len(pieces):
        return [record]
    if not any(piece.strip() for piece in kept):
        return _gone(record)
    return [replace(record, data=",".join(kept).strip().encode("utf-16-le", "surrogatepass") + end)]


def _is_directive(record: Record) -> bool:
    return record.name.startswith("**")


def _numbered(record: Record) -> bool:
    return record.key.casefold().endswith(NUMBERED_KEYS) and record.name.isascii() and record.name.isdigit()


def _zone(record: Record) -> bool:
    return record.key.casefold().endswith(ZONE_KEY) and not _is_directive(record)


def _same(key: str) -> str:
    return key.casefold().strip("\\")


def without(records: Iterable[Record], names: Sequence[str]) -> list[Record]:
    """The records without what is one of the hosts, or lies below one; everything else in its order and spelling.

    A list that nothing is left of goes as a whole, with the directive that clears it; a site-to-zone list also with its switch, for an enforced empty list
    would keep users from having their own. Firefox's lists are numbered from 1 anew, since it takes no list that begins otherwise.
    """
    listed = list(records)
    result: list[Record] = []
    touched: set[str] = set()
    for record in listed:
        ours = hosts.is_within(record.text or "", names) if _numbered(record) else _zone(record) and hosts.is_within(record.name, names)
        if ours:
            touched.add(_same(record.key))
            result += _gone(record)
        elif record.name.casefold() in LIST_NAMES and record.text is not None:
            result += _list_without(record, names)
        else:
            result.append(record)
    return _tidied(result, touched)


def _tidied(records: Sequence[Record], touched: set[str]) -> list[Record]:
    """Of the lists that were touched: those without entries go, and those with numbers are numbered anew."""
    left = {_same(record.key) for record in records if _numbered(record) or _zone(record)}
    empty = {key for key in touched - left if is_policy_key(key)}
    # the switch stands one key above the list
    switches = {key.rpartition("\\")[0] for key in empty if f"\\{key}".endswith(ZONE_KEY)}
    result: list[Record] = []
    counts: dict[str, int] = {}
    renamed: list[Record] = []
    for record in records:
        key = _same(record.key)
        if key in empty and record.name.casefold().startswith("**delvals"):
            continue
        if key in switches and record.name.casefold() == _SWITCH:
            continue
        if key in touched and _numbered(record):
            counts[key] = counts.get(key, 0) + 1
            record = replace(record, name=str(counts[key]))
            renamed.append(record)
        result.append(record)
    taken = {(_same(record.key), record.name) for record in renamed}
    # a number that an entry has again is not to be deleted
    return [record for record in result if not (record.name.startswith("**del.") and (_same(record.key), record.name[6:]) in taken)]
