# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of group policy against the lab's real domain controller: its directory by LDAP, its SYSVOL by SMB.

"Writes nothing" is Samba's own audit log for the directory, and every byte and time of SYSVOL on the disk.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import ldap3
import pytest
import smbclient
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import sysvol as sysvol_module
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import values
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.connection import Connection
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import edit, registry_pol
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.sysvol import Sysvol
from dev.options import given
from lab import paths
from lab.directory import group_policies as fixture
from lab.directory import settings
from lab.directory.fixture import full_dn
from lab.directory.policy_client import policy_client
from smbclient._os import _set_basic_information as mark
from smbprotocol.exceptions import SMBOSError

pytestmark = pytest.mark.lab

RUN = full_dn("CN=iij-dirsync-run,OU=Services,OU=Reiji")
DOMAIN = paths.DC_HOST.partition(".")[2]


def run_sid(directory) -> str:
    return values.sid(directory.entry("CN=iij-dirsync-run,OU=Services,OU=Reiji")["objectSid"][0])


class Answer(dict):
    """What a module returned."""

    @property
    def code(self):
        return self["failure"]["code"]

    @property
    def rules(self):
        return [item["rule"] for item in self["failure"]["details"]["refusals"]]


def policies_folder(directory) -> Path:
    return settings.sysvol(directory.part.state) / DOMAIN / "Policies"


def on_disk(directory) -> dict[str, tuple[bytes, int]]:
    """Every file of SYSVOL: its bytes, and when it was written. It also tells whether something was put there or is gone."""
    folder = policies_folder(directory)
    return {str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def sysvol_kept(directory):
    """The fixture's files again afterwards: `directory.fresh` looks at the directory alone."""
    before = on_disk(directory)
    yield before
    if on_disk(directory) != before:
        directory.part.reset()
        directory.clear()


@pytest.fixture
def module(directory, capsys, sysvol_kept):
    """Runs a module's own main() in this process, as Administrator unless another is named."""

    def run(name, check=False, **options):
        arguments = {**directory.options(paths.AD_ADMIN), **options, "_ansible_check_mode": check, "_ansible_diff": True}
        main = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}").main
        capsys.readouterr()
        with patch_module_args({key: value for key, value in arguments.items() if value is not None}), pytest.raises(SystemExit):
            main()
        output = capsys.readouterr()
        answer = Answer(json.loads(output.out))
        assert paths.PASSWORD not in output.out and "Traceback" not in output.out
        return answer

    return run


@pytest.fixture
def info(module):
    def run(**options):
        answer = module("group_policy_info", **options)
        assert "policies" in answer, answer["msg"]
        return {item["guid"]: item for item in answer["policies"]}, answer

    return run


@pytest.mark.long  # the library krb5 compiles for minutes
def test_by_kerberos(module, info, directory, tmp_path, monkeypatch):
    """By a ticket, to the server's name, without a password; where there is no ticket, NTLM is not tried."""
    pytest.importorskip("krb5", reason="the Python libraries gssapi and krb5 are not installed; they are needed for authentication=kerberos only")
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: resolve(paths.DC_ADDRESS if host == paths.DC_HOST else host, *more, **named))
    monkeypatch.setenv("KRB5_CONFIG", directory.krb5_conf)
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/cc")
    by_ticket = {"authentication": "kerberos", "username": None, "password": None}
    assert module("group_policy_info", **by_ticket).code == "kerberos_failed"
    subprocess.run(["kinit", f"Administrator@{paths.AD_REALM}"], input=paths.PASSWORD, text=True, check=True, capture_output=True)
    assert set(info(**by_ticket)[0]) == set(info()[0])
    (tmp_path / "cc").unlink()
    with pytest.raises(OffboardError) as refused:  # SMB for itself
        Sysvol(Connection.from_params(given("group_policy_info", **{**directory.options(paths.AD_ADMIN), **by_ticket}))).read(GPT_INI)
    assert refused.value.code == "kerberos_failed"


# --- SYSVOL itself ---


@pytest.fixture
def sysvol(directory):
    opened = []

    def connect(user=paths.AD_ADMIN, **options):
        opened.append(Sysvol(Connection.from_params(given("group_policy_info", **{**directory.options(user), **options}))))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


GPT_INI = rf"sysvol\{DOMAIN}\Policies" + "\\" + fixture.CONTROLLERS + r"\GPT.INI"


def test_a_session_lends_its_identity_to_no_other(directory, sysvol, sysvol_kept):
    """smbprotocol's own cache does: a session of Administrator would write for the operator."""
    with sysvol().locked(GPT_INI) as file:
        assert file.read().startswith(b"[General]")
    with pytest.raises(OffboardError) as caught, sysvol(paths.AD_OPERATOR).locked(GPT_INI):
        pass
    assert caught.value.code == "insufficient_rights"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"password": "wrong"}, "wrong_credentials"),
        ({"username": "nobody@" + DOMAIN}, "wrong_credentials"),
        ({"host": "127.0.0.99"}, "unreachable"),
        ({"username": RUN}, "bad_option"),
        ({"password": None}, "credentials_missing"),
    ],
)
def test_sessions_that_fail(directory, sysvol, options, code):
    with pytest.raises(OffboardError) as caught:
        sysvol(**options).read(GPT_INI)
    assert caught.value.code == code and paths.PASSWORD not in caught.value.msg


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"userAccountControl": ["514"]}, "account_disabled"),
        ({"accountExpires": ["116444736000000000"]}, "account_expired"),
        ({"pwdLastSet": ["0"]}, "password_must_change"),
    ],
)
def test_accounts_that_may_not_log_on_by_smb(directory, sysvol, changes, code):
    directory.arrange("CN=iij-dirsync-bind,OU=Services,OU=Reiji", changes)
    with pytest.raises(OffboardError) as caught:
        sysvol(f"iij-dirsync-bind@{DOMAIN}").read(GPT_INI)
    assert caught.value.code == code


