#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: readiness_info
short_description: Say what stands in the way of leaving IIJ ID
version_added: 0.1.0
description:
  - Judges what the info modules of this collection have read. It contacts nothing by itself, and reads nothing but the run's own files on the controller.
  - With O(gate=preflight) it finds what would stop a later stage, who could be locked out, and what was found but not confirmed.
  - With O(gate=provisioning) it finds what forbids to repair the users, since IIJ ID would undo it, and before that when the provisioning may be stopped
    without blocking anybody.
  - With O(gate=domains) it finds what forbids to convert the domains, since users would be left without a way to sign in.
  - With O(gate=freeze) it finds whether any of the O(machines) and O(linux_machines) has any of the scheduled tasks and cron jobs that were confirmed.
  - With O(gate=agents) it finds what forbids to take the agents off the O(machines) and O(linux_machines).
  - With O(gate=every_agent) it finds whether any of the O(machines) and O(linux_machines) has anything of all that was confirmed for them.
  - With O(gate=clients) it finds on which of the O(clients) the stage clients has something to do, and whether any of them has a device certificate of
    those that were confirmed.
  - With O(gate=linux) it finds what keeps a person from being spared the look at the O(linux_machines).
  - With O(gate=final) it finds what still points at IIJ ID, who could not work without it, and what waits for a person.
  - It fails because of what it finds only with O(required). Elsewhere the roles do, with RV(msg).
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.language
  - offboard.iij_id.vault
