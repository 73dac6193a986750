# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The linux_* modules against Debian's own crontab and real files, in a machine of their own (a mount namespace), and once by Ansible over a real sshd.

"Changes nothing" is what a comparison of all files of the machine says.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.client import Client
from lab.linux import host as linux
from lab.linux.host import SCRIPT, TOKEN, TREE, USER, Host

pytestmark = [pytest.mark.lab, pytest.mark.skipif(linux.why_not() is not None, reason=str(linux.why_not()))]

SECRET, VAULT = "Hush-Crontab-31", "Vault-Pass-31"
LINE = f"30 3 * * * {SCRIPT} >/dev/null 2>&1"
CRONTAB = f"# 同期\nMAILTO=ops@reiji.example\n\n{LINE}\n0 1 * * * /usr/local/bin/backup --from {SCRIPT} --password={SECRET}\n#{LINE}\n@daily true % x\n"
OTHERS = f"15 * * * * tar czf /var/backups/iij.tgz {SCRIPT}\n"
JOB = {"place": f"user:{USER}", "command": f"{SCRIPT} >/dev/null 2>&1"}
MARKER = "#offboard.iij_id disabled: "
#: what Ansible has on the machine, as it would be carried there
ASK = """
import json, shutil, sys, types
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target import operations
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target.errors import TargetError
asked = json.load(sys.stdin)
module = types.SimpleNamespace(get_bin_path=shutil.which)
try:
    print(json.dumps({"answer": {**operations.READING, **operations.WRITING}[asked["operation"]](module, **asked["arguments"])}))
except TargetError as exc:
    print(json.dumps({"failure": [exc.msg, exc.code, exc.details]}))
"""


class Answer(dict[str, Any]):
    """What a module returned."""

    @property
    def code(self) -> str:
        return self["failure"]["code"]

    @property
    def rules(self) -> list[str]:
        return [item["rule"] for item in self["failure"]["details"]["refusals"]]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    linux.prepare()
    host = Host(tmp_path_factory.mktemp("linux"))
    yield host
    host.stop()


@pytest.fixture
def cron(machine: Host) -> Host:
    """The machine with jobs of the agent, and decoys."""
    machine.run(
        "sh",
        "-c",
        "rm -rf /var/spool/cron/crontabs/* /etc/cron.d/* /etc/cron.daily/* /etc/crontab /etc/systemd/system/iij* /etc/supervisor; "
        "find /etc -name 'iij.timer' -delete",
    )
    machine.set_crontab(USER, CRONTAB)
    machine.set_crontab("reiji", OTHERS)
    machine.write("/etc/crontab", "SHELL=/bin/sh\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n")
    machine.write("/etc/cron.daily/backup", f"#!/bin/sh\ntar cf /var/backups/x {SCRIPT}\n", "0755")
    return machine


def test_what_is_written_on_the_machine_is_nowhere_else(cron: Host) -> None:
    """Another lab beside this one would find an agent that it does not have."""
    for folder in ("/etc/cron.d", "/opt", "/usr/local/sbin", "/var/spool/incron", "/var/spool/cron/crontabs"):
        path = f"{folder}/iij-lab-alone"
        cron.write(path, "x")
        assert cron.read(path) == b"x" and not Path(path).exists()
        cron.run("rm", path)


