# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of federations with partners: parsed, and checked before anybody is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._core.errors import OffboardError
from ..._federation import url_rule
from ..._federation.metadata import Metadata as Document
from ..._federation.metadata import choose
from ..._federation.options import DnsServers, MetadataSource
from ..._federation.values import certificate_text, names, protocol
from .plan import PROPERTIES, WantedFederation


@dataclass(frozen=True)
class WantedMetadata:
    """Where the partner's metadata comes from, and what of it is taken."""

    source: MetadataSource
    entity_id: str | None
    #: whether the TLS of its address vouches for it
    trust_tls: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> WantedMetadata:
        return cls(source=MetadataSource.of(params), entity_id=params["entity_id"], trust_tls=params["trust_metadata_tls"])


@dataclass(frozen=True)
class Options:
    """Of entra_external_federation. None: not given."""

    #: the domain that names the federation
    domain: str
    present: bool
    #: Graph's properties given by hand or by a saved configuration; None in metadataExchangeUri removes it
    settings: Mapping[str, Any]
    add: tuple[str, ...]
    remove: tuple[str, ...]
    set_to: tuple[str, ...] | None
    metadata: WantedMetadata | None
    profile: str
    accept_lockout: bool
    backup_dir: str | None
    #: whether to wait `wait_seconds` after the change
    wait: bool
    wait_seconds: int
    dns: DnsServers
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`, and what a domain, a certificate or a protocol may not be."""
        domain, saved, lists = url_rule.domain_name(params["domain"]), _saved(params["configuration"] or {}), params["domains"] or {}
        set_to = lists.get("set")
        if set_to is None and saved.get("domains") is not None and not (lists.get("add") or lists.get("remove")):
            set_to = saved["domains"]
        made = cls(
            domain=domain,
            present=params["state"] == "present",
            settings=_settings(params, saved),
            add=names(lists.get("add") or ()),
            remove=names(lists.get("remove") or ()),
            set_to=None if set_to is None else names(set_to),
            metadata=WantedMetadata.of(params["metadata"]) if params["metadata"] else None,
            profile=params["profile"],
            accept_lockout=params["accept_lockout"],
            backup_dir=params["backup_dir"],
            wait=params["wait"],
            wait_seconds=params["wait_seconds"],
            dns=DnsServers.of(params),
            verify_timeout=params["verify_timeout"],
        )
        if domain in made.remove or (made.set_to is not None and domain not in made.set_to):
            raise OffboardError(
                f"domain {domain} names the federation, so it cannot be among the domains that leave it. Name the federation by a domain that stays, "
                "or remove it whole with state: absent.",
                code="bad_option",
            )
        return made

    def wanted(self, document: Document | None) -> WantedFederation:
        """With what the metadata says, once it has been read. Raises OffboardError for an entity that is not in it."""
        given = self.metadata if document is not None else None
        return WantedFederation(
            domain=self.domain,
            present=self.present,
            settings=self.settings,
            entity=choose(document, given.entity_id) if document is not None and given is not None else None,
            metadata_url=given.source.url if given is not None else None,
            add=self.add,
            remove=self.remove,
            set_to=self.set_to,
        )


def _saved(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """What a copy says, with the domains by name. Raises OffboardError `bad_option` for one that was changed by hand, or is something else."""
    told = {name: value for name, value in configuration.items() if name in PROPERTIES.values() and value is not None}
    given = configuration.get("domains")
    domains = [item.get("id") if isinstance(item, Mapping) else item for item in given] if isinstance(given, list) else given
    wrong = [name for name, value in sorted(told.items()) if not isinstance(value, str)]
    if wrong or not (domains is None or (isinstance(domains, list) and all(isinstance(item, str) for item in domains))):
        raise OffboardError(
            f"configuration: {', '.join(wrong) or 'domains'} is not as a copy has it: texts, and the domains as a list. Give a file of backup_dir, or what "
            "entra_external_federation_info returns as configuration.",
            code="bad_option",
        )
    return {**configuration, "domains": domains}


def _settings(params: Mapping[str, Any], saved: Mapping[str, Any]) -> dict[str, Any]:
    settings = {name: saved[name] for name in PROPERTIES.values() if name in saved}
    for option, name in PROPERTIES.items():
        if params[option] is not None:
            settings[name] = params[option].strip() or None
    settings = {name: value for name, value in settings.items() if value is not None or name == "metadataExchangeUri"}
    if "preferredAuthenticationProtocol" in settings:
        settings["preferredAuthenticationProtocol"] = protocol(settings["preferredAuthenticationProtocol"])
    if "signingCertificate" in settings:
        settings["signingCertificate"] = certificate_text(settings["signingCertificate"])
    return settings


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_external_federation_info."""

    #: none: all of the tenant
    domains: frozenset[str]
    #: whether they are told who sign in through each federation
    guests: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `domain_invalid`, `domain_is_public_suffix`."""
        return cls(domains=frozenset(names(params["domains"] or ())), guests=params["guests"])
