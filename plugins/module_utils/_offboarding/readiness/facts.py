# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate judges: what was read, and what the operator confirmed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import quiet


@dataclass(frozen=True)
class Facts:
    """What was read. Lists and mappings are the return values of the info modules of the same name."""

    domains: Sequence[Mapping[str, Any]] | None = None
    users: Sequence[Mapping[str, Any]] | None = None
    #: before the first snapshot: how many users are blocked or without licence, and what IIJ ID's app did to whom, as entra_provisioning_info says
    provisioning: Mapping[str, Any] | None = None
    #: who cannot work without IIJ ID, as entra_users_readiness_info says
    people: Mapping[str, Any] | None = None
    apps: Sequence[Mapping[str, Any]] | None = None
    #: what in the tenant points at IIJ ID, and what was not looked at, as entra_references_info says
    references: Mapping[str, Any] | None = None
    #: which of the confirmed assignments in Intune are there, as intune_assignment_info says, or its failure
    intune: Mapping[str, Any] | None = None
    #: who will be able to sign in, as entra_sign_in_readiness_info says
    sign_in: Mapping[str, Any] | None = None
    machines: Mapping[str, Mapping[str, Any] | None] | None = None
    #: Linux machines, and OpenLDAP, as linux.py has them
    linux_machines: Mapping[str, Mapping[str, Any] | None] | None = None
    openldap: Mapping[str, Any] | None = None
    #: hosts on which this run has begun to uninstall a confirmed product, as its journal says
    uninstalled_on: Collection[str] = ()
    #: the kinds of objects on machines that it has begun to change
    begun_kinds: Collection[str] = ()
    #: what group policies say of IIJ ID, as group_policy_info says, or its failure
    group_policies: Mapping[str, Any] | None = None
    #: the machines of iij_id_browser_machines, each with `browsers` and `certificates` as win_browser_sign_in_info and win_certificate_info say,
    #: or with the error
    clients: Mapping[str, Mapping[str, Any] | None] | None = None
    directory_objects: Sequence[Mapping[str, Any]] | None = None
    directory_unusable: Sequence[Mapping[str, Any]] = ()
    dry_runs: Sequence[Mapping[str, Any]] = ()
    #: what the app that signs in lacks for each stage, as entra_permissions_info says
    permissions: Mapping[str, Any] | None = None
    steps: Sequence[Mapping[str, Any]] | None = None
    #: the exports of IIJ ID's users and groups, as iij_id_export_info says
    export: Mapping[str, Any] | None = None
    #: IIJ ID's app, as the tenant, the journal and the audit log show it, and the time of now (RFC 3339)
    app: quiet.AppActivity | None = None
    now: str = ""
    #: options of the contract whose accounts lie in Active Directory
    needs_directory: Sequence[str] = ()


@dataclass(frozen=True)
class Confirmed:
    """What the operator confirmed in variables."""

    domains: Collection[str] = ()
    client_ids: Collection[str] = ()
    accounts: Collection[str] = ()
    products: Sequence[Mapping[str, Any]] = ()
    #: scheduled tasks, each with name, action, or both
    tasks: Sequence[Mapping[str, Any]] = ()
    password_filters: Collection[str] = ()
    #: GUIDs of group policies: to take accounts out of rights, to take hosts out of lists, and to leave as they are
    right_policies: Sequence[str] = ()
    registry_policies: Sequence[str] = ()
    kept_policies: Sequence[str] = ()
    #: what becomes of the browsers' settings on machines: absent, keep, or empty
    browser_settings: str = ""
    #: issuers of device certificates to look for; issuers or thumbprints of those that go, and of those that stay
    certificate_issuers: Sequence[str] = ()
    certificates: Sequence[str] = ()
    kept_certificates: Sequence[str] = ()
    #: assignments in Intune that go, each with kind, object and target
    intune_assignments: Sequence[Mapping[str, Any]] = ()
    #: the app registration that the tool itself signs in with; by its permissions it looks like IIJ ID's
    own_client_id: str = ""
    #: app registrations that only look like IIJ ID's
    not_iij_client_ids: Collection[str] = ()
    #: objects that may go on pointing at IIJ ID, and kinds or objects that a person has looked at since the tool could not
    accepted_references: Collection[str] = ()
    accepted_not_looked_at: Collection[str] = ()
    #: how many users may be left without a way to sign in, besides those that are named
    accepted_no_way_in_count: int = 0
    #: there is no Windows machine with an agent
    without_machines: bool = False
    #: machines with tasks or folders of agents whose products are no longer installed
    leftovers: Collection[str] = ()
    #: of Directory Sync for Linux: cron jobs, each with place, command, or both; paths to remove, and those that are not its; accounts, each with name and
    #: uid, and names of those that are not its; accounts in OpenLDAP
    cron_jobs: Sequence[Mapping[str, Any]] = ()
    linux_files: Sequence[str] = ()
    not_iij_linux_files: Sequence[str] = ()
    linux_accounts: Sequence[Mapping[str, Any]] = ()
    not_iij_linux_accounts: Sequence[str] = ()
    openldap_access: Sequence[str] = ()
    openldap_entries: Sequence[str] = ()
    #: what becomes of the passwords, of those of synchronized users, and how many users one task may change (None: not judged)
    passwords: str = "generate"
    synced_password: str = "skip"
    max_users: int | None = None
    #: what the repair of the users will do
    usage_location: str = ""
    also_enable: Collection[str] = ()
    #: more of a domain's users than this many in a hundred, blocked or without licence, are no normal state
    max_blocked_percent: int = 50
    #: for how long an access token of IIJ ID's app may be good after the app was switched off
    token_minutes: int = quiet.TOKEN_MINUTES
    #: whether the gate switches IIJ ID's service principal off before the stop (None: not judged)
    disable_app: bool | None = None
