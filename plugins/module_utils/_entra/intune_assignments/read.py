# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The assignments of objects of Intune, and on how many devices these are, as Microsoft Graph shows them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..._graph.batches import Answer, Request
from ..._graph.client import Client
from ..._graph.errors import GraphError, is_list
from .plan import FAMILIES, NOT_DETECTED, NOT_KNOWN, devices_of, group_of, target_of, told


class Assigned(NamedTuple):
    """What an object of Intune is assigned to. assignments: None where they could not be read, and then `error` says why."""

    assignments: list[dict[str, Any]] | None
    devices: int | str = NOT_KNOWN
    #: why the devices of an app are not known: NOT_DETECTED, or what Graph answered
    devices_reason: str = ""
    error: GraphError | None = None

    def shown(self, groups: Mapping[str, str]) -> dict[str, Any]:
        return {
            "assignments": None if self.assignments is None else [told(item, groups) for item in self.assignments],
            "devices": self.devices,
            **({"devices_reason": self.devices_reason} if self.devices_reason else {}),
        }


def address(kind: str, key: str) -> str:
    """The path of an object."""
    return f"{FAMILIES[kind].path}/{urllib.parse.quote(key, safe='')}"


def read_assigned(client: Client, objects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Assigned]:
    """The assignments of objects, by kind and id, in batches. What is refused of one hides no other."""
    pairs = list(dict.fromkeys(objects))
    lists = {f"{address(*pair)}/assignments": pair for pair in pairs}
    counts = {f"{address(kind, key)}/{FAMILIES[kind].devices}": (kind, key) for kind, key in pairs if FAMILIES[kind].devices}
    found: dict[tuple[str, str], Assigned] = {}
    devices: dict[tuple[str, str], int | str] = {}
    for path, answer in client.get_many([*lists, *counts]):
        if path in counts:
            devices[counts[path]] = devices_of(answer.body if answer.ok else None)
            continue
        try:
            found[lists[path]] = Assigned(list(_listed(client, path, answer)))
        except GraphError as exc:
            found[lists[path]] = Assigned(None, error=exc)
    return {pair: found[pair]._replace(devices=devices.get(pair, NOT_KNOWN)) for pair in pairs}


def read_detected(client: Client, names: Iterable[str]) -> dict[str, tuple[int | str, str]]:
    """On how many devices Intune has detected an app of each name, and why that is not known. A device may show the app under another name, so that an
    app that was not detected is not one that is on no device.

    learn.microsoft.com/graph/api/intune-devices-detectedapp-list: one row for each version, with the number of its devices.
    """
    paths = {f"/deviceManagement/detectedApps?$filter={urllib.parse.quote(_named(name))}": name for name in names}
    found: dict[str, tuple[int | str, str]] = {}
    for path, answer in client.get_many(paths):
        try:
            counts = [item["deviceCount"] for item in _listed(client, path, answer) if isinstance(item.get("deviceCount"), int)]
            found[paths[path]] = (sum(counts), "") if counts else (NOT_KNOWN, NOT_DETECTED)
        except GraphError as exc:
            found[paths[path]] = NOT_KNOWN, exc.code
    return found


def _named(name: str) -> str:
    return "displayName eq '{}'".format(name.replace("'", "''"))


def _listed(client: Client, path: str, answer: Answer) -> Iterator[dict[str, Any]]:
    if not answer.ok:
        raise answer.error(Request("GET", path))
    if not is_list(answer.body):
        raise GraphError(f"GET {path}: the answer is no list of Microsoft Graph", code="no_list")
    if "@odata.nextLink" in answer.body:
        yield from client.list(path)
    else:
        yield from answer.body["value"]


def group_names(client: Client, assignments: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The names of the groups that assignments are for. One that is gone, or may not be read, has none: the id says enough."""
    keys = dict.fromkeys(filter(None, (group_of(target_of(item)) for item in assignments)))
    paths = {f"/groups/{key}?$select=id,displayName": key for key in keys}
    return {paths[path]: str(answer.body.get("displayName") or "") for path, answer in client.get_many(paths) if answer.ok}
