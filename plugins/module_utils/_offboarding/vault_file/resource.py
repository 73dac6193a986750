# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the run folder that are encrypted with Ansible Vault."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any, ClassVar

from ..._core import vault
from ..._core.errors import OffboardError
from ..._core.manifest import further
from ..._core.model import Change, Object, Outcome
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module import binding
from ..._module.clock import now
from ..._module.files import write_atomically
from ..._module.runner import Resource
from ..._module.vault_password import decrypt_file, vault_password
from .. import phrases
from ..preconditions import check_owner, read_saved

KIND = "vault_file"


def _bound(journal: str | None) -> dict[str, str]:
    """The tenant of the run folder, where that is known already."""
    return {name: value for name, value in binding.check(journal, {}).items() if name == "tenant_id"} if journal else {}


class VaultFile(Resource):
    """One encrypted file that is written once. An existing one is kept, after a look whether the password opens it.

    With `holds`, a manifest beside it says in clear what it holds; what an existing one does not hold goes into a further file.
    """

    noun: ClassVar[str] = "files"
    in_run_folder = True
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: dict[str, Any]) -> None:
        self._path: str = os.path.abspath(params["path"])
        self._content: bytes = params["content"].encode()
        self._password = vault_password(params)
        self._holds: dict[str, Any] | None = params.get("holds")
        self._of_run = {**_bound(params.get("journal")), **binding.tenant(params.get("run_tenant_id"))}

    def read(self) -> Iterable[Object]:
        """The file and those that were added to it, if they are there and can be opened."""
        for path in further(self._path):
            if decrypt_file(path, self._password) is None:
                return
            found = read_saved(path) if self._holds else None
            if found is not None:
                check_owner(path, found, self._of_run | {name: value for name, value in (self._holds or {}).items() if name != "objects" and value})
            yield Object(KIND, path, os.path.basename(path), {"exists": True, "objects": found["objects"] if found else None})
            if not self._holds:
                return

    def plan(self, current: Iterable[Object]) -> Plan:
        """Create it, or a further one, or nothing."""
        found = {item.id: item for item in current}  # in check mode the files of earlier tasks are among them
        there = [found[path] for path in takewhile(found.__contains__, further(self._path))]
        held = {item.casefold() for one in there for item in one.state.get("objects") or ()}
        known = not self._holds or any(one.state.get("objects") is not None for one in there)
        if there and known and {item.casefold() for item in (self._holds or {}).get("objects") or ()} <= held:
            return Plan(unchanged=1)
        taken = {one.id for one in there}
        self._path = next(path for path in further(self._path) if path not in taken)
        after = {"exists": True, "content": f"(encrypted, {len(self._content)} bytes)"}
        return Plan(
            changes=Spool([Change(KIND, self._path, os.path.basename(self._path), "create", None, after, undo=phrases.english("undo_file", path=self._path))])
        )

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        return [change for change in begun if change.id == self._path and os.path.exists(self._path)]

    def apply(self, change: Change) -> dict[str, Any] | None:
        content = vault.encrypt(self._content, self._password, os.urandom(32))
        if self._holds:  # first, so that a file of which nobody knows what it holds is never there
            entry = {"name": os.path.basename(self._path), "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            holds = {name: value for name, value in self._holds.items() if value} | {"objects": self._holds["objects"]}
            manifest = {"format": 1, "taken": now(), **self._of_run, **holds, "files": [entry]}
            write_atomically(f"{self._path}.json", (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode())
        write_atomically(self._path, content, overwrite=False)
        return None

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Read back and decrypt."""
        for change in applied:
            if decrypt_file(self._path, self._password) != self._content:
                yield Outcome(change, "failed", "not_seen", f"{self._path} does not hold what was written")


def info(params: dict[str, Any]) -> dict[str, Any]:
    """The plain contents by path. Raises OffboardError `file_missing`."""
    password = vault_password(params)
    contents = {}
    for path in params["paths"]:
        plain = decrypt_file(path, password)
        if plain is None:
            raise OffboardError(f"There is no file {path}.", code="file_missing", details={"path": path})
        try:
            contents[path] = plain.decode()
        except UnicodeDecodeError:
            raise OffboardError(f"{path} holds no text in UTF-8", code="not_text") from None
    return {"contents": contents}
