# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of the report's page: who will be able to sign in, and who has. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ..._core.text import Text
from .markup import Time, both, escape, moment, none, persons, table

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


def sign_in(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return none(Text("Nobody has looked yet; the stages preflight and domains do.", "未確認です（段階 preflight と domains で確認します）。"))
    others = {code: Text.same(code) for row in found["domains"] for code in row["counts"] if code not in _VERDICTS}
    columns = {**_VERDICTS, **others}
    rows = []
    for row in found["domains"]:
        numbers = "".join(
            f'<td class="number" data-ja="{escape(text.ja)}" data-en="{escape(text.en)}">{row["counts"].get(code, 0)}</td>' for code, text in columns.items()
        )
        rows.append(f"<tr><td>{escape(row['domain'])}</td>{numbers}</tr>\n")
    parts = [table((Text("Domain", "ドメイン"), *columns.values()), rows, "numbers")] if rows else []
    if found["kept_out"]:
        more = found["kept_out_count"] - len(found["kept_out"])
        rest = f" {both(Text(f'and {more} more', f'ほか{more}人'))}" if more > 0 else ""
        parts.append(f"<p>{both(_VERDICTS['no_way_in'])}: {persons(found['kept_out'])}{rest}</p>")
    return "".join(parts) + "<p><code>results/sign_in_readiness.jsonl</code></p>"


#: States of entra_arrivals_info in the order of the bars, with a colour that also tells in grey.
_ARRIVALS = {
    "arrived": (Text("arrived", "サインイン済み"), "#2e7d32"),
    "failed": (Text("failed", "失敗"), "#c62828"),
    "not_seen": (Text("not seen yet", "未確認"), "#f9a825"),
    "blocked": (Text("blocked", "ブロック中"), "#9e9e9e"),
    "not_known": (Text("not known", "不明"), "#cfd8dc"),
}


def arrivals(found: Mapping[str, Any] | None, when: Time) -> str:
    if found is None:
        return none(Text("Nobody has looked yet; the playbook arrivals does.", "未確認です（プレイブック arrivals で確認します）。"))
    rows = []
    for row in found["domains"]:
        numbers = "".join(
            f'<td class="number" data-ja="{text.ja}" data-en="{text.en}">{row["counts"].get(state, 0)}</td>' for state, (text, _colour) in _ARRIVALS.items()
        )
        rows.append(f"<tr><td>{escape(row['domain'])}</td>{numbers}<td>{_bar(row['counts'])}</td></tr>\n")
    # the heads are the legend of the bars
    heads = "".join(f"<th>{_swatch(colour)}{both(text)}</th>" for text, colour in _ARRIVALS.values())
    bars = f"<table><thead><tr><th>{both(Text('Domain', 'ドメイン'))}</th>{heads}<th></th></tr></thead><tbody>\n{''.join(rows)}</tbody></table>"
    parts = [f"<p>{both(Text(found['summary'], found['summary_ja']))} ({moment(found['at'], when)})</p>", bars]
    parts.append(_hours(found["arrivals_by_hour"], when))
    if found["failures"]:
        failures = [
            f'<tr><td class="number" data-ja="人数" data-en="Users">{row["count"]}</td>'
            f"<td><code>AADSTS{row['code']}</code> {both(Text(row['reason'], row['reason_ja']))}</td>"
            f"<td>{both(Text(row['remedy'], row['remedy_ja']))}</td></tr>\n"
            for row in found["failures"]
        ]
        parts.append(table((Text("Users", "人数"), Text("Last error", "最後のエラー"), Text("What helps", "対処")), failures))
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
    told = both(Text(f"Arrived in all: {total}", f"サインイン済みの累計: {total}人"))
    span = f"{moment(hours[0]['hour'], when)} – {moment(hours[-1]['hour'], when)}"
    size = 'width="100%" height="102" viewBox="0 0 600 102" preserveAspectRatio="none"'
    return f'<div class="chart"><p>{told} ({span})</p><svg role="img" aria-label="0 – {total}" {size}>{axis}{line}</svg></div>'
