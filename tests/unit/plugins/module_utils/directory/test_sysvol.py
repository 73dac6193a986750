# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows serves and the lab's Samba does not: reparse points."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import sysvol as module
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.connection import Connection
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import info
from dev.options import given

FILE, FOLDER, REPARSE_POINT = 0x20, 0x10, 0x400
POLICY = r"sysvol\ad.reiji.example\Policies\{1}"


def entry(name, attributes, is_symlink=False):
    return SimpleNamespace(
        name=name,
        is_symlink=lambda: is_symlink,
        is_dir=lambda: not is_symlink and bool(attributes & FOLDER),
        smb_info=SimpleNamespace(file_attributes=attributes),
    )


@pytest.fixture
def share(monkeypatch):
    """A SYSVOL that serves these folders."""
    folders = {}
    monkeypatch.setattr(module, "smbclient", SimpleNamespace(scandir=lambda path, **_unused: folders.get(path.partition("{1}")[2], ())))
    opened = module.Sysvol(Connection.from_params(given("group_policy_info", host="dc1")))
    opened._opened = True
    return folders, opened


def test_links_and_junctions_are_told_and_not_followed(share):
    folders, opened = share
    folders[""] = [entry("Machine", FOLDER), entry("User", FOLDER | REPARSE_POINT), entry("GPT.INI", FILE)]
    # a file that Windows keeps elsewhere (deduplication) is one all the same
    folders["\\Machine"] = [entry("again", FOLDER | REPARSE_POINT, is_symlink=True), entry("x.pol", REPARSE_POINT, is_symlink=True), entry("y", REPARSE_POINT)]
    assert opened.listing(POLICY) == module.Listing([r"GPT.INI", r"Machine\y"], [r"Machine\again", r"Machine\x.pol", "User"])


@pytest.mark.parametrize(
    "folders",
    [
        {"": (entry(str(number), FILE) for number in iter(int, 1))},  # without end
        {
            "": [entry(str(number), FOLDER) for number in range(100)],
            **{f"\\{number}": [entry(str(one), FOLDER) for one in range(100)] for number in range(100)},
        },
        {"\\a" * depth: [entry("a", FOLDER)] for depth in range(22)},
    ],
    ids=["files", "folders", "deep"],
)
def test_more_than_a_policy_has(share, folders):
    share[0].update(folders)
    with pytest.raises(OffboardError) as refused:
        share[1].listing(POLICY)
    assert refused.value.code == "too_large"


@pytest.mark.parametrize(
    ("status", "code"), [(0xC0000022, "insufficient_rights"), (0xC0000906, "insufficient_rights"), (0xC0000054, "file_in_use"), (0xC0000056, "not_found")]
)
def test_what_only_one_file_refuses_hides_no_other(share, monkeypatch, status, code):
    """A script that a virus scanner holds back, one that is being deleted: it is told, and the others are looked into."""
    folders, opened = share
    folders[""] = [entry("bad.cmd", FILE), entry("good.cmd", FILE)]

    def opens(path, **_unused):
        if path.endswith("bad.cmd"):
            raise module.SMBOSError(status, path)
        return io.BytesIO(b"start https://www1.auth.iij.jp")

    monkeypatch.setattr(module.smbclient, "open_file", opens, raising=False)
    told = info._scripts(opened, POLICY, ["auth.iij.jp"], [])
    assert [(item["file"], item["code"]) for item in told["unreadable"]] == [("bad.cmd", code)]
    assert [item["file"] for item in told["mentions"]] == ["good.cmd"]
