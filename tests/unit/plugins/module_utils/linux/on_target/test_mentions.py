# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.on_target import mentions


def test_files_that_name_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain ones on a disk, without remarks, and none of which is known what it starts."""
    etc = tmp_path / "etc"
    monkeypatch.setattr(mentions, "FOLDERS", (str(etc), str(tmp_path / "none")))
    monkeypatch.setattr(mentions, "mount_points", lambda: {"/": ("ext4", ""), f"{etc}/far": ("nfs4", "")})
    texts = {
        "supervisor/conf.d/a.ini": "[program:a]\n; Agent\ncommand=/opt/Agent/bin/run.sh\n",
        "inittab": "x:3:respawn:/opt/Agent/bin/run.sh\n",
        "sv/a/run": "#!/bin/sh\n  # Agent\nexec /opt/other\n",
        "cron.d/a": "@daily root /opt/Agent/bin/run.sh\n",
        "far/a": "/opt/Agent\n",
        "other": "/opt/agents\n",
        "long": "/opt/Agent\n" + "x" * 1000000,
        "binary": "\0\n\0/opt/Agent\0",
    }
    for name, text in texts.items():
        (etc / name).parent.mkdir(parents=True, exist_ok=True)
        (etc / name).write_text(text)
    (etc / "link").symlink_to(etc / "inittab")
    (etc / "circle").symlink_to(etc)
    os.mkfifo(etc / "pipe")
    assert mentions.named_in(["Agent"], [f"{etc}/cron.d"]) == [f"{etc}/{name}" for name in ("binary", "inittab", "supervisor/conf.d/a.ini")]
    assert mentions.named_in(["Agent"], [str(etc)]) == mentions.named_in([], []) == []
