# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Linux machine holds of several kinds, read in one session; each kind also alone, for its `_info` module."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from .._module import one_session
from .accounts import resource as accounts
from .client import Client
from .cron import resource as cron
from .cron.plan import DEFAULT_COMMAND_PATHS
from .files import resource as files
from .files.plan import DEFAULT_SEARCH

_TEXTS: dict[str, Any] = {"type": "list", "elements": "str"}

#: How each kind is read, under the name of its option of linux_machine_info.
READ: dict[str, one_session.Read[Client]] = {"cron_jobs": cron.info, "files": files.info, "accounts": accounts.info}
#: The options of each kind, those of its own `_info` module.
OPTIONS: dict[str, dict[str, Any]] = {
    "cron_jobs": {"command_paths": {**_TEXTS, "default": list(DEFAULT_COMMAND_PATHS)}, "except_jobs": {**_TEXTS, "default": []}},
    "files": {"paths": {**_TEXTS, "default": []}, "search": {**_TEXTS, "default": list(DEFAULT_SEARCH)}},
    "accounts": {"names": {**_TEXTS, "default": []}},
}


def info_of(kind: str) -> one_session.Info:
    """The reader of one kind, with a session of its own."""
    return one_session.of_one(Client, READ[kind])


def info(options: Mapping[str, Any]) -> dict[str, Any]:
    """What linux_machine_info returns: of each kind that is asked for what its own module returns; accounts also of the jobs and files that are found."""
    with closing(Client(options)) as client:
        found = {kind: READ[kind](client, options[kind]) for kind in ("cron_jobs", "files") if options[kind] is not None}
        if options["accounts"] is not None:
            runs = [job["user"] for job in found.get("cron_jobs", {}).get("jobs", ())]
            owns = [item.get("owner") for item in found.get("files", {}).get("files", ())]
            names = [*options["accounts"]["names"], *(name for name in (*runs, *owns) if name and name != "root")]
            found["accounts"] = accounts.info(client, {"names": names})
        return found
