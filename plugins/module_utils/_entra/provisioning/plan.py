# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a tenant's users are in a state that a snapshot may keep, and what an app did to them by the directory's audit log. Pure."""

from __future__ import annotations

import datetime
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._core import names
from ..._offboarding.quiet import mostly
from ..domains.plan import upn_domain


@dataclass
class Census:
    """Counts of a domain's users who are blocked or without licence, and of whom the operator has not said what shall become of them.

    Names are as `names.user` has them. also_enable: they will be enabled; licensed: a licence of theirs is settled; exclude: left alone.
    """

    also_enable: Collection[str] = ()
    licensed: Collection[str] = ()
    exclude: Collection[str] = ()
    domains: dict[str, Counter[str]] = field(default_factory=dict)
    #: names of everybody of whom somebody asked
    met: set[str] = field(default_factory=set)

    def add(self, user_id: str, upn: str, *, enabled: bool, licensed: bool) -> bool:
        """Whether the user counts as blocked."""
        who = {names.user(user_id), names.user(upn)}
        self.met |= who & {*self.also_enable}
        if not who.isdisjoint(self.exclude):
            return False
        sums = self.domains.setdefault(upn_domain(upn), Counter())
        sums["total"] += 1
        blocked = not enabled and who.isdisjoint(self.also_enable)
        sums["blocked"] += blocked
        unlicensed = not licensed and who.isdisjoint(self.licensed)
        sums["unlicensed"] += unlicensed
        sums["either"] += blocked or unlicensed
        return blocked

    def answer(self) -> list[dict[str, Any]]:
        """For each domain `total`, `blocked` and `unlicensed`."""
        return [{"domain": name, **{key: sums[key] for key in ("total", "blocked", "unlicensed")}} for name, sums in sorted(self.domains.items())]

    def unusual(self, percent: int) -> list[dict[str, Any]]:
        """The domains most of whose users are so, in one way or the other."""
        return [item for item in self.answer() if mostly(self.domains[item["domain"]]["either"], item["total"], percent)]


@dataclass
class Deeds:
    """What the app did to one user: its last word about accountEnabled, and the licences that it took and did not give back."""

    upn: str
    blocked_at: str | None = None
    licences: dict[str, str] = field(default_factory=dict)
    #: when licences were changed without the log saying which (long entries come without their values)
    unknown_at: str | None = None


_SKU = re.compile(r"SkuId=([0-9a-fA-F-]{36})")


def deeds(entries: Iterable[Mapping[str, Any]]) -> dict[str, Deeds]:
    """By user id, out of directoryAudit entries of the app that succeeded, in any order."""
    found: dict[str, Deeds] = {}
    for entry in sorted(entries, key=lambda item: _time(item["activityDateTime"])):
        if entry.get("result") not in (None, "success"):
            continue
        at, activity = entry["activityDateTime"], (entry.get("activityDisplayName") or "").casefold()
        for target in entry.get("targetResources") or ():
            if (target.get("type") or "").casefold() != "user" or not target.get("id"):
                continue
            one = found.setdefault(target["id"], Deeds(target.get("userPrincipalName") or ""))
            one.upn = target.get("userPrincipalName") or one.upn
            _note(one, at, activity, {item.get("displayName"): item for item in target.get("modifiedProperties") or ()})
    return {user_id: one for user_id, one in found.items() if one.blocked_at or one.licences or one.unknown_at}


def _note(one: Deeds, at: str, activity: str, changed: Mapping[Any, Mapping[str, Any]]) -> None:
    enabled = _flag((changed.get("AccountEnabled") or {}).get("newValue"))
    if enabled is None:
        enabled = {"disable account": False, "enable account": True}.get(activity)
    if enabled is not None:
        one.blocked_at = None if enabled else one.blocked_at or at
    licences = changed.get("AssignedLicense")
    if licences is not None:
        before, after = ({names.licence(sku) for sku in _SKU.findall(str(licences.get(name) or ""))} for name in ("oldValue", "newValue"))
        one.licences |= dict.fromkeys(before - after, at)
        one.licences = {sku: when for sku, when in one.licences.items() if sku not in after}
        one.unknown_at = None
    elif activity == "change user license":
        one.unknown_at = at


def _flag(value: Any) -> bool | None:
    """`[true]`, `["True"]`, `true` and so on, as entries name a flag."""
    text = re.sub(r'[\[\]"\s]', "", str(value or "")).casefold()
    return {"true": True, "false": False}.get(text)


