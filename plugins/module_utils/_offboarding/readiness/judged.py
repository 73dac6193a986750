# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a judgement goes by: what was read, what people decide in variables, which answers of tasks it takes, and the subjects that judge. Pure.

The one place of a fact, of such a variable, and of such an answer of a task, beside its role: the options of readiness_info and their documentation, the draft,
the judgements and what the roles hand over follow from here. The subjects themselves are in files of their own, which know these classes as types only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..._core import names
from ..._core.text import Text
from .. import quiet
from ..finding import Finding
from ..going_back import Way, WayBack
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
    openldap,
    people,
    references,
    sign_in,
    stages,
    users,
)
from .candidate import Candidate
from .described import argument_spec, option


@dataclass(frozen=True)
class Facts:
    """What was read. None was not looked at, which is never the same as "nothing there"."""

    domains: Sequence[Mapping[str, Any]] | None = option("RV(offboard.iij_id.entra_domain_info#module:domains). Without it, domains are not judged.")
    users: Sequence[Mapping[str, Any]] | None = option("For each domain its name as C(domain), and the C(counts) of M(offboard.iij_id.entra_users_info).")
    provisioning: Mapping[str, Any] | None = option(
        "The return values of M(offboard.iij_id.entra_provisioning_info) from before the first snapshot. Without it, that is not judged."
    )
    people: Mapping[str, Any] | None = option(
        "The return values of M(offboard.iij_id.entra_users_readiness_info). Without it, users are not judged for O(gate=final)."
    )
    apps: Sequence[Mapping[str, Any]] | None = option("C(apps) of M(offboard.iij_id.entra_app_info). Without it, apps are not judged.")
    references: Mapping[str, Any] | None = option(
        "The return values of M(offboard.iij_id.entra_references_info). Without it, what else points at IIJ ID is not judged."
    )
    intune: Mapping[str, Any] | None = option(
        "The return values of M(offboard.iij_id.intune_assignment_info) for O(confirmed.intune_assignments), or its C(failure) and "
        "C(msg). Without it, these count as not looked at."
    )
    sign_in: Mapping[str, Any] | None = option(
        "The return values of M(offboard.iij_id.entra_sign_in_readiness_info). Without it, who will be able to sign in is not judged."
    )
    machines: Mapping[str, Mapping[str, Any] | None] | None = option(
        "For each Windows machine C(products), C(tasks), C(filters) and C(folders) that belong to an agent of IIJ ID, or C(error) when "
        "it could not be read, with the failure's C(code).",
        "A machine without a value counts as not readable. Without the option, machines are not judged.",
        "Also C(host), the address by which the journal knows it, when that is not its name.",
        "For O(gate=freeze) only RV(offboard.iij_id.win_scheduled_task#module:nothing_found).",
    )
    linux_machines: Mapping[str, Mapping[str, Any] | None] | None = option(
        "For each Linux machine C(jobs), C(timers), C(other_starts) and C(named_by) of M(offboard.iij_id.linux_cron_job_info), C(files) and C(not_looked_at) "
        "of M(offboard.iij_id.linux_file_info), C(accounts) of M(offboard.iij_id.linux_account_info), or C(error) when it could not be "
        "read, with the failure's C(code).",
        "A machine without a value counts as not readable. Without the option, there are none.",
        "For O(gate=freeze) only RV(offboard.iij_id.linux_cron_job#module:nothing_found).",
    )
    openldap: Mapping[str, Any] | None = option(
        "C(clauses), C(mentions), C(settings), C(entries), C(named_in) and C(not_searched), each by the distinguished name of an account what "
        "M(offboard.iij_id.openldap_access_info) returns under the same names, and M(offboard.iij_id.openldap_entry_info) as "
        "C(entry); or C(error) and C(code).",
        "Without the option, OpenLDAP counts as not looked at.",
    )
    #: hosts on which this run has begun to uninstall a confirmed product, as its journal says
    uninstalled_on: Collection[str] = ()
    #: the kinds of objects on machines that it has begun to change
    begun_kinds: Collection[str] = ()
    group_policies: Mapping[str, Any] | None = option(
        "The return values of M(offboard.iij_id.group_policy_info), or its C(failure) and C(msg). Without it, group policies are not judged."
    )
    clients: Mapping[str, Mapping[str, Any] | None] | None = option(
        "For each machine of the users C(browsers) and C(certificates), the return values of "
        "M(offboard.iij_id.win_browser_sign_in_info) and M(offboard.iij_id.win_certificate_info), or C(error) when it could not be "
        "read, with the failure's C(code). Without it, they are not judged.",
        "Also C(host), the address by which the journal knows it, when that is not its name.",
    )
    directory_objects: Sequence[Mapping[str, Any]] | None = option(
        "RV(offboard.iij_id.directory_object_info#module:objects). Without it, Active Directory counts as not looked at."
    )
    directory_unusable: Sequence[Mapping[str, Any]] = option("RV(offboard.iij_id.directory_object_info#module:unusable).", default=())
    dry_runs: Sequence[Mapping[str, Any]] = option(
        "Failures of later stages' modules in check mode, each with the name of its C(stage), C(msg) and C(failure).", default=()
    )
    permissions: Mapping[str, Any] | None = option(
        "The return values of M(offboard.iij_id.entra_permissions_info). Without it, what the app lacks is not judged."
    )
    steps: Sequence[Mapping[str, Any]] | None = option("RV(offboard.iij_id.manual_steps_info#module:steps).")
    export: Mapping[str, Any] | None = option("What M(offboard.iij_id.iij_id_export_info) returned. Without it and O(export_folder) the export is not judged.")
    #: IIJ ID's app, as the tenant, the journal and the audit log show it, and the time of now (RFC 3339)
    app: quiet.AppActivity | None = None
    now: str = ""
    #: what of NEEDED nobody has looked at
    missing: Collection[str] = ()
    needs_directory: Sequence[str] = option("Options of the contract that are in use, and whose accounts lie in Active Directory.", default=())


