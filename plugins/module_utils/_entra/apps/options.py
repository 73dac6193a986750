# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of applications: parsed, and checked before anything is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError


@dataclass(frozen=True)
class Options:
    """Of entra_app. None: not given."""

    client_id: str
    #: `present` or `absent`
    state: str
    enabled: bool | None
    #: to enable only what a task with the same journal has disabled
    only_disabled: bool
    remove_grants: bool
    restore_ids: Sequence[str]
    only_there: bool
    #: the folder of the snapshot that the task demands
    snapshot: str | None
    journal: str | None
    #: where the run folder's snapshot lies, whether or not it is demanded; "" where there is neither `requires` nor a journal
    kept: str
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        client_id = names.uuid(params["app_id"])
        if not names.is_uuid(client_id):
            raise OffboardError(f"app_id {params['app_id']!r} is not a client id (UUID); names match more than one thinks", code="bad_option")
        requires, journal = params["requires"] or {}, params["journal"] or None
        run_dir = requires.get("run_dir") or (os.path.dirname(journal) if journal else None)
        return cls(
            client_id=client_id,
            state=params["state"],
            enabled=params["enabled"],
            only_disabled=params["only_disabled"],
            remove_grants=params["grants"] == "remove",
            restore_ids=params["restore_ids"],
            only_there=params["only_there"],
            snapshot=os.path.join(requires["run_dir"], "snapshot") if requires.get("snapshot") else None,
            journal=journal,
            kept="" if run_dir is None else os.path.join(run_dir, "snapshot"),
            verify_timeout=params["verify_timeout"],
        )


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_app_info."""

    client_ids: Sequence[str]
    #: regular expressions
    name_patterns: Sequence[str]
    #: as `names.host` gives them
    hosts: Sequence[str]
    #: 0: the log is not read
    activity_hours: int

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        for pattern in params["name_patterns"]:
            try:
                re.compile(pattern)
            except re.error as exc:
                raise OffboardError(f"name_patterns: {pattern!r} is not a regular expression: {exc}", code="bad_option") from exc
        return cls(
            client_ids=[names.uuid(client_id) for client_id in params["client_ids"]],
            name_patterns=params["name_patterns"],
            hosts=names.idp_hosts(params["hosts"]),
            activity_hours=params["activity_hours"],
        )
