# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine says of an account."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target import accounts, at, units
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target.errors import TargetError

UID = 61231


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An answer about an account of a machine whose files are in a folder."""
    home = tmp_path / "home/iijsync"
    home.mkdir(parents=True)
    lines = [f"iijsync:x:{UID}:{UID}::{home}:/bin/sh", f"twin:x:{UID}:1::/:/bin/sh", f"inner:x:7:7::{home}/inner:/bin/sh", "+nis::::::", "short:x"]
    (tmp_path / "passwd").write_bytes("\n".join(lines).encode() + b"\n\xff:x:8:8::/:/bin/sh\n")
    (tmp_path / "login.defs").write_text("#SYS_UID_MIN 1\nUID_MIN 1000\nSYS_UID_MIN\t201\n")
    known = {"iijsync": UID, "root": 0, "mail": 150, "svc": 300, "ldapuser": 20000}

    def named(name: str) -> SimpleNamespace:
        return SimpleNamespace(pw_uid=known[name], pw_gid=1, pw_dir=str(home), pw_shell="/bin/sh")

    monkeypatch.setattr(pwd, "getpwnam", named)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name, value in (("PASSWD", "passwd"), ("LOGIN_DEFS", "login.defs")):
        monkeypatch.setattr(accounts, name, str(tmp_path / value))
    monkeypatch.setattr(at, "FOLDERS", (str(tmp_path / "at"),))
    monkeypatch.setattr(units, "FOLDERS", (str(tmp_path / "units"),))
    return lambda name: accounts.look([name])[0]


def test_whose_it_is(look):
    found = look("iijsync")
    assert (found["uid"], found["local"], found["reserved"], found["same_uid"], found["processes"]) == (UID, True, False, ["twin"], [])
    assert found["home_dir"]["others"] == ["inner"] and found["home_dir"]["exists"]
    assert look("nobody-here") == {"name": "nobody-here", "exists": False, "alike": []}
    alike = [look(name)["alike"] for name in ("IIJ-sync", "iijsync ", "iij_sync", "iijsync2")]
    assert [[item["name"] for item in found] for found in alike] == [["iijsync"]] * 3 + [[]]
    assert alike[0][0]["uid"] == look("iijsync")["uid"]
    assert [look(name)["reserved"] for name in ("root", "mail", "svc")] == [True, True, False]
    assert look("ldapuser")["local"] is False


def test_without_login_defs_the_first_hundred_are_the_systems(look, tmp_path):
    (tmp_path / "login.defs").unlink()
    assert [look(name)["reserved"] for name in ("root", "mail")] == [True, False]


def test_accounts_that_cannot_be_read_are_an_error(look, tmp_path):
    (tmp_path / "passwd").unlink()
    with pytest.raises(TargetError) as error:
        look("iijsync")
    assert error.value.code == "account_unreadable"


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("web.service", "[Service]\nUser=iijsync\n", ["web.service"]),
        ("web.service", f"[Service]\n User = {UID} \n", ["web.service"]),
        ("web.service", "[Service]\nUser=iijsync\nUser=\n", []),
        ("web.service", "[Service]\n#User=iijsync\nUser=reiji\n", []),
        ("web.service.d/user.conf", "[Service]\nUser=iijsync\n", ["web.service"]),
        ("web.timer", "[Service]\nUser=iijsync\n", []),
    ],
)
def test_units_that_run_under_it(look, tmp_path, path, content, expected):
    (tmp_path / "units" / path).parent.mkdir(parents=True)
    (tmp_path / "units" / path).write_text(content)
    assert look("iijsync")["units"] == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="a process of another account takes root")
def test_processes_and_jobs_of_at(look, tmp_path):
    (tmp_path / "at").mkdir()
    for name, uid in (("a1", UID), ("a2", UID), ("b1", 1)):
        (tmp_path / "at" / name).write_text("x")
        os.chown(tmp_path / "at" / name, uid, 0)
    os.chown(tmp_path / "home/iijsync", UID, UID)
    with subprocess.Popen(["sleep", "60"], user=UID) as process:
        found = look("iijsync")
        process.kill()
    assert found["processes"] == [{"pid": process.pid, "program": "sleep"}]
    assert (found["at_jobs"], found["home_dir"]["uid"]) == (2, UID)
