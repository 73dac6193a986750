# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all parts of the report's page are made of: how it looks, texts in both languages, times, tables. Pure."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable

from ..._core.plain import line
from ..._core.text import Text

STYLE = """
@page { size: A4; margin: 12mm; }
:root { color-scheme: light; --ink: #1c2733; --soft: #5b6b7b; --line: #d8dfe6; --paper: #fff; --ground: #f3f5f8; --head: #e9eef4; --blue: #0f4c81;
  --green: #1d7a46; --amber: #a25b00; --red: #b3261e; --tab: #0f4c81; --mark: #5b6b7b; --done: #1d7a46; --todo: #a25b00; --bad: #b3261e; }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --ink: #e3e8ed; --soft: #a5b1bd; --line: #3a4652; --paper: #1d252d; --ground: #141a20; --head: #27313b; --blue: #8ec1ee;
    --green: #6fcf97; --amber: #f0b35c; --red: #ff8f86; }
  a { color: var(--blue); }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.65 "Noto Sans CJK JP", "Noto Sans JP", "Hiragino Sans", "Yu Gothic UI", Meiryo, system-ui, sans-serif; }
.page { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
header { border-bottom: 3px solid var(--blue); padding-bottom: .75rem; margin-bottom: 1.5rem; }
h1 { font-size: 1.55rem; line-height: 1.3; margin: 0; } h1, p, li { overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1rem 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; color: var(--blue); }
header p, .soft { color: var(--soft); margin: .25rem 0 0; }
.switch { position: absolute; opacity: 0; }
.tabs { float: right; margin-left: 1rem; }
.tabs label { display: inline-block; padding: .2rem .8rem; border: 1px solid var(--line); background: var(--paper); cursor: pointer; }
.tabs label + label { border-left: 0; }
#ja:checked ~ .page .en, #en:checked ~ .page .ja { display: none; }
#ja:checked ~ .page label[for=ja], #en:checked ~ .page label[for=en] { background: var(--tab); color: #fff; border-color: var(--tab); }
#ja:focus-visible ~ .page label[for=ja], #en:focus-visible ~ .page label[for=en] { outline: 3px solid #8ab4dc; }
.verdict { background: var(--paper); border: 1px solid var(--line); border-left: 8px solid var(--soft);
  padding: .9rem 1.1rem; font-size: 1.1rem; font-weight: 600; }
.verdict.open { border-left-color: var(--green); } .verdict.closed { border-left-color: var(--amber); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.figures li { background: var(--paper); border: 1px solid var(--line); padding: .6rem .9rem; }
.figures b { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.figures .bad b { color: var(--red); } .figures .wait b { color: var(--amber); } .figures .good b { color: var(--green); }
table { width: 100%; border-collapse: collapse; background: var(--paper); border: 1px solid var(--line); }
th, td { text-align: left; vertical-align: top; padding: .5rem .7rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { background: var(--head); font-size: .85rem; white-space: nowrap; }
.numbers th { white-space: normal; overflow-wrap: break-word; width: 30%; } .numbers th + th { text-align: right; min-width: 4.5em; width: auto; }
.chart { margin-bottom: .75rem; }
td.name { min-width: 15rem; } td.rule { min-width: 10rem; }
td.time, td.number { white-space: nowrap; font-variant-numeric: tabular-nums; } td.number { text-align: right; }
code { font: .88em/1.5 ui-monospace, Consolas, "Noto Sans Mono CJK JP", monospace; overflow-wrap: anywhere; unicode-bidi: isolate; }
details { background: var(--paper); border: 1px solid var(--line); margin-bottom: .6rem; }
summary { cursor: pointer; padding: .6rem .9rem; display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; }
summary::before { content: "\\25B8"; color: var(--soft); } details[open] > summary::before { content: "\\25BE"; }
summary .count { font-weight: 700; font-variant-numeric: tabular-nums; } summary .when { margin-left: auto; color: var(--soft); font-size: .88rem; }
details table { border-width: 1px 0 0; table-layout: fixed; }
details th:nth-child(1) { width: 13.5rem; } details th:nth-child(3) { width: 34%; }
.mark { display: inline-block; padding: 0 .55rem; border-radius: .2rem; font-size: .82rem; font-weight: 600; color: #fff;
  background: var(--mark); white-space: nowrap; }
.mark.blocker, .mark.failed { background: var(--bad); } .mark.warning, .mark.todo { background: var(--todo); } .mark.done { background: var(--done); }
.mark, .verdict, th { print-color-adjust: exact; -webkit-print-color-adjust: exact; } svg { max-width: 100%; } th svg { margin-right: .35rem; }
.none { color: var(--soft); margin: 0; }
.was { color: var(--soft); } footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; border-top: 1px solid var(--line); padding-top: .75rem; }
@media (max-width: 44rem) {
  .page { padding: 1rem .75rem 3rem; } h1 { font-size: 1.25rem; } summary .when { margin-left: 0; width: 100%; }
  table, tbody, tr, td { display: block; } thead { display: none; } tr { border-bottom: 2px solid var(--line); padding: .35rem 0; }
  td { border: 0; padding: .15rem .7rem; } td.number { text-align: left; } td.name, td.rule { min-width: 0; }
  td[data-ja]::before { color: var(--soft); margin-right: .5rem; }
  #ja:checked ~ .page td[data-ja]::before { content: attr(data-ja) ":"; } #en:checked ~ .page td[data-en]::before { content: attr(data-en) ":"; }
}
@media print {
  body { background: #fff; font-size: 11px; } .tabs { display: none; } .page { max-width: none; padding: 0 1px; } th, td { padding: .3rem .5rem; }
  details th:nth-child(1) { width: 9rem; } details th:nth-child(3) { width: 36%; } details th:nth-child(4) { width: 18%; }
  td.name { min-width: 11rem; }
  details::details-content { content-visibility: visible; height: auto; }
  tr, .figures li, .verdict, .chart { break-inside: avoid; } h2, h3, summary { break-after: avoid; }
}
"""

Time = Callable[[str], str]


def escape(text: str) -> str:
    """Text as markup, and what is hidden in it shown."""
    return html.escape(line(text))


def both(text: Text) -> str:
    """A text in both languages, of which one is shown."""
    return f'<span class="ja" lang="ja">{escape(text.ja)}</span><span class="en" lang="en">{escape(text.en)}</span>'


def moment(at: str, when: Time) -> str:
    return f'<time datetime="{escape(at)}">{escape(when(at))}</time>' if at else ""


def none(text: Text) -> str:
    return f'<p class="none">{both(text)}</p>'


def table(heads: Iterable[Text], rows: Iterable[str], name: str = "") -> str:
    head = "".join(f"<th>{both(text)}</th>" for text in heads)
    return f"<table{f' class={name}' if name else ''}><thead><tr>{head}</tr></thead><tbody>\n{''.join(rows)}</tbody></table>"


def persons(names: Iterable[str]) -> str:
    return ", ".join(f"<bdi>{escape(name)}</bdi>" for name in names)
