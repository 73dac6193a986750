# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""linux_cron_job and its _info twin: reading, saving, changing and verifying what plan.py decides."""

from __future__ import annotations

import base64
import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from ..._core import phrases, vault
from ..._core.errors import OffboardError
from ..._core.machine_ids import is_of
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plain import file_part
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.files import write_atomically
from ..._module.runner import Resource
from ..client import Client
from ..connection import Connection
from . import plan as cron
from . import starters
from .options import InfoOptions, Options
from .plan import Job, Place
from .read import starts
from .starters import Starter


class _Found:
    """What one reading of the machine has given, and what of it is meant."""

    def __init__(self, client: Client, command_paths: Sequence[str], excepted: Sequence[str], *, with_names: bool = False) -> None:
        self._names = cron.folder_names(command_paths) if with_names else []
        self.all = starts(client, self._names)
        real = self.all.real
        self.meant = [(job, why) for job in self.all.jobs if (why := cron.why(job, command_paths, real)) and not _excepted(job, excepted)]
        self.others = starters.meant(self.all.others, command_paths, real, excepted)
        self._command_paths, self._excepted = command_paths, excepted

    def besides(self, job: Job) -> list[str]:
        """What else a script starts that is meant, or by which the agent is started."""
        return cron.does_more(job, self._command_paths, self.all.real, self.all.behind)

    def named_by(self) -> list[str]:
        """What names what is meant, and is not seen to start it: jobs, what else starts something, and files of the configuration."""
        meant = {id(one) for one, _why in (*self.meant, *self.others)}
        jobs = [job.name for job in self.all.jobs if job.enabled and id(job) not in meant and self._names_it(job) and not _excepted(job, self._excepted)]
        others = [one for one in self.all.others if one.enabled and id(one) not in meant and self._names_it(one)]
        told = [*((one.name, one.path) for one in others), *((path, path) for path in self.all.named_in)]
        return [*jobs, *(name for name, path in told if not {name, path} & {*self._excepted})]

    def _names_it(self, one: Job | Starter) -> bool:
        texts = [*(one.written if isinstance(one, Job) else one.commands), *(self.all.scripts.get(path, "") for _name, path in (*one.programs, *one.through))]
        return cron.are_named(texts, self._command_paths, self._names)


def _excepted(job: Job, excepted: Sequence[str]) -> bool:
    return any(job.is_confirmed([{"command": text}]) or text == job.place.name for text in excepted)


