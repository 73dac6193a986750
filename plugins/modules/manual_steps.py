#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: manual_steps
short_description: Steps that only a person can do, with who confirmed them and when
version_added: 0.1.0
description:
  - Keeps a file with the steps of a run that no program can do, for instance stopping the provisioning in the console of IIJ ID.
  - A step is registered once, confirmed by a person, and required where a later stage depends on it.
  - The definition is data of the role that needs the step. What was confirmed stays when a definition is worded anew.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.language
options:
  path:
    description: The file with the steps (JSON) on the controller, usually C(steps.json) in the run folder. It is made when missing.
    type: path
    required: true
  steps:
    description: Definitions to register. A registered step is never removed.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: What the step is called, in C(a-z), C(0-9) and C(_).
        type: str
        required: true
      stage:
        description: The stage of the run that it belongs to.
        type: str
        required: true
      en:
        description: What to do, in English.
        type: str
        required: true
      ja:
        description: What to do, in Japanese.
        type: str
        required: true
      blocks_final_gate:
        description: Whether the final gate stays closed until the step is done.
        type: bool
        default: true
      source:
        description: The page that asks for the step, as URL.
        type: str
        default: ""
  services:
    description:
      - Services that sign users in through IIJ ID. Each becomes a step of its own of the stage C(relying_parties), which keeps the final gate closed.
      - The step of a service that was taken out of the list stays; confirm it with a note.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What people call the service.
        type: str
        required: true
      id:
        description:
          - What the step is called, after C(service_), in C(a-z), C(0-9) and C(_). By default it is made of the name, so that a service that is
            renamed is another step.
        type: str
      owner:
        description: Who is responsible for the service. Needed with C(done).
        type: str
      protocol:
        description: How the service signs users in, or gets them.
        type: str
        choices: [saml, oidc, scim, other]
        default: other
      unlink:
        description: How the link is ended in the service.
        type: str
      test:
        description: How the sign-in that replaces it is tested.
        type: str
      source:
        description: The page or ticket that says so, as URL.
        type: str
        default: ""
      done:
        description:
          - The day on which the owner ended and tested it (C(2026-11-28)). The step is then confirmed in the owner's name; as long as it stands here, a step
            that was withdrawn is confirmed again.
        type: str
  confirm:
    description:
      - Steps that a person has done. One that is confirmed already keeps its first confirmation.
      - Those of the stage C(report) can be confirmed only after the final gate has opened, as C(results/final_gate.json) beside O(path) tells.
        It must be of the tenant of the run folder, younger than the last change in its journal, and no older than O(gate_max_age_hours).
    type: list
    elements: str
    default: []
  withdraw:
    description: Steps that were confirmed by mistake.
    type: list
    elements: str
    default: []
  evidence:
    description:
      - Files on the controller that are evidence of the steps in O(confirm), absolute paths. They are copied into C(evidence/<step>) beside O(path),
        readable by their owner only, and recorded with their SHA-256; a later look tells when one is no longer as it was.
      - A file of the same name with other content gets a name of its own; nothing is overwritten. A symbolic link, a device or a pipe is refused.
      - They are kept as they are, not encrypted, and stay when the confirmation is withdrawn. A step that is confirmed already takes further ones.
    type: list
    elements: path
    default: []
    version_added: 1.1.0
  evidence_max_mb:
    description: How many megabytes one file of O(evidence) may have.
    type: int
    default: 20
    version_added: 1.1.0
  gate_max_age_hours:
    description: How many hours old the final gate's verdict may be with which a step of the stage C(report) is confirmed.
    type: int
    default: 24
    version_added: 1.1.0
  by:
    description: Who confirms. Needed with O(confirm).
    type: str
  note:
    description: What else should be remembered, for instance why a step does not apply.
    type: str
  require:
    description:
      - Steps that must be done. Otherwise the task fails with code V(step_not_done), which names what to do and how to confirm it.
      - In check mode it only warns.
    type: list
    elements: str
    default: []
seealso:
  - module: offboard.iij_id.manual_steps_info
"""

EXAMPLES = r"""
- name: Register a step
  offboard.iij_id.manual_steps:
    path: /srv/offboard-run/steps.json
    steps:
      - id: provisioning_stopped
        stage: gate
        en: Stop the provisioning to Microsoft 365 in the console of IIJ ID.
        ja: IIJ IDコンソールでMicrosoft 365へのプロビジョニングを停止する。
        source: https://manual.iij.jp/iid/faq/64947065.html

