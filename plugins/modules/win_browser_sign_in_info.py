#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_browser_sign_in_info
short_description: Where browsers of a Windows machine sign in to hosts by themselves
version_added: 1.0.0
description:
  - Lists the entries of browsers and zones that mean given hosts, of the machine and of the users whose registry is loaded, as
    M(offboard.iij_id.win_browser_sign_in) would take them out.
  - Says which users were not looked at, and which entries mean more than the hosts.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.windows
options:
  hosts:
    description: Host names, such as C(auth.iij.jp). The names below each are meant, too.
    type: list
    elements: str
    required: true
seealso:
  - module: offboard.iij_id.win_browser_sign_in
"""

EXAMPLES = r"""
- name: What signs in to IIJ ID by itself here?
  offboard.iij_id.win_browser_sign_in_info:
    hosts: [auth.iij.jp]
  register: found

- name: What a group policy would bring back
  ansible.builtin.debug:
    msg: "{{ found.settings | selectattr('policy') | map(attribute='path') }}"
"""

RETURN = r"""
settings:
  description: The lists and sites that have one of the hosts, or an entry that means it and others.
  returned: success
  type: list
  elements: dict
  contains:
    path: {description: 'The value or key, such as C(HKLM\SOFTWARE\Policies\Microsoft\Edge\AuthServerAllowlist).', type: str, returned: always}
    sort:
      description: V(list) (one value with commas), V(numbered) (Firefox), V(zone_list) (a policy's site-to-zone list), V(zone) (a site in a zone map).
      type: str
      returned: always
    user: {description: 'The user whose it is, by the folder of the profile or else by SID. Empty for what is the machine''s own.', type: str, returned: always}
    entries: {description: Entries that mean nothing but the hosts., type: list, elements: str, returned: always}
    broader: {description: Entries that mean the hosts and others., type: list, elements: str, returned: always}
    others: {description: Number of the other entries., type: int, returned: always}
    policy: {description: Whether it lies below a policy key. What a group policy sets there comes back., type: bool, returned: always}
automatic_logon:
  description: Zones in which every site gets the name and password of the signed-in user without asking (C(1A00) is 0).
  returned: success
  type: list
  elements: dict
  contains:
    path: {description: The value., type: str, returned: always}
    zone: {description: 'V(1) is the intranet, V(2) the trusted sites.', type: int, returned: always}
users:
  description: Users whose registry is loaded, C(sid) and C(name) of the profile's folder.
  returned: success
  type: list
  elements: dict
users_not_signed_in:
  description: Users with a profile on the machine whose registry is not loaded. Nothing is known of their settings.
  returned: success
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(bad_option) for what is no host, V(registry_unreadable), or one of the connection, see M(offboard.iij_id.win_software).
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
    module = AnsibleModule(argument_spec=spec(WINDOWS, **OPTIONS["browser_sign_in"]), supports_check_mode=True)
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    run_info(module, info_of("browser_sign_in"))


if __name__ == "__main__":
    main()
