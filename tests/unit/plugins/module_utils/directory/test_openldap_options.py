# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options about an account of OpenLDAP is told before anything is opened, by whichever module."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_access import options as access
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_entry import options as entry
from dev.options import given

GUID = "<GUID=11111111-1111-4111-8111-111111111111>"
ROOMS = pytest.mark.parametrize(("module", "room"), [("openldap_access", access), ("openldap_entry", entry)])


@ROOMS
@pytest.mark.parametrize("dn", ["svc-sync", ""])
def test_what_is_refused(module: str, room: Any, dn: str) -> None:
    changing, reading = given(module, state="absent", backup_dir="/b", dn=dn), given(f"{module}_info", dn=dn)
    for parse, options in ((room.Options.of, changing), (room.InfoOptions.of, reading)):
        with pytest.raises(OffboardError) as caught:
            parse(options)
        assert caught.value.code == "invalid_dn"


@ROOMS
def test_what_is_made_of_them(module: str, room: Any) -> None:
    made = room.Options.of(given(module, state="absent", backup_dir="/b", dn=" CN=a,DC=x"))
    assert made.account.dn.lower() == "cn=a,dc=x" and made.journal is None and list(made.known.objects) == []
    named = room.InfoOptions.of(given(f"{module}_info", dn=GUID, known_file={"path": "/s/openldap.yml"}))
    assert str(named.account) == GUID and named.known.file == "/s/openldap.yml"
