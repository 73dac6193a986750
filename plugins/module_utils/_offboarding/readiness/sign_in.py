# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what entra_sign_in_readiness_info has found. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._core.heads import few
from ..._core.text import Text, counted
from ..finding import Finding

if TYPE_CHECKING:
    from .judged import Confirmed, Facts

FILE = "results/sign_in_readiness.jsonl"

#: What people call the parts that can be refused.
_PARTS: dict[str, Text] = {
    "roles": Text("roles", "ロール"),
    "organization": Text("whether the tenant is synchronized", "テナントの同期状態"),
    "conditional_access": Text("Conditional Access", "条件付きアクセス"),
    "security_defaults": Text("security defaults", "セキュリティの既定値群"),
    "groups": Text("members of groups that policies name", "ポリシーの対象グループのメンバー"),
    "registered_methods": Text("the report of registered methods", "認証方法の登録状況"),
    "legacy_sign_ins": Text("the sign-in log", "サインインログ"),
    "sign_in_activity": Text("the times of the last sign-in", "最終サインイン日時"),
}

#: Verdicts that a person should see: the sentence in both languages.
_WARNINGS: dict[str, Text] = {
    "looks_like_a_service": Text(
        "signed in by programs only (a script, a device, a shared mailbox). Their new password has to be entered where the old one is kept, or name them in "
        "microsoft_365_exclude and microsoft_365_signs_in_otherwise",
        "はプログラムからのみサインインしています（スクリプト、機器、共有メールボックスなど）。新しいパスワードを利用元に設定するか、microsoft_365_exclude と "
        "microsoft_365_signs_in_otherwise に指定してください",
    ),
    "legacy_client": Text(
        "used a client without modern authentication (such as SMTP AUTH, POP or IMAP). It fails once the federation ends, or where Conditional Access "
        "blocks it",
        "は先進認証に対応しないクライアント（SMTP AUTH、POP、IMAPなど）を使用しています。フェデレーションの終了後、または条件付きアクセスのブロックにより"
        "使えなくなります",
    ),
    "must_register_mfa": Text(
        "are asked for a second factor and have registered none with Entra; IIJ ID's ends with the federation. They register one at their first sign-in, so "
        "tell them before",
        "は多要素認証を求められますが、Entraに認証方法を登録していません（IIJ IDの多要素認証は終了します）。初回サインイン時に登録が必要なため、"
        "事前に案内してください",
    ),
    "no_licence": Text("are enabled and have no licence", "は有効ですが、ライセンスがありません"),
    "not_known": Text("could not be judged", "は判定できません"),
}


def _listed(found: Mapping[str, Any], code: str, count: int) -> tuple[str, tuple[str, ...]]:
    names = tuple(str(row["name"]) for row in found["users"] if row["code"] == code and not (code == "no_way_in" and row["accepted"]))
    return few(names, count), names


def findings(found: Mapping[str, Any], *, gate: bool, accepted_count: int) -> Iterator[Finding]:
    """What is told of the return values of entra_sign_in_readiness_info.

    gate: before the conversion, where only what forbids it is told. accepted_count: how many users may be left without a way in, besides those named.
    """
    open_count = int(found["no_way_in_open"])
    if open_count:
        shown, names = _listed(found, "no_way_in", open_count)
        stops = open_count > accepted_count
        severity = ("blocker" if gate else "warning") if stops else "info"
        way = Text(
            "The stage domains stops. Let them have a password (microsoft_365_passwords, microsoft_365_synced_password, microsoft_365_exclude), name who signs "
            "in otherwise in microsoft_365_signs_in_otherwise, or accept it by name in microsoft_365_accepted_no_way_in or by number in "
            "microsoft_365_accepted_no_way_in_count",
            "domainsの段階は停止します。パスワードを設定する（microsoft_365_passwords、microsoft_365_synced_password、microsoft_365_exclude を見直す）か、"
            "別の方法でサインインする人を microsoft_365_signs_in_otherwise に指定してください。そのままでよい場合は "
            "microsoft_365_accepted_no_way_in に名前を、または microsoft_365_accepted_no_way_in_count に人数を指定してください",
        )
        if not stops:
            way = Text("So many are accepted by microsoft_365_accepted_no_way_in_count", "microsoft_365_accepted_no_way_in_count で承認済み")
        yield Finding(
            severity,
            "no_way_in",
            Text(
                f"{counted(open_count, 'user', 'users')} will have no way to sign in once their domain is converted: {shown}. {way.en}. All are in {FILE}.",
                f"ドメインの変換後、{open_count}人にサインインの手段がありません: {shown}。{way.ja}。全員の一覧は {FILE} にあります。",
            ),
            names,
        )
    if gate:
        return
    yield from _overview(found)
    for code, told in _WARNINGS.items():
        if count := int(found["counts"][code]):
            shown, names = _listed(found, code, count)
            more = _further(found, code)
            who = f"{count} users {told.en}" if count > 1 else f"1 user {re.sub('^are ', 'is ', told.en).replace(' and have ', ' and has ')}"
            yield Finding("warning", f"sign_in_{code}", Text(f"{who}{more.en}: {shown}.", f"{count}人{told.ja}{more.ja}: {shown}"), names)
    for part in found["not_looked_at"]:
        what = _PARTS.get(part["part"], Text.same(part["part"]))
        yield Finding(
            "warning",
            "sign_in_not_looked_at",
            Text(
                f"Who can sign in was judged without {what.en} ({part['reason']}): {part['msg']}",
                f"{what.ja}を確認できないまま、サインインの可否を判定しました（{part['reason']}）: {part['msg']}",
            ),
            (part["part"],),
        )


def _further(found: Mapping[str, Any], code: str) -> Text:
    if code == "must_register_mfa" and found["registration_limited_by"]:
        policies = ", ".join(found["registration_limited_by"])
        return Text(f". Policies that may forbid it where they are: {policies}. The users", f"。登録を制限し得るポリシー: {policies}。対象者")
    if code == "not_known":
        reasons = sorted({reason for row in found["users"] if row["code"] == code for reason in row["reasons"]})
        return Text(f" ({', '.join(reasons)})", f"（{', '.join(reasons)}）")
    return Text("", "")


def _overview(found: Mapping[str, Any]) -> Iterator[Finding]:
    for domain in found["domains"]:
        counts = ", ".join(f"{code} {count}" for code, count in domain["counts"].items() if count)
        yield Finding(
            "info",
            "sign_in_readiness",
            Text(
                f"{domain['domain']}: sign-in of {counted(domain['total'], 'user', 'users')} after the conversion: {counts}. All are in {FILE}.",
                f"{domain['domain']}: 変換後のサインインの可否（{domain['total']}人）: {counts}。全員の一覧は {FILE} にあります。",
            ),
            (domain["domain"],),
        )


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """Before the exit. Whoever has no way in at its end, people.py tells."""
    if facts.sign_in is not None and not final:
        yield from findings(facts.sign_in, gate=False, accepted_count=confirmed.accepted_no_way_in_count)
