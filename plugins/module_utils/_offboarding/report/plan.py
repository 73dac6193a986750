# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run: what was, what was done and when, what was refused, what failed, what is left. Pure.

Every time in it comes from the records, so that the same records always give the same report.
"""

from __future__ import annotations

import bisect
import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._core import kinds, names, times
from ..going_back import undone_by
from ..steps import plan as steps
from ..steps.found import LISTED as LISTED_FOR_STEP
from ..steps.found import of_step

#: Objects listed for one kind of change; the rest is counted, and the journal has them all. Failures are always listed.
LISTED = 500
#: Users listed for one reason to leave them alone; the results files have them all.
LISTED_ALONE = 50


def build(
    records: Iterable[Mapping[str, Any]],
    manual_steps: Sequence[Mapping[str, Any]],
    preflight: Sequence[Mapping[str, Any]] | None,
    final_gate: Sequence[Mapping[str, Any]] | None,
    snapshot: Mapping[str, Any] | None,
    title: str,
    results: Iterable[tuple[str, Mapping[str, Any]]] = (),
    references: Iterable[Mapping[str, Any]] | None = None,
    arrivals: Mapping[str, Any] | None = None,
    sign_in: Iterable[Mapping[str, Any]] | None = None,
    judged_at: str | None = None,
) -> dict[str, Any]:
    """The report as JSON-serialisable data.

    records: the journal. preflight, final_gate: findings, None when that stage has not run. snapshot: its manifest. title: of the operator's; empty for the
    company's name as the snapshot has it.
    results: the lines of the results files of bulk modules, each with the file's name. references: those of entra_references_info, None when it has not run.
    arrivals: what `arrivals_of` makes of those of entra_arrivals_info. sign_in: the results of entra_sign_in_readiness_info. judged_at: when
    final_gate was judged (RFC 3339), None to believe it whatever was changed since.
    """
    known = [record for record in records if not _is_registration(record)]
    entries = _entries(known)
    by_status = {status: [entry for entry in entries if entry["status"] == status] for status in ("done", "failed", "unfinished")}
    state, left = _judgement(final_gate, entries, judged_at)
    times = sorted(record["at"] for record in known)
    return {
        "title": title or _text(snapshot, "organization") or "IIJ ID",
        "tenant_id": _text(snapshot, "tenant_id"),
        "first": times[0] if times else "",
        "last": times[-1] if times else "",
        "state": state,
        "counts": {
            "done": len(by_status["done"]),
            "failed": len(by_status["failed"]) + len(by_status["unfinished"]),
            "refused": len(_refusals(known)),
            "left": len(left),
            "steps_open": sum(not step["done"] for step in manual_steps),
            "steps": len(manual_steps),
        },
        "preflight": list(preflight or ()),
        "snapshot": dict(snapshot or {}),
        "changes": _changes(entries),
        "failed": by_status["failed"],
        "unfinished": by_status["unfinished"],
        "refused": _refusals(known),
        "left": left,
        "left_alone": _left_alone(results),
        "references": _references(references),
        "sign_in": None if sign_in is None else _sign_in(sign_in),
        "arrivals": dict(arrivals) if arrivals is not None else None,
        **_newest(preflight, final_gate, manual_steps),
    }


def _judgement(
    final_gate: Sequence[Mapping[str, Any]] | None, entries: Iterable[Mapping[str, Any]], judged_at: str | None
) -> tuple[str, list[Mapping[str, Any]]]:
    """`open`, `closed`, `outdated` or `not_judged`, and what is left that closes the final gate."""
    if final_gate is None:
        return "not_judged", []
    left = [item for item in final_gate if item["severity"] == "blocker"]
    return "closed" if left else "outdated" if _is_outdated(entries, judged_at) else "open", left


def _newest(
    preflight: Sequence[Mapping[str, Any]] | None, final_gate: Sequence[Mapping[str, Any]] | None, manual_steps: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Where all of what was found last stands, and the steps of people with what of it each is about: the final gate has looked after preflight."""
    found_in, found = ("final_gate", final_gate) if final_gate is not None else ("preflight", preflight)
    return {
        "found_in": f"results/{found_in}.json" if found is not None else "",
        "steps": [_step(step, found or ()) for step in manual_steps],
    }


