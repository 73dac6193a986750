# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains of the tenant: managed, or federated to an identity provider."""

from __future__ import annotations

import base64
import binascii
import datetime
import time
import urllib.parse
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .._core.errors import NotSeen, OffboardError
from .._core.model import Change, Object, Outcome, Refusal
from .._module.runner import Plan
from .._module.spool import Spool
from .client import Client
from .connection import Connection
from .errors import AnswerLost, GraphError
from .of_tenant import OfTenant

try:
    from cryptography import x509
except ImportError:  # a requirement of the SDK; its absence is reported by the modules
    x509 = None  # type: ignore[assignment]

KIND = "domain"
#: the action of a change that makes a domain managed
CONVERT = "convert_to_managed"
MANAGED, FEDERATED = "Managed", "Federated"

#: Role template of Global Administrator; https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"

#: What Graph takes when a configuration is created; https://learn.microsoft.com/graph/api/domain-post-federationconfiguration
_WRITABLE = (
    "displayName",
    "issuerUri",
    "metadataExchangeUri",
    "passiveSignInUri",
    "preferredAuthenticationProtocol",
    "signingCertificate",
    "activeSignInUri",
    "federatedIdpMfaBehavior",
    "isSignedAuthenticationRequestRequired",
    "nextSigningCertificate",
    "passwordResetUri",
    "promptLoginBehavior",
    "signOutUri",
)
_REQUIRED = ("issuerUri", "passiveSignInUri", "signingCertificate")
_URIS = ("passiveSignInUri", "activeSignInUri", "signOutUri", "metadataExchangeUri", "issuerUri")

# Replicas may differ for a while: as many reads in a row, so many seconds apart, must agree.
_AGREEING_READS, _READ_INTERVAL = 3, 1.0


# -- pure: whose federation, which domain


def hosts(configuration: Mapping[str, Any]) -> dict[str, str]:
    """The host of each URI of a federation configuration, by property."""
    found = {name: urllib.parse.urlsplit(configuration.get(name) or "").hostname or "" for name in _URIS}
    return {name: host for name, host in found.items() if host}


def host_matches(host: str, expected: Iterable[str]) -> bool:
    """`host` is one of `expected` or lies under one; "*" matches every host."""
    host = host.casefold().rstrip(".")
    return any(name == "*" or host == name.casefold() or host.endswith("." + name.casefold().lstrip(".")) for name in expected)


def identified_by(configuration: Mapping[str, Any] | None, expected: Iterable[str]) -> list[str]:
    """Why the federation counts as the expected identity provider's; empty when it is somebody else's.

    What decides is where people are sent to sign in (passiveSignInUri): an issuer alone is only a name.
    """
    expected = tuple(expected)
    found = hosts(configuration or {})
    if not host_matches(found.get("passiveSignInUri", ""), expected):
        return []
    return [f"{name}: {host}" for name, host in found.items() if host_matches(host, expected)]


def root_of(name: str, roots: Collection[str]) -> str | None:
    """The root domain that `name` belongs to (itself, or the longest that it lies under)."""
    labels = name.casefold().split(".")
    for start in range(len(labels)):
        candidate = ".".join(labels[start:])
        if candidate in roots:
            return candidate
    return None


def upn_domain(upn: str) -> str:
    """What follows the last @, in lower case."""
    return upn.rpartition("@")[2].casefold()


def authentication_of(name: str, domains: Mapping[str, Mapping[str, Any]]) -> str | None:
    """`Managed` or `Federated`: a subdomain follows its root. None for a domain that the tenant does not have.

    `domains` are states by name in lower case, as `read_domains` gives them.
    """
    root = root_of(name, {domain for domain, state in domains.items() if state["isRoot"]})
    return domains[root]["authenticationType"] if root else None


# -- pure: plan and guards


@dataclass(frozen=True)
class Administrator:
    """A user named as break-glass administrator, as the tenant knows it. `state` None: there is no such user."""

    upn: str
    state: Mapping[str, Any] | None
    global_administrator: bool = False


