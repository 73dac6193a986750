# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains' federation with an identity provider (internalDomainFederation).

Sources: learn.microsoft.com/graph/api/domain-list-federationconfiguration, domain-post-federationconfiguration,
internaldomainfederation-update, -delete. That a configuration without certificate leaves the domain federated and unreadable is
reported in microsoft-graph-docs#20203. What a read of a subdomain's configuration answers is not published: 404 here, since
it has none of its own.
"""

from __future__ import annotations

import uuid

from ..answers import Answer, GraphError, bad_request, not_found
from ..operation import NO_CONTENT, Call, operation
from ..store import Object
from .domains import is_federated
from .external_federations import check_certificate

_READ = "Domain-InternalFederation.Read.All Domain-InternalFederation.ReadWrite.All"
_WRITE = "Domain-InternalFederation.ReadWrite.All Domain.ReadWrite.All"
_PROTOCOLS = ("saml", "wsFed")
_PROMPTS = ("translateToFreshPasswordAuthentication", "nativeSupport", "disabled")
_MFA = ("acceptIfMfaDoneByFederatedIdp", "enforceMfaByFederatedIdp", "rejectMfaByFederatedIdp")
_EMPTY: Object = {
    "displayName": None,
    "issuerUri": None,
    "metadataExchangeUri": None,
    "passiveSignInUri": None,
    "preferredAuthenticationProtocol": None,
    "signingCertificate": None,
    "activeSignInUri": None,
    "federatedIdpMfaBehavior": "acceptIfMfaDoneByFederatedIdp",
    "isSignedAuthenticationRequestRequired": False,
    "nextSigningCertificate": None,
    "passwordResetUri": None,
    "promptLoginBehavior": None,
    "signingCertificateUpdateStatus": None,
    "signOutUri": None,
}


def _configuration(call: Call) -> Object:
    domain = call.get("domains", call.params["domain"].lower())
    found = call.find("federations", domain["id"])
    if found is None or found.get("_broken") or not is_federated(call.store, domain["id"]):
        raise GraphError(404, "Request_ResourceNotFound", "Resource 'federationConfiguration' does not exist.")
    if found["id"] != call.params.get("id", found["id"]):
        not_found(call.params["id"])
    return found


def _check(call: Call, domain: str) -> None:
    body = call.body
    for name, allowed in (("preferredAuthenticationProtocol", _PROTOCOLS), ("promptLoginBehavior", _PROMPTS), ("federatedIdpMfaBehavior", _MFA)):
        # null is a value too, and the protocol has none: a saved configuration that is sent back as it was read must leave it out
        if name in body and body[name] not in (allowed if name == "preferredAuthenticationProtocol" else (*allowed, None)):
            bad_request(f"Invalid value specified for property '{name}' of resource 'InternalDomainFederation'.")
    issuer = body.get("issuerUri")
    for other in call.table("federations").objects.values():
        if issuer and other["_domain"] != domain and other["issuerUri"] == issuer and is_federated(call.store, other["_domain"]):
            raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", "Another object with the same value for property issuerUri already exists.")
    for name in ("signingCertificate", "nextSigningCertificate"):
        if body.get(name):
            check_certificate(body[name])


@operation("GET", "/domains/{domain}/federationConfiguration", permissions=_READ)
def list_configurations(call: Call) -> Answer:
    return call.page("internalDomainFederation", [_configuration(call)])


@operation("GET", "/domains/{domain}/federationConfiguration/{id}", permissions=f"{_READ} Domain.Read.All Domain.ReadWrite.All")
def get_configuration(call: Call) -> Answer:
    return call.one("internalDomainFederation", _configuration(call))


@operation("POST", "/domains/{domain}/federationConfiguration", permissions=_WRITE, body="internalDomainFederation")
def create(call: Call) -> Answer:
    domain = call.current("domains", call.params["domain"].lower())
    if domain["_parent"] or domain["isDefault"] or not domain["isVerified"]:
        # No text is published; the rule is: verified root domains other than the default.
        bad_request(f"Domain '{domain['id']}' cannot be federated.")
    if is_federated(call.store, domain["id"]):
        bad_request("A federation configuration already exists for this domain.")
    _check(call, domain["id"])
    broken = not call.body.get("signingCertificate")
    values = _EMPTY | {"_broken": broken} | call.body | {"id": str(uuid.uuid4()), "_domain": domain["id"]}
    created = call.store.put("federations", domain["id"], values)
    call.store.put("domains", domain["id"], {"authenticationType": "Federated", "_managed_at": None})
    call.audit("Set federation settings on domain", "Other", domain)
    if broken:
        raise GraphError(500, "InternalServerError", "An internal server error occurred.")
    return call.one("internalDomainFederation", created, 201)


@operation("PATCH", "/domains/{domain}/federationConfiguration/{id}", permissions=_WRITE, body="internalDomainFederation")
def update(call: Call) -> Answer:
    found = _configuration(call)
    _check(call, found["_domain"])
    changed = call.store.put("federations", found["_domain"], {name: value for name, value in call.body.items() if name != "id"})
    call.audit("Set federation settings on domain", "Other", {"id": found["_domain"]})
    return call.one("internalDomainFederation", changed)


@operation("DELETE", "/domains/{domain}/federationConfiguration/{id}", permissions=_WRITE)
def delete(call: Call) -> Answer:
    found = _configuration(call)
    call.store.remove("federations", found["_domain"])
    call.store.put("domains", found["_domain"], {"authenticationType": "Managed", "_managed_at": None})
    call.audit("Set federation settings on domain", "Other", {"id": found["_domain"]})
    return NO_CONTENT
