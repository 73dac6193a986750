# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the user's surroundings reaches the lab and the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dev import environment
from lab import paths, surroundings
from lab.directory.part import ENVIRONMENT

TESTS = Path(paths.__file__).parents[1]
THEIRS = {
    "ANSIBLE_CONFIG": "/home/somebody/ansible.cfg",
    "ANSIBLE_STDOUT_CALLBACK": "oneline",
    "AZURE_CLIENT_ID": "of another tenant",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "KRB5CCNAME": "FILE:/tmp/krb5cc_0",
    "KRB5_CONFIG": "/home/somebody/krb5.conf",
    "LANG": "ja_JP.UTF-8",
    "LC_ALL": "ja_JP.eucJP",
    "LDAPTLS_REQCERT": "never",
    "NO_PROXY": "*",
    "PYTHONDONTWRITEBYTECODE": "1",  # each process would compile all tests again
    "PYTHONOPTIMIZE": "2",
    "all_proxy": "socks5://proxy.example",
}
OURS = {"PATH": "/usr/bin:/bin", "TERM": "dumb", "PYTHONPATH": str(TESTS), "PIP_CERT": "/etc/ca.pem"}


def test_nothing_of_the_users_that_changes_how_programs_behave() -> None:
    cleaned = surroundings.clean({**THEIRS, **OURS, "HOME": "/home/somebody"})
    assert {name: cleaned[name] for name in OURS} == OURS
    assert {name for name in THEIRS if name in cleaned} == {"LANG", "KRB5CCNAME"}
    assert (cleaned["LANG"], cleaned["KRB5CCNAME"], cleaned["HOME"]) == ("C.UTF-8", "MEMORY:offboard", str(paths.CACHE / "home"))


def test_a_download_goes_the_users_way() -> None:
    theirs = {**THEIRS, **OURS, "HOME": "/home/somebody"}
    once = surroundings.clean(theirs)
    assert surroundings.clean(once) == once
    fetching = surroundings.download(surroundings.clean(once))
    assert {name: fetching[name] for name in theirs} == theirs
    assert not [name for name in fetching if name.startswith("OFFBOARD_DOWNLOAD")]


def test_what_is_set_after_cleaning_does_not_come_back_for_downloads_only() -> None:
    """A stage sets ANSIBLE_COLLECTIONS_PATH for its own; the next cleaning does not take it for the user's."""
    once = surroundings.clean({**OURS, "HOME": "/home/somebody"})
    assert "ANSIBLE_COLLECTIONS_PATH" not in surroundings.download(surroundings.clean(once | {"ANSIBLE_COLLECTIONS_PATH": "/ours"}))


def test_this_run_is_clean() -> None:
    mine = {name: value for name, value in os.environ.items() if name not in ("ANSIBLE_COLLECTIONS_PATH", "PYTEST_CURRENT_TEST")}
    assert {name: value for name, value in surroundings.clean(mine).items() if name in mine} == mine
    assert ENVIRONMENT["KRB5CCNAME"] == environment.variables(Path("/nowhere"))["KRB5CCNAME"] == "MEMORY:offboard"


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_labs_command_line_cleans_up_after_whoever_starts_it(tmp_path: Path, umask: int) -> None:
    """Seen in what it starts: a program that prints its own surroundings stands in for a part."""
    program = (
        "import json, os, subprocess, sys; sys.argv = ['lab', 'status', '--json']\n"
        "import lab.__main__ as lab\n"
        "lab.PARTS = {}\n"
        "lab.main()\n"
        "print(json.dumps([dict(os.environ), os.umask(0)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**THEIRS, **OURS, "HOME": str(tmp_path), "OFFBOARD_LAB": str(tmp_path / "lab"), "OFFBOARD_CACHE": str(tmp_path / "cache")},
        capture_output=True, text=True, check=True, umask=umask,
    )  # fmt: skip
    variables, mask = json.loads(done.stdout.splitlines()[-1])
    assert mask == 0o022
    assert not [name for name in THEIRS if name in variables and variables[name] == THEIRS[name]]
    assert variables["HOME"] == str(tmp_path / "cache" / "home")
