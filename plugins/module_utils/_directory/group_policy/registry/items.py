# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts out of the preference items of a Registry.xml: which items are to delete their value on the clients. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...._core.browser_hosts import LIST_NAMES, NUMBERED_KEYS, ZONE_KEY, ZONE_SWITCH, is_within, zone_host
from ..preferences import Item


def entries(item: Item) -> list[str]:
    """The hosts that an item of a known list, or of a site's own key in a zone map, sets, as they are spelled; nothing where it sets nothing (any more)."""
    if not _sets(item):
        return []
    if host := zone_host(item.key):
        return [host]
    if item.name.casefold() in LIST_NAMES:
        return [entry.strip() for entry in item.value.split(",") if entry.strip()]
    if _is_numbered(item):
        return [item.value.strip()] if item.value.strip() else []
    return [item.name] if _place(item)[1].endswith(ZONE_KEY) and item.name else []


def _sets(item: Item) -> bool:
    return item.action != "D" and not item.disabled


def _place(item: Item) -> tuple[str, str]:
    """Hive and key, as they are compared."""
    return item.hive.casefold(), "\\" + item.key.casefold().strip("\\")


def _is_numbered(item: Item) -> bool:
    return _place(item)[1].endswith(NUMBERED_KEYS) and item.name.isascii() and item.name.isdigit()


def to_delete(items: Iterable[Item], names: Sequence[str]) -> tuple[list[Item], list[Item]]:
    """The items that set nothing but the hosts, and those that a person has to edit: they set a list with others besides, or are applied once and not again.

    An item that deletes already, or is switched off, is neither. The last site of a policy's list takes the item of the list's switch with it. An entry of
    Firefox's numbered lists goes where those that stay are still numbered from 1 without a gap; else a person numbers them anew.
    """
    every = [item for item in items if _sets(item)]
    ours: list[Item] = []
    by_hand: list[Item] = []
    for item in every:
        listed = entries(item)
        within = [entry for entry in listed if is_within(entry, names)]
        if within:
            (ours if len(within) == len(listed) and not item.once else by_hand).append(item)
    gaps = [item for item in ours if _is_numbered(item) and not _is_without_gap(_place(item), every, ours)]
    ours = [item for item in ours if not any(item is one for one in gaps)]
    return ours + [item for item in every if _switches_off(item, every, ours)], by_hand + gaps


def _is_without_gap(place: tuple[str, str], every: Iterable[Item], ours: Sequence[Item]) -> bool:
    left = {int(item.name) for item in every if _place(item) == place and _is_numbered(item) and not any(item is one for one in ours)}
    return left == set(range(1, len(left) + 1))


def _switches_off(item: Item, every: Iterable[Item], ours: Sequence[Item]) -> bool:
    """Whether the item switches on a policy's list of sites of which nothing is left: an enforced empty one would keep users from having their own."""
    if item.name.casefold() != ZONE_SWITCH or item.once:
        return False
    hive, key = _place(item)
    listed = [one for one in every if _place(one)[0] == hive and _place(one)[1].rpartition("\\")[0] == key and _place(one)[1].endswith(ZONE_KEY)]
    return bool(listed) and all(any(one is gone for gone in ours) for one in listed)
