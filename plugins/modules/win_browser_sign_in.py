#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_browser_sign_in
short_description: Take hosts out of the lists by which browsers of a Windows machine sign in by themselves
version_added: 1.0.0
description:
  - Integrated Windows authentication needs IIJ ID's hosts in lists of the browsers and in Windows' zones. This takes them out on one machine, for the
    machine itself and for all users whose registry is loaded, those of Entra-joined machines (C(S-1-12-1-…)) too.
  - It works on C(AuthServerAllowlist) and C(AuthNegotiateDelegateAllowlist) of Edge, Chrome and other Chromium browsers (also under their older names), on
    the numbered lists of Firefox's policies (C(Authentication\SPNEGO), C(Delegated), C(NTLM)), on the site-to-zone list of policies (C(ZoneMapKey)), and on
    the sites in C(ZoneMap\Domains) and C(ZoneMap\EscDomains), in whichever zone they are.
  - One element of a list goes, and the rest stays byte for byte. A value is deleted only when nothing is left of it, a site's key only when it is empty, a
    site-to-zone list with its switch C(ListBox_Support_ZoneMapKey). Firefox's lists are numbered from 1 anew.
  - Entries that mean more than the hosts (C(*iij.jp), C(*)) and zones with automatic logon are reported and never changed.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.windows
options:
  hosts:
    description:
      - Host names, such as C(auth.iij.jp). The names below each are meant, too, with or without a scheme, a port, or C(*) before them.
      - Required for O(state=absent).
    type: list
    elements: str
  state:
    description:
      - V(absent) takes the hosts out.
      - V(present) puts back what this module has taken out of the machine, by the copies in O(backup_dir). A setting that somebody has changed since stays
        and is listed in C(skipped_objects) with the code V(setting_changed).
    type: str
    required: true
    choices: [absent, present]
  backup_dir:
    description:
      - A folder on the controller. Each setting is saved there before it is changed (JSON, mode 0600), named after O(host). V(present) finds a machine's copies
        by the same O(host) only.
    type: path
    required: true
  policies:
    description:
      - RV(offboard.iij_id.group_policy_info#module:policies), read with the same O(hosts). With it the task warns of each value by the name of the policy
        that brings it back, preference items of the machine's and the users' zones too. A machine itself does not tell which policy sets what.
      - Policies and sides of policies that are switched off, and policies that are linked nowhere, set nothing.
    type: list
    elements: dict
    default: []
notes:
  - What stands below C(SOFTWARE\Policies) and comes from a group policy is set again at the next refresh, within two hours. The task warns of these values.
    Take the hosts out of the policy first, with M(offboard.iij_id.group_policy_registry).
  - No registry of a user is ever loaded. Users who have a profile on the machine and are not signed in are named in RV(users_not_signed_in). Run the module
    again when they are, or let a preference item of a group policy delete their values.
  - Firefox's own preferences (C(prefs.js), C(user.js), C(policies.json)), browsers of other systems and Intune are not looked at.
  - Edge, Chrome and Firefox read their lists when they start.
  - The registry is written by C(reg.exe). A value that it does not print exactly (line breaks), or of another type than C(REG_SZ) and C(REG_EXPAND_SZ), is
    left and listed in C(skipped_objects) with the code V(value_not_exact).
seealso:
  - module: offboard.iij_id.win_browser_sign_in_info
  - module: offboard.iij_id.group_policy_registry
  - module: offboard.iij_id.group_policy_info
"""

EXAMPLES = r"""
- name: Browsers offer no sign-in to IIJ ID any more
  offboard.iij_id.win_browser_sign_in:
    hosts: [auth.iij.jp]
    state: absent
    backup_dir: /srv/offboard-run/backups/browsers

- name: Which policies set what?
  offboard.iij_id.group_policy_info:
    host: dc1.ad.reiji.example
    username: offboard@ad.reiji.example
    password: "{{ vault_directory_password }}"
    hosts: [auth.iij.jp]
  register: group_policies

- name: The same, and say which policy brings back which value
  offboard.iij_id.win_browser_sign_in:
    hosts: [auth.iij.jp]
    state: absent
    policies: "{{ group_policies.policies }}"
    backup_dir: /srv/offboard-run/backups/browsers
  check_mode: true

- name: Back to how it was
  offboard.iij_id.win_browser_sign_in:
    state: present
    backup_dir: /srv/offboard-run/backups/browsers
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    kind: {description: V(windows_browser_sign_in)., type: str, returned: always}
    id: {description: The machine and the setting's path in the registry., type: str, returned: always}
    name: {description: The path., type: str, returned: always}
    action: {description: V(remove) or V(restore)., type: str, returned: always}
    before: {description: 'Type and data of each value that changes, by its path; null where there is none.', type: dict, returned: always}
    after: {description: The same as they will be., type: dict, returned: always}
    risk: {description: V(low)., type: str, returned: always}
    undo: {description: How to go back., type: str, returned: always}
broader:
  description: Entries that mean more than the hosts and stay. Empty for O(state=present).
  returned: always
  type: list
  elements: dict
  contains:
    path: {description: The setting., type: str, returned: always}
    entry: {description: The entry., type: str, returned: always}
automatic_logon:
  description: Zones in which every site gets the name and password of the signed-in user without asking (C(1A00) is 0).
  returned: always
  type: list
  elements: dict
  contains:
    path: {description: The value., type: str, returned: always}
    zone: {description: 'V(1) is the intranet, V(2) the trusted sites.', type: int, returned: always}
users:
  description: Users whose registry is loaded, C(sid) and C(name) of the profile's folder.
  returned: always
  type: list
  elements: dict
users_not_signed_in:
  description: Users with a profile on the machine whose registry is not loaded. Nothing is known of their settings.
  returned: always
  type: list
  elements: dict
saved:
  description: The copies that this task has made, by the changes' ids.
  returned: always
  type: dict
failure:
  description:
    - C(code) is V(bad_option) for what is no host, V(guard_refused) (rule V(max_changes)), V(registry_unreadable), V(registry_refused), V(changed_since_read)
      when a setting is no longer what was read or its user has signed out, V(backup_unreadable), V(file_read_failed), V(file_write_failed),
      V(run_folder_unsafe), V(not_seen), or one of the connection, see M(offboard.iij_id.win_software).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.browser_sign_in.resource import make

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run
from ..module_utils._windows.client import WINRM_IMPORT_ERROR


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            WINDOWS,
            hosts={"type": "list", "elements": "str"},
            state={"type": "str", "required": True, "choices": ["absent", "present"]},
            backup_dir={"type": "path", "required": True},
            policies={"type": "list", "elements": "dict", "default": []},
        ),
        required_if=[("state", "absent", ["hosts"])],
        supports_check_mode=True,
    )
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    run(module, make)


if __name__ == "__main__":
    main()
