# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables whose mistake Ansible would not notice: it makes a list of a text, a number of nothing, and reads no name that nobody asks for. Pure."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal

from .._core import names
from .._core.text import Text

#: How much of two names is the same, from which on one is meant for the other: a letter more, or two in the wrong order.
_ALIKE = 0.9
#: The same of the few words that a playbook asks for, which are short.
_ALIKE_WORDS = 0.8
#: What AWX gives every job, and what jobs hand on, under such a name.
_HANDED_ON = frozenset({"awx_user_name", "offboard_group_policies"})

#: How lists are called of what never has a comma in it: domains, hosts, ids, names of sign-in. In names, paths and patterns a comma may belong to one of them.
_WITHOUT_COMMAS = re.compile(
    r"\w+_(?:(?:domain_)?controllers|domains|enable|exclude|expected_objects|break_glass|dns_servers|group_policies|hosts|ids|ignored|leftovers"
    r"|linux_accounts|looked_at|managers|named|no_way_in|order|otherwise|references|users|valid_names|fail_on|metadata_tls)"
)
_LINE_END = re.compile(r"[\r\n]+")
#: what may part entries on one line
_PARTS = re.compile(r"[,;\t\uff0c\u3001\uff1b]")
#: An entry of which somebody has thought otherwise: of YAML or another form of list, in quotes, "nothing" in a word; where commas part, also with blanks in it.
_OTHERWISE = re.compile(
    r"""(?:[-*\u2022\u30fb](?:\s.*)?|\[?\s*["'\u2018\u201c\u300c].*|\[.*\]|\{\}|~|null|none|nil|true|false|n/a|.*[,;\uff0c\u3001\uff1b])""", re.IGNORECASE
)
_APART = re.compile(r"[\s;\uff1b]|\A\[|\]\Z")
_RUN_DIR, _OPTIONS = "offboard_run_dir", "offboard_options"


def never_has_commas(name: str) -> bool:
    """Whether no text of a list can have a comma in it, by what the list is called."""
    return bool(_WITHOUT_COMMAS.fullmatch(name))


def as_list(value: Any, by: Literal["json", "lines", "commas"]) -> Any:
    """What was given for a list: a text as the list that it means. Whatever else as it is, also a text of which nobody knows what it means.

    A text (-e name=value, an answer of a survey) is JSON, or has one text a `lines`, or `commas` between these. By lines a comma may belong to a name: one line
    with a comma means nothing, unless it ends with a line end. Nor does what is written as another kind of list, or between quotes.
    """
    if not isinstance(value, str) or unanswered(value):
        return value
    if value.strip().startswith("["):
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            pass  # a pattern may begin so
        else:
            return parsed
    if by == "json" or (by == "lines" and _PARTS.search(value) and not _LINE_END.search(value)):
        return value
    lines = [text for line in _LINE_END.split(value) if (text := names.visible(line))]
    found = names.listed(lines) if by == "commas" else lines
    return value if any(_OTHERWISE.fullmatch(text) or (by == "commas" and _APART.search(text)) for text in found) else found


def refused(given: Mapping[str, Any], lists: Collection[str], mappings: Collection[str], most: Mapping[str, int]) -> Text | None:
    """Why a run must not begin; None where nothing is wrong.

    `given` has the values of offboard_run_dir, of `lists` and of the numbers, of which `most` has the greatest that is meant. Lists hold texts, or
    mappings where they are in `mappings`.
    """
    if found := ", ".join(name for name in lists if not unanswered(given[name]) and not is_list_of_its_kind(given[name], name in mappings)):
        return no_list(found)
    if _OPTIONS in given and (unanswered(given[_OPTIONS]) or not given[_OPTIONS]):
        return Text(
            "offboard_options is empty, so nothing would be looked at, and everything would seem to be done. Leave it out for all options of IIJ ID.",
            "offboard_options が空です。このままでは何も確認されず、完了したように見えます。IIJ IDのすべてのオプションを対象にする場合は指定しないでください。",
        )
    if _RUN_DIR in given and unanswered(given[_RUN_DIR]):
        return Text(
            f"{_RUN_DIR} is empty, so nothing would be found again. Nothing was done. Leave it out for the default.",
            f"{_RUN_DIR} が空です。何も実行していません。既定値を使う場合は指定しないでください。",
        )
    if found := ", ".join(name for name, greatest in most.items() if not unanswered(given[name]) and not _is_number(given[name], greatest)):
        return Text(
            f"{found}: no whole number that is meant here. Nothing was done. Leave it out for the default.",
            f"{found}: 想定外の値です。何も実行していません。既定値を使う場合は指定しないでください。",
        )
    return None