def _step(step: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """With what was found last that it is about, while it is open."""
    found = [] if step["done"] else of_step(step["id"], findings)
    return {**step, "found": [{name: item[name] for name in ("en", "ja")} for item in found[:LISTED_FOR_STEP]], "found_count": len(found)}


def _text(manifest: Mapping[str, Any] | None, name: str) -> str:
    """A text of the snapshot's manifest, which somebody may have written by hand; empty where there is none."""
    value = (manifest or {}).get(name)
    return value.strip() if isinstance(value, str) else ""


def _is_registration(record: Mapping[str, Any]) -> bool:
    """That a step was written down is no news; that it was confirmed is."""
    return record.get("kind") == steps.KIND and record.get("action") == "register"


def _entries(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each attempt at a change, in the order of the records. A failure that a later attempt made good is left out."""
    attempts: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for number, record in enumerate(records):
        if record["record"] not in ("intent", "outcome"):
            continue
        tried = attempts.setdefault((record["kind"], record["id"], record["action"]), [])
        if record["record"] == "intent" or not tried:
            tried.append({"number": number, "intent": record, "last": {**record, "status": record.get("status", "unfinished")}})
        else:  # the outcome, or a later look that did not see what had been reported as done
            tried[-1] |= {"number": number, "last": record}
    kept = [item for tried in attempts.values() for item in tried if item["last"]["status"] == "done" or item is tried[-1]]
    return [_entry(item["last"], item["intent"]) for item in sorted(kept, key=lambda item: item["number"])]


def _entry(last: Mapping[str, Any], intent: Mapping[str, Any]) -> dict[str, Any]:
    entry = {name: last[name] for name in ("kind", "id", "name", "action", "status", "at")}
    entry |= {name: last.get(name, "") for name in ("code", "msg")}
    return entry | {name: intent.get(name) for name in ("before", "after", "risk", "undo")}


def _is_outdated(entries: Iterable[Mapping[str, Any]], judged_at: str | None) -> bool:
    """Whether anything outside of the run folder has been changed since the final gate was judged."""
    changed = (entry["at"] for entry in entries if entry["status"] == "done" and entry["kind"] not in kinds.OF_RUN_FOLDER)
    return judged_at is not None and any(times.is_later(at, judged_at) for at in changed)


def _taken_back(entries: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """By kind and action, when the objects were brought back that were so after it, and are as they had been; one time for each."""
    last = {(entry["kind"], entry["action"], entry["id"]): number for number, entry in enumerate(entries) if entry["status"] == "done"}
    found: dict[tuple[str, str], list[str]] = {}
    for (kind, action, key), number in last.items():
        if (back := last.get((kind, undone_by(action), key), -1)) > number:
            found.setdefault((kind, action), []).append(entries[back]["at"])
    return found


def _changes(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Grouped by kind and action, in the order in which they began."""
    back = _taken_back(entries)
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in entries:
        if entry["status"] != "done":
            continue
        times_back = back.get((entry["kind"], entry["action"]), [])
        empty = {name: entry[name] for name in ("kind", "action")} | {"count": 0, "taken_back": len(times_back), "last_taken_back": max(times_back, default="")}
        empty |= {"first": entry["at"], "last": entry["at"], "objects": []}
        group = groups.setdefault((entry["kind"], entry["action"]), empty)
        group["count"] += 1
        group["first"], group["last"] = min(group["first"], entry["at"]), max(group["last"], entry["at"])
        if len(group["objects"]) < LISTED:
            group["objects"].append({name: entry[name] for name in ("id", "name", "at", "before", "after", "risk", "undo")})
    return sorted(groups.values(), key=lambda group: group["first"])


def _left_alone(results: Iterable[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Users whom a stage skipped, by file and reason: nobody may be forgotten silently.

    Sorted, since bulk modules write their lines in the order in which Graph answers.
    """
    found: dict[tuple[str, str], tuple[int, list[tuple[str, str]]]] = {}
    for file, line in results:
        if line.get("status") == "skipped":
            count, who = found.get((file, line["code"]), (0, []))
            bisect.insort(who, (line["userPrincipalName"], line["msg"]))
            found[file, line["code"]] = (count + 1, who[:LISTED_ALONE])
    return [
        {"file": file, "code": code, "msg": who[0][1], "count": count, "names": [name for name, _msg in who]}
        for (file, code), (count, who) in sorted(found.items())
    ]


def _references(lines: Iterable[Mapping[str, Any]] | None) -> dict[str, Any] | None:
    """The first objects that point at IIJ ID, and the first of what was not looked at; None when nobody has looked."""
    if lines is None:
        return None
    found: dict[str, Any] = {"references": [], "references_count": 0, "not_looked_at": [], "not_looked_at_count": 0}
    for line in lines:
        what, text = ("references", "why") if line.get("record") == "references" else ("not_looked_at", "msg")
        found[f"{what}_count"] += 1
        if len(found[what]) < LISTED:
            more = {name: line[name] for name in ("assignments", "devices") if name in line}
            if "assignments" in more:
                more["assignments"] = _assignments(more["assignments"])
            told = {name: str(line.get(name, "")) for name in ("kind", "id", "name", "path", "reason")} | {"msg": str(line.get(text, ""))}
            found[what].append(told | more)
    return found


def _assignments(value: Any) -> list[Any] | None:
    """Of Intune; None (not known) for what is none."""
    return value if isinstance(value, list) and all(isinstance(one, Mapping) for one in value) else None


def _sign_in(lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """By domain how many users have which verdict, and the first of those who would have no way in. Sorted, since Graph answers in any order."""
    counts: dict[str, Counter[str]] = {}
    kept_out: list[str] = []
    number = 0
    for line in lines:
        upn, code = line["userPrincipalName"], line["code"]
        counts.setdefault(names.domain(upn.rpartition("@")[2]), Counter())[code] += 1
        if code == "no_way_in":
            number += 1
            bisect.insort(kept_out, upn)
            del kept_out[LISTED_ALONE:]
    return {"domains": [{"domain": domain, "counts": dict(found)} for domain, found in sorted(counts.items())], "kept_out": kept_out, "kept_out_count": number}


def arrivals_of(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the report tells of the return values of entra_arrivals_info: the numbers, without anybody's name; None when nobody has looked.

    Raises LookupError, TypeError, ValueError or AttributeError when they are none.
    """
    if found is None:
        return None
    texts = ("reason", "reason_ja", "remedy", "remedy_ja")
    return {
        "at": str(found["at"]),
        "summary": str(found["summary"]),
        "summary_ja": str(found["summary_ja"]),
        "domains": [{"domain": str(row["domain"]), "counts": {str(name): int(count) for name, count in row["counts"].items()}} for row in found["domains"]],
        "failures": [{"code": int(row["code"]), "count": int(row["count"]), **{name: str(row[name]) for name in texts}} for row in found["failures"]],
        "arrivals_by_hour": [
            {"hour": datetime.datetime.fromisoformat(row["hour"]).isoformat(), "count": int(row["count"])} for row in found["arrivals_by_hour"]
        ],
    }


def _refusals(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each once, with the time of the last one and how often it was met."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for record in records:
        if record["record"] == "refusal":
            before = found.pop((record["rule"], record["msg"]), None)
            shown = {name: record[name] for name in ("rule", "msg", "objects", "allow_with", "noun", "at")}
            found[record["rule"], record["msg"]] = shown | {"times": (before["times"] if before else 0) + 1}
    return list(found.values())
