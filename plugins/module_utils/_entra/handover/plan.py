# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Letters with new passwords, one page of A4 a person, and a list for a mail merge; both from the entries of hand-over files. Pure.

What is made here holds passwords in clear. It is written only where the operator says, and never into a plan, a journal or a message.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from html import escape
from typing import Any

from ..._core import names, times
from ..._core.errors import OffboardError
from ..._core.plain import file_part, line
from ..._core.spreadsheet import BOM, cell

KIND, GIVEN = "handover_file", "handover"
#: the endings of the files by format; what is before them: `file_name`
ENDINGS = {"html": ".html", "csv": ".csv", "encrypted": ".encrypted.html"}
#: names of files that this module makes, and no others
MADE = re.compile(r"letters(-[^/]+-[0-9a-f]{8}|-without)?(\.html|\.csv|\.encrypted\.html)")

_NATO = (
    "Alfa", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliett", "Kilo", "Lima", "Mike", "November", "Oscar", "Papa",
    "Quebec", "Romeo", "Sierra", "Tango", "Uniform", "Victor", "Whiskey", "X-ray", "Yankee", "Zulu",
)  # fmt: skip
_KANA = (
    "エー", "ビー", "シー", "ディー", "イー", "エフ", "ジー", "エイチ", "アイ", "ジェー", "ケー", "エル", "エム", "エヌ", "オー", "ピー",
    "キュー", "アール", "エス", "ティー", "ユー", "ブイ", "ダブリュー", "エックス", "ワイ", "ゼット",
)  # fmt: skip
_DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "ja": ("ゼロ", "イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュウ"),
}
#: What a character that is neither a letter nor a digit is called.
_SYMBOLS = {
    "!": ("exclamation mark", "感嘆符"), "#": ("hash", "シャープ"), "%": ("percent", "パーセント"), "+": ("plus", "プラス"), "-": ("hyphen", "ハイフン"),
    "=": ("equals", "イコール"), "?": ("question mark", "疑問符"), "@": ("at", "アットマーク"), "$": ("dollar", "ドル"), "&": ("ampersand", "アンド"),
    "*": ("asterisk", "アスタリスク"), "^": ("caret", "キャレット"), "_": ("underscore", "アンダーバー"), ".": ("dot", "ドット"), ",": ("comma", "コンマ"),
    "/": ("slash", "スラッシュ"), "\\": ("backslash", "バックスラッシュ（円記号）"), "~": ("tilde", "チルダ"), "|": ("bar", "縦棒"), ":": ("colon", "コロン"),
    ";": ("semicolon", "セミコロン"), "(": ("open parenthesis", "左丸かっこ"), ")": ("close parenthesis", "右丸かっこ"), '"': ("quotation mark", "引用符"),
    "'": ("apostrophe", "アポストロフィ"), " ": ("blank", "空白"), "`": ("backquote", "バッククォート"), "[": ("open bracket", "左角かっこ"),
    "]": ("close bracket", "右角かっこ"), "{": ("open brace", "左波かっこ"), "}": ("close brace", "右波かっこ"), "<": ("less than", "小なり"),
    ">": ("greater than", "大なり"),
}  # fmt: skip

