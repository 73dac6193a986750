# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way for every change: read, plan, guard, apply, verify, result."""

from __future__ import annotations

import abc
import contextlib
import os
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._core import diff, guard, journal, phrases, plain
from .._core.errors import OffboardError
from .._core.model import Change, Object, Outcome, Refusal
from .._core.plan import ANSWER_LIMIT, Plan
from .._core.predict import Predictions
from .._core.spool import Spool
from . import arguments, binding, budget, lease, plans
from .clock import now
from .files import append_records, check_run_file, read_lines
from .progress import Progress

#: Takes one outcome, or all of a batch at once, so that a long journal costs one disk flush a batch.
Record = Callable[..., None]


class Resource(abc.ABC):
    """One kind of object, as the runner sees it. A module's main() makes one and calls `run`."""

    #: plural, for messages: "domains", "users"
    noun: ClassVar[str]
    #: the kinds of the objects that `read` gives
    kinds: ClassVar[tuple[str, ...]]
    #: true where going on after a failure could make things worse (domains, one at a time; guests that are deleted and invited again)
    stop_at_first_failure: bool = False
    #: true where the objects lie on the Windows machine that the option `host` names
    on_machine: ClassVar[bool] = False
    #: true where the objects are the files of the run folder itself
    in_run_folder: ClassVar[bool] = False
    _progress: Progress | None = None
    _assumed: Predictions = Predictions(())

    def assume(self, predictions: Predictions) -> None:
        """Take what a check run assumes, before `read`. The runner lays it over what `read` gives; `plan` does, over what else it reads."""
        self._assumed = predictions

    def show_on(self, progress: Progress) -> None:
        """Take where to tell what is being done, before `apply_all`."""
        self._progress = progress

    def tell(self, doing: str) -> None:
        """Say what is waited for, in kinds of which one single change takes long. Nobody hears it before `apply_all`."""
        if self._progress is not None:
            self._progress.report(doing)

    @abc.abstractmethod
    def read(self) -> Iterable[Object]:
        """Everything that matters, completely. Raises OffboardError; an error or a single 404 is never "absent"."""

    @abc.abstractmethod
    def plan(self, current: Iterable[Object]) -> Plan:
        """What follows from what is there (as predicted, in check mode) and the task's options. May read more, where only some plans need it."""

    def guard(self, plan: Plan) -> Iterable[Refusal]:
        """The kind's own guards: what planning found, and what only some plans are asked. `max_changes` is always checked by the runner."""
        return plan.refusals

    @abc.abstractmethod
    def apply(self, change: Change) -> dict[str, Any] | None:
        """Carry out one change; returns details for the outcome. Raises OffboardError when it failed."""

    def apply_all(self, changes: Iterable[Change], begin: Callable[[list[Change]], None], record: Record) -> None:
        """Carry out all changes, `begin` before each (or each batch) and `record` after each. Bulk kinds override this."""
        failed = False
        for change in changes:
            if failed and self.stop_at_first_failure:
                record(Outcome(change, "skipped", "earlier_failure", "not tried, because an earlier one failed"))
                continue
            begin([change])
            try:
                details = self.apply(change)
            except OffboardError as exc:
                failed = True
                record(Outcome(change, "failed", exc.code, exc.msg, exc.details))
            else:
                record(Outcome(change, "done", details=details or {}))

    @abc.abstractmethod
    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Read again, bounded in time. One failed Outcome (code not_seen) for each change that cannot be seen; nothing for the others."""

    def carried_out(self, begun: Sequence[Change]) -> Iterable[Change]:
        """Those of the changes a stopped run had begun that are there, by what `read` has found or by looking again; nothing when in doubt."""
        return ()

    def verdict(self, plan: Plan) -> OffboardError | None:
        """Why the task fails although everything is as it shall be: for kinds that record what the run has come to, and judge it."""
        return None

    def owner(self) -> Mapping[str, str]:
        """Whose objects these are, as `binding` names it: asked for after `read`."""
        return {}

    def lacking(self, manifest: Mapping[str, Any], changes: Iterable[Change]) -> Collection[str]:
        """What the tenant's snapshot, of which this is the manifest, does not hold of the objects about to change, in people's words."""
        return ()

    def to_be_saved(self, changes: Iterable[Change]) -> Iterable[str]:
        """Ids that the files of the snapshot beside the tenant's must hold before the changes are made."""
        return ()

    def domains(self, changes: Iterable[Change]) -> Iterable[str]:
        """The tenant's domains that change: what was judged before must be about them."""
        return ()

    def federated(self, names: Collection[str]) -> Iterable[str]:
        """Of the tenant's domains of these names, and those below them, the ones that are not managed; all where this cannot be known."""
        return names

    def facts(self, plan: Plan) -> dict[str, Any]:
        """Further return values, in check mode too: what planning found. Asked for again after `apply_all`, for what that has added."""
        return plan.facts

    def warnings(self) -> Iterable[str]:
        """What came up while changes were made; asked for once, after that."""
        return ()

    def close(self) -> None:  # noqa: B027 - most kinds hold nothing open
        """Give back connections. Called once, whatever happened."""


