#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: directory_object
short_description: Disable, remove or bring back users and groups of Active Directory, after guards
version_added: 0.1.0
description:
  - Works on users and groups that are named by their exact distinguished names, never on a pattern.
    M(offboard.iij_id.directory_object_info) finds candidates.
  - A name may pass to another object. So an object is written under the objectGUID that was read with it, the guards judge it once more right before
    that, and a name may be given together with the objectGUID it was confirmed for.
  - Before an object is removed, its attributes and its memberships are saved as an LDIF file, from which O(state=present) or
    C(ldapmodify -f) brings it back. The file holds no password.
  - Guards look at each object first. If one fires, nothing at all is changed.
attributes:
  idempotent:
    support: full
    description: An object that is as desired is left alone; one that is gone already counts as removed.
notes:
  - An object that is brought back keeps its SID while the directory still holds the deleted object (180 days by default) and the account
    may reanimate it. Otherwise it is made anew, and every permission that was granted to the old SID has to be granted again.
  - Not brought back are passwords, the object's own access control list, a changed primary group, and what names the object by its SID
    outside the directory, for instance a right in a group policy.
  - Removing a group does not remove its members.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.only_disabled
  - offboard.iij_id.directory
  - offboard.iij_id.directory.known
options:
  dn:
    description: The name of one object, as in O(objects).
    type: str
  objects:
    description:
      - The names of several objects, handled in one task.
      - Each is a distinguished name, or better C(<GUID=0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11>;CN=iij-iwa,OU=Services,DC=example), as C(confirm_as) of
        M(offboard.iij_id.directory_object_info) has it. The objectGUID then decides which object is meant, whatever it is called by now, and
        another object at the same name is refused (rule V(other_object)). The distinguished name may be left out.
      - A distinguished name alone means the object that O(journal) has for it, if an earlier task with the same journal has changed it.
        Another one that has its name now is refused, and so is a new name of the object (rule V(moved)).
    type: list
    elements: str
  known:
    description:
      - What the names meant when they were confirmed, as M(offboard.iij_id.directory_object_info) returned it, such as the objects in the snapshot; of
        each C(dn) and C(objectGUID) count. A distinguished name alone in O(objects) that is another object's by now is refused (rule
        V(other_object)), and so is one whose object has another name (rule V(moved)). What O(journal) has is newer.
    type: list
    elements: dict
    default: []
  state:
    description:
      - V(disabled) disables users. A group has no such state; it is left alone and listed in RV(skipped_objects).
      - V(enabled) enables users that exist.
      - V(absent) removes users and groups after saving a copy of each in O(backup_dir).
      - V(present) brings removed objects back from their newest copies in O(backup_dir), with their memberships. A user comes back
        disabled, because no password is saved. An object that exists is left as it is, but for attributes and memberships that its
        copy has and it lacks entirely; they are added. A membership is given back to the object that it was of, by its objectGUID.
    type: str
    required: true
    choices: [absent, disabled, enabled, present]
  backup_dir:
    description:
      - A folder on the controller for the saved copies, one file for each removal (mode 0600). Nothing is removed when it cannot be written.
      - Required with O(state=absent) and O(state=present).
    type: path
  allowed_spns:
    description:
      - Regular expressions. A user all of whose service principal names match one of them (as a whole) may be disabled or removed.
        Any other name means that the account serves something else, and refuses the task.
      - The default matches the names of IIJ ID's integrated Windows authentication.
    type: list
    elements: str
    default: ['(?i)HTTP/([a-z0-9-]+\.)+iij\.jp']
  expected_members:
    description:
      - The members, by distinguished name, that a group to be removed may have. Objects that are removed by the same task are expected, too.
    type: list
    elements: str
    default: []
  recently_used_days:
    description:
      - An account that logged on within so many days is not removed (it may be disabled). V(0) switches the guard off.
      - Domain controllers tell each other the time of the last logon only every 14 days or so (C(lastLogonTimestamp)). A smaller number
        can miss logons on other domain controllers than O(host).
    type: int
    default: 14
  allow:
    description:
      - Guards to switch off, after you have looked at what they name.
      - V(admin_count), the account is or was a member of an administrators' group.
      - V(members), a group to be removed has members besides O(expected_members).
      - V(protected), the object is protected from accidental deletion. The domain controller itself still refuses until an administrator
        takes the protection off.
      - V(referenced), another object still names it (C(managedBy), C(manager), delegation and the like).
      - Nothing allows to change the account that the task binds as, a group that this account has its rights from, or a well-known object
        of the domain; nor to remove an object that others lie below (rule V(has_children)), or a group that is the primary group of an account
        which the task does not remove (rule V(primary_group)). The domain controller would refuse that.
    type: list
    elements: str
    choices: [admin_count, members, protected, referenced]
    default: []
seealso:
  - module: offboard.iij_id.directory_object_info
  - name: Work that is needed when IIJ ID is cancelled (Japanese)
    description: The vendor's list, with the accounts and groups to delete.
    link: https://manual.iij.jp/iid/faq/64947065.html
"""

EXAMPLES = r"""
- name: Disable the accounts that were made for Directory Sync, and wait whether anybody misses them
  offboard.iij_id.directory_object:
    host: dc1.ad.reiji.example
    ca_file: /etc/ssl/certs/reiji-ca.pem
    username: offboard@ad.reiji.example
    password: "{{ vault_directory_password }}"
    objects:
      - CN=iij-dirsync-run,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example
      - CN=iij-dirsync-bind,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example
    state: disabled

