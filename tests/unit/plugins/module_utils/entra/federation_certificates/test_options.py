# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.federation_certificates.options import InfoOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "said"), [
    ({"critical_days": 31}, "critical_days must not be more than warning_days"),
    ({"accept_thumbprints": {"a.example": "12"}}, "that of a.example is neither SHA-1"),
    ({"accept_thumbprints": {"a.example": "A" * 40, "A.example": "B" * 40}}, "a.example is there twice"),
    ({"metadata_urls": {"a.example": "https://a", "a.example.": "https://b"}}, "that of a.example is no text, or is there twice"),
    ({"metadata_urls": {"a.example": 5}}, "that of a.example is no text"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        Options.of(given("entra_federation_certificate", **options))
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize(("options", "said"), [
    ({"critical_days": 8, "warning_days": 7}, "critical_days"),
])  # fmt: skip
def test_what_is_asked_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        InfoOptions.of(given("entra_federation_certificate_info", **options))
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them() -> None:
    made = Options.of(
        given(
            "entra_federation_certificate",
            domains=["Fabrikam.EXAMPLE"],
            metadata_urls={"Fabrikam.example": "https://a"},
            trust_metadata_tls=["Fabrikam.example"],
            accept_thumbprints={"FABRIKAM.example": "AA " * 20},
        )
    )
    assert made.watch.domains == ("fabrikam.example",)
    assert made.watch.metadata_urls == {"fabrikam.example": "https://a"}
    assert list(made.trust.thumbprints) == ["fabrikam.example"] and made.trust.tls == {"fabrikam.example"}


def test_what_is_no_domain_is_refused() -> None:
    with pytest.raises(OffboardError) as caught:
        Options.of(given("entra_federation_certificate", domains=["jp"]))
    assert caught.value.code == "domain_invalid"