class Preconditions(Protocol):
    """What must be true before a task changes anything, whatever tasks ran or did not run before it. The runner asks; who knows why there is a run says."""

    def __call__(self, params: Mapping[str, Any], resource: Resource, owner: Mapping[str, str], changes: Iterable[Change]) -> None:
        """Raises OffboardError for what is not so. owner: whose the objects are, as `binding` names it."""


def _warn(module: AnsibleModule, text: str) -> None:
    module.warn(plain.line(text))


class _Run:
    def __init__(self, module: AnsibleModule, resource: Resource, preconditions: Preconditions) -> None:
        self.module = module
        self.resource = resource
        self.preconditions = preconditions
        self.journal = module.params.get("journal")
        self.predictions = module.params.get("predictions")
        self.id = f"{now()}-{os.getpid()}"
        self.outcomes: list[Outcome] = []
        self.done = Spool()
        self.failed: list[Outcome] = []
        self.codes: set[str] = set()
        self.touched = False
        self.begun = False
        self.assumed = Predictions(())
        self.counts: dict[str, int] = {}

    def fit(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer with lists that are short enough for one event."""
        counts = answer.get("counts", {})
        totals = {
            "plan": counts.get("planned", 0),
            "applied": counts.get("done", 0),
            "failed_objects": counts.get("failed", 0),
            "skipped_objects": counts.get("skipped", 0),
            **({"diff": counts.get("planned", 0)} if "diff" in answer else {}),
        }
        return budget.answer(answer, totals, self.files)

    @property
    def files(self) -> list[str]:
        """Those that keep all of what an answer has no room for."""
        return budget.files(self.module.params, self.module.check_mode)

    def read(self) -> Iterable[Object]:
        if self.module.check_mode and self.predictions:
            self.assumed = plans.read_predictions(self.predictions)
            self.resource.assume(self.assumed)
            return self.assumed.overlay(self.resource.kinds, self.resource.read())
        return self.resource.read()

    def begin(self, changes: list[Change]) -> None:
        records = [journal.intent(change, self.id, now()) for change in changes]
        if not self.begun and (owner := self.owner()):
            records[:1] = [{**record, "owner": owner} for record in records[:1]]
        self.begun = True
        self._append(records)

    def record(self, *results: Outcome) -> None:
        for result in results:
            self.counts[result.status] = self.counts.get(result.status, 0) + 1
            # A failed change may have been carried out in part, and then something has changed.
            self.touched = self.touched or result.status == "done" or bool(result.details.get("steps_done"))
            if result.status == "done":
                self.done.append(result.change)
            elif result.status == "failed":
                self._fail(result)
            if len(self.outcomes) < ANSWER_LIMIT:
                self.outcomes.append(result)
        self._append([journal.outcome(result, self.id, now()) for result in results])
        self.progress.add(len(results))

    def _settle(self) -> None:
        """A stopped run may have left intents without an outcome. Those that turn out to have been carried out are recorded as done, in its name."""
        if not self.journal or self.module.check_mode:
            return
        begun, intents = [], {}
        for record in journal.known(journal.unfinished(read_lines(self.journal))):
            with contextlib.suppress(TypeError, ValueError):  # of a version that says it otherwise
                if record["kind"] in self.resource.kinds:
                    begun.append(change := Change.from_dict(record))
                    intents[change.key, change.action] = record
        if not begun:
            return
        try:
            for change in self.resource.carried_out(begun):
                record = intents[change.key, change.action]
                result = Outcome(change, "done", msg="a stopped run had done it; seen by a later one", details={"begun_at": record["at"]})
                self._append([journal.outcome(result, record["run"], now())])
        except OffboardError as exc:
            _warn(self.module, phrases.english("begun_not_looked_up", msg=exc.msg))

    def _fail(self, result: Outcome) -> None:
        self.codes.add(result.code)
        if len(self.failed) < ANSWER_LIMIT:
            self.failed.append(result)

    def _append(self, records: list[dict[str, Any]]) -> None:
        if self.journal:
            append_records(self.journal, records)

    def run(self) -> dict[str, Any]:
        if self.journal:
            check_run_file(self.journal)
        plan = self.resource.plan(self.read())
        if self.journal and (len(plan.changes) or plan.unchanged or plan.skipped):
            binding.check(self.journal, self.owner())
        self._settle()
        result: dict[str, Any] = {
            "changed": len(plan.changes) > 0,
            "plan": [change.to_dict() for change in plan.changes.head],
            "counts": {"planned": len(plan.changes), "unchanged": plan.unchanged, "skipped": len(plan.skipped) + plan.skipped_more},
            # not `skipped`: Ansible takes a result with that key for a task that did not run, whatever `changed` says
            "skipped_objects": [item.to_dict() for item in plan.skipped[:ANSWER_LIMIT]],
            "applied": [],
            "failed_objects": [],
            "restore": [{"kind": c.kind, "id": c.id, "name": c.name, "undo": c.undo} for c in plan.changes.head if c.undo],
            "predicted": False,
            **self.resource.facts(plan),
        }
        for warning in plan.warnings:
            _warn(self.module, warning)
        if self.module._diff:
            result["diff"] = diff.ansible_diff(plan.changes.head)
        refusals = [*guard.too_many(len(plan.changes), self.module.params.get("max_changes", len(plan.changes)), self.resource.noun)]
        refusals += self.resource.guard(plan)
        if refusals:
            if not self.module.check_mode:
                self._append([journal.refusal(item, self.resource.noun, self.id, now()) for item in refusals])
            raise _Refused(refusals, {**result, "changed": False})
        if len(plan.changes):
            self._check_preconditions(plan.changes)
            self._check_approved(plan.changes)
        if self.module.check_mode:
            self._predict(plan, result)
        else:
            self._apply(plan, result)
        if (error := self.resource.verdict(plan)) is not None:
            raise _Judged(error, {"changed": result["changed"], **self.resource.facts(plan)})
        return result

    def owner(self) -> dict[str, str]:
        """Whose the objects are: as the kind itself knows it, else as the task says."""
        return {**binding.tenant(self.module.params.get("run_tenant_id")), **self.resource.owner()}

    def _check_preconditions(self, changes: Iterable[Change]) -> None:
        try:
            self.preconditions(self.module.params, self.resource, self.owner(), changes)
        except OffboardError as exc:
            if not self.module.check_mode:
                raise
            _warn(self.module, phrases.english("would_stop", why=exc.msg))

    def _check_approved(self, changes: Iterable[Change]) -> None:
        if not (approved := self.module.params.get("approved_plan")) or self.resource.in_run_folder:
            return
        plans.check_approved(changes, approved["path"], approved["sha256"].strip().lower())

    def _predict(self, plan: Plan, result: dict[str, Any]) -> None:
        if not self.predictions:
            return
        if met := self.assumed.met:
            result["predicted"] = True
            _warn(self.module, phrases.english("planned_on", number=met))
        append_records(self.predictions, [change.to_dict() for change in plan.changes])

    def _apply(self, plan: Plan, result: dict[str, Any]) -> None:
        self.progress = Progress(self.module.params.get("progress_file"), self.resource.noun, len(plan.changes))
        self.resource.show_on(self.progress)
        stopped: OffboardError | None = None
        if len(plan.changes):
            try:
                if self.journal and (owner := self.owner()):
                    binding.bind(self.journal, owner)
                self.resource.apply_all(plan.changes, self.begin, self.record)
                self._verify()
            except OffboardError as exc:
                stopped = exc
            except KeyboardInterrupt:
                stopped = OffboardError("interrupted; run the same task again to go on", code="interrupted")
            except Exception as exc:  # pylint: disable=broad-exception-caught
                stopped = _own_fault(exc)
        for warning in self.resource.warnings():
            _warn(self.module, warning)
        not_seen = {(item.change.key, item.change.action) for item in self.failed}
        result["applied"] = [o.to_dict() for o in self.outcomes if o.status == "done" and (o.change.key, o.change.action) not in not_seen]
        result["failed_objects"] = [o.to_dict() for o in self.failed]
        result["skipped_objects"] += [o.to_dict() for o in self.outcomes if o.status == "skipped"]
        for status, count in self.counts.items():
            result["counts"][status] = result["counts"].get(status, 0) + count
        result["changed"] = self.touched
        result.update(self.resource.facts(plan))
        if stopped is not None:
            raise _Stopped(stopped, result)
        if self.failed:
            raise _Failed(self.failed, self.codes, result, self.files)

    def _verify(self) -> None:
        for late in self.resource.verify(self.done):
            self.counts["done"] -= 1
            self.counts["failed"] = self.counts.get("failed", 0) + 1
            self._fail(late)
            self._append([journal.outcome(late, self.id, now())])


class _Ended(Exception):
    """Ends the run with `result` as fail_json's arguments."""

    result: dict[str, Any]


class _Stopped(_Ended):
    def __init__(self, error: OffboardError, result: dict[str, Any]) -> None:
        counts = result["counts"]
        done = f"{counts.get('done', 0)} of {counts['planned']} changes are recorded as done; one more may have been under way"
        self.result = {**result, "msg": f"Stopped on the way: {error.msg} ({done}).", "failure": error.to_dict()}


class _Judged(_Ended):
    def __init__(self, error: OffboardError, result: dict[str, Any]) -> None:
        self.result = {**result, "msg": error.msg, "failure": error.to_dict()}


class _Refused(_Ended):
    def __init__(self, refusals: list[Refusal], result: dict[str, Any]) -> None:
        lines = [item.msg + (f" Allowed by: {item.allow_with}." if item.allow_with else "") for item in refusals]
        self.result = {
            **result,
            "msg": "Nothing was changed. " + " | ".join(lines),
            "failure": {"code": "guard_refused", "details": {"refusals": [item.to_dict() for item in refusals]}},
        }


class _Failed(_Ended):
    def __init__(self, failed: list[Outcome], all_codes: set[str], result: dict[str, Any], files: Sequence[str]) -> None:
        first = failed[0]
        count = result["counts"]["failed"]
        more = f" ({count - 1} more in {files[0] if files else 'failed_objects'})" if count > 1 else ""
        codes = sorted(all_codes)
        self.result = {
            **result,
            "msg": f"{count} of {result['counts']['planned']} changes failed: {first.change.name}: {first.msg}{more}",
            "failure": {"code": codes[0] if len(codes) == 1 else "several", "details": {"codes": codes}},
        }


def require(module: AnsibleModule, library: str, error: Exception | None) -> None:
    """End with Ansible's usual "install it so" message when `library` could not be imported."""
    if error is not None:
        module.fail_json(msg=missing_required_lib(library), exception=repr(error), failure={"code": "missing_library", "details": {"library": library}})


def run(module: AnsibleModule, make: Callable[[dict[str, Any]], Resource], preconditions: Preconditions, *, beside_others: bool = False) -> None:
    """Run a module that changes things; never returns. `make` builds the resource from the task's options.

    beside_others: it may work while another run holds the same journal, as whatever it writes is decided anew under a lock of its own.
    """
    failed = True
    fit: Callable[[dict[str, Any]], dict[str, Any]] = _as_it_is
    with contextlib.ExitStack() as stack:
        try:
            arguments.fill(module.params, _spec(module))
            if not (beside_others or module.check_mode):
                stack.enter_context(_lease(module))  # before `make`, which may read what another run is about to write
            resource = make(module.params)
            stack.callback(resource.close)
            arguments.check_numbers(module.params, _spec(module))
            job = _Run(module, resource, preconditions)
            fit = job.fit
            answer, failed = job.run(), False
        except _Ended as exc:
            answer = exc.result
        except OffboardError as exc:
            answer = _failure(exc)
        except KeyboardInterrupt:
            answer = _failure(OffboardError("interrupted before anything was changed", code="interrupted"))
        except Exception as exc:  # pylint: disable=broad-exception-caught
            answer = _failure(_own_fault(exc))
    _end(module, answer, failed, fit)


def _spec(module: AnsibleModule) -> Mapping[str, Any]:
    return getattr(module, "argument_spec", {})


def _lease(module: AnsibleModule) -> contextlib.AbstractContextManager[None]:
    """The files that this task and another one would both add to. Machines and shards of one run go on side by side."""
    params = module.params
    paths = [params[name] for name in ("journal", "handover_file") if params.get(name)]
    works_on = " ".join(str(params.get(name) or "") for name in ("host", "port", "shard"))
    return lease.held(paths, module._name, works_on)


def hide_private_keys(module: AnsibleModule, option: str) -> None:
    """A private key that was given for a certificate will be refused; whoever gave it by mistake shall not find it in a log.

    option: that of the certificates, at whatever depth.
    """
    module.no_log_values.update(text for text in _texts_of(module.params, option) if "PRIVATE KEY" in text)


def _texts_of(given: Any, option: str) -> Iterator[str]:
    if isinstance(given, Mapping):
        for name, value in given.items():
            if name == option:
                yield from filter(None, value if isinstance(value, list) else [value])
            else:
                yield from _texts_of(value, option)
    elif isinstance(given, list):
        for one in given:
            yield from _texts_of(one, option)


def run_info(module: AnsibleModule, read: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Run a module that only reads; never returns. `read` gives the return values."""
    failed = True
    try:
        arguments.fill(module.params, _spec(module))
        arguments.check_numbers(module.params, _spec(module))
        answer, failed = {"changed": False, **read(module.params)}, False
    except OffboardError as exc:
        answer = _failure(exc)
    except Exception as exc:  # pylint: disable=broad-exception-caught
        answer = _failure(_own_fault(exc))
    _end(module, answer, failed)


def _failure(error: OffboardError) -> dict[str, Any]:
    return {"msg": error.msg, "changed": False, "failure": error.to_dict()}


def _own_fault(error: Exception) -> OffboardError:
    """Nobody foresaw it. Its words may quote what was read, a secret too, so they are not told; where it happened is."""
    where = [f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return OffboardError(
        f"a fault of this module, please report it: {type(error).__name__} at {where[-1]}",
        code="internal_error",
        details={"error": type(error).__name__, "where": where},
    )


def _as_it_is(answer: dict[str, Any]) -> dict[str, Any]:
    return answer


def _end(module: AnsibleModule, answer: dict[str, Any], failed: bool, fit: Callable[[dict[str, Any]], dict[str, Any]] = _as_it_is) -> None:
    """The one way out: what is told passes through `plain`, and has room in an event. Called outside of every handler, since a traceback quotes what a
    parser was given."""
    told = fit(plain.failure(answer) if failed else plain.result(answer))
    if (shown := budget.arguments(module.params)) != module.params:
        told["invocation"] = {"module_args": shown}
    if failed:
        module.fail_json(**told)
    module.exit_json(**told)
