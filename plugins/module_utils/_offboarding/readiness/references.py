# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what entra_references_info has found, and from what it could not look at. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._core import names
from ..._core.kinds import label
from ..._core.text import Text, counted
from .. import phrases
from ..finding import Finding
from . import intune
from .candidate import Candidate
from .domains import federated_to_iij

if TYPE_CHECKING:
    from .judged import Confirmed, Facts

_NAMED = 10

#: Why something was not looked at, and what helps.
REASONS: dict[str, Text] = {
    "permission_missing": Text("the permission is missing; grant it as the message says", "権限がない（メッセージのとおりに付与する）"),
    "delegated_only": Text(
        "Microsoft lets no application read it; look in the Entra admin center (Microsoft Entra Connect, staged rollout)",
        "アプリでは読めない（Entra管理センターの Microsoft Entra Connect の段階的ロールアウトで確認する）",
    ),
    "no_licence": Text("the tenant has no licence for it", "テナントにライセンスがない"),
    "no_intune": Text("the tenant has no Intune", "テナントにIntuneがない"),
    "beta_not_allowed": Text(
        "only Graph's beta shows it; allow it by microsoft_365_graph_beta", "Graphのbetaでしか読めない（microsoft_365_graph_beta で許可）"
    ),
    "encrypted": Text("the value is encrypted and shown to nobody; look into the profile's source", "値が暗号化されており読めない（元の設定を確認する）"),
    "packed": Text("it is an archive that is not opened", "圧縮ファイルのため内容を確認できない"),
    "too_deep": Text("it is nested too deeply to be opened", "入れ子が深すぎる"),
    "too_large": Text("it is too large to be opened whole", "大きすぎる"),
    "target_not_shown": Text(
        "the address lies among its secrets; look in the Entra admin center", "宛先が秘密情報に含まれ読めない（Entra管理センターで確認する）"
    ),
    "custom_control": Text(
        "Graph does not show where a custom control leads; look in the Entra admin center",
        "カスタムコントロールの接続先は読めない（Entra管理センターで確認する）",
    ),
}


#: Of one, of several, and in Japanese.
_MORE = {
    "references": ("more object points at IIJ ID", "more objects point at IIJ ID", "がIIJ IDを参照しています"),
    "not_looked_at": ("more was not looked at", "more were not looked at", "が確認できていません"),
}


def _listed(rows: Sequence[Mapping[str, Any]]) -> Text:
    """Each object and why it is told, which is a row of places or, of what was not looked at, a message."""
    shown = [_row(row) for row in rows[:_NAMED]]
    more = f" (+{len(rows) - _NAMED})" if len(rows) > _NAMED else ""
    return Text(" | ".join(filter(None, (text.en for text in shown))) + more, " | ".join(filter(None, (text.ja for text in shown))) + more)


def _row(row: Mapping[str, Any]) -> Text:
    named = f"{row['name']} ({row['id']})" if row["id"] else ""
    if "why" not in row:  # in Japanese the reason says it all
        return Text(": ".join(filter(None, (named, str(row["msg"])))), named)
    why = phrases.reasons(str(row["why"]).split("; "))
    whom = intune.assigned(row)
    return Text(f"{named}: {why.en}" + (f"; {whom.en}" if whom else ""), f"{named}: {why.ja}" + (f"、{whom.ja}" if whom else ""))


def _reason(reason: str) -> Text:
    return REASONS.get(reason, Text(f"Graph refused ({reason})", f"Graphのエラー（{reason}）"))


def not_looked_at(reason: str, *messages: str) -> str:
    """In Japanese why something was not looked at, with the permissions that the English messages name."""
    return phrases.permissions(_reason(reason).ja, *messages)


#: Kinds of which findings of their own tell what Microsoft says to do. A staged rollout leads away from IIJ ID: one that is on waits for nobody's acceptance.
_ROLLOUT, _REALM = "feature_rollout_policy", "home_realm_discovery_policy"


