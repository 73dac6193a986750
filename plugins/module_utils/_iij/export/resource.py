# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iij_id_export: users and groups of IIJ ID in encrypted files, each export in a folder of its own, the manifest last."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from ..._core import vault
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.clock import now
from ..._module.files import write_atomically
from ..._module.progress import Progress
from ..._module.runner import Resource
from ..._module.vault_password import decrypt_file
from ..scim import Scim
from . import pages
from .attributes import attribute
from .kept import MANIFEST, RECORDED, check_files, exports, sealed
from .options import Options
from .plan import KIND, ExportedLists, digest, files, incomplete, plan
from .store import Resources

#: what a service may answer that does not show a group alone, or does not describe itself; without that nobody is missing from its lists
_NOT_SHOWN = ("permission_missing", "http_status", "no_json")
_NOT_SAID = (*_NOT_SHOWN, "server_error", "redirect_refused")
_STATE = ("users", "groups", "complete", "content_sha256")


class Export(Resource):
    """One object: the newest export below the folder."""

    noun: ClassVar[str] = "exports"
    in_run_folder = True
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = options = Options.of(params)
        self._path = options.path
        self._password = options.vault_password()
        self._scim = Scim(
            options.scim_url,
            options.access_token,
            ca_file=options.ca_file,
            timeout=options.timeout,
            pause_ms=options.pause_ms,
            max_wait_seconds=options.max_wait_seconds,
        )
        self._found = ExportedLists(Resources(), Resources())
        #: SHA-256 of what was written, by the name of its file
        self._written: dict[str, str] = {}
        self._folder = ""

    def read(self) -> Iterable[Object]:
        """The newest export that is whole on the disk, after a look whether the password opens it."""
        if made := self._exports():
            newest = made[-1]
            check_files(newest)
            decrypt_file(os.path.join(newest["folder"], newest["files"][0]["name"]), self._password)
            yield Object(KIND, self._path, "IIJ ID", {name: newest[name] for name in _STATE})

    def plan(self, current: Iterable[Object]) -> Plan:
        """Read the service, and compare."""
        self._found = found = self._read_service()
        made = plan(current, self._path, found, digest(files(found)))
        made.facts = {"users": len(found.users), "groups": len(found.groups), **_doubts(found), "complete": not found.incomplete}
        return made

    def _read_service(self) -> ExportedLists:
        service = {name: self._said(f"/{name}") for name in ("ServiceProviderConfig", "Schemas", "ResourceTypes")}
        how, attempts = pages.ways(service["ServiceProviderConfig"], self._options.page_size, self._options.max_resources), self._options.attempts
        users, groups = Resources(), Resources()
        read = {name: self._everything(name, into, how, attempts) for name, into in (("users", users), ("groups", groups))}
        doubtful = pages.memberships(users.each(), groups.each())
        progress, gone = Progress(self._options.progress_file, "groups read one by one", len({*doubtful.empty, *doubtful.lacking})), False
        for identity in sorted({*doubtful.empty, *doubtful.lacking}):
            one = self._said(f"/Groups/{quote(identity, safe='')}")
            gone = gone or one is None
            if one is not None and attribute(one, "id") == identity:
                groups.put(one)
            progress.add()
        lacking = [name for name, whole in (("users", read["users"]), ("groups", read["groups"] and not gone)) if not whole]
        left = pages.memberships(users.each(), groups.each())
        return ExportedLists(users, groups, service, tuple(lacking), left.lacking, tuple(groups) if left.unsaid else ())

    def _everything(self, name: str, into: Resources, how: pages.Ways, attempts: int) -> bool:
        progress = Progress(self._options.progress_file, name, None)
        return pages.everything(self._scim.get, f"/{name.capitalize()}", how, attempts, into, progress.add).whole

    def _said(self, path: str) -> dict[str, Any] | None:
        """What the service says there; None where it has nothing. It need not describe itself, nor show a group alone, of which the list is what there is."""
        try:
            return self._scim.get(path)
        except OffboardError as exc:
            if exc.code == "not_found" or (exc.code in _NOT_SAID and path.count("/") == 1):
                return None
            if exc.code in _NOT_SHOWN:
                return {}
            raise

    def _exports(self) -> list[dict[str, Any]]:
        return exports(self._path, lambda: self._password)[0]

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        there = {export["content_sha256"] for export in self._exports()}
        return [change for change in begun if (change.after or {}).get("content_sha256") in there]

    def apply(self, change: Change) -> dict[str, Any] | None:
        """Files first, manifest last: without a manifest there is no export. What a killed run left is in nobody's way, and not taken for one."""
        taken = now()
        self._folder = self._new_folder(taken)
        entries = [self._write(name, plain) for name, plain in files(self._found)]
        manifest = {
            "format": 1,
            "taken": taken,
            "service": self._options.scim_url,
            **(change.after or {}),
            **_doubts(self._found),
            "files": entries,
        }
        written = [*entries, self._write(MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())]
        # for the journal: what the gates are told without the password
        record = {"folder": self._folder, **{name: manifest[name] for name in RECORDED}, "sealed_sha256": sealed(written)}
        if self._found.incomplete:
            raise incomplete(self._found, f"What was read is in {self._folder}, marked as not complete.", record)
        return record

    def _write(self, name: str, plain: bytes) -> dict[str, Any]:
        """One encrypted file, and what the manifest says of it."""
        content = vault.encrypt(plain, self._password, os.urandom(32))
        write_atomically(os.path.join(self._folder, name), content, overwrite=False)
        self._written[name] = hashlib.sha256(plain).hexdigest()
        return {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}

    def _new_folder(self, taken: str) -> str:
        """One that is not there yet: what a killed run left in it belongs to no other export."""
        name = os.path.join(self._path, taken.replace(":", "").replace("-", ""))
        return next(folder for folder in (name, *(f"{name}-{number}" for number in range(2, 100))) if not os.path.lexists(folder))

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Every file is read back and opened."""
        for change in applied:
            try:
                opened = {name: self._opened(name) for name in self._written}
            except OffboardError as exc:
                yield Outcome(change, "failed", "not_seen", exc.msg)
                continue
            if opened != self._written or not any(export["folder"] == self._folder for export in self._exports()):
                yield Outcome(change, "failed", "not_seen", f"{self._folder} does not hold what was written")

    def _opened(self, name: str) -> str:
        return hashlib.sha256(decrypt_file(os.path.join(self._folder, name), self._password) or b"").hexdigest()

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {**plan.facts, "folder": self._folder or None}


def _doubts(found: ExportedLists) -> dict[str, int]:
    return {"groups_cut": len(found.cut), "groups_not_checked": len(found.unchecked)}
