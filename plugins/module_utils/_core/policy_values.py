# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which registry values of machines the group policies set that group_policy_info has found. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import names
from .browser_hosts import ZONE_KEY, zone_host

Policies = Iterable[Mapping[str, Any]]

_HIVES = {"hkey_local_machine": "hklm", "hklm": "hklm", "hkey_current_user": "hku", "hkcu": "hku"}
#: a status of a policy, and what of it then does nothing
_OFF = {"disabled": ("hklm", "hku"), "user_disabled": ("hku",), "machine_disabled": ("hklm",)}


@dataclass(frozen=True)
class Value:
    """A registry value that a policy sets: which policy, where in it, and below which hive of a machine (HKLM, HKU) it is then, in lower case."""

    policy: Mapping[str, Any]
    where: str
    hive: str
    place: str

    def is_set_at(self, path: str) -> bool:
        """Whether a machine's setting (a value, or a key with its values) holds it."""
        hive, _unused, rest = path.casefold().partition("\\")
        place = rest.partition("\\")[2] if hive == "hku" else rest
        return hive == self.hive and (place in (self.place, self.place.rpartition("\\")[0]) or self._is_site_of(place))

    def _is_site_of(self, place: str) -> bool:
        """Whether it puts a site into a zone by the list of sites of which Windows makes the zone map at the place."""
        key, _unused, site = self.place.rpartition("\\")
        folder = key.removesuffix(ZONE_KEY.rpartition("\\")[2])
        return folder != key and place.startswith(f"{folder}zonemap\\") and names.host(site) == names.host(zone_host(place))


def named(policy: Mapping[str, Any]) -> str:
    """A policy as people know it, and as only one is."""
    return f"{policy['name']} ({policy['guid']})"


def is_settled(mention: Mapping[str, Any]) -> bool:
    """A preference item that deletes already, or is switched off, sets nothing."""
    return mention["kind"] == "preference" and (mention.get("action") == "D" or is_inactive(mention))


def is_inactive(mention: Mapping[str, Any]) -> bool:
    """Whether it is a preference item that is switched off, itself or with the collection that it is in: who switches it on brings back what it sets."""
    return mention["kind"] == "preference" and mention.get("action") != "D" and bool(mention.get("disabled"))


def is_off(policy: Mapping[str, Any], side: str) -> bool:
    """Whether no machine takes anything of that side of the policy: it is switched off, or linked nowhere."""
    links = policy.get("links")
    return side in _OFF.get(str(policy.get("status")), ()) or (links is not None and not any(link["enabled"] for link in links))


def written(policies: Policies) -> Iterator[Value]:
    """What the policies have clients write into their registry."""
    for policy in policies:
        for mention in policy["mentions"]:
            side = "hklm" if mention["file"].casefold().startswith("machine") else "hku"
            where, hive, place = mention["where"], side, mention["where"]
            if mention["kind"] == "preference" and not is_settled(mention):
                first, _unused, place = where.partition("\\")
                hive = _HIVES.get(first.casefold(), "")
            elif mention["kind"] != "registry":
                continue
            if not is_off(policy, side):
                yield Value(policy, where, hive, place.casefold())
