# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a judgement leaves in the run folder: its findings, for the report, and the draft of the decisions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.plain import to_json
from ..._module.clock import now
from ..._module.files import write_atomically
from .. import preconditions


def keep(folder: str, tenant_id: str | None, findings: Sequence[Mapping[str, Any]], options: Sequence[str] | None, draft: str | None) -> None:
    """Keep the findings: of the final gate with the `options` it has judged, else those of preflight with its `draft`.

    Raises OffboardError `file_write_failed`, and those of `preconditions.info`.
    """
    held = preconditions.info({"run_dir": folder, "run_tenant_id": tenant_id, "requires": None}, None)
    if draft is not None:
        write_atomically(os.path.join(folder, "decisions.draft.yml"), draft.encode())
    if options is not None:
        verdict = {"at": now(), "tenant_id": held["owner"].get("tenant_id", ""), "options": list(options), "findings": findings}
        _write(folder, "final_gate.json", verdict)
    elif held["snapshot"] is None:  # else the exit has begun: the report needs the findings from before it
        _write(folder, "preflight.json", {"findings": findings})


def _write(folder: str, name: str, content: Mapping[str, Any]) -> None:
    write_atomically(os.path.join(folder, "results", name), (to_json(content, indent=4, sort_keys=True) + "\n").encode())
