# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module on the controller with connection options from the host's variables; meta/runtime.yml says for which modules."""

from __future__ import annotations

from ansible_collections.offboard.iij_id.plugins.plugin_utils.controller_action import ControllerAction


class ActionModule(ControllerAction):
    from_host_variables = True