- name: One step for each service
  offboard.iij_id.manual_steps:
    path: /srv/offboard-run/steps.json
    services:
      - name: Expenses
        owner: Taro Reiji
        protocol: saml
        unlink: Admin > Security > SAML > off
        test: sign in as a test user through Microsoft Entra

- name: Confirm it
  offboard.iij_id.manual_steps:
    path: /srv/offboard-run/steps.json
    confirm: [provisioning_stopped]
    by: Hanako Reiji
    note: ticket 4711

- name: Confirm it with what shows it
  offboard.iij_id.manual_steps:
    path: /srv/offboard-run/steps.json
    confirm: [service_expenses]
    by: Hanako Reiji
    evidence: [/home/hanako/expenses-sign-in.pdf, /home/hanako/last-search.txt]

- name: Go on only when it is done
  offboard.iij_id.manual_steps:
    path: /srv/offboard-run/steps.json
    require: [provisioning_stopped]
"""

RETURN = r"""
steps:
  description: All registered steps as they are after the task.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: The step., type: str, returned: always}
    stage: {description: Its stage., type: str, returned: always}
    en: {description: What to do., type: str, returned: always}
    ja: {description: The same in Japanese., type: str, returned: always}
    blocks_final_gate: {description: Whether the final gate waits for it., type: bool, returned: always}
    source: {description: The page that asks for it., type: str, returned: always}
    done: {description: Whether it is done., type: bool, returned: always}
    by: {description: Who confirmed it., type: str, returned: always}
    at: {description: 'When, as RFC 3339 in UTC.', type: str, returned: always}
    note: {description: What the person noted., type: str, returned: always}
    evidence:
      description:
        - The files that were attached, each with C(file) (in the run folder), C(name) (what it was called), C(sha256), C(bytes), C(by) and C(at).
        - C(state) is V(kept), V(missing), or V(changed) where it is not the file that was attached.
      type: list
      elements: dict
      returned: when there is some
    void:
      description:
        - A recorded confirmation that does not count, since it is older than the last of what it confirms, or of a time that is yet to come.
          Then the step is open.
        - C(by) and C(at) are those of the confirmation, C(since) is when the last of what it confirms was done (empty when the time is yet to come).
      type: dict
      returned: when there is one
plan:
  description: The changes, the same in check mode.
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(step_not_done), V(unknown_step), V(invalid_step), V(steps_file_damaged), V(gate_closed), V(gate_outdated),
      V(evidence_not_readable), V(evidence_too_large), V(bad_option), V(run_folder_unsafe), V(file_exists),
      V(other_run_folder), V(run_file_damaged), V(file_read_failed) or V(file_write_failed).
    - With V(step_not_done), C(details) holds C(steps) and C(confirm_command).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._core.names import visible
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps.resource import ManualSteps
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps.services import PROTOCOLS

from ..module_utils._module.arguments import LANGUAGE, spec
from ..module_utils._offboarding.arguments import RUN
from ..module_utils._offboarding.runner import run

STEP = {
    "id": {"type": "str", "required": True},
    "stage": {"type": "str", "required": True},
    "en": {"type": "str", "required": True},
    "ja": {"type": "str", "required": True},
    "blocks_final_gate": {"type": "bool", "default": True},
    "source": {"type": "str", "default": ""},
}
SERVICE = {
    "name": {"type": "str", "required": True},
    "id": {"type": "str"},
    "owner": {"type": "str"},
    "protocol": {"type": "str", "choices": list(PROTOCOLS), "default": "other"},
    "unlink": {"type": "str"},
    "test": {"type": "str"},
    "source": {"type": "str", "default": ""},
    "done": {"type": "str"},
}


def main() -> None:
    names = {name: {"type": "list", "elements": "str", "default": []} for name in ("confirm", "withdraw", "require")}
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            LANGUAGE,
            path={"type": "path", "required": True},
            steps={"type": "list", "elements": "dict", "default": [], "options": STEP},
            services={"type": "list", "elements": "dict", "default": [], "options": SERVICE},
            **names,
            evidence={"type": "list", "elements": "path", "default": []},
            evidence_max_mb={"type": "int", "default": 20},
            gate_max_age_hours={"type": "int", "default": 24},
            by={"type": "str"},
            note={"type": "str"},
        ),
        supports_check_mode=True,
    )
    module.params["by"] = visible(module.params["by"] or "")
    if module.params["confirm"] and not module.params["by"]:
        module.fail_json(msg="Who confirms? Give by, a person's name.", failure={"code": "by_missing", "details": {}})
    run(module, lambda params: ManualSteps(params, module.check_mode), beside_others=True)


if __name__ == "__main__":
    main()
