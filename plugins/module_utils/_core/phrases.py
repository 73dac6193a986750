# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of phrases that modules put into their results, warnings and journals, in both languages. Pure.

Records keep the English one (they are compared, and outlive releases); whoever shows it to people asks `_offboarding.phrases` for the Japanese.
"""

from __future__ import annotations

from .text import Text
from .warned import WARNINGS

#: by name; a value in braces stands for a name, a number or a value of the case. A new one is written here first.
PHRASES: dict[str, Text] = {
    # why something was found
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
    "left_product_of": Text("{name} of the account {sid} alone", "{name}（アカウント {sid} のみ）"),
    "left_filter": Text("password filter {name}", "パスワードフィルター {name}"),
    "left_task": Text("task {name}", "タスク {name}"),
    "left_folder": Text("folder {name}", "フォルダー {name}"),
    "left_cron_job": Text("cron job {name}", "cronジョブ {name}"),
    "left_account": Text("account {name}", "アカウント {name}"),
    "left_timer": Text("systemd timer {name}", "systemdタイマー {name}"),
    "left_starter": Text("what starts it ({name})", "起動元（{name}）"),
    "left_link": Text("link {name}", "リンク {name}"),
    # why cron does not run a job
    "passed_over_name": Text("cron passes over files with this name", "cronはこの名前のファイルを無視する"),
    "passed_over_name_debian": Text("Debian's cron passes over files with this name", "Debianのcronはこの名前のファイルを無視する"),
    "passed_over_mode": Text("cron passes over the file, since others than its owner may write it", "所有者以外も書き込めるため、cronはこのファイルを無視する"),
    "passed_over_end_debian": Text(
        "Debian's cron passes over the file, since its last line has no line end", "最終行に改行がないため、Debianのcronはこのファイルを無視する"
    ),
    # why something was not read
    "not_looked_at": Text("it was not looked at", "確認していません"),
    "no_account": Text("no such account in this domain", "このドメインにアカウントがありません"),
    "no_object": Text("no such object", "オブジェクトがありません"),
    "no_credential": Text(
        "no credential: give access_token, client_secret (AZURE_CLIENT_SECRET) or client_certificate_path (AZURE_CLIENT_CERTIFICATE_PATH), or choose another "
        "one by credential",
        "資格情報がありません。client_secret（環境変数 AZURE_CLIENT_SECRET）、client_certificate_path（環境変数 AZURE_CLIENT_CERTIFICATE_PATH）、access_token "
        "のいずれかを指定するか、credential で別の方法を選んでください",
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
    "allow_this_one": Text("{setting}, when that one is meant", "{setting}（こちらを指す場合）"),
    "allow_confirmed_or_kept": Text(
        "{setting} in {option}, or where it is not meant, {name} in {kept}", "{option} に {setting}（対象でない場合は {kept} に {name}）"
    ),
    "allow_timer": Text("{name} in except_jobs, or its path, when it is to go on", "except_jobs に {name} またはそのパス（動かし続ける場合）"),
    "allow_job_gone": Text("the job taken out of jobs, when it shall stay away", "jobs から外す（戻さない場合）"),
    "allow_whole_script": Text(
        "the script's path in command_paths, when all of it is the agent's", "command_paths にスクリプトのパス（すべてエージェントのものである場合）"
    ),
    "allow_task_gone": Text("the task's name in except_names, when it shall stay away", "except_names にタスクの名前（戻さない場合）"),
    "allow_by_hand": Text("the task disabled by hand, or {name} in except_names", "タスクを手動で無効化、または except_names に {name}"),
    "allow_encryption": Text("vault_password or vault_password_file", "vault_password または vault_password_file"),
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
    **WARNINGS,
}


def english(which: str, /, **values: str | int) -> str:
    """A phrase with its values as records keep it. Raises KeyError for a phrase that is not in the catalogue."""
    return PHRASES[which].en.format(**values)
