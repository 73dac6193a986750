# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To whom Intune gives an app or a configuration, what becomes of such an assignment, and how it comes back."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..._core import confirmations, names, phrases, plain
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Refusal
from ..._core.plan import Plan

KIND = "intune_assignment"


class Family(NamedTuple):
    """Objects of Intune that are assigned alike."""

    path: str
    #: the Graph type of an assignment; empty where Microsoft documents no change of a single one, only of all at once
    assignment: str = ""
    #: where Graph counts the devices; empty where it does not
    devices: str = ""
    #: the configuration that is assigned is the one that the object lies below
    above: bool = False


#: By the kinds of entra_references_info. Paths and types: learn.microsoft.com/graph/api/intune-apps-mobileappassignment-create,
#: intune-apps-manageddevicemobileappconfigurationassignment-create, intune-mam-targetedmanagedapppolicyassignment-create,
#: intune-deviceconfig-deviceconfigurationassignment-create. Devices: intune-apps-manageddevicemobileappconfigurationdevicesummary-get and
#: intune-deviceconfig-deviceconfigurationdeviceoverview-get; of apps v1.0 counts those that were detected, of managed apps' configurations none.
FAMILIES: Mapping[str, Family] = {
    "mobile_app": Family("/deviceAppManagement/mobileApps", "mobileAppAssignment"),
    "mobile_app_configuration": Family("/deviceAppManagement/mobileAppConfigurations", "managedDeviceMobileAppConfigurationAssignment", "deviceStatusSummary"),
    "targeted_managed_app_configuration": Family("/deviceAppManagement/targetedManagedAppConfigurations", "targetedManagedAppPolicyAssignment"),
    "device_configuration": Family("/deviceManagement/deviceConfigurations", "deviceConfigurationAssignment", "deviceStatusOverview"),
    "configuration_policy": Family("/deviceManagement/configurationPolicies"),
    "configuration_policy_settings": Family("/deviceManagement/configurationPolicies", above=True),
    "group_policy_configuration": Family("/deviceManagement/groupPolicyConfigurations"),
    "group_policy_definition": Family("/deviceManagement/groupPolicyConfigurations", above=True),
    "group_policy_value": Family("/deviceManagement/groupPolicyConfigurations", above=True),
}
#: those whose assignments can be removed one by one
CHANGEABLE = tuple(kind for kind, family in FAMILIES.items() if family.assignment)

#: what is said instead of a number of devices that Graph does not tell
NOT_KNOWN = "not_known"
#: why: Intune has seen no app of this name on a device
NOT_DETECTED = "not_detected"
ALL_DEVICES, ALL_USERS, _NOT = "allDevices", "allLicensedUsers", "not "
_ALL = {"allDevicesAssignmentTarget": ALL_DEVICES, "allLicensedUsersAssignmentTarget": ALL_USERS}
#: what of an assignment is kept, and comes back
_KEPT = ("intent", "target", "settings")


def target_of(assignment: Mapping[str, Any]) -> str:
    """To whom: `allDevices`, `allLicensedUsers`, a group's id, or `not` and the id of a group that is excluded; the type of what is none of these."""
    target = assignment.get("target") or {}
    kind = str(target.get("@odata.type") or "").rpartition(".")[2]
    group = names.uuid(str(target.get("groupId") or ""))
    if kind == "exclusionGroupAssignmentTarget":
        return f"{_NOT}{group}"
    return group or _ALL.get(kind) or kind or NOT_KNOWN


def group_of(target: str) -> str:
    """The id of the group that a target names; empty when it names none."""
    name = target.removeprefix(_NOT)
    return name if names.is_uuid(name) else ""


def filter_of(assignment: Mapping[str, Any]) -> str:
    """The id of the filter that narrows it down; only Graph's beta shows it."""
    key = str((assignment.get("target") or {}).get("deviceAndAppManagementAssignmentFilterId") or "")
    return key if key.strip("0-") else ""