@pytest.fixture
def module(machine: Host, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Runs a module in this process; what it asks the machine is run there."""

    def ask(_self: Client, operation: str, **arguments: Any) -> Any:
        asked = json.dumps({"operation": operation, "arguments": arguments}).encode()
        path = f"PYTHONPATH={os.pathsep.join(filter(None, sys.path))}"
        answer = json.loads(machine.run("env", path, sys.executable, "-c", ASK, data=asked))
        if "failure" in answer:
            msg, code, details = answer["failure"]
            raise OffboardError(msg, code=code, details=details)
        return answer["answer"]

    monkeypatch.setattr(Client, "ask", ask)

    def run(name: str, check: bool = False, **options: Any) -> Answer:
        imported = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}")
        arguments = {**options, "host": "agent01", "_ansible_check_mode": check, "_ansible_diff": True, "_ansible_remote_tmp": "/tmp"}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            imported.main()
        out = capsys.readouterr().out
        assert SECRET not in out
        assert TOKEN not in out
        return Answer(json.loads(out))

    return run


def test_jobs_are_found_by_what_they_start(cron: Host, module: Callable[..., Answer]) -> None:
    cron.write("/etc/cron.d/iij", f"PATH=/usr/bin:/bin\n*/10 * * * * {USER} cd /opt/IIJ_ID_Service_Directory_Sync/bin && ./recovery_mode.sh\n")
    cron.write("/etc/cron.daily/iij", f"#!/bin/sh\nexec {SCRIPT}\n", "0755")
    cron.write("/etc/supervisor/conf.d/sync.conf", f"[program:sync]\n# {TOKEN}\ncommand={SCRIPT}\n", "0600")
    before = cron.fingerprint()
    answer = module("linux_cron_job_info")
    assert [(job["place"], job["user"], job["schedule"]) for job in answer["jobs"]] == [
        (f"user:{USER}", USER, "30 3 * * *"),
        ("/etc/cron.d/iij", USER, "*/10 * * * *"),
        ("/etc/cron.daily/iij", "root", "daily"),
    ]
    assert all(job["why"] and job["enabled"] for job in answer["jobs"])
    # backups, and what nobody here understands
    assert [re.sub(": .*", "", name) for name in answer["named_by"]] == [
        "user:iijsync",
        "user:reiji",
        "/etc/cron.daily/backup",
        "/etc/supervisor/conf.d/sync.conf",
    ]
    assert len(module("linux_cron_job_info", command_paths=[])["jobs"]) == 8
    assert cron.fingerprint() == before


@pytest.mark.parametrize("state", ["disabled", "absent"])
def test_one_line_changes_and_nothing_else(cron: Host, module: Callable[..., Answer], tmp_path: Path, state: str) -> None:
    options = {
        "jobs": [JOB], "state": state, "backup_dir": str(tmp_path / "saved"), "vault_password": VAULT, "journal": str(tmp_path / "journal.jsonl"),
    }  # fmt: skip
    before = cron.fingerprint()
    checked = module("linux_cron_job", check=True, **options)
    assert checked["changed"]
    assert cron.fingerprint() == before
    assert not (tmp_path / "saved").exists()
    real = module("linux_cron_job", **options)
    assert (real["changed"], real["plan"], real["counts"]["done"]) == (True, checked["plan"], 1)
    wanted = CRONTAB.replace(f"\n{LINE}\n", f"\n{MARKER}{LINE}\n" if state == "disabled" else "\n", 1)
    assert cron.crontab(USER).decode() == wanted
    assert cron.crontab("reiji").decode() == OTHERS
    (saved,) = real["saved"].values()
    assert vault.decrypt(Path(saved).read_bytes(), VAULT.encode()).decode() == CRONTAB
    records = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [record["record"] for record in records] == ["intent", "outcome"]
    assert SECRET not in (tmp_path / "journal.jsonl").read_text()
    after = cron.fingerprint()
    assert not module("linux_cron_job", **options)["changed"]
    assert cron.fingerprint() == after


def test_back_again(cron: Host, module: Callable[..., Answer]) -> None:
    assert module("linux_cron_job", jobs=[JOB], state="disabled")["changed"]
    assert module("linux_cron_job_info")["jobs"][0]["enabled"] is False
    assert module("linux_cron_job", jobs=[JOB], state="present")["changed"]
    assert cron.crontab(USER).decode() == CRONTAB


def test_a_removed_job_is_not_taken_for_one_that_is_back(cron: Host, module: Callable[..., Answer], tmp_path: Path) -> None:
    options = {"jobs": [JOB], "backup_dir": str(tmp_path), "vault_password": VAULT}
    assert module("linux_cron_job", state="absent", **options)["changed"]
    assert module("linux_cron_job", state="present", **options).rules == ["job_gone"]


def test_files_of_cron_and_scripts(cron: Host, module: Callable[..., Answer], tmp_path: Path) -> None:
    text = f"# x\n*/10 * * * * {USER} {SCRIPT}\n1 1 * * * root /usr/bin/other\n"
    cron.write("/etc/cron.d/iij", text, "0640")
    cron.run("chown", "reiji:reiji", "/etc/cron.d/iij")
    cron.write("/etc/cron.daily/iij", f"#!/bin/sh\nexec {SCRIPT}\n", "0750")
    options = {"jobs": [{"place": "/etc/cron.d/iij"}, {"place": "/etc/cron.daily/iij"}, JOB], "backup_dir": str(tmp_path), "vault_password": VAULT}
    assert module("linux_cron_job", state="disabled", **options)["counts"]["done"] == 3
    assert cron.read("/etc/cron.d/iij").decode() == text.replace("*/10", f"{MARKER}*/10")
    assert cron.run("stat", "-c", "%a %U", "/etc/cron.d/iij", "/etc/cron.daily/iij") == b"640 reiji\n640 root\n"
    assert module("linux_cron_job", state="present", **options)["counts"]["done"] == 3
    assert cron.read("/etc/cron.d/iij").decode() == text
    assert cron.run("stat", "-c", "%a", "/etc/cron.daily/iij") == b"750\n"
    assert module("linux_cron_job", state="absent", **options)["counts"]["done"] == 3
    assert cron.read("/etc/cron.d/iij").decode() == "# x\n1 1 * * * root /usr/bin/other\n"
    assert cron.run("ls", "-A", "/etc/cron.d", "/etc/cron.daily").split() == b"/etc/cron.d: iij /etc/cron.daily: backup".split()


@pytest.mark.parametrize("state", ["disabled", "absent"])
def test_what_nobody_confirmed_is_refused(cron: Host, module: Callable[..., Answer], tmp_path: Path, state: str) -> None:
    before = cron.fingerprint()
    for jobs in ([], [{"place": "user:reiji"}], [{**JOB, "place": "user:other"}]):
        assert module("linux_cron_job", jobs=jobs, state=state, backup_dir=str(tmp_path)).rules == ["not_confirmed"]
    assert module("linux_cron_job", jobs=[JOB], state=state, backup_dir=str(tmp_path)).rules == ["vault_password_missing"]
    assert not module("linux_cron_job", except_jobs=[JOB["command"]], state=state, backup_dir=str(tmp_path))["changed"]
    assert module("linux_cron_job", command_paths=["*"]).code == "action_path_too_broad"
    assert cron.fingerprint() == before


def test_scripts_that_do_more_links_and_timers(cron: Host, module: Callable[..., Answer], tmp_path: Path) -> None:
    cron.write("/etc/cron.daily/more", f"#!/bin/sh\n{SCRIPT}\n/usr/local/bin/backup\n", "0755")
    cron.run("ln", "-s", SCRIPT, "/etc/cron.daily/link")
    cron.write(SCRIPT, "#!/bin/sh\n", "0755")
    cron.write("/etc/systemd/system/iij.timer", "[Timer]\nOnCalendar=hourly\n")
    cron.write("/etc/systemd/system/iij.service", f"[Service]\nExecStart=/bin/sh -c '{SCRIPT}'\n")
    jobs = [JOB, {"place": "/etc/cron.daily/more"}, {"place": "/etc/cron.daily/link"}]
    assert sorted(module("linux_cron_job", jobs=jobs).rules) == ["linked_place", "script_does_more"]
    (timer,) = module("linux_cron_job_info")["timers"]
    assert (timer["timer"], timer["enabled"]) == ("iij.timer", False)
    cron.run("sh", "-c", "mkdir -p /etc/systemd/system/iij.target.wants && ln -s ../iij.timer /etc/systemd/system/iij.target.wants/iij.timer")
    assert "timer_starts_it" in module("linux_cron_job", jobs=jobs).rules
    cron.run("rm", "/etc/cron.daily/more")
    options = {"state": "absent", "backup_dir": str(tmp_path), "vault_password": VAULT, "except_jobs": ["iij.timer"]}
    assert module("linux_cron_job", jobs=jobs, **options)["counts"]["done"] == 2
    assert cron.run("ls", "/etc/cron.daily") == b"backup\n"
    assert cron.read(SCRIPT) == b"#!/bin/sh\n"


def test_a_timer_of_a_users_own_systemd(cron: Host, module: Callable[..., Answer]) -> None:
    own = cron.run("sh", "-c", f"echo ~{USER}").decode().strip() + "/.config/systemd/user"
    cron.write(f"{own}/iij.timer", "[Timer]\nOnCalendar=hourly\n")
    cron.write(f"{own}/iij.service", f"[Service]\nExecStart={SCRIPT}\n")
    try:
        cron.run("sh", "-c", f"mkdir {own}/timers.target.wants && ln -s ../iij.timer {own}/timers.target.wants/iij.timer")
        answer = module("linux_cron_job_info")
        (timer,) = answer["timers"]
        assert (timer["path"], timer["user"], timer["enabled"], answer["not_looked_at"]) == (f"{own}/iij.timer", USER, True, [])
        assert timer["stop"].endswith("systemctl --user disable --now iij.timer")
        assert module("linux_cron_job", jobs=[JOB]).rules == ["timer_starts_it"]
        assert module("linux_cron_job", jobs=[JOB], except_jobs=[f"{own}/iij.timer"])["changed"]
    finally:
        cron.run("rm", "-r", own)


def test_what_starts_the_agent_besides_cron_and_timers(cron: Host, module: Callable[..., Answer]) -> None:
    """A service at boot, a path, a job of at: each holds the freeze up, until it is stopped or said to be another's."""
    system, job = "/etc/systemd/system", "/var/spool/cron/atjobs/a0001101a3b4c5"
    cron.write(f"{system}/iij.service", f"[Service]\nExecStartPre={SCRIPT}\nExecStart=/bin/true\nUser={USER}\n")
    cron.write(f"{system}/iij-drop.path", "[Path]\nPathExists=/srv/drop\nUnit=iij-drop.service\n")
    cron.write(f"{system}/iij-drop.service", f"[Service]\nExecStart=+{SCRIPT}\n")
    try:
        assert [(one["name"], one["enabled"], one["runs_as"]) for one in module("linux_cron_job_info")["other_starts"]] == [
            ("iij-drop.path", False, ""),
            ("iij.service", False, USER),
        ]
        for name, kind in (("iij.service", "multi-user"), ("iij-drop.path", "paths")):
            cron.run("sh", "-c", f"mkdir -p {system}/iij-{kind}.target.wants && ln -s ../{name} {system}/iij-{kind}.target.wants/{name}")
        cron.write(job, f"#!/bin/sh\nSECRET=hush; export SECRET\ncd / || {{\n\t exit 1\n}}\n{SCRIPT} >/dev/null\n", "0700")
        answer = module("linux_cron_job", jobs=[JOB])
        assert (answer.rules, "hush" in json.dumps(answer), "atrm 17" in str(answer)) == (["timer_starts_it"] * 3, False, True)
        assert module("linux_cron_job", jobs=[JOB], except_jobs=["iij.service", "iij-drop.path", job])["changed"]
    finally:
        cron.run("sh", "-c", f"rm -rf {job} {system}/iij*")


def test_what_the_boot_and_incron_start(cron: Host, module: Callable[..., Answer]) -> None:
    """Scripts of System V's init, rc.local, tables of incron, by way of scripts too; each holds the freeze up until it is stopped or said to be another's."""
    paths = {"script": "/etc/init.d/iijsync", "local": "/etc/rc.local", "table": f"/var/spool/incron/{USER}", "wrapper": "/usr/local/sbin/iij-wrapper"}
    cron.write(paths["script"], f"#!/bin/sh\ncase $1 in\nstart) su - {USER} -c {paths['wrapper']} ;;\nesac\n", "0755")
    cron.write(paths["local"], f"#!/bin/sh\n{paths['wrapper']} &\nexit 0\n", "0644")
    cron.write(paths["table"], f"/srv/people IN_CLOSE_WRITE {paths['wrapper']} $@/$#\n", "0600")
    cron.write(paths["wrapper"], f"#!/bin/sh\nexec {SCRIPT}\n", "0755")
    try:
        found = {one["path"]: (one["enabled"], one["user"]) for one in module("linux_cron_job_info")["other_starts"]}
        found.pop("/usr/lib/systemd/system/rc-local.service", None)  # with which systemd starts the script
        assert found == {paths["script"]: (False, ""), paths["local"]: (False, ""), paths["table"]: (True, USER)}
        cron.run("sh", "-c", f"mkdir -p /etc/rc3.d && ln -s ../init.d/iijsync /etc/rc3.d/S20iijsync && chmod 755 {paths['local']}")
        answer = module("linux_cron_job", jobs=[JOB])
        assert (answer.rules, f"incrontab -u {USER} -e" in str(answer), "vi /etc/rc.local" in str(answer)) == (["timer_starts_it"] * 3, True, True)
        assert module("linux_cron_job", jobs=[JOB], except_jobs=[paths[name] for name in ("script", "local", "table")])["changed"]
    finally:
        cron.run("sh", "-c", f"rm -f /etc/rc3.d/S20iijsync {' '.join(paths.values())}")


def test_a_script_of_its_own_that_starts_the_agent(cron: Host, module: Callable[..., Answer]) -> None:
    wrapper, line = "/usr/local/sbin/iij-nightly", "/usr/local/sbin/iij-nightly | tee /var/log/nightly.log"
    cron.write(wrapper, f"#!/bin/sh\n{SCRIPT}\n/usr/bin/pg_dumpall -f /x\n", "0755")
    cron.write("/etc/cron.d/night", f"0 2 * * * root {line}\n")
    try:
        (job,) = (job for job in module("linux_cron_job_info")["jobs"] if job["place"] == "/etc/cron.d/night")
        assert (job["command"], job["starts_besides"]) == (line, ["/usr/bin/pg_dumpall"])
        jobs = [JOB, {"place": job["place"], "command": line}]
        assert module("linux_cron_job", jobs=[JOB]).rules == ["not_confirmed"]
        assert module("linux_cron_job", jobs=jobs).rules == ["script_does_more"]
        cron.write(wrapper, f"#!/bin/sh\n{SCRIPT}\n", "0755")
        assert module("linux_cron_job", jobs=jobs)["changed"] and not module("linux_cron_job", jobs=jobs)["changed"]
        assert cron.read("/etc/cron.d/night").startswith(b"#offboard.iij_id disabled: ")
    finally:
        cron.run("rm", wrapper)


def test_a_crontab_that_somebody_edits_meanwhile(cron: Host, module: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    ask, edited = Client.ask, CRONTAB + "1 1 * * * true\n"

    def late(self: Client, operation: str, **arguments: Any) -> Any:
        if operation == "cron_write":
            cron.set_crontab(USER, edited)
        return ask(self, operation, **arguments)

    monkeypatch.setattr(Client, "ask", late)
    answer = module("linux_cron_job", jobs=[JOB])
    assert (answer.code, answer["changed"]) == ("changed_since_read", False)
    assert cron.crontab(USER).decode() == edited


def test_a_listing_that_fails_is_never_empty(cron: Host, module: Callable[..., Answer], tmp_path: Path) -> None:
    """crontab(1) says the same of "none", "unknown" and "not allowed"; here its file is there."""
    cron.run("sh", "-c", f"rm /var/spool/cron/crontabs/{USER}; mkdir /var/spool/cron/crontabs/x; ln -s /nowhere /var/spool/cron/crontabs/{USER}")
    assert module("linux_cron_job_info").code == "crontab_unreadable"
    assert module("linux_cron_job", jobs=[JOB], state="absent", backup_dir=str(tmp_path)).code == "crontab_unreadable"
    cron.run("sh", "-c", f"rm /var/spool/cron/crontabs/{USER}; echo x > /var/spool/cron/crontabs/nobodyhere")
    assert module("linux_cron_job_info")["orphans"] == ["/var/spool/cron/crontabs/nobodyhere"]


def test_a_crontab_that_cron_would_refuse_stays(cron: Host, module: Callable[..., Answer]) -> None:
    """A line that is wrong already: crontab checks the whole, and the old one stays."""
    bad = CRONTAB + "99 1 * * * true\n"
    cron.run("sh", "-c", f"cat > /var/spool/cron/crontabs/{USER}", data=bad.encode())
    answer = module("linux_cron_job", jobs=[JOB])
    assert (answer.code, answer["changed"]) == ("crontab_refused", False)
    assert cron.read(f"/var/spool/cron/crontabs/{USER}").decode() == bad


def test_a_crontab_that_crontab_has_not_written(cron: Host, module: Callable[..., Answer]) -> None:
    """Debian's crontab -l leaves its first comments out; writing back what it lists would lose them."""
    cron.run("sh", "-c", f"cat > /var/spool/cron/crontabs/{USER}", data=CRONTAB.encode())
    assert not cron.crontab(USER).decode().startswith("#")
    assert module("linux_cron_job", jobs=[JOB])["changed"]
    assert cron.crontab(USER).decode() == CRONTAB.replace(f"\n{LINE}\n", f"\n{MARKER}{LINE}\n", 1)


def test_a_stopped_run_is_settled(cron: Host, module: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ended between the write and its outcome: the next run sees that it was done."""
    ask, journal = Client.ask, tmp_path / "journal.jsonl"

    def killed(self: Client, operation: str, **arguments: Any) -> Any:
        ask(self, operation, **arguments)
        if operation == "cron_write":
            raise KeyboardInterrupt
        return ask(self, operation, **arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Client, "ask", killed)
        module("linux_cron_job", jobs=[JOB], journal=str(journal))
    assert [json.loads(line)["record"] for line in journal.read_text().splitlines()] == ["intent"]
    assert not module("linux_cron_job", jobs=[JOB], journal=str(journal))["changed"]
    assert [json.loads(line)["record"] for line in journal.read_text().splitlines()] == ["intent", "outcome"]


@pytest.fixture
def agent(machine: Host) -> Host:
    """The machine with the agent, an old copy of it, and folders that only look so."""
    machine.run("sh", "-c", "rm -rf /var/spool/cron/crontabs/* /etc/cron.d/* /etc/cron.daily/* /opt/*")
    for folder in (TREE, "/opt/old/sync.2024"):
        machine.write(f"{folder}/bin/normal_mode.sh", "#!/bin/sh\nsleep 60\nexit\n", "0755")
        machine.write(f"{folder}/config/secret.yml", f"token: {TOKEN}\n", "0600")
        machine.write(f"{folder}/log/sync.log", "x\n" * 1000)
    machine.run("chown", "-R", f"{USER}:{USER}", TREE)
    machine.write("/opt/IIJ_ID_Service_Directory_Sync_docs/README", "keep\n")
    machine.write("/opt/other/bin/normal_mode.sh", "keep\n")
    machine.run("ln", "-s", "/opt/other", f"{TREE}/link")
    return machine


KEPT = "/opt/IIJ_ID_Service_Directory_Sync_docs\n/opt/other\n"
OLD = {"paths": ["/opt/old/sync.2024"], "allowed_roots": ["/opt/old"]}


def test_copies_are_found_by_what_they_hold(agent: Host, module: Callable[..., Answer]) -> None:
    before = agent.fingerprint()
    answer = module("linux_file_info", search=["/opt"])
    assert answer["copies"] == [TREE, "/opt/old/sync.2024"]
    first = answer["files"][0]
    assert (first["owner"], first["files"], first["links"], first["file_system"], first["overwritten_in_place"]) == (USER, 3, 1, "tmpfs", True)
    assert agent.fingerprint() == before


def test_an_agent_goes_and_its_neighbours_stay(agent: Host, module: Callable[..., Answer], tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    options = {"paths": [TREE], "journal": str(journal)}
    before = agent.fingerprint()
    checked = module("linux_file", check=True, **options)
    assert agent.fingerprint() == before
    real = module("linux_file", **options)
    assert (real["changed"], real["plan"]) == (True, checked["plan"])
    assert real["results"] == [
        {"path": TREE, "status": "removed", "overwritten": 3, "not_overwritten": [], "file_system": "tmpfs", "overwritten_in_place": True}
    ]
    assert module("linux_file", **OLD)["changed"]
    assert agent.run("sh", "-c", "ls -d /opt/*").decode() == KEPT.replace("/opt/other", "/opt/old\n/opt/other")
    assert agent.read("/opt/other/bin/normal_mode.sh") == b"keep\n"
    assert [json.loads(line)["record"] for line in journal.read_text().splitlines()] == ["intent", "outcome"]
    assert TOKEN not in journal.read_text()
    again = module("linux_file", **options)
    assert (again["changed"], again["results"][0]["status"]) == (False, "absent")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"paths": ["/opt/other"]}, "outside_allowed_roots"),
        ({"paths": [f"{TREE}_docs"]}, "outside_allowed_roots"),
        ({"paths": [f"{TREE}/link"]}, "symbolic_link"),
        ({"paths": [f"{TREE}/link/bin"]}, "symbolic_link"),
        ({"paths": ["/opt/*"]}, "path_invalid"),
        ({"paths": [TREE], "allowed_roots": ["/opt"]}, "allowed_root_refused"),
        ({"paths": [TREE], "max_changes": 0}, "max_changes"),
    ],
)
def test_what_is_not_removed(agent: Host, module: Callable[..., Answer], options: dict[str, Any], code: str) -> None:
    before = agent.fingerprint()
    answer = module("linux_file", **options)
    assert code in ([answer.code] if answer.code != "guard_refused" else answer.rules)
    assert agent.fingerprint() == before


def test_what_runs_or_is_started_stays(agent: Host, module: Callable[..., Answer], tmp_path: Path) -> None:
    agent.set_crontab(USER, CRONTAB)
    assert module("linux_file", paths=[TREE]).rules == ["still_started"]
    predictions = str(tmp_path / "predictions")
    module("linux_cron_job", check=True, jobs=[JOB], predictions=predictions)
    assert module("linux_file", check=True, paths=[TREE], predictions=predictions)["predicted"] is True
    module("linux_cron_job", jobs=[JOB])
    for argv in ([SCRIPT], ["sh", "-c", f"cd {TREE}/log && sleep 60"]):
        user = subprocess.Popen(agent.command(*argv), start_new_session=True)
        try:
            end = time.monotonic() + 10
            while not module("linux_file_info", search=[], paths=[TREE])["files"][0]["used_by"] and time.monotonic() < end:
                time.sleep(0.1)
            assert module("linux_file", paths=[TREE]).rules == ["file_in_use"]
        finally:
            os.killpg(user.pid, signal.SIGKILL)
            user.wait()
    assert module("linux_file", paths=[TREE])["changed"]


def test_what_a_users_own_timer_or_scripts_start_stays(agent: Host, module: Callable[..., Answer]) -> None:
    """Not in a crontab of the machine's own, and not by the name that is removed: a timer of that user's systemd, a folder of scripts, a link."""
    home = agent.run("sh", "-c", f"echo ~{USER}").decode().strip()
    own = f"{home}/.config/systemd/user"
    uid = int(agent.run("id", "-u", USER))
    account = {"accounts": [{"name": USER, "uid": uid}]}
    agent.set_crontab(USER, "")
    agent.set_crontab("reiji", f"@daily run-parts {home}/daily\n")
    try:
        agent.write(f"{home}/daily/sync", f"#!/bin/sh\ncd {TREE} && exec bin/normal_mode.sh\n", "0755")
        assert module("linux_file", paths=[TREE]).rules == ["still_started"]
        agent.set_crontab("reiji", f"@daily {home}/daily/link\n")
        agent.run("ln", "-s", SCRIPT, f"{home}/daily/link")
        assert module("linux_file", paths=[TREE]).rules == ["still_started"]
        agent.set_crontab("reiji", "@daily true\n")
        agent.write(f"{own}/iij.timer", "[Timer]\nOnCalendar=hourly\n")
        agent.write(f"{own}/iij.service", f"[Service]\nExecStart={SCRIPT}\n")
        assert module("linux_file", check=True, paths=[TREE])["changed"]
        agent.run("sh", "-c", f"mkdir {own}/timers.target.wants && ln -s ../iij.timer {own}/timers.target.wants/iij.timer")
        before = agent.fingerprint()
        refused = module("linux_file", paths=[TREE])
        assert (refused.rules, f"{own}/iij.timer" in refused["msg"] + str(refused["failure"])) == (["still_started"], True)
        assert module("linux_account", **account).rules == ["unit_runs_as"]
        assert agent.fingerprint() == before
    finally:
        agent.run("rm", "-rf", own, f"{home}/daily")


def test_what_cron_itself_passes_over(cron: Host, module: Callable[..., Answer]) -> None:
    """Debian's cron is started, and runs what is not said to be passed over; nothing else."""
    for name, mode, end in (("good", "0644", "\n"), ("dot.ted", "0644", "\n"), ("old.rpmsave", "0644", "\n"), ("open", "0664", "\n"), ("torn", "0644", "")):
        cron.write(f"/etc/cron.d/{name}", f"@reboot root touch /run/ran-{name}\n@reboot root {SCRIPT} {name}{end}", mode)
    told = {job["place"]: bool(job["passed_over"]) for job in module("linux_cron_job_info")["jobs"] if job["place"].startswith("/etc/cron.d/")}
    started = subprocess.Popen(cron.command("cron", "-f"), start_new_session=True)
    try:
        end = time.monotonic() + 20
        while b"ran-good" not in cron.run("ls", "/run") and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1)
    finally:
        machine = os.readlink(f"/proc/{started.pid}/ns/mnt")
        os.killpg(started.pid, signal.SIGKILL)
        for pid in filter(str.isdigit, os.listdir("/proc")):  # its jobs have sessions of their own
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/ns/mnt") == machine and SCRIPT.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(int(pid), signal.SIGKILL)
        started.wait()
    ran = cron.run("ls", "/run").decode().split()
    assert told == {f"/etc/cron.d/{name}": name != "good" for name in ("dot.ted", "good", "old.rpmsave", "open", "torn")}
    assert [name for name in ran if name.startswith("ran-")] == ["ran-good"]


@pytest.mark.parametrize(
    ("source", "target"),
    [("/opt/other", "log"), ("/opt/other/bin/normal_mode.sh", "log/sync.log"), ("/etc/cron.daily", "log"), ("/etc/passwd", "log/sync.log")],
)
def test_a_mount_in_it_is_not_entered(agent: Host, module: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, source: str, target: str) -> None:
    """Of the same file system or another one, there already or since it was read."""
    ask, late = Client.ask, False

    def mounted_late(self: Client, operation: str, **arguments: Any) -> Any:
        if operation == "files_remove" and late:
            agent.run("mount", "--bind", source, f"{TREE}/{target}")
        return ask(self, operation, **arguments)

    monkeypatch.setattr(Client, "ask", mounted_late)
    agent.run("mount", "--bind", source, f"{TREE}/{target}")
    before = agent.fingerprint()
    assert module("linux_file", paths=[TREE]).rules == ["mount_point"]
    assert module("linux_file", paths=[f"{TREE}/{target}"]).rules == ["mount_point"]
    assert agent.fingerprint() == before
    agent.run("umount", f"{TREE}/{target}")
    there, late = agent.run("sh", "-c", f"find {source} -type f | xargs sha256sum"), True
    try:
        assert module("linux_file", paths=[TREE]).code == "changed_since_read"
        assert agent.run("sh", "-c", f"find {source} -type f | xargs sha256sum") == there
    finally:
        agent.run("umount", f"{TREE}/{target}")


@pytest.mark.parametrize(("overwrite", "left"), [(True, 0), (False, 1)])
def test_what_is_left_on_the_disk(agent: Host, module: Callable[..., Answer], tmp_path: Path, overwrite: bool, left: int) -> None:
    """A look at the raw disk: on ext4 the token is gone; without overwriting it is not."""
    disk, folder = tmp_path / "disk", "/opt/disk/agent"
    with open(disk, "wb") as stream:
        stream.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", disk], check=True, capture_output=True)
    agent.run("mkdir", "-p", "/opt/disk")
    agent.run("mount", "-o", "loop", str(disk), "/opt/disk")
    try:
        agent.write(f"{folder}/config/secret.yml", f"token: {TOKEN}\n" + "#\n" * 5000, "0600")
        agent.run("sync")
        (result,) = module("linux_file", paths=[folder], allowed_roots=[folder], overwrite=overwrite)["results"]
        assert (result["file_system"], result["overwritten_in_place"]) == ("ext4", overwrite)
    finally:
        agent.run("umount", "/opt/disk")
    assert disk.read_bytes().count(TOKEN.encode()) == left


def test_a_file_system_that_writes_elsewhere_is_named(agent: Host, module: Callable[..., Answer]) -> None:
    """The machine's /etc is an overlay."""
    folder = "/etc/iij/agent"
    agent.write(f"{folder}/config/secret.yml", f"token: {TOKEN}\n")
    answer = module("linux_file", paths=[folder], allowed_roots=[folder])
    (result,) = answer["results"]
    assert (result["file_system"], result["overwritten"], result["overwritten_in_place"]) == ("overlay", 1, False)
    assert "Revoke the token" in json.dumps(answer["warnings"])
    agent.run("ls", folder, fails=True)


PLAY = """
- hosts: agents
  gather_facts: false
  tasks:
    - offboard.iij_id.linux_cron_job_info:
      register: found
    - ansible.builtin.assert:
        that:
          - found.jobs | length == 1
    - offboard.iij_id.linux_cron_job:
        jobs:
          - place: "{{ found.jobs[0].place }}"
            command: "{{ found.jobs[0].command }}"
        state: "{{ state }}"
        journal: "{{ journal }}"
      register: answer
    - ansible.builtin.debug:
        msg: "ANSWER {{ answer.changed }} {{ answer.counts.planned }}"
"""


def play(machine: Host, folder: Path, *arguments: str, fails: bool = False, **variables: Any) -> str:
    """A playbook on the machine, over sshd, from a controller that is not in its namespace."""
    inventory = {
        "agents": {"hosts": {"agent01": {**machine.variables(), **variables.pop("host", {})}}},
        "others": {"hosts": {"other": {"ansible_host": "192.0.2.1"}}},
    }
    (folder / "inventory.json").write_text(json.dumps(inventory))
    (folder / "play.yml").write_text(variables.pop("book", PLAY))
    command = [
        Path(sys.executable).with_name("ansible-playbook"),
        "-i",
        folder / "inventory.json",
        "-e",
        json.dumps(variables),
        folder / "play.yml",
        *arguments,
    ]
    environment = {**os.environ, "ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False, cwd=folder)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done.stdout


def test_by_ansible_over_ssh(cron: Host, tmp_path: Path) -> None:
    journal = tmp_path / "run" / "journal.jsonl"
    before = cron.fingerprint()
    assert "ANSWER True 1" in play(cron, tmp_path, "--check", "--diff", state="disabled", journal=str(journal))
    assert cron.fingerprint() == before
    assert "ANSWER True 1" in play(cron, tmp_path, "-vvv", state="disabled", journal=str(journal))
    assert cron.crontab(USER).decode() == CRONTAB.replace(f"\n{LINE}\n", f"\n{MARKER}{LINE}\n", 1)
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(record["record"], record["id"].partition("/")[0]) for record in records] == [("intent", "agent01"), ("outcome", "agent01")]
    assert not list((tmp_path / "tmp").glob("*/offboard-target-*"))
    assert cron.run("sh", "-c", "ls -A /run/ansible") == b""


def test_an_older_machine_that_is_not_in_utf_8(cron: Host, tmp_path: Path) -> None:
    """A crontab in Shift_JIS, and a file and a folder with such names: Ansible refuses a whole answer for one byte of them."""
    japanese = "同期".encode("shift_jis")
    line = LINE.encode() + b" # " + japanese
    cron.set_crontab(USER, CRONTAB.encode().replace(LINE.encode(), line))
    for name in ("/etc/cron.d/", "/opt/"):
        cron.run("sh", "-c", 'cat > "$1"', "sh", name + os.fsdecode(japanese), data=b"# nothing\n")
    try:
        for state, marked in (("disabled", MARKER.encode()), ("present", b"")):
            journal = tmp_path / state / "journal.jsonl"
            assert "ANSWER True 1" in play(cron, tmp_path, "-v", state=state, journal=str(journal))
            assert b"\n" + marked + line + b"\n" in cron.crontab(USER)
    finally:
        for name in ("/etc/cron.d/", "/opt/"):
            cron.run("rm", name + os.fsdecode(japanese))


def test_a_machine_that_is_not_there(cron: Host, tmp_path: Path) -> None:
    output = play(cron, tmp_path, host={"ansible_port": 9, "ansible_ssh_timeout": 2}, state="disabled", journal=str(tmp_path / "j"), fails=True)
    assert '"code": "unreachable"' in output
    assert "Traceback" not in output


def test_a_task_that_is_delegated(cron: Host, tmp_path: Path) -> None:
    """It is about the machine to which it is delegated, whatever play it stands in."""
    task = {"offboard.iij_id.linux_cron_job": {"jobs": [JOB], "host": "not-this", "target_socket": "/nowhere"}, "delegate_to": "agent01", "register": "answer"}
    told = {"ansible.builtin.debug": {"msg": "ID {{ answer.plan[0].id }}"}}
    book = json.dumps([{"hosts": "others", "gather_facts": False, "tasks": [task, told]}])
    assert f"ID agent01/user:{USER}: " in play(cron, tmp_path, "--check", book=book)


ACCOUNT_PLAY = """
- hosts: agents
  gather_facts: false
  tasks:
    - offboard.iij_id.linux_account:
        accounts: "{{ accounts }}"
        journal: "{{ journal }}"
      register: answer
      ignore_errors: true
    - ansible.builtin.debug:
        msg: "ANSWER {{ answer.changed }} {{ answer.counts.planned | default(0) }} {{ answer.failure.code | default('') }}
          {{ answer.failure.details.refusals | default([]) | map(attribute='rule') | join(' ') }}."
    - ansible.builtin.debug:
        msg: "REFUSED {{ of.items() | map('join', '=') | join(' ') }}."
      vars:
        refusals: "{{ answer.failure.details.refusals | default([]) }}"
        of: "{{ dict(refusals | groupby('objects') | map('first') | map('first') | zip(refusals | groupby('objects') | map('last')
          | map('map', attribute='rule') | map('join', ','))) }}"
"""


class TestAccounts:
    """By Ansible's own module for them, on a machine whose /etc is its own."""

    @pytest.fixture
    def accounts(self, cron: Host) -> Iterator[Host]:
        """The run user with a home, and others that are easily taken for it."""
        cron.set_crontab(USER, "MAILTO=ops@reiji.example\n")
        self.useradd(cron, "iijrun", "6200")
        self.useradd(cron, "iijrun2", "6201")
        yield cron
        for name in ("iijrun", "iijrun2", "iijshared", "iijhome", "iijbusy", "twin"):
            cron.run("sh", "-c", f"userdel -f {name}; rm -rf /opt/home/{name}; true")

    @staticmethod
    def useradd(machine: Host, name: str, uid: str, *more: str) -> None:
        machine.run("useradd", "--uid", uid, "--create-home", "--home-dir", f"/opt/home/{name}", "--shell", "/bin/sh", *more, name)

    @staticmethod
    def remove(machine: Host, folder: Path, *words: str, **wanted: Any) -> str:
        """What became of one account."""
        accounts = [{"name": "iijrun", "uid": 6200, **wanted}]
        output = play(machine, folder, *words, book=ACCOUNT_PLAY, accounts=accounts, journal=str(folder / "run" / "journal.jsonl"))
        assert "Traceback" not in output
        return re.findall(r"ANSWER (.*?) *\.\"", output)[0]

    def test_removed_and_nothing_else(self, accounts: Host, tmp_path: Path) -> None:
        passwd, before = accounts.read("/etc/passwd").decode(), accounts.fingerprint()
        assert self.remove(accounts, tmp_path, "--check", "--diff") == "True 1"
        assert accounts.fingerprint() == before
        assert self.remove(accounts, tmp_path) == "True 1"
        assert accounts.read("/etc/passwd").decode() == passwd.replace("iijrun:x:6200:6200::/opt/home/iijrun:/bin/sh\n", "")
        accounts.run("ls", "-d", "/opt/home/iijrun")  # stays
        records = [json.loads(line) for line in (tmp_path / "run/journal.jsonl").read_text().splitlines()]
        assert [(record["record"], record["id"]) for record in records] == [("intent", "agent01/iijrun/6200"), ("outcome", "agent01/iijrun/6200")]
        assert records[0]["before"]["uid"] == 6200
        after = accounts.fingerprint()
        assert self.remove(accounts, tmp_path) == "False 0"
        assert accounts.fingerprint() == after
        # the name comes again, with another number
        self.useradd(accounts, "iijrun", "6300")
        assert self.remove(accounts, tmp_path) == "False 0 guard_refused other_object"
        accounts.run("id", "iijrun")

    def test_its_home_too(self, accounts: Host, tmp_path: Path) -> None:
        accounts.write("/opt/home/iijrun/x", "x")
        assert self.remove(accounts, tmp_path, remove_home=True) == "True 1"
        accounts.run("ls", "-d", "/opt/home/iijrun", fails=True)
        accounts.run("ls", "-d", "/opt/home/iijrun2")

    def test_refused_with_words(self, accounts: Host, tmp_path: Path) -> None:
        """Each account for a reason of its own, and all of them at once."""
        for number, name in enumerate(("iijshared", "iijhome", "iijbusy"), 6202):
            self.useradd(accounts, name, str(number))
        self.useradd(accounts, "twin", "6202", "--non-unique")
        accounts.set_crontab("iijrun", f"#offboard.iij_id disabled: {LINE}\n")
        accounts.write("/etc/systemd/system/iij.service", "[Service]\nUser=iijrun2\nExecStart=/bin/true\n")
        accounts.run("chown", "root", "/opt/home/iijhome")
        before = accounts.read("/etc/passwd")
        wanted = [{"name": name, "uid": uid} for name, uid in (("root", 0), ("mail", 8), ("iijrun", 6200), ("iijrun2", 6201), ("iijshared", 6202))]
        wanted += [{"name": "iijhome", "uid": 6203, "remove_home": True}, {"name": "iijbusy", "uid": 6204}]
        with subprocess.Popen(accounts.command("setpriv", "--reuid=6204", "--clear-groups", "sleep", "300")) as process:
            try:
                output = play(accounts, tmp_path, book=ACCOUNT_PLAY, accounts=wanted, journal=str(tmp_path / "run/journal.jsonl"))
            finally:
                process.kill()
        assert "Traceback" not in output and "ANSWER False 7 guard_refused" in output
        refused = dict(pair.split("=") for pair in re.findall(r"REFUSED (.*?)\.\"", output)[0].split())
        for name in ("root", "mail"):  # which are in use, too
            assert refused.pop(name).split(",")[0] == "system_account"
        assert refused == {
            "iijrun": "cron_jobs_left", "iijrun2": "unit_runs_as", "iijshared": "shared_uid", "iijhome": "home_refused", "iijbusy": "account_in_use",
        }  # fmt: skip
        assert accounts.read("/etc/passwd") == before
        accounts.run("crontab", "-r", "-u", "iijrun")
        accounts.run("rm", "/etc/systemd/system/iij.service")

    def test_what_ansible_cannot_do_is_told(self, accounts: Host, tmp_path: Path) -> None:
        """Somebody else holds the password file."""
        accounts.write("/etc/passwd.lock", str(os.getpid()))
        try:
            assert self.remove(accounts, tmp_path) == "False 1 account_refused"
        finally:
            accounts.run("rm", "-f", "/etc/passwd.lock")
        accounts.run("id", "iijrun")
        assert self.remove(accounts, tmp_path) == "True 1"
