# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine starts by itself: read whole, for the jobs as for what their removal is not to be forgotten for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._core import phrases
from .. import shell
from ..client import Client
from . import plan as cron
from . import starters
from .plan import Job, Programs
from .starters import Starter

#: Scripts that start scripts that start the agent: deeper ones are nobody's.
_DEPTH = 3


@dataclass(frozen=True)
class Starts:
    """What one reading of the machine has given."""

    jobs: Sequence[Job] = ()
    #: systemd's units, jobs of at, scripts of the boot, tables of incron
    others: Sequence[Starter] = ()
    #: where the paths of their programs lead, links followed
    real: Mapping[str, str] = field(default_factory=dict)
    #: what units and scripts start, by their names and paths
    behind: Mapping[str, Programs] = field(default_factory=dict)
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


def starts(client: Client) -> Starts:
    """All that the machine starts by itself; a place that cannot be read is an OffboardError."""
    answer = client.ask("cron_read")
    homes = answer["homes"]
    jobs = [job for place in answer["places"] for job in cron.jobs(cron.place_of(place), homes)]
    if folders := cron.script_folders(jobs):  # besides those that every machine has
        jobs += [job for place in client.ask("cron_scripts", folders=folders) for job in cron.jobs(cron.place_of(place), homes)]
    others = [
        *map(starters.of_unit, answer["units"]),
        *map(starters.of_at, answer["at_jobs"]),
        *map(starters.of_boot, answer["boot_scripts"]),
        *(starters.of_incron(table, homes) for table in answer["incron_tables"]),
    ]
    real: dict[str, str] = {}
    scripts: dict[str, str] = {}
    behind: dict[str, Programs] = {}
    parsed: _Parsed = {}
    for _again in range(_DEPTH):
        every: list[Job | Starter] = [*jobs, *others]
        paths = cron.asked_paths((*one.programs, *one.through) for one in every) - real.keys()
        if paths:
            looked = client.ask("programs_look", paths=sorted(paths))
            real |= looked["real"]
            scripts |= looked["scripts"]
        behind = _behind(every, scripts, parsed)
        before = jobs, others
        jobs = [replace(job, through=cron.through(job.programs, behind)) for job in jobs]
        others = [replace(one, through=cron.through(one.programs, behind)) for one in others]
        if (jobs, others) == before:
            break
    return Starts(jobs, others, real, behind, answer["orphans"], answer["not_looked_at"])


#: of a script, and the surroundings in which it is started, what it starts
_Parsed = dict[tuple[object, ...], Programs]


def _behind(every: Sequence[Job | Starter], scripts: Mapping[str, str], parsed: _Parsed) -> dict[str, Programs]:
    """What units start, by their names, and scripts, by their paths, each in the surroundings of who starts it."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for one in every:
        for name in one.called:
            found.setdefault(name, {}).update(dict.fromkeys(one.programs))
        for _written, path in (*one.programs, *one.through):
            text = scripts.get(path)
            if text and not path.endswith(shell.EVERY):  # each of those is a job
                here = one.started_in
                key = (path, here.folder, *sorted(here.environment.items()))
                if key not in parsed:
                    parsed[key] = here.started_by(text, path)
                found.setdefault(path, {}).update(dict.fromkeys(parsed[key]))
    return {name: tuple(programs) for name, programs in found.items()}
