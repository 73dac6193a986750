# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read, in the two languages of the manual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

#: What offboard_language may be.
LANGUAGES = ("en", "ja", "both")


class Text(NamedTuple):
    """One sentence or name, English and Japanese."""

    en: str
    ja: str

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Text:
        """Out of a record (a finding, what a person has to do) that keeps both languages as `en` and `ja`. Raises KeyError."""
        return cls(record["en"], record["ja"])

    @classmethod
    def same(cls, value: str) -> Text:
        """What is the same in both languages, such as a name."""
        return cls(value, value)

    def in_language(self, language: str) -> tuple[str, ...]:
        """What is told to a reader of `language`: one text, or with `both` each of them."""
        return tuple(self) if language == "both" else (getattr(self, language),)

    def told(self, language: object) -> str:
        """The same as one sentence. Both languages for a language that is none, which may be what the sentence is about."""
        return " / ".join(self.in_language(str(language) if language in LANGUAGES else "both"))


def counted(number: int, one: str, many: str) -> str:
    """A number and what it counts, in English: "1 user is", "2 users are"."""
    return f"{number} {one if number == 1 else many}"
