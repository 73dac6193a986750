#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_software_info
short_description: Installed software of a Windows machine, and why it may belong to IIJ ID
version_added: 0.1.0
description:
  - Lists what is installed for the machine, 64 and 32 bits, and for the accounts that are signed in. Reads the registry; the WMI class C(Win32_Product),
    which repairs every product that it lists, is not used.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.windows
options:
  name_patterns:
    description:
      - Only products whose name matches one of these regular expressions (without case), whose publisher matches O(publisher_patterns), or that lie in
        one of O(folders).
    type: list
    elements: str
    default: []
  publisher_patterns:
    description: Regular expressions for publishers. Without any pattern and folder everything is listed.
    type: list
    elements: str
    default: []
  folders:
    description: Products that were installed into one of these folders, or whose uninstaller lies there, whatever their name.
    type: list
    elements: str
    default: []
  products:
    description: Products as the option O(offboard.iij_id.win_software#module:products) names them, for RV(named).
    type: list
    elements: dict
    default: []
seealso:
  - module: offboard.iij_id.win_software
"""

EXAMPLES = r"""
- name: Which agents of IIJ ID are installed?
  offboard.iij_id.win_software_info:
    name_patterns: ['IIJ.*(Directory|Password) ?Sync']
  register: found

- name: Everything
  offboard.iij_id.win_software_info:
"""

RETURN = r"""
products:
  description: The products.
  returned: success
  type: list
  elements: dict
  contains:
    product_code:
      description: What O(offboard.iij_id.win_software#module:products[].product_code) takes.
      type: str
      returned: always
    key:
      description: Name of the key below C(Uninstall).
      type: str
      returned: always
    scope:
      description: V(machine64), V(machine32), or V(user:SID) for a product of one account.
      type: str
      returned: always
    name:
      description: Name.
      type: str
      returned: always
    publisher:
      description: Publisher; empty when it does not give one.
      type: str
      returned: always
    version:
      description: Version.
      type: str
      returned: always
    installer:
      description: V(msi), V(inno), V(nsis) or V(other).
      type: str
      returned: always
    install_location:
      description: Folder, where the installer wrote it down.
      type: str
      returned: always
    quiet_uninstall:
      description: QuietUninstallString, with what may be a secret in its arguments hidden.
      type: str
      returned: always
    uninstall:
      description: UninstallString, with what may be a secret in its arguments hidden.
      type: str
      returned: always
    why:
      description: The patterns and folders that match.
      type: list
      elements: str
      returned: always
named:
  description: Names of installed products that O(products) mean, or may mean.
  returned: success
  type: list
  elements: str
reboot_pending:
  description: Whether Windows has files to replace or remove at the next start.
  returned: success
  type: bool
failure:
  description: C(code) is V(pattern_invalid), V(path_invalid), V(registry_unreadable) or one of the connection, see M(offboard.iij_id.win_software).
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
    module = AnsibleModule(argument_spec=spec(WINDOWS, **OPTIONS["software"]), supports_check_mode=True)
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    run_info(module, info_of("software"))


if __name__ == "__main__":
    main()