@dataclass
class Context:
    """What the guards look at besides the plan."""

    caller_upn: str = ""
    break_glass: Sequence[Administrator] = field(default_factory=tuple)
    min_break_glass: int = 2


def plan_domains(
    current: Iterable[Object], wanted: Sequence[str], authentication: str, configurations: Mapping[str, Mapping[str, Any]], now: datetime.datetime
) -> tuple[Plan, list[Refusal]]:
    """What to convert, and the domains that must not be.

    Raises OffboardError `not_found` for a domain that the tenant does not have, `bad_configuration` for a saved configuration
    that Graph would half take: without a certificate it answers 500 and leaves a federation behind that cannot be read
    (github.com/microsoftgraph/microsoft-graph-docs issue 20203).
    """
    domains = {item.id: item for item in current}
    missing = [name for name in wanted if name.casefold() not in domains]
    if missing:
        raise OffboardError(f"the tenant has no domain {', '.join(missing)}; it has {', '.join(domains)}", code="not_found", details={"domains": missing})
    plan, refusals = Plan(), []
    saved = {name.casefold(): value for name, value in configurations.items()}
    for name in dict.fromkeys(name.casefold() for name in wanted):
        state = domains[name].state
        is_there = state["federationConfiguration"]
        if authentication == "managed":
            configuration = None
            done = state["authenticationType"] == MANAGED
        else:
            configuration = writable(name, saved.get(name), now, plan.warnings)
            done = state["authenticationType"] == FEDERATED and state["isRoot"] and _same(is_there, configuration)
        if done:
            plan.unchanged += 1
            continue
        if not state["isRoot"]:
            refusals.append(
                Refusal(
                    rule="inherits_from_root",
                    msg=f"{name} is a subdomain: it follows its root domain {state['parent'] or '(unknown)'} and cannot be converted alone. "
                    "Name the root domain instead.",
                    objects=(name,),
                )
            )
            continue
        if authentication == "federated" and state["authenticationType"] == FEDERATED:
            refusals.append(
                Refusal(
                    rule="federated_otherwise",
                    msg=f"{name} is federated already, but not as the saved configuration says (now {(is_there or {}).get('issuerUri')}). "
                    "Convert it to managed first if you are sure.",
                    objects=(name,),
                )
            )
            continue
        followers = tuple(sorted(other for other, item in domains.items() if item.state["parent"] == name))
        plan.changes.append(_change(name, state, configuration, followers))
    return plan, refusals


def _change(name: str, state: Mapping[str, Any], configuration: Mapping[str, Any] | None, followers: tuple[str, ...]) -> Change:
    before = {"authenticationType": state["authenticationType"], "federationConfiguration": state["federationConfiguration"]}
    after = {"authenticationType": FEDERATED if configuration else MANAGED, "federationConfiguration": configuration}
    if followers:
        before["subdomains"] = after["subdomains"] = list(followers)
    back = "entra_domain with authentication=managed" if configuration else "entra_domain with authentication=federated and this federationConfiguration"
    return Change(KIND, name, name, "convert_to_federated" if configuration else CONVERT, before, after, risk="high", undo=back)


