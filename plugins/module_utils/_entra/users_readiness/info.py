# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_users_readiness_info: reads what `user_readiness` judges, for each user of every domain of the exit."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any

from ..._core import names
from ..._core.heads import Heads
from ..._core.model import Skip
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module import budget
from ..._module.clock import now
from ..._module.files import read_journal
from ..domains.plan import root_of, upn_domain
from ..domains.read import check_known, read_domains
from ..of_tenant import tenant_of
from ..roles import read_guarded, read_roles
from ..snapshot.files import read_manifest, read_snapshot_users
from ..snapshot.plan import works_by_group
from ..users import passes_there
from ..users.desired import Desired, from_snapshot
from ..users.history import History
from ..users.licences import Skus
from ..users.passwords import SHORTEST, HandOver, PassBook
from ..users.plan import FULL_RESET_ROLES, KIND, user_state
from ..users.resource import skus_of
from ..users.results import Results
from ..users.sayings import Sayings
from ..users.selection import fields_of
from .options import InfoOptions
from .plan import CHANGED, UNSET, Judged, Meant, SignInEvidence, judge_all

_FIELDS = ("id", "userPrincipalName", "accountEnabled", "usageLocation", "userType", "onPremisesSyncEnabled", *fields_of(licences=True, password=True))

#: People who are judged at once.
_JUDGED = 1000


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_users_readiness_info."""
    options = InfoOptions.of(params)
    history = History(read_journal(options.journal)) if options.journal else History()
    named = options.domains
    roots = frozenset(named | history.converted.keys())
    results = Results(options.results_file)
    with closing(results), Client(Connection.from_params(params)) as client:
        skus = skus_of(client)
        meant = _Meant(client, options, skus, roots)
        handover, passes = _handed_over(options)
        evidence = _evidence(client, options, history, handover, passes, skus=skus, roots=roots, meant=meant)
        check_known(client, "domains", named, evidence.domains)
        sums = _Sums(results)
        people = _people(client, meant, roots, sums)
        while chunk := list(islice(people, _JUDGED)):
            found = judge_all(chunk, evidence, lambda who: None if passes is None else passes_there.look_for(client, passes, who))
            for one, told in zip(chunk, found, strict=True):
                own = upn_domain(one.upn)
                sums.add(one.user_id, one.upn, own if root_of(own, roots) else one.meant.domain or own, one.state, one.meant, told)
        for user_id, upn, told in meant.not_seen():
            sums.found(user_id, upn, told)
            sums.gone(upn_domain(upn), told, meant.was_enabled(user_id))
        results.publish()
        return {**sums.answer(), "snapshot_taken": meant.taken, "synchronization": _synchronization(client)}


def _people(client: Client, meant: _Meant, roots: frozenset[str], sums: _Sums) -> Iterator[Judged]:
    """Those of the exit; who is left alone is counted."""
    for item in client.list(f"/users?$select={','.join(_FIELDS)}&$top=999"):
        upn, wanted = item["userPrincipalName"], meant.of(item)
        if not (root_of(upn_domain(upn), roots) or wanted.domain) and wanted.said is None:
            continue
        if names.of_user(item["id"], upn).isdisjoint(meant.left_alone):
            yield Judged(item["id"], upn, user_state(item), wanted)
        else:
            sums.left_alone += 1


def _synchronization(client: Client) -> dict[str, Any]:
    organization = next(client.list("/organization"), {})
    return {"enabled": bool(organization.get("onPremisesSyncEnabled")), "last": organization.get("onPremisesLastSyncDateTime")}


class _Meant:
    """What each user shall be, by object id; who is named in the snapshot and was not seen yet."""

    def __init__(self, client: Client, options: InfoOptions, skus: Skus, roots: frozenset[str]) -> None:
        self.taken: str | None = None
        #: of everybody, since people are given names of other domains
        self._snapshot: dict[str, Desired] = {}
        self._domains: dict[str, str] = {}
        self._by_group: dict[str, tuple[str, ...]] = {}
        self._names: dict[str, str] = {}
        self._sayings = Sayings(options.src, skus)
        #: names of `also_enable` that are nobody's in the snapshot
        self._also_unknown: set[str] = set()
        #: domains of the exit of whose enabled users most had a licence
        self.licensed: frozenset[str] = frozenset()
        self.left_alone = options.exclude
        if options.snapshot and (manifest := read_manifest(options.snapshot)) is not None:
            self.taken = manifest.get("taken")
            also = options.also_enable
            self._also_unknown = {*also}
            shared: dict[str, Desired] = {}  # most users want one of a few things, in one of a few domains
            shared_names: dict[str, str] = {}
            shared_groups: dict[tuple[str, ...], tuple[str, ...]] = {}
            counted: Counter[tuple[str | None, bool]] = Counter()
            for record in read_snapshot_users(options.snapshot, options.vault_password(), tenant_of(client)):
                user_id, upn, desired = names.uuid(record["id"]), record["userPrincipalName"], from_snapshot(Desired(), record, also)
                self._snapshot[user_id] = shared.setdefault(repr(desired), desired)
                self._also_unknown -= names.of_user(user_id, upn)
                if by_group := works_by_group(record):
                    self._by_group[user_id] = shared_groups.setdefault(by_group, by_group)
                root = root_of(domain := upn_domain(upn), roots)
                counted[root, bool(record["licences"] or by_group)] += bool(record["accountEnabled"])
                if root is not None:
                    self._domains[user_id], self._names[user_id] = shared_names.setdefault(domain, domain), upn
            self.licensed = frozenset(root for root in roots if counted[root, True] > counted[root, False])

    def of(self, item: Mapping[str, Any]) -> Meant:
        """What was said of the user."""
        user_id = names.uuid(item["id"])
        self._names.pop(user_id, None)
        said = self._sayings.of(user_id, item["userPrincipalName"])
        return Meant(self._snapshot.get(user_id), said, self._domains.get(user_id, ""), self._by_group.get(user_id, ()))

    def was_enabled(self, user_id: str) -> bool:
        """When the snapshot was taken."""
        return user_id in self._snapshot and not self._snapshot[user_id].blocked

    def not_seen(self) -> Iterator[tuple[str, str, dict[str, str]]]:
        """Who is in the snapshot and not in the tenant, and whom the operator names and nobody is."""
        gone: set[str] = set()
        for user_id, upn in self._names.items():
            gone |= names.of_user(user_id, upn)
            if user_id not in self.left_alone and names.user(upn) not in self.left_alone:
                yield user_id, upn, {"user_gone": f"{upn} is in the snapshot, and not in the tenant any more"}
        for name in sorted(self._sayings.of_nobody() - gone):
            yield name, name, {"named_nobody": f"src names {name}, and the tenant has no such user"}
        for name in sorted(self._also_unknown):
            yield name, name, {"named_nobody": f"also_enable names {name}, and the snapshot has no such user"}


class _Sums:
    """Counts of everybody, and the first of those of whom something is told."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._domains: dict[str, Counter[str]] = {}
        self._counts: Counter[str] = Counter()
        self._exceptions: Heads[dict[str, str]] = Heads()
        self.left_alone = 0

    def add(self, user_id: str, upn: str, domain: str, state: Mapping[str, Any], meant: Meant, found: Mapping[str, str]) -> None:
        """One user of the tenant; domain: the one of the exit."""
        sums = self._domains.setdefault(domain, Counter())
        sums["total"] += 1
        sums["enabled" if state["accountEnabled"] else "blocked"] += 1
        sums["stays_blocked"] += not state["accountEnabled"] and not meant.enabled
        if found:
            self.found(user_id, upn, found)
        else:
            self._results.add(user_id, upn, "ready")

    def found(self, user_id: str, upn: str, found: Mapping[str, str]) -> None:
        """What is told of one user."""
        self._counts.update(found.keys())
        for code, msg in found.items():
            self._exceptions.add(code, Skip(KIND, user_id, upn, code, msg).to_dict())
        self._results.add(user_id, upn, "found", next(iter(found)), "; ".join(found.values()))

    def gone(self, domain: str, found: Mapping[str, str], was_enabled: bool) -> None:
        """One user of the snapshot whom the tenant has no longer."""
        if "user_gone" in found and was_enabled:
            self._domains.setdefault(domain, Counter())["gone"] += 1

    def answer(self) -> dict[str, Any]:
        names = ("total", "enabled", "blocked", "stays_blocked", "gone")
        domains = [{"domain": name, **{key: sums[key] for key in names}} for name, sums in sorted(self._domains.items())]
        return {"domains": domains, "counts": dict(self._counts), "exceptions": budget.sample_of(self._exceptions), "left_alone": self.left_alone}


