# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The openldap_* modules against Debian's own slapd, on its socket. What an account may do is asked of slapd's own slapacl."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import ldif
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.client import Client
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.connection import Connection
from dev.options import given
from lab.linux import host, slapd
from lab.linux.slapd import DATABASE, MAIL, RULES, SUFFIX, SYNC, Slapd

pytestmark = [pytest.mark.lab, pytest.mark.skipif(host.why_not() is not None, reason=str(host.why_not()))]
TARO, ALL = f"uid=taro,ou=people,{SUFFIX}", f"cn=all,ou=groups,{SUFFIX}"
Module = Callable[..., dict[str, Any]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Slapd]:
    slapd.prepare()
    running = Slapd(tmp_path / "slapd")
    yield running
    running.stop()


def connection(server: Slapd, **more: Any) -> dict[str, Any]:
    return {"tls": "ldapi", "socket": server.socket, **more}


@pytest.fixture
def module(server: Slapd, capsys: pytest.CaptureFixture[str]) -> Module:
    def run(name: str, check: bool = False, **options: Any) -> dict[str, Any]:
        imported = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}")
        arguments = {**connection(server), **options, "_ansible_check_mode": check, "_ansible_diff": True, "_ansible_remote_tmp": "/tmp"}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            imported.main()
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run


def client(server: Slapd) -> Client:
    return Client(Connection.from_params(given("openldap_entry_info", timeout=10, **connection(server))), read_only=False)


def rules(server: Slapd) -> list[str]:
    asked = client(server)
    try:
        (entry,) = asked.search("(olcAccess=*)", ["olcAccess"], base=DATABASE)
        return entry.texts("olcAccess")
    finally:
        asked.close()


def test_info(server: Slapd, module: Module) -> None:
    answer = module("openldap_access_info", dn=SYNC)
    assert [(clause["index"], clause["denies"]) for clause in answer["clauses"]] == [("{1}", False), ("{2}", False), ("{3}", True)]
    assert [clause["index"] for clause in answer["mentions"] if clause["database"] == DATABASE] == ["{1}"]
    assert (server.writes(), answer["settings"]) == ([], [])


def test_what_else_of_the_configuration_names_it(server: Slapd, module: Module) -> None:
    asked = client(server)
    limits = [f'dn.exact="{MAIL}" size=1'.encode(), f'dn.exact="{SYNC}" size=unlimited'.encode()]
    syncrepl = f'rid=001 provider=ldap://127.0.0.1:1 bindmethod=simple binddn="{SYNC}" credentials=Hush searchbase="{SUFFIX}" type=refreshOnly'.encode()
    asked.modify(DATABASE, "", [("add", "olcLimits", limits), ("add", "olcSyncrepl", [syncrepl])], "")
    asked.modify("cn=config", "", [("add", "olcAuthzRegexp", [f'"uid=sync,cn=external,cn=auth" "{SYNC}"'.encode()])], "")
    asked.close()
    answer = module("openldap_access_info", dn=SYNC)
    assert sorted((one["entry"], one["attribute"], one["index"]) for one in answer["settings"]) == [
        ("cn=config", "olcAuthzRegexp", "{0}"),
        (DATABASE, "olcLimits", "{1}"),
        (DATABASE, "olcSyncrepl", "{0}"),
    ]
    assert "Hush" not in json.dumps(answer)


