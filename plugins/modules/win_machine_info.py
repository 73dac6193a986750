#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_machine_info
short_description: What a Windows machine holds of several kinds, read in one session
version_added: 1.0.0
description:
  - Reads what the C(_info) modules of single kinds read, with one task and one WinRM session for each machine instead of one for each kind.
  - Only the kinds that are named are looked at.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.windows
options:
  software:
    description: Installed software, see M(offboard.iij_id.win_software_info).
    type: dict
    suboptions:
      name_patterns:
        description: As there.
        type: list
        elements: str
        default: []
      publisher_patterns:
        description: As there.
        type: list
        elements: str
        default: []
      folders:
        description: As there.
        type: list
        elements: str
        default: []
      products:
        description: As there.
        type: list
        elements: dict
        default: []
  scheduled_tasks:
    description: Scheduled tasks, see M(offboard.iij_id.win_scheduled_task_info).
    type: dict
    suboptions:
      action_paths:
        description: As there.
        type: list
        elements: str
        default: []
      except_names:
        description: As there.
        type: list
        elements: str
        default: []
  files:
    description: Files and folders, see M(offboard.iij_id.win_file_info).
    type: dict
    suboptions:
      paths:
        description: As there.
        type: list
        elements: str
        required: true
      yaml_values:
        description: As there.
        type: dict
        default: {}
  password_filters:
    description: Password filters, see M(offboard.iij_id.win_password_filter_info).
    type: dict
    suboptions:
      folders:
        description: As there.
        type: list
        elements: str
        default:
          - 'C:\Program Files\IIJ ID Service Password Sync\dll'
      names:
        description: As there.
        type: list
        elements: str
        default: []
  browser_sign_in:
    description: Where browsers sign in by themselves, see M(offboard.iij_id.win_browser_sign_in_info).
    type: dict
    suboptions:
      hosts:
        description: As there.
        type: list
        elements: str
        required: true
  certificates:
    description: Client certificates, see M(offboard.iij_id.win_certificate_info).
    type: dict
    suboptions:
      issuers:
        description: As there.
        type: list
        elements: str
        default: []
      thumbprints:
        description: As there.
        type: list
        elements: str
        default: []
      firefox:
        description: As there.
        type: bool
        default: true
seealso:
  - module: offboard.iij_id.win_software_info
  - module: offboard.iij_id.win_scheduled_task_info
  - module: offboard.iij_id.win_file_info
  - module: offboard.iij_id.win_password_filter_info
  - module: offboard.iij_id.win_browser_sign_in_info
  - module: offboard.iij_id.win_certificate_info
"""

EXAMPLES = r"""
- name: What is there of the agents?
  offboard.iij_id.win_machine_info:
    software:
      name_patterns: ['IIJ.*(Directory|Password) ?Sync']
    scheduled_tasks:
      action_paths: ['*\IIJ ID Service *\bin\*.bat']
    password_filters: {}
  register: found

- name: The agents' products
  ansible.builtin.debug:
    msg: "{{ found.software.products | map(attribute='name') }}"
"""

RETURN = r"""
software:
  description: What M(offboard.iij_id.win_software_info) returns.
  returned: when asked for
  type: dict
scheduled_tasks:
  description: What M(offboard.iij_id.win_scheduled_task_info) returns.
  returned: when asked for
  type: dict
files:
  description: What M(offboard.iij_id.win_file_info) returns.
  returned: when asked for
  type: dict
password_filters:
  description: What M(offboard.iij_id.win_password_filter_info) returns.
  returned: when asked for
  type: dict
browser_sign_in:
  description: What M(offboard.iij_id.win_browser_sign_in_info) returns.
  returned: when asked for
  type: dict
certificates:
  description: What M(offboard.iij_id.win_certificate_info) returns.
  returned: when asked for
  type: dict
failure:
  description: C(code) is that of the kind that could not be read, see its module, or of the connection, see M(offboard.iij_id.win_software). The others
    are not returned then.
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.machine import OPTIONS, info

from ..module_utils._core.foreign_yaml import YAML_IMPORT_ERROR
from ..module_utils._module.runner import require, run_info
from ..module_utils._windows.client import WINRM_IMPORT_ERROR


def main() -> None:
    kinds = {kind: {"type": "dict", "no_log": False, "options": options} for kind, options in OPTIONS.items()}
    module = AnsibleModule(argument_spec=spec(WINDOWS, **kinds), supports_check_mode=True)
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    require(module, "PyYAML", YAML_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
