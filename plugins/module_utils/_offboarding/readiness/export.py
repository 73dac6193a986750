# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only IIJ ID knows, and who is in its groups. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..._core.heads import some
from ..._core.text import Text, counted
from ..finding import Finding

if TYPE_CHECKING:
    from .judged import Confirmed, Facts


def missing(facts: Facts) -> Iterator[Finding]:
    """What only IIJ ID knows is gone with the contract; afterwards nobody can ask it."""
    if facts.export is None:
        return
    if (latest := facts.export["latest"]) is not None and latest["users"]:
        yield from cut(facts)
        return
    none = Text(
        "There is no complete export of IIJ ID with its users in the run folder.", "実行フォルダーに、利用者を含むIIJ IDの完全なエクスポートがありません。"
    )
    if not_known := facts.export.get("not_known"):
        unknown = some(not_known)
        none = Text(
            f"Of {unknown} nothing is known, since the journal has no record of it and its manifest is encrypted: give the vault's password. There is no other "
            "complete export of IIJ ID with its users in the run folder.",
            f"{unknown} の内容は不明です（ジャーナルに記録がなく、マニフェストは暗号化されています）。Vaultのパスワードを指定してください。"
            "実行フォルダーには、ほかに利用者を含むIIJ IDの完全なエクスポートがありません。",
        )
    yield Finding(
        "warning",
        "export_missing",
        Text(
            f"{none.en} With the contract are lost: the users with their attributes in IIJ ID "
            "(external ids, names for linking, readings of names, telephone numbers), the groups and who is in them. Never exported, and lost as well: "
            "settings of custom applications, FIDO2 keys, registrations of external identity providers. Run offboard.iij_id.export while the "
            "contract lasts.",
            f"{none.ja}解約で失われるもの: IIJ IDの利用者とその属性（外部ID、連携用の名前、"
            "ふりがな、電話番号など）、グループとそのメンバー。エクスポートできず、同じく失われるもの: カスタムアプリケーションの設定、FIDO2キー、"
            "外部IDプロバイダーの登録。"
            "契約中に offboard.iij_id.export を実行してください。",
        ),
    )


def cut(facts: Facts) -> Iterator[Finding]:
    """A complete export is one of all users and groups; who is in the groups may still be cut. An export that does not say was not looked at."""
    latest = (facts.export or {}).get("latest") or {}
    if not latest.get("groups"):
        return
    lacking, unchecked = (latest.get(name) for name in ("groups_cut", "groups_not_checked"))
    if lacking:
        yield Finding(
            "warning",
            "export_cut",
            Text(
                f"In the newest export of IIJ ID {counted(lacking, 'group', 'groups')} of {latest['groups']} lack members whom its users name: the "
                "service cut their lists. What is known of these stands with the users only (groups in users.jsonl and users.csv), and nobody knows whether "
                "that is all. Export the "
                "members of the groups in IIJ ID's console (CSV) while the contract lasts.",
                f"IIJ IDの最新のエクスポートでは、{latest['groups']}グループ中{lacking}グループで、利用者側に記載のあるメンバーが欠けています"
                "（サービスが一覧を切り詰めました）。"
                "分かっている所属は利用者側（users.jsonl と users.csv の groups）にしかなく、それで全部かどうかは分かりません。"
                "契約中にIIJ IDコンソールでグループメンバーをCSVエクスポートしてください。",
            ),
        )
    if lacking is None or unchecked is None or unchecked:
        yield Finding(
            "warning",
            "export_cut",
            Text(
                f"Nothing tells whether the newest export of IIJ ID has all members of its {counted(latest['groups'], 'group', 'groups')}: it does not show "
                "which groups the users are in. Export the members of the groups in IIJ ID's console (CSV) while the contract lasts, and compare.",
                f"IIJ IDの最新のエクスポートに、{latest['groups']}グループの全メンバーがあるか確認できません（利用者の所属グループが示されていません）。"
                "契約中にIIJ IDコンソールでグループメンバーをCSVエクスポートし、比較してください。",
            ),
        )


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    yield from missing(facts) if final else cut(facts)
