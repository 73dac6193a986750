# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Linux machine holds of several kinds, read in one session; each kind also alone, for its `_info` module."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from .._module import one_session
from .._module.one_session import Kind
from .accounts import resource as accounts
from .client import Client
from .connection import Connection
from .cron import resource as cron
from .cron.plan import DEFAULT_COMMAND_PATHS
from .files import resource as files
from .files.plan import DEFAULT_SEARCH

_TEXTS: dict[str, Any] = {"type": "list", "elements": "str"}

#: How each kind is read, under the name of its option of linux_machine_info.
READ: dict[str, Kind[Client]] = {
    "cron_jobs": Kind(cron.InfoOptions.of, cron.info),
    "files": Kind(files.InfoOptions.of, files.info),
    "accounts": Kind(accounts.InfoOptions.of, accounts.info),
}
#: The options of each kind, those of its own `_info` module.
OPTIONS: dict[str, dict[str, Any]] = {
    "cron_jobs": {"command_paths": {**_TEXTS, "default": list(DEFAULT_COMMAND_PATHS)}, "except_jobs": {**_TEXTS, "default": []}},
    "files": {"paths": {**_TEXTS, "default": []}, "search": {**_TEXTS, "default": list(DEFAULT_SEARCH)}},
    "accounts": {"names": {**_TEXTS, "default": []}},
}


def _connect(params: Mapping[str, Any]) -> Client:
    return Client(Connection.from_params(params))


def info_of(kind: str) -> one_session.Info:
    """The reader of one kind, with a session of its own."""
    return one_session.of_one(_connect, READ[kind])


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """What linux_machine_info returns: of each kind that is asked for what its own module returns; accounts also of the jobs and files that are found."""
    asked = one_session.parsed(params, READ)
    named: accounts.InfoOptions | None = asked.pop("accounts", None)
    with closing(_connect(params)) as client:
        found = {name: READ[name].read(client, options) for name, options in asked.items()}
        if named is not None:
            starts = [one for kind in ("jobs", "timers", "other_starts") for one in found.get("cron_jobs", {}).get(kind, ())]
            runs = [one.get("runs_as") or one["user"] for one in starts]
            owns = [item.get("owner") for item in found.get("files", {}).get("files", ())]
            found["accounts"] = accounts.info(
                client, accounts.InfoOptions.named([*named.names, *(name for name in (*runs, *owns) if name and name not in ("root", "*"))])
            )
        return found
