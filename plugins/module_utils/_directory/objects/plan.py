# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and groups of Active Directory: what is known of one, what shall change, and what forbids it. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core import phrases
from ..._core.dn import Name, extended
from ..._core.dn import key as dn_key
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Refusal, Skip
from ..._core.plan import Plan
from ..._core.text import counted
from ..values import ACCOUNT_DISABLED, DELETE, DELETE_CHILD, DELETE_TREE, Entry, denied, file_time, guid, sid
from .saved import SavedCopy, SavedLink

KIND = "directory_object"
#: What an account of integrated Windows authentication may be named for (IIJ ID manual, 統合Windows認証).
IIJ_SPNS = (r"(?i)HTTP/([a-z0-9-]+\.)+iij\.jp",)
#: Guards that `allow` switches off, one by one.
ALLOWABLE = ("admin_count", "members", "protected", "referenced")
#: msDS-LogonTimeSyncInterval: lastLogonTimestamp may lag behind the last logon by so many days.
LOGON_TIME_LAG_DAYS = 14

_FIRST_FREE_RID = 1000  # below it: well-known accounts and groups ([MS-DTYP] 2.4.2.4)


@dataclass(frozen=True)
class Surroundings:
    """What is not in the object itself.

    own_sids: the SIDs in the token of the account that the tool binds as.
    parent_denied: the rights that the parent denies to Everyone.
    back_links: the forward attribute of each back link that the schema knows (`managedObjects` → `managedBy`).
    references: DNs of objects that name this one without a link, by attribute.
    children: DNs of what lies below it.
    primary_members: DNs of whom the group is the primary group of; `member` does not list them.
    """

    own_sids: Collection[str] = ()
    parent_denied: int = 0
    back_links: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, Sequence[str]] = field(default_factory=dict)
    children: Sequence[str] = ()
    primary_members: Sequence[str] = ()


def describe(entry: Entry, around: Surroundings) -> Object:
    """The object with everything that plans and guards look at.

    Raises OffboardError `unsupported_class` unless it is a user or a group: computers and managed service accounts
    derive from user, but are joined to a machine.
    """
    classes = {value.casefold() for value in entry.texts("objectClass")}
    if "computer" in classes or not classes & {"user", "group"}:
        kind = entry.texts("objectClass")[-1] if classes else "unknown"
        raise OffboardError(f"{entry.dn} is of class {kind}; only users and groups are handled", code="unsupported_class")
    object_sid = sid(entry.raw("objectSid")[0])
    control = entry.number("userAccountControl") if "user" in classes else None
    state = {
        "class": "group" if "group" in classes else "user",
        "sAMAccountName": entry.text("sAMAccountName"),
        "userPrincipalName": entry.text("userPrincipalName"),
        "description": entry.text("description"),
        "objectSid": object_sid,
        "objectGUID": guid(entry.raw("objectGUID")[0]),
        "enabled": None if control is None else not control & ACCOUNT_DISABLED,
        "servicePrincipalName": entry.texts("servicePrincipalName"),
        "adminCount": entry.number("adminCount"),
        "critical": entry.text("isCriticalSystemObject") == "TRUE" or int(object_sid.rpartition("-")[2]) < _FIRST_FREE_RID,
        "own": object_sid in around.own_sids,
        "protection": _protection(entry, around),
        "member": entry.texts("member"),
        "memberOf": entry.texts("memberOf"),
        "children": list(around.children),
        "primary_members": list(around.primary_members),
        "referenced_by": _referenced_by(entry, around),
        "attributes": sorted(name.casefold() for name in entry.attributes),
        "last_logon": _last_logon(entry),
    }
    return Object(KIND, entry.dn, entry.text("sAMAccountName") or entry.dn, state)


