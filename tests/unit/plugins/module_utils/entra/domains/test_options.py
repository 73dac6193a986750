# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.domains.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "said"), [
    ({"expected_idp_hosts": []}, "expected_idp_hosts .* names no host"),
    ({"expected_idp_hosts": [" "]}, "names no host"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        Options.of(given("entra_domain", **{"domains": ["a.example"], "authentication": "managed", **options}))
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize(("options", "said"), [
    ({"expected_idp_hosts": [" "]}, "names no host"),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        InfoOptions.of(given("entra_domain_info", **options))
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them() -> None:
    made = Options.of(given("entra_domain", domains=[" Reiji-Group.EXAMPLE. "], authentication="managed"))
    assert (made.domains, made.federation_configurations, made.min_break_glass) == (["reiji-group.example"], {}, 2)
    assert InfoOptions.of(given("entra_domain_info")).domains == frozenset()
    assert InfoOptions.of(given("entra_domain_info", domains=["A.example", "a.example"])).domains == {"a.example"}
