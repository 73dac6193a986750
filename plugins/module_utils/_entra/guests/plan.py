# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with guests: pure functions over what the tenant has, what is asked for, and how guests come to sign in.

Rules without another source are those of https://learn.microsoft.com/entra/external-id/direct-federation and of the page on direct federation
of the year 2020 that it replaced.
"""

from __future__ import annotations

import datetime
import re
import urllib.parse
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core import phrases
from ..._core.errors import AmbiguousMatch, OffboardError
from ..._core.model import Change, Object, Refusal, Skip
from ..._core.names import user
from ..._core.plan import Plan
from ..._core.times import SKEW
from ..._federation.url_rule import comparable
from ..domains.plan import KIND as DOMAIN
from ..federations.plan import KIND as FEDERATION
from ..federations.realm import Realm
from ..guest import Guest
from ..redemption_order.plan import DEFAULT
from ..redemption_order.plan import KIND as ORDER
from .sign_in import ENTRA, NOT_REDEEMED, UNKNOWN, next_redemption, signs_in_by

KIND = "guest"
PENDING = "PendingAcceptance"
INVITE, RESET, REINVITE, DELETE, RESTORE = "invite", "reset_redemption", "reinvite", "delete", "restore"

#: What Graph is asked for of every user that matters here.
FIELDS = (
    "id,userPrincipalName,displayName,mail,otherMails,proxyAddresses,accountEnabled,userType,creationType,externalUserState,"
    "externalUserStateChangeDateTime,identities,onPremisesSyncEnabled"
)

#: Where a guest of a direct federation meets an error, unless the address names the tenant; the page's own examples.
COMMON_ENDPOINTS = ("myapps.microsoft.com", "portal.azure.com", "teams.microsoft.com")


# -- what is asked for


@dataclass(frozen=True)
class WantedGuest:
    """A guest who is named: by mail address with what the invitation says, or by id or userPrincipalName (`key`, in lower case)."""

    mail: str = ""
    key: str = ""
    display_name: str | None = None
    invitation: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """For messages."""
        return self.mail or self.key


def settling(records: Iterable[Mapping[str, Any]], seconds: float, now: datetime.datetime) -> float:
    """The seconds left until every change of a federation or of the redemption order that a journal tells is `seconds` old.

    An intent counts, too: a kill may have left it carried out. So does a failure, which may have come after a part of the change.
    """
    changed = [
        datetime.datetime.fromisoformat(record["at"])
        for record in records
        if record.get("kind") in (FEDERATION, ORDER) and record["record"] in ("intent", "outcome") and record.get("status") != "skipped"
    ]
    # where the clock was put back, not longer than asked for
    return min(seconds, max(0.0, seconds - (now - max(changed)).total_seconds())) if changed else 0.0


#: Seconds for which an old state may come from a replica that lags. Graph promises no bound; after these, what is read overrules the journal.
_REPLICAS_LAG = 900.0
_STAMP = "externalUserStateChangeDateTime"


def resets(records: Iterable[Mapping[str, Any]], accounts: Iterable[Object], now: datetime.datetime) -> dict[str, str]:
    """When a journal's runs reset the redemption of `accounts`, by object id.

    Not where the run itself did not see it afterwards, nor where the account still is as it was before.
    """
    before: dict[str, Any] = {}
    done: dict[str, str] = {}
    for record in records:
        if (record.get("kind"), record.get("action")) != (KIND, RESET):
            continue
        if record["record"] == "intent":
            before[record["id"]] = (record.get("before") or {}).get(_STAMP)
        elif record["status"] == "done":
            done[record["id"]] = record["at"]
        elif record.get("code") == "not_seen":
            done.pop(record["id"], None)
    there = {item.id: item.state for item in accounts}

    def belied(key: str) -> bool:
        state = there[key]
        passed = (now - datetime.datetime.fromisoformat(done[key])).total_seconds()
        old = passed >= _REPLICAS_LAG or passed < -SKEW.total_seconds()
        return old and key in before and state["externalUserState"] != PENDING and state.get(_STAMP) == before[key]

    return {key: at for key, at in done.items() if key in there and not belied(key)}


# -- what the tenant has


def account(user: Mapping[str, Any]) -> Object:
    """Graph's user, as plans compare it; `mail` is empty for a guest who has none."""
    others = user.get("otherMails") or []
    state: dict[str, Any] = {
        "userPrincipalName": user.get("userPrincipalName") or "",
        "displayName": user.get("displayName") or "",
        "mail": user.get("mail") or (others[0] if others else ""),
        "otherMails": list(others),
        "proxyAddresses": list(user.get("proxyAddresses") or ()),
        "accountEnabled": bool(user.get("accountEnabled")),
        "userType": user.get("userType") or "Member",
        "creationType": user.get("creationType"),
        "externalUserState": user.get("externalUserState") or "",
        "externalUserStateChangeDateTime": user.get("externalUserStateChangeDateTime"),
        "issuers": [item["issuer"] for item in user.get("identities") or () if item.get("signInType") == "federated" and item.get("issuer")],
        "onPremisesSyncEnabled": bool(user.get("onPremisesSyncEnabled")),
    }
    return Object(KIND, user["id"], state["mail"] or state["userPrincipalName"], state)


