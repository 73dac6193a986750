# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `./dev docs` changes of pages before they become a site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dev import docs, places


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("安全です。\n人が行う", "安全です。人が行う"),
        ("拒否されたもの、\n  次のコマンド", "拒否されたもの、次のコマンド"),
        ("利用者の\n復旧", "利用者の復旧"),
        ("示します。\n`decommission` では", "示します。`decommission` では"),
        ("`users`\n（利用者）", "`users`（利用者）"),
        # Latin letters keep their blank
        ("段階の\nplaybook です", "段階の\nplaybook です"),
        ("Ansible\nVault", "Ansible\nVault"),
        # blocks stay what they are
        ("一つ。\n\n二つ", "一つ。\n\n二つ"),
        ("# 見出し\n本文", "# 見出し\n本文"),
        ("- 一つ。\n- 二つ。\n  続き", "- 一つ。\n- 二つ。続き"),
        ("1. 一つ。\n2. 二つ", "1. 一つ。\n2. 二つ"),
        ("| 段階 |\n| --- |\n| 内容 |\n本文", "| 段階 |\n| --- |\n| 内容 |\n本文"),
        ("本文。\n> 引用", "本文。\n> 引用"),
        ("前。\n\n```text\n表示。\n次の行\n```\n後。\n続き", "前。\n\n```text\n表示。\n次の行\n```\n後。続き"),
        ("前。\n\n    表示。\n    次の行\n", "前。\n\n    表示。\n    次の行\n"),
        ("一。\n二。\n三。\n", "一。二。三。\n"),
    ],
)
def test_no_blank_in_a_japanese_sentence(written: str, shown: str) -> None:
    assert docs.joined(written) == shown


@pytest.mark.parametrize("page", sorted((places.ROOT / "docs" / "ja").glob("*.md")), ids=lambda page: page.name)
def test_nothing_of_a_guide_is_lost(page: Path) -> None:
    text = page.read_text()
    made = docs.joined(text)
    assert re.sub(r"\s", "", made) == re.sub(r"\s", "", text)
    for what in (r"^#+ .*$", r"^\|.*$", r"^ *```.*$", r"^ *(?:[-*]|\d+\.) ", r"^    .*$"):
        found, kept = (re.findall(what, each, re.M) for each in (text, made))
        if what == r"^    .*$":  # continued lines of lists within lists may have been joined, commands may not
            found, kept = ([line for line in lines if "ansible-playbook" in line or line.startswith("    ./dev")] for lines in (found, kept))
        assert len(found) == len(kept), what


def test_a_modules_page_has_no_table_of_contents_of_its_own() -> None:
    page = "Title\n=====\n\n.. contents::\n   :local:\n   :depth: 1\n\n.. Synopsis\n\nSynopsis\n"
    assert docs.page_of_module(page) == "Title\n=====\n\n\n.. Synopsis\n\nSynopsis\n"


def test_the_modules_are_listed_under_a_title_that_is_one() -> None:
    page = ":orphan:\n\n.. meta::\n  :x: y\n\n.. _plugins:\n\nOffboard.Iij_Id\n===============\n\nCollection version 1\n"
    assert "Offboard.Iij_Id" not in docs.index_of_modules(page) and "Modules / モジュール\n==============================\n" in docs.index_of_modules(page)
