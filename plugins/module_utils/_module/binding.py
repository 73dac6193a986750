# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tenant and which Active Directory domain a run folder belongs to: what lies in it is evidence for those alone.

`run.json` says so, the steps file and the journal, so that these are nobody else's when they are copied, or left behind, without it.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from .._core import dn, journal_lines, names, plain, strict_json
from .._core.errors import OffboardError
from .files import check_run_file, file_locked, read_lines, write_atomically

#: beside the journal
NAME = "run.json"
#: the steps of people, beside it
STEPS = "steps.json"
_WORDS = {"tenant_id": "the tenant", "directory": "the Active Directory domain"}
#: In so many of a journal's first lines it is looked for whose it is: it stands in the first change of each task.
_HEAD = 1000
#: by which rule two names of an owner are the same
_RULES: dict[str, Callable[[str], str]] = {"tenant_id": names.uuid, "directory": dn.key, "machine": names.machine}


def tenant(text: str | None) -> dict[str, str]:
    """The tenant with that id as an owner; nobody where it is none, for instance one of the tenant's domains."""
    found = names.uuid(text or "")
    return {"tenant_id": found} if names.is_uuid(found) else {}


def is_same(kind: str, one: str, other: str) -> bool:
    """Whether two names mean the same owner; kind: `tenant_id`, `directory` or `machine`."""
    return _RULES[kind](one) == _RULES[kind](other)


def check(journal: str, owner: Mapping[str, str]) -> dict[str, str]:
    """Refuse a run folder that belongs to others; returns whose it is.

    `owner`: `tenant_id`, `directory` (the domain's distinguished name), or neither. Raises OffboardError `other_run_folder`, `run_file_damaged`.
    """
    folder = os.path.dirname(os.path.abspath(journal))
    path, steps = (os.path.join(folder, name) for name in (NAME, STEPS))
    bound, confirmed, changed = _read(path), _said(_content(steps)), _changed(journal)
    _compare(path, f"The run folder {folder} belongs", bound, owner)
    _compare(steps, f"What was confirmed in {steps} belongs", confirmed, {**bound, **owner})
    _compare(journal, f"The journal {journal} belongs", changed, {**confirmed, **bound, **owner})
    # all of them are written with a journal
    if bound and confirmed and not os.path.exists(journal) and not glob.glob(os.path.join(glob.escape(folder), "*.jsonl")):
        raise OffboardError(
            f"The run folder {folder} has {NAME} and {STEPS}, and its journal is missing. Without it nobody knows what was changed, nor whether confirmations "
            "are older than that, so nothing was changed. Restore the folder from a backup of it, or use another run folder.",
            code="run_file_damaged",
            details={"path": journal},
        )
    found = {**changed, **confirmed, **bound}
    if "tenant_id" not in found and any(map(journal_lines.is_of_tenant, read_lines(os.path.join(folder, "journal.jsonl")))):
        raise OffboardError(
            f"The journal of the run folder {folder} has changes in a tenant, and {path}, which said in which one, is missing or says nothing of it. What lies "
            "in the folder may be about another tenant, so nothing was changed. Restore the folder from a backup of it, or use another run folder.",
            code="run_file_damaged",
            details={"path": path},
        )
    return found


def bind(journal: str, owner: Mapping[str, str]) -> None:
    """Write down whose the run folder is, at the first change. Raises OffboardError as `check` does, and `file_write_failed`."""
    path = os.path.join(os.path.dirname(os.path.abspath(journal)), NAME)
    with file_locked(path):
        bound = check(journal, owner)
        if any(name not in bound for name in owner) or not os.path.exists(path):
            bound = {**owner, **bound}
            # the steps first: a run that is killed in between does it again
            _mark(os.path.join(os.path.dirname(path), STEPS), bound)
            write_atomically(path, (json.dumps(bound, indent=2) + "\n").encode())


def _mark(path: str, bound: Mapping[str, str]) -> None:
    """Confirmations that were given before it was known whose they are say so from now on."""
    if os.path.exists(path):
        with file_locked(path):
            if isinstance(content := _content(path), dict):
                write_atomically(path, (plain.to_json({**content, **bound}, indent=2) + "\n").encode())


def _said(content: Any) -> dict[str, str]:
    return {name: content[name] for name in _WORDS if isinstance(content.get(name), str)} if isinstance(content, dict) else {}


def _changed(journal: str) -> dict[str, str]:
    """Whose objects the first changes of a journal were of, as far as they say so."""
    said: dict[str, str] = {}
    for line in islice(read_lines(journal), _HEAD):
        if b'"owner":{' in line:
            with contextlib.suppress(ValueError, RecursionError):  # cut off by a kill
                record = json.loads(line.decode())
                said = _said(record.get("owner") if isinstance(record, dict) else None) | said
    return said


def _read(path: str) -> dict[str, str]:
    if (bound := _content(path)) is None:
        return {}
    # written only with an owner: without one it would be anybody's
    if not isinstance(bound, dict) or _WORDS.keys().isdisjoint(bound) or not all(isinstance(bound.get(name, ""), str) for name in _WORDS):
        raise OffboardError(
            f"{path} does not say which tenant and domain the run folder belongs to. Restore it from a backup of the run folder, or use another run folder.",
            code="run_file_damaged",
        )
    return bound


def _content(path: str) -> Any:
    """None where there is no such file, a text where it is damaged or holds nothing."""
    check_run_file(path)
    try:
        with open(path, encoding="utf-8") as stream:
            return strict_json.loads(stream.read()) or "nothing"
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
    except ValueError:
        return "damaged"


def _compare(path: str, what_belongs: str, bound: Mapping[str, str], owner: Mapping[str, str]) -> None:
    for name, value in owner.items():
        if name in bound and not is_same(name, bound[name], value):
            raise OffboardError(
                f"{what_belongs} to {_WORDS[name]} {plain.line(bound[name])}, and this task works on {value}. What lies in the folder "
                "(snapshot, steps, journal) says nothing about that one, so nothing was changed. Use a run folder of its own (offboard_run_dir, or another "
                "journal).",
                code="other_run_folder",
                details={"path": path, name: bound[name], "given": value},
            )
