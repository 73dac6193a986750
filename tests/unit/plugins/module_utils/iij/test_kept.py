# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of exports, whose manifests are encrypted: with the vault's password, and without it by the journal."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export import kept, resource
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.plan import ExportedLists
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.store import Resources
from ansible_collections.offboard.iij_id.plugins.module_utils._module.runner import _Failed, _Run
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import preconditions

PASSWORD = "vault-password"
COUNTS = {"users": 2, "groups": 1, "groups_cut": 0, "groups_not_checked": 1, "complete": True}


class Module:
    """The part of AnsibleModule that the runner uses."""

    check_mode, _diff = False, False

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params

    def warn(self, text: str) -> None:
        """Nobody listens."""


def found(*users: str, incomplete: tuple[str, ...] = ()) -> ExportedLists:
    resources = [Resources({name: {"id": name} for name in names}) for names in (users, ("g",))]
    return ExportedLists(resources[0], resources[1], {}, incomplete, unchecked=("g",))


def params_of(folder: Path) -> dict[str, Any]:
    return {
        "path": str(folder / "export"), "journal": str(folder / "journal.jsonl"), "vault_password": PASSWORD, "vault_password_file": None, "page_size": 1,
        "max_resources": 1000,
        "scim_url": "https://scim.example", "access_token": "t", "ca_file": None, "timeout": 1, "pause_ms": 0, "max_wait_seconds": 1, "max_changes": 20,
        "attempts": 1, "progress_file": None,
    }  # fmt: skip


def export(folder: Path, given: ExportedLists, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(resource.Export, "_read_service", lambda self: given)
    params = params_of(folder)
    return _Run(Module(params), resource.Export(params), preconditions.demand).run()  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["unauthorized", "redirect_refused", "throttled", "server_error"])
@pytest.mark.parametrize("where", ["/Users", "/Groups", "/Groups/g"])
def test_what_ends_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, code: str) -> None:
    """A token that ends after the first page, or while groups whose members were left out are read one by one."""
    asked: list[str] = []

    def get(_self: Any, path: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
        asked.append(path)
        if path == where and (path.count("/") == 2 or (query or {}).get("startIndex", 1) > 1):
            raise OffboardError("no", code=code)
        start = (query or {}).get("startIndex", 1)
        return {"totalResults": 2, "Resources": [{"id": f"{'u' if path == '/Users' else 'g'}{start}"[: 2 if start > 1 else 1]}]} if query else {}

    monkeypatch.setattr(resource.Scim, "get", get)
    with pytest.raises(OffboardError) as caught:
        _Run(Module(params_of(tmp_path)), resource.Export(params_of(tmp_path)), preconditions.demand).run()  # type: ignore[arg-type]
    assert caught.value.code == code and asked[-1] == where and not (tmp_path / "export").exists()


def info(folder: Path, password: str | None = None, journal: bool = True) -> dict[str, Any]:
    given = {"vault_password": password, "vault_password_file": None}
    return kept.info({"path": str(folder / "export"), "journal": str(folder / "journal.jsonl") if journal else None, **given})


def test_the_manifest_is_encrypted_and_the_gate_is_told_without_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(export(tmp_path, found("taro@reiji.example", "b"), monkeypatch)["folder"])
    assert all(path.read_bytes().startswith(b"$ANSIBLE_VAULT;") for path in folder.iterdir())
    manifest = json.loads(vault.decrypt((folder / "manifest.json").read_bytes(), PASSWORD.encode()))
    assert {entry["name"] for entry in manifest["files"]} == {path.name for path in folder.iterdir()} - {"manifest.json"}
    assert "taro" not in (tmp_path / "journal.jsonl").read_text()
    recorded, opened = info(tmp_path), info(tmp_path, PASSWORD, journal=False)
    for told in (recorded, opened):
        assert {name: told["latest"][name] for name in COUNTS} == COUNTS and told["latest"]["folder"] == str(folder) and told["not_known"] == []
    assert recorded["latest"]["taken"] == opened["latest"]["taken"] == manifest["taken"] and opened["latest"]["files"] == manifest["files"]
    # the run folder may have been moved, and things may lie beside the files
    (folder / "users.csv.txt").write_text("opened by hand")
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    tmp_path.rename(moved)
    assert info(moved)["latest"]["users"] == 2
    moved.rename(tmp_path)
    # of an export that nothing is known of nothing is said, and with a wrong password neither
    assert info(tmp_path, journal=False) == {"exports": [], "latest": None, "not_known": [str(folder)]}
    with pytest.raises(OffboardError) as caught:
        info(tmp_path, "another", journal=False)
    assert caught.value.code == "vault_wrong_password" and str(folder) in caught.value.msg
    assert not export(tmp_path, found("taro@reiji.example", "b"), monkeypatch)["changed"]


@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("name", ["users.jsonl", "manifest.json"])
def test_damage_is_seen_without_the_password_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, password: str | None) -> None:
    folder = Path(export(tmp_path, found("a"), monkeypatch)["folder"])
    os.truncate(folder / name, 200)
    with pytest.raises(OffboardError) as caught:
        info(tmp_path, password, journal=password is None)
    assert caught.value.code in ("export_damaged", "vault_wrong_password", "vault_not_a_vault") and str(folder) in caught.value.msg
    if name == "users.jsonl":
        (folder / name).unlink()
        with pytest.raises(OffboardError, match="damaged"):
            info(tmp_path, password, journal=password is None)


def test_half_a_list_is_recorded_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(_Failed):
        export(tmp_path, found("a", incomplete=("users",)), monkeypatch)
    told = info(tmp_path)
    assert told["latest"] is None and [one["complete"] for one in told["exports"]] == [False] and told["not_known"] == []


def test_an_export_whose_outcome_a_kill_took_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = export(tmp_path, found("a"), monkeypatch)["folder"]
    journal = tmp_path / "journal.jsonl"
    journal.write_text("".join(line for line in journal.read_text().splitlines(keepends=True) if '"record":"intent"' in line))
    assert info(tmp_path)["not_known"] == [folder] and info(tmp_path, PASSWORD)["latest"]["users"] == 1
    assert not export(tmp_path, found("a"), monkeypatch)["changed"]
    assert info(tmp_path, PASSWORD)["latest"]["users"] == 1


@pytest.mark.parametrize("change", [{"users": "2"}, {"complete": 1}, {"taken": "9999-01-01T00:00:00Z"}, {"content_sha256": None}, {"sealed_sha256": 3}])
def test_half_a_record_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]) -> None:
    export(tmp_path, found("a"), monkeypatch)
    journal = tmp_path / "journal.jsonl"
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    for record in records:
        record.get("details", {}).update(change)
    journal.write_text("[]\n{\n" + "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records))
    assert len(info(tmp_path)["not_known"]) == 1


def test_an_export_of_before_has_its_manifest_in_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(export(tmp_path, found("a"), monkeypatch)["folder"])
    (folder / "manifest.json").write_bytes(vault.decrypt((folder / "manifest.json").read_bytes(), PASSWORD.encode()))
    assert info(tmp_path, journal=False)["latest"]["files"]
    assert not export(tmp_path, found("a"), monkeypatch)["changed"]
