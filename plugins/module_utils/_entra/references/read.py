# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to look in a tenant, and how: page by page, and in batches what lies below many objects."""

from __future__ import annotations

import itertools
import urllib.parse
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._graph.batches import Request
from ..._graph.client import Client
from ..._graph.errors import GraphError, about_one_part, is_list
from ..intune_assignments.plan import FAMILIES
from ..intune_assignments.read import group_names, read_assigned, read_detected
from . import plan


@dataclass(frozen=True)
class Source:
    """Objects of one kind. Everything that Graph shows of them is read: no `$select`, since a property left out is a property not looked at."""

    kind: str
    path: str
    #: the answer is one object, and no list
    one: bool = False
    #: only Graph's beta has it
    beta: bool = False
    #: where beta is allowed it is asked, since it shows types of objects that v1.0 leaves out; else this says which
    hidden_in_v1: str = ""
    #: who names the id of an object that points there, points there too
    follow: bool = False
    #: lists below each object, or below those of which `when` is true; their paths follow the object's own
    below: tuple[Source, ...] = ()
    when: Callable[[Mapping[str, Any]], bool] | None = None
    #: Microsoft has no application permission for it: only a person's token may read it
    delegated: bool = False
    #: below an object: Microsoft may answer 404 where there is none
    may_be_missing: bool = False


def _federated_root(domain: Mapping[str, Any]) -> bool:
    return domain.get("authenticationType") != "Managed" and domain.get("isRoot") is not False


def _may_provision(principal: Mapping[str, Any]) -> bool:
    return principal.get("servicePrincipalType") in (None, "Application")


#: In this order: who is followed comes before who may name it. Paths: learn.microsoft.com/graph/api/overview; those of beta and what v1.0 does not show
#: of Intune: learn.microsoft.com/graph/api/resources/intune-graph-overview?view=graph-rest-beta
SOURCES = (
    Source("application", "/applications?$top=999"),
    Source("service_principal", "/servicePrincipals?$top=999", below=(Source("synchronization_job", "/synchronization/jobs"),), when=_may_provision),
    Source("claims_mapping_policy", "/policies/claimsMappingPolicies"),
    Source("home_realm_discovery_policy", "/policies/homeRealmDiscoveryPolicies"),
    # delegated only: learn.microsoft.com/graph/api/list-featurerolloutpolicies
    Source("feature_rollout_policy", "/policies/featureRolloutPolicies", delegated=True),
    Source("token_issuance_policy", "/policies/tokenIssuancePolicies"),
    Source("token_lifetime_policy", "/policies/tokenLifetimePolicies"),
    # external methods, the successor of custom controls, are among its parts: learn.microsoft.com/graph/api/resources/externalauthenticationmethodconfiguration
    Source("authentication_methods_policy", "/policies/authenticationMethodsPolicy", one=True),
    Source("custom_authentication_extension", "/identity/customAuthenticationExtensions", follow=True),
    Source("authentication_event_listener", "/identity/authenticationEventListeners"),
    Source("named_location", "/identity/conditionalAccess/namedLocations", follow=True),
    Source("conditional_access_policy", "/identity/conditionalAccess/policies"),
    Source("cross_tenant_access_default", "/policies/crossTenantAccessPolicy/default", one=True),
    Source("cross_tenant_access_partner", "/policies/crossTenantAccessPolicy/partners"),
    Source("identity_provider", "/identity/identityProviders"),
    Source("external_federation", "/directory/federationConfigurations/graph.samlOrWsFedExternalDomainFederation"),
    Source("domain", "/domains", below=(Source("internal_federation", "/federationConfiguration"),), when=_federated_root),
    Source(
        "organization",
        "/organization",
        below=(
            Source("certificate_based_authentication", "/certificateBasedAuthConfiguration"),
            # where the sign-in page's links lead, "forgot my password" among them, in each language:
            # learn.microsoft.com/graph/api/organizationalbranding-list-localizations
            Source("organizational_branding", "/branding/localizations", may_be_missing=True),
        ),
    ),
    Source(
        "public_key_infrastructure",
        "/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations",
        below=(Source("certificate_authority", "/certificateAuthorities"),),
    ),
    Source("mobile_app", "/deviceAppManagement/mobileApps", hidden_in_v1="apps of managed Google Play", follow=True),
    Source("mobile_app_configuration", "/deviceAppManagement/mobileAppConfigurations"),
    Source("targeted_managed_app_configuration", "/deviceAppManagement/targetedManagedAppConfigurations"),
    Source("device_configuration", "/deviceManagement/deviceConfigurations", hidden_in_v1="profiles for SCEP, PKCS and trusted root certificates"),
    Source("configuration_policy", "/deviceManagement/configurationPolicies", beta=True, below=(Source("configuration_policy_settings", "/settings"),)),
    Source(
        "group_policy_configuration",
        "/deviceManagement/groupPolicyConfigurations",
        beta=True,
        below=(Source("group_policy_definition", "/definitionValues", below=(Source("group_policy_value", "/presentationValues"),)),),
    ),
)


