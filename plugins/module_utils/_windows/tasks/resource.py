# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_scheduled_task and its _info twin: reading, saving, changing and verifying what tasks.py decides."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import journal, phrases, vault
from ..._core.confirmations import task_name
from ..._core.errors import OffboardError
from ..._core.machine_ids import is_of
from ..._core.model import Change, Object, Outcome, Refusal, Skip
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module import waiting
from ..._module.files import read_journal, write_atomically
from ..._module.runner import Resource
from .. import registry
from ..client import Client
from ..connection import Connection
from . import plan as tasks
from .options import InfoOptions, Options
from .plan import Task


def query(machine: registry.RegistryConnection) -> list[Task]:
    """All tasks, those in folders and disabled ones too. Raises OffboardError `tasks_unreadable`."""
    answer = machine.run("schtasks.exe", "/query", "/xml", "ONE")
    if answer.exit_code:
        raise OffboardError(
            f"{machine.host}: schtasks does not list the tasks (exit code {answer.exit_code}); is the account an administrator?", code="tasks_unreadable"
        )
    return tasks.parse_query(answer.text)


def looked_for(machine: registry.RegistryConnection, options: InfoOptions) -> list[tuple[Task, list[str], list[str]]]:
    """Every task but the excepted ones, with the reasons why the action paths mean it, and where there are none, why they may mean it nevertheless."""
    every = [task for task in query(machine) if task_name(task.name) not in options.except_names]
    paths = options.action_paths
    known = registry.environment(machine) if tasks.needs_environment(every) or any("%" in path for path in paths) else {}
    found = [(task, tasks.why(task, paths, known)) for task in every]
    return [(task, why, [] if why else tasks.perhaps(task, paths, known)) for task, why in found]