def test_clauses_go_and_everything_else_stays(server: Slapd, module: Module, tmp_path: Path) -> None:
    options = {"dn": SYNC, "backup_dir": str(tmp_path / "saved"), "journal": str(tmp_path / "journal.jsonl"), "allow": ["denying_clause"]}
    before = rules(server)
    assert (server.may_read(SYNC, TARO), server.may_read(SYNC, ALL), server.may_read(MAIL, TARO), server.may_read(MAIL, ALL)) == (True, True, True, False)
    checked = module("openldap_access", check=True, **options)
    assert (rules(server), server.writes(), (tmp_path / "saved").exists()) == (before, [], False)
    real = module("openldap_access", **options)
    assert (real["changed"], real["plan"], real["counts"]["done"]) == (True, checked["plan"], 3)
    after = rules(server)
    assert [rule[:3] for rule in after] == [rule[:3] for rule in RULES]
    assert [(old == new) for old, new in zip(before, after, strict=True)] == [True, False, False, False, True]
    assert SYNC not in " ".join(after)
    assert after[2].endswith("by * none")
    # a rule that had only the agent's clause still closes for the others
    assert (server.may_read(SYNC, TARO), server.may_read(SYNC, ALL), server.may_read(MAIL, TARO), server.may_read(MAIL, ALL)) == (False, False, True, False)
    records = [json.loads(line)["record"] for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert records == ["intent", "outcome"] * 3
    written = server.writes()
    assert not module("openldap_access", **options)["changed"]
    assert server.writes() == written
    for path in real["saved"]:
        (record,) = ldif.parse(Path(path).read_text())
        asked = client(server)
        asked.modify(record.dn, "", record.changes, "")
        asked.close()
    assert rules(server) == before


def test_clauses_come_back(server: Slapd, module: Module, tmp_path: Path) -> None:
    options = {"dn": SYNC, "backup_dir": str(tmp_path / "saved"), "journal": str(tmp_path / "journal.jsonl"), "allow": ["denying_clause"]}
    before = rules(server)
    assert not module("openldap_access", state="present", **options)["changed"]
    module("openldap_access", **options)
    taken, written = rules(server), server.writes()
    checked = module("openldap_access", check=True, state="present", **options)
    assert (rules(server), server.writes()) == (taken, written)
    real = module("openldap_access", state="present", **options)
    assert (real["changed"], real["plan"], rules(server)) == (True, checked["plan"], before)
    assert not module("openldap_access", state="present", **options)["changed"]
    # once more there and back, by the newest files, whose names have the second
    time.sleep(1.1)
    module("openldap_access", **options)
    assert rules(server) == taken
    module("openldap_access", state="present", **options)
    assert rules(server) == before


def test_a_clause_does_not_come_back_into_another_rule(server: Slapd, module: Module, tmp_path: Path) -> None:
    options = {"dn": SYNC, "backup_dir": str(tmp_path), "allow": ["denying_clause"]}
    module("openldap_access", **options)
    asked, old = client(server), rules(server)[1]
    asked.modify(DATABASE, "", [("delete", "olcAccess", [old.encode()]), ("add", "olcAccess", [old.replace("by * none", "by self read").encode()])], "")
    asked.close()
    written = server.writes()
    answer = module("openldap_access", state="present", **options)
    assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == ["rule_changed"]
    assert server.writes() == written


PEOPLE = f'dn.subtree="ou=people,{SUFFIX}"'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # what LDIF has to show in base64: other letters than ASCII's, a blank in front or at the end, line ends
        (f'to {PEOPLE} by dn.exact="cn=経理,{SUFFIX}" write by dn="{SYNC}" read by * none', f'to {PEOPLE} by dn.exact="cn=経理,{SUFFIX}" write by * none'),
        (f'  to {PEOPLE} by dn.exact="{SYNC}" read by * none', f"  to {PEOPLE} by * none"),
        (f'to {PEOPLE}\tby\tdn.exact="{SYNC}"\tread\tby * none  ', f"to {PEOPLE}\tby * none  "),
        (f'to {PEOPLE}\n  by dn.exact="{SYNC}" read\n  by * none\n', f"to {PEOPLE}\n  by * none\n"),
        (f'to {PEOPLE}\r\n by dn.exact="{SYNC}" read\r\n by * none', f"to {PEOPLE}\r\n by * none"),
        # an ideographic space is no blank to slapd
        (f'to {PEOPLE} by dn=cn=山\u3000田,{SUFFIX} write by dn="{SYNC}" read by * none', f"to {PEOPLE} by dn=cn=山\u3000田,{SUFFIX} write by * none"),
        # quotes where slapd takes them, and long names of types
        (f'to {PEOPLE} by "dn.exact={SYNC}" read by * none', f"to {PEOPLE} by * none"),
        (f'to {PEOPLE} "by" dn.exact=cn="iij-dirsync,ou=services,{SUFFIX}" read by * none', f"to {PEOPLE} by * none"),
        (f'to {PEOPLE} by dn.exact="commonName=iij-dirsync, OrganizationalUnitName=services,{SUFFIX}" read by * none', f"to {PEOPLE} by * none"),
    ],
)
def test_however_a_rule_is_written_the_rest_of_it_stays_byte_for_byte(server: Slapd, module: Module, tmp_path: Path, before: str, after: str) -> None:
    def values() -> list[bytes]:
        (entry,) = asked.search("(olcAccess=*)", ["olcAccess"], base=DATABASE)
        return entry.raw("olcAccess")

    asked = client(server)
    asked.modify(DATABASE, "", [("add", "olcAccess", [f"{{0}}{before}".encode()])], "")
    old = values()
    assert (old[0], server.may_read(SYNC, TARO)) == (f"{{0}}{before}".encode(), True)
    options = {"dn": SYNC, "backup_dir": str(tmp_path / "saved"), "journal": str(tmp_path / "journal.jsonl"), "allow": ["denying_clause"]}
    assert module("openldap_access", **options)["counts"]["done"] == 4
    new = values()
    assert (new[0], new[1], new[-1]) == (f"{{0}}{after}".encode(), old[1], old[-1])
    assert not server.may_read(SYNC, TARO)
    assert not module("openldap_access", **options)["changed"]
    assert module("openldap_access", state="present", **options)["counts"]["done"] == 4
    assert (values(), server.may_read(SYNC, TARO)) == (old, True)
    assert not module("openldap_access", state="present", **options)["changed"]
    asked.close()


