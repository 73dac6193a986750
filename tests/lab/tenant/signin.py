# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sign-in service: client credentials with a secret or a certificate, as login.microsoftonline.com answers.

Error codes: learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509

from .. import company
from .answers import GraphError
from .operation import Caller
from .outside import SYNCED, UNMANAGED, Outside
from .store import Object, Store

_GRAPH = "https://graph.microsoft.com"


@dataclass
class SignInError(Exception):
    """What the token endpoint refuses with."""

    status: int
    error: str
    code: int
    description: str

    def body(self) -> dict[str, Any]:
        stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self.description} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}",
            "error_codes": [self.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }


def openid_configuration(base: str, tenant: str) -> dict[str, Any]:
    """The metadata that MSAL reads before it asks for a token. Raises SignInError for a tenant that does not exist."""
    _check_tenant(tenant)
    return {
        "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/devicecode",
        "issuer": f"{base}/{company.tenant_id()}/v2.0",
        "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
        "response_types_supported": ["code", "token"],
        "subject_types_supported": ["pairwise"],
        "tenant_region_scope": "AS",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": base.removeprefix("https://"),
    }


def instance_discovery(base: str) -> dict[str, Any]:
    """What MSAL asks the well-known authority about an authority that it does not know."""
    host = base.removeprefix("https://")
    return {
        "tenant_discovery_endpoint": f"{base}/{company.tenant_id()}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }


def user_realm(store: Store, outside: Outside, login: str) -> dict[str, Any]:
    """Whose the domain of a login is, as the sign-in page asks. Microsoft's guides to data subject requests in Power Platform
    name the address, and tell an unmanaged tenant by `IsViral`."""
    domain = login.rpartition("@")[2].lower()
    own = store.tables["domains"].visible(domain)
    answer: dict[str, Any] = {"Login": login, "DomainName": domain, "NameSpaceType": "Unknown"}
    if own is not None and own["isVerified"]:
        answer["NameSpaceType"] = own["authenticationType"]
    elif realm := outside.realm(domain):
        answer |= {"NameSpaceType": "Federated" if realm == SYNCED else "Managed"} | ({"IsViral": True} if realm == UNMANAGED else {})
    return answer


def _check_tenant(tenant: str) -> None:
    if tenant.lower() not in (company.tenant_id(), company.data()["tenant"]["default_domain"]):
        raise SignInError(
            400,
            "invalid_tenant",
            90002,
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
        )


class SignIn:
    """Issues and reads access tokens; the signing key lies in the tenant's folder, so tokens outlive a restart."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        file = folder / "token.key"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(32))
        self._key = file.read_text()
        self._callers: dict[str, tuple[float, Caller]] = {}

    def token(self, tenant: str, form: Mapping[str, str], base: str, lifetime: float) -> dict[str, Any]:
        """Answer the client credentials grant. Raises SignInError."""
        _check_tenant(tenant)
        if form.get("grant_type") != "client_credentials":
            raise SignInError(400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{form.get('grant_type')}'.")
        resource = form.get("scope", "").removesuffix("/.default")
        if resource.rstrip("/") not in (base, _GRAPH) or not form.get("scope", "").endswith("/.default"):
            raise SignInError(
                400, "invalid_scope", 1002012, f"The provided value for scope {form.get('scope')} is not valid. Client credential flows must "
                "have a scope value with /.default suffixed to the resource identifier (application ID URI).",
            )  # fmt: skip
        application, principal = self._application(form.get("client_id", "").lower())
        if "client_assertion" in form:
            self._check_assertion(application, form["client_assertion"], f"{base}/{tenant}/oauth2/v2.0/token")
        else:
            self._check_secret(application, form.get("client_secret", ""))
        issued = int(time.time())
        claims = {
            "aud": resource,
            "iss": f"{base}/{company.tenant_id()}/",
            "iat": issued,
            "nbf": issued,
            "exp": time.time() + lifetime,
            "appid": application["appId"],
            "app_displayname": application["displayName"],
            "oid": principal["id"],
            "tid": company.tenant_id(),
            "roles": sorted(self._permissions(principal["id"])),
            "uti": secrets.token_urlsafe(12),
        }
        return {
            "token_type": "Bearer",
            "expires_in": max(1, int(lifetime)),
            "ext_expires_in": max(1, int(lifetime)),
            "access_token": jwt.encode(claims, self._key, "HS256"),
        }

    def _application(self, app_id: str) -> tuple[Object, Object]:
        application = next((item for item in self._store.tables["applications"] if item["appId"] == app_id), None)
        principal = next((item for item in self._store.tables["service_principals"] if item["appId"] == app_id), None)
        if application is None or principal is None:
            raise SignInError(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{app_id}' was not found in the directory '{company.data()['tenant']['display_name']}'. This can "
                "happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.",
            )
        if not principal["accountEnabled"]:
            raise SignInError(400, "unauthorized_client", 7000112, f"Application '{app_id}'({application['displayName']}) is disabled.")
        return application, principal

    def _check_secret(self, application: Object, secret: str) -> None:
        known = application.get("_secrets", {})
        now = datetime.now(UTC)
        for credential in application["passwordCredentials"]:
            key_id = credential["keyId"]
            if known.get(key_id) != company.hash_secret(secret, key_id):
                continue
            if datetime.fromisoformat(credential["endDateTime"]) > now:
                return
            raise SignInError(
                401,
                "invalid_client",
                7000222,
                f"The provided client secret keys for app '{application['appId']}' are expired. Visit the Azure portal to create new keys for "
                "your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
                "https://aka.ms/certCreds.",
            )
        raise SignInError(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret "
            f"ID, for a secret added to app '{application['appId']}'.",
        )

    def _check_assertion(self, application: Object, assertion: str, audience: str) -> None:
        for pem in application.get("_certificates", ()):
            key = x509.load_pem_x509_certificate(pem.encode()).public_key()
            try:
                jwt.decode(assertion, key, algorithms=["RS256", "PS256"], audience=audience)  # type: ignore[arg-type]
            except jwt.InvalidTokenError:
                continue
            return
        raise SignInError(
            401,
            "invalid_client",
            700027,
            "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.].",
        )

    def _permissions(self, principal: str) -> set[str]:
        graph = next(item for item in self._store.tables["service_principals"] if item["appId"] == company.GRAPH_APP_ID)
        names = {role["id"]: role["value"] for role in graph["appRoles"]}
        return {
            names[item["appRoleId"]]
            for item in self._store.tables["app_role_assignments"]
            if item["principalId"] == principal and item["resourceId"] == graph["id"] and item["appRoleId"] in names
        }

    def caller(self, authorization: str | None) -> Caller:
        """Who calls. A token stays good until it expires, even when its application was disabled meanwhile, as in Entra;
        without its service principal it is refused. Raises GraphError 401."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise GraphError(401, "InvalidAuthenticationToken", "Access token is empty.")
        if token not in self._callers:
            try:
                claims = jwt.decode(token, self._key, algorithms=["HS256"], options={"verify_aud": False, "verify_exp": False})
            except jwt.InvalidTokenError:
                raise GraphError(401, "InvalidAuthenticationToken", "CompactToken parsing failed with error code: 80049217") from None
            self._callers[token] = (claims["exp"], Caller(claims["appid"], claims["oid"], frozenset(claims["roles"])))
        expires, caller = self._callers[token]
        if time.time() >= expires:
            raise GraphError(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        if caller.principal_id not in self._store.tables["service_principals"].objects:
            raise GraphError(401, "Authorization_IdentityNotFound", "The identity of the calling application could not be established.")
        return caller
