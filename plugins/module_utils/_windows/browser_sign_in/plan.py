# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts out of the lists and zones of one machine, and back again. Pure; what an entry means is decided in `_core/browser_hosts.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import phrases
from ..._core.browser_hosts import (
    EXPAND_SZ,
    LIST_NAMES,
    NUMBERED_KEYS,
    SZ,
    ZONE_KEY,
    ZONE_SWITCH,
    Record,
    entries,
    is_broader,
    is_policy_key,
    is_within,
    without,
    zone_host,
)
from ..._core.errors import OffboardError
from ..._core.machine_ids import on_host
from ..._core.model import Change, Object, Skip
from ..._core.plan import Plan
from ..reg_query import Key

KIND = "windows_browser_sign_in"
POLICIES = r"SOFTWARE\Policies"
#: Windows' own settings; those of 32-bit programs are the machine's only
INTERNET = (
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings",
    r"SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Internet Settings",
)
#: where a zone map is: Windows' own, and that of policies
_MAPS = tuple(f"{one}\\".casefold() for one in (*INTERNET, rf"{POLICIES}\Microsoft\Windows\CurrentVersion\Internet Settings"))
MACHINE = "HKLM"
_TEXTS = {"REG_SZ": SZ, "REG_EXPAND_SZ": EXPAND_SZ}
_ZONE = re.compile(r"\\internet settings\\zones\\([1-4])", re.IGNORECASE)
_HIVE = re.compile(r"HKLM|HKU\\S-1-(?:5-21|12-1)(?:-\d+)+")
#: what a value of reg.exe's output has that is not what the registry holds, or cannot be said on a command line
_INEXACT = re.compile("[\ufffd\x00-\x1f\x7f]")

#: type and data as reg.exe prints them, by the key below the hive and the name
Values = dict[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True)
class Setting:
    """One list, or one site in a zone, of one hive.

    hive: HKLM, or HKU and a SID. sort: `list` (one value with commas), `numbered` (values 1, 2, …), `zone_list` (a policy's sites, with the switch one key
    above), `zone` (a key of its own for the site). key: below the hive. name: that of the value of a `list`, else nothing.
    """

    hive: str
    sort: str
    key: str
    name: str = ""

    @property
    def path(self) -> str:
        return "\\".join(filter(None, (self.hive, self.key, self.name)))

    def place(self, path: str) -> tuple[str, str]:
        """Key and name of one of its values, out of what `shown` has made of them."""
        rest = path.removeprefix(f"{self.hive}\\")
        own = rest.startswith(f"{self.key}\\")
        key = self.key if own else self.key.rpartition("\\")[0]
        return key, rest[len(key) + 1 :]

    def shown(self, values: Mapping[tuple[str, str], tuple[str, str]]) -> dict[str, str]:
        """As changes and copies have them: type and data by the whole path."""
        return {f"{self.hive}\\{key}\\{name}": f"{kind} {data}" for (key, name), (kind, data) in values.items()}

    def values(self, state: Mapping[str, str | None]) -> Values:
        """The inverse of `shown`; what is None is not there."""
        result: Values = {}
        for path, value in state.items():
            if value is not None:
                kind, _unused, data = value.partition(" ")
                result[self.place(path)] = (kind, data)
        return result


def below(hive: str, path: str) -> str:
    """A key's path as reg.exe prints it, without the hive."""
    return path.split("\\", 2 if hive != MACHINE else 1)[-1]


def _is_unset_default(name: str, data: str) -> bool:
    """A key's default value that nobody has set, which some versions of reg.exe print in words of the machine's language."""
    return all(re.fullmatch(r"[(（].*[)）]", text) for text in (name, data))


def own_values(key: Key) -> dict[str, tuple[str, str]]:
    """The values that somebody has set."""
    return {name: value for name, value in key.values.items() if not _is_unset_default(name, value[1])}


def is_site(key: str) -> bool:
    """Whether it is a key for a site in a zone map, or one above such a key."""
    return bool(zone_host(key)) and key.casefold().startswith(_MAPS)


def settings(hive: str, keys: Iterable[Key]) -> Iterator[tuple[Setting, Values]]:
    """Every list and every site in a zone that the keys hold."""
    keys = list(keys)
    by_place = {below(hive, key.path).casefold(): key for key in keys}
    for key in keys:
        place, own = below(hive, key.path), own_values(key)
        folded = place.casefold()
        if is_policy_key(place):
            yield from ((Setting(hive, "list", place, name), {(place, name): value}) for name, value in own.items() if name.casefold() in LIST_NAMES)
        if folded.endswith(NUMBERED_KEYS):
            if numbered := _numbered(place, own):
                yield Setting(hive, "numbered", place), numbered
        elif folded.endswith(ZONE_KEY) and is_policy_key(place):
            if own:
                yield Setting(hive, "zone_list", place), {(place, name): value for name, value in own.items()} | _switch_above(hive, folded, by_place)
        elif is_site(place):
            sites = {(place, name): value for name, value in own.items() if value[0] == "REG_DWORD"}
            if sites:
                yield Setting(hive, "zone", place), sites