@dataclass(frozen=True)
class Confirmed:
    """What the operator confirmed in variables: the suboptions of `confirmed`."""

    domains: Collection[str] = option("Domains to convert.", default=())
    client_ids: Collection[str] = option("Client ids of IIJ ID's app registrations.", default=())
    accounts: Collection[str] = option("Names of accounts and groups that were made for IIJ ID, as in M(offboard.iij_id.directory_object).", default=())
    products: Sequence[Mapping[str, Any]] = option("Products to uninstall, each with C(product_code), or with C(name) and C(publisher).", default=())
    tasks: Sequence[Mapping[str, Any]] = option(
        "Scheduled tasks of the agents, each with C(name), C(action) or both, as in M(offboard.iij_id.win_scheduled_task).", default=()
    )
    password_filters: Collection[str] = option("Password filters of Password Sync.", default=(), no_log=False)
    right_policies: Sequence[str] = option("GUIDs of group policies out of whose user rights the accounts are taken.", default=())
    registry_policies: Sequence[str] = option("GUIDs of group policies out of whose lists the hosts are taken.", default=())
    kept_policies: Sequence[str] = option("GUIDs of group policies that stay as they are.", default=())
    browser_settings: str = option(
        "What becomes of the settings of browsers on machines. Empty while nobody has decided.", default="", choices=("", "absent", "keep")
    )
    certificate_issuers: Sequence[str] = option("Issuers of device certificates that were looked for, whole distinguished names.", default=())
    certificates: Sequence[str] = option("Issuers or thumbprints of the device certificates that go.", default=())
    kept_certificates: Sequence[str] = option("Issuers or thumbprints of certificates that stay. They win over O(confirmed.certificates).", default=())
    intune_assignments: Sequence[Mapping[str, Any]] = option("Assignments in Intune that go, as in M(offboard.iij_id.intune_assignment).", default=())
    own_client_id: str = option("Client id of the app registration that the tool itself signs in with. It is never a candidate.", default="")
    not_iij_client_ids: Collection[str] = option("Client ids of app registrations that look like IIJ ID's and are not.", default=())
    accepted_references: Collection[str] = option("Ids of objects that may go on pointing at IIJ ID.", default=())
    accepted_not_looked_at: Collection[str] = option(
        "Kinds, or ids of objects, that a person has looked at since M(offboard.iij_id.entra_references_info) could not.", default=()
    )
    accepted_no_way_in_count: int = option(
        "How many users may be left without a way to sign in, besides those that M(offboard.iij_id.entra_sign_in_readiness_info) knows by name.", default=0
    )
    without_machines: bool = option("Whether there is no Windows machine with an agent, so that an empty O(machines) is right.", default=False)
    leftovers: Collection[str] = option("Machines with tasks or folders of agents whose products are no longer installed.", default=())
    cron_jobs: Sequence[Mapping[str, Any]] = option(
        "Cron jobs of Directory Sync for Linux, each with C(place), C(command) or both, as in M(offboard.iij_id.linux_cron_job).", default=()
    )
    linux_files: Sequence[str] = option("Paths of Directory Sync for Linux to remove.", default=())
    not_iij_linux_files: Sequence[str] = option("Paths that are not its, and folders in which nobody has to look.", default=())
    linux_accounts: Sequence[Mapping[str, Any]] = option(
        "Accounts of Linux machines to remove, each with C(name) and C(uid), as in M(offboard.iij_id.linux_account).", default=()
    )
    not_iij_linux_accounts: Sequence[str] = option("Names of accounts that run the agent or own its files, and were not made for it.", default=())
    openldap_access: Sequence[str] = option("Distinguished names of accounts to take out of OpenLDAP's access rules.", default=())
    openldap_entries: Sequence[str] = option("Distinguished names of accounts to remove from OpenLDAP.", default=())
    passwords: str = option(
        "What becomes of the passwords, see M(offboard.iij_id.entra_users).",
        default="generate",
        choices=("generate", "temporary_access_pass", "keep"),
        no_log=False,
    )
    synced_password: str = option("Whether users synchronized from Active Directory get one, too.", default="skip", choices=("skip", "set"), no_log=False)
    max_users: int | None = option("How many users one task may change. Without it, that limit is not judged.")
    usage_location: str = option("What users without a usage location get.", default="")
    also_enable: Collection[str] = option("Blocked users who shall work again.", default=())
    max_blocked_percent: int = option("More of a domain's users than so many in a hundred, blocked or without licence, are no normal state.", default=50)
    token_minutes: int = option(
        "For how many minutes an access token of IIJ ID's app may be good after its service principal was switched off.",
        default=quiet.TOKEN_MINUTES,
        no_log=False,
    )
    disable_app: bool | None = option("Whether the gate switches IIJ ID's service principal off before the stop. Without it, that is not judged.")


