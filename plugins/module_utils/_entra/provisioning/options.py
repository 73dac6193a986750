# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of the provisioning: parsed, and checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError
from ..._offboarding import gate
from ..apps.audit import check_client_id
from ..domains.read import named_domains


@dataclass(frozen=True)
class CensusOptions:
    """Whose state is settled, so that nobody need judge it."""

    #: userPrincipalNames or ids, as they are compared
    also_enable: frozenset[str]
    exclude: frozenset[str]
    #: a JSON-lines file as entra_users takes it
    src: str | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> CensusOptions:
        """Raises OffboardError `bad_option`."""
        return cls(
            also_enable=frozenset(names.check_users("also_enable", params["also_enable"])),
            exclude=frozenset(names.check_users("exclude", params["exclude"])),
            src=params["src"] or None,
        )


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_provisioning_info. None: not given."""

    domains: frozenset[str]
    client_ids: Sequence[str]
    census: CensusOptions
    max_blocked_percent: int
    #: where the proposal goes
    path: str | None
    #: where the names of those who are blocked go
    blocked_path: str | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        domains, census = named_domains("domains", params["domains"]), CensusOptions.of(params)
        client_ids = [client_id for client_id in map(names.uuid, params["client_ids"]) if client_id]
        for client_id in client_ids:
            check_client_id(client_id)
        return cls(
            domains=domains,
            client_ids=client_ids,
            census=census,
            max_blocked_percent=params["max_blocked_percent"],
            path=params["path"] or None,
            blocked_path=params["blocked_path"],
        )


@dataclass(frozen=True)
class Options:
    """Of entra_provisioning_gate."""

    #: where the verdict lies
    path: str
    #: of IIJ ID's app; "" where there is none
    client_id: str
    #: of its forgotten apps, which may be at work as well
    old_client_ids: Sequence[str]
    domains: Sequence[str]
    #: 0: the log is not read
    activity_hours: int
    token_minutes: int
    language: str
    #: what the run folder must hold, as `preconditions.check` takes it; None: not given
    requires: Mapping[str, Any] | None
    #: whether a closed gate is a failure
    required: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        client_id = names.uuid(params["app_id"])
        if client_id and not names.is_uuid(client_id):
            raise OffboardError(f"app_id {params['app_id']!r} is not a client id (UUID); names match more than one thinks", code="bad_option")
        old = [one for one in map(names.uuid, params["old_app_ids"]) if one and one != client_id]
        for one in old:
            check_client_id(one)
        gate.judge("", (), "", params["activity_hours"], ())  # a bad number is told before anything is read
        return cls(
            path=os.path.abspath(params["path"]),
            client_id=client_id,
            old_client_ids=old,
            domains=params["domains"],
            activity_hours=params["activity_hours"],
            token_minutes=params["token_minutes"],
            language=params["language"],
            requires=params["requires"] or None,
            required=params["required"],
        )