def addresses(state: Mapping[str, Any]) -> set[str]:
    """Every address by which the account is known, in lower case."""
    proxies = [text.partition(":")[2] for text in state.get("proxyAddresses") or () if text.casefold().startswith("smtp:")]
    values = [state.get("mail"), state.get("userPrincipalName"), *(state.get("otherMails") or ()), *proxies]
    return {comparable(value) for value in values if value}


def as_guest(item: Object) -> Guest:
    """For how a guest signs in; a predicted one has fewer properties."""
    state = item.state
    return Guest(
        item.id,
        state.get("userPrincipalName") or "",
        state.get("displayName") or "",
        state.get("mail") or "",
        bool(state.get("accountEnabled", True)),
        state.get("externalUserState") or "",
        tuple(state.get("issuers") or ()),
    )


class Tenant:
    """What was read, as it will be where a check run predicts it: accounts by address and by id, federations, the order, domains."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self.accounts: list[Object] = []
        self.federations: list[Object] = []
        self.order: Mapping[str, Any] | None = None
        self.verified: set[str] = set()
        self._by_address: dict[str, list[Object]] = {}
        self._by_key: dict[str, Object] = {}
        for item in objects:
            if item.kind == FEDERATION:
                self.federations.append(item)
            elif item.kind == ORDER:
                self.order = item.state
            elif item.kind == DOMAIN:
                self.verified |= {comparable(item.id)} if item.state.get("isVerified") else set()
            else:
                self.accounts.append(item)
                self._by_key[comparable(item.id)] = item
                for address in addresses(item.state):
                    self._by_address.setdefault(address, []).append(item)

    def find(self, who: WantedGuest) -> Object | None:
        """The one account that is meant. Raises AmbiguousMatch."""
        if who.key in self._by_key:
            return self._by_key[who.key]
        found = self._by_address.get(comparable(who.shown), [])
        if len(found) > 1:
            candidates = [{"id": item.id, "userPrincipalName": item.state["userPrincipalName"], "userType": item.state["userType"]} for item in found]
            raise AmbiguousMatch(f"{who.shown} is an address of {len(found)} accounts: {', '.join(item.id for item in found)}; name one by ids", candidates)
        return found[0] if found else None

    def others(self, mail: str, key: str) -> list[Object]:
        """The accounts that have an address, without the one with this id."""
        return [item for item in self._by_address.get(comparable(mail), ()) if item.id != key]

    def federation_of(self, domain: str) -> Object | None:
        """The tenant's direct federation that serves the domain."""
        return next((item for item in self.federations if domain in item.state["domains"]), None)

    def next_redemption(self, domain: str, realms: Mapping[str, Realm | None]) -> str:
        """As guest_sign_in.next_redemption; `unknown` where the order was not read."""
        return UNKNOWN if self.order is None else next_redemption(domain, self.federations, {**DEFAULT, **self.order}, realms)


@dataclass
class GuestObjections:
    """What stands against the plan."""

    refusals: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


# -- plans


def plan_invited(tenant: Tenant, guests: Sequence[WantedGuest]) -> tuple[Plan, list[Refusal]]:
    """Who is there already is left alone. Raises AmbiguousMatch."""
    plan, refusals, foreign, members = Plan(), [], [], []
    for who in guests:
        found = tenant.find(who)
        if found is not None and _is_external(found):
            plan.unchanged += 1
            if not found.state.get("accountEnabled", True):
                plan.warnings.append(phrases.english("guest_blocked", guest=who.mail))
        elif found is not None:
            members.append(f"{who.mail} ({found.state['userPrincipalName']}, {found.id})")
        elif who.mail.rpartition("@")[2] in tenant.verified:
            foreign.append(who.mail)
        else:
            plan.changes.append(_invite(who))
    if members:
        msg = f"Already an address of an account of this tenant that is no guest: {', '.join(members)}. A member is not invited"
        refusals.append(Refusal("member_exists", f"{msg}; take the address out of guests, or off the account.", tuple(members)))
    if foreign:
        msg = f"The domain is verified in this tenant, so these people are no guests: {', '.join(foreign)}. Make accounts for them instead."
        refusals.append(Refusal("domain_verified_here", msg, tuple(foreign)))
    return plan, refusals


