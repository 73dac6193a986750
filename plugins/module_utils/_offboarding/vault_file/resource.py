# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the run folder that are encrypted with Ansible Vault."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ..._core import vault
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.files import write_atomically
from ..._module.runner import Resource
from ..._module.vault_password import decrypt_file, vault_password

KIND = "vault_file"


class VaultFile(Resource):
    """One encrypted file that is written once. An existing one is kept, after a look whether the password opens it."""

    noun: ClassVar[str] = "files"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: dict[str, Any]) -> None:
        self._path: str = os.path.abspath(params["path"])
        self._content: bytes = params["content"].encode()
        self._password = vault_password(params)

    def read(self) -> Iterable[Object]:
        """The file, if it is there and can be opened."""
        if decrypt_file(self._path, self._password) is not None:
            yield Object(KIND, self._path, os.path.basename(self._path), {"exists": True})

    def plan(self, current: Iterable[Object]) -> Plan:
        """Create it, or nothing."""
        if any(item.id == self._path for item in current):  # in check mode the files of earlier tasks are among them
            return Plan(unchanged=1)
        after = {"exists": True, "content": f"(encrypted, {len(self._content)} bytes)"}
        return Plan(changes=Spool([Change(KIND, self._path, os.path.basename(self._path), "create", None, after, undo=f"delete {self._path}")]))

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        return [change for change in begun if change.id == self._path and os.path.exists(self._path)]

    def apply(self, change: Change) -> dict[str, Any] | None:
        """Encrypt and write."""
        write_atomically(self._path, vault.encrypt(self._content, self._password, os.urandom(32)), overwrite=False)
        return None

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Read back and decrypt."""
        for change in applied:
            if decrypt_file(self._path, self._password) != self._content:
                yield Outcome(change, "failed", "not_seen", f"{self._path} does not hold what was written")


def vault_file_info(params: dict[str, Any]) -> dict[str, Any]:
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
