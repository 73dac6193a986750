# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of strangers (display names, file names, answers of servers) as people may safely see it, and as JSON that hides nothing. Pure.

A terminal obeys control characters, a bidirectional override lets a line read otherwise than it is, and a heap of marks covers the lines above and below.
They are shown instead: \\x1b, \\u202e.
What joins and shapes letters (U+200C, U+200D) stays, and so does every other character of every script.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

#: C1, DEL; marks, embeddings, overrides and isolates of direction; separators that end a line; halves of a character, which no file can hold, and the two
#: numbers that are no character, which no YAML can
_NOT_IN_JSON = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff"
#: what nobody sees: blanks of no width, the soft hyphen, signs of formulas, fillers, marks of old formats and of annotations, tags
_INVISIBLE = "\xad\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\u3164\uffa0\ufff9-\ufffb\U000e0000-\U000e007f"
_HIDDEN_IN_JSON = re.compile(f"[{_NOT_IN_JSON}]")
_HIDDEN = re.compile(f"[\x00-\x08\x0b-\x1f{_NOT_IN_JSON}{_INVISIBLE}]")
_HIDDEN_IN_LINE = re.compile(f"[\x00-\x08\n\x0b-\x1f{_NOT_IN_JSON}{_INVISIBLE}]")

#: How many marks one letter may bear above and below it; no language heaps more: https://www.unicode.org/reports/tr39/#Optional_Detection
_MOST_MARKS = 4
_MAY_BE_HEAPED = re.compile(rf"[^\w\x00-\x7f]{{{_MOST_MARKS + 1},}}")

_HALVES = re.compile("[\ud800-\udfff]")
#: What of a result is there for people as a whole: nothing is done with it but to read it. The values as they are lie in the journal.
_SHOWN = frozenset({"plan", "applied", "failed_objects", "skipped_objects", "restore", "failure", "diff"})
#: Sentences of a result, and names of objects among what is shown.
_SENTENCES = frozenset(
    {"msg", "en", "ja", "why", "found_by", "undo", "removal_refusals", "summary", "label", "error", "certificate_error"}
    | {"warnings", "warnings_found", "document_warnings", "lines", "told"}
)
#: Whole documents by language, each of whose lines is one.
_DOCUMENTS = frozenset({"markdown", "plain"})
_ON_ONE_LINE = _SENTENCES | {"name", "before_header", "after_header"}


def _seen(found: re.Match[str]) -> str:
    return _escaped(found[0])


def _escaped(character: str) -> str:
    number = ord(character)
    if number == 0x0A:
        return r"\n"
    if number > 0xFFFF:
        return f"\\U{number:08x}"
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _unheaped(found: re.Match[str]) -> str:
    marks, shown = 0, ""
    for character in found[0]:
        category = unicodedata.category(character)
        is_mark = category in ("Mn", "Me")
        marks = marks + is_mark if is_mark or category == "Cf" else 0  # what joins letters ends no heap
        shown += _escaped(character) if is_mark and marks > _MOST_MARKS else character
    return shown


def line(text: str) -> str:
    """`text` on one line."""
    return _MAY_BE_HEAPED.sub(_unheaped, _HIDDEN_IN_LINE.sub(_seen, text))


def lines(text: str) -> str:
    """`text`, whose line ends stay."""
    return _MAY_BE_HEAPED.sub(_unheaped, _HIDDEN.sub(_seen, text))


#: a number of a character reference: its first zeros, as many digits as say that it is too large, and the others
_REFERENCE = re.compile("&#(?:0++(?=[0-9]))?+([0-9]{0,8}+)[0-9]*+")


def unescaped(text: str) -> str:
    """`text` with its character references as what they are; Python makes no number of thousands of digits."""
    return html.unescape(_REFERENCE.sub(r"&#\1", text))


#: Bytes of a part of a file's name; a whole one has 255.
_FILE_PART_BYTES = 120
_NOT_IN_FILES = re.compile(f'[\x00-\x20\\\\/:*?"<>|{_NOT_IN_JSON}{_INVISIBLE}]+')


def file_part(text: str) -> str:
    """A readable part of a file's name, out of a name that others gave: nothing in it hides, ends a line, or leads to another folder."""
    return shortened(_NOT_IN_FILES.sub("-", text).strip(".-") or "unnamed")


def shortened(name: str) -> str:
    """So much of a name that a file's name has room for it and more."""
    return name.encode()[:_FILE_PART_BYTES].decode(errors="ignore")


def values(value: Any, show: Callable[[str], str] = lines) -> Any:
    """The same lists and mappings, with each text in them as `show` has it, and names and sentences on one line."""
    if isinstance(value, str):
        return show(value)
    if isinstance(value, Mapping):
        return {line(name) if isinstance(name, str) else name: values(item, line if name in _ON_ONE_LINE else show) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [values(item, show) for item in value]
    return value


def whole(value: Any) -> Any:
    """The same with halves of characters shown: one of them, and Ansible refuses all that a module has answered, or is given.

    JSON can escape half of a character; and a byte that is no UTF-8 (an old crontab in Shift_JIS) is one as Python reads it.
    """
    if isinstance(value, str):
        return _HALVES.sub(_seen, value)
    if isinstance(value, Mapping):
        return {whole(name): whole(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [whole(item) for item in value]
    return value


def result(value: Any) -> Any:
    """A module's return values: what is there to be read as `values` shows it, data as they are, so far as Ansible takes them."""
    if isinstance(value, Mapping):
        return {whole(name): _part(name, item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [result(item) for item in value]
    return whole(value)


def failure(value: Any) -> Any:
    """Return values of a module that failed: nobody works with them, and Ansible shows them whole. So data are shown as well, identities too."""
    told = result(value)

    def shown(item: Any) -> Any:
        if isinstance(item, Mapping):
            return {line(name) if isinstance(name, str) else name: shown(inner) for name, inner in item.items()}
        if isinstance(item, (list, tuple)):
            return [shown(inner) for inner in item]
        return lines(item) if isinstance(item, str) else item

    return shown(told)


def hides(value: Any) -> bool:
    """Whether some text in it, printed as it is, would be obeyed by a terminal or read otherwise than it is, in JSON too."""
    if isinstance(value, Mapping):
        return any(hides(name) or hides(item) for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return any(map(hides, value))
    return isinstance(value, str) and bool(_HIDDEN_IN_JSON.search(value))


def _part(name: Any, value: Any) -> Any:
    if name in _DOCUMENTS and isinstance(value, Mapping):
        return {language: values(text) for language, text in value.items()}
    if name in _SENTENCES:
        return values(value, line)
    return values(value) if name in _SHOWN else result(value)


def to_json(value: Any, **options: Any) -> str:
    """JSON in which every character can be read and written: the hidden ones are escaped, and are themselves again when it is parsed."""
    return _HIDDEN_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False, **options))
