# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every parser of what others wrote: it reads, or it ends with a clear error that quotes no value; it never falls over."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import os
import struct
import tarfile
import tempfile
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import foreign_yaml, journal, plain, strict_json, vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import agent_config, values
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.controllers import plan as controllers
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import gpt_tmpl, preferences, registry_pol, versions
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects import saved
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_entry import references
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests import reinvitation as guest_reinvitation
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.references.plan import Matcher
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.snapshot import files as snapshot_files
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import access_pass, passwords
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import selection as user_selection
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import captured
from ansible_collections.offboard.iij_id.plugins.module_utils._graph import errors
from ansible_collections.offboard.iij_id.plugins.module_utils._iij import scim
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export import pages as export_pages
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.kept import info as export_info
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.store import Resources
from ansible_collections.offboard.iij_id.plugins.module_utils._linux import shell
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import starters
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron.plan import StartedIn
from ansible_collections.offboard.iij_id.plugins.module_utils._module import binding, files
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import preconditions
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.info import info as judge
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import page as report_page
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import plan as report
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import resource as run_report
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps import plan as steps
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps.resource import read_steps
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.vault_file.resource import info as vault_file_info
from ansible_collections.offboard.iij_id.plugins.module_utils._windows import archive, registry
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.browser_sign_in import resource as browser_sign_in
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates import firefox
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates import plan as windows_certificates
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.files import plan as windows_files
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.software import plan as software
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.software import resource as software_resource
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.tasks import plan as tasks
from dev import options
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lab.windows import certificates as made

SECRET = "S3cret-Zq7"
TENANT = "6b1c4a2e-0d5f-4c3b-9a7e-8f2d1c0b9a87"
PASSWORD = b"vault"


