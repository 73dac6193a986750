# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one catalogue of phrases that modules put into their results and journals, in both languages. Pure.

Records keep the English one (they are compared, and outlive releases); whoever shows it to people asks here for the Japanese.
"""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Mapping
from typing import Any

from . import codes
from .text import Text

#: the way out of a closed gate
GATE_AGAIN = Text(
    "Run offboard.iij_id.gate (it only reads, unless it switches IIJ ID's app off), then this stage again. Nothing was changed.",
    "offboard.iij_id.gate（IIJ IDのアプリを無効化する場合を除き読み取りのみ）を実行してから、この段階を再実行してください。何も変更していません。",
)

#: by name; a value in braces stands for a name, a number or a value of the case. A new one is written here first.
PHRASES: dict[str, Text] = {
    # why something may be IIJ ID's
    "id_named": Text("its client id was named", "クライアントIDが指定されている"),
    "name_matches": Text("its name matches {pattern}", "名前が {pattern} に一致"),
    "has_address": Text("it has the address {address}", "アドレス {address} がある"),
    "may_convert": Text("it may convert domains and write users ({permissions})", "ドメインの変換と利用者の変更ができる権限がある（{permissions}）"),
    "action_matches": Text("{action} matches {path}", "{action} が {path} に一致"),
    "action_names": Text(
        "{action} names {match}, and what it does with it cannot be made out",
        "{action} に {match} が含まれるが、起動するかどうかは判別不能",
    ),
    "library_lies_in": Text("{name}.dll lies in {folder}", "{name}.dll が {folder} にある"),
    "thumbprint_named": Text("its thumbprint was named", "拇印が指定されている"),
    "issuer_for_clients": Text("it is for clients, issued by {issuer}", "{issuer} が発行したクライアント認証用の証明書"),
    "object_named": Text("named in objects", "objects に指定"),
    "spn_matches": Text("servicePrincipalName {spn} matches {pattern}", "servicePrincipalName {spn} が {pattern} に一致"),
    "group_in_filter": Text("group in a filter of config.yml ({where})", "config.yml のフィルターにあるグループ（{where}）"),
    "agent_config": Text("config.yml, number {number}", "config.yml（{number}番目）"),
    "bind_user": Text("bind user in config.yml ({where})", "config.yml のバインド用アカウント（{where}）"),
    "place_names": Text("{path} names {match}", "{path} に {match}"),
    "payload_names": Text("{path} (inside of the payload) names {match}", "{path}（内容の中）に {match}"),
    "prefers_domain": Text("{path} sends people straight to {match} (PreferredDomain)", "{path} が利用者を {match} へ直接転送（PreferredDomain）"),
    "accelerates": Text(
        "{path} sends people straight to the only federated domain ({match} without PreferredDomain)",
        "{path} が唯一のフェデレーションドメインへ利用者を直接転送（PreferredDomainのない {match}）",
    ),
    "rollout_on": Text("the staged rollout of {match} is on ({path})", "{match} の段階的ロールアウトが有効（{path}）"),
    "more_places": Text("{number} more places do", "ほか{number}か所"),
    # what of an agent is on a machine
    "left_filter": Text("password filter {name}", "パスワードフィルター {name}"),
    "left_task": Text("task {name}", "タスク {name}"),
    "left_folder": Text("folder {name}", "フォルダー {name}"),
    "left_cron_job": Text("cron job {name}", "cronジョブ {name}"),
    "left_account": Text("account {name}", "アカウント {name}"),
    "left_timer": Text("systemd timer {name}", "systemdタイマー {name}"),
    "left_link": Text("link {name}", "リンク {name}"),
    # why something was not read
    "not_looked_at": Text("it was not looked at", "確認していません"),
    "no_account": Text("no such account in this domain", "このドメインにアカウントがありません"),
    "no_object": Text("no such object", "オブジェクトがありません"),
    "no_client_id": Text("offboard_iij_client_id is empty", "offboard_iij_client_id が空です"),
    # why the gate is closed, or open
    "gate_open": Text("IIJ ID changes nothing any more.", "IIJ IDによる変更はもうありません。"),
    "gate_no_client_id": Text(
        "offboard_iij_client_id is empty, so the audit log cannot tell whether IIJ ID still changes the tenant. Set it to the Client ID that the console of "
        "IIJ ID shows for Microsoft 365, or set microsoft_365_evidence_hours: 0 to rely on the person's word.",
        "offboard_iij_client_id が空のため、IIJ IDがまだテナントを変更しているか監査ログで確認できません。IIJ IDコンソールのMicrosoft 365の設定に"
        "表示されるクライアントIDを指定するか、担当者の確認のみに頼る場合は microsoft_365_evidence_hours: 0 を設定してください。",
    ),
    "gate_no_app": Text(
        "The tenant has no application {client_id}, not even a deleted one, so nothing says that IIJ ID changes nothing any more. Is offboard_iij_client_id "
        "the Client ID that the console of IIJ ID shows? If the app was deleted over 30 days ago, set microsoft_365_evidence_hours: 0.",
        "テナントにアプリ {client_id} がなく（削除済みのものもなし）、IIJ IDによる変更がないことを確認できません。offboard_iij_client_id が"
        "IIJ IDコンソールのクライアントIDと一致するか確認してください。アプリを30日より前に削除した場合は microsoft_365_evidence_hours: 0 を"
        "設定してください。",
    ),
    "still_active": Text(
        "IIJ ID still changes the tenant: {number} entries in the audit log {when}, the last one at {last}. What the next stages repair, IIJ ID would undo. "
        "{way_out}",
        "IIJ IDがまだテナントを変更しています（監査ログに{number}件、{when}、最後は {last}）。修復しても元に戻されます。{way_out}",
    ),
    "stop_later": Text(
        "IIJ ID's service principal was switched off at {at}, but an access token that it got before stays good for up to {minutes} minutes. "
        "Stop the provisioning in the console of IIJ ID at {until} or later: then the stop can block nobody. Until then its console shows errors, which is "
        "as it should be. When it is done, confirm the step {step} and run this stage again. (microsoft_365_token_minutes: 0 does not wait.)",
        "IIJ IDのサービスプリンシパルは {at} に無効化しましたが、それ以前に発行されたアクセストークンは最長{minutes}分間有効です。"
        "IIJ IDコンソールでのプロビジョニング停止は {until} 以降に行ってください（停止しても利用者はブロックされません）。それまでコンソールに"
        "エラーが表示されますが、問題ありません。停止後に手順 {step} を確認し、この段階を再実行してください。"
        "（microsoft_365_token_minutes: 0 で待たずに進みます。）",
    ),
    "still_federated": Text(
        "Still federated: {domains}. Passwords are given, and IIJ ID's app is removed, only when the domains are managed: run offboard.iij_id.domains first.",
        "まだフェデレーションされています: {domains}。"
        "パスワードの設定とIIJ IDのアプリの削除は、ドメインがマネージドになってから行います。先に offboard.iij_id.domains を実行してください。",
    ),
    "since": Text("since {start}", "{start} 以降"),
    "within_hours": Text("within the last {hours} hours", "直近{hours}時間"),
    "token_until": Text(
        "A token that its app got before it was switched off may be good until {until}: run this stage again after that.",
        "無効化前に発行されたトークンは {until} まで有効な可能性があります。その後にこの段階を再実行してください。",
    ),
    "off_for_everybody": Text(
        "Is the provisioning off for everybody? If it is, and these came of the stop itself, withdraw the step provisioning_stopped and confirm it "
        "again: what came before does not count. Else run this stage again later, or set microsoft_365_evidence_hours: 0 to rely on the person's word.",
        "すべての利用者のプロビジョニングが停止していますか。停止済みで、これが停止処理自体の記録であれば、手順 provisioning_stopped を取り消して"
        "確認し直してください（それ以前の記録は数えません）。そうでなければ後で再実行するか、担当者の確認のみに頼る場合は "
        "microsoft_365_evidence_hours: 0 を設定してください。",
    ),
    "gate_no_verdict": Text(
        f"The run folder holds no verdict of the gate, so nobody knows whether IIJ ID still changes the tenant. {GATE_AGAIN.en}",
        f"実行フォルダーにゲートの判定がなく、IIJ IDがまだテナントを変更しているか分かりません。{GATE_AGAIN.ja}",
    ),
    "gate_stays_closed": Text(
        f"The gate's verdict of {{at}} is that it stays closed: {{reasons}} {GATE_AGAIN.en}",
        f"ゲートは閉じたままです（{{at}} の判定）: {{reasons}}{GATE_AGAIN.ja}",
    ),
    # by what a refusal is allowed, where that is more than an option and its value
    "allow_protected": Text(
        "allow: [protected], but the domain controller refuses until an administrator takes the protection off",
        "allow: [protected]（ただし管理者が保護を解除するまでドメインコントローラーが拒否する）",
    ),
    "allow_members": Text("expected_members, or allow: [members]", "expected_members または allow: [members]"),
    "allow_recently_used": Text("recently_used_days, when you know which use that was", "recently_used_days（何に使われたか分かっている場合）"),
    "allow_uninstaller": Text(
        "uninstall_arguments of the product, with the switches for a silent uninstallation without restart",
        "製品の uninstall_arguments（画面表示と再起動なしでアンインストールする引数）",
    ),
    # how to go back
    "undo_folder": Text("remove the folder {path}", "フォルダー {path} を削除する"),
    "undo_file": Text("delete {path}", "{path} を削除する"),
    "undo_same_absent": Text("run the same task with state absent", "同じタスクを state: absent で実行する"),
    "undo_same_state": Text("the same task with state {state}", "同じタスクを state: {state} で実行する"),
    "undo_group_policy_right": Text(
        "group_policy_right with state={state} and the same accounts; the whole policy is in backup_dir",
        "group_policy_right を state={state} と同じアカウントで実行する。ポリシー全体の写しは backup_dir にある",
    ),
    "undo_group_policy_registry": Text(
        "group_policy_registry with state={state} and the same backup_dir; the whole policy is there",
        "group_policy_registry を state={state} と同じ backup_dir で実行する。ポリシー全体の写しもそこにある",
    ),
    "undo_cron_line": Text(
        "put the line back out of the saved copy of its crontab (after ansible-vault decrypt, where it is encrypted)",
        "保存したcrontabの写しから行を戻す（暗号化されている場合は先に ansible-vault decrypt で復号する）",
    ),
    "undo_linux_account": Text(
        "make it again with {command}; its password and its groups do not come back",
        "{command} で作り直す（パスワードと所属グループは戻らない）",
    ),
    "undo_state": Text("state={state}", "state={state} で実行する"),
    "undo_users": Text("entra_users with {options}", "entra_users を {options} で実行する"),
    "undo_managed": Text("entra_domain with authentication=managed", "entra_domain を authentication=managed で実行する"),
    "undo_federated": Text(
        "entra_domain with authentication=federated and this federationConfiguration", "entra_domain を authentication=federated とこの構成で実行する"
    ),
    "undo_order": Text("entra_redemption_order with the values of `before`", "entra_redemption_order を変更前の値で実行する"),
    "undo_federation": Text(
        "entra_external_federation with state=present and configuration=this `before`",
        "entra_external_federation を state=present、configuration=変更前の値で実行する",
    ),
    "undo_federation_created": Text("entra_external_federation with state=absent", "entra_external_federation を state=absent で実行する"),
    "undo_certificate": Text("entra_external_federation with configuration=this `before`", "entra_external_federation を configuration=変更前の値で実行する"),
    "undo_internal_certificate": Text("PATCH of the federationConfiguration with this `before`", "federationConfiguration を変更前の値でPATCHする"),
    "undo_guest_deleted": Text(
        "entra_guests with state=restored and ids=[{id}], within 30 days", "30日以内に entra_guests を state=restored、ids=[{id}] で実行する"
    ),
    "undo_guest_made": Text("entra_guests with state=absent and this guest", "entra_guests を state=absent とこのゲストで実行する"),
    "undo_guest_again": Text(
        "remove the new guest (state=absent), then entra_guests with state=restored and ids=[{id}], within 30 days",
        "新しいゲストを削除（state=absent）し、30日以内に entra_guests を state=restored、ids=[{id}] で実行する",
    ),
    "undo_intune_assignment": Text(
        "intune_assignment with state=present and the same journal", "同じ journal で intune_assignment を state=present で実行する"
    ),
    "undo_app_restored": Text("entra_app with state=absent", "entra_app を state=absent で実行する"),
    "undo_app_switched": Text("entra_app with enabled={enabled}", "entra_app を enabled={enabled} で実行する"),
    "undo_app_deleted": Text("entra_app with state=present, within 30 days", "30日以内に entra_app を state=present で実行する"),
    "undo_consent": Text("consent to the permission in before again", "変更前のアクセス許可に再度同意する"),
    "undo_object_deleted": Text(
        "state=present with the same backup_dir; a user comes back disabled and without its password, and with a new SID unless it can be undeleted",
        "同じ backup_dir で state=present を実行する。アカウントは無効・パスワードなしで戻り、削除の取り消しができない場合はSIDが変わる",
    ),
    "undo_by_hand": Text("take them off by hand", "手作業で外す"),
    "undo_withdraw": Text("withdraw the step {step}", "手順 {step} の確認を取り消す"),
    "undo_confirm": Text("confirm the step {step} again", "手順 {step} を再度確認する"),
    "undo_task_deleted": Text(
        "import the saved definition (where it is encrypted, after ansible-vault decrypt --output FILE) with "
        'schtasks /create /tn "{name}" /xml FILE, and enter the password of {account}',
        '保存した定義（暗号化されている場合は ansible-vault decrypt --output FILE で復号）を schtasks /create /tn "{name}" /xml FILE で取り込み、'
        "{account} のパスワードを入力する",
    ),
    "undo_filter": Text("add {name} to {value} again, and restart", "{value} に {name} を再び追加し、再起動する"),
    "undo_windows_certificate": Text(
        "import the saved certificate with certutil -addstore; its private key does not come back, so enroll again",
        "保存した証明書を certutil -addstore で取り込む。秘密鍵は戻らないため、改めて発行を受ける",
    ),
    "undo_software": Text(
        "install {name} {version} again with its own setup; its configuration is not kept",
        "{name} {version} を専用のインストーラーで再インストールする（設定は保存されない）",
    ),
}


def told(name: str, /, **values: Text | str | int) -> Text:
    """A phrase with its values, of which a Text is in the language of the phrase. Raises KeyError for a phrase that is not in the catalogue."""
    both = {field: value if isinstance(value, Text) else Text(str(value), str(value)) for field, value in values.items()}
    phrase = PHRASES[name]
    return Text(phrase.en.format(**{field: value.en for field, value in both.items()}), phrase.ja.format(**{field: value.ja for field, value in both.items()}))


def english(name: str, /, **values: str | int) -> str:
    """A phrase with its values as records keep it."""
    return PHRASES[name].en.format(**values)


def joined(parts: list[Text], english: str = "; ", japanese: str = "、") -> Text:
    """Several, one after the other."""
    return Text(english.join(part.en for part in parts), japanese.join(part.ja for part in parts))


#: objects that are named with a refusal
_NAMED = 5
#: values that are phrases themselves
_NESTED = frozenset({"when", "way_out", "reasons"})


@functools.cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """What an English phrase looks like, those with the most words first: they say the most."""
    made = {}
    for name, text in PHRASES.items():
        parts = [(re.escape(literal), field) for literal, field, _spec, _conversion in string.Formatter().parse(text.en)]
        made[name] = re.compile("".join(literal + (f"(?P<{field}>.+?)" if field else "") for literal, field in parts), re.DOTALL)
    words = {name: len(re.sub(r"{\w+}", "", text.en)) for name, text in PHRASES.items()}
    return sorted(made.items(), key=lambda item: -words[item[0]])


def understood(record: str) -> Text | None:
    """A phrase of a record in both languages; None when the catalogue has none like it."""
    for name, pattern in _patterns():
        if found := pattern.fullmatch(record):
            values = found.groupdict()
            values |= {field: phrase.ja for field in _NESTED & values.keys() if (phrase := understood(values[field]))}
            return Text(record, PHRASES[name].ja.format(**values))
    return None


def reasons(records: list[str]) -> Text:
    """Several phrases of a record. One that the catalogue has not (it was written by another release) is shown as it is."""
    return joined([understood(record) or Text(record, record) for record in records])


def _japanese(record: str) -> str:
    found = understood(record)
    return found.ja if found else record


def refused(refusal: Mapping[str, Any]) -> Text:
    """A refusal of a record (`rule`, `msg`, `objects`, `allow_with`), with what would allow it."""
    allow, objects = str(refusal.get("allow_with") or ""), list(refusal.get("objects") or ())
    told = by_code(str(refusal["rule"]), str(refusal["msg"]))
    about = f"（{', '.join(objects[:_NAMED])}{f' ほか{len(objects) - _NAMED}件' if len(objects) > _NAMED else ''}）" if objects else ""
    return Text(
        told.en + (f" Allowed by: {allow}." if allow else ""),
        f"{told.ja}{'' if understood(str(refusal['msg'])) else about}。" + (f"許可する設定: {_japanese(allow)}" if allow else ""),
    )


#: as Microsoft writes permissions: Policy.Read.All
_PERMISSION = re.compile(r"\b[A-Z][A-Za-z]+(?:\.[A-Z][A-Za-z]+)+\b")


def permissions(japanese: str, *messages: str) -> str:
    """`japanese` with the permissions of Microsoft Graph that English messages name."""
    found = dict.fromkeys(name for msg in messages for name in _PERMISSION.findall(msg))
    return f"{japanese}（{', '.join(found)}）" if found else japanese


def by_code(code: str, msg: str) -> Text:
    """A message whose words only the English has (an error, a refusal, a reason to leave somebody alone): in Japanese what its code means."""
    meaning = codes.meaning(code)
    return understood(msg) or Text(msg, permissions(meaning.ja.rstrip("。") if meaning else f"コード {code}" if code else "理由は英語の記録を参照", msg))
