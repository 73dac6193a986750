# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether one user is as the exit means to leave them: enabled, licensed, with a way to sign in. Pure functions over what was read."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..._core import names
from ..domains.plan import FEDERATED, authentication_of, is_of, root_of, upn_domain
from ..users.desired import Desired, otherwise
from ..users.licences import Skus
from ..users.plan import RESETTABLE_ROLES, signs_in_at_home, wanted_licences

#: what is known of the password in the hand-over file
UNSET, CHANGED = "unset", "changed"


@dataclass(frozen=True)
class Meant:
    """What a user shall be. snapshot: None for who is not in it (made later); said: by the operator, of them alone; domain: the one of the exit that
    they were in when the snapshot was taken, "" for none; by_group: ids of the licences that groups gave them then."""

    snapshot: Desired | None = None
    said: Mapping[str, Any] | None = None
    domain: str = ""
    by_group: Collection[str] = ()

    @property
    def enabled(self) -> bool | None:
        """None: nobody has said."""
        by_snapshot = None if self.snapshot is None else not self.snapshot.blocked
        return by_snapshot if self.said is None else self.said.get("enabled", by_snapshot)

    def stays_blocked(self) -> bool:
        """Whether they were blocked in the snapshot, and nobody has said whether they shall be."""
        return self.snapshot is not None and self.snapshot.blocked and "enabled" not in (self.said or {})

    def licences(self) -> Desired | None:
        """Which licences they shall have; None: nobody has said. Of whoever was blocked then, or shall be, only what the operator says of them is judged."""
        said = self.said or {}
        if "add" not in said and not self.works_as_then():
            return None
        return otherwise(self.snapshot or Desired(), said)

    def works_as_then(self) -> bool:
        """Whether they shall be enabled, and were so in the snapshot."""
        return bool(self.enabled) and self.snapshot is not None and not self.snapshot.blocked

    def groups_licences(self) -> list[str]:
        """Those that a group gave, as far as the operator says nothing else."""
        said = self.said or {}
        return [sku for sku in self.by_group if sku not in said.get("remove", ())] if self.works_as_then() and not said.get("exact") else []


@dataclass
class SignInEvidence:
    """What proves that somebody can sign in. Functions, where it is only read when somebody needs it; names in lower case."""

    skus: Skus
    #: states by name
    domains: Mapping[str, Mapping[str, Any]]
    #: the domains of the exit: whose users need a way to sign in
    roots: Collection[str] = ()
    #: when the snapshot was taken (RFC 3339); "" without one
    taken: str = ""
    #: those of `roots` of whose enabled users most had a licence then
    licensed: Collection[str] = ()
    #: when each domain that the journal knows of was converted (RFC 3339)
    converted: Mapping[str, str] = field(default_factory=dict)
    #: by id and last change of the password: whether the one of the hand-over file is not set yet, or it was changed since; "" without an entry
    handed_over: Callable[[str, str | None], str] = lambda user_id, last_change: ""
    #: whether the journal says that it was set, and that it was seen
    password_was_set: Callable[[str], bool] = lambda user_id: False
    #: whether a Temporary Access Pass that they were given can still be used; None: none was given
    access_pass: Callable[[str], bool | None] = lambda user_id: None
    #: directory roles by the holder's object id
    roles: Callable[[], Mapping[str, Collection[str]]] = dict
    may_reset_every_administrator: Callable[[], bool] = lambda: False
    synced_password: str = "skip"
    #: user principal names, ids, or domains as @name: of whom a person knows another way
    otherwise: Collection[str] = ()


@dataclass(frozen=True)
class Judged:
    """One user, as `judge` takes them."""

    user_id: str
    upn: str
    state: Mapping[str, Any]
    meant: Meant


def judge_all(people: Sequence[Judged], evidence: SignInEvidence, look_for_passes: Callable[[Iterable[str]], None]) -> list[dict[str, str]]:
    """What `judge` finds of each; first the passes are looked for of all whom nothing else shows a way in, for Graph takes few such requests."""
    doubtful: set[str] = set()

    def by_pass(user_id: str) -> bool:
        doubtful.add(user_id)
        return True

    asking = replace(evidence, access_pass=by_pass)
    found = [judge(one.user_id, one.upn, one.state, one.meant, asking) for one in people]
    if doubtful:
        look_for_passes([one.user_id for one in people if one.user_id in doubtful])
    return [judge(one.user_id, one.upn, one.state, one.meant, evidence) if one.user_id in doubtful else told for one, told in zip(people, found, strict=True)]


