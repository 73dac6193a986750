# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation twins of plugins/module_utils/_module/arguments.py."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that changes things."""

    DOCUMENTATION = r"""
options:
  max_changes:
    description:
      - The greatest number of objects that this task may change. A plan with more is refused as a whole, before anything is written.
    type: int
    default: 20
  journal:
    description:
      - A file on the controller (JSON lines). The intent is appended before each change and the outcome after it. No secret is written to it.
      - It belongs to one tenant and one Active Directory domain, written into C(run.json) beside it at the first change. A task that works on
        another one is refused, in check mode too (failure code C(other_run_folder)).
      - A file or its folder that belongs to another account or can be written by others, and a symbolic link, are refused (C(run_folder_unsafe)), as is
        one below a folder that everybody can write to, unless that has the sticky bit as C(/tmp) has.
      - It belongs to one changing run at a time, which is one C(ansible-playbook) with all its hosts. A task of another run is refused before it
        reads anything (failure code C(held_by_another_run), which says who holds the file). Tasks of one run on the same machine, tenant or shard
        wait for each other. A run that was killed holds nothing. The lock is a file beside this one, C(journal.jsonl.lock), and may stay there.
        Check mode takes no lock, M(offboard.iij_id.manual_steps) neither, so that a person can confirm a step while a run is at work.
      - The lock is a POSIX lock, so it holds for runs on other machines and in other containers where the file system passes such locks on (NFS does).
        Between the tasks of a run a process of its own holds it, which ends with the run's C(ansible-playbook).
    type: path
  run_tenant_id:
    description:
      - The id of the tenant for whose exit the task works, where the module itself cannot know it (a Windows machine, a step of a person). The run folder
        is bound to it as by the modules of the tenant, which go by their access token. What is no id (a domain's name) says nothing.
    type: str
  predictions:
    description:
      - A file on the controller (JSON lines), used in check mode only. The task plans against the outcome that the changes in the file
        predict, and appends its own, so that a whole playbook can be checked although nothing is applied.
    type: path
  progress_file:
    description:
      - A file on the controller to which progress is appended. The module's action plugin sets it and shows the progress while the task runs.
    type: path
  approved_plan:
    description:
      - The plan that a person approved, as M(offboard.iij_id.run_plan) has kept it. The task changes nothing but what stands there, or a part of it that is
        still open (fewer objects, or fewer of an object's properties); what is removed must be what it was then. Otherwise it fails before anything is
        written, with the code C(not_approved), and says what differs; so it does in check mode.
      - A plan that is missing, or is not the one with that hash, is refused with the code C(plan_missing) or C(plan_damaged).
    type: dict
    suboptions:
      path:
        description: The kept plan (JSON lines).
        type: path
        required: true
      sha256:
        description: Its SHA-256, 64 hexadecimal digits.
        type: str
        required: true
  requires:
    description:
      - What the run folder must hold before anything is changed, for a task that works for the exit. The module itself looks, so that it holds
        whatever plays and tasks ran before, or were left out. In check mode what is missing is a warning.
      - Needed where O(journal) lies in the run folder of an exit (beside C(steps.json), C(gate.json) or C(snapshot/manifest.json)), or what a task without
        a journal writes (a hand-over file, results, backups). Else the task fails with the code C(requires_missing) before it changes anything.
      - A run folder that belongs to another tenant or Active Directory domain (C(run.json)) is refused with the code C(other_run_folder).
    type: dict
    suboptions:
      run_dir:
        description: The run folder.
        type: path
        required: true
      steps:
        description: Ids of steps of a person that must be confirmed in C(steps.json). Else the task fails with the code C(step_not_done).
        type: list
        elements: str
        default: []
      gate_max_age_hours:
        description:
          - How many hours old the verdict of M(offboard.iij_id.entra_provisioning_gate) in C(gate.json) may be, which must be open, for the same tenant,
            and for the domains that change. Else the task fails with the code C(gate_closed) or C(gate_outdated). Without the option no verdict is needed.
        type: int
      sign_in_max_age_hours:
        description:
          - How many hours old the verdict of M(offboard.iij_id.entra_sign_in_readiness_info) in C(sign_in.json) may be, which must be for the same tenant and
            for the domains that change. Else the task fails with the code C(sign_in_not_judged) or C(sign_in_outdated), and with C(no_way_in) when users are
            left without a way to sign in whom nobody accepted. Without the option no verdict is needed.
        type: int
      accepted_no_way_in_count:
        description: How many users may be left without a way to sign in, besides those who were accepted by name when it was looked.
        type: int
        default: 0
      snapshot:
        description:
          - Whether there must be a complete snapshot of the tenant, which holds each domain, application, service principal and user about to change.
            Users who were created after it are no matter of it. Else the task fails with the code C(snapshot_missing), C(snapshot_damaged),
            C(snapshot_incomplete) or C(other_run_folder).
        type: bool
        default: false
      snapshot_files:
        description:
          - Files below C(snapshot/) that M(offboard.iij_id.vault_file) has written, and that must be of the Active Directory domain or the Windows machine
            that the task works on. They must hold each directory object about to change. Else the task fails with the same codes.
        type: list
        elements: str
        default: []
      managed_domains:
        description:
          - Domains of the tenant that must be managed, with all below them, for what may come only when nobody signs in through IIJ ID any more. Else
            the task fails with the code C(still_federated); so does that of a module that does not work on the tenant.
        type: list
        elements: str
        default: []
"""

    ATTRIBUTES = r"""
attributes:
  check_mode:
    support: full
    description: Runs everything but the changes themselves; the plan is the same as in real mode.
  diff_mode:
    support: full
    description: Shows the properties that change, before and after. Secrets are never shown.
  platform:
    support: full
    platforms: posix
    description: Runs on the controller.
"""

    INFO = r"""
attributes:
  check_mode:
    support: full
    description: The module only reads.
  diff_mode:
    support: none
    description: The module only reads.
  platform:
    support: full
    platforms: posix
    description: Runs on the controller.
"""
