# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries behind Microsoft Graph. Whoever uses them finds them here, and a missing one is reported once, by `runner.require`."""

from __future__ import annotations

# ruff: noqa: F401
# pylint: disable=unused-import

try:
    import httpx
    from azure.core.credentials import AccessToken
    from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError
    from azure.identity import (
        AzureCliCredential,
        CertificateCredential,
        ClientSecretCredential,
        CredentialUnavailableError,
        ManagedIdentityCredential,
        WorkloadIdentityCredential,
    )
    from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
    from kiota_abstractions.method import Method
    from kiota_abstractions.native_response_handler import NativeResponseHandler
    from kiota_abstractions.request_information import RequestInformation
    from kiota_authentication_azure.azure_identity_access_token_provider import AzureIdentityAccessTokenProvider
    from kiota_http.middleware.options import ResponseHandlerOption

    # The SDK's own adapter without its 16,741 model files: `import msgraph` would read the generated client as well.
    from msgraph_core import BaseGraphRequestAdapter

    SDK_IMPORT_ERROR: ImportError | None = None
except ImportError as exc:
    SDK_IMPORT_ERROR = exc
