# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_access.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "code"), [
    ({"dn": "svc-sync"}, "invalid_dn"),
    ({"dn": ""}, "invalid_dn"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        Options.of(given("openldap_access", **{"state": "absent", "backup_dir": "/b", **options}))
    assert caught.value.code == code


@pytest.mark.parametrize(("options", "code"), [
    ({"dn": "svc-sync"}, "invalid_dn"),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        InfoOptions.of(given("openldap_access_info", **options))
    assert caught.value.code == code


def test_what_is_made_of_them() -> None:
    made = Options.of(given("openldap_access", state="absent", backup_dir="/b", dn=" CN=a,DC=x"))
    assert made.account.dn.lower() == "cn=a,dc=x" and made.journal is None and list(made.known.objects) == []
    named = InfoOptions.of(given("openldap_access_info", dn="<GUID=11111111-1111-4111-8111-111111111111>", known_file={"path": "/s/openldap.yml"}))
    assert str(named.account) == "<GUID=11111111-1111-4111-8111-111111111111>" and named.known.file == "/s/openldap.yml"
