# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of a Linux machine, pure: which one is meant, and what the guards make of what the machine says."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..._core import phrases, plain
from ..._core.errors import NotExact, OffboardError
from ..._core.heads import some
from ..._core.machine_ids import on_host
from ..._core.model import Change, Object, Refusal
from ..cron.plan import Job
from ..cron.starters import Starter
from ..files import plan as files

KIND = "linux_account"
_SHOWN = 5


def object_of(host: str, found: Mapping[str, Any]) -> Object:
    """An account as plans see it. Its number is part of what it is: another one of the same name is another account."""
    return Object(KIND, on_host(host, found["name"], str(found["uid"])), found["name"], {name: found[name] for name in ("uid", "gid", "home", "shell")})


def removal(item: Object, *, with_home: bool) -> Change:
    """The change that takes it away."""
    state = item.state
    words = ["useradd", "--uid", str(state["uid"]), "--gid", str(state["gid"]), "--home-dir", state["home"], "--shell", state["shell"], item.name]
    before = {**state, "home_removed": with_home}
    undo = phrases.english("undo_linux_account", command=" ".join(map(shlex.quote, words)))
    return Change(KIND, item.id, item.name, "remove", before=before, after=None, risk="high" if with_home else "medium", undo=undo)


def is_meant(found: Mapping[str, Any], uid: int | None) -> bool:
    """Whether what is there is the account that was confirmed, and not another one of the same name."""
    return bool(found["exists"]) and found["uid"] == uid


def check_spelling(found: Mapping[str, Any], uid: int) -> None:
    """Raises NotExact where there is no account of that name, but one of that number whose name differs in case, blanks or marks alone."""
    if not found["exists"] and (near := [item["name"] for item in found["alike"] if item["uid"] == uid]):
        msg = f"there is no account {plain.line(found['name'])!r}, but there is {', '.join(near)}. Give the name exactly"
        raise NotExact(msg, [{"name": name} for name in near])


def other_object(found: Mapping[str, Any], uids: Iterable[int]) -> Refusal:
    """The rule other_object."""
    name, numbers = found["name"], " or ".join(map(str, sorted(uids)))
    msg = f"the account {name} has the number {found['uid']}, and {numbers} was confirmed: it is another account of the same name"
    return Refusal("other_object", msg, (name,), phrases.english("allow_this_one", setting=f"accounts: [{{name: {name}, uid: {found['uid']}}}]"))


def refusals(found: Mapping[str, Any], jobs: Iterable[Job], others: Iterable[Starter], *, with_home: bool) -> Iterator[Refusal]:
    """The rules system_account, not_local, shared_uid, cron_jobs_left, unit_runs_as, account_in_use, home_refused. `jobs`: what is left in crontabs."""
    name = found["name"]
    if found["reserved"]:
        yield Refusal("system_account", f"{name} (number {found['uid']}) is one of the system's own accounts", (name,))
    if not found["local"]:
        yield Refusal("not_local", f"{name} is no account of this machine, but of a directory that it asks; remove it there", (name,))
    if found["same_uid"]:
        msg = f"{', '.join(found['same_uid'])} has the same number {found['uid']} as {name}: files and processes would be both's"
        yield Refusal("shared_uid", msg, (name,))
    # also such as root's `su NAME -c …`
    word = re.compile(rf"(?<![\w./-]){re.escape(name)}(?![\w./-])")
    own = [job.name for job in jobs if job.user == name or any(word.search(line) for line in job.written)]
    if own:
        out = "Remove the agent's first (linux_cron_job); with others the account is needed, or they have to move"
        msg = f"cron has jobs of {name}, or that name it: {some(own, _SHOWN)}. {out}"
        yield Refusal("cron_jobs_left", msg, (name,))
    if found["at_jobs"]:
        yield Refusal("cron_jobs_left", f"{name} has jobs of at that wait to be run: {found['at_jobs']}", (name,))
    if found["units"]:
        yield Refusal("unit_runs_as", f"systemd's units run as {name}: {some(found['units'], _SHOWN)}. Remove them, or give them another User=", (name,))
    for other in others:
        its_own = other.user == name and other.by != "at"  # of at they are counted above
        if other.enabled and (its_own or any(word.search(command) for command in other.commands)):
            msg = f"{other.by} starts something as {name} by {other.path}. Stop it first, when it is the agent's: {other.stop}"
            yield Refusal("unit_runs_as", msg, (name,))
    if found["processes"]:
        told = some((f"{one['program']} ({one['pid']})" for one in found["processes"]), _SHOWN)
        yield Refusal("account_in_use", f"processes of {name} are running: {told}. Wait until they have ended, or end them", (name,))
    if with_home and (why := _home(found)):
        yield Refusal("home_refused", f"the home {found['home']} of {name} is not removed: {why}", (name,), "remove_home: false")


def _home(found: Mapping[str, Any]) -> str:
    """Why the home may not go; empty when it may, or is not there."""
    path, there = found["home"], found["home_dir"]
    if not there["exists"]:
        return ""
    try:
        root = files.normalised(path)
        # the home of a person or of a service may go: what lies in it is its own
        files.check_allowed_roots([] if posixpath.dirname(root) in ("/home", "/var/lib") else [root])
    except OffboardError:
        return "it is one of the system's own folders"
    if there["link"]:
        return f"{there['link']} is a link to another place"
    if there["uid"] != found["uid"]:
        return "it belongs to another account"
    if there["mount"]:
        return f"another file system is mounted at {there['mount']}"
    return f"it is the home of {', '.join(there['others'])} too" if there["others"] else ""
