# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sheets for people in Japanese and English: as one HTML page, as Markdown, and as plain text. Pure."""

from __future__ import annotations

import html as markup
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Union

from . import plain
from .text import Text

LANGUAGES = ("en", "ja")


@dataclass(frozen=True)
class Link:
    """An address that people may follow. Only one of https is a link; any other is shown as it stands."""

    address: str


#: Texts, values as they stand, which are never translated, and links.
Line = Sequence[Union[Text, str, Link]]  # noqa: UP007 - pylint takes the other form for an operation on classes


def listed(values: Iterable[str]) -> list[Text | str]:
    """Values as they stand, with commas between them."""
    line: list[Text | str] = []
    for value in values:
        line += [Text(", ", "、"), value] if line else [value]
    return line


@dataclass(frozen=True)
class Heading:
    """The title (level 1) or that of a section (2, 3)."""

    level: int
    text: Line


@dataclass(frozen=True)
class Paragraph:
    line: Line


@dataclass(frozen=True)
class Items:
    """A list; numbered where the order matters."""

    lines: Sequence[Line]
    numbered: bool = False

    @classmethod
    def points(cls, *lines: Text | Line) -> Items:
        return cls([[line] if isinstance(line, Text) else line for line in lines])

    @classmethod
    def in_order(cls, *lines: Text | Line) -> Items:
        """To be taken one after the other."""
        return cls([[line] if isinstance(line, Text) else line for line in lines], numbered=True)


@dataclass(frozen=True)
class Table:
    heads: Sequence[Text]
    rows: Sequence[Sequence[Line]]


@dataclass(frozen=True)
class Code:
    """Something to copy."""

    language: str
    text: str


#: A part of the sheet that stands on its own.
Block = Union[Heading, Paragraph, Items, Table, Code]  # noqa: UP007 - as above

# -- Markdown


def markdown(sheet: Iterable[Block], language: str) -> str:
    """The sheet in one language."""
    return "\n\n".join(_markdown(block, language) for block in sheet) + "\n"


def _markdown(block: Block, language: str) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {_markdown_line(text, language)}"
        case Paragraph(line):
            return _markdown_line(line, language)
        case Items(lines, numbered):
            return "\n".join(f"{f'{number}.' if numbered else '-'} {_markdown_line(line, language)}" for number, line in enumerate(lines, 1))
        case Table(heads, rows):
            cells = [[_markdown_line([head], language) for head in heads], ["---"] * len(heads)]
            cells += [[_markdown_line(cell, language).replace("|", "\\|") for cell in row] for row in rows]
            return "\n".join(f"| {' | '.join(row)} |" for row in cells)
        case Code(name, text):
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
            return f"{fence}{name}\n{plain.lines(text.rstrip())}\n{fence}"


def _markdown_line(line: Line, language: str) -> str:
    return "".join(_markdown_text(getattr(part, language)) if isinstance(part, Text) else _code_span(_value(part)) for part in line)


def _value(part: str | Link) -> str:
    return part.address if isinstance(part, Link) else part


def _markdown_text(text: str) -> str:
    """Words that are words: a partner's name must not become markup either."""
    return re.sub(r"([\\`*<>\[\]])", r"\\\1", plain.line(text))


def _code_span(value: str) -> str:
    """The value in as many backticks as it needs, on one line: what a partner's metadata holds must not become markup."""
    value = plain.line(" ".join(value.split()))
    fence = "`" * (max((len(run) for run in re.findall("`+", value)), default=0) + 1)
    space = " " if value.startswith("`") or value.endswith("`") else ""
    return f"{fence}{space}{value}{space}{fence}"


# -- HTML

