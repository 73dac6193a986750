# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machines are restarted, in which order, and what speaks against it, pure."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._core import journal, names, phrases
from .._core.errors import OffboardError
from .._core.model import Change, Refusal
from .._core.plan import Plan
from .._core.times import is_later
from .._directory.controllers import plan as health

KIND = "windows_restart"
ACTION = "restart"
#: a restart that failed so was not asked for; after any other failure the machine may have gone down and come back when nobody looked any more
_NOT_ASKED = ("restart_refused", "changed_since_read", "domain_controller_unhealthy")
_OF_KIND = f'"kind":"{KIND}"'.encode()


#: in a plan: the mark that a restart will leave. Any other one is there already, and only the rest remains to be looked at.
NOT_YET = "(another)"


@dataclass(frozen=True)
class Machine:
    """One that was named, as it is. `mark` changes when it restarts. `says_controller`: Windows says that it is a domain controller."""

    name: str
    host: str
    mark: str
    says_controller: bool
    controller: health.Controller | None = None


@dataclass(frozen=True)
class WantedRestarts:
    """What the task says.

    waiting: hosts that hold an unregistered filter or are named besides, where only those are restarted; None: all machines.
    begun, late: by host, the mark that a machine had before a restart that a stopped run had begun, or of which an earlier run did not see a good end.
    """

    by_directory: bool
    waiting: Collection[str] | None = None
    begun: Mapping[str, str] = field(default_factory=dict)
    late: Mapping[str, str] = field(default_factory=dict)
    healthy_others: int = 1
    ignore: Collection[str] = ()


def check_machines(machines: Sequence[tuple[str, str]], healthy_others: int) -> None:
    """`machines`: the (name, host) of each. Raises OffboardError `bad_option`: no machine, one that is named twice, or nobody left to sign in."""
    hosts = [names.host(host) for _name, host in machines]
    if not hosts or len(set(hosts)) != len(hosts):
        raise OffboardError("machines: name one machine at least, and each of them once", code="bad_option")
    if healthy_others < 1:
        raise OffboardError("healthy_others must be 1 at least: somebody must be there to sign people in", code="bad_option")


def besides(machines: Iterable[tuple[str, str]], also: Collection[str]) -> set[str]:
    """The hosts of those of the machines, each a (name, host), that are named in `also`. Raises OffboardError `bad_option` for one that is none of them."""
    known = {names.host(name): host for name, host in machines}
    if unknown := sorted(name for name in also if names.host(name) not in known):
        raise OffboardError(f"also: {', '.join(unknown)} is none of the machines", code="bad_option")
    return {known[names.host(name)] for name in also}


def from_journal(lines: Iterable[bytes], waiting: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """`begun` and `late` of `Wanted`. A restart that was asked for before what it shall unload (`waiting`, by host) was unregistered is neither.

    What a run tried and did not ask for, or did not come to, says nothing of what an earlier one had asked for.
    """
    tried: dict[str, list[tuple[str, str, bool]]] = {}  # when, the mark before, whether an outcome says how it failed
    for record in journal.known(_records(lines)):
        of_host = tried.setdefault(record["id"], [])
        if record["record"] == "intent":
            mark = (record.get("before") or {}).get("boot_mark")
            of_host.append((record["at"], mark if isinstance(mark, str) else "", False))
        elif record["status"] == "done":
            of_host.clear()
        elif record["status"] == "failed" and of_host:
            at, mark, _failed = of_host.pop()
            if record.get("code") not in _NOT_ASKED:
                of_host.append((at, mark, True))
    last = {host: found[-1] for host, found in tried.items() if found and is_later(found[-1][0], waiting.get(host, ""))}
    return {host: mark for host, (_at, mark, failed) in last.items() if not failed}, {host: mark for host, (_at, mark, failed) in last.items() if failed}


def _records(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Those of restarts."""
    for line in lines:
        if _OF_KIND in line:
            with contextlib.suppress(ValueError, RecursionError):  # cut off by a kill
                if isinstance(record := json.loads(line), dict):
                    yield record


def is_done(machine: Machine, wanted: WantedRestarts) -> bool:
    """Whether a stopped run has restarted it, and it is well: its mark is another one than that run had seen."""
    return machine.host in wanted.begun and _came_back(machine, wanted) and (machine.controller is None or machine.controller.healthy)


def _came_back(machine: Machine, wanted: WantedRestarts) -> bool:
    """Whether it was restarted since an earlier run began to restart it."""
    before = wanted.begun.get(machine.host, wanted.late.get(machine.host, machine.mark))
    return machine.mark not in ("", before)


def in_order(machines: Iterable[Machine]) -> list[Machine]:
    """See `health.in_order`; in the given order where that says nothing."""
    given = list(machines)
    order = [one.name for one in health.in_order([one.controller for one in given if one.controller])]
    return sorted(given, key=lambda one: order.index(one.controller.name) if one.controller else -1)


def plan(machines: Sequence[Machine], controllers: Sequence[health.Controller], wanted: WantedRestarts) -> Plan:
    """What is restarted, in that order; its refusals are unguarded, controller_unknown, unhealthy, too_few_healthy.

    Raises OffboardError `bad_option` where two names are the same domain controller, which would be restarted twice.
    """
    of_controller: dict[str, Machine] = {}
    for one in machines:
        if one.controller and (other := of_controller.setdefault(one.controller.name, one)) is not one:
            raise OffboardError(f"machines: {other.name} and {one.name} are the same domain controller, {one.controller.name}", code="bad_option")
    made = Plan()
    due = []
    for one in machines:
        if is_done(one, wanted) or not (wanted.waiting is None or one.host in wanted.waiting or _came_back(one, wanted)):
            made.unchanged += 1
        else:
            due.append(one)
    if others := sorted(set(wanted.waiting or ()) - {one.host for one in machines}):
        made.warnings.append(phrases.english("not_restarted", machines=", ".join(others)))
    for one in in_order(due):
        before, after = one.mark, NOT_YET
        if _came_back(one, wanted):  # only whether it is well remains to be seen
            before, after = wanted.begun.get(one.host, wanted.late.get(one.host, "")), one.mark
        else:
            made.refusals += [item for item in refusals(one, controllers, wanted) if item not in made.refusals]
        made.changes.append(Change(KIND, one.host, one.name, ACTION, {"boot_mark": before}, {"boot_mark": after}, risk="medium"))
    return made


def refusals(one: Machine, controllers: Sequence[health.Controller], wanted: WantedRestarts) -> list[Refusal]:
    """Why this machine must not be restarted now."""
    if not wanted.by_directory:
        if one.says_controller:
            msg = f"{one.name} is a domain controller, and without `directory` nothing tells whether the others are well"
            return [Refusal("unguarded", msg, (one.name,))]
        return []
    if one.controller is None:
        known = ", ".join(item.name for item in controllers)
        msg = f"{one.name} ({one.host}) is none of the domain's domain controllers ({known}); name which it is as its domain_controller"
        return [Refusal("controller_unknown", msg, (one.name,))]
    return health.refusals(controllers, one.controller, wanted.healthy_others, wanted.ignore)
