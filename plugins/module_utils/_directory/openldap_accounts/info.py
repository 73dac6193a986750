# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""openldap_accounts_info: where accounts are in OpenLDAP, read in one session for each account that binds."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ..client import Client
from ..openldap_access import resource as access
from ..openldap_entry import resource as entry
from ..openldap_entry.read import Memory, find, named, named_in
from .options import InfoOptions


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """Of each account, by the name that was given, what the modules of its entry and of its access rules return. Raises OffboardError."""
    options = InfoOptions.of(params)
    with contextlib.closing(Client(options.config, read_only=True)) as client:
        rules, configuration = access.rules(client, options.config_base), access.configuration(client, options.config_base)
    memory = Memory(options.known)
    with contextlib.closing(Client(options.data, read_only=True)) as client:
        accounts = {text: find(client, named(client, account, memory), memory) for text, account in options.accounts.items()}
        others = {text: named_in(client, found.dn, found.entry) for text, found in accounts.items()}
    entries = {text: entry.about(found)["entry"] for text, found in accounts.items()}
    told = {text: access.about(rules, configuration, found.dn) for text, found in accounts.items()}
    clauses, mentions, settings = ({text: one[part] for text, one in told.items()} for part in ("clauses", "mentions", "settings"))
    # an account that has another name by now is there, too, and stops what is done at its former one
    there = any((*entries.values(), *clauses.values(), *(found.refusal for found in accounts.values())))
    named_by, not_searched = ({text: one[part] for text, one in others.items()} for part in (0, 1))
    found = {"entries": entries, "named_in": named_by, "not_searched": not_searched}
    return {**found, "clauses": clauses, "mentions": mentions, "settings": settings, "any_there": there}
