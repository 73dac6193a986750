# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs entra_external_federation on the controller, and has at hand what it and the tasks after it need, as manual_steps has for the stages.

It is the first task of the role guest_federation that talks to the tenant.
"""

from __future__ import annotations

from ansible_collections.offboard.iij_id.plugins.plugin_utils import fork
from ansible_collections.offboard.iij_id.plugins.plugin_utils.controller_action import ControllerAction

fork.at_hand("_entra.federations.resource")
fork.at_hand("_graph.client", "httpcore")


class ActionModule(ControllerAction):
    pass
