#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_provisioning_gate
short_description: Judge whether IIJ ID's provisioning still changes an Entra tenant, and keep the verdict
version_added: 1.0.0
description:
  - Looks into the tenant's directory audit for changes by IIJ ID's app, and writes the verdict into the run folder, with the tenant, the domains and the time.
  - A refusal is kept as well, in the place of an earlier verdict. The modules that change things after the gate demand an open verdict that is not too
    old by the option O(requires), so that no way of starting them goes past it.
  - A verdict that says the same within an hour is not written again. RV(open) tells the outcome; the task itself fails only with O(required) when the gate is
    closed, and then, too, the verdict is kept.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.language
  - offboard.iij_id.entra
options:
  path:
    description: The file with the verdict (JSON) on the controller, C(gate.json) in the run folder.
    type: path
    required: true
  app_id:
    description: The client id of IIJ ID's app, as its console shows it. It may be a deleted one.
    type: str
    default: ""
  old_app_ids:
    description: Client ids of its forgotten app registrations. What they have changed since the confirmed stop counts as well.
    type: list
    elements: str
    default: []
    version_added: 1.1.0
  domains:
    description: The domains that the verdict is for. M(offboard.iij_id.entra_domain) converts only these.
    type: list
    elements: str
    default: []
  activity_hours:
    description:
      - For how many hours IIJ ID's app must have changed nothing. V(0) does not look, so that the word of a person is enough.
      - What came before the confirmed stop (step C(provisioning_stopped) of C(steps.json) beside O(path)) does not count, since the stop itself blocks
        users; nor what came before the app was switched off by this run folder's journal, once no token from before that can be good (O(token_minutes)).
      - The clock of the controller must not differ from Microsoft's by more than 5 minutes.
    type: int
    default: 24
  token_minutes:
    description: For how many minutes an access token of the app may be good after it was switched off.
    type: int
    default: 90
  required:
    description: Whether the task fails (C(gate_closed)) when the gate is closed. In check mode that is a warning.
    type: bool
    default: false
    version_added: 1.1.0
notes:
  - Needs the application permissions C(Application.Read.All), C(Directory.Read.All) and, unless O(activity_hours=0), C(AuditLog.Read.All).
seealso:
  - module: offboard.iij_id.entra_app_info
  - module: offboard.iij_id.manual_steps
"""

EXAMPLES = r"""
- name: Does IIJ ID still change the tenant?
  offboard.iij_id.entra_provisioning_gate:
    path: offboard-run/gate.json
    app_id: 0b1f3e8a-57a1-4f0c-8a10-aa11d0000001
    domains: [reiji.example, reiji-group.example]
    activity_hours: 24
    required: true
"""

RETURN = r"""
open:
  description: Whether the stages after the gate may go on.
  returned: success
  type: bool
told:
  description: RV(reasons), or that IIJ ID changes nothing any more, in O(language).
  returned: success
  type: str
reasons:
  description: Why it is closed, for people, in English.
  returned: success
  type: list
  elements: str
verdict:
  description: The verdict as it lies in the file.
  returned: success
  type: dict
  sample:
    tenant_id: 5d0c9a2e-3c2f-4f7c-9a52-6a1ce0000001
    domains: [reiji.example]
    client_id: 0b1f3e8a-57a1-4f0c-8a10-aa11d0000001
    evidence_hours: 24
    activity_count: 0
    open: true
    reasons: []
    at: '2026-11-27T09:00:00Z'
plan:
  description: The verdict to be written, the same in check mode.
  returned: always
  type: list
  elements: dict
failure:
  description:
    - C(code) is V(gate_closed) (with O(required)), V(gate_damaged) (the file is none of this module), V(step_not_done),
      V(token_may_be_good) (the provisioning must not be stopped yet), V(bad_option), V(file_read_failed), V(file_write_failed) or one of those of
      M(offboard.iij_id.entra_domain).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.provisioning.resource import ProvisioningGate
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import LANGUAGE, spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            ENTRA,
            LANGUAGE,
            path={"type": "path", "required": True},
            app_id={"type": "str", "default": ""},
            old_app_ids={"type": "list", "elements": "str", "default": []},
            domains={"type": "list", "elements": "str", "default": []},
            activity_hours={"type": "int", "default": 24},
            token_minutes={"type": "int", "default": 90, "no_log": False},
            required={"type": "bool", "default": False},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run(module, lambda params: ProvisioningGate(params, module.check_mode, module.warn))


if __name__ == "__main__":
    main()
