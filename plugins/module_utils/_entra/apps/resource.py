# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""App registrations with their service principals and grants: found with reasons, switched off, removed by client id, brought back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ..._core import journal, names
from ..._core.guard import nothing_known
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._graph.errors import GraphError
from ..._module import waiting
from ..._module.files import read_journal
from ..._offboarding.preconditions import read_manifest
from ..of_tenant import OfTenant
from .options import Options
from .plan import APPLICATION, ASSIGNMENT, GRANT, PRINCIPAL, guard_app, plan_app
from .read import check_object_id, read_app


class App(OfTenant):
    noun = "objects"
    kinds: ClassVar[tuple[str, ...]] = (APPLICATION, PRINCIPAL, GRANT, ASSIGNMENT)
    stop_at_first_failure = True

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        self._client = Client(Connection.from_params(params))
        self._owner: str | None = None
        self._there = False
        self._seen: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._brought_back: set[str] = set()

    def read(self) -> Iterator[Object]:
        """The application and what belongs to it, deleted or not. Raises NotExact."""
        for item in read_app(self._client, self._options.client_id):
            self._there = True
            yield item
        if not self._there:
            check_object_id(self._client, self._options.client_id)

    def plan(self, current: Iterable[Object]) -> Plan:
        objects = list(current)
        self._seen = {(item.kind, item.id): item.state for item in objects}
        self._owner = next((item.state.get("appOwnerOrganizationId") for item in objects if item.kind == PRINCIPAL), None)
        options = self._options
        return plan_app(
            objects,
            options.client_id,
            options.state,
            options.enabled,
            options.remove_grants,
            options.restore_ids,
            options.only_there,
            self._held(),
            self._disabled() if options.only_disabled else None,
        )

    def _disabled(self) -> set[str]:
        """The ids of service principals that tasks with the same journal have switched off, and not on again; removal and return switch nothing."""
        switches = (record for record in read_journal(self._options.journal or "") if record.get("action") in ("enable", "disable"))
        return {record["id"] for record in journal.disabled_last(switches, PRINCIPAL)}

    def _held(self) -> list[str]:
        """The ids of apps' objects in the snapshot that the task demands, where something is to be brought back."""
        folder = self._options.snapshot
        saved = read_manifest(folder) if folder and self._options.state != "absent" and not self._options.only_there else None
        return list(saved["app_objects"]) if saved else []

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this application: the objects that are there, and those of which `before` tells that they were its own."""
        principals = {key[1] for key, state in self._seen.items() if key[0] == PRINCIPAL and not state["deleted"]}
        for change in begun:
            before = change.before or {}
            ours = before.get("appId") == self._options.client_id or not principals.isdisjoint({before.get("clientId"), before.get("principalId")})
            if (change.key in self._seen or ours) and _is_seen(change, self._seen):
                yield change

    def guard(self, plan: Plan) -> Iterable[Refusal]:
        changes = list(plan.changes)
        if self._options.state == "absent" and not self._there and self._options.journal and not self._is_known():
            return [nothing_known([self._options.client_id], f"The tenant {self._client.identity()['tenant_id']}")]
        return guard_app(changes, self._options.client_id, self._client.identity()["app_id"], self._owner) if changes else []

    def _is_known(self) -> bool:
        """Whether the snapshot holds it, or the journal has its removal: by then not even the deleted one need be there any more."""
        options = self._options
        found = read_manifest(options.kept)
        if found is not None and options.client_id in map(names.uuid, found["apps"]):
            return True
        removed = (record.get("before") or {} for record in read_journal(options.journal or "") if record.get("kind") in self.kinds)
        return any(before.get("appId") == options.client_id for before in removed)

    def lacking(self, manifest: Mapping[str, Any], changes: Iterable[Change]) -> list[str]:
        """A grant is brought back by the journal alone; IIJ ID's app may have been given one since."""
        held = names.uuids(manifest["app_objects"])
        return [f"{c.kind} {c.name} ({c.id})" for c in changes if c.kind in (APPLICATION, PRINCIPAL) and names.uuid(c.id) not in held]

    def apply(self, change: Change) -> dict[str, Any] | None:
        match change.kind, change.action:
            case _, "restore":
                self._client.post(f"/directory/deletedItems/{change.id}/restore", {})
                self._brought_back.add(change.id)
            case "oauth2_permission_grant", _:
                self._client.delete(f"/oauth2PermissionGrants/{change.id}")
            case "app_role_assignment", _:
                self._unassign(change)
            case "service_principal", "delete":
                self._client.delete(f"/servicePrincipals/{change.id}")
            case "application", "delete":
                self._client.delete(f"/applications/{change.id}")
            case _:
                self._switch(change)
        return None

    def _switch(self, change: Change) -> None:
        """What has just been brought back is not found by every replica at once. Whether it ever is, the change itself tells."""
        path = f"/servicePrincipals/{change.id}"
        if change.id in self._brought_back:
            waiting.is_shown(lambda: self._client.find(f"{path}?$select=id") is not None, self._options.verify_timeout)
        self._client.patch(path, dict(change.after or {}))

    def _unassign(self, change: Change) -> None:
        """Graph answers 400, not 404, for an assignment that is gone, say after a first attempt whose answer was lost: microsoft-graph-docs
        issue 12385. So what the list still has decides."""
        path = f"/servicePrincipals/{(change.before or {})['principalId']}/appRoleAssignments"
        try:
            self._client.delete(f"{path}/{change.id}")
        except GraphError as refused:
            if refused.status != 400 or any(item["id"] == change.id for item in self._client.list(path)):
                raise

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        changes = {change.key: change for change in applied}

        def shown(keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
            now = {(item.kind, item.id): item.state for item in self.read()}
            return {key for key in keys if _is_seen(changes[key], now)}

        # One read is enough: no other change of the run builds on these objects, and each read of them is a dozen requests.
        for key in waiting.not_shown(changes, shown, self._options.verify_timeout, agreeing=waiting.ONE_READ, longest_pause=10.0):
            msg = f"Graph accepted it, but after {self._options.verify_timeout} s {changes[key].name} still reads as before"
            yield Outcome(changes[key], "failed", "not_seen", msg)

    def close(self) -> None:
        self._client.close()


def _is_seen(change: Change, seen: Mapping[tuple[str, str], Mapping[str, Any]]) -> bool:
    state = seen.get(change.key)
    if change.after is None:
        return state is None or bool(state.get("deleted"))
    return state is not None and all(state.get(name) == value for name, value in change.after.items())
