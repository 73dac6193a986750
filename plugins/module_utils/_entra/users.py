# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of the tenant: any number in one task, streamed, and none of them lied about."""

from __future__ import annotations

import codecs
import contextlib
import datetime
import json
import os
import re
import time
import urllib.parse
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, ClassVar

from .._core.errors import OffboardError
from .._core.model import Change, Object, Outcome, Refusal, Skip
from .._module.files import append_records, read_records
from .._module.runner import ANSWER_LIMIT, Plan, Record, Resource
from .._module.spool import Spool
from .._module.vault_password import vault_password
from . import access_pass, user_plan
from .client import Answer, Client, Connection, Request
from .domains import CONVERT, read_domains
from .domains import KIND as DOMAIN
from .licence_group import FIELDS, MEMBERS_PER_REQUEST, LicenceGroup
from .marks import Marks, Shard, mark
from .passwords import HandOver, PassBook, generate
from .snapshot_files import read_snapshot_users
from .user_plan import KIND, Decision, Desired, Facts, Skus, decide, user_state

#: More users than this are found in the list of all users, not one by one.
_MANY = 400
_OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ALWAYS = ("id", "userPrincipalName", "accountEnabled", "usageLocation", "userType", "onPremisesSyncEnabled")

#: Changes whose passwords are handed over together, and changes whose intents are journaled together.
_SEGMENT, _INTENTS = 1000, 100
#: Rounds of reading back what became of requests without an answer, and the pause before each, in seconds: 1, 2, 4, 8, 16.
_ROUNDS = 5

#: What is known of a user by id and the last change of the password.
_Known = Callable[[str, str | None], bool]  # pylint: disable=unsupported-binary-operation


# -- which users