def _kinds(source: Source) -> Iterator[str]:
    yield source.kind
    for below in source.below:
        yield from _kinds(below)


#: those that can be asked for alone
TOP = tuple(source.kind for source in SOURCES)
KINDS = tuple(kind for source in SOURCES for kind in _kinds(source))


#: Takes (kind, object, what was found, and of objects of Intune what these are assigned to).
Tell = Callable[[str, Mapping[str, Any], list[plan.Reference], Mapping[str, Any]], None]
#: Takes (kind, object or None for all of them, place in it, reason, words).
TellOpen = Callable[[str, Mapping[str, Any] | None, str, str, str], None]  # pylint: disable=unsupported-binary-operation


@dataclass(frozen=True)
class LookedFor:
    """What only the operator knows: IIJ ID's named locations, the domains to be converted, and the kinds to look at (none: all)."""

    named_locations: Sequence[str] = ()
    domains: Collection[str] = ()
    kinds: Collection[str] = ()


class Reader:
    """Reads every source once. Raises GraphError when the tenant cannot be reached at all; what is refused is told as not looked at."""

    def __init__(self, client: Client, beta: Client | None, matcher: plan.Matcher, known: LookedFor, tell: Tell, tell_open: TellOpen) -> None:
        self._client, self._beta = client, beta
        self._matcher, self._known = matcher, known
        self._tell, self._tell_open = tell, tell_open
        #: how many objects of each kind were looked at
        self.looked_at: dict[str, int] = {}
        self._signed_in = False
        #: of objects of Intune that point there: what is told when their assignments are read, too
        self._assigned: list[tuple[str, dict[str, Any], list[plan.Reference]]] = []

    def run(self) -> None:
        for source in (source for source in SOURCES if not self._known.kinds or source.kind in self._known.kinds):
            if source.beta and self._beta is None:
                self._tell_open(source.kind, None, "", "beta_not_allowed", "Microsoft Graph has these in its beta only, and the option beta is false")
                continue
            client = self._beta if self._beta is not None and (source.beta or source.hidden_in_v1) else self._client
            if source.hidden_in_v1 and self._beta is None:
                words = f"Microsoft Graph shows {source.hidden_in_v1} in its beta only, and the option beta is false"
                self._tell_open(source.kind, None, "", "beta_not_allowed", words)
            self._source(client, source)
            self._tell_assigned(client)

    def _tell_assigned(self, client: Client) -> None:
        """What was found in Intune, with the groups or devices that get it. Assignments that may not be read are not looked at, and never none."""
        rows, self._assigned = self._assigned, []
        if not rows:
            return
        pairs = [(kind, str(item[plan.OF] if FAMILIES[kind].above else item["id"])) for kind, item, _found in rows]
        assigned = read_assigned(client, pairs)
        groups = group_names(client, (one for found in assigned.values() for one in found.assignments or ()))
        # v1.0 whatever the assignments were read from
        detected = read_detected(self._client, dict.fromkeys(str(item["displayName"]) for kind, item, _found in rows if kind == "mobile_app"))
        for (kind, item, found), pair in zip(rows, pairs, strict=True):
            devices, why = detected[str(item["displayName"])] if kind == "mobile_app" else (assigned[pair].devices, "")
            self._tell(kind, item, found, assigned[pair]._replace(devices=devices, devices_reason=why).shown(groups))
            if (error := assigned[pair].error) is not None:
                if not about_one_part(error, self._signed_in):
                    raise error
                self._tell_open(kind, item, "assignments", plan.reason_of(error.code, error.status, error.msg), error.msg)

    def _source(self, client: Client, source: Source) -> None:
        objects = self._objects(client, source)
        parents = ((item, f"{source.path.partition('?')[0]}/{urllib.parse.quote(str(item['id']))}") for item in objects if "id" in item)
        for below, own in zip(source.below, itertools.tee(parents, len(source.below)), strict=True):  # one alone keeps nothing
            self._below(client, source, below, own)
        for _unused in objects:
            pass

    def _objects(self, client: Client, source: Source) -> Iterator[Mapping[str, Any]]:
        """The objects of a list, looked at. What stops it on the way is told."""
        try:
            if source.one:
                answer = client.get(source.path)
                if not answer:
                    raise GraphError(f"GET {source.path}: the answer is no object of Microsoft Graph", code="no_list")
                self._signed_in = True
                self._look(source, answer)
                yield answer
            else:
                for page in client.pages(source.path):
                    self._signed_in = True
                    self.looked_at.setdefault(source.kind, 0)
                    for item in page:
                        self._look(source, item)
                        yield item
        except GraphError as exc:
            self._refused(source.kind, None, exc, source.delegated)

    def _refused(self, kind: str, item: Mapping[str, Any] | None, exc: GraphError, delegated: bool = False) -> None:
        """Raises `exc` when it is not about this part of the tenant alone."""
        if not about_one_part(exc, self._signed_in):
            raise exc
        read = self.looked_at.get(kind, 0)
        words = f"{exc.msg} {read} had been looked at before." if read and item is None else exc.msg
        if delegated and exc.status == 403:
            self._tell_open(kind, item, "", "delegated_only", "Microsoft lets no application read these, only a person.")
        else:
            self._tell_open(kind, item, "", plan.reason_of(exc.code, exc.status, exc.msg), words)

    def _look(self, source: Source, item: Mapping[str, Any], parent: Mapping[str, Any] | None = None) -> None:
        self.looked_at[source.kind] = self.looked_at.get(source.kind, 0) + 1
        found, unopened = self._matcher.look(item)
        found = self._of_its_kind(source.kind, item, found)
        shown = dict(item)
        if parent is not None:
            shown[plan.OF] = parent["id"]
            shown["displayName"] = item.get("displayName") or parent.get("displayName") or parent.get("name") or parent["id"]
        if found:
            if source.kind in FAMILIES and item.get("id"):
                kept = {name: shown.get(name) for name in ("id", "displayName", "name", plan.OF)}
                self._assigned.append((source.kind, kept, found))
            else:
                self._tell(source.kind, shown, found, {})
            if source.follow and item.get("id"):
                self._matcher.also(str(item["id"]))
        for place in unopened:
            self._tell_open(source.kind, shown, place.path, place.reason, "")
        if not found:
            self._tell_what_is_not_shown(source.kind, item, shown)

    def _of_its_kind(self, kind: str, item: Mapping[str, Any], found: list[plan.Reference]) -> list[plan.Reference]:
        """What was found, and what only an object of that kind may point with."""
        if kind == "named_location" and plan.is_named(item, self._known.named_locations):
            return [plan.Reference("displayName", "the option named_locations", False), *found]
        if kind == "home_realm_discovery_policy":
            return [*found, *plan.home_realm(item, self._known.domains)]
        return [*found, *plan.staged_rollout(item)] if kind == "feature_rollout_policy" else found

    def _tell_what_is_not_shown(self, kind: str, item: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
        """Where an object may point although nothing that Graph shows of it does."""
        if kind == "conditional_access_policy":
            for name in plan.custom_controls(item):
                words = f"It sends people to the custom control {name}."
                self._tell_open(kind, shown, "grantControls.customAuthenticationFactors", "custom_control", words)
        if kind == "synchronization_job":
            self._tell_open(kind, shown, "", "target_not_shown", "The address that it provisions to is kept with its secrets.")

    def _below(self, client: Client, source: Source, below: Source, parents: Iterator[tuple[Mapping[str, Any], str]]) -> None:
        """What lies below each of the objects, in batches, while their list is being read."""
        waiting: dict[str, tuple[Mapping[str, Any], str]] = {}
        denied = False

        def paths() -> Iterator[str]:
            for item, path in parents:
                if not denied and (source.when is None or source.when(item)):
                    child = f"{path}{below.path}"
                    waiting[child] = ({name: item.get(name) for name in ("id", "displayName", "name", "appId")}, child)
                    yield child

        deeper: list[tuple[Mapping[str, Any], str]] = []
        for path, answer in client.get_many(paths()):
            if path not in waiting:  # an object that came twice
                continue
            parent, _unused = waiting.pop(path)
            if not answer.ok:
                exc = answer.error(Request("GET", path))
                if exc.status == 404 and below.may_be_missing:
                    self.looked_at.setdefault(below.kind, 0)
                elif exc.status == 403:
                    if not denied:  # once for all of them
                        self._refused(below.kind, None, exc)
                    denied = True
                else:
                    self._refused(below.kind, parent, exc)
                continue
            self.looked_at.setdefault(below.kind, 0)
            for item in self._listed(client, below, path, parent, answer.body):
                self._look(below, item, parent)
                if below.below and item.get("id"):
                    deeper.append(({**parent}, f"{path}/{urllib.parse.quote(str(item['id']))}"))
        for deepest in below.below if deeper else ():
            self._below(client, below, deepest, iter(deeper))

    def _listed(self, client: Client, source: Source, path: str, parent: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The objects of an answer, and of those that follow it."""
        try:
            if not is_list(body):
                raise GraphError(f"GET {path}: the answer is no list of Microsoft Graph", code="no_list")
            if "@odata.nextLink" in body:
                for page in client.pages(path):
                    yield from page
            else:
                yield from body["value"]
        except GraphError as exc:
            self._refused(source.kind, parent, exc)
