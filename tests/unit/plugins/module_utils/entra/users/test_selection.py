# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which users a task is about, at the port: a client that is a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import selection
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.options import SelectionOptions
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.selection import Selection, fields_of, named_in
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.batches import Answer
from dev.options import given


def key(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def user(number: int, domain: str = "a.example", **more: Any) -> dict[str, Any]:
    return {"id": key(number), "userPrincipalName": f"U{number}@{domain}", **more}


USERS = [user(1), user(2), user(3, "sub.a.example"), user(4, "xa.example", onPremisesImmutableId="i")]


def asked(**params: Any) -> SelectionOptions:
    return SelectionOptions.of(given("entra_users_info", **params))


class Table:
    """A client of a tenant that has USERS; of the first `late` rounds it knows nobody."""

    def __init__(self, late: int = 0, deleted: Iterable[dict[str, Any]] = (), members: Iterable[dict[str, Any]] = ()) -> None:
        self.late, self.deleted, self.members = late, list(deleted), list(members)
        self.listed: list[str] = []

    def list(self, path: str) -> Iterator[dict[str, Any]]:
        self.listed.append(path.partition("?")[0])
        yield from self.deleted if "/deletedItems/" in path else self.members if "/members" in path else USERS

    def get_many(self, paths: Iterable[str]) -> Iterator[tuple[str, Answer]]:
        self.late -= 1
        by_name = {name.casefold(): item for item in USERS for name in (item["id"], item["userPrincipalName"])}
        for path in paths:
            name = path.partition("?")[0].removeprefix("/users/").replace("%40", "@").casefold()
            found = None if self.late >= 0 else by_name.get(name)
            yield path, Answer(404) if found is None else Answer(200, found)


def chosen(client: Table, **params: Any) -> list[str]:
    made = Selection(client, asked(**params), [], named_in(client, asked(**params), lambda who: who.key))  # type: ignore[arg-type]
    return [f"{item['userPrincipalName']} {item.get('missing', '')}".strip() for item in made.read()]


@pytest.fixture(autouse=True)
def _no_pauses(clock: object) -> None:
    """Nothing is waited for."""


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"domain": "a.example"}, ["U1@a.example", "U2@a.example"]),
        ({"domain": " @A.Example. "}, ["U1@a.example", "U2@a.example"]),
        ({"domain": "a.example", "exclude": [" u1@A.example "]}, ["U2@a.example"]),
        ({"domain": "a.example", "exclude": [key(2).upper()]}, ["U1@a.example"]),
        ({"domain": "xa.example", "provisioned_only": True}, ["U4@xa.example"]),
        ({"domain": "a.example", "provisioned_only": True}, []),
        ({"users": []}, []),
        ({"users": ["u1@A.EXAMPLE", key(4)]}, ["U1@a.example", "U4@xa.example"]),
        ({"users": [key(1), "U1@a.example"]}, ["U1@a.example"]),
        ({"users": ["u1@a.example"], "exclude": ["U1@a.example"]}, []),
    ],
)
def test_who_is_meant(params, names):
    assert chosen(Table(), **params) == names


@pytest.mark.parametrize("params", [{"domain": "a.example"}, {"users": [key(1), key(2), key(3)]}])
def test_the_shards_are_all_and_none_twice(params):
    parts = [chosen(Table(), **params, shard=f"{number}/3") for number in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == sorted(chosen(Table(), **params))


def test_one_404_is_not_absent():
    assert chosen(Table(late=2), users=["U1@a.example"]) == ["U1@a.example"]


def test_who_is_not_there_is_told_and_how():
    gone = {"id": key(9), "userPrincipalName": f"{key(9).replace('-', '')}gone@a.example"}
    assert chosen(Table(deleted=[gone]), users=["gone@A.example", "never@a.example"]) == ["gone@a.example soft_deleted", "never@a.example not_found"]


def test_many_are_found_in_the_list_and_few_one_by_one(monkeypatch):
    monkeypatch.setattr(selection, "MANY", 2)
    many, few = Table(), Table()
    assert len(chosen(many, users=[key(1), key(2), key(3)])) == 3
    assert many.listed.count("/users") == 1
    assert len(chosen(few, users=[key(1), key(2)])) == 2
    assert "/users" not in few.listed


def test_of_a_groups_members_only_users():
    members = [{"id": key(1).upper()}, {"id": key(2), "@odata.type": "#microsoft.graph.device"}]
    assert chosen(Table(members=members), group=key(9)) == ["U1@a.example"]


def test_src_beside_a_snapshot_is_for_who_changes_them():
    with pytest.raises(OffboardError, match="exactly one"):
        asked(src="s", snapshot="p")
    both = SelectionOptions.of(given("entra_users", src="s", snapshot="p"), src_beside_snapshot=True)
    assert (both.src, both.snapshot) == ("s", "p")
    with pytest.raises(OffboardError, match="exactly one"):
        SelectionOptions.of(given("entra_users", src="s", domain="a.example"), src_beside_snapshot=True)


def test_no_field_that_is_not_needed():
    assert fields_of() == []
    assert fields_of(licences=True, created=True) == ["licenseAssignmentStates", "createdDateTime"]
