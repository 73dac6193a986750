# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import json
import os
import stat
import time

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.snapshot.files import read_manifest
from ansible_collections.offboard.iij_id.plugins.module_utils._module import binding, files
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import preconditions
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.info import info as judge
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report.resource import RunReport
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps.resource import read_steps
from dev import options


def test_a_written_file_is_whole_and_its_owners_only(tmp_path):
    path = tmp_path / "new" / "file"
    files.write_atomically(str(path), b"data")
    assert path.read_bytes() == b"data"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["file"]


def test_what_must_not_be_overwritten_is_not(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(OffboardError) as caught:
        files.write_atomically(str(path), b"new", overwrite=False)
    assert caught.value.code == "file_exists" and str(path) in caught.value.msg
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_a_disk_that_refuses_is_an_error_with_the_path(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for write in (lambda p: files.write_atomically(p, b"x"), lambda p: files.append_records(p, [{}])):
        with pytest.raises(OffboardError) as caught:
            write(str(tmp_path / "file" / "below"))
        assert caught.value.code == "file_write_failed" and "below" in caught.value.msg


def test_a_full_disk_is_an_error():
    with pytest.raises(OffboardError) as caught:
        files.append_records("/dev/full", [{"a": 1}])
    assert caught.value.code == "file_write_failed"


def test_records_survive_a_half_written_line(tmp_path):
    path = tmp_path / "journal.jsonl"
    files.append_records(str(path), [{"n": 1}, {"n": "二"}])
    with open(path, "a") as stream:
        stream.write('{"n": 3, "cut')
    files.append_records(str(path), [{"n": 4}])
    assert [record["n"] for record in files.read_records(str(path))] == [1, "二", 4]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_was_cut_within_a_character_costs_no_other(tmp_path):
    path = tmp_path / "journal.jsonl"
    files.append_records(str(path), [{"n": "一"}])
    with open(path, "ab") as stream:
        stream.write('{"n": "二'.encode()[:-1])
    files.append_records(str(path), [{"n": "三"}])
    assert [record["n"] for record in files.read_records(str(path))] == ["一", "三"]


def test_no_file_means_no_records(tmp_path):
    assert list(files.read_records(str(tmp_path / "none"))) == []


def test_a_folder_in_the_file_s_place_is_an_error(tmp_path):
    with pytest.raises(OffboardError) as caught:
        list(files.read_records(str(tmp_path)))
    assert caught.value.code == "file_read_failed"


def test_lines_of_several_writers_do_not_mix(tmp_path):
    path = str(tmp_path / "journal.jsonl")
    children = []
    for writer in range(4):
        child = os.fork()
        if child == 0:
            for number in range(25):
                files.append_records(path, [{"writer": writer, "number": number, "filler": "x" * 5000}])
            os._exit(0)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    with open(path) as stream:
        assert len([json.loads(line) for line in stream]) == 100


def test_a_file_is_written_by_one_at_a_time_on_a_shared_folder_too(tmp_path, monkeypatch):
    """NFS keeps a lock of a folder to each machine: here it counts for nobody."""
    path = tmp_path / "steps.json"
    path.write_text("0")
    monkeypatch.setattr(files.fcntl, "flock", lambda descriptor, how: None)
    children = []
    for _writer in range(4):
        child = os.fork()
        if child == 0:
            for _time in range(25):
                with files.file_locked(str(path)):
                    number = int(path.read_text())
                    time.sleep(0.001)
                    files.write_atomically(str(path), str(number + 1).encode())
            os._exit(0)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    assert path.read_text() == "100"


def test_a_mount_that_knows_no_locks_is_a_clear_error(tmp_path, monkeypatch):
    def refuse(*_given):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(files.fcntl, "lockf", refuse)
    monkeypatch.setattr(files.fcntl, "flock", refuse)
    with pytest.raises(OffboardError) as caught, files.file_locked(str(tmp_path / "steps.json")):
        pass
    assert caught.value.code == "file_write_failed" and str(tmp_path) in caught.value.msg and "ock" in caught.value.msg


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    for name in ("journal.jsonl", "steps.json", "run.json"):
        (folder / name).write_text("")
        (folder / name).chmod(0o600)
    return folder


READERS = {
    "journal": lambda folder: files.check_run_file(str(folder / "journal.jsonl")),
    "read_journal": lambda folder: list(files.read_journal(str(folder / "journal.jsonl"))),
    "readiness": lambda folder: judge(options.given("readiness_info", gate="final", journal=str(folder / "journal.jsonl")), exports=dict),
    "steps": lambda folder: read_steps(str(folder / "steps.json")),
    "binding": lambda folder: binding.check(str(folder / "journal.jsonl"), {}),
    "requires": lambda folder: preconditions.check({"run_dir": str(folder), "steps": ["a"], "snapshot": False}, {}),
    "snapshot": lambda folder: preconditions.check({"run_dir": str(folder.parent), "steps": [], "snapshot": True}, {}),
    "manifest": lambda folder: read_manifest(str(folder)),
    "report": lambda folder: RunReport({"run_dir": str(folder), "timezone": "UTC", "language": "ja", "title": "x"}),
}


def refused(read, folder, words):
    with pytest.raises(OffboardError) as caught:
        read(folder)
    assert caught.value.code == "run_folder_unsafe" and words in caught.value.msg and str(folder) in caught.value.msg


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702, 0o707])
@pytest.mark.parametrize("read", [read for name, read in READERS.items() if name not in ("snapshot", "manifest")])
def test_a_run_folder_that_others_can_write_to_is_refused(run_folder, read, mode):
    run_folder.chmod(mode)
    refused(read, run_folder, f"mode {mode:04o}")


