# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to change in the user rights of group policies. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...._core.model import Change, Object, Refusal
from ...._core.plan import Plan
from .. import gpt_tmpl, versions
from ..accounts import Account, meant

KIND = "group_policy_right"
FILE = r"MACHINE\Microsoft\Windows NT\SecEdit\GptTmpl.inf"
#: Keys of an object's state besides its rights
VERSION, INI, DIGEST = "versionNumber", "GPT.INI", "sha256"


@dataclass(frozen=True)
class Wanted:
    """The task's options. `state` is absent or present."""

    rights: Sequence[str]
    accounts: Sequence[Account]
    state: str
    when_empty: str = "refuse"
    when_undefined: str = "refuse"


def describe(guid: str, name: str, rights: Mapping[str, Sequence[str]], version: int, in_ini: int, content: str) -> Object:
    """`content` is the digest of the file."""
    return Object(KIND, guid, name, {**{right: list(members) for right, members in rights.items()}, VERSION: version, INI: in_ini, DIGEST: content})


def rights_of(item: Object) -> dict[str, list[str]]:
    """The rights in an object's state."""
    return {name: value for name, value in item.state.items() if isinstance(value, list)}


@dataclass(frozen=True)
class Content:
    """What the files are to hold, and how the digest of a content is made; `new` is filled by `plan`."""

    old: Mapping[str, bytes]
    new: dict[str, bytes]
    digest: Any


def plan(items: Iterable[Object], wanted: Wanted, content: Content, begun: Mapping[str, Change]) -> Plan:
    """One change for each policy. `begun`: what stopped runs had begun of it, by its GUID."""
    result = Plan()
    for item in items:
        before, after, data = _edit(item, wanted, content.old[item.id], result.refusals)
        changed = before != after
        change = _change(item, before, after, content.digest(data), wanted.state) if changed else None
        if item.state[VERSION] != item.state[INI]:
            change = _resumed(item, change, begun.get(item.id), result.refusals)
        if change is None:
            result.unchanged += 1
        else:
            content.new[item.id] = data
            result.changes.append(change)
    return result


def _edit(item: Object, wanted: Wanted, data: bytes, refusals: list[Refusal]) -> tuple[dict[str, list[str] | None], dict[str, list[str] | None], bytes]:
    """The rights that change, before and after, and the file with them."""
    known = {name.casefold(): name for name in rights_of(item)}
    before: dict[str, list[str] | None] = {}
    after: dict[str, list[str] | None] = {}
    for right in wanted.rights:
        spelled = known.get(right.casefold(), right)
        members = item.state.get(spelled)
        if wanted.state == "absent" and members:
            gone = [member for member in members if meant(member, wanted.accounts)]
            rest = [member for member in members if member not in gone]
            if not gone:
                continue
            if not rest and wanted.when_empty == "refuse":
                refusals.append(_empty(item, spelled))
            before[spelled], after[spelled] = members, rest or None
            data = gpt_tmpl.without(data, spelled, gone, undefine=True)
        elif wanted.state == "present":
            missing = [f"*{one.sid}" for one in wanted.accounts if not any(one.is_meant_by(member) for member in members or ())]
            if not missing:
                continue
            if members is None and wanted.when_undefined == "refuse":
                refusals.append(_undefined(item, spelled))
            before[spelled], after[spelled] = members, [*(members or []), *missing]
            data = gpt_tmpl.with_members(data, spelled, missing, define=True)
    return before, after, data


def _change(item: Object, before: Mapping[str, Any], after: Mapping[str, Any], content: str, state: str) -> Change:
    version = item.state[VERSION]
    new = versions.bumped(version, "machine")
    return Change(
        KIND,
        item.id,
        item.name,
        "remove" if state == "absent" else "restore",
        {**before, VERSION: version, INI: version, DIGEST: item.state[DIGEST]},
        {**after, VERSION: new, INI: new, DIGEST: content},
        risk="medium",
        undo=f"group_policy_right with state={'present' if state == 'absent' else 'absent'} and the same accounts; the whole policy is in backup_dir",
    )


def _resumed(item: Object, change: Change | None, begun: Change | None, refusals: list[Refusal]) -> Change | None:
    """The change that a stopped run had begun, where that explains the two versions and is what this task wants, too."""
    if begun is not None and begun.before and begun.after:
        between = (begun.after.get(VERSION), begun.before.get(VERSION))
        wants_it = (change is not None and change.after is not None and change.after[DIGEST] == begun.after.get(DIGEST)) or (
            change is None and item.state[DIGEST] == begun.after.get(DIGEST)
        )
        if between == (item.state[VERSION], item.state[INI]) and item.state[DIGEST] in (begun.before.get(DIGEST), begun.after.get(DIGEST)) and wants_it:
            return begun
    refusals.append(
        Refusal(
            "versions_differ",
            f"the policy {item.name} has the version {item.state[VERSION]} in the directory and {item.state[INI]} in SYSVOL. Either it is being replicated or "
            "edited: wait, and run the task again. Or an edit was not finished: run the task that was stopped again, with its journal; if it was another "
            "program's, save any setting of the policy in the Group Policy Management Editor.",
            (item.id,),
        )
    )
    return change


def _empty(item: Object, right: str) -> Refusal:
    return Refusal(
        "right_empty",
        f"nobody would be left in {right} of the policy {item.name}. An empty right is nobody's on every machine of the policy; undefined, each machine has "
        "its own value again, which may let in accounts that the policy keeps out today.",
        (item.id,),
        "when_empty: undefine",
    )


def _undefined(item: Object, right: str) -> Refusal:
    return Refusal(
        "right_undefined",
        f"{right} is not defined by the policy {item.name}. Defined, it takes the right from everybody else on every machine of the policy.",
        (item.id,),
        "when_undefined: define",
    )


def other_controller(pdc: str) -> Refusal:
    """The connections are to a domain controller that does not hold the role of the PDC emulator."""
    return Refusal(
        "not_pdc_emulator",
        f"host is not the PDC emulator, on which policies are edited ({pdc}): the last writer wins when SYSVOL is replicated. Set host to it.",
        (pdc,),
        "allow: other_domain_controller",
    )


def edit_numbers(change: Change) -> tuple[int, int, str, str]:
    """Old and new version, old and new digest of a change."""
    before, after = change.before or {}, change.after or {}
    return before[VERSION], after[VERSION], before[DIGEST], after[DIGEST]
