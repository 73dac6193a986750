# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a Windows machine is, and who asks: the options of the argument fragment WINDOWS."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .._core.errors import OffboardError


@dataclass(frozen=True)
class Connection:
    """How to reach one machine; the module options of the same names."""

    host: str
    port: int | None
    scheme: Literal["https", "http"]
    transport: Literal["ntlm", "kerberos", "basic"]
    username: str | None
    password: str | None = field(repr=False)
    ca_file: str | None
    server_cert_validation: Literal["validate", "ignore"]
    #: seconds
    timeout: int

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Connection:
        """Raises OffboardError `unencrypted_refused`, `credentials_missing` or `ca_file_unusable`."""
        host, scheme, transport = params["host"], params["scheme"], params["transport"]
        if scheme == "http" and transport == "basic":
            raise OffboardError(
                f"{host}: basic authentication over http would send the password in clear, which is refused; use scheme https or transport ntlm",
                code="unencrypted_refused",
            )
        for name in () if transport == "kerberos" else ("username", "password"):
            if not params.get(name):
                raise OffboardError(f"{host}: {name} is missing; set ansible_{'user' if name == 'username' else name} or {name}", code="credentials_missing")
        if params["ca_file"] and not os.path.exists(params["ca_file"]):
            raise OffboardError(f"{host}: ca_file {params['ca_file']} does not exist", code="ca_file_unusable")
        return cls(
            host=host,
            port=params["port"] or None,
            scheme=scheme,
            transport=transport,
            username=params["username"],
            password=params["password"],
            ca_file=params["ca_file"] or None,
            server_cert_validation=params["server_cert_validation"],
            timeout=params["timeout"],
        )
