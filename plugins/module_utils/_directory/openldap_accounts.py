# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""openldap_accounts_info: where accounts are in OpenLDAP, read in one session for each account that binds."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from .._core import dn as names
from .client import Client
from .openldap_access import resource as access
from .openldap_entry import resource as entry


def info(options: Mapping[str, Any]) -> dict[str, Any]:
    """Of each account what the modules of its entry and of its access rules return. Raises OffboardError."""
    accounts = {dn: names.checked(dn) for dn in options["dns"]}
    others = {name: options[f"config_{name}"] or options[name] for name in ("username", "password")}
    with contextlib.closing(Client({**options, **others}, read_only=True)) as client:
        rules = access.rules(client, options["config_base"])
    with contextlib.closing(Client(options, read_only=True)) as client:
        entries = {dn: entry.about(client, checked)["entry"] for dn, checked in accounts.items()}
    found = {dn: access.about(rules, checked) for dn, checked in accounts.items()}
    clauses, mentions = ({dn: one[part] for dn, one in found.items()} for part in ("clauses", "mentions"))
    return {"entries": entries, "clauses": clauses, "mentions": mentions, "any_there": any((*entries.values(), *clauses.values()))}
