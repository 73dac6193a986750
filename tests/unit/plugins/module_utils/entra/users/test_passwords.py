# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords and the hand-over files."""

from __future__ import annotations

import multiprocessing
import os
import re
import time
from pathlib import Path

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import passwords
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.passwords import HandOver, PassBook, from_bytes, generate, to_bytes

OLD = "2022-04-01T00:00:00Z"


def test_passwords_have_all_classes_and_differ():
    made = {generate(16) for _ in range(500)}
    assert len(made) == 500
    for password in made:
        assert len(password) == 16
        assert all(re.search(pattern, password) for pattern in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))
        assert not set(password) & set("0O1lI'\"`\\ ")


@pytest.mark.parametrize("length", [8, 11, 257, 0, -1])
def test_length(length):
    with pytest.raises(OffboardError) as caught:
        generate(length)
    assert caught.value.code == "bad_option"
    assert len(generate(12)) == 12
    assert len(generate(256)) == 256


def users(first: int, last: int):
    return [(f"id-{number}", f"u{number}@a.example", f"利用者 {number}", OLD) for number in range(first, last + 1)]


def test_provided_passwords_are_on_disk_and_stay(tmp_path):
    path = tmp_path / "handover.yml"
    first = HandOver(str(path), b"x", 16).provide(users(1, 5))
    again = HandOver(str(path), b"x", 16).provide(users(3, 8))
    assert {name: first[name] for name in ("id-3", "id-4", "id-5")} == {name: again[name] for name in ("id-3", "id-4", "id-5")}
    assert len(again) == 6
    content = yaml.safe_load(vault.decrypt(path.read_bytes(), b"x"))
    told = [(entry["userPrincipalName"], entry["displayName"]) for entry in content["users"]]
    assert told == [(f"u{number}@a.example", f"利用者 {number}") for number in range(1, 9)]
    assert oct(path.stat().st_mode & 0o777) == "0o600"


def test_a_refused_password_is_replaced_by_another_one(tmp_path, monkeypatch):
    monkeypatch.setattr(passwords, "USERS_PER_FILE", 2)
    path = str(tmp_path / "handover.yml")
    handover = HandOver(path, b"x", 16)
    before = handover.provide(users(1, 5))
    made = handover.renew(["id-2", "id-5"])
    assert made.keys() == {"id-2", "id-5"} and all(made[name] != before[name] for name in made)
    assert HandOver(path, b"x", 16).provide(users(1, 5)) == before | made


def test_many_users_go_to_several_files(tmp_path, monkeypatch):
    monkeypatch.setattr(passwords, "USERS_PER_FILE", 10)
    path = tmp_path / "handover.yml"
    handover = HandOver(str(path), b"x", 16)
    handover.provide(users(1, 7))
    handover.provide(users(8, 25))
    assert [os.path.basename(name) for name in handover.files] == ["handover.yml", "handover-2.yml", "handover-3.yml"]
    again = HandOver(str(path), b"x", 16)
    assert len(again.provide(users(1, 25))) == 25
    assert again.files == handover.files


def test_two_shards_may_add_to_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(passwords, "USERS_PER_FILE", 10)
    path = str(tmp_path / "handover.yml")
    first, second = HandOver(path, b"x", 16), HandOver(path, b"x", 16)
    given = first.provide(users(1, 7))
    given |= second.provide(users(8, 15))
    given |= first.provide(users(16, 22))
    again = HandOver(path, b"x", 16)
    assert again.provide(users(1, 22)) == given
    assert [os.path.basename(name) for name in again.files] == ["handover.yml", "handover-2.yml", "handover-3.yml"]


def test_a_change_is_known_from_the_time_of_the_last_one(tmp_path):
    path = str(tmp_path / "handover.yml")
    HandOver(path, b"x", 16).provide(users(1, 2))
    handover = HandOver(path, b"x", 16)
    assert handover.changed_since("id-1", OLD) is False
    assert handover.changed_since("id-1", "2026-11-21T00:00:00Z") is True
    assert handover.changed_since("id-1", None) is True
    assert handover.changed_since("id-9", "2026-11-21T00:00:00Z") is False


def test_never_had_a_password(tmp_path):
    path = str(tmp_path / "handover.yml")
    HandOver(path, b"x", 16).provide([("1", "u", None, None)])
    handover = HandOver(path, b"x", 16)
    assert handover.changed_since("1", None) is False
    assert handover.changed_since("1", OLD) is True


