# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one HTML page: Japanese and English, without script and without network. Pure."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ..._core import times
from ..._core.kinds import ACTIONS, heading
from ..._core.text import Text, counted
from .. import phrases
from ..finding import SEVERITY_NAMES
from ..readiness.intune import assigned
from ..readiness.references import not_looked_at
from ..steps.plan import evidence_lost, why_open
from . import people
from .markup import STYLE, Time, both, escape, moment, none, persons, table
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
        f"{moment(report['first'], when)} – {moment(report['last'], when)}"
        if report["first"]
        else both(Text("Nothing was changed yet.", "まだ何も変更していません。"))
    )
    tenant = f" · {both(Text('tenant', 'テナント'))} <code>{escape(report['tenant_id'])}</code>" if report["tenant_id"] else ""
    parts = [
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        *(f'<input class="switch" type="radio" name="language" id="{name}"{mark}>\n' for name, mark in checked.items()),
        '<div class="page">\n<header><div class="tabs"><label for="ja">日本語</label><label for="en">English</label></div>',
        f"<h1>{title}</h1><p>{both(Text('Leaving IIJ ID: report of the run', 'IIJ ID解約作業の実行報告'))} · {span}{tenant}</p></header>\n<main>\n",
        f'<p class="verdict {report["state"]}">{both(_STATES[report["state"]])}</p>\n',
        _figures(report["counts"]),
        _section(Text("What is left", "残っているもの"), _left(report["left"], report["state"])),
        _section(Text("Steps of a person", "人が行う手順"), _steps(report["steps"], when)),
        _section(Text("What in the tenant points at IIJ ID", "テナント内でIIJ IDを参照しているもの"), _references(report["references"])),
        _section(Text("Who will be able to sign in after the conversion", "変換後にサインインできる利用者"), people.sign_in(report["sign_in"])),
        _section(Text("Who has signed in since the conversion", "変換後のサインイン状況"), people.arrivals(report["arrivals"], when)),
        _section(Text("What failed", "失敗したもの"), _failures([*report["failed"], *report["unfinished"]], when)),
        _section(Text("What was refused", "拒否されたもの"), _refusals(report["refused"], when)),
        _section(Text("Users who were left alone, and why", "変更しなかった利用者とその理由"), _left_alone(report["left_alone"])),
        _section(Text("What was done", "実施したこと"), _changes(report["changes"], when)),
        _section(Text("What was, before anything was changed", "変更前の状態"), _before(report["preflight"], report["snapshot"], when)),
        "</main>\n<footer>",
        both(
            Text(
                "Every time is taken from the run's journal (journal.jsonl), which holds each change with its values before and after. Passwords and "
                "secrets are in neither.",
                "時刻はすべて実行ジャーナル（journal.jsonl）によるものです。ジャーナルには各変更の前後の値が記録されています。パスワードなどの秘密は記録されません。",
            ),
        ),
        "</footer>\n</div>\n</body>\n</html>\n",
    ]
    return times.local("".join(parts), zone)


def _original(msg: str) -> str:
    """An English message in full, for readers of Japanese whose own text says only what its code means."""
    if phrases.understood(msg):
        return ""
    return f'<details class="original ja"><summary>原文（英語）</summary><span lang="en">{escape(msg)}</span></details>'


def _coded(code: str, msg: str) -> str:
    return both(phrases.by_code(code, msg)) + _original(msg)


def _way_back(undo: str) -> str:
    return both(phrases.understood(undo) or Text(undo, "原文を参照してください。")) + _original(undo) if undo else ""


def _place(item: Mapping[str, Any]) -> str:
    """Where an object points at IIJ ID, or why it was not looked at."""
    if not item["reason"]:
        whom = assigned(item)
        return both(phrases.reasons(item["msg"].split("; "))) + (f"<br>{both(whom)}" if whom else "")
    return both(Text(item["msg"], not_looked_at(item["reason"], item["msg"]))) + _original(item["msg"])


