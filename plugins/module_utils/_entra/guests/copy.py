# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest holds, saved before the account is deleted, and what of it another account still lacks: pure.

The copy is a JSON object. It names the old account, what it held, what of that no interface can give back (`lost`), and, as the work goes on,
the new account (`new_id`) and when everything was seen in place (`completed_at`). A copy without the latter is unfinished work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core import phrases
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Refusal
from ..._core.plan import Plan
from ..._federation.url_rule import comparable
from .plan import FIELDS, KIND, PENDING, REINVITE, GuestContext, Tenant, WantedGuest, made_by_invitation, redeems_anew, role_holders, untouchable
from .sign_in import NOT_REDEEMED

VERSION = 1

#: Properties of a cloud account that an administrator may have written; https://learn.microsoft.com/graph/api/user-update
ATTRIBUTES = (
    "displayName", "givenName", "surname", "jobTitle", "department", "companyName", "officeLocation", "businessPhones", "mobilePhone", "faxNumber",
    "streetAddress", "city", "state", "postalCode", "country", "preferredLanguage", "usageLocation", "employeeId", "employeeType", "employeeHireDate",
    "employeeOrgData", "ageGroup", "consentProvidedForMinor", "showInAddressList", "otherMails", "onPremisesExtensionAttributes",
)  # fmt: skip

_MORE = ",".join(name for name in ATTRIBUTES if name not in FIELDS.split(","))
_PARTS = {
    "user": f"?$select={FIELDS},{_MORE},licenseAssignmentStates",
    "manager": "/manager?$select=id,userPrincipalName",
    "member_of": "/memberOf?$top=999",
    "app_roles": "/appRoleAssignments?$top=999",
    "owned": "/ownedObjects?$top=999",
    "reports": "/directReports?$top=999",
}


def paths(key: str) -> dict[str, str]:
    """The reads that tell what an account holds, by the names that `holdings` takes them by."""
    return {name: f"/users/{key}{rest}" for name, rest in _PARTS.items()}


def holdings(
    user: Mapping[str, Any],
    manager: Mapping[str, Any] | None,
    member_of: Iterable[Mapping[str, Any]],
    app_roles: Iterable[Mapping[str, Any]],
    owned: Iterable[Mapping[str, Any]],
    reports: Iterable[Mapping[str, Any]],
    role_assignable_groups: bool,
) -> dict[str, Any]:
    """What an account holds: what can be put back, and in `lost` what cannot (`role` where it gives directory roles)."""
    groups, lost = _memberships(member_of, role_assignable_groups)
    lost += [_lost("ownership", item, "its owner cannot be put back here; make somebody else an owner first") for item in owned]
    lost += [_lost("direct_report", item, "its manager cannot be put back here; give it another manager first") for item in reports]
    extensions = {name: value for name, value in (user.get("onPremisesExtensionAttributes") or {}).items() if value is not None and "@" not in name}
    written = {**user, "onPremisesExtensionAttributes": extensions}
    return {
        "attributes": {name: written[name] for name in ATTRIBUTES if written.get(name) not in (None, "", [], {})},
        "accountEnabled": bool(user.get("accountEnabled")),
        "manager": {"id": manager["id"], "userPrincipalName": manager.get("userPrincipalName")} if manager else None,
        "groups": groups,
        # those of the groups come back with the groups
        "app_roles": [
            {name: item.get(name) for name in ("resourceId", "resourceDisplayName", "appRoleId")} for item in app_roles if item.get("principalId") == user["id"]
        ],
        "licences": [
            {"skuId": item["skuId"], "disabledPlans": sorted(item.get("disabledPlans") or ())}
            for item in user.get("licenseAssignmentStates") or ()
            if item.get("assignedByGroup") is None
        ],
        "lost": lost,
    }


