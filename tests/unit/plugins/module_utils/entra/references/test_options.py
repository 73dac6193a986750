# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.references.options import InfoOptions
from dev.options import given


@pytest.mark.parametrize(("options", "said"), [
    ({"hosts": []}, "hosts: without a host"),
    ({"hosts": ["auth.iij.jp/saml"]}, "is no host name"),
    ({"kinds": ["toaster"]}, "kinds: toaster is none of"),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        InfoOptions.of(given("entra_references_info", **{"hosts": ["auth.iij.jp"], **options}))
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them() -> None:
    made = InfoOptions.of(given("entra_references_info", hosts=["auth.iij.jp"], domains=["A.example", ""], accepted_references=["", "ABC"]))
    assert made.known.domains == {"a.example"} and made.accepted.references == {"abc"}