def test_what_the_lock_lets_others_do(directory, sysvol, sysvol_kept):
    with sysvol().locked(GPT_INI) as file:
        assert sysvol().read(GPT_INI) == file.read()
        with pytest.raises(OffboardError) as caught, sysvol().locked(GPT_INI):
            pass
    assert caught.value.code == "file_in_use"
    for path in (GPT_INI + "x", GPT_INI.replace("Policies", "gone"), r"gone\x"):
        with pytest.raises(OffboardError) as caught:
            sysvol().read(path)
        assert caught.value.code == "not_found", caught.value.msg


def test_rights_are_asked_for_without_a_write(directory, sysvol, sysvol_kept):
    folder = GPT_INI.rpartition("\\")[0] + "\\" + fixture.GPT_TMPL.rpartition("\\")[0]
    sysvol().may_replace(folder, "GptTmpl.inf", GPT_INI)
    with pytest.raises(OffboardError) as caught:
        sysvol(paths.AD_OPERATOR).may_replace(folder, "GptTmpl.inf", GPT_INI)
    assert caught.value.code == "insufficient_rights"
    assert on_disk(directory) == sysvol_kept


@pytest.mark.parametrize("file", [fixture.GPT_TMPL, "GPT.INI"])
@pytest.mark.parametrize("check", [True, False])
def test_a_file_that_is_marked_read_only_is_told_and_stays(right, sysvol, directory, sysvol_kept, tmp_path, check, file):
    """Windows refuses to replace it, in the words in which it says that somebody reads it."""
    share = sysvol()
    share.read(GPT_INI)
    path = share._path(GPT_INI.rpartition("\\")[0] + "\\" + file)
    mark(path, file_attributes=0x1, connection_cache=share._cache)
    try:
        answer = right(check=check)
        assert answer.code == "file_write_failed" and "read-only" in answer["msg"] and path.rpartition("\\")[2] in answer["msg"]
        assert {name: data for name, (data, _at) in on_disk(directory).items()} == {name: data for name, (data, _at) in sysvol_kept.items()}
        assert directory.writes() == [] and not (tmp_path / "policies").exists()
    finally:
        mark(path, file_attributes=0x20, connection_cache=share._cache)


def test_a_file_is_replaced_with_its_rights(directory, sysvol, sysvol_kept):
    share = sysvol()
    path = GPT_INI.rpartition("\\")[0] + "\\" + fixture.GPT_TMPL
    before, rights = share.read(path), share.descriptor(path)
    share.create(path + ".tmp", before + "\r\n".encode("utf-16-le"))
    with pytest.raises(OffboardError) as caught:
        share.create(path + ".tmp", b"")
    assert caught.value.code == "already_exists"
    share.rename(path + ".tmp", path, 1)
    assert share.read(path) == before + "\r\n".encode("utf-16-le")
    if share.descriptor(path) != rights:
        share.set_descriptor(path, rights)
    assert share.descriptor(path) == rights
    assert "MACHINE/Microsoft/Windows NT/SecEdit/GptTmpl.inf".replace("/", "\\") in share.listing(GPT_INI.rpartition("\\")[0]).files


# --- group_policy_info ---


def test_where_policies_mention_iij(info, directory, sysvol_kept):
    found, answer = info(hosts=["auth.iij.jp"], accounts=[RUN])
    sid = run_sid(directory)
    told = {guid: {(item["kind"], item["where"].rpartition("\\")[2], tuple(item["found"])) for item in policy["mentions"]} for guid, policy in found.items()}
    assert told[fixture.CONTROLLERS] == {("right", "SeBatchLogonRight", (sid,))}
    assert told[fixture.DOMAIN] == {("right", "SeBatchLogonRight", (sid,)), ("right", "SeServiceLogonRight", (sid,))}
    assert told[fixture.BROWSERS] == {
        ("registry", "AuthServerAllowlist", ("*.auth.iij.jp",)),
        ("registry", "AuthServerAllowlist", ("www1.auth.iij.jp",)),
        ("registry", "AuthNegotiateDelegateAllowlist", ("www1.auth.iij.jp",)),
        ("registry", "2", ("reiji.iwa.auth.iij.jp",)),
        ("registry", "https://reiji.iwa.auth.iij.jp", ("reiji.iwa.auth.iij.jp",)),
        ("preference", "https", ("www1.auth.iij.jp",)),
    }
    assert told[fixture.DRIVES] == {("script", "", ("www1.auth.iij.jp",))}
    assert [item.get("broader") for item in found[fixture.DECOY]["mentions"]] == [["*.iij.jp"]]
    assert [item["code"] for item in found[fixture.DAMAGED]["unreadable"]] == ["policy_unreadable"]
    assert found[fixture.DRIVES]["holds_password"] == [r"USER\Preferences\Drives\Drives.xml"] and "j1Uyj3" not in json.dumps(answer)
    assert found[fixture.DRIVES]["status"] == "disabled" and found[fixture.DRIVES]["links"] == []
    assert found[fixture.BROWSERS]["links"] == [{"dn": paths.AD_BASE, "enabled": True, "enforced": False}]
    browsers = found[fixture.BROWSERS]
    assert (browsers["machine_version"], browsers["user_version"], browsers["versions_differ"], browsers["may_write"]) == (2, 3, False, True)
    assert [(item["right"], item["guid"]) for item in answer["orphaned"]] == [("SeInteractiveLogonRight", fixture.CONTROLLERS)]
    assert answer["pdc_emulator"] == {"name": paths.DC_HOST, "is_host": True} and answer["not_looked_at"] == answer["replication_pending"] == []
    assert directory.writes() == [] and on_disk(directory) == sysvol_kept


def test_the_operator_may_read_and_not_write(info):
    found, _unused = info(username=paths.AD_OPERATOR, policies=[fixture.CONTROLLERS.lower().strip("{}")])
    assert list(found) == [fixture.CONTROLLERS] and not found[fixture.CONTROLLERS]["may_write"]


