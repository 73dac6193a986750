# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twin of USER_SELECTION in plugins/module_utils/_entra/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Which users a task is about."""

    DOCUMENTATION = r"""
options:
  users:
    description: These users, by user principal name or object id. For more than some hundred use O(src), which keeps the task small.
    type: list
    elements: str
  domain:
    description: All users whose user principal name ends in this domain. Subdomains are other domains.
    type: str
  group:
    description: The direct members of the group with this object id, as far as they are users.
    type: str
  src:
    description:
      - A file on the controller with one JSON object a line, each with C(id) or C(userPrincipalName). For M(offboard.iij_id.entra_users) a line
        may also hold C(enabled), C(licences), C(usage_location) and C(password) (V(keep) or V(generate)), which win over the task's options for
        that user. The file is in UTF-8, and a line that cannot be read or holds anything else fails the task before anything is changed, and so do two
        lines that say different things of one user.
      - For M(offboard.iij_id.entra_users) it may stand beside O(snapshot). It selects nobody then; what a line says of a user of the snapshot holds instead of
        what the snapshot says, so that nobody is enabled by one task to be blocked by the next. Licences to add or to remove are beside those of the snapshot.
        Whoever it blocks gets the snapshot's nevertheless, unless it says so of their licences too.
    type: path
  snapshot:
    description: The users of a snapshot that M(offboard.iij_id.entra_snapshot) wrote. Its folder, or one of its C(users-*.jsonl) files.
    type: path
  exclude:
    description: Users to leave out, by user principal name or object id.
    type: list
    elements: str
    default: []
  provisioned_only:
    description: Only users that have an C(onPremisesImmutableId), as those have whom an identity provider provisions.
    type: bool
    default: false
  shard:
    description:
      - V(i/n), for instance V(2/4), takes the second of four parts of the selected users, so that several machines or AWX job slices can share
        the work. A user's object id alone decides which part it is in, so the parts are disjoint, complete, and the same in every run.
    type: str
  results_file:
    description: A file on the controller (JSON lines) that gets one line for every user. Each run writes it anew, but for one that is refused or fails
      before anything is changed. Not written in check mode.
    type: path
"""
