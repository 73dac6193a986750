# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of exports: parsed, and checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._core.errors import OffboardError
from ..._module.vault_password import if_given, vault_password


@dataclass(frozen=True)
class InfoOptions:
    """Of iij_id_export_info."""

    #: the folder below which exports lie
    path: str
    #: what recorded them; None: not given
    journal: str | None
    #: reads the password of Ansible Vault; None: the task gives none
    vault_password: Callable[[], bytes] | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        return cls(path=os.path.abspath(params["path"]), journal=params["journal"], vault_password=if_given(params))


@dataclass(frozen=True)
class Options:
    """Of iij_id_export."""

    #: the folder below which exports lie
    path: str
    scim_url: str
    access_token: str = field(repr=False)
    ca_file: str | None
    page_size: int
    pause_ms: int
    #: of users, and of groups, before a list counts as endless
    max_resources: int
    #: so often is everything read until two readings agree
    attempts: int
    #: seconds
    timeout: int
    max_wait_seconds: int
    progress_file: str | None
    #: reads the password of Ansible Vault; raises OffboardError where none is given
    vault_password: Callable[[], bytes]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        for name in ("page_size", "max_resources", "attempts", "timeout"):
            if params[name] < 1:
                raise OffboardError(f"{name} must be 1 at least", code="bad_option")
        return cls(
            path=os.path.abspath(params["path"]),
            scim_url=params["scim_url"],
            access_token=params["access_token"],
            ca_file=params["ca_file"],
            page_size=params["page_size"],
            pause_ms=params["pause_ms"],
            max_resources=params["max_resources"],
            attempts=params["attempts"],
            timeout=params["timeout"],
            max_wait_seconds=params["max_wait_seconds"],
            progress_file=params["progress_file"],
            vault_password=lambda: vault_password(params),
        )
