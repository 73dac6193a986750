# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables must not begin a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.filter.refused_variables import refused_variables
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.variables import refused, unanswered

ROOT = Path(__file__).parents[5]

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


@pytest.mark.parametrize(
    ("option", "value", "empty"),
    [
        ({"type": "bool"}, "", True), ({"type": "bool"}, None, True), ({"type": "bool"}, False, False), ({"type": "bool"}, "no", False),
        ({"type": "str", "choices": ["a"]}, " ", True), ({"type": "str", "choices": ["a"]}, "a", False),
        ({"type": "str"}, "", False), ({"type": "int"}, None, False), ({"type": "list", "choices": ["a"]}, "", False),
    ],
)  # fmt: skip
def test_what_was_not_answered_means_the_default(option: dict[str, Any], value: Any, empty: bool) -> None:
    assert unanswered(option, value) is empty


def test_the_defaults_that_an_empty_answer_means() -> None:
    """Each variable of yes and no, or of a choice, has its default in defaults/main.yml, and once more where an empty answer becomes it."""
    known = {"offboard_language", "integrated_windows_authentication_browser_settings"}  # has a way of its own; its default is empty
    for file in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        role = file.parents[1]
        if role.name in ("awx", "guest_federation"):
            continue
        defaults, texts = (role / "defaults/main.yml"), role / "vars/main.yml"
        given = yaml.safe_load(defaults.read_text()) if defaults.exists() else {}
        said = yaml.safe_load(texts.read_text()) if texts.exists() else {}
        options = {name: option for entry in yaml.safe_load(file.read_text())["argument_specs"].values() for name, option in entry["options"].items()}
        for name, option in options.items():
            if name in known or name not in given or not unanswered(option, None):
                continue
            default = given[name]
            read = f"default('{default}', true)" if isinstance(default, str) else f"default({str(default).lower()}, true) | bool"
            assert said[f"__{name}"] == "{{ " + (f"true if {name} in ['', none] else {name} | bool" if default is True else f"{name} | {read}") + " }}"
            uses = [text for path in role.glob("tasks/*.yml") for text in re.findall(rf"(?<![\w.-]){name}\b(?!=)", path.read_text())]
            assert uses == [], f"{name} is used as it was given"
