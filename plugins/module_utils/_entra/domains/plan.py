# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the tenant's domains, and what must hold before."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core import names, phrases
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Refusal
from ..._core.plan import Plan
from ..._federation import certificates

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


def hosts(configuration: Mapping[str, Any]) -> dict[str, str]:
    """The host of each URI of a federation configuration, by property."""
    found = {name: names.host(configuration[name]) for name in _URIS if "//" in (configuration.get(name) or "")}
    return {name: host for name, host in found.items() if host}


def identified_by(configuration: Mapping[str, Any] | None, expected: Iterable[str]) -> list[str]:
    """Why the federation counts as the expected identity provider's; empty when it is somebody else's.

    What decides is where people are sent to sign in (passiveSignInUri): an issuer alone is only a name.
    """
    expected = names.idp_hosts(expected)
    found = hosts(configuration or {})
    if not names.is_under(found.get("passiveSignInUri", ""), expected):
        return []
    return [f"{name}: {host}" for name, host in found.items() if names.is_under(host, expected)]


def lineage(name: str) -> list[str]:
    """The domain and those that it lies under, the nearest first."""
    labels = names.domain(name).split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def root_of(name: str, roots: Collection[str]) -> str | None:
    """The root domain that `name` belongs to (itself, or the longest that it lies under)."""
    return next((one for one in lineage(name) if one in roots), None)


def is_of(domain: str, whole: Collection[str]) -> bool:
    """Whether `whole` names the domain, or one above it, as `@domain`."""
    return any(f"@{one}" in whole for one in lineage(domain))


def upn_domain(upn: str) -> str:
    """What follows the last @, as `names.domain` has it."""
    return names.domain(upn.rpartition("@")[2])


def authentication_of(name: str, domains: Mapping[str, Mapping[str, Any]]) -> str | None:
    """`Managed` or `Federated`: a subdomain follows its root. None for a domain that the tenant does not have.

    `domains` are states by name in lower case, as `read_domains` gives them.
    """
    root = root_of(name, {domain for domain, state in domains.items() if state["isRoot"]})
    return domains[root]["authenticationType"] if root else None


def affected(named: Iterable[str], domains: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The domains that change with those named, in lower case: themselves, however somebody typed them, and the subdomains of the roots among them.

    `domains` as in `authentication_of`. One that the tenant does not have is kept, so that whoever works with it is told.
    """
    roots = list(dict.fromkeys(filter(None, map(names.domain, named))))
    return list(dict.fromkeys([*roots, *(name for name, state in domains.items() if state["parent"] in roots)]))


def not_managed(wanted: Iterable[str], domains: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Those of the domains whose users still sign in elsewhere: passwords given to them would be of no use."""
    return [name for name in wanted if name in domains and domains[name]["authenticationType"] != MANAGED]


@dataclass(frozen=True)
class Administrator:
    """A user named as break-glass administrator, as the tenant knows it. `state` None: there is no such user."""

    upn: str
    state: Mapping[str, Any] | None
    global_administrator: bool = False


@dataclass
class DomainContext:
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
    wanted = [names.domain(name) for name in wanted]
    missing = [name for name in wanted if name not in domains]
    if missing:
        raise OffboardError(f"the tenant has no domain {', '.join(missing)}; it has {', '.join(domains)}", code="not_found", details={"domains": missing})
    plan, refusals = Plan(), []
    saved = {names.domain(name): value for name, value in configurations.items()}
    for name in dict.fromkeys(wanted):
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
    before: dict[str, Any] = {"authenticationType": state["authenticationType"], "federationConfiguration": state["federationConfiguration"]}
    after: dict[str, Any] = {"authenticationType": FEDERATED if configuration else MANAGED, "federationConfiguration": configuration}
    if followers:
        before["subdomains"] = after["subdomains"] = list(followers)
    back = phrases.english("undo_managed" if configuration else "undo_federated")
    return Change(KIND, name, name, GO_BACK if configuration else CONVERT, before, after, risk="high", undo=back)


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
        certificate = certificates.from_base64(body["signingCertificate"])
    except certificates.BadCertificate as exc:
        raise OffboardError(f"{domain}: signingCertificate of the saved configuration cannot be used. {exc.msg}", code="bad_configuration") from exc
    if certificate.expired_at(now):
        warnings.append(phrases.english("saved_certificate_expired", domain=domain, date=certificate.not_after[:10]))
    return body


def guard_domains(changes: Sequence[Change], states: Mapping[str, Mapping[str, Any]], expected_hosts: Sequence[str], context: DomainContext) -> list[Refusal]:
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
    if "*" in names.idp_hosts(expected_hosts) or identified_by(configuration, expected_hosts):
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


def _break_glass(affected: Collection[str], context: DomainContext) -> list[Refusal]:
    """Enough administrators must be able to sign in whatever becomes of the affected domains."""
    problems = {item.upn: problem for item in context.break_glass if (problem := _unfit(item, affected))}
    # by what Graph calls them: one person may be named by the user name and by the object id
    fit = len({names.user((item.state or {}).get("userPrincipalName") or item.upn) for item in context.break_glass if item.upn not in problems})
    nobody = sorted(item.upn for item in context.break_glass if item.state is None)
    if fit >= context.min_break_glass:
        if not nobody:
            return []
        return [
            Refusal(
                "break_glass",
                f"The tenant has no user {', '.join(nobody)}. Whoever was meant in break_glass is looked after by nobody. Correct the name, or take it out.",
                tuple(nobody),
            )
        ]
    told = "; ".join(f"{upn}: {problem}" for upn, problem in problems.items()) or "none is named"
    return [
        Refusal(
            "break_glass",
            f"{fit} break-glass administrators would be able to sign in whatever happens, but {context.min_break_glass} are required ({told}). "
            "Name cloud-only Global Administrators of a domain that is not affected in break_glass.",
            tuple(problems),
            f"min_break_glass: {fit}" if fit else "",  # nobody is advised to go without
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


#: and of one that makes it federated again
GO_BACK = "convert_to_federated"
