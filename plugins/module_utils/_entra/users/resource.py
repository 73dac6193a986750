# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_users and its _info twin: any number of users in one task, streamed, and none of them lied about."""

from __future__ import annotations

import os
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property, partial
from itertools import islice
from typing import Any, ClassVar

from ..._core import names
from ..._core.errors import OffboardError
from ..._core.heads import Heads
from ..._core.marks import Marks, mark
from ..._core.model import Change, Object, Outcome, Refusal, Skip
from ..._core.plan import ANSWER_LIMIT, Plan
from ..._core.spool import Spool
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module import budget, waiting
from ..._module.clock import now, seconds_since
from ..._module.files import read_journal
from ..._module.runner import Record
from ..._offboarding import phrases
from ..._offboarding.preconditions import read_manifest
from ..domains.plan import KIND as DOMAIN
from ..domains.read import read_domains
from ..of_tenant import MANY, OfTenant
from ..roles import read_guarded
from ..snapshot.files import read_user_ids
from ..snapshot.plan import KIND as SNAPSHOT
from ..snapshot.plan import holds
from . import access_pass, passes_there
from . import desired as user_desired
from . import plan as user_plan
from . import requests as user_requests
from .desired import Desired
from .display_names import DisplayNames
from .history import History
from .licence_group import FIELDS, LicenceGroup
from .licences import Skus
from .options import InfoOptions, Options
from .passwords import HandOver, PassBook
from .plan import KIND, Decision, RepairContext, decide, user_state
from .results import Results
from .sayings import Sayings
from .selection import Named, Selection, fields_of, members, named_in, user_path
from .verification import Late
from .work import Work, WorkOptions

