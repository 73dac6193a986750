# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of several accounts: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..._core.dn import Name
from ..connection import Connection
from ..known import Known
from ..openldap_entry.options import account_of


@dataclass(frozen=True)
class InfoOptions:
    """Of openldap_accounts_info: which are looked at, and how the data and the access rules are reached."""

    #: by the names that were given
    accounts: Mapping[str, Name]
    known: Known
    config_base: str
    data: Connection
    #: as whom the access rules are read
    config: Connection

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `invalid_dn`."""
        data = Connection.from_params(params)
        return cls(
            accounts={text: account_of(text) for text in params["dns"]},
            known=Known.of(params),
            config_base=params["config_base"],
            data=data,
            config=replace(data, username=params["config_username"] or data.username, password=params["config_password"] or data.password),
        )