def _section(title: Text, body: str) -> str:
    return f"<section>\n<h2>{both(title)}</h2>\n{body}\n</section>\n"


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
    items = "".join(f'<li class="{mark}"><b>{value}</b>{both(text)}</li>' for mark, value, text in figures)
    return f'<ul class="figures">{items}</ul>\n'


def _findings(findings: Iterable[Mapping[str, Any]]) -> str:
    rows = (
        f'<tr><td><span class="mark {item["severity"]}">{both(SEVERITY_NAMES[item["severity"]])}</span></td><td>{_finding(Text.of(item))}</td></tr>\n'
        for item in findings
    )
    return table((Text("Kind", "種類"), Text("Finding", "内容")), rows)


def _finding(text: Text) -> str:
    """A finding, in which each of several objects has a line of its own."""
    lines = {language: "<br>".join(map(escape, getattr(text, language).split(" | "))) for language in ("ja", "en")}
    return "".join(f'<span class="{language}" lang="{language}">{shown}</span>' for language, shown in lines.items())


def _left(left: list[Mapping[str, Any]], state: str) -> str:
    if left:
        others = [item for item in left if item["code"] != "step_not_done"]  # these have a section of their own
        count = len(left) - len(others)
        told = Text(f"{counted(count, 'step', 'steps')} of a person, see below.", f"人が行う手順が{count}件あります（次の一覧）。")
        steps = f"<p>{both(told)}</p>" if count else ""
        return steps + (_findings(others) if others else "")
    if state == "open":
        return none(Text("Nothing.", "ありません。"))
    if state == "outdated":
        return none(_STATES[state])
    return none(Text("Not judged yet; the stage final_gate does that.", "未判定です（段階 final_gate で判定します）。"))


def _steps(steps: Iterable[Mapping[str, Any]], when: Time) -> str:
    rows = []
    for step in sorted(steps, key=lambda step: (step["done"], not step["blocks_final_gate"])):
        if step["done"]:
            mark = f'<span class="mark done">{both(Text("done", "完了"))}</span>'
            who = f"{escape(step['by'])}<br>{moment(step['at'], when)}" + (f"<br>{escape(step['note'])}" if step["note"] else "")
        else:
            mark = f'<span class="mark {"todo" if step["blocks_final_gate"] else ""}">{both(Text("open", "未完了"))}</span>'
            who = "" if step["blocks_final_gate"] else both(Text("does not keep the final gate closed", "最終ゲートには影響しない"))
            if (why := why_open(step, when)) is not None:
                who = "<br>".join(filter(None, (who, both(why))))
        source = f"<br><code>{escape(step['source'])}</code>" if step["source"] else ""
        if step.get("notice"):  # relative to the report, which lies in the run folder as it does
            source += f'<br><a href="{escape(step["notice"])}">{both(Text("Notice for the users", "利用者への案内文"))}</a>'
        what = f"{both(Text.of(step))}<br><code>{escape(step['id'])}</code>{source}{_found(step)}{_evidence(step, when)}"
        rows.append(f"<tr><td>{mark}</td><td>{what}</td><td>{who}</td></tr>\n")
    heads = (Text("State", "状態"), Text("What to do", "内容"), Text("Who and when", "確認者と日時"))
    return table(heads, rows) if rows else none(Text("None is registered.", "登録されていません。"))


def _found(step: Mapping[str, Any]) -> str:
    """What was found last that the step is about."""
    if not step.get("found_count"):
        return ""
    items = "".join(f"<li>{both(Text.of(item))}</li>" for item in step["found"])
    more = step["found_count"] - len(step["found"])
    rest = f"<li>{both(Text(f'and {more} more', f'ほか{more}件'))}</li>" if more > 0 else ""
    return f"<br>{both(Text('Found', '検出されたもの'))}: <ul>{items}{rest}</ul>"


