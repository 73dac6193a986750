# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For all tests of this folder."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._module import waiting


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read again until it is seen is read again at once, in modules that run in this process."""
    monkeypatch.setattr(waiting, "READ_INTERVAL", 0.05)
