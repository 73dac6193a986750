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
  - offboard.iij_id.judged
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
      - What the roles of the collection hand over, each one dictionary with any of the options that take what was read, and C(confirmed), by their names.
        Lists are put one after the other, those of the options themselves last; of anything else, what an option itself gives wins.
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
