# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests: invited, reset, removed and brought back, any number in one task.

https://learn.microsoft.com/graph/api/invitation-post and https://learn.microsoft.com/entra/external-id/reset-redemption-status
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar

from ..._core import journal, phrases
from ..._core.errors import NotSeen, OffboardError
from ..._core.guard import never_touch, nothing_known
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import ANSWER_LIMIT, Plan
from ..._core.spool import Spool
from ..._federation.url_rule import comparable
from ..._graph.batches import Answer, Request
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module import waiting
from ..._module.clock import now
from ..._module.files import read_journal, read_lines
from ..._module.runner import Record
from ..domains.plan import KIND as DOMAIN
from ..domains.read import read_domains
from ..federations.plan import KIND as FEDERATION
from ..federations.read import read_federations
from ..federations.realm_lookup import look_up_realms
from ..of_tenant import OfTenant
from ..redemption_order import resource as redemption_order
from ..redemption_order.plan import KIND as ORDER
from ..roles import read_guarded
from . import copy as guest_copy
from . import plan as guest_plan
from .options import Options
from .plan import DELETE, FIELDS, INVITE, KIND, PENDING, REINVITE, RESET, GuestContext, Tenant, WantedGuest, account
from .read import _path, by_address, read_named
from .reinvitation import Reinvitation, read_copies, read_holdings

#: Changes whose intents are journaled together.
_INTENTS = 20

#: Seconds between two looks at the journal, while what was changed comes into effect.
_SETTLE_INTERVAL = 10.0

_DELETED = f"/directory/deletedItems/microsoft.graph.user?$select={FIELDS}&$top=999"


# -- reading


# -- the resource