def told(assignment: Mapping[str, Any], groups: Mapping[str, str]) -> dict[str, str]:
    """One assignment for people. groups: names by id; one that could not be read has none."""
    target = target_of(assignment)
    shown = {
        "id": str(assignment.get("id") or ""),
        "target": target,
        "group": groups.get(group_of(target), ""),
        "intent": str(assignment.get("intent") or ""),
        "filter": filter_of(assignment),
    }
    return {name: plain.line(value) for name, value in shown.items()}


def devices_of(overview: Mapping[str, Any] | None) -> int | str:
    """On how many devices it is, or is on its way to, by Graph's overview of their states; `not_known` where it says nothing, which is not 0."""
    counts = [(overview or {}).get(name) for name in ("successCount", "pendingCount", "errorCount", "failedCount")]
    known = [count for count in counts if isinstance(count, int)]
    return sum(known) if known else NOT_KNOWN


def describe(kind: str, item: Mapping[str, Any], assignment: Mapping[str, Any], groups: Mapping[str, str]) -> Object:
    """An assignment as plans compare it. Its id outlives a removal: an assignment that came back has another one in Graph."""
    shown = told(assignment, groups)
    who = f"{shown['group']} ({shown['target']})" if shown["group"] else shown["target"]
    state = {"kind": kind, "object": item["id"], "assignment": assignment.get("id"), **{name: assignment[name] for name in _KEPT if assignment.get(name)}}
    name = plain.line(str(item.get("displayName") or item["id"]))
    key = "/".join(filter(None, (names.uuid(str(item["id"])), shown["intent"], shown["target"])))
    return Object(KIND, key, f"{name}: {' '.join(filter(None, (shown['intent'], who)))}", state)


def described(kind: str, item: Mapping[str, Any], assignments: Sequence[Mapping[str, Any]], groups: Mapping[str, str]) -> Iterator[Object]:
    """All assignments of one object. A policy set may give it to those to whom it is given directly, and v1.0 does not tell which is which: then Graph's id of
    each is in its own, and those of the others are in its state, so that none of them is taken for it when it has gone, or shall come back."""
    found = [describe(kind, item, one, groups) for one in assignments]
    alike = Counter(one.id for one in found)
    for one in found:
        if alike[one.id] == 1:
            yield one
            continue
        key = plain.line(str(one.state["assignment"]))
        beside = [other.state["assignment"] for other in found if other.id == one.id and other is not one]
        yield dataclasses.replace(one, id=f"{one.id}/{key}", name=f"{one.name} ({key})", state={**one.state, "beside": beside})


class WantedAssignment(NamedTuple):
    """One entry of the option `assignments`: the object, and its assignment by the target or by the assignment's own id."""

    kind: str
    object: str
    target: str

    def means(self, state: Mapping[str, Any]) -> bool:
        if (self.kind, names.uuid(self.object)) != (state["kind"], names.uuid(str(state["object"]))):
            return False
        meant = confirmations.intune_target
        return meant(self.target) in (meant(target_of(state)), meant(str(state.get("assignment") or "")))


def removed(records: Iterable[Mapping[str, Any]], brought_back: dict[str, Object] | None = None) -> dict[str, Object]:
    """What runs with this journal set out to remove, and have not seen to be back since, by id. `records` are whole ones (see `journal.known`).

    The intent counts, not its outcome: what is there still, because it came to nothing, is not made once more. brought_back: takes what they have.
    """
    gone: dict[str, Object] = {}
    back = {} if brought_back is None else brought_back
    for record in records:
        if record.get("kind") != KIND:
            continue
        before = record.get("before") or {}
        if record["record"] == "intent" and record["action"] == "remove" and before.get("kind") in CHANGEABLE and before.get("object") and before.get("target"):
            gone[record["id"]] = Object(KIND, record["id"], record["name"], before)
        elif record["record"] == "outcome" and record["action"] == "restore" and record.get("status") == "done" and record["id"] in gone:
            back[record["id"]] = gone.pop(record["id"])
        elif record["record"] == "outcome" and record["action"] == "restore" and record.get("code") == "not_seen" and record["id"] in back:
            gone[record["id"]] = back.pop(record["id"])
    return gone


