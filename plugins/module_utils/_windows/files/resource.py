# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_file and its _info twin: looking, overwriting, removing and verifying what files.py decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core.errors import OffboardError
from ..._core.machine_ids import is_of
from ..._core.model import Change, Object, Outcome, Refusal
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.runner import Resource
from .. import registry
from ..client import Client
from ..connection import Connection
from ..paths import quoted
from ..software import plan as software
from ..software import resource as software_resource
from . import plan as files
from .options import InfoOptions, Options
from .plan import ListedPath

_LONG_SECONDS = 600.0
#: the longest line of cmd.exe is 8,191 characters
_PATHS_OF_A_LINE = 20


def look(machine: registry.RegistryConnection, paths: Sequence[str]) -> list[ListedPath]:
    """Each of the paths, there or not."""
    answer = machine.cmd(f"for %f in ({' '.join(map(quoted, paths))}) do @echo %~af %~zf %~ff")
    entries = files.listing(answer.text)
    if answer.exit_code or len(entries) != len(paths):
        raise OffboardError(f"{machine.host}: cmd.exe did not say what is at {', '.join(paths)}", code="listing_unreadable")
    return entries


def below(machine: registry.RegistryConnection, folder: str) -> list[ListedPath]:
    """Everything in a folder, hidden files too."""
    answer = machine.cmd(f"for /f \"delims=\" %f in ('dir /s /b /a {quoted(folder)}') do @echo %~af %~zf %~ff", _LONG_SECONDS)
    return files.listing(answer.text)


def existing(machine: registry.RegistryConnection, paths: Sequence[str]) -> list[ListedPath]:
    """Those of many paths that are there."""
    return [entry for some in _lines(paths) for entry in look(machine, some) if entry.exists]


def files_below(machine: registry.RegistryConnection, paths: Sequence[str]) -> list[ListedPath]:
    r"""The files in many folders, hidden ones too; with `folder\name` those of that name anywhere below the folder. What cannot be listed has none."""
    found = []
    for some in _lines(paths):
        inside = "for /f \"delims=\" %f in ('dir /s /b /a-d %d') do @echo %~af %~zf %~ff"
        found += files.listing(machine.cmd(f"for %d in ({' '.join(map(quoted, some))}) do @{inside}", _LONG_SECONDS).text)
    return found


def unlistable(machine: registry.RegistryConnection, folders: Sequence[str]) -> list[str]:
    """Those of the folders that this account may not list."""
    listed: set[str] = set()
    for some in _lines(folders):
        answer = machine.cmd(f"for %d in ({' '.join(map(quoted, some))}) do @dir /a %d >nul 2>nul && echo %d")
        listed.update(line.strip().casefold() for line in answer.text.splitlines())
    return [folder for folder in folders if quoted(folder).casefold() not in listed]


