# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of the sign-in log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.sign_in_readiness.plan import Registration
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.sign_in_readiness.read import Legacy, Parts, Registrations, read_users
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.errors import GraphError
from ansible_collections.offboard.iij_id.plugins.module_utils._module.progress import Progress

ENTRIES = [("A", "POP3"), ("b", "IMAP4"), ("a", "IMAP4"), ("a", "POP3")]


@pytest.mark.parametrize(("complete", "nobody"), [(True, []), (False, None)])
def test_who_used_which_client(complete: bool, nobody: list[str] | None) -> None:
    found = Legacy(iter(ENTRIES), lambda: complete)
    assert (found.of("a"), found.of("B"), found.of("c")) == (["IMAP4", "POP3"], ["IMAP4"], nobody)


def test_more_names_than_are_told_apart_are_still_found() -> None:
    found = Legacy(((f"u{number}", f"client {number}") for number in range(100)), lambda: True)
    assert found.of("u3") == ["client 3"] and "client 99" in (found.of("u99") or ())


class Report:
    """A client of Microsoft Graph, as far as a list is asked for."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self._rows = rows

    def list(self, _path: str) -> Iterator[dict[str, Any]]:
        return iter(self._rows)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"isMfaCapable": True, "isPasswordlessCapable": False}, Registration(True, False)),
        ({"isMfaCapable": False}, Registration(False, False)),
        ({"isMfaCapable": None, "isPasswordlessCapable": None}, None),
        ({}, None),
        ({"isMfaCapable": "false"}, None),
    ],
)
def test_a_row_that_does_not_say_it_is_not_known(row: dict[str, Any], expected: Registration | None) -> None:
    found = Registrations(Report({"id": "A1", **row}), Progress(None, "x", None))  # type: ignore[arg-type]
    assert found.of("a1") == expected and found.of("b") is None


class Tenant:
    """A client of Microsoft Graph that gives of a user what is asked for, and nothing else."""

    user = {"id": "1", "userPrincipalName": "a@b.example", "accountEnabled": True, "userType": "Guest", "onPremisesSyncEnabled": None, "assignedLicenses": []}

    def __init__(self, *, shows_activity: bool) -> None:
        self._shows_activity = shows_activity

    def pages(self, path: str) -> Iterator[list[dict[str, Any]]]:
        if not self._shows_activity and "signInActivity" in path:
            raise GraphError("no", code="permission_missing", status=403)
        fields = path.partition("$select=")[2].partition("&")[0].split(",")
        yield [{name: value for name, value in self.user.items() if name in fields}]

    def list(self, path: str) -> Iterator[dict[str, Any]]:
        return (item for page in self.pages(path) for item in page)


@pytest.mark.parametrize("shows_activity", [True, False])
def test_all_of_a_user_that_is_judged_is_asked_for(shows_activity: bool) -> None:
    """Also whether they are a guest, whom policies for guests take."""
    assert list(read_users(Tenant(shows_activity=shows_activity), Parts())) == [(Tenant.user, shows_activity)]  # type: ignore[arg-type]