- name: Remove them, and their group
  offboard.iij_id.directory_object:
    host: dc1.ad.reiji.example
    ca_file: /etc/ssl/certs/reiji-ca.pem
    username: offboard@ad.reiji.example
    password: "{{ vault_directory_password }}"
    objects:
      - CN=iij-dirsync-run,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example
      - CN=iij-dirsync-bind,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example
      - CN=iij-sync-accounts,OU=Groups,OU=Reiji,DC=ad,DC=reiji,DC=example
    state: absent
    backup_dir: /srv/backups/directory

- name: Bring them back
  offboard.iij_id.directory_object:
    host: dc1.ad.reiji.example
    authentication: kerberos
    objects:
      - CN=iij-dirsync-run,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example
      - CN=iij-dirsync-bind,OU=Services,OU=Reiji,DC=ad,DC=reiji,DC=example
      - CN=iij-sync-accounts,OU=Groups,OU=Reiji,DC=ad,DC=reiji,DC=example
    state: present
    backup_dir: /srv/backups/directory
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    kind: {description: V(directory_object)., type: str, returned: always}
    id: {description: The distinguished name., type: str, returned: always}
    name: {description: The logon name (C(sAMAccountName))., type: str, returned: always}
    action: {description: 'V(disable), V(enable), V(delete), V(restore) or V(complete).', type: str, returned: always}
    before: {description: What will change or go., type: dict, returned: when the object exists}
    after: {description: What it will be., type: dict, returned: when the object will exist}
    risk: {description: 'V(low), V(medium) or V(high).', type: str, returned: always}
    undo: {description: How to go back., type: str, returned: always}
counts:
  description: Number of objects V(planned), V(unchanged), V(skipped), V(done), V(failed).
  returned: always
  type: dict
applied:
  description: The changes that were made and seen. C(details) of a removal holds C(saved_copy), of a restoration C(sid_kept) and C(objectGUID).
  returned: always
  type: list
  elements: dict
failed_objects:
  description: The changes that failed, each with C(code) and C(msg).
  returned: always
  type: list
  elements: dict
skipped_objects:
  description: Objects that were deliberately left alone, each with C(code) and C(msg).
  returned: always
  type: list
  elements: dict
restore:
  description: How to undo each change.
  returned: always
  type: list
  elements: dict
saved_copies:
  description: The LDIF files that this task has written, by distinguished name.
  returned: always
  type: dict
  sample:
    CN=iij-iwa,OU=Services,DC=example: /srv/backups/directory/iij-iwa_0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11_20260401T031500.000000Z.ldif
predicted:
  description: Whether the plan stands on earlier planned changes (O(predictions)).
  returned: always
  type: bool
failure:
  description:
    - C(code) is V(guard_refused) when a guard fired; C(details.refusals) then names each object, rule and option. V(nothing_found) is the rule where the
      directory has nothing of all that is named, and neither the snapshot nor O(journal) tells that it ever had; without a O(journal) nobody asks.
    - Of the connection, V(wrong_credentials), V(account_disabled), V(account_expired), V(password_expired), V(account_locked),
      V(host_unknown), V(unreachable), V(certificate_untrusted), V(ca_file_unusable), V(timeout), V(connection_lost), V(kerberos_failed).
    - V(changed_since_read) when an object was renamed, or a guard fires, between the plan and the write; that object is left alone.
    - V(not_exact) for O(state=absent) and O(state=disabled) when there is nothing at a distinguished name, but a user or a group of that name elsewhere.
    - Of the objects, V(invalid_dn), V(cannot_read), V(unsupported_class), V(insufficient_rights), V(has_children), V(not_found),
      V(bad_option), V(no_saved_copy), V(already_exists), V(links_not_restored), V(file_write_failed), V(not_seen), and V(several) when they differ.
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.arguments import DIRECTORY
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.known import KNOWN
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects import plan as objects
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects.resource import make
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import ONLY_DISABLED, spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            DIRECTORY,
            KNOWN,
            ONLY_DISABLED,
            dn={"type": "str"},
            objects={"type": "list", "elements": "str"},
            state={"type": "str", "required": True, "choices": ["absent", "disabled", "enabled", "present"]},
            backup_dir={"type": "path"},
            allowed_spns={"type": "list", "elements": "str", "default": list(objects.IIJ_SPNS)},
            expected_members={"type": "list", "elements": "str", "default": []},
            recently_used_days={"type": "int", "default": objects.LOGON_TIME_LAG_DAYS},
            allow={"type": "list", "elements": "str", "choices": list(objects.ALLOWABLE), "default": []},
        ),
        mutually_exclusive=[("dn", "objects")],
        required_one_of=[("dn", "objects")],
        required_if=[("state", "absent", ["backup_dir"]), ("state", "present", ["backup_dir"]), ("only_disabled", True, ["journal"])],
        supports_check_mode=True,
    )
    require(module, "ldap3", client.LDAP3_IMPORT_ERROR)
    run(module, lambda params: make(params, module.check_mode))


if __name__ == "__main__":
    main()
