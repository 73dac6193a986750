# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of the exit demands of its run folder, whatever tasks ran or did not run before it (C(--start-at-task), C(--tags))."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .._core import steps, strict_json
from .._core.errors import OffboardError
from .files import check_run_file


def check(requires: Mapping[str, Any]) -> None:
    """Raises OffboardError `step_not_done`, `unknown_step`, `steps_file_damaged`, `snapshot_missing` or `file_read_failed`."""
    folder = os.path.abspath(requires["run_dir"])
    if requires["steps"]:
        states = _steps(os.path.join(folder, "steps.json"))
        missing = steps.not_done(states, requires["steps"])
        if missing:
            raise steps.not_done_error(states, missing, folder)
    if requires["snapshot"]:
        manifest = _json(os.path.join(folder, "snapshot", "manifest.json"))
        if not isinstance(manifest, dict) or not manifest.get("taken") or not manifest.get("files"):
            raise OffboardError(
                f"There is no complete snapshot in {os.path.join(folder, 'snapshot')}. Nothing is changed without one: run offboard.iij_id.snapshot first, or "
                "name the run folder that has it by offboard_run_dir.",
                code="snapshot_missing",
            )


def _steps(path: str) -> dict[str, dict[str, Any]]:
    content = _json(path)
    if content is None:
        return {}
    try:
        found = {item.id: dict(item.state) for item in map(steps.to_object, map(steps.complete, content["steps"]))}
    except (KeyError, TypeError, ValueError, AttributeError):
        found = None
    if found is None:
        raise OffboardError(f"{path} is not a steps file. Restore it from a backup of the run folder.", code="steps_file_damaged")
    return found


def _json(path: str) -> Any:
    check_run_file(path)
    try:
        with open(path, encoding="utf-8") as stream:
            return strict_json.loads(stream.read())
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
