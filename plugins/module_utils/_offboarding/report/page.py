# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML page: Japanese and English, without script and without network. Pure."""

from __future__ import annotations

import datetime
import html
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ..._core import times
from ..._core.kinds import ACTIONS, heading
from ..._core.plain import line
from ..._core.text import Text, counted
from .. import phrases
from ..finding import SEVERITY_NAMES
from ..readiness.intune import assigned
from ..readiness.references import not_looked_at
from ..steps.plan import evidence_lost, why_open
from .plan import LISTED, LISTED_ALONE

#: Longest value of a property that is printed whole.
_VALUE_LENGTH = 160

_STATES: dict[str, Text] = {
    "open": Text("The final gate is open: nothing points at IIJ ID any more.", "最終ゲートを通過しました。IIJ IDを参照するものは残っていません。"),
    "outdated": Text(
        "The final gate had opened, and things were changed since. Run the stage final_gate again.",
        "最終ゲートの通過後に変更がありました。段階 final_gate をもう一度実行してください。",
    ),
    "closed": Text("The final gate is closed. What is left is listed below.", "最終ゲートは閉じています。残っているものは以下のとおりです。"),
    "not_judged": Text("The final gate has not been judged yet.", "最終ゲートはまだ判定されていません。"),
}

_STYLE = """
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


def page(report: Mapping[str, Any], language: str, zone: datetime.tzinfo) -> str:
    """A whole HTML document. `language` ("ja" or "en") is the one that is shown first, times are shown in `zone`."""

    def when(at: str) -> str:
        try:
            return datetime.datetime.fromisoformat(at).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z") if at else ""
        except (ValueError, OverflowError):
            return at  # of a file that somebody wrote by hand

    title = escape(report["title"])
    checked = {name: " checked" if name == language else "" for name in ("ja", "en")}
    span = (
        f"{_time(report['first'], when)} – {_time(report['last'], when)}"
        if report["first"]
        else _both(Text("Nothing was changed yet.", "まだ何も変更していません。"))
    )
    tenant = f" · {_both(Text('tenant', 'テナント'))} <code>{escape(report['tenant_id'])}</code>" if report["tenant_id"] else ""
    parts = [
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n",
        *(f'<input class="switch" type="radio" name="language" id="{name}"{mark}>\n' for name, mark in checked.items()),
        '<div class="page">\n<header><div class="tabs"><label for="ja">日本語</label><label for="en">English</label></div>',
        f"<h1>{title}</h1><p>{_both(Text('Leaving IIJ ID: report of the run', 'IIJ ID解約作業の実行報告'))} · {span}{tenant}</p></header>\n<main>\n",
        f'<p class="verdict {report["state"]}">{_both(_STATES[report["state"]])}</p>\n',
        _figures(report["counts"]),
        _section(Text("What is left", "残っているもの"), _left(report["left"], report["state"])),
        _section(Text("Steps of a person", "人が行う手順"), _steps(report["steps"], when)),
        _section(Text("What in the tenant points at IIJ ID", "テナント内でIIJ IDを参照しているもの"), _references(report["references"])),
        _section(Text("Who will be able to sign in after the conversion", "変換後にサインインできる利用者"), _sign_in(report["sign_in"])),
        _section(Text("Who has signed in since the conversion", "変換後のサインイン状況"), _arrivals(report["arrivals"], when)),
        _section(Text("What failed", "失敗したもの"), _failures([*report["failed"], *report["unfinished"]], when)),
        _section(Text("What was refused", "拒否されたもの"), _refusals(report["refused"], when)),
        _section(Text("Users who were left alone, and why", "変更しなかった利用者とその理由"), _left_alone(report["left_alone"])),
        _section(Text("What was done", "実施したこと"), _changes(report["changes"], when)),
        _section(Text("What was, before anything was changed", "変更前の状態"), _before(report["preflight"], report["snapshot"], when)),
        "</main>\n<footer>",
        _both(
            Text(
                "Every time is taken from the run's journal (journal.jsonl), which holds each change with its values before and after. Passwords and "
                "secrets are in neither.",
                "時刻はすべて実行ジャーナル（journal.jsonl）によるものです。ジャーナルには各変更の前後の値が記録されています。パスワードなどの秘密は記録されません。",
            ),
        ),
        "</footer>\n</div>\n</body>\n</html>\n",
    ]
    return times.local("".join(parts), zone)


def _both(text: Text) -> str:
    """A text in both languages, of which one is shown."""
    return f'<span class="ja" lang="ja">{escape(text.ja)}</span><span class="en" lang="en">{escape(text.en)}</span>'


def _original(msg: str) -> str:
    """An English message in full, for readers of Japanese whose own text says only what its code means."""
    if phrases.understood(msg):
        return ""
    return f'<details class="original ja"><summary>原文（英語）</summary><span lang="en">{escape(msg)}</span></details>'


def _coded(code: str, msg: str) -> str:
    return _both(phrases.by_code(code, msg)) + _original(msg)


def _way_back(undo: str) -> str:
    return _both(phrases.understood(undo) or Text(undo, "原文を参照してください。")) + _original(undo) if undo else ""


def _place(item: Mapping[str, Any]) -> str:
    """Where an object points at IIJ ID, or why it was not looked at."""
    if not item["reason"]:
        whom = assigned(item)
        return _both(phrases.reasons(item["msg"].split("; "))) + (f"<br>{_both(whom)}" if whom else "")
    return _both(Text(item["msg"], not_looked_at(item["reason"], item["msg"]))) + _original(item["msg"])


def _time(at: str, when: Time) -> str:
    return f'<time datetime="{escape(at)}">{escape(when(at))}</time>' if at else ""


def _section(title: Text, body: str) -> str:
    return f"<section>\n<h2>{_both(title)}</h2>\n{body}\n</section>\n"


def _none(text: Text) -> str:
    return f'<p class="none">{_both(text)}</p>'


def _table(heads: Iterable[Text], rows: Iterable[str], name: str = "") -> str:
    head = "".join(f"<th>{_both(text)}</th>" for text in heads)
    return f"<table{f' class={name}' if name else ''}><thead><tr>{head}</tr></thead><tbody>\n{''.join(rows)}</tbody></table>"


def _figures(counts: Mapping[str, int]) -> str:
    figures = [
        ("good" if counts["done"] else "", counts["done"], Text("changes done", "実施した変更")),
        ("bad" if counts["failed"] else "", counts["failed"], Text("failed", "失敗")),
        ("bad" if counts["refused"] else "", counts["refused"], Text("refused", "拒否")),
        (
            "wait" if counts["steps_open"] else "good" if counts["steps"] else "",
            f"{counts['steps'] - counts['steps_open']}/{counts['steps']}",
            Text("steps of a person", "人が行う手順"),
        ),
        ("wait" if counts["left"] else "", counts["left"], Text("left", "残り")),
    ]
    items = "".join(f'<li class="{mark}"><b>{value}</b>{_both(text)}</li>' for mark, value, text in figures)
    return f'<ul class="figures">{items}</ul>\n'


def _findings(findings: Iterable[Mapping[str, Any]]) -> str:
    rows = (
        f'<tr><td><span class="mark {item["severity"]}">{_both(SEVERITY_NAMES[item["severity"]])}</span></td><td>{_finding(Text.of(item))}</td></tr>\n'
        for item in findings
    )
    return _table((Text("Kind", "種類"), Text("Finding", "内容")), rows)


def _finding(text: Text) -> str:
    """A finding, in which each of several objects has a line of its own."""
    lines = {language: "<br>".join(map(escape, getattr(text, language).split(" | "))) for language in ("ja", "en")}
    return "".join(f'<span class="{language}" lang="{language}">{shown}</span>' for language, shown in lines.items())


def _left(left: list[Mapping[str, Any]], state: str) -> str:
    if left:
        others = [item for item in left if item["code"] != "step_not_done"]  # these have a section of their own
        count = len(left) - len(others)
        told = Text(f"{counted(count, 'step', 'steps')} of a person, see below.", f"人が行う手順が{count}件あります（次の一覧）。")
        steps = f"<p>{_both(told)}</p>" if count else ""
        return steps + (_findings(others) if others else "")
    if state == "open":
        return _none(Text("Nothing.", "ありません。"))
    if state == "outdated":
        return _none(_STATES[state])
    return _none(Text("Not judged yet; the stage final_gate does that.", "未判定です（段階 final_gate で判定します）。"))


def _steps(steps: Iterable[Mapping[str, Any]], when: Time) -> str:
    rows = []
    for step in sorted(steps, key=lambda step: (step["done"], not step["blocks_final_gate"])):
        if step["done"]:
            mark = f'<span class="mark done">{_both(Text("done", "完了"))}</span>'
            who = f"{escape(step['by'])}<br>{_time(step['at'], when)}" + (f"<br>{escape(step['note'])}" if step["note"] else "")
        else:
            mark = f'<span class="mark {"todo" if step["blocks_final_gate"] else ""}">{_both(Text("open", "未完了"))}</span>'
            who = "" if step["blocks_final_gate"] else _both(Text("does not keep the final gate closed", "最終ゲートには影響しない"))
            if (why := why_open(step, when)) is not None:
                who = "<br>".join(filter(None, (who, _both(why))))
        source = f"<br><code>{escape(step['source'])}</code>" if step["source"] else ""
        if step.get("notice"):  # relative to the report, which lies in the run folder as it does
            source += f'<br><a href="{escape(step["notice"])}">{_both(Text("Notice for the users", "利用者への案内文"))}</a>'
        what = f"{_both(Text.of(step))}<br><code>{escape(step['id'])}</code>{source}{_found(step)}{_evidence(step, when)}"
        rows.append(f"<tr><td>{mark}</td><td>{what}</td><td>{who}</td></tr>\n")
    heads = (Text("State", "状態"), Text("What to do", "内容"), Text("Who and when", "確認者と日時"))
    return _table(heads, rows) if rows else _none(Text("None is registered.", "登録されていません。"))


def _found(step: Mapping[str, Any]) -> str:
    """What was found last that the step is about."""
    if not step.get("found_count"):
        return ""
    items = "".join(f"<li>{_both(Text.of(item))}</li>" for item in step["found"])
    more = step["found_count"] - len(step["found"])
    rest = f"<li>{_both(Text(f'and {more} more', f'ほか{more}件'))}</li>" if more > 0 else ""
    return f"<br>{_both(Text('Found', '検出されたもの'))}: <ul>{items}{rest}</ul>"


def _evidence(step: Mapping[str, Any], when: Time) -> str:
    """The files that were attached, with what has become of them; the links lead into the run folder, where the report lies."""
    if not step.get("evidence"):
        return ""
    items = []
    for entry in step["evidence"]:
        link = f'<a href="{escape(quote(entry["file"]))}">{escape(entry["name"])}</a> <code>{escape(entry["file"])}</code>'
        size = _both(Text(f"{entry['bytes']:,} bytes", f"{entry['bytes']:,} バイト"))
        items.append(f"<li>{link}<br>{size} · SHA-256 <code>{escape(entry['sha256'])}</code> · {escape(entry['by'])} · {_time(entry['at'], when)}</li>")
    lost = "".join(f'<br><span class="mark warning">{_both(SEVERITY_NAMES["warning"])}</span> {_both(text)}' for text in evidence_lost(step))
    return f"<br>{_both(Text('Evidence', '証跡'))}: <ul>{''.join(items)}</ul>{lost}"


def _failures(entries: Iterable[Mapping[str, Any]], when: Time) -> str:
    rows = []
    for entry in entries:
        unfinished = entry["status"] == "unfinished"
        why = (
            _both(
                Text(
                    "The run ended before the outcome was known. Run the stage again: it reads the real state first.",
                    "結果が記録される前に実行が終了しました。もう一度実行すると実際の状態を確かめてから続行します。",
                ),
            )
            if unfinished
            else f"<code>{escape(entry['code'])}</code> {_coded(entry['code'], entry['msg'])}"
        )
        what = f"{_kind(entry['kind'])} · {_action(entry['action'])}<br><b>{escape(entry['name'])}</b>"
        rows.append(f'<tr><td class="time">{_time(entry["at"], when)}</td><td class="name">{what}</td><td>{why}</td></tr>\n')
    return _table((Text("When", "日時"), Text("What", "対象"), Text("Why", "理由")), rows) if rows else _none(Text("Nothing.", "ありません。"))


def _refusals(refused: Iterable[Mapping[str, Any]], when: Time) -> str:
    rows = []
    for item in refused:
        times = f"<br>× {item['times']}" if item["times"] > 1 else ""
        rule = f"<code>{escape(item['rule'])}</code>"
        rows.append(
            f'<tr><td class="time">{_time(item["at"], when)}{times}</td><td class="rule">{rule}</td>'
            f"<td>{_both(phrases.refused(item))}{_original(item['msg'])}</td></tr>\n"
        )
    return _table((Text("Last time", "最後の日時"), Text("Rule", "規則"), Text("Why", "理由")), rows) if rows else _none(Text("Nothing.", "ありません。"))


def _left_alone(groups: Iterable[Mapping[str, Any]]) -> str:
    rows = []
    for group in groups:
        more = group["count"] - len(group["names"])
        rest = f"<br>{_both(Text(f'and {more} more', f'ほか{more}人'))}" if more > 0 else ""
        why = f"<code>{escape(group['code'])}</code><br>{_coded(group['code'], group['msg'])}"
        names = f"{_names(group['names'][:LISTED_ALONE])}{rest}<br><code>results/{escape(group['file'])}</code>"
        rows.append(f'<tr><td class="number" data-ja="人数" data-en="Number">{group["count"]}</td><td>{why}</td><td>{names}</td></tr>\n')
    heads = (Text("Number", "人数"), Text("Why (of the first)", "理由（1人目のもの）"), Text("Who", "利用者"))
    return _table(heads, rows) if rows else _none(Text("Nobody.", "いません。"))


def _references(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return _none(Text("Nobody has looked yet; the stages preflight and final_gate do.", "未確認です（段階 preflight と final_gate で確認します）。"))
    parts = []
    heads = (Text("Kind", "種類"), Text("Object", "対象"), Text("Where, or why not looked at", "箇所、または確認できない理由"))
    names = (("references", Text("Points at IIJ ID", "IIJ IDを参照")), ("not_looked_at", Text("Not looked at", "確認できていないもの")))
    for name, title in names:
        rows = []
        for item in found[name]:
            kind = _both(heading(item["kind"]))
            named = f"<b>{escape(item['name'])}</b><br>" if item["name"] else ""
            what = f"{named}<code>{escape(item['id'] or item['kind'])}</code>"
            where = "".join(f"<code>{escape(item[part])}</code> " for part in ("reason", "path") if item[part])
            rows.append(f"<tr><td>{kind}</td><td>{what}</td><td>{where}{_place(item)}</td></tr>\n")
        more = found[f"{name}_count"] - len(rows)
        if more > 0:
            rows.append(f'<tr><td colspan="3">{_both(Text(f"{more} more: see results/.", f"ほか{more}件は results/ にあります。"))}</td></tr>\n')
        parts.append(f"<h3>{_both(title)}: {found[f'{name}_count']}</h3>" + (_table(heads, rows) if rows else _none(Text("Nothing.", "ありません。"))))
    return "".join(parts)


#: Verdicts of entra_sign_in_readiness_info in the order of the columns.
_VERDICTS = {
    "ready": Text("ready", "準備完了"),
    "must_register_mfa": Text("registers a second factor at the first sign-in", "初回に多要素認証の登録が必要"),
    "no_way_in": Text("no way in", "サインイン不可"),
    "legacy_client": Text("uses an old client", "旧式クライアントを使用"),
    "looks_like_a_service": Text("looks like a service", "サービス用アカウントの可能性"),
    "no_licence": Text("no licence", "ライセンスなし"),
    "blocked": Text("blocked", "ブロック中"),
    "not_known": Text("could not be judged", "判定不可"),
}


def _sign_in(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return _none(Text("Nobody has looked yet; the stages preflight and domains do.", "未確認です（段階 preflight と domains で確認します）。"))
    others = {code: Text.same(code) for row in found["domains"] for code in row["counts"] if code not in _VERDICTS}
    columns = {**_VERDICTS, **others}
    rows = []
    for row in found["domains"]:
        numbers = "".join(
            f'<td class="number" data-ja="{escape(text.ja)}" data-en="{escape(text.en)}">{row["counts"].get(code, 0)}</td>' for code, text in columns.items()
        )
        rows.append(f"<tr><td>{escape(row['domain'])}</td>{numbers}</tr>\n")
    parts = [_table((Text("Domain", "ドメイン"), *columns.values()), rows, "numbers")] if rows else []
    if found["kept_out"]:
        more = found["kept_out_count"] - len(found["kept_out"])
        rest = f" {_both(Text(f'and {more} more', f'ほか{more}人'))}" if more > 0 else ""
        parts.append(f"<p>{_both(_VERDICTS['no_way_in'])}: {_names(found['kept_out'])}{rest}</p>")
    return "".join(parts) + "<p><code>results/sign_in_readiness.jsonl</code></p>"


#: States of entra_arrivals_info in the order of the bars, with a colour that also tells in grey.
_ARRIVALS = {
    "arrived": (Text("arrived", "サインイン済み"), "#2e7d32"),
    "failed": (Text("failed", "失敗"), "#c62828"),
    "not_seen": (Text("not seen yet", "未確認"), "#f9a825"),
    "blocked": (Text("blocked", "ブロック中"), "#9e9e9e"),
    "not_known": (Text("not known", "不明"), "#cfd8dc"),
}


def _arrivals(found: Mapping[str, Any] | None, when: Time) -> str:
    if found is None:
        return _none(Text("Nobody has looked yet; the playbook arrivals does.", "未確認です（プレイブック arrivals で確認します）。"))
    rows = []
    for row in found["domains"]:
        numbers = "".join(
            f'<td class="number" data-ja="{text.ja}" data-en="{text.en}">{row["counts"].get(state, 0)}</td>' for state, (text, _colour) in _ARRIVALS.items()
        )
        rows.append(f"<tr><td>{escape(row['domain'])}</td>{numbers}<td>{_bar(row['counts'])}</td></tr>\n")
    # the heads are the legend of the bars
    heads = "".join(f"<th>{_swatch(colour)}{_both(text)}</th>" for text, colour in _ARRIVALS.values())
    table = f"<table><thead><tr><th>{_both(Text('Domain', 'ドメイン'))}</th>{heads}<th></th></tr></thead><tbody>\n{''.join(rows)}</tbody></table>"
    parts = [f"<p>{_both(Text(found['summary'], found['summary_ja']))} ({_time(found['at'], when)})</p>", table]
    parts.append(_hours(found["arrivals_by_hour"], when))
    if found["failures"]:
        failures = [
            f'<tr><td class="number" data-ja="人数" data-en="Users">{row["count"]}</td>'
            f"<td><code>AADSTS{row['code']}</code> {_both(Text(row['reason'], row['reason_ja']))}</td>"
            f"<td>{_both(Text(row['remedy'], row['remedy_ja']))}</td></tr>\n"
            for row in found["failures"]
        ]
        parts.append(_table((Text("Users", "人数"), Text("Last error", "最後のエラー"), Text("What helps", "対処")), failures))
    return "".join(parts)


def _swatch(colour: str) -> str:
    return f'<svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true"><rect width="10" height="10" fill="{colour}"/></svg>'


def _bar(counts: Mapping[str, int]) -> str:
    """The states of a domain as one bar of 200 units."""
    total, at, parts, labels = max(1, sum(counts.values())), 0.0, [], []
    for state, (text, colour) in _ARRIVALS.items():
        width = 200 * counts.get(state, 0) / total
        if width:
            label = f"{text.en} / {text.ja}: {counts[state]}"
            labels.append(label)
            parts.append(f'<rect x="{at:.1f}" y="0" width="{width:.1f}" height="12" fill="{colour}"><title>{escape(label)}</title></rect>')
        at += width
    label = escape(", ".join(labels) or "0")
    return f'<svg role="img" aria-label="{label}" width="200" height="12" viewBox="0 0 200 12" preserveAspectRatio="none">{"".join(parts)}</svg>'


def _hours(hours: list[Mapping[str, Any]], when: Time) -> str:
    """How many of those who have arrived had done so by each hour: a line that rises."""
    if len(hours) < 2:
        return ""
    times = [datetime.datetime.fromisoformat(row["hour"]).timestamp() for row in hours]
    total, sofar, points = sum(row["count"] for row in hours), 0, []
    for time, row in zip(times, hours, strict=True):
        sofar += row["count"]
        points.append(f"{600 * (time - times[0]) / max(1.0, times[-1] - times[0]):.1f},{100 - 95 * sofar / max(1, total):.1f}")
    line = f'<polyline points="{" ".join(points)}" fill="none" stroke="#2e7d32" stroke-width="2"/>'
    axis = '<line x1="0" y1="100" x2="600" y2="100" stroke="#9e9e9e"/>'
    told = _both(Text(f"Arrived in all: {total}", f"サインイン済みの累計: {total}人"))
    span = f"{_time(hours[0]['hour'], when)} – {_time(hours[-1]['hour'], when)}"
    size = 'width="100%" height="102" viewBox="0 0 600 102" preserveAspectRatio="none"'
    return f'<div class="chart"><p>{told} ({span})</p><svg role="img" aria-label="0 – {total}" {size}>{axis}{line}</svg></div>'


def _changes(groups: Iterable[Mapping[str, Any]], when: Time) -> str:
    parts = []
    for group in groups:
        span = _time(group["first"], when) + (f" – {_time(group['last'], when)}" if group["last"] != group["first"] else "")
        rows = [
            f'<tr><td class="time">{_time(item["at"], when)}</td><td><b>{escape(item["name"])}</b>{_identity(item)}</td>'
            f"<td>{_difference(item['before'], item['after'])}</td><td>{_way_back(item['undo'] or '')}</td></tr>\n"
            for item in group["objects"]
        ]
        more = group["count"] - len(rows)
        if more > 0:
            text = _both(
                Text(f"{more} more: see journal.jsonl; the first {LISTED} are listed.", f"ほか{more}件は journal.jsonl にあります（先頭{LISTED}件を表示）。")
            )
            rows.append(f'<tr><td colspan="4">{text}</td></tr>\n')
        table = _table((Text("When", "日時"), Text("Object", "対象"), Text("Before → after", "変更前 → 変更後"), Text("Way back", "元に戻す方法")), rows)
        head = f'<span class="count">{group["count"]}</span><span>{_kind(group["kind"])}: {_action(group["action"])}</span><span class="when">{span}</span>'
        parts.append(f"<details><summary>{head}</summary>{table}</details>\n")
    return "".join(parts) or _none(Text("Nothing yet.", "まだありません。"))


def _identity(item: Mapping[str, Any]) -> str:
    return "" if item["id"] == item["name"] else f"<br><code>{escape(item['id'])}</code>"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"<bdi>{escape(name)}</bdi>" for name in names)


def _kind(kind: str) -> str:
    return _both(heading(kind))


def _action(action: str) -> str:
    return _both(ACTIONS.get(action, Text.same(action)))


def _difference(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    lines = []
    for name in dict.fromkeys([*(before or {}), *(after or {})]):
        old = _value((before or {}).get(name)) if before is not None else ""
        new = _value((after or {}).get(name)) if after is not None else ""
        arrow = " → " if old and new else ""
        # each for itself: between two names that are written from the right, the arrow would point from the new one to the old one
        lines.append(f'<code>{escape(name)}</code>: <bdi class="was">{old}</bdi>{arrow}<bdi>{new}</bdi>')
    if after is None and before is not None:
        lines.append(_both(Text("→ removed", "→ 削除")))
    return "<br>".join(lines)


_NAMES_OF_VALUES = {None: Text("(none)", "（なし）"), True: Text("yes", "はい"), False: Text("no", "いいえ"), "": Text("(empty)", "（空）")}


def _value(value: Any) -> str:
    """A property as people read it, in both languages where it is no text of its own."""
    if value is None or value == "" or isinstance(value, bool):
        return _both(_NAMES_OF_VALUES[value])
    text = _words(value)
    return escape(text if len(text) <= _VALUE_LENGTH else f"{text[:_VALUE_LENGTH]}…")


def _words(value: Any) -> str:
    """A list or a mapping without the marks of JSON, as far as nothing lies deeper in it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if isinstance(value, Mapping) and value and not any(isinstance(item, (list, Mapping)) for item in value.values()):
        return ", ".join(f"{name}: {item if isinstance(item, str) else json.dumps(item)}" for name, item in sorted(value.items()))
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _before(preflight: list[Mapping[str, Any]], snapshot: Mapping[str, Any], when: Time) -> str:
    parts = [_findings(preflight) if preflight else _none(Text("The stage preflight has not been recorded.", "段階 preflight の記録がありません。"))]
    if snapshot:
        counts = snapshot["counts"] if isinstance(snapshot.get("counts"), Mapping) else {}
        what = ", ".join(f"<code>{escape(str(name))}</code> {escape(str(count))}" for name, count in sorted(counts.items()))
        told = " · ".join(filter(None, (_time(str(snapshot.get("taken") or ""), when), what))) or _both(Text("there", "あり"))
        parts.append(f'<p class="soft">{_both(Text("Snapshot (encrypted)", "スナップショット（暗号化）"))}: {told}</p>')
    return "\n".join(parts)
