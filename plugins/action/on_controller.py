# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module on the controller and shows its progress; meta/runtime.yml says which modules.

Those of Windows take their connection options from the host's variables, those of Linux are lent Ansible's own connection to it.
"""

from __future__ import annotations

import contextlib
from typing import Any

from ansible_collections.offboard.iij_id.plugins.plugin_utils import target
from ansible_collections.offboard.iij_id.plugins.plugin_utils.controller_action import ControllerAction


class ActionModule(ControllerAction):
    @property
    def _world(self) -> str:
        """What the names of its modules begin with."""
        return str(self._task.action).rpartition(".")[2].partition("_")[0]

    @property
    def from_host_variables(self) -> bool:
        return self._world == "win"

    def _lent(self, task_vars: dict[str, Any]) -> contextlib.AbstractContextManager[dict[str, Any]]:
        return target.lent(self, task_vars) if self._world == "linux" else super()._lent(task_vars)