@pytest.mark.parametrize(
    ("clauses", "more"),
    [
        ("by {SYNC} search by users read", True),
        ("by {SYNC} =sx by * read", True),
        ("by {SYNC} read by self write by users read", False),
        ("by {SYNC} =rscx break by * none", False),
        ("by {SYNC} none continue by users read", False),
        ("by users =rscxd continue by {SYNC} -r by users +x", True),
        ("by users read continue by {SYNC} auth by users stop", True),
        ("by users read continue by {SYNC} none continue by users +x", True),
        ("by {SYNC} auth by dn.regex=^cn=iij-dirsync,.*$ read", True),
    ],
)
def test_a_clause_without_which_the_account_gets_more_is_refused(server: Slapd, module: Module, tmp_path: Path, clauses: str, more: bool) -> None:
    """slapacl says what the account has before and after."""
    asked, rule = client(server), f"{{0}}to {PEOPLE} {clauses}".replace("{SYNC}", f'dn.exact="{SYNC}"')
    asked.modify(DATABASE, "", [("add", "olcAccess", [rule.encode()])], "")
    asked.close()
    before = server.may_read(SYNC, TARO)
    answer = module("openldap_access", check=True, dn=SYNC, backup_dir=str(tmp_path))
    refused = [item["objects"][0] for item in answer["failure"]["details"]["refusals"]]
    assert any(f"to {PEOPLE}" in name for name in refused) is more
    assert module("openldap_access", dn=SYNC, backup_dir=str(tmp_path), allow=["denying_clause"])["changed"]
    assert (server.may_read(SYNC, TARO) and not before) is more


def test_a_denying_clause_is_refused(server: Slapd, module: Module, tmp_path: Path) -> None:
    answer = module("openldap_access", dn=SYNC, backup_dir=str(tmp_path))
    assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == ["denying_clause"]
    assert server.writes() == []