def _protection(entry: Entry, around: Surroundings) -> list[str]:
    """What keeps everybody from deleting it ("Protect object from accidental deletion")."""
    descriptor = entry.raw("nTSecurityDescriptor")
    own_denied = denied(descriptor[0]) if descriptor else 0
    protection = ["Delete denied to Everyone on the object"] if own_denied & (DELETE | DELETE_TREE) else []
    if around.parent_denied & DELETE_CHILD:
        protection.append("Delete Child denied to Everyone on its parent")
    return protection


def _referenced_by(entry: Entry, around: Surroundings) -> dict[str, list[str]]:
    """DNs of what names the object, by link or without one, by attribute; groups that it is in are `memberOf`."""
    linked = {forward: entry.texts(back) for back, forward in around.back_links.items() if back != "memberOf" and entry.raw(back)}
    return linked | {name: list(dns) for name, dns in around.references.items() if dns}


def _last_logon(entry: Entry) -> str | None:
    logons = [when for name in ("lastLogon", "lastLogonTimestamp") if (when := file_time(entry.number(name)))]
    return max(logons).isoformat(timespec="seconds") if logons else None


# --- plan -------------------------------------------------------------------------------------------


def plan(wanted: Sequence[str], current: Mapping[str, Object], state: str, copies: Mapping[str, SavedCopy]) -> Plan:
    """What turns `current` into `state` (absent, disabled, enabled, present).

    `current` and `copies` are by `dn_key`; a DN that is not in `current` does not exist.
    Raises OffboardError `not_found` for an object to enable, `no_saved_copy` for one to bring back.
    """
    result = Plan()
    if state == "absent":  # groups last: the domain controller keeps the primary group of an account that is still there
        wanted = sorted(wanted, key=lambda dn: dn_key(dn) in current and current[dn_key(dn)].state.get("class") == "group")
    for dn in wanted:
        item = current.get(dn_key(dn))
        copy = copies.get(dn_key(dn))
        step: Change | Skip | None
        match state:
            case "absent":
                step = _delete(item) if item else None
            case "disabled":
                step = _switch(item, False) if item else Skip(KIND, dn, dn, "not_found", "there is no such object; nothing to disable")
            case "enabled":
                if item is None:
                    raise OffboardError(f"{dn} does not exist, so it cannot be enabled; state=present brings a removed one back", code="not_found")
                step = _switch(item, True)
            case _:
                step = _complete(item, copy) if item else _restore(dn, copy)
        match step:
            case Change():
                result.changes.append(step)
            case Skip():
                result.skipped.append(step)
                if step.code == "not_found" or state == "disabled":
                    result.warnings.append(phrases.english("nothing_to_disable" if step.code == "not_found" else "group_stays", dn=dn))
            case None:
                result.unchanged += 1
    return result


def _delete(item: Object) -> Change:
    shown = ("class", "sAMAccountName", "objectSid", "objectGUID", "enabled", "servicePrincipalName", "memberOf")
    before = {name: item.state[name] for name in shown if item.state[name] not in (None, [])}
    if item.state["member"]:  # by name: an approval is for these, not for as many others
        before["members"] = sorted(item.state["member"])
    undo = phrases.english("undo_object_deleted")
    return Change(KIND, item.id, item.name, "delete", before, None, risk="high", undo=undo)


def _switch(item: Object, enabled: bool) -> Change | Skip | None:
    if item.state["enabled"] is None:
        return Skip(KIND, item.id, item.name, "not_a_user", "a group cannot be enabled or disabled, so it is left as it is; state=absent removes it")
    if item.state["enabled"] == enabled:
        return None
    action, other = ("enable", "disabled") if enabled else ("disable", "enabled")
    same = _identity(item)
    return Change(
        KIND, item.id, item.name, action, {"enabled": not enabled, **same}, {"enabled": enabled, **same}, undo=phrases.english("undo_state", state=other)
    )


def _identity(item: Object) -> dict[str, str]:
    """Which object is meant, whatever its name will be by then; an object that is only predicted has none yet."""
    return {"objectGUID": item.state["objectGUID"]} if "objectGUID" in item.state else {}


