# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine starts by itself, by one reading."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import plan as cron
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron import starters
from ansible_collections.offboard.iij_id.plugins.module_utils._linux.cron.read import starts

SCRIPT = "/opt/IIJ_ID_Service_Directory_Sync/bin/normal_mode.sh"
SERVICE = {"name": "iij.service", "service": "iij.service", "path": "/etc/systemd/system/iij.service", "user": "", "uid": None, "home": "/root", "folder": ""}
AT = {"number": 1, "path": "/var/spool/at/a0", "user": "root", "home": "/root", "script": "systemctl start iij\n"}


class Machine:
    """Answers as `on_target` does: one crontab of root, a service that is not enabled, a job of at."""

    host = "agent01"

    def __init__(self, line: str, *others: dict[str, Any]) -> None:
        self.others = others
        content = base64.b64encode(f"30 3 * * * {line}\n".encode()).decode()
        self.crontab = {"place": "user:root", "kind": "user", "user": "root", "home": "/root", "content": content, "mode": None, "link": ""}

    def ask(self, operation: str, **arguments: Any) -> Any:
        if operation == "real_paths":
            return {}
        units = [{**SERVICE, "commands": [SCRIPT], "environment": [], "runs_as": "", "enabled": False}, *self.others]
        return {"places": [self.crontab], "orphans": [], "homes": {}, "units": units, "at_jobs": [AT], "not_looked_at": []}


@pytest.mark.parametrize(
    ("line", "meant"), [("systemctl start iij.service", True), ("systemctl restart iij", True), ("systemctl stop iij", False), ("true", False)]
)
def test_who_has_systemd_start_a_service_starts_what_that_does(line, meant):
    found = starts(Machine(line))  # type: ignore[arg-type]
    paths = list(cron.DEFAULT_COMMAND_PATHS)
    assert [bool(cron.why(job, paths, found.real)) for job in found.jobs] == [meant]
    assert [(one.name, one.enabled) for one, _why in starters.meant(found.others, paths, found.real, [])] == [("iij.service", False), ("at:1", True)]


def test_a_unit_whose_service_has_systemd_start_another_one_starts_what_that_does():
    """Through any number of them, also in a circle."""
    more = {**SERVICE, "environment": [], "runs_as": "", "enabled": True}
    timer = {**more, "name": "night.timer", "service": "night.service", "commands": ["/usr/bin/systemctl start evening"]}
    evening = {**more, "name": "evening.service", "service": "evening.service", "enabled": False, "commands": ["systemctl start iij night.timer"]}
    found = starts(Machine("systemctl start night.timer", timer, evening))  # type: ignore[arg-type]
    paths = list(cron.DEFAULT_COMMAND_PATHS)
    told = [(one.name, one.enabled) for one, _why in starters.meant(found.others, paths, found.real, [])]
    assert ("night.timer", True) in told and ("evening.service", False) in told
    assert [bool(cron.why(job, paths, found.real)) for job in found.jobs] == [True]
