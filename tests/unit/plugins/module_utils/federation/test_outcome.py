# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a problem after the partners' federations were worked on."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import outcome

NOTHING: dict[str, Any] = {
    "removed": [], "made": [], "published": [], "tokens": [], "invited": None, "federations": [], "others": [],
    "watched": None, "fail_on": [],
}  # fmt: skip
FABRIKAM = {"item": {"name": "Fabrikam", "guests": [{"mail": "a@fabrikam.example"}]}}
CONTOSO = {"item": {"name": "Contoso", "guests": []}}
BROKEN = {**CONTOSO, "failed": True, "msg": "no metadata"}
REFUSED = {"allowed": False, "url": "https://idp.example/sso", "msg": "not allowed"}
IN_USE = {"passive_sign_in_uri": REFUSED["url"], "label": "Contoso"}
WATCHED = {"severity": "critical", "summary": ["Fabrikam ends tomorrow"]}


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ({}, []),
        ({"made": [FABRIKAM]}, []),
        ({"made": [FABRIKAM, BROKEN]}, ["Contoso: no metadata"]),
        ({"removed": [{**BROKEN, "msg": "refused"}], "made": [BROKEN]}, ["Contoso: refused", "Contoso: no metadata"]),
        ({"tokens": [{**CONTOSO, "valid": True, "summary": ["good"]}]}, []),
        ({"tokens": [{**CONTOSO, "valid": False, "summary": ["issuer differs", "audience differs"]}]}, ["Contoso: issuer differs audience differs"]),
        ({"tokens": [{**CONTOSO, "skipped": True}]}, []),
        ({"published": [{**CONTOSO, "url_rule": [REFUSED]}]}, []),
        ({"published": [{**CONTOSO, "url_rule": [REFUSED]}], "federations": [IN_USE]}, ["not allowed"]),
        ({"published": [{**CONTOSO, "url_rule": [{**REFUSED, "allowed": True}]}], "federations": [IN_USE]}, []),
        ({"invited": {"failed": True, "msg": "too early"}}, ["too early"]),
        ({"invited": {"failed": False, "msg": "3 invited"}}, []),
        ({"invited": {"skipped": True}}, []),
        ({"watched": WATCHED, "fail_on": ["critical"]}, WATCHED["summary"]),
        ({"watched": WATCHED, "fail_on": ["unknown"]}, []),
        ({"watched": {"skipped": True}, "fail_on": ["critical"]}, []),
    ],
    ids=str,
)
def test_problems(seen: dict[str, Any], told: list[str]) -> None:
    assert outcome.info({**NOTHING, **seen})["problems"] == told


def test_only_guests_of_partners_in_order_are_invited() -> None:
    found = outcome.info({**NOTHING, "made": [FABRIKAM, {**BROKEN, "item": {"name": "Contoso", "guests": [{"mail": "b@contoso.example"}]}}]})
    assert found["guests"] == FABRIKAM["item"]["guests"] and found["federated"] == ["Fabrikam"]


@pytest.mark.parametrize("seen", [{"made": [{}]}, {"tokens": [{"valid": False, **CONTOSO}]}, {"published": [{**CONTOSO, "url_rule": [{}]}]}], ids=str)
def test_results_of_other_modules_are_refused(seen: dict[str, Any]) -> None:
    with pytest.raises(OffboardError) as caught:
        outcome.info({**NOTHING, **seen})
    assert caught.value.code == "bad_option"


def test_what_is_handed_on_has_room_in_an_event() -> None:
    """A tenant has up to a thousand federations."""
    partners = [{"item": {"name": f"会社{number}", "guests": []}, "failed": True, "msg": "no metadata " * 20} for number in range(1_000)]
    federations = [
        {"label": f"会社{number} (00000000-0000-0000-0000-{number:012}; partner{number}.example)", "passive_sign_in_uri": ""} for number in range(1_000)
    ]
    found = outcome.info({**NOTHING, "made": partners, "federations": federations, "others": federations})
    for name in ("problems", "labels", "other_labels"):
        assert len(json.dumps(found[name])) < 12_000 and found[name][0].startswith("会社0") and re.search(r" \(\+\d\d\d\)$", found[name][-1]), name