def in_file(name: str, parse: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """A parser of a file, as one of its content."""

    def read(content: bytes) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as stream:
                stream.write(content)
            return parse(path)

    return read


def text(parse: Callable[[str], Any]) -> Callable[[bytes], Any]:
    return lambda content: parse(content.decode("utf-8", "surrogateescape"))


class Tasklist:
    """A machine whose tasklist.exe prints what it is given."""

    host = "win"

    def __init__(self, printed: str) -> None:
        self.printed = printed

    def run(self, *_command: str) -> Any:
        return type("Answer", (), {"text": self.printed, "exit_code": 0})


def a_report(path: str) -> Any:
    folder = os.path.dirname(path) if path.endswith(".jsonl") else os.path.dirname(os.path.dirname(path))
    return run_report.RunReport({"run_dir": folder, "timezone": "Asia/Tokyo", "language": "ja", "title": "x"})


AT = "2026-11-21T09:00:00Z"
CHANGE = {"kind": "user", "id": "1", "name": SECRET, "action": "update", "before": {"a": 1}, "after": {"a": 2}, "risk": "low", "undo": ""}
INTENT = {"record": "intent", "run": "r", "at": AT, **CHANGE}
TIMER = {"name": "a.timer", "runs_as": "", "path": "/etc/systemd/system/a.timer", "user": "a", "uid": 1, "home": "/home/a", "enabled": True}
STEP = {"id": "a", "stage": "x", "en": "x", "ja": "x", "blocks_final_gate": True, "source": "", "done": False, "by": "", "at": "", "note": ""}
FINDING = {"severity": "blocker", "code": "x", "en": SECRET, "ja": "x", "objects": []}
DIRECTORY = {"objectClass": [b"top", b"user"], "sAMAccountName": [b"iij"], "objectGUID": [b"0123456789abcdef"], "userAccountControl": [b"512"]}
SID = bytes.fromhex("010500000000000515000000") + b"abcdefghijklmnop"
COPY = saved.make(
    Entry("CN=iij,DC=a", {**DIRECTORY, "objectSid": [SID]}), {}, [saved.SavedLink("CN=g", "member", "CN=iij,DC=a")], datetime.datetime(2026, 11, 21)
)
TASK = f"<!-- \\iij -->\n<Task xmlns='http://schemas.microsoft.com/windows/2004/02/mit/task'><Actions><Exec><Command>{SECRET}</Command></Exec></Actions></Task>"
EDGE = {"hive": "HKLM", "sort": "list", "key": r"SOFTWARE\Policies\Microsoft\Edge", "name": "AuthServerAllowlist"}
BROWSER_COPY = {"host": "win", "setting": EDGE, "at": AT} | {
    when: {r"HKLM\SOFTWARE\Policies\Microsoft\Edge\AuthServerAllowlist": value} for when, value in (("before", f"REG_SZ {SECRET}"), ("after", None))
}
YAML = f"ad:\n  ldap:\n    user: CN=a\n    password: {SECRET}\n"
CERTIFICATE = made.Authority(f"CN={SECRET}").issue(SECRET)


def an_archive(name: str, content: bytes) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made_now:
        made_now.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def a_line(*values: Any) -> bytes:
    return b"".join(as_json(value) + b"\n" for value in values)


MANIFEST = {
    "format": 1, "taken": AT, "tenant_id": TENANT, "domains": [], "federated": [], "apps": [], "app_objects": [], "users": [], "counts": {},
    "files": [{"name": "empty", "sha256": hashlib.sha256(b"").hexdigest(), "bytes": 0}],
}  # fmt: skip


def snapshot_users(path: str) -> Any:
    with open(os.path.join(os.path.dirname(path), "manifest.json"), "wb") as stream:
        stream.write(as_json(MANIFEST))
    return list(snapshot_files.read_snapshot_users(path, PASSWORD, {"tenant_id": TENANT}))


def requires_snapshot(path: str) -> None:
    with open(os.path.join(os.path.dirname(path), "empty"), "wb"):
        pass
    preconditions.check({"run_dir": os.path.dirname(os.path.dirname(path)), "steps": [], "snapshot": True}, {})


#: name: the parser of bytes, and inputs that it reads
PARSERS: dict[str, tuple[Callable[[bytes], Any], list[bytes]]] = {
    "agent_config": (text(agent_config.accounts), [YAML.encode()]),
    "yaml_values": (text(lambda it: windows_files.yaml_values(it, {"user": "ad.ldap.user"}, "config.yml")), [YAML.encode()]),
    "foreign_yaml": (text(lambda it: foreign_yaml.load(it)), []),
    "store": (lambda it: windows_certificates.parse(it, "machine", rf"HKLM\{made.thumbprint(CERTIFICATE)}"), [made.blob(CERTIFICATE)]),
    "certificate": (lambda it: windows_certificates.described(it, "machine", "HKLM", None), [CERTIFICATE]),
    "cert9": (lambda it: firefox.certificates(it, "machine"), [made.cert9([CERTIFICATE])]),
    "archive": (archive.unpacked, [an_archive("C:/x/y", SECRET.encode()), an_archive("C:/" + "利" * 200, b"")]),
    "listing": (text(windows_files.listing), [rb"d--------  C:\x" + b"\n" + rb"--a------ 12 C:\x\y"]),
    "tasks": (text(tasks.parse_query), [TASK.encode()]),
    "task": (text(lambda it: tasks.parse_task("\\iij", it)), [TASK.encode()]),
    "browser_copy": (in_file("win_0.browser.json", lambda path: list(browser_sign_in.copies(os.path.dirname(path), "win"))), [as_json(BROWSER_COPY)]),
    "registry": (
        text(lambda it: [(key.number("a"), key.strings("a")) for key in registry.parse_query(it)]),
        [b"HKEY_LOCAL_MACHINE\\a\r\n    a    REG_DWORD    0x1\r\n"],
    ),
    "software": (text(lambda it: software.products_of(registry.parse_query(it), "machine64")), [b"HKEY_X\\Uninstall\\a\n    DisplayName    REG_SZ    x\n"]),
    "tasklist": (text(lambda it: software_resource.processes(Tasklist(it))), [b'"a.exe","12","x"\n']),
    "ldif": (text(lambda it: saved.read(it, "a.ldif")), [COPY.encode()]),
    "sid": (values.sid, [SID]),
    "guid": (values.guid, [b"0123456789abcdef"]),
    "descriptor": (values.denied, [bytes(16) + b"\x14\0\0\0" + b"\x02\0\x20\0\x01\0\0\0" + b"\x01\0\x14\0\0\0\1\0" + b"\1\1\0\0\0\0\0\1\0\0\0\0"]),
    "number": (lambda it: values.file_time(Entry("CN=a", {"lastLogon": [it]}).number("lastLogon")), [b"133000000000000000"]),
    "registry_pol": (registry_pol.parse, [registry_pol.pack([registry_pol.Record("Software", SECRET, 1, b"x\0\0\0")])]),
    "gpt_tmpl": (
        lambda it: gpt_tmpl.without(it, "SeBatchLogonRight", [SECRET]),
        [b"\xff\xfe" + f"[Privilege Rights]\r\nSeBatchLogonRight = {SECRET},*S-1-5-32-544\r\n".encode("utf-16-le")],
    ),
    "preferences": (
        lambda it: preferences.deleting(it, preferences.registry_items(preferences.elements(it))),
        [f'<RegistrySettings><Registry uid="{SECRET}"><Properties action="U" name="{SECRET}"/></Registry></RegistrySettings>'.encode()],
    ),
    "repsfrom": (controllers.partner, [struct.pack("<IIIIqqI", 1, 0, 200, 1, 13_400_000_000, 13_400_000_000, 8524)]),
    "systemd_timer": (
        text(lambda it: starters.of_unit({**TIMER, "commands": [it], "folder": it, "environment": [it], "environment_files": [it], "service": it})),
        [f'-@/bin/sh "sh" -c \'%h/{SECRET} "${{A}}" %i\''.encode()],
    ),
    "at_job": (
        text(lambda it: starters.of_at({"number": 1, "path": "/var/spool/at/a", "user": "a", "home": "/home/a", "script": it})),
        [f"#!/bin/sh\nX={SECRET}; export X\ncd / || {{\n\texit 1\n}}\n/opt/x '{SECRET}'\n".encode()],
    ),
    "boot_script": (
        text(lambda it: starters.of_boot({"name": "iij", "path": "/etc/init.d/iij", "enabled": True, "script": it, "stop": ["update-rc.d", "iij", "disable"]})),
        [f"#!/bin/sh\ncase $1 in\nstart) /opt/x '{SECRET}' ;;\nesac\n".encode()],
    ),
    "incron_table": (
        text(lambda it: starters.of_incron({"path": "/var/spool/incron/a", "user": "a", "script": it, "is_system": False}, {})),
        [f"/srv IN_MODIFY /opt/x '{SECRET}'\n".encode()],
    ),
    "started_script": (
        text(lambda it: StartedIn("/", {}, ("/opt/x",)).started(shell.Reading({"/opt/x": it}))),
        [f"#!/bin/sh\ncd $(dirname $0)\n./y '{SECRET}'\n".encode(), f"#!/usr/bin/perl\nsystem '/opt/y {SECRET}';\n".encode()],
    ),
    "ldap_schema": (text(lambda it: references.attributes([it])), [f"( 2.5.4.31 NAME 'member' DESC '{SECRET}' SUP distinguishedName )".encode()]),
    "gpt_ini": (versions.of_ini, [b"[General]\r\nVersion=65537\r\n"]),
    "strict_json": (text(strict_json.loads), []),
    "steps": (in_file("steps.json", read_steps), [as_json({"steps": [STEP]})]),
    "requires": (
        in_file("steps.json", lambda path: preconditions.check({"run_dir": os.path.dirname(path), "steps": ["a"], "snapshot": False}, {})),
        [as_json({"steps": [{**STEP, "done": True, "by": "A", "at": "2026-11-01T00:00:00Z"}]})],
    ),
    "sign_in_verdict": (
        in_file("sign_in.json", preconditions.read_sign_in),
        [as_json({"tenant_id": TENANT, "domains": ["a.example"], "at": "2026-11-01T00:00:00Z", "no_way_in_open": 0, "users": []})],
    ),
    "requires_snapshot": (
        in_file("snapshot/manifest.json", requires_snapshot),
        [as_json(MANIFEST)],
    ),
    "binding": (in_file("run.json", lambda path: binding.check(path, {"tenant_id": TENANT})), [as_json({"tenant_id": TENANT})]),
    "manifest": (
        in_file("manifest.json", lambda path: snapshot_files.read_manifest(os.path.dirname(path))),
        [as_json(MANIFEST)],
    ),
    "snapshot": (
        in_file("users-1.jsonl", snapshot_users),
        [vault.encrypt(a_line({"id": "1", "name": SECRET}), PASSWORD, bytes(32))],
    ),
    "snapshot_lines": (
        lambda it: in_file("users-1.jsonl", snapshot_users)(vault.encrypt(it, PASSWORD, bytes(32))),
        [a_line({"id": "1", "name": SECRET})],
    ),
    "vault_text": (
        lambda it: in_file("a.yml", lambda path: vault_file_info({"paths": [path], "vault_password": "vault", "vault_password_file": None}))(
            vault.encrypt(it, PASSWORD, bytes(32))
        ),
        [SECRET.encode()],
    ),
    "scim_answer": (lambda it: scim._object("https://a.example", it), [as_json({"id": SECRET})]),
    "scim_page": (
        lambda it: export_pages.everything(lambda _path, _query: scim._object("https://a.example", it), "/Users", export_pages.Ways(1), 1, Resources()),
        [as_json({"totalResults": 1, "Resources": [{"id": SECRET}]})],
    ),
    "export_manifest": (
        in_file(
            "1/manifest.json",
            lambda path: export_info({"path": os.path.dirname(os.path.dirname(path)), "journal": None, "vault_password": "x", "vault_password_file": None}),
        ),
        [as_json({"format": 1, "taken": AT, "users": 1, "groups": 0, "complete": False, "content_sha256": "a", "files": [{"name": "a", "sha256": "b"}]})],
    ),
    "vault": (lambda it: vault.decrypt(it, PASSWORD), [vault.encrypt(SECRET.encode(), PASSWORD, bytes(32))]),
    "hand_over": (passwords.from_bytes, [passwords.to_bytes([{"id": "1", "password": SECRET}])]),
    "guest_copy": (
        in_file("guest_a.json", lambda path: guest_reinvitation.read_copies(os.path.dirname(path), TENANT)),
        [as_json({"copy": "guest", "tenant_id": TENANT, "version": 1})],
    ),
    "src": (in_file("src.jsonl", lambda path: list(user_selection.src_lines(path))), [a_line({"id": "1", "password": "keep"})]),
    "journal": (in_file("journal.jsonl", lambda path: [*files.read_journal(path), *journal.unfinished(files.read_lines(path))]), [a_line(INTENT)]),
    "report_journal": (in_file("journal.jsonl", a_report), [a_line(INTENT, {**INTENT, "record": "outcome", "status": "done"})]),
    "report_findings": (in_file("results/preflight.json", a_report), [as_json({"findings": [FINDING]})]),
    "report_results": (in_file("results/users.jsonl", a_report), [a_line({"status": "skipped", "code": "x", "msg": "x", "userPrincipalName": "a"})]),
    "report_manifest": (in_file("snapshot/manifest.json", a_report), [as_json({"taken": AT, "files": []})]),
    "graph_body": (errors.json_object, [as_json({"error": {"code": "x", "message": SECRET}})]),
    "graph_time": (text(access_pass.moment), [AT.encode()]),
    "captured": (
        lambda it: captured.decode(it, 1024 * 1024),
        [
            b"SAMLResponse=PGE%2BPC9hPg%3D%3D&RelayState=x",
            b"SAMLResponse: PGE+PC9hPg==\nRelayState: x",
            b'<html><form action="x"><input name="wresult" value="&lt;a/&gt;"></form></html>',
            as_json({"log": {"entries": [{"request": {"url": "x", "postData": {"params": [{"name": "SAMLResponse", "value": "PGE+PC9hPg=="}]}}}]}}),
        ],
    ),
    "matcher": (text(lambda it: Matcher(["auth.iij.jp"]).look({"a": it})), [b"https://auth.iij.jp/", b"&#97;uth%2Eiij.jp"]),
    "retry_after": (
        text(lambda it: errors.retry_after({"retry-after": it})),
        [b"12", b"Fri, 27 Nov 2026 09:00:00 GMT", b"nan", b"1e999", b"Fri, 27 Nov 99999 09:00 GMT"],
    ),
}

#: what is a trap in some format
TRAPS = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"0",
    b'"x"',
    b"NaN",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"\xff\xfe",
    b"\x00",
    b'{"a":1,"a":2}',
    b'{"steps": {}}',
    b'{"steps": ["x"]}',
    b'{"findings": [{}]}',
    b'{"findings": 1}',
    b'{"files": 1, "taken": 1}',
    b'{"files": [1], "taken": 1}',
    b'{"tenant_id": 1}',
    b"a: 2026-02-30",
    b'a: !!int "' + SECRET.encode() + b'"',
    b"a: &a [*a]",
    b"? {a: b}\n: c",
    b"a: !!binary x",
    b"<Task>",
    b"<Task>&x;</Task>",
    b"<!-- \\a -->\n<Task xmlns='a[b]}c'><x/></Task>",
    b"<Task><a></Task>",
    b"<Task>\xed\xa0\x80</Task>",
    b'"a","\xc2\xb2"',
    b"dn:: %%%\n",
    b"dn: CN=a\nchangetype: " + SECRET.encode() + b"\n",
    b"dn:: /w==\nchangetype: add\n",
    SECRET.encode() + b"\n",
    b"dn: a\nchangetype: modify\nadd:: /w==\n",
    b"2026-02-30T00:00:00Z",
    b"9" * 5000,
    b"<html>&#" + b"9" * 5000 + b";",
    "１２".encode(),
    b'{"id": 1}',
    b'{"id": "1", "version": "x", "copy": "guest", "tenant_id": "' + TENANT.encode() + b'"}',
    b"$ANSIBLE_VAULT;1.1;AES256\nzz\n",
    b"$ANSIBLE_VAULT;1.1;AES256\n61\n",
    b"---\nusers:\n- [1]\n",
    b"---\nusers:\n- x\n",
    b'{"record":"intent"}',
    b'{"record":"outcome","kind":1,"id":1,"name":1,"action":1,"at":"x"}',
    b'{"status":"skipped"}',
    b'{"record":"intent","run":"r","at":"a","kind":"k","id":"i","name":"n","action":"a","before":' + b"[" * 50_000,
    b'{"version": NaN}',
]