@pytest.fixture
def hidden(directory):
    """A policy that the operator may not read."""
    with directory.admin() as admin:
        admin.search(paths.AD_BASE, f"(userPrincipalName={paths.AD_OPERATOR})", attributes=["objectSid"])
        sid = values.sid(admin.response[0]["raw_attributes"]["objectSid"][0])
    policy = full_dn(f"CN={fixture.BROWSERS},CN=Policies,CN=System")
    rights = ["--objectdn", policy, "--sddl", f"(D;;RPLCLORC;;;{sid})"]
    asked = ["-H", f"ldap://{paths.DC_ADDRESS}", "-s", str(directory.part.state / "smb.conf"), f"-U{paths.AD_NETBIOS}\\Administrator%{paths.PASSWORD}"]
    done = subprocess.run(["samba-tool", "dsacl", "set", *rights, *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    directory._changed = True
    directory.clear()
    return policy


def test_a_policy_that_the_account_may_not_read_is_told(info, module, hidden):
    found, answer = info(username=paths.AD_OPERATOR)
    assert fixture.BROWSERS not in found and fixture.CONTROLLERS in found
    assert [(item["dn"], item["code"]) for item in answer["unreadable_policies"]] == [(hidden, "insufficient_rights")]
    edit = {"policies": [fixture.BROWSERS], "hosts": ["auth.iij.jp"], "state": "absent", "backup_dir": "/nowhere"}
    refused = module("group_policy_registry", username=paths.AD_OPERATOR, **edit)
    assert refused.code == "insufficient_rights" and hidden in refused["msg"]


def test_versions_that_differ_are_told(info, directory):
    directory.arrange(f"CN={fixture.DECOY},CN=Policies,CN=System", {"versionNumber": ["7"]})
    directory._changed = True
    found, _unused = info()
    assert [guid for guid, policy in found.items() if policy["versions_differ"]] == [fixture.DECOY]
    assert (found[fixture.DECOY]["version"], found[fixture.DECOY]["sysvol_version"]) == (7, 1)


@pytest.fixture
def netlogon(directory):
    folder = settings.sysvol(directory.part.state) / DOMAIN / "scripts"
    there = set(folder.rglob("*"))
    yield folder
    for file in set(folder.rglob("*")) - there:
        file.unlink()


def test_logon_scripts_are_told_and_stay(info, netlogon, directory):
    """A script of the domain's own folder, which belongs to no policy; the delegated account sees it too, as everybody does."""
    scripts = {"logon.cmd": "@start https://WWW1.auth.iij.jp/\r\n", "other.cmd": "@start https://xauth.iij.jp/\r\n", "sid.vbs": f"' {run_sid(directory)}\r\n"}
    for name, text in scripts.items():
        (netlogon / name).write_text(text, encoding="utf-16" if name.endswith(".vbs") else "ascii")
    (netlogon / "setup.msi").touch()
    os.truncate(netlogon / "setup.msi", sysvol_module.MOST_BYTES + 1)
    for account in (paths.AD_ADMIN, paths.AD_OPERATOR):
        told = info(hosts=["auth.iij.jp"], accounts=[RUN], username=account)[1]["netlogon"]
        assert told["folder"] == rf"sysvol\{DOMAIN}\scripts"
        assert [(item["kind"], item["file"], item["found"], item["changed_by"]) for item in told["mentions"]] == [
            ("script", "logon.cmd", ["www1.auth.iij.jp"], ""),
            ("script", "sid.vbs", [run_sid(directory)], ""),
        ]
        assert [(item["file"], item["code"]) for item in told["unreadable"]] == [("setup.msi", "too_large")]
    assert info(hosts=["auth.iij.jp"], policies=[fixture.DECOY])[1]["netlogon"] is None
    away = netlogon.rename(netlogon.with_name("away"))
    try:
        assert [(item["file"], item["code"]) for item in info(hosts=["auth.iij.jp"])[1]["netlogon"]["unreadable"]] == [("", "not_found")]
    finally:
        away.rename(netlogon)


def _large(folder):
    os.truncate(folder / "large.txt", sysvol_module.MOST_BYTES + 1)


def _many(folder):
    for number in range(5_000):
        (folder / f"{number}.txt").touch()


def _deep(folder):
    folder.joinpath(*["deeper"] * 25).mkdir(parents=True)


def _cyclic(folder):
    (folder / "again").symlink_to(".")


@pytest.mark.parametrize("arrange", [_large, _many, _deep, _cyclic])
def test_hostile_content_is_told_and_nobody_waits_for_its_end(info, registry, directory, sysvol_kept, arrange):
    """The others are looked at all the same; and the policy is edited only where the file that is edited is known."""
    folder = policies_folder(directory) / fixture.BROWSERS / "MACHINE/hostile"
    folder.mkdir()
    (folder / "large.txt").touch()
    arrange(folder)
    before = on_disk(directory)
    found, _unused = info(hosts=["auth.iij.jp"])
    file = r"MACHINE\hostile\large.txt" if arrange is _large else "GPT.INI"
    assert [(item["file"], item["code"]) for item in found[fixture.BROWSERS]["unreadable"]] == [(file, "too_large")]
    assert bool(found[fixture.BROWSERS]["mentions"]) == (arrange is _large) and found[fixture.DRIVES]["mentions"]
    failed = registry()
    assert (failed.get("failed_objects") or [failed["failure"]])[0]["code"] == "too_large"
    assert on_disk(directory) == before and directory.writes() == []


def test_an_account_that_is_gone_is_found_by_its_sid(info, directory):
    sid = run_sid(directory)
    with directory.admin() as admin:
        admin.delete(RUN)
    directory._changed = True
    found, answer = info(accounts=[sid, RUN])
    assert [item["name"] for item in answer["unusable"]] == [RUN]
    # the logon name is known no more, so the right that has it by name is not found
    assert [item["where"] for item in found[fixture.DOMAIN]["mentions"]] == ["SeBatchLogonRight"]
    assert {(item["right"], item["guid"]) for item in answer["orphaned"]} >= {("SeBatchLogonRight", fixture.DOMAIN)}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"hosts": ["*"]}, "bad_option"),
        ({"policies": ["browser"]}, "bad_option"),
        ({"policies": ["{00000000-0000-0000-0000-000000000000}"]}, "not_found"),
        ({"password": "not-it-1"}, "wrong_credentials"),
        ({"port": 1}, "unreachable"),
    ],
)
def test_what_group_policy_info_refuses(module, options, code):
    answer = module("group_policy_info", **options)
    assert answer["failed"] and answer.code == code


