# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach Active Directory by LDAP, and how a policy is edited; each has its twin in plugins/doc_fragments/."""

from __future__ import annotations

from typing import Any

#: How to reach Active Directory by LDAP.
DIRECTORY: dict[str, Any] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "tls": {"type": "str", "default": "ldaps", "choices": ["ldaps", "starttls"]},
    "ca_file": {"type": "path"},
    "valid_names": {"type": "list", "elements": "str", "default": []},
    "authentication": {"type": "str", "default": "simple", "choices": ["simple", "kerberos"]},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "timeout": {"type": "int", "default": 30},
    "verify_timeout": {"type": "int", "default": 60},
}

#: How to reach OpenLDAP: as Active Directory, or by its local socket as the account that runs this.
OPENLDAP: dict[str, Any] = {
    **DIRECTORY,
    "host": {"type": "str"},
    "tls": {"type": "str", "default": "ldaps", "choices": ["ldaps", "starttls", "ldapi"]},
    "socket": {"type": "path"},
}

#: How a group policy is edited; the twin is plugins/doc_fragments/policy_edit.py.
POLICY_EDIT: dict[str, Any] = {
    "backup_dir": {"type": "path", "required": True},
    "in_use_timeout": {"type": "int", "default": 30},
    "allow": {"type": "list", "elements": "str", "choices": ["other_domain_controller"], "default": []},
}
