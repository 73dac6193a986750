# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with one user: pure functions over what Graph says and what is desired."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..._core import names, phrases
from ..._core.errors import OffboardError
from ..._core.model import Change, Skip
from ..domains.plan import FEDERATED, authentication_of, root_of, upn_domain
from .access_pass import moment
from .desired import Desired
from .licence_group import LicenceGroup, is_given
from .licences import Skus

KIND = "user"

#: What a change calls the password: Graph's name. Nobody can read it, so `before` holds when it was last set, and `after` says NEW_PASSWORD.
PASSWORD = "passwordProfile"
#: Stands for a password in a Change; the value itself is nowhere but in the hand-over file.
NEW_PASSWORD = "(new password)"
#: The same for a Temporary Access Pass.
NEW_PASS = "(new Temporary Access Pass)"
_SECRETS = frozenset({PASSWORD, "temporaryAccessPass"})
REVOKED = "(revoked now)"
#: What revoking sets anew: https://learn.microsoft.com/graph/api/user-revokesigninsessions.
SESSIONS = "signInSessionsValidFromDateTime"

#: Roles whose holders a User Administrator may still block, unblock and give a password; template ids.
#: https://learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions#who-can-reset-passwords
RESETTABLE_ROLES = {
    "fe930be7-5e62-47db-91af-98c3a49a38b1",  # User Administrator
    "729827e3-9c14-49f7-bb1b-9608f156bbb8",  # Helpdesk Administrator
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",  # Directory Readers
    "95e79109-95c0-4d8e-aee3-d01accf2d47b",  # Guest Inviter
    "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b",  # Message Center Reader
    "4a5d8f65-41da-4de4-8968-e035b65339cf",  # Reports Reader
    "75934031-6c7e-415a-99d7-48dbd49e875e",  # Usage Summary Reports Reader
    "fdd7a751-b60b-444a-984c-02652fe8fa1c",  # Groups Administrator
}
#: Roles whose holders may do so to every administrator.
FULL_RESET_ROLES = {
    "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",  # Privileged Authentication Administrator
}


def signs_in_at_home(upn: str) -> bool:
    """Whether somebody else signs them in: their name has #EXT#, be they guests or members, as cross-tenant synchronization makes them. An internal guest
    has a password here, as members have: https://learn.microsoft.com/entra/external-id/user-properties."""
    return "#ext#" in upn.casefold()


@dataclass
class RepairContext:
    """What the decisions rest on besides the user. Functions, where it is only read when somebody would be touched."""

    skus: Skus
    #: states by name in lower case, as predicted in check mode
    domains: Callable[[], Mapping[str, Mapping[str, Any]]]
    #: directory roles by the holder's object id
    roles: Callable[[], Mapping[str, Collection[str]]] = dict
    may_reset_every_administrator: Callable[[], bool] = lambda: False
    synced_password: str = "skip"
    password_was_set: Callable[[str, str | None], bool] = lambda user_id, last_change: False
    #: whether it was changed after an entry was written in the hand-over file, whose password was never sent
    password_changed_elsewhere: Callable[[str, str | None], bool] = lambda user_id, last_change: False
    #: when each domain that the journal knows of was converted (RFC 3339), by name in lower case
    converted: Mapping[str, str] = field(default_factory=dict)
    #: whether the user was given a Temporary Access Pass that has not ended yet
    pass_was_given: Callable[[str], bool] = lambda user_id: False
    #: whether an earlier run changed the user, meant to revoke their sessions, and did not come to that; by their id and state
    sessions_owed: Callable[[str, Mapping[str, Any]], bool] = lambda user_id, state: False
    #: whether the user is a member of the licence group
    is_member: Callable[[str], bool] = lambda user_id: False


