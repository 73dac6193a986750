# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""handover_letters on the controller's own disk: passwords in clear are where the operator wants them, and nowhere else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.passwords import to_bytes
from lab import inventory

from .entra import VAULT_PASSWORD, lines, run_module
from .test_people import Operator

SECRETS = ("=Abc#def-1", "Xyz!23456789", "TAP@99887766")
ENTRIES = [
    {"id": "u1", "userPrincipalName": "taro@reiji.example", "password": SECRETS[0]},
    {"id": "u2", "userPrincipalName": "hanako@reiji-group.example", "password": SECRETS[1]},
    {"id": "u3", "userPrincipalName": "jiro@reiji.example", "temporaryAccessPass": SECRETS[2], "validUntil": "2026-12-01T00:00:00Z"},
]


def hand_over(path: Path, password: str = VAULT_PASSWORD) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for file, entries in ((path, ENTRIES[:2]), (path.with_name(f"{path.stem}-2{path.suffix}"), ENTRIES[2:])):
        file.write_bytes(vault.encrypt(to_bytes(entries), password.encode(), os.urandom(32)))
        file.chmod(0o600)


@pytest.fixture
def letters(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    hand_over(tmp_path / "run" / "handover.yml")
    tmp_path.joinpath("run").chmod(0o700)

    def run(check: bool = False, **options: Any) -> dict[str, Any]:
        given = {
            "handover_file": str(tmp_path / "run" / "handover.yml"),
            "vault_password": VAULT_PASSWORD,
            "folder": str(tmp_path / "letters"),
            "given_file": str(tmp_path / "run" / "results" / "handed_over.jsonl"),
            **options,
        }
        answer = run_module(capsys, "handover_letters", {name: value for name, value in given.items() if value is not None}, check=check, diff=True)
        shown = json.dumps({name: value for name, value in answer.items() if name != "invocation"}, ensure_ascii=False)
        assert not any(secret in shown for secret in SECRETS)
        return answer

    return run


def test_written_where_it_was_said_and_removed_again(letters, tmp_path):
    folder = tmp_path / "letters"
    checked = letters(check=True)
    assert not folder.exists()
    made = letters()
    assert made["plan"] == checked["plan"] and made["changed"] and made["people"] == 3, made
    assert folder.stat().st_mode & 0o777 == 0o700 and {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "letters.html": 0o600,
        "letters.csv": 0o600,
    }
    assert all(secret in (folder / "letters.csv").read_text("utf-8-sig") for secret in SECRETS)
    assert letters()["changed"] is False
    assert letters(language="en")["counts"]["done"] == 1  # the list has no language
    assert (folder / "letters.html").stat().st_mode & 0o777 == 0o600
    (folder / ".letters.html.killed").write_text(SECRETS[0])
    (folder / ".letters.html.killed").chmod(0o600)
    assert letters(check=True, state="absent")["counts"]["planned"] == 3 and len(list(folder.iterdir())) == 3
    gone = letters(state="absent", handover_file=None, vault_password=None)
    assert not folder.exists() and "SSD" in json.dumps(gone["warnings"]) and "another password" in json.dumps(gone["warnings"])
    again = letters(state="absent")
    assert again["changed"] is False and again["plan"] == []


def test_it_removes_nothing_of_others(letters, tmp_path):
    letters()
    (tmp_path / "letters" / "notes.txt").write_text("mine")
    letters(state="absent")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["notes.txt"]


def test_a_removed_file_is_overwritten(letters, tmp_path):
    letters()
    kept = tmp_path / "another name of the same file"
    os.link(tmp_path / "letters" / "letters.csv", kept)
    letters(state="absent")
    assert not any(secret.encode() in kept.read_bytes() for secret in SECRETS)


def test_who_has_theirs(letters, tmp_path):
    journal = str(tmp_path / "run" / "journal.jsonl")
    record = {"state": "given", "users": ["TARO@reiji.example"], "by": "Hanako of the help desk", "journal": journal}
    checked = letters(check=True, **record)
    assert not (tmp_path / "run" / "results").exists()
    given = letters(**record)
    assert given["plan"] == checked["plan"] and [item["name"] for item in given["applied"]] == ["taro@reiji.example"], given
    (written,) = lines(tmp_path / "run" / "results" / "handed_over.jsonl")
    assert (written["id"], written["by"]) == ("u1", "Hanako of the help desk") and "password" not in written
    assert letters(**record)["changed"] is False
    made = letters()
    assert made["people"] == 2 and [(item["name"], item["code"]) for item in made["skipped_objects"]] == [("taro@reiji.example", "handed_over")]
    assert SECRETS[0] not in (tmp_path / "letters" / "letters.csv").read_text()
    assert letters(again=True)["people"] == 3
    assert not any(secret in Path(journal).read_text() for secret in SECRETS)


def test_no_letter_for_a_password_that_was_never_set(letters, tmp_path):
    journal = tmp_path / "run" / "journal.jsonl"
    known = {"record": "outcome", "run": "r", "kind": "user", "id": "u1", "name": "taro", "action": "update", "status": "done", "at": "2026-11-01T00:00:00Z"}
    journal.write_text(json.dumps({**known, "details": {"password_set": True}}) + "\n")
    made = letters(journal=str(journal))
    assert made["people"] == 2  # taro's password, and a pass, which the tenant itself has made
    assert [(item["name"], item["code"]) for item in made["skipped_objects"]] == [("hanako@reiji-group.example", "password_not_set")]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"users": ["nobody@reiji.example"]}, "not_found"),
        ({"handover_file": "/nowhere/handover.yml"}, "file_missing"),
        ({"vault_password": "not the one"}, "vault_wrong_password"),
        ({"max_changes": 1}, "guard_refused"),
    ],
)
def test_errors(letters, tmp_path, options, code):
    assert letters(**options)["failure"]["code"] == code
    assert not (tmp_path / "letters").exists()


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("how", ["folder mode", "folder link", "file mode", "file link"])
def test_a_folder_that_is_not_ones_own_alone(letters, tmp_path, how, state):
    folder, elsewhere = tmp_path / "letters", tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (elsewhere / "letters.csv").write_text("others'")
    if how == "folder link":
        folder.symlink_to(elsewhere)
    else:
        folder.mkdir(mode=0o750 if how == "folder mode" else 0o700)
    if how == "file mode":
        (folder / "letters.csv").write_text("x")
        (folder / "letters.csv").chmod(0o640)
    if how == "file link":
        (folder / "letters.csv").symlink_to(elsewhere / "letters.csv")
    assert letters(state=state)["failure"]["code"] == "folder_not_private"
    assert (elsewhere / "letters.csv").read_text() == "others'"


def test_the_playbook(tenant, tmp_path):
    operator = Operator(tenant, tmp_path, microsoft_365_letters_folder=str(tmp_path / "letters"))
    hand_over(operator.run_dir / "handover.yml", inventory.VAULT_PASSWORD)
    operator.run_dir.chmod(0o700)
    output = operator.must("handover", "--diff", microsoft_365_letters_domains=["reiji.example"])
    assert not any(secret in output for secret in SECRETS)
    assert SECRETS[2] in (tmp_path / "letters" / "letters.csv").read_text() and SECRETS[1] not in (tmp_path / "letters" / "letters.csv").read_text()
    operator.must("handover", microsoft_365_letters_state="given", microsoft_365_letters_by="Hanako")
    assert len(lines(operator.run_dir / "results" / "handed_over.jsonl")) == 3
    operator.must("handover", microsoft_365_letters_state="absent")
    assert not (tmp_path / "letters").exists()
    journal = (operator.run_dir / "journal.jsonl").read_text()
    assert "letters.html" in journal and not any(secret in journal for secret in SECRETS)
    assert tenant.writes() == []