def _nothing(_facts: Facts, _confirmed: Confirmed) -> Iterator[Candidate]:
    """Of a subject that nobody decides about."""
    yield from ()


class Subject(NamedTuple):
    """A subject that preflight and the final gate judge, in a file of its own."""

    #: what stands in the way; `final`: whether the final gate asks, or preflight
    judge: Callable[[Facts, Confirmed, bool], Iterator[Finding]]
    #: candidates for variables of DECISIONS
    propose: Callable[[Facts, Confirmed], Iterator[Candidate]] = _nothing
    #: how what the exit does to it is undone
    ways: tuple[Way, ...] = ()
    #: kind and action of what the exit does to it, by the stage
    work: Mapping[str, tuple[tuple[str, str], ...]] = {}


#: In the order in which their findings stand, among those that weigh the same.
SUBJECTS = (
    Subject(domains.judge, domains.propose, domains.WAYS, domains.WORK),
    Subject(users.judge, users.propose, users.WAYS),
    Subject(apps.judge, apps.propose, apps.WAYS, apps.WORK),
    Subject(references.judge, references.propose),
    Subject(sign_in.judge),
    Subject(machines.judge, machines.propose, machines.WAYS, machines.WORK),
    Subject(linux.judge, linux.propose, linux.WAYS, linux.WORK),
    Subject(openldap.judge, openldap.propose, openldap.WAYS, openldap.WORK),
    Subject(directory.judge, directory.propose, directory.WAYS, directory.WORK),
    Subject(people.judge),
    Subject(group_policies.judge, group_policies.propose, group_policies.WAYS, group_policies.WORK),
    Subject(clients.judge),
    Subject(browsers.judge, browsers.propose, browsers.WAYS, browsers.WORK),
    Subject(certificates.judge, certificates.propose, certificates.WAYS, certificates.WORK),
    Subject(intune.judge, intune.propose, intune.WAYS, intune.WORK),
    Subject(stages.judge),
    Subject(export.judge),
)