_STYLE = """
@page { size: A4; margin: 10mm; }
:root { --ink: #1c2733; --soft: #5b6b7b; --line: #d8dfe6; --blue: #0f4c81; }
* { box-sizing: border-box; }
body { margin: 0; background: #f3f5f8; color: var(--ink);
  font: 15px/1.7 "Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic UI", Meiryo, system-ui, sans-serif; }
article { max-width: 60rem; margin: 1.5rem auto; padding: 1.75rem 2rem; background: #fff; border: 1px solid var(--line); border-top: 4px solid var(--blue);
  overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.35; margin: 0 0 1rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; color: var(--blue); }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; } p { margin: .6rem 0; } li { margin: .25rem 0; }
table { width: 100%; border-collapse: collapse; margin: .75rem 0; }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem; border: 1px solid var(--line); overflow-wrap: anywhere; }
th { background: #e9eef4; font-size: .9rem; } td:first-child:nth-last-child(2) { width: 42%; }
code, pre { font: .9em/1.55 ui-monospace, Consolas, "Noto Sans Mono CJK JP", monospace; }
code { overflow-wrap: anywhere; unicode-bidi: isolate; background: #f3f5f8; padding: .05em .3em; }
pre { background: #f3f5f8; border: 1px solid var(--line); padding: .7rem .9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 40rem) { article { padding: 1rem; margin: 0; } td:first-child:nth-last-child(2) { width: 36%; } }
@media print { body { background: #fff; font-size: 11px; } article { border: 0; padding: 0; max-width: none; margin: 0; }
  article + article { break-before: page; } h2, h3 { break-after: avoid; } tr { break-inside: avoid; } }
"""


def html(sheet: Sequence[Block], title: str, languages: Sequence[str] = ("ja", "en")) -> str:
    """One page with the sheet in each language, one below the other; no script, nothing from a network."""
    articles = "".join(f'<article lang="{language}">\n{"".join(_html(block, language) for block in sheet)}</article>\n' for language in languages)
    return (
        f'<!DOCTYPE html>\n<html lang="{languages[0]}">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{articles}</body>\n</html>\n"
    )


def escape(text: str) -> str:
    """Text as markup, and what is hidden in it shown; lines of code keep their ends."""
    return markup.escape(plain.lines(text))


def _html(block: Block, language: str) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{_html_line(text, language)}</h{level}>\n"
        case Paragraph(line):
            return f"<p>{_html_line(line, language)}</p>\n"
        case Items(lines, numbered):
            name = "ol" if numbered else "ul"
            return f"<{name}>\n" + "".join(f"<li>{_html_line(line, language)}</li>\n" for line in lines) + f"</{name}>\n"
        case Table(heads, rows):
            head = "".join(f"<th>{escape(getattr(text, language))}</th>" for text in heads)
            body = "".join("<tr>" + "".join(f"<td>{_html_line(cell, language)}</td>" for cell in row) + "</tr>\n" for row in rows)
            return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>\n"
        case Code(_, text):
            return f"<pre>{escape(text.rstrip())}</pre>\n"


def _html_line(line: Line, language: str) -> str:
    return "".join(_html_part(part, language) for part in line)


def _html_part(part: Text | str | Link, language: str) -> str:
    if isinstance(part, Text):
        return escape(getattr(part, language))
    shown = escape(_value(part))
    if isinstance(part, Link) and part.address == plain.line(part.address) and part.address.casefold().startswith("https://"):
        return f'<a href="{shown}" rel="noreferrer">{shown}</a>'
    return f"<code>{shown}</code>"


# -- plain text, for a mail


def plain_text(sheet: Iterable[Block], language: str) -> str:
    """The sheet in one language, without any markup."""
    return "\n\n".join(_plain_block(block, language) for block in sheet) + "\n"


def _plain_block(block: Block, language: str) -> str:
    match block:
        case Heading(level, text):
            title = _plain_line(text, language)
            return f"{title}\n{('=' if level == 1 else '-') * _width(title)}" if level < 3 else f"[{title}]"
        case Paragraph(line):
            return _plain_line(line, language)
        case Items(lines, numbered):
            return "\n".join(f"{f'{number}.' if numbered else '-'} {_plain_line(line, language)}" for number, line in enumerate(lines, 1))
        case Table(heads, rows):
            names = [getattr(head, language) for head in heads]
            return "\n\n".join("\n".join(f"{name}: {_plain_line(cell, language)}" for name, cell in zip(names, row, strict=True)) for row in rows)
        case Code(_, text):
            return "\n".join(f"    {line}" for line in plain.lines(text.rstrip()).split("\n"))


def _plain_line(line: Line, language: str) -> str:
    return "".join(plain.line(getattr(part, language) if isinstance(part, Text) else _value(part)) for part in line)


def _width(text: str) -> int:
    """Columns on a terminal: a character of Japanese takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
