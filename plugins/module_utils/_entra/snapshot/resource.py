# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot of what later stages may touch: written once, encrypted, complete or not there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar

from ..._core import names
from ..._core.errors import OffboardError
from ..._core.manifest import NAME as MANIFEST
from ..._core.model import Change, Object, Outcome
from ..._core.plain import to_json
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module.clock import now
from ..._module.files import write_atomically
from ..._module.vault_password import decrypt_file, yaml_item
from ..._offboarding.preconditions import check_files, check_not_lost, check_tenant, read_manifest
from ..apps.plan import APPLICATION, PRINCIPAL
from ..apps.read import read_app
from ..domains.read import read_domains
from ..of_tenant import OfTenant
from ..provisioning.info import census_of, check_met
from ..provisioning.plan import Census
from .files import APPS, DOMAINS, LICENCES, USER_IDS, USERS_PER_FILE, users_file, write_encrypted
from .options import Options
from .plan import KIND, USER_FIELDS, check_known, check_usual, holds, is_held, plan_snapshot, saved, state_of, user_record, works


class Snapshot(OfTenant):
    noun = "snapshots"
    in_run_folder = True
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        self._path = self._options.path
        self._password = self._options.vault_password()
        self._client = Client(Connection.from_params(params))

    def read(self) -> Iterable[Object]:
        manifest = read_manifest(self._path)
        if manifest is None:
            check_not_lost(self._options.journal, KIND, self._path, is_held)
            return
        check_tenant(self._path, manifest, self.owner())
        check_files(self._path, manifest["files"])
        decrypt_file(os.path.join(self._path, LICENCES), self._password)  # a wrong password shows now, not on the day of need
        yield Object(KIND, self._path, os.path.basename(self._path), state_of(self._path, manifest))

    def plan(self, current: Iterable[Object]) -> Plan:
        return plan_snapshot(self._path, current, self._options.domains, self._options.client_ids)

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        return [change for change in begun if change.id == self._path and read_manifest(self._path) is not None]

    def apply(self, change: Change) -> dict[str, Any]:
        """Files first, manifest last: without a manifest there is no snapshot, and a rerun after a kill starts afresh."""
        taken = now()
        files, counts = [], {}
        domains, apps = self._domains(), self._apps()
        for name, rows in ((DOMAINS, domains), (LICENCES, list(self._client.list("/subscribedSkus"))), (APPS, apps)):
            files.append(write_encrypted(self._path, name, _yaml(name, rows), self._password))
            counts[name.partition(".")[0]] = len(rows)
        counts["users"] = 0
        census = census_of(self._options.census) if self._options.max_blocked_percent is not None else None
        users = self._users(census)
        number, ids = 0, bytearray()
        while part := list(islice(users, USERS_PER_FILE)):
            number += 1
            plain = b"".join(to_json(record, separators=(",", ":")).encode() + b"\n" for record in part)
            files.append(write_encrypted(self._path, users_file(number), plain, self._password))
            counts["users"] += len(part)
            ids += b"".join(record["id"].encode() + b"\n" for record in part)
        files.append(write_encrypted(self._path, USER_IDS, bytes(ids), self._password))
        if census is not None:
            self._check_people(census)
        kept = {
            **saved(self._options.domains, self._options.client_ids),
            "domains": [item["id"] for item in domains],
            "federated": [item["id"] for item in domains if item["federationConfiguration"]],
            "app_objects": [found["id"] for app in apps for found in app["objects"] if found["kind"] in (APPLICATION, PRINCIPAL)],
        }
        manifest = {"format": 1, "taken": taken, **self.owner(), "organization": self._organization(), "counts": counts, **kept, "files": files}
        write_atomically(os.path.join(self._path, MANIFEST), json.dumps(manifest, indent=2).encode() + b"\n", overwrite=False)
        return {"counts": counts}

    def _organization(self) -> str:
        """What the company is called, for the report's title; empty where the tool may not read it."""
        try:
            return next((str(item["displayName"] or "") for item in self._client.list("/organization?$select=id,displayName")), "")
        except OffboardError as exc:
            if exc.code != "permission_missing":
                raise
            return ""

    def _domains(self) -> list[dict[str, Any]]:
        found = [{"id": item.id, **item.state} for item in read_domains(self._client)]
        check_known(self._options.domains, (item["id"] for item in found))
        return found

    def _apps(self) -> list[dict[str, Any]]:
        rows = []
        for client_id in self._options.client_ids:
            found = [{"kind": item.kind, "id": item.id, "name": item.name, **item.state} for item in read_app(self._client, names.uuid(client_id))]
            if not found:
                raise OffboardError(f"the tenant has no application with the client id {client_id}", code="not_found")
            rows.append({"client_id": client_id, "objects": found})
        return rows

    def _check_people(self, census: Census) -> None:
        """Raises OffboardError `mostly_blocked` or `not_found`; then there is no manifest, so no snapshot."""
        check_met(self._options.census, census)
        if self._options.max_blocked_percent is not None:
            check_usual(census.unusual(self._options.max_blocked_percent))

    def _users(self, census: Census | None) -> Iterator[dict[str, Any]]:
        """The users of the domains; a name may have been renamed since it was typed, so case does not matter."""
        kept = saved(self._options.domains, ())
        for item in self._client.list(f"/users?$select={USER_FIELDS}&$top=999"):
            if holds(kept, item["userPrincipalName"]):
                if census is not None:
                    states = item.get("licenseAssignmentStates") or ()
                    census.add(item["id"], item["userPrincipalName"], enabled=bool(item["accountEnabled"]), licensed=any(works(one) for one in states))
                yield user_record(item)

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Every file is read back and opened."""
        for change in applied:
            try:
                manifest = read_manifest(self._path) or {"files": []}
                check_files(self._path, manifest["files"])
                for entry in manifest["files"]:
                    decrypt_file(os.path.join(self._path, entry["name"]), self._password)
            except OffboardError as exc:
                yield Outcome(change, "failed", "not_seen", exc.msg)

    def facts(self, plan: Plan) -> dict[str, Any]:
        manifest = read_manifest(self._path)
        return {"path": self._path, "taken": manifest and manifest["taken"], "contents": manifest and manifest["counts"]}

    def close(self) -> None:
        self._client.close()


def _yaml(name: str, rows: list[dict[str, Any]]) -> bytes:
    """YAML without PyYAML, which is not needed to write it."""
    key = name.partition(".")[0].encode()
    return b"---\n" + key + (b":\n" + b"".join(map(yaml_item, rows)) if rows else b": []\n")
