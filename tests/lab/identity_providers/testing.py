# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pytest fixture with the running identity providers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .. import tls
from .part import IdentityProvidersPart, behave


@pytest.fixture(scope="session")
def _identity_providers() -> Iterator[None]:
    part = IdentityProvidersPart()
    reason = part.why_not()
    if reason:
        pytest.skip(f"the lab's identity providers cannot run here: {reason}")
    ran = part.status()["running"]
    tls.authority()
    part.prepare()
    part.start()
    yield
    behave()
    if not ran:
        part.stop()


@pytest.fixture
def identity_providers(_identity_providers: None) -> None:
    """Running identity providers that behave as they should; `part.behave` changes that."""
    behave()