#: Within so many hours the stop's own work is done; what the app blocked at other times it did for reasons of its own (people leave).
_STOP_HOURS = 24


def of_the_stop(times: Iterable[str], hours: int = _STOP_HOURS) -> tuple[str, str] | None:
    """The first and last of the times in the window with the most of them; the latest such window."""
    moments = sorted(times, key=_time)
    best: tuple[int, str, str] | None = None
    start = 0
    for end, text in enumerate(moments):
        while _time(text) - _time(moments[start]) > datetime.timedelta(hours=hours):
            start += 1
        if best is None or end - start + 1 >= best[0]:
            best = (end - start + 1, moments[start], text)
    return (best[1], best[2]) if best else None


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@dataclass(frozen=True)
class Victim:
    """One user who is blocked or without a licence now, and was so made by the app."""

    id: str
    upn: str
    blocked_at: str | None
    licences: tuple[str, ...]
    #: within the window of the stop
    by_stop: bool


def victims(users: Iterable[Mapping[str, Any]], done: Mapping[str, Deeds]) -> list[Victim]:
    """Of `users` (id, userPrincipalName, enabled, licences as ids) those whose present state is the app's doing, by time."""
    found = []
    for user in users:
        one = done.get(user["id"])
        if one is None:
            continue
        blocked_at = one.blocked_at if not user["enabled"] else None
        licences = {sku: at for sku, at in one.licences.items() if sku not in user["licences"]}
        if blocked_at or licences:
            found.append((user, blocked_at, licences))
    stop = of_the_stop([blocked_at or max(licences.values(), key=_time) for _unused, blocked_at, licences in found])
    made = []
    for user, blocked_at, licences in found:
        at = blocked_at or max(licences.values(), key=_time)
        by_stop = stop is not None and _time(stop[0]) <= _time(at) <= _time(stop[1])
        made.append(Victim(user["id"], user["userPrincipalName"], blocked_at, tuple(sorted(licences)), by_stop))
    return sorted(made, key=lambda one: (one.blocked_at or "", one.upn))


def variables(found: Iterable[Victim], src: str | None) -> bytes:
    """A file for `-e @…`: the users of the stop for microsoft_365_also_enable, those of other times as comments, and where the licences are."""
    blocked = [one for one in found if one.blocked_at]
    lines = [
        "# Users whom IIJ ID's app blocked, by the directory's audit log. Take out who shall stay blocked, then run preflight again with -e @this file.",
        "# 監査ログによりIIJ IDのアプリがブロックした利用者。ブロックのままでよい利用者を除き、-e @（このファイル）を付けてpreflightを再実行する。",
        "---",
        "microsoft_365_also_enable:" if any(one.by_stop for one in blocked) else "microsoft_365_also_enable: []",
    ]
    lines += [f"  - {json.dumps(one.upn)}  # {one.blocked_at}" for one in blocked if one.by_stop]
    if rest := [one for one in blocked if not one.by_stop]:
        lines.append("# Blocked by IIJ ID at other times, as when people leave / 別の時期にブロック（退職など）:")
        lines += [f"#  - {json.dumps(one.upn)}  # {one.blocked_at}" for one in rest]
    if src:
        lines.append(f"microsoft_365_users_src: {json.dumps(src)}")
    return ("\n".join(lines) + "\n").encode()


def blocked_list(upns: Iterable[str]) -> bytes:
    """A file that the users of microsoft_365_also_enable can be taken from: everybody who is blocked, as comments."""
    lines = [
        "# Users who are blocked, and whom the snapshot would keep so. Take away the '#' of those who shall work again, and run preflight with -e @a copy of",
        "# this file: it is written anew each time. / ブロック中の利用者（スナップショットはこの状態を保存する）。復帰させる利用者の行頭の「#」を外し、",
        "# コピーを -e @ で指定してpreflightを再実行する（このファイルは毎回作り直される）。",
        "---",
        "microsoft_365_also_enable:",
        *(f"#  - {json.dumps(upn)}" for upn in upns),
    ]
    return ("\n".join(lines) + "\n").encode()


def source(found: Iterable[Victim]) -> bytes:
    """A file for microsoft_365_users_src: the licences that the stop took."""
    lines = [{"userPrincipalName": one.upn, "licences": {"add": list(one.licences)}} for one in found if one.by_stop and one.licences]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