#: By the word of `offboard_restore`, what is played on the controller. In this order: what was done last is undone first.
BROUGHT_BACK: dict[str, tuple[WayBack, ...]] = {
    "accounts": (
        WayBack("directory_sync", "restore_accounts"),
        WayBack("directory_sync", "openldap_restore"),
        WayBack("integrated_windows_authentication", "restore_accounts"),
    ),
    "app": (WayBack("microsoft_365", "restore_app"),),
    "domains": (WayBack("microsoft_365", "restore_domains"),),
    "policies": (WayBack("integrated_windows_authentication", "restore_policies"),),
    "intune": (WayBack("multi_factor_authentication", "restore_intune"),),
    "users": (WayBack("microsoft_365", "restore_users"),),
    # on machines alone
    "tasks": (),
}


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
    #: options of the contract, where they are others than the role that the variable is called after
    options: tuple[str, ...] = ()

    @property
    def holds(self) -> str:
        """What it holds, or its list: str, dict, int or bool, as the field that it fills."""
        about = _FIELDS.get(self.confirms, {})
        return str(about.get("elements") or about.get("type") or "str")

    def counts(self, in_use: Collection[str]) -> bool:
        """Whether one of its options is in use. What all roles share always counts."""
        return self.variable.startswith("offboard_") or any(self.variable.startswith(f"{name}_") or name in self.options for name in in_use)


_FIELDS = argument_spec(Confirmed)

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
        one=True,
    ),
    Decided("microsoft_365_max_users", "max_users", Text("How many users one task may change.", "1つのタスクで変更できる利用者の上限"), one=True),
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
        one=True,
    ),
    Decided("directory_sync_products", "products", Text("Products to uninstall.", "アンインストールする製品")),
    Decided("directory_sync_tasks", "tasks", Text("Scheduled tasks of the agents.", "エージェントのスケジュールタスク")),
    Decided("directory_sync_password_filters", "password_filters", Text("Password filters of Password Sync.", "Password Syncのパスワードフィルター")),
    Decided("directory_sync_leftovers", "leftovers", Text("Machines whose agents are uninstalled already.", "エージェントがアンインストール済みのマシン")),
    Decided("directory_sync_cron_jobs", "cron_jobs", Text("Cron jobs of Directory Sync for Linux.", "Directory Sync for Linuxのcronジョブ")),
    Decided(
        "directory_sync_linux_files", "linux_files", Text("Folders of Directory Sync for Linux, to be removed.", "削除するDirectory Sync for Linuxのフォルダー")
    ),
    Decided(
        "directory_sync_linux_accounts",
        "linux_accounts",
        Text("Accounts of Linux machines that were made for it, to be removed.", "削除する専用のLinuxアカウント"),
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
    ),
    Decided("microsoft_365_passwords", "passwords", one=True),
    Decided("microsoft_365_synced_password", "synced_password", one=True),
    Decided("microsoft_365_accepted_no_way_in_count", "accepted_no_way_in_count", one=True),
    Decided("microsoft_365_max_blocked_percent", "max_blocked_percent", one=True),
    Decided("directory_sync_not_iij_linux_files", "not_iij_linux_files"),
    Decided("directory_sync_not_iij_linux_accounts", "not_iij_linux_accounts"),
    Decided("multi_factor_authentication_certificate_issuers", "certificate_issuers"),
)
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


#: By the option of the contract, the facts without which the final gate says nothing. A task of a playbook of one's own, or a play that was started behind
#: the tasks that look (--start-at-task), has not got them.
NEEDED: dict[str, tuple[str, ...]] = {
    "microsoft_365": ("domains", "apps", "references", "people"),
    "external_identity_providers": ("apps",),
    "directory_sync": ("machines",),
}


def missing(read: Mapping[str, Any], in_use: Collection[str]) -> list[str]:
    """Those of NEEDED that nobody has looked at."""
    return list(dict.fromkeys(fact for name in in_use for fact in NEEDED.get(name, ()) if read.get(fact) is None))


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