def _is_external(item: Object) -> bool:
    """A guest, or somebody who was invited and made a member."""
    return item.state["userType"] == "Guest" or item.state.get("creationType") == "Invitation"


def made_by_invitation(item: Object) -> bool:
    """An account as an invitation makes it: what was held may be given to such a one only, never to somebody who merely has the address."""
    state = item.state
    return state["userType"] == "Guest" and state.get("creationType") == "Invitation" and not state.get("onPremisesSyncEnabled")


def _invite(who: WantedGuest) -> Change:
    after = {
        "mail": who.mail,
        "userPrincipalName": "",
        "displayName": who.display_name or who.mail.partition("@")[0],
        "userType": "Guest",
        "externalUserState": PENDING,
        "invitation": who.invitation,
    }
    return Change(KIND, comparable(who.mail), who.mail, INVITE, None, after, undo=phrases.english("undo_guest_made"))


def invitation_body(change: Change) -> dict[str, Any]:
    """What is posted for INVITE, RESET and REINVITE."""
    after = change.after or {}
    body = {"invitedUserEmailAddress": change.name, **after["invitation"]}
    if change.action == RESET:
        return {**body, "invitedUser": {"id": change.id}, "resetRedemption": True}
    return {**body, "invitedUserDisplayName": after["displayName"]}


@dataclass(frozen=True)
class GuestContext:
    """What the operator decided, and what the decisions rest on besides the guest.

    roles: who holds a directory role, by object id. reset_at: when this journal's run reset a guest's redemption, by object id.
    """

    realms: Mapping[str, Realm | None] = field(default_factory=dict)
    roles: Collection[str] = ()
    reset_at: Mapping[str, str] = field(default_factory=dict)
    force: bool = False
    accept_losses: bool = False


def chosen(
    tenant: Tenant, guests: Sequence[WantedGuest], selection: Mapping[str, Collection[str]], default: WantedGuest
) -> list[tuple[WantedGuest, Object | None]]:
    """Those who are named, None for one who is not there; without names, those whom the selection takes.

    Raises AmbiguousMatch, and OffboardError `bad_option` for somebody who is named by two names.
    """
    if guests:
        found = [(who, tenant.find(who)) for who in guests]
        by_id: dict[str, WantedGuest] = {}
        for who, item in found:
            if item is not None and by_id.setdefault(item.id, who) is not who:
                raise OffboardError(f"{who.shown} and {by_id[item.id].shown} are the same account {item.id}", code="bad_option")
        return found
    return [(default, item) for item in tenant.accounts if selects(selection, item)]


def selects(selection: Mapping[str, Collection[str]], item: Object) -> bool:
    """Whether a guest is one of the selected; every empty part of the selection takes all."""
    guest, exclude = as_guest(item), selection["exclude"]
    # both forms: whoever excludes somebody means them, however they typed it
    known = {comparable(item.id), *(form(one) for one in addresses(item.state) for form in (comparable, user))}
    if item.state["userType"] != "Guest" or known & set(exclude):
        return False
    issuers = {comparable(issuer) for issuer in guest.issuers}
    return (
        (not selection["domains"] or guest.domain in selection["domains"])
        and (not selection["issuers"] or bool(issuers & set(selection["issuers"])))
        and (not selection["states"] or guest.state in selection["states"])
    )


def missing(found: Iterable[tuple[WantedGuest, Object | None]], deleted: Iterable[Object]) -> None:
    """Raises OffboardError `not_found` for those who are named and not there; it tells who is deleted and can be brought back."""
    absent = [who.shown for who, item in found if item is None]
    if not absent:
        return
    bin_ = {name: item.id for item in deleted for name in (comparable(item.id), *addresses(item.state))}
    told = [f"{name} (deleted, {bin_[comparable(name)]}: state=restored brings it back)" if comparable(name) in bin_ else name for name in absent]
    raise OffboardError(f"The tenant has no account for {', '.join(told)}.", code="not_found", details={"missing": absent})