def no_list(found: str) -> Text:
    """Why these variables are not taken."""
    return Text(
        f"{found}: no list was given where a list must be, or it holds something else than it must. Nothing was done. On the command line write "
        """-e '{"NAME": ["one", "two"]}', in a file of variables or the variables of AWX a list. A text is taken as JSON, or by its lines, one each, without """
        "quotes or dashes; where names may hold commas, one line with a comma or a semicolon is not taken apart.",
        f"{found}: リストが必要な変数に、リスト以外の値か、想定外の要素を含むリストが指定されています。何も実行していません。コマンドラインでは "
        """-e '{"NAME": ["one", "two"]}' のように、変数ファイルや AWX の変数ではリストとして指定してください。"""
        "文字列は、JSON または1行に1件（引用符や行頭のハイフンなし）として読み取ります。名前にカンマが含まれうる変数では、"
        "カンマやセミコロンを含む1行だけの文字列は分割しません。",
    )


def mistyped(given: Iterable[str], known: Collection[str]) -> Text | None:
    """Of the names of all variables of the play, those that are almost one of ours. A list of exceptions with such a name would except nobody."""
    beginnings = {name[:4] for name in known}
    return _almost((name for name in {*given} - _HANDED_ON if _written(name)[:4] in beginnings), known, _ALIKE)


def mistyped_words(given: Iterable[str], words: Collection[str]) -> Text | None:
    """The same of extra variables, and the few words that a playbook asks for besides. One of them with more to it (`evidence_dir`) is somebody's own name."""
    return _almost((name for name in given if not _goes_on(_written(name).split("_"), words)), words, _ALIKE_WORDS)


def _goes_on(parts: list[str], words: Collection[str]) -> bool:
    return len([*filter(None, parts)]) > 1 and not {*parts}.isdisjoint(words)


def _almost(given: Iterable[str], known: Collection[str], alike: float) -> Text | None:
    strange = sorted({*given} - {*known})
    meant = {name: close[0] for name in strange if (close := difflib.get_close_matches(_written(name), known, 1, alike))}
    if not meant:
        return None
    told = ", ".join(f"{name} ({close}?)" for name, close in meant.items())
    return Text(
        f"{told}: nobody reads a variable with this name. Nothing was done. Correct it, or name a variable of your own otherwise.",
        f"{told}: この名前の変数はありません。何も実行していません。括弧内の変数であれば名前を修正し、独自の変数であれば別の名前にしてください。",
    )


def _written(name: str) -> str:
    """As ours are; -e takes names with dashes, too."""
    return re.sub(r"\W", "_", name).lower()


def without_zone(given: Mapping[str, Any], exists: Callable[[str], bool]) -> Text | None:
    """The same of a time zone that nobody knows: the times of this run would be told in UTC, and its report be written by none."""
    zones = {name: str(value) for name, value in given.items() if name.endswith("_timezone") and not unanswered(value)}
    if not (found := ", ".join(f"{name} ({zone})" for name, zone in zones.items() if not exists(zone))):
        return None
    return Text(
        f"{found}: there is no such time zone. Nothing was done. Give a name such as Asia/Tokyo or UTC; a machine that has no time zones at all needs tzdata.",
        f"{found}: このタイムゾーンはありません。何も実行していません。Asia/Tokyo や UTC のように指定してください（マシンにタイムゾーンの情報がない場合は "
        "tzdata をインストールしてください）。",
    )


def not_as_specified(errors: Collection[str]) -> Text | None:
    """The same of what Ansible says against the values, which it says in English."""
    if not errors:
        return None
    told = ". ".join(dict.fromkeys(errors))
    return Text(f"{told}. Nothing was done.", f"変数の値が正しくありません。何も実行していません。原文（英語）: {told}")


def unanswered(value: Any) -> bool:
    """Whether a variable is left to its default: an empty answer of a survey is null, or a text of blanks. An empty list is an answer."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_list_of_its_kind(value: Any, of_mappings: bool) -> bool:
    """Whether it is a list of texts, or one for mappings, whose entries are checked with the specification of the variable.

    An entry that is no text would become one, which nothing is called.
    """
    return isinstance(value, (list, tuple)) and (of_mappings or all(isinstance(item, str) for item in value))


def _is_number(value: Any, greatest: int) -> bool:
    """A text of digits is one: -e name=5 gives it."""
    return re.match(r"[0-9]{1,10}$", str(value)) is not None and int(value) <= greatest
