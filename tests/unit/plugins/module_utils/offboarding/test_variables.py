# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables must not begin a run."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.filter.refused_variables import refused_variables
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.variables import refused

GOOD = {"offboard_run_dir": "run", "offboard_options": ["microsoft_365"], "hosts": [], "partners": [], "percent": 0, "days": 90}
LISTS, MAPPINGS, MOST = ["offboard_options", "hosts", "partners"], ["partners"], {"percent": 100, "days": 100000}
NO_LIST, EMPTY, NO_NUMBER = "where a list must be", "offboard_options is empty", "no whole number that is meant here"


@pytest.mark.parametrize(
    ("given", "named", "why"),
    [
        ({}, "", ""),
        ({"hosts": ["a.example"], "partners": [{"domain": "a.example"}], "percent": "100", "days": "007"}, "", ""),
        ({"hosts": ("a.example",)}, "", ""),
        ({"hosts": "a.example"}, "hosts", NO_LIST),
        ({"hosts": ""}, "hosts", NO_LIST),
        ({"hosts": None}, "hosts", NO_LIST),
        ({"hosts": 5}, "hosts", NO_LIST),
        ({"hosts": {"a.example": 1}}, "hosts", NO_LIST),
        ({"hosts": [1]}, "hosts", NO_LIST),
        ({"hosts": ["a.example", None]}, "hosts", NO_LIST),
        ({"hosts": [["a.example"]]}, "hosts", NO_LIST),
        ({"partners": {"domain": "a.example"}}, "partners", NO_LIST),
        ({"partners": "a.example", "hosts": None, "days": ""}, "hosts, partners", NO_LIST),
        ({"offboard_options": "microsoft_365"}, "offboard_options", NO_LIST),
        ({"offboard_options": [], "days": ""}, "", EMPTY),
        ({"offboard_run_dir": None}, "offboard_run_dir", NO_NUMBER),
        ({"offboard_run_dir": " "}, "offboard_run_dir", NO_NUMBER),
        ({"offboard_run_dir": "", "days": None}, "offboard_run_dir, days", NO_NUMBER),
        *(({"percent": value}, "percent", NO_NUMBER) for value in ("", None, True, -1, "-1", 1.5, "1.0", 101, "１０", "ten", [5], "99999999999")),
    ],
)
def test_what_must_not_begin_a_run(given, named, why):
    text = refused(GOOD | given, LISTS, MAPPINGS, MOST)
    assert (text is None) == (why == "")
    if text is not None:
        assert why in text.en and text.en.startswith(f"{named}: " if named else EMPTY)
    assert refused_variables(GOOD | given, LISTS, MAPPINGS, MOST) == " / ".join(text or ())


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ""),
        ({"microsoft_365_passwords": "none at all"}, "microsoft_365_passwords"),
        ({"offboard_options": ["microsoft_356"]}, "microsoft_356"),
        # of a role whose option is not in use
        ({"integrated_windows_authentication_state": "gone"}, ""),
        ({"report_language": "fr"}, "report_language"),
    ],
)
def test_what_is_not_as_the_specifications_of_the_roles_in_use_say(given, told):
    said = refused_variables(GOOD | given, LISTS, MAPPINGS, MOST, ["offboard", "report"])
    assert (told in said and "Nothing was done. / 変数の値が正しくありません" in said) if told else said == ""
