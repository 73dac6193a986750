# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmarks run, on a small tenant: what does not depend on the machine is asserted, times are not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from benchmarks import _harness, at_the_limit, export, growth, listing, nothing_to_do, per_user, references, sign_in

VENV = Path(sys.prefix)


def test_nothing_to_do() -> None:
    rows = nothing_to_do.run([300, 1100], 1, False, VENV)
    judged = {row.what["en"]: row for row in rows if row.met is not None}
    requests = [row for name, row in judged.items() if "requests besides sign-in" in name]
    assert [(row.value, row.at_most) for row in requests] == [(2, 2), (2, 2)]  # the pages alone
    assert next(row.value for row in rows if "part number" in row.what["en"]) == 3  # and the names of the licences
    assert judged["the same: writes"].value == 0


def test_growth() -> None:
    """Requests: sign-in (2), pages, domains, roles, groups that roles can be given to; a first run also has batches of 20, and reads again to verify.

    300 users are read in batches, 1100 by pages.
    """
    rows = growth.run([300, 1100], False, VENV)
    assert [int(row.shown.split()[-1]) for row in rows if row.shown] == [2 + 1 + 3 + 15 + 15, 2 + 1 + 3, 2 + 2 + 3 + 55 + 2, 2 + 2 + 3]


@pytest.mark.long
@pytest.mark.parametrize("apps", [1, 3])
def test_at_the_limit(apps: int) -> None:
    with _harness.tenant() as running:
        found = at_the_limit.measure(running, 2300 if apps == 1 else 300, 30, VENV, True, at_the_limit.APPS[:apps])
    assert found["refused"] == 0
    assert found["changed"] == (2300 if apps == 1 else 300)
    assert found["bound"] == pytest.approx(at_the_limit.bound(4468, 1, 30) if apps == 1 else 0)
    assert found["requests"] < 110 or apps > 1


def test_one_task_for_many_and_a_list() -> None:
    with _harness.tenant() as running:
        per_user.ours(running, 40, VENV)
        running.fill(300, "done")
        _usage, requests = listing._ours(running, VENV)
        assert requests == 4  # sign-in, licences, one page


@pytest.mark.long
def test_references_in_many_applications() -> None:
    """Memory does not grow with the applications, and requests are pages and batches of 20."""
    rows = references.run([100, 1200], False, VENV)
    assert rows[2].met, rows[2]
    few, many = (int(row.shown.split()[-1].replace(",", "")) for row in rows[:2])
    # a request for each further service principal, 55 batches around them, and a second page of both lists
    assert many - few == 1100 + 55 + 2


@pytest.mark.long
def test_sign_in_of_many_users() -> None:
    """Memory does not grow with the users; requests are pages: of 500 users with their last sign-in, of 999 without, and of the report."""
    rows = sign_in.run([400, 2400], False, VENV)
    assert all(row.met for row in rows if row.at_most), rows
    reports = [int(row.shown.split()[-1]) for row in rows if row.shown]
    # pages of users and of the report, and the log by two filters, since one takes 15 conditions at most; the log alone
    assert reports == [1 + 1 + 2, 1, 5 + 3 + 2, 1]


@pytest.mark.long
def test_export_of_many_users() -> None:
    """Memory does not grow with the users, once a file is full; a request is a page, and three say what the service is."""
    rows = export.run([3000, 9000], False, VENV)
    assert rows[-1].met, rows
    assert [int(row.shown.split()[-1]) for row in rows[:-1]] == [30 + 1 + 3, 90 + 1 + 3]
