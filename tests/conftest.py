# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every test may rely on: nothing of the user's surroundings, the collection importable from a plain checkout, and no skip without a reason."""

from __future__ import annotations

import os
import sys

import pytest
from dev import places
from lab import surroundings

pytest_plugins = ["lab.testing", "lab.directory.testing", "lab.identity_providers.testing"]  # the fixtures `tenant`, `directory`, `identity_providers`

surroundings.apply()
os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(places.tree())  # for the ansible-playbook that a test starts
sys.path.insert(0, str(places.tree()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """A skip that does not say why is a failure: nobody would notice that something is no longer tested."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped:").strip()
        if reason in ("", "Skipped", "unconditional skip"):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped without a reason. Say why: pytest.skip('…')."
    return report
