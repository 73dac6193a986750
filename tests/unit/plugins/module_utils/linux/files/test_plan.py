# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which paths may be removed at all."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import plan as cron
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import starters
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.files import plan as files

TREE = "/opt/IIJ_ID_Service_Directory_Sync"


@pytest.mark.parametrize("path", [TREE, f"{TREE}/", "/", "/var/tmp/iij old", "/opt/同期"])
def test_a_plain_path(path):
    assert files.normalised(path) == (path.rstrip("/") or "/")


@pytest.mark.parametrize(
    "path", ["", "opt/x", "//opt/x", "/opt//x", "/opt/../etc", "/opt/./x", "/opt/*", "/opt/x?", "/opt/[ab]", "/opt/$HOME", "~/x", "/opt/a\nb", "/opt/.."]
)
def test_a_path_that_could_mean_another_place(path):
    with pytest.raises(OffboardError) as error:
        files.normalised(path)
    assert error.value.code == "path_invalid"


@pytest.mark.parametrize(
    "root",
    [
        "/",
        "/opt",
        "/opt/",
        "/etc",
        "/etc/ssh",
        "/usr",
        "/usr/bin",
        "/usr/local",
        "/usr/local/bin",
        "/home",
        "/home/reiji",
        "/root",
        "/var",
        "/var/tmp",
        "/var/lib",
        "/var/lib/dpkg",
        "/tmp",
        "/srv",
        "/boot",
        "/bin",
        "/lib64",
        "/run/x",
        "/proc/1",
        "/dev/shm",
    ],
)
def test_a_root_that_must_not_be_emptied(root):
    with pytest.raises(OffboardError) as error:
        files.check_allowed_roots([TREE, root])
    assert error.value.code == "allowed_root_refused"


@pytest.mark.parametrize("root", [TREE, "/opt/iij", "/var/tmp/iij", "/home/reiji/iij", "/root/iij", "/usr/local/share/iij", "/srv/iij", "/var/lib/iij/old"])
def test_a_root_that_may(root):
    assert files.check_allowed_roots([root]) == [root]


@pytest.mark.parametrize(
    ("path", "root", "inside"),
    [(TREE, TREE, True), (f"{TREE}/config", TREE, True), (f"{TREE}2", TREE, False), ("/opt", TREE, False), (TREE.upper(), TREE, False)],
)
def test_within(path, root, inside):
    assert files.within(path, root) is inside


FOUND = {"path": TREE, "exists": True, "link": "", "mount": "", "is_plain": True, "used_by": []}


@pytest.mark.parametrize(
    ("path", "changes", "rules"),
    [
        (TREE, {}, []),
        (TREE, {"exists": False}, []),
        ("/opt/other", {}, ["outside_allowed_roots"]),
        (f"{TREE}2", {"exists": False}, ["outside_allowed_roots"]),
        (TREE, {"link": "/opt"}, ["symbolic_link"]),
        (TREE, {"mount": f"{TREE}/log"}, ["mount_point"]),
        (TREE, {"is_plain": False}, ["special_file"]),
        (TREE, {"used_by": [{"pid": 7, "uses": f"{TREE}/bin/normal_mode.sh"}]}, ["file_in_use"]),
    ],
)
def test_guards(path, changes, rules):
    found = {**FOUND, "path": path, **changes}
    assert [refusal.rule for refusal in files.refusals([path], [TREE], {path: found})] == rules


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (f"{TREE}/bin/normal_mode.sh", True),
        (f"cd {TREE}/bin && ./x.sh", True),
        (f"tar cf /x {TREE}", False),
        (f"{TREE}2/bin/normal_mode.sh", False),
        ("/usr/local/bin/sync", True),
        ("/usr/local/bin/other", False),
        (f"run-parts {TREE}/bin", True),
    ],
)
def test_what_is_still_started(line, refused):
    """By cron as by a timer or at, by way of a link too."""
    content = base64.b64encode(f"@daily {line}\n".encode()).decode()
    jobs = cron.jobs(cron.place_of({"place": "user:x", "kind": "user", "user": "x", "home": "/", "content": content, "mode": None, "link": ""}))
    answer = {"name": "x.timer", "path": "/home/x/x.timer", "service": "x.service", "user": "x", "uid": 7, "home": "/home/x", "folder": ""}
    answer |= {"environment": [], "environment_files": []}
    at = starters.of_at({"number": 1, "path": "/var/spool/at/a0", "user": "x", "home": "/home/x", "script": f"#!/bin/sh\n{line}\n"})
    on, off = (starters.of_unit({**answer, "runs_as": "", "enabled": enabled, "commands": [f"/bin/sh -c '{line}'"]}) for enabled in (True, False))
    real = {"/usr/local/bin/sync": f"{TREE}/bin/normal_mode.sh", "/usr/local/bin/other": "/opt/other/x"}
    for found in (files.still_started([TREE], jobs, [], real), *(files.still_started([TREE], [], [one], real) for one in (on, at))):
        assert [item.rule for item in found] == (["still_started"] if refused else [])
    assert not list(files.still_started([TREE], [], [off], real))