def _memberships(items: Iterable[Mapping[str, Any]], role_assignable: bool) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The groups that can be put back, and what cannot. The members of a dynamic group follow from its rule."""
    groups, lost = [], []
    for item in items:
        kind = str(item.get("@odata.type", "")).rpartition(".")[2]
        if kind != "group":
            reason = "a directory role is not given back" if kind == "directoryRole" else "membership in it is not given back"
            lost.append(_lost("role" if kind == "directoryRole" else kind, item, reason))
        elif "DynamicMembership" in (item.get("groupTypes") or ()):
            continue
        elif item.get("onPremisesSyncEnabled"):
            lost.append(_lost("group", item, "synced from the directory on premises, where its members are kept"))
        elif item.get("mailEnabled") and "Unified" not in (item.get("groupTypes") or ()):
            lost.append(_lost("group", item, "Microsoft Graph cannot change the members of distribution lists and mail-enabled security groups"))
        elif item.get("isAssignableToRole") and not role_assignable:
            lost.append(_lost("role", item, "directory roles can be given to the group; role_assignable_groups=true puts the membership back"))
        else:
            groups.append({"id": item["id"], "displayName": item.get("displayName") or ""})
    return groups, lost


def _lost(what: str, item: Mapping[str, Any], why: str) -> dict[str, str]:
    return {"what": what, "id": item["id"], "name": item.get("displayName") or item.get("userPrincipalName") or item["id"], "why": why}


def new_copy(item: Object, held: Mapping[str, Any], tenant_id: str, saved_at: str, display_name: str | None) -> dict[str, Any]:
    """The copy as it is written before anything is deleted; with another name where one is asked for."""
    attributes = {**held["attributes"], **({"displayName": display_name} if display_name else {})}
    return {
        "copy": "guest",
        "version": VERSION,
        "tenant_id": tenant_id,
        "saved_at": saved_at,
        "mail": item.state["mail"],
        "userPrincipalName": item.state["userPrincipalName"],
        "old_id": item.id,
        **held,
        "attributes": attributes,
        "invited_at": None,
        "new_id": None,
        "completed_at": None,
    }


def with_saved(copy: dict[str, Any], copies: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A new copy, with what unfinished ones of the same account hold besides.

    They may be the only record: the account may be deleted, and shown by a replica that lags, without what it held.
    """
    for saved in copies:
        if saved["old_id"] != copy["old_id"] or saved["completed_at"]:
            continue
        lost = _union(("what", "id", "name"), saved["lost"], copy["lost"])
        groups = _union(("id",), saved["groups"], copy["groups"])
        now_lost, now_held = {one["id"] for one in copy["lost"]}, {group["id"] for group in copy["groups"]}
        copy = {
            **copy,
            "saved_at": saved["saved_at"],
            "attributes": {**saved["attributes"], **copy["attributes"]},
            "accountEnabled": saved["accountEnabled"] and copy["accountEnabled"],
            "manager": copy["manager"] or saved["manager"],
            "groups": [group for group in groups if group["id"] not in now_lost],
            "app_roles": _union(("resourceId", "appRoleId"), saved["app_roles"], copy["app_roles"]),
            "licences": _union(("skuId",), saved["licences"], copy["licences"]),
            "lost": [one for one in lost if one["id"] not in now_held],
            "invited_at": saved["invited_at"],
        }
    return copy


