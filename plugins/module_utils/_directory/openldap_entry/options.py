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
from ..known import Known


def account_of(text: str) -> names.Name:
    """A DN, an entryUUID, or both as `names.extended` has them; with the DN in the form of RFC 4514. Raises OffboardError `invalid_dn`."""
    name = names.parse(text)
    return names.Name(names.checked(name.dn), name.guid) if name.dn else name


@dataclass(frozen=True)
class InfoOptions:
    """Of openldap_entry_info: which is looked at."""

    account: names.Name
    known: Known

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `invalid_dn`."""
        return cls(account=account_of(params["dn"]), known=Known.of(params))


@dataclass(frozen=True)
class Options(InfoOptions):
    """Of openldap_entry: which goes, or comes back."""

    #: `absent` or `present`
    state: str
    backup_dir: str
    #: reads the password with which it is saved; None: in clear
    vault_password: Callable[[], bytes] | None
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
            vault_password=if_given(params),
            journal=params["journal"],
            verify_timeout=params["verify_timeout"],
        )
