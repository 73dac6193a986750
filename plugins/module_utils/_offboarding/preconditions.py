# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of the exit demands of its run folder, whatever tasks ran or did not run before it (C(--start-at-task), C(--tags))."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from .._core import journal_lines, manifest, plain, strict_json
from .._core.errors import OffboardError
from .._core.heads import some
from .._core.model import Change, Object
from .._core.names import uuid
from .._core.times import SKEW, as_time, is_later, past
from .._module import binding
from .._module.clock import now
from .._module.files import check_run_file, read_lines
from .._module.runner import Resource
from . import gate, phrases
from . import sign_in_verdict as sign_in
from .steps import plan as steps

#: Given the manifest of the tenant's snapshot, the objects about to change that it does not hold.
Lacks = Callable[[Mapping[str, Any]], Collection[str]]
#: Given names of domains, those of them, and below them, that are not managed.
Federated = Callable[[Collection[str]], Iterable[str]]
_RESTORE = "Restore it from a backup."

#: Options that say where a task writes what it did; a task that has no journal, but another of them there, works for the exit all the same.
_WRITTEN = ("journal", "handover_file", "results_file", "backup_dir")

_Content = TypeVar("_Content")


def demand(params: Mapping[str, Any], resource: Resource, owner: Mapping[str, str], changes: Iterable[Change]) -> None:
    """`runner.Preconditions`: what the task's option `requires` says, and that a task that writes into the run folder of an exit says it.

    Raises OffboardError as `check` and `unsaid` do.
    """
    requires = params.get("requires")
    if not requires:
        journal = params.get("journal")
        # with a journal elsewhere, somebody has said that it is no part of the exit
        written = [journal] if journal else [params[name] for name in _WRITTEN if params.get(name)]
        if not written or resource.in_run_folder:
            return
        requires = unsaid(*written)
        if not journal:
            return  # its files lie in nobody's run folder, and make none
    check(
        requires,
        {**owner, **({"machine": params["host"]} if resource.on_machine else {})},
        lacks=lambda manifest: resource.lacking(manifest, changes),
        saved=list(resource.to_be_saved(changes)),
        domains=list(resource.domains(changes)),
        federated=resource.federated,
    )


def check(
    requires: Mapping[str, Any],
    owner: Mapping[str, str],
    *,
    lacks: Lacks = lambda _manifest: (),
    saved: Collection[str] = (),
    domains: Iterable[str] = (),
    federated: Federated | None = None,
) -> None:
    """Refuse a run folder that does not hold what is required.

    owner: whose objects are changed, as `binding` names it. saved: ids of objects that `snapshot_files` must hold. domains: those of the verdicts.
    federated: of `managed_domains`, those that are not managed, or below which one is not.
    Raises OffboardError `step_not_done`, `unknown_step`, `steps_file_damaged`, `snapshot_missing`, `snapshot_damaged`, `snapshot_incomplete`,
    `other_run_folder`, `run_file_damaged`, `gate_closed`, `gate_outdated`, `gate_damaged`, `no_way_in`, `sign_in_not_judged`,
    `sign_in_outdated`, `sign_in_damaged`, `still_federated` or `file_read_failed`.
    """
    folder, domains = os.path.abspath(requires["run_dir"]), list(domains)
    # who does not know the tenant (a Windows machine) works for that of the folder; a machine or OpenLDAP is of no Active Directory domain
    saved_of = {"directory", "machine"} & owner.keys() | {"tenant_id"}
    owner = {**binding.check(os.path.join(folder, "journal.jsonl"), owner), **owner}
    if requires["steps"]:
        states = {item.id: item.state for item in steps_now(os.path.join(folder, "steps.json"))}
        missing = steps.not_done(states, requires["steps"])
        if missing:
            raise steps.not_done_error(states, missing, folder)
    if requires.get("gate_max_age_hours") is not None:
        _check_gate(folder, requires["gate_max_age_hours"], owner, domains)
    if requires["snapshot"]:
        _check_snapshot(os.path.join(folder, "snapshot"), owner, lacks)
    if requires.get("snapshot_files"):
        _check_saved(os.path.join(folder, "snapshot"), requires["snapshot_files"], {name: owner[name] for name in saved_of & owner.keys()}, saved)
    if requires.get("sign_in_max_age_hours") is not None:
        _check_sign_in(folder, requires, owner, domains)
    if federated is not None and (named := requires.get("managed_domains")) and (left := list(federated(named))):
        raise OffboardError(phrases.english("still_federated", domains=", ".join(left)), code="still_federated", details={"domains": left})


