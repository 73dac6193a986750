# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federation with partners' identity providers for guests (samlOrWsFedExternalDomainFederation).

Sources: learn.microsoft.com/graph/api/samlorwsfedexternaldomainfederation-list, -get, -post, -update, -delete, -list-domains,
-post-domains; learn.microsoft.com/entra/external-id/direct-federation for the rules.

Published of the refusals is one text, that of a sign-in address that does not match the domain (its status and code are not). The
others follow rules that are published without a text, and give a text of the lab's own; no client may depend on it. Removing a single
domain has no page either: the path follows from OData's convention for a contained collection. Where it is unknown what the service
does, the tenant does what is harder on a client: the base path shows no `domains`, and a federation with several domains cannot be deleted.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from ..answers import Answer, GraphError, bad_request, not_found
from ..operation import NO_CONTENT, Call, operation
from ..store import Object
from .domains import is_federated

KIND = "samlOrWsFedExternalDomainFederation"
TABLE = "external_federations"
LIMIT = 1000

_BASE = "/directory/federationConfigurations"
_CASTS = (f"graph.{KIND}", f"microsoft.graph.{KIND}")
_CAST_LISTS = tuple(f"{_BASE}/{cast}" for cast in _CASTS)
_CAST_ITEMS = tuple(f"{_BASE}/{cast}/{{id}}" for cast in _CASTS)
_DOMAIN_LISTS = (*(f"{item}/domains" for item in _CAST_ITEMS), *(f"{_BASE}/{{id}}/{cast}/domains" for cast in _CASTS))

_READ = "IdentityProvider.Read.All IdentityProvider.ReadWrite.All"
_WRITE = "IdentityProvider.ReadWrite.All"
#: documented as required are these and metadataExchangeUri, which the admin centre leaves optional
_REQUIRED = ("displayName", "issuerUri", "passiveSignInUri", "preferredAuthenticationProtocol", "signingCertificate")
_CHANGEABLE = (*_REQUIRED, "metadataExchangeUri")


def holder(call: Call, domain: str) -> Object | None:
    """The federation that a domain belongs to, whatever reads show."""
    return next((item for item in call.table(TABLE).objects.values() if any(one["id"] == domain for one in item["domains"])), None)


def _typed(item: Object) -> Object:
    """As the base path shows it."""
    return {"@odata.type": f"#microsoft.graph.{KIND}"} | {name: value for name, value in item.items() if name != "domains"}


# -- what Entra refuses


def _check_values(call: Call, values: Object, own: str) -> None:
    if (protocol := values.get("preferredAuthenticationProtocol")) not in ("saml", "wsFed"):
        bad_request(f"lab: preferredAuthenticationProtocol {protocol!r} is neither saml nor wsFed.", "BadRequest")
    if urlsplit(values["passiveSignInUri"]).scheme != "https":
        bad_request("lab: passiveSignInUri must be https.", "BadRequest")
    check_certificate(values["signingCertificate"])
    issuers = {item["issuerUri"] for item in call.table(TABLE).objects.values() if item["id"] != own}
    issuers |= {item["issuerUri"] for item in call.table("federations").objects.values() if is_federated(call.store, item["_domain"])}
    if values["issuerUri"] in issuers:
        # the code is the one that is reported for internal federations
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", "lab: another federation has the same issuerUri.")


def check_certificate(text: str) -> None:
    try:
        if text != "".join(text.split()):
            raise ValueError("white space")
        x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as error:
        bad_request(f"lab: signingCertificate is not a certificate: {error}.", "BadRequest")


def _check_domain(call: Call, domain: str, passive: str) -> None:
    """Whether the tenant may federate with `domain`, sign-in at `passive`."""
    own = call.table("domains").objects.get(domain)
    if own is not None and own["isVerified"]:
        bad_request(f"lab: {domain} is verified in this tenant.", "BadRequest")
    _check_address(call, domain, passive)


def _check_address(call: Call, domain: str, passive: str) -> None:
    host = urlsplit(passive).hostname or ""
    if host == domain or host.endswith(f".{domain}"):
        return
    if any(text.lower() == f"DirectFedAuthUrl={passive}".lower() for text in call.graph.outside.txt_at(domain)):
        return
    bad_request(
        f"Invalid domain {domain}. Domain should match the passiveSignInUri. Otherwise, please add the passiveSignInUri in the domain DNS TXT record "
        f"like this DirectFedAuthUrl={passive}",
        "BadRequest",
    )


def _check_free(call: Call, domain: str) -> None:
    if holder(call, domain) is not None:
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", f"lab: {domain} belongs to another federation.")


def _check_limit(call: Call) -> None:
    internal = sum(1 for item in call.table("domains").objects.values() if not item["_parent"] and is_federated(call.store, item["id"]))
    if len(call.table(TABLE).objects) + internal >= LIMIT:
        bad_request(f"lab: the limit of {LIMIT} federations is reached.", "BadRequest")


def _domain_name(entry: Any) -> str:
    name = str(entry.get("id", "")).lower()
    if "." not in name:
        bad_request(f"lab: {name!r} is not a domain.", "BadRequest")
    return name


# -- the federations


