# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs manual_steps on the controller, and has at hand what the other tasks need: the libraries of modules, the variables of roles.

Ansible imports an action plugin in the process that all tasks are forked from only if it has the module's own name. Every stage begins with manual_steps,
so that what is imported here is imported once for all its tasks; without it each would import its own again.
"""

from __future__ import annotations

from ansible_collections.offboard.iij_id.plugins.plugin_utils import fork, specs
from ansible_collections.offboard.iij_id.plugins.plugin_utils.controller_action import ControllerAction

fork.at_hand("_offboarding.readiness.judged")
fork.at_hand("_offboarding.steps.resource")
fork.at_hand("_offboarding.status.info")
fork.at_hand("_graph.client", "httpcore")
fork.at_hand("_windows.client")
fork.at_hand("_directory.client")
specs.at_hand()


class ActionModule(ControllerAction):
    pass
