# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the collection's own playbooks and steps, from which everything in AWX is made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..._core.errors import OffboardError
from . import plan
from .options import InfoOptions


def _texts(folder: Path, pattern: str) -> dict[Path, str]:
    try:
        return {file: file.read_text(encoding="utf-8") for file in sorted(folder.glob(pattern))}
    except (OSError, UnicodeDecodeError) as exc:
        raise OffboardError(f"cannot read the playbooks in {folder}: {exc}", code="file_read_failed") from exc


def info(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    options = InfoOptions.of(params)
    root = options.collection
    playbooks = {file.stem: text for file, text in _texts(root, "playbooks/*.yml").items()}
    if plan.ORDER not in playbooks:
        raise OffboardError(f"{root} is not the folder of the collection: it has no playbooks/{plan.ORDER}.yml", code="file_missing")
    steps = [step for text in _texts(root, "roles/*/vars/steps.yml").values() for step in re.findall(r"^ *- id: (\w+)", text, re.MULTILINE)]
    steps += options.steps_of_services
    wanted = plan.WantedSetup(playbooks=playbooks, steps=steps, **options.wanted)
    files = [{"name": f"{stage}.yml", "content": plan.project_file(stage)} for stage in plan.stages(playbooks)]
    return {"files": files, **plan.compare(wanted, options.found, absent=options.absent, check_mode=check_mode)}