def before_conversion(found: Mapping[str, Any], accepted: Collection[str]) -> Iterator[Finding]:
    """What should be seen before the domains are converted. It forbids nothing: Microsoft does not say that anybody is locked out for certain."""
    yield from _staged_rollouts(found, converted=False)
    yield from _home_realms(found, "warning", accepted)


def _home_realms(found: Mapping[str, Any], severity: str, accepted: Collection[str]) -> Iterator[Finding]:
    """learn.microsoft.com/entra/identity/enterprise-apps/home-realm-discovery-policy: PreferredDomain has to be a federated domain."""
    rows = [row for row in found["references"] if row["kind"] == _REALM and names.uuid(row["id"]) not in accepted]
    if rows:
        told = _listed(rows)
        yield Finding(
            severity,
            "home_realm_policy",
            Text(
                f"{counted(len(rows), 'home realm discovery policy sends', 'home realm discovery policies send')} people straight to "
                f"an identity provider that goes: {told.en}. Microsoft wants PreferredDomain "
                "to be a federated domain, and whoever is sent where they cannot sign in is trapped there. Before the conversion take "
                "AccelerateToFederatedDomain and PreferredDomain out of the policy, or the policy off its applications; until then people only see Entra's "
                "page first. Other settings of it (AlternateIdLogin, DomainHintPolicy) may be needed: do not delete it unread. Put the ids of those that may "
                "stay into microsoft_365_accepted_references.",
                f"ホーム領域検出ポリシー{len(rows)}件が、廃止するIDプロバイダーへ利用者を直接転送しています: {told.ja}。PreferredDomain は"
                "フェデレーションドメインでなければならず、サインインできない先へ転送された利用者は先に進めません。変換前に AccelerateToFederatedDomain と "
                "PreferredDomain をポリシーから外すか、アプリへの割り当てを解除してください（変換までは、Entraの画面が先に表示されるだけです）。"
                "ほかの設定（AlternateIdLogin、DomainHintPolicy）が必要な場合があるため、確認せずに削除しないでください。"
                "残してよいもののIDは microsoft_365_accepted_references に指定してください。",
            ),
            tuple(row["id"] for row in rows),
        )


def _staged_rollouts(found: Mapping[str, Any], *, converted: bool) -> Iterator[Finding]:
    """learn.microsoft.com/entra/identity/hybrid/connect/migrate-from-federation-to-cloud-authentication: to be turned off once the domains are cut over."""
    rows = [row for row in found["references"] if row["kind"] == _ROLLOUT]
    if not rows:
        return
    told = _listed(rows)
    when = (
        Text(
            "The domains are converted, so turn it off, as Microsoft says (Entra admin center, Microsoft Entra Connect, staged rollout): it is meant for "
            "tests, and sign-ins may fail where it stays on without a federation.",
            "ドメインの変換後は、Microsoftの手順に従ってオフにしてください（Entra管理センターの Microsoft Entra Connect）。"
            "テスト用の機能で、フェデレーションがないまま残すとサインインに失敗することがあります。",
        )
        if converted
        else Text(
            "Whoever is in its groups signs in with Entra already. Leave it on until the domains are converted, since they would be sent to IIJ ID again; then "
            "turn it off.",
            "対象グループの利用者はすでにEntraでサインインしています。"
            "オフにするとIIJ IDへ戻るため、ドメインの変換まで有効のままにし、変換後にオフにしてください。",
        )
    )
    yield Finding(
        "warning" if converted else "info",
        "staged_rollout_on",
        Text(f"A staged rollout of cloud authentication is on: {told.en}. {when.en}", f"クラウド認証の段階的ロールアウトが有効です: {told.ja}。{when.ja}"),
        tuple(row["id"] for row in rows),
    )


