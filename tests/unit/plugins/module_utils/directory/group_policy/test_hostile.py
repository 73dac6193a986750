# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SYSVOL with links, and one whose disk is full: what is told, and what is left behind."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import sysvol as sysvol_module
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.connection import Connection
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import edit, info
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.policy import Policy
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.registry.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.registry.resource import GroupPolicyRegistry
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.sysvol import Listing, Sysvol
from dev.options import given

GUID = "{6AC1786C-016F-11D2-945F-00C04FB984F9}"
POLICY = Policy(GUID, "CN=x", "1", "P", 1, "enabled", "sysvol", True)
INI, FILE = r"sysvol\GPT.INI", r"sysvol\GptTmpl.inf"


class Share(Sysvol):
    """In memory. `full`: the call to smbclient that finds no room."""

    def __init__(self, monkeypatch, full=""):
        super().__init__(Connection.from_params(given("group_policy_info", host="dc1")))
        self._opened = True
        self.content = {INI: b"[General]\r\nVersion=1\r\n", FILE: b"old"}
        self.links = []
        self.full = full
        monkeypatch.setattr(sysvol_module, "smbclient", SimpleNamespace(open_file=self.open_file, replace=self.replace, remove=self.remove_file))

    def _no_room(self, call, path):
        if self.full == call:
            raise sysvol_module.SMBOSError(0xC000007F, path)  # STATUS_DISK_FULL

    def _path(self, path):
        return path

    @contextlib.contextmanager
    def open_file(self, path, mode, **_unused):
        def write(data):
            self.content[path] = data[:1]
            self._no_room("write", path)
            self.content[path] = data

        yield SimpleNamespace(write=write)

    def replace(self, path, over, **_unused):
        self._no_room("replace", path)
        self.content[over] = self.content.pop(path)

    def remove_file(self, path, **_unused):
        del self.content[path]

    def listing(self, folder):
        return Listing(sorted(path.removeprefix(folder + "\\") for path in self.content), self.links)

    def read(self, path):
        return self.content[path]

    def descriptor(self, path):
        return b""

    @contextlib.contextmanager
    def locked(self, path):
        yield SimpleNamespace(read=lambda: self.content[path], write=lambda data: self.content.update({path: data}))


class Directory:
    """The directory's half of the policy."""

    version = 1

    def get(self, _guid):
        return Policy(GUID, "CN=x", "1", "P", self.version, "enabled", "sysvol", True)

    def ini_version(self, _policy):
        return 1

    def modify(self, _dn, _guid, changes, _what):
        self.version = int(changes[1][2][0])


@pytest.mark.parametrize("full", ["write", "replace"])
def test_a_full_disk_leaves_the_policy_as_it_was(monkeypatch, full):
    share, directory = Share(monkeypatch, full), Directory()
    before = dict(share.content)
    wanted = edit.Edit(GUID, "GptTmpl.inf", 1, 2, edit.digest(b"old"), edit.digest(b"new"), resumes=False)
    with pytest.raises(OffboardError) as failed:
        edit.Editor(directory, share, directory, 1).carry_out(wanted, b"new")
    assert failed.value.code == "file_write_failed" and failed.value.msg.endswith("on smb://dc1: the disk is full")
    assert share.content == before and directory.version == 1


def test_links_are_told(monkeypatch):
    share = Share(monkeypatch)
    share.links = ["User"]
    del share.content[FILE]
    told, _members = info._look_into(Directory(), share, POLICY, ["auth.iij.jp"], [])
    assert told["unreadable"] == [{"file": "User", "code": "reparse_point", "msg": "User is a link, which is not followed"}]


def test_scripts_are_texts_whatever_their_names(monkeypatch):
    share = Share(monkeypatch)
    share.links = ["shared"]
    share.content = {rf"sysvol\{name}": b"start https://www1.auth.iij.jp" for name in ("GptTmpl.inf", r"sub\logon.cmd")}
    told = info._scripts(share, "sysvol", ["auth.iij.jp"], [])
    assert [(item["kind"], item["file"]) for item in told["mentions"]] == [("script", "GptTmpl.inf"), ("script", r"sub\logon.cmd")]
    assert [(item["file"], item["code"]) for item in told["unreadable"]] == [("shared", "reparse_point")]
    share.listing = None  # nothing to look for, nothing to read
    assert info._scripts(share, "sysvol", [], []) == {"folder": "sysvol", "mentions": [], "unreadable": []}


def test_registry_settings_that_links_may_hide_are_not_edited(monkeypatch):
    share = Share(monkeypatch)
    share.links = [r"User\Registry.pol"]
    asked = Options.of(given("group_policy_registry", policies=[GUID], hosts=["auth.iij.jp"], state="absent", backup_dir="/b"))
    with pytest.raises(OffboardError) as refused:
        list(GroupPolicyRegistry(Directory(), share, asked).describe(POLICY, 1))
    assert refused.value.code == "policy_unreadable" and r"User\Registry.pol" in refused.value.msg


def test_the_copy_names_the_links_that_it_lacks(monkeypatch, tmp_path):
    share = Share(monkeypatch)
    share.links = ["User"]
    directory = Directory()
    directory.read = lambda *_unused, **_named: None
    _folder, left_out = edit.Editor(directory, share, directory, 1).save(GUID, str(tmp_path), edit.datetime(2026, 1, 1))
    assert left_out == ["User"]