def _union(names: Sequence[str], saved: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Each once, by these properties; as it is now where it is in both."""
    return list({tuple(item[name] for name in names): item for item in (*saved, *now)}.values())


def is_copy(data: Any, tenant_id: str) -> bool:
    """Whether a JSON file is a copy of a guest of this tenant. Raises OffboardError `copy_too_new`."""
    if not isinstance(data, dict) or data.get("copy") != "guest" or data.get("tenant_id") != tenant_id:
        return False
    if not isinstance(data.get("version"), int) or data["version"] > VERSION:
        raise OffboardError(f"the saved copy of {data.get('mail')} was written by a newer release of this collection", code="copy_too_new")
    return True


def copy_of(copies: Sequence[Mapping[str, Any]], name: str, item: Object | None) -> Mapping[str, Any] | None:
    """The copy that tells about somebody who is named (lower case) and has this account now: unfinished work, or the work that made the account.

    None where nothing was deleted yet. Raises OffboardError `ambiguous_copy`.
    """
    mine = [copy for copy in copies if name in (comparable(copy["mail"]), comparable(copy["old_id"]), comparable(copy["new_id"] or ""))]
    done = [copy for copy in mine if copy["completed_at"] and item is not None and copy["new_id"] == item.id]
    unfinished = [copy for copy in mine if not copy["completed_at"] and (item is None or copy["old_id"] != item.id)]
    if len(unfinished) > 1:
        ids = ", ".join(copy["old_id"] for copy in unfinished)
        raise OffboardError(f"{name} has {len(unfinished)} unfinished copies in backup_dir, of {ids}; move all but one away", code="ambiguous_copy")
    return next(iter(unfinished or done), None)


# -- what is still to do


@dataclass(frozen=True)
class Step:
    """One request that gives something back. `name` is for people; `reference` names an object where the body is a link to it."""

    name: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    reference: str = ""


def _without(licence: Mapping[str, Any], lost_plans: Callable[[str, Iterable[str]], Collection[str]]) -> dict[str, Any]:
    lost = lost_plans(licence["skuId"], licence["disabledPlans"]) if licence["disabledPlans"] else ()
    return {**licence, "disabledPlans": [plan for plan in licence["disabledPlans"] if plan not in lost]}


def _nothing_lost(_sku: str, _plans: Iterable[str]) -> Collection[str]:
    return ()


def missing(
    copy: Mapping[str, Any], key: str, now: Mapping[str, Any], lost_plans: Callable[[str, Iterable[str]], Collection[str]] = _nothing_lost
) -> list[Step]:
    """What the account `key`, which holds `now`, still lacks of the copy. Licences wait for the usage location that they need.

    lost_plans: those of some services of a licence that it no longer has. To switch one of them off, Graph refuses the whole licence.
    """
    different = {name: value for name, value in copy["attributes"].items() if now["attributes"].get(name) != value}
    steps = [*_account(copy, key, now, different), *_access(copy, key, now)]
    lacking = [one for licence in copy["licences"] if licence not in now["licences"] and (one := _without(licence, lost_plans)) not in now["licences"]]
    if lacking and "usageLocation" not in different:
        body = {"addLicenses": lacking, "removeLicenses": []}
        steps.append(Step(f"licences {', '.join(licence['skuId'] for licence in lacking)}", "POST", f"/users/{key}/assignLicense", body))
    elif lacking:
        steps.append(Step("licences, after the usage location", "", ""))
    return steps


def _account(copy: Mapping[str, Any], key: str, now: Mapping[str, Any], different: Mapping[str, Any]) -> Iterator[Step]:
    """What the account itself lacks: attributes, being blocked, the manager."""
    # the licences wait for the usage location, so nothing else that is refused may keep it back
    for part in ({"usageLocation"} & different.keys(), different.keys() - {"usageLocation"}):
        if part:
            body = {name: value for name, value in different.items() if name in part}
            yield Step(f"attributes {', '.join(body)}", "PATCH", f"/users/{key}", body)
    if not copy["accountEnabled"] and now["accountEnabled"]:
        yield Step("the account stays blocked", "PATCH", f"/users/{key}", {"accountEnabled": False})
    manager = copy["manager"]
    if manager and (now["manager"] or {}).get("id") != manager["id"]:
        yield Step(f"manager {manager['userPrincipalName'] or manager['id']}", "PUT", f"/users/{key}/manager/$ref", None, manager["id"])


def _access(copy: Mapping[str, Any], key: str, now: Mapping[str, Any]) -> Iterator[Step]:
    """The groups and the roles of applications that it is not in."""
    there = {group["id"] for group in now["groups"]}
    for group in copy["groups"]:
        if group["id"] not in there:
            yield Step(f"group {group['displayName']} ({group['id']})", "POST", f"/groups/{group['id']}/members/$ref", None, key)
    assigned = {(role["resourceId"], role["appRoleId"]) for role in now["app_roles"]}
    for role in copy["app_roles"]:
        if (role["resourceId"], role["appRoleId"]) not in assigned:
            yield Step(
                f"application {role['resourceDisplayName']} ({role['resourceId']}, role {role['appRoleId']})",
                "POST",
                f"/users/{key}/appRoleAssignments",
                {"principalId": key, "resourceId": role["resourceId"], "appRoleId": role["appRoleId"]},
            )


def summary(copy: Mapping[str, Any]) -> dict[str, Any]:
    """What is put back, for plans and diffs."""
    return {
        "attributes": sorted(copy["attributes"]),
        "manager": (copy["manager"] or {}).get("userPrincipalName"),
        "groups": [group["displayName"] for group in copy["groups"]],
        "app_roles": [role["resourceDisplayName"] for role in copy["app_roles"]],
        "licences": [licence["skuId"] for licence in copy["licences"]],
    }


# -- the plan


@dataclass
class Candidates:
    """Who is to be deleted and invited anew, who was deleted already by a run that did not end, and who needs nothing."""

    fresh: list[tuple[WantedGuest, Object, str, str]] = field(default_factory=list)
    unfinished: list[tuple[WantedGuest, Object | None, Mapping[str, Any]]] = field(default_factory=list)
    absent: list[tuple[WantedGuest, Object | None]] = field(default_factory=list)


def candidates(
    tenant: Tenant, guests: Sequence[tuple[WantedGuest, Object | None]], copies: Sequence[Mapping[str, Any]], context: GuestContext, plan: Plan
) -> Candidates:
    """Adds to `plan` who is skipped or needs nothing."""
    found = Candidates()
    for who, named in guests:
        item, copy = _account_and_copy(tenant, comparable(who.shown), named, copies)
        if copy is not None and not copy["completed_at"]:
            if any(copy is other for _who, _item, other in found.unfinished):
                raise OffboardError(f"{who.shown} is named twice, by the address and by an id", code="bad_option")
            found.unfinished.append((who, item, copy))
        elif copy is not None:
            plan.unchanged += 1
        elif item is None:
            found.absent.append((who, None))
        else:
            ways = redeems_anew(plan, tenant, item, context)
            if ways is not None:
                found.fresh.append((who, item, *ways))
    return found


def _account_and_copy(tenant: Tenant, name: str, named: Object | None, copies: Sequence[Mapping[str, Any]]) -> tuple[Object | None, Mapping[str, Any] | None]:
    """Who is meant by now, and the copy of an earlier run. named: who has that name, or id, today."""
    copy, item = copy_of(copies, name, named), named
    if item is None and copy is not None:
        item = tenant.find(WantedGuest(copy["mail"]))  # named by the old id: the new account has another
        copy = copy_of(copies, name, item)
    elif item is None:
        later = [one for one in copies if comparable(one["old_id"]) == name]
        item = next((there for one in later if (there := tenant.find(WantedGuest(one["mail"]))) is not None), None)
        copy = copy_of(copies, name, item) if item is not None else None
    if copy is None and item is not None and (begun := _successor(tenant, item, copies)):
        return begun
    return item, copy


def _successor(tenant: Tenant, item: Object, copies: Sequence[Mapping[str, Any]]) -> tuple[Object, Mapping[str, Any]] | None:
    """The new account of one who is shown, and whom an unfinished copy tells to be deleted and invited again: reading lags."""
    others = tenant.others(item.state["mail"], item.id)
    begun = [copy for copy in copies if copy["old_id"] == item.id and not copy["completed_at"]]
    if len(others) == 1 and len(begun) == 1 and made_by_invitation(others[0]) and (begun[0]["invited_at"] or begun[0]["new_id"] == others[0].id):
        return others[0], begun[0]
    return None


def address_taken(tenant: Tenant, found: Candidates) -> list[Refusal]:
    """Another account with the address would be taken for the new one; and Entra would refuse the invitation once the guest is deleted."""
    told = []
    for _who, item, *_more in found.fresh:
        others = tenant.others(item.state["mail"], item.id)
        told += [f"{item.state['mail']} of guest {item.id}: {other.state['userPrincipalName']} ({other.id})" for other in others]
    if not told:
        return []
    msg = f"Also an address of another account: {', '.join(told)}. Take it off that account (mail, otherMails, proxyAddresses) first."
    return [Refusal("address_taken", msg, tuple(told))]


def add_reinvited(plan: Plan, found: Candidates, held: Mapping[str, Mapping[str, Any]], context: GuestContext) -> list[Refusal]:
    """The changes. held: what the accounts hold that are there still, by object id."""
    lost: list[str] = []
    holders: set[str] = set(context.roles)
    # who is deleted already comes first: a run ends at the first failure, and must not delete another one before it meets the same again
    for who, _unused, copy in found.unfinished:
        before = {"id": copy["old_id"], "deleted": True, "new_id": copy["new_id"], **summary(copy)}
        plan.changes.append(_change(who, copy["old_id"], copy["mail"], copy["attributes"].get("displayName", ""), before, summary(copy), ""))
    for who, item, now, following in found.fresh:
        mine = held[item.id]
        holders |= {item.id for one in mine["lost"] if one["what"] == "role"}
        lost += [f"{item.name}: {one['what']} {one['name']} ({one['why']})" for one in mine["lost"] if one["what"] != "role"]
        before = {"id": item.id, "externalUserState": item.state["externalUserState"], "signs_in_by": now, **summary(mine)}
        before["lost"] = [f"{one['what']} {one['name']}" for one in mine["lost"]]
        plan.changes.append(_change(who, item.id, item.state["mail"], item.state["displayName"], before, summary(mine), following))
    changed = [item for _who, item, *_more in found.fresh] + [item for _who, item, _copy in found.unfinished if item is not None]
    refusals = untouchable(changed)
    if not context.accept_losses:
        why = "It would be lost with the account"
        refusals += role_holders([item for _who, item, *_more in found.fresh], holders, why, "accept_losses: true")
        if lost:
            msg = f"What cannot be put back: {'; '.join(lost)}."
            refusals.append(Refusal("not_put_back", msg, tuple(lost), "accept_losses: true"))
    if len(plan.changes):
        plan.warnings.append(phrases.english("guest_made_again"))
    return refusals


def _change(who: WantedGuest, key: str, mail: str, name: str, before: Mapping[str, Any], put_back: Mapping[str, Any], following: str) -> Change:
    after = {"externalUserState": PENDING, "signs_in_by": NOT_REDEEMED, **put_back, "displayName": who.display_name or name, "invitation": who.invitation}
    if following:
        after["next_redemption"] = following
    undo = phrases.english("undo_guest_again", id=key)
    return Change(KIND, key, mail, REINVITE, before, after, risk="high", undo=undo)
