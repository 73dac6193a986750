# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stage would lack or refuse, and which steps of a person are open. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..._core.text import Text
from .. import phrases
from ..finding import Finding
from ..steps.plan import evidence_lost, to_do

if TYPE_CHECKING:
    from .judged import Confirmed, Facts


def permissions(facts: Facts, confirmed: Confirmed) -> Iterator[Finding]:
    """A stage would find it only after the ones before it: domains converted, and no permission to give passwords."""
    left_out = {"generate": {"passes"}, "temporary_access_pass": {"passwords"}}.get(confirmed.passwords, {"passwords", "passes"})
    profiles = [one.get("kind") == "device_configuration" for one in confirmed.intune_assignments]
    left_out |= ({"intune_apps"} if all(profiles) else set()) | ({"intune_profiles"} if not any(profiles) else set())
    for work in (facts.permissions or {}).get("missing", ()):
        if work["work"] in left_out or (work["work"] == "app" and not confirmed.client_ids):
            continue
        stages = ", ".join(work["stages"])
        lacks = [Text(*[", ".join(work["permissions"])] * 2)] if work["permissions"] else []
        if work["roles"]:
            either = ", ".join(work["roles"])
            lacks.append(Text(f"one of the directory roles {either}", f"ディレクトリロール {either} のいずれか"))
        yield Finding(
            "warning",
            "permission_missing",
            Text(
                f"Stage {stages}: the app that signs in (offboard_client_id) lacks {' and '.join(lack.en for lack in lacks)}. Grant that before this stage "
                "(permissions with admin consent), or sign in with another app for it.",
                f"段階 {stages}: サインインに使うアプリ（offboard_client_id）に {' と '.join(lack.ja for lack in lacks)} がありません。"
                "この段階の前に付与する（権限には管理者の同意が必要）か、この段階では別のアプリを使用してください。",
            ),
            (*work["permissions"], *work["roles"]),
        )


def dry_runs(facts: Facts) -> Iterator[Finding]:
    for run in facts.dry_runs:
        refusals = run["failure"].get("details", {}).get("refusals")
        if not refusals:
            msg = phrases.by_code(run["failure"]["code"], run["msg"])
            yield Finding("blocker", run["failure"]["code"], Text(f"Stage {run['stage']} would stop: {msg.en}", f"段階 {run['stage']} が停止します: {msg.ja}"))
        for refusal in refusals or ():
            told = phrases.refused(refusal)
            yield Finding(
                "blocker",
                refusal["rule"],
                Text(f"Stage {run['stage']} would refuse: {told.en}", f"段階 {run['stage']} で拒否されます: {told.ja}"),
                tuple(refusal.get("objects", ())),
            )


def _not_done(step: Mapping[str, Any]) -> Text:
    what, name = to_do(step), step["id"]
    if step.get("void"):
        return Text(f"The step {name} is open again: {what.en}", f"手順 {name} は再び未完了です: {what.ja}")
    return Text(f"Nobody has confirmed the step {name}: {what.en}", f"手順 {name} が確認されていません: {what.ja}")


def open_steps(facts: Facts) -> Iterator[Finding]:
    """Steps of a person without which the exit is not finished."""
    for step in facts.steps or ():
        if step["blocks_final_gate"] and not step["done"]:
            yield Finding("blocker", "step_not_done", _not_done(step), (step["id"],))


def evidence(facts: Facts) -> Iterator[Finding]:
    """Files that a person attached to a step, and that are not there as they were."""
    for step in facts.steps or ():
        for text in evidence_lost(step):
            yield Finding("warning", "evidence_damaged", text, (step["id"],))


#: What people call the facts that may be missing.
_LOOKED_AT = {
    "domains": Text("the domains", "ドメイン"),
    "apps": Text("the app registrations", "アプリの登録"),
    "references": Text("what in the tenant points at IIJ ID", "テナント内のIIJ IDへの参照"),
    "people": Text("the users", "利用者"),
    "machines": Text("the Windows machines", "Windowsマシン"),
}


def not_looked_at(facts: Facts) -> Iterator[Finding]:
    """What was never looked at is not in order."""
    for name in facts.missing:
        what = _LOOKED_AT[name]
        yield Finding(
            "blocker",
            "final_gate_incomplete",
            Text(
                f"Nobody has looked at {what.en} in this run, so the final gate cannot say that nothing is left there. Run offboard.iij_id.final_gate from its "
                "beginning, without --start-at-task.",
                f"今回の実行では{what.ja}を確認していないため、残っているものがないと判断できません。offboard.iij_id.final_gate を --start-at-task なしで"
                "最初から実行してください。",
            ),
            (name,),
        )


def judge(facts: Facts, confirmed: Confirmed, final: bool) -> Iterator[Finding]:
    """What stands in the way of the exit, or is left at its end."""
    if final:
        yield from not_looked_at(facts)
        yield from open_steps(facts)
        yield from evidence(facts)
    else:
        yield from permissions(facts, confirmed)
        yield from dry_runs(facts)