_WORDS = {
    "ja": {
        "title": "Microsoft 365 サインインのお知らせ", "to": "様", "user": "ユーザー名", "password": "新しいパスワード", "pass": "一時アクセスパス",
        "until": "有効期限", "address": "サインインのアドレス", "read": "1文字ずつの読み", "desk": "お問い合わせ先",
        "password_steps": [
            "上のアドレスを開き、ユーザー名を入力します。", "パスワードを、大文字と小文字を区別して入力します。",
            "求められたら、新しいパスワードと多要素認証を設定します。",
        ],
        "pass_steps": [
            "上のアドレスを開き、ユーザー名を入力します。", "有効期限までに、一時アクセスパスを入力します。",
            "画面の案内に従い、ご自身の認証方法を登録します。",
        ],
        "care": "この用紙はほかの人に見せず、サインインできたら細断してください。",
    },
    "en": {
        "title": "Your sign-in to Microsoft 365", "to": "", "user": "User name", "password": "New password", "pass": "Temporary Access Pass",
        "until": "Valid until", "address": "Address of the sign-in", "read": "Character by character", "desk": "Help desk",
        "password_steps": [
            "Open the address above and enter your user name.", "Enter the password; upper and lower case differ.",
            "When asked, choose a password of your own and set up multi-factor authentication.",
        ],
        "pass_steps": [
            "Open the address above and enter your user name.", "Enter the Temporary Access Pass before it ends.",
            "Follow the page and register a sign-in method of your own.",
        ],
        "care": "Show this page to nobody, and shred it once you have signed in.",
    },
}  # fmt: skip

#: Lengths are in em, so that a letter with more text than usual gets smaller as a whole; `_height` reckons with the same numbers.
_STYLE = """
@page { size: A4; margin: 20mm; }
body { font-family: "Noto Sans CJK JP", "Noto Sans JP", "Yu Gothic", "Hiragino Sans", Meiryo, sans-serif; color: #000; background: #fff; }
article { font-size: 11pt; line-height: 1.6; break-after: page; break-inside: avoid; max-width: 170mm; margin: 0 auto; overflow-wrap: anywhere; }
article:last-child { break-after: auto; }
h1 { font-size: 1.55em; line-height: 1.3; margin: .3em 0 .5em; border-bottom: 1pt solid #000; } p { margin: .6em 0; }
p, dd { overflow: clip; overflow-clip-margin: .4em; }
dl, ol { margin: .8em 0; } dt { font-weight: bold; margin-top: .8em; } dd { margin: 0; }
.secret { font: bold 1.8em/1.4 "DejaVu Sans Mono", Consolas, Menlo, monospace; letter-spacing: .12em; border: 1pt solid #000; padding: .35em .4em;
  width: fit-content; white-space: break-spaces; line-break: anywhere; unicode-bidi: isolate-override; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; }
td { font-size: .77em; line-height: 1.3; border: .5pt solid #999; padding: .25em .3em; text-align: center; word-break: keep-all; }
td b { font: bold 1.4em/1.2 "DejaVu Sans Mono", Consolas, Menlo, monospace; display: block; white-space: pre; } td.none { border: 0; }
@media screen { body { margin: 1rem; } article { padding-bottom: 2rem; } }
"""
#: What is typed stands from left to right, whatever its script.
_TYPED = ' dir="ltr"'
#: What a page has room for within its margins, in em of a letter of 11 points, a little less for fonts that are wider than those reckoned with.
_WIDTH, _HEIGHT = 43.0, 63.5
#: How much smaller a letter may get: 4.4 points are the least that a printer makes readable.
_SCALES = tuple(percent / 100 for percent in range(100, 35, -5))


@dataclass(frozen=True)
class Recipient:
    """Who gets a letter. `until` is the end of a pass, empty for a password; `name` is empty where the hand-over file has none.

    The secret is no older than `since` (RFC 3339; empty: not known).
    """

    id: str
    upn: str
    secret: str
    until: str = ""
    name: str = ""
    since: str = ""

    def __repr__(self) -> str:
        return f"Recipient({self.id!r})"  # no secret gets into a log by accident


def people(entries: Iterable[Mapping[str, Any]]) -> dict[str, Recipient]:
    """The newest secret of each user, by id in lower case; entries in the order of the files. Of a pass whose value is not known there is no letter."""
    found: dict[str, Recipient] = {}
    for entry in entries:
        secret = entry.get("password") or entry.get("temporaryAccessPass")
        if isinstance(secret, str):
            upn, until = str(entry.get("userPrincipalName") or entry["id"]), str(entry.get("validUntil") or "")
            name = names.visible(str(entry.get("displayName") or ""))
            is_pass = "temporaryAccessPass" in entry
            since = str(entry.get("askedFor" if is_pass else "passwordChangedBefore") or "")
            found[names.uuid(entry["id"])] = Recipient(entry["id"], upn, secret, until if is_pass else "", name, since)
    return found


