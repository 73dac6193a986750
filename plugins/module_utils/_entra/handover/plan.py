# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Letters with new passwords, one page of A4 a person, and a list for a mail merge; both from the entries of hand-over files. Pure.

What is made here holds passwords in clear. It is written only where the operator says, and never into a plan, a journal or a message.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from ..._core import names
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
#: What a character that is neither a letter nor a digit is called.
_SYMBOLS = {
    "!": ("exclamation mark", "感嘆符"), "#": ("hash", "シャープ"), "%": ("percent", "パーセント"), "+": ("plus", "プラス"), "-": ("hyphen", "ハイフン"),
    "=": ("equals", "イコール"), "?": ("question mark", "疑問符"), "@": ("at", "アットマーク"), "$": ("dollar", "ドル"), "&": ("ampersand", "アンド"),
    "*": ("asterisk", "アスタリスク"), "^": ("caret", "キャレット"), "_": ("underscore", "アンダーバー"), ".": ("dot", "ドット"), ",": ("comma", "コンマ"),
    "/": ("slash", "スラッシュ"), "\\": ("backslash", "バックスラッシュ（円記号）"), "~": ("tilde", "チルダ"), "|": ("bar", "縦棒"), ":": ("colon", "コロン"),
    ";": ("semicolon", "セミコロン"), "(": ("open parenthesis", "左丸かっこ"), ")": ("close parenthesis", "右丸かっこ"), '"': ("quotation mark", "引用符"),
    "'": ("apostrophe", "アポストロフィ"), " ": ("blank", "空白"),
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

_STYLE = """
@page { size: A4; margin: 20mm; }
body { font-family: "Noto Sans CJK JP", "Yu Gothic", "Hiragino Sans", Meiryo, sans-serif; font-size: 11pt; line-height: 1.7; color: #000; background: #fff; }
article { break-after: page; break-inside: avoid; max-width: 170mm; margin: 0 auto; }
article:last-child { break-after: auto; }
h1 { font-size: 17pt; border-bottom: 1pt solid #000; }
dt { font-weight: bold; margin-top: 4mm; } dd { margin: 0; overflow-wrap: anywhere; }
.secret { font: bold 20pt "DejaVu Sans Mono", Consolas, Menlo, monospace; letter-spacing: .15em; border: 1pt solid #000; padding: 3mm; display: inline-block; }
table { border-collapse: collapse; font-size: 8.5pt; line-height: 1.3; } td { border: .5pt solid #999; padding: 1mm 1.5mm; text-align: center; }
td b { font: bold 12pt "DejaVu Sans Mono", Consolas, Menlo, monospace; display: block; }
"""


@dataclass(frozen=True)
class Person:
    """Who gets a letter. `until` is the end of a pass, empty for a password."""

    id: str
    upn: str
    secret: str
    until: str = ""

    def __repr__(self) -> str:
        return f"Person({self.id!r})"  # no secret gets into a log by accident


def people(entries: Iterable[Mapping[str, Any]]) -> dict[str, Person]:
    """The newest secret of each user, by id in lower case; entries in the order of the files. Of a pass whose value is not known there is no letter."""
    found: dict[str, Person] = {}
    for entry in entries:
        secret = entry.get("password") or entry.get("temporaryAccessPass")
        if isinstance(secret, str):
            upn, until = str(entry.get("userPrincipalName") or entry["id"]), str(entry.get("validUntil") or "")
            found[entry["id"].casefold()] = Person(entry["id"], upn, secret, until if "temporaryAccessPass" in entry else "")
    return found


@dataclass(frozen=True)
class Place:
    """Where in the company somebody is: their department, and their manager's id and user principal name; empty without one."""

    department: str = ""
    manager: str = ""
    manager_name: str = ""


def places(lines: Iterable[Mapping[str, Any]]) -> dict[str, Place]:
    """By id in lower case, as entra_managers_info has written them. Raises OffboardError `bad_option` for other lines."""
    found = {}
    for item in lines:
        key, *texts = (item.get(name, "") for name in ("id", "department", "manager", "manager_name"))
        if not key or not all(isinstance(text, str) for text in (key, *texts)):
            raise OffboardError("people_file is not what entra_managers_info has written", code="bad_option")
        found[key.casefold()] = Place(*texts)
    return found


@dataclass(frozen=True)
class Wanted:
    """Whose letters: of these domains, departments (by name), managers, or these users (both by name or id). Nothing given: everybody's."""

    domains: Collection[str] = ()
    users: Collection[str] = ()
    departments: Collection[str] = ()
    managers: Collection[str] = ()

    def everybody(self) -> bool:
        """Also an empty text is a choice: an empty answer is not everybody."""
        return not (self.domains or self.users or self.departments or self.managers)


def chosen(found: Iterable[Person], wanted: Wanted, where: Mapping[str, Place]) -> tuple[list[Person], list[str]]:
    """Who is meant by any of it, in the order of their names; and users, departments and managers that nobody in the hand-over file has to do with.

    Domains that nobody is of are missing too where nobody was found at all.
    """
    asked = {
        "user": names.users(wanted.users), "department": names.users(wanted.departments), "manager": names.users(wanted.managers),
        "domain": {names.domain(name) for name in wanted.domains} - {""},
    }  # fmt: skip
    kept, seen = [], dict.fromkeys(asked, frozenset[str]())
    for person in found:
        place = where.get(person.id.casefold(), Place())
        of = {
            "user": {person.id.casefold(), names.user(person.upn)}, "department": {names.user(place.department)},
            "manager": {place.manager.casefold(), names.user(place.manager_name)}, "domain": {names.domain(person.upn.rpartition("@")[2])},
        }  # fmt: skip
        meant = {kind: of[kind] & asked[kind] for kind in asked}
        seen = {kind: seen[kind] | meant[kind] for kind in asked}
        if any(meant.values()) or wanted.everybody():
            kept.append(person)
    missing = sorted(name for kind in asked for name in asked[kind] - seen[kind] if kind != "domain" or not kept)
    return sorted(kept, key=lambda person: person.upn.casefold()), missing


def split(persons: Iterable[Person], by: str, where: Mapping[str, Place]) -> dict[str, list[Person]]:
    """The persons by the name of their department or manager (`by`), or all together; under the empty name those who have none, last."""
    groups: dict[str, tuple[str, list[Person]]] = {}
    for person in persons:
        place = where.get(person.id.casefold(), Place())
        key, name = {
            "none": ("", ""), "department": (names.user(place.department), place.department), "manager": (place.manager.casefold(), place.manager_name)
        }[by]  # fmt: skip
        groups.setdefault(key, (name, []))[1].append(person)
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
        if "a" <= character.lower() <= "z":
            case = {"en": ("lower ", "UPPER "), "ja": ("小文字 ", "大文字 ")}[language][character.isupper()]
            yield character, case + (_NATO[ord(character.lower()) - ord("a")] if language == "en" else character)
        elif character.isascii() and character.isdigit():
            yield character, ("digit " if language == "en" else "数字 ") + character
        else:
            yield character, _SYMBOLS.get(character, (f"U+{ord(character):04X}",) * 2)[language == "ja"]


def letters(persons: Iterable[Person], language: str, company: str, address: str, help_desk: str) -> bytes:
    """The page to print; no script, no network."""
    words = _WORDS[language]
    head = f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"><meta name="robots" content="noindex"><title>{words["title"]}</title>'
    pages = "".join(_letter(person, language, company, address, help_desk) for person in persons)
    return f"{head}<style>{_STYLE}</style></head><body>\n{pages}</body></html>\n".encode()


def _letter(person: Person, language: str, company: str, address: str, help_desk: str) -> str:
    words: Mapping[str, Any] = _WORDS[language]
    what = "pass" if person.until else "password"
    cells = [f"<td><b>{escape(character)}</b>{escape(said)}</td>" for character, said in spelled(person.secret, language)]
    rows = "".join(f"<tr>{''.join(cells[at : at + 8])}</tr>" for at in range(0, len(cells), 8))
    steps = "".join(f"<li>{step}</li>" for step in words[f"{what}_steps"])
    until = f"<dt>{words['until']}</dt><dd>{escape(line(person.until))}</dd>" if person.until else ""
    desk = f"<dt>{words['desk']}</dt><dd>{escape(line(help_desk))}</dd>" if help_desk else ""
    return (
        f"<article><p>{escape(line(company))}</p><h1>{words['title']}</h1><p>{escape(line(person.upn))} {words['to']}</p><dl>"
        f"<dt>{words['address']}</dt><dd>{escape(line(address))}</dd><dt>{words['user']}</dt><dd>{escape(line(person.upn))}</dd>"
        f'<dt>{words[what]}</dt><dd><span class="secret">{escape(person.secret)}</span></dd>{until}<dt>{words["read"]}</dt><dd><table>{rows}</table></dd>{desk}'
        f"</dl><ol>{steps}</ol><p>{words['care']}</p></article>\n"
    )


def merge_list(persons: Iterable[Person]) -> bytes:
    """For a mail merge. A password may begin as a formula does, and must not be changed: it stands in brackets, in every line."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerow(("user_name", "secret_in_brackets", "kind", "valid_until"))
    for person in persons:
        writer.writerow((cell(person.upn), f"[{person.secret}]", "temporary_access_pass" if person.until else "password", cell(person.until)))
    return (BOM + stream.getvalue()).encode()
