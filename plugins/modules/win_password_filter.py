#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_password_filter
short_description: Unregister a password filter of the Local Security Authority
version_added: 0.1.0
description:
  - Password Sync hooks into Windows as a password filter, a DLL that the Local Security Authority (LSA) of a domain controller calls for every new
    password. When
    its uninstaller forgets to take it out of C(Notification Packages), LSA looks for it at every start.
  - Takes exactly one name out of C(Notification Packages) and leaves all others as they are. Never leaves the list empty, never touches Windows' own
    C(scecli) and C(rassfm), and reads the list again afterwards.
  - LSA holds the DLL until the machine is restarted. With O(remove_file=true), run the module again after the restart, and it removes the file.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.windows
options:
  name:
    description: The filter's name as registered, that is, its DLL's name without C(.dll). Use M(offboard.iij_id.win_password_filter_info) to find it.
    type: str
    required: true
  state:
    description: Filters can only be unregistered.
    type: str
    default: absent
    choices: [absent]
  remove_file:
    description:
      - Whether the DLL in C(System32) is removed too, once it is no longer registered. A DLL that is also in Windows' component store (C(WinSxS)) is refused.
      - As long as LSA holds the file this fails with the code V(file_in_use).
    type: bool
    default: false
notes:
  - The vendor does not publish the name of Password Sync's filter.
  - Restart domain controllers one at a time, by hand or with M(offboard.iij_id.win_restart).
seealso:
  - module: offboard.iij_id.win_password_filter_info
  - module: offboard.iij_id.win_software
  - module: offboard.iij_id.win_restart
  - name: Installing and Registering a Password Filter DLL
    description: Microsoft's description of the list.
    link: https://learn.microsoft.com/windows/win32/secmgmt/installing-and-registering-a-password-filter-dll
"""

EXAMPLES = r"""
- name: Unregister a filter that the uninstaller has left
  offboard.iij_id.win_password_filter:
    name: "{{ password_filter_name }}"
  register: unregistered

- name: After the restart, remove its file
  offboard.iij_id.win_password_filter:
    name: "{{ password_filter_name }}"
    remove_file: true
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
notification_packages:
  description: The list, as last read.
  returned: always
  type: list
  elements: str
file:
  description: The filter's DLL.
  returned: always
  type: str
file_exists:
  description: Whether it is there.
  returned: always
  type: bool
reboot_required:
  description: Whether LSA may still hold the filter - it was unregistered by this task, or with O(remove_file) its file is still there.
  returned: always
  type: bool
failure:
  description:
    - C(code) is V(filter_name_invalid), V(not_exact) (the list has the name in another spelling),
      V(guard_refused) (rules V(would_be_empty), V(windows_component)), V(registry_unreadable), V(registry_refused),
      V(changed_since_read) when the list no longer allows the change, V(file_in_use), V(listing_unreadable), V(not_seen), or
      one of the connection, see M(offboard.iij_id.win_software).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.password_filter.resource import make

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run
from ..module_utils._windows.client import WINRM_IMPORT_ERROR


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            WINDOWS,
            name={"type": "str", "required": True},
            state={"type": "str", "default": "absent", "choices": ["absent"]},
            remove_file={"type": "bool", "default": False},
        ),
        supports_check_mode=True,
    )
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    run(module, make)


if __name__ == "__main__":
    main()
