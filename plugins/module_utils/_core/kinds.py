# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one vocabulary of kinds of objects, changed ones and such as are only found, and of what is done to them, in words for people.

A new one is written here first, in small letters with `_`, whatever Graph calls it.
"""

from __future__ import annotations

from .text import Text

#: As within a sentence; see `label` and `heading`.
KINDS: dict[str, Text] = {
    "app_role_assignment": Text("application permissions", "アプリケーションの許可"),
    "application": Text("app registrations", "アプリの登録"),
    "authentication_event_listener": Text("authentication event listeners", "認証イベントリスナー"),
    "authentication_methods_policy": Text("the policy on authentication methods", "認証方法ポリシー"),
    "certificate_authority": Text("certificate authorities", "証明機関"),
    "certificate_based_authentication": Text("certificate authorities (old store)", "証明機関（旧方式）"),
    "claims_mapping_policy": Text("claims mapping policies", "クレームマッピングポリシー"),
    "conditional_access_policy": Text("Conditional Access policies", "条件付きアクセスポリシー"),
    "configuration_policy": Text("settings catalog profiles in Intune", "Intuneの設定カタログ"),
    "configuration_policy_settings": Text("settings catalog profiles in Intune (settings)", "Intuneの設定カタログ（設定値）"),
    "cross_tenant_access_default": Text("default cross-tenant access settings", "テナント間アクセスの既定設定"),
    "cross_tenant_access_partner": Text("cross-tenant access settings of partners", "テナント間アクセスの組織の設定"),
    "custom_authentication_extension": Text("custom authentication extensions", "カスタム認証拡張機能"),
    "device_configuration": Text("device profiles in Intune", "Intuneのデバイス構成プロファイル"),
    "directory_object": Text("Active Directory accounts and groups", "Active Directoryのアカウントとグループ"),
    "domain": Text("domains", "ドメイン"),
    "external_federation": Text("direct federations", "直接フェデレーション"),
    "feature_rollout_policy": Text("staged rollouts of cloud authentication", "クラウド認証の段階的ロールアウト"),
    "gate_verdict": Text("verdicts on provisioning", "プロビジョニングの判定"),
    "group_policy_configuration": Text("administrative templates in Intune", "Intuneの管理用テンプレート"),
    "group_policy_definition": Text("administrative templates in Intune (settings)", "Intuneの管理用テンプレート（設定）"),
    "group_policy_registry": Text("registry settings in group policies", "グループポリシーのレジストリ設定"),
    "group_policy_right": Text("user rights in group policies", "グループポリシーのユーザー権利"),
    "group_policy_value": Text("administrative templates in Intune (values)", "Intuneの管理用テンプレート（設定値）"),
    "guest": Text("guests", "ゲスト"),
    "handover": Text("new passwords handed over", "新しいパスワードの引き渡し"),
    "handover_file": Text("letters and lists of new passwords", "新しいパスワードの通知書と一覧"),
    "home_realm_discovery_policy": Text("home realm discovery policies", "ホーム領域検出ポリシー"),
    "identity_provider": Text("identity providers", "IDプロバイダー"),
    "iij_id_export": Text("exports of IIJ ID", "IIJ IDのエクスポート"),
    "internal_federation": Text("federations of the tenant's own domains", "自社ドメインのフェデレーション"),
    "intune_assignment": Text("assignments in Intune", "Intuneの割り当て"),
    "linux_account": Text("accounts of Linux machines", "Linuxマシンのアカウント"),
    "linux_cron_job": Text("cron jobs", "cronジョブ"),
    "linux_file": Text("files on Linux machines", "Linuxマシンのファイル"),
    "machine_record": Text("records of machines", "マシンの記録"),
    "manual_step": Text("steps of a person", "人が行う手順"),
    "mobile_app": Text("apps in Intune", "Intuneのアプリ"),
    "mobile_app_configuration": Text("app configurations in Intune", "Intuneのアプリ構成ポリシー"),
    "named_location": Text("named locations", "ネームドロケーション"),
    "oauth2_permission_grant": Text("delegated permissions", "委任されたアクセス許可"),
    "openldap_access": Text("OpenLDAP access rules", "OpenLDAPのアクセス規則"),
    "openldap_entry": Text("OpenLDAP accounts", "OpenLDAPのアカウント"),
    "organization": Text("settings of the organization", "組織の設定"),
    "organizational_branding": Text("the sign-in page's texts and links", "サインインページの文言とリンク"),
    "plan_file": Text("plans kept for approval", "承認のために保存した計画"),
    "public_key_infrastructure": Text("stores of certificate authorities", "公開キー基盤"),
    "redemption_order": Text("order in which guests' identity providers are tried", "ゲストの招待の引き換え順序"),
    "report_file": Text("report", "報告書"),
    "service_principal": Text("enterprise applications", "エンタープライズアプリケーション"),
    "snapshot": Text("snapshot", "スナップショット"),
    "synchronization_job": Text("provisioning jobs", "プロビジョニングジョブ"),
    "targeted_managed_app_configuration": Text("app configurations in Intune (managed apps)", "Intuneのアプリ構成ポリシー（マネージドアプリ）"),
    "token_issuance_policy": Text("token issuance policies", "トークン発行ポリシー"),
    "token_lifetime_policy": Text("token lifetime policies", "トークン有効期間ポリシー"),
    "user": Text("users", "利用者"),
    "vault_file": Text("encrypted files", "暗号化ファイル"),
    "windows_browser_sign_in": Text("browsers' and zones' settings on Windows machines", "Windowsマシンのブラウザーとゾーンの設定"),
    "windows_certificate": Text("client certificates on Windows machines", "Windowsマシンのクライアント証明書"),
    "windows_file": Text("files on Windows machines", "Windowsマシンのファイル"),
    "windows_password_filter": Text("password filters", "パスワードフィルター"),
    "windows_restart": Text("restarts of Windows machines", "Windowsマシンの再起動"),
    "windows_scheduled_task": Text("scheduled tasks", "スケジュールタスク"),
    "windows_software": Text("installed software", "インストール済みソフトウェア"),
}
#: Files of the run folder: they record the exit, and nothing outside is changed with them.
OF_RUN_FOLDER = frozenset(
    {"gate_verdict", "handover", "handover_file", "iij_id_export", "machine_record", "manual_step", "plan_file", "report_file", "snapshot", "vault_file"}
)
#: Of those that change: what lies in a tenant, and the files that say how one was. Who changes them knows which tenant it is.
OF_TENANT = frozenset(
    {
        "app_role_assignment",
        "application",
        "domain",
        "external_federation",
        "gate_verdict",
        "guest",
        "internal_federation",
        "intune_assignment",
        "oauth2_permission_grant",
        "redemption_order",
        "service_principal",
        "snapshot",
        "user",
    }
)
ACTIONS: dict[str, Text] = {
    "attach": Text("evidence attached", "証跡を添付"),
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


def label(kind: str) -> Text:
    """What objects of a kind are called within a sentence; of one that has no words (another release's record) its own name."""
    return KINDS.get(kind, Text.same(kind))


def heading(kind: str) -> Text:
    """The same at the beginning of a line or a row."""
    found = label(kind)
    return found if kind not in KINDS else Text(found.en[0].upper() + found.en[1:], found.ja)