def _handed_over(options: InfoOptions) -> tuple[HandOver | None, PassBook | None]:
    path = options.handover_file
    if not path or not os.path.exists(path):
        return None, None
    password = options.vault_password()
    return HandOver(path, password, SHORTEST), PassBook(path, password)


def _evidence(
    client: Client,
    options: InfoOptions,
    history: History,
    handover: HandOver | None,
    passes: PassBook | None,
    *,
    skus: Skus,
    roots: frozenset[str],
    meant: _Meant,
) -> SignInEvidence:

    def handed_over(user_id: str, last_change: str | None) -> str:
        if handover is None:
            return ""
        return UNSET if handover.unchanged_since(user_id, last_change) else CHANGED if handover.changed_since(user_id, last_change) else ""

    def access_pass(user_id: str) -> bool | None:
        return passes.was_given(user_id, now()) if passes is not None and passes.ever_given(user_id) else None

    return SignInEvidence(
        skus=skus,
        domains={item.id: item.state for item in read_domains(client, configurations_of=())},
        roots=roots,
        taken=meant.taken or "",
        licensed=meant.licensed,
        converted=history.converted,
        handed_over=handed_over,
        password_was_set=history.password_was_set,
        access_pass=access_pass,
        roles=_once(lambda: read_guarded(client)),
        may_reset_every_administrator=_once(lambda: bool(read_roles(client).get(client.identity()["object_id"], set()) & FULL_RESET_ROLES)),
        synced_password=options.synced_password,
        otherwise=options.signs_in_otherwise,
    )


def _once(read: Callable[[], Any]) -> Callable[[], Any]:
    """`read`, called when its value is first asked for."""
    kept: list[Any] = []

    def value() -> Any:
        if not kept:
            kept.append(read())
        return kept[0]

    return value
