# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.arrivals import info as arrivals_info

SINCE = "2026-02-01T00:00:00Z"


class Tenant(contextlib.AbstractContextManager["Tenant"]):
    """Each reading of the users gives the next list; of each user the log has a sign-in."""

    def __init__(self, *readings: str) -> None:
        self._readings = iter(readings)

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def list(self, _path: str) -> Iterator[dict[str, Any]]:
        for name in next(self._readings):
            yield {"id": name, "userPrincipalName": f"{name}@a.example", "accountEnabled": True, "userType": "Member"}

    def pages(self, _path: str, *, once: bool) -> Iterator[list[dict[str, Any]]]:
        assert not once
        yield [{"userId": name, "createdDateTime": "2026-02-01T09:00:00Z", "status": {"errorCode": 0}} for name in "abc"]


def test_whoever_comes_into_the_list_while_it_is_read_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log was read for those of the first reading alone."""
    monkeypatch.setattr(arrivals_info, "Client", lambda _connection: Tenant("ab", "abc"))
    monkeypatch.setattr(arrivals_info.Connection, "from_params", lambda _params: None)
    params = {"domains": ["a.example"], "since": SINCE, "journal": None, "grace_hours": 24, "max_log_pages": 9, "results_file": None, "progress_file": None}
    found = arrivals_info.info(params)
    assert (found["counts"]["arrived"], found["counts"]["not_seen"], found["counts"]["not_known"]) == (2, 0, 1)


def test_how_far_a_cut_log_was_read_back_whatever_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    class OutOfOrder(Tenant):
        def pages(self, _path: str, *, once: bool) -> Iterator[list[dict[str, Any]]]:
            for hours in (("11", "08", "10"), ("09",), (), ("07",)):
                yield [{"userId": "a", "createdDateTime": f"2026-02-01T{hour}:00:00Z", "status": {"errorCode": 50126}} for hour in hours]

    monkeypatch.setattr(arrivals_info, "Client", lambda _connection: OutOfOrder("a", "a"))
    monkeypatch.setattr(arrivals_info.Connection, "from_params", lambda _params: None)
    params = {"domains": ["a.example"], "since": SINCE, "journal": None, "grace_hours": 24, "max_log_pages": 3, "results_file": None, "progress_file": None}
    (part,) = arrivals_info.info(params)["not_looked_at"]
    assert "read back to 2026-02-01T08:00:00Z only" in part["msg"]
