# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of federations' certificates: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import certificate_names
from ..._core.errors import OffboardError
from ..._federation.values import names
from .plan import Trust


@dataclass(frozen=True)
class WatchOptions:
    """What both modules take: which federations, and how their metadata is read."""

    #: none: all of the tenant
    domains: Sequence[str]
    #: addresses by domain
    metadata_urls: Mapping[str, str]
    metadata_ca_file: str | None
    #: seconds
    metadata_timeout: int
    warning_days: int
    critical_days: int
    #: a former answer, "" for none
    announced_in: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> WatchOptions:
        """Raises OffboardError `bad_option`."""
        if params["critical_days"] > params["warning_days"]:
            raise OffboardError("critical_days must not be more than warning_days", code="bad_option")
        return cls(
            domains=names(params["domains"] or ()),
            metadata_urls=_addresses(params["metadata_urls"]),
            metadata_ca_file=params["metadata_ca_file"],
            metadata_timeout=params["metadata_timeout"],
            warning_days=params["warning_days"],
            critical_days=params["critical_days"],
            announced_in=params["announced_in"] or "",
        )


@dataclass(frozen=True)
class Options:
    """Of entra_federation_certificate."""

    watch: WatchOptions
    #: `never`, `when_active` or `when_published`
    apply: str
    trust: Trust
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        return cls(watch=WatchOptions.of(params), apply=params["apply"], trust=_trust(params), verify_timeout=params["verify_timeout"])


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_federation_certificate_info."""

    watch: WatchOptions
    #: whether they are counted who sign in through each federation
    guests: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        return cls(watch=WatchOptions.of(params), guests=params["guests"])


def _addresses(given: Mapping[Any, Any]) -> dict[str, str]:
    """Raises OffboardError `bad_option`, and what a domain may not be."""
    found: dict[str, str] = {}
    for key, url in given.items():
        (domain,) = names([str(key)])
        if not isinstance(url, str) or found.setdefault(domain, url) != url:
            raise OffboardError(f"metadata_urls: that of {domain} is no text, or is there twice. Give one address for each domain.", code="bad_option")
    return found


def _trust(params: Mapping[str, Any]) -> Trust:
    thumbprints: dict[str, str] = {}
    for key, text in params["accept_thumbprints"].items():
        (domain,) = names([str(key)])
        value = certificate_names.thumbprint(text)
        if value is None:
            raise OffboardError(f"accept_thumbprints: that of {domain} is neither SHA-1 (40 hex digits) nor SHA-256 (64).", code="bad_option")
        if thumbprints.setdefault(domain, value) != value:
            raise OffboardError(f"accept_thumbprints: {domain} is there twice, with two thumbprints. Give that of the new certificate.", code="bad_option")
    return Trust(frozenset(names(params["trust_metadata_tls"])), thumbprints)
