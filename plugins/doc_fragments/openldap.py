# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of OPENLDAP and ACCOUNT in plugins/module_utils/_directory/{arguments,known}.py."""

from __future__ import annotations


class ModuleDocFragment:
    """How to reach OpenLDAP; which account is meant."""

    DOCUMENTATION = r"""
options:
  host:
    description: The server's DNS name (its certificate must carry it, see O(valid_names)) or address. Required without O(tls=ldapi).
    type: str
  port:
    description: LDAP port. The default is 636 for O(tls=ldaps) and 389 for O(tls=starttls).
    type: int
  tls:
    description:
      - How the connection is protected. There is no way to send a password in clear.
      - V(ldapi) is the server's own O(socket), where the server knows which account of the system asks (SASL EXTERNAL); no user name or password is sent. The
        module then has to run on the server itself.
    type: str
    default: ldaps
    choices: [ldaps, starttls, ldapi]
  socket:
    description: Path of the server's socket, such as C(/run/slapd/ldapi). Required for O(tls=ldapi).
    type: path
  ca_file:
    description: Certificate authorities to trust (PEM) instead of the system's.
    type: path
  valid_names:
    description: DNS names to accept in the server's certificate besides O(host), for instance when O(host) is an address.
    type: list
    elements: str
    default: []
  authentication:
    description: V(simple) binds with user name and password; V(kerberos) uses the ticket cache of the user that runs Ansible.
    type: str
    default: simple
    choices: [simple, kerberos]
  username:
    description: The account to bind with, as a distinguished name.
    type: str
  password:
    description: Its password.
    type: str
  timeout:
    description: Seconds to wait for a connection and for each answer.
    type: int
    default: 30
  verify_timeout:
    description: Seconds to wait until a change can be read back. A change that is not seen by then counts as failed (code V(not_seen)).
    type: int
    default: 60
requirements:
  - ldap3 >= 2.9.1, < 2.10
"""

    ACCOUNT = r"""
options:
  dn:
    description:
      - The account, confirmed by you, as a distinguished name, or better as C(<GUID=0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11>;cn=iij-dirsync,dc=example), as
        C(confirm_as) of M(offboard.iij_id.openldap_entry_info) has it. What stands behind C(GUID=) is the entry's C(entryUUID). It then decides which
        entry is meant, and another one at the same name is refused (rule V(other_object)). The distinguished name may be left out.
      - A distinguished name alone means the entry that the journal has for it, or else the one in O(known_file). Another one that has its name now is
        refused, and so is a new name of the entry (rule V(moved)).
    type: str
    required: true
  known_file:
    description: The file of the snapshot that says which entry had the name (C(snapshot/openldap.yml) in the run folder). Where it is not there, or no
      password is given, it says nothing.
    type: dict
    suboptions:
      path:
        description: The file on the controller, encrypted with Ansible Vault.
        type: path
        required: true
      vault_password:
        description: Its password, as a value. It wins over O(known_file.vault_password_file).
        type: str
      vault_password_file:
        description: A file on the controller that holds the password alone, or a program that prints it.
        type: path
requirements:
  - cryptography
"""