class Guests(OfTenant):
    noun = "guests"
    #: federations, order and domains are read with the guests, since a check run may predict them
    kinds: ClassVar[tuple[str, ...]] = (KIND, FEDERATION, ORDER, DOMAIN)

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._options = Options.of(params)
        self._connection = Connection.from_params(params)
        self._client = Client(self._connection)
        # what refuses one invitation may refuse all of them, and by then as many guests would be deleted
        self.stop_at_first_failure = self._options.state == "reinvited"
        self._deleted: list[Object] | None = None
        self._copies: dict[str, dict[str, Any]] = {}
        self._saved: list[dict[str, Any]] = []
        #: id and name of the account, by the id of its change
        self._accounts: dict[str, dict[str, str]] = {}

    # -- read

    def read(self) -> Iterator[Object]:
        if self._options.state == "reinvited":
            self._saved = read_copies(self._options.backup_dir, self._client.identity()["tenant_id"])
        if self._options.invites:
            yield from read_domains(self._client, ())
        if self._options.invites and (self._options.state != "invited" or self._options.look_up_domains):
            yield from read_federations(self._client)
            yield redemption_order.read_order(self._client)
        if self._options.by_name:
            yield from self._read_named()
        else:
            for user in self._client.list(f"/users?$filter=userType eq 'Guest'&$select={FIELDS}&$top=999"):
                item = account(user)
                if guest_plan.selects(self._options.selection, item):
                    yield item

    def _read_named(self) -> Iterator[Object]:
        who = list(self._options.wanted)
        if self._options.state == "restored":  # somebody else may have the address by now
            keys = {one.key for one in who}
            who += [WantedGuest(item.state["mail"]) for item in self._read_deleted() if comparable(item.id) in keys and item.state["mail"]]
        names = {comparable(one.shown) for one in who}
        # who is named by the old id has another one after the re-invitation
        who += [WantedGuest(mail) for mail in {copy["mail"] for copy in self._saved if comparable(copy["old_id"]) in names} if comparable(mail) not in names]
        found = list(read_named(self._client, who))
        if self._options.state == "reinvited":
            found += self._read_others_of(found, {comparable(one.shown) for one in who})
        if self._options.state == "invited":
            found += self._read_late(found)
        yield from found

    def _read_others_of(self, found: Sequence[Object], names: Collection[str]) -> list[Object]:
        """Who else has an address of theirs, and would be taken for the new guest. names: those who were asked for."""
        mails = {comparable(item.state["mail"]): item.state["mail"] for item in found if item.state["mail"]}
        more = [WantedGuest(mail) for name, mail in mails.items() if name not in names]
        there = {item.id for item in found}
        return [item for item in read_named(self._client, more) if item.id not in there] if more else []

    def _read_late(self, found: Sequence[Object]) -> list[Object]:
        """Guests whom an earlier run invited, or may have invited when it was killed, and whom the list does not show yet."""
        there = {address for item in found for address in guest_plan.addresses(item.state)}
        known, begun = self._journaled()
        late = [comparable(who.mail) for who in self._options.wanted if comparable(who.mail) in (begun | known.keys()) - there]
        gone = {item.id for item in self._read_deleted()} if known.keys() & set(late) else set()
        expected = {mail: WantedGuest(mail, known.get(mail, "")) for mail in late if known.get(mail) not in gone}
        shown: list[Object] = []

        def look(mails: list[str]) -> set[str]:
            found = list(read_named(self._client, [expected[mail] for mail in mails]))
            shown.extend(found)
            return {address for item in found for address in guest_plan.addresses(item.state)}

        waiting.not_shown(expected, look, min(waiting.LOST_TIMEOUT, self._options.verify_timeout), agreeing=waiting.ONE_READ)
        return shown

    def _journaled(self) -> tuple[dict[str, str], set[str]]:
        """From the journal: the ids of those who were invited, and those whose invitation was begun and not recorded, by address."""
        path = self._options.journal
        records = [record for record in read_journal(path) if record.get("kind") == KIND] if path else []
        ids = {r["id"]: r["details"]["id"] for r in records if r["record"] == "outcome" and r["action"] == INVITE and "id" in (r.get("details") or {})}
        begun = journal.unfinished(read_lines(path)) if path else []
        return ids, {record["id"] for record in begun if (record["kind"], record["action"]) == (KIND, INVITE)}

    def _reset_at(self, accounts: list[Object]) -> dict[str, str]:
        path = self._options.journal
        return guest_plan.resets(read_journal(path) if path else (), accounts, datetime.datetime.now(datetime.UTC))

    def _read_deleted(self) -> list[Object]:
        if self._deleted is None:
            self._deleted = [account(user) for user in self._client.list(_DELETED)]
        return self._deleted

    # -- plan

    def plan(self, current: Iterable[Object]) -> Plan:
        tenant = Tenant(current)
        match self._options.state:
            case "invited":
                plan, refusals = guest_plan.plan_invited(tenant, self._options.wanted)
                self._check_invitations(plan, tenant, {}, [change.name for change in plan.changes])
            case "restored":
                plan, refusals = guest_plan.plan_restored(tenant, self._options.wanted, self._read_deleted())
            case state:
                options = self._options
                anybody = options.wanted or not options.by_name
                found = guest_plan.chosen(tenant, options.wanted, options.selection, options.default) if anybody else []
                plan, refusals = self._plan_existing(state, tenant, found)
        plan.refusals[:0] = refusals
        for item in tenant.accounts:
            self._note(item.id, item.name, item)
        for change in plan.changes:
            if change.action == INVITE:
                self._note(change.id, change.name)
        return plan

    def _plan_existing(self, state: str, tenant: Tenant, found: list[tuple[WantedGuest, Object | None]]) -> tuple[Plan, list[Refusal]]:
        options = self._options
        if state == "absent":
            return self._plan_absent(found)
        absent = [(who, item) for who, item in found if item is None]
        if absent and state == "redemption_reset":
            guest_plan.missing(absent, self._read_deleted())
        there = [item for _unused, item in found if item is not None]
        realms = self._realms({guest_plan.as_guest(item).domain for item in there} - {""})
        reset_at = self._reset_at(there) if state == "redemption_reset" else {}
        context = GuestContext(realms, set(read_guarded(self._client)) if there else set(), reset_at, options.force, options.accept_losses)
        if state == "reinvited":
            plan, refusals = self._plan_reinvited(tenant, found, context)
        else:
            plan, refusals = guest_plan.plan_reset(tenant, found, context)
        self._check_invitations(plan, tenant, realms, [change.name for change in plan.changes])
        return plan, refusals

    def _plan_absent(self, found: list[tuple[WantedGuest, Object | None]]) -> tuple[Plan, list[Refusal]]:
        nobody_there = not any(item for _unused, item in found)
        known = self._known([who for who, item in found if item is None])
        if found and nobody_there and self._options.journal and not known:
            where = f"The tenant {self._client.identity()['tenant_id']}"
            return Plan(), [nothing_known([who.shown for who, _unused in found], where)]
        roles = set() if nobody_there else set(read_guarded(self._client))
        plan, refusals = guest_plan.plan_absent(found, GuestContext(roles=roles, accept_losses=self._options.accept_losses))
        unknown = [who.shown for who, item in found if item is None and comparable(who.shown) not in known]
        plan.warnings += [phrases.english("no_such_guest", name=name) for name in unknown]
        return plan, refusals

    def _known(self, who: Iterable[WantedGuest]) -> set[str]:
        """Which of them are among the deleted users, or in the journal."""
        names = {comparable(one.shown) for one in who}
        if not names:
            return names
        known = {form for item in self._read_deleted() for form in (comparable(item.id), *guest_plan.addresses(item.state))}
        for record in read_journal(self._options.journal or ""):
            if record.get("kind") == KIND:
                known |= {comparable(record["id"]), comparable(record["name"])}
        return names & known

    def _plan_reinvited(self, tenant: Tenant, guests: list[tuple[WantedGuest, Object | None]], context: GuestContext) -> tuple[Plan, list[Refusal]]:
        plan = Plan()
        found = guest_copy.candidates(tenant, guests, self._saved, context, plan)
        if found.absent:
            guest_plan.missing(found.absent, self._read_deleted())
        held = read_holdings(self._client, [item.id for _who, item, *_more in found.fresh], self._options.role_assignable_groups)
        for who, item, *_more in found.fresh:
            copy = guest_copy.new_copy(item, held[item.id], self._client.identity()["tenant_id"], now(), who.display_name)
            self._copies[item.id] = guest_copy.with_saved(copy, self._saved)
        self._copies.update((copy["old_id"], dict(copy)) for _who, _item, copy in found.unfinished)
        return plan, [*guest_copy.address_taken(tenant, found), *guest_copy.add_reinvited(plan, found, self._copies, context)]

    def _realms(self, domains: Iterable[str]) -> dict[str, Any]:
        return look_up_realms(self._connection, domains) if self._options.look_up_domains else {}

    def _check_invitations(self, plan: Plan, tenant: Tenant, realms: dict[str, Any], mails: Iterable[str]) -> None:
        """What stands against the invitations that are to be sent."""
        options = self._options
        own = {self._connection.tenant_id, self._client.identity()["tenant_id"], *tenant.verified}
        found = [guest_plan.check_redirects(plan.changes, own, options.accept_redirect_without_tenant)]
        if options.look_up_domains:
            domains = sorted({mail.rpartition("@")[2] for mail in mails})
            realms = realms | self._realms(domain for domain in domains if domain not in realms)
            found.append(guest_plan.check_partners(tenant, domains, realms, options.accept_synced_tenant))
        for one in found:
            plan.refusals += one.refusals
            plan.warnings += one.warnings

    def guard(self, plan: Plan) -> Iterable[Refusal]:
        yield from plan.refusals
        if len(plan.changes) and self._options.state != "invited":
            own = self._client.identity()
            touched = [(change.id, self._upn(change) or change.name) for change in plan.changes]
            yield from never_touch(touched, {own["object_id"], own["upn"]} - {""}, "own_identity", "The task is signed in as the guest itself")

    def _upn(self, change: Change) -> str:
        return str((change.before or change.after or {}).get("userPrincipalName") or self._accounts.get(change.id, {}).get("userPrincipalName", ""))

    def _note(self, key: str, mail: str, item: Object | None = None, **more: str) -> None:
        if len(self._accounts) < ANSWER_LIMIT or key in self._accounts:
            state = item.state if item is not None else {}
            known = {"mail": mail, "id": item.id if item is not None else "", "userPrincipalName": state.get("userPrincipalName", "")}
            self._accounts[key] = {**known, **more}

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {"guests": list(self._accounts.values())}

    # -- apply

    def apply(self, change: Change) -> dict[str, Any] | None:
        """A re-invitation; the others are carried out in batches, see apply_all."""
        work = Reinvitation(self._client, self._options, self._find, self.tell, self._copies[change.id])
        details = {"steps_done": work.steps, "copy": work.path}
        try:
            key = work.run(change)
        except OffboardError as exc:
            exc.details = {**exc.details, **details}
            raise
        self._note(change.id, change.name, None, id=key)
        return {**details, "id": key}

    def _find(self, mail: str) -> list[Object]:
        return list(read_named(self._client, [WantedGuest(mail)]))

    def _settle(self) -> None:
        """Who redeems before a federation is in effect gets another way to sign in, and keeps it."""
        seconds = self._options.settle_seconds if self._options.invites else 0
        while seconds and (left := guest_plan.settling(read_journal(self._options.journal or ""), seconds, datetime.datetime.now(datetime.UTC))):
            self.tell(phrases.english("waits_for_last_change", seconds=f"{left:.0f}"))
            time.sleep(min(left, _SETTLE_INTERVAL))

    def apply_all(self, changes: Iterable[Change], begin: Callable[[list[Change]], None], record: Record) -> None:
        self._settle()
        if self._options.state == "reinvited":
            super().apply_all(changes, begin, record)
            return
        work = _Work(self, iter(changes), begin, record)
        try:
            work.run()
        except OffboardError as exc:
            work.give_up(exc)
            raise

    def details(self, change: Change, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """For the outcome of a change that is done: which account it made. `body` is Graph's answer, when it came."""
        if change.action != INVITE:
            return {}
        user = (body or {}).get("invitedUser")
        if user:
            self._note(change.id, change.name, None, id=user["id"], userPrincipalName=user.get("userPrincipalName") or "")
            return {"id": user["id"]}
        known = self._accounts.get(change.id, {}).get("id")
        return {"id": known} if known else {}

    def verify(self, applied: Spool) -> Iterable[Outcome]:
        changes = {change.id: change for change in applied if change.action != REINVITE}  # those were read while they were made
        for change in self._not_shown(changes, self._options.verify_timeout, waiting.AGREEING_READS):
            late = NotSeen(f"Graph accepted the change of {change.name}, but after {self._options.verify_timeout} s reading does not show it")
            yield Outcome(change, "failed", late.code, late.msg)

    def _not_shown(self, changes: Mapping[str, Change], seconds: float, agreeing: int) -> list[Change]:
        """Those whose change reading does not show within the time, so many times in a row."""
        late = waiting.not_shown(changes, lambda keys: self._look({key: changes[key] for key in keys}), seconds, agreeing=agreeing)
        return [changes[key] for key in late]

    def _look(self, changes: Mapping[str, Change]) -> set[str]:
        """Of which changes reading shows that they are done."""
        paths: dict[str, str] = {}
        for key, change in changes.items():
            known = self._accounts.get(key, {}).get("id") if change.action == INVITE else key
            paths[_path(known) if known else by_address(change.name)] = key
        shown: set[str] = set()
        for path, answer in self._client.get_many(list(paths)):
            change = changes[paths[path]]
            users = answer.body.get("value", [answer.body]) if answer.ok else []
            if answer.status == 404 if change.action == DELETE else users and _shows(account(users[0]), change):
                shown.add(change.id)
                if change.action == INVITE:
                    self._note(change.id, change.name, account(users[0]))
        return shown

    def close(self) -> None:
        self._client.close()


def _shows(item: Object, change: Change) -> bool:
    """Whether an account shows what was done to it. Somebody may have redeemed already, so the time of the last change counts, too."""
    if change.action == RESET:
        stamp = "externalUserStateChangeDateTime"
        return item.state["externalUserState"] == PENDING or item.state[stamp] != (change.before or {})[stamp]
    return True


class _Work:
    """Carries out the changes of a run in batches, one request each. No request that invites is ever sent twice."""

    def __init__(self, owner: Guests, changes: Iterator[Change], begin: Callable[[list[Change]], None], record: Record) -> None:
        self._owner, self._changes, self._begin, self._record = owner, changes, begin, record
        #: those whose intent is in the journal and whose outcome is not yet
        self._open: dict[str, Change] = {}
        self._uncertain: dict[str, Change] = {}

    def run(self) -> None:
        """Returns when every change has an outcome. Raises OffboardError when the run cannot go on."""
        owner = self._owner
        owner._client.batch(self._requests(), self._done)
        lost = dict(self._uncertain)
        for change in owner._not_shown(lost, min(waiting.LOST_TIMEOUT, owner._options.verify_timeout), waiting.ONE_READ):
            msg = f"No answer came for {change.name}. Read back, it is not done, and it was not sent again; run the task again."
            self._finish(Outcome(change, "failed", "answer_lost", msg))
            del self._uncertain[change.id]
        self._finish(*(Outcome(change, "done", details=owner.details(change)) for change in self._uncertain.values()))

    def give_up(self, reason: OffboardError) -> None:
        """The run stops: what was begun and has no outcome has failed, what was not begun is skipped."""
        self._finish(*(Outcome(change, "failed", reason.code, f"the run stopped before {change.name} was finished") for change in list(self._open.values())))
        while rest := list(islice(self._changes, _INTENTS)):
            self._record(*(Outcome(change, "skipped", "not_tried", reason.msg) for change in rest))

    # These run in the client's thread, one at a time.

    def _requests(self) -> Iterator[Request]:
        while group := list(islice(self._changes, _INTENTS)):
            self._begin(group)
            self._open.update((change.id, change) for change in group)
            for change in group:
                match change.action:
                    case "delete":
                        yield Request("DELETE", f"/users/{change.id}", None, change)
                    case "restore":
                        yield Request("POST", f"/directory/deletedItems/{change.id}/restore", None, change)
                    case _:
                        yield Request("POST", "/invitations", guest_plan.invitation_body(change), change)

    def _done(self, pairs: list[tuple[Request, Answer]]) -> None:
        outcomes = []
        for request, answer in pairs:
            change: Change = request.tag
            if answer.ok or (change.action == DELETE and answer.status == 404):
                outcomes.append(Outcome(change, "done", details=self._owner.details(change, answer.body)))
            elif answer.uncertain:
                self._uncertain[change.id] = change
            else:
                error = answer.error(request)
                outcomes.append(Outcome(change, "failed", error.code, f"{change.name}: {error.msg}", error.details))
        self._finish(*outcomes)

    def _finish(self, *outcomes: Outcome) -> None:
        for outcome in outcomes:
            self._open.pop(outcome.change.id, None)
        if outcomes:
            self._record(*outcomes)
