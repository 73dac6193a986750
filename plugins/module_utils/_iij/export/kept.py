# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which exports there are: by their manifests, which are encrypted, or without the password by what the journal recorded of them."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..._core import journal, strict_json
from ..._core.errors import OffboardError
from ..._core.times import past
from ..._module.files import check_run_file, read_lines, read_whole
from ..._module.vault_password import decrypt_file
from .options import InfoOptions
from .plan import KIND

MANIFEST = "manifest.json"
#: what the journal records of an export, beside its folder and the SHA-256 of its files; nobody's data are among it
RECORDED = ("taken", "users", "groups", "groups_cut", "groups_not_checked", "complete", "content_sha256")
#: as `plan.files` calls them, and the manifest; what somebody has put beside them is no part of the export
_FILES = re.compile(r"manifest\.json|service\.json|(users|groups)(-\d+)?\.jsonl|users(-\d+)?\.csv")
_ENCRYPTED = b"$ANSIBLE_VAULT;"
_OUTCOME = b'"record":"outcome"'

Password = Callable[[], bytes | None]  # pylint: disable=unsupported-binary-operation


def exports(path: str, password: Password = lambda: None, journal_file: str | None = None) -> tuple[list[dict[str, Any]], list[str]]:
    """Those below the folder, oldest first, each with its `folder`; and the folders of which nothing can be said, for want of a password and a record.

    Manifests of versions before 1.1 are not encrypted. Raises OffboardError `file_read_failed`, `run_folder_unsafe`, `export_damaged`, and those of a vault.
    """
    check_run_file(os.path.join(path, MANIFEST))
    try:
        folders = sorted(entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return [], []
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
    found, unknown = [], []
    records = _recorded(journal_file) if journal_file else {}
    for folder in folders:
        path = os.path.join(folder, MANIFEST)
        check_run_file(path)
        if (content := read_whole(path)) is None:
            continue
        if not content.startswith(_ENCRYPTED):
            found.append({**_manifest(folder, content), "folder": folder})
        elif (record := records.get(os.path.basename(folder))) is not None:
            found.append({**record, "folder": folder})
        elif (given := password()) is not None:
            found.append({**_manifest(folder, decrypt_file(path, given) or b""), "folder": folder})
        else:
            unknown.append(folder)
    return found, unknown


def _manifest(folder: str, content: bytes) -> dict[str, Any]:
    try:
        found = strict_json.loads(content)
        if not isinstance(found, dict) or found.get("format") != 1 or not isinstance(found.get("files"), list) or not found["files"]:
            raise ValueError
        if not all(isinstance(one, dict) and isinstance(one.get("name"), str) and os.path.basename(one["name"]) == one["name"] for one in found["files"]):
            raise ValueError
        _check(found)
    except ValueError as exc:
        why = "" if isinstance(exc, (json.JSONDecodeError, UnicodeDecodeError)) or not str(exc) else f": {exc}"
        path = os.path.join(folder, MANIFEST)
        raise OffboardError(f"{path} is no manifest of an export{why}. Move its folder away, and export again.", code="export_damaged") from None
    return dict(found)


def _check(found: Mapping[str, Any]) -> None:
    """Raises ValueError."""
    past(found.get("taken"), datetime.datetime.now(datetime.UTC))  # or it would be the newest for ever
    numbers = all(isinstance(found.get(name), int) and not isinstance(found.get(name), bool) for name in ("users", "groups"))
    if not numbers or not isinstance(found.get("complete"), bool) or not isinstance(found.get("content_sha256"), str):
        raise ValueError


def _recorded(path: str) -> dict[str, dict[str, Any]]:
    """What the journal has of exports, by the names of their folders: the run folder may have been moved since. Half a record is none."""
    check_run_file(path)
    found: dict[str, dict[str, Any]] = {}
    for record in journal.known(_decoded(read_lines(path))):
        details = record.get("details") or {}
        if record["kind"] != KIND or not isinstance(details.get("folder"), str) or not isinstance(details.get("sealed_sha256"), str):
            continue
        with contextlib.suppress(ValueError):
            _check(details)
            found[os.path.basename(details["folder"])] = {name: details.get(name) for name in (*RECORDED, "sealed_sha256")}
    return found


def _decoded(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    """The outcomes of exports alone: decoding 100,000 lines takes a second."""
    for line in lines:
        if _OUTCOME in line and KIND.encode() in line:
            with contextlib.suppress(ValueError, RecursionError):
                record = json.loads(line.decode())
                if isinstance(record, dict):
                    yield record


def sealed(entries: Iterable[Mapping[str, Any]]) -> str:
    """One SHA-256 of an export's files, by `name` and `sha256` of each as they lie on the disk."""
    return hashlib.sha256("".join(sorted(f"{entry['name']}\0{entry['sha256']}\n" for entry in entries)).encode()).hexdigest()


def check_files(export: Mapping[str, Any]) -> None:
    """Whether the files are as they were written. Raises OffboardError `export_damaged`."""
    folder = export["folder"]
    if "files" in export:
        for entry in export["files"]:
            if _digest(os.path.join(folder, entry["name"])) != entry.get("sha256"):
                raise _damaged(f"{os.path.join(folder, entry['name'])} is not the file that was written")
    elif sealed({"name": name, "sha256": _digest(os.path.join(folder, name))} for name in _names(folder)) != export["sealed_sha256"]:
        raise _damaged(f"what lies in {folder} is not what was written")


def _names(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if _FILES.fullmatch(name)]
    except OSError as exc:
        raise _damaged(f"cannot read {folder}: {exc.strerror or exc}") from None


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as exc:
        raise _damaged(f"cannot read {path}: {exc.strerror or exc}") from None


def _damaged(why: str) -> OffboardError:
    return OffboardError(f"The export is damaged: {why}. Move its folder away, and export again.", code="export_damaged")


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The exports below the folder, oldest first, and the newest complete one whose files are all as they were written."""
    options = InfoOptions.of(params)
    found, unknown = exports(options.path, options.vault_password or (lambda: None), options.journal)
    latest = next((export for export in reversed(found) if export["complete"]), None)
    if latest is not None:
        check_files(latest)
    return {"exports": found, "latest": latest, "not_known": unknown}
