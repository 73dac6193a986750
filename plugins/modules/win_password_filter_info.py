#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_password_filter_info
short_description: Password filters of the Local Security Authority, and why one may be Password Sync's
version_added: 0.1.0
description:
  - Lists C(Notification Packages) of a Windows machine, and says which of them are Windows' own and which have a DLL of the same name in Password
    Sync's folder.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.windows
options:
  folders:
    description: Folders of the product whose DLLs are compared. Run this before the product is uninstalled, as the folder is gone afterwards.
    type: list
    elements: str
    default:
      - 'C:\Program Files\IIJ ID Service Password Sync\dll'
  names:
    description: Filters that are known to be Password Sync's, to tell which of the registered ones they are. Neither case nor blanks around them count.
    type: list
    elements: str
    default: []
seealso:
  - module: offboard.iij_id.win_password_filter
"""

EXAMPLES = r"""
- name: Which password filters are registered?
  offboard.iij_id.win_password_filter_info:
  register: found

- name: Password Sync's
  ansible.builtin.debug:
    msg: "{{ found.filters | selectattr('why') | map(attribute='name') }}"
"""

RETURN = r"""
filters:
  description: The notification packages in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name as registered.
      type: str
      returned: always
    default:
      description: Whether it is Windows' own.
      type: bool
      returned: always
    named:
      description: Whether it is one of O(names).
      type: bool
      returned: always
    file:
      description: Where LSA looks for the DLL.
      type: str
      returned: always
    file_exists:
      description: Whether it is there.
      type: bool
      returned: always
    why:
      description: Why it may be Password Sync's.
      type: list
      elements: str
      returned: always
meant:
  description: Those for which something speaks (C(why)), then those of O(names).
  returned: success
  type: list
  elements: dict
failure:
  description: C(code) is V(path_invalid), V(registry_unreadable), V(listing_unreadable), or one of the connection, see M(offboard.iij_id.win_software).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.machine import OPTIONS, info_of

from ..module_utils._module.runner import require, run_info
from ..module_utils._windows.client import WINRM_IMPORT_ERROR


def main() -> None:
    module = AnsibleModule(argument_spec=spec(WINDOWS, **OPTIONS["password_filters"]), supports_check_mode=True)
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    run_info(module, info_of("password_filters"))


if __name__ == "__main__":
    main()
