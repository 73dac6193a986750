# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tenant and which Active Directory domain a run folder belongs to: what lies in it is evidence for those alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping

from .._core import dn, names, plain, strict_json
from .._core.errors import OffboardError
from .files import check_run_file, file_locked, write_atomically

#: beside the journal
NAME = "run.json"
_WORDS = {"tenant_id": "the tenant", "directory": "the Active Directory domain"}
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
    bound = _read(_path(journal))
    _compare(_path(journal), bound, owner)
    return bound


def bind(journal: str, owner: Mapping[str, str]) -> None:
    """Write down whose the run folder is, at the first change. Raises OffboardError as `check` does, and `file_write_failed`."""
    path = _path(journal)
    with file_locked(path):
        bound = _read(path)
        _compare(path, bound, owner)
        if any(name not in bound for name in owner):
            write_atomically(path, (json.dumps({**bound, **owner}, indent=2) + "\n").encode())


def _path(journal: str) -> str:
    return os.path.join(os.path.dirname(os.path.abspath(journal)), NAME)


def _read(path: str) -> dict[str, str]:
    check_run_file(path)
    try:
        with open(path, encoding="utf-8") as stream:
            bound = strict_json.loads(stream.read())
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc
    except ValueError:
        bound = None
    # written only with an owner: without one it would be anybody's
    if not isinstance(bound, dict) or _WORDS.keys().isdisjoint(bound) or not all(isinstance(bound.get(name, ""), str) for name in _WORDS):
        raise OffboardError(
            f"{path} does not say which tenant and domain the run folder belongs to. Restore it from a backup of the run folder, or use another run folder.",
            code="run_file_damaged",
        )
    return bound


def _compare(path: str, bound: Mapping[str, str], owner: Mapping[str, str]) -> None:
    for name, value in owner.items():
        if name in bound and not is_same(name, bound[name], value):
            raise OffboardError(
                f"The run folder {os.path.dirname(path)} belongs to {_WORDS[name]} {plain.line(bound[name])}, and this task works on {value}. What lies in it "
                "(snapshot, steps, journal) says nothing about that one, so nothing was changed. Use a run folder of its own (offboard_run_dir, or another "
                "journal).",
                code="other_run_folder",
                details={"path": path, name: bound[name], "given": value},
            )
