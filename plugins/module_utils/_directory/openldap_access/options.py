# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of access rules: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core.dn import Name
from ..known import Known
from ..openldap_entry.options import account_of


@dataclass(frozen=True)
class InfoOptions:
    """Of openldap_access_info: whose clauses are looked for, and where."""

    account: Name
    known: Known
    config_base: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `invalid_dn`."""
        return cls(account=account_of(params["dn"]), known=Known.of(params), config_base=params["config_base"])


@dataclass(frozen=True)
class Options(InfoOptions):
    """Of openldap_access: whose clauses go, or come back."""

    #: `absent` or `present`
    state: str
    backup_dir: str
    #: guards that are switched off
    allow: Collection[str]
    journal: str | None
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `invalid_dn`."""
        return cls(
            **vars(InfoOptions.of(params)),
            state=params["state"],
            backup_dir=params["backup_dir"],
            allow=params["allow"],
            journal=params["journal"],
            verify_timeout=params["verify_timeout"],
        )
