# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on the machine reads nothing of this computer here: the lab's tests write crontabs and tables of incron into it at the same time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target import accounts, at, boot, cron, incron, mentions, units

ROOMS = (accounts, at, boot, cron, incron, mentions, units)


def moved(value: Any, root: Path) -> Any:
    """The same place below `root`, in whatever holds it."""
    if isinstance(value, str):
        return f"{root}{value}" if value.startswith("/") else value
    if isinstance(value, dict):
        return {moved(path, root): kind for path, kind in value.items()}
    return tuple(moved(item, root) for item in value) if isinstance(value, tuple) else value


@pytest.fixture(autouse=True)
def _no_place_of_this_computer(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every place that a room names as a constant is one in an empty folder, until a test says otherwise."""
    root = tmp_path_factory.mktemp("no-machine")
    for room in ROOMS:
        for name, value in vars(room).items():
            if name.isupper() and (places := moved(value, root)) != value:
                monkeypatch.setattr(room, name, places)
