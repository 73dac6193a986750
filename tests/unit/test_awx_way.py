# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who starts jobs in AWX types nothing: what names an option of ansible-playbook names the way in AWX too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import variables
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps import plan as steps

ROOT = Path(__file__).parents[2]
#: -e, -i and --limit as a person types them
TYPED = re.compile(r"(?<!\w)(-[ei] |--limit )")


def _messages(part: Any) -> Iterator[str]:
    """What the tasks of a file say where they fail."""
    if isinstance(part, list):
        for item in part:
            yield from _messages(item)
    elif isinstance(part, dict):
        for name, value in part.items():
            if name in ("fail_msg", "msg", "en", "ja") and isinstance(value, str):
                yield value
            else:
                yield from _messages(value)


def test_what_tasks_say() -> None:
    files = [*ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("roles/*/vars/*.yml")]
    told = [text for file in files for text in _messages(yaml.safe_load(file.read_text().replace("!unsafe ", ""))) if TYPED.search(text)]
    assert len(told) >= 5
    assert [text for text in told if "AWX" not in text] == []


@pytest.mark.parametrize("language", ["en", "ja", "both"])
def test_how_a_step_is_confirmed(language: str) -> None:
    step = {**dict.fromkeys(steps.DEFINITION, ""), "en": "Do it.", "ja": "する。", "blocks_final_gate": True}
    told = steps.not_done_error({"a": step}, ["a"], "/srv/run", language).msg
    assert TYPED.search(told) and told.count("AWX") == (2 if language == "both" else 1)


def test_how_a_list_is_given() -> None:
    told = variables.refused({"offboard_options": "a"}, ["offboard_options"], [], {})
    assert told and all(TYPED.search(text) and "AWX" in text for text in (told.en, told.ja))