def _by(rows: Iterable[Mapping[str, Any]], *names: str) -> dict[tuple[str, ...], list[Mapping[str, Any]]]:
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def findings(
    found: Mapping[str, Any],
    *,
    final: bool,
    accepted: Collection[str],
    accepted_not_looked_at: Collection[str],
    client_ids: Collection[str],
    iij_domains: Collection[str],
    intune_assignments: Sequence[Mapping[str, Any]] = (),
) -> Iterator[Finding]:
    """What is told of the return values of entra_references_info.

    At the final gate what points there, and what was not looked at, stands in the way until a person has accepted it by its id (or, of what was not
    looked at, by its kind). IIJ ID's own apps and the federations of its domains have findings of their own. All names are as `names` compares them.
    An object of Intune of which an assignment was confirmed to go, and that has none left, reaches nobody, and may stay.
    """
    severity = "blocker" if final else "warning"
    yield from _staged_rollouts(found, converted=final)
    yield from _home_realms(found, severity, accepted)
    for (kind,), rows in _by(found["references"], "kind").items():
        if kind != _ROLLOUT:
            others = [row for row in rows if _is_told_here(row, accepted, client_ids, iij_domains)]
            yield from _pointing(kind, others, severity, lambda row: names.uuid(row["id"]) in accepted or intune.is_confirmed(row, intune_assignments))
    for (kind, reason), rows in _by(found["not_looked_at"], "kind", "reason").items():
        yield from _not_seen(kind, reason, rows, severity, accepted_not_looked_at)
    for name in _MORE:
        yield from _cut(found, name, severity)


def _is_told_here(row: Mapping[str, Any], accepted: Collection[str], client_ids: Collection[str], iij_domains: Collection[str]) -> bool:
    """Whether no other finding is about it: IIJ ID's own apps, the federations of its domains, and policies that nobody has accepted have their own."""
    if names.uuid(row["client_id"]) in client_ids or (row["kind"] == "internal_federation" and names.domain(row["of"]) in iij_domains):
        return False
    return row["kind"] != _REALM or names.uuid(row["id"]) in accepted


def _pointing(kind: str, rows: Sequence[Mapping[str, Any]], severity: str, may_stay: Callable[[Mapping[str, Any]], bool]) -> Iterator[Finding]:
    """What points at IIJ ID, of one kind."""
    called, kept = label(kind), [row for row in rows if may_stay(row)]
    if open_rows := [row for row in rows if row not in kept]:
        told = _listed(open_rows)
        yield Finding(
            severity,
            "points_at_iij",
            Text(
                f"Of the {called.en} {counted(len(open_rows), 'points', 'point')} at IIJ ID: {told.en}. Change them, or put the ids of those that may stay "
                "into microsoft_365_accepted_references.",
                f"{called.ja}{len(open_rows)}件がIIJ IDを参照しています: {told.ja}。変更するか、残してよいもののIDを microsoft_365_accepted_references に"
                "指定してください。",
            ),
            tuple(row["id"] for row in open_rows),
        )
    if kept:
        told = _listed(kept)
        yield Finding(
            "info",
            "reference_accepted",
            Text(
                f"Of the {called.en} {counted(len(kept), 'points', 'point')} at IIJ ID and may: {told.en}.",
                f"{called.ja}{len(kept)}件はIIJ IDを参照したまま残します: {told.ja}",
            ),
            tuple(row["id"] for row in kept),
        )