def _evidence(step: Mapping[str, Any], when: Time) -> str:
    """The files that were attached, with what has become of them; the links lead into the run folder, where the report lies."""
    if not step.get("evidence"):
        return ""
    items = []
    for entry in step["evidence"]:
        link = f'<a href="{escape(quote(entry["file"]))}">{escape(entry["name"])}</a> <code>{escape(entry["file"])}</code>'
        size = both(Text(f"{entry['bytes']:,} bytes", f"{entry['bytes']:,} バイト"))
        items.append(f"<li>{link}<br>{size} · SHA-256 <code>{escape(entry['sha256'])}</code> · {escape(entry['by'])} · {moment(entry['at'], when)}</li>")
    lost = "".join(f'<br><span class="mark warning">{both(SEVERITY_NAMES["warning"])}</span> {both(text)}' for text in evidence_lost(step))
    return f"<br>{both(Text('Evidence', '証跡'))}: <ul>{''.join(items)}</ul>{lost}"


def _failures(entries: Iterable[Mapping[str, Any]], when: Time) -> str:
    rows = []
    for entry in entries:
        unfinished = entry["status"] == "unfinished"
        why = (
            both(
                Text(
                    "The run ended before the outcome was known. Run the stage again: it reads the real state first.",
                    "結果が記録される前に実行が終了しました。もう一度実行すると実際の状態を確かめてから続行します。",
                ),
            )
            if unfinished
            else f"<code>{escape(entry['code'])}</code> {_coded(entry['code'], entry['msg'])}"
        )
        what = f"{_kind(entry['kind'])} · {_action(entry['action'])}<br><b>{escape(entry['name'])}</b>"
        rows.append(f'<tr><td class="time">{moment(entry["at"], when)}</td><td class="name">{what}</td><td>{why}</td></tr>\n')
    return table((Text("When", "日時"), Text("What", "対象"), Text("Why", "理由")), rows) if rows else none(Text("Nothing.", "ありません。"))


def _refusals(refused: Iterable[Mapping[str, Any]], when: Time) -> str:
    rows = []
    for item in refused:
        times = f"<br>× {item['times']}" if item["times"] > 1 else ""
        rule = f"<code>{escape(item['rule'])}</code>"
        rows.append(
            f'<tr><td class="time">{moment(item["at"], when)}{times}</td><td class="rule">{rule}</td>'
            f"<td>{both(phrases.refused(item))}{_original(item['msg'])}</td></tr>\n"
        )
    return table((Text("Last time", "最後の日時"), Text("Rule", "規則"), Text("Why", "理由")), rows) if rows else none(Text("Nothing.", "ありません。"))


def _left_alone(groups: Iterable[Mapping[str, Any]]) -> str:
    rows = []
    for group in groups:
        more = group["count"] - len(group["names"])
        rest = f"<br>{both(Text(f'and {more} more', f'ほか{more}人'))}" if more > 0 else ""
        why = f"<code>{escape(group['code'])}</code><br>{_coded(group['code'], group['msg'])}"
        names = f"{persons(group['names'][:LISTED_ALONE])}{rest}<br><code>results/{escape(group['file'])}</code>"
        rows.append(f'<tr><td class="number" data-ja="人数" data-en="Number">{group["count"]}</td><td>{why}</td><td>{names}</td></tr>\n')
    heads = (Text("Number", "人数"), Text("Why (of the first)", "理由（1人目のもの）"), Text("Who", "利用者"))
    return table(heads, rows) if rows else none(Text("Nobody.", "いません。"))