@pytest.mark.parametrize(("content", "code"), [(b"nonsense", "vault_not_a_vault"), (None, "bad_handover_file")])
def test_other_files_are_left_alone(tmp_path, content, code):
    path = tmp_path / "handover.yml"
    path.write_bytes(content if content is not None else vault.encrypt(b"secrets: of somebody else\n", b"x", bytes(32)))
    before = path.read_bytes()
    with pytest.raises(OffboardError) as caught:
        HandOver(str(path), b"x", 16)
    assert caught.value.code == code
    assert str(path) in caught.value.msg
    assert path.read_bytes() == before


def test_a_wrong_password_is_told(tmp_path):
    path = str(tmp_path / "handover.yml")
    HandOver(path, b"x", 16).provide(users(1, 1))
    with pytest.raises(OffboardError) as caught:
        HandOver(path, b"y", 16)
    assert caught.value.code == "vault_wrong_password"


def test_names_in_any_script_survive():
    entries = [{"id": "1", "userPrincipalName": "山田: 'x' \u2028 \x85@a.example", "password": "#%+-=?@!", "passwordChangedBefore": None}]
    assert from_bytes(to_bytes(entries)) == entries
    assert yaml.safe_load(to_bytes(entries))["users"] == entries


def test_passes_are_announced_then_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(passwords, "USERS_PER_FILE", 3)
    path = str(tmp_path / "handover.yml")
    HandOver(path, b"x", 16).provide(users(1, 2))
    book = PassBook(path, b"x")
    book.begin([(f"id-{number}", "u", None) for number in range(1, 6)], "2026-12-01T00:00:00Z")
    value = {"temporaryAccessPass": "secret-1", "startDateTime": "s", "validUntil": "2026-12-01T08:00:00Z", "isUsableOnce": True}
    book.keep({"id-1": value, "id-5": {**value, "temporaryAccessPass": "secret-5"}}, {})
    again = PassBook(path, b"x")
    for found in (book, again):
        assert found.was_given("id-1", "2026-12-01T07:59:59Z")
        assert not found.was_given("id-1", "2026-12-01T08:00:00Z"), "it has ended"
        assert not found.was_given("id-2", "2026-12-01T00:00:00Z")
        assert found.asked_for("id-1") == ()
        assert found.asked_for("id-2") == ("2026-12-01T00:00:00Z",)
    assert len(again.files) == 3
    again.begin([("id-2", "u", None), ("id-1", "u", None)], "2026-12-02T00:00:00Z")
    for found in (again, PassBook(path, b"x")):
        assert found.asked_for("id-2") == ("2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"), "a pass may be from either time"
    assert HandOver(path, b"x", 16).changed_since("id-1", OLD) is False, "passwords in the same file are not disturbed"
    content = "".join(vault.decrypt(Path(name).read_bytes(), b"x").decode() for name in again.files)
    assert content.count("secret-") == 2


def told(number: int, secret: str) -> dict[str, object]:
    user = {"userPrincipalName": f"u{number}@a.example", "temporaryAccessPass": secret}
    return {**user, "startDateTime": "s", "validUntil": "2026-12-01T08:00:00Z", "isUsableOnce": True}


def handed(path: str) -> list[tuple[str, str | None]]:
    return [(entry["userPrincipalName"], entry["temporaryAccessPass"]) for entry in from_bytes(vault.decrypt(Path(path).read_bytes(), b"x"))]


def test_a_pass_is_kept_when_the_file_was_moved_away(tmp_path, monkeypatch):
    monkeypatch.setattr(passwords, "USERS_PER_FILE", 1)
    path = str(tmp_path / "handover.yml")
    book = PassBook(path, b"x")
    book.begin([("id-1", "u1@a.example", None), ("id-2", "u2@a.example", None)], "2026-12-01T00:00:00Z")
    for name in book.files:
        os.rename(name, f"{name}.old")
    book.keep({"id-2": told(2, "secret-2")}, {})
    assert handed(path) == [("u2@a.example", "secret-2")]
    assert book.files == [path]
    assert PassBook(path, b"x").was_given("id-2", "2026-12-01T00:00:00Z")


def test_two_runs_at_once_lose_no_pass(tmp_path):
    """Each knows only of its own entry for the same user."""
    path = str(tmp_path / "handover.yml")
    first, second = PassBook(path, b"x"), PassBook(path, b"x")
    for book in (first, second):
        book.begin([("id-1", "u1@a.example", None)], "2026-12-01T00:00:00Z")
    first.keep({"id-1": told(1, "secret-a")}, {})
    second.keep({"id-1": told(1, "secret-b")}, {})
    second.keep({"id-1": told(1, "secret-c")}, {})
    assert sorted(handed(path)) == [("u1@a.example", f"secret-{letter}") for letter in "abc"]