#: what is told of a file that was read whole: it names steps and tenants of the run folder, for that is what the operator must see. It is content that
#: has been found valid, on one line, and no terminal obeys it.
VERDICTS = {"requires": {"step_not_done", "unknown_step"}, "binding": {"other_run_folder"}}


def endure(name: str, content: bytes) -> None:
    """Reads, or ends with an error of ours whose message, details and traceback hold nothing of the input's secret."""
    parse = PARSERS[name][0]
    try:
        parse(content)
    except OffboardError as exc:
        if exc.code in VERDICTS.get(name, ()):
            assert exc.msg == plain.line(exc.msg)
            whole = json.loads(content)
            assert steps.parse(whole) is not None if name == "requires" else isinstance(whole["tenant_id"], str)
            return
        told = exc.msg + json.dumps(exc.details) + "".join(traceback.format_exception(exc))
    except ValueError as exc:
        assert name in ("foreign_yaml", "strict_json"), "these are not called by modules themselves"
        told = "".join(traceback.format_exception(exc))
    else:
        return
    # what cmd.exe prints instead of a file's name is a reason, such as "access denied"
    assert SECRET not in told or name == "listing"
    assert "\n" not in told.partition("Traceback")[0]


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_a_parser_reads_what_is_right(name):
    for content in PARSERS[name][1]:
        PARSERS[name][0](content)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: ascii(trap[:24]))
