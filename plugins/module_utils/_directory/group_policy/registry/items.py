# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts out of the preference items of a Registry.xml: which items are to delete their value on the clients. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...._core.browser_hosts import LIST_NAMES, zone_host
from .. import hosts
from ..preferences import Item


def to_delete(items: Iterable[Item], names: Sequence[str]) -> tuple[list[Item], list[Item]]:
    """The items that set nothing but the hosts, and those that set a list with others besides, which a person has to edit.

    An item that deletes already, or is switched off, is neither.
    """
    ours: list[Item] = []
    mixed: list[Item] = []
    for item in items:
        if item.action == "D" or item.disabled:
            continue
        if (host := zone_host(item.key)) and hosts.is_within(host, names):
            ours.append(item)
        elif item.name.casefold() in LIST_NAMES:
            entries = [entry for entry in item.value.split(",") if entry.strip()]
            within = [entry for entry in entries if hosts.is_within(entry, names)]
            if within:
                (ours if len(within) == len(entries) else mixed).append(item)
    return ours, mixed