def test_a_rule_that_somebody_changes_meanwhile(server: Slapd, module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modify, done = Client.modify, []

    def late(self: Client, dn: str, guid: str, changes: Any, right: str) -> None:
        if not done:
            done.append(True)
            old = rules(server)[1]
            modify(
                self,
                dn,
                guid,
                [("delete", "olcAccess", [old.encode()]), ("add", "olcAccess", [old.replace("by * none", "by self read by * none").encode()])],
                "",
            )
        modify(self, dn, guid, changes, right)

    monkeypatch.setattr(Client, "modify", late)
    answer = module("openldap_access", dn=SYNC, backup_dir=str(tmp_path), allow=["denying_clause"])
    assert [(item["code"], item["name"].partition("ou=")[2][:6]) for item in answer["failed_objects"]] == [("changed_since_read", "people")]
    assert answer["counts"]["done"] == 2
    assert "by self read" in rules(server)[1]
    assert SYNC in rules(server)[1]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"dn": "no name"}, "invalid_dn"),
        ({"dn": SYNC, "config_base": "cn=nothing"}, "not_found"),
        ({"dn": SYNC, "config_base": "cn=schema,cn=config"}, "cannot_read"),  # there, and shows no database
        ({"dn": SYNC, "socket": "/nowhere/ldapi"}, "unreachable"),
        ({"dn": SYNC, "tls": "ldaps", "host": "127.0.0.1", "port": 9, "username": "cn=x", "password": "x"}, "unreachable"),
    ],
)
def test_failures(module: Module, tmp_path: Path, options: dict[str, Any], code: str) -> None:
    assert module("openldap_access", backup_dir=str(tmp_path), **options)["failure"]["code"] == code
    assert module("openldap_access_info", **options)["failure"]["code"] == code


VAULT, SECRETS = "Vault-Pass-31", ("Hush-Ldap", "SHA}")


def ldap_entry(server: Slapd, dn: str) -> dict[str, list[bytes]] | None:
    asked = client(server)
    try:
        found = asked.read(dn)
        return found.attributes if found else None
    finally:
        asked.close()


def test_an_account_goes_and_comes_back(server: Slapd, module: Module, tmp_path: Path) -> None:
    options = {"dn": SYNC, "backup_dir": str(tmp_path / "saved"), "vault_password": VAULT, "journal": str(tmp_path / "journal.jsonl")}
    before, mail = ldap_entry(server, SYNC), ldap_entry(server, MAIL)
    told = module("openldap_entry_info", dn=SYNC)
    assert (told["exists"], told["removal_refusals"], "userPassword" in told["entry"]["attributes"]) == (True, [], True)
    checked = module("openldap_entry", check=True, state="absent", **options)
    assert (ldap_entry(server, SYNC), server.writes(), (tmp_path / "saved").exists()) == (before, [], False)
    real = module("openldap_entry", state="absent", **options)
    assert (real["changed"], real["plan"], real["counts"]["done"]) == (True, checked["plan"], 1)
    assert (ldap_entry(server, SYNC), ldap_entry(server, MAIL)) == (None, mail)
    assert module("openldap_entry_info", dn=SYNC)["exists"] is False
    written = server.writes()
    assert not module("openldap_entry", state="absent", **options)["changed"]
    assert server.writes() == written
    assert module("openldap_entry", state="present", **{**options, "vault_password": "wrong-password"})["failure"]["code"] == "vault_wrong_password"
    back = module("openldap_entry", state="present", **options)
    assert back["changed"]
    assert ldap_entry(server, SYNC) == before
    assert not module("openldap_entry", state="present", **options)["changed"]
    kept = (tmp_path / "journal.jsonl").read_text() + "".join(Path(path).read_text() for path in real["saved"]) + json.dumps([told, checked, real, back])
    assert not [secret for secret in SECRETS if secret in kept]