def _same(current: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    return current is not None and all(current.get(name) == wanted[name] for name in ("issuerUri", "passiveSignInUri"))


def writable(domain: str, saved: Mapping[str, Any] | None, now: datetime.datetime, warnings: list[str]) -> dict[str, Any]:
    """The body that restores a saved configuration. Raises OffboardError `bad_configuration`."""
    if not saved:
        raise OffboardError(
            f"{domain}: federation_configurations holds no configuration for it, and a domain is only federated from a saved one", code="bad_configuration"
        )
    body = {name: saved[name] for name in _WRITABLE if saved.get(name) is not None}
    missing = [name for name in _REQUIRED if not body.get(name)]
    if missing:
        raise OffboardError(f"{domain}: the saved configuration lacks {', '.join(missing)}", code="bad_configuration")
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode("".join(body["signingCertificate"].split()), validate=True))
    except (binascii.Error, ValueError) as exc:
        raise OffboardError(
            f"{domain}: signingCertificate of the saved configuration is not a certificate (base64 of DER): {exc}", code="bad_configuration"
        ) from exc
    if certificate.not_valid_after_utc < now:
        warnings.append(f"{domain}: the signing certificate of the saved configuration expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    return body


def guard_domains(changes: Sequence[Change], states: Mapping[str, Mapping[str, Any]], expected_hosts: Sequence[str], context: Context) -> list[Refusal]:
    """The refusals that protect a tenant from being locked out, over the domains that would change and those below them."""
    if not changes:
        return []
    refusals = []
    affected = {name for change in changes for name in (change.id, *((change.after or {}).get("subdomains") or ()))}
    for change in changes:
        if states[change.id]["isDefault"]:
            refusals.append(
                Refusal("default_domain", f"{change.id} is the tenant's default domain. Make another managed domain the default one first.", (change.id,))
            )
        if change.action == CONVERT:
            refusals += _foreign(change, expected_hosts)
    if upn_domain(context.caller_upn) in affected and context.caller_upn:
        refusals.append(
            Refusal(
                "own_identity",
                f"You are signed in as {context.caller_upn}, whose own domain would be converted: you could lock yourself out. "
                "Sign in as an application, or as an administrator of the onmicrosoft.com domain.",
                (context.caller_upn,),
            )
        )
    return refusals + _break_glass(affected, context)


def _foreign(change: Change, expected_hosts: Sequence[str]) -> list[Refusal]:
    configuration = (change.before or {}).get("federationConfiguration")
    if "*" in expected_hosts or identified_by(configuration, expected_hosts):
        return []
    if not configuration:
        return [
            Refusal(
                "foreign_federation",
                f"{change.id} is federated, but its configuration cannot be read, so nobody can tell to whom, and it could not be restored.",
                (change.id,),
                'expected_idp_hosts: ["*"]',
            )
        ]
    host = hosts(configuration).get("passiveSignInUri", "(none)")
    return [
        Refusal(
            "foreign_federation",
            f"{change.id} is federated to {host} ({configuration.get('displayName')}), which is none of {', '.join(expected_hosts)}.",
            (change.id,),
            f"expected_idp_hosts: [{host}]",
        )
    ]


def _break_glass(affected: Collection[str], context: Context) -> list[Refusal]:
    """Enough administrators must be able to sign in whatever becomes of the affected domains."""
    problems = {item.upn: problem for item in context.break_glass if (problem := _unfit(item, affected))}
    # by what Graph calls them: one person may be named by the user name and by the object id
    fit = len({((item.state or {}).get("userPrincipalName") or item.upn).casefold() for item in context.break_glass if item.upn not in problems})
    if fit >= context.min_break_glass:
        return []
    told = "; ".join(f"{upn}: {problem}" for upn, problem in problems.items()) or "none is named"
    return [
        Refusal(
            "break_glass",
            f"{fit} break-glass administrators would be able to sign in whatever happens, but {context.min_break_glass} are required ({told}). "
            "Name cloud-only Global Administrators of a domain that is not affected in break_glass.",
            tuple(problems),
            f"min_break_glass: {fit}",
        )
    ]


def _unfit(item: Administrator, affected: Collection[str]) -> str:
    if item.state is None:
        return "no such user"
    if not item.state.get("accountEnabled"):
        return "the account is disabled"
    if not item.global_administrator:
        return "is not a Global Administrator"
    if item.state.get("onPremisesSyncEnabled"):
        return "is synchronized from Active Directory"
    if upn_domain(item.state.get("userPrincipalName") or item.upn) in affected:
        return "its own domain is affected"
    return ""


def as_named(name: str) -> str:
    """A domain as Graph's ids are compared here, however somebody typed it."""
    return name.strip().rstrip(".").casefold()


# -- reading


def read_domains(client: Client, configurations_of: Collection[str] | None = None) -> Iterator[Object]:
    """All domains of the tenant, complete; the federation configuration only of those named in lower case (None: all)."""
    items = list(client.list("/domains"))
    roots = {item["id"].casefold() for item in items if item["isRoot"]}
    for item in items:
        name = item["id"].casefold()
        configuration = None
        if item["authenticationType"] == FEDERATED and item["isRoot"] and (configurations_of is None or name in configurations_of):
            configuration = read_configuration(client, name)
        yield Object(
            KIND,
            name,
            item["id"],
            {
                "authenticationType": item["authenticationType"],
                "isDefault": item["isDefault"],
                "isInitial": item["isInitial"],
                "isRoot": item["isRoot"],
                "isVerified": item["isVerified"],
                "parent": None if item["isRoot"] else root_of(name, roots),
                "federationConfiguration": configuration,
            },
        )


def read_configuration(client: Client, domain: str) -> dict[str, Any] | None:
    """The one federation configuration of a domain, None when Graph keeps saying that there is none (404)."""
    answer = client.find(f"/domains/{urllib.parse.quote(domain)}/federationConfiguration")
    items = (answer or {}).get("value") or []
    return {name: value for name, value in items[0].items() if not name.startswith("@")} if items else None


def read_administrators(client: Client, upns: Sequence[str]) -> list[Administrator]:
    """The named users, and whether each holds Global Administrator directly."""
    if not upns:
        return []
    assignments = client.list(f"/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'")
    holders = {item["principalId"] for item in assignments}
    found = []
    for upn in map(str.strip, upns):
        state = client.find(f"/users/{urllib.parse.quote(upn)}?$select=id,userPrincipalName,accountEnabled,onPremisesSyncEnabled")
        found.append(Administrator(upn, state, state is not None and state["id"] in holders))
    return found


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_domain_info."""
    wanted = {as_named(name) for name in params["domains"] or ()}
    with Client(Connection.from_params(params)) as client:
        found = [item for item in read_domains(client, wanted or None) if not wanted or item.id in wanted]
    missing = wanted - {item.id for item in found}
    if missing:
        raise OffboardError(f"the tenant has no domain {', '.join(sorted(missing))}", code="not_found", details={"domains": sorted(missing)})
    return {"domains": [_describe(item, params["expected_idp_hosts"]) for item in found]}


def _describe(item: Object, expected: Sequence[str]) -> dict[str, Any]:
    state = item.state
    configuration = state["federationConfiguration"]
    federation = None
    if configuration is not None:
        why = identified_by(configuration, expected)
        federation = {"configuration": configuration, "hosts": hosts(configuration), "idp": "iij" if why else "other", "identified_by": why}
    return {
        "id": item.name,
        "authentication_type": state["authenticationType"],
        "is_default": state["isDefault"],
        "is_initial": state["isInitial"],
        "is_root": state["isRoot"],
        "is_verified": state["isVerified"],
        "parent": state["parent"],
        "federation": federation,
    }


# -- the resource


class Domains(OfTenant):
    """entra_domain: converts domains one after the other, and waits for each until it is seen."""

    noun = "domains"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)
    stop_at_first_failure = True

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params
        self._client = Client(Connection.from_params(params))
        self._names = [as_named(name) for name in params["domains"]]
        self._states: dict[str, Mapping[str, Any]] = {}
        self._refusals: list[Refusal] = []

    def read(self) -> Iterable[Object]:
        return read_domains(self._client, set(self._names))

    def plan(self, current: Iterable[Object]) -> Plan:
        objects = list(current)
        self._states = {item.id: item.state for item in objects}
        params = self._params
        plan, self._refusals = plan_domains(
            objects, self._names, params["authentication"], params["federation_configurations"] or {}, datetime.datetime.now(datetime.UTC)
        )
        return plan

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        for change in begun:
            after, state = change.after or {}, self._states.get(change.id)
            if state is not None and state["authenticationType"] == after.get("authenticationType"):
                configuration = after.get("federationConfiguration")
                if configuration is None or _same(state["federationConfiguration"], configuration):
                    yield change

    def guard(self, plan: Plan) -> Iterable[Refusal]:
        changes = list(plan.changes)
        if not changes:
            return self._refusals
        context = Context(
            caller_upn=self._client.identity()["upn"],
            break_glass=read_administrators(self._client, self._params["break_glass"]) if self._params["min_break_glass"] else (),
            min_break_glass=self._params["min_break_glass"],
        )
        return self._refusals + guard_domains(changes, self._states, self._params["expected_idp_hosts"], context)

    def lacking(self, manifest: Mapping[str, Any], changes: Iterable[Change]) -> list[str]:
        """A domain with the federation configuration that it has, or shall have again."""
        held, federated = ({name.casefold() for name in manifest[key]} for key in ("domains", "federated"))
        result = []
        for change in changes:
            configured = any((state or {}).get("federationConfiguration") for state in (change.before, change.after))
            if change.id not in held or (configured and change.id not in federated):
                result.append(f"{change.name} with its federation configuration" if change.id in held else change.name)
        return result

    def domains(self, changes: Iterable[Change]) -> list[str]:
        return [change.id for change in changes]

    def apply(self, change: Change) -> dict[str, Any]:
        wanted = (change.after or {})["authenticationType"]
        configuration = (change.after or {})["federationConfiguration"]
        details = self._federate(change.id, configuration) if configuration else self._unfederate(change)
        seen_after = self._wait(change.id, wanted, time.monotonic() + self._params["verify_timeout"])
        return {**details, "seconds_until_seen": round(seen_after, 1)}

    def _unfederate(self, change: Change) -> dict[str, Any]:
        path = f"/domains/{urllib.parse.quote(change.id)}"
        try:
            self._client.patch(path, {"authenticationType": MANAGED})
        except GraphError as refused:
            configuration = (change.before or {}).get("federationConfiguration")
            if refused.status != 403 or not configuration:
                raise
            # Tenants are known to refuse the documented PATCH to applications; deleting the configuration does the same
            # (github.com/microsoftgraph/microsoft-graph-docs-contrib issue 1251, microsoft-graph-docs pull request 21881).
            try:
                self._client.delete(f"{path}/federationConfiguration/{configuration['id']}")
            except GraphError:
                raise refused from None
            return {"method": "DELETE federationConfiguration"}
        return {"method": "PATCH authenticationType"}

    def _federate(self, domain: str, configuration: Mapping[str, Any]) -> dict[str, Any]:
        path = f"/domains/{urllib.parse.quote(domain)}/federationConfiguration"
        try:
            self._client.post(path, {"@odata.type": "#microsoft.graph.internalDomainFederation", **configuration})
        except AnswerLost as lost:
            if not _same(read_configuration(self._client, domain), configuration):
                raise OffboardError(  # pylint: disable=bad-exception-cause
                    f"{domain}: {lost.msg} Read back, the federation is not there. Run entra_domain_info for this domain before you try again.", code=lost.code
                ) from lost
            return {"method": "POST federationConfiguration (answer lost, seen by reading back)"}
        return {"method": "POST federationConfiguration"}

    def _wait(self, domain: str, wanted: str, deadline: float) -> float:
        """Seconds until several reads in a row agreed. Raises NotSeen."""
        start, agreeing = time.monotonic(), 0
        while agreeing < _AGREEING_READS:
            state = self._client.get(f"/domains/{urllib.parse.quote(domain)}")["authenticationType"]
            agreeing = agreeing + 1 if state == wanted else 0
            if agreeing < _AGREEING_READS:
                if time.monotonic() + _READ_INTERVAL > deadline:
                    raise NotSeen(
                        f"Graph accepted the change, but after {self._params['verify_timeout']} s {domain} still reads {state}. Microsoft allows up to "
                        "60 minutes; run the task again later, or raise verify_timeout.",
                        domain=domain,
                        wanted=wanted,
                        seen=state,
                    )
                time.sleep(_READ_INTERVAL)
        return time.monotonic() - start

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Each was waited for in `apply`; once more at the end, since a conversion that falls back must not count as done."""
        now = {item["id"].casefold(): item["authenticationType"] for item in self._client.list("/domains")}
        for change in applied:
            wanted = (change.after or {})["authenticationType"]
            if now.get(change.id) != wanted:
                yield Outcome(change, "failed", "not_seen", f"{change.id} was {wanted} for a moment, and now reads {now.get(change.id)}")

    def close(self) -> None:
        self._client.close()
