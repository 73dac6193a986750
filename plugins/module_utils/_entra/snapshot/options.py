# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of a snapshot: parsed, and checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._module.vault_password import vault_password
from ..provisioning.options import CensusOptions


@dataclass(frozen=True)
class Options:
    """Of entra_snapshot. None: not given."""

    path: str
    journal: str | None
    #: whose users are saved, as they were typed; none: all of the tenant
    domains: Sequence[str]
    #: which applications are saved, as they were typed
    client_ids: Sequence[str]
    #: the greatest part of a domain's users that may be blocked without a word; None: nobody counts
    max_blocked_percent: int | None
    census: CensusOptions
    #: reads the password of Ansible Vault; raises OffboardError where none is given
    vault_password: Callable[[], bytes]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        return cls(
            path=os.path.abspath(params["path"]),
            journal=params["journal"] or None,
            domains=params["domains"] or (),
            client_ids=params["client_ids"],
            max_blocked_percent=params["max_blocked_percent"],
            census=CensusOptions.of(params),
            vault_password=lambda: vault_password(params),
        )
