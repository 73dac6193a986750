# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleting a guest and inviting again, at the ports: a tenant of two accounts, and a stop at any request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests import copy as guest_copy
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.guests.reinvitation import Reinvitation, read_copies, read_holdings
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.batches import Answer, Request
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.errors import AnswerLost
from dev.options import given

from .test_plan import user

MAIL = "hanako@fabrikam.example"


class Stopped(Exception):
    """The run was killed here."""


class Tenant:
    """What Graph shows of the old account, the new one and one group. `stop_at`: the number of the write before which the run is killed."""

    def __init__(self, stop_at: int = 0, lost: bool = False) -> None:
        self.accounts, self.groups = {"old"}, {"old": {"g"}}
        self.writes: list[str] = []
        self.stop_at, self.lost = stop_at, lost

    def _write(self, what: str) -> None:
        if self.stop_at == len(self.writes) + 1:
            self.stop_at = 0
            raise Stopped
        self.writes.append(what)

    def delete(self, path: str) -> None:
        self._write(f"DELETE {path}")
        self.accounts.discard(path.rpartition("/")[2])

    def post(self, path: str, _body: Any) -> dict[str, Any]:
        self._write(f"POST {path}")
        self.accounts.add("new")
        self.groups["new"] = set()
        if self.lost:
            raise AnswerLost("POST /invitations: the connection broke before the answer came", code="answer_lost")
        return {"invitedUser": {"id": "new"}}

    def batch(self, requests: Iterable[Request], done: Callable[[list[tuple[Request, Answer]]], Any]) -> None:
        for request in requests:
            self._write(f"{request.method} {request.path}")
            self.groups["new"].add(request.path.split("/")[2])
            done([(request, Answer(204))])

    def reference(self, key: str) -> dict[str, str]:
        return {"@odata.id": key}

    def get_many(self, paths: Iterable[str]) -> Iterator[tuple[str, Answer]]:
        for path in paths:
            key, _slash, rest = path.removeprefix("/users/").partition("?")[0].partition("/")
            if key not in self.accounts or rest.startswith("manager"):
                yield path, Answer(404)
            elif not rest:
                yield path, Answer(200, {"id": key, "accountEnabled": True})
            else:
                member_of = "memberOf" in rest or "transitiveMemberOf" in rest
                groups = [{"@odata.type": "#microsoft.graph.group", "id": name, "displayName": name} for name in sorted(self.groups[key])]
                yield path, Answer(200, {"value": groups if member_of else []})

    def find(self, mail: str) -> list[Object]:
        made = user(mail=mail)
        return [Object(made.kind, key, made.name, made.state) for key in sorted(self.accounts)]


@pytest.fixture(autouse=True)
def _no_pauses(clock: object) -> None:
    """Nothing is waited for."""


def once(tenant: Tenant, folder: Path) -> str:
    """One run of the task: it plans from what is there and from the copies that earlier runs left."""
    copies = [copy for copy in read_copies(str(folder), "t") if not copy["completed_at"]]
    gone = "old" not in tenant.accounts
    made = user(mail=MAIL)
    if copies:
        copy = dict(copies[0])
    else:
        held = read_holdings(tenant, ["old"], False)["old"]  # type: ignore[arg-type]
        copy = guest_copy.new_copy(Object(made.kind, "old", made.name, made.state), held, "t", "2026-11-27T00:00:00Z", None)
    work = Reinvitation(
        tenant,  # type: ignore[arg-type]
        Options.of(given("entra_guests", tenant_id="t", state="reinvited", ids=["old"], backup_dir=str(folder), verify_timeout=1)),
        tenant.find,
        lambda _doing: None,
        copy,
    )
    change = Change("guest", "old", MAIL, "reinvite", {"deleted": gone}, {"displayName": "Hanako", "invitation": {}})
    return work.run(change)


WRITES = ["DELETE /users/old", "POST /invitations", "POST /groups/g/members/$ref"]


def test_the_new_account_has_what_the_old_one_had(tmp_path):
    tenant = Tenant()
    assert once(tenant, tmp_path) == "new"
    assert tenant.writes == WRITES
    (copy,) = read_copies(str(tmp_path), "t")
    assert (copy["new_id"], bool(copy["completed_at"])) == ("new", True)


@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_killed_anywhere_the_next_run_ends_it_and_does_nothing_twice(tmp_path, stop_at):
    tenant = Tenant(stop_at)
    with pytest.raises(Stopped):
        once(tenant, tmp_path)
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())["groups"], "the copy was on the disk before anything was deleted"
    assert once(tenant, tmp_path) == "new"
    assert tenant.writes == WRITES


def test_a_lost_answer_invites_nobody_twice(tmp_path):
    tenant = Tenant(lost=True)
    assert once(tenant, tmp_path) == "new"
    assert tenant.writes == WRITES


def test_somebody_else_with_the_address_stops_it_before_the_deletion(tmp_path):
    tenant = Tenant()
    tenant.accounts.add("other")
    with pytest.raises(OffboardError) as caught:
        once(tenant, tmp_path)
    assert caught.value.code == "address_taken"
    assert tenant.writes == []


def test_a_copy_that_cannot_be_read_is_not_passed_over(tmp_path):
    (tmp_path / "guest_x.json").write_text("{")
    with pytest.raises(OffboardError) as caught:
        read_copies(str(tmp_path), "t")
    assert caught.value.code == "copy_unreadable"