def _not_seen(kind: str, reason: str, rows: Sequence[Mapping[str, Any]], severity: str, accepted: Collection[str]) -> Iterator[Finding]:
    """What was not looked at, of one kind and for one reason."""
    called, why = label(kind), _reason(reason)
    open_rows = [] if names.uuid(kind) in accepted else [row for row in rows if (names.uuid(row["id"]) or "\0") not in accepted]
    told = _listed(open_rows or rows)
    ids = tuple(row["id"] or kind for row in open_rows or rows)
    if not open_rows:
        yield Finding("info", "not_looked_at_accepted", Text(f"A person has looked at {called.en} ({why.en}).", f"{called.ja}は人が確認済み（{why.ja}）"), ids)
        return
    about = not_looked_at(reason, *(str(row["msg"]) for row in open_rows)) + (f": {told.ja}" if told.ja else "")
    yield Finding(
        severity,
        "not_looked_at",
        Text(
            f"Nobody knows whether {called.en} point at IIJ ID: {why.en}. {told.en} Once a person has looked there, put {kind} or the ids into "
            "microsoft_365_accepted_not_looked_at.",
            f"{called.ja}がIIJ IDを参照しているか確認できません: {about}。人が確認したら {kind} またはIDを microsoft_365_accepted_not_looked_at に"
            "指定してください。",
        ),
        ids,
    )


def _cut(found: Mapping[str, Any], name: str, severity: str) -> Iterator[Finding]:
    """That there is more than an answer holds."""
    one, many, japanese = _MORE[name]
    if (more := not_listed(found, name)) > 0:
        yield Finding(
            severity,
            "more_references",
            Text(
                f"{counted(more, one, many)}, not listed here; all are in results/references.jsonl. Change the listed ones and run again.",
                f"ほかに{more}件{japanese}（results/references.jsonl）。一覧のものを変更してから再実行してください。",
            ),
        )
    if (cut := int(found[f"{name}_count"]) - len(found[name]) - more) > 0:
        yield Finding(
            "info",
            "more_references_accepted",
            Text(
                f"{counted(cut, 'more that was accepted is', 'more that were accepted are')} not listed here; all are in results/references.jsonl.",
                f"承認済みのものがほかに{cut}件あります（results/references.jsonl）。",
            ),
        )


def not_listed(found: Mapping[str, Any], name: str) -> int:
    """How many `references`, or what of it was `not_looked_at`, the answer has no room for, without those that a person has accepted: these come last in it."""
    accepted = int(found.get(f"{name}_accepted_count", 0))
    return max(0, int(found.get(f"{name}_count", 0)) - accepted - len(found.get(name, ())))


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    if facts.references is not None:
        yield from findings(
            facts.references,
            final=final,
            accepted=names.uuids(confirmed.accepted_references),
            accepted_not_looked_at=names.uuids(confirmed.accepted_not_looked_at),
            client_ids=names.uuids(confirmed.client_ids),
            iij_domains=set(map(names.domain, federated_to_iij(facts.domains or ()))),
            intune_assignments=confirmed.intune_assignments,
        )


def _called(row: Mapping[str, Any]) -> Text:
    """The name of what was found, and what it is; what was not looked at has often no name."""
    what = label(row["kind"])
    return Text(f"{row['name']} ({what.en})", f"{row['name']}（{what.ja}）") if row["name"] else what


def propose(facts: Facts, confirmed: Confirmed) -> Iterator[Candidate]:
    """What may go on pointing there, and what a person has to look at."""
    found = facts.references or {}
    accepted, apps = names.uuids(confirmed.accepted_references), names.uuids(confirmed.client_ids)
    for row in found.get("references", ()):
        if row["kind"] not in ("internal_federation", _ROLLOUT) and names.uuid(row["id"]) not in accepted and names.uuid(row["client_id"]) not in apps:
            why, called = phrases.reasons(str(row["why"]).split("; ")), _called(row)
            yield Candidate("microsoft_365_accepted_references", row["id"], Text(f"{called.en}: {why.en}", f"{called.ja}: {why.ja}"))
    looked_at = names.uuids(confirmed.accepted_not_looked_at)
    for row in found.get("not_looked_at", ()):
        value = row["id"] or row["kind"]
        if not names.uuids((value, row["kind"])) & looked_at:
            called = _called(row)
            told = Text(f"{called.en}: {row['msg']}", f"{called.ja}: {phrases.by_code(row['reason'], row['msg']).ja}")
            yield Candidate("microsoft_365_accepted_not_looked_at", value, told)
