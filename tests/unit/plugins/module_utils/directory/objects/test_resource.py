# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's domain controller cannot be made to do; the rest is in tests/integration_lab/test_directory.py."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._core.spool import Spool
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
