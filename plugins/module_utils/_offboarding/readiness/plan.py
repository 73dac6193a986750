# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way: before the exit begins, and before it may be called finished. Pure.

Every input is what an info module returned; None means that it was not looked at, which is never the same as "nothing there".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..._core import names
from ..._core.machine_ids import host_of
from ..finding import SEVERITIES, Finding
from . import apps, browsers, certificates, clients, linux, machines, references, sign_in
from .judged import SUBJECTS, Confirmed, Facts


def preflight(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """Blockers, warnings and facts before anything is changed."""
    return _judged(facts, confirmed, final=False)


def final_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What still points at IIJ ID, who could not work without it, what waits for a person. Facts that are None are not judged."""
    return _judged(facts, confirmed, final=True)


def _judged(facts: Facts, confirmed: Confirmed, final: bool) -> list[Finding]:
    found = [finding for subject in SUBJECTS for finding in subject.judge(facts, confirmed, final)]
    return sorted(found, key=lambda item: SEVERITIES.index(item.severity))


def domains_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What forbids to convert the domains: people would be left without a way to sign in. And what should be seen before it."""
    seen = references.before_conversion(facts.references, names.uuids(confirmed.accepted_references)) if facts.references is not None else ()
    ways_in = sign_in.findings(facts.sign_in, gate=True, accepted_count=confirmed.accepted_no_way_in_count) if facts.sign_in is not None else ()
    return [*ways_in, *seen]


def agents_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What forbids to take the agents off these machines."""
    found = [*machines.unreadable(facts.machines or {}), *machines.unconfirmed(facts, confirmed)]
    return [*found, *machines.unreadable(facts.linux_machines or {}), *linux.unconfirmed(facts.linux_machines or {}, linux.decided(confirmed))]


def every_agent_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What forbids to begin with the machines at all: of all that was confirmed nothing is on any of them."""
    said = linux.decided(confirmed)
    unknown, found = linux.not_there(facts, confirmed), (facts.linux_machines or {}).values()
    nothing = len(unknown) == len([*said.cron_jobs, *said.files, *said.accounts]) and not any(linux.left(machine, said) for machine in found)
    return [*machines.nothing_found(facts, confirmed), *machines.not_found(unknown if nothing else (), "blocker")]


def freeze_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """Why nothing can be called frozen: what was confirmed is on none of the machines, so that nothing was disabled."""
    return [*machines.no_task_found(facts, confirmed), *linux.no_job_found(facts, confirmed)]


def agents_left_on(facts: Facts, confirmed: Confirmed, intents: Iterable[Mapping[str, Any]], filter_files: bool = False) -> list[str]:
    """The machines on which the stage agents has something to do, or must not go on: the others are done.

    filter_files: the files of password filters go as well, of which only their names are known.
    """
    begun = list(intents)
    alone = {name: dataclasses.replace(facts, machines={name: found}, linux_machines=None) for name, found in (facts.machines or {}).items()}
    windows = set(alone) if filter_files else set()
    alone |= {name: dataclasses.replace(facts, machines=None, linux_machines={name: found}) for name, found in (facts.linux_machines or {}).items()}
    return [
        name
        for name, of_one in alone.items()
        if name in windows or anything_left(of_one, confirmed, begun) or any(item.severity == "blocker" for item in agents_gate(of_one, confirmed))
    ]


def anything_left(facts: Facts, confirmed: Confirmed, intents: Iterable[Mapping[str, Any]]) -> bool:
    """Whether there is anything to take off one of the machines, or something that a stopped run has begun there, by its intents without an outcome."""
    begun = {host_of(str(record["id"])) for record in intents}
    windows, said = (facts.machines or {}).items(), linux.decided(confirmed)
    return any(machines.agents_left(found) or (found or {}).get("named") or (found or {}).get("host", name) in begun for name, found in windows) or any(
        linux.left(found, said) or name in begun for name, found in (facts.linux_machines or {}).items()
    )


def clients_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What forbids to begin with the users' machines: nothing of what was confirmed is on any. And which of them nobody could look at."""
    return [*certificates.nothing_found(facts, confirmed), *clients.not_read(facts.clients or {}, final=False)]


def clients_left(facts: Facts, confirmed: Confirmed, intents: Iterable[Mapping[str, Any]]) -> list[str]:
    """The users' machines on which the stage clients has something to do: what was decided to go is there, or a stopped run has begun something."""
    looked_at, begun = facts.clients or {}, {host_of(str(record["id"])) for record in intents}
    left = {name for name, found in looked_at.items() if found and not found.get("error") and found.get("host", name) in begun}
    if confirmed.browser_settings == "absent":
        left |= browsers.with_settings(clients.of(looked_at, "browsers")).keys()
    going = certificates.by_decision(clients.of(looked_at, "certificates"), certificates.decided(confirmed)).going
    left |= {name for where in going.values() for name in where}
    return [name for name in looked_at if name in left]


def linux_gate(facts: Facts, confirmed: Confirmed) -> list[Finding]:
    """What keeps the step other_directory_servers_clean a person's: nobody has looked, or something of Directory Sync is left, or may start it."""
    found = facts.linux_machines or {}
    left = [*linux.present(found, linux.decided(confirmed)), *linux.not_understood(found, "blocker")]
    return [*linux.no_machines(found), *machines.unreadable(found), *left]


Gate = Callable[[Facts, Confirmed], list[Finding]]
#: by the name that playbooks give
GATES: dict[str, Gate] = {
    "preflight": preflight,
    "provisioning": apps.provisioning_gate,
    "domains": domains_gate,
    "freeze": freeze_gate,
    "agents": agents_gate,
    "every_agent": every_agent_gate,
    "clients": clients_gate,
    "linux": linux_gate,
    "final": final_gate,
}
#: What they judge, earlier stages of the same run bring about: they stop no check run.
AFTER_CHANGES = frozenset({"domains", "final"})