# -- several processes with one file


def _provide(path: str, gate: str, first: int, last: int) -> None:
    """A run of its own that has looked at the file before any of them has written."""
    handover = HandOver(path, b"x", 16)
    while not os.path.exists(gate):
        time.sleep(0.001)
    for number in range(first, last + 1, 5):
        handover.provide(users(number, number + 4))


def test_runs_that_looked_before_any_of_them_wrote_agree(tmp_path, monkeypatch):
    """Processes of their own, the same users: each has one entry, and whoever asks for it is told that one."""
    monkeypatch.setattr(passwords, "USERS_PER_FILE", 10)
    path, gate = str(tmp_path / "handover.yml"), tmp_path / "go"
    processes = multiprocessing.get_context("fork")
    runs = [processes.Process(target=_provide, args=(path, str(gate), first, 30)) for first in (1, 1, 1, 11)]
    for run in runs:
        run.start()
    gate.touch()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0] * 4
    entries = [entry for name in HandOver(path, b"x", 16).files for entry in yaml.safe_load(vault.decrypt(Path(name).read_bytes(), b"x"))["users"]]
    assert sorted(entry["id"] for entry in entries) == sorted(f"id-{number}" for number in range(1, 31))


def test_what_others_wrote_is_read_once(tmp_path, monkeypatch):
    """100,000 users are 50 files: who adds to the last one does not read all of them again each time."""
    monkeypatch.setattr(passwords, "USERS_PER_FILE", 10)
    path = str(tmp_path / "handover.yml")
    HandOver(path, b"x", 16).provide(users(1, 200))
    read: list[str] = []
    real = passwords.decrypt_file
    monkeypatch.setattr(passwords, "decrypt_file", lambda name, password: read.append(name) or real(name, password))
    one, other = HandOver(path, b"x", 16), HandOver(path, b"x", 16)
    assert len(read) == 40
    read.clear()
    for number in range(201, 301, 10):
        one.provide(users(number, number + 4))
        other.provide(users(number + 5, number + 9))
    assert len(read) <= 60, "the last file to add to it, and what the other one has written meanwhile"


def told_until(until: str, value: str):
    return {"userPrincipalName": "u1@a.example", "temporaryAccessPass": value, "startDateTime": OLD, "validUntil": until, "isUsableOnce": True}


def test_who_was_given_a_pass_by_another_run_meanwhile_is_not_asked_for(tmp_path):
    path = str(tmp_path / "handover.yml")
    one, other = PassBook(path, b"x"), PassBook(path, b"x")
    assert one.begin([("id-1", "u1@a.example", None)], "2026-11-27T00:00:00Z") == set()
    one.keep({"id-1": told_until("2026-11-28T00:00:00Z", "secret")}, {"id-1": "pass-1"})
    assert other.begin([("id-1", "u1@a.example", None), ("id-2", "u2@a.example", None)], "2026-11-27T00:00:01Z") == {"id-1"}
    assert [entry["id"] for entry in from_bytes(vault.decrypt(Path(path).read_bytes(), b"x"))] == ["id-1", "id-2"]


def test_a_value_finds_its_entry_in_a_file_that_another_run_began(tmp_path, monkeypatch):
    monkeypatch.setattr(passwords, "USERS_PER_FILE", 2)
    path = str(tmp_path / "handover.yml")
    one, other = PassBook(path, b"x"), PassBook(path, b"x")
    one.begin([("id-1", "u1@a.example", None)], OLD)
    other.begin([(f"id-{number}", f"u{number}@a.example", None) for number in (2, 3, 4)], OLD)
    one.keep({"id-4": told_until("2026-11-28T00:00:00Z", "secret")}, {})  # it knew of one file, and this is in the second
    entries = [entry for name in PassBook(path, b"x").files for entry in from_bytes(vault.decrypt(Path(name).read_bytes(), b"x"))]
    assert [(entry["id"], entry["temporaryAccessPass"]) for entry in entries] == [("id-1", None), ("id-2", None), ("id-3", None), ("id-4", "secret")]


