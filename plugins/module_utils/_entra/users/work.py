# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out: passwords to the disk, intents to the journal, then each user's requests in their order, until each has one outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from ..._core.errors import OffboardError
from ..._core.model import Change, Outcome
from ..._graph.batches import Answer, Request
from ..._graph.client import Client
from ..._module.clock import now
from ..._module.runner import Record
from . import access_pass
from . import plan as user_plan
from . import requests as user_requests
from .display_names import DisplayNames
from .licence_group import MEMBERS_PER_REQUEST, LicenceGroup
from .licences import Skus
from .passwords import HandOver, PassBook
from .results import Results
from .selection import Selection

#: Changes whose passwords are handed over together, and changes whose intents are journaled together.
_SEGMENT, _INTENTS = 1000, 100
#: Rounds of reading back what became of requests without an answer, and the pause before each, in seconds: 1, 2, 4, 8, 16.
_ROUNDS = 5
#: How often a user gets another password after one that the tenant's rules (banned words, length) do not allow.
_RENEWALS = 3

#: The properties of a change that each step carries out, as far as reading shows them.
_PARTS = {
    "patch": ("accountEnabled", "usageLocation", user_plan.PASSWORD),
    "licences": ("licences",),
    "revoke": (),
    "old_pass": (),
    "pass": (),
    "group": (),
}


@dataclass
class WorkOptions:
    """What carrying out takes from the task."""

    client: Client
    selection: Selection
    results: Results
    skus: Skus
    #: free seats by part number; counted down on the way
    free: dict[str, int]
    force_change: str
    terms: access_pass.Terms
    handover: HandOver | None = None
    passes: PassBook | None = None
    display_names: DisplayNames = field(default_factory=DisplayNames)
    group: LicenceGroup | None = None


@dataclass(slots=True)
class _Job:
    """A user on the way: which steps are left, which are done."""

    change: Change
    password: str | None
    steps: list[str]
    done: list[str] = field(default_factory=list)
    tries: int = 0
    #: the id of a Temporary Access Pass that has to go first
    old_pass: str | None = None
    #: whether the PATCH was given to the client, and was not refused
    patched: bool = False
    #: how many passwords were refused
    renewed: int = 0


