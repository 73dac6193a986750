# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a run's files are: real processes, some of them children of what is called ansible-playbook, some killed."""

from __future__ import annotations

import inspect
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._module import lease

#: Holds the files named on its command line until a line comes in.
_TASK = """
import json, os, sys
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._module import lease
works_on, *paths = sys.argv[1:]
try:
    with lease.held(paths, "offboard.iij_id.entra_users", works_on):
        print(json.dumps({"pid": os.getpid()}), flush=True)
        sys.stdin.readline()
except OffboardError as exc:
    print(json.dumps({"pid": os.getpid(), **exc.to_dict(), "msg": exc.msg}), flush=True)
"""

#: Starts tasks as ansible-playbook does: each in a fork of its own that starts the module by a shell. A line in: the arguments of a task.
_PLAYBOOK = f"""
import json, os, subprocess, sys
print(json.dumps({{"pid": os.getpid()}}), flush=True)
for line in sys.stdin:
    arguments, ready, end = json.loads(line)
    if not os.fork():
        with open(ready, "w") as out, open(end) as stdin:
            command = ["sh", "-c", '"$@" && sleep 0', "sh", sys.executable, "-c", {_TASK!r}, *arguments]
            subprocess.run(command, stdin=stdin, stdout=out)
        os._exit(0)
"""


