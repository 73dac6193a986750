# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate's verdict, from the directory's audit log into the run folder. Open or closed: the newest one counts, so a refusal is kept as well."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ..._core import plain
from ..._core.errors import OffboardError
from ..._core.model import Change, Object, Outcome
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module.clock import now, seconds_since
from ..._module.files import read_journal, write_atomically
from ..._offboarding import gate, phrases, quiet
from ..._offboarding.preconditions import is_overtaken, read_verdict, steps_now, stopped_at
from ..._offboarding.steps import plan as steps
from ..apps.audit import entries_of
from ..apps.plan import PRINCIPAL
from ..apps.read import read_app
from ..of_tenant import OfTenant
from .options import Options

KIND = "gate_verdict"

#: A verdict that says the same and is not older than so many seconds need not be written again.
_FRESH = 3600


class ProvisioningGate(OfTenant):
    noun = "verdicts"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: Mapping[str, Any], check_mode: bool = False, warn: Callable[[str], None] = lambda told: None) -> None:
        self._options, self._check_mode, self._warn = Options.of(params), check_mode, warn
        self._client = Client(Connection.from_params(params))

    def read(self) -> Iterable[Object]:
        recorded = read_verdict(self._options.path)
        if recorded is not None:
            yield Object(KIND, self._options.path, os.path.basename(self._options.path), recorded)

    def plan(self, current: Iterable[Object]) -> Plan:
        if not self._check_mode:  # there the runner warns
            self._demand_the_word()
        hours, token_minutes = self._options.activity_hours, self._options.token_minutes
        activity: list[str] | None = []
        folder = os.path.dirname(self._options.path)
        start, until, stopped = None, None, stopped_at(folder)
        if hours and self._options.client_id:
            objects = list(read_app(self._client, self._options.client_id))
            app = self._app(objects)
            until = quiet.token_good_until(app, token_minutes, now())
            start = quiet.counts_from(stopped, app, token_minutes, now()) if stopped else None
            activity = self._activity([self._options.client_id], hours, start) if objects else None
            if activity is not None:  # those that are switched on, whatever became of the other
                activity += self._activity(self._options.old_client_ids, hours, stopped)
        ahead = self._client.clock_ahead
        found = gate.judge(self.owner()["tenant_id"], self._options.domains, self._options.client_id, hours, activity, start, until, ahead)
        verdict = {**found, "at": now()}
        before = next((dict(item.state) for item in current), None)
        says_the_same = before is not None and all(before[name] == value for name, value in found.items())
        if before is not None and says_the_same and 0 <= seconds_since(before["at"]) < _FRESH and not is_overtaken(folder, before["at"]):
            return Plan(unchanged=1, facts=_facts(before, self._options.language))
        change = Change(KIND, self._options.path, os.path.basename(self._options.path), "open" if found["open"] else "close", before, verdict)
        return Plan(Spool([change]), facts=_facts(verdict, self._options.language))

    def _demand_the_word(self) -> None:
        """The steps that `requires` names, in the operator's language; but a stop that would come too early is told as that, for it would block people.

        Raises OffboardError `token_may_be_good`, `step_not_done`, `unknown_step`.
        """
        if not (requires := self._options.requires):
            return
        folder, language, minutes = os.path.abspath(requires["run_dir"]), self._options.language, self._options.token_minutes
        states = {item.id: item.state for item in steps_now(os.path.join(folder, "steps.json"))}
        if self._options.client_id and not states.get(gate.STOPPED, {}).get("done"):
            app = self._app(read_app(self._client, self._options.client_id))
            if until := quiet.token_good_until(app, minutes, now()):
                told = phrases.told("stop_later", at=app.switched_off_at or "", minutes=minutes, until=until, step=gate.STOPPED)
                raise OffboardError(told.told(language), code="token_may_be_good", details={"until": until})
        if missing := steps.not_done(states, requires["steps"]):
            raise steps.not_done_error(states, missing, folder, language)

    def _app(self, objects: Iterable[Object]) -> quiet.AppActivity:
        """Whether the app is switched off, and since when, by the journal beside the verdict."""
        principal = next((item for item in objects if item.kind == PRINCIPAL and not item.state["deleted"]), None)
        if principal is None:
            return quiet.AppActivity()
        journal = os.path.join(os.path.dirname(self._options.path), "journal.jsonl")
        return quiet.AppActivity(principal.state["accountEnabled"], quiet.switched_off(read_journal(journal), principal.id))

    def _activity(self, client_ids: Iterable[str], hours: int, start: str | None) -> list[str]:
        window = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)
        found = [item for one in client_ids for item in entries_of(self._client, one, f"{window:%Y-%m-%dT%H:%M:%SZ}")]
        times_of = [item["activityDateTime"] for item in found]
        return quiet.since(times_of, start) if start else times_of

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        recorded = read_verdict(self._options.path)
        return [change for change in begun if change.id == self._options.path and recorded == change.after]

    def apply(self, change: Change) -> dict[str, Any] | None:
        """One verdict takes the place of the one before."""
        write_atomically(self._options.path, (json.dumps(change.after, ensure_ascii=False, indent=2) + "\n").encode())
        return None

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        for change in applied:
            if read_verdict(self._options.path) != change.after:
                yield Outcome(change, "failed", "not_seen", f"{self._options.path} does not hold what was written")

    def verdict(self, plan: Plan) -> OffboardError | None:
        """With `required` a closed gate stops the stage; a check run is told what a real one would be stopped by."""
        if plan.facts["open"] or not self._options.required:
            return None
        if not self._check_mode:
            return OffboardError(str(plan.facts["told"]), code="gate_closed")
        for reason in plan.facts["verdict"]["reasons"]:
            self._warn(plain.line(phrases.english("would_stop", why=reason)))
        return None

    def close(self) -> None:
        self._client.close()


def _facts(verdict: dict[str, Any], language: str) -> dict[str, Any]:
    told = phrases.reasons(verdict["reasons"]) if verdict["reasons"] else phrases.told("gate_open")
    return {"verdict": verdict, "open": verdict["open"], "reasons": verdict["reasons"], "told": told.told(language)}
