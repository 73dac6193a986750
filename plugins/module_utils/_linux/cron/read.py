# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine starts by itself: read whole, for the jobs as for what their removal is not to be forgotten for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._core import phrases
from ..client import Client
from . import plan as cron
from . import starters
from .plan import Job, Programs
from .starters import Starter


@dataclass(frozen=True)
class Starts:
    """What one reading of the machine has given."""

    jobs: Sequence[Job] = ()
    #: systemd's units, and jobs of at
    others: Sequence[Starter] = ()
    #: where the paths of their programs lead, links followed
    real: Mapping[str, str] = field(default_factory=dict)
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
    """All that cron, systemd and at start; a place that cannot be read is an OffboardError."""
    answer = client.ask("cron_read")
    homes = answer["homes"]
    jobs = [job for place in answer["places"] for job in cron.jobs(cron.place_of(place), homes)]
    if folders := cron.script_folders(jobs):  # besides those that every machine has
        jobs += [job for place in client.ask("cron_scripts", folders=folders) for job in cron.jobs(cron.place_of(place), homes)]
    units = [starters.of_unit(unit) for unit in answer["units"]]
    # what has systemd start a service starts what that does
    services: dict[str, Programs] = {}
    for unit in units:
        services[unit.name] = services.get(unit.name, ()) + unit.programs
    jobs = [replace(job, programs=_through(job.programs, services)) for job in jobs]
    others = [replace(one, programs=_through(one.programs, services)) for one in (*units, *map(starters.of_at, answer["at_jobs"]))]
    paths = cron.asked_paths([*(job.programs for job in jobs), *(other.programs for other in others)])
    real = client.ask("real_paths", paths=paths) if paths else {}
    return Starts(jobs, others, real, answer["orphans"], answer["not_looked_at"])


def _through(programs: Programs, services: Mapping[str, Programs]) -> Programs:
    found = dict.fromkeys(programs)
    left = list(programs)
    for written, _path in left:  # which grows
        new = [program for program in services.get(written, ()) if program not in found]
        found |= dict.fromkeys(new)
        left += new
    return tuple(found)
