# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The users of these domains before the exit: how many, who is blocked, what the snapshot would keep, whether the limit lets the stages work. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._core import names
from ..._core.heads import few
from ..._core.text import Text, counted
from .. import phrases
from ..finding import Finding
from ..going_back import Way
from ..quiet import mostly
from .candidate import Candidate

if TYPE_CHECKING:
    from .judged import Confirmed, Facts


def findings(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """What is so before the exit."""
    yield from _of_domains(facts, confirmed)
    yield from _provisioning(facts, confirmed)
    yield from _max_users(facts, confirmed)


def _of_domains(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    for domain in facts.users or ():
        counts = {name: int(domain["counts"].get(name, 0)) for name in ("total", "blocked", "unlicensed", "without_usage_location", "synced")}
        name = domain["domain"]
        need = counts["total"] - counts["synced"]
        if not counts["total"]:
            continue
        synced = (
            Text(
                f" Synchronized from Active Directory, and served by password hash synchronization or not at all: {counts['synced']}.",
                f"{counts['synced']}人はActive Directoryから同期（パスワードハッシュ同期の有無を確認）。",
            )
            if counts["synced"]
            else Text("", "")
        )
        yield Finding(
            "info",
            "users_affected",
            Text(
                f"{name}: {counted(counts['total'], 'user', 'users')}; {need} in need of a password of their own.{synced.en}",
                f"{name}: 利用者{counts['total']}人。{need}人に新しいパスワードが必要。{synced.ja}",
            ),
            (name,),
        )
        if blocked := _still_blocked(facts, confirmed, name, counts["blocked"]):
            who, more = _blocked(facts, name)
            yield Finding(
                "warning",
                "users_blocked",
                Text(
                    f"{name}: blocked already: {counted(blocked, 'user', 'users')}{who.en}; without a licence: {counts['unlicensed']}. The snapshot keeps "
                    "that state; "
                    f"name those who shall work again in microsoft_365_also_enable.{more.en}",
                    f"{name}: すでに{blocked}人がブロック中{who.ja}、{counts['unlicensed']}人がライセンスなし。"
                    "スナップショットはこの状態を保存します。"
                    f"復帰させる利用者は microsoft_365_also_enable に指定してください。{more.ja}",
                ),
                (name,),
            )
        if counts["without_usage_location"] and not confirmed.usage_location:
            yield Finding(
                "warning",
                "users_without_usage_location",
                Text(
                    f"{name}: without a usage location, so that no licence can be assigned: {counted(counts['without_usage_location'], 'user', 'users')}. "
                    "Set microsoft_365_usage_location.",
                    f"{name}: {counts['without_usage_location']}人に利用場所がなく、ライセンスを割り当てられません。"
                    "microsoft_365_usage_location を設定してください。",
                ),
                (name,),
            )


def _still_blocked(facts: Facts, confirmed: Confirmed, domain: str, seen_now: int) -> int:
    """How many stay blocked by the snapshot. What looked before the first one leaves those out whom also_enable names."""
    seen = [item["blocked"] for item in (facts.provisioning or {}).get("domains") or () if names.domain(item["domain"]) == names.domain(domain)]
    return sum(seen) if seen else 0 if confirmed.also_enable else seen_now


def _blocked(facts: Facts, domain: str) -> tuple[Text, Text]:
    """Who is blocked in a domain, and where everybody is listed; empty where nobody has looked, since there is a snapshot already."""
    found = facts.provisioning or {}
    here = [upn for upn in found.get("blocked_users", ()) if names.domain(upn.rpartition("@")[2]) == names.domain(domain)]
    if not here:
        return Text("", ""), Text("", "")
    count = max(len(here), *(int(item["blocked"]) for item in found["domains"] if names.domain(item["domain"]) == names.domain(domain)))
    who = few(here, count, len(here))
    file = found.get("blocked_file") if count > len(here) else None
    told = (
        Text(f" All of them are in {file} (written by a run without --check).", f"全員の一覧は {file}（--checkなしの実行で作成）。") if file else Text("", "")
    )
    return Text(f" ({who})", f"（{who}）"), told


def _provisioning(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """A snapshot keeps what it finds for ever: nobody may be in it as blocked who was so by IIJ ID's stop."""
    found = facts.provisioning
    if found is None or found.get("skipped"):
        return
    for domain in found["domains"]:
        name, total, blocked, unlicensed = (domain[key] for key in ("domain", "total", "blocked", "unlicensed"))
        if name not in found.get("unusual", ()) and not mostly(max(blocked, unlicensed), total, confirmed.max_blocked_percent):
            continue
        log = _log(found)
        yield Finding(
            "blocker",
            "mostly_blocked",
            Text(
                f"{name}: of {counted(total, 'user', 'users')} {counted(blocked, 'is', 'are')} blocked and {counted(unlicensed, 'has', 'have')} no licence, "
                f"and there is no snapshot yet. It would keep that state as normal, and nobody would be enabled again. "
                f"Was IIJ ID's provisioning stopped already? {log.en} If it is right so, raise microsoft_365_max_blocked_percent.",
                f"{name}: スナップショットがまだない時点で、利用者{total}人のうち{blocked}人がブロックされ、{unlicensed}人にライセンスがありません。"
                "このままでは"
                f"この状態が正常として保存され、復帰できません。IIJ IDのプロビジョニングをすでに停止していませんか。{log.ja}"
                "意図どおりであれば microsoft_365_max_blocked_percent を上げてください。",
            ),
            (name,),
        )


def _log(found: Mapping[str, Any]) -> Text:
    """What the directory's audit log tells of it, and the way out."""
    log = found["log"]
    by_hand = Text(
        "Name those who shall work in microsoft_365_also_enable, and their licences in microsoft_365_users_src.",
        "復帰させる利用者を microsoft_365_also_enable に、ライセンスを microsoft_365_users_src に指定してください。",
    )
    if not log["looked_at"]:
        why = phrases.by_code(str(log.get("code", "")), log["msg"])
        return Text(f"The audit log was not read: {why.en}. {by_hand.en}", f"監査ログを確認できません: {why.ja}。{by_hand.ja}")
    kept = Text(
        f"it reaches back to {log['since']}; Microsoft keeps 30 days, 7 in Entra ID Free",
        f"保存されているのは {log['since']} 以降。Microsoftの保存期間は30日、Entra ID Freeは7日",
    )
    if not found["blocked"] and not found["unlicensed"]:
        return Text(
            f"The audit log shows no block and no removed licence by IIJ ID's app ({kept.en}). {by_hand.en}",
            f"監査ログにはIIJ IDのアプリによるブロックもライセンス解除もありません（{kept.ja}）。{by_hand.ja}",
        )
    told = [
        Text(
            f"The audit log shows that IIJ ID's app blocked {found['blocked']} users ({found['first']} to {found['last']}) and took the licences of "
            f"{found['unlicensed']} ({kept.en}).",
            f"監査ログによると、IIJ IDのアプリが{found['blocked']}人をブロックしました（{found['first']}～{found['last']}）。"
            f"ライセンスを外したのは{found['unlicensed']}人です（{kept.ja}）。",
        )
    ]
    if found["licences_not_told"]:
        told.append(
            Text(
                f"Of {found['licences_not_told']} it does not say which licences; name them in microsoft_365_users_src.",
                f"{found['licences_not_told']}人はどのライセンスか記録がないため、microsoft_365_users_src に指定してください。",
            )
        )
    if found["file"]:
        told.append(
            Text(
                f"They are in {found['file']} (written by a run without --check): take out who shall stay blocked, and run again with -e @{found['file']}.",
                f"一覧は {found['file']}（--checkなしの実行で作成）。ブロックのままでよい利用者を除き、-e @{found['file']} を付けて再実行してください。",
            )
        )
    return Text(" ".join(part.en for part in told), "".join(part.ja for part in told))


def _by_domain(facts: Facts, confirmed: Confirmed) -> dict[str, int]:
    synced = confirmed.synced_password == "set"
    return {domain["domain"]: int(domain["counts"]["total"]) - (0 if synced else int(domain["counts"].get("synced", 0))) for domain in facts.users or ()}


def people_to_change(facts: Facts, confirmed: Confirmed) -> int:
    """How many users one task may have to change, at most."""
    return sum(_by_domain(facts, confirmed).values())


def _max_users(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """Whether the limit lets the later stages do their work: a refused task after the conversion would leave people without a password."""
    if confirmed.max_users is None or not facts.users:
        return
    need = _by_domain(facts, confirmed)
    above = tuple(name for name, number in need.items() if number > confirmed.max_users)
    together = sum(need.values())
    if above and confirmed.passwords != "keep":
        shown = ", ".join(f"{name}: {need[name]}" for name in above)
        yield Finding(
            "blocker",
            "max_users_too_low",
            Text(
                f"More users need a password than one task may change, microsoft_365_max_users ({confirmed.max_users}): {shown}. The domains would be "
                f"converted, and their people would stand there without a password. If the numbers are right, set microsoft_365_max_users to {together}.",
                f"パスワードが必要な利用者の数（{shown}）が、1つのタスクで変更できる上限 microsoft_365_max_users（{confirmed.max_users}）を超えています。"
                "このままではドメインの変換後に利用者がパスワードのないまま残ります。"
                f"人数が正しければ microsoft_365_max_users を {together} にしてください。",
            ),
            above,
        )
    elif together > confirmed.max_users:
        yield Finding(
            "warning",
            "max_users_may_be_too_low",
            Text(
                f"If IIJ ID blocks all {together} users when its provisioning is stopped, their repair will be refused: microsoft_365_max_users is "
                f"{confirmed.max_users}. Set it to {together}.",
                f"プロビジョニングの停止時にIIJ IDが利用者{together}人全員をブロックすると、復旧が拒否されます。"
                f"microsoft_365_max_users は {confirmed.max_users} です。{together} にしてください。",
            ),
            tuple(need),
        )


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """Before the exit. Of the users in the end, people.py judges."""
    if not final:
        yield from findings(facts, confirmed)


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """How many may be changed, where those without one are, and who is blocked before the first snapshot."""
    people = people_to_change(facts, confirmed)
    if confirmed.max_users is not None and people > confirmed.max_users:
        told = Text(
            f"{counted(people, 'user', 'users')} may have to be changed; now it is {confirmed.max_users}.",
            f"変更対象は最大{people}人、現在は{confirmed.max_users}です。",
        )
        yield Candidate("microsoft_365_max_users", people, told)
    without = sum(int(domain["counts"].get("without_usage_location", 0)) for domain in facts.users or ())
    if without and not confirmed.usage_location:
        told = Text(f"{counted(without, 'user has', 'users have')} none.", f"{without}人に設定がありません。")
        yield Candidate("microsoft_365_usage_location", "JP", told)
    found = facts.provisioning or {}
    by_stop = {names.user(upn) for upn in found.get("also_enable", ())}
    for upn in found.get("blocked_users", ()):
        why = (
            Text("Blocked by IIJ ID's stop, as the audit log shows.", "監査ログによると、IIJ IDの停止時にブロックされました。")
            if names.user(upn) in by_stop
            else Text("Blocked now; the snapshot would keep that.", "現在ブロック中です。スナップショットはこの状態を保存します。")
        )
        yield Candidate("microsoft_365_also_enable", upn, why)


#: How what the exit does to it is undone, for the manual.
WAYS = (
    Way(
        Text("users unblocked, licences put back", "利用者のブロック解除・ライセンス再付与"),
        Text(
            "by hand: nothing here blocks a user or takes a licence because a snapshot says so. `restore` with `users` does what the stage "
            "does: who was enabled is enabled, with the licences of that time, but for whom `microsoft_365_users_src` says otherwise of",
            "手作業。スナップショットを理由に利用者をブロックしたりライセンスを外したりすることはありません。`restore` の `users` は段階 "
            "`users` と同じく、当時有効だった人を有効にし、当時のライセンスを付けます（`microsoft_365_users_src` に指定のある人を除く）",
        ),
        Text(
            "a licence taken for over 30 days: the mailbox is gone (Exchange keeps it 30 days)",
            "ライセンスが 30 日を超えて外れていると、メールボックスは失われます（Exchange の保持期間）",
        ),
    ),
    Way(
        Text("password set", "パスワード設定"),
        Text("cannot be undone; the former one is unknown", "取り消せません（以前のものは分かりません）"),
        Text("the hand-over file holds the new one", "新しいパスワードは引き渡しファイルにあります"),
    ),
)
