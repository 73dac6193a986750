# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of ENTRA in plugins/module_utils/_module/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """How to reach Microsoft Graph."""

    DOCUMENTATION = r"""
options:
  tenant_id:
    description: The tenant's id (UUID) or one of its verified domains. Default from E(AZURE_TENANT_ID).
    type: str
    required: true
  client_id:
    description: The client id of the app registration that the modules sign in with. Default from E(AZURE_CLIENT_ID).
    type: str
  client_secret:
    description: Its client secret. Default from E(AZURE_CLIENT_SECRET).
    type: str
  client_certificate_path:
    description: Its certificate with private key (PEM or PKCS#12), instead of a secret. Default from E(AZURE_CLIENT_CERTIFICATE_PATH).
    type: path
  client_certificate_password:
    description: The passphrase of O(client_certificate_path). Default from E(AZURE_CLIENT_CERTIFICATE_PASSWORD).
    type: str
  access_token:
    description: A ready access token for Microsoft Graph, for instance a delegated one. It is not renewed.
    type: str
  credential:
    description:
      - Which credential to use. V(auto) takes the token, the secret or the certificate, whichever is given, in this order.
    type: str
    default: auto
    choices: [auto, secret, certificate, token, managed_identity, workload_identity, azure_cli]
  cloud:
    description: The Microsoft cloud, which decides the addresses of Microsoft Graph and of the sign-in service.
    type: str
    default: global
    choices: [global, us_gov_l4, us_gov_l5, china]
  graph_url:
    description: Another address of Microsoft Graph, without version, for instance V(https://127.0.0.31:8443) in a lab.
    type: str
  authority:
    description: Another address of the sign-in service. Default from E(AZURE_AUTHORITY_HOST).
    type: str
  ca_file:
    description: Certificate authorities to trust (PEM) instead of the system's, for a proxy that inspects TLS or a lab.
    type: path
  verify_timeout:
    description: Seconds to wait until a change can be read back. A change that is not seen by then counts as failed (code V(not_seen)).
    type: int
    default: 300
requirements:
  - msgraph-sdk >= 1.40
  - azure-identity >= 1.19
"""