def has_ended(person: Recipient, now: datetime.datetime) -> bool:
    """Whether nobody can sign in with the pass any more; not of a password, nor of an end that is no time."""
    end = times.as_time(person.until)
    return times.NEVER < end <= now


@dataclass(frozen=True)
class PlaceInCompany:
    """Where in the company somebody is: their department, and their manager's id and user principal name; empty without one.

    upn: their own user principal name of today, which may be another one than when the password was set; empty: not known.
    """

    department: str = ""
    manager: str = ""
    manager_name: str = ""
    upn: str = ""


def places(lines: Iterable[Mapping[str, Any]]) -> dict[str, PlaceInCompany]:
    """By id in lower case, as entra_managers_info has written them. Raises OffboardError `bad_option` for other lines."""
    found = {}
    for item in lines:
        key, *texts = (item.get(name, "") for name in ("id", "department", "manager", "manager_name", "userPrincipalName"))
        if not key or not all(isinstance(text, str) for text in (key, *texts)):
            raise OffboardError("people_file is not what entra_managers_info has written", code="bad_option")
        found[names.uuid(key)] = PlaceInCompany(*texts)
    return found


@dataclass(frozen=True)
class WantedLetters:
    """Whose letters: of these domains, departments (by name), managers, or these users (both by name or id). Nothing given: everybody's."""

    domains: Collection[str] = ()
    users: Collection[str] = ()
    departments: Collection[str] = ()
    managers: Collection[str] = ()

    def everybody(self) -> bool:
        """Also an empty text is a choice: an empty answer is not everybody."""
        return not (self.domains or self.users or self.departments or self.managers)


def chosen(found: Iterable[Recipient], wanted: WantedLetters, where: Mapping[str, PlaceInCompany]) -> tuple[list[Recipient], list[str]]:
    """Who is meant by any of it, in the order of their names; and domains, users, departments and managers that nobody in the hand-over file has to do with.

    A mistyped domain beside a right one would leave all its users without a letter. People are called what they are called today, and are found by the name
    of the day when the password was set, too, unless it is somebody else's today.
    """
    asked = {
        "user": names.users(wanted.users), "department": names.users(wanted.departments), "manager": names.users(wanted.managers),
        "domain": {names.domain(name) for name in wanted.domains} - {""},
    }  # fmt: skip
    kept, seen = [], dict.fromkeys(asked, frozenset[str]())
    taken = asked["user"] & names.users(place.upn for place in where.values())
    for person in found:
        place = where.get(names.uuid(person.id), PlaceInCompany())
        of = {
            "user": (names.of_user(person.id, person.upn) - taken) | names.users([place.upn]), "department": {names.user(place.department)},
            "manager": names.of_user(place.manager, place.manager_name),
            "domain": {names.domain(upn.rpartition("@")[2]) for upn in (person.upn, place.upn)},
        }  # fmt: skip
        meant = {kind: of[kind] & asked[kind] for kind in asked}
        seen = {kind: seen[kind] | meant[kind] for kind in asked}
        if any(meant.values()) or wanted.everybody():
            kept.append(replace(person, upn=place.upn or person.upn))
    missing = sorted(name for kind in asked for name in asked[kind] - seen[kind])
    return sorted(kept, key=lambda person: person.upn.casefold()), missing


