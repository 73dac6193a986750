# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""linux_cron_job, linux_file and linux_account when they are killed at any step, or a disk is full: real files, what runs on the machine in one process."""

from __future__ import annotations

import importlib
import json
import os
import pwd
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.client import Client
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target import accounts, cron, files, operations
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target.errors import TargetError
from lab import killed

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="crontabs and folders of others take root")

SCRIPT = "/opt/IIJ_ID_Service_Directory_Sync/bin/normal_mode.sh"
LINE = f"30 3 * * * {SCRIPT}\n"
TABLE = f"MAILTO=ops\n{LINE}0 1 * * * /usr/local/bin/backup\n{LINE}"
PASSWD = "iijsync:x:61231:61231::/nonexistent:/bin/sh\nreiji:x:61232:61232::/nonexistent:/bin/sh\n"
SYSTEM = f"17 * * * * root true\n30 3 * * * root {SCRIPT} --all\n"
DAILY = f"#!/bin/sh\n{SCRIPT}\n"
MARKER = "#offboard.iij_id disabled: "
#: crontab(1) as far as it matters: the new one takes the old one's place at once
CRONTAB = '#!/bin/sh\nif [ "$1" = -l ]; then cat {spool}/$3; else cp "$3" {spool}/tmp.new && mv {spool}/tmp.new {spool}/$2; fi\n'