#: Users about whose passes is asked at once.
_ASKED = 100
#: of a time in RFC 3339: Graph may give fractions
_TO_THE_SECOND = len("2026-01-01T00:00:00")


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_users_info."""
    options = InfoOptions.of(params)
    results = Results(options.results_file)
    counts = Counter(dict.fromkeys(("total", "enabled", "blocked", "guests", "synced", "without_usage_location", "unlicensed"), 0))
    licences: Counter[str] = Counter()
    users: list[dict[str, Any]] = []
    missing = Heads[dict[str, str]]()
    with closing(results), Client(Connection.from_params(params)) as client:
        skus = skus_of(client)
        selection = Selection(client, options.selection, fields_of(licences=True, password=True), named_in(client, options.selection, lambda who: None))
        for item in selection.read():
            if "missing" in item:
                counts[item["missing"]] += 1
                missing.add(item["missing"], {"name": item["userPrincipalName"], "why": item["missing"]})
                results.add(item["id"], item["userPrincipalName"], "missing", item["missing"])
                continue
            state = user_state(item)
            state |= {"licences": user_plan.named(state["licences"], skus), "group_licences": sorted(map(skus.name, state["group_licences"]))}
            counts["total"] += 1
            counts["enabled" if state["accountEnabled"] else "blocked"] += 1
            counts["guests"] += state["userType"] == "Guest"
            counts["synced"] += state["onPremisesSyncEnabled"]
            counts["without_usage_location"] += not state["usageLocation"]
            counts["unlicensed"] += not (state["licences"] or state["group_licences"])
            licences.update({*state["licences"], *state["group_licences"]})
            if options.list_users and len(users) < ANSWER_LIMIT:
                users.append({"id": item["id"], "userPrincipalName": item["userPrincipalName"], **state})
            results.add(item["id"], item["userPrincipalName"], "found", details=state)
        results.publish()
    return {"counts": dict(counts), "licences": dict(licences), "users": budget.sample(users), "missing": budget.sample_of(missing)}


class Users(OfTenant):
    noun = "users"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, params: Mapping[str, Any], check_mode: bool) -> None:
        self._options = Options.of(params, check_mode)
        connection = Connection.from_params(params)
        self._client = Client(connection, connection.further(self._options.applications))
        self._results = Results(self._options.results_file)
        self._handover = self._make_handover()
        self._passes = self._make_passes()
        self._display_names = DisplayNames()
        self._skus = skus_of(self._client)
        self._identities: Sequence[dict[str, str]] = ()
        self._own_upn = ""
        self._own: list[str] = []
        self._free: dict[str, int] = {}
        self._unproven = self._nowhere = 0
        self._found = self._not_found = self._soft_deleted = 0
        #: where a snapshot is required: its folder and time, and those who came after it
        self._required = self._required_snapshot()
        self._came_later: set[int] = set()
        #: those of `also_enable` whom the snapshot has
        self._met: set[str] = set()

    def _required_snapshot(self) -> tuple[str, str] | None:
        if self._options.run_dir is None:
            return None
        folder = os.path.join(os.path.abspath(self._options.run_dir), "snapshot")
        manifest = read_manifest(folder)
        return (folder, manifest["taken"]) if manifest else None

    def _make_handover(self) -> HandOver | None:
        options = self._options
        if options.handover_file is None or not options.may_set_password:
            return None
        return HandOver(options.handover_file, options.vault_password(), options.password_length)

    def _make_passes(self) -> PassBook | None:
        options = self._options
        return PassBook(options.handover_file, options.vault_password()) if options.handover_file is not None and options.gives_pass else None

    # -- read

    def read(self) -> Iterator[Object]:
        options = self._options
        self._identities = self._client.identities()
        self._own_upn = names.user(self._identities[0]["upn"])
        selection = self._selection
        if options.snapshot_is_now and self._planned_snapshot is None:
            return
        for item in selection.read():
            if self._planned_snapshot is not None and not holds(self._planned_snapshot, item["userPrincipalName"]):
                continue
            state = {"missing": item["missing"]} if "missing" in item else user_state(item)
            if options.hands_over and "missing" not in item:
                state |= {name: item.get(name) for name in ("createdDateTime", "displayName")}
            if options.revoke_sessions and "missing" not in item:
                state[user_plan.SESSIONS] = item.get(user_plan.SESSIONS)
            if self._required and (item.get("createdDateTime") or "")[:_TO_THE_SECOND] >= self._required[1][:_TO_THE_SECOND]:
                self._came_later.add(mark(names.uuid(item["id"])))
            if self._group is not None and "missing" not in item:
                state["given"] = self._group.gives(item.get("licenseAssignmentStates") or ())
            yield Object(KIND, item["id"], item["userPrincipalName"], state)

    # What is read once, when it is first asked for.

    @cached_property
    def _selection(self) -> Selection:
        options = self._options
        fields = fields_of(
            licences=options.reads_licences,
            password=options.may_set_password or options.revoke_sessions,
            created=options.hands_over or bool(self._required),
            called=options.hands_over,
            sessions=options.revoke_sessions,
        )
        make = partial(self._desired_of, self._base)  # a wrong licence is told before anybody is read
        if self._sayings.asks_for_passwords() and self._handover is None:
            raise OffboardError("src asks for passwords, which needs handover_file", code="bad_option")
        desired = None if options.snapshot_is_now else named_in(self._client, options.selection, make)
        if not options.snapshot_is_now:
            self._check_met()
        return Selection(self._client, options.selection, fields, desired)

    @cached_property
    def _sayings(self) -> Sayings:
        return Sayings(self._options.selection.src, self._skus)

    @cached_property
    def _base(self) -> Desired:
        """What is desired of everybody."""
        options = self._options
        return Desired(
            enabled=options.enabled,
            usage_location=options.usage_location,
            password=options.password == "generate",
            access_pass=options.gives_pass,
            group=self._group,
            revoke_sessions=options.revoke_sessions,
            **user_desired.desired_licences(options.licences, self._skus),
        )

    @cached_property
    def _group(self) -> LicenceGroup | None:
        option = self._options.licence_group
        if option is None:
            return None
        found = self._client.find(f"/groups/{urllib.parse.quote(option.id)}?$select={FIELDS}")
        if found is None:
            raise OffboardError(f"licence_group: the tenant has no group {option.id}; give its object id", code="group_unknown")
        group = LicenceGroup.read(found, option.remove_direct)
        given = self._options.licences or {}
        if both := group.licences.keys() & {self._skus.id(name) for part in ("add", "set") for name in given.get(part) or ()}:
            raise OffboardError(
                f"licences: {', '.join(sorted(map(self._skus.name, both)))} would come from licence_group and directly; leave it out of one", code="bad_option"
            )
        return group

    @cached_property
    def _group_members(self) -> Marks:
        return Marks(mark(user_id) for user_id in members(self._client, self._group.id)) if self._group is not None else Marks()

    @cached_property
    def _shared(self) -> dict[str, Desired]:
        """Most users of a snapshot want one of a few things; equal ones share one object, which keeps 100,000 of them small."""
        return {}

    def _desired_of(self, base: Desired, who: Named) -> Desired:
        """What is desired of a user who is named, but for what `src` says."""
        if who.saved is None:
            return base
        self._meet(who.saved)
        desired = user_desired.from_snapshot(base, who.saved, self._options.also_enable)
        return self._shared.setdefault(repr(desired), desired)

    def _meet(self, record: Mapping[str, Any]) -> None:
        self._met |= names.of_user(record["id"], record["userPrincipalName"]) & self._options.also_enable

    def _check_met(self) -> None:
        """Raises OffboardError `not_found`: whoever was meant would stay blocked, and nobody would know."""
        if unknown := sorted(self._options.also_enable - self._met):
            raise OffboardError(
                f"also_enable: the snapshot has no user {', '.join(unknown)}. Name each by the object id, or by the name of then; or take them out. "
                "Whoever was made later is enabled by src (microsoft_365_users_src).",
                code="not_found",
                details={"users": unknown},
            )

    @cached_property
    def _planned_snapshot(self) -> Mapping[str, Any] | None:
        """What the snapshot will hold that this check run plans; None where it plans none, or where there is one."""
        path = self._options.selection.snapshot
        return self._assumed.state(SNAPSHOT, os.path.abspath(path), None) if path is not None and self._options.snapshot_is_now else None

    @cached_property
    def _domains(self) -> dict[str, Mapping[str, Any]]:
        return {item.id: item.state for item in self._assumed.overlay((DOMAIN,), read_domains(self._client, configurations_of=()))}

    @cached_property
    def _roles(self) -> dict[str, set[str]]:
        return read_guarded(self._client)

    @cached_property
    def _pass_scope(self) -> _Scope:
        policy = self._client.get(access_pass.POLICY)
        self._options.terms.check(policy)
        return _Scope(self._client, policy)

    def _may_reset_administrators(self) -> bool:
        return all(self._roles.get(who["object_id"], set()) & user_plan.FULL_RESET_ROLES for who in self._identities)

    def lacking(self, manifest: Mapping[str, Any], changes: Iterable[Change]) -> list[str]:
        """Users whom the snapshot does not hold although they were there. Of those who came later there was nothing to hold."""
        if self._required is None:
            return []
        held = Marks(map(mark, read_user_ids(self._required[0], self._options.vault_password())))
        return [change.name for change in changes if (one := mark(names.uuid(change.id))) not in held and one not in self._came_later]

    # -- plan

    def plan(self, current: Iterable[Object]) -> Plan:
        plan = Plan()
        history = self._history()
        context = RepairContext(
            self._skus,
            lambda: self._domains,
            lambda: self._roles,
            self._may_reset_administrators,
            self._options.synced_password,
            partial(self._password_was_set, history),
            partial(self._password_changed_elsewhere, history),
            history.converted,
            lambda user_id: self._passes is not None and self._passes.was_given(user_id, now()),
            history.sessions_owed,
            lambda user_id: mark(names.uuid(user_id)) in self._group_members,
        )
        seats: Counter[str] = Counter()
        left_out: Counter[str] = Counter()
        changed: set[int] = set()
        for item, decision in self._decisions(self._present(plan, current), context):
            if decision.change is not None:
                if (one := mark(item.id)) in changed:  # Graph gave the user on two pages, far from each other
                    continue
                changed.add(one)
                plan.changes.append(decision.change)
                self._display_names.note(decision.change, item.state.get("displayName"))
                seats.update(user_requests.new_seats(decision.change))
                left_out.update((decision.change.after or {}).get("left_out", ()))
                self._note_own(decision.change)
            elif decision.skip is not None:
                self._skip(plan, decision.skip)
            else:
                plan.unchanged += 1
                self._results.add(item.id, item.name, "unchanged")
        if self._options.snapshot_is_now:
            if self._planned_snapshot is not None and self._options.selection.shard.count == 1:
                self._check_met()
            phrase = "no_snapshot_for_users" if self._planned_snapshot is None else "planned_with_snapshot"
            plan.warnings.append(phrases.english(phrase, path=str(self._options.selection.snapshot)))
        if self._unproven:
            plan.warnings.append(phrases.english("passwords_unproven", number=self._unproven))
        if self._nowhere:
            plan.warnings.append(phrases.english("passwords_nowhere", number=self._nowhere, file=str(self._options.handover_file)))
        for code, count in left_out.items():
            plan.warnings.append(phrases.english("left_out", number=count, code=code))
        for name, count in seats.items():
            sku = self._skus.find(name)
            self._free[name] = sku.free
            if told := user_requests.too_few(name, count, sku):
                plan.warnings.append(told)
        if not len(plan.changes):
            self._results.publish()
        return plan

    def _present(self, plan: Plan, current: Iterable[Object]) -> Iterator[Object]:
        """Without those who are missing."""
        for item in current:
            if "missing" in item.state:
                deleted = item.state["missing"] == "soft_deleted"
                self._soft_deleted += deleted
                self._not_found += not deleted
                self._skip(plan, _missing(item))
            else:
                self._found += 1
                yield item

    def _decisions(self, present: Iterator[Object], context: RepairContext) -> Iterator[tuple[Object, Decision]]:
        def decided(item: Object) -> Decision:
            state = user_plan.by_id(item.state, self._skus) if len(self._assumed) else item.state
            return decide(item.id, item.name, state, self._desired(item), context)

        if self._passes is None:
            yield from ((item, decided(item)) for item in present)
            return
        while chunk := list(islice(present, _ASKED)):
            passes_there.look_for(self._client, self._passes, (item.id for item in chunk))  # who has none gets another
            yield from self._weigh_passes(self._passes, [(item, decided(item)) for item in chunk])

    def _weigh_passes(self, passes: PassBook, chunk: list[tuple[Object, Decision]]) -> Iterator[tuple[Object, Decision]]:
        """Who would get a pass: are they in the policy's scope, and have they one already? Reading that is slow, so nobody else is asked about."""
        wanted = {i.id: i.id in self._pass_scope for i, d in chunk if d.change is not None and "temporaryAccessPass" in (d.change.after or {})}
        there = dict(passes_there.read(self._client, (user_id for user_id, in_scope in wanted.items() if in_scope)))
        for item, decision in chunk:
            if item.id in wanted and not wanted[item.id]:
                msg = f"the tenant's policy lets {item.name} not sign in with a Temporary Access Pass (includeTargets, excludeTargets)"
                yield item, user_plan.without_pass(decision, "pass_not_in_policy", msg)
                continue
            old, ours = access_pass.standing(there.get(item.id, ()), passes.asked_for(item.id))
            if old is not None and not ours and not self._options.terms.replace:
                msg = f"{item.name} has a Temporary Access Pass that can still be used; it is replaced only with temporary_access_pass.replace"
                yield item, user_plan.without_pass(decision, "has_pass", msg)
            else:
                yield item, user_plan.with_old_pass(decision, old) if old is not None else decision

    def _desired(self, item: Object) -> Desired:
        desired, said = self._desired_by_task(item), self._sayings.of(item.id, item.name)
        return desired if said is None else user_desired.otherwise(self._base if desired.blocked else desired, said)

    def _desired_by_task(self, item: Object) -> Desired:
        keyed = self._selection.keyed
        if self._options.snapshot_is_now:
            now = {"id": item.id, "userPrincipalName": item.name, "licences": (), **{name: item.state[name] for name in ("accountEnabled", "usageLocation")}}
            self._meet(now)
            return user_desired.from_snapshot(self._base, now, self._options.also_enable)
        if keyed is None:
            return self._base
        return keyed.get(names.uuid(item.id)) or keyed[names.user(item.name)]

    def _skip(self, plan: Plan, skip: Skip) -> None:
        if len(plan.skipped) < ANSWER_LIMIT:
            plan.skipped.append(skip)
        else:
            plan.skipped_more += 1
        self._results.add(skip.id, skip.name, "skipped", skip.code, skip.msg)

    def _history(self) -> History:
        journal = self._options.journal
        if not journal or not (self._options.may_set_password or self._passes is not None or self._options.revoke_sessions):
            return History()
        return History(read_journal(journal))

    def _password_was_set(self, history: History, user_id: str, last_change: str | None) -> bool:
        """The hand-over file and the time of the password's last change tell where the journal does not, and where it is belied by them."""
        if history.password_was_set(user_id):
            if self._handover is None:
                return True
            self._nowhere += user_id not in self._handover
            lag = seconds_since(history.last_password_at) if history.last_password_at else 0.0
            return lag < passes_there.REPLICAS_LAG or not self._handover.unchanged_since(user_id, last_change)
        if self._handover is None or not self._handover.changed_since(user_id, last_change):
            return False
        if self._options.journal:
            return history.password_may_be_set(user_id)
        self._unproven += 1
        return True

    def _password_changed_elsewhere(self, history: History, user_id: str, last_change: str | None) -> bool:
        return (
            bool(self._options.journal)
            and not history.password_may_be_set(user_id)
            and self._handover is not None
            and self._handover.changed_since(user_id, last_change)
        )

    def _note_own(self, change: Change) -> None:
        after = change.after or {}
        if names.user(change.name) == self._own_upn and (after.get("accountEnabled") is False or user_plan.PASSWORD in after):
            self._own.append(change.name)

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this shard's users; without those of whom a part cannot be read (revoked sessions, the value of a pass)."""
        shard = self._options.selection.shard
        unreadable = {"signInSessions", "temporaryAccessPass"}
        paths = {
            user_path(change.id, fields_of(licences=True, password=True)): change
            for change in begun
            if change.id in shard and unreadable.isdisjoint(change.after or {})
        }
        for path, answer in self._client.get_many(paths):
            change = paths[path]
            if answer.ok:
                changed = user_requests.password_changed(change, answer.body)
                if user_requests.meets(answer.body, user_requests.expectation(change), self._skus, password_changed=changed):
                    yield change

    def guard(self, plan: Plan) -> Iterable[Refusal]:
        # who is named by id is read by one shard alone, which need not have any
        all_of_them = self._options.selection.shard.count == 1 or not any(map(names.is_uuid, self._selection.keyed or ()))
        missing = self._not_found + self._soft_deleted
        if missing and not self._found and all_of_them and not self._selection.met_anybody:
            ask = "Is it the tenant that is meant, and the list or the snapshot its own?"
            if self._soft_deleted:
                are = "is" if self._soft_deleted == 1 else "are"
                ask = f"{self._soft_deleted} of them {are} deleted and can be restored for 30 days after that; restore them first."
            tenant = self._client.identity()["tenant_id"]
            yield Refusal("nothing_found", f"The tenant {tenant} has none of the {missing} users that were named. {ask}")
        if self._own:
            yield Refusal(
                "own_identity", f"You are signed in as {self._own[0]} and would block yourself or lose your password. Put it into exclude.", tuple(self._own)
            )

    def facts(self, plan: Plan) -> dict[str, Any]:
        # Both add to the same files, and each knows of those that there were when it last did.
        files = max((book.files for book in (self._handover, self._passes) if book is not None), key=len, default=[])
        applications: list[dict[str, Any]] = [
            {
                "client_id": one.connection.client_id or "",
                "requests": one.requests,
                "refused": one.refused,
                "lost": one.lost.to_dict() if one.lost else None,
            }
            for one in self._client.applications
        ]
        requests = {"sent": self._client.requests_sent, "refused": sum(one["refused"] for one in applications)}
        return {"handover_files": files, "requests": requests, "applications": applications}

    def warnings(self) -> Iterable[str]:
        for one in self._client.applications:
            if one.lost is not None:
                yield f"application {one.connection.client_id} took part no longer, and the others did its work: {one.lost.msg}"

    # -- apply

    def apply(self, change: Change) -> dict[str, Any] | None:
        raise NotImplementedError("users are changed in batches, see apply_all")

    def apply_all(self, changes: Iterable[Change], begin: Callable[[list[Change]], None], record: Record) -> None:
        """All users in batches. Each ends in exactly one outcome, also when the run stops on the way."""
        means = WorkOptions(
            self._client,
            self._selection,
            self._results,
            self._skus,
            self._free,
            self._options.force_change,
            self._options.terms,
            handover=self._handover,
            passes=self._passes,
            display_names=self._display_names,
            group=self._group,
        )
        self._results.publish()
        work = Work(means, iter(changes), begin, record)
        try:
            work.run()
        except OffboardError as exc:
            work.give_up(exc)
            raise
        except KeyboardInterrupt:
            work.give_up(OffboardError("interrupted; run the same task again to go on", code="interrupted"))
            raise
        finally:
            self._results.flush()

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        """Read all changed users again; those that do not show their change are read until verify_timeout."""
        if not len(applied):
            return
        late = Late(applied)
        if late.count > MANY:
            for item in self._selection.read():
                if "missing" not in item:
                    late.look(item, self._skus)
        passes = {change.id for change in applied if "temporaryAccessPass" in (change.after or {})}
        no_pass = set(passes)

        def read() -> bool:
            self._look_one_by_one(late)
            if no_pass and self._passes is not None:
                no_pass.difference_update([user_id for user_id, there in passes_there.read(self._client, no_pass) if self._passes.is_there(user_id, there)])
            return late.count == len(late.errors) and not no_pass

        # One read is enough: nothing in the run builds on a user, and up to 100,000 of them are read.
        waiting.is_shown(read, self._options.verify_timeout, agreeing=waiting.ONE_READ, longest_pause=30.0)
        if passes and self._passes is not None:
            self._passes.settle(passes - no_pass, no_pass, now())
        for change in late.of(no_pass):
            code, msg = "not_seen", f"Graph accepted the change of {change.name}, but after {self._options.verify_timeout} s reading does not show it"
            if change.id in no_pass:
                msg = (
                    f"Graph told a Temporary Access Pass for {change.name}, but after {self._options.verify_timeout} s the user has none in the tenant; "
                    "it was taken out of the hand-over file"
                )
            elif (error := late.errors.get(change.id)) is not None:
                code = user_plan.group_code(error)
                msg = f"{change.name} is a member of the group, but does not get its licence: {error}"
            self._results.correct(change.id, "failed", code, msg)
            yield Outcome(change, "failed", code, msg, {"seen": False})
        self._results.rewrite()

    def _look_one_by_one(self, late: Late) -> None:
        waiting = iter(late)
        while chunk := list(islice(waiting, MANY)):
            for _unused, answer in self._client.get_many(self._selection.path(change.id) for change in chunk):
                if answer.ok:
                    late.look(answer.body, self._skus)

    def close(self) -> None:
        self._results.close()
        self._client.close()


