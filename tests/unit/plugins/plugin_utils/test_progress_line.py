# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ControllerAction shows of a module's progress."""

from __future__ import annotations

import re

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.phrases import english
from ansible_collections.offboard.iij_id.plugins.module_utils._core.warned import NOUNS
from ansible_collections.offboard.iij_id.plugins.plugin_utils.controller_action import progress_line
from dev import places


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ({"noun": "users", "done": 0, "total": 9, "per_second": 0.0, "seconds_left": None}, "h: users 0/9"),
        ({"noun": "users", "done": 3, "total": 9, "per_second": 1.5, "seconds_left": 4}, "h: users 3/9, 1.5 per second, 0:04 left"),
        ({"noun": "users", "done": 3, "total": None, "per_second": 1.5, "seconds_left": None}, "h: users 3, 1.5 per second"),
        ({"noun": "software", "done": 0, "total": 1, "doing": "waiting for X"}, "h: software 0/1, waiting for X"),
    ],
)
def test_progress_line(record, line):
    assert progress_line("h", record) == line


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "h: products 1/2, 1.5 per second, 1:04 left, waiting for the uninstaller of X"),
        ("ja", "h: 製品 1/2、毎秒1.5件、残り 1:04、X のアンインストーラーの終了を待機中"),
        (
            "both",
            "h: products 1/2, 1.5 per second, 1:04 left, waiting for the uninstaller of X"
            " / 製品 1/2、毎秒1.5件、残り 1:04、X のアンインストーラーの終了を待機中",
        ),
    ],
)
def test_progress_in_the_language_of_its_reader(language, line):
    record = {"noun": "products", "done": 1, "total": 2, "per_second": 1.5, "seconds_left": 64, "doing": english("waits_for_uninstaller", name="X")}
    assert progress_line("h", record, language) == line


def test_whatever_is_being_done_is_a_phrase() -> None:
    """So that it is told in Japanese too."""
    rooms = places.ROOT / "plugins" / "module_utils"
    told = [found[0] for file in rooms.rglob("*.py") for found in re.finditer(r"\bself\._?tell\((f?[\"'].*|phrases.*)\)$", file.read_text(), re.MULTILINE)]
    assert len(told) > 5 and [line for line in told if "phrases.english(" not in line] == []


def test_whatever_is_counted_has_a_word_in_japanese():
    rooms = places.ROOT / "plugins" / "module_utils"
    nouns = re.compile(r'^    noun = "([^"]+)"|\bProgress\([^"\n]*?, "([^"]+)", |\bshown\("([^"]+)"\)', re.MULTILINE)
    found = {noun for file in rooms.rglob("*.py") for match in nouns.findall(file.read_text()) for noun in match if noun}
    assert len(found) > 20 and found - NOUNS.keys() == set()