class Machine:
    """Crontabs in a folder, and the modules' way to them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.root, self._capsys = folder, folder / "machine", capsys
        self.journal, self.saved = folder / "run/journal.jsonl", folder / "saved"
        self.crontab = folder / "crontab"
        self.crontab.write_text(CRONTAB.format(spool=self.root / "spool"))
        self.crontab.chmod(0o755)
        self.fill()

    def fill(self) -> None:
        for folder in (self.root, self.journal.parent, self.saved):
            shutil.rmtree(folder, ignore_errors=True)
        contents = {"passwd": PASSWD, "spool/root": TABLE, "cron.d/iij": SYSTEM, "cron.daily/iij": DAILY, "agent/config/secret.yml": "token: Hush-31\n"}
        contents |= {"agent/bin/normal_mode.sh": "#!/bin/sh\n", "agent/log/a/b.log": "x\n", "other/keep": "keep\n"}
        for name, content in contents.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        (self.root / "cron.daily/iij").chmod(0o755)
        (self.root / "spool/root").chmod(0o600)
        (self.root / "agent/link").symlink_to(self.root / "other")

    def ask(self, _client: Client, operation: str, **arguments: Any) -> Any:
        if operation == "account_remove":  # by ansible.builtin.user: another file takes the old one's place
            path = self.root / "passwd"
            (self.root / "tmp.passwd").write_text("".join(line for line in self.passwd() if line.split(":")[0] != arguments["name"]))
            os.replace(self.root / "tmp.passwd", path)
            return {"changed": True}
        module = SimpleNamespace(get_bin_path=lambda _name: str(self.crontab))
        try:
            return {**operations.READING, **operations.WRITING}[operation](module, **arguments)
        except TargetError as exc:
            raise OffboardError(exc.msg, code=exc.code, details=exc.details) from None

    def passwd(self) -> list[str]:
        return (self.root / "passwd").read_text().splitlines(keepends=True)

    def account(self, name: str) -> SimpleNamespace:
        for fields in (line.rstrip("\n").split(":") for line in self.passwd()):
            if fields[0] == name:
                return SimpleNamespace(pw_uid=int(fields[2]), pw_gid=int(fields[3]), pw_dir=fields[5], pw_shell=fields[6])
        raise KeyError(name)

    def main(self, name: str, **options: Any) -> None:
        main = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}").main
        arguments = {"host": "agent01", "journal": str(self.journal), **options}
        with killed.module_args({key: value for key, value in arguments.items() if value is not None}):
            main()

    def run(self, name: str, **options: Any) -> dict[str, Any]:
        self._capsys.readouterr()
        with pytest.raises(SystemExit):
            self.main(name, **options)
        return json.loads(self._capsys.readouterr().out)

    def state(self) -> dict[str, tuple[bytes, int]]:
        """What cron and people see: without what cron passes over."""
        paths = [path for path in self.root.rglob("*") if not path.is_symlink() and not path.name.startswith((".offboard-", "tmp."))]
        return {str(path.relative_to(self.root)): (b"" if path.is_dir() else path.read_bytes(), path.stat().st_mode) for path in paths}

    def outcomes(self) -> list[str]:
        """All that was begun is told, as what it came to."""
        records = [json.loads(line) for line in self.journal.read_text().splitlines() if line.endswith("}")]
        assert journal.unfinished(self.journal.read_bytes().splitlines()) == []
        return [item["status"] for item in records if item["record"] == "outcome"]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Machine:
    made = Machine(tmp_path, capsys)
    monkeypatch.setattr(cron, "SPOOLS", (str(made.root / "spool"),))
    monkeypatch.setattr(cron, "SYSTEM_FOLDER", str(made.root / "cron.d"))
    monkeypatch.setattr(cron, "SCRIPT_FOLDERS", (str(made.root / "cron.daily"),))
    monkeypatch.setattr(accounts, "with_own_systemd", list)
    monkeypatch.setattr(files, "users", lambda _path: [])  # it asks every process of this computer
    monkeypatch.setattr(Client, "ask", lambda client, operation, **arguments: made.ask(client, operation, **arguments))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(accounts, "PASSWD", str(made.root / "passwd"))
    monkeypatch.setattr(accounts, "_processes", lambda _uid: [])
    return made


def jobs(machine: Machine, state: str) -> dict[str, Any]:
    places = ("user:root", str(machine.root / "cron.d/iij"), str(machine.root / "cron.daily/iij"))
    return {"jobs": [{"place": place} for place in places], "state": state, "backup_dir": str(machine.saved)}


def at_each_step(machine: Machine, name: str, options: dict[str, Any], end: dict[str, tuple[bytes, int]], look: Callable[[int], None]) -> int:
    """Killed before each write, `look` at what is left, then run again and once more; gives the number of steps."""
    step = 0
    while killed.is_killed(step, lambda: machine.main(name, **options)):
        at_death = machine.state()
        look(step)
        again = machine.run(name, **options)
        assert not again.get("failed"), (step, again["msg"])
        assert again["changed"] is (at_death != end), step
        assert machine.state() == end, step
        assert set(machine.outcomes()) == {"done"}, step
        written = {path: path.lstat().st_mtime_ns for path in machine.root.rglob("*")}
        assert machine.run(name, **options)["changed"] is False, step
        assert {path: path.lstat().st_mtime_ns for path in machine.root.rglob("*")} == written, step
        machine.fill()
        step += 1
    assert machine.state() == end
    return step


@pytest.mark.parametrize("state", ["disabled", "absent"])
def test_cron_jobs(machine: Machine, state: str) -> None:
    before = machine.state()
    marked = state == "disabled"
    table = TABLE.replace(LINE, f"{MARKER}{LINE}" if marked else "")
    system = SYSTEM.replace("30 3", f"{MARKER}30 3") if marked else SYSTEM.partition("\n")[0] + "\n"
    end = {**before, "spool/root": (table.encode(), before["spool/root"][1]), "cron.d/iij": (system.encode(), before["cron.d/iij"][1])}
    daily = end.pop("cron.daily/iij")
    if marked:
        end["cron.daily/iij"] = (daily[0], daily[1] & ~0o111)
    #: one of two jobs of a crontab is changed first
    half = TABLE.replace(LINE, f"{MARKER}{LINE}" if marked else "", 1).encode()

    def look(step: int) -> None:
        now = machine.state()
        for name in before:
            assert now.get(name) in (before[name], end.get(name), (half, before[name][1])), (step, name)
            if now.get(name) != before[name]:
                assert any(path.read_bytes() == before[name][0] for path in machine.saved.glob("*.crontab")), (step, name)
        assert not [path for path in machine.folder.glob("offboard-crontab-*") if path.stat().st_mode & 0o077], step

    assert at_each_step(machine, "linux_cron_job", jobs(machine, state), end, look) > 30


def test_files(machine: Machine) -> None:
    end = {name: found for name, found in machine.state().items() if name.split("/")[0] != "agent"}
    options = {"paths": [str(machine.root / "agent")], "allowed_roots": [str(machine.root / "agent")], "state": "absent", "overwrite": True}

    def look(step: int) -> None:
        now = machine.state()
        assert {name: now.get(name) for name in end} == end, step

    assert at_each_step(machine, "linux_file", options, end, look) > 15


def test_accounts(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    known = pwd.getpwnam  # the machine's crontab is root's
    monkeypatch.setattr(pwd, "getpwnam", lambda name: known(name) if name == "root" else machine.account(name))
    before = machine.state()
    end = {**before, "passwd": (PASSWD.splitlines(keepends=True)[1].encode(), before["passwd"][1])}

    def look(step: int) -> None:
        assert machine.state() in (before, end), step

    assert at_each_step(machine, "linux_account", {"accounts": [{"name": "iijsync", "uid": 61231}]}, end, look) > 3


@pytest.mark.parametrize("options", [{}, {"journal": None}])
def test_a_full_disk_of_the_controller(machine: Machine, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    """What cannot be written down, or cannot be saved, is not changed."""
    before = machine.state()
    monkeypatch.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    answer = machine.run("linux_cron_job", **jobs(machine, "absent"), **options)
    assert (answer["failure"]["code"], answer["changed"], machine.state() == before) == ("file_write_failed", False, True)
    assert "No space left on device" in answer["msg"]


def test_scripts_of_a_folder_of_its_own(machine: Machine) -> None:
    """What run-parts starts elsewhere than in cron.daily and the like."""
    folder = machine.root / "own folder"
    shutil.copytree(machine.root / "cron.daily", folder)
    (machine.root / "cron.d/iij").write_text(
        f"0 4 * * * root cd / && nice run-parts --report -a x '{folder}/'\n1 4 * * * root run-parts {machine.root}/cron.daily\n"
    )
    found = machine.run("linux_cron_job_info", journal=None)
    assert [job["place"] for job in found["jobs"] if "/cron.d/" not in job["place"] and not job["place"].startswith("user:")] == [
        str(machine.root / "cron.daily/iij"), str(folder / "iij")
    ]  # fmt: skip
    options = {"jobs": [{"place": str(folder / "iij")}], "except_jobs": ["user:root", str(machine.root / "cron.daily/iij")], "backup_dir": str(machine.saved)}
    answer = machine.run("linux_cron_job", state="absent", **options)
    assert not answer.get("failed") and answer["changed"], answer.get("msg")
    assert not list(folder.iterdir()) and (machine.root / "cron.daily/iij").exists()


def test_jobs_that_differ_in_hidden_words_alone(machine: Machine) -> None:
    """The one that is confirmed as it is written is removed, and seen to be; the other stays."""
    path = machine.root / "cron.d/iij"
    path.write_text("".join(f"30 3 * * * root {SCRIPT} {word}\n" for word in ("tokyo", "osaka")))
    others = ["user:root", str(machine.root / "cron.daily/iij"), f"{SCRIPT} osaka"]
    options = {"jobs": [{"command": f"{SCRIPT} tokyo"}], "except_jobs": others, "backup_dir": str(machine.saved), "vault_password": "of the run"}
    answer = machine.run("linux_cron_job", state="absent", **options)
    assert not answer.get("failed") and answer["changed"], answer.get("msg")
    assert path.read_text() == f"30 3 * * * root {SCRIPT} osaka\n"
    assert "tokyo" not in machine.journal.read_text() + str(answer["jobs"])


def test_a_command_in_another_encoding(machine: Machine) -> None:
    """Shift_JIS, as on older Japanese machines: confirmed as it is shown, changed, and brought back byte for byte."""
    path = machine.root / "cron.d/iij"
    content = f"30 3 * * * root {SCRIPT} ".encode() + "同期".encode("shift_jis") + b" \x1b[2J\n"
    path.write_bytes(content)
    found = machine.run("linux_cron_job_info", journal=None)
    assert not found.get("failed"), found["msg"]
    (job,) = (one for one in found["jobs"] if one["place"] == str(path))
    options = {"jobs": [{"place": job["place"], "command": job["command"]}, {"place": "user:root"}, {"place": str(machine.root / "cron.daily/iij")}]}
    options |= {"backup_dir": str(machine.saved), "vault_password": "of the run"}  # what its words mean cannot be told
    for state, wanted in (("disabled", MARKER.encode() + content), ("present", content)):
        answer = machine.run("linux_cron_job", state=state, **options)
        assert not answer.get("failed") and answer["changed"], answer.get("msg")
        assert path.read_bytes() == wanted
    assert set(machine.outcomes()) == {"done"}
