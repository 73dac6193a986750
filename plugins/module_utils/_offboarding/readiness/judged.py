# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a judgement goes by: what people decide in variables, which answers of tasks it takes, and the things that it judges by themselves. Pure.

The one place of such a variable, and of such an answer of a task, beside its role: the draft, the judgements and what the roles hand over follow from here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..._core import names
from ..._core.text import Text
from ..finding import Finding
from . import (
    apps,
    browsers,
    certificates,
    clients,
    directory,
    domains,
    export,
    group_policies,
    intune,
    linux,
    machines,
    people,
    references,
    sign_in,
    stages,
    users,
)
from .candidate import Candidate
from .facts import Confirmed, Facts


def _nothing(_facts: Facts, _confirmed: Confirmed) -> Iterator[Candidate]:
    """Of a subject that nobody decides about."""
    yield from ()


class Subject(NamedTuple):
    """A subject that preflight and the final gate judge, in a file of its own."""

    #: what stands in the way; `final`: whether the final gate asks, or preflight
    judge: Callable[[Facts, Confirmed, bool], Iterator[Finding]]
    #: candidates for variables of DECISIONS
    propose: Callable[[Facts, Confirmed], Iterator[Candidate]] = _nothing


#: In the order in which their findings stand, among those that weigh the same.
SUBJECTS = (
    Subject(domains.judge, domains.propose),
    Subject(users.judge, users.propose),
    Subject(apps.judge, apps.propose),
    Subject(references.judge, references.propose),
    Subject(sign_in.judge),
    Subject(machines.judge, machines.propose),
    Subject(linux.judge, linux.propose),
    Subject(directory.judge, directory.propose),
    Subject(people.judge),
    Subject(group_policies.judge, group_policies.propose),
    Subject(clients.judge),
    Subject(browsers.judge, browsers.propose),
    Subject(certificates.judge, certificates.propose),
    Subject(intune.judge, intune.propose),
    Subject(stages.judge),
    Subject(export.judge),
)


@dataclass(frozen=True)
class Decided:
    """A variable of the roles. It counts only where its role's option of the contract is in use."""

    variable: str
    #: the field of Confirmed that it fills; a list of several variables holds what all of them say
    confirms: str = ""
    #: what it is for; without it the draft does not name it
    purpose: Text | None = None
    #: whether it holds one value, and no list
    one: bool = False
    #: what it holds, or its list: str, dict, int or bool
    holds: str = "str"
    #: options of the contract, where they are others than the role that the variable is called after
    options: tuple[str, ...] = ()

    def counts(self, in_use: Collection[str]) -> bool:
        """Whether one of its options is in use. What all roles share always counts."""
        return self.variable.startswith("offboard_") or any(self.variable.startswith(f"{name}_") or name in self.options for name in in_use)


#: IIJ ID signs people in with an app also where it only links an external identity provider.
_APPS = ("microsoft_365", "external_identity_providers")

