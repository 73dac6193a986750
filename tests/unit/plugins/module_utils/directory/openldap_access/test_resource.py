# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the configuration shows to who may not read all of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_access.resource import rules
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry

FRONTEND = Entry("olcDatabase={-1}frontend,cn=config", {"olcDatabase": [b"{-1}frontend"]})
DATA = Entry("olcDatabase={1}mdb,cn=config", {"olcDatabase": [b"{1}mdb"], "olcAccess": [b"{0}to * by * read"]})


def client(*entries):
    return SimpleNamespace(search=lambda query, attributes, base: iter(entries))


def test_a_server_without_rules_is_told_from_one_that_hides_them():
    assert rules(client(FRONTEND), "cn=config") == []
    assert [rule.value for rule in rules(client(FRONTEND, DATA), "cn=config")] == ["{0}to * by * read"]
    for hidden in ([], [Entry(DATA.dn, {})]):
        with pytest.raises(OffboardError) as error:
            rules(client(*hidden), "cn=config")
        assert error.value.code == "cannot_read"
