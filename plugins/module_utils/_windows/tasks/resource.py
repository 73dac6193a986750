# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_scheduled_task and its _info twin: reading, saving, changing and verifying what tasks.py decides."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.files import write_atomically
from ..._module.runner import Resource
from .. import registry
from ..client import Client
from . import plan as tasks
from .plan import Task

_POLL_SECONDS = 1.0
_CURRENT_VERSION = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"


def query(machine: registry.Machine) -> list[Task]:
    """All tasks, those in folders and disabled ones too. Raises OffboardError `tasks_unreadable`."""
    answer = machine.run("schtasks.exe", "/query", "/xml", "ONE")
    if answer.exit_code:
        raise OffboardError(
            f"{machine.host}: schtasks does not list the tasks (exit code {answer.exit_code}); is the account an administrator?", code="tasks_unreadable"
        )
    return tasks.parse_query(answer.text)


def environment(machine: registry.Machine) -> dict[str, str]:
    """The machine's folders by environment variable, lower case, as far as actions use them."""
    version = registry.read(machine, _CURRENT_VERSION)[0]
    root, programs = registry.system_root(machine), version.text("ProgramFilesDir")
    found = {
        "systemroot": root,
        "windir": root,
        "systemdrive": root[:2],
        "programfiles": programs,
        "programw6432": programs,
        "programfiles(x86)": version.text("ProgramFilesDir (x86)"),
        "programdata": rf"{root[:2]}\ProgramData",
    }
    return {name: value for name, value in found.items() if value}


def matching(machine: registry.Machine, action_paths: list[str]) -> list[tuple[Task, list[str]]]:
    """The tasks that the action paths mean, with the reasons."""
    every = query(machine)
    known = environment(machine) if tasks.needs_environment(every) or any("%" in path for path in action_paths) else {}
    return [(task, reasons) for task in every if (reasons := tasks.why(task, action_paths, known))]


class ScheduledTasks(Resource):
    """The tasks that the action paths of one Ansible task mean."""

    noun = "scheduled tasks"
    kinds = (tasks.KIND,)
    on_machine = True

    def __init__(self, client: Client, options: Mapping[str, Any]) -> None:
        self._client = client
        self._options = options
        self._state: str = options["state"]
        self._found: dict[str, Task] = {}
        self._saved: dict[str, str] = {}

    def read(self) -> Iterator[Object]:
        """The matching tasks."""
        host = self._client.host
        self._found = {task.id(host): task for task, _why in matching(self._client, self._options["action_paths"])}
        for task in self._found.values():
            yield tasks.object_of(host, task)

    def plan(self, current: Iterable[Object]) -> Plan:
        """Enabled, disabled or removed, each task that is not so already."""
        plan = Plan()
        for item in current:
            enabled = self._state == "enabled"
            if self._state == "absent":
                undo = f'import the saved definition with schtasks /create /tn "{item.name}" /xml FILE, and enter the password of {item.state["run_as"]}'
                plan.changes.append(Change(tasks.KIND, item.id, item.name, "delete", before=dict(item.state), after=None, risk="medium", undo=undo))
            elif item.state["enabled"] != enabled:
                undo = f"the same task with state {'disabled' if enabled else 'enabled'}"
                action = "enable" if enabled else "disable"
                plan.changes.append(Change(tasks.KIND, item.id, item.name, action, before={"enabled": not enabled}, after={"enabled": enabled}, undo=undo))
            else:
                plan.unchanged += 1
        return plan

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this machine's tasks."""
        if mine := [change for change in begun if change.id.startswith(f"{self._client.host}\\")]:
            now = {task.id(self._client.host): task for task in query(self._client)}
            yield from (change for change in mine if _seen(change, now))

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """system_task"""
        hits = tuple(change.name for change in plan.changes if change.name.casefold().startswith(tasks.SYSTEM_FOLDER.casefold()))
        if hits:
            yield Refusal("system_task", f"Windows' own tasks would be changed: {', '.join(hits)}; make action_paths narrower", hits)

    def apply(self, change: Change) -> dict[str, Any]:
        """Save the definition, then change the task."""
        details = {}
        if self._options["backup_dir"]:
            details["saved"] = self._save(self._found[change.id])
        if change.action == "delete":
            answer = self._client.run("schtasks.exe", "/delete", "/tn", change.name, "/f")
        else:
            answer = self._client.run("schtasks.exe", "/change", "/tn", change.name, f"/{change.action}")
        if answer.exit_code:
            raise OffboardError(
                f"schtasks refused to {change.action} {change.name} (exit code {answer.exit_code}: {answer.text.strip() or answer.error.strip()})",
                code="task_refused",
                details={"exit_code": answer.exit_code, **details},
            )
        return details

    def _save(self, task: Task) -> str:
        path = os.path.join(self._options["backup_dir"], task.file_name(self._client.host))
        # The name holds a hash of the definition, so what is there already is the same.
        if not os.path.exists(path):
            # As schtasks /create /xml wants it.
            text = f'<?xml version="1.0" encoding="UTF-16"?>\r\n{task.xml}\r\n'
            write_atomically(path, text.encode("utf-16"))
        self._saved[task.id(self._client.host)] = path
        return path

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read again until every change is seen."""
        end = time.monotonic() + self._options["verify_timeout"]
        while True:
            now = {task.id(self._client.host): task for task in query(self._client)} if len(applied) else {}
            missing = [change for change in applied if not _seen(change, now)]
            if not missing or time.monotonic() > end:
                break
            time.sleep(_POLL_SECONDS)
        for change in missing:
            yield Outcome(change, "failed", "not_seen", f"{change.name} was changed ({change.action}), but is read as before")

    def facts(self, plan: Plan) -> dict[str, Any]:
        """tasks, saved"""
        return {"tasks": [task.name for task in self._found.values()], "saved": self._saved}

    def close(self) -> None:
        """Give back the connection."""
        self._client.close()


def _seen(change: Change, now: Mapping[str, Task]) -> bool:
    task = now.get(change.id)
    if change.after is None:
        return task is None
    return task is not None and task.enabled == change.after["enabled"]


def make(options: Mapping[str, Any]) -> ScheduledTasks:
    """For the runner."""
    tasks.check_action_paths(options["action_paths"])
    return ScheduledTasks(Client(options), options)


def info(options: Mapping[str, Any]) -> dict[str, Any]:
    """What win_scheduled_task_info returns."""
    paths = options["action_paths"]
    client = Client(options)
    try:
        found = matching(client, paths) if paths else [(task, []) for task in query(client)]
    finally:
        client.close()
    return {
        "tasks": [
            {"name": task.name, **tasks.state_of(task), "logon_type": task.logon_type, "triggers": list(task.triggers), "why": reasons}
            for task, reasons in found
        ]
    }
