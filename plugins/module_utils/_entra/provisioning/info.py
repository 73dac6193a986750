# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_provisioning_info: reads what `provisioning` judges."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError
from ..._core.heads import Heads
from ..._core.plan import ANSWER_LIMIT
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module import budget
from ..._module.files import write_atomically
from ..._offboarding import phrases
from ..apps.audit import entries_of, reaches_back_to
from ..domains.plan import root_of, upn_domain
from ..domains.read import check_known
from ..users.plan import user_state
from ..users.selection import fields_of, src_lines
from .options import CensusOptions, InfoOptions
from .plan import Census, Deeds, Victim, blocked_list, deeds, source, variables, victims

_FIELDS = ("id", "userPrincipalName", "accountEnabled", "usageLocation", "userType", "onPremisesSyncEnabled", *fields_of(licences=True))
#: Of a domain's blocked users so many are named in the answer.
_NAMED = 20


def census_of(options: CensusOptions) -> Census:
    """Reads `src`. Raises OffboardError as `src_lines` does."""
    also = set(options.also_enable)
    licensed: set[str] = set()
    for _unused, key, line in src_lines(options.src) if options.src else ():
        if "enabled" in line:
            also.add(names.user(key))
        if "licences" in line:
            licensed.add(names.user(key))
    return Census(frozenset(also), frozenset(licensed), options.exclude)


def check_met(options: CensusOptions, census: Census) -> None:
    """Refuse an also_enable of whom the domains have nobody. Raises OffboardError `not_found`."""
    if unknown := sorted(options.also_enable - census.met):
        raise OffboardError(
            f"also_enable: the domains have no user {', '.join(unknown)}. Correct the name, or take it out.", code="not_found", details={"users": unknown}
        )


@dataclass
class _Users:
    """Of these domains: what the log may be about, and the names of those who are blocked."""

    suspects: list[dict[str, Any]] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    roots: set[str] = field(default_factory=set)


def info(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """The return values of entra_provisioning_info."""
    options = InfoOptions.of(params)
    census = census_of(options.census)
    with Client(Connection.from_params(params)) as client:
        users = _read_users(client, options.domains, census)
        check_known(client, "domains", options.domains, users.roots)
        check_met(options.census, census)
        unusual = census.unusual(options.max_blocked_percent)
        log = _read_log(client, options.client_ids) if unusual else {"looked_at": False, "code": "", "msg": "", "since": None, "entries": []}
    done = deeds(log.pop("entries"))
    found = victims(users.suspects, done) if unusual else []
    answer: dict[str, Any] = {
        "domains": census.answer(),
        "blocked_users": _some_of_each_domain(users.blocked),
        "blocked_file": options.blocked_path if users.blocked else None,
        "unusual": [item["domain"] for item in unusual],
        "log": log,
        **_told([one for one in found if one.by_stop]),
        "licences_not_told": len([1 for user in users.suspects if _lost_unknown(user, done.get(user["id"]))]),
        "file": None,
    }
    if answer["blocked_file"] and not check_mode:
        write_atomically(answer["blocked_file"], blocked_list(users.blocked))
    if options.path and any(one.by_stop for one in found):
        answer["file"] = options.path
        _write(options.path, found, check_mode)
    return answer


def _read_users(client: Client, roots: Collection[str], census: Census) -> _Users:
    found = _Users()
    for item in client.list(f"/users?$select={','.join(_FIELDS)}&$top=999"):
        upn = item["userPrincipalName"]
        if (root := root_of(upn_domain(upn), roots)) is None:
            continue
        found.roots.add(root)
        state = user_state(item)
        enabled, licences = state["accountEnabled"], {*state["licences"], *state["group_licences"]}
        if census.add(item["id"], upn, enabled=enabled, licensed=bool(licences)):
            found.blocked.append(upn)
        found.suspects.append({"id": item["id"], "userPrincipalName": upn, "enabled": enabled, "licences": licences})
    found.blocked.sort(key=lambda upn: (upn_domain(upn), upn.casefold()))
    return found


def _some_of_each_domain(blocked: Sequence[str]) -> Any:
    heads = Heads[str](_NAMED)
    for upn in blocked:
        heads.add(upn_domain(upn), upn)
    return budget.sample(heads.rows(limit=len(blocked)))


def _told(by_stop: Sequence[Victim]) -> dict[str, Any]:
    """What the log says that the stop has done."""
    times = [one.blocked_at for one in by_stop if one.blocked_at]
    return {
        "blocked": len(times),
        "first": min(times, default=None),
        "last": max(times, default=None),
        "unlicensed": len([one for one in by_stop if one.licences]),
        "also_enable": budget.sample([one.upn for one in by_stop if one.blocked_at][:ANSWER_LIMIT]),
    }


def _lost_unknown(user: Mapping[str, Any], done: Deeds | None) -> bool:
    """Whether licences were taken of which the log does not say which."""
    return done is not None and bool(done.unknown_at) and not user["licences"] and not done.licences


def _write(path: str, found: Sequence[Victim], check_mode: bool) -> None:
    """The variables with which the stages repair it, and the list of licences that they name."""
    src = f"{path.removesuffix('.yml')}.jsonl" if any(one.licences for one in found if one.by_stop) else None
    if not check_mode:
        if src:
            write_atomically(src, source(found))
        write_atomically(path, variables(found, src))


def _read_log(client: Client, client_ids: Collection[str]) -> dict[str, Any]:
    """What the log holds of these apps. One that cannot be read is told, since a person has to judge then."""
    if not client_ids:
        return {"looked_at": False, "code": "", "msg": phrases.english("no_client_id"), "since": None, "entries": []}
    try:
        since = reaches_back_to(client)
        entries = [entry for client_id in client_ids for entry in entries_of(client, client_id)]
        return {"looked_at": True, "code": "", "msg": "", "since": since, "entries": entries}
    except OffboardError as exc:
        return {"looked_at": False, "code": exc.code, "msg": exc.msg, "since": None, "entries": []}