class Selection:
    """The users that a task is about, read as a stream. Raises OffboardError for a selection that names nothing or too much."""

    def __init__(self, client: Client, params: Mapping[str, Any], fields: Iterable[str], desired: Mapping[str, Any] | None) -> None:
        self._client = client
        domain = (params.get("domain") or "").casefold().lstrip("@")
        self._ending = f"@{domain}" if domain else ""
        self._provisioned_only = params.get("provisioned_only", False)
        self._exclude = {name.casefold() for name in params.get("exclude") or ()}
        self._shard = Shard.parse(params.get("shard"))
        #: what is desired, by id or userPrincipalName in lower case; None when users are not selected one by one
        self.keyed = desired
        wanted = [*_ALWAYS, *fields, *(["onPremisesImmutableId"] if self._provisioned_only else [])]
        self._select = ",".join(dict.fromkeys(wanted))

    def path(self, key: str) -> str:
        """The request for one user."""
        return f"/users/{urllib.parse.quote(key)}?$select={self._select}"

    def key_of(self, item: Mapping[str, Any]) -> str | None:
        """The key by which `keyed` knows the user."""
        if self.keyed is None:
            raise AssertionError("self.keyed")
        return next((name for name in (item["id"].casefold(), item["userPrincipalName"].casefold()) if name in self.keyed), None)

    def read(self) -> Iterator[dict[str, Any]]:
        """Graph's users; for one that is named and not there, {"id", "userPrincipalName", "missing": code}."""
        if self.keyed is not None:
            yield from self._named()
            return
        for item in self._client.list(f"/users?$select={self._select}&$top=999"):
            if self._chosen(item):
                yield item

    def _chosen(self, item: Mapping[str, Any]) -> bool:
        if self._shard.count > 1 and item["id"] not in self._shard:
            return False
        if self._exclude and (item["id"].casefold() in self._exclude or item["userPrincipalName"].casefold() in self._exclude):
            return False
        if self._provisioned_only and not item.get("onPremisesImmutableId"):
            return False
        return item["userPrincipalName"].casefold().endswith(self._ending)

    def _named(self) -> Iterator[dict[str, Any]]:
        if self.keyed is None:
            raise AssertionError("self.keyed")
        # A user named by object id need not be read to know that he is another shard's.
        missing = dict.fromkeys(key for key in self.keyed if key not in self._exclude and (not _OBJECT_ID.fullmatch(key) or key in self._shard))
        if len(missing) > _MANY:
            for item in self._client.list(f"/users?$select={self._select}&$top=999"):
                key = self.key_of(item)
                if key is not None:
                    for name in (item["id"].casefold(), item["userPrincipalName"].casefold()):  # may be named by both
                        missing.pop(name, None)
                    if self._chosen(item):
                        yield item
        given: set[str] = set()
        for attempt in range(3):  # a single 404 may come from a replica that lags
            if not missing:
                return
            if attempt:
                time.sleep(1)
            keys = {self.path(key): key for key in missing}
            for path, answer in self._client.get_many(keys):
                if answer.ok:
                    missing.pop(keys[path])
                    if self._chosen(answer.body) and answer.body["id"] not in given:
                        given.add(answer.body["id"])
                        yield dict(answer.body)
                elif answer.status != 404:
                    raise answer.error(Request("GET", path))
        yield from self._gone(missing)

    def _gone(self, missing: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Tell soft-deleted users, who can be restored for 30 days, from those whom nobody knows."""
        deleted: dict[str, str] = {}
        for item in self._client.list("/directory/deletedItems/microsoft.graph.user?$select=id,userPrincipalName&$top=999"):
            deleted[item["id"].casefold()] = item["id"]
            # Entra prefixes the name of a deleted user with the object id without its hyphens.
            deleted[item["userPrincipalName"].casefold().removeprefix(item["id"].replace("-", ""))] = item["id"]
        for key in sorted(missing):
            user_id = deleted.get(key, key)
            if user_id in self._shard:
                yield {"id": user_id, "userPrincipalName": key, "missing": "soft_deleted" if key in deleted else "not_found"}


def fields_of(*, licences: bool = False, password: bool = False, created: bool = False) -> list[str]:
    """The further properties of a user that are needed; fewer fields make a list of 100,000 users 3 times smaller."""
    wanted = {"licenseAssignmentStates": licences, "lastPasswordChangeDateTime": password, "createdDateTime": created}
    return [name for name, needed in wanted.items() if needed]


def read_skus(client: Client) -> Skus:
    """The tenant's licences."""
    return Skus(client.list("/subscribedSkus"))


def read_roles(client: Client) -> dict[str, set[str]]:
    """Role template ids by the object id of who holds them directly."""
    roles: dict[str, set[str]] = {}
    for item in client.list("/roleManagement/directory/roleAssignments"):
        roles.setdefault(item["principalId"], set()).add(item["roleDefinitionId"])
    return roles


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_users_info."""
    check_selection(params, SELECTIONS)
    results = Results(params["results_file"])
    counts = Counter(dict.fromkeys(("total", "enabled", "blocked", "guests", "synced", "without_usage_location", "unlicensed"), 0))
    licences: Counter[str] = Counter()
    users: list[dict[str, Any]] = []
    missing: list[dict[str, str]] = []
    with Client(Connection.from_params(params)) as client:
        skus = read_skus(client)
        selection = Selection(client, params, fields_of(licences=True, password=True), _named_in(client, params))
        for item in selection.read():
            if "missing" in item:
                counts[item["missing"]] += 1
                missing.append({"name": item["userPrincipalName"], "why": item["missing"]})
                continue
            state = user_state(item, skus)
            counts["total"] += 1
            counts["enabled" if state["accountEnabled"] else "blocked"] += 1
            counts["guests"] += state["userType"] == "Guest"
            counts["synced"] += state["onPremisesSyncEnabled"]
            counts["without_usage_location"] += not state["usageLocation"]
            counts["unlicensed"] += not (state["licences"] or state["group_licences"])
            licences.update({*state["licences"], *state["group_licences"]})
            if len(users) < ANSWER_LIMIT:
                users.append({"id": item["id"], "userPrincipalName": item["userPrincipalName"], **state})
            results.add(item["id"], item["userPrincipalName"], "found", details=state)
    results.flush()
    return {"counts": dict(counts), "licences": dict(licences), "users": users, "missing": missing}


def _members(client: Client, group: str) -> Iterator[str]:
    """The ids of the group's direct members that are users. Other properties of members cannot be selected by name."""
    for item in client.list(f"/groups/{urllib.parse.quote(group)}/members?$select=id&$top=999"):
        if item.get("@odata.type", "#microsoft.graph.user") == "#microsoft.graph.user":
            yield item["id"].casefold()


def _named_in(client: Client, params: Mapping[str, Any]) -> dict[str, Any] | None:
    if params["users"] is not None:
        return dict.fromkeys(name.casefold() for name in params["users"])
    if params["group"] is not None:
        return dict.fromkeys(_members(client, params["group"]))
    if params["src"] is not None:
        return dict.fromkeys(key.casefold() for _unused, key, _unused in _src_lines(params["src"]))
    if params["snapshot"] is not None:
        return {record["id"].casefold(): None for record in read_snapshot_users(params["snapshot"], vault_password(dict(params)))}
    return None


def _src_lines(path: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """(number, id or userPrincipalName, line) of a JSON-lines file. A person's or a program's work: nothing but empty lines is passed over.

    Raises OffboardError `file_missing`, `file_read_failed` or `bad_src`.
    """
    try:
        with open(path, "rb") as stream:
            for number, raw in enumerate(stream, 1):
                if raw := (raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw).strip():
                    line = _src_line(raw, f"src: line {number} of {path}")
                    yield number, line.get("id") or line["userPrincipalName"], line
    except FileNotFoundError as exc:
        raise OffboardError(f"src: there is no file {path}", code="file_missing") from exc
    except OSError as exc:
        raise OffboardError(f"src: cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc


def _src_line(raw: bytes, where: str) -> dict[str, Any]:
    try:
        line = json.loads(raw.decode())
    except UnicodeDecodeError as exc:
        raise OffboardError(f"{where} is not in UTF-8; save the file in that encoding", code="bad_src") from exc
    except ValueError as exc:
        raise OffboardError(f"{where} is not JSON ({exc}); each line must be one object", code="bad_src") from exc
    if not isinstance(line, dict):
        raise OffboardError(f"{where} is no JSON object; each line must be one", code="bad_src")
    key = line.get("id") or line.get("userPrincipalName")
    if not key:
        raise OffboardError(f"{where} has neither id nor userPrincipalName", code="bad_src")
    if not isinstance(key, str):
        raise OffboardError(f"{where} names a user {key!r}; id and userPrincipalName must be texts", code="bad_src")
    return line


#: The ways of selecting users; options of both modules.
SELECTIONS = ("users", "domain", "group", "src", "snapshot")


def check_selection(params: Mapping[str, Any], names: Iterable[str]) -> None:
    """Exactly one way of selecting users. An empty list of users selects nobody, and is no mistake."""
    given = [name for name in names if params.get(name) is not None]
    if len(given) != 1:
        raise OffboardError(f"select users by exactly one of {', '.join(names)}; given: {', '.join(given) or 'none'}", code="bad_option")


# -- the itemised result


class Results:
    """One line for each user in a JSON-lines file; nothing without a path. Starts afresh with each run."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._lines: list[dict[str, Any]] = []
        self._corrections: dict[str, dict[str, str]] = {}
        self._fresh = True

    def add(self, user_id: str, upn: str, status: str, code: str = "", msg: str = "", details: Mapping[str, Any] | None = None) -> None:
        """Keep one line; lines go to the disk a thousand at a time."""
        if self._path is None:
            return
        line = {"id": user_id, "userPrincipalName": upn, "status": status, "code": code, "msg": msg, **(details or {})}
        self._lines.append({name: value for name, value in line.items() if value not in ("", [])})
        if len(self._lines) >= 1000:
            self.flush()

    def correct(self, user_id: str, status: str, code: str, msg: str) -> None:
        """What was said of a user turned out otherwise; his line is another after `rewrite`."""
        self._corrections[user_id] = {"status": status, "code": code, "msg": msg}

    def rewrite(self) -> None:
        """One line for each user again. Raises OffboardError `file_write_failed`."""
        self.flush()
        if self._path is None or not self._corrections:
            return
        fresh = f"{self._path}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        lines = ({**line, **self._corrections.get(line["id"], {})} for line in read_records(self._path))
        while chunk := list(islice(lines, 1000)):
            append_records(fresh, chunk)
        os.replace(fresh, self._path)
        self._corrections = {}

    def flush(self) -> None:
        """Raises OffboardError `file_write_failed`."""
        if self._path is None:
            return
        if self._fresh:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
            self._fresh = False
        append_records(self._path, self._lines)
        self._lines = []


# -- the resource


_PARTS = {
    "patch": ("accountEnabled", "usageLocation", "lastPasswordChangeDateTime"),
    "licences": ("licences",),
    "revoke": (),
    "old_pass": (),
    "pass": (),
    "group": (),
}


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


class Users(Resource):
    """entra_users."""

    noun = "users"
    kinds: ClassVar[tuple[str, ...]] = (KIND, DOMAIN)

    def __init__(self, params: Mapping[str, Any], check_mode: bool) -> None:
        self._params = params
        check_selection(params, SELECTIONS)
        self._by_snapshot = params["snapshot"] is not None
        # Check mode from the untouched start: the snapshot would be taken just before, so what is there now is what it would say.
        self._snapshot_is_now = check_mode and self._by_snapshot and not os.path.exists(params["snapshot"])
        if self._by_snapshot and (params["enabled"] is not None or params["licences"]):
            raise OffboardError("with snapshot, enabled and licences come from the snapshot; leave the options out", code="bad_option")
        connection = Connection.from_params(params)
        self._client = Client(connection, connection.further(params["applications"]))
        self._results = Results(None if check_mode else params["results_file"])
        self._may_set_password = params["password"] == "generate" or params["src"] is not None
        self._handover = self._make_handover() if self._may_set_password else None
        self._terms = access_pass.Terms.from_option(params["temporary_access_pass"])
        self._passes = self._make_passes() if params["password"] == "temporary_access_pass" else None
        self._skus = Skus(())
        self._base = Desired()
        self._selection: Selection | None = None
        self._roles: dict[str, set[str]] | None = None
        self._identities: list[dict[str, str]] = []
        self._pass_scope: _Scope | None = None
        self._group: LicenceGroup | None = None
        self._group_members = Marks()
        self._own_upn = ""
        self._own: list[str] = []
        self._free: dict[str, int] = {}
        self._unproven = 0

    def _make_handover(self) -> HandOver | None:
        path, length = self._params["handover_file"], self._params["password_length"]
        generate(length)  # a bad length is told at once
        if path is None:
            if self._params["password"] == "generate":
                raise OffboardError("password=generate needs handover_file: a password must be on the disk before it is set", code="bad_option")
            return None
        return HandOver(path, vault_password(dict(self._params)), length)

    def _make_passes(self) -> PassBook:
        if self._params["handover_file"] is None:
            raise OffboardError("password=temporary_access_pass needs handover_file, for a pass is told only once", code="bad_option")
        return PassBook(self._params["handover_file"], vault_password(dict(self._params)))

    # -- read

    def read(self) -> Iterator[Object]:
        params = self._params
        self._identities = self._client.identities()
        self._own_upn = self._identities[0]["upn"].casefold()
        licences = bool(self._by_snapshot or params["licences"] or params["src"] or params["licence_group"])
        if licences:
            self._skus = read_skus(self._client)
        if params["licence_group"]:
            self._read_group(params["licence_group"])
        self._base = Desired(
            enabled=params["enabled"],
            usage_location=params["usage_location"],
            password=params["password"] == "generate",
            access_pass=self._passes is not None,
            group=self._group,
            revoke_sessions=params["revoke_sessions"],
            **user_plan.desired_licences(params["licences"], self._skus),
        )
        signs_in_anew = self._may_set_password or self._passes is not None
        fields = fields_of(licences=licences, password=self._may_set_password, created=signs_in_anew)
        self._selection = Selection(self._client, params, fields, self._keyed())
        if self._passes is not None:
            policy = self._client.get(access_pass.POLICY)
            self._terms.check(policy)
            self._pass_scope = _Scope(self._client, policy)
        if signs_in_anew:
            yield from read_domains(self._client, configurations_of=())
        for item in self._selection.read():
            state = {"missing": item["missing"]} if "missing" in item else user_state(item, self._skus)
            if signs_in_anew and "missing" not in item:
                state["createdDateTime"] = item.get("createdDateTime")
            if self._group is not None and "missing" not in item:
                state["given"] = self._group.gives(item.get("licenseAssignmentStates") or (), self._skus.name)
            yield Object(KIND, item["id"], item["userPrincipalName"], state)

    def _read_group(self, option: Mapping[str, Any]) -> None:
        path = f"/groups/{urllib.parse.quote(option['id'])}"
        group = self._client.find(f"{path}?$select={FIELDS}")
        if group is None:
            raise OffboardError(f"licence_group: the tenant has no group {option['id']}; give its object id", code="group_unknown")
        self._group = LicenceGroup.read(group, self._skus.name, option["remove_direct"])
        names = self._params["licences"] or {}
        if both := self._group.licences.keys() & {self._skus.find(name).part_number for part in ("add", "set") for name in names.get(part) or ()}:
            raise OffboardError(f"licences: {', '.join(sorted(both))} would come from licence_group and directly; leave it out of one", code="bad_option")
        self._group_members = Marks(mark(user_id) for user_id in _members(self._client, group["id"]))

    def _keyed(self) -> dict[str, Desired] | None:
        """What is desired, by user, where users are named one by one."""
        params = self._params
        if params["users"] is not None:
            return {name.casefold(): self._base for name in params["users"]}
        if params["group"] is not None:
            return dict.fromkeys(_members(self._client, params["group"]), self._base)
        if params["src"] is not None:
            return self._from_src(params["src"])
        if self._by_snapshot and not self._snapshot_is_now:
            also = self._also_enable()
            records = read_snapshot_users(params["snapshot"], vault_password(dict(params)))
            # Most users want one of a few things; equal ones share one object, which keeps 100,000 of them small.
            shared: dict[str, Desired] = {}
            keyed = {}
            for record in records:
                desired = user_plan.from_snapshot(self._base, record, self._skus, also)
                keyed[record["id"].casefold()] = shared.setdefault(repr(desired), desired)
            return keyed
        return None

    def _also_enable(self) -> set[str]:
        return {name.casefold() for name in self._params["also_enable"]}

    def _from_src(self, path: str) -> dict[str, Desired]:
        keyed: dict[str, Desired] = {}
        for number, key, line in _src_lines(path):
            try:
                keyed[key.casefold()] = user_plan.merged(self._base, line, self._skus)
            except OffboardError as exc:
                raise OffboardError(f"src: line {number} of {path}: {exc.msg}", code=exc.code) from exc
        if self._handover is None and any(desired.password for desired in keyed.values()):
            raise OffboardError("src asks for passwords, which needs handover_file", code="bad_option")
        return keyed

    def _role_holders(self) -> dict[str, set[str]]:
        if self._roles is None:
            self._roles = read_roles(self._client)
        return self._roles

    def _may_reset_administrators(self) -> bool:
        return all(self._role_holders().get(who["object_id"], set()) & user_plan.FULL_RESET_ROLES for who in self._identities)

    # -- plan

    def plan(self, current: Iterable[Object]) -> Plan:
        plan = Plan()
        domains: dict[str, Mapping[str, Any]] = {}
        was_set, changed_elsewhere, converted = self._journaled()
        facts = Facts(
            domains,
            self._role_holders,
            self._may_reset_administrators,
            self._params["synced_password"],
            was_set,
            changed_elsewhere,
            converted,
            lambda user_id: self._passes is not None and self._passes.was_given(user_id, _now()),
            lambda user_id: mark(user_id.casefold()) in self._group_members,
        )
        seats: Counter[str] = Counter()
        left_out: Counter[str] = Counter()
        changed: set[int] = set()
        decisions = self._decisions(plan, current, domains, facts)
        for item, decision in self._weigh_passes(decisions) if self._passes is not None else decisions:
            if decision.change is not None:
                if (one := mark(item.id)) in changed:  # Graph gave the user on two pages, far from each other
                    continue
                changed.add(one)
                plan.changes.append(decision.change)
                seats.update(user_plan.new_seats(decision.change))
                left_out.update((decision.change.after or {}).get("left_out", ()))
                self._note_own(decision.change)
            elif decision.skip is not None:
                self._skip(plan, decision.skip)
            else:
                plan.unchanged += 1
                self._results.add(item.id, item.name, "unchanged")
        self._results.flush()
        if self._snapshot_is_now:
            plan.warnings.append(f"check mode: there is no snapshot at {self._params['snapshot']} yet; planned as if it were taken now")
        if self._unproven:
            plan.warnings.append(
                f"{self._unproven} users count as having the password of the hand-over file, because theirs was changed after it was written; "
                "whether it was to that one, only a journal could tell, and there is none"
            )
        for code, count in left_out.items():
            plan.warnings.append(f"{count} users: a part of the change is left out ({code}); see left_out in the plan")
        for name, count in seats.items():
            sku = self._skus.find(name)
            self._free[name] = sku.free
            if count > sku.free:
                plan.warnings.append(
                    f"{name}: {count} seats are needed and {sku.free} are free, {count - sku.free} are missing; who gets none counts as failed"
                )
        return plan

    def _decisions(self, plan: Plan, current: Iterable[Object], domains: dict[str, Mapping[str, Any]], facts: Facts) -> Iterator[tuple[Object, Decision]]:
        for item in current:
            if item.kind == DOMAIN:
                domains[item.id] = item.state
            elif "missing" in item.state:
                self._skip(plan, _missing(item))
            else:
                yield item, decide(item.id, item.name, item.state, self._desired(item), facts)

    def _weigh_passes(self, decisions: Iterator[tuple[Object, Decision]]) -> Iterator[tuple[Object, Decision]]:
        """Who would get a pass: is he in the policy's scope, and has he one already? Reading that is slow, so nobody else is asked about."""
        while chunk := list(islice(decisions, _INTENTS)):
            if self._passes is None or self._pass_scope is None:
                raise AssertionError("self._passes")
            wanted = {i.id: (i.id in self._pass_scope) for i, d in chunk if d.change is not None and "temporaryAccessPass" in (d.change.after or {})}
            there: dict[str, list[dict[str, Any]]] = {}
            paths = {access_pass.passes_of(user_id): user_id for user_id, in_scope in wanted.items() if in_scope}
            for path, answer in self._client.get_many(paths):
                if not answer.ok and answer.status != 404:
                    raise answer.error(Request("GET", path))
                there[paths[path]] = answer.body.get("value", [])
            for item, decision in chunk:
                if item.id in wanted and not wanted[item.id]:
                    msg = f"the tenant's policy lets {item.name} not sign in with a Temporary Access Pass (includeTargets, excludeTargets)"
                    yield item, user_plan.without_pass(decision, "pass_not_in_policy", msg)
                    continue
                old, ours = access_pass.standing(there.get(item.id, ()), self._passes.asked_for(item.id))
                if old is not None and not ours and not self._terms.replace:
                    msg = f"{item.name} has a Temporary Access Pass that can still be used; it is replaced only with temporary_access_pass.replace"
                    yield item, user_plan.without_pass(decision, "has_pass", msg)
                else:
                    yield item, user_plan.with_old_pass(decision, old) if old is not None else decision

    def _desired(self, item: Object) -> Desired:
        if self._selection is None:
            raise AssertionError("self._selection")
        keyed = self._selection.keyed
        if self._snapshot_is_now:
            now = {"id": item.id, "userPrincipalName": item.name, "licences": (), **{name: item.state[name] for name in ("accountEnabled", "usageLocation")}}
            return user_plan.from_snapshot(self._base, now, self._skus, self._also_enable())
        if keyed is None:
            return self._base
        return keyed.get(item.id.casefold()) or keyed[item.name.casefold()]

    def _skip(self, plan: Plan, skip: Skip) -> None:
        if len(plan.skipped) < ANSWER_LIMIT:
            plan.skipped.append(skip)
        else:
            plan.skipped_more += 1
        self._results.add(skip.id, skip.name, "skipped", skip.code, skip.msg)

    def _journaled(self) -> tuple[_Known, _Known, dict[str, str]]:
        """Whose password was set, whose was changed by somebody else, and when each domain was converted.

        The journal knows whose was set, which a lagging replica cannot belie, and whose may have been (an intent without a word of
        whether it came to that). Of those, the time of the last change tells.
        """
        done: set[str] = set()
        begun: dict[str, str] = {}
        converted: dict[str, str] = {}
        journal = self._params["journal"]
        if (self._may_set_password or self._passes is not None) and journal:
            for record in read_records(journal):
                if record.get("kind") == KIND:
                    _note_password(record, done, begun)
                elif (record.get("kind"), record.get("action"), record.get("status")) == (DOMAIN, CONVERT, "done"):
                    converted[record["id"].casefold()] = record["at"]

        def changed(user_id: str, last_change: str | None) -> bool:
            return self._handover is not None and self._handover.changed_since(user_id, last_change)

        def was_set(user_id: str, last_change: str | None) -> bool:
            if user_id in done:
                return True
            if not changed(user_id, last_change):
                return False
            self._unproven += not journal
            return not journal or user_id in begun

        def changed_elsewhere(user_id: str, last_change: str | None) -> bool:
            return bool(journal) and user_id not in begun and changed(user_id, last_change)

        return was_set, changed_elsewhere, converted

    def _note_own(self, change: Change) -> None:
        after = change.after or {}
        if change.name.casefold() == self._own_upn and (after.get("accountEnabled") is False or "lastPasswordChangeDateTime" in after):
            self._own.append(change.name)

    def guard(self, plan: Plan) -> Iterable[Refusal]:
        if self._own:
            yield Refusal(
                "own_identity", f"You are signed in as {self._own[0]} and would block yourself or lose your password. Put it into exclude.", tuple(self._own)
            )

    def facts(self, plan: Plan) -> dict[str, Any]:
        # Both add to the same files, and each knows of those that there were when it last did.
        files = max((book.files for book in (self._handover, self._passes) if book is not None), key=len, default=[])
        applications = [
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
        work = _Work(self, iter(changes), begin, record)
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
        late = _Late(applied)
        deadline = time.monotonic() + self._params["verify_timeout"]
        if self._selection is None:
            raise AssertionError("self._selection")
        if late.count > _MANY:
            for item in self._selection.read():
                if "missing" not in item:
                    late.look(item, self._skus)
        pause = 1.0
        while True:
            self._look_one_by_one(late)
            if late.count == len(late.errors) or time.monotonic() + pause > deadline:
                break
            time.sleep(pause)
            pause = min(pause * 2, 30.0)
        for change in late:
            code, msg = "not_seen", f"Graph accepted the change of {change.name}, but after {self._params['verify_timeout']} s reading does not show it"
            if (error := late.errors.get(change.id)) is not None:
                code = "no_seat" if "CountViolation" in error else "group_licence_refused"
                msg = f"{change.name} is a member of the group, but does not get its licence: {error}"
            self._results.correct(change.id, "failed", code, msg)
            yield Outcome(change, "failed", code, msg)
        self._results.rewrite()

    def _look_one_by_one(self, late: _Late) -> None:
        if self._selection is None:
            raise AssertionError("self._selection")
        waiting = iter(late)
        while chunk := list(islice(waiting, _MANY)):
            for _unused, answer in self._client.get_many(self._selection.path(change.id) for change in chunk):
                if answer.ok:
                    late.look(answer.body, self._skus)

    def close(self) -> None:
        self._client.close()


class _Late:
    """The changed users who have not been seen as they shall be. Equal expectations share one object, so a user costs some 20 bytes."""

    def __init__(self, applied: Spool) -> None:
        self._applied = applied
        self._users = Marks(mark(change.id) for change in applied)
        self._expected: list[user_plan.Expectation] = []
        self._which = array("L", bytes(array("L").itemsize * len(self._users)))
        #: the last change of the password that must no longer be read
        self._before = array("Q", bytes(8 * len(self._users)))
        self._seen = bytearray(len(self._users))
        #: by user id, what Graph says about a group's licence that the user does not get
        self.errors: dict[str, str] = {}
        self.count = len(self._users)
        shared: dict[str, int] = {}
        for change in applied:
            place = self._users.place(mark(change.id))
            if place is None:
                raise AssertionError("place")
            self._before[place] = mark((change.before or {}).get("lastPasswordChangeDateTime"))
            expected = user_plan.expectation(change)
            number = shared.setdefault(repr(expected), len(self._expected))
            if number == len(self._expected):
                self._expected.append(expected)
            self._which[place] = number

    def look(self, item: Mapping[str, Any], skus: Skus) -> None:
        """Take Graph's user off when it shows what it shall."""
        place = self._users.place(mark(item["id"]))
        if place is None or self._seen[place]:
            return
        changed = mark(item.get("lastPasswordChangeDateTime")) != self._before[place]
        if user_plan.meets(item, self._expected[self._which[place]], skus, password_changed=changed):
            self._seen[place] = 1
            self.count -= 1
            self.errors.pop(item["id"], None)
            return
        group = dict(self._expected[self._which[place]]).get("licenceGroup")
        if group is not None and (errors := {name: text for name, text in user_plan.group_errors(item, group, skus).items() if text}):
            self.errors[item["id"]] = ", ".join(f"{name} ({text})" for name, text in errors.items())

    def __iter__(self) -> Iterator[Change]:
        for change in self._applied:
            place = self._users.place(mark(change.id))
            if place is not None and not self._seen[place]:
                yield change


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


def _note_password(record: Mapping[str, Any], done: set[str], begun: dict[str, str]) -> None:
    """From one record of the journal: whose password was set, and by which run that of others may have been."""
    user_id, run, told = record["id"], record.get("run", ""), (record.get("details") or {}).get("password_set")
    if record.get("record") == "intent":
        if "lastPasswordChangeDateTime" in (record.get("after") or {}):
            begun.setdefault(user_id, run)
    elif told:
        done.add(user_id)
    elif (told is False or record.get("status") == "skipped") and begun.get(user_id) == run:
        del begun[user_id]


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _missing(item: Object) -> Skip:
    if item.state["missing"] == "soft_deleted":
        return Skip(KIND, item.id, item.name, "soft_deleted", f"{item.name} is deleted and can be restored for 30 days after that; restore it first")
    return Skip(KIND, item.id, item.name, "not_found", f"the tenant has no user {item.name}")


class _Work:
    """Carries out the changes of a run: one PATCH a user, then what else there is, in the order patch, revoke, licences."""

    def __init__(self, owner: Users, changes: Iterator[Change], begin: Callable[[list[Change]], None], record: Record) -> None:
        self._owner, self._changes, self._begin, self._record = owner, changes, begin, record
        #: users whose passwords may be on the disk, and whose intents are not in the journal yet
        self._segment: list[Change] = []
        #: users whose intent is in the journal and whose outcome is not yet; as many as are in flight
        self._open: dict[str, _Job] = {}
        #: users of whom the last request got no answer, or came too early
        self._uncertain: list[_Job] = []
        #: users who wait until there are enough of them for one request to the group
        self._joining: list[_Job] = []

    def run(self) -> None:
        """Returns when every user has an outcome. Raises OffboardError when the run cannot go on."""
        client = self._owner._client
        client.batch(self._fresh(), self._done)
        client.batch(self._join(), self._done)
        for attempt in range(_ROUNDS):
            if not self._uncertain:
                return
            time.sleep(2.0**attempt)
            jobs, self._uncertain = self._uncertain, []
            client.batch(self._looked_up(jobs), self._done)
            client.batch(self._join(), self._done)
        self._finish(
            [self._outcome(job, "failed", "answer_lost", f"no answer to the request for {job.change.name} ({job.steps[0]})") for job in self._uncertain]
        )

    def give_up(self, reason: OffboardError) -> None:
        """The run stops: whoever was begun has failed, whoever was not is skipped."""
        self._finish([self._outcome(job, "failed", reason.code, f"the run stopped before {job.change.name} was finished") for job in list(self._open.values())])
        left = chain(self._segment, self._changes)
        while rest := list(islice(left, _SEGMENT)):
            for change in rest:
                self._owner._results.add(change.id, change.name, "skipped", "not_tried", reason.msg)
            self._record(*(Outcome(change, "skipped", "not_tried", reason.msg) for change in rest))

    # These run in the client's thread, one at a time.

    def _fresh(self) -> Iterator[Request]:
        """The first request of each user. Passwords are on the disk before the first of their segment goes out."""
        while segment := list(islice(self._changes, _SEGMENT)):
            self._segment = segment
            passwords = self._provide([c for c in segment if "lastPasswordChangeDateTime" in (c.after or {})])
            while group := self._segment[:_INTENTS]:
                self._announce(group)  # not earlier: who was announced and not asked for would have somebody else's pass taken for ours
                self._begin(group)
                jobs = [_Job(change, passwords.get(change.id), self._steps(change), old_pass=self._old_pass(change)) for change in group]
                self._open.update((job.change.id, job) for job in jobs)
                del self._segment[:_INTENTS]
                for job in jobs:
                    yield from self._next(job)

    def _provide(self, changes: list[Change]) -> dict[str, str]:
        handover = self._owner._handover
        if not changes or handover is None:
            return {}
        return handover.provide((c.id, c.name, (c.before or {}).get("lastPasswordChangeDateTime")) for c in changes)

    def _announce(self, changes: list[Change]) -> None:
        if self._owner._passes is not None:
            self._owner._passes.begin(((c.id, c.name) for c in changes if "temporaryAccessPass" in (c.after or {})), _now())

    @staticmethod
    def _old_pass(change: Change) -> str | None:
        return (change.before or {}).get("temporaryAccessPass")

    @staticmethod
    def _steps(change: Change) -> list[str]:
        after = change.after or {}
        steps = ["patch"] if any(name in after for name in _PARTS["patch"]) else []
        steps += ["revoke"] if "signInSessions" in after else []
        if "temporaryAccessPass" in after:
            steps += ["old_pass", "pass"] if _Work._old_pass(change) else ["pass"]
        steps += ["group"] if "licenceGroup" in after else []
        return steps + (["licences"] if "licences" in after else [])

    def _next(self, job: _Job) -> list[Request]:
        """The request of the job's next step; none when there is none left, or no seat."""
        if not job.steps:
            self._finish([self._outcome(job, "done")])
            return []
        path, change, owner = f"/users/{job.change.id}", job.change, self._owner
        match job.steps[0]:
            case "patch":
                job.patched = True
                return [Request("PATCH", path, user_plan.patch_body(change, job.password, owner._params["force_change"]), job)]
            case "revoke":
                return [Request("POST", f"{path}/revokeSignInSessions", None, job)]
            case "old_pass":
                return [Request("DELETE", f"{access_pass.passes_of(change.id)}/{job.old_pass}", None, job)]
            case "pass":
                return [Request("POST", access_pass.passes_of(change.id), owner._terms.body(), job)]
        wanted = user_plan.new_seats(change, job.steps[:1])
        if short := [name for name in wanted if owner._free.get(name, 0) <= 0 and not job.tries]:
            self._finish([self._outcome(job, "failed", "no_seat", f"{change.name}: no seat of {', '.join(short)} is left")])
            return []
        if not job.tries:
            owner._free.update({name: owner._free[name] - 1 for name in wanted})
        if job.steps[0] == "group":
            self._joining.append(job)
            return list(self._join()) if len(self._joining) >= MEMBERS_PER_REQUEST else []
        return [Request("POST", f"{path}/assignLicense", user_plan.licence_body(change, owner._skus), job)]

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
            else:
                finished.append(self._refused(job, request, answer))
        self._finish(finished)
        return follow_ups

    def _join(self) -> Iterator[Request]:
        """One request for all who wait."""
        jobs, self._joining = self._joining, []
        if jobs and self._owner._group is not None:
            members = [self._owner._client.reference(job.change.id)["@odata.id"] for job in jobs]
            yield Request("PATCH", f"/groups/{self._owner._group.id}", {"members@odata.bind": members}, jobs)

    def _joined(self, request: Request, answer: Answer, finished: list[Outcome]) -> list[Request]:
        """All or none of them were added. Where one spoils it for the others, or nobody knows, each is added on his own."""
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
                body = self._owner._client.reference(job.change.id)
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
        if made and self._owner._passes is not None:
            self._owner._passes.keep({user_id: {name: item[name] for name in names} for user_id, item in made.items()})

    def _step_done(self, job: _Job) -> None:
        step = job.steps.pop(0)
        job.done.append(step)
        job.tries = 0
        if step == "licences":
            for name in (job.change.before or {}).get("licences") or {}:
                if name not in job.change.after["licences"] and (self._owner._group is None or name not in self._owner._group.licences):  # type: ignore[index]
                    self._owner._free[name] = self._owner._free.get(name, 0) + 1

    def _too_early(self, job: _Job, answer: Answer) -> bool:
        """The usage location was set a moment ago, and the replica that assigns licences does not know it yet."""
        message = str((answer.body.get("error") or {}).get("message", ""))
        early = (
            job.steps[0] == "licences"
            and "usageLocation" in (job.change.after or {})
            and user_plan.refusal_code(answer.status, message, "licences") == "no_usage_location"
        )
        return early and job.tries < _ROUNDS

    def _refused(self, job: _Job, request: Request, answer: Answer) -> Outcome:
        error = answer.error(request)
        if job.steps[0] == "patch" and not job.tries:  # an earlier one may have been carried out, and its answer lost
            job.patched = False
        if answer.failure is not None:
            return self._outcome(job, "failed", error.code, error.msg)
        code = user_plan.refusal_code(answer.status, error.msg, job.steps[0])
        if code == "no_seat":
            for name in user_plan.new_seats(job.change):
                if self._owner._skus.find(name).id in error.msg.casefold():
                    self._owner._free[name] = 0
        return self._outcome(job, "failed", code, error.msg)

    def _looked_up(self, jobs: list[_Job]) -> Iterator[Request]:
        """What to send next for users without an answer: read back whether the step was carried out, else send it once more."""
        selection = self._owner._selection
        if selection is None:
            raise AssertionError("selection")
        paths = {access_pass.passes_of(job.change.id) if "pass" in job.steps[0] else selection.path(job.change.id): job for job in jobs}
        requests: list[Request] = []
        for path, answer in self._owner._client.get_many(paths):
            job = paths[path]
            job.tries += 1
            if "pass" in job.steps[0]:
                requests += self._pass_again(job, answer)
                continue
            expected = user_plan.expectation(job.change, _PARTS[job.steps[0]])
            changed = (job.change.before or {}).get("lastPasswordChangeDateTime") != answer.body.get("lastPasswordChangeDateTime")
            if answer.ok and expected and user_plan.meets(answer.body, expected, self._owner._skus, password_changed=changed):
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
            self._owner._results.add(item.change.id, item.change.name, item.status, item.code, item.msg, item.details)
        if outcomes:
            self._record(*outcomes)
