# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`./dev demo`: the whole exit from IIJ ID against the lab."""

from __future__ import annotations

from .say import Failure


def main() -> int:
    """Returns the exit code."""
    raise Failure("the demo needs playbooks/decommission.yml")