def skus_of(client: Client) -> Skus:
    """The tenant's licences, read when one is asked for."""
    return Skus(lambda: client.list("/subscribedSkus"))


class _Scope:
    """Whom the policy of an authentication method covers: those of its target groups without those of its excluded ones."""

    def __init__(self, client: Client, policy: Mapping[str, Any]) -> None:
        included = [item["id"] for item in policy.get("includeTargets") or ()]
        self._all = "all_users" in included
        self._in = set() if self._all else {user for group in included for user in self._members(client, group)}
        self._out = {user for item in policy.get("excludeTargets") or () for user in self._members(client, item["id"])}

    @staticmethod
    def _members(client: Client, group: str) -> Iterator[str]:
        for item in client.list(f"/groups/{urllib.parse.quote(group)}/transitiveMembers?$select=id&$top=999"):
            yield item["id"]

    def __contains__(self, user_id: str) -> bool:
        return (self._all or user_id in self._in) and user_id not in self._out


def _missing(item: Object) -> Skip:
    if item.state["missing"] == "soft_deleted":
        return Skip(KIND, item.id, item.name, "soft_deleted", f"{item.name} is deleted and can be restored for 30 days after that; restore it first")
    return Skip(KIND, item.id, item.name, "not_found", f"the tenant has no user {item.name}")