class ScheduledTasks(Resource):
    """The tasks that the action paths of one Ansible task mean."""

    noun = "scheduled tasks"
    kinds = (tasks.KIND,)
    on_machine = True

    def __init__(self, client: Client, options: Options, password: bytes | None = None) -> None:
        """password: definitions are saved with it as files of Ansible Vault, since what a task is started with may hold a secret."""
        self._client = client
        self._options = options
        self._password = password
        self._found: dict[str, Task] = {}
        self._unconfirmed: list[tuple[Task, list[str]]] = []
        self._not_meant: list[Task] = []
        #: confirmed, not recognised, and yet they name what is looked for
        self._perhaps: list[tuple[Task, list[str]]] = []
        #: every task of the machine, and those that are excepted
        self._names: list[str] = []
        self._saved: dict[str, str] = {}

    def read(self) -> Iterator[Object]:
        """The tasks that match and are confirmed. Those that only match are candidates, those that are only confirmed start something else by now."""
        host, confirmed = self._client.host, self._options.tasks
        self._found, self._unconfirmed, self._not_meant, self._perhaps = {}, [], [], []
        self._names = list(self._options.except_names)
        for task, why, perhaps in looked_for(self._client, self._options):
            self._names.append(task.name)
            if why and task.is_confirmed(confirmed):
                self._found[task.id(host)] = task
            elif why:
                self._unconfirmed.append((task, why))
            elif task.is_confirmed(confirmed) and perhaps and task.enabled and self._options.state != "enabled":
                self._perhaps.append((task, perhaps))
            elif task.is_confirmed(confirmed):
                self._not_meant.append(task)
        for task in self._found.values():
            yield tasks.object_of(host, task)

    def plan(self, current: Iterable[Object]) -> Plan:
        """Enabled, disabled or removed, each task that is not so already."""
        plan, current = Plan(), list(current)
        enabled = self._options.state == "enabled"
        if enabled and not current and (saved := [path for paths in self._gone().values() for path in paths]):
            raise OffboardError(
                f"{self._client.host} has no such task any more, so nothing can be enabled. Its definition is saved: {', '.join(saved)}. "
                "Install the agent again, import the file with schtasks /create /tn NAME /xml FILE, and enter the password of its account.",
                code="task_gone",
                details={"saved": saved},
            )
        before = self._disabled_before(current) if enabled and self._options.only_disabled else []
        plan.leave_disabled(before)
        for item in current:
            if item in before:
                continue
            if self._options.state == "absent":
                undo = phrases.english("undo_task_deleted", name=item.name, account=item.state["run_as"])
                plan.changes.append(Change(tasks.KIND, item.id, item.name, "delete", before=dict(item.state), after=None, risk="medium", undo=undo))
            elif item.state["enabled"] != enabled:
                undo = phrases.english("undo_same_state", state="disabled" if enabled else "enabled")
                action = "enable" if enabled else "disable"
                plan.changes.append(Change(tasks.KIND, item.id, item.name, action, before={"enabled": not enabled}, after={"enabled": enabled}, undo=undo))
            else:
                plan.unchanged += 1
        for task in self._not_meant:
            msg = f"it is confirmed, but starts nothing of action_paths: {'; '.join(action.shown() for action in task.actions) or '(no program)'}"
            plan.skipped.append(Skip(tasks.KIND, task.id(self._client.host), task.name, "other_action", msg))
        return plan

    def _disabled_before(self, current: Iterable[Object]) -> list[Object]:
        """Those that are disabled, and not by a task with the same journal."""
        mine = {record["id"].casefold() for record in journal.disabled_last(read_journal(self._options.journal) if self._options.journal else (), tasks.KIND)}
        return [item for item in current if not item.state["enabled"] and item.id.casefold() not in mine]

    def _gone(self) -> dict[str, list[str]]:
        """What lies in backup_dir of tasks that the machine has no longer: paths by how their names begin."""
        if not (folder := self._options.backup_dir):
            return {}
        saved = sorted(os.path.basename(path) for path in glob.glob(os.path.join(glob.escape(folder), "*.xml")))
        found = tasks.gone(saved, self._client.host, self._names)
        return {name: [os.path.join(folder, file) for file in files] for name, files in found.items()}

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this machine's tasks."""
        if mine := [change for change in begun if is_of(self._client.host, change.id)]:
            now = {task.id(self._client.host): task for task in query(self._client)}
            yield from (change for change in mine if _seen(change, now))

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """The rules not_confirmed, other_action, system_task, vault_password_missing, task_gone."""
        for task, why in self._unconfirmed:
            if self._options.state == "absent" or task.enabled != (self._options.state == "enabled"):
                yield Refusal(
                    "not_confirmed",
                    f"{task.name} is a candidate ({'; '.join(why)}), and nobody has confirmed it",
                    (task.name,),
                    phrases.english("allow_confirmed_or_kept", setting=f"{{name: '{task.name}'}}", option="tasks", name=f"'{task.name}'", kept="except_names"),
                )
        # it would run on, and the stage would say "ok"
        for task, why in self._perhaps:
            yield Refusal(
                "other_action",
                f"{task.name} is confirmed and enabled, but nobody can tell from its action whether it starts what action_paths mean ({'; '.join(why)}). "
                f'If it does, disable it on the machine (schtasks /change /tn "{task.name}" /disable) and run this again; else take it out of tasks',
                (task.name,),
                phrases.english("allow_by_hand", name=f"'{task.name}'"),
            )
        # what the machine has is enabled only together with what it has no longer, so that nobody takes a part for the whole
        for name, files in self._gone().items() if self._options.state == "enabled" else ():
            msg = (
                f"A task is gone from {self._client.host} whose definition is saved: {', '.join(files)}. Import it "
                "with schtasks /create /tn NAME /xml FILE (encrypted ones after ansible-vault decrypt --output), and enter the password of its account"
            )
            yield Refusal("task_gone", msg, (name,), phrases.english("allow_task_gone"))
        hits = tuple(change.name for change in plan.changes if change.name.casefold().startswith(tasks.SYSTEM_FOLDER.casefold()))
        for change in plan.changes if self._options.backup_dir and not self._password else ():
            if self._found[change.id].holds_a_secret:
                msg = f"{change.name} is started with what may be a password, and its definition would be saved in clear"
                yield Refusal("vault_password_missing", msg, (change.name,), phrases.english("allow_encryption"))
        if hits:
            yield Refusal("system_task", f"Windows' own tasks would be changed: {', '.join(hits)}; make action_paths narrower", hits)

    def apply(self, change: Change) -> dict[str, Any]:
        """Save the definition, then change the task, if it is still the one that was read."""
        details = {}
        if self._options.backup_dir:
            details["saved"] = self._save(self._found[change.id])
        there = {task.id(self._client.host): task for task in query(self._client)}.get(change.id)
        if there is None or there.xml != self._found[change.id].xml:
            what = "has disappeared" if there is None else "was changed"
            raise OffboardError(f"{change.name} {what} since it was read; look at it, and run the task again", code="changed_since_read", details=details)
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
        path = os.path.join(self._options.backup_dir, task.file_name(self._client.host, self._password or b""))
        # The name holds a hash of the definition, so what is there already is the same.
        if not os.path.exists(path):
            # As schtasks /create /xml wants it.
            content = f'<?xml version="1.0" encoding="UTF-16"?>\r\n{task.xml}\r\n'.encode("utf-16")
            if self._password:
                content = vault.encrypt(content, self._password, os.urandom(32))
            write_atomically(path, content)
        self._saved[task.id(self._client.host)] = path
        return path

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read again until every change is seen."""
        changes = {change.id: change for change in applied}

        def shown(keys: list[str]) -> set[str]:
            now = {task.id(self._client.host): task for task in query(self._client)}
            return {key for key in keys if _seen(changes[key], now)}

        for key in waiting.not_shown(changes, shown, self._options.verify_timeout, agreeing=waiting.ONE_READ):
            msg = f"{changes[key].name} was changed ({changes[key].action}), but is read as before"
            yield Outcome(changes[key], "failed", "not_seen", msg)

    def facts(self, plan: Plan) -> dict[str, Any]:
        there = bool(self._found or self._not_meant or self._perhaps)
        return {"tasks": [task.name for task in self._found.values()], "nothing_found": bool(self._options.tasks) and not there, "saved": self._saved}

    def close(self) -> None:
        self._client.close()


def _seen(change: Change, now: Mapping[str, Task]) -> bool:
    task = now.get(change.id)
    if change.after is None:
        return task is None
    return task is not None and task.enabled == change.after["enabled"]


def make(params: Mapping[str, Any]) -> ScheduledTasks:
    options = Options.of(params)
    return ScheduledTasks(Client(Connection.from_params(params)), options, options.vault_password() if options.vault_password else None)


def info(client: Client, options: InfoOptions) -> dict[str, Any]:
    found = looked_for(client, options)
    return {
        "tasks": [_told(task, why) for task, why, _perhaps in found if why or not options.action_paths],
        "perhaps": [_told(task, perhaps) for task, _why, perhaps in found if perhaps],
    }


def _told(task: Task, why: Sequence[str]) -> dict[str, Any]:
    return {"name": task.name, **tasks.state_of(task), "logon_type": task.logon_type, "triggers": list(task.triggers), "why": list(why)}