@operation("GET", *_CAST_LISTS, permissions=f"Domain.Read.All Domain.ReadWrite.All {_READ}")
def list_federations(call: Call) -> Answer:
    return call.page(KIND, call.table(TABLE))


@operation("GET", _BASE, permissions=_READ)
def list_base(call: Call) -> Answer:
    return call.page("identityProviderBase", [_typed(item) for item in call.table(TABLE)])


@operation("GET", *_CAST_ITEMS, permissions=_READ)
def get(call: Call) -> Answer:
    return call.one(KIND, call.get(TABLE, call.params["id"]))


@operation("GET", f"{_BASE}/{{id}}", permissions=_READ)
def get_base(call: Call) -> Answer:
    return call.one("identityProviderBase", _typed(call.get(TABLE, call.params["id"])))


@operation("POST", *_CAST_LISTS, permissions=_WRITE, body=KIND)
def create(call: Call) -> Answer:
    return _create(call)


@operation("POST", _BASE, permissions=_WRITE, body="identityProviderBase")
def create_base(call: Call) -> Answer:
    return _create(call)


def _create(call: Call) -> Answer:
    body = call.body
    if missing := [name for name in _REQUIRED if not body.get(name)]:
        bad_request(f"lab: {', '.join(missing)} is missing.", "BadRequest")
    names = [_domain_name(entry) for entry in body.get("domains", ())]
    if not names:
        bad_request("lab: a federation has at least one domain.", "BadRequest")
    for name in names:
        _check_domain(call, name, body["passiveSignInUri"])
        _check_free(call, name)
    _check_values(call, body, own="")
    _check_limit(call)
    values = {"id": str(uuid.uuid4()), **{name: body.get(name) for name in _CHANGEABLE}, "domains": [{"id": name} for name in dict.fromkeys(names)]}
    created = call.store.put(TABLE, values["id"], values)
    call.audit("Create external federation", "Other", created)
    # The documented answer carries no more than this.
    return call.one(KIND, {"id": created["id"], "displayName": created["displayName"]}, 201)


@operation("PATCH", *_CAST_ITEMS, permissions=_WRITE, body=KIND)
def update(call: Call) -> Answer:
    return call.one(KIND, _update(call))


@operation("PATCH", f"{_BASE}/{{id}}", permissions=_WRITE, body="identityProviderBase")
def update_base(call: Call) -> Answer:
    return call.one("identityProviderBase", _typed(_update(call)))


def _update(call: Call) -> Object:
    found = call.current(TABLE, call.params["id"])
    if wrong := set(call.body) - set(_CHANGEABLE):
        bad_request(f"lab: {', '.join(sorted(wrong))} cannot be changed here.", "BadRequest")
    new = found | call.body
    if missing := [name for name in _REQUIRED if not new.get(name)]:
        bad_request(f"lab: {', '.join(missing)} is missing.", "BadRequest")
    _check_values(call, new, own=found["id"])
    for entry in found["domains"]:
        _check_address(call, entry["id"], new["passiveSignInUri"])
    changed = call.store.put(TABLE, found["id"], dict(call.body))
    call.audit("Update external federation", "Other", changed)
    return changed


@operation("DELETE", *_CAST_ITEMS, f"{_BASE}/{{id}}", permissions="Domain.ReadWrite.All IdentityProvider.ReadWrite.All")
def delete(call: Call) -> Answer:
    found = call.current(TABLE, call.params["id"])
    if len(found["domains"]) > 1:
        # the admin centre: "first delete all domains except one"
        bad_request("lab: a federation with several domains cannot be deleted.", "BadRequest")
    call.store.remove(TABLE, found["id"])
    call.audit("Delete external federation", "Other", found)
    return NO_CONTENT


# -- their domains


@operation("GET", *_DOMAIN_LISTS, permissions=_READ)
def list_domains(call: Call) -> Answer:
    return call.page("externalDomainName", call.get(TABLE, call.params["id"])["domains"])


@operation("POST", *_DOMAIN_LISTS, permissions=_WRITE, body="externalDomainName")
def add_domain(call: Call) -> Answer:
    found = call.current(TABLE, call.params["id"])
    name = _domain_name(call.body)
    _check_domain(call, name, found["passiveSignInUri"])
    _check_free(call, name)
    call.store.put(TABLE, found["id"], {"domains": [*found["domains"], {"id": name}]})
    call.audit("Update external federation", "Other", found)
    return call.one("externalDomainName", {"@odata.type": "#microsoft.graph.externalDomainName", "id": name}, 201)


@operation("DELETE", *(f"{item}/{{domain}}" for item in _DOMAIN_LISTS), permissions=_WRITE)
def remove_domain(call: Call) -> Answer:
    found = call.current(TABLE, call.params["id"])
    left = [entry for entry in found["domains"] if entry["id"] != call.params["domain"].lower()]
    if len(left) == len(found["domains"]):
        not_found(call.params["domain"])
    if not left:
        bad_request("lab: the last domain of a federation cannot be removed.", "BadRequest")
    call.store.put(TABLE, found["id"], {"domains": left})
    call.audit("Update external federation", "Other", found)
    return NO_CONTENT
