# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of what a judgement goes by (plugins/module_utils/_offboarding/readiness/judged.py), of which `./dev pages` makes it."""

from __future__ import annotations


class ModuleDocFragment:
    """What was read, and what the operator confirmed."""

    DOCUMENTATION = r"""
options:
  domains:
    description: RV(offboard.iij_id.entra_domain_info#module:domains). Without it, domains are not judged.
    type: list
    elements: dict
  users:
    description: For each domain its name as C(domain), and the C(counts) of M(offboard.iij_id.entra_users_info).
    type: list
    elements: dict
  provisioning:
    description: The return values of M(offboard.iij_id.entra_provisioning_info) from before the first snapshot.
      Without it, that is not judged.
    type: dict
  people:
    description: The return values of M(offboard.iij_id.entra_users_readiness_info). Without it, users are not judged
      for O(gate=final).
    type: dict
  apps:
    description: C(apps) of M(offboard.iij_id.entra_app_info). Without it, apps are not judged.
    type: list
    elements: dict
  references:
    description: The return values of M(offboard.iij_id.entra_references_info). Without it, what else points at
      IIJ ID is not judged.
    type: dict
  intune:
    description: The return values of M(offboard.iij_id.intune_assignment_info) for O(confirmed.intune_assignments),
      or its C(failure) and C(msg). Without it, these count as not looked at.
    type: dict
  sign_in:
    description: The return values of M(offboard.iij_id.entra_sign_in_readiness_info). Without it, who will be able
      to sign in is not judged.
    type: dict
  machines:
    description:
      - For each Windows machine C(products), C(tasks), C(filters) and C(folders) that belong to an agent of IIJ
        ID, or C(error) when it could not be read, with the failure's C(code).
      - A machine without a value counts as not readable. Without the option, machines are not judged.
      - Also C(host), the address by which the journal knows it, when that is not its name.
      - For O(gate=freeze) only RV(offboard.iij_id.win_scheduled_task#module:nothing_found).
    type: dict
  linux_machines:
    description:
      - For each Linux machine C(jobs), C(timers), C(other_starts) and C(named_by) of M(offboard.iij_id.linux_cron_job_info),
        C(files) and C(not_looked_at) of M(offboard.iij_id.linux_file_info), C(accounts) of M(offboard.iij_id.linux_account_info),
        or C(error) when it could not be read, with the failure's C(code).
      - A machine without a value counts as not readable. Without the option, there are none.
      - For O(gate=freeze) only RV(offboard.iij_id.linux_cron_job#module:nothing_found).
    type: dict
  openldap:
    description:
      - C(clauses), C(mentions), C(settings), C(entries), C(named_in) and C(not_searched), each by the distinguished
        name of an account what M(offboard.iij_id.openldap_access_info) returns under the same names, and M(offboard.iij_id.openldap_entry_info)
        as C(entry); or C(error) and C(code).
      - Without the option, OpenLDAP counts as not looked at.
    type: dict
  group_policies:
    description: The return values of M(offboard.iij_id.group_policy_info), or its C(failure) and C(msg). Without
      it, group policies are not judged.
    type: dict
  clients:
    description:
      - For each machine of the users C(browsers) and C(certificates), the return values of M(offboard.iij_id.win_browser_sign_in_info)
        and M(offboard.iij_id.win_certificate_info), or C(error) when it could not be read, with the failure's C(code).
        Without it, they are not judged.
      - Also C(host), the address by which the journal knows it, when that is not its name.
    type: dict
  directory_objects:
    description: RV(offboard.iij_id.directory_object_info#module:objects). Without it, Active Directory counts as
      not looked at.
    type: list
    elements: dict
  directory_unusable:
    description: RV(offboard.iij_id.directory_object_info#module:unusable).
    type: list
    elements: dict
    default: []
  dry_runs:
    description: Failures of later stages' modules in check mode, each with the name of its C(stage), C(msg) and
      C(failure).
    type: list
    elements: dict
    default: []
  permissions:
    description: The return values of M(offboard.iij_id.entra_permissions_info). Without it, what the app lacks
      is not judged.
    type: dict
  steps:
    description: RV(offboard.iij_id.manual_steps_info#module:steps).
    type: list
    elements: dict
  export:
    description: What M(offboard.iij_id.iij_id_export_info) returned. Without it and O(export_folder) the export
      is not judged.
    type: dict
  needs_directory:
    description: Options of the contract that are in use, and whose accounts lie in Active Directory.
    type: list
    elements: str
    default: []
  confirmed:
    description: What the operator confirmed.
    type: dict
    default: {}
    suboptions:
      domains:
        description: Domains to convert.
        type: list
        elements: str
        default: []
      client_ids:
        description: Client ids of IIJ ID's app registrations.
        type: list
        elements: str
        default: []
      accounts:
        description: Names of accounts and groups that were made for IIJ ID, as in M(offboard.iij_id.directory_object).
        type: list
        elements: str
        default: []
      products:
        description: Products to uninstall, each with C(product_code), or with C(name) and C(publisher).
        type: list
        elements: dict
        default: []
      tasks:
        description: Scheduled tasks of the agents, each with C(name), C(action) or both, as in M(offboard.iij_id.win_scheduled_task).
        type: list
        elements: dict
        default: []
      password_filters:
        description: Password filters of Password Sync.
        type: list
        elements: str
        default: []
      right_policies:
        description: GUIDs of group policies out of whose user rights the accounts are taken.
        type: list
        elements: str
        default: []
      registry_policies:
        description: GUIDs of group policies out of whose lists the hosts are taken.
        type: list
        elements: str
        default: []
      kept_policies:
        description: GUIDs of group policies that stay as they are.
        type: list
        elements: str
        default: []
      browser_settings:
        description: What becomes of the settings of browsers on machines. Empty while nobody has decided.
        type: str
        choices:
          - ''
          - absent
          - keep
        default: ''
      certificate_issuers:
        description: Issuers of device certificates that were looked for, whole distinguished names.
        type: list
        elements: str
        default: []
      certificates:
        description: Issuers or thumbprints of the device certificates that go.
        type: list
        elements: str
        default: []
      kept_certificates:
        description: Issuers or thumbprints of certificates that stay. They win over O(confirmed.certificates).
        type: list
        elements: str
        default: []
      intune_assignments:
        description: Assignments in Intune that go, as in M(offboard.iij_id.intune_assignment).
        type: list
        elements: dict
        default: []
      own_client_id:
        description: Client id of the app registration that the tool itself signs in with. It is never a candidate.
        type: str
        default: ''
      not_iij_client_ids:
        description: Client ids of app registrations that look like IIJ ID's and are not.
        type: list
        elements: str
        default: []
      accepted_references:
        description: Ids of objects that may go on pointing at IIJ ID.
        type: list
        elements: str
        default: []
      accepted_not_looked_at:
        description: Kinds, or ids of objects, that a person has looked at since M(offboard.iij_id.entra_references_info)
          could not.
        type: list
        elements: str
        default: []
      accepted_no_way_in_count:
        description: How many users may be left without a way to sign in, besides those that M(offboard.iij_id.entra_sign_in_readiness_info)
          knows by name.
        type: int
        default: 0
      without_machines:
        description: Whether there is no Windows machine with an agent, so that an empty O(machines) is right.
        type: bool
        default: false
      leftovers:
        description: Machines with tasks or folders of agents whose products are no longer installed.
        type: list
        elements: str
        default: []
      cron_jobs:
        description: Cron jobs of Directory Sync for Linux, each with C(place), C(command) or both, as in M(offboard.iij_id.linux_cron_job).
        type: list
        elements: dict
        default: []
      linux_files:
        description: Paths of Directory Sync for Linux to remove.
        type: list
        elements: str
        default: []
      not_iij_linux_files:
        description: Paths that are not its, and folders in which nobody has to look.
        type: list
        elements: str
        default: []
      linux_accounts:
        description: Accounts of Linux machines to remove, each with C(name) and C(uid), as in M(offboard.iij_id.linux_account).
        type: list
        elements: dict
        default: []
      not_iij_linux_accounts:
        description: Names of accounts that run the agent or own its files, and were not made for it.
        type: list
        elements: str
        default: []
      openldap_access:
        description: Distinguished names of accounts to take out of OpenLDAP's access rules.
        type: list
        elements: str
        default: []
      openldap_entries:
        description: Distinguished names of accounts to remove from OpenLDAP.
        type: list
        elements: str
        default: []
      passwords:
        description: What becomes of the passwords, see M(offboard.iij_id.entra_users).
        type: str
        choices:
          - generate
          - temporary_access_pass
          - keep
        default: generate
      synced_password:
        description: Whether users synchronized from Active Directory get one, too.
        type: str
        choices:
          - skip
          - set
        default: skip
      max_users:
        description: How many users one task may change. Without it, that limit is not judged.
        type: int
      usage_location:
        description: What users without a usage location get.
        type: str
        default: ''
      also_enable:
        description: Blocked users who shall work again.
        type: list
        elements: str
        default: []
      max_blocked_percent:
        description: More of a domain's users than so many in a hundred, blocked or without licence, are no normal
          state.
        type: int
        default: 50
      token_minutes:
        description: For how many minutes an access token of IIJ ID's app may be good after its service principal
          was switched off.
        type: int
        default: 90
      disable_app:
        description: Whether the gate switches IIJ ID's service principal off before the stop. Without it, that
          is not judged.
        type: bool
"""