def sign_in_changes(tenant: Tenant, item: Object, context: GuestContext) -> tuple[str, str]:
    """How the guest signs in, and how after another redemption."""
    guest = as_guest(item)
    return signs_in_by(guest, tenant.federations), tenant.next_redemption(guest.domain, context.realms)


def plan_reset(tenant: Tenant, found: Iterable[tuple[WantedGuest, Object | None]], context: GuestContext) -> tuple[Plan, list[Refusal]]:
    """Those who would sign in another way after another redemption; with `force`, all who have redeemed."""
    plan, changed = Plan(), []
    for who, item in found:
        if item is None:
            continue
        ways = redeems_anew(plan, tenant, item, context)
        if ways is not None:
            changed.append(item)
            before = {"externalUserState": item.state["externalUserState"], _STAMP: item.state.get(_STAMP), "signs_in_by": ways[0]}
            after = {"externalUserState": PENDING, "signs_in_by": NOT_REDEEMED, "next_redemption": ways[1], "invitation": who.invitation}
            plan.changes.append(Change(KIND, item.id, item.state["mail"], RESET, before, after, risk="medium"))
    return plan, [*untouchable(changed), *role_holders(changed, context.roles, "Their redemption cannot be reset", "")]


def redeems_anew(plan: Plan, tenant: Tenant, item: Object, context: GuestContext) -> tuple[str, str] | None:
    """(how the guest signs in now, how next) of one who shall redeem anew; None of one who shall not, with the reason in `plan`."""
    now, following = sign_in_changes(tenant, item, context)
    why = _why_not(item, now, following, context)
    if why is not None:
        plan.skipped.append(Skip(KIND, item.id, item.name, *why))
    elif now == NOT_REDEEMED or (now == following and not context.force):
        plan.unchanged += 1
    else:
        return now, following
    return None


def _why_not(item: Object, now: str, following: str, context: GuestContext) -> tuple[str, str] | None:
    """(code, sentence) for one who is left alone although something is to be done, or may be."""
    if now == NOT_REDEEMED:
        return None
    if not item.state["mail"]:
        return "no_mail", f"{item.name} has no mail address to invite"
    if item.id in context.reset_at:
        msg = f"{item.name} was reset at {context.reset_at[item.id]}, as the journal says, and is not reset again; with another journal, or none, it is"
        return "already_reset", msg
    if context.force:
        return None
    if UNKNOWN in (now, following):
        return "sign_in_unknown", f"how {item.name} signs in {'now' if now == UNKNOWN else 'next'} could not be found out; force=true does it all the same"
    if now != following and not item.state["accountEnabled"]:
        return "is_blocked", f"{item.name} is blocked, and could not redeem; unblock the account first (entra_users), or give force=true"
    return None


def plan_absent(found: Iterable[tuple[WantedGuest, Object | None]], context: GuestContext) -> tuple[Plan, list[Refusal]]:
    """Who is not there needs nothing."""
    plan, changed = Plan(), []
    for _unused, item in found:
        if item is None:
            plan.unchanged += 1
            continue
        changed.append(item)
        before = {name: item.state[name] for name in ("userPrincipalName", "displayName", "mail", "externalUserState", "issuers")}
        undo = phrases.english("undo_guest_deleted", id=item.id)
        plan.changes.append(Change(KIND, item.id, item.name, DELETE, before, None, risk="high", undo=undo))
    if len(plan.changes):
        plan.warnings.append(phrases.english("guest_deleted"))
    roles = () if context.accept_losses else context.roles
    return plan, [*untouchable(changed), *role_holders(changed, roles, "They would lose it", "accept_losses: true")]


def plan_restored(tenant: Tenant, guests: Sequence[WantedGuest], deleted: Sequence[Object]) -> tuple[Plan, list[Refusal]]:
    """Deleted guests come back under their ids. Raises AmbiguousMatch, OffboardError `not_found`."""
    plan, in_the_way = Plan(), []
    bin_ = Tenant(deleted)
    found = [(who, tenant.find(who), bin_.find(who)) for who in guests]
    missing(((who, there or gone) for who, there, gone in found), ())
    for _unused, there, gone in found:
        if gone is None:
            plan.unchanged += 1
            continue
        other = there or tenant.find(WantedGuest(mail=gone.state["mail"]))
        if other is not None:
            in_the_way.append(f"{gone.name} ({gone.id}): {other.id}")
            continue
        after = {name: gone.state[name] for name in ("userPrincipalName", "displayName", "mail", "userType", "externalUserState", "issuers")}
        undo = phrases.english("undo_guest_made")
        plan.changes.append(Change(KIND, gone.id, gone.name, RESTORE, None, after, undo=undo))
    if not in_the_way:
        return plan, []
    msg = f"Another account has the address of the deleted guest: {', '.join(in_the_way)}. Remove it first, by state=absent with ids."
    return plan, [Refusal("successor_in_the_way", msg, tuple(in_the_way))]


