# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""handover_letters on the controller's own disk: passwords in clear are where the operator wants them, and nowhere else."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.handover import sealed
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.passwords import from_bytes, to_bytes
from lab import company, inventory

from .entra import VAULT_PASSWORD, connection, lines, run_module
from .test_people import Operator

SECRETS = ("=Abc#def-1", "Xyz!23456789", "TAP@99887766")
ENTRIES = [
    {"id": "u1", "userPrincipalName": "taro@reiji.example", "password": SECRETS[0]},
    {"id": "u2", "userPrincipalName": "hanako@reiji-group.example", "password": SECRETS[1]},
    {"id": "u3", "userPrincipalName": "jiro@reiji.example", "temporaryAccessPass": SECRETS[2], "validUntil": "2126-12-01T00:00:00Z"},
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


def test_people_read_the_end_of_a_pass_in_their_zone(letters, tmp_path):
    letters()
    page = (tmp_path / "letters" / "letters.html").read_text()
    assert "2126-12-01 09:00 JST" in page and "T00:00" not in page and "T00:00" not in (tmp_path / "letters" / "letters.csv").read_text("utf-8-sig")
    letters(timezone="UTC")
    assert "2126-12-01 00:00 UTC" in (tmp_path / "letters" / "letters.html").read_text()
    letters(state="absent", timezone="Mars/Base")  # it shows no time


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


def all_were_set(path: Path, entries=ENTRIES) -> str:
    """A journal that shows of all passwords that they were set."""
    known = {"record": "outcome", "run": "r", "kind": "user", "action": "update", "status": "done", "at": "2026-11-01T00:00:00Z"}
    records = ({**known, "id": entry["id"], "name": entry["id"], "details": {"password_set": True}} for entry in entries)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    path.chmod(0o600)
    return str(path)


def test_who_has_theirs(letters, tmp_path):
    journal = all_were_set(tmp_path / "run" / "journal.jsonl")
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


def test_who_has_theirs_needs_another_for_a_new_secret(letters, tmp_path):
    """A new pass, or a password that was set anew: the letter of before opens nothing any more."""
    journal, file = tmp_path / "run" / "journal.jsonl", tmp_path / "run" / "handover-2.yml"
    options = {"users": ["u1", "u3"], "journal": str(journal), "by": "Hanako"}
    was_set = {"record": "outcome", "run": "r", "kind": "user", "id": "u1", "name": "taro", "action": "update", "status": "done"}
    journal.write_text(json.dumps({**was_set, "at": "2026-11-01T00:00:00Z", "details": {"password_set": True}}) + "\n")

    def passes(*asked: str) -> None:
        entries = [{**ENTRIES[2], "askedFor": at} for at in asked]
        file.write_bytes(vault.encrypt(to_bytes(entries), VAULT_PASSWORD.encode(), os.urandom(32)))

    passes("2026-11-01T00:00:00Z")
    assert letters(state="given", **options)["counts"]["done"] == 2
    assert letters(state="given", **options)["changed"] is False and letters(**options)["people"] == 0
    passes("2026-11-01T00:00:00Z", "2999-01-01T09:00:00+09:00")
    assert [item["name"] for item in letters(state="given", check=True, **options)["plan"]] == ["jiro@reiji.example"]
    made = letters(**options)
    assert made["people"] == 1 and [item["name"] for item in made["skipped_objects"]] == ["taro@reiji.example"]
    passes("2026-11-01T00:00:00Z")
    with journal.open("a") as stream:
        stream.write(json.dumps({**was_set, "at": "2999-01-01T00:00:00Z", "details": {"password_set": True}}) + "\n")
    assert [item["name"] for item in letters(state="given", check=True, **options)["plan"]] == ["taro@reiji.example"]
    made = letters(**options)
    assert made["people"] == 1 and [item["name"] for item in made["skipped_objects"]] == ["jiro@reiji.example"]


@pytest.mark.parametrize("is_pass", [False, True])
def test_who_has_theirs_whatever_the_clock_said(letters, tmp_path, is_pass):
    """It was ahead when the password was set (or the pass made) and when the first letter was given, and was put right then."""
    journal, file, given = tmp_path / "run" / "journal.jsonl", tmp_path / "run" / "handover-2.yml", tmp_path / "run" / "results" / "handed_over.jsonl"
    options = {"users": ["u3" if is_pass else "u1"], "journal": str(journal), "by": "Hanako"}
    was_set = {"record": "outcome", "run": "r", "kind": "user", "id": "u1", "name": "taro", "action": "update", "status": "done"}

    def again(at: str) -> None:
        with journal.open("a") as stream:
            stream.write(json.dumps({**was_set, "at": at, "details": {"password_set": True}}) + "\n")
        file.write_bytes(vault.encrypt(to_bytes([{**ENTRIES[2], "askedFor": at}]), VAULT_PASSWORD.encode(), os.urandom(32)))

    again("2999-01-01T00:00:00Z")
    assert letters(state="given", **options)["counts"]["done"] == 1
    assert letters(state="given", **options)["changed"] is False and letters(**options)["people"] == 0
    given.write_text(re.sub('"at":"[^"]*"', '"at":"2999-01-01T01:00:00Z"', given.read_text()))
    assert letters(state="given", **options)["changed"] is False and letters(**options)["people"] == 0
    again("2026-11-30T00:00:00Z")
    assert letters(check=True, **options)["people"] == 1
    given.write_text(given.read_text().replace("2999", "2026"))
    assert letters(**options)["people"] == 1
    assert letters(state="given", **options)["counts"]["done"] == 1 and letters(**options)["people"] == 0


def test_no_letter_for_a_password_that_was_never_set(letters, tmp_path):
    journal = tmp_path / "run" / "journal.jsonl"
    known = {"record": "outcome", "run": "r", "kind": "user", "id": "u1", "name": "taro", "action": "update", "status": "done", "at": "2026-11-01T00:00:00Z"}
    lost = letters(journal=str(journal), check=True)  # a run folder that was copied without it
    assert lost["people"] == 1 and [item["code"] for item in lost["skipped_objects"]] == ["password_not_set"] * 2
    journal.write_text(json.dumps({**known, "details": {"password_set": True}}) + "\n")
    made = letters(journal=str(journal))
    assert made["people"] == 2  # taro's password, and a pass, which the tenant itself has made
    not_set = [("hanako@reiji-group.example", "password_not_set")]
    assert [(item["name"], item["code"]) for item in made["skipped_objects"]] == not_set
    given = letters(state="given", by="Boss", journal=str(journal))
    assert given["counts"]["done"] == 2 and [(item["name"], item["code"]) for item in given["skipped_objects"]] == not_set, given
    assert letters(state="given", by="Boss", journal=str(journal))["changed"] is False


def test_no_letter_for_a_pass_that_has_ended(letters, tmp_path):
    ended = {**ENTRIES[2], "validUntil": "2026-11-01T00:00:00Z"}
    tmp_path.joinpath("run", "handover-2.yml").write_bytes(vault.encrypt(to_bytes([ended]), VAULT_PASSWORD.encode(), os.urandom(32)))
    made = letters()
    assert made["people"] == 2
    assert [(item["name"], item["code"]) for item in made["skipped_objects"]] == [("jiro@reiji.example", "pass_ended")]
    assert "2026-11-01 09:00 JST" in made["skipped_objects"][0]["msg"]
    assert "jiro" not in (tmp_path / "letters" / "letters.html").read_text()


def places(path: Path) -> str:
    lines = [
        {"id": "u1", "department": "営業部", "manager": "m1", "manager_name": "boss@reiji.example"},
        {"id": "u2", "department": "営業部", "manager": "m1", "manager_name": "boss@reiji.example"},
        {"id": "u3", "department": "開発部"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    path.chmod(0o600)
    return str(path)


def test_one_encrypted_page_for_each_manager(letters, tmp_path):
    folder, options = tmp_path / "letters", {"people_file": places(tmp_path / "managers.jsonl"), "split_by": "manager", "formats": ["encrypted"]}
    recipients = tmp_path / "run" / "handover-recipients.yml"
    assert letters(check=True, **options)["counts"]["planned"] == 2 and not folder.exists() and not recipients.exists()
    made = letters(**options)
    assert made["people"] == 3 and made["files"] == [] and made["recipients_file"] == str(recipients), made
    assert sorted(map(str, folder.iterdir())) == sorted(made["encrypted_files"]) and recipients.stat().st_mode & 0o777 == 0o600
    opened_by = {item["recipient"]: (item["id"], item["password"]) for item in from_bytes(vault.decrypt(recipients.read_bytes(), VAULT_PASSWORD.encode()))}
    assert set(opened_by) == {"boss@reiji.example", ""} and not any(secret.encode() in path.read_bytes() for path in folder.iterdir() for secret in SECRETS)
    name, password = opened_by["boss@reiji.example"]
    page = sealed.unseal((folder / name).read_bytes(), password).decode()
    assert SECRETS[0] in page and SECRETS[1] in page and SECRETS[2] not in page
    assert password not in json.dumps({key: value for key, value in made.items() if key != "invocation"})
    assert letters(**options)["changed"] is False
    # what is no longer meant is written anew, and opens with the same password
    letters(**options, state="present", departments=["開発部"])
    letters(**options, language="en")
    assert sealed.unseal((folder / name).read_bytes(), password).startswith(b'<!DOCTYPE html>\n<html lang="en">')
    letters(state="absent", handover_file=None, vault_password=None)
    assert not folder.exists() and recipients.exists()


def test_departments(letters, tmp_path):
    people = places(tmp_path / "managers.jsonl")
    made = letters(people_file=people, split_by="department", formats=["csv"])
    assert len(made["files"]) == 2 and all(len(Path(path).read_text("utf-8-sig").splitlines()) in (2, 3) for path in made["files"])
    assert letters(people_file=people, departments=["開発部"], formats=["csv"])["people"] == 1
    assert letters(people_file=people, managers=["boss@reiji.example"], formats=["csv"])["people"] == 2
    assert letters(people_file=people, departments=["人事部"])["failure"]["code"] == "not_found"
    given = letters(state="given", people_file=people, departments=["営業部"], by="Boss", journal=all_were_set(tmp_path / "run" / "journal.jsonl"))
    assert [item["name"] for item in given["applied"]] == ["hanako@reiji-group.example", "taro@reiji.example"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"split_by": "manager"}, "bad_option"),
        ({"departments": ["x"]}, "bad_option"),
        ({"people_file": "/nowhere/managers.jsonl", "managers": ["x"]}, "file_missing"),
        ({"users": ["nobody@reiji.example"]}, "not_found"),
        ({"handover_file": "/nowhere/handover.yml"}, "file_missing"),
        ({"vault_password": "not the one"}, "vault_wrong_password"),
        ({"max_changes": 1}, "guard_refused"),
        ({"timezone": "Mars/Base"}, "timezone_unknown"),
        ({"help_desk": "長" * 20_000}, "bad_option"),
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


def test_departments_and_managers_of_the_tenant(tenant, capsys):
    people = [person for person in company.people() if person.upn.endswith("@reiji.example")]
    boss = people[0].id
    tenant.arrange("users", people[1].id, _manager=boss, department="営業部\x1b")
    tenant.clear_requests()
    found = run_module(capsys, "entra_managers_info", {**connection(tenant), "domains": ["REIJI.example"]})
    counts = found["counts"]
    assert counts["total"] >= len(people) and found["managers_count"] == 1 and counts["without_manager"] == counts["total"] - 1, found
    assert {item["manager"] for item in found["users"]} == {"", people[0].upn} and "営業部\\x1b" in found["departments"]
    assert len([item for item in tenant.requests() if item["path"].endswith("$batch")]) <= counts["total"] // 20 + 1
    tenant.clear_requests()
    without = run_module(capsys, "entra_managers_info", {**connection(tenant), "managers": False})["counts"]
    assert without["total"] >= counts["total"] and without["without_manager"] == 0 and not any("batch" in item["path"] for item in tenant.requests())
    tenant.faults.add(times=None, path="/v1.0/users/.*/manager", status=403, code="Authorization_RequestDenied")
    assert run_module(capsys, "entra_managers_info", connection(tenant))["failure"]["code"] == "permission_missing"
    assert tenant.writes() == []


def test_the_playbook_by_departments(tenant, tmp_path):
    people = [person for person in company.people() if person.upn.endswith("@reiji.example")][:2]
    entries = [{"id": person.id, "userPrincipalName": person.upn, "password": f"Secret-{person.number}!x"} for person in people]
    for person, department in zip(people, ("営業部", "開発部"), strict=True):
        tenant.arrange("users", person.id, department=department)
    operator = Operator(tenant, tmp_path, microsoft_365_letters_folder=str(tmp_path / "letters"))
    operator.run_dir.mkdir(parents=True, mode=0o700)
    file = operator.run_dir / "handover.yml"
    file.write_bytes(vault.encrypt(to_bytes(entries), inventory.VAULT_PASSWORD.encode(), os.urandom(32)))
    file.chmod(0o600)
    all_were_set(operator.run_dir / "journal.jsonl", entries)
    options = {"microsoft_365_letters_split_by": "department", "microsoft_365_letters_formats": ["encrypted"]}
    code, output = operator.play("handover", "--check", **options)
    assert code == 0 and not (tmp_path / "letters").exists(), output[-3000:]
    operator.must("handover", **options)
    assert len(list((tmp_path / "letters").iterdir())) == 2 and tenant.writes() == []


def test_whoever_was_renamed_since(letters, tmp_path):
    """Nobody signs in on Monday with the name of the day when the password was set."""
    people, folder = tmp_path / "people.jsonl", tmp_path / "letters"
    people.write_text(json.dumps({"id": "U1", "userPrincipalName": "taro.sato@reiji-group.example"}) + "\n")
    people.chmod(0o600)
    shown = lambda: [line.split('"')[1] for line in (folder / "letters.csv").read_text("utf-8-sig").splitlines()[1:]]  # noqa: E731
    assert "was renamed since" in str(letters()["warnings"])
    made = letters(people_file=str(people))
    assert made["changed"] and shown() == ["hanako@reiji-group.example", "jiro@reiji.example", "taro.sato@reiji-group.example"]
    assert "taro@reiji.example" not in (folder / "letters.html").read_text()
    for choice in ({"users": ["taro@reiji.example"]}, {"users": ["Taro.Sato@reiji-group.example"]}, {"domains": ["reiji-group.example"], "users": ["u1"]}):
        letters(people_file=str(people), **choice)
        assert "taro.sato@reiji-group.example" in shown(), choice
    given = letters(state="given", people_file=str(people), users=["taro@reiji.example"], by="Boss", journal=all_were_set(tmp_path / "run" / "journal.jsonl"))
    assert [item["name"] for item in given["applied"]] == ["taro.sato@reiji-group.example"]


def test_the_playbook_of_who_was_renamed_since(tenant, tmp_path):
    person = next(person for person in company.people() if person.upn.endswith("@reiji.example"))
    operator = Operator(tenant, tmp_path, microsoft_365_letters_folder=str(tmp_path / "letters"), microsoft_365_letters_formats=["csv"])
    operator.run_dir.mkdir(parents=True, mode=0o700)
    entries = [{"id": person.id, "userPrincipalName": "earlier@reiji.example", "password": "Secret-1!x"}]
    file = operator.run_dir / "handover.yml"
    file.write_bytes(vault.encrypt(to_bytes(entries), inventory.VAULT_PASSWORD.encode(), os.urandom(32)))
    file.chmod(0o600)
    all_were_set(operator.run_dir / "journal.jsonl", entries)
    operator.must("handover")
    made = tmp_path / "letters" / "letters.csv"
    assert person.upn in made.read_text() and "earlier" not in made.read_text()
    tenant.faults.add(times=None, path="/v1.0/users", status=403, code="Authorization_RequestDenied")
    assert "was renamed since" in operator.must("handover").replace("\n", " ") and "earlier" in made.read_text()
    tenant.faults.clear()
    assert tenant.writes() == []


def test_the_playbook(tenant, tmp_path):
    operator = Operator(tenant, tmp_path, microsoft_365_letters_folder=str(tmp_path / "letters"))
    hand_over(operator.run_dir / "handover.yml", inventory.VAULT_PASSWORD)
    operator.run_dir.chmod(0o700)
    all_were_set(operator.run_dir / "journal.jsonl", ENTRIES[:2])
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
