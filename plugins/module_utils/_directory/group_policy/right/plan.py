# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to change in the user rights of group policies. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...._core import phrases
from ...._core.model import Change, Object, Refusal
from ...._core.plan import Plan
from .. import changes, gpt_tmpl
from ..accounts import Account, meant
from ..changes import DIGEST, INI, VERSION

KIND = "group_policy_right"
#: SeDenyInteractiveLogonRight and the like take something away
_DENIES = "sedeny"
FILE = r"MACHINE\Microsoft\Windows NT\SecEdit\GptTmpl.inf"


@dataclass(frozen=True)
class WantedRight:
    """The task's options. `state` is absent or present. `rights`: none for every right that may be meant."""

    rights: Sequence[str]
    accounts: Sequence[Account]
    state: str
    when_empty: str = "refuse"
    when_undefined: str = "refuse"
    #: for `present`: nothing but what was taken out, by policy and right as `history.taken_out` has it (None: whatever is missing)
    removed: Mapping[tuple[str, str], Sequence[str]] | None = None

    def rights_in(self, item: Object) -> Sequence[str]:
        """The rights of a policy to look at."""
        return self.rights or (list(rights_of(item)) if self.removed is None else [right for guid, right in self.removed if guid == item.id])

    def missing(self, guid: str, right: str, members: Sequence[str]) -> Iterator[str]:
        """What is to be put into the right of the policy: an account that was taken out as it was spelled there, any other by its SID."""
        for one in self.accounts:
            if any(one.is_meant_by(member) for member in members):
                continue
            if self.removed is None:
                yield f"*{one.sid}"
                continue
            gone = (members for (policy, name), members in self.removed.items() if (policy, name.casefold()) == (guid, right.casefold()))
            yield from [member for spelled in gone for member in spelled if one.is_meant_by(member)][:1]


def describe(guid: str, name: str, rights: Mapping[str, Sequence[str]], version: int, in_ini: int, content: str) -> Object:
    """`content` is the digest of the file."""
    return Object(KIND, guid, name, {**{right: list(members) for right, members in rights.items()}, VERSION: version, INI: in_ini, DIGEST: content})


def rights_of(item: Object) -> dict[str, list[str]]:
    """The rights in an object's state."""
    return {name: value for name, value in item.state.items() if isinstance(value, list)}


def plan(
    items: Iterable[Object], wanted: WantedRight, old: Mapping[str, bytes], digest: Callable[[bytes], str], begun: Mapping[str, Change]
) -> tuple[Plan, dict[str, bytes]]:
    """One change for each policy, and what its file is to hold, by its GUID. `old`: what the files hold; `begun`: what stopped runs had begun.

    `mentioned` of its facts: whether any policy has any of the accounts.
    """
    result = Plan()
    new: dict[str, bytes] = {}
    back = "present" if wanted.state == "absent" else "absent"
    for item in items:
        with changes.named(item.name, item.id, FILE):
            before, after, new[item.id] = _edit(item, wanted, old[item.id], result.refusals, result.warnings)
        result.facts["mentioned"] = bool(before or result.facts.get("mentioned"))
        result.warnings += _of_nobody(item, wanted)
        work = changes.PolicyWork(
            KIND,
            item.id,
            item.name,
            "remove" if wanted.state == "absent" else "restore",
            phrases.english("undo_group_policy_right", state=back),
            item.state[VERSION],
            item.state[INI],
        )
        edit = changes.FileEdit(item.id, "machine", before, after, item.state[DIGEST], digest(new[item.id]))
        found, refusals = changes.of_policy(work, [edit], begun)
        result.refusals += refusals
        result.unchanged += not found
        for change in found:
            result.changes.append(change)
    return result, new


def _edit(
    item: Object, wanted: WantedRight, data: bytes, refusals: list[Refusal], warnings: list[str]
) -> tuple[dict[str, list[str] | None], dict[str, list[str] | None], bytes]:
    """The rights that change, before and after, and the file with them."""
    known = {name.casefold(): name for name in rights_of(item)}
    before: dict[str, list[str] | None] = {}
    after: dict[str, list[str] | None] = {}
    for right in wanted.rights_in(item):
        spelled = known.get(right.casefold(), right)
        members = item.state.get(spelled)
        if wanted.state == "absent" and members:
            gone = [member for member in members if meant(member, wanted.accounts)]
            rest = [member for member in members if member not in gone]
            if not gone:
                continue
            if not rest and wanted.when_empty == "refuse":
                refusals.append(_empty(item, spelled))
            if spelled.casefold().startswith(_DENIES):
                warnings.append(phrases.english("right_denies", name=item.name, right=spelled))
            before[spelled], after[spelled] = members, rest or None
            data = gpt_tmpl.without(data, spelled, gone, undefine=True)
        elif wanted.state == "present":
            missing = list(wanted.missing(item.id, spelled, members or ()))
            if not missing:
                continue
            if members is None and wanted.when_undefined == "refuse":
                refusals.append(_undefined(item, spelled))
            before[spelled], after[spelled] = members, [*(members or []), *missing]
            data = gpt_tmpl.with_members(data, spelled, missing, define=True)
    return before, after, data


def _of_nobody(item: Object, wanted: WantedRight) -> Iterator[str]:
    """Members that were taken out and are none of the accounts: an account that was made again has another SID."""
    for (guid, right), gone in (wanted.removed or {}).items():
        others = [member for member in gone if meant(member, wanted.accounts) is None]
        if guid == item.id and others:
            yield phrases.english("right_of_nobody", name=item.name, members=", ".join(others), right=right)


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
