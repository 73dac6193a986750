# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixture company is the same every time and means what company.yml says."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab import company, paths


@pytest.mark.parametrize(("text", "wanted"), [("3", {3}), ("1-3", {1, 2, 3}), ("1-2,5", {1, 2, 5}), ([7, 8], {7, 8}), (4, {4})])
def test_numbers(text: str, wanted: set[int]) -> None:
    assert company.numbers(text) == wanted


def test_people_are_distinct_and_the_same_every_time() -> None:
    people = list(company.people())
    assert people == list(company.people())
    assert len(people) == 250
    for values in ([item.id for item in people], [item.upn for item in people], [item.account for item in people]):
        assert len(set(values)) == 250
    assert max(len(item.account) for item in people) <= 20  # sAMAccountName's limit


def test_more_people_continue_the_same_ones() -> None:
    many = list(company.people(3000))
    assert many[:250] == list(company.people())
    assert len({item.upn for item in many}) == 3000
    assert not any(item.enabled or item.licences for item in many[250:])
    assert all(item.enabled and item.licences for item in list(company.people(300, "done"))[250:])


def test_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "STATE", tmp_path)
    tables = company.tenant_tables(company.Fixture())
    users = {item["userPrincipalName"]: item for item in tables["users"]}
    by_number = [users[person.upn] for person in company.people()]
    assert len(users) == 256
    assert [number for number, user in enumerate(by_number, 1) if not user["accountEnabled"]] == [*range(11, 31), *range(231, 236)]
    assert [number for number, user in enumerate(by_number, 1) if not user["usageLocation"]] == [*range(41, 47)]
    assert sum(1 for user in by_number if user["onPremisesSyncEnabled"]) == 40
    certificates = {item["_domain"]: item["signingCertificate"] for item in tables["federations"]}
    assert certificates["reiji.example"] == certificates["reiji-group.example"] != certificates["reiji-lab.example"]
