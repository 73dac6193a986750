# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tenant is, and who asks: the connection options of all entra modules."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._core import names, phrases
from .._core.address import shown
from .._core.errors import OffboardError
from .pacer import TENANT_WRITE_QUOTA, WRITE_QUOTA

#: cloud: (Microsoft Graph, sign-in service); https://learn.microsoft.com/graph/deployments
CLOUDS = {
    "global": ("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    "us_gov_l4": ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
    "us_gov_l5": ("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    "china": ("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}


@dataclass(frozen=True)
class Connection:
    """How to reach Graph; the module options of the same names. Quotas are (requests, seconds)."""

    tenant_id: str
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    client_certificate_path: str | None = None
    client_certificate_password: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    credential: str = "auto"
    cloud: str = "global"
    graph_url: str | None = None
    authority: str | None = None
    ca_file: str | None = None
    write_quota: tuple[int, float] = WRITE_QUOTA
    tenant_write_quota: tuple[int, float] = TENANT_WRITE_QUOTA

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        """From a module's options. Raises OffboardError when they contradict each other."""
        quotas = {"write_quota", "tenant_write_quota"}
        given: dict[str, Any] = {name: params[name] for name in cls.__dataclass_fields__ if params.get(name) is not None}
        given |= {name: _quota(name, given[name]) for name in quotas & given.keys()}
        made = cls(**given)
        for option in ("graph_url", "authority"):
            value = getattr(made, option)
            try:
                scheme = urllib.parse.urlsplit(value or "https:").scheme
            except ValueError as exc:
                raise OffboardError(f"{option} is {shown(value)!r}, which is not an address", code="bad_option") from exc
            if scheme != "https":
                raise OffboardError(f"{option} is {shown(value or '')!r}, but only https is allowed: a token must not travel in clear", code="bad_option")
        return made

    def further(self, applications: Iterable[Mapping[str, Any]]) -> list[Connection]:
        """The same tenant by other app registrations; items of the option `applications`. Raises OffboardError `bad_option`."""
        made = [replace(self, access_token=None, credential="auto", **_own(item)) for item in applications]
        known = {names.uuid(self.client_id or "")}
        for connection in made:
            client_id = names.uuid(connection.client_id or "")
            if client_id in known:
                raise OffboardError(f"applications: {connection.client_id} is given twice; its quota is there only once", code="bad_option")
            known.add(client_id)
            if not (connection.client_secret or connection.client_certificate_path):
                raise OffboardError(f"applications: {connection.client_id} needs client_secret or client_certificate_path", code="bad_option")
        return made

    @property
    def kind(self) -> str:
        """The credential that `auto` means: the token, the secret or the certificate, whichever is given, in this order."""
        if self.credential != "auto":
            return self.credential
        for kind, value in (("token", self.access_token), ("secret", self.client_secret), ("certificate", self.client_certificate_path)):
            if value:
                return kind
        raise OffboardError(phrases.english("no_credential"), code="bad_option")


#: What tells one app registration from another; all else is the tenant's.
_OWN = ("client_id", "client_secret", "client_certificate_path", "client_certificate_password")


def _own(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item.get(name) for name in _OWN}


def _quota(name: str, value: Mapping[str, int]) -> tuple[int, float]:
    if value["requests"] < 1 or value["seconds"] < 1:
        raise OffboardError(f"{name}: requests and seconds must be 1 or more", code="bad_option")
    return value["requests"], float(value["seconds"])
