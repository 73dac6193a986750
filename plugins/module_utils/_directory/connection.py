# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the directory is, and who asks: the options of the argument fragments DIRECTORY and OPENLDAP. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Connection:
    """How to reach one server; the module options of the same names."""

    host: str
    port: int | None
    #: `ldaps`, `starttls` or `ldapi`
    tls: str
    ca_file: str | None
    #: names of the server besides `host`
    valid_names: Sequence[str]
    #: `simple` or `kerberos`
    authentication: str
    username: str | None
    password: str | None = field(repr=False)
    #: seconds
    timeout: int
    #: of OpenLDAP, for `ldapi`
    socket: str | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        return cls(
            host=params["host"] or "",
            port=params["port"] or None,
            tls=params["tls"],
            ca_file=params["ca_file"],
            valid_names=params["valid_names"],
            authentication=params["authentication"],
            username=params["username"],
            password=params["password"],
            timeout=params["timeout"],
            socket=params.get("socket"),
        )

    def to(self, host: str) -> Connection:
        """The same to another server of the domain, by its name."""
        return replace(self, host=host, valid_names=(), port=None)
