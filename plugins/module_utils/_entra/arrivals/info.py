# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_arrivals_info: who of the converted domains has signed in since, and who could not."""

from __future__ import annotations

import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Any

from ..._core.errors import OffboardError
from ..._core.heads import Heads
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module import budget
from ..._module.clock import now
from ..._module.files import read_journal
from ..._module.progress import Progress
from ..domains.plan import root_of, upn_domain
from ..domains.read import check_known
from ..sign_in_readiness.options import MOST_DAYS
from ..sign_in_readiness.read import Parts
from ..users.history import History
from ..users.plan import signs_in_at_home
from ..users.results import Results
from . import plan
from .options import InfoOptions

_USERS = "/users?$select=id,userPrincipalName,accountEnabled&$top=999"
_LOG = "sign_in_log"


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_arrivals_info."""
    started = plan.moment(now())
    options = InfoOptions.of(params, started)
    named = options.domains
    starts, parts = _starts(options, started), Parts()
    results = Results(options.results_file)
    with closing(results), Client(Connection.from_params(params)) as client:
        people = _People(client, starts)
        log = plan.Log((item["id"], starts[root]) for item, _domain, root in people if starts[root])
        oldest = min((start for start in starts.values() if start), default=0)
        why = parts.read(_LOG, lambda: _read(client, log, oldest, options, parts)) if oldest else ""
        sums, progress = _Sums(results, starts), Progress(options.progress_file, "users", None)
        for item, domain, root in people:
            progress.add()
            seen = log.of(item["id"])  # whoever came into the list, or changed their name, since it was read first was not looked for
            sums.add(item, domain, root, seen or plan.NOTHING_SEEN, _not_known(starts[root], why, started) or ("" if seen else "list_changed"))
        check_known(client, "domains", named, sums.roots)
        results.publish()
    if log.addresses_cut:
        parts.tell("addresses", "too_many", "Wrong passwords came from more addresses than are kept apart; those of further addresses were not counted.")
    found = {**sums.answer(), "not_looked_at": parts.not_looked_at, "suspicious_addresses": log.suspicious(), "entries": log.entries}
    late = bool(oldest) and started - oldest > options.grace_hours * 3600
    found["severity"] = plan.severity(found["counts"], sums.codes, late, bool(found["suspicious_addresses"]), converted=bool(oldest))
    text = plan.summary(found)
    return {**found, "late": late, "summary": text.en, "summary_ja": text.ja, "at": now(), "prometheus": plan.prometheus(found, started)}


def _moment(converted: str | None) -> int:
    try:
        return plan.moment(converted) if converted else 0
    except ValueError as exc:
        raise OffboardError("journal: a conversion has no time that can be read; say by since from when on sign-ins count", code="bad_option") from exc


def _starts(options: InfoOptions, started: int) -> dict[str, int]:
    """From when on sign-ins count, by root domain; 0 where nobody knows. Raises OffboardError `bad_option` for a conversion that is yet to come."""
    converted = History(read_journal(options.journal)).converted if options.journal else {}
    found = {name: options.since or _moment(converted.get(name)) for name in sorted(options.domains or converted)}
    if any(start > started for start in found.values()):
        raise OffboardError("since: the time is yet to come", code="bad_option")
    return found


def _not_known(start: int, why: str | None, started: int) -> str:
    """Why nothing in the log is not the same as no sign-in; empty when it is."""
    if not start:
        return "conversion_not_known"
    if why is None:
        return "log_not_read"
    return why or ("log_too_short" if started - start > MOST_DAYS * 86400 else "")


class _People:
    """The users of the domains, each time read anew: 100,000 of them are kept nowhere."""

    def __init__(self, client: Client, starts: Mapping[str, int]) -> None:
        self._client, self._starts = client, starts

    def __iter__(self) -> Iterator[tuple[Mapping[str, Any], str, str]]:
        """(user, domain, root domain)"""
        for item in self._client.list(_USERS):
            domain = upn_domain(item["userPrincipalName"])
            root = root_of(domain, self._starts)
            if root is not None and not signs_in_at_home(item["userPrincipalName"]):
                yield item, domain, root


def _read(client: Client, log: plan.Log, since: int, options: InfoOptions, parts: Parts) -> str:
    """The log since then, newest entries first. Why it is not whole; empty when it is."""
    path = "/auditLogs/signIns?$filter=" + urllib.parse.quote(f"createdDateTime ge {plan.text_of(since)}", safe="$=' ()")
    pages, most_pages = client.pages(path, once=False), options.max_log_pages
    progress = Progress(options.progress_file, "entries of the sign-in log", None)
    oldest = ""
    for page in islice(pages, most_pages):
        progress.add(len(page))
        for entry in page:
            log.add(entry)
        oldest = min(filter(None, (oldest, *(str(entry.get("createdDateTime") or "") for entry in page))), default="")
    whole = next(pages, None) is None
    pages.close()
    if not whole:
        parts.tell(_LOG, "too_many", f"The sign-in log was read back to {oldest} only, after {most_pages} pages. Raise max_log_pages.")
    return "" if whole else "log_cut"


class _Sums:
    """Counts of everybody, the first of those who have not arrived, and arrivals by the hour."""

    def __init__(self, results: Results, starts: Mapping[str, int]) -> None:
        self._results, self._starts = results, starts
        self._domains: dict[str, tuple[str, Counter[str]]] = {}
        self.codes: Counter[int] = Counter()
        self._hours: Counter[int] = Counter()
        self._heads: Heads[dict[str, Any]] = Heads()

    def add(self, item: Mapping[str, Any], domain: str, root: str, seen: plan.Seen, why_not_known: str) -> None:
        state, reason = plan.state_of(seen, bool(item["accountEnabled"]), why_not_known)
        self._domains.setdefault(domain, (root, Counter()))[1][state] += 1
        if state == plan.ARRIVED:
            self._hours[seen.arrived - seen.arrived % 3600] += 1
        if state == plan.FAILED:
            self.codes[seen.code] += 1
        line = {
            "arrived_at": plan.text_of(seen.arrived) if seen.arrived else None,
            "failed_at": plan.text_of(seen.failed) if seen.failed else None,
            "error": seen.code or None,
            "reason": reason,
        }
        words = plan.code_of(seen.code).reason.en if state == plan.FAILED else ""
        self._results.add(item["id"], item["userPrincipalName"], state, reason, words, {name: value for name, value in line.items() if value})
        if state in (plan.FAILED, plan.NOT_SEEN):
            self._heads.add(state, {"id": item["id"], "name": item["userPrincipalName"], "state": state, **line, "msg": words})

    @property
    def roots(self) -> set[str]:
        """The domains of the exit in which there is somebody."""
        return {root for root, _counts in self._domains.values()}

    def answer(self) -> dict[str, Any]:
        counts = {state: sum(of[state] for _root, of in self._domains.values()) for state in plan.STATES}
        return {
            "total": sum(counts.values()),
            "counts": counts,
            "domains": [
                {
                    "domain": name,
                    "since": plan.text_of(self._starts[root]) if self._starts[root] else None,
                    "total": of.total(),
                    "counts": {state: of[state] for state in plan.STATES},
                }
                for name, (root, of) in sorted(self._domains.items())
            ],
            "failures": [_failure(number, count) for number, count in self.codes.most_common()],
            "arrivals_by_hour": [{"hour": plan.text_of(hour), "count": count} for hour, count in sorted(self._hours.items())],
            "users": sorted(budget.sample_of(self._heads), key=lambda row: (plan.STATES.index(row["state"]), row["name"])),
        }


def _failure(number: int, count: int) -> dict[str, Any]:
    code = plan.code_of(number)
    return {
        "code": number,
        "count": count,
        "reason": code.reason.en,
        "reason_ja": code.reason.ja,
        "remedy": code.remedy.en,
        "remedy_ja": code.remedy.ja,
        "on_the_way": code.on_the_way,
        "msg": f"{count} × AADSTS{number}: {code.reason.en} {code.remedy.en} / {code.reason.ja}{code.remedy.ja}",
    }
