# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of encrypted files: parsed before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._module.vault_password import vault_password


@dataclass(frozen=True)
class Options:
    """Of vault_file: what is written, and where."""

    path: str
    content: bytes = field(repr=False)
    #: what the file holds, in clear; None: nobody is told
    holds: Mapping[str, Any] | None
    journal: str | None
    run_tenant_id: str | None
    #: reads the password of Ansible Vault; raises OffboardError where none is given
    vault_password: Callable[[], bytes]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        return cls(
            path=os.path.abspath(params["path"]),
            content=params["content"].encode(),
            holds=params["holds"] or None,
            journal=params["journal"] or None,
            run_tenant_id=params["run_tenant_id"],
            vault_password=lambda: vault_password(params),
        )


@dataclass(frozen=True)
class InfoOptions:
    """Of vault_file_info: what is opened."""

    paths: Sequence[str]
    #: reads the password of Ansible Vault; raises OffboardError where none is given
    vault_password: Callable[[], bytes]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        return cls(paths=params["paths"], vault_password=lambda: vault_password(params))