def guid_of(change: Change) -> str:
    """The objectGUID of the object that a change was planned for; empty where it is still to be made."""
    return str((change.before or {}).get("objectGUID", ""))


def _restore(dn: str, copy: SavedCopy | None) -> Change:
    if copy is None:
        raise OffboardError(f"{dn} does not exist, and backup_dir holds no saved copy of it", code="no_saved_copy")
    after: dict[str, Any] = {"class": copy.kind, "sAMAccountName": copy.name}
    if copy.kind == "user":
        after["enabled"] = False
    links = [link.text for link in copy.links]
    return Change(KIND, dn, copy.name, "restore", None, {**after, **({"links": links} if links else {})}, undo=phrases.english("undo_state", state="absent"))


def missing_links(item: Object, copy: SavedCopy) -> list[SavedLink]:
    """Memberships and references of the saved copy that are not there."""
    own = dn_key(item.id)
    have = {("member", dn_key(dn), own) for dn in item.state["memberOf"]}
    have |= {("member", own, dn_key(dn)) for dn in item.state["member"]}
    have |= {(name, dn_key(dn), own) for name, dns in item.state["referenced_by"].items() for dn in dns}
    return [link for link in copy.links if (link.attribute, dn_key(link.dn), dn_key(link.value)) not in have]


def missing_attributes(item: Object, copy: SavedCopy) -> dict[str, list[bytes]]:
    """Attributes of the saved copy that the object has no value of: an interrupted restoration left them."""
    return {name: values for name, values in copy.restorable.items() if name.casefold() not in item.state["attributes"]}


def _complete(item: Object, copy: SavedCopy | None) -> Change | None:
    missing = [*missing_attributes(item, copy), *(link.text for link in missing_links(item, copy))] if copy else []
    if not missing:
        return None
    same = _identity(item)
    return Change(KIND, item.id, item.name, "complete", {"missing": missing, **same}, {"missing": [], **same}, undo=phrases.english("undo_by_hand"))


# --- guards -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ObjectRules:
    """What the operator allows; the fields are options of directory_object."""

    allowed_spns: Sequence[str] = IIJ_SPNS
    expected_members: Sequence[str] = ()
    recently_used_days: int = LOGON_TIME_LAG_DAYS
    allow: Collection[str] = ()

    def spn_patterns(self) -> list[re.Pattern[str]]:
        """Raises OffboardError `pattern_invalid`."""
        return compiled("allowed_spns", self.allowed_spns)


def compiled(option: str, patterns: Iterable[str]) -> list[re.Pattern[str]]:
    """Regular expressions of an option. Raises OffboardError `pattern_invalid`."""
    result = []
    for pattern in patterns:
        try:
            result.append(re.compile(pattern))
        except re.error as exc:
            raise OffboardError(f"{option}: {pattern!r} is no regular expression: {exc}", code="pattern_invalid") from exc
    return result


def refusals(items: Iterable[Object], action: str, rules: ObjectRules, now: datetime.datetime, beside: Iterable[str] = ()) -> Iterator[Refusal]:
    """Why `action` (disable or delete) must not be done to `items`. Guards of deletion do not stop disabling, which is undone in a second.

    `beside`: DNs of what the same task removes besides `items`.
    """
    items = list(items)
    removed = {dn_key(dn) for dn in (*beside, *(item.id for item in items))}
    patterns = rules.spn_patterns()
    for item in items:
        yield from _always(item, patterns, rules)
        if action == "delete":
            yield from _deletion(item, removed, rules, now)


def _refusal(item: Object, rule: str, why: str, allow_with: str = "") -> Refusal:
    return Refusal(rule=rule, msg=f"{item.id}: {why}.", objects=(item.id,), allow_with=allow_with)