def untouchable(changed: Iterable[Object]) -> list[Refusal]:
    """Members, and guests whom a directory on premises masters."""
    members = tuple(f"{item.name} ({item.id})" for item in changed if item.state["userType"] != "Guest")
    synced = tuple(f"{item.name} ({item.id})" for item in changed if item.state.get("onPremisesSyncEnabled"))
    refusals = []
    if members:
        refusals.append(Refusal("not_a_guest", f"No guest but a member of the tenant: {', '.join(members)}.", members))
    if synced:
        msg = f"Synced from the directory on premises, which would undo it: {', '.join(synced)}. Take the guest out of the sync scope first."
        refusals.append(Refusal("synced_guest", msg, synced))
    return refusals


def role_holders(changed: Iterable[Object], roles: Collection[str], why: str, allow_with: str) -> list[Refusal]:
    """Those among them who hold a directory role."""
    holders = tuple(f"{item.name} ({item.id})" for item in changed if item.id in roles)
    if not holders:
        return []
    msg = f"A directory role is held by {', '.join(holders)}. {why}; take the role away first, and give it back when they have redeemed."
    return [Refusal("role_holder", msg, holders, allow_with)]


# -- guards


def check_redirects(changes: Iterable[Change], tenants: Collection[str], accept: bool) -> GuestObjections:
    """A guest of a direct federation needs an address that names the tenant: by its id or one of its domains (`tenants`)."""
    objections = GuestObjections()
    wrong: dict[str, None] = {}
    doubtful: dict[str, None] = {}
    for change in changes:
        address = (change.after or {}).get("invitation", {}).get("inviteRedirectUrl")
        if address and not _names_tenant(address, tenants):
            (wrong if urllib.parse.urlsplit(address).hostname in COMMON_ENDPOINTS else doubtful)[address] = None
    example = "https://myapps.microsoft.com/?tenantid=<tenant id>"
    if wrong:
        msg = phrases.english("redirect_without_tenant", addresses=", ".join(wrong), example=example)
        if accept:
            objections.warnings.append(msg)
        else:
            objections.refusals.append(Refusal("redirect_without_tenant", msg, tuple(wrong), "accept_redirect_without_tenant: true"))
    if doubtful:
        objections.warnings.append(phrases.english("redirect_doubtful", addresses=", ".join(doubtful)))
    return objections


def _names_tenant(address: str, tenants: Collection[str]) -> bool:
    """Whether a tenant is the host, a part of the path, or what a part of the query says; one in the midst of a longer name is somebody else's."""
    parts = urllib.parse.urlsplit(address.casefold())
    said = {parts.hostname or "", *(urllib.parse.unquote(part).removeprefix("@") for part in parts.path.split("/"))}
    said |= {part for _name, value in urllib.parse.parse_qsl(parts.query) for part in (value, *re.findall(r"[0-9a-f-]{36}", value))}
    return any(name.casefold() in said for name in tenants if name)


def check_partners(tenant: Tenant, domains: Iterable[str], realms: Mapping[str, Realm | None], accept: bool) -> GuestObjections:
    """A partner whose domain is an Entra tenant's, and whose guests would be sent there: some may have no account in the cloud.

    The page calls such a tenant synced in part. Whether it is cannot be seen from outside; that its sign-in is federated tells that it is synced.
    """
    objections = GuestObjections()
    for domain in domains:
        found = realms.get(domain)
        if found is None:
            objections.warnings.append(phrases.english("guests_sign_in_unknown", domain=domain))
            continue
        federation = tenant.federation_of(domain)
        if tenant.next_redemption(domain, realms) != ENTRA or not (federation or found.namespace == "Federated"):
            continue
        if federation:
            msg = phrases.english("entra_comes_first", domain=domain, federation=federation.name)
        else:
            msg = phrases.english("synced_in_part", domain=domain)
        if accept:
            objections.warnings.append(msg)
        else:
            objections.refusals.append(Refusal("synced_tenant", msg, (domain,), "accept_synced_tenant: true"))
    return objections