def test_entries_that_name_the_account_are_told_and_stay(server: Slapd, module: Module, tmp_path: Path) -> None:
    """Whatever attribute holds its name, before it is removed and when it is gone; not what the server writes, nor the account itself."""
    asked = client(server)
    dn, unique, posix, boss = (f"{name},{SUFFIX}" for name in ("uid=iij agent,ou=services", "cn=unique,ou=groups", "cn=posix,ou=groups", "cn=boss,ou=services"))
    asked.add(dn, {"objectClass": [b"inetOrgPerson"], "cn": [b"x"], "sn": [b"x"], "manager": [dn.encode()]})
    asked.add(unique, {"objectClass": [b"groupOfUniqueNames"], "uniqueMember": [f"UID=IIJ Agent, ou=services,{SUFFIX}".encode()]})
    asked.add(posix, {"objectClass": [b"posixGroup"], "gidNumber": [b"7"], "memberUid": [b"other", b"iij agent"]})
    asked.add(boss, {"objectClass": [b"inetOrgPerson"], "sn": [b"x"], "secretary": [MAIL.encode(), dn.encode()], "seeAlso": [dn.encode()]})
    asked.modify(ALL, "", [("add", "member", [dn.encode()])], "")
    asked.close()
    expected = sorted([(ALL, "member"), (unique, "uniqueMember"), (posix, "memberUid"), (boss, "secretary"), (boss, "seeAlso")])

    def told(name: str = dn) -> list[tuple[str, str]]:
        answer = module("openldap_entry_info", dn=name)
        assert answer["not_searched"] == []
        return sorted((one["dn"], one["attribute"]) for one in answer["named_in"])

    assert told() == expected and told(dn.upper()) == expected
    options = {"dn": dn, "backup_dir": str(tmp_path), "vault_password": VAULT}
    answer = module("openldap_entry", state="absent", **options)
    assert answer["changed"] and all(name in str(answer["warnings"]) for pair in expected for name in pair)
    assert told() == expected  # they stay
    again = module("openldap_entry", state="absent", **options)
    assert not again["changed"] and unique in str(again["warnings"])


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        ({"dn": SYNC}, ["vault_password_missing"]),
        ({"dn": f"ou=services,{SUFFIX}"}, ["has_children", "unsupported_class"]),
        ({"dn": ALL}, ["unsupported_class"]),
        ({"dn": f"cn=nobody,ou=services,{SUFFIX}", "state": "present"}, ["no_saved_copy"]),
    ],
)
def test_an_entry_that_stays(server: Slapd, module: Module, tmp_path: Path, options: dict[str, Any], rules: list[str]) -> None:
    answer = module("openldap_entry", **{"state": "absent", "backup_dir": str(tmp_path / "saved"), **options})
    assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == rules
    assert server.writes() == []


def test_what_cannot_be_seen_is_not_absent(module: Module, tmp_path: Path) -> None:
    for dn, code in ((f"cn=x,ou=nowhere,{SUFFIX}", "cannot_read"), ("no name", "invalid_dn")):
        assert module("openldap_entry", dn=dn, state="absent", backup_dir=str(tmp_path))["failure"]["code"] == code
        assert module("openldap_entry_info", dn=dn)["failure"]["code"] == code


