# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of WINDOWS in plugins/module_utils/_module/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """How to reach a Windows machine."""

    DOCUMENTATION = r"""
options:
  host:
    description:
      - The machine's name or address. In a play over Windows hosts this and the other connection options are taken from the host's
        connection variables (C(ansible_host), C(ansible_port), C(ansible_user), C(ansible_password), C(ansible_winrm_scheme),
        C(ansible_winrm_transport), C(ansible_winrm_ca_trust_path), C(ansible_winrm_server_cert_validation)).
    type: str
    required: true
  port:
    description: WinRM port. The default is 5986 for O(scheme=https) and 5985 for O(scheme=http).
    type: int
  scheme:
    description: V(http) is accepted only with a transport that encrypts messages itself (ntlm, kerberos).
    type: str
    default: https
    choices: [http, https]
  transport:
    description: How to sign in. V(kerberos) needs C(pywinrm[kerberos]) on the controller.
    type: str
    default: ntlm
    choices: [basic, ntlm, kerberos]
  username:
    description: The account to sign in with; it must be a local administrator.
    type: str
  password:
    description: Its password.
    type: str
  ca_file:
    description: Certificate authorities to trust (PEM) instead of the system's.
    type: path
  server_cert_validation:
    description: V(ignore) accepts any certificate, and with it any machine that answers.
    type: str
    default: validate
    choices: [validate, ignore]
  timeout:
    description: Seconds to wait for a connection and for each answer.
    type: int
    default: 30
  verify_timeout:
    description: Seconds to wait until a change can be read back. A change that is not seen by then counts as failed (code V(not_seen)).
    type: int
    default: 120
requirements:
  - pywinrm >= 0.5.0
"""
