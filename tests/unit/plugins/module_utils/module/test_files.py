# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import stat

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._module import files


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