@pytest.mark.parametrize("name", sorted(PARSERS))
def test_a_parser_endures_traps(name, trap):
    endure(name, trap)


@st.composite
def damaged(draw, seeds):
    """A right input with a piece cut out, put in, or exchanged."""
    content = draw(st.sampled_from(seeds or [b""]))
    for _unused in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 30)))
        piece = draw(
            st.sampled_from([b"", b"null", b"1", b"[", b"}", b'"', b"\n", b"\x00", b"\xff", b": ", b"&a", b"!!int ", b"<", SECRET.encode()])
            | st.binary(max_size=4)
        )
        content = content[:start] + piece + content[end:]
    return content


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_a_parser_endures_damage(name):
    seeds = PARSERS[name][1]

    @settings(max_examples=60)
    @given(damaged(seeds) | st.binary(max_size=60))
    @example(b"")
    def check(content):
        endure(name, content)

    check()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["", SECRET, AT]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted({*INTENT, *STEP, *FINDING, "steps", "findings", "files"})), inner, max_size=6)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "name",
    ["steps", "requires", "binding", "manifest", "guest_copy", "src", "journal", "report_journal", "report_findings", "report_results", "snapshot_lines"],
)
def test_a_file_with_other_types_than_ours_is_endured(name):
    whole = {"steps": {"steps": [STEP]}, "requires": {"steps": [STEP]}, "report_findings": {"findings": [FINDING]}}.get(name, INTENT)

    @settings(max_examples=80)
    @given(JSON, st.sampled_from(sorted(whole if whole is INTENT else {**STEP, **FINDING})))
    def check(value, key):
        endure(name, as_json(value))
        inner = {**INTENT, "record": "outcome", "status": "done", key: value} if whole is INTENT else {**(STEP if "steps" in whole else FINDING), key: value}
        endure(name, as_json(inner if whole is INTENT else {next(iter(whole)): [inner]}) + b"\n")

    check()