def _numbered(place: str, own: Mapping[str, tuple[str, str]]) -> Values:
    """The entries of a list that are called 1, 2, 3 and so on, in this order."""
    return {(place, name): own[name] for name in sorted((name for name in own if name.isascii() and name.isdigit()), key=int)}


def _switch_above(hive: str, place: str, by_place: Mapping[str, Key]) -> Values:
    """The value that switches a policy's list of zones on; it stands in the key above."""
    above = by_place.get(place.rpartition("\\")[0])
    return {(below(hive, above.path), name): value for name, value in own_values(above).items() if name.casefold() == ZONE_SWITCH} if above else {}


def describe(host: str, setting: Setting, values: Values) -> Object:
    return Object(KIND, on_host(host, setting.path), setting.path, setting.shown(values))


def _records(values: Values) -> tuple[list[Record], list[str]]:
    """As the lists' own rules want them. Types that are no text have numbers of their own, behind which their names stand in the list that comes along."""
    others: list[str] = []
    result = []
    for (key, name), (kind, data) in values.items():
        number = _TEXTS.get(kind, 0)
        if not number:
            others.append(kind)
            number = 1000 + len(others) - 1
        result.append(Record(key, name, number, (data + "\0").encode("utf-16-le", "surrogatepass")))
    return result, others


def _values(records: Iterable[Record], others: Sequence[str]) -> Values:
    names = {number: name for name, number in _TEXTS.items()}
    return {(one.key, one.name): (names.get(one.type) or others[one.type - 1000], one.data[:-2].decode("utf-16-le", "surrogatepass")) for one in records}


def _rest(setting: Setting, values: Values, hosts: Sequence[str]) -> Values:
    """What is left without the hosts."""
    if setting.sort == "zone":
        return {} if is_within(zone_host(setting.key), hosts) else values
    records, others = _records(values)
    return _values(without(records, hosts), others)


def named(setting: Setting, values: Values) -> list[str]:
    """The hosts of a setting as they are spelled, also where the type is one that no browser reads."""
    if setting.sort == "zone":
        return [zone_host(setting.key)]
    found = []
    for (key, name), (kind, data) in values.items():
        text = data.replace("\\0", ",") if kind == "REG_MULTI_SZ" else data
        found += entries(Record(key, name, SZ, text.encode("utf-16-le", "surrogatepass")))
    return found


def broader(setting: Setting, values: Values, hosts: Sequence[str]) -> list[str]:
    """Entries that mean the hosts and others. A person decides."""
    return [entry for entry in named(setting, values) if is_broader(entry, hosts)]


def mine(setting: Setting, values: Values, hosts: Sequence[str]) -> list[str]:
    """Entries that mean nothing but the hosts."""
    return [entry for entry in named(setting, values) if is_within(entry, hosts)]


def automatic_logon(hive: str, keys: Iterable[Key]) -> list[dict[str, Any]]:
    """Zones whose sites get the signed-in user's name and password without asking (1A00 is 0)."""
    found = []
    for key in keys:
        zone = _ZONE.search(key.path)
        if zone and zone.end() == len(key.path) and key.text("1A00") and key.number("1A00") == 0:
            found.append({"path": f"{hive}\\{below(hive, key.path)}\\1A00", "zone": int(zone[1])})
    return found


def plan_removal(current: Iterable[Object], known: Mapping[str, Setting], hosts: Sequence[str]) -> Plan:
    """One change for each list and each site; what cannot be written back exactly is left alone. `known`: the settings by the objects' ids."""
    result = Plan()
    undo = phrases.english("undo_same_state", state="present")
    for item in current:
        setting = known[item.id]
        values = setting.values(item.state)
        rest = _rest(setting, values, hosts)
        if why := _left(setting, values, rest, hosts):
            result.skipped.append(Skip(KIND, item.id, item.name, "value_not_exact", why))
        elif rest == values:
            result.unchanged += 1
        else:
            before, after = setting.shown(values), setting.shown(rest)
            result.changes.append(_change(item, before, after, "remove", undo))
    return result


def _change(item: Object, before: Mapping[str, str | None], after: Mapping[str, str | None], action: str, undo: str) -> Change:
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    return Change(KIND, item.id, item.name, action, {path: before.get(path) for path in paths}, {path: after.get(path) for path in paths}, undo=undo)


def _left(setting: Setting, values: Values, rest: Values, hosts: Sequence[str]) -> str:
    """Why a setting that names the hosts cannot be changed by reg.exe; nothing when it can."""
    touched = {place: value for place, value in rest.items() if values.get(place) != value}
    if any(_INEXACT.search(name + data) for (_key, name), (_kind, data) in touched.items()) or any(
        _INEXACT.search(name) for (_key, name) in values.keys() - rest.keys()
    ):
        return "it holds a line break, or a character that reg.exe does not print; take the hosts out of it by hand"
    if rest == values and mine(setting, values, hosts):
        return "it names the hosts in a value that is not of the type REG_SZ; look at it"
    return ""