class Task:
    """A module's process."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-c", _TASK, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment())

    def said(self) -> dict[str, Any]:
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.communicate("\n")

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


class Playbook:
    """An ansible-playbook, as far as the process table shows one."""

    def __init__(self, folder: Path, *switches: str) -> None:
        self.folder = folder
        folder.mkdir()
        script = folder / "ansible-playbook"
        script.write_text(_PLAYBOOK)
        self.process = subprocess.Popen(
            [sys.executable, *switches, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment(), start_new_session=True
        )
        self.pid = json.loads(self.process.stdout.readline())["pid"]
        self.count = 0

    def task(self, *arguments: str) -> tuple[Any, Any]:
        """(what the task says, what ends it)."""
        self.count += 1
        said, end = self.folder / f"said-{self.count}", self.folder / f"end-{self.count}"
        os.mkfifo(said)
        os.mkfifo(end)
        self.process.stdin.write(json.dumps([arguments, str(said), str(end)]) + "\n")
        self.process.stdin.flush()
        return open(said), open(end, "w")

    def kill(self) -> None:
        os.killpg(self.pid, signal.SIGKILL)
        self.process.communicate()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def end(task: tuple[Any, Any]) -> None:
    """And wait until it has."""
    task[1].write("\n")
    task[1].close()
    assert task[0].read() == ""


def said(task: tuple[Any, Any]) -> dict[str, Any]:
    return json.loads(task[0].readline())


@pytest.fixture
def playbook(tmp_path):
    made = []

    def make(*switches: str) -> Playbook:
        made.append(Playbook(tmp_path / f"playbook-{len(made)}", *switches))
        return made[-1]

    yield make
    for one in made:
        if one.process.poll() is None:
            one.kill()


def test_a_second_one_is_told_who_holds_the_file(tmp_path):
    path = str(tmp_path / "run" / "journal.jsonl")
    first = Task("", path)
    pid = first.said()["pid"]
    second = Task("", path).said()
    assert second["code"] == "held_by_another_run"
    assert path in second["msg"] and f"entra_users (process {pid}) of {second['details']['user']}" in second["msg"] and "Nothing was changed" in second["msg"]
    assert second["details"]["pid"] == str(pid) and second["details"]["host"] and second["details"]["since"].endswith("Z")
    first.end()
    third = Task("", path)
    assert "code" not in third.said()
    third.end()


def test_a_killed_holder_holds_nothing(tmp_path):
    path = str(tmp_path / "journal.jsonl")
    first = Task("", path)
    first.said()
    first.kill()
    second = Task("", path)
    assert "code" not in second.said()
    second.end()


def test_any_shared_file_is_enough_and_files_of_ones_own_disturb_nobody(tmp_path):
    paths = {name: str(tmp_path / name) for name in ("journal-1", "journal-2", "handover", "handover-2")}
    first = Task("", paths["journal-1"], paths["handover"])
    first.said()
    refused = Task("", paths["handover"], paths["journal-2"]).said()
    assert refused["details"]["path"] == paths["handover"]
    side_by_side = Task("", paths["journal-2"], paths["handover-2"])
    assert "code" not in side_by_side.said()
    side_by_side.end()
    first.end()


def test_one_file_by_two_names(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    first = Task("", str(tmp_path / "run" / "journal.jsonl"))
    first.said()
    assert Task("", str(tmp_path / "link" / "journal.jsonl")).said()["code"] == "held_by_another_run"
    first.end()


@pytest.mark.parametrize("switches", [[], ["-X", "utf8", "-W", "ignore"]], ids=["python", "python with switches"])
def test_machines_of_one_playbook_go_on_side_by_side_and_another_playbook_does_not(tmp_path, playbook, switches):
    path = str(tmp_path / "journal.jsonl")
    mine, other = playbook(*switches), playbook(*switches)
    first, second = mine.task("dc1", path), mine.task("dc2", path)
    assert "code" not in said(first) and "code" not in said(second)
    refused = said(other.task("dc3", path))
    assert refused["code"] == "held_by_another_run" and f"of ansible-playbook {mine.pid})" in refused["msg"]
    end(first)
    third = mine.task("dc3", path)  # the others need not be through
    assert "code" not in said(third)
    end(second)
    end(third)


def test_tasks_of_one_playbook_on_the_same_thing_wait_for_each_other(tmp_path, playbook):
    path = str(tmp_path / "journal.jsonl")
    mine = playbook()
    tasks = [mine.task("", path), mine.task("", path)]
    told, _unused, _unused = select.select([task[0] for task in tasks], [], [])  # either may be the first
    assert len(told) == 1
    working, waiting = sorted(tasks, key=lambda task: task[0] is not told[0])
    assert "code" not in said(working)
    assert select.select([waiting[0]], [], [], 0.5)[0] == []
    end(working)
    assert "code" not in said(waiting)
    end(waiting)


@pytest.mark.parametrize("seen_from", ["here", "another machine or container"])
def test_nobody_comes_in_between_two_tasks_of_a_playbook(tmp_path, playbook, seen_from):
    path = str(tmp_path / "journal.jsonl")
    lock = tmp_path / "journal.jsonl.lock"
    mine = playbook()
    task = mine.task("", path)
    said(task)
    end(task)
    told = lock.read_text()
    if seen_from != "here":  # where the number of a process says nothing about it
        lock.write_text(json.dumps({**json.loads(told), "world": "another"}))
    refused = Task("", path).said()
    assert refused["code"] == "held_by_another_run" and f"of ansible-playbook {mine.pid})" in refused["msg"]
    assert said(playbook().task("", path))["code"] == "held_by_another_run"
    lock.write_text(told)
    task = mine.task("", path)
    assert "code" not in said(task)
    end(task)
    mine.kill()
    after = Task("", path)
    assert "code" not in after.said()
    after.end()


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks at the processes in /proc, which is not here")
def test_one_keeper_for_the_tasks_of_a_run_and_a_new_one_where_it_was_killed(tmp_path, playbook):
    path = str(tmp_path / "journal.jsonl")
    mine = playbook()
    for _ in range(2):
        task = mine.task("", path)
        assert "code" not in said(task)
        end(task)
    (keeper,) = keepers(path)
    os.kill(keeper, signal.SIGKILL)
    task = mine.task("", path)
    assert "code" not in said(task)
    end(task)
    (second,) = keepers(path)
    assert second != keeper
    assert {os.readlink(f"/proc/{second}/fd/{stream}") for stream in range(3)} == {os.devnull}  # nobody who reads the task's output waits for it
    mine.kill()
    deadline = time.monotonic() + 10
    while keepers(path):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def keepers(path: str) -> list[int]:
    """Processes that hold the file's lock for a run."""
    found = ((pid, lease._in_proc(int(pid))) for pid in os.listdir("/proc") if pid.isdecimal())
    return [int(pid) for pid, process in found if process and process[2][1:4] == ["-I", "-", f"{path}.lock"]]


