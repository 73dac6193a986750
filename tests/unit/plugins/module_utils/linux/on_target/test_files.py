# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking and removing on a real file system: no link followed, nothing else touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target import files
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target.errors import TargetError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="removing takes root")


@pytest.fixture
def tree(tmp_path):
    """An agent's folder with a link out of it and a file of two names, beside what must stay."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("keep me")
    found = tmp_path / "agent"
    for name in (*files.SIGNS, "log/a/b/c.log", ".hidden"):
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_text(f"secret of {name}")
    (found / "empty").mkdir()
    (found / "to-file").symlink_to(outside / "keep")
    (found / "to-folder").symlink_to(outside)
    os.link(outside / "keep", found / "second-name")
    os.mkfifo(found / "pipe")
    return found


def remove(path, overwrite=True):
    (found,) = files.look([str(path)])
    return files.remove(str(path), found["identity"], overwrite)


def test_look(tree):
    (found,) = files.look([str(tree)])
    assert (found["exists"], found["link"], found["is_dir"], found["files"], found["links"], found["mount"], found["used_by"]) == (True, "", True, 5, 2, "", [])
    assert found["bytes"] == sum(len(f"secret of {name}") for name in (*files.SIGNS, "log/a/b/c.log", ".hidden")) + len("keep me")
    assert "log/a/b/c.log" in found["children"]
    assert not any("keep" in name for name in found["children"])
    assert files.look([str(tree / "no")]) == [{"path": str(tree / "no"), "exists": False, "link": ""}]


@pytest.mark.parametrize("name", ["to-folder", "to-folder/keep", "to-file"])
def test_behind_a_link_nobody_looks(tree, name):
    (found,) = files.look([str(tree / name)])
    assert (found["link"], "files" in found) == (str(tree / name.split("/")[0]), False)
    with pytest.raises(TargetError):
        files.remove(str(tree / name), [0, 0], True)
    assert (tree.parent / "outside" / "keep").read_text() == "keep me"


def test_remove(tree):
    done = remove(tree)
    assert done == {"overwritten": 4, "not_overwritten": [{"path": str(tree / "second-name"), "why": "it has another name, at which it stays"}]}
    assert not tree.exists()
    assert (tree.parent / "outside" / "keep").read_text() == "keep me"


def test_contents_are_overwritten_before_the_names_go(tree, monkeypatch):
    seen = []
    unlink = os.unlink
    monkeypatch.setattr(
        os, "unlink", lambda name, dir_fd: (seen.append((tree / "config/secret.yml").read_bytes()) if not seen else None, unlink(name, dir_fd=dir_fd))
    )
    size = (tree / "config/secret.yml").stat().st_size
    remove(tree)
    assert seen == [bytes(size)]


def test_without_overwriting(tree):
    assert remove(tree, overwrite=False) == {"overwritten": 0, "not_overwritten": []}
    assert not tree.exists()


def test_a_single_file(tree):
    assert remove(tree / "config/secret.yml")["overwritten"] == 1
    assert (tree / "bin/normal_mode.sh").exists()


def test_another_folder_in_its_place(tree):
    (found,) = files.look([str(tree)])
    tree.rename(tree.with_name("moved"))
    tree.mkdir()
    (tree / "other").write_text("x")
    with pytest.raises(TargetError) as error:
        files.remove(str(tree), found["identity"], True)
    assert error.value.code == "changed_since_read"
    assert (tree / "other").read_text() == "x"
    assert (tree.with_name("moved") / "config/secret.yml").exists()


def test_a_link_in_the_place_of_a_folder_above(tree):
    """Between the look and the removal."""
    target = tree / "log" / "a"
    (found,) = files.look([str(target)])
    (tree / "log").rename(tree.parent / "log")
    (tree / "log").symlink_to(tree.parent / "log")
    with pytest.raises(TargetError) as error:
        files.remove(str(target), found["identity"], True)
    assert error.value.code == "changed_since_read"
    assert (tree.parent / "log/a/b/c.log").read_text().startswith("secret")


@pytest.mark.parametrize(
    ("mount", "used"), [("mount -t tmpfs none", False), ("mount --bind /proc/self/cwd", True), ("true", True)], ids=["own", "shared", "none"]
)
def test_a_container_whose_files_have_the_same_names_uses_its_own(tree, mount, used):
    """Seen where two labs ran beside each other: a process of the other one held up the removal."""
    script = f'{mount} "$1" && cd "$1" && echo && exec sleep 60'
    elsewhere = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", str(tree)]
    user = subprocess.Popen(elsewhere, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if not user.stdout.readline():
            pytest.skip("a mount namespace of one's own needs root")
        (found,) = files.look([str(tree)])
        assert [one["pid"] for one in found["used_by"]] == [user.pid] * used
    finally:
        user.kill()
        user.wait()
        user.stdout.close()


@pytest.mark.parametrize("how", ["cwd", "open"])
def test_in_use(tree, how):
    code = "import sys, time; f = open(sys.argv[1]); print(flush=True); time.sleep(60)"
    path = str(tree / ".hidden") if how == "open" else "/dev/null"
    user = subprocess.Popen([sys.executable, "-c", code, path], cwd=str(tree / "log") if how == "cwd" else "/", stdout=subprocess.PIPE)
    try:
        user.stdout.readline()
        (found,) = files.look([str(tree)])
        assert [one["pid"] for one in found["used_by"]] == [user.pid]
        with pytest.raises(TargetError) as error:
            files.remove(str(tree), found["identity"], True)
        assert error.value.code == "file_in_use"
        assert (tree / ".hidden").read_text() == "secret of .hidden"
    finally:
        user.kill()
        user.wait()
        user.stdout.close()


def test_find(tree, tmp_path):
    copy = tmp_path / "var" / "old copy"
    for name in files.SIGNS:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("x")
    half = tmp_path / "var" / "IIJ_ID_Service_Directory_Sync" / "bin"  # the name alone says nothing
    half.mkdir(parents=True)
    (half / "normal_mode.sh").write_text("x")
    (tmp_path / "var" / "link").symlink_to(tree)
    assert files.find([str(tmp_path), str(tmp_path / "none"), str(tmp_path / "var" / "link")]) == {
        "copies": sorted([str(copy), str(tree)]),
        "not_looked_at": [str(tmp_path / "var" / "link")],
    }
    assert files.find([str(copy)])["copies"] == [str(copy)]


def test_another_file_system_is_looked_into_where_it_is_named(tree, tmp_path, monkeypatch):
    lstat = os.lstat

    def other(path, **more):
        found = lstat(path, **more)
        return os.stat_result((*found[:2], found.st_dev + 1, *found[3:])) if str(path).startswith(str(tree)) else found

    monkeypatch.setattr(os, "lstat", other)
    assert files.find([str(tmp_path)]) == {"copies": [], "not_looked_at": [str(tree)]}
    assert files.find([str(tmp_path), str(tree)]) == {"copies": [str(tree)], "not_looked_at": []}


def test_a_folder_that_goes_meanwhile_hides_no_other(tree, tmp_path, monkeypatch):
    lstat, gone = os.lstat, str(tmp_path / "zzz")
    os.mkdir(gone)

    def going(path, **more):
        if str(path) == gone:
            raise FileNotFoundError
        return lstat(path, **more)

    monkeypatch.setattr(os, "lstat", going)
    assert files.find([str(tmp_path)]) == {"copies": [str(tree)], "not_looked_at": []}


def test_where_the_file_system_overwrites():
    """Of the machine that tests: whatever it is, its type is told."""
    (found,) = files.look([str(Path(__file__))])
    assert found["file_system"] != "unknown"
    assert found["in_place"] is (found["file_system"] in files.IN_PLACE)
