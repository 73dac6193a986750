# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine starts by itself: read whole, for the jobs as for what their removal is not to be forgotten for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._core import phrases
from .. import shell
from ..client import Client
from . import plan as cron
from . import starters
from .plan import Behind, Job, Programs
from .starters import Starter

#: Scripts that start scripts that start the agent, and files that these read: deeper ones are nobody's.
_DEPTH = 5


@dataclass(frozen=True)
class Starts:
    """What one reading of the machine has given."""

    jobs: Sequence[Job] = ()
    #: systemd's units, jobs of at, scripts of the boot, tables of incron
    others: Sequence[Starter] = ()
    #: where the paths of their programs lead, links followed
    real: Mapping[str, str] = field(default_factory=dict)
    #: what units and scripts start, by their names and paths
    behind: Behind = field(default_factory=dict)
    #: texts of scripts, by the paths at which they are started
    scripts: Mapping[str, str] = field(default_factory=dict)
    #: files of the configuration, of whatever program, that hold one of the names
    named_in: Sequence[str] = ()
    #: crontabs of users who do not exist
    orphans: Sequence[str] = ()
    #: folders of users' own units
    not_looked_at: Sequence[str] = ()

    def warnings(self) -> list[str]:
        """What is there and is not looked into."""
        return [
            *(phrases.english("orphan_crontab", path=path) for path in self.orphans),
            *(phrases.english("timers_not_known", path=path) for path in self.not_looked_at),
        ]


#: of scripts, by their paths, what they start
_Found = dict[str, dict[tuple[str, str], None]]


def starts(client: Client, names: Sequence[str] = ()) -> Starts:
    """All that the machine starts by itself, and what holds one of the names; a place that cannot be read is an OffboardError."""
    answer = client.ask("cron_read", names=names)
    homes = answer["homes"]
    jobs: list[Job] = [job for place in answer["places"] for job in cron.jobs(cron.place_of(place), homes)]
    if folders := cron.script_folders(jobs):  # besides those that every machine has
        jobs += [job for place in client.ask("cron_scripts", folders=folders) for job in cron.jobs(cron.place_of(place), homes)]
    others: list[Starter] = [
        *map(starters.of_unit, answer["units"]),
        *map(starters.of_at, answer["at_jobs"]),
        *map(starters.of_boot, answer["boot_scripts"]),
        *(starters.of_incron(table, homes) for table in answer["incron_tables"]),
    ]
    real: dict[str, str] = {}
    scripts: dict[str, str] = {}
    behind: _Found = {}
    every: list[Job | Starter] = [*jobs, *others]
    own: list[_Found] = [{} for _each in every]
    looked = answer["programs"]
    for depth in range(_DEPTH + 1):
        new = looked["scripts"].keys() - scripts.keys()
        real |= looked["real"]
        scripts |= looked["scripts"]
        read = [_read(one, before, new, shell.Reading(scripts, real)) for one, before in zip(every, own, strict=True)]
        own = [found for _programs, found in read]
        behind = _together(every, read)
        news = [(programs, found, cron.through(programs, {**behind, **found})) for programs, found in read]
        jobs = [replace(job, programs=now[0], behind=now[1], through=now[2]) for job, now in zip(jobs, news, strict=False)]
        others = [replace(other, programs=now[0], through=now[2]) for other, now in zip(others, news[len(jobs) :], strict=True)]
        every = [*jobs, *others]
        paths = cron.asked_paths((*one.programs, *one.through) for one in every) - real.keys()
        if not paths or depth == _DEPTH:
            break
        looked = client.ask("programs_look", paths=sorted(paths))
    return Starts(jobs, others, real, behind, scripts, answer["named_in"], answer["orphans"], answer["not_looked_at"])


def _read(one: Job | Starter, before: _Found, new: Collection[str], reading: shell.Reading) -> tuple[Programs, _Found]:
    """What it starts, and what scripts start as it starts them; read again where it starts a `new` one."""
    if not any(path in new for _written, path in (*one.programs, *one.through)):
        return one.programs, before
    return one.started_in.started(reading), reading.behind


def _together(every: Sequence[Job | Starter], read: Sequence[tuple[Programs, _Found]]) -> _Found:
    """What units start, by their names, and scripts, by their paths, whoever starts them."""
    behind: _Found = {}
    for one, (started, found) in zip(every, read, strict=True):
        for name in one.called:
            behind.setdefault(name, {}).update(dict.fromkeys(started))
        for path, programs in found.items():
            behind.setdefault(path, {}).update(programs)
    return behind
