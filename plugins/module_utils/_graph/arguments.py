# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach Microsoft Graph; its twin is the fragment `entra` in plugins/doc_fragments/."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import env_fallback

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
