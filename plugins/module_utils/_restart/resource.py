# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_restart: asking machines and the directory, restarting one at a time, waiting until each is back and well."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._core import journal_lines, phrases
from .._core.errors import OffboardError
from .._core.machine_ids import host_of
from .._core.model import Change, Object, Outcome, Refusal
from .._core.plan import Plan
from .._core.predict import Predictions
from .._core.spool import Spool
from .._directory.controllers import plan as health
from .._directory.controllers.read import Domain
from .._module.files import read_lines
from .._module.runner import Resource
from .._module.waiting import ONE_READ, is_shown
from .._windows import restart
from .._windows.client import Client
from .._windows.connection import Connection
from .._windows.password_filter.plan import KIND as FILTER
from . import plan as restarts
from .options import Options

_LONGEST_PAUSE = 5.0
_WHY = "offboard.iij_id: restart"


def _connected(params: Mapping[str, Any]) -> Client:
    return Client(Connection.from_params(params))


class Restarts(Resource):
    """The machines of one task, one after the other."""

    noun = "restarts"
    kinds = (restarts.KIND,)
    stop_at_first_failure = True

    def __init__(self, options: Options, connect: Callable[[Mapping[str, Any]], Client] = _connected) -> None:
        self._machines = {one.host: one for one in options.machines}
        self._options = options
        self._connect = connect
        self._domain: Domain | None = None
        self._controllers: list[health.Controller] = []
        self._known: dict[str, restarts.Machine] = {}
        self._results: list[dict[str, Any]] = []
        self._predicted: set[str] = set()
        lines = list(read_lines(options.journal)) if options.journal else []
        self._waiting, self._over = journal_lines.restarts(lines)
        also = restarts.besides(((one.name, host) for host, one in self._machines.items()), options.also)
        before = also & journal_lines.restarted(lines).keys()
        self._also = also - before  # else each run would restart them once more
        self._restarted = {*self._over, *before}
        self._carried: set[str] = set()
        self._begun, self._late = restarts.from_journal(lines, self._waiting)

    # --- what is there --------------------------------------------------------------------------

    def _look(self, host: str) -> tuple[str, bool]:
        """The boot mark, and whether Windows says that it is a domain controller. A connection of its own, since a restart ends every one."""
        client = self._connect(self._machines[host].reached)
        try:
            return restart.boot_mark(client), restart.is_domain_controller(client)
        finally:
            client.close()

    def _see(self, host: str) -> tuple[str, bool]:
        """`_look`; a machine that a stopped run may have sent down is waited for. Raises OffboardError `not_back`."""
        if host not in self._begun:
            return self._look(host)
        found: list[tuple[str, bool]] = []
        last: list[OffboardError] = []

        def answers() -> bool:
            try:
                found[:] = [self._look(host)]
            except OffboardError as exc:
                last[:] = [exc]
            return bool(found)

        if not self._wait(answers, self._options.back_minutes, phrases.english("waits_for_sent_down", host=host)):
            minutes = self._options.back_minutes
            msg = f"a stopped run had begun to restart {host}, and within {minutes} minutes it did not answer; the last answer was: {last[0].msg}."
            raise OffboardError(f"{msg} Look at its console", code="not_back")
        return found[0]

    def assume(self, predictions: Predictions) -> None:
        """A filter that an earlier plan would unregister makes its machine wait for a restart."""
        super().assume(predictions)
        after = predictions.of(FILTER)
        self._predicted = {host_of(identity) for identity, state in after.items() if state is not None and state.get("registered") is False}

    def read(self) -> Iterator[Object]:
        """Each machine that was named, asked where it may matter. One that cannot be read stops the task before anything is restarted."""
        for host, one in self._machines.items():
            mark, controller = self._see(host) if self._may_restart(host) or host in self._begun else ("", False)
            yield Object(restarts.KIND, host, one.name or host, {"boot_mark": mark, "domain_controller": controller})

    def _may_restart(self, host: str) -> bool:
        waiting = self._wanted().waiting
        return waiting is None or host in waiting or host in self._late

    def _ask_directory(self) -> list[health.Controller]:
        directory = self._options.directory
        if directory is None:
            return []
        self._domain = self._domain or Domain(directory, self._options.ignore)
        return self._domain.controllers()

    def _wanted(self) -> restarts.WantedRestarts:
        options = self._options
        return restarts.WantedRestarts(
            by_directory=options.directory is not None,
            waiting={*self._waiting, *self._predicted, *self._also} if options.only_unregistered else None,
            begun=self._begun,
            late=self._late,
            healthy_others=options.healthy_others,
            ignore=options.ignore,
        )

    def plan(self, current: Iterable[Object]) -> Plan:
        if any(self._may_restart(host) for host in self._machines):
            self._controllers = self._ask_directory()
        for item in current:
            of = health.named(self._controllers, *self._names(item.id))
            self._known[item.id] = restarts.Machine(item.name, item.id, item.state["boot_mark"], item.state["domain_controller"], of)
        return restarts.plan(list(self._known.values()), self._controllers, self._wanted())

    def _names(self, host: str) -> tuple[str, ...]:
        """What the directory may know the machine by: what was said, else its names."""
        one = self._machines[host]
        return (one.domain_controller,) if one.domain_controller else (host, one.name or "")

    def owner(self) -> Mapping[str, str]:
        """The domain whose controllers are restarted."""
        return {"directory": self._domain.base} if self._domain is not None else {}

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Those whose mark is another one now."""
        for change in begun:
            one = self._known.get(change.id)
            if one is not None and restarts.is_done(one, self._wanted()):
                self._carried.add(change.id)
                yield change

    # --- restarting -----------------------------------------------------------------------------

    def apply(self, change: Change) -> dict[str, Any]:
        """One machine: still as planned, asked for, gone, back with another mark, and well."""
        one = self._known[change.id]
        mark = self._see(one.host)[0]
        if mark != one.mark and one.host not in {**self._begun, **self._late}:
            raise OffboardError(f"{one.name} has been restarted by somebody else since it was looked at; run the task again", code="changed_since_read")
        result = {"name": one.name, "host": one.host, "domain_controller": one.controller.name if one.controller else "", "status": "failed"}
        self._results.append(result)
        details: dict[str, Any] = {"restarted": True}
        if mark != one.mark:
            details["boot_mark"] = mark  # what an earlier run had asked for has come through since it was read
        elif (change.after or {}).get("boot_mark") == restarts.NOT_YET:
            details |= self._restart(one)
        self._await_well(one, details)
        result["status"] = "restarted"
        return details

    def _restart(self, one: restarts.Machine) -> dict[str, str]:
        self._check_others(one)
        client = self._connect(self._machines[one.host].reached)
        try:
            under_way = restart.ask(client, _WHY)
        finally:
            client.close()
        self._await_back(one, under_way)
        return {"boot_mark": self._look(one.host)[0], **({"under_way": under_way} if under_way else {})}

    def _check_others(self, one: restarts.Machine) -> None:
        """The directory once more: what was true before the last restart need not be true now.

        What others have missed while that one was down, such as its turn to be replicated from, is waited for.
        """
        found: list[Refusal] = []

        def fine() -> bool:
            self._controllers = self._ask_directory()
            now = restarts.Machine(one.name, one.host, one.mark, one.says_controller, health.named(self._controllers, *self._names(one.host)))
            found[:] = restarts.refusals(now, self._controllers, self._wanted())
            return not found

        minutes = self._options.healthy_minutes if any(result["status"] == "restarted" for result in self._results) else 0
        if not self._wait(fine, minutes, phrases.english("waits_healthy", name=one.name)):
            raise OffboardError(f"{found[0].msg}. That was not so before; {one.name} was not restarted", code="domain_controller_unhealthy")

    def _await_back(self, one: restarts.Machine, under_way: str) -> None:
        last: list[OffboardError] = []

        def gone() -> bool:
            try:
                return self._look(one.host)[0] != one.mark
            except OffboardError as exc:
                last[:] = [exc]
                return True

        def back() -> bool:
            try:
                mark = self._look(one.host)[0]
            except OffboardError as exc:  # refused, no answer, a logon that fails while Netlogon starts: all of it is a machine that starts
                last[:] = [exc]
                return False
            return mark not in ("", one.mark)

        if not self._wait(gone, self._options.gone_minutes, phrases.english("waits_down", name=one.name)):
            who = " Somebody else's restart is scheduled there; nothing was added to it." if under_way == "scheduled" else ""
            raise OffboardError(f"{one.name} did not go down within {self._options.gone_minutes} minutes.{who}", code="restart_not_begun")
        if not self._wait(back, self._options.back_minutes, phrases.english("waits_back", name=one.name)):
            why = f"; the last answer was: {last[0].msg}" if last else ""
            raise OffboardError(
                f"{one.name} went down, and within {self._options.back_minutes} minutes it was not seen to have started again{why}. Look at its console",
                code="not_back",
            )

    def _await_well(self, one: restarts.Machine, details: dict[str, Any]) -> None:
        if one.controller is None or self._domain is None:
            return
        domain, name = self._domain, one.controller.name
        seen = [one.controller]

        def well() -> bool:
            seen[:] = [domain.controller(name)]
            return seen[0].healthy

        if not self._wait(well, self._options.healthy_minutes, phrases.english("waits_healthy", name=one.name)):
            raise OffboardError(
                f"{one.name} was restarted, and is not healthy after {self._options.healthy_minutes} minutes: {seen[0].why}. No other one is restarted",
                code="not_healthy",
                details=details,
            )

    def _wait(self, read: Callable[[], bool], minutes: int, doing: str) -> bool:
        return is_shown(read, minutes * 60, agreeing=ONE_READ, longest_pause=_LONGEST_PAUSE, pausing=lambda _waiting: self.tell(doing))

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Each once more: answering, with another mark than before."""
        for change in applied:
            last = [""]
            answers = functools.partial(self._answers, change.id, (change.before or {})["boot_mark"], last)
            if not is_shown(answers, self._options.verify_timeout, agreeing=ONE_READ, longest_pause=_LONGEST_PAUSE):
                yield Outcome(change, "failed", "not_seen", f"{change.name} was seen restarted, and is not any more: {last[0]}")

    def _answers(self, host: str, mark: str, last: list[str]) -> bool:
        """Whether it answers with another mark; `last` gets why not."""
        try:
            last[0] = "it has the boot mark that it had before"
            return self._look(host)[0] != mark
        except OffboardError as exc:
            last[0] = exc.msg
            return False

    def facts(self, plan: Plan) -> dict[str, Any]:
        """What became of each, how the domain controllers were when they were last asked, and which no longer hold what was loaded before."""
        now = {change.id for change in plan.changes} | self._carried
        held = {*self._waiting, *self._predicted}
        return {
            "restarted": [one.name or host for host, one in self._machines.items() if host in now | self._restarted],
            "all_restarted": bool(held or self._over) and held <= now,
            "results": self._results,
            "controllers": [one.to_dict() for one in self._controllers],
            "order": [change.name for change in plan.changes],
        }


def make(params: Mapping[str, Any]) -> Restarts:
    return Restarts(Options.of(params))
