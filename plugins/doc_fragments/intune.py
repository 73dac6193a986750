# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of INTUNE in plugins/module_utils/_entra/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Which assignments in Intune are meant."""

    DOCUMENTATION = r"""
options:
  assignments:
    description: The assignments that are meant.
    type: list
    elements: dict
    default: []
    suboptions:
      kind:
        description: What is assigned, as the C(kind) of RV(offboard.iij_id.entra_references_info#module:references).
        type: str
        default: mobile_app
        choices: [mobile_app, mobile_app_configuration, targeted_managed_app_configuration, device_configuration]
      object:
        description: The id of the app or the configuration.
        type: str
        required: true
      target:
        description:
          - To whom it is assigned. V(allDevices), V(allLicensedUsers), the id of a group, C(not) and the id of a group that is excluded, or the id of the
            assignment itself, which alone tells a direct one from that of a policy set to the same target.
        type: str
        required: true
  beta:
    description:
      - Whether Microsoft Graph's beta is asked instead of its v1.0, which shows no filters of assignments, and no profiles for SCEP, PKCS and trusted root
        certificates. Microsoft may change it without notice.
    type: bool
    default: false
"""
