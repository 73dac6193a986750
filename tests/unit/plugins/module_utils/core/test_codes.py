# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary of codes: complete, without dead words, and the manual's pages are made from it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import codes
from dev import places
from dev.pages import page

PLUGINS = places.ROOT / "plugins"
KNOWN = {code for meanings in codes.CODES.values() for code in meanings}
#: tables of codes that are verdicts about a document, each with a meaning of its own beside it
VERDICTS = {"not_metadata", "no_idp", "dtd_forbidden", "not_xml", "too_deep", "too_complex"}


def literals() -> Iterator[tuple[str, str]]:
    """(file, code) of every code that stands in the source where only a code can stand."""
    places_of_codes = {"Outcome": 2, "Refusal": 0, "Skip": 3}
    for file in sorted(PLUGINS.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            found = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            at = places_of_codes.get(name)
            if at is not None and len(node.args) > at:
                found.append(node.args[at])
            for value in found:
                for part in ast.walk(value):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and re.fullmatch("[a-z][a-z0-9_]+", part.value):
                        yield file.name, part.value


def test_every_code_is_in_the_vocabulary():
    assert sorted({f"{code} ({file})" for file, code in literals() if code not in KNOWN | VERDICTS}) == []


def test_no_code_is_dead_and_none_stands_twice():
    source = "\n".join(file.read_text() for file in PLUGINS.rglob("*.py") if file.name != "codes.py")
    assert sorted(code for code in KNOWN if f'"{code}"' not in source) == []
    assert sum(len(meanings) for meanings in codes.CODES.values()) == len(KNOWN)


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_a_meaning_is_a_sentence_in_both_languages(code):
    text = codes.meaning(code)
    assert text is not None
    assert text.en.endswith(".")
    assert text.ja.endswith("。")
    assert re.search("[ぁ-んァ-ヶ一-龠]", text.ja)


def test_an_unknown_code_has_no_meaning():
    assert codes.meaning("nothing_of_ours") is None


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_manual_lists_them(language):
    """`./dev pages` writes the pages."""
    assert (places.ROOT / "docs" / language / "codes.md").read_text() == page(language)
