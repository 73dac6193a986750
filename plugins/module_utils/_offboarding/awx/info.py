# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the collection's own playbooks and steps, from which everything in AWX is made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..._core.errors import OffboardError
from ..steps import services
from . import plan


def _texts(folder: Path, pattern: str) -> dict[Path, str]:
    try:
        return {file: file.read_text(encoding="utf-8") for file in sorted(folder.glob(pattern))}
    except (OSError, UnicodeDecodeError) as exc:
        raise OffboardError(f"cannot read the playbooks in {folder}: {exc}", code="file_read_failed") from exc


def info(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    root = Path(params["collection"])
    playbooks = {file.stem: text for file, text in _texts(root, "playbooks/*.yml").items()}
    if plan.ORDER not in playbooks:
        raise OffboardError(f"{root} is not the folder of the collection: it has no playbooks/{plan.ORDER}.yml", code="file_missing")
    steps = [step for text in _texts(root, "roles/*/vars/steps.yml").values() for step in re.findall(r"^ *- id: (\w+)", text, re.MULTILINE)]
    steps += [services.step_id(service) for service in params["services"] if service.get("id") or service.get("name")]
    given = {name: params[name] for name in plan.WantedSetup.__dataclass_fields__ if name in params}
    wanted = plan.WantedSetup(playbooks=playbooks, steps=steps, **given)
    files = [{"name": f"{stage}.yml", "content": plan.project_file(stage)} for stage in plan.stages(playbooks)]
    return {"files": files, **plan.compare(wanted, params["found"], absent=params["state"] == "absent", check_mode=check_mode)}