def _lines(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    return (paths[first : first + _PATHS_OF_A_LINE] for first in range(0, len(paths), _PATHS_OF_A_LINE))


def look_into(machine: registry.RegistryConnection, path: str) -> tuple[ListedPath, list[ListedPath], str]:
    """What is at a path, everything below it, and the first link to another place in or above it."""
    *folders, entry = look(machine, [*files.above(path), path])
    inside = below(machine, path) if entry.is_folder else []
    return entry, inside, next((item.path for item in (*folders, entry, *inside) if item.is_link), "")


class Files(Resource):
    """The paths of one task."""

    noun = "files and folders"
    # What is installed matters too: the folder of a product must not go before the product, in check mode as predicted.
    kinds = (files.KIND, software.KIND)
    on_machine = True

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._entries: dict[str, tuple[ListedPath, list[ListedPath]]] = {}
        self._links: dict[str, str] = {}
        self._locations: dict[str, str] = {}
        self._installed: list[str] = []
        #: what `apply` and `verify` have made of the paths
        self._done: dict[str, dict[str, Any]] = {path: {} for path in self._options.paths}

    def read(self) -> Iterator[Object]:
        """The paths that exist, with everything below them, and the products that are installed."""
        host = self._client.host
        for path in self._options.paths:
            entry, inside, link = look_into(self._client, path)
            if link:
                self._links[path] = link
            if entry.exists:
                found = files.object_of(host, ListedPath(path, entry.attributes, entry.size), inside)
                self._entries[found.id] = (entry, inside)
                yield found
        for product in software_resource.installed(self._client):
            if not software.is_per_user(product):  # any user can write such an entry, with any place
                self._locations[product.id(host)] = product.install_location.rstrip("\\")
            yield software.object_of(host, product)

    def plan(self, current: Iterable[Object]) -> Plan:
        """A removal for each path that exists."""
        plan, planned = Plan(), set()
        for item in current:
            if item.kind == software.KIND:
                self._installed.append(item.id)
                continue
            planned.add(item.name)
            plan.changes.append(Change(files.KIND, item.id, item.name, "remove", before=dict(item.state), after=None, risk="high"))
        order = sorted(self._options.paths, key=lambda path: path not in planned)
        plan.facts["results"] = [{"path": path, "status": "planned" if path in planned else "absent"} for path in order]
        plan.unchanged = len(order) - len(planned)
        return plan

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this machine's paths."""
        for change in begun:
            ours = change.kind == files.KIND and is_of(self._client.host, change.id)
            if ours and not look(self._client, [change.name])[0].exists:
                yield change

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """The rules outside_allowed_roots, reparse_point, still_installed. Raises OffboardError `allowed_root_refused`."""
        allowed = files.check_allowed_roots(self._options.allowed_roots, files.normalised(registry.system_root(self._client)))
        for path in self._options.paths:
            if not any(files.within(path, root) for root in allowed):
                roots = ", ".join(allowed)
                yield Refusal("outside_allowed_roots", f"{path} is not in one of the folders that may be removed ({roots})", (path,), "allowed_roots")
        for change in plan.changes:
            path = change.name
            if path in self._links:
                yield Refusal("reparse_point", f"{path}: {self._links[path]} is a link to another place; remove the link yourself", (path,))
            for identity in self._installed:
                location = self._locations.get(identity, "")
                if location and (files.within(path, location) or files.within(location, path)):
                    yield Refusal("still_installed", f"{path} belongs to {identity.rpartition('/')[2]}, which is still installed; uninstall it first", (path,))

    def apply(self, change: Change) -> dict[str, Any]:
        """Overwrite what can be, then remove."""
        path = change.name
        details: dict[str, Any] = {}
        entry, inside = self._look_again(change, details)
        if not entry.exists:
            self._done[path]["status"] = "removed"
            return details
        if self._options.overwrite:
            details = self._wipe(path, entry, inside)
            self._done[path] |= details
            self._look_again(change, details)  # that takes its time, and del follows a link
        if entry.is_folder:
            # The files first, one by one, so that one in use keeps no other.
            self._client.cmd(f'del /f /s /q /a "{path}\\*" & rd /s /q {quoted(path)}', _LONG_SECONDS)
        else:
            self._client.cmd(f"del /f /q /a {quoted(path)}", _LONG_SECONDS)
        if look(self._client, [path])[0].exists:  # the exit code says nothing: del gives 0 for a file in use
            left = below(self._client, path) if entry.is_folder else [entry]
            names = [item.path for item in left if not item.is_folder][:5] or [path]
            self._done[path]["status"] = "failed"
            raise OffboardError(
                f"{path} could not be removed; still there: {', '.join(names)}. In use? End the program, or restart the machine, and run again",
                code="file_in_use",
                details={"left": names, "steps_done": ["removal was tried"], **details},
            )
        self._done[path]["status"] = "removed"
        return details

    def _look_again(self, change: Change, details: Mapping[str, Any]) -> tuple[ListedPath, list[ListedPath]]:
        """What is there now. Raises OffboardError `changed_since_read` where it is no longer what the guards have judged."""
        entry, inside, link = look_into(self._client, change.name)
        if link or (entry.exists and entry.is_folder != self._entries[change.id][0].is_folder):
            self._done[change.name]["status"] = "failed"
            why = f"{link} has become a link to another place" if link else f"{change.name} is no longer a {'file' if entry.is_folder else 'folder'}"
            steps = {"steps_done": ["contents were overwritten"]} if details else {}
            raise OffboardError(f"{why} since it was read; look at it, and run the task again", code="changed_since_read", details={**details, **steps})
        return entry, inside

    def _wipe(self, path: str, entry: ListedPath, inside: list[ListedPath]) -> dict[str, Any]:
        """Zeros over the contents of every file, as far as Windows lets us."""
        if any(item.read_only for item in (entry, *inside)):
            self._client.run("attrib.exe", "-r", "-s", "-h", rf"{path}\*" if entry.is_folder else path, *(["/s", "/d"] if entry.is_folder else []))
        source = f"/f \"delims=\" %f in ('dir /s /b /a-d {quoted(path)}')" if entry.is_folder else f"%f in ({quoted(path)})"
        wipe = 'fsutil.exe file setzerodata offset=0 length=%~zf "%~ff" >nul 2>&1'
        answer = self._client.cmd(f'for {source} do @if not "%~zf"=="0" ({wipe} && echo +%~ff || echo -%~ff)', _LONG_SECONDS)
        lines = answer.text.splitlines()
        return {"overwritten": sum(line.startswith("+") for line in lines), "not_overwritten": [line[1:] for line in lines if line.startswith("-")]}

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        for change in applied:
            if look(self._client, [change.name])[0].exists:
                self._done[change.name]["status"] = "failed"
                yield Outcome(change, "failed", "not_seen", f"{change.name} was removed, but is there again")

    def facts(self, plan: Plan) -> dict[str, Any]:
        return {"results": [{**planned, **self._done[planned["path"]]} for planned in plan.facts["results"]]}

    def close(self) -> None:
        self._client.close()


def make(params: Mapping[str, Any]) -> Files:
    options = Options.of(params)
    return Files(Client(Connection.from_params(params)), options)


def info(client: Client, options: InfoOptions) -> dict[str, Any]:
    return {"files": [_described(client, path, options.yaml_values) for path in options.paths]}


def _described(client: Client, path: str, names: Mapping[str, str]) -> dict[str, Any]:
    entry = look(client, [path])[0]
    found: dict[str, Any] = {"path": path, "exists": entry.exists, "is_dir": entry.is_folder, "hidden": entry.hidden, "size": entry.size, "children": []}
    if entry.is_folder:
        found["children"] = [
            {"path": item.path, "is_dir": item.is_folder, "hidden": item.hidden, "link": item.is_link, "size": item.size} for item in below(client, path)
        ]
    if names and entry.exists and not entry.is_folder:
        answer = client.cmd(f"type {quoted(path)}")
        if answer.exit_code:
            raise OffboardError(f"{client.host}: {path} could not be read (exit code {answer.exit_code})", code="file_read_failed")
        found["values"] = files.yaml_values(answer.text, names, path)
    return found