@pytest.mark.parametrize("refused", [False, True], ids=["as the system is", "a system that does not tell when a process ends"])
def test_a_keeper_ends_with_the_process_that_it_is_for(tmp_path, monkeypatch, refused):
    source = inspect.getsource(lease.keeper)
    if refused:
        monkeypatch.setattr(lease.inspect, "getsource", lambda _module: source.replace("return os.pidfd_open(pid)", "raise OSError"))
    lock = tmp_path / "lock"
    lock.touch()
    with subprocess.Popen(["sleep", "600"]) as run, open(lock, "r+b") as stream:
        lease._keep(str(lock), run.pid)
        assert not lease._take(stream.fileno(), lease._RUN)
        run.kill()
        run.wait()
        deadline = time.monotonic() + 10
        while not lease._take(stream.fileno(), lease._RUN):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_keeper_that_cannot_begin_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(lease.inspect, "getsource", lambda _module: "raise SystemExit")
    with pytest.raises(OffboardError, match="the process that would hold it between the tasks has ended") as caught:
        lease._keep(str(tmp_path / "lock"), os.getpid())
    assert caught.value.code == "file_write_failed"


def test_the_task_of_a_killed_playbook_still_holds_the_file(tmp_path, playbook):
    """Only the playbook was killed; what it had started goes on changing things."""
    path = str(tmp_path / "journal.jsonl")
    mine = playbook()
    task = mine.task("", path)
    said(task)
    mine.process.kill()
    mine.process.wait()
    assert Task("", path).said()["code"] == "held_by_another_run"
    end(task)
    after = Task("", path)
    assert "code" not in after.said()
    after.end()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": 1}', '{"run": [1], "world": "x"}', '{"run": ["a", "b"]}', "[" * 4000], ids=lambda text: text[:20])
def test_what_a_lock_file_says_cannot_break_a_run(tmp_path, text):
    (tmp_path / "journal.jsonl.lock").write_text(text)
    with lease.held([str(tmp_path / "journal.jsonl")], "entra_users", ""):
        assert json.loads((tmp_path / "journal.jsonl.lock").read_text())["pid"] == os.getpid()


def test_a_process_with_the_number_of_the_holder_is_not_the_holder(tmp_path):
    """After a crash, the number may have been given to another process."""
    with lease.held([str(tmp_path / "journal.jsonl")], "entra_users", ""):
        pass
    lock = tmp_path / "journal.jsonl.lock"
    told = json.loads(lock.read_text())
    lock.write_text(json.dumps({**told, "run": [os.getppid(), "1"]}))
    with lease.held([str(tmp_path / "journal.jsonl")], "entra_users", ""):
        pass


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "run").write_text("a file, not a folder")
    with pytest.raises(OffboardError) as caught, lease.held([str(tmp_path / "run" / "journal.jsonl")], "entra_users", ""):
        pass
    assert caught.value.code == "file_write_failed" and "journal.jsonl.lock" in caught.value.msg


@pytest.mark.skipif(shutil.which("ps") is None or not os.path.exists("/proc/self/stat"), reason="compares ps with /proc, and one of them is not here")
def test_ps_tells_what_proc_tells():
    """Where there is no /proc, as on macOS: the same process, its parent and its command."""
    for pid in (os.getpid(), os.getppid()):
        known, asked = lease._in_proc(pid), lease._by_ps(pid)
        assert known and asked and known[0] == asked[0]
        assert known[2][:2] == asked[2][:2] or " " in "".join(known[2][:2])
        assert lease._by_ps(pid) == asked
    assert lease._by_ps(2**22 + 1) is None and lease._in_proc(2**22 + 1) is None
    ended = subprocess.Popen(["true"])
    while lease._in_proc(ended.pid):
        time.sleep(0.01)
    assert lease._by_ps(ended.pid) is None
    ended.wait()