#: In the order of the draft. Those that nothing was found for and nothing is confirmed of are left out there.
DECISIONS: tuple[Decided, ...] = (
    Decided(
        "offboard_break_glass",
        "",
        Text("Administrators who can sign in whatever happens, on the onmicrosoft.com domain.", "緊急アクセス用管理者（onmicrosoft.com のドメイン）"),
    ),
    Decided(
        "offboard_directory_host",
        "",
        Text("A domain controller; without it Active Directory is left alone.", "ドメインコントローラー（空の場合、Active Directoryは確認も変更もしない）"),
        one=True,
    ),
    Decided(
        "offboard_iij_client_id",
        "client_ids",
        Text("The client id that the console of IIJ ID shows for Microsoft 365.", "IIJ IDコンソールのMicrosoft 365の設定に表示されるクライアントID"),
        one=True,
    ),
    Decided(
        "microsoft_365_domains",
        "domains",
        Text(
            "Root domains to convert to managed; their subdomains follow. The smallest first.",
            "マネージドに変換するルートドメイン（サブドメインも変換される）。小さいものから",
        ),
    ),
    Decided("microsoft_365_old_client_ids", "client_ids", Text("Forgotten app registrations of IIJ ID.", "IIJ IDの古いアプリの登録"), options=_APPS),
    Decided(
        "microsoft_365_not_iij_client_ids",
        "not_iij_client_ids",
        Text("App registrations that only look like IIJ ID's.", "IIJ IDのものではないアプリの登録"),
        options=_APPS,
    ),
    Decided(
        "microsoft_365_disable_app",
        "disable_app",
        Text("Recommended: IIJ ID's stop then blocks nobody.", "推奨: IIJ IDの停止時に利用者がブロックされない"),
        holds="bool",
        one=True,
    ),
    Decided("microsoft_365_max_users", "max_users", Text("How many users one task may change.", "1つのタスクで変更できる利用者の上限"), one=True, holds="int"),
    Decided(
        "microsoft_365_usage_location",
        "usage_location",
        Text("For users without a usage location: two letters, JP for Japan.", "利用場所のない利用者に設定する国（2文字、日本は JP）"),
        one=True,
    ),
    Decided("microsoft_365_also_enable", "also_enable", Text("Users who are blocked, and shall work again.", "ブロック中で、復帰させる利用者")),
    Decided(
        "microsoft_365_accepted_references", "accepted_references", Text("Objects that may go on pointing at IIJ ID.", "IIJ IDを参照したまま残してよいもの")
    ),
    Decided(
        "microsoft_365_accepted_not_looked_at",
        "accepted_not_looked_at",
        Text("Kinds or objects that a person has looked at.", "人が確認した種類またはオブジェクト"),
    ),
    Decided(
        "directory_sync_without_machines",
        "without_machines",
        Text("There is no Windows machine with an agent.", "エージェントのあるWindowsマシンはない"),
        holds="bool",
        one=True,
    ),
    Decided("directory_sync_products", "products", Text("Products to uninstall.", "アンインストールする製品"), holds="dict"),
    Decided("directory_sync_tasks", "tasks", Text("Scheduled tasks of the agents.", "エージェントのスケジュールタスク"), holds="dict"),
    Decided("directory_sync_password_filters", "password_filters", Text("Password filters of Password Sync.", "Password Syncのパスワードフィルター")),
    Decided("directory_sync_leftovers", "leftovers", Text("Machines whose agents are uninstalled already.", "エージェントがアンインストール済みのマシン")),
    Decided("directory_sync_cron_jobs", "cron_jobs", Text("Cron jobs of Directory Sync for Linux.", "Directory Sync for Linuxのcronジョブ"), holds="dict"),
    Decided(
        "directory_sync_linux_files", "linux_files", Text("Folders of Directory Sync for Linux, to be removed.", "削除するDirectory Sync for Linuxのフォルダー")
    ),
    Decided(
        "directory_sync_linux_accounts",
        "linux_accounts",
        Text("Accounts of Linux machines that were made for it, to be removed.", "削除する専用のLinuxアカウント"),
        holds="dict",
    ),
    Decided(
        "directory_sync_openldap_access",
        "openldap_access",
        Text("Accounts to take out of OpenLDAP's access rules.", "OpenLDAPのアクセス規則から外すアカウント"),
    ),
    Decided("directory_sync_openldap_entries", "openldap_entries", Text("Accounts to remove from OpenLDAP.", "OpenLDAPから削除するアカウント")),
    Decided("directory_sync_accounts", "accounts", Text("Accounts and groups that were made for the agents.", "エージェント用に作られたアカウントとグループ")),
    Decided(
        "directory_sync_policies",
        "right_policies",
        Text("Group policies out of whose user rights the accounts are taken, by GUID.", "アカウントをユーザー権利から外すグループポリシー（GUID）"),
    ),
    Decided("integrated_windows_authentication_accounts", "accounts", Text("Accounts of integrated Windows authentication.", "統合Windows認証用のアカウント")),
    Decided(
        "integrated_windows_authentication_policies",
        "registry_policies",
        Text(
            "Group policies out of whose browser and zone lists IIJ ID's hosts are taken, by GUID.",
            "ブラウザーやゾーンの一覧からIIJ IDのホストを取り除くグループポリシー（GUID）",
        ),
    ),
    Decided("offboard_kept_group_policies", "kept_policies", Text("Group policies that stay as they are, by GUID.", "変更しないグループポリシー（GUID）")),
    Decided(
        "integrated_windows_authentication_browser_settings",
        "browser_settings",
        Text("What becomes of browser settings on machines: absent or keep.", "マシンのブラウザー設定の扱い（absent または keep）"),
        one=True,
    ),
    Decided(
        "multi_factor_authentication_certificates",
        "certificates",
        Text("Device certificates to remove from machines: issuers or thumbprints.", "マシンから削除するデバイス証明書（発行者または拇印）"),
    ),
    Decided(
        "multi_factor_authentication_kept_certificates",
        "kept_certificates",
        Text("Client certificates that stay.", "残すクライアント証明書（発行者または拇印）"),
    ),
    Decided(
        "multi_factor_authentication_intune_assignments",
        "intune_assignments",
        Text("Assignments in Intune to remove; the apps and the profiles stay.", "Intuneから削除する割り当て（アプリやプロファイルは残る）"),
        holds="dict",
    ),
    Decided("microsoft_365_passwords", "passwords", one=True),
    Decided("microsoft_365_synced_password", "synced_password", one=True),
    Decided("microsoft_365_accepted_no_way_in_count", "accepted_no_way_in_count", one=True, holds="int"),
    Decided("microsoft_365_max_blocked_percent", "max_blocked_percent", one=True, holds="int"),
    Decided("directory_sync_not_iij_linux_files", "not_iij_linux_files"),
    Decided("directory_sync_not_iij_linux_accounts", "not_iij_linux_accounts"),
    Decided("multi_factor_authentication_certificate_issuers", "certificate_issuers"),
)
#: The fields as options of a module, for what comes out of variables: a text of the command line becomes what it means.
SPEC: dict[str, dict[str, Any]] = {
    one.confirms: {"type": one.holds} if one.one else {"type": "list", "elements": one.holds} for one in DECISIONS if one.confirms
}
#: fields that hold a list
_LISTS = frozenset(decision.confirms for decision in DECISIONS if not decision.one)