# --- group_policy_right ---

TEMPLATE = fixture.GPT_TMPL.replace("\\", "/")


def template(directory, guid) -> bytes:
    return (policies_folder(directory) / guid / TEMPLATE).read_bytes()


def versions_of(directory, guid) -> tuple[int, int]:
    ini = (policies_folder(directory) / guid / "GPT.INI").read_bytes()
    return int(directory.entry(f"CN={guid},CN=Policies,CN=System")["versionNumber"][0]), int(ini.split(b"Version=")[1])


@pytest.fixture
def right(module, tmp_path):
    def run(guid=fixture.CONTROLLERS, **options):
        defaults = {"policies": [guid], "rights": ["SeBatchLogonRight"], "accounts": [RUN], "state": "absent", "backup_dir": str(tmp_path / "policies")}
        return module("group_policy_right", **{**defaults, **options})

    return run


def test_the_run_user_goes_and_nothing_else(right, directory, sysvol_kept, tmp_path):
    before = template(directory, fixture.CONTROLLERS)
    expected = before.replace(f"*{run_sid(directory)},".encode("utf-16-le"), b"")
    planned = right(check=True)
    assert planned["changed"] and on_disk(directory) == sysvol_kept and directory.writes() == [] and not (tmp_path / "policies").exists()
    done = right(journal=str(tmp_path / "run/journal.jsonl"))
    assert done["plan"] == planned["plan"] and done["counts"]["done"] == 1
    assert template(directory, fixture.CONTROLLERS) == expected != before
    assert versions_of(directory, fixture.CONTROLLERS) == (2, 2)
    changed = {name for name, state in on_disk(directory).items() if sysvol_kept.get(name) != state}
    assert changed == {f"{fixture.CONTROLLERS}/GPT.INI", f"{fixture.CONTROLLERS}/{TEMPLATE}"}
    assert {(item["operation"], tuple(item["attributes"])) for item in directory.writes()} == {("Modify", ("versionNumber",))}
    copy = Path(done["saved_copies"][fixture.CONTROLLERS])
    assert (copy / TEMPLATE).read_bytes() == before and b"versionNumber: 1" in (copy / "policy.ldif").read_bytes()
    directory.clear()
    again = right()
    assert not again["changed"] and again["counts"]["unchanged"] == 1 and directory.writes() == []
    back = right(state="present")
    assert back["changed"] and versions_of(directory, fixture.CONTROLLERS) == (3, 3)
    assert f",*{run_sid(directory)}\r\n".encode("utf-16-le") in template(directory, fixture.CONTROLLERS)


