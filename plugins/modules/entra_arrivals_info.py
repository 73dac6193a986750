#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: entra_arrivals_info
short_description: Say who of the converted domains has signed in since, and who could not
version_added: 1.0.0
description:
  - Reads the sign-in log since the domains were converted, and says of each of their users whether they have V(arrived), which is a sign-in without an error
    since then, have tried and V(failed), were V(not_seen) yet, or are V(blocked).
  - For each error it says what it means and what helps, in English and Japanese.
  - V(not_known) is of whom nothing can be said, since the log could not be read, not to its end, or keeps less time than has passed. It is never V(not_seen).
  - Sign-ins by hand count, not those of programs, which go on with a token from before the conversion. Entries come minutes to hours late.
  - Changes nothing.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.entra
options:
  domains:
    description: The root domains whose users are looked for. Subdomains follow them. Without any, those that the O(journal) shows to be converted.
      One that the tenant does not have is an error (C(not_found)).
    type: list
    elements: str
    default: []
  since:
    description: From when on a sign-in counts, as RFC 3339 with a zone. Without it each domain's conversion, as the O(journal) knows it.
    type: str
  journal:
    description: The journal of the run that converted the domains.
    type: path
  grace_hours:
    description: So many hours after the first conversion, V(not_seen) users become a warning.
    type: int
    default: 24
  max_log_pages:
    description: How many pages of 1000 entries are read at most, newest first. Microsoft Graph allows 5 requests in 10 seconds.
    type: int
    default: 2000
  results_file:
    description: A JSON-lines file to which a line for each user is written, with C(status) as the state. It takes the place of an older one at the end.
    type: path
  progress_file:
    description:
      - A file on the controller to which progress is appended. The module's action plugin sets it and shows the progress while the task runs.
    type: path
notes:
  - Needs the application permissions C(User.Read.All) and C(AuditLog.Read.All), and Microsoft Entra ID P1. Without them RV(not_looked_at) says so, and
    everybody is V(not_known).
  - C(Domain.Read.All) tells a domain in which nobody is from one that the tenant does not have.
seealso:
  - module: offboard.iij_id.entra_sign_in_readiness_info
  - module: offboard.iij_id.entra_domain
"""

EXAMPLES = r"""
- name: Who has arrived?
  offboard.iij_id.entra_arrivals_info:
    journal: offboard-run/journal.jsonl
    results_file: offboard-run/results/arrivals.jsonl
  register: people

- name: What helps the others
  ansible.builtin.debug:
    msg: "{{ people.failures | map(attribute='msg') }}"
"""

RETURN = r"""
total:
  description: How many users there are.
  returned: success
  type: int
counts:
  description: How many are in each state. All states are there, and their sum is everybody.
  returned: success
  type: dict
domains:
  description: For each domain C(domain), C(since) (null where nobody knows when it was converted), C(total) and C(counts).
  returned: success
  type: list
  elements: dict
failures:
  description: Of users who tried and failed their last errors, the most frequent one first.
  returned: success
  type: list
  elements: dict
  contains:
    code: {description: The number after AADSTS., type: int, returned: always}
    count: {description: How many users., type: int, returned: always}
    reason: {description: What it means., type: str, returned: always}
    reason_ja: {description: The same in Japanese., type: str, returned: always}
    remedy: {description: What helps., type: str, returned: always}
    remedy_ja: {description: The same in Japanese., type: str, returned: always}
    on_the_way: {description: 'Whether the user is only asked for something, and may go on alone.', type: bool, returned: always}
    msg: {description: All of it in one line., type: str, returned: always}
users:
  description: The first users (20 kB) who failed, then those who were not seen; of both some, so that many of one hide none of the other.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: Object id., type: str, returned: always}
    name: {description: User principal name., type: str, returned: always}
    state: {description: V(failed) or V(not_seen)., type: str, returned: always}
    arrived_at: {description: 'The first sign-in, null without one.', type: str, returned: always}
    failed_at: {description: 'The last failure, null without one.', type: str, returned: always}
    error: {description: 'Its code, null without one.', type: int, returned: always}
    reason: {description: 'Why V(not_known), else empty.', type: str, returned: always}
    msg: {description: What the error means., type: str, returned: always}
arrivals_by_hour:
  description: For each hour with arrivals C(hour) and C(count).
  returned: success
  type: list
  elements: dict
suspicious_addresses:
  description:
    - Addresses with at least 20 sign-ins with a wrong password, each with C(address) and C(count). That is an attack, or passwords were handed to the wrong
      people. Tries again within one sign-in (C(correlationId)) count once.
  returned: success
  type: list
  elements: dict
entries:
  description: How many entries of the log were those of the users.
  returned: success
  type: int
not_looked_at:
  description: That the log could not be read, or not to its end, with C(part), C(reason) and C(msg).
  returned: success
  type: list
  elements: dict
late:
  description: Whether O(grace_hours) have passed.
  returned: success
  type: bool
severity:
  description:
    - V(critical) when users failed who need help, or of many wrong passwords from one address, V(unknown) when something could not be read, V(warning) when
      users are asked for something, or were not seen although it is late, else V(ok). V(ok) too when nothing was converted yet.
  returned: success
  type: str
summary:
  description: One sentence.
  returned: success
  type: str
summary_ja:
  description: The same in Japanese.
  returned: success
  type: str
at:
  description: When the log was read (RFC 3339).
  returned: success
  type: str
prometheus:
  description: The same in Prometheus' text format.
  returned: success
  type: str
failure:
  description: C(code) is one of those of M(offboard.iij_id.entra_domain), V(bad_option), V(file_read_failed) or V(file_write_failed).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.arrivals.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.arguments import ENTRA
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.sdk import SDK_IMPORT_ERROR
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec

from ..module_utils._module.runner import require, run_info


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            ENTRA,
            domains={"type": "list", "elements": "str", "default": []},
            since={"type": "str"},
            journal={"type": "path"},
            grace_hours={"type": "int", "default": 24},
            max_log_pages={"type": "int", "default": 2000},
            results_file={"type": "path"},
            progress_file={"type": "path"},
        ),
        supports_check_mode=True,
    )
    require(module, "msgraph-sdk, azure-identity", SDK_IMPORT_ERROR)
    run_info(module, info)


if __name__ == "__main__":
    main()