_PREFLIGHT, _FINAL = "preflight", "final"


@dataclass(frozen=True)
class Answer:
    """What a task of the roles registers, and the fact of the judgement that it is."""

    registered: str
    #: the field of Facts; `dry_runs` of a trial, of which only a failure counts
    fact: str
    #: what of the answer it is: a key of it, or all of it
    part: str = ""
    #: the judgements that it is for: a later one looks again, and believes no earlier answer
    gates: tuple[str, ...] = (_PREFLIGHT, _FINAL)
    #: of a trial: the stage that would do it
    stage: str = ""


#: In whatever order: what is not here is found by a role, and judged by nobody.
ANSWERS: tuple[Answer, ...] = (
    Answer("__microsoft_365_domains", "domains", "domains"),
    Answer("__microsoft_365_apps", "apps", "apps"),
    Answer("__microsoft_365_users", "users", gates=(_PREFLIGHT,)),
    Answer("__microsoft_365_provisioning", "provisioning", gates=(_PREFLIGHT,)),
    Answer("__microsoft_365_permissions", "permissions", gates=(_PREFLIGHT,)),
    Answer("__microsoft_365_sign_in", "sign_in", gates=(_PREFLIGHT,)),
    Answer("__microsoft_365_references", "references"),
    Answer("__microsoft_365_people", "people", gates=(_FINAL,)),
    Answer("__multi_factor_authentication_intune", "intune"),
    Answer("__offboard_group_policies", "group_policies"),
    Answer("__directory_sync_candidates", "directory_objects", "objects", gates=(_PREFLIGHT,)),
    Answer("__directory_sync_candidates", "directory_unusable", "unusable", gates=(_PREFLIGHT,)),
    Answer("__integrated_windows_authentication_candidates", "directory_objects", "objects", gates=(_PREFLIGHT,)),
    Answer("__integrated_windows_authentication_candidates", "directory_unusable", "unusable", gates=(_PREFLIGHT,)),
    Answer("__report_objects", "directory_objects", "objects", gates=(_FINAL,)),
    Answer("__microsoft_365_trial", "dry_runs", gates=(_PREFLIGHT,), stage="domains"),
    Answer("__directory_sync_trial", "dry_runs", gates=(_PREFLIGHT,), stage="accounts"),
    Answer("__directory_sync_rights_trial", "dry_runs", gates=(_PREFLIGHT,), stage="accounts"),
    Answer("__directory_sync_openldap_entries_tried", "dry_runs", gates=(_PREFLIGHT,), stage="accounts"),
    Answer("__directory_sync_openldap_access_tried", "dry_runs", gates=(_PREFLIGHT,), stage="accounts"),
    Answer("__integrated_windows_authentication_trial", "dry_runs", gates=(_PREFLIGHT,), stage="accounts"),
    Answer("__integrated_windows_authentication_policies_trial", "dry_runs", gates=(_PREFLIGHT,), stage="clients"),
)


def confirmed(values: Mapping[str, Any], in_use: Collection[str]) -> dict[str, Any]:
    """What the variables confirm, by the fields of Confirmed. An empty one says nothing, so that the field keeps its default."""
    made: dict[str, Any] = {}
    for decision in DECISIONS:
        value = values.get(decision.variable)
        if not decision.confirms or value in (None, "") or not decision.counts(in_use):
            continue
        if decision.confirms in _LISTS:
            given = names.listed(value) if isinstance(value, str) else value
            made[decision.confirms] = [*made.get(decision.confirms, ()), *given]
        else:
            made[decision.confirms] = value
    return made


def table(language: str) -> str:
    """The variables of the draft as a table of the manual."""
    head = Text("| variable | what it is for |", "| 変数 | 内容 |")
    rows = [f"| `{one.variable}` | {getattr(one.purpose, language)} |" for one in DECISIONS if one.purpose]
    return "\n".join([getattr(head, language), "|---|---|", *rows]) + "\n"