def judge(user_id: str, upn: str, state: Mapping[str, Any], meant: Meant, evidence: SignInEvidence) -> dict[str, str]:
    """What is not as it is meant, by code; empty for who is."""
    found: dict[str, str] = {}
    enabled = state["accountEnabled"]
    if meant.enabled and not enabled:
        found["user_blocked"] = f"{upn} is blocked, but was enabled in the snapshot, or is named to be enabled"
    if meant.enabled is False and enabled:
        found["user_enabled_not_meant"] = f"{upn} is enabled, but was blocked in the snapshot, or is named to be blocked"
    if not enabled and meant.stays_blocked():
        found["blocked_before_snapshot"] = f"{upn} is blocked, as in the snapshot"
    found |= _licences(upn, state, meant, evidence.skus)
    if evidence.taken and meant.snapshot is None:
        found |= _not_in_snapshot(upn, state, meant, evidence)
    if enabled:
        found |= _way_in(user_id, upn, state, meant.domain, evidence)
    return found


def _licences(upn: str, state: Mapping[str, Any], meant: Meant, skus: Skus) -> dict[str, str]:
    found: dict[str, str] = {}
    there, desired = state["licences"], meant.licences()
    if desired is not None:
        wanted = wanted_licences(state, desired)
        missing = [sku for sku in wanted if sku not in there]
        gone = [sku for sku in missing if sku in desired.restored and sku not in skus]
        if gone:
            found["licence_gone"] = f"{upn} had {', '.join(gone)} when the snapshot was taken, and the tenant has that licence no longer"
        if missing := [skus.name(sku) for sku in missing if sku not in gone]:
            found["licence_missing"] = f"{upn} shall have {', '.join(missing)}, and does not"
        elif [sku for sku in there if wanted.get(sku) != there[sku]]:
            found["licence_not_as_meant"] = f"{upn} has other licences or service plans than meant"
    if lost := [skus.name(sku) for sku in meant.groups_licences() if sku not in (*there, *state["group_licences"]) and sku in skus]:
        found["group_licence_missing"] = f"{upn} had {', '.join(lost)} by a group when the snapshot was taken, and does not have it"
    return found


def _not_in_snapshot(upn: str, state: Mapping[str, Any], meant: Meant, evidence: SignInEvidence) -> dict[str, str]:
    """Of somebody who was made, or given a name of the exit, since then: what only a person can say to be right, and nobody has said."""
    root = root_of(upn_domain(upn), evidence.roots)
    if root is None or signs_in_at_home(upn):
        return {}
    if not state["accountEnabled"]:
        return {"new_user_blocked": f"{upn} is not in the snapshot, and is blocked"} if meant.enabled is None else {}
    if root in evidence.licensed and not (state["licences"] or state["group_licences"] or meant.licences() is not None):
        return {"new_user_unlicensed": f"{upn} is not in the snapshot, and has no licence; most of {root} had one"}
    return {}


def _way_in(user_id: str, upn: str, state: Mapping[str, Any], came_from: str, evidence: SignInEvidence) -> dict[str, str]:
    """Empty when something proves a way to sign in. What is read of the tenant comes before what was recorded.

    came_from: as `Meant.domain`. IIJ ID signed them in there, whatever they are called now.
    """
    domain, last_change = upn_domain(upn), state["lastPasswordChangeDateTime"]
    here = root_of(domain, evidence.roots) is not None
    if not (here or came_from) or signs_in_at_home(upn):
        return {}
    if authentication_of(domain, evidence.domains) == FEDERATED:
        return {"domain_is_federated": f"the domain of {upn} is federated"} if here else {}
    of_exit = domain if here else came_from
    named = not names.of_user(user_id, upn).isdisjoint(evidence.otherwise)
    if named or is_of(domain, evidence.otherwise) or is_of(of_exit, evidence.otherwise):
        return {}
    converted = evidence.converted.get(root_of(of_exit, evidence.converted) or "")
    since = converted if here else evidence.taken
    if since and last_change and _time(last_change) >= _time(since):
        return {}
    if evidence.access_pass(user_id):
        return {}
    entry = evidence.handed_over(user_id, last_change)
    if entry == CHANGED and (not converted or evidence.password_was_set(user_id)):
        return {}
    if state["onPremisesSyncEnabled"] and evidence.synced_password == "skip":
        return {"password_is_synced": f"{upn} is synchronized from Active Directory, and signs in with that password only where its hash is synchronized too"}
    if set(evidence.roles().get(user_id, ())) - RESETTABLE_ROLES and not evidence.may_reset_every_administrator():
        return {"administrator_without_password": f"{upn} is an administrator, and nothing shows a password that was set since the domain was converted"}
    if not here:
        return {"moved_without_password": f"{upn} was in {came_from} when the snapshot was taken, and nothing shows a password that was set since"}
    if entry == UNSET:
        return {"no_way_in": f"{upn} has a password in the hand-over file that was never set"}
    if evidence.access_pass(user_id) is False:
        return {"access_pass_ended": f"the Temporary Access Pass of {upn} has ended or is not there any more, and nothing shows a password"}
    told = f"since {domain} was converted" if converted else f"and the journal does not know when {domain} was converted"
    return {"no_way_in": f"{upn} has neither a pass nor a password that was set {told}"}


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