def unsaid(*written: str) -> dict[str, Any]:
    """What a task demands that says nothing: nothing, unless its journal, or another file that it writes, lies in the run folder of an exit, or anywhere
    below it. There it must say it.

    Raises OffboardError `requires_missing`.
    """
    own = [os.path.dirname(os.path.abspath(one)) for one in written]
    # also where a link leads: the folder is the one that is written to
    for folder in dict.fromkeys(str(one) for start in (*own, *map(os.path.realpath, own)) for one in (Path(start), *Path(start).parents)):
        there = [name for name in ("steps.json", gate.NAME, os.path.join("snapshot", manifest.NAME)) if os.path.lexists(os.path.join(folder, name))]
        if not there:
            continue
        told = phrases.english("requires_missing", folder=folder, files=", ".join(there))
        raise OffboardError(told, code="requires_missing", details={"path": folder, "evidence": there})
    return {"run_dir": own[0], "steps": [], "snapshot": False}


def info(params: Mapping[str, Any], warn: Callable[[str], None] | None) -> dict[str, Any]:
    """The return values of run_folder_info. warn: in check mode, takes why a real run would stop.

    Raises OffboardError `other_run_folder` for the folder or the snapshot of another tenant, and those of `check` for what is damaged.
    """
    folder = os.path.abspath(params["run_dir"])
    given = binding.tenant(params["run_tenant_id"])
    bound = binding.check(os.path.join(folder, "journal.jsonl"), given)
    read_steps(os.path.join(folder, "steps.json"))
    snapshot = read_manifest(os.path.join(folder, "snapshot"))
    if snapshot is not None:
        check_tenant(os.path.join(folder, "snapshot"), snapshot, {**bound, **given})
    found = {"snapshot": snapshot, "verdict": read_verdict(os.path.join(folder, gate.NAME)), "owner": bound}
    if params["requires"]:
        try:
            check({**params["requires"], "run_dir": folder}, given)
        except OffboardError as exc:
            if warn is None:
                raise
            warn(phrases.english("would_stop", why=exc.msg))
    return found


def read_steps(path: str) -> list[Object]:
    """The recorded steps; none when there is no file yet. Raises OffboardError `file_read_failed`, `steps_file_damaged`."""
    return _parsed(path, steps.parse, "steps file", "steps_file_damaged") or []


def steps_now(path: str) -> list[Object]:
    """The recorded steps as they count: a confirmation that is older than what it confirms, by the journal of the run folder, or of the future, is none."""
    recorded = read_steps(path)
    if not any(item.state["done"] for item in recorded):
        return recorded
    journal = os.path.join(os.path.dirname(os.path.abspath(path)), "journal.jsonl")
    confirmed = {steps.CONFIRMS[item.id]: item.state["at"] for item in recorded if item.id in steps.CONFIRMS and item.state["done"]}
    given = {item.id: item.state for item in recorded}
    places = steps.places(read_lines(journal), given) if confirmed else {}
    last = steps.latest(read_lines(journal), confirmed, places) if confirmed else {}
    states = steps.as_of(given, last, now(), places)
    return [replace(item, state=states[item.id]) for item in recorded]


def stopped_at(folder: str) -> str:
    """When the stop of IIJ ID's provisioning was confirmed (RFC 3339), as it counts; empty while nobody has."""
    return next((str(item.state["at"]) for item in steps_now(os.path.join(folder, "steps.json")) if item.id == gate.STOPPED and item.state["done"]), "")


