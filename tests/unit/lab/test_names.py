# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixture company under another name: nothing of the first name is left, and what people type is typed in their own way."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from lab import company

SHOW = """
import json
from lab import company, inventory
from lab.directory import fixture, group_policies
people = list(company.people())
print(json.dumps([company.data(), inventory.decisions(), inventory.tenant_vars(), [person.upn for person in people], group_policies.steps(),
                  fixture.steps(company.data()["directory"], people)], ensure_ascii=False))
"""


@pytest.fixture(scope="module")
def midori():
    environment = {**os.environ, "OFFBOARD_LAB_COMPANY": "midori", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", SHOW], env=environment, check=True, capture_output=True, text=True).stdout


def test_nothing_of_the_first_name_is_left(midori):
    assert "reiji" not in midori.lower() and "例示" not in midori and company.tenant_id() not in midori.lower()


def test_what_is_typed_has_another_form_than_what_is_stored(midori):
    tenant, decisions, variables, upns, *_rest = json.loads(midori)
    assert decisions["microsoft_365_domains"] == ["Midori.Example", "Midori-Group.Example"]
    assert variables["offboard_tenant_id"] == tenant["tenant"]["id"].upper() != tenant["tenant"]["id"]
    assert decisions["directory_sync_accounts"][0] == r"CN=iij-dirsync-run,OU=Services,OU=Midori\, 東京,DC=ad,DC=midori,DC=example"
    assert upns[0] == "Sato.Taro@midori.example"
    assert tenant["tenant"]["domains"][0]["id"] == "midori-shop.example"
