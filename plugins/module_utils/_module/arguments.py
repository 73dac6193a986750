# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument fragments; each has its twin in plugins/doc_fragments/. `spec(...)` joins them."""

from __future__ import annotations

import copy
from typing import Any

from ansible.module_utils.basic import env_fallback

#: What a change of the exit demands of the run folder.
REQUIRES: dict[str, Any] = {
    "type": "dict",
    "options": {
        "run_dir": {"type": "path", "required": True},
        "steps": {"type": "list", "elements": "str", "default": []},
        "gate_max_age_hours": {"type": "int"},
        "snapshot": {"type": "bool", "default": False},
        "snapshot_files": {"type": "list", "elements": "str", "default": []},
    },
}

#: What every changing module takes: the guard on the number of changes, and the run's files on the controller.
RUN: dict[str, Any] = {
    "max_changes": {"type": "int", "default": 20},
    "journal": {"type": "path"},
    "run_tenant_id": {"type": "str"},
    "predictions": {"type": "path"},
    "progress_file": {"type": "path"},
    "requires": REQUIRES,
}

#: How to reach Microsoft Graph.
ENTRA: dict[str, Any] = {
    "tenant_id": {"type": "str", "required": True, "fallback": (env_fallback, ["AZURE_TENANT_ID"])},
    "client_id": {"type": "str", "fallback": (env_fallback, ["AZURE_CLIENT_ID"])},
    "client_secret": {"type": "str", "no_log": True, "fallback": (env_fallback, ["AZURE_CLIENT_SECRET"])},
    "client_certificate_path": {"type": "path", "fallback": (env_fallback, ["AZURE_CLIENT_CERTIFICATE_PATH"])},
    "client_certificate_password": {"type": "str", "no_log": True, "fallback": (env_fallback, ["AZURE_CLIENT_CERTIFICATE_PASSWORD"])},
    "access_token": {"type": "str", "no_log": True},
    "credential": {
        "type": "str",
        "default": "auto",
        "choices": ["auto", "secret", "certificate", "token", "managed_identity", "workload_identity", "azure_cli"],
    },
    "cloud": {"type": "str", "default": "global", "choices": ["global", "us_gov_l4", "us_gov_l5", "china"]},
    "graph_url": {"type": "str"},
    "authority": {"type": "str", "fallback": (env_fallback, ["AZURE_AUTHORITY_HOST"])},
    "ca_file": {"type": "path"},
    "verify_timeout": {"type": "int", "default": 300},
}

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

#: How to reach a Windows machine by WinRM. The action plugins fill what is missing from the host's connection variables.
WINDOWS: dict[str, Any] = {
    "host": {"type": "str", "required": True},
    "port": {"type": "int"},
    "scheme": {"type": "str", "default": "https", "choices": ["http", "https"]},
    "transport": {"type": "str", "default": "ntlm", "choices": ["basic", "ntlm", "kerberos"]},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "ca_file": {"type": "path"},
    "server_cert_validation": {"type": "str", "default": "validate", "choices": ["validate", "ignore"]},
    "timeout": {"type": "int", "default": 30},
    "verify_timeout": {"type": "int", "default": 120},
}


def spec(*fragments: dict[str, Any], **options: dict[str, Any]) -> dict[str, Any]:
    """An argument_spec of its own from fragments and further options."""
    joined: dict[str, Any] = {}
    for fragment in (*fragments, options):
        joined.update(copy.deepcopy(fragment))
    return joined