class CronJobs(Resource):
    """The jobs that the command paths of one task mean."""

    noun = "cron jobs"
    kinds = (cron.KIND,)
    on_machine = True

    def __init__(self, client: Client, options: Options, password: bytes | None = None) -> None:
        self._client = client
        self._options = options
        self._password = password
        self._jobs: dict[str, Job] = {}
        self._unconfirmed: list[tuple[Job, list[str]]] = []
        self._saved: dict[str, str] = {}

    @cached_property
    def _found(self) -> _Found:
        return self._look()

    def _look(self) -> _Found:
        return _Found(self._client, self._options.command_paths, self._options.except_jobs)

    def read(self) -> Iterator[Object]:
        """The jobs that are meant and confirmed. Those that are only meant are candidates."""
        for job, why in self._found.meant:
            if job.is_confirmed(self._options.jobs):
                self._jobs[job.id(self._client.host)] = job
            else:
                self._unconfirmed.append((job, why))
        for job in self._jobs.values():
            yield cron.object_of(self._client.host, job)

    def plan(self, current: Iterable[Object]) -> Plan:
        """Enabled, disabled or removed, each job that is not so already."""
        plan = Plan(warnings=self._found.all.warnings())
        enabled = self._options.state == "present"
        for item in current:
            if self._options.state == "absent":
                undo = phrases.english("undo_cron_line")
                plan.changes.append(Change(cron.KIND, item.id, item.name, "delete", before=dict(item.state), after=None, risk="medium", undo=undo))
            elif item.state["enabled"] != enabled:
                undo = phrases.english("undo_same_state", state="disabled" if enabled else "present")
                action = "enable" if enabled else "disable"
                plan.changes.append(Change(cron.KIND, item.id, item.name, action, before={"enabled": not enabled}, after={"enabled": enabled}, undo=undo))
            else:
                plan.unchanged += 1
        return plan

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this machine's jobs."""
        if mine := [change for change in begun if is_of(self._client.host, change.id)]:
            now = self._now()
            yield from (change for change in mine if _seen(change, now))

    def _now(self) -> dict[str, Job]:
        return {job.id(self._client.host): job for job in self._look().all.jobs}

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """The rules not_confirmed, timer_starts_it, job_gone, linked_place, script_does_more, vault_password_missing."""
        for job, why in self._unconfirmed:
            if self._options.state == "absent" or job.enabled != (self._options.state == "present"):
                yield Refusal(
                    "not_confirmed",
                    f"{job.name} is a candidate ({'; '.join(why)}), and nobody has confirmed it",
                    (job.name,),
                    phrases.english(
                        "allow_confirmed_or_kept",
                        setting=f"{{place: '{job.place.name}', command: '{job.shown}'}}",
                        option="jobs",
                        name=f"'{job.shown}'",
                        kept="except_jobs",
                    ),
                )
        for other, why in self._found.others if self._options.state != "present" else ():
            if other.enabled:
                yield Refusal(
                    "timer_starts_it",
                    f"{other.by} starts the same by {other.path} ({why[0]}), whatever becomes of cron's jobs. Stop it: {other.stop}",
                    (other.name,),
                    phrases.english("allow_timer", name=f"'{other.name}'"),
                )
        if self._options.state == "present" and (files := self._gone()):
            msg = f"A job that is confirmed is in none of the machine's crontabs any more. The saved copies are {', '.join(files)}"
            yield Refusal("job_gone", msg, tuple(files), phrases.english("allow_job_gone"))
        for change in plan.changes:
            job = self._jobs[change.id]
            if job.place.link and not (job.line < 0 and self._options.state == "absent"):
                msg = f"{job.place.name} is a link to {job.place.link}; look at it, and do there what is right"
                yield Refusal("linked_place", msg, (change.name,))
            if self._options.state != "present" and (others := self._found.besides(job)):
                called = job.place.name if job.line < 0 else job.name
                msg = f"{called} starts more than the agent ({', '.join(others[:5])}); take the agent's line out of the script by hand"
                yield Refusal("script_does_more", msg, (change.name,), phrases.english("allow_whole_script"))
            if self._options.backup_dir and not self._password and job.place.holds_a_secret:
                msg = f"{job.place.name} holds what may be a password, and would be saved in clear"
                yield Refusal("vault_password_missing", msg, (change.name,), phrases.english("allow_encryption"))

    def _gone(self) -> list[str]:
        """Saved copies of places of this machine whose confirmed job is nowhere."""
        folder, files = self._options.backup_dir, set()
        for wanted in self._options.jobs:
            if folder and wanted.get("place") and not any(job.is_confirmed([wanted]) for job in self._jobs.values()):
                begin = file_part(f"{self._client.host}-{wanted['place']}")
                files |= set(glob.glob(os.path.join(glob.escape(folder), f"{glob.escape(begin)}-*.crontab")))
        return sorted(files)

    def apply(self, change: Change) -> dict[str, Any]:
        """Save the place, then change it, if it is still what was read."""
        job = self._jobs[change.id]
        place = job.place
        details = {"saved": self._save(place)} if self._options.backup_dir else {}
        try:
            if job.line < 0 and change.action == "delete":
                self._client.ask("cron_remove", path=place.name, was="" if place.link else place.digest, link=place.link)
            elif job.line < 0:
                mode = cron.changed_mode(place.mode or 0, change.action)
                self._client.ask("cron_set_mode", path=place.name, was=place.digest, mode=mode)
            else:
                lines = cron.changed_lines(job, change.action)
                content = base64.b64encode(b"".join(lines)).decode()
                self._client.ask("cron_write", place=place.name, was=place.digest, content=content)
                place.lines = lines  # of which the next job of the same place is a part
        except OffboardError as exc:
            exc.details |= details
            raise
        return details

    def _save(self, place: Place) -> str:
        path = os.path.join(self._options.backup_dir, place.file_name(self._client.host, self._password or b""))
        # the name holds a hash of the content, so what is there already is the same
        if not os.path.exists(path):
            content = place.content
            write_atomically(path, vault.encrypt(content, self._password, os.urandom(32)) if self._password else content)
        self._saved[place.name] = path
        return path

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read again, once: what was written is there at once."""
        now = self._now() if len(applied) else {}
        for change in applied:
            there = now.get(change.id)
            # what differs in hidden words alone is numbered, and moves up when another is removed
            moved_up = change.after is None and there is not None and there.command != self._jobs[change.id].command
            if not (moved_up or _seen(change, now)):
                yield Outcome(change, "failed", "not_seen", f"{change.name} was changed ({change.action}), but is read as before")

    def facts(self, plan: Plan) -> dict[str, Any]:
        wanted = self._options.jobs
        return {
            "jobs": [cron.state_of(job) for job in self._jobs.values()],
            "nothing_found": bool(wanted) and not any(job.is_confirmed(wanted) for job in self._found.all.jobs),
            **starters.told(self._found.others),
            "saved": self._saved,
        }

    def close(self) -> None:
        self._client.close()


def _seen(change: Change, now: Mapping[str, Job]) -> bool:
    job = now.get(change.id)
    if change.after is None:
        return job is None
    return job is not None and job.enabled == change.after["enabled"]


def make(params: Mapping[str, Any]) -> CronJobs:
    options = Options.of(params)
    return CronJobs(Client(Connection.from_params(params)), options, options.vault_password() if options.vault_password else None)


def info(client: Client, options: InfoOptions) -> dict[str, Any]:
    found = _Found(client, options.command_paths, options.except_jobs, with_names=True)
    listed = found.meant if options.command_paths else [(job, []) for job in found.all.jobs]
    return {
        "jobs": [{**cron.state_of(job), "why": why, "starts_besides": found.besides(job) if why else []} for job, why in listed],
        **starters.told(found.others),
        "named_by": found.named_by() if options.command_paths else [],
        "orphans": found.all.orphans,
        "not_looked_at": found.all.not_looked_at,
    }
