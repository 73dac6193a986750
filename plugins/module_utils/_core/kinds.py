# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one vocabulary of kinds of objects, and of what is done to them, in words for people. A new one is written here first."""

from __future__ import annotations

from .text import Text

KINDS: dict[str, Text] = {
    "app_role_assignment": Text("Application permissions", "アプリケーションの許可"),
    "application": Text("App registrations", "アプリの登録"),
    "directory_object": Text("Active Directory accounts and groups", "Active Directoryのアカウントとグループ"),
    "domain": Text("Domains", "ドメイン"),
    "external_federation": Text("Federations for guests", "ゲスト用フェデレーション"),
    "gate_verdict": Text("Verdicts on provisioning", "プロビジョニングの判定"),
    "group_policy_registry": Text("Registry settings in group policies", "グループポリシーのレジストリ設定"),
    "group_policy_right": Text("User rights in group policies", "グループポリシーのユーザー権利"),
    "guest": Text("Guests", "ゲスト"),
    "handover": Text("New passwords handed over", "新しいパスワードの引き渡し"),
    "handover_file": Text("Letters and lists of new passwords", "新しいパスワードの通知書と一覧"),
    "iij_id_export": Text("Exports of IIJ ID", "IIJ IDのエクスポート"),
    "internal_federation": Text("Federations of the tenant's own domains", "自社ドメインのフェデレーション"),
    "linux_cron_job": Text("Cron jobs", "cronジョブ"),
    "linux_file": Text("Files on Linux machines", "Linuxマシンのファイル"),
    "manual_step": Text("Steps of a person", "人が行う手順"),
    "oauth2_permission_grant": Text("Delegated permissions", "委任されたアクセス許可"),
    "openldap_access": Text("OpenLDAP access rules", "OpenLDAPのアクセス規則"),
    "openldap_entry": Text("OpenLDAP accounts", "OpenLDAPのアカウント"),
    "plan_file": Text("Plans kept for approval", "承認のために保存した計画"),
    "redemption_order": Text("Order in which guests' identity providers are tried", "ゲストの招待の引き換え順序"),
    "report_file": Text("Report", "報告書"),
    "service_principal": Text("Service principals", "サービスプリンシパル"),
    "snapshot": Text("Snapshot", "スナップショット"),
    "user": Text("Users", "利用者"),
    "vault_file": Text("Encrypted files", "暗号化ファイル"),
    "windows_browser_sign_in": Text("Browsers' and zones' settings on Windows machines", "Windowsマシンのブラウザーとゾーンの設定"),
    "windows_certificate": Text("Client certificates on Windows machines", "Windowsマシンのクライアント証明書"),
    "windows_file": Text("Files on Windows machines", "Windowsマシンのファイル"),
    "windows_password_filter": Text("Password filters", "パスワードフィルター"),
    "windows_restart": Text("Restarts of Windows machines", "Windowsマシンの再起動"),
    "windows_scheduled_task": Text("Scheduled tasks", "スケジュールされたタスク"),
    "windows_software": Text("Installed software", "インストール済みソフトウェア"),
}
#: Files of the run folder: they record the exit, and nothing outside is changed with them.
OF_RUN_FOLDER = frozenset({"gate_verdict", "handover", "handover_file", "iij_id_export", "manual_step", "plan_file", "report_file", "snapshot", "vault_file"})
ACTIONS: dict[str, Text] = {
    "close": Text("closed", "閉鎖"),
    "complete": Text("completed", "補完"),
    "confirm": Text("confirmed", "確認"),
    "convert_to_federated": Text("federated again", "フェデレーションに戻した"),
    "convert_to_managed": Text("converted to managed", "マネージドに変換"),
    "create": Text("created", "作成"),
    "delete": Text("removed", "削除"),
    "disable": Text("disabled", "無効化"),
    "enable": Text("enabled", "有効化"),
    "give": Text("given", "引き渡し"),
    "invite": Text("invited", "招待"),
    "reinvite": Text("deleted and invited again", "削除して再招待"),
    "open": Text("opened", "通過"),
    "register": Text("registered", "登録"),
    "remove": Text("removed", "削除"),
    "remove_file": Text("file removed", "ファイルを削除"),
    "reset_redemption": Text("redemption reset", "招待の引き換えをリセット"),
    "restart": Text("restarted", "再起動"),
    "restore": Text("brought back", "復元"),
    "uninstall": Text("uninstalled", "アンインストール"),
    "unregister": Text("unregistered", "登録解除"),
    "update": Text("updated", "更新"),
    "withdraw": Text("confirmation withdrawn", "確認の取り消し"),
    "write": Text("written", "書き込み"),
}
