# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of an application, and why one may be IIJ ID's."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..._core import names, phrases
from ..._core.errors import AmbiguousMatch, OffboardError
from ..._core.model import Change, Object, Refusal
from ..._core.plan import Plan

APPLICATION, PRINCIPAL, GRANT, ASSIGNMENT = "application", "service_principal", "oauth2_permission_grant", "app_role_assignment"


GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"


#: Tenants that own Microsoft's own applications; https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
MICROSOFT_TENANTS = {"f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"}


#: Application permissions with which an identity provider converts domains and writes users. Holding one of each group is a reason.
_DOMAIN_WRITERS = {"Domain.ReadWrite.All"}


_USER_WRITERS = {"User.ReadWrite.All", "Directory.ReadWrite.All"}


#: What may be a host in an address, or in prose.
_WORD = re.compile(r"[\w.\u3002\uff61-]*\w\.?")


def reasons(app: Mapping[str, Any], named: Sequence[str], patterns: Sequence[str], hosts: Sequence[str]) -> list[str]:
    """Why an app may be the one that is looked for; empty when nothing speaks for it.

    `app` is as `info` returns it, `named` and `hosts` as `names` compares them.
    """
    why = []
    if names.uuid(app["client_id"]) in named:
        why.append(phrases.english("id_named"))
    why += [phrases.english("name_matches", pattern=pattern) for pattern in patterns if re.search(pattern, app["display_name"] or "")]
    exact = [host for host in hosts if host != "*"]
    addresses = [text for text in app["addresses"] if any(names.is_under(names.domain(word), exact) for word in _WORD.findall(text))]
    why += [phrases.english("has_address", address=text) for text in addresses]
    held = set(app["permissions"])
    if held & _DOMAIN_WRITERS and held & _USER_WRITERS:
        why.append(phrases.english("may_convert", permissions=", ".join(sorted(held & (_DOMAIN_WRITERS | _USER_WRITERS)))))
    return why


def plan_app(
    objects: Sequence[Object],
    client_id: str,
    state: str,
    enabled: bool | None,
    remove_grants: bool,
    restore_ids: Sequence[str] = (),
    only_there: bool = False,
    held: Collection[str] = (),
    mine: Collection[str] | None = None,
) -> Plan:
    """The changes in the order in which they are made: grants, service principal, application; back in the other order.

    Of several deleted ones that were the same application one after the other, the one comes back that `restore_ids` names, else the one whose id is in
    `held` (in the snapshot), else the newest; none of them with `only_there`, which takes nothing to keep for nothing to do.
    Where `mine` are the ids of those that the exit has disabled, no other service principal is enabled.
    Raises OffboardError `not_found` when there is nothing to keep or to bring back, AmbiguousMatch when it cannot be told which is the newest.
    """
    plan = Plan()
    by_kind: dict[str, list[Object]] = {}
    for item in objects:
        if not (only_there and item.state.get("deleted")):
            by_kind.setdefault(item.kind, []).append(item)
    applications, principals = by_kind.get(APPLICATION, []), by_kind.get(PRINCIPAL, [])
    grants = by_kind.get(GRANT, []) + by_kind.get(ASSIGNMENT, [])
    if state == "absent":
        changes = [_removal(item) for item in (*grants, *(one for one in (*principals, *applications) if not one.state["deleted"]))]
    else:
        if not (only_there or applications or principals):
            raise OffboardError(f"the tenant has no application with the client id {client_id}, not even a deleted one", code="not_found")
        applications, principals = _chosen(applications, principals, client_id, restore_ids, held, plan.warnings)
        changes = [_back(item) for item in (*applications, *principals) if item.state["deleted"]]
        changes += [_removal(item) for item in grants if remove_grants]
        changes += _switches(principals, enabled, mine, plan) if enabled is not None else []
    for change in changes:
        plan.changes.append(change)
    if not changes:
        plan.unchanged = 1
    return plan


