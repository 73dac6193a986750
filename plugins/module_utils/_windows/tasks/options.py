# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of scheduled tasks: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.confirmations import task_name
from ..._module.vault_password import if_given
from .plan import check_action_paths


@dataclass(frozen=True)
class InfoOptions:
    """Of win_scheduled_task_info: which tasks are looked for."""

    #: folders or programs that tasks start
    action_paths: Sequence[str]
    #: tasks that are left alone, as they are compared
    except_names: frozenset[str]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        return cls(action_paths=params["action_paths"], except_names=frozenset(map(task_name, params["except_names"])))


@dataclass(frozen=True)
class Options(InfoOptions):
    """Of win_scheduled_task."""

    #: those that are confirmed, by name or by what they start
    tasks: Sequence[Any]
    #: `enabled`, `disabled` or `absent`
    state: str
    #: where definitions are saved; "": nowhere
    backup_dir: str
    #: reads the password with which they are saved; None: in clear
    vault_password: Callable[[], bytes] | None
    #: to enable only what a task with the same journal has disabled
    only_disabled: bool
    journal: str | None
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `action_path_too_broad`."""
        check_action_paths(params["action_paths"])
        return cls(
            **vars(InfoOptions.of(params)),
            tasks=params["tasks"],
            state=params["state"],
            backup_dir=params["backup_dir"] or "",
            vault_password=if_given(params) if params["backup_dir"] else None,
            only_disabled=params["only_disabled"],
            journal=params["journal"] or None,
            verify_timeout=params["verify_timeout"],
        )
