# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federations.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._module import arguments
from dev.options import given


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        ("timeout", 0, True),
        ("metadata_timeout", 0, True),
        ("dns_timeout", 0, True),
        ("timeout_minutes", 0, True),
        ("gone_minutes", 0, True),
        ("port", 0, True),
        ("port", 65_536, True),
        ("port", 65_535, False),
        ("dns_port", 0, True),
        ("timeout", 1, False),
        ("timeout", 100_001, True),
        ("verify_timeout", 0, False),
        ("in_use_timeout", 0, False),
        ("max_changes", 0, False),
        ("max_changes", -1, True),
    ],
)
def test_a_number_that_cannot_be_meant_is_told(name, value, refused):
    """0 was the default in one place, two seconds in another, and for LDAP no limit at all; an uninstaller was ended as soon as it had begun."""
    with pytest.raises(OffboardError, match=f"{name} is {value}") if refused else contextlib.nullcontext():
        arguments.check_numbers({name: value}, {name: {"type": "int"}})


def test_metadata_are_not_fetched_in_no_time():
    """The changing module has them before its numbers are looked at; 0 was 30."""
    with pytest.raises(OffboardError, match="timeout is 0"):
        Options.of(given("entra_external_federation", domain="fabrikam.com", metadata={"url": "https://idp.fabrikam.com/", "timeout": 0}))
