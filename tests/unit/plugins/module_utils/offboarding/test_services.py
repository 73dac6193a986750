# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps import plan as steps
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps import services

NOW = "2026-11-28T05:00:00Z"
EXPENSES = {"name": "Expenses", "owner": "Taro", "protocol": "saml", "unlink": "Admin > SSO > off", "test": "as a test user", "source": "", "done": None}


@pytest.mark.parametrize(
    ("name", "identity"),
    [
        ("Expenses", "service_expenses"),
        (" Expenses 2.0 (EU) ", "service_expenses_2_0_eu"),
        ("ＥＸＰＥＮＳＥＳ", "service_expenses"),
        ("経費精算", "service_d04e33b7"),
        ("経費 Cloud", "service_cloud_a70e7dbc"),
        ("勤怠 Cloud", "service_cloud_7dfcb745"),
        ("???", None),
    ],
)
def test_each_service_has_an_id_that_a_step_may_have(name, identity):
    found = services.identity(name)
    assert steps._ID.fullmatch(found)
    assert identity is None or found == identity


def test_a_service_is_a_step_of_its_own():
    (step,) = services.definitions([EXPENSES])
    assert step == {
        "id": "service_expenses",
        "stage": "relying_parties",
        "en": "Expenses (SAML, owner Taro): end its link to IIJ ID (Admin > SSO > off), and test the sign-in that replaces it (as a test user).",
        "ja": "Expenses（SAML、担当 Taro）: IIJ IDとの連携を解除し（Admin > SSO > off）、代わりのサインインを確かめる（as a test user）。",
        "blocks_final_gate": True,
        "source": "",
    }
    (bare,) = services.definitions([{"name": "Wiki", "protocol": "other"}])
    assert bare["en"] == "Wiki (another protocol): end its link to IIJ ID, and test the sign-in that replaces it."


def test_the_same_service_twice_is_no_step():
    with pytest.raises(OffboardError, match="twice"):
        steps.changes({}, services.definitions([EXPENSES, {**EXPENSES, "name": "expenses"}]))
    named = services.definitions([EXPENSES, {**EXPENSES, "id": "expenses_eu"}])
    assert [change.id for change in steps.changes({}, named)] == ["service_expenses", "service_expenses_eu"]


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ({"name": " "}, "no name"),
        ({"done": "soon"}, "no date"),
        ({"done": "2026-11-30"}, "yet to come"),
        ({"done": "2026-11-28", "owner": " "}, "no owner"),
    ],
)
def test_what_the_register_may_not_say(service, why):
    wrong = {**EXPENSES, **service}
    with pytest.raises(OffboardError, match=why) as caught:
        services.definitions([wrong])
        services.done([wrong], NOW)
    assert caught.value.code == "invalid_step"


def test_what_the_register_says_is_done():
    assert services.done([EXPENSES, {**EXPENSES, "id": "b", "done": "2026-11-28"}], NOW) == [("service_b", "Taro", "custom_applications_services: 2026-11-28")]
