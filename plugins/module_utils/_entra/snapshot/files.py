# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a snapshot: each an Ansible Vault file, the manifest last. Names and formats, for the writer and the readers."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ..._core import names, vault
from ..._core.errors import OffboardError
from ..._core.manifest import NAME as MANIFEST
from ..._module.files import write_atomically
from ..._module.vault_password import decrypt_file
from ..._offboarding.preconditions import check_files, check_tenant, read_manifest

DOMAINS, LICENCES, APPS = "domains.yml", "licences.yml", "apps.yml"
#: the ids of all users in the snapshot, one a line
USER_IDS = "user-ids.txt"

#: Users in one file; bounds the memory of who writes and reads.
USERS_PER_FILE = 5000


def users_file(number: int) -> str:
    """The name of the file with this number, from 1."""
    return f"users-{number:05d}.jsonl"


def write_encrypted(folder: str, name: str, plain: bytes, password: bytes) -> dict[str, Any]:
    """Write one file of the snapshot; its entry in the manifest. Raises OffboardError `file_write_failed`."""
    content = vault.encrypt(plain, password, os.urandom(32))
    write_atomically(os.path.join(folder, name), content)
    return {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def read_snapshot_users(path: str, password: bytes, owner: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The users of a snapshot folder, or of one of its files.

    owner: the tenant that the snapshot must be of. Raises OffboardError `snapshot_missing`, `snapshot_damaged` or `other_run_folder`.
    """
    folder = path if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))
    manifest = read_manifest(folder)
    if manifest is not None:
        check_tenant(folder, manifest, owner)
    if folder == path:
        if manifest is None:
            raise OffboardError(f"{path} holds no complete snapshot ({MANIFEST} is missing)", code="snapshot_missing")
        check_files(path, manifest["files"])
        files = sorted(glob.glob(os.path.join(glob.escape(path), "users-*.jsonl")))
    else:
        files = [path]
    for file in files:
        content = decrypt_file(file, password)
        if content is None:
            raise OffboardError(f"there is no snapshot at {file}", code="snapshot_missing")
        for line in content.split(b"\n"):
            if line:
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError):
                    record = None
                if not isinstance(record, dict) or not isinstance(record.get("id"), str):
                    raise OffboardError(f"{file} is no snapshot of users: a line of it is not one", code="snapshot_damaged")
                yield record


def read_user_ids(folder: str, password: bytes) -> list[str]:
    """The ids of all users in a snapshot, in lower case. Raises OffboardError `snapshot_damaged`."""
    content = decrypt_file(os.path.join(folder, USER_IDS), password)
    if content is None:
        raise OffboardError(f"The snapshot {folder} is damaged: {USER_IDS} is missing. Restore it from a backup.", code="snapshot_damaged")
    return list(map(names.uuid, content.decode().split()))