def plan_absent(current: Sequence[Object], wanted: Sequence[WantedAssignment]) -> Plan:
    """Those that are named go, the exclusions of groups last: without them the others would reach more devices, if only for a moment."""
    plan = Plan()
    named = [item for item in current if any(one.means(item.state) for one in wanted)]
    for item in sorted(named, key=lambda item: _excludes(item.state)):
        plan.changes.append(Change(KIND, item.id, item.name, "remove", item.state, None, "medium", phrases.english("undo_intune_assignment")))
    for one in wanted:
        if not any(one.means(item.state) for item in current):
            plan.unchanged += 1
    return plan


def plan_present(
    current: Sequence[Object], recorded: Mapping[str, Object], wanted: Sequence[WantedAssignment], beta: bool, brought_back: Iterable[Object] = ()
) -> Plan:
    """What the journal has of them comes back, exclusions first; without `wanted`, all of it. brought_back: what may be named by the id that it had before.

    Raises OffboardError `not_found` for one that is neither there nor recorded, `bad_option` for one that only Graph's beta can bring back whole.
    """
    plan = Plan()
    there = [*current, *(item for item in brought_back if is_there(item.state, current))]
    for one in wanted:
        if not any(one.means(item.state) for item in (*there, *recorded.values())):
            msg = f"{one.kind} {one.object} has no assignment to {one.target}, and the journal names none that was removed: nothing is known to bring back"
            raise OffboardError(msg, code="not_found")
    meant = [item for item in recorded.values() if not wanted or any(one.means(item.state) for one in wanted)]
    back = set()
    for item in sorted(meant, key=lambda item: not _excludes(item.state)):
        if is_there(item.state, current) or _same(item.state) in back:  # Graph makes no second one that is alike
            plan.unchanged += 1
            continue
        back.add(_same(item.state))
        if filter_of(item.state) and not beta:
            msg = f"{item.name} had a filter, which Microsoft Graph knows in its beta only. Set beta: true; without the filter it would reach more devices."
            raise OffboardError(msg, code="bad_option")
        plan.changes.append(Change(KIND, item.id, item.name, "restore", None, item.state, "medium", phrases.english("undo_same_absent")))
    return plan


def _excludes(state: Mapping[str, Any]) -> bool:
    return target_of(state).startswith(_NOT)


def guard(changes: Sequence[Change], current: Sequence[Object], not_iij: Mapping[str, str]) -> list[Refusal]:
    """not_iij: the names of the objects in which nothing points at IIJ ID, and that nobody has confirmed, by id."""
    going = {change.id for change in changes if change.action == "remove"}
    refusals = []
    for key, name in not_iij.items():
        msg = f"{name} ({key}) holds neither a host nor an identifier of IIJ ID, so it may be somebody else's."
        refusals.append(Refusal("not_iij", msg, (key,), f"expected_objects: [{key}]"))
    for item in current:
        if item.id not in going or not _excludes(item.state):
            continue
        left = [other.name for other in current if other.id not in going and not _excludes(other.state) and _alike(other.state, item.state)]
        if left:
            msg = f"Without {item.name}, which excludes a group, {left[0]} would reach the devices of that group. Remove that assignment, too, or neither."
            refusals.append(Refusal("exclusion_needed", msg, (item.id,)))
    return refusals


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (one["object"], one.get("intent")) == (other["object"], other.get("intent"))


def is_there(state: Mapping[str, Any], current: Iterable[Object]) -> bool:
    """Whether an assignment of before is there, or one like it that came back in its place."""
    beside = state.get("beside", ())
    return any(_same(state) == _same(item.state) and item.state["assignment"] not in beside for item in current)


def _same(state: Mapping[str, Any]) -> tuple[str, ...]:
    return state["kind"], names.uuid(str(state["object"])), str(state.get("intent") or ""), target_of(state)


def is_seen(change: Change, current: Iterable[Object]) -> bool:
    """Whether what is there now is as the change leaves it."""
    return is_there(change.before or change.after or {}, current) == (change.action == "restore")


def body(state: Mapping[str, Any]) -> dict[str, Any]:
    """The request that makes an assignment again. What Graph alone sets (`id`, and `source` with its id) is not in it."""
    return {"@odata.type": f"#microsoft.graph.{FAMILIES[state['kind']].assignment}", **{name: state[name] for name in _KEPT if name in state}}
