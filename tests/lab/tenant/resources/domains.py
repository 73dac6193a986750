# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains: read, change, promote, what refers to them.

Sources: learn.microsoft.com/graph/api/resources/domain and its operations; learn.microsoft.com/entra/identity/users/domains-manage
and /domains-verify-custom-subdomain for subdomains.
"""

from __future__ import annotations

import re
import time

from ...company import make_id
from ..answers import Answer, bad_request, not_found
from ..operation import NO_CONTENT, Call, operation
from ..store import Object, Store

_READ = "Domain.Read.All Domain.ReadWrite.All"
_CHANGEABLE = {"authenticationType", "isDefault", "supportedServices", "passwordNotificationWindowInDays", "passwordValidityPeriodInDays"}


_FORCE_DELETE = "domains.item.force_delete.force_delete_post_request_body:ForceDeletePostRequestBody"
_MOST_RENAMED = 1000
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


def root_of(store: Store, domain: Object) -> Object:
    """The root domain, whose authentication a subdomain inherits."""
    while domain["_parent"]:
        domain = store.tables["domains"].visible(domain["_parent"]) or domain | {"_parent": None}
    return domain


def is_federated(store: Store, name: str) -> bool:
    """Whether sign-in to the domain goes to an identity provider now. A conversion takes effect after a while."""
    domain = store.tables["domains"].visible(name)
    if domain is None:
        return False
    root = root_of(store, domain)
    return root["authenticationType"] == "Federated" and not time.time() >= (root.get("_managed_at") or float("inf"))


def view(store: Store, domain: Object) -> Object:
    return domain | {"authenticationType": "Federated" if is_federated(store, domain["id"]) else "Managed"}


@operation("GET", "/domains", permissions=f"{_READ} Directory.Read.All")
def list_domains(call: Call) -> Answer:
    return call.page("domain", [view(call.store, item) for item in call.table("domains")])


@operation("GET", "/domains/{domain}", permissions=f"{_READ} Directory.Read.All")
def get_domain(call: Call) -> Answer:
    return call.one("domain", view(call.store, call.get("domains", call.params["domain"].lower())))


@operation("GET", "/domains/{domain}/rootDomain", permissions=f"{_READ} Directory.Read.All")
def get_root(call: Call) -> Answer:
    return call.one("domain", view(call.store, root_of(call.store, call.get("domains", call.params["domain"].lower()))))


@operation("GET", "/domains/{domain}/domainNameReferences", permissions=_READ, units=4)
def references(call: Call) -> Answer:
    users = _users_of(call, call.get("domains", call.params["domain"].lower()))
    return call.page("directoryObject", [{"@odata.type": "#microsoft.graph.user", **item} for item in users])


def _users_of(call: Call, domain: Object) -> list[Object]:
    return [item for item in call.table("users") if item["userPrincipalName"].casefold().endswith("@" + domain["id"])]


@operation("POST", "/domains", permissions="Domain.ReadWrite.All", body="domain")
def create(call: Call) -> Answer:
    if call.body.get("authenticationType") == "Federated":
        bad_request("Creation of federated domain is not allowed.")
    name = str(call.body.get("id", "")).lower()
    # "the fully qualified name of the domain" (learn.microsoft.com/graph/api/domain-post-domains), as DNS has it: others in their `xn--` form
    if len(name) > 253 or not re.fullmatch(rf"(?:{_LABEL}\.)+{_LABEL}", name):
        bad_request(f"Invalid value specified for property 'id' of resource 'Domain': '{name}'.")
    if name in call.table("domains").objects:
        bad_request(f"A domain with the name '{name}' already exists.")
    parent = next((key for key in call.table("domains").objects if name.endswith(f".{key}")), None)
    domain = next(iter(call.table("domains").objects.values())) | {
        "id": name,
        "authenticationType": "Managed",
        "isDefault": False,
        "isInitial": False,
        "isRoot": parent is None,
        # A subdomain of a verified domain is verified at once; another has to show a DNS record first.
        "isVerified": parent is not None,
        "_parent": parent,
    }
    call.store.put("domains", name, domain)
    call.audit("Add unverified domain", "Other", domain)
    return call.one("domain", view(call.store, domain), 201)


@operation("PATCH", "/domains/{domain}", permissions="Domain.ReadWrite.All", body="domain")
def update(call: Call) -> Answer:
    domain = call.current("domains", call.params["domain"].lower())
    if wrong := set(call.body) - _CHANGEABLE:
        bad_request(f"Property '{sorted(wrong)[0]}' is read-only and cannot be set.")
    values = dict(call.body)
    wanted = values.pop("authenticationType", None)
    federated = is_federated(call.store, domain["id"])
    if wanted == "Federated" and not federated:
        bad_request("Changing authenticationType from Managed to Federated is currently not supported.")
    if wanted not in (None, "Managed", "Federated"):
        bad_request("Invalid value specified for property 'authenticationType' of resource 'Domain'.")
    if wanted == "Managed" and federated:
        if domain["_parent"]:
            # No text is published; the rule is: a subdomain inherits from its root and cannot be set on its own.
            bad_request("The authentication type of a subdomain is inherited from its root domain and cannot be changed.")
        values["_managed_at"] = domain.get("_managed_at") or time.time() + call.graph.settings.conversion_delay
    if values.get("isDefault") is False and domain["isDefault"]:
        # No text is published; the rule is: "There's only one default domain per company" (learn.microsoft.com/graph/api/resources/domain)
        bad_request("The default domain of the company can only be replaced by another.")
    if values.get("isDefault"):
        if federated:
            bad_request("Only a managed domain can be the default domain.")
        for other in list(call.table("domains").objects.values()):
            if other["isDefault"]:
                call.store.put("domains", other["id"], {"isDefault": False})
    call.store.put("domains", domain["id"], values)
    call.audit("Set domain authentication" if wanted else "Update domain", "Other", domain)
    return NO_CONTENT


@operation("DELETE", "/domains/{domain}", permissions="Domain.ReadWrite.All")
def delete(call: Call) -> Answer:
    domain = _deletable(call)
    if _users_of(call, domain) or _groups_of(call, domain) or _applications_of(call, domain):
        bad_request("Domain is still referenced by users, groups or applications.")
    _check_subdomains(call, domain)
    _remove(call, domain)
    return NO_CONTENT


def _deletable(call: Call) -> Object:
    """Sources: learn.microsoft.com/graph/api/domain-delete; learn.microsoft.com/entra/identity/users/domains-manage: subdomains go first."""
    domain = call.current("domains", call.params["domain"].lower())
    if domain["isDefault"] or domain["isInitial"]:
        bad_request("The default domain and the initial domain cannot be deleted.")
    return domain


def _check_subdomains(call: Call, domain: Object) -> None:
    if any(item["_parent"] == domain["id"] for item in call.table("domains").objects.values()):
        bad_request("The domain has subdomains. Delete them first.")


def _remove(call: Call, domain: Object) -> None:
    call.store.remove("domains", domain["id"])
    if domain["id"] in call.table("federations").objects:
        call.store.remove("federations", domain["id"])
    call.audit("Delete domain", "Other", domain)


def _is_of(address: str | None, domain: Object) -> bool:
    return (address or "").casefold().endswith(f"@{domain['id']}")


def _groups_of(call: Call, domain: Object) -> list[Object]:
    return [item for item in call.table("groups").objects.values() if _is_of(item["mail"], domain)]


def _applications_of(call: Call, domain: Object) -> list[Object]:
    """Those that are known by an address in the domain (identifierUris)."""
    place = re.compile(rf"\w+://{re.escape(domain['id'])}(?:[:/].*)?", re.IGNORECASE)
    return [item for item in call.table("applications").objects.values() if any(map(place.fullmatch, item["identifierUris"]))]


@operation("POST", "/domains/{domain}/forceDelete", permissions="Domain.ReadWrite.All", body=_FORCE_DELETE)
def force_delete(call: Call) -> Answer:
    """The objects that refer to it are renamed to the initial domain, and then it goes, some time after the answer:
    learn.microsoft.com/graph/api/domain-forcedelete has the rules, no text is published."""
    domain = _deletable(call)
    _check_subdomains(call, domain)
    users, groups, applications = _users_of(call, domain), _groups_of(call, domain), _applications_of(call, domain)
    if len(users) + len(groups) + len(applications) > _MOST_RENAMED:
        bad_request(f"More than {_MOST_RENAMED} objects refer to the domain.")
    if any(item["signInAudience"] != "AzureADMyOrg" for item in applications):
        bad_request("A multitenant application refers to the domain.")
    if "Email" in domain["supportedServices"]:
        bad_request("Exchange still uses the domain.")
    initial = next(item["id"] for item in call.table("domains").objects.values() if item["isInitial"])
    blocked = {"accountEnabled": False} if call.body.get("disableUserAccounts", True) else {}

    def moved(text: str) -> str:
        return re.sub(rf"(?<=@|/){re.escape(domain['id'])}(?=$|[:/])", initial, text, flags=re.IGNORECASE)

    def carry_out() -> None:
        for user in users:
            addresses = {"mail": user["mail"] and moved(user["mail"]), "proxyAddresses": [moved(text) for text in user["proxyAddresses"]]}
            call.store.put("users", user["id"], {"userPrincipalName": _free(call, moved(user["userPrincipalName"])), **addresses, **blocked})
        for group in groups:
            call.store.put("groups", group["id"], {"mail": moved(group["mail"])})
        for application in applications:
            call.store.put("applications", application["id"], {"identifierUris": [moved(text) for text in application["identifierUris"]]})
        _remove(call, domain)

    call.graph.later(call.graph.settings.deletion_delay, carry_out)
    return NO_CONTENT


def _free(call: Call, name: str) -> str:
    """The name, or where another user has it, one with a number."""
    local, _at, place = name.partition("@")
    taken = call.store.upns
    return next(free for free in (name, *(f"{local}{number}@{place}" for number in range(2, len(taken) + 3))) if free.casefold() not in taken)


@operation("POST", "/domains/{domain}/promote", permissions="Domain.ReadWrite.All")
def promote(call: Call) -> Answer:
    domain = call.current("domains", call.params["domain"].lower())
    if not domain["isVerified"]:
        bad_request("Unverified domains can't be promoted. Verify the domain before promotion.")
    if not domain["_parent"]:
        not_found(domain["id"])
    federated = is_federated(call.store, domain["id"])
    if federated and _users_of(call, domain):
        bad_request("Promoting a subdomain with user references isn't allowed. Migrate the users to the current root domain before promotion of the subdomain.")
    # A promoted subdomain loses the federation it inherited.
    call.store.put("domains", domain["id"], {"isRoot": True, "_parent": None, "authenticationType": "Managed"})
    call.audit("Promote subdomain to root", "Other", domain)
    return call.value(True)


@operation("POST", "/domains/{domain}/verify", permissions="Domain.ReadWrite.All")
def verify(call: Call) -> Answer:
    """The records that a domain has to show lie outside of the tenant: a TXT record MS=…"""
    domain = call.current("domains", call.params["domain"].lower())
    if domain["isVerified"]:
        bad_request("Domain is already verified.")
    if _proof(domain["id"]) not in call.graph.outside.txt_at(domain["id"]):
        bad_request("Domain verification failed with the following error: 'Expected DNS record is not found for your domain.'.")
    call.audit("Verify domain", "Other", domain)
    return call.one("domain", view(call.store, call.store.put("domains", domain["id"], {"isVerified": True})))


# -- what the domain's zone has to hold: learn.microsoft.com/graph/api/domain-list-verificationdnsrecords, -list-serviceconfigurationrecords; the values
#    are those of learn.microsoft.com/microsoft-365/enterprise/external-domain-name-system-records


@operation("GET", "/domains/{domain}/verificationDnsRecords", permissions=_READ)
def verification_records(call: Call) -> Answer:
    return call.page("domainDnsRecord", _verification(call))


@operation("GET", "/domains/{domain}/verificationDnsRecords/{record}", permissions=_READ)
def verification_record(call: Call) -> Answer:
    return _record_of(call, _verification(call))


@operation("GET", "/domains/{domain}/serviceConfigurationRecords", permissions=_READ)
def service_records(call: Call) -> Answer:
    return call.page("domainDnsRecord", _services(call))


@operation("GET", "/domains/{domain}/serviceConfigurationRecords/{record}", permissions=_READ)
def service_record(call: Call) -> Answer:
    return _record_of(call, _services(call))


def _record_of(call: Call, records: list[Object]) -> Answer:
    found = {item["id"]: item for item in records}.get(call.params["record"])
    return call.one("domainDnsRecord", found or not_found(call.params["record"]))


def _verification(call: Call) -> list[Object]:
    """Either of the two is enough; what `verify` looks for is the first."""
    name = call.get("domains", call.params["domain"].lower())["id"]
    proof = _proof(name)
    mail = f"{proof.removeprefix('MS=')}.msv1.invalid"
    return [_record("Txt", name, "null", text=proof), _record("Mx", name, "null", mailExchange=mail, preference=32767)]


def _services(call: Call) -> list[Object]:
    """Of the services that the domain is used for. Of one that is not verified none can be told:
    learn.microsoft.com/graph/api/resources/domaindnsunavailablerecord."""
    domain = call.get("domains", call.params["domain"].lower())
    name, services = domain["id"], domain["supportedServices"]
    if not domain["isVerified"]:
        return [_record("Unavailable", name, "null", description="The domain has not been verified.")]
    found: list[Object] = []
    if "Email" in services:
        mail = f"{name.replace('.', '-')}.mail.protection.outlook.com"
        found += [
            _record("Mx", name, "Email", mailExchange=mail, preference=0),
            _record("Txt", name, "Email", text="v=spf1 include:spf.protection.outlook.com -all"),
            _record("CName", f"autodiscover.{name}", "Email", canonicalName="autodiscover.outlook.com"),
        ]
    if "OfficeCommunicationsOnline" in services:
        service, weights = "OfficeCommunicationsOnline", {"priority": 100, "weight": 1}
        found += [
            _record("CName", f"sip.{name}", service, canonicalName="sipdir.online.lync.com"),
            _record("CName", f"lyncdiscover.{name}", service, canonicalName="webdir.online.lync.com"),
            _record("Srv", f"_sip._tls.{name}", service, nameTarget="sipdir.online.lync.com", port=443, protocol="_tls", service="_sip", **weights),
            _record(
                "Srv", f"_sipfederationtls._tcp.{name}", service,
                nameTarget="sipfed.online.lync.com", port=5061, protocol="_tcp", service="_sipfederationtls", **weights,
            ),
        ]  # fmt: skip
    return found


def _record(kind: str, label: str, used_by: str, **values: str | int) -> Object:
    """`kind` is the record's type as Graph writes it: domainDnsCnameRecord has the recordType CName."""
    type_name = kind.capitalize()
    head = {"@odata.type": f"#microsoft.graph.domainDns{type_name}Record", "id": make_id(f"dns{type_name}", f"{used_by}:{label}")}
    return head | {"isOptional": False, "label": label, "recordType": kind, "supportedService": used_by, "ttl": 3600, **values}


def _proof(domain: str) -> str:
    return f"MS=ms{int(make_id('dnsTxt', domain)[:7], 16) % 10**8:08d}"
