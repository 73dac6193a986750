# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of cron jobs: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._module.vault_password import if_given
from .plan import check_command_paths


@dataclass(frozen=True)
class InfoOptions:
    """Of linux_cron_job_info: which jobs are looked for."""

    #: folders or programs that jobs start
    command_paths: Sequence[str]
    #: jobs, places or timers that are left alone
    except_jobs: Sequence[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `action_path_too_broad`."""
        check_command_paths(params["command_paths"])
        return cls(command_paths=params["command_paths"], except_jobs=params["except_jobs"])


@dataclass(frozen=True)
class Options(InfoOptions):
    """Of linux_cron_job."""

    #: those that are confirmed
    jobs: Sequence[Mapping[str, Any]]
    #: `present`, `disabled` or `absent`
    state: str
    #: where places are saved; "": nowhere
    backup_dir: str
    #: reads the password with which they are saved; None: in clear
    vault_password: Callable[[], bytes] | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `action_path_too_broad`."""
        return cls(
            **vars(InfoOptions.of(params)),
            jobs=params["jobs"],
            state=params["state"],
            backup_dir=params["backup_dir"] or "",
            vault_password=if_given(params) if params["backup_dir"] else None,
        )
