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
from ..._module.vault_password import decrypt_file
from ..preconditions import check_not_lost, check_owner, read_saved
from .options import InfoOptions, Options
from .plan import KIND, is_held, plan_file


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
        self._options = options = Options.of(params)
        self._password = options.vault_password()
        self._of_run = {**_bound(options.journal), **binding.tenant(options.run_tenant_id)}

    def _paths(self) -> Iterable[str]:
        return further(self._options.path)

    def read(self) -> Iterable[Object]:
        """The file and those that were added to it, if they are there and can be opened."""
        for path in self._paths():
            if decrypt_file(path, self._password) is None:
                return
            found = read_saved(path) if self._options.holds else None
            if found is not None:
                check_owner(path, found, self._of_run | {name: value for name, value in (self._options.holds or {}).items() if name != "objects" and value})
            yield Object(KIND, path, os.path.basename(path), {"exists": True, "objects": found["objects"] if found else None})
            if not self._options.holds:
                return

    def plan(self, current: Iterable[Object]) -> Plan:
        options = self._options
        plan = plan_file(current, self._paths, options.holds, len(options.content))
        if holds := options.holds:
            for change in plan.changes:
                check_not_lost(options.journal, KIND, change.id, is_held(holds))
        return plan

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        return [change for change in begun if change.id in takewhile(os.path.exists, self._paths())]

    def apply(self, change: Change) -> dict[str, Any] | None:
        content = vault.encrypt(self._options.content, self._password, os.urandom(32))
        if holds := self._options.holds:  # first, so that a file of which nobody knows what it holds is never there
            entry = {"name": change.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            told = {name: value for name, value in holds.items() if value} | {"objects": holds["objects"]}
            manifest = {"format": 1, "taken": now(), **self._of_run, **told, "files": [entry]}
            write_atomically(f"{change.id}.json", (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode())
        write_atomically(change.id, content, overwrite=False)
        return None

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Read back and decrypt."""
        for change in applied:
            if decrypt_file(change.id, self._password) != self._options.content:
                yield Outcome(change, "failed", "not_seen", f"{change.id} does not hold what was written")


def info(params: dict[str, Any]) -> dict[str, Any]:
    """The plain contents by path. Raises OffboardError `file_missing`."""
    options = InfoOptions.of(params)
    password, contents = options.vault_password(), {}
    for path in options.paths:
        plain = decrypt_file(path, password)
        if plain is None:
            raise OffboardError(f"There is no file {path}.", code="file_missing", details={"path": path})
        try:
            contents[path] = plain.decode()
        except UnicodeDecodeError:
            raise OffboardError(f"{path} holds no text in UTF-8", code="not_text") from None
    return {"contents": contents}
