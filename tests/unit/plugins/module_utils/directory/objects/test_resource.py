# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's domain controller cannot be made to do; the rest is in tests/integration_lab/test_directory.py."""

from __future__ import annotations

import json

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.dn import key as dn_key
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._core.spool import Spool
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects import resource as resource_module
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects.plan import KIND
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects.resource import DirectoryObjects
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry


class Replica:
    """A domain controller that shows a change only when it is read the `after`th time."""

    def __init__(self, before, now, after):
        self.answers, self.now = [before] * after, now

    def read(self, dn, attributes, guid):
        return self.answers.pop() if self.answers else self.now


def enabled(yes):
    return Entry("CN=a", {"userAccountControl": [b"512" if yes else b"514"]})


CASES = [("delete", enabled(True), None), ("disable", enabled(True), enabled(False)), ("enable", enabled(False), enabled(True))]


@pytest.mark.parametrize(("action", "before", "now"), CASES)
@pytest.mark.parametrize(("after", "timeout", "codes"), [(0, 0, []), (1, 5, []), (1000, 0, ["not_seen"])])
def test_a_change_counts_when_it_is_seen(action, before, now, after, timeout, codes):
    resource = DirectoryObjects(Replica(before, now, after), {"verify_timeout": timeout})
    late = list(resource.verify(Spool([Change(KIND, "CN=a", "a", action, {}, {})])))
    assert [item.code for item in late] == codes


@pytest.mark.parametrize(
    ("action", "entry", "there"),
    [("delete", None, True), ("delete", enabled(True), False), ("disable", enabled(False), True), ("disable", enabled(True), False), ("enable", None, False)],
)
def test_what_a_stopped_run_had_begun(action, entry, there):
    resource = DirectoryObjects(Replica(entry, entry, 0), {"verify_timeout": 0})
    resource._wanted = ["CN=A"]
    mine, others = (Change(KIND, dn, "a", action, {}, {}) for dn in ("CN=a", "CN=b"))
    assert list(resource.carried_out([mine, others])) == [mine] * there
    assert list(resource.carried_out([Change(KIND, "CN=a", "a", "restore", None, {})])) == []  # in many steps; its own plan tells what is missing


def test_whose_a_name_was_is_remembered_in_every_form_and_whatever_else_lies_in_the_journal(tmp_path):
    """A confirmation means the object that had the name then; typed with another escape it would mean whoever has it now."""
    guid = "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11"
    record = {"kind": KIND, "id": r"CN=Sync\, User,DC=e", "action": "disable", "at": "2026-11-27T09:00:00Z", "before": {"objectGUID": guid}}
    nested = b'{"kind":"directory_object","id":' + b"[" * 100_000
    odd = [{**record, "before": []}, {**record, "id": 5}, {**record, "before": {"objectGUID": 5}}, []]
    lines = [nested, b'{"kind":"directory_object"', *(json.dumps(one, separators=(",", ":")).encode() for one in (*odd, record, *odd))]
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"\n".join(lines))
    meant: dict[str, tuple[str, str]] = {}
    resource_module._add_from_journal(meant, str(path))
    assert meant[dn_key(r"cn=sync\2C user, dc=E")][0] == guid and len(meant) == 1
