# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups, their members and owners. Sources: learn.microsoft.com/graph/api/resources/group, group-post-groups, group-post-members,
group-delete-members, group-list-owners, group-post-owners, group-delete-owners, group-delta."""

from __future__ import annotations

import uuid

from ... import company
from .. import odata
from ..answers import Answer, bad_request, denied, not_found, now
from ..operation import NO_CONTENT, Call, expandable, operation
from ..store import Object
from .licences import apply_group, with_errors
from .users import check_nickname
from .users import delete as delete_user

_READ = "Group.ReadBasic.All Group.Read.All Group.ReadWrite.All GroupMember.Read.All Directory.Read.All Directory.ReadWrite.All"
_MEMBERS = "GroupMember.ReadBasic.All GroupMember.Read.All GroupMember.ReadWrite.All Group.ReadBasic.All Group.Read.All Group.ReadWrite.All Directory.Read.All"
_MEMBERS_WRITE = "GroupMember.ReadWrite.All Group.ReadWrite.All Directory.ReadWrite.All"
_MEMBERS_PER_PATCH = 20
_CHANGEABLE = {"displayName", "description", "groupTypes", "mailEnabled", "mailNickname", "membershipRule", "membershipRuleProcessingState",
               "preferredDataLocation", "preferredLanguage", "securityEnabled", "theme", "uniqueName", "visibility"}  # fmt: skip


@operation("GET", "/groups", permissions=_READ)
def list_groups(call: Call) -> Answer:
    if "hasMembersWithLicenseErrors" not in call.query.get("$filter", ""):
        return call.page("group", call.table("groups"))
    return call.page("group", [item | {"hasMembersWithLicenseErrors": bool(with_errors(call, item))} for item in call.table("groups")])


@operation("GET", "/groups/{group}", permissions=_READ)
def get_group(call: Call) -> Answer:
    return call.one("group", call.get("groups", call.params["group"]))


@operation("GET", "/groups/delta", permissions="GroupMember.Read.All Group.Read.All Group.ReadWrite.All Directory.Read.All")
def delta(call: Call) -> Answer:
    return odata.delta(call, "group", "groups")


@operation("POST", "/groups", permissions="Group.Create Group.ReadWrite.All Directory.ReadWrite.All", body="group")
def create(call: Call) -> Answer:
    body = {name: value for name, value in call.body.items() if "@" not in name}
    for name in ("displayName", "mailEnabled", "mailNickname", "securityEnabled"):
        if body.get(name) in (None, ""):
            bad_request(f"A value is required for property '{name}' of resource 'Group'.")
    if body["mailEnabled"] and "Unified" not in body.get("groupTypes", ()):
        bad_request("The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and "
                    "the security-enablement property is set.")  # fmt: skip
    check_nickname("Group", body["mailNickname"])
    if wrong := set(body) - _CHANGEABLE - {"isAssignableToRole"}:
        bad_request(f"Property '{sorted(wrong)[0]}' is read-only and cannot be set.")
    if body.get("isAssignableToRole") and not call.may("RoleManagement.ReadWrite.Directory"):
        denied()
    bound = {name: _bound(call, name) for name in ("members", "owners")}
    if sum(map(len, bound.values())) > _MEMBERS_PER_PATCH:  # microsoft-graph-docs-contrib#6453
        bad_request(f"A resource cannot contain more than {_MEMBERS_PER_PATCH} link changes.")
    values = company.group(body["displayName"], id=str(uuid.uuid4()), createdDateTime=now(), _members=bound["members"], _owners=bound["owners"]) | body
    call.audit("Add group", "Group", values)
    return call.one("group", call.store.put("groups", values["id"], values), 201)


def _bound(call: Call, name: str) -> list[str]:
    """The users that `members@odata.bind` and the like name; 20 at most."""
    references = call.body.get(f"{name}@odata.bind") or []
    if len(references) > _MEMBERS_PER_PATCH:
        bad_request(f"Up to {_MEMBERS_PER_PATCH} {name} can be added in one request.")
    keys = [_key(reference) for reference in references]
    for key in keys:
        if key not in call.table("users").objects:
            not_found(key)
    return list(dict.fromkeys(keys))


def _key(reference: str) -> str:
    return reference.rstrip("/").rpartition("/")[2]


@operation("DELETE", "/groups/{group}", permissions="Group.ReadWrite.All")
def delete(call: Call) -> Answer:
    group = call.current("groups", call.params["group"])
    users = call.table("users").objects
    for key in group["_members"]:
        if key in users:
            apply_group(call.store, users[key], group, False)
    call.store.remove("groups", group["id"])
    call.store.put("deleted_groups", group["id"], group | {"deletedDateTime": now()})
    call.audit("Delete group", "Group", group)
    return NO_CONTENT


@operation("GET", "/groups/{group}/members", permissions=_MEMBERS, units=3)
@operation("GET", "/groups/{group}/transitiveMembers", permissions=_MEMBERS, units=5)
def members(call: Call) -> Answer:
    return call.page("directoryObject", _members_of(call, call.get("groups", call.params["group"])))


@expandable("group", "members", options="$select")
def _members_of(call: Call, group: Object) -> list[Object]:
    return _users(call, group["_members"])


@expandable("group", "owners", options="$select")
def _owners_of(call: Call, group: Object) -> list[Object]:
    return _users(call, group.get("_owners", []))


def _users(call: Call, keys: list[str]) -> list[Object]:
    users = call.table("users")
    return [{"@odata.type": "#microsoft.graph.user", **user} for key in keys if (user := users.visible(key)) is not None]


@operation("GET", "/groups/{group}/memberOf", permissions=_MEMBERS.replace("GroupMember.ReadBasic.All ", ""))
def member_of(call: Call) -> Answer:
    """The groups that a group is in; those of the lab hold users only, but for what a test arranges."""
    key = call.get("groups", call.params["group"])["id"]
    return call.page("directoryObject", [{"@odata.type": "#microsoft.graph.group", **item} for item in call.table("groups") if key in item["_members"]])


def _check_changeable(call: Call, group: Object) -> None:
    """Members of some groups come from elsewhere. Source: learn.microsoft.com/graph/api/group-post-members, and public reports of the texts."""
    if "DynamicMembership" in group["groupTypes"]:
        bad_request("lab: the members of a dynamic group follow from its rule.")
    if group["onPremisesSyncEnabled"]:
        bad_request("Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.")
    if group["mailEnabled"] and "Unified" not in group["groupTypes"]:
        bad_request("Cannot Update a mail-enabled security groups and or distribution list.")
    if group.get("isAssignableToRole") and not call.may("RoleManagement.ReadWrite.Directory"):
        denied()


def _add(call: Call, references: list[str]) -> Answer:
    group = call.current("groups", call.params["group"])
    _check_changeable(call, group)
    keys = [_key(reference) for reference in references]
    for key in keys:
        if key not in call.table("users").objects:
            not_found(key)
        if key in group["_members"]:
            bad_request("One or more added object references already exist for the following modified properties: 'members'.")
    call.store.put("groups", group["id"], {"_members": group["_members"] + keys})
    for key in keys:
        apply_group(call.store, call.table("users").objects[key], group, True)
    call.audit("Add member to group", "Group", group)
    return NO_CONTENT


@operation("POST", "/groups/{group}/members/$ref", permissions=_MEMBERS_WRITE)
def add_member(call: Call) -> Answer:
    if not isinstance(call.body, dict) or not isinstance(call.body.get("@odata.id"), str):
        bad_request("The property '@odata.id' is required.")
    return _add(call, [call.body["@odata.id"]])


@operation("PATCH", "/groups/{group}", permissions="Group.ReadWrite.All Directory.ReadWrite.All GroupMember.ReadWrite.All", body="group")
def update(call: Call) -> Answer:
    group = call.current("groups", call.params["group"])
    if "members@odata.bind" in call.body:
        references = call.body["members@odata.bind"]
        if len(call.body) > 1 or len(references) > _MEMBERS_PER_PATCH:
            bad_request(f"Up to {_MEMBERS_PER_PATCH} members can be added in one request, and nothing else with them.")
        return _add(call, references)
    if wrong := set(call.body) - _CHANGEABLE:
        bad_request(f"Property '{sorted(wrong)[0]}' is read-only and cannot be set.")
    call.store.put("groups", group["id"], call.body)
    call.audit("Update group", "Group", group)
    return NO_CONTENT


@operation("DELETE", "/groups/{group}/members/{member}", permissions="User.DeleteRestore.All User.ReadWrite.All")
def delete_member(call: Call) -> Answer:
    """Without /$ref the user is deleted: learn.microsoft.com/graph/api/group-delete-members has a warning of it."""
    if call.params["member"] not in call.get("groups", call.params["group"])["_members"]:
        not_found(call.params["member"])
    call.params["user"] = call.params["member"]
    return delete_user(call)


@operation("DELETE", "/groups/{group}/members/{member}/$ref", permissions=_MEMBERS_WRITE)
def remove_member(call: Call) -> Answer:
    group, key = call.current("groups", call.params["group"]), call.params["member"]
    _check_changeable(call, group)
    if key not in group["_members"]:
        not_found(key)
    call.store.put("groups", group["id"], {"_members": [item for item in group["_members"] if item != key]})
    if key in call.table("users").objects:
        apply_group(call.store, call.table("users").objects[key], group, False)
    call.audit("Remove member from group", "Group", group)
    return NO_CONTENT


# -- owners


@operation("GET", "/groups/{group}/owners", permissions=_MEMBERS)
def owners(call: Call) -> Answer:
    return call.page("directoryObject", _owners_of(call, call.get("groups", call.params["group"])))


@operation("POST", "/groups/{group}/owners/$ref", permissions="Group.ReadWrite.All Directory.ReadWrite.All")
def add_owner(call: Call) -> Answer:
    group = call.current("groups", call.params["group"])
    if not isinstance(call.body, dict) or not isinstance(call.body.get("@odata.id"), str):
        bad_request("The property '@odata.id' is required.")
    key = _key(call.body["@odata.id"])
    if key not in call.table("users").objects:
        not_found(key)
    if key in group.get("_owners", ()):
        bad_request("One or more added object references already exist for the following modified properties: 'owners'.")
    if group.get("isAssignableToRole") and not call.may("RoleManagement.ReadWrite.Directory"):
        denied()
    call.store.put("groups", group["id"], {"_owners": [*group.get("_owners", ()), key]})
    call.audit("Add owner to group", "Group", group)
    return NO_CONTENT


@operation("DELETE", "/groups/{group}/owners/{owner}/$ref", permissions="Group.ReadWrite.All Directory.ReadWrite.All")
def remove_owner(call: Call) -> Answer:
    group, key = call.current("groups", call.params["group"]), call.params["owner"]
    present = group.get("_owners", [])
    if key not in present:
        not_found(key)
    if group.get("isAssignableToRole") and not call.may("RoleManagement.ReadWrite.Directory"):
        denied()
    if len(present) == 1:
        bad_request("The group must have at least one owner, hence this owner cannot be removed.")
    call.store.put("groups", group["id"], {"_owners": [item for item in present if item != key]})
    call.audit("Remove owner from group", "Group", group)
    return NO_CONTENT