@pytest.mark.parametrize("mode", [0o777, 0o707, 0o703])
@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("there", [True, False])
def test_a_run_folder_that_others_could_rename_is_refused(tmp_path, mode, depth, there):
    folder = tmp_path / "a" / "b" / "run"
    (folder if there else folder.parent).mkdir(mode=0o700, parents=True)
    above = folder.parents[depth]
    above.chmod(mode)
    with pytest.raises(OffboardError) as caught:
        files.check_run_file(str(folder / "journal.jsonl"))
    assert (
        caught.value.code == "run_folder_unsafe" and f"{above}, in which the run folder lies, " in caught.value.msg and f"mode {mode:04o}" in caught.value.msg
    )
    above.chmod(mode | stat.S_ISVTX)  # as /tmp is
    files.check_run_file(str(folder / "journal.jsonl"))
    above.chmod(0o775)
    files.check_run_file(str(folder / "journal.jsonl"))


def test_where_a_link_leads_is_what_others_could_rename(tmp_path):
    (tmp_path / "open" / "run").mkdir(mode=0o700, parents=True)
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "here").symlink_to(tmp_path / "open" / "run")
    with pytest.raises(OffboardError) as caught:
        files.check_run_file(str(tmp_path / "here" / "journal.jsonl"))
    assert caught.value.code == "run_folder_unsafe"


@pytest.mark.parametrize("name", ["journal", "steps", "binding", "requires", "report"])
def test_a_file_that_others_can_write_to_is_refused(run_folder, name):
    for path in run_folder.iterdir():
        path.chmod(0o666)
    refused(READERS[name], run_folder, "mode 0666")


@pytest.mark.parametrize("name", ["journal", "steps", "binding", "requires", "report"])
def test_a_symbolic_link_in_the_place_of_a_file_is_refused(run_folder, tmp_path, name):
    for path in list(run_folder.iterdir()):
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    refused(READERS[name], run_folder, "symbolic link")
    with pytest.raises(OffboardError) as caught:
        files.append_records(str(run_folder / "journal.jsonl"), [{"a": 1}])
    assert "symbolic link" in caught.value.msg and (tmp_path / "journal.jsonl").read_text() == ""


def test_a_link_to_the_run_folder_is_none_of_its_files(run_folder, tmp_path):
    (tmp_path / "here").symlink_to(run_folder)
    files.check_run_file(str(tmp_path / "here" / "journal.jsonl"))
    files.append_records(str(tmp_path / "here" / "journal.jsonl"), [{"a": 1}])


@pytest.mark.parametrize("name", ["journal", "steps", "binding", "requires", "report"])
def test_a_run_folder_of_somebody_else_is_refused(run_folder, monkeypatch, name):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 4711)
    refused(READERS[name], run_folder, "belongs to")


def test_a_folder_in_the_journals_place_and_what_is_not_there(run_folder):
    files.check_run_file(str(run_folder / "nothing.jsonl"))
    files.check_run_file(str(run_folder / "nowhere" / "nothing.jsonl"))
    run_folder.joinpath("journal.jsonl").chmod(0o664)  # the group of one's own: a umask of 002
    files.check_run_file(str(run_folder / "journal.jsonl"))


def test_a_umask_of_nothing_opens_nothing(tmp_path):
    old = os.umask(0)
    try:
        files.append_records(str(tmp_path / "a" / "b" / "journal.jsonl"), [{"a": 1}])
        files.write_atomically(str(tmp_path / "c" / "d" / "e.json"), b"x")
        with files.file_locked(str(tmp_path / "f" / "g" / "h")):
            pass
    finally:
        os.umask(old)
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
