# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of the users' readiness: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core import names
from ..._module.vault_password import vault_password
from ..domains.read import named_domains


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_users_readiness_info. Users as they are compared. None: not given."""

    domains: frozenset[str]
    exclude: frozenset[str]
    also_enable: frozenset[str]
    #: users, or whole domains as `@domain`
    signs_in_otherwise: frozenset[str]
    synced_password: str
    snapshot: str | None
    src: str | None
    journal: str | None
    handover_file: str | None
    results_file: str | None
    #: reads the password of Ansible Vault; raises OffboardError where none is given
    vault_password: Callable[[], bytes]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        return cls(
            domains=named_domains("domains", params["domains"]),
            exclude=frozenset(names.check_users("exclude", params["exclude"])),
            also_enable=frozenset(names.check_users("also_enable", params["also_enable"])),
            signs_in_otherwise=frozenset(names.check_users("signs_in_otherwise", params["signs_in_otherwise"], whole_domains=True)),
            synced_password=params["synced_password"],
            snapshot=params["snapshot"] or None,
            src=params["src"] or None,
            journal=params["journal"] or None,
            handover_file=params["handover_file"] or None,
            results_file=params["results_file"],
            vault_password=lambda: vault_password(params),
        )