def _chosen(
    applications: Sequence[Object],
    principals: Sequence[Object],
    client_id: str,
    restore_ids: Sequence[str],
    held: Collection[str],
    warnings: list[str],
) -> tuple[list[Object], list[Object]]:
    """The application and the service principal that come back, or are there. Raises OffboardError `not_found`, AmbiguousMatch."""
    wanted = names.uuids(restore_ids)
    if unknown := wanted - {names.uuid(item.id) for item in (*applications, *principals)}:
        raise OffboardError(
            f"restore_ids: {', '.join(sorted(unknown))} is no object of the application {client_id} that is there or could come back; a deleted one cannot "
            "while another of its kind is there",
            code="not_found",
        )
    return _one(APPLICATION, applications, wanted, held, warnings), _one(PRINCIPAL, principals, wanted, held, warnings)


def _back(item: Object) -> Change:
    return Change(item.kind, item.id, item.name, "restore", {"deleted": True}, {"deleted": False}, "medium", phrases.english("undo_app_restored"))


def _switched(item: Object, enabled: bool) -> Change:
    action, risk = ("enable", "low") if enabled else ("disable", "medium")
    undo = phrases.english("undo_app_switched", enabled=str(not enabled).lower())
    return Change(PRINCIPAL, item.id, item.name, action, {"accountEnabled": item.state["accountEnabled"]}, {"accountEnabled": enabled}, risk, undo)


def _switches(principals: Sequence[Object], enabled: bool, mine: Collection[str] | None, plan: Plan) -> list[Change]:
    """Adds to `plan` which of them are left disabled."""
    switched = [item for item in principals if item.state["accountEnabled"] != enabled]
    left = [item for item in switched if enabled and mine is not None and item.id not in mine]
    plan.leave_disabled(left)
    return [_switched(item, enabled) for item in switched if item not in left]


def _removal(item: Object) -> Change:
    if item.kind in (GRANT, ASSIGNMENT):
        return Change(item.kind, item.id, item.name, "remove", item.state, None, "medium", phrases.english("undo_consent"))
    return Change(item.kind, item.id, item.name, "delete", {**item.state}, None, "high", phrases.english("undo_app_deleted"))


def guard_app(changes: Sequence[Change], client_id: str, own_app_id: str, owner: str | None) -> list[Refusal]:
    """Neither our own application nor one of Microsoft's may be switched off, stripped or deleted."""
    harmful = [change for change in changes if change.action not in ("enable", "restore")]
    if not harmful:
        return []
    refusals = []
    if names.uuid(client_id) == names.uuid(own_app_id):
        msg = f"{client_id} is the application that these modules sign in with. Sign in with another one."
        refusals.append(Refusal("own_identity", msg, (client_id,)))
    if owner in MICROSOFT_TENANTS:
        refusals.append(Refusal("microsoft_app", f"{client_id} ({harmful[0].name}) belongs to Microsoft.", (client_id,)))
    return refusals


def _one(kind: str, items: Sequence[Object], wanted: Collection[str], held: Collection[str], warnings: list[str]) -> list[Object]:
    """The living one, else the deleted one that is meant."""
    if len(items) < 2 or not items[0].state["deleted"]:
        return list(items)
    times = sorted((item.state.get("deletedDateTime") or "" for item in items), reverse=True)
    named = [item for item in items if names.uuid(item.id) in wanted]
    saved = names.uuids(held)
    meant = (
        named
        or [item for item in items if names.uuid(item.id) in saved]
        or [item for item in items if (item.state.get("deletedDateTime") or "") == times[0] != ""]
    )
    if len(meant) != 1:
        found = [{"id": item.id, "name": item.name, "deletedDateTime": item.state.get("deletedDateTime")} for item in items]
        raise AmbiguousMatch(
            f"{len(items)} deleted {kind} objects have that client id; name the one to bring back in a task of offboard.iij_id.entra_app, by restore_ids", found
        )
    if not named:
        phrase = "deleted_several_saved" if names.uuid(meant[0].id) in saved else "deleted_several"
        warnings.append(phrases.english(phrase, number=len(items), kind=kind, id=meant[0].id))
    return meant
