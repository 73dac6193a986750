# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Japanese is set beside Latin letters, in the manual and in messages."""

from __future__ import annotations

import itertools
import re

#: kana and kanji, and what belongs to them
_LETTERS = "ぁ-んァ-ヶー一-龠々"
PROSE = f"{_LETTERS}。、（）「」"
#: what a page or a text has besides prose: code, links' targets, tags
_CODE = re.compile(r"^```[\s\S]*?^```|(?<=\n\n)(?:(?:    .*)?\n)+|`[^`\n]+`|(?<=\])\([^)\s]*\)|<[^>\n]*>", re.MULTILINE)
_AROUND = re.compile(r"[\s*\0`]+")
_APART = re.compile(rf"(?<=[{_LETTERS}])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[{_LETTERS}])")
#: names that are written without a blank, as IIJ does
_NAMES = re.compile("IDコンソール|外部IDプロバイダの管理")


def _prose(text: str) -> str:
    """The text with zeros where it is none."""
    return _CODE.sub(lambda found: re.sub(r"[^\n]", "\0", found[0]), text)


def set_apart(text: str) -> str:
    """A text of the manual with a blank between Japanese and Latin letters, which messages do not have."""
    prose = _NAMES.sub(lambda found: "\0" * len(found[0]), _prose(text))
    places = [0, *(found.start() for found in _APART.finditer(prose)), len(text)]
    return " ".join(text[start:end] for start, end in itertools.pairwise(places))


def brackets(text: str) -> list[str]:
    """Brackets that hold Japanese, or stand beside it, are of its width, without a blank before and after them; others, and those in code, are of Latin's."""
    prose = _prose(text)
    found: list[str] = []
    opened: list[int] = []
    for place, character in enumerate(prose):
        if prose.startswith("\n\n", place):
            opened = []
        elif character == "(":
            opened.append(place)
        elif character == ")" and opened:
            first = opened.pop()
            before, after = _AROUND.sub("", prose[max(first - 40, 0) : first])[-1:], _AROUND.sub("", prose[place + 1 : place + 40])[:1]
            if re.search(f"[{PROSE}]", before + prose[first:place] + after):
                found.append(text[max(first - 8, 0) : place + 8])
    return [*found, *(text[max(one.start() - 8, 0) : one.end() + 8] for one in re.finditer(r"[^\s|>-] +（|） +[^\s|]", prose))]
