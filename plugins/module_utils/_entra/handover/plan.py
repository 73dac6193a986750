# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Letters with new passwords, one page of A4 a person, and a list for a mail merge; both from the entries of hand-over files. Pure.

What is made here holds passwords in clear. It is written only where the operator says, and never into a plan, a journal or a message.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from ..._core import names
from ..._core.plain import line
from ..._core.spreadsheet import BOM, cell

KIND, GIVEN = "handover_file", "handover"
LETTERS, LIST = "letters.html", "letters.csv"
FILES = {"html": LETTERS, "csv": LIST}

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


def chosen(found: Iterable[Person], domains: Collection[str], users: Collection[str]) -> tuple[list[Person], list[str]]:
    """Those of the domains or among the users (names or ids; neither given: everybody), in the order of their names; and users who have no entry.

    Domains that nobody is of are missing too where nobody was found at all.
    """
    wanted, roots = names.users(users), {names.domain(name) for name in domains} - {""}
    kept, seen = [], set()
    for person in found:
        meant = {person.id.casefold(), names.user(person.upn)} & wanted
        seen |= meant
        if meant or names.domain(person.upn.rpartition("@")[2]) in roots or not (users or domains):
            kept.append(person)
    missing = sorted(wanted - seen) if kept else sorted((wanted - seen) | roots)
    return sorted(kept, key=lambda person: person.upn.casefold()), missing


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