def other_object(confirmed: Name, there: Entry, why: str) -> Refusal:
    """What is at the confirmed name is not the object that was confirmed."""
    here = extended(guid(there.raw("objectGUID")[0]), there.dn)
    msg = f"{confirmed.dn} was confirmed for the object {confirmed.guid}{why}, but {there.dn} is another one ({there.text('sAMAccountName')})."
    return Refusal("other_object", msg, (there.dn,), phrases.english("allow_this_one", setting=f"objects: ['{here}']"))


def moved(confirmed: Name, there: Entry, why: str) -> Refusal:
    """The confirmed name is nobody's, but the object that had it is there."""
    msg = f"{confirmed.dn} does not exist, but the object {confirmed.guid}, for which it was confirmed{why}, is now {there.dn}."
    return Refusal("moved", msg, (there.dn,), f"objects: ['{extended(confirmed.guid, there.dn)}']")


def _some(dns: Sequence[str]) -> str:
    return ", ".join(dns[:3]) + (", ..." if len(dns) > 3 else "")


def _always(item: Object, patterns: Sequence[re.Pattern[str]], rules: ObjectRules) -> Iterator[Refusal]:
    state = item.state
    if state["own"]:
        yield _refusal(item, "own_identity", "it is the account that this task binds as, or a group from which that account has its rights")
    if state["critical"]:
        yield _refusal(item, "critical_object", f"it is a well-known object of the domain (SID {state['objectSid']})")
    others = [spn for spn in state["servicePrincipalName"] if not any(pattern.fullmatch(spn) for pattern in patterns)]
    if others:
        more = ", ".join(f"'(?i){re.escape(spn)}'" for spn in others)
        yield _refusal(item, "other_spn", f"it serves other services too, by its servicePrincipalName {', '.join(others)}", f"allowed_spns: [..., {more}]")
    if state["adminCount"] and "admin_count" not in rules.allow:
        yield _refusal(item, "admin_count", "it is, or was, a member of an administrators' group (adminCount=1)", "allow: [admin_count]")


def _deletion(item: Object, removed: Collection[str], rules: ObjectRules, now: datetime.datetime) -> Iterator[Refusal]:
    state = item.state
    # the domain controller refuses these two, whoever allows them
    if state["children"]:
        lying = counted(len(state["children"]), "object lies", "objects lie")
        yield _refusal(item, "has_children", f"{lying} below it: {_some(state['children'])}. Move or remove them first")
    if others := [dn for dn in state["primary_members"] if dn_key(dn) not in removed]:
        why = f"it is the primary group of {counted(len(others), 'account', 'accounts')}: {_some(others)}. Give them another one (primaryGroupID)"
        yield _refusal(item, "primary_group", why)
    if state["protection"] and "protected" not in rules.allow:
        why = f"it is protected from accidental deletion ({'; '.join(state['protection'])})"
        yield _refusal(item, "protected", why, phrases.english("allow_protected"))
    expected = {*removed, *map(dn_key, rules.expected_members)}
    strangers = [dn for dn in state["member"] if dn_key(dn) not in expected]
    if strangers and "members" not in rules.allow:
        yield _refusal(item, "members", f"the group has {len(strangers)} other members: {_some(strangers)}", phrases.english("allow_members"))
    last = state["last_logon"]
    if last and now - datetime.datetime.fromisoformat(last) < datetime.timedelta(days=rules.recently_used_days):
        why = (
            f"it logged on at {last}, within the last {rules.recently_used_days} days "
            f"(the time that other domain controllers see lags by up to {LOGON_TIME_LAG_DAYS} days)"
        )
        yield _refusal(item, "recently_used", why, phrases.english("allow_recently_used"))
    if state["referenced_by"] and "referenced" not in rules.allow:
        shown = "; ".join(f"{name} of {_some(dns)}" for name, dns in state["referenced_by"].items())
        yield _refusal(item, "referenced", f"other objects still name it: {shown}", "allow: [referenced]")