def gpo_tool(directory, *words) -> str:
    """What `samba-tool gpo` says, which asks the domain controller by LDAP and SMB as any other machine does."""
    asked = ["-H", f"ldap://{paths.DC_ADDRESS}", "-s", str(directory.part.state / "smb.conf"), f"-U{paths.AD_NETBIOS}\\Administrator%{paths.PASSWORD}"]
    done = subprocess.run(["samba-tool", "gpo", *words, *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    return done.stdout


def test_samba_itself_reads_what_was_edited(right, directory, tmp_path):
    """Samba's own parser of GptTmpl.inf, its view of the policy, its copy, and its comparison of the rights in SYSVOL with those of the directory."""
    assert right()["changed"]
    code = (
        "import sys; from samba.gp_parse.gp_inf import GptTmplInfParser; p = GptTmplInfParser(); p.parse(open(sys.argv[1], 'rb').read()); "
        "print([x for x in p.sections['Privilege Rights'].param_list if x[0] == 'SeBatchLogonRight'])"
    )
    path = policies_folder(directory) / fixture.CONTROLLERS / TEMPLATE
    read = subprocess.run(["/usr/bin/python3", "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    assert run_sid(directory) not in read and "S-1-5-32-559" in read
    shown = dict(line.split(":", 1) for line in gpo_tool(directory, "show", fixture.CONTROLLERS).splitlines() if ":" in line)
    assert {name.strip(): value.strip() for name, value in shown.items()}["version"] == "2"
    (tmp_path / "theirs").mkdir()
    gpo_tool(directory, "backup", fixture.CONTROLLERS, f"--tmpdir={tmp_path / 'theirs'}")
    (copied,) = (tmp_path / "theirs").rglob("GptTmpl.inf.SAMBABACKUP")
    assert copied.read_bytes() == template(directory, fixture.CONTROLLERS)
    gpo_tool(directory, "aclcheck")
    conf = str(directory.part.state / "smb.conf")
    checked = subprocess.run(["samba-tool", "ntacl", "sysvolcheck", "-s", conf], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_nobody_left(right, directory, sysvol_kept):
    refused = right(fixture.DOMAIN)
    assert refused.rules == ["right_empty"] and on_disk(directory) == sysvol_kept and directory.writes() == []
    assert right(fixture.DOMAIN, when_empty="undefine")["changed"]
    assert "SeBatchLogonRight" not in template(directory, fixture.DOMAIN).decode("utf-16")
    assert right(fixture.DOMAIN, state="present").rules == ["right_undefined"]
    assert right(fixture.DOMAIN, state="present", when_undefined="define")["changed"]
    assert f"SeBatchLogonRight = *{run_sid(directory)}\r\n" in template(directory, fixture.DOMAIN).decode("utf-16")


def test_only_what_was_taken_out_comes_back(right, directory, tmp_path):
    """`SeServiceLogonRight` never had the account: the way back must not grant it. An undefined right is defined again as it was."""
    options = {
        "policies": [fixture.DOMAIN, fixture.CONTROLLERS],
        "rights": ["SeBatchLogonRight", "SeInteractiveLogonRight"],
        "journal": str(tmp_path / "run/journal.jsonl"),
    }
    assert right(when_empty="undefine", **options)["changed"]
    back = {**options, "state": "present", "only_removed": True, "when_undefined": "define"}
    planned = right(check=True, **back)
    assert {name for change in planned["plan"] for name in change["after"] if name.startswith("Se")} == {"SeBatchLogonRight"}
    assert right(**back)["plan"] == planned["plan"]
    assert f"SeBatchLogonRight = *{run_sid(directory)}\r\n" in template(directory, fixture.DOMAIN).decode("utf-16")
    assert not right(**back)["changed"]
    assert right(**{**back, "journal": None}).get("failed")  # without a journal nothing says what was taken out


def test_a_name_means_whom_it_meant_when_it_was_confirmed(right, directory, sysvol_kept):
    """The account is gone by now; another one of what was read then is not meant."""
    gone = {"dn": full_dn("CN=gone,OU=Services,OU=Reiji"), "objectGUID": "", "objectSid": run_sid(directory)}
    other = {"dn": full_dn("CN=other,OU=Services,OU=Reiji"), "objectGUID": "", "objectSid": "S-1-5-32-544"}
    assert right(accounts=[gone["dn"]]).code == "not_found" and on_disk(directory) == sysvol_kept
    planned = right(accounts=[gone["dn"]], known=[other, gone], check=True)
    assert [change["after"]["SeBatchLogonRight"] for change in planned["plan"]] == [["*S-1-5-32-559", "*S-1-5-32-551", "*S-1-5-32-544"]]


def test_a_right_that_names_the_account_by_its_logon_name(right, directory):
    assert right(fixture.DOMAIN, rights=["SeServiceLogonRight"])["changed"]
    assert "SeServiceLogonRight = *S-1-5-80-0\r\n" in template(directory, fixture.DOMAIN).decode("utf-16")


@pytest.mark.parametrize("check", [True, False])
def test_rights_are_looked_at_before_anything_is_written(right, directory, sysvol_kept, check, tmp_path):
    answer = right(check=check, username=paths.AD_OPERATOR)
    assert answer.code == "insufficient_rights" and not answer["changed"]
    assert on_disk(directory) == sysvol_kept and directory.writes() == [] and not (tmp_path / "policies").exists()


def test_versions_that_differ_are_not_edited_over(right, directory, sysvol_kept):
    directory.arrange(f"CN={fixture.CONTROLLERS},CN=Policies,CN=System", {"versionNumber": ["9"]})
    directory._changed = True
    assert right().rules == ["versions_differ"]
    assert on_disk(directory) == sysvol_kept and directory.writes() == []


def test_another_editor(right, directory, sysvol, sysvol_kept):
    with sysvol().locked(GPT_INI):
        answer = right()
    assert answer.code == "file_in_use" and on_disk(directory) == sysvol_kept and directory.writes() == []


def held(share, path, seconds):
    """A client that reads the file as Windows' client-side extensions do: others may read it meanwhile."""
    share._open()
    with share._file(path, "rb", share_access="r"):
        time.sleep(seconds)


@pytest.mark.parametrize(("seconds", "patience", "code"), [(2, 30, None), (6, 1, "file_in_use")])
def test_a_client_that_reads_the_file(right, directory, sysvol, sysvol_kept, seconds, patience, code):
    reader = threading.Thread(target=held, args=(sysvol(), GPT_INI.rpartition("\\")[0] + "\\" + fixture.GPT_TMPL, seconds))
    reader.start()
    time.sleep(0.5)
    answer = right(in_use_timeout=patience)
    reader.join()
    if code is None:
        assert answer["counts"].get("done") == 1 and versions_of(directory, fixture.CONTROLLERS) == (2, 2)
    else:
        assert answer.code == code and versions_of(directory, fixture.CONTROLLERS) == (1, 1)
        assert {name: data for name, (data, _when) in on_disk(directory).items()} == {name: data for name, (data, _when) in sysvol_kept.items()}
    assert not [name for name in on_disk(directory) if name.endswith(".tmp")]


#: where a run is killed: right after this call, the given number of times
STEPS = {"uploaded": ("create", 1), "swapped": ("_swap", 1), "renamed": ("rename", 1), "ini": ("write", 1)}


def killed_after(step, arguments, module="group_policy_right"):
    """Runs the module in a process that ends without any clean-up right after the step."""
    name, _times = STEPS[step]
    owner = {"create": Sysvol, "rename": Sysvol, "_swap": edit.Editor, "write": sysvol_module.Locked}[name]
    process = os.fork()
    if process == 0:
        original = getattr(owner, name)

        def last(*positional, **named):
            original(*positional, **named)
            os._exit(9)

        setattr(owner, name, last)
        main = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{module}").main
        with patch_module_args(arguments), contextlib.suppress(BaseException):
            main()
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9


@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_run_that_was_killed_is_gone_on_with(right, directory, tmp_path, step):
    expected = template(directory, fixture.CONTROLLERS).replace(f"*{run_sid(directory)},".encode("utf-16-le"), b"")
    journal = tmp_path / "run/journal.jsonl"
    options = {
        "policies": [fixture.CONTROLLERS], "rights": ["SeBatchLogonRight"], "accounts": [RUN], "state": "absent", "backup_dir": str(tmp_path / "policies"),
        "journal": str(journal),
    }  # fmt: skip
    killed_after(step, {**directory.options(paths.AD_ADMIN), **options})
    if step in ("swapped", "renamed"):
        assert versions_of(directory, fixture.CONTROLLERS) == (2, 1)
        assert right().rules == ["versions_differ"]  # without the journal nothing tells whose edit it is
    answer = right(journal=str(journal))
    assert answer["counts"].get("failed", 0) == 0, answer
    assert template(directory, fixture.CONTROLLERS) == expected and versions_of(directory, fixture.CONTROLLERS) == (2, 2)
    assert not [name for name in on_disk(directory) if name.endswith(".tmp")]
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [item["status"] for item in records if item["record"] == "outcome"] == ["done"]
    assert not right(journal=str(journal))["changed"]


class _FullDisk:
    """A new file of which only the first half finds room."""

    def __init__(self, stream, path):
        self._stream, self._path = stream, path

    def __enter__(self):
        self._stream.__enter__()
        return self

    def __exit__(self, *why):
        return self._stream.__exit__(*why)

    def write(self, data):
        self._stream.write(data[: len(data) // 2])
        raise SMBOSError(0xC000007F, self._path)  # STATUS_DISK_FULL


def test_a_full_disk_leaves_the_policy_as_it_was(right, directory, monkeypatch, sysvol_kept, tmp_path):
    original = smbclient.open_file

    def open_file(path, mode="r", **how):
        stream = original(path, mode=mode, **how)
        return _FullDisk(stream, path) if mode == "xb" else stream

    with monkeypatch.context() as patched:
        patched.setattr(smbclient, "open_file", open_file)
        answer = right(journal=str(tmp_path / "run/journal.jsonl"))
    assert answer.code == "file_write_failed" and answer["counts"]["failed"] == 1 and "the disk is full" in json.dumps(answer["failed_objects"])
    assert on_disk(directory) == sysvol_kept and versions_of(directory, fixture.CONTROLLERS) == (1, 1) and directory.writes() == []
    assert right(journal=str(tmp_path / "run/journal.jsonl"))["counts"]["done"] == 1 and versions_of(directory, fixture.CONTROLLERS) == (2, 2)


def test_editors_at_once_end_in_one_edit(directory, sysvol_kept, tmp_path):
    """Each in a process of its own; who comes second is refused, or finds that it is done."""
    expected = template(directory, fixture.CONTROLLERS).replace(f"*{run_sid(directory)},".encode("utf-16-le"), b"")
    processes = []
    for number in range(3):
        options = {"policies": [fixture.CONTROLLERS], "rights": ["SeBatchLogonRight"], "accounts": [RUN], "state": "absent"}
        processes.append(os.fork())
        if processes[-1] == 0:
            main = importlib.import_module("ansible_collections.offboard.iij_id.plugins.modules.group_policy_right").main
            with patch_module_args({**directory.options(paths.AD_ADMIN), **options, "backup_dir": str(tmp_path / str(number))}):
                try:
                    main()
                except SystemExit as exc:
                    os._exit(int(exc.code or 0))
            os._exit(9)
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    assert set(codes) <= {0, 1} and 0 in codes
    assert template(directory, fixture.CONTROLLERS) == expected and versions_of(directory, fixture.CONTROLLERS) == (2, 2)
    assert not [name for name in on_disk(directory) if name.endswith(".tmp")]


def test_an_answer_that_was_lost_is_gone_on_with(right, directory, monkeypatch, tmp_path):
    journal = str(tmp_path / "run/journal.jsonl")

    def lost(*_unused):
        raise OffboardError("the connection broke", code="connection_lost")

    with monkeypatch.context() as patched:
        patched.setattr(Sysvol, "rename", lost)
        assert right(journal=journal).code == "connection_lost" and versions_of(directory, fixture.CONTROLLERS) == (2, 1)
    assert right(journal=journal)["counts"]["done"] == 1 and versions_of(directory, fixture.CONTROLLERS) == (2, 2)
    assert run_sid(directory) not in template(directory, fixture.CONTROLLERS).decode("utf-16")


def test_somebody_else_edits_between_plan_and_write(right, directory, monkeypatch, sysvol_kept):
    original = edit.Editor.save

    def meanwhile(self, *arguments):
        with directory.admin() as admin:
            dn = full_dn(f"CN={fixture.CONTROLLERS},CN=Policies,CN=System")
            admin.modify(dn, {"versionNumber": [(ldap3.MODIFY_REPLACE, ["5"])]})
        return original(self, *arguments)

    monkeypatch.setattr(edit.Editor, "save", meanwhile)
    assert right().code == "changed_since_read" and on_disk(directory) == sysvol_kept


def test_the_directory_refuses_a_version_that_is_not_the_one_read(right, directory, monkeypatch, sysvol_kept):
    """Even where somebody is quicker than the second reading: the swap itself compares."""
    original = edit.Editor._put_beside

    def meanwhile(self, *arguments):
        with directory.admin() as admin:
            dn = full_dn(f"CN={fixture.CONTROLLERS},CN=Policies,CN=System")
            admin.modify(dn, {"versionNumber": [(ldap3.MODIFY_REPLACE, ["5"])]})
        return original(self, *arguments)

    monkeypatch.setattr(edit.Editor, "_put_beside", meanwhile)
    assert right().code == "changed_since_read"
    assert (
        versions_of(directory, fixture.CONTROLLERS) == (5, 1)
        and template(directory, fixture.CONTROLLERS) == sysvol_kept[f"{fixture.CONTROLLERS}/{TEMPLATE}"][0]
    )
    assert not [name for name in on_disk(directory) if name.endswith(".tmp")]


def test_a_copy_holds_no_password(right, directory, tmp_path):
    drives = policies_folder(directory) / fixture.DRIVES / "USER/Preferences/Drives/Drives.xml"
    beside = policies_folder(directory) / fixture.CONTROLLERS / "USER/Drives.xml"
    beside.write_bytes(drives.read_bytes())
    done = right()
    assert done["applied"][0]["details"]["not_saved"] == [r"USER\Drives.xml"]
    assert not [file for file in (tmp_path / "policies").rglob("*") if file.is_file() and b"cpassword" in file.read_bytes()]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"policies": ["x"]}, "bad_option"),
        ({"policies": ["{00000000-0000-0000-0000-000000000000}"]}, "not_found"),
        ({"accounts": ["CN=nobody,OU=Services,OU=Reiji," + paths.AD_BASE]}, "not_found"),
        ({"policies": [fixture.BROWSERS], "state": "present"}, "not_found"),
        ({"password": "not-it-1"}, "wrong_credentials"),
        ({"backup_dir": "/proc/nowhere"}, "file_write_failed"),
    ],
)
def test_what_group_policy_right_refuses(right, directory, sysvol_kept, options, code):
    answer = right(**options)
    assert answer["failed"] and answer.code == code, answer
    assert on_disk(directory) == sysvol_kept and directory.writes() == []


def test_a_policy_without_rights_is_as_desired(right):
    assert right(fixture.BROWSERS)["counts"] == {"planned": 0, "unchanged": 0, "skipped": 0}


def test_policies_that_give_the_account_nothing_are_a_failure(right, directory, sysvol_kept, tmp_path):
    """Nothing would be taken out, and the stage would end well; after it has been, it stays done."""
    journal = str(tmp_path / "run/journal.jsonl")
    for policies, rights in (([fixture.BROWSERS, fixture.DECOY], []), ([fixture.CONTROLLERS], ["SeServiceLogonRight"])):
        answer = right(policies=policies, rights=rights, journal=journal)
        assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == ["nothing_found"], answer
        assert not right(policies=policies, rights=rights)["changed"]
    assert on_disk(directory) == sysvol_kept and directory.writes() == []
    assert right(policies=[fixture.BROWSERS, fixture.CONTROLLERS], journal=journal)["changed"]
    assert not right(policies=[fixture.BROWSERS, fixture.CONTROLLERS], journal=journal)["changed"]


# --- group_policy_registry ---


@pytest.fixture
def registry(module, tmp_path):
    def run(guid=fixture.BROWSERS, **options):
        defaults = {"policies": [guid], "hosts": ["auth.iij.jp"], "state": "absent", "backup_dir": str(tmp_path / "policies")}
        return module("group_policy_registry", **{**defaults, **options})

    return run


def on_this_disk(name: str) -> str:
    """SYSVOL's names have no case, the lab's disk has: the sides of a policy are in capitals there."""
    side, _, rest = name.partition("\\")
    return f"{side.upper()}/{rest}".replace("\\", "/")


def by_samba(directory, guid, name) -> list[tuple[str, str, object]]:
    """The records of a Registry.pol as Samba's own parser reads them."""
    code = (
        "import json, sys; from samba.ndr import ndr_unpack; from samba.dcerpc import preg; "
        "f = ndr_unpack(preg.file, open(sys.argv[1], 'rb').read()); print(json.dumps([[e.keyname, e.valuename, e.data] for e in f.entries]))"
    )
    path = policies_folder(directory) / guid / on_this_disk(name)
    read = subprocess.run(["/usr/bin/python3", "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    return [(key.rpartition("\\")[2], value, data) for key, value, data in json.loads(read)]


def test_the_hosts_go_out_of_every_file_and_nothing_else(registry, directory, sysvol_kept, tmp_path):
    planned = registry(check=True)
    assert len(planned["plan"]) == 3 and on_disk(directory) == sysvol_kept and directory.writes() == [] and not (tmp_path / "policies").exists()
    done = registry(journal=str(tmp_path / "run/journal.jsonl"))
    assert done["plan"] == planned["plan"] and done["counts"]["done"] == 3
    assert by_samba(directory, fixture.BROWSERS, fixture.MACHINE_POL) == [
        ("Edge", "AuthServerAllowlist", "*.ad.reiji.example,intranet"),
        ("Chrome", "AuthServerAllowlist", "*.ad.reiji.example"),
        ("Chrome", "SomeNumber", 10),
        ("SPNEGO", "**delvals.", " "),
        ("SPNEGO", "1", "ad.reiji.example"),
        ("SPNEGO", "2", "intranet"),
    ]
    zones = by_samba(directory, fixture.BROWSERS, fixture.USER_POL)
    assert [name for _key, name, _data in zones] == ["ListBox_Support_ZoneMapKey", "**delvals.", "https://intranet.reiji.example"]
    items = sysvol_kept[f"{fixture.BROWSERS}/{on_this_disk(fixture.ITEMS)}"][0]
    head, item, rest = items.partition(b'<Properties action="U"')
    assert (policies_folder(directory) / fixture.BROWSERS / on_this_disk(fixture.ITEMS)).read_bytes() == head + item.replace(b"U", b"D") + rest
    # one step for machines, two for users
    assert versions_of(directory, fixture.BROWSERS) == ((5 << 16 | 3),) * 2
    changed = {name for name, state in on_disk(directory).items() if sysvol_kept.get(name) != state}
    names = [on_this_disk(name) for name in (fixture.MACHINE_POL, fixture.USER_POL, fixture.ITEMS)]
    assert changed == {f"{fixture.BROWSERS}/{name}" for name in ("GPT.INI", *names)}
    conf = str(directory.part.state / "smb.conf")
    assert subprocess.run(["samba-tool", "ntacl", "sysvolcheck", "-s", conf], capture_output=True, check=False).returncode == 0
    directory.clear()
    assert not registry()["changed"] and directory.writes() == []


def test_the_way_back_puts_every_file_as_it_was(registry, directory, sysvol_kept, tmp_path):
    journal = str(tmp_path / "run/journal.jsonl")
    names = [f"{fixture.BROWSERS}/{on_this_disk(name)}" for name in (fixture.MACHINE_POL, fixture.USER_POL, fixture.ITEMS)]
    assert registry(journal=journal)["counts"]["done"] == 3
    edited = on_disk(directory)
    planned = registry(journal=journal, state="present", check=True)
    assert len(planned["plan"]) == 3 and on_disk(directory) == edited
    assert registry(journal=journal, state="present", backup_dir=str(tmp_path / "none")).code == "backup_unreadable" and on_disk(directory) == edited
    # somebody else has edited one of the files since
    theirs = policies_folder(directory) / fixture.BROWSERS / on_this_disk(fixture.USER_POL)
    ours = theirs.read_bytes()
    theirs.write_bytes(registry_pol.pack([]))
    skipped = registry(journal=journal, state="present", check=True)
    assert [item["code"] for item in skipped["skipped_objects"]] == ["setting_changed"] and len(skipped["plan"]) == 2
    theirs.write_bytes(ours)
    killed_after(
        "renamed",
        {**directory.options(paths.AD_ADMIN), "policies": [fixture.BROWSERS], "state": "present", "backup_dir": str(tmp_path / "policies"), "journal": journal},
        "group_policy_registry",
    )
    assert registry(journal=journal, state="present")["counts"].get("failed", 0) == 0
    assert all(on_disk(directory)[name][0] == sysvol_kept[name][0] for name in names)
    directory.clear()
    assert not registry(journal=journal, state="present")["changed"] and directory.writes() == []


def test_decoys_stay(registry, directory, sysvol_kept):
    answer = registry(policies=[fixture.DECOY, fixture.DRIVES, fixture.CONTROLLERS])
    assert not answer["changed"] and on_disk(directory) == sysvol_kept and directory.writes() == []
    assert "*.iij.jp" in json.dumps(answer["warnings"])


def test_policies_without_any_of_the_hosts_are_a_failure(registry, directory, sysvol_kept, tmp_path):
    journal = str(tmp_path / "run/journal.jsonl")
    answer = registry(hosts=["auth.example"], journal=journal)
    assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == ["nothing_found"], answer
    assert not registry(hosts=["auth.example"])["changed"] and on_disk(directory) == sysvol_kept
    # a list that a person has to decide about is something
    assert not registry(fixture.DECOY, journal=journal)["changed"]
    assert registry(journal=journal)["changed"] and not registry(journal=journal)["changed"]


def test_a_damaged_file_is_refused(registry, directory, sysvol_kept):
    refused = registry(fixture.DAMAGED)
    assert refused.code == "policy_unreadable" and on_disk(directory) == sysvol_kept
    assert refused["msg"].startswith(r"MACHINE\Registry.pol of the policy ") and fixture.DAMAGED in refused["msg"]


@pytest.mark.parametrize("step", sorted(STEPS))
def test_a_run_over_several_files_that_was_killed_is_gone_on_with(registry, directory, tmp_path, step):
    journal = tmp_path / "run/journal.jsonl"
    options = {"policies": [fixture.BROWSERS], "hosts": ["auth.iij.jp"], "state": "absent", "backup_dir": str(tmp_path / "policies"), "journal": str(journal)}
    killed_after(step, {**directory.options(paths.AD_ADMIN), **options}, "group_policy_registry")
    answer = registry(journal=str(journal))
    assert answer["counts"].get("failed", 0) == 0, answer
    assert versions_of(directory, fixture.BROWSERS) == ((5 << 16 | 3),) * 2
    assert "www1" not in str(by_samba(directory, fixture.BROWSERS, fixture.MACHINE_POL)) and not registry(journal=str(journal))["changed"]
    outcomes = [json.loads(line) for line in journal.read_text().splitlines() if '"outcome"' in line]
    assert sorted(item["status"] for item in outcomes) == ["done"] * 3
    assert not [name for name in on_disk(directory) if name.endswith(".tmp")]


@pytest.mark.parametrize(("options", "code"), [({"hosts": ["*.iij.jp"]}, "bad_option"), ({"policies": ["x"]}, "bad_option"), ({"hosts": ["jp"]}, "bad_option")])
def test_what_group_policy_registry_refuses(registry, directory, sysvol_kept, options, code):
    assert registry(**options).code == code and on_disk(directory) == sysvol_kept


# --- a real client ---


def test_a_real_client_applies_what_was_edited_and_nothing_that_has_no_version(registry, directory):
    """The negative control: the same bytes in SYSVOL without a new version never reach a client."""
    pol = policies_folder(directory) / fixture.BROWSERS / on_this_disk(fixture.MACHINE_POL)
    before = pol.read_bytes()
    with policy_client() as update:
        assert update()["AuthServerAllowlist"] == "*.ad.reiji.example,www1.auth.iij.jp"
        assert registry()["changed"]
        directory._changed = True
        told = update()
        assert told["AuthServerAllowlist"] == "*.ad.reiji.example" and told["SomeNumber"] == 10
        pol.write_bytes(before)
        assert update() == told


@pytest.mark.parametrize("name", ["group_policy_info", "group_policy_registry", "group_policy_right"])
def test_the_documented_examples(directory, tmp_path, name):
    """As they stand, but for the connection and the paths."""
    examples = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}").EXAMPLES
    tasks = yaml.safe_load(examples.replace("/srv/offboard-run", str(tmp_path)).replace("vault_directory_password", "secret"))
    for task in tasks:
        options = task.get(f"offboard.iij_id.{name}")
        if options:
            options |= {**directory.options(paths.AD_ADMIN), "password": "{{ secret }}"}
    play = tmp_path / "play.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": {"secret": paths.PASSWORD}, "tasks": tasks}]))
    done = subprocess.run(["ansible-playbook", "-i", "localhost,", "-c", "local", str(play)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