def test_an_account_that_somebody_changes_meanwhile(server: Slapd, module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, times = Client.read, []

    def late(self: Client, dn: str, *more: Any, **options: Any) -> Any:
        times.append(dn)
        if len(times) == 2:
            asked = client(server)
            asked.modify(SYNC, "", [("add", "description", [b"mine"])], "")
            asked.close()
        return read(self, dn, *more, **options)

    monkeypatch.setattr(Client, "read", late)
    answer = module("openldap_entry", dn=SYNC, state="absent", backup_dir=str(tmp_path), vault_password=VAULT)
    assert (answer["failure"]["code"], answer["changed"]) == ("changed_since_read", False)
    assert ldap_entry(server, SYNC) is not None


NEW = f"cn=iij-gone,ou=services,{SUFFIX}"


def swap(server: Slapd) -> str:
    """Somebody renames the account, and makes another one at its name; the entryUUID of the renamed one."""
    asked = client(server)
    try:
        own = asked.read(SYNC, ("*", "entryUUID"))
        assert own is not None
        asked._open().modify_dn(SYNC, "cn=iij-gone")
        asked.add(SYNC, {"objectClass": [b"organizationalRole"], "cn": [b"iij-dirsync"], "description": [b"the backup's"]})
        return own.text("entryUUID") or ""
    finally:
        asked.close()


def snapshot(folder: Path, told: dict[str, Any]) -> dict[str, Any]:
    """`known_file` with what openldap_entry_info told."""
    path = folder / "openldap.yml"
    content = yaml.safe_dump({"clauses": {}, "entries": {told["entry"]["dn"]: told["entry"]}})
    path.write_bytes(vault.encrypt(content.encode(), VAULT.encode(), bytes(32)))
    return {"path": str(path), "vault_password": VAULT}


@pytest.mark.parametrize("state", ["absent", "present"])
@pytest.mark.parametrize("by", ["confirmation", "snapshot", "entryUUID"])
def test_another_entry_that_took_the_name_over_is_left_alone(server: Slapd, module: Module, tmp_path: Path, by: str, state: str) -> None:
    told = module("openldap_entry_info", dn=SYNC.upper().replace(",", ", "))
    known = {"known_file": snapshot(tmp_path, told)} if by == "snapshot" else {}
    uuid = swap(server)
    assert told["confirm_as"] == f"<GUID={uuid}>;{SYNC}" and told["entry"]["entryUUID"] == uuid
    written, stranger = server.writes(), ldap_entry(server, SYNC)
    options = {"state": state, "backup_dir": str(tmp_path / "saved"), "vault_password": VAULT, **known}
    if by == "entryUUID":  # whatever it is called by now
        assert module("openldap_entry_info", dn=uuid.upper())["entry"]["dn"] == NEW
        answer = module("openldap_entry", dn=f"<GUID={uuid}>", check=True, **options)
        assert [change["name"] for change in answer["plan"]] == ([NEW] if state == "absent" else [])
        return
    confirmed = SYNC if by == "snapshot" else told["confirm_as"]
    for name, more in (("openldap_entry", options), ("openldap_access", {**known, "state": state, "backup_dir": str(tmp_path), "allow": ["denying_clause"]})):
        answer = module(name, dn=confirmed, **more)
        assert [item["rule"] for item in answer["failure"]["details"]["refusals"]][:1] == ["other_object"], answer
        assert uuid in answer["msg"] and f";{SYNC}" in answer["msg"]
    (told_now,) = module("openldap_entry_info", dn=confirmed, **known)["removal_refusals"]
    assert uuid in told_now
    assert (server.writes(), ldap_entry(server, SYNC)) == (written, stranger)


def test_an_account_under_another_name_is_not_gone(server: Slapd, module: Module, tmp_path: Path) -> None:
    known = {"known_file": snapshot(tmp_path, module("openldap_entry_info", dn=SYNC))}
    asked = client(server)
    asked._open().modify_dn(SYNC, "cn=iij-gone")
    asked.close()
    answer = module("openldap_entry", dn=SYNC, state="absent", backup_dir=str(tmp_path / "saved"), vault_password=VAULT, **known)
    assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == ["moved"] and NEW in answer["msg"]
    assert ldap_entry(server, NEW) is not None


def test_an_account_that_somebody_swaps_in_the_last_moment(server: Slapd, module: Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After it was read for the last time: the server itself compares."""
    delete = Client.delete

    def late(self: Client, *arguments: Any, **options: Any) -> None:
        swap(server)
        delete(self, *arguments, **options)

    monkeypatch.setattr(Client, "delete", late)
    answer = module("openldap_entry", dn=SYNC, state="absent", backup_dir=str(tmp_path), vault_password=VAULT)
    assert answer["failure"]["code"] == "changed_since_read" and "another entry has this name" in str(answer)
    assert ldap_entry(server, SYNC) is not None and ldap_entry(server, NEW) is not None


def test_a_confirmation_outlives_that_the_account_was_brought_back(server: Slapd, module: Module, tmp_path: Path) -> None:
    """Made anew it has another entryUUID. The journal says of which it was made."""
    told = module("openldap_entry_info", dn=SYNC)
    options = {"backup_dir": str(tmp_path / "saved"), "vault_password": VAULT, "known_file": snapshot(tmp_path, told)}
    kept = {**options, "journal": str(tmp_path / "journal.jsonl")}
    for confirmed in (told["confirm_as"], SYNC, f"<GUID={told['entry']['entryUUID']}>"):
        time.sleep(1.1)  # the files' names have the second
        assert module("openldap_entry", dn=confirmed, state="absent", **kept)["counts"]["done"] == 1
        again = module("openldap_entry", dn=confirmed, state="absent", **kept)
        assert (again["counts"]["unchanged"], again["changed"]) == (1, False)
        assert module("openldap_entry", dn=confirmed, state="present", **kept)["counts"]["done"] == 1
        assert not module("openldap_entry", dn=confirmed, state="present", **kept)["changed"]
    # without the journal nothing says so
    answer = module("openldap_entry", dn=SYNC, state="absent", **options)
    assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == ["other_object"]


def test_what_is_brought_back_is_the_copy_of_the_one_that_was_confirmed(server: Slapd, module: Module, tmp_path: Path) -> None:
    """Another entry had the name afterwards, and was removed too: its copy is the newest."""
    options = {"backup_dir": str(tmp_path / "saved"), "vault_password": VAULT, "journal": str(tmp_path / "journal.jsonl")}
    first, before = module("openldap_entry_info", dn=SYNC)["confirm_as"], ldap_entry(server, SYNC)
    assert module("openldap_entry", dn=first, state="absent", **options)["counts"]["done"] == 1
    asked = client(server)
    asked.add(SYNC, {"objectClass": [b"organizationalRole"], "cn": [b"iij-dirsync"], "description": [b"the backup's"]})
    asked.close()
    second, other = module("openldap_entry_info", dn=SYNC)["confirm_as"], ldap_entry(server, SYNC)
    time.sleep(1.1)  # the files' names have the second
    assert module("openldap_entry", dn=second, state="absent", **options)["counts"]["done"] == 1
    assert module("openldap_entry", dn=first, state="present", **options)["counts"]["done"] == 1
    assert ldap_entry(server, SYNC) == before != other


def test_an_entry_uuid_that_nothing_knows(module: Module, tmp_path: Path) -> None:
    for name, more in (("openldap_entry", {"state": "absent", "backup_dir": str(tmp_path)}), ("openldap_access", {"backup_dir": str(tmp_path)})):
        for answer in (module(name, dn="<GUID=0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11>", **more), module(f"{name}_info", dn="0c2e1b527f0a4d2e9a650d5d8d0b7f11")):
            assert answer["failure"]["code"] == "not_found" and "Give" in answer["msg"].title(), answer


def test_an_account_that_is_not_there_and_that_nobody_knows_is_a_failure(server: Slapd, module: Module, tmp_path: Path) -> None:
    options = {"state": "absent", "backup_dir": str(tmp_path), "vault_password": VAULT, "journal": str(tmp_path / "journal")}
    typed = SYNC.replace("sync", "snyc")
    answer = module("openldap_entry", dn=typed, **options)
    assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == ["nothing_found"]
    assert module("openldap_entry", dn=SYNC, **options)["changed"] and not module("openldap_entry", dn=SYNC.upper(), **options)["changed"]


def test_a_rule_of_an_account_that_nobody_knows_is_a_failure(server: Slapd, module: Module, tmp_path: Path) -> None:
    """Nothing would be taken out of the rules, and the stage would end well."""
    options = {"state": "absent", "backup_dir": str(tmp_path), "journal": str(tmp_path / "journal"), "allow": ["denying_clause"]}
    typed = SYNC.replace("sync", "snyc")
    answer = module("openldap_access", dn=typed, **options)
    assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == ["nothing_found"]
    # outside of a run folder absent is absent; and there it is what was done before, or an entry that no rule names
    assert not module("openldap_access", dn=typed, state="absent", backup_dir=str(tmp_path))["changed"]
    assert module("openldap_access", dn=SYNC, **options)["changed"] and not module("openldap_access", dn=SYNC.upper(), **options)["changed"]
    module("openldap_entry", dn=SYNC, state="absent", backup_dir=str(tmp_path), vault_password=VAULT)
    assert not module("openldap_access", dn=SYNC, **options)["changed"]


def test_a_copy_is_found_by_a_name_in_another_case(server: Slapd, module: Module, tmp_path: Path) -> None:
    options = {"backup_dir": str(tmp_path / "saved"), "vault_password": VAULT}
    module("openldap_entry", dn=SYNC, state="absent", **options)
    assert module("openldap_entry", dn=SYNC.upper().replace(",", " , "), state="present", **options)["changed"]
    assert ldap_entry(server, SYNC) is not None