# --- the way back ---


@dataclass(frozen=True)
class Saved:
    """What a removal has saved of one setting: its values before and after, and when."""

    setting: Setting
    before: Mapping[str, str | None]
    after: Mapping[str, str | None]
    at: str

    def to_dict(self, host: str) -> dict[str, Any]:
        """JSON-serialisable."""
        one = self.setting
        setting = {"hive": one.hive, "sort": one.sort, "key": one.key, "name": one.name}
        return {"host": host, "setting": setting, "before": dict(self.before), "after": dict(self.after), "at": self.at}


def saved(data: Any, host: str) -> Saved | None:
    """The inverse of `to_dict`; None for that of another machine. Raises OffboardError `backup_unreadable`."""
    try:
        if data["host"] != host:
            return None
        values: dict[str, dict[str, str | None]] = {
            name: {str(path): None if value is None else str(value) for path, value in data[name].items()} for name in ("before", "after")
        }
        setting = Setting(**{name: str(data["setting"][name]) for name in ("hive", "sort", "key", "name")})
        result = Saved(setting, values["before"], values["after"], str(data["at"]))
    except (TypeError, KeyError, AttributeError):
        raise OffboardError("it is no copy of a browser setting", code="backup_unreadable") from None
    paths = result.before.keys()
    if not _HIVE.fullmatch(setting.hive) or paths != result.after.keys() or not all(_is_of(setting, path) for path in paths):
        raise OffboardError("it is no copy of a browser setting", code="backup_unreadable")
    return result


def _is_of(setting: Setting, path: str) -> bool:
    """Whether the path is one that this module removes: nothing else is ever written, whatever a copy says."""
    key, name = setting.place(path)
    if f"{setting.hive}\\{key}\\{name}" != path or not name:
        return False
    folded = key.casefold()
    match setting.sort:
        case "list":
            return is_policy_key(key) and name.casefold() in LIST_NAMES
        case "numbered":
            return is_policy_key(key) and folded.endswith(NUMBERED_KEYS) and name.isascii() and name.isdigit()
        case "zone_list":
            return is_policy_key(key) and (folded.endswith(ZONE_KEY) or name.casefold() == ZONE_SWITCH)
        case "zone":
            return is_site(key)
    return False


def plan_return(current: Iterable[Object], copies: Mapping[str, Sequence[Saved]], loaded: Iterable[str]) -> Plan:
    """Each setting back through its copies, the newest first, as far as it is what they have left.

    `loaded`: the hives that are there. A setting that is neither as a removal left it nor as it was before was changed by somebody else, and stays.
    """
    result = Plan()
    undo = phrases.english("undo_same_state", state="absent")
    hives = set(loaded)
    for item in current:
        setting = copies[item.id][0].setting
        if setting.hive not in hives:
            msg = "the user is not signed in on the machine, so that the registry of that user is not loaded"
            result.skipped.append(Skip(KIND, item.id, item.name, "user_not_signed_in", msg))
            continue
        now: dict[str, str | None] = {path: value for path, value in item.state.items() if value is not None}
        state = dict(now)
        left = sorted(copies[item.id], key=lambda one: one.at, reverse=True)
        while copy := next((one for one in left if _is_left_by(state, one)), None):
            state |= copy.before
            left.remove(copy)
        change = _change(item, now, state, "restore", undo)
        if change.after:
            result.changes.append(change)
        elif any(_is(now, copy.before) for copy in copies[item.id]):
            result.unchanged += 1
        else:
            msg = "it is neither as the removal left it nor as it was before; somebody has changed it since"
            result.skipped.append(Skip(KIND, item.id, item.name, "setting_changed", msg))
    return result


def _is(state: Mapping[str, str | None], expected: Mapping[str, str | None]) -> bool:
    return all(state.get(path) == value for path, value in expected.items())


def _is_left_by(state: Mapping[str, str | None], copy: Saved) -> bool:
    """Whether the removal that the copy is of has left it so, also one that was killed among several values: each is as before or as after."""
    partly = all(state.get(path) in (value, copy.after.get(path)) for path, value in copy.before.items())
    return partly and not _is(state, copy.before)


def seen(change: Change, now: Mapping[str, str | None]) -> bool:
    """Whether what is there now is what the change leaves."""
    return _is(now, change.after or {})


def in_order(change: Change) -> list[tuple[str, str | None]]:
    """What to write, in an order of which every beginning is finished by the same task: new values first, then the switch of a zone list, then the rest."""
    after = change.after or {}
    gone = [path for path, value in after.items() if value is None]
    gone.sort(key=lambda path: not path.casefold().endswith(f"\\{ZONE_SWITCH}"))
    return [(path, value) for path, value in after.items() if value is not None] + [(path, None) for path in gone]