def split(persons: Iterable[Recipient], by: str, where: Mapping[str, PlaceInCompany]) -> dict[str, list[Recipient]]:
    """The persons by the name of their department or manager (`by`), or all together; under the empty name those who have none, last."""
    groups: dict[str, tuple[str, list[Recipient]]] = {}
    for person in persons:
        place = where.get(names.uuid(person.id), PlaceInCompany())
        name = {"none": "", "department": place.department, "manager": place.manager_name or place.manager}[by]
        groups.setdefault(names.user(name), (name, []))[1].append(person)
    if not groups and by == "none":
        return {"": []}
    return dict(sorted(groups.values(), key=lambda group: (not group[0], group[0].casefold())))


def file_name(file_format: str, by: str, name: str) -> str:
    """The file of a department or a manager. Two names that a file's name cannot tell apart differ by their hash."""
    if by == "none":
        return f"letters{ENDINGS[file_format]}"
    part = f"{file_part(name)[:60]}-{hashlib.sha256(names.user(name).encode()).hexdigest()[:8]}" if name else "without"
    return f"letters-{part}{ENDINGS[file_format]}"


def spelled(secret: str, language: str) -> Iterator[tuple[str, str]]:
    """Each character, and how it is said, so that look-alikes can be told apart."""
    for character in secret:
        if character.isascii() and character.isalpha():
            case = {"en": ("lower ", "UPPER "), "ja": ("小文字 ", "大文字 ")}[language][character.isupper()]
            yield character, case + {"en": _NATO, "ja": _KANA}[language][ord(character.lower()) - ord("a")]
        elif character.isascii() and character.isdigit():
            yield character, ("digit " if language == "en" else "数字 ") + _DIGITS[language][int(character)]
        else:
            number = f"U+{ord(character):04X}"
            other = (unicodedata.name(character, number).lower(), f"文字コード {number}")
            yield character, _SYMBOLS.get(character, other)[language == "ja"]


@dataclass(frozen=True)
class Letterhead:
    """What is the same in all letters. `zone`: the time zone in which people read until when a pass is valid."""

    language: str
    company: str
    address: str
    help_desk: str
    zone: datetime.tzinfo


def letters(persons: Iterable[Recipient], head: Letterhead) -> bytes:
    """The page to print; no script, no network. Raises OffboardError `bad_option` where one of them cannot be made to fit on a page."""
    words = _WORDS[head.language]
    top = (
        f'<!DOCTYPE html>\n<html lang="{head.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{words["title"]}</title>'
    )
    pages = "".join(_letter(person, head) for person in persons)
    return f"{top}<style>{_STYLE}</style></head><body>\n{pages}</body></html>\n".encode()


def valid_until(until: str, zone: datetime.tzinfo) -> str:
    """The end of a pass as people read it; what is no time stays as it is, empty for a password."""
    try:
        return datetime.datetime.fromisoformat(until).astimezone(zone).strftime("%Y-%m-%d %H:%M %Z") if until else ""
    except (ValueError, OverflowError):
        return until


def _letter(person: Recipient, head: Letterhead) -> str:
    words: Mapping[str, Any] = _WORDS[head.language]
    what = "pass" if person.until else "password"
    values = [("address", head.address), ("user", person.upn), ("until", valid_until(person.until, head.zone)), ("desk", head.help_desk)]
    shown = {name: line(value) for name, value in values if value}
    said = list(spelled(person.secret, head.language))
    columns = 8 if len(said) <= 64 else 16
    to = line(" ".join(filter(None, (person.name or person.upn, words["to"]))))
    scale = _scale([line(head.company), to, *shown.values(), *words[f"{what}_steps"], words["care"]], len(shown) + 2, said, columns)
    cells = [f"<td><b>{escape(line(character))}</b>{escape(line(name))}</td>" for character, name in said]
    cells += ['<td class="none"></td>'] * (-len(cells) % columns)
    rows = "".join(f"<tr>{''.join(cells[at : at + columns])}</tr>" for at in range(0, len(cells), columns))
    size = f' style="font-size:{11 * scale:.2f}pt"' if scale < 1 else ""
    parts = {name: f"<dt>{words[name]}</dt><dd><bdi{'' if name == 'desk' else _TYPED}>{escape(value)}</bdi></dd>" for name, value in shown.items()}
    who = f"<bdi>{escape(line(person.name))}</bdi>" if person.name else f"<bdi{_TYPED}>{escape(line(person.upn))}</bdi>"
    return (
        f"<article{size}><p><bdi>{escape(line(head.company))}</bdi></p><h1>{words['title']}</h1><p>{who} {words['to']}</p><dl>"
        f"{parts.get('address', '')}{parts['user']}"
        f'<dt>{words[what]}</dt><dd><div class="secret">{escape(person.secret)}</div></dd>{parts.get("until", "")}'
        f"<dt>{words['read']}</dt><dd><table><tbody>{rows}</tbody></table></dd>{parts.get('desk', '')}</dl>"
        f"<ol>{''.join(f'<li>{step}</li>' for step in words[f'{what}_steps'])}</ol><p>{words['care']}</p></article>\n"
    )


