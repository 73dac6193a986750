# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directory roles and who holds them. Sources: learn.microsoft.com/graph/api/resources/directoryrole, /unifiedroleassignment."""

from __future__ import annotations

from ... import company
from ..answers import Answer, not_found
from ..operation import NO_CONTENT, Call, expandable, operation
from ..store import Object

_READ = "RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory RoleManagement.Read.All Directory.Read.All Directory.ReadWrite.All"
_ROLES: list[Object] = [
    {
        "id": company.make_id("directoryRole", name),
        "displayName": name,
        "description": name,
        "deletedDateTime": None,
        "roleTemplateId": template,
    }
    for name, template in company.ROLE_TEMPLATES.items()
]
_TEMPLATES: list[Object] = [
    {"id": template, "displayName": name, "description": name, "deletedDateTime": None} for name, template in company.ROLE_TEMPLATES.items()
]
_DEFINITIONS: list[Object] = [
    {"id": template, "displayName": name, "description": name, "isBuiltIn": True, "isEnabled": True, "templateId": template, "version": "1"}
    for name, template in company.ROLE_TEMPLATES.items()
]


@operation("GET", "/directoryRoles", permissions=_READ)
def list_roles(call: Call) -> Answer:
    return call.page("directoryRole", _ROLES)


def _role(call: Call) -> Object:
    """By id, or by `roleTemplateId='…'`: learn.microsoft.com/graph/api/directoryrole-get."""
    name, _, key = call.params["role"].rpartition("=")
    found = [item for item in _ROLES if name in ("", "roleTemplateId") and item[name or "id"] == key.lower()]
    return found[0] if found else not_found(key)


@operation("GET", "/directoryRoles/{role}", permissions=_READ)
def get_role(call: Call) -> Answer:
    return call.one("directoryRole", _role(call))


@operation("GET", "/directoryRoleTemplates", permissions=_READ)
def list_templates(call: Call) -> Answer:
    return call.page("directoryRoleTemplate", _TEMPLATES)


@operation("GET", "/directoryRoleTemplates/{template}", permissions=_READ)
def get_template(call: Call) -> Answer:
    found = next((item for item in _TEMPLATES if item["id"] == call.params["template"]), None)
    return call.one("directoryRoleTemplate", found or not_found(call.params["template"]))


@operation("GET", "/directoryRoles/{role}/members", permissions=_READ)
def members(call: Call) -> Answer:
    role = _role(call)
    rows = []
    for assignment in call.table("role_assignments"):
        if assignment["roleDefinitionId"] == role["roleTemplateId"]:
            for table, kind in (("users", "user"), ("service_principals", "servicePrincipal")):
                item = call.find(table, assignment["principalId"])
                if item is not None:
                    rows.append({"@odata.type": f"#microsoft.graph.{kind}", **item})
    return call.page("directoryObject", rows)


@operation("GET", "/roleManagement/directory/roleDefinitions", permissions=_READ)
def list_definitions(call: Call) -> Answer:
    return call.page("unifiedRoleDefinition", _DEFINITIONS)


@operation("GET", "/roleManagement/directory/roleDefinitions/{id}", permissions=_READ)
def get_definition(call: Call) -> Answer:
    found = next((item for item in _DEFINITIONS if item["id"] == call.params["id"]), None)
    return call.one("unifiedRoleDefinition", found or not_found(call.params["id"]))


@operation("GET", "/roleManagement/directory/roleAssignments", permissions=_READ)
def list_assignments(call: Call) -> Answer:
    return call.page("unifiedRoleAssignment", call.table("role_assignments"))


@expandable("unifiedRoleAssignment", "principal")
def _principal(call: Call, assignment: Object) -> Object | None:
    """Source: learn.microsoft.com/graph/api/rbacapplication-list-roleassignments."""
    for table, kind in (("users", "user"), ("service_principals", "servicePrincipal"), ("groups", "group")):
        if item := call.find(table, assignment["principalId"]):
            return {"@odata.type": f"#microsoft.graph.{kind}", **item}
    return None


@expandable("unifiedRoleAssignment", "roleDefinition")
def _definition(call: Call, assignment: Object) -> Object | None:
    return next((item for item in _DEFINITIONS if item["id"] == assignment["roleDefinitionId"]), None)


@operation("DELETE", "/roleManagement/directory/roleAssignments/{id}", permissions="RoleManagement.ReadWrite.Directory")
def delete_assignment(call: Call) -> Answer:
    assignment = call.current("role_assignments", call.params["id"])
    call.store.remove("role_assignments", assignment["id"])
    call.audit("Remove member from role", "Role", assignment)
    return NO_CONTENT
