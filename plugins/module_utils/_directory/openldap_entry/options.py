# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of an entry: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core import dn as names
from ..._module.vault_password import if_given


@dataclass(frozen=True)
class Options:
    """Of openldap_entry: which goes, or comes back."""

    dn: str
    #: as the snapshot has it
    dn_as_given: str
    #: `absent` or `present`
    state: str
    backup_dir: str
    #: reads the password with which it is saved; None: in clear
    vault_password: Callable[[], bytes] | None
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `invalid_dn`."""
        return cls(
            dn=names.checked(params["dn"]),
            dn_as_given=params["dn"],
            state=params["state"],
            backup_dir=params["backup_dir"],
            vault_password=if_given(params),
            verify_timeout=params["verify_timeout"],
        )


@dataclass(frozen=True)
class InfoOptions:
    """Of openldap_entry_info: which is looked at."""

    dn: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `invalid_dn`."""
        return cls(dn=names.checked(params["dn"]))