def _scale(texts: list[str], parts: int, said: list[tuple[str, str]], columns: int) -> float:
    """The largest size at which a letter is one page. Raises OffboardError `bad_option`."""
    for scale in _SCALES:
        if _height(texts, parts, said, columns, _WIDTH / scale) <= _HEIGHT / scale:
            return scale
    raise OffboardError(
        "A letter does not fit on one page; company, sign_in_address and help_desk must be shorter.", code="bad_option"
    )  # of what people have, nothing is so long


def _height(texts: list[str], parts: int, said: list[tuple[str, str]], columns: int, width: float) -> float:
    """How high a letter is that is so wide, in em; not lower than a browser makes it."""
    height = 3.4 + 5 * 0.8 + parts * 2.4  # the title, the margins, the names of the parts
    height += sum(1.6 * _lines(text, width - 3) for text in texts)
    height += 1.8 * 1.4 * math.ceil(len(said) * 1.31 / (width - 2)) + 1.6  # the secret in its box
    room = width / columns / 0.77 - 0.8
    for at in range(0, len(said), columns):
        height += 0.77 * (1.4 * 1.2 + 1.3 * max(_lines(name, room, r"\S+") for _character, name in said[at : at + columns]) + 0.6)
    return height


def _lines(text: str, room: float, words: str = "[!-~]+") -> int:
    """How many lines a browser makes of a text: words (of Latin letters, if nothing else is said) as a whole, unless they are too long; others end anywhere."""
    lines, at = 1, 0.0
    for word in re.findall(f"{words}|.", text):
        width = sum(map(_em, word))
        if at and at + width > room:
            lines, at = lines + 1, 0.0
        whole = math.floor(width / room)
        lines, at = lines + whole, at + width - whole * room
    return lines


def _em(character: str) -> float:
    """The width of a character, in em of its font: the widest of its kind in Noto's fonts, of scripts that have one."""
    if "\U00012000" <= character <= "\U0001254f" or character == "\ufdfd":  # cuneiform, and a whole sentence in Arabic
        return 8.3
    if unicodedata.east_asian_width(character) in "WFAH" or character in "mwMW@%":
        return 1.0
    if character > "\u0590":  # Tamil, Khmer, long dashes; a letter has room for ten lines of them
        return 3.0
    return 0.72 if character.isupper() or not character.isascii() else 0.6


def merge_list(persons: Iterable[Recipient], zone: datetime.tzinfo) -> bytes:
    """For a mail merge. A password may begin as a formula does, and must not be changed: it stands in brackets, in every line."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerow(("user_name", "secret_in_brackets", "kind", "valid_until", "display_name"))
    for person in persons:
        kind = "temporary_access_pass" if person.until else "password"
        writer.writerow((cell(person.upn), f"[{person.secret}]", kind, cell(valid_until(person.until, zone)), cell(person.name)))
    return (BOM + stream.getvalue()).encode()
