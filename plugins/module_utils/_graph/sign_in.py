# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens from the sign-in service, by azure-identity."""

from __future__ import annotations

import re
import time
from typing import Any

from .._core.errors import OffboardError
from . import sdk
from .connection import Connection
from .errors import ANSWER_TIMEOUT, CONNECT_TIMEOUT, UNKNOWN_HOST, GraphError, SignInFailed, causes, transport_error

_TOKEN_MARGIN = 300  # seconds of life that a token must have left to be used


class TokenSource:
    """A credential that is asked for a token once per token's life, whatever the number of requests."""

    def __init__(self, connection: Connection, authority: str, scope: str) -> None:
        self._connection, self._authority, self._scope = connection, authority, scope
        self._inner: Any = None
        self._token: Any = None

    def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> Any:
        """As azure-identity's credentials; `claims` (continuous access evaluation) always asks anew."""
        if self._connection.kind == "token":
            return sdk.AccessToken(self._connection.access_token or "", 2**40)
        if claims or self._token is None or self._token.expires_on - time.time() < _TOKEN_MARGIN:
            if self._inner is None:
                self._inner = _credential(self._connection, self._authority)
            options = {"claims": claims} if claims else {}
            try:
                self._token = self._inner.get_token(*(scopes or (self._scope,)), **options)
            except (sdk.AzureError, ValueError) as exc:  # ValueError: MSAL, when the tenant's address gives no configuration
                raise _sign_in_error(exc, self._connection, self._authority) from exc
        return self._token

    def renew(self) -> bool:
        """Forget the token, which Graph no longer takes. False when there is no way to get another one."""
        if self._connection.kind == "token":
            return False
        self._inner = self._token = None
        return True


def _credential(connection: Connection, authority: str) -> Any:
    """azure-identity's credential. Raises OffboardError `bad_option` for what is missing."""
    common: dict[str, Any] = {
        "authority": authority,
        # With an authority of one's own there is nothing at Microsoft to ask about it.
        "disable_instance_discovery": connection.authority is not None,
        "retry_total": 2,
        "connection_timeout": CONNECT_TIMEOUT,
        "read_timeout": ANSWER_TIMEOUT,
    }
    if connection.ca_file:
        common["connection_verify"] = connection.ca_file
    kind = connection.kind
    if kind in ("secret", "certificate") and not connection.client_id:
        raise OffboardError(f"client_id is missing; credential {kind!r} needs it", code="bad_option")
    client_id = connection.client_id or ""
    match kind:
        case "secret":
            if not connection.client_secret:
                raise OffboardError("client_secret is missing; credential 'secret' needs it", code="bad_option")
            return sdk.ClientSecretCredential(connection.tenant_id, client_id, connection.client_secret, **common)
        case "certificate":
            if not connection.client_certificate_path:
                raise OffboardError("client_certificate_path is missing; credential 'certificate' needs it", code="bad_option")
            password = {"password": connection.client_certificate_password} if connection.client_certificate_password else {}
            try:
                return sdk.CertificateCredential(connection.tenant_id, client_id, connection.client_certificate_path, **password, **common)
            except (OSError, ValueError) as exc:
                raise OffboardError(
                    f"cannot use the certificate {connection.client_certificate_path}: {exc}. It must hold certificate and private key (PEM or PKCS#12), "
                    "and client_certificate_password must fit.",
                    code="bad_certificate",
                ) from exc
        case "managed_identity":
            return sdk.ManagedIdentityCredential(client_id=connection.client_id) if connection.client_id else sdk.ManagedIdentityCredential()
        case "workload_identity":
            try:
                return sdk.WorkloadIdentityCredential(tenant_id=connection.tenant_id, client_id=connection.client_id, **common)
            except ValueError as exc:
                raise OffboardError(f"workload identity: {exc}", code="bad_option") from exc
        case _:
            return sdk.AzureCliCredential(tenant_id=connection.tenant_id)


#: Code of the sign-in service: (our code, what to do). https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_SIGN_IN = {
    "7000215": ("secret_wrong", "The client secret is wrong. Give the secret's value, not its id."),
    "7000222": ("secret_expired", "The client secret has expired. Make a new one for the app registration."),
    "90002": ("tenant_unknown", "The tenant does not exist. Check tenant_id and cloud."),
    "900023": ("tenant_unknown", "tenant_id is neither a tenant's id nor one of its verified domains."),
    "700016": ("client_unknown", "The tenant knows no application with this client_id."),
    "7000112": ("client_disabled", "The application's service principal is switched off."),
    "700027": ("certificate_wrong", "The certificate is not registered for the application."),
    "53003": ("sign_in_blocked", "A Conditional Access policy blocks the application."),
}


def _sign_in_error(exc: Exception, connection: Connection, authority: str) -> GraphError:
    """A failed sign-in in words. Only the code of Microsoft's text is used; the text may quote what was sent."""
    text = " ".join(str(cause) for cause in causes(exc))
    who = f"Sign-in of application {connection.client_id or '(none)'} to tenant {connection.tenant_id} at {authority} failed"
    # azure-identity wraps some of them into its own "Authentication failed"
    if (
        "CERTIFICATE_VERIFY_FAILED" in text
        or UNKNOWN_HOST.search(text)
        or any(isinstance(c, (sdk.ServiceRequestError, sdk.ServiceResponseError)) for c in causes(exc))
    ):
        return transport_error(exc, authority, "POST", "/oauth2/v2.0/token", connection.ca_file)
    found = re.search(r"AADSTS(\d+)", text)
    if found and found[1] in _SIGN_IN:
        code, advice = _SIGN_IN[found[1]]
        return SignInFailed(f"{who} (AADSTS{found[1]}). {advice}", code=code, status=getattr(exc, "status_code", 0) or 0)
    if found:
        return SignInFailed(f"{who} (AADSTS{found[1]}); see https://login.microsoftonline.com/error?code={found[1]}.", code="sign_in_failed")
    if isinstance(exc, ValueError):
        return SignInFailed(
            f"{who}. The tenant does not exist, or the address is not a sign-in service. Check tenant_id, cloud and authority.", code="tenant_unknown"
        )
    if isinstance(exc, sdk.CredentialUnavailableError):
        return SignInFailed(f"{who}: credential {connection.kind!r} is not available here: {exc.message}", code="credential_unavailable")
    if isinstance(exc, sdk.ClientAuthenticationError):
        return SignInFailed(f"{who}: {str(exc).splitlines()[0]}", code="sign_in_failed")
    return SignInFailed(f"{who}: {type(exc).__name__}.", code="sign_in_failed")
