# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "code"), [
    ({"thumbprints": ["12"]}, "thumbprint_invalid"),
    ({"issuers": ["no name"]}, "issuer_invalid"),
    ({"issuers": ["CN=a"], "except_issuers": ["x"]}, "issuer_invalid"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], code: str) -> None:
    with pytest.raises(OffboardError) as caught:
        Options.of(given("win_certificate", **options))
    assert caught.value.code == code


def test_what_is_made_of_them() -> None:
    made = Options.of(given("win_certificate", thumbprints=["aa " * 20]))
    assert list(made.thumbprints) == ["AA" * 20] and made.backup_dir == ""
    assert InfoOptions.of(given("win_certificate_info")).firefox
