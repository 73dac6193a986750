# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the tenant is looked through: whatever Microsoft Graph answers, something is told and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.references import plan, read
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.batches import Answer

JOBS = {"value": [{"id": "job", "address": "https://auth.iij.jp/scim"}]}


class Graph:
    """A client that has these pages of each list, and this answer to whatever lies below."""

    def __init__(self, pages: list[list[dict[str, Any]]], below: Any) -> None:
        self._pages, self._below = pages, below

    def pages(self, _path: str) -> Iterator[list[dict[str, Any]]]:
        return iter(self._pages)

    def get_many(self, paths: Iterable[str]) -> Iterator[tuple[str, Answer]]:
        return ((path, Answer(200, self._below)) for path in list(paths))


def look(pages: list[list[dict[str, Any]]], below: Any) -> tuple[list[str], list[str]]:
    found: list[str] = []
    told: list[str] = []
    client: Any = Graph(pages, below)
    known = read.LookedFor(kinds=("service_principal",))
    read.Reader(
        client,
        None,
        plan.Matcher(["auth.iij.jp"]),
        known,
        lambda kind, item, _found, _assigned: found.append(f"{kind} of {item.get(plan.OF)}"),
        lambda kind, item, _path, reason, _words: told.append(f"{kind} {reason}"),
    ).run()
    return found, told


def test_an_object_that_comes_again_later_is_looked_below_once() -> None:
    """Lists that change while they are read repeat themselves, on far pages too."""
    ids = [[{"id": "a"}], [{"id": "b"}], [{"id": "a"}]]
    assert look(ids, JOBS) == (["synchronization_job of a", "synchronization_job of b"], [])


@pytest.mark.parametrize("below", [{}, {"value": None}, {"value": [None]}, {"value": ["auth.iij.jp"]}])
def test_what_is_no_list_below_is_told(below: Any) -> None:
    assert look([[{"id": "a"}]], below) == ([], ["synchronization_job no_list"])