class Work:
    """Carries out the changes of a run: one PATCH a user, then what else there is, in the order patch, revoke, licences."""

    def __init__(self, means: WorkOptions, changes: Iterator[Change], begin: Callable[[list[Change]], None], record: Record) -> None:
        self._means, self._changes, self._begin, self._record = means, changes, begin, record
        #: users whose passwords may be on the disk, and whose intents are not in the journal yet
        self._segment: list[Change] = []
        #: users whose intent is in the journal and whose outcome is not yet; as many as are in flight
        self._open: dict[str, _Job] = {}
        #: users of whom the last request got no answer, or came too early
        self._uncertain: list[_Job] = []
        #: licences of which Graph has refused a seat: it decides, not our arithmetic
        self._full: set[str] = set()
        #: users whose password was refused
        self._weak: list[tuple[HandOver, _Job]] = []
        #: users who wait until there are enough of them for one request to the group
        self._joining: list[_Job] = []

    def run(self) -> None:
        """Returns when every user has an outcome. Raises OffboardError when the run cannot go on."""
        client = self._means.client
        client.batch(self._fresh(), self._done)
        self._settle()
        for attempt in range(_ROUNDS):
            if not self._uncertain:
                return
            time.sleep(2.0**attempt)
            jobs, self._uncertain = self._uncertain, []
            client.batch(self._looked_up(jobs), self._done)
            self._settle()
        self._finish(
            [self._outcome(job, "failed", "answer_lost", f"no answer to the request for {job.change.name} ({job.steps[0]})") for job in self._uncertain]
        )

    def _settle(self) -> None:
        """Who waits is sent: another password for whom it was refused, then the group."""
        while self._weak:
            weak, self._weak = self._weak, []
            self._means.client.batch(self._renewed(weak[0][0], [job for _book, job in weak]), self._done)
        self._means.client.batch(self._join(), self._done)

    def _renewed(self, handover: HandOver, jobs: list[_Job]) -> Iterator[Request]:
        passwords = handover.renew(job.change.id for job in jobs)
        for job in jobs:
            job.password, job.renewed = passwords[job.change.id], job.renewed + 1
            yield from self._next(job)

    def give_up(self, reason: OffboardError) -> None:
        """The run stops: whoever was begun has failed, whoever was not is skipped."""
        self._finish([self._outcome(job, "failed", reason.code, f"the run stopped before {job.change.name} was finished") for job in list(self._open.values())])
        left = chain(self._segment, self._changes)
        while rest := list(islice(left, _SEGMENT)):
            for change in rest:
                self._means.results.add(change.id, change.name, "skipped", "not_tried", reason.msg)
            self._record(*(Outcome(change, "skipped", "not_tried", reason.msg) for change in rest))

    # These run in the client's thread, one at a time.

    def _fresh(self) -> Iterator[Request]:
        """The first request of each user. Passwords are on the disk before the first of their segment goes out."""
        while segment := list(islice(self._changes, _SEGMENT)):
            self._segment = segment
            called = self._means.display_names.take(segment)
            passwords = self._provide([c for c in segment if user_plan.PASSWORD in (c.after or {})], called)
            while group := self._segment[:_INTENTS]:
                given = self._announce(group, called)  # not earlier: who was announced and not asked for would have somebody else's pass taken for ours
                left = [change for change in group if change.id not in given]
                msg = "another run has given the user a pass meanwhile"
                self._segment[: len(group)] = left
                self._finish([Outcome(change, "skipped", "pass_given_meanwhile", msg) for change in group if change.id in given])
                self._begin(left)
                jobs = [_Job(change, passwords.get(change.id), self._steps(change), old_pass=self._old_pass(change)) for change in left]
                self._open.update((job.change.id, job) for job in jobs)
                del self._segment[: len(left)]
                for job in jobs:
                    yield from self._next(job)

    def _provide(self, changes: list[Change], called: Mapping[str, str | None]) -> dict[str, str]:
        handover = self._means.handover
        if not changes or handover is None:
            return {}
        return handover.provide((c.id, c.name, called.get(c.id), (c.before or {}).get(user_plan.PASSWORD)) for c in changes)

    def _announce(self, changes: list[Change], called: Mapping[str, str | None]) -> set[str]:
        """Gives the ids of those who need no pass any more."""
        if self._means.passes is None:
            return set()
        return self._means.passes.begin(((c.id, c.name, called.get(c.id)) for c in changes if "temporaryAccessPass" in (c.after or {})), now())

    @staticmethod
    def _old_pass(change: Change) -> str | None:
        return (change.before or {}).get("temporaryAccessPass")

    @staticmethod
    def _steps(change: Change) -> list[str]:
        after = change.after or {}
        steps = ["patch"] if any(name in after for name in _PARTS["patch"]) else []
        steps += ["revoke"] if "signInSessions" in after else []
        if "temporaryAccessPass" in after:
            steps += ["old_pass", "pass"] if Work._old_pass(change) else ["pass"]
        steps += ["group"] if "licenceGroup" in after else []
        return steps + (["licences"] if "licences" in after else [])

    def _next(self, job: _Job) -> list[Request]:
        """The request of the job's next step; none when there is none left, or no seat."""
        if not job.steps:
            self._finish([self._outcome(job, "done")])
            return []
        path, change, means = f"/users/{job.change.id}", job.change, self._means
        match job.steps[0]:
            case "patch":
                job.patched = True
                return [Request("PATCH", path, user_requests.patch_body(change, job.password, means.force_change), job)]
            case "revoke":
                return [Request("POST", f"{path}/revokeSignInSessions", None, job)]
            case "old_pass":
                return [Request("DELETE", f"{access_pass.passes_of(change.id)}/{job.old_pass}", None, job)]
            case "pass":
                return [Request("POST", access_pass.passes_of(change.id), means.terms.body(), job)]
        wanted = user_requests.new_seats(change, job.steps[:1])
        # A group takes a member whom it gets no seat for, so that nobody is told.
        if short := [name for name in wanted if means.free.get(name, 0) <= 0 and not job.tries and (name in self._full or job.steps[0] == "group")]:
            self._finish([self._outcome(job, "failed", "no_seat", f"{change.name}: no seat of {', '.join(short)} is left")])
            return []
        if not job.tries:
            means.free.update({name: means.free[name] - 1 for name in wanted})
        if job.steps[0] == "group":
            self._joining.append(job)
            return list(self._join()) if len(self._joining) >= MEMBERS_PER_REQUEST else []
        return [Request("POST", f"{path}/assignLicense", user_requests.licence_body(change, means.skus), job)]

    def _done(self, pairs: list[tuple[Request, Answer]]) -> list[Request]:
        follow_ups: list[Request] = []
        finished: list[Outcome] = []
        self._keep_passes(pairs)
        for request, answer in pairs:
            if isinstance(request.tag, list):
                follow_ups += self._joined(request, answer, finished)
                continue
            job: _Job = request.tag
            if answer.ok and job.steps[0] == "pass" and not answer.body.get("temporaryAccessPass"):
                self._uncertain.append(job)  # made, but not told
            elif answer.ok or (answer.status == 404 and job.steps[0] == "old_pass") or self._was_member(job, answer):
                self._step_done(job)
                if job.steps:
                    follow_ups += self._next(job)
                else:
                    finished.append(self._outcome(job, "done"))
            elif answer.uncertain or self._too_early(job, answer):
                self._uncertain.append(job)
            elif (handover := self._means.handover) is not None and self._is_weak(job, request, answer):
                job.patched = False
                self._weak.append((handover, job))
            else:
                finished.append(self._refused(job, request, answer))
        self._finish(finished)
        return follow_ups

    def _join(self) -> Iterator[Request]:
        """One request for all who wait."""
        jobs, self._joining = self._joining, []
        if jobs and self._means.group is not None:
            members = [self._means.client.reference(job.change.id)["@odata.id"] for job in jobs]
            yield Request("PATCH", f"/groups/{self._means.group.id}", {"members@odata.bind": members}, jobs)

    def _joined(self, request: Request, answer: Answer, finished: list[Outcome]) -> list[Request]:
        """All or none of them were added. Where one spoils it for the others, or nobody knows, each is added alone."""
        follow_ups: list[Request] = []
        single = answer.uncertain or (answer.failure is None and answer.status in (400, 404, 409))
        for job in request.tag:
            if answer.ok:
                self._step_done(job)
                if job.steps:
                    follow_ups += self._next(job)
                else:
                    finished.append(self._outcome(job, "done"))
            elif single:
                body = self._means.client.reference(job.change.id)
                follow_ups.append(Request("POST", f"{request.path}/members/$ref", body, job))
            else:
                finished.append(self._refused(job, request, answer))
        return follow_ups

    @staticmethod
    def _was_member(job: _Job, answer: Answer) -> bool:
        return job.steps[0] == "group" and answer.status == 400 and "already exist" in str((answer.body.get("error") or {}).get("message", ""))

    def _keep_passes(self, pairs: list[tuple[Request, Answer]]) -> None:
        """Onto the disk before anything else: Graph tells a pass only once."""
        made = {
            request.tag.change.id: {**answer.body, "userPrincipalName": request.tag.change.name, "validUntil": access_pass.valid_until(answer.body)}
            for request, answer in pairs
            if answer.ok and isinstance(request.tag, _Job) and request.tag.steps[0] == "pass" and answer.body.get("temporaryAccessPass")
        }
        names = ("userPrincipalName", "temporaryAccessPass", "startDateTime", "validUntil", "isUsableOnce")
        if made and self._means.passes is not None:
            values = {user_id: {name: item[name] for name in names} for user_id, item in made.items()}
            self._means.passes.keep(values, {user_id: item.get("id", "") for user_id, item in made.items()})

    def _step_done(self, job: _Job) -> None:
        step = job.steps.pop(0)
        job.done.append(step)
        job.tries = 0
        if step == "licences":
            kept = {self._means.skus.name(sku) for sku in (self._means.group.licences if self._means.group is not None else ())}
            for name in ((job.change.before or {}).get("licences") or {}).keys() - (job.change.after or {})["licences"] - kept:
                self._means.free[name] = self._means.free.get(name, 0) + 1

    def _too_early(self, job: _Job, answer: Answer) -> bool:
        """The usage location was set a moment ago, and the replica that assigns licences does not know it yet."""
        message = str((answer.body.get("error") or {}).get("message", ""))
        early = (
            job.steps[0] == "licences"
            and "usageLocation" in (job.change.after or {})
            and user_requests.refusal_code(answer.status, message, "licences") == "no_usage_location"
        )
        return early and job.tries < _ROUNDS

    def _is_weak(self, job: _Job, request: Request, answer: Answer) -> bool:
        """Refused at the first try of this password, so it is nobody's; with an answer lost before, an earlier request might have set it."""
        if answer.failure is not None or job.password is None or job.steps[0] != "patch" or job.tries or job.renewed >= _RENEWALS:
            return False
        return user_requests.refusal_code(answer.status, answer.error(request).msg, "patch") == "password_refused"

    def _refused(self, job: _Job, request: Request, answer: Answer) -> Outcome:
        error = answer.error(request)
        if job.steps[0] == "patch" and not job.tries:  # an earlier one may have been carried out, and its answer lost
            job.patched = False
        if answer.failure is not None:
            return self._outcome(job, "failed", error.code, error.msg)
        code = user_requests.refusal_code(answer.status, error.msg, job.steps[0])
        if code == "no_seat":
            for name in user_requests.new_seats(job.change):
                if self._means.skus.find(name).id in error.msg.casefold():
                    self._means.free[name] = 0
                    self._full.add(name)
        return self._outcome(job, "failed", code, error.msg)

    def _looked_up(self, jobs: list[_Job]) -> Iterator[Request]:
        """What to send next for users without an answer: read back whether the step was carried out, else send it once more."""
        selection = self._means.selection
        paths = {access_pass.passes_of(job.change.id) if "pass" in job.steps[0] else selection.path(job.change.id): job for job in jobs}
        requests: list[Request] = []
        for path, answer in self._means.client.get_many(paths):
            job = paths[path]
            job.tries += 1
            if "pass" in job.steps[0]:
                requests += self._pass_again(job, answer)
                continue
            expected = user_requests.expectation(job.change, _PARTS[job.steps[0]])
            changed = user_requests.password_changed(job.change, answer.body)
            if answer.ok and expected and user_requests.meets(answer.body, expected, self._means.skus, password_changed=changed):
                self._step_done(job)
            requests += self._next(job)
        return iter(requests)

    def _pass_again(self, job: _Job, answer: Answer) -> list[Request]:
        """A pass whose value was never told is of no use to anybody: it goes, and another one is made."""
        there, _unused = access_pass.standing(answer.body.get("value", ()), ())
        if there is not None:
            job.old_pass = there
            job.steps[:0] = ["old_pass"] if job.steps[0] == "pass" else []
        elif job.steps[0] == "old_pass" and answer.ok:
            self._step_done(job)
        return self._next(job)

    def _outcome(self, job: _Job, status: str, code: str = "", msg: str = "") -> Outcome:
        details: dict[str, Any] = {"steps_done": job.done}
        if job.password is not None and ("patch" in job.done or not job.patched):
            details["password_set"] = job.patched
        if left_out := (job.change.after or {}).get("left_out"):
            details["left_out"] = left_out
        return Outcome(job.change, status, code, msg, details)

    def _finish(self, outcomes: list[Outcome]) -> None:
        for item in outcomes:
            self._open.pop(item.change.id, None)
            self._means.results.add(item.change.id, item.change.name, item.status, item.code, item.msg, item.details)
        if outcomes:
            self._record(*outcomes)
