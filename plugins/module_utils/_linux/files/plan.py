# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders, pure: which paths may be removed at all, and what the guards make of what the machine says."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core.errors import OffboardError
from ..._core.machine_ids import on_host
from ..._core.model import Object, Refusal
from ..cron.plan import Job, Programs, places_of
from ..cron.starters import Starter

KIND = "linux_file"
#: Where IIJ's manual has the archive unpacked.
DEFAULT_ALLOWED_ROOTS = ("/opt/IIJ_ID_Service_Directory_Sync",)
#: Where old copies are looked for.
DEFAULT_SEARCH = ("/opt", "/usr/local", "/var/tmp", "/var/lib", "/srv", "/home", "/root", "/tmp")
#: With everything directly in them, these are the system's or somebody's own.
_KEPT = ("/", "/etc", "/home", "/usr", "/usr/local", "/usr/lib", "/usr/share", "/var", "/var/lib", "/var/spool", "/run", "/boot", "/dev", "/proc", "/sys")
#: What is directly in these may be removed, but they may not.
_FOLDERS = ("/opt", "/srv", "/tmp", "/root", "/var/tmp", "/var/opt", "/var/log", "/var/backups")


def normalised(path: str) -> str:
    """An absolute path without a slash at its end. Raises OffboardError `path_invalid` for everything that could mean another place than it says."""
    text = path.rstrip("/") if len(path) > 1 else path
    if not text.startswith("/") or posixpath.normpath(text) != text or text.startswith("//") or re.search(r"[*?\[\]$`\x00-\x1f]", text):
        raise OffboardError(
            f"{path!r} is not a plain absolute path (no relative parts, wildcards, variables or control characters)",
            code="path_invalid",
            details={"path": path},
        )
    return text


def within(path: str, root: str) -> bool:
    """Whether a normalised path is `root` or below it."""
    return f"{path}/".startswith(f"{root}/")


def check_allowed_roots(roots: Iterable[str]) -> list[str]:
    """The roots, normalised. Raises OffboardError `allowed_root_refused` for a folder that must not be emptied, whatever the task says."""
    checked = []
    for given in roots:
        root = normalised(given)
        if root in _KEPT or root in _FOLDERS or posixpath.dirname(root) in _KEPT:
            raise OffboardError(
                f"allowed_roots: {given!r} is refused: the system's own folders, users' folders, /opt and the like are not removed as a whole",
                code="allowed_root_refused",
            )
        checked.append(root)
    return checked


def object_of(host: str, found: Mapping[str, Any]) -> Object:
    """What is at a path, as plans see it. No contents."""
    names = ("is_dir", "files", "bytes", "links", "owner", "file_system", "children")
    state = {**{name: found[name] for name in names}, "overwritten_in_place": found["in_place"]}
    return Object(KIND, on_host(host, found["path"]), found["path"], state)


def refusals(paths: Sequence[str], roots: Sequence[str], found: Mapping[str, Mapping[str, Any]]) -> Iterator[Refusal]:
    """The rules outside_allowed_roots, symbolic_link, mount_point, special_file, file_in_use."""
    for path in paths:
        if not any(within(path, root) for root in roots):
            yield Refusal("outside_allowed_roots", f"{path} is not in one of the folders that may be removed ({', '.join(roots)})", (path,), "allowed_roots")
        there = found.get(path, {})
        if there.get("link"):
            msg = f"{path}: {there['link']} is a link to another place; name that place itself, and remove the link by hand"
            yield Refusal("symbolic_link", msg, (path,))
        if not there.get("exists") or there.get("link"):
            continue
        if there["mount"]:
            yield Refusal("mount_point", f"{path}: another file system is mounted at {there['mount']}; unmount it first", (path,))
        if not there["is_plain"]:
            yield Refusal("special_file", f"{path} is neither a file nor a folder", (path,))
        if there["used_by"]:
            users = ", ".join(f"process {one['pid']} uses {one['uses']}" for one in there["used_by"][:5])
            yield Refusal("file_in_use", f"{path} is in use: {users}. Wait until it has ended, or end it", (path,))


def still_started(paths: Sequence[str], jobs: Sequence[Job], others: Sequence[Starter], real: Mapping[str, str]) -> Iterator[Refusal]:
    """The rule still_started. `jobs`: what cron will go on starting; `others`: what systemd and at will; `real`: where paths of programs lead."""

    def inside(programs: Programs, path: str) -> bool:
        return any(within(place, path) for pair in programs for place in places_of(pair, real))

    for path in paths:
        for job in jobs:
            if inside((*job.programs, *job.through), path):
                yield Refusal("still_started", f"cron starts something in {path}: {job.name}. Disable or remove that job first (linux_cron_job)", (path,))
        for other in others:
            if other.enabled and inside((*other.programs, *other.through), path):
                msg = f"{other.by} starts something in {path} by {other.path}. Stop it first: {other.stop}"
                yield Refusal("still_started", msg, (path,))
