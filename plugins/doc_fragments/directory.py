# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of DIRECTORY and KNOWN in plugins/module_utils/_directory/{arguments,known}.py."""

from __future__ import annotations


class ModuleDocFragment:
    """How to reach Active Directory; what names meant when the snapshot was taken."""

    DOCUMENTATION = r"""
options:
  host:
    description: A domain controller's DNS name (its certificate must carry it, see O(valid_names)) or address.
    type: str
    required: true
  port:
    description: LDAP port. The default is 636 for O(tls=ldaps) and 389 for O(tls=starttls).
    type: int
  tls:
    description: How the connection is protected. There is no way to send a password in clear.
    type: str
    default: ldaps
    choices: [ldaps, starttls]
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
    description: The account to bind with, as userPrincipalName, distinguished name or C(DOMAIN\\user).
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

    KNOWN = r"""
options:
  known_file:
    description: The file of the snapshot that holds such objects (C(snapshot/directory.yml) in the run folder). They count like those of O(known).
      Where it is not there, or no password is given, there are none in it.
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
"""
