# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a changing module of this collection is run: as `_module.runner` does, with what the exit demands of its run folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._module import runner
from . import preconditions


def run(module: AnsibleModule, make: Callable[[dict[str, Any]], runner.Resource], *, beside_others: bool = False) -> None:
    """Every main() of a module that changes things calls it; see `_module.runner.run`."""
    runner.run(module, make, preconditions.demand, beside_others=beside_others)
