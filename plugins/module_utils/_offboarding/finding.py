# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One thing that stands in the way, or should be known. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._core.text import Text

#: blocker: the stage must not go on. warning: a person should decide. info: good to know.
SEVERITIES = ("blocker", "warning", "info")
SEVERITY_NAMES = {"blocker": Text("Blocker", "要対応"), "warning": Text("Warning", "警告"), "info": Text("Fact", "事実")}


@dataclass(frozen=True)
class Finding:
    """One fact that matters. `code` is lower_snake_case and stable between releases."""

    severity: str
    code: str
    text: Text
    objects: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable, with the text as `en` and `ja`."""
        return {"severity": self.severity, "code": self.code, **self.text._asdict(), "objects": list(self.objects)}
