# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_password_filter and its _info twin: reading, taking out one name, removing its file, verifying."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import names, phrases
from ..._core.errors import OffboardError
from ..._core.machine_ids import on_host
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.runner import Resource
from .. import registry
from ..client import Client
from ..connection import Connection
from ..files.resource import below, look
from ..paths import quoted
from . import plan as filters
from .options import InfoOptions, Options
from .read import packages

_SEARCH_SECONDS = 600.0


def library(machine: registry.RegistryConnection, name: str) -> str:
    """Where LSA loads a filter from."""
    return rf"{registry.system_root(machine)}\System32\{name}.dll"


class PasswordFilter(Resource):
    """One filter: its entry, and on request its file."""

    noun = "password filters"
    kinds = (filters.KIND,)
    on_machine = True

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._packages: list[str] = []
        self._path = ""
        self._file_exists = self._unregistered = False

    def read(self) -> Iterator[Object]:
        """The entry and the file, as one object. Raises NotExact."""
        self._packages = packages(self._client)
        filters.check_spelling(self._packages, self._options.name)
        self._path = library(self._client, self._options.name)
        self._file_exists = look(self._client, [self._path])[0].exists
        state = {"registered": filters.is_registered(self._packages, self._options.name), "file": self._file_exists}
        yield Object(filters.KIND, on_host(self._client.host, self._options.name), self._options.name, state)

    def plan(self, current: Iterable[Object]) -> Plan:
        """First the entry; the file, which LSA holds until the next start, in a later run."""
        plan = Plan()
        for item in current:
            if item.state["registered"]:
                before = {"registered": True, "notification_packages": self._packages}
                after = {"registered": False, "notification_packages": filters.without(self._packages, item.name)}
                undo = phrases.english("undo_filter", name=item.name, value=filters.VALUE)
                plan.changes.append(Change(filters.KIND, item.id, item.name, "unregister", before, after, risk="medium", undo=undo))
            elif item.state["file"] and self._options.remove_file:
                plan.changes.append(Change(filters.KIND, item.id, item.name, "remove_file", before={"file": True}, after={"file": False}, risk="medium"))
            else:
                plan.unchanged += 1
        return plan

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this machine's filter."""
        for change in begun:
            still = self._file_exists if change.action == "remove_file" else filters.is_registered(self._packages, self._options.name)
            if change.id == on_host(self._client.host, self._options.name) and not still:
                yield change

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """The rules would_be_empty, windows_component."""
        yield from filters.refusals(self._packages, self._options.name)
        if any(change.action == "remove_file" for change in plan.changes) and self._is_windows_own():
            yield Refusal("windows_component", f"{self._path} is a part of Windows: its component store has it too", (self._options.name,))

    def _is_windows_own(self) -> bool:
        store = quoted(rf"{registry.system_root(self._client)}\WinSxS\{self._options.name}.dll")
        return self._client.cmd(f"dir /s /b /a {store}", _SEARCH_SECONDS).exit_code == 0

    def apply(self, change: Change) -> dict[str, Any]:
        """Write the list without the name, or delete the file."""
        # Read once more: another product may have changed the list since.
        now = packages(self._client)
        stop = next(iter(filters.refusals(now, self._options.name)), None)
        if change.action == "remove_file" and filters.is_registered(now, self._options.name):
            stop = Refusal("registered", f"{self._options.name} has been registered again", (self._options.name,))
        if stop:
            raise OffboardError(f"{stop.msg}. That was not so when it was read; run the task again", code="changed_since_read")
        if change.action == "remove_file":
            self._client.cmd(f"del /f /q /a {quoted(self._path)}")
            if look(self._client, [self._path])[0].exists:
                raise OffboardError(f"{self._path} is in use by LSA; restart the machine, and run again", code="file_in_use")
            self._file_exists = False
            return {}
        rest = filters.without(now, self._options.name)
        answer = self._client.run("reg.exe", "add", filters.LSA, "/v", filters.VALUE, "/t", "REG_MULTI_SZ", "/d", "\\0".join(rest), "/f", "/reg:64")
        if answer.exit_code:
            raise OffboardError(
                f"{filters.VALUE} could not be written (exit code {answer.exit_code}); is the account an administrator?", code="registry_refused"
            )
        self._unregistered = True
        return {"notification_packages": rest}

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read the list again: without the name, and with everything else."""
        now = packages(self._client)
        lost = set(filters.without(self._packages, self._options.name)) - set(now)
        for change in applied:
            if change.action == "unregister" and (lost or filters.is_registered(now, self._options.name)):
                yield Outcome(change, "failed", "not_seen", f"{filters.VALUE} is now {', '.join(now)}; it should be what it was, without {self._options.name}")
        self._packages = now

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {
            "notification_packages": self._packages,
            "file": self._path,
            "file_exists": self._file_exists,
            "reboot_required": self._unregistered
            or (self._file_exists and self._options.remove_file and not filters.is_registered(self._packages, self._options.name)),
        }

    def close(self) -> None:
        self._client.close()


def make(params: Mapping[str, Any]) -> PasswordFilter:
    options = Options.of(params)
    return PasswordFilter(Client(Connection.from_params(params)), options)


def info(client: Client, options: InfoOptions) -> dict[str, Any]:
    folders = options.folders
    libraries = {}
    for entry in look(client, folders) if folders else []:
        for item in below(client, entry.path) if entry.is_folder else []:
            folder, _unused, name = item.path.rpartition("\\")
            if name.casefold().endswith(".dll"):
                libraries[name[:-4].casefold()] = folder
    found = []
    for name in packages(client):
        path = library(client, name)
        why = [phrases.english("library_lies_in", name=name, folder=libraries[name.casefold()])] if name.casefold() in libraries else []
        named = names.program(name) in options.names
        state = {"default": filters.is_default(name), "named": named, "file": path, "file_exists": look(client, [path])[0].exists}
        found.append({"name": name, **state, "why": why})
    return {"filters": found, "meant": filters.meant(found)}
