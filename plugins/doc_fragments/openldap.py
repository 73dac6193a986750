# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of OPENLDAP in plugins/module_utils/_module/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """How to reach OpenLDAP."""

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