@settings(max_examples=80)
@given(JSON, st.sampled_from(["domains", "users", "apps", "machines", "directory_objects", "dry_runs", "steps", "directory_unusable"]))
def test_findings_out_of_something_else_are_a_clear_error(value, option):
    given_value = {"x": value} if option == "machines" else [value] if isinstance(value, dict) else [{"x": value}]
    for gate in ("preflight", "agents", "final"):
        try:
            judge(options.given("readiness_info", gate=gate, **{option: given_value}), exports=dict)
        except OffboardError as exc:
            assert exc.code == "bad_option" and SECRET not in exc.msg


def test_journal_lines_that_are_not_whole_change_no_report():
    whole = [INTENT, {**INTENT, "record": "outcome", "status": "done"}]
    broken = [{"record": "intent"}, {**INTENT, "at": "yesterday"}, {**INTENT, "before": 1}, {"record": "refusal"}, {**INTENT, "id": 5}]
    assert list(journal.known([*broken, *whole])) == whole
    built = report.build(journal.known([*broken, *whole]), [], None, None, None, "x")
    assert built["counts"]["done"] == 1
    assert report_page.page(built, "ja", datetime.UTC)


def test_a_step_that_nobody_has_done_is_no_step():
    done = {**STEP, "done": True, "by": "A", "at": "2026-11-01T00:00:00Z"}
    assert steps.parse({"steps": [done]})
    for nobody in ("", " ", "\u200b", "\u3000\u2060"):
        with pytest.raises(ValueError):
            steps.parse({"steps": [{**done, "by": nobody}]})


def test_a_step_without_its_parts_is_no_step():
    assert [steps.to_record(item.id, item.state) for item in steps.parse({"steps": [STEP]})] == [STEP]
    for name in STEP:
        for wrong in (None, 1, []):
            with pytest.raises(ValueError):
                steps.parse({"steps": [{**STEP, name: wrong}]})
