# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that only look at metadata, tokens and lists of partners are asked: parsed, and checked before anything is read. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._core.errors import OffboardError
from . import certificates
from .values import names


@dataclass(frozen=True)
class MetadataSource:
    """Where metadata comes from: exactly one of path, url and content."""

    path: str | None
    url: str | None
    content: str | None
    ca_file: str | None
    #: seconds
    timeout: int

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> MetadataSource:
        """Raises OffboardError `bad_option`."""
        timeout = params.get("timeout", 30)
        if timeout < 1:  # before the runner looks at numbers: what is changed by metadata is known only when they have come
            raise OffboardError(f"timeout is {timeout}, but must be 1 second at least", code="bad_option")
        return cls(
            path=params.get("path") or None,
            url=params.get("url") or None,
            content=params.get("content"),
            ca_file=params.get("ca_file"),
            timeout=timeout,
        )


@dataclass(frozen=True)
class DnsServers:
    """Whom to ask for TXT records."""

    servers: Sequence[str]
    port: int
    #: seconds
    timeout: int

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> DnsServers:
        return cls(servers=params["dns_servers"], port=params["dns_port"], timeout=params["dns_timeout"])


@dataclass(frozen=True)
class MetadataOptions:
    """Of federation_metadata_info."""

    source: MetadataSource
    entity_id: str | None
    domains: Sequence[str]
    profile: str
    dns: DnsServers
    #: None: now
    at: datetime.datetime | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> MetadataOptions:
        """Raises OffboardError `time_invalid`."""
        return cls(
            source=MetadataSource.of(params),
            entity_id=params["entity_id"],
            domains=params["domains"],
            profile=params["profile"],
            dns=DnsServers.of(params),
            at=_time(params["at"]),
        )


@dataclass(frozen=True)
class TokenOptions:
    """Of federation_token_info. None: not given."""

    issuer_uri: str
    signing_certificates: Sequence[certificates.Certificate]
    #: `current`, `2020` or `any`
    audience: str
    tenant_id: str | None
    login_url: str
    domains: Sequence[str]
    path: str | None
    content: str | None
    #: None: now
    at: datetime.datetime | None
    #: seconds
    skew: int

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> TokenOptions:
        """Raises OffboardError `certificate_invalid`, `time_invalid`, and what a domain may not be."""
        pinned: list[certificates.Certificate] = []
        for number, text in enumerate(params["signing_certificates"], 1):
            try:
                pinned += map(certificates.from_base64, certificates.in_text(text))
            except certificates.BadCertificate as exc:
                msg = f"signing_certificates: number {number} cannot be used. {exc.msg}"
                raise OffboardError(msg, code="certificate_invalid") from exc  # pylint: disable=bad-exception-cause
        return cls(
            issuer_uri=params["issuer_uri"],
            signing_certificates=pinned,
            audience=params["audience"],
            tenant_id=params["tenant_id"],
            login_url=params["login_url"],
            domains=names(params["domains"]),
            path=params["path"] or None,
            content=params["content"],
            at=_time(params["at"]),
            skew=params["skew"],
        )


@dataclass(frozen=True)
class PartnersOptions:
    """Of federation_partners_info."""

    #: as they are typed; `partners.normal` reads them
    partners: Sequence[Mapping[str, Any]]
    #: the folder from which the partners' files are named; "": the current one
    files_from: str
    tenant_id: str
    cloud: str
    tenant_type: str
    login_url: str | None
    profile: str
    organization: str
    links: Sequence[str]
    #: None: now
    at: datetime.datetime | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> PartnersOptions:
        """Raises OffboardError `time_invalid`."""
        return cls(
            partners=params["partners"],
            files_from=params["files_from"] or "",
            tenant_id=params["tenant_id"],
            cloud=params["cloud"],
            tenant_type=params["tenant_type"],
            login_url=params["login_url"],
            profile=params["profile"],
            organization=params["organization"],
            links=params["links"],
            at=_time(params["at"]),
        )


def _time(value: str | None) -> datetime.datetime | None:
    if value is None:
        return None
    try:
        when = datetime.datetime.fromisoformat(value)
    except ValueError as exc:
        raise OffboardError(f"at: {value!r} is not a time such as 2026-11-21T09:00:00Z.", code="time_invalid") from exc
    return when if when.tzinfo else when.replace(tzinfo=datetime.UTC)
