# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts out of the preference items of a Registry.xml: which items are to delete their value on the clients. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...._core.browser_hosts import LIST_NAMES, zone_host
from .. import hosts
from ..preferences import Item


def entries(item: Item) -> list[str]:
    """The hosts that an item of a known list, or of a site's own key in a zone map, sets, as they are spelled; nothing where it sets nothing (any more)."""
    if item.action == "D" or item.disabled:
        return []
    if host := zone_host(item.key):
        return [host]
    return [entry.strip() for entry in item.value.split(",") if entry.strip()] if item.name.casefold() in LIST_NAMES else []


def to_delete(items: Iterable[Item], names: Sequence[str]) -> tuple[list[Item], list[Item]]:
    """The items that set nothing but the hosts, and those that a person has to edit: they set a list with others besides, or are applied once and not again.

    An item that deletes already, or is switched off, is neither.
    """
    ours: list[Item] = []
    by_hand: list[Item] = []
    for item in items:
        listed = entries(item)
        within = [entry for entry in listed if hosts.is_within(entry, names)]
        if within:
            (ours if len(within) == len(listed) and not item.once else by_hand).append(item)
    return ours, by_hand
