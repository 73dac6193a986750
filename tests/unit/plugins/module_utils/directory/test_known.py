# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the confirmed names meant earlier, as a task gives it and as the snapshot holds it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.known import Known, remembered

GIVEN = {"dn": "CN=a", "objectGUID": "1"}


def of_file(path, password="Pw"):
    return Known.of({"known": [GIVEN], "known_file": {"path": str(path), "vault_password": password, "vault_password_file": None}})


def saved(path, text):
    path.write_bytes(vault.encrypt(text.encode(), b"Pw", bytes(32)))
    return path


def test_both_count(tmp_path):
    path = saved(tmp_path / "directory.yml", "objects:\n- dn: CN=日本,DC=x\n  objectGUID: '2'\n  objectSid: S-1-5\n  mail: null\n  memberOf: [x]\n")
    assert remembered(of_file(path)) == [GIVEN, {"dn": "CN=日本,DC=x", "objectGUID": "2", "objectSid": "S-1-5"}]
    assert remembered(Known.of({"known": [GIVEN], "known_file": None})) == [GIVEN] and remembered(Known.of({"known": None, "known_file": None})) == []


def test_without_file_or_password_it_is_what_the_task_gives(tmp_path):
    assert remembered(of_file(tmp_path / "none.yml")) == [GIVEN]
    path = saved(tmp_path / "directory.yml", "objects: []\n")
    assert remembered(of_file(path, None)) == [GIVEN]


@pytest.mark.parametrize("text", ["", "Hush-1", "objects: 1", "objects: [Hush-1]", "[", "other: []", "entries: [Hush-1]", "entries: {a: Hush-1}"])
def test_what_holds_no_objects_is_told_without_quoting_it(tmp_path, text):
    with pytest.raises(OffboardError) as caught:
        remembered(of_file(saved(tmp_path / "directory.yml", text)))
    assert caught.value.code == "not_text" and "Hush" not in caught.value.msg and "directory.yml" in caught.value.msg


def test_another_password_opens_nothing(tmp_path):
    with pytest.raises(OffboardError):
        remembered(of_file(saved(tmp_path / "directory.yml", "objects: []\n"), "other"))


def test_what_a_later_snapshot_has_added_counts_too_and_the_oldest_comes_first(tmp_path):
    path = saved(tmp_path / "directory.yml", "objects: [{dn: CN=a, objectGUID: '2'}]\n")
    saved(tmp_path / "directory-2.yml", "objects: [{dn: CN=a, objectGUID: '3'}, {dn: CN=late, objectGUID: '4'}]\n")
    saved(tmp_path / "directory-4.yml", "objects: [{dn: CN=stray, objectGUID: '5'}]\n")
    assert [item["objectGUID"] for item in remembered(of_file(path))] == ["1", "2", "3", "4"]


def test_openldap_has_entries_by_the_names_that_were_confirmed(tmp_path):
    text = "clauses: {cn=a: []}\nentries:\n  cn=gone: {}\n  CN=a:\n    dn: cn=a\n    entryUUID: u-1\n    attributes: [cn]\n"
    assert remembered(replace(of_file(saved(tmp_path / "openldap.yml", text)), objects=())) == [{}, {"dn": "cn=a", "entryUUID": "u-1"}]