def app_brought_back(folder: str, since: str) -> str:
    """When the journal of the run folder last recorded that an app came back, or may have (RFC 3339); empty where none did since the verdict of that time."""
    path = os.path.join(folder, "journal.jsonl")
    found = steps.latest(read_lines(path), {"app_back": since}).get("app_back", "")
    # by a clock that was ahead and was put right: then the verdict was reached later where it stands behind it
    is_to_come = as_time(found) > datetime.datetime.now(datetime.UTC) + SKEW
    return "" if is_to_come and gate.is_last(read_lines(path), since) else found


def is_overtaken(folder: str, at: str) -> bool:
    """Whether a verdict of the gate of that time knows nothing of the confirmed stop, or of the app's last return."""
    return any(is_later(later, at) for later in (stopped_at(folder), app_brought_back(folder, at)))


def _taken(parse: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """`parse` for a manifest whose age counts: what came after it was saved needs not be in it."""

    def parsed(content: Any) -> dict[str, Any]:
        found = parse(content)
        past(found["taken"], datetime.datetime.now(datetime.UTC))
        return found

    return parsed


def read_manifest(folder: str) -> dict[str, Any] | None:
    """The manifest of a complete snapshot of the tenant, None when there is none. Raises OffboardError `snapshot_damaged`, `file_read_failed`."""
    return _parsed(os.path.join(folder, manifest.NAME), _taken(manifest.parse), "manifest of a snapshot", "snapshot_damaged")


def read_verdict(path: str) -> dict[str, Any] | None:
    """The gate's verdict, None when there is none. Raises OffboardError `gate_damaged`, `file_read_failed`."""
    return _parsed(path, gate.parse, "verdict of the gate", "gate_damaged")


def read_sign_in(path: str) -> dict[str, Any] | None:
    """The verdict on who can sign in, None when there is none. Raises OffboardError `sign_in_damaged`, `file_read_failed`."""
    return _parsed(path, sign_in.parse, "verdict on who can sign in", "sign_in_damaged")


def read_saved(path: str) -> dict[str, Any] | None:
    """The manifest beside one saved file, None when there is none. Raises OffboardError `snapshot_damaged`, `file_read_failed`."""
    return _parsed(f"{path}.json", _taken(manifest.parse_saved), "manifest of a saved file", "snapshot_damaged")


def check_not_lost(journal: str | None, kind: str, path: str, is_held: Callable[[str, str], bool]) -> None:
    """Where there is no such file or folder of saved objects: whether a new one would still have them as they were. is_held: whether a change in the journal
    (kind, id) is of what it holds. Raises OffboardError `snapshot_missing`, `file_read_failed`."""
    if not journal:
        return
    # the run folder may have been another one's copy, and lie elsewhere now
    inside = os.path.relpath(path, os.path.dirname(os.path.abspath(journal)))
    own = f"/{os.path.basename(path) if inside.startswith('..') else inside}"
    marks = (f'"kind":"{kind}",'.encode(), f'{json.dumps(own, ensure_ascii=False)[1:]},"name":'.encode(errors="surrogatepass"))
    taken, changed = journal_lines.changed_since_saved(read_lines(journal), lambda line: all(mark in line for mark in marks), is_held)
    if changed:
        raise OffboardError(phrases.english("snapshot_lost", path=path, taken=taken, changed=changed), code="snapshot_missing")


def check_tenant(folder: str, found: Mapping[str, Any], owner: Mapping[str, str]) -> None:
    """Refuse a snapshot of another tenant. Raises OffboardError `other_run_folder`."""
    tenant = owner.get("tenant_id", found["tenant_id"])
    if uuid(tenant) != uuid(found["tenant_id"]):
        raise OffboardError(
            phrases.english("snapshot_of_other_tenant", folder=folder, found=plain.line(found["tenant_id"]), tenant=tenant),
            code="other_run_folder",
            details={"path": folder, "tenant_id": found["tenant_id"], "given": tenant},
        )


def _check_gate(folder: str, hours: int, owner: Mapping[str, str], domains: Iterable[str]) -> None:
    verdict = read_verdict(os.path.join(folder, gate.NAME))
    app_back = app_brought_back(folder, verdict["at"]) if verdict else ""
    refused = gate.objection(verdict, owner, domains, hours, datetime.datetime.now(datetime.UTC), stopped_at(folder), app_back)
    if refused is not None:
        raise refused


def _check_sign_in(folder: str, requires: Mapping[str, Any], owner: Mapping[str, str], domains: Iterable[str]) -> None:
    found = read_sign_in(os.path.join(folder, sign_in.NAME))
    accepted = requires.get("accepted_no_way_in_count") or 0
    refused = sign_in.objection(found, owner, domains, requires["sign_in_max_age_hours"], accepted, datetime.datetime.now(datetime.UTC))
    if refused is not None:
        raise refused


def _check_snapshot(folder: str, owner: Mapping[str, str], lacks: Lacks) -> None:
    found = read_manifest(folder)
    if found is None:
        raise OffboardError(phrases.english("no_snapshot", folder=folder), code="snapshot_missing")
    check_tenant(folder, found, owner)
    check_files(folder, found["files"])
    if missing := list(lacks(found)):
        raise OffboardError(
            phrases.english("snapshot_lacks", folder=folder, taken=found["taken"], names=some(missing)),
            code="snapshot_incomplete",
            details={"lacks": missing[:1000]},
        )


def _check_saved(folder: str, names: Iterable[str], owner: Mapping[str, str], ids: Collection[str]) -> None:
    held: set[str] = set()
    for name in names:
        found = None
        for path in manifest.further(os.path.join(folder, name)):
            if not os.path.exists(path):
                break
            if (one := read_saved(path)) is None:
                continue
            check_owner(path, one, owner)
            held |= set(map(uuid, one["objects"]))
            check_files(os.path.dirname(path), [{**one["files"][0], "name": os.path.basename(path)}])
            found = one
        if found is None:
            raise OffboardError(phrases.english("no_saved_file", name=name, folder=folder), code="snapshot_missing")
    if missing := [item for item in ids if uuid(item) not in held]:
        raise OffboardError(
            phrases.english("not_saved", folder=folder, names=some(missing)),
            code="snapshot_incomplete",
            details={"lacks": missing[:1000]},
        )


def check_owner(path: str, found: Mapping[str, Any], owner: Mapping[str, str]) -> None:
    """Refuse a saved file of another Active Directory domain or machine, or of another tenant's run. Raises OffboardError `other_run_folder`."""
    # whose tenant it is may not have been known when a machine was saved: then it says none
    words_of = {
        "directory": "the Active Directory domain",
        "machine": "the machine",
        **({"tenant_id": "the run of the tenant"} if "tenant_id" in found else {}),
    }
    for name, words in words_of.items():
        if name in owner and not binding.is_same(name, found.get(name, ""), owner[name]):
            raise OffboardError(
                f"{path} was saved of {words} {plain.line(found.get(name) or '(unknown)')}, and this task works on {owner[name]}. Nothing was changed. Use "
                "the run folder that belongs to it (offboard_run_dir); a machine that has another address now is saved anew when the file is moved away.",
                code="other_run_folder",
                details={"path": path, "given": owner[name]},
            )


def check_files(folder: str, files: Iterable[Mapping[str, Any]]) -> None:
    """Whether each file that a manifest lists is there as it was written. Raises OffboardError `snapshot_damaged`."""
    for entry in files:
        path = os.path.join(folder, entry["name"])
        try:
            with open(path, "rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as exc:
            raise OffboardError(f"The snapshot is damaged: cannot read {path}: {exc.strerror or exc}. {_RESTORE}", code="snapshot_damaged") from exc
        if digest != entry["sha256"]:
            raise OffboardError(f"The snapshot is damaged: {path} is not the file that was written. {_RESTORE}", code="snapshot_damaged")


def _parsed(path: str, parse: Callable[[Any], _Content], noun: str, code: str) -> _Content | None:
    check_run_file(path)
    try:
        with open(path, encoding="utf-8") as stream:
            return parse(strict_json.loads(stream.read()))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as exc:
        why = "" if isinstance(exc, (json.JSONDecodeError, UnicodeDecodeError, RecursionError)) else f": {exc}"
        raise OffboardError(f"{path} is not a {noun}{why}. Restore it from a backup of the run folder.", code=code) from exc
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
