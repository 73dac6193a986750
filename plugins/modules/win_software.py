#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_software
short_description: Uninstall software from a Windows machine, silently and without a restart
version_added: 0.1.0
description:
  - Uninstalls products made with Windows Installer (MSI), Inno Setup or NSIS, and others when told how. Runs on the controller, for the host of the
    play, and uses native commands over WinRM; no PowerShell is needed.
  - A product is named by its product code, or by its exact name and publisher. Exactly one product must match; nothing is uninstalled by a pattern.
    One whose name differs in blanks, case, marks such as V(™), letters that look alike or the version only is not taken for absent, nor one of the same
    publisher whose name goes on (an edition, a language, a tool beside it); the task fails and lists it. Where that one shall stay, give the product code
    of the one that is meant.
    Use M(offboard.iij_id.win_software_info) to find them.
  - Waits until the work is done, not until the first process ends, as the uninstallers of Inno Setup and NSIS go on in a copy of themselves.
    What counts is that the product is no longer registered.
  - Never restarts the machine. RV(reboot_required) says that it has to be restarted.
  - A product that cannot be uninstalled does not keep the others from being uninstalled.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.windows
options:
  products:
    description: The products to uninstall. Those that are not installed are counted as unchanged.
    type: list
    elements: dict
    required: true
    suboptions:
      product_code:
        description: The MSI product code, braces included, or for other installers the name of the product's key below C(Uninstall) in the registry.
        type: str
      name:
        description: The exact name, as in "Apps & features". Needs O(products[].publisher).
        type: str
      publisher:
        description: The exact publisher.
        type: str
      uninstall_arguments:
        description:
          - Further arguments for the uninstaller. For a product of another kind of installer they are all the arguments, and have to make it silent
            and keep it from restarting the machine; those that it is registered with are not given then.
        type: list
        elements: str
  state:
    description: Products can only be removed.
    type: str
    default: absent
    choices: [absent]
  timeout_minutes:
    description:
      - How long to wait for one uninstaller, and for other installations that run at the same time. An uninstaller that takes longer counts as failed
        (code V(uninstaller_hangs)); the processes that this task has started are ended.
    type: int
    default: 15
notes:
  - An uninstaller of NSIS does not tell whether it failed; a product that is still registered when nothing works on it any more has failed.
  - A product that is installed for one account only can be uninstalled by that account only. Its entry, which the account itself can write, is listed in
    C(skipped_objects) and warned of, and keeps nothing else from being uninstalled.
  - A patch or a single feature of an MSI product, and a product whose uninstaller another program starts (C(cmd /c), C(rundll32) and the like), are
    refused (V(unknown_installer)) unless O(products[].uninstall_arguments) say how.
  - What the uninstaller is registered with (C(QuietUninstallString)) is given to it again, but for the switches that this module gives itself.
  - The registry of accounts that are not signed in is not looked at.
  - Uninstalling cannot be undone. Files that the product has written itself stay; see M(offboard.iij_id.win_file).
seealso:
  - module: offboard.iij_id.win_software_info
  - module: offboard.iij_id.win_file
  - module: offboard.iij_id.win_password_filter
"""

EXAMPLES = r"""
- name: Uninstall Directory Sync from the machine of the play
  offboard.iij_id.win_software:
    products:
      - name: IIJ ID Service Directory Sync
        publisher: Internet Initiative Japan Inc.
  register: uninstalled

- name: Say where a restart is needed
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }} has to be restarted"
  when: uninstalled.reboot_required

- name: By product code, from a machine that is not in the inventory
  offboard.iij_id.win_software:
    host: sync01.example.com
    username: admin@EXAMPLE.COM
    password: "{{ windows_password }}"
    products:
      - product_code: '{6F5B1C2A-3D4E-4F60-9A7B-1C2D3E4F5A6B}'
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
results:
  description: For each product its C(name), C(product_code), C(scope), C(version) and C(status), V(absent), V(planned), V(uninstalled), V(failed) or
    V(per_user); after an uninstallation also C(exit_code), C(log) (a file on the machine, for MSI and Inno Setup) and C(reboot_required), after a
    failure C(code). C(password_filters_gone) names the password filters that the uninstaller took away; LSA keeps them until the restart.
  returned: always
  type: list
  elements: dict
reboot_required:
  description: Whether an uninstaller of this task asks for a restart, or left files that Windows removes at the next start.
  returned: always
  type: bool
reboot_pending:
  description: Whether Windows has any files to replace or remove at the next start, whoever asked for it.
  returned: always
  type: bool
failure:
  description:
    - C(code) is V(ambiguous_match) (candidates in C(details)), V(not_exact), V(guard_refused) (rules V(unknown_installer), V(max_changes)),
      V(changed_since_read) when the product was registered otherwise between the plan and its uninstallation,
      V(uninstaller_failed), V(uninstaller_hangs), V(installer_busy), V(program_missing), V(registry_unreadable), V(processes_unreadable), V(not_seen),
      V(several) when products failed for different reasons, or one of the connection.
    - Those of the connection are V(wrong_credentials), V(host_unknown), V(connection_refused), V(connection_lost), V(certificate_untrusted),
      V(timeout), V(command_timeout), V(access_denied), V(credentials_missing), V(ca_file_unusable), V(unencrypted_refused), V(shell_gone),
      V(winrm_quota), V(winrm_fault) and
      V(winrm_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.software.resource import make

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run
from ..module_utils._windows.client import WINRM_IMPORT_ERROR

PRODUCT = {
    "type": "list",
    "elements": "dict",
    "required": True,
    "options": {
        "product_code": {"type": "str"},
        "name": {"type": "str"},
        "publisher": {"type": "str"},
        "uninstall_arguments": {"type": "list", "elements": "str"},
    },
    "required_one_of": [("product_code", "name")],
    "mutually_exclusive": [("product_code", "name"), ("product_code", "publisher")],
    "required_together": [("name", "publisher")],
}


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            WINDOWS,
            products=PRODUCT,
            state={"type": "str", "default": "absent", "choices": ["absent"]},
            timeout_minutes={"type": "int", "default": 15},
        ),
        supports_check_mode=True,
    )
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    run(module, make)


if __name__ == "__main__":
    main()