def test_a_pass_that_is_not_there_is_taken_out_of_the_file(tmp_path):
    path, at = str(tmp_path / "handover.yml"), "2026-11-27T00:00:00Z"
    book = PassBook(path, b"x")
    book.begin([("id-1", "u1@a.example", "利用者 1"), ("id-2", "u2@a.example", None)], at)
    book.keep({name: told_until("2026-11-28T00:00:00Z", f"secret-{name}") for name in ("id-1", "id-2")}, {"id-1": "pass-1", "id-2": "pass-2"})
    assert book.is_there("id-1", [{"id": "pass-0"}, {"id": "pass-1"}]) and not book.is_there("id-1", [{"id": "pass-2"}])
    book.settle({"id-1"}, {"id-2"}, at)
    for one in (book, PassBook(path, b"x")):
        assert (one.was_given("id-1", at), one.seen_at("id-1"), one.asked_for("id-1")) == (True, at, ())
        assert (one.was_given("id-2", at), one.seen_at("id-2"), one.asked_for("id-2")) == (False, "", (at,))
    assert b"secret-id-2" not in vault.decrypt(Path(path).read_bytes(), b"x")
    later = PassBook(path, b"x")
    later.is_gone("id-1")
    assert not later.was_given("id-1", at)
    assert later.begin([("id-1", "u1@a.example", None)], "2026-11-27T01:00:00Z") == set()
    assert b"secret" not in vault.decrypt(Path(path).read_bytes(), b"x"), "nobody is handed what opens no door"


def test_who_was_given_a_pass_at_all(tmp_path):
    """Never, given, ended, and only asked for: what the final gate tells apart."""
    path = str(tmp_path / "handover.yml")
    book = PassBook(path, b"x")
    book.begin([("asked", "u0@a.example", None), ("given", "u1@a.example", None), ("ended", "u2@a.example", None), ("gone", "u3@a.example", None)], OLD)
    book.keep({"given": told_until("2999-01-01T00:00:00Z", "s1"), "ended": told_until(OLD, "s2"), "gone": told_until("2999-01-01T00:00:00Z", "s3")}, {})
    book.settle({"given"}, {"gone"}, OLD)
    for one in (book, PassBook(path, b"x")):
        assert [user for user in ("never", "asked", "given", "ended", "gone") if one.ever_given(user)] == ["given", "ended"]
        assert [user for user in ("never", "asked", "given", "ended", "gone") if one.was_given(user, "2026-12-01T00:00:00Z")] == ["given"]
        assert one.asked_for("asked") == (OLD,) and one.asked_for("never") == () and one.asked_for("gone") == (OLD,)


PASSWORD = {"id": "u", "userPrincipalName": "u@a.example", "password": "p", "passwordChangedBefore": OLD}
PASS = {"id": "u", "userPrincipalName": "u@a.example", "temporaryAccessPass": "x", "validUntil": "2999-01-01T00:00:00Z", "askedFor": OLD, "seenAt": OLD}


@pytest.mark.parametrize(
    "entry",
    [
        *({**PASSWORD, name: value} for name in ("id", "userPrincipalName", "password", "passwordChangedBefore") for value in (1, True, ["a"], {"a": 1})),
        *({**PASS, name: value} for name in ("temporaryAccessPass", "validUntil", "askedFor", "seenAt") for value in (1, True, ["a"], {"a": 1})),
        *({**PASS, name: value} for name in ("validUntil", "askedFor", "seenAt") for value in ("zzz", "2999-01-01", "2999-01-01T00:00:00")),
        {name: value for name, value in PASSWORD.items() if name != "passwordChangedBefore"},
    ],
    ids=str,
)
def test_entries_of_another_shape(tmp_path, entry):
    """They ended in an exception, or "zzz" was a pass that never ends."""
    path = tmp_path / "handover.yml"
    path.write_bytes(vault.encrypt(to_bytes([entry]), b"x", bytes(32)))
    reads = [lambda: HandOver(str(path), b"x", 12)]
    if "temporaryAccessPass" in entry:  # the other entries are no passes
        reads.append(lambda: PassBook(str(path), b"x").was_given("u", OLD))
    for read in reads:
        with pytest.raises(OffboardError) as caught:
            read()
        assert caught.value.code == "bad_handover_file"


def test_a_time_before_all_others_is_one(tmp_path):
    """Of whoever never changed their password."""
    path = tmp_path / "handover.yml"
    entries = [{**PASSWORD, "passwordChangedBefore": "0001-01-01T00:00:00Z"}, {**PASSWORD, "id": "v", "passwordChangedBefore": None}]
    path.write_bytes(vault.encrypt(to_bytes(entries), b"x", bytes(32)))
    found = HandOver(str(path), b"x", 12)
    assert found.unchanged_since("u", "0001-01-01T00:00:00Z") and found.unchanged_since("v", None) and found.changed_since("v", OLD)
