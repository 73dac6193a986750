# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the confirmed names meant earlier, as a task gives it and as the snapshot holds it."""

from __future__ import annotations

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


@pytest.mark.parametrize("text", ["", "Hush-1", "objects: 1", "objects: [Hush-1]", "[", "other: []"])
def test_what_holds_no_objects_is_told_without_quoting_it(tmp_path, text):
    with pytest.raises(OffboardError) as caught:
        remembered(of_file(saved(tmp_path / "directory.yml", text)))
    assert caught.value.code == "not_text" and "Hush" not in caught.value.msg and "directory.yml" in caught.value.msg


def test_another_password_opens_nothing(tmp_path):
    with pytest.raises(OffboardError):
        remembered(of_file(saved(tmp_path / "directory.yml", "objects: []\n"), "other"))
