# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of group policy against the lab's real domain controller: its directory by LDAP, its SYSVOL by SMB.

"Writes nothing" is Samba's own audit log for the directory, and every byte and time of SYSVOL on the disk.
"""

from __future__ import annotations

import importlib
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import values
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.sysvol import Sysvol
from lab import paths
from lab.directory import group_policies as fixture
from lab.directory.fixture import full_dn

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
    return directory.part.state / "dc/state/sysvol" / DOMAIN / "Policies"


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


# --- SYSVOL itself ---


@pytest.fixture
def sysvol(directory):
    opened = []

    def connect(user=paths.AD_ADMIN, **options):
        opened.append(Sysvol({**directory.options(user), "authentication": "simple", **options}))
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
        ({"host": "127.0.0.99"}, "unreachable"),
        ({"username": RUN}, "bad_option"),
        ({"password": None}, "credentials_missing"),
    ],
)
def test_sessions_that_fail(directory, sysvol, options, code):
    with pytest.raises(OffboardError) as caught:
        sysvol(**options).read(GPT_INI)
    assert caught.value.code == code and paths.PASSWORD not in caught.value.msg


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
    assert "MACHINE/Microsoft/Windows NT/SecEdit/GptTmpl.inf".replace("/", "\\") in share.files(GPT_INI.rpartition("\\")[0])


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


def test_versions_that_differ_are_told(info, directory):
    directory.arrange(f"CN={fixture.DECOY},CN=Policies,CN=System", {"versionNumber": ["7"]})
    directory._changed = True
    found, _unused = info()
    assert [guid for guid, policy in found.items() if policy["versions_differ"]] == [fixture.DECOY]
    assert (found[fixture.DECOY]["version"], found[fixture.DECOY]["sysvol_version"]) == (7, 1)


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


@pytest.mark.parametrize("name", ["group_policy_info"])
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