def _references(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return none(Text("Nobody has looked yet; the stages preflight and final_gate do.", "未確認です（段階 preflight と final_gate で確認します）。"))
    parts = []
    heads = (Text("Kind", "種類"), Text("Object", "対象"), Text("Where, or why not looked at", "箇所、または確認できない理由"))
    names = (("references", Text("Points at IIJ ID", "IIJ IDを参照")), ("not_looked_at", Text("Not looked at", "確認できていないもの")))
    for name, title in names:
        rows = []
        for item in found[name]:
            kind = both(heading(item["kind"]))
            named = f"<b>{escape(item['name'])}</b><br>" if item["name"] else ""
            what = f"{named}<code>{escape(item['id'] or item['kind'])}</code>"
            where = "".join(f"<code>{escape(item[part])}</code> " for part in ("reason", "path") if item[part])
            rows.append(f"<tr><td>{kind}</td><td>{what}</td><td>{where}{_place(item)}</td></tr>\n")
        more = found[f"{name}_count"] - len(rows)
        if more > 0:
            rows.append(f'<tr><td colspan="3">{both(Text(f"{more} more: see results/.", f"ほか{more}件は results/ にあります。"))}</td></tr>\n')
        parts.append(f"<h3>{both(title)}: {found[f'{name}_count']}</h3>" + (table(heads, rows) if rows else none(Text("Nothing.", "ありません。"))))
    return "".join(parts)


def _changes(groups: Iterable[Mapping[str, Any]], when: Time) -> str:
    parts = []
    for group in groups:
        span = moment(group["first"], when) + (f" – {moment(group['last'], when)}" if group["last"] != group["first"] else "")
        rows = [
            f'<tr><td class="time">{moment(item["at"], when)}</td><td><b>{escape(item["name"])}</b>{_identity(item)}</td>'
            f"<td>{_difference(item['before'], item['after'])}</td><td>{_way_back(item['undo'] or '')}</td></tr>\n"
            for item in group["objects"]
        ]
        more = group["count"] - len(rows)
        if more > 0:
            text = both(
                Text(f"{more} more: see journal.jsonl; the first {LISTED} are listed.", f"ほか{more}件は journal.jsonl にあります（先頭{LISTED}件を表示）。")
            )
            rows.append(f'<tr><td colspan="4">{text}</td></tr>\n')
        changed = table((Text("When", "日時"), Text("Object", "対象"), Text("Before → after", "変更前 → 変更後"), Text("Way back", "元に戻す方法")), rows)
        head = f'<span class="count">{group["count"]}</span><span>{_kind(group["kind"])}: {_action(group["action"])}</span><span class="when">{span}</span>'
        parts.append(f"<details><summary>{head}</summary>{changed}</details>\n")
    return "".join(parts) or none(Text("Nothing yet.", "まだありません。"))


def _identity(item: Mapping[str, Any]) -> str:
    return "" if item["id"] == item["name"] else f"<br><code>{escape(item['id'])}</code>"


def _kind(kind: str) -> str:
    return both(heading(kind))


def _action(action: str) -> str:
    return both(ACTIONS.get(action, Text.same(action)))


def _difference(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    lines = []
    for name in dict.fromkeys([*(before or {}), *(after or {})]):
        old = _value((before or {}).get(name)) if before is not None else ""
        new = _value((after or {}).get(name)) if after is not None else ""
        arrow = " → " if old and new else ""
        # each for itself: between two names that are written from the right, the arrow would point from the new one to the old one
        lines.append(f'<code>{escape(name)}</code>: <bdi class="was">{old}</bdi>{arrow}<bdi>{new}</bdi>')
    if after is None and before is not None:
        lines.append(both(Text("→ removed", "→ 削除")))
    return "<br>".join(lines)


_NAMES_OF_VALUES = {None: Text("(none)", "（なし）"), True: Text("yes", "はい"), False: Text("no", "いいえ"), "": Text("(empty)", "（空）")}


def _value(value: Any) -> str:
    """A property as people read it, in both languages where it is no text of its own."""
    if value is None or value == "" or isinstance(value, bool):
        return both(_NAMES_OF_VALUES[value])
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
    parts = [_findings(preflight) if preflight else none(Text("The stage preflight has not been recorded.", "段階 preflight の記録がありません。"))]
    if snapshot:
        counts = snapshot["counts"] if isinstance(snapshot.get("counts"), Mapping) else {}
        what = ", ".join(f"<code>{escape(str(name))}</code> {escape(str(count))}" for name, count in sorted(counts.items()))
        told = " · ".join(filter(None, (moment(str(snapshot.get("taken") or ""), when), what))) or both(Text("there", "あり"))
        parts.append(f'<p class="soft">{both(Text("Snapshot (encrypted)", "スナップショット（暗号化）"))}: {told}</p>')
    return "\n".join(parts)
