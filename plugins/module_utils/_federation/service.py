# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a partner's identity provider has to know of Microsoft Entra: where answers go, and for whom they are.

https://learn.microsoft.com/entra/external-id/direct-federation names the values for the global cloud and for external tenants, and says that
they must match the cloud. For other clouds they follow from the sign-in address of the cloud, which is listed on
https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud, as are the portals.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from .._core.errors import OffboardError

WORKFORCE, EXTERNAL = "workforce", "external"
LOGIN_URL = "https://login.microsoftonline.com/login.srf"
GLOBAL_AUDIENCE = "urn:federation:MicrosoftOnline"


@dataclass(frozen=True)
class Cloud:
    """One Microsoft cloud. links: addresses that carry a tenant's ID. documented: whether Microsoft names the values for this cloud itself.

    metadata: of Entra as a service provider, None where none is published. global_audience: the one of before 2022, the same for all tenants.
    """

    login_url: str
    links: tuple[str, ...]
    metadata: str | None = None
    global_audience: str = GLOBAL_AUDIENCE
    documented: bool = False


_US_GOVERNMENT = Cloud("https://login.microsoftonline.us/login.srf", ("https://portal.azure.us/{tenant_id}",))
#: by the names of the option `cloud`
CLOUDS = {
    "global": Cloud(
        LOGIN_URL,
        ("https://myapps.microsoft.com/?tenantid={tenant_id}", "https://portal.azure.com/{tenant_id}"),
        # of https://learn.microsoft.com/entra/external-id/direct-federation-adfs
        metadata="https://nexus.microsoftonline-p.com/federationmetadata/saml20/federationmetadata.xml",
        documented=True,
    ),
    "us_gov_l4": _US_GOVERNMENT,
    "us_gov_l5": _US_GOVERNMENT,
    "china": Cloud(
        "https://login.partner.microsoftonline.cn/login.srf",
        ("https://portal.azure.cn/{tenant_id}",),
        # of https://learn.microsoft.com/entra/identity/hybrid/connect/how-to-connect-fed-saml-idp
        metadata="https://nexus.partner.microsoftonline-p.cn/federationmetadata/saml20/federationmetadata.xml",
        global_audience="urn:federation:partner.microsoftonline.cn",
    ),
}


@dataclass(frozen=True)
class Service:
    """Microsoft Entra as the identity providers of one tenant's partners see it.

    login_url: SAML's assertion consumer service and WS-Federation's passive requestor endpoint. audience: the tenant's own, which is also the
    issuer of Entra's SAML requests; with its slash at the end.
    """

    tenant_id: str
    login_url: str
    audience: str
    global_audience: str
    metadata: str | None
    links: tuple[str, ...]
    documented: bool


def service(tenant_id: str, cloud: str = "global", *, tenant_type: str = WORKFORCE, login_url: str | None = None) -> Service:
    """Entra for the partners of a tenant. login_url: where a cloud's differs from what is known here.

    Raises OffboardError `tenant_id_invalid` (the audience holds the ID, so no domain will do) and `bad_option`.
    """
    tenant = tenant_guid(tenant_id)
    found = CLOUDS[cloud]
    external = tenant_type == EXTERNAL
    if external and cloud != "global":
        raise OffboardError("tenant_type external is known in the global cloud only; give the address by login_url.", code="bad_option")
    address = login_url or (f"https://{tenant}.ciamlogin.com/login.srf" if external else found.login_url)
    if urlsplit(address).scheme != "https" or not urlsplit(address).hostname:
        raise OffboardError(f"login_url {address!r} is no https address such as {LOGIN_URL}.", code="bad_option")
    return Service(
        tenant_id=tenant,
        login_url=address,
        audience=audience(tenant, address),
        global_audience=found.global_audience,
        metadata=None if external or login_url else found.metadata,
        links=tuple(link.format(tenant_id=tenant) for link in found.links),
        documented=found.documented and not login_url,
    )


def tenant_guid(tenant_id: str) -> str:
    """A tenant's ID in its usual form. Raises OffboardError `tenant_id_invalid`."""
    if not tenant_id.strip():
        msg = "No tenant ID is given. Set tenant_id (AZURE_TENANT_ID; in the role guest_federation: guest_federation_tenant_id)."
        raise OffboardError(msg, code="tenant_id_invalid")
    try:
        return str(uuid.UUID(tenant_id.strip()))
    except ValueError as exc:
        raise OffboardError(
            f"tenant_id {tenant_id!r} is no tenant ID such as 6b1c4a2e-0d5f-4c3b-9a7e-8f2d1c0b9a87. A domain will not do here: the audience holds the ID.",
            code="tenant_id_invalid",
        ) from exc


def audience(tenant_id: str, login_url: str = LOGIN_URL) -> str:
    """The tenant's own audience, which federations made since 2022 demand. That of an external tenant is not at its own sign-in address."""
    address = urlsplit(LOGIN_URL if re.search(r"\.ciamlogin\.com$", urlsplit(login_url).hostname or "") else login_url)
    return f"{address.scheme}://{address.netloc}{address.path.rpartition('/')[0]}/{tenant_id}/"


def audiences(profile: str, tenant_id: str | None, login_url: str = LOGIN_URL) -> list[str]:
    """The audiences that a federation takes. current: the tenant's own; 2020: the global one of before 2022; any: both.

    Raises OffboardError tenant_id_missing when the profile needs the tenant and it is not given, and tenant_id_invalid.
    """
    known = {cloud.login_url: cloud.global_audience for cloud in CLOUDS.values()}
    found = [known.get(login_url, GLOBAL_AUDIENCE)] if profile in ("2020", "any") else []
    if profile in ("current", "any"):
        if not tenant_id:
            raise OffboardError(f"tenant_id is needed for the audience profile {profile}: the audience holds it.", code="tenant_id_missing")
        found.append(audience(tenant_guid(tenant_id), login_url))
    return found