def user_state(item: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that plans compare, from Graph's user. `licences` are those assigned directly, id → disabled plans."""
    get, direct, inherited = item.get, {}, set()
    for one in get("licenseAssignmentStates") or ():  # one pass and few calls: 100,000 users come by here
        group = one.get("assignedByGroup")
        if group is None:
            direct[names.licence(one["skuId"])] = sorted(one.get("disabledPlans") or ())
        elif group and is_given(one):
            inherited.add(names.licence(one["skuId"]))
    return {
        "accountEnabled": get("accountEnabled"),
        "usageLocation": get("usageLocation"),
        "userType": get("userType"),
        "onPremisesSyncEnabled": bool(get("onPremisesSyncEnabled")),
        "onPremisesImmutableId": get("onPremisesImmutableId"),
        "lastPasswordChangeDateTime": get("lastPasswordChangeDateTime"),
        "licences": direct,
        "group_licences": sorted(inherited),
    }


def by_id(state: Mapping[str, Any], skus: Skus) -> dict[str, Any]:
    """A user's state as an earlier plan predicts it, where licences may be by part number."""
    return {**state, "licences": {skus.id(name): plans for name, plans in state["licences"].items()}}


def named(licences: Mapping[str, list[str]], skus: Skus) -> dict[str, list[str]]:
    """Licences by part number, to be shown, from those by id."""
    return {skus.name(sku): plans for sku, plans in licences.items()}


@dataclass(frozen=True)
class Decision:
    """What becomes of one user: a change, a skip, or neither (already as desired).

    owed: their sessions are to be revoked whatever else is left out; notes: what is left out of the change, by code.
    """

    change: Change | None = None
    skip: Skip | None = None
    owed: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


_AS_DESIRED = Decision()


@dataclass
class _Draft:
    """What becomes of one user: the change as it grows, and the parts that cannot be done, by code."""

    user_id: str
    upn: str
    state: Mapping[str, Any]
    context: RepairContext
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def set(self, name: str, old: Any, new: Any) -> None:
        """One more property that changes."""
        self.before[name], self.after[name] = old, new

    def note_password_problem(self) -> bool:
        """Whether no password, or pass, can or should be set; why, is noted."""
        enabled = self.after.get("accountEnabled", self.state["accountEnabled"])
        problem = _password_problem(self.upn, self.state, enabled, self.context)
        self.notes |= dict([problem] if problem else ())
        return problem is not None


def _fill(draft: _Draft, desired: Desired) -> None:
    """Every part of the state that is not as desired, but for the sessions, which depend on the others."""
    state, context = draft.state, draft.context
    if desired.enabled is not None and state["accountEnabled"] != desired.enabled:
        draft.set("accountEnabled", state["accountEnabled"], desired.enabled)
    if desired.group is not None and not state.get("licenceGroup"):
        _join(draft, desired.group)
    gone = _license(draft, desired)
    if desired.usage_location and not state["usageLocation"]:
        draft.set("usageLocation", None, desired.usage_location)
    if desired.password and not _password_done(draft.user_id, state, context):
        _set_password(draft)
    given = state.get("temporaryAccessPass") == NEW_PASS or context.pass_was_given(draft.user_id)
    if desired.access_pass and not given and not draft.note_password_problem():
        draft.set("temporaryAccessPass", None, NEW_PASS)
    if gone:  # after the other reasons, of which a person can mend some
        draft.notes["licence_gone"] = f"{draft.upn} had {', '.join(gone)} when the snapshot was taken, and the tenant has that licence no longer"


def decide(user_id: str, upn: str, state: Mapping[str, Any], desired: Desired, context: RepairContext) -> Decision:
    """The plan for one user. Parts that cannot be done are left out (named in `left_out`); when nothing remains, the user is skipped."""
    if desired.blocked:
        return Decision(skip=Skip(KIND, user_id, upn, "blocked_before_snapshot", f"{upn} was blocked when the snapshot was taken, and stays so"))
    draft = _Draft(user_id, upn, state, context)
    _fill(draft, desired)
    owed = desired.revoke_sessions and state.get("signInSessions") != REVOKED and context.sessions_owed(user_id, state)
    if not draft.after and not draft.notes and not owed:
        return _AS_DESIRED
    _leave_to_higher_role(draft)
    if owed or (desired.revoke_sessions and draft.after):
        draft.set("signInSessions", state.get(SESSIONS), REVOKED)
    before, after, notes = draft.before, draft.after, draft.notes
    if not after:
        return _left_alone(user_id, upn, notes)
    if notes:
        draft.set("left_out", [], sorted(notes))
    return Decision(change=Change(KIND, user_id, upn, "update", before, after, risk=_risk(after), undo=_undo(before, after)), owed=owed, notes=notes)


def _join(draft: _Draft, group: LicenceGroup) -> None:
    """The licence group: a member of it, or why not."""
    state, skus = draft.state, draft.context.skus
    if draft.context.is_member(draft.user_id):
        draft.notes |= _group_notes(draft.upn, state, group, skus)
    elif state["userType"] == "Guest":
        draft.notes["is_guest"] = f"{draft.upn} is a guest and gets no licence here"
    else:
        seats = [skus.name(sku) for sku in group.licences if sku not in state["licences"] and sku not in state["group_licences"]]
        draft.set("licenceGroup", None, {"id": group.id, "name": group.name, "licences": sorted(map(skus.name, group.licences)), "seats": seats})


def _license(draft: _Draft, desired: Desired) -> list[str]:
    """The direct licences. Returns those of a snapshot that the tenant has no longer; raises OffboardError `licence_unknown` for others of that kind."""
    skus, there, upn = draft.context.skus, draft.state["licences"], draft.upn
    licences = wanted_licences(draft.state, desired)
    if licences == there:
        return []
    gone = [sku for sku in licences if sku not in there and sku not in skus]
    if unknown := [sku for sku in gone if sku not in desired.restored]:
        raise OffboardError(f"the tenant has no licence {unknown[0]!r}, which {upn} shall get; it has {skus}", code="licence_unknown")
    licences = {sku: plans for sku, plans in licences.items() if sku not in gone}
    lost = {sku: plans for sku, wanted in licences.items() if there.get(sku) != wanted and (plans := skus.lost_plans(sku, wanted))}
    licences = {sku: [plan for plan in plans if plan not in lost[sku]] if sku in lost else plans for sku, plans in licences.items()}
    if licences != there:
        if lost:
            told = ", ".join(f"{', '.join(sorted(plans))} of {skus.name(sku)}" for sku, plans in lost.items())
            draft.notes["plan_gone"] = f"{upn} had services switched off that the licence no longer has, and these are left out: {told}"
        draft.set("licences", named(there, skus), named(licences, skus))
    return gone


def _set_password(draft: _Draft) -> None:
    last_change = draft.state["lastPasswordChangeDateTime"]
    if draft.note_password_problem():
        return
    if draft.context.password_changed_elsewhere(draft.user_id, last_change):
        draft.notes["password_changed_elsewhere"] = (
            f"{draft.upn} has a password in the hand-over file that the journal does not show to have been set, and somebody else changed the password since; "
            "name another handover_file to set a new one"
        )
    else:
        draft.set(PASSWORD, last_change, NEW_PASSWORD)


def _leave_to_higher_role(draft: _Draft) -> None:
    """What only a Privileged Authentication Administrator may do to this user is left out."""
    guarded = {"accountEnabled", PASSWORD, "temporaryAccessPass"} & draft.after.keys()
    context = draft.context
    if guarded and set(context.roles().get(draft.user_id, ())) - RESETTABLE_ROLES and not context.may_reset_every_administrator():
        draft.notes["needs_higher_role"] = (
            f"{draft.upn} holds an administrator's role, or is in a group that roles can be given to; blocking, unblocking and passwords of such accounts "
            "need the directory role Privileged Authentication Administrator"
        )
        for name in guarded:
            del draft.before[name], draft.after[name]


def _left_alone(user_id: str, upn: str, notes: Mapping[str, str]) -> Decision:
    return Decision(skip=Skip(KIND, user_id, upn, next(iter(notes)), "; ".join(notes.values())))


def without_pass(decision: Decision, code: str, msg: str) -> Decision:
    """The decision without its Temporary Access Pass, which cannot or need not be made; a skip when nothing else remains."""
    change = decision.change
    if change is None:
        return decision
    before, after = (dict(values or {}) for values in (change.before, change.after))
    for values in (before, after):
        del values["temporaryAccessPass"]
    if after.keys() <= {"signInSessions", "left_out"} and not decision.owed:
        return _left_alone(change.id, change.name, {**decision.notes, code: msg})
    before["left_out"], after["left_out"] = [], sorted({*after.get("left_out", ()), code})
    return replace(decision, change=replace(change, before=before, after=after, risk=_risk(after)))


def with_old_pass(decision: Decision, method_id: str) -> Decision:
    """The decision with the id of the pass that has to go first."""
    change = decision.change
    if change is None:
        return decision
    return replace(decision, change=replace(change, before={**(change.before or {}), "temporaryAccessPass": method_id}))


def _group_notes(upn: str, state: Mapping[str, Any], group: LicenceGroup, skus: Skus) -> dict[str, str]:
    """Why a member does not have the group's licences."""
    missing = {sku: state["given"].get(sku, "") for sku in group.licences if state["given"].get(sku) != "Active"}
    if not missing:
        return {}
    told = ", ".join(f"{skus.name(sku)} ({error})" if error else skus.name(sku) for sku, error in missing.items())
    if any(missing.values()):
        return {group_code(told): f"{upn} is a member of the group, but does not get its licence: {told}"}
    return {"group_licence_awaited": f"{upn} is a member of the group, and its licence is not seen yet: {told}"}


def group_code(errors: str) -> str:
    """Our code for what Graph says of a group's licence that a member does not get."""
    return "no_seat" if "CountViolation" in errors else "group_licence_refused"


def wanted_licences(state: Mapping[str, Any], desired: Desired) -> Mapping[str, list[str]]:
    """The direct licences as they shall be. What a group gives is not assigned a second time, and stays until the group's is seen."""
    there: Mapping[str, list[str]] = state["licences"]
    group = desired.group
    if not (desired.add or desired.remove or desired.exact or group is not None):
        return there
    by_group = group.licences if group is not None else {}
    gone = _licences_to_take(there, state, desired)
    wanted = {name: plans for name, plans in there.items() if name not in gone}
    for name, plans in desired.add.items():
        if name in wanted:
            wanted[name] = there[name] if plans is None else sorted(plans)
        elif name not in there and name not in state["group_licences"] and name not in by_group:
            wanted[name] = sorted(plans or ())
    return wanted


def _licences_to_take(there: Mapping[str, list[str]], state: Mapping[str, Any], desired: Desired) -> set[str]:
    """Those of the direct licences that nobody wants; one that a group gives as well stays until the group's is seen."""
    gone = {name for name in there if name in desired.remove or (desired.exact and name not in desired.add)}
    if (group := desired.group) is None:
        return gone
    return (gone - {name for name in group.licences if state["given"].get(name) != "Active"}) | group.replaceable(there, state["given"])


def _password_done(user_id: str, state: Mapping[str, Any], context: RepairContext) -> bool:
    return state.get(PASSWORD) == NEW_PASSWORD or context.password_was_set(user_id, state["lastPasswordChangeDateTime"])


def _password_problem(upn: str, state: Mapping[str, Any], enabled: bool, context: RepairContext) -> tuple[str, str] | None:
    """Why no password can or should be set: (code, sentence)."""
    if signs_in_at_home(upn):
        return "is_guest", f"{upn} is of another organization and signs in at home"
    if not enabled:
        return "is_blocked", f"{upn} is blocked; a password would be of no use"
    if state["onPremisesSyncEnabled"] and context.synced_password == "skip":
        return "password_is_synced", f"{upn} is synchronized from Active Directory, and its password comes from there"
    if authentication_of(upn_domain(upn), context.domains()) == FEDERATED:
        return "domain_is_federated", f"the domain of {upn} is federated; its users get passwords when it is managed"
    root, created = root_of(upn_domain(upn), context.converted), state.get("createdDateTime")
    if root and created and moment(created) > moment(context.converted[root]):
        return "created_since", f"{upn} was created after {root} was converted, with a password that somebody gave"
    return None


def gives_secret(change: Change) -> bool:
    """Whether there is something to hand over."""
    return not _SECRETS.isdisjoint(change.after or ())


def _risk(after: Mapping[str, Any]) -> str:
    return "high" if after.get("accountEnabled") is False else "medium" if _SECRETS & after.keys() else "low"


def _undo(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    parts = []
    if "accountEnabled" in after:
        parts.append(f"enabled: {str(before['accountEnabled']).lower()}")
    if "licences" in after:
        parts.append("licences: set to those in before")
    return phrases.english("undo_users", options=" and ".join(parts)) if parts else ""
