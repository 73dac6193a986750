# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a snapshot shall hold, and what it lacks. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._core import names, phrases
from ..._core.errors import OffboardError
from ..._core.kinds import OF_RUN_FOLDER, OF_TENANT
from ..._core.manifest import ALL
from ..._core.manifest import NAME as MANIFEST
from ..._core.model import Change, Object
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..domains.plan import upn_domain
from ..users.licence_group import is_given

KIND = "snapshot"

#: What Graph is asked for of every user.
USER_FIELDS = (
    "id,userPrincipalName,displayName,accountEnabled,usageLocation,userType,onPremisesSyncEnabled,onPremisesImmutableId,"
    "lastPasswordChangeDateTime,licenseAssignmentStates"
)


def user_record(item: Mapping[str, Any]) -> dict[str, Any]:
    """One user as the snapshot keeps it; licences apart by who assigned them, since only direct ones can be put back."""
    states = item.get("licenseAssignmentStates") or ()
    record = {name: item.get(name) for name in USER_FIELDS.split(",") if name != "licenseAssignmentStates"}
    record["licences"] = [{"skuId": s["skuId"], "disabledPlans": s.get("disabledPlans") or []} for s in states if s.get("assignedByGroup") is None]
    record["groupLicences"] = [{"skuId": s["skuId"], "group": s["assignedByGroup"], "state": s.get("state")} for s in states if s.get("assignedByGroup")]
    return record


def works_by_group(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the licences that groups gave to a user of the snapshot. One that says nothing of their state is of an earlier version."""
    return tuple(sorted({names.licence(one["skuId"]) for one in record.get("groupLicences") or () if "state" not in one or is_given(one)}))


def holds(saved: Mapping[str, Any], name: str) -> bool:
    """Whether a snapshot that holds the users of the domains `saved["users"]` has the user of this name."""
    return saved["users"] == ALL or upn_domain(name) in map(names.domain, saved["users"])


def works(state: Mapping[str, Any]) -> bool:
    """Of a licence: it is assigned directly, or a group does give it."""
    return state.get("assignedByGroup") is None or is_given(state)


def saved(domains: Sequence[str], client_ids: Sequence[str]) -> dict[str, Any]:
    """Whose users and which applications a snapshot holds; without domains, of the whole tenant."""
    return {"users": list(domains) or ALL, "apps": list(client_ids)}


def state_of(path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Raises OffboardError `snapshot_damaged`."""
    try:
        return {name: manifest[name] for name in ("taken", "counts", "users", "apps")}
    except KeyError as exc:
        raise OffboardError(f"the snapshot is damaged: {os.path.join(path, MANIFEST)} has no {exc.args[0]}", code="snapshot_damaged") from exc


def plan_snapshot(path: str, current: Iterable[Object], domains: Sequence[str], client_ids: Sequence[str]) -> Plan:
    """Nothing where there is one that holds all of it: a snapshot is never overwritten. Raises OffboardError `snapshot_incomplete`."""
    for item in current:
        if item.id == path:  # in check mode the snapshots of earlier tasks are among them
            _check_contents(path, item.state, domains, client_ids)
            return Plan(unchanged=1)
    after = {"domains": ALL, **saved(domains, client_ids)}
    return Plan(Spool([Change(KIND, path, os.path.basename(path), "create", None, after, undo=phrases.english("undo_folder", path=path))]))


def _check_contents(path: str, state: Mapping[str, Any], domains: Sequence[str], client_ids: Sequence[str]) -> None:
    """What was confirmed after it was taken is not in it."""
    wanted = {
        "users of": (names.domain, list(domains) or [ALL], state["users"]),
        "application": (names.uuid, client_ids, state["apps"]),
    }
    lacks = [
        f"{noun} {name}"
        for noun, (as_compared, named, there) in wanted.items()
        for name in named
        if there != ALL and as_compared(name) not in map(as_compared, there)
    ]
    if lacks:
        raise OffboardError(
            f"The snapshot {path} of {state.get('taken', 'this check run')} does not hold {', '.join(lacks)}: they were not named when it was taken, "
            "and a snapshot is never overwritten. Use a run folder (offboard_run_dir) of its own for them. If no stage after the snapshot "
            "has run yet, the folder may be removed, and a new snapshot taken.",
            code="snapshot_incomplete",
        )


def is_held(kind: str, _id: str) -> bool:
    """Whether a change in a journal is of the tenant, whose state the snapshot keeps."""
    return kind in OF_TENANT - OF_RUN_FOLDER


def check_known(domains: Iterable[str], known: Iterable[str]) -> None:
    """Raises OffboardError `not_found` for a domain whose users are to be saved and that the tenant does not have."""
    if unknown := {names.domain(name) for name in domains} - {names.domain(name) for name in known}:
        raise OffboardError(f"domains: the tenant has no domain {', '.join(sorted(unknown))}", code="not_found")


def check_usual(unusual: Iterable[Mapping[str, Any]]) -> None:
    """What is kept is kept for ever. unusual: of the census. Raises OffboardError `mostly_blocked`."""
    told = [f"{item['domain']}: of {item['total']} users {item['blocked']} are blocked, {item['unlicensed']} have no licence" for item in unusual]
    if told:
        raise OffboardError(
            f"No snapshot was taken, since it would keep as normal what may be the work of IIJ ID's stop. {'; '.join(told)}. Run the stage preflight: it "
            "says whom IIJ ID blocked and writes a list for microsoft_365_also_enable. If it is right so, raise microsoft_365_max_blocked_percent "
            "(max_blocked_percent).",
            code="mostly_blocked",
        )
