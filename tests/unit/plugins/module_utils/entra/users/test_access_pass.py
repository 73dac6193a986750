# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temporary Access Passes: terms, policy, and a pass that is there already."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.access_pass import Terms, standing, valid_until

POLICY = {"state": "enabled", "minimumLifetimeInMinutes": 60, "maximumLifetimeInMinutes": 480, "isUsableOnce": False}


@pytest.mark.parametrize(
    ("option", "body"),
    [
        (None, {}),
        ({"lifetime_minutes": None, "usable_once": None, "start": None, "replace": True}, {}),
        ({"usable_once": False}, {"isUsableOnce": False}),
        ({"lifetime_minutes": 60, "start": "2026-12-01T08:00:00+09:00"}, {"startDateTime": "2026-11-30T23:00:00Z", "lifetimeInMinutes": 60}),
        ({"start": "2026-12-01"}, {"startDateTime": "2026-12-01T00:00:00Z"}),
    ],
)
def test_what_is_asked_for(option, body):
    assert Terms.from_option(option).body() == body


@pytest.mark.parametrize(
    ("policy", "option", "code"),
    [
        ({**POLICY, "state": "disabled"}, {}, "pass_not_allowed"),
        ({}, {}, "pass_not_allowed"),
        (POLICY, {"lifetime_minutes": 59}, "bad_option"),
        (POLICY, {"lifetime_minutes": 481}, "bad_option"),
        ({**POLICY, "isUsableOnce": True}, {"usable_once": False}, "bad_option"),
        (POLICY, {"lifetime_minutes": 60}, None),
        (POLICY, {"lifetime_minutes": 480, "usable_once": True}, None),
        ({**POLICY, "isUsableOnce": True}, {}, None),
    ],
)
def test_the_policy(policy, option, code):
    terms = Terms.from_option(option)
    if code is None:
        terms.check(policy)
        return
    with pytest.raises(OffboardError) as caught:
        terms.check(policy)
    assert caught.value.code == code


ASKED = "2026-12-01T08:00:00Z"


def there(created="2026-12-01T08:00:01.1234567Z", usable=True, reason="EnabledByPolicy"):
    return [{"id": "p", "createdDateTime": created, "isUsable": usable, "methodUsabilityReason": reason}]


@pytest.mark.parametrize(
    ("passes", "asked", "found"),
    [
        ([], [ASKED], (None, False)),
        (there(usable=False, reason="Expired"), [ASKED], (None, False)),
        (there(usable=False, reason="OneTimeUsed"), [], (None, False)),
        (there(), [], ("p", False)),
        (there(), [ASKED], ("p", True)),
        (there(created="2026-12-01T07:55:00Z"), [ASKED], ("p", True)),
        (there(created="2026-12-01T07:00:00Z"), [ASKED], ("p", False)),
        (there(created="2026-12-01T08:05:00Z"), [ASKED], ("p", True)),
        (there(created="2026-12-01T09:00:00Z"), [ASKED], ("p", False)),
        (there(created="2026-12-01T09:00:00Z"), [ASKED, "2026-12-01T09:00:00Z"], ("p", True)),
        (there(), [ASKED, "2026-12-01T09:00:00Z"], ("p", True)),
        (there(usable=False, reason="NotYetValid"), [ASKED], ("p", True)),
    ],
    ids=str,
)
def test_a_pass_that_is_there(passes, asked, found):
    assert standing(passes, asked) == found


def test_when_a_pass_ends():
    assert valid_until({"startDateTime": "2026-12-01T08:30:00+09:00", "lifetimeInMinutes": 60}) == "2026-12-01T00:30:00Z"