options:
  required:
    description:
      - Whether blockers are a failure, with RV(msg), or with O(brief) RV(verdict), and the code C(not_ready).
      - In check mode O(gate=domains) and O(gate=final) only warn, since the stages before them have changed nothing.
    type: bool
    default: false
  brief:
    description: Whether only what people read is returned. The answer has no RV(findings), RV(draft) and RV(msg); a failure has RV(lines) in its details.
    type: bool
    default: false
  run_dir:
    description:
      - The run folder, where the findings are kept for the report and for the step that ends the contract. With O(gate=final) as C(results/final_gate.json);
        with O(gate=preflight) as C(results/preflight.json) until there is a snapshot, and RV(draft) as C(decisions.draft.yml).
      - A run folder of another tenant is refused. Nothing is written in check mode, for other gates, and without this option.
    type: path
  run_tenant_id:
    description: The id of the tenant for whose exit the run folder shall be, for O(run_dir).
    type: str
  contract_options:
    description: The options of the contract in use, for O(variables) and for C(results/final_gate.json).
    type: list
    elements: str
    default: []
  gate:
    description: Which judgement is wanted.
    type: str
    required: true
    choices: [preflight, provisioning, domains, freeze, agents, every_agent, clients, linux, final]
  domains:
    description: RV(offboard.iij_id.entra_domain_info#module:domains). Without it, domains are not judged.
    type: list
    elements: dict
  users:
    description: For each domain its name as C(domain), and the C(counts) of M(offboard.iij_id.entra_users_info).
    type: list
    elements: dict
  provisioning:
    description: The return values of M(offboard.iij_id.entra_provisioning_info) from before the first snapshot. Without it, that is not judged.
    type: dict
  permissions:
    description: The return values of M(offboard.iij_id.entra_permissions_info). Without it, what the app lacks is not judged.
    type: dict
  people:
    description: The return values of M(offboard.iij_id.entra_users_readiness_info). Without it, users are not judged for O(gate=final).
    type: dict
  apps:
    description: C(apps) of M(offboard.iij_id.entra_app_info). Without it, apps are not judged.
    type: list
    elements: dict
  references:
    description: The return values of M(offboard.iij_id.entra_references_info). Without it, what else points at IIJ ID is not judged.
    type: dict
  intune:
    description:
      - The return values of M(offboard.iij_id.intune_assignment_info) for O(confirmed.intune_assignments), or its C(failure) and C(msg). Without it, these
        count as not looked at.
    type: dict
  sign_in:
    description: The return values of M(offboard.iij_id.entra_sign_in_readiness_info). Without it, who will be able to sign in is not judged.
    type: dict
  machines:
    description:
      - For each Windows machine C(products), C(tasks), C(filters) and C(folders) that belong to an agent of IIJ ID, or C(error) when it could not be read, with
        the failure's C(code).
      - A machine without a value counts as not readable. Without the option, machines are not judged.
      - Also C(host), the address by which the journal knows it, when that is not its name.
      - For O(gate=freeze) only RV(offboard.iij_id.win_scheduled_task#module:nothing_found).
    type: dict
  linux_machines:
    description:
      - For each Linux machine C(jobs) and C(timers) of M(offboard.iij_id.linux_cron_job_info), C(files) and C(not_looked_at) of
        M(offboard.iij_id.linux_file_info), C(accounts) of M(offboard.iij_id.linux_account_info), or C(error) when it could not be read, with the
        failure's C(code).
      - A machine without a value counts as not readable. Without the option, there are none.
      - For O(gate=freeze) only RV(offboard.iij_id.linux_cron_job#module:nothing_found).
    type: dict
  openldap:
    description:
      - C(clauses), C(mentions) and C(entries), each by the distinguished name of an account what M(offboard.iij_id.openldap_access_info) returns as
        C(clauses) and C(mentions), and M(offboard.iij_id.openldap_entry_info) as C(entry); or C(error) and C(code).
      - Without the option, OpenLDAP counts as not looked at.
    type: dict
  journal:
    description: The run's journal, which tells on which machines products are uninstalled already, and when IIJ ID's service principal was switched off.
    type: path
  client_id:
    description: IIJ ID's app among O(apps), for O(gate=provisioning).
    type: str
    default: ""
  filter_files:
    description: Whether the files of confirmed password filters go as well, of which only the names are known, so that something is to be done on each of the
      O(machines). For O(gate=agents) and O(gate=every_agent).
    type: bool
    default: false
    version_added: 1.1.0
  group_policies:
    description: The return values of M(offboard.iij_id.group_policy_info), or its C(failure) and C(msg). Without it, group policies are not judged.
    type: dict
  clients:
    description:
      - For each machine of the users C(browsers) and C(certificates), the return values of M(offboard.iij_id.win_browser_sign_in_info) and
        M(offboard.iij_id.win_certificate_info), or C(error) when it could not be read, with the failure's C(code). Without it, they are not judged.
      - Also C(host), the address by which the journal knows it, when that is not its name.
    type: dict
  directory_objects:
    description: RV(offboard.iij_id.directory_object_info#module:objects). Without it, Active Directory counts as not looked at.
    type: list
    elements: dict
  needs_directory:
    description: Options of the contract that are in use, and whose accounts lie in Active Directory.
    type: list
    elements: str
    default: []
  directory_unusable:
    description: RV(offboard.iij_id.directory_object_info#module:unusable).
    type: list
    elements: dict
    default: []
  dry_runs:
    description: Failures of later stages' modules in check mode, each with the name of its C(stage), C(msg) and C(failure).
    type: list
    elements: dict
    default: []
  steps:
    description: RV(offboard.iij_id.manual_steps_info#module:steps).
    type: list
    elements: dict
  export:
    description: What M(offboard.iij_id.iij_id_export_info) returned. Without it and O(export_folder) the export is not judged.
    type: dict
  export_folder:
    description: The folder of the exports, which is then looked at as M(offboard.iij_id.iij_id_export_info) does, with O(journal) and the vault's password.
    type: path
    version_added: 1.1.0
  vault_tried:
    description:
      - A file that is or will be encrypted, usually C(snapshot/domains.yml) in the run folder. That there is no vault's password, or that it does not open the
        file that is there, would stop the stage C(snapshot). For O(gate=preflight).
    type: path
    version_added: 1.1.0
  found:
    description:
      - What the roles of the collection hand over, each one dictionary with any of C(domains), C(users), C(apps), C(provisioning),
        C(permissions), C(people), C(references), C(intune), C(group_policies), C(clients), C(directory_unusable), C(dry_runs) and C(confirmed), as the
        options of the same names. Lists are put one after the other, those of the options themselves last; of anything else, what an option itself gives wins.
        Other keys are passed over, but in C(confirmed) they are an error.
    type: list
    elements: dict
    default: []
  answers:
    description: What tasks of the roles have registered, by the variables that the lookup P(offboard.iij_id.judged#lookup) names. A task that was skipped, or
      did not run, has looked at nothing.
    type: dict
    default: {}
    version_added: 1.1.0
  variables:
    description: The operator's variables as they are, by name (those that P(offboard.iij_id.judged#lookup) names), for RV(draft), which is not there without
      it. What those confirm whose option is among the O(contract_options) counts as O(confirmed), which wins.
    type: dict
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
        choices: ['', absent, keep]
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
        default: ""
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
        description: Kinds, or ids of objects, that a person has looked at since M(offboard.iij_id.entra_references_info) could not.
        type: list
        elements: str
        default: []
      accepted_no_way_in_count:
        description: How many users may be left without a way to sign in, besides those that M(offboard.iij_id.entra_sign_in_readiness_info) knows by name.
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
        choices: [generate, temporary_access_pass, keep]
        default: generate
      synced_password:
        description: Whether users synchronized from Active Directory get one, too.
        type: str
        choices: [skip, set]
        default: skip
      max_users:
        description: How many users one task may change. Without it, that limit is not judged.
        type: int
      usage_location:
        description: What users without a usage location get.
        type: str
        default: ""
      also_enable:
        description: Blocked users who shall work again.
        type: list
        elements: str
        default: []
      token_minutes:
        description: For how many minutes an access token of IIJ ID's app may be good after its service principal was switched off.
        type: int
        default: 90
      disable_app:
        description: Whether the gate switches IIJ ID's service principal off before the stop. Without it, that is not judged.
        type: bool
      max_blocked_percent:
        description: More of a domain's users than so many in a hundred, blocked or without licence, are no normal state.
        type: int
        default: 50
seealso:
  - module: offboard.iij_id.run_report
"""

EXAMPLES = r"""
- name: Which domains still send people to IIJ ID?
  offboard.iij_id.entra_domain_info:
  register: found

- name: May the contract end?
  offboard.iij_id.readiness_info:
    gate: final
    domains: "{{ found.domains }}"
  register: ready

- name: Stop when it may not
  ansible.builtin.assert:
    that: ready.blockers == 0
    fail_msg: "{{ ready.msg }}"
"""

RETURN = r"""
findings:
  description: What was found, blockers first.
  returned: success
  type: list
  elements: dict
  contains:
    severity: {description: 'V(blocker), V(warning) or V(info).', type: str, returned: always}
    code: {description: What kind of finding it is., type: str, returned: always}
    en: {description: The finding and the way out., type: str, returned: always}
    ja: {description: The same in Japanese., type: str, returned: always}
    objects: {description: What it is about., type: list, elements: str, returned: always}
blockers:
  description: How many findings are blockers.
  returned: success
  type: int
warnings_found:
  description: How many are warnings.
  returned: success
  type: int
msg:
  description: The blockers for people, on one line, in O(language). Empty without any.
  returned: success
  type: str
lines:
  description: The findings for people, one line a point, with how grave it is, in O(language). The roles tell these.
  returned: success
  type: list
  elements: str
draft:
  description: The O(variables) as a file of YAML, with what was found as comments, to be completed by the operator.
  returned: O(gate=preflight) and O(variables) is given
  type: str
anything_left:
  description:
    - Whether there is anything to take off one of the O(machines), or a change of one that a stopped run has begun, by the O(journal). Windows machines
      also have C(named) of M(offboard.iij_id.win_software_info) for this.
  returned: O(gate=agents) and O(gate=every_agent)
  type: bool
machines_left:
  description:
    - Those of the O(clients) on which is what was decided to go, or a change that a stopped run has begun, by the O(journal).
    - With O(gate=agents) and O(gate=every_agent) those of the O(machines) and O(linux_machines) on which something is left, or stands in the way.
  returned: O(gate=clients), O(gate=agents) and O(gate=every_agent)
  type: list
  elements: str
machines_clear:
  description: The others of the O(machines) and O(linux_machines).
  returned: O(gate=agents) and O(gate=every_agent)
  type: list
  elements: str
verdict:
  description: How much stands in the way, in one line and in O(language).
  returned: success
  type: str
failure:
  description:
    - C(code) is V(bad_option), V(not_ready), V(file_write_failed), or one of those of M(offboard.iij_id.run_folder_info), or with O(export_folder) of
      M(offboard.iij_id.iij_id_export_info).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._core import vault
from ..module_utils._iij.export import kept
from ..module_utils._module.arguments import spec
from ..module_utils._module.runner import require, run_info
from ..module_utils._module.vault_password import VAULT
from ..module_utils._offboarding.readiness.arguments import JUDGEMENT
from ..module_utils._offboarding.readiness.info import info


def main() -> None:
    module = AnsibleModule(argument_spec=spec(JUDGEMENT, VAULT), supports_check_mode=True)
    require(module, "cryptography", vault.CRYPTOGRAPHY_IMPORT_ERROR)
    run_info(module, lambda params: info(params, module.warn if module.check_mode else None, exports=kept.info))


if __name__ == "__main__":
    main()
