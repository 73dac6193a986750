# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records whose time is yet to come, has no zone, or is none: what they say is not believed, and it is said why."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.handover.resource import HandoverLetters
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.kept import info as export_info
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import preconditions
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.people import _late
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.status.info import info

FILES = [{"name": "a", "sha256": hashlib.sha256(b"").hexdigest(), "bytes": 0}]
TENANT = "0b1f3e8a-57a1-4f0c-8a10-aa11d0000001"
SNAPSHOT = {"format": 1, "tenant_id": TENANT, "domains": [], "federated": [], "apps": [], "app_objects": [], "users": [], "counts": {}, "files": FILES}


def after(minutes: int) -> str:
    return f"{datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


BAD = ["9999-12-31T23:59:59Z", "9999-01-01T00:00:00+00:00", "2026-01-01T00:00:00", "2026-01-01", "2026-13-01T00:00:00Z", "yesterday", "", None, 0, True, [], {}]


def damage(folder: Path, kind: str, taken: Any) -> str:
    """The code and the words for a manifest of that time; empty when it is believed."""
    (folder / "snapshot").mkdir(mode=0o700, exist_ok=True)
    (folder / "1").mkdir(mode=0o700, exist_ok=True)
    saved = {"format": 1, "objects": [], "files": FILES}
    export = {"format": 1, "users": 0, "groups": 0, "complete": False, "content_sha256": "a", "files": FILES}
    path, content, read = {
        "snapshot": ("snapshot/manifest.json", SNAPSHOT, lambda: preconditions.read_manifest(str(folder / "snapshot"))),
        "saved": ("snapshot/directory.yml.json", saved, lambda: preconditions.read_saved(str(folder / "snapshot/directory.yml"))),
        "export": ("1/manifest.json", export, lambda: export_info({"path": str(folder), "journal": None, "vault_password": None, "vault_password_file": None})),
    }[kind]
    (folder / path).write_text(json.dumps({**content, "taken": taken}))
    try:
        assert read()
    except OffboardError as exc:
        return f"{exc.code}: {exc.msg}"
    return ""


@pytest.mark.parametrize("kind", ["snapshot", "saved", "export"])
@pytest.mark.parametrize("taken", [*BAD, "TOMORROW", "SOON"], ids=str)
def test_a_manifest_of_a_wrong_time(tmp_path: Path, kind: str, taken: Any) -> None:
    given = {"TOMORROW": after(24 * 60), "SOON": after(9)}.get(taken, taken) if isinstance(taken, str) else taken
    told = damage(tmp_path, kind, given)
    code = "export_damaged" if kind == "export" else "snapshot_damaged"
    words = "yet to come" if taken in ("9999-12-31T23:59:59Z", "TOMORROW", "SOON") else "its time is none"
    assert told.startswith(code) and words in told, told


@pytest.mark.parametrize("kind", ["snapshot", "saved", "export"])
def test_clocks_differ_by_minutes(tmp_path: Path, kind: str) -> None:
    assert damage(tmp_path, kind, after(3)) == "" and damage(tmp_path, kind, "2026-01-01T00:00:00Z") == ""


def test_status_believes_no_verdict_of_tomorrow(tmp_path: Path) -> None:
    verdict = {"tenant_id": TENANT, "domains": [], "client_id": "", "evidence_hours": 0, "activity_count": 0, "open": True, "reasons": []}
    (tmp_path / "run").mkdir(mode=0o700)
    params = {
        "run_dir": str(tmp_path / "run"), "run_tenant_id": None, "summary": False, "stage": "", "in_awx": False, "in_workflow": False, "language": "en",
        "left_out": None, "also_tell": [], "plan_hash": "",
    }  # fmt: skip

    def state(at: str) -> str:
        (tmp_path / "run/gate.json").write_text(json.dumps({**verdict, "at": at}))
        return next(stage["state"] for stage in info(params)["stages"] if stage["stage"] == "gate")

    assert (state("2026-01-01T00:00:00Z"), state("9999-01-01T00:00:00Z")) == ("recorded", "stopped")


@pytest.mark.parametrize(("at", "has"), [("2026-02-01T00:00:00Z", True), ("TOMORROW", False), *((at, False) for at in BAD)], ids=str)
def test_a_letter_that_was_given_in_the_future_was_not_given(tmp_path: Path, at: Any, has: bool) -> None:
    """Whoever has got theirs gets no other one: nobody would have told them their password."""
    at = after(24 * 60) if at == "TOMORROW" else at
    (tmp_path / "given.jsonl").write_text(json.dumps({"id": "U1", "userPrincipalName": "u", "at": at, "by": "a"}) + "\n")
    given: dict[str, Any] = dict.fromkeys(("people_file", "departments", "managers", "folder", "journal", "by"))
    letters = HandoverLetters({**given, "state": "present", "split_by": "none", "given_file": str(tmp_path / "given.jsonl"), "folder": str(tmp_path)})
    assert letters._has_theirs("u1") is has


@pytest.mark.parametrize(("last", "late"), [("2026-01-02T00:00:00Z", False), ("2026-01-02T00:04:00Z", False), ("9999-01-01T00:00:00Z", True), (None, True)])
def test_a_synchronization_of_the_future_is_none(last: str | None, late: bool) -> None:
    assert _late(last, "2026-01-02T00:00:00Z") is late
