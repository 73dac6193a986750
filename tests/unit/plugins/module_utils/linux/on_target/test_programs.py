# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target import programs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Below which everybody may read, on a disk."""
    monkeypatch.setattr(programs, "mount_points", lambda: {"/": ("ext4", ""), f"{tmp_path}/far": ("nfs4", ""), f"{tmp_path}/kernel": ("tracefs", "")})
    stands = tmp_path
    while stands != stands.parent:
        if stands.stat().st_uid == os.getuid() and not stands.stat().st_mode & 1:
            stands.chmod(stands.stat().st_mode | 1)
        stands = stands.parent
    return tmp_path


def write(path: Path, text: str, mode: int = 0o644) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    path.chmod(mode)
    return str(path)


def test_what_scripts_name_comes_along_with_what_that_names(folder: Path) -> None:
    last = write(folder / "last.sh", "true\n")
    run = write(folder / "run.sh", f". {last}; {folder}/none.sh; {folder}\n")
    (folder / "link.sh").symlink_to(run)
    found = programs.named_in([f"0 1 * * * {folder}/link.sh\n"])
    assert found["real"] == {f"{folder}/link.sh": run, last: last}
    assert {*found["scripts"]} == {f"{folder}/link.sh", last}
    assert programs.look([run]) == {"real": {run: run, last: last}, "scripts": {run: (folder / "run.sh").read_text(), last: "true\n"}}


def test_what_not_everybody_may_read_does_not_come_along(folder: Path) -> None:
    secret, hidden = write(folder / "secret.yml", "password: Hush\n", 0o640), write(folder / "closed/secret.yml", "password: Hush\n")
    (folder / "closed").chmod(0o750)
    (folder / "link").symlink_to(hidden)
    os.mkfifo(folder / "pipe")
    (folder / "pipe").chmod(0o666)
    assert programs.named_in([f"{secret} {hidden} {folder}/link {folder}/pipe /dev/zero {folder}/closed"]) == {"real": {}, "scripts": {}}
    assert programs.look([secret])["scripts"] == {secret: "password: Hush\n"}  # of what is started it is asked


def test_nothing_is_touched_that_is_not_on_a_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """stat(2) waits for a server that does not answer, and reading trace_pipe takes out what is in it."""
    far, kernel = write(folder / "far/run.sh", "true\n"), write(folder / "kernel/trace_pipe", "x\n")
    (folder / "link").symlink_to(kernel)
    looked_at, look = [], os.stat
    monkeypatch.setattr(os, "stat", lambda path, *more, **options: looked_at.append(path) or look(path, *more, **options))
    assert programs.named_in([f"{far} {kernel} {folder}/link"]) == {"real": {}, "scripts": {}}
    assert not {far, kernel} & {*looked_at}


def test_how_much_comes_along(folder: Path) -> None:
    (folder / "p").mkdir()
    names = [write(folder / f"p/{number}", "x" * 3000) for number in range(600)]
    assert len(programs.named_in(["\n".join(names)])["scripts"]) == 334
    for name in names:
        Path(name).write_text("x")
    found = programs.named_in(["\n".join(names)])
    assert len(found["real"]) == len(found["scripts"]) == 500


def test_a_path_that_no_kernel_takes_costs_nothing(folder: Path) -> None:
    begin = time.process_time()
    assert programs.named_in(["/a" * 500_000]) == {"real": {}, "scripts": {}}
    assert time.process_time() - begin < 2
