# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which machines a stage has done its work, in this run and in earlier ones, and what is told of the others. Pure.

A --limit leaves machines out. The stage ends well, and nobody would know that they are still to be done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from ..._core.heads import some
from ..._core.text import Text

#: in the run folder
NAME = "machines.json"
#: The stages that do something on each machine. Those that judge (preflight, accounts, final_gate) tell of a machine that they did not look at as a finding.
STAGES = ("snapshot", "freeze", "agents", "clients")
#: so many are named in a line; the record names all
_NAMED = 20

#: of a stage: all machines of its groups (machines), and those where it has done its work (done)
Record = dict[str, list[str]]


def parse(content: Any) -> dict[str, Record]:
    """The record of each stage. Raises ValueError, which quotes nothing."""
    stages = content.get("stages") if isinstance(content, Mapping) else None
    if not isinstance(stages, Mapping) or not all(name in STAGES and isinstance(record, Mapping) for name, record in stages.items()):
        raise ValueError("it has no stages")
    for record in stages.values():
        for name in ("machines", "done"):
            if not isinstance(record.get(name), list) or not all(isinstance(item, str) for item in record[name]):
                raise ValueError("it does not list machines")
    return {stage: {name: list(record[name]) for name in ("machines", "done")} for stage, record in stages.items()}


def merged(before: Mapping[str, list[str]] | None, machines: Collection[str], done: Iterable[str], failed: Iterable[str]) -> Record:
    """The record after a run that was done on some machines, and failed on others: a later failure overrules an earlier success."""
    all_done = ({*(before or {}).get("done", ()), *done} - {*failed}) & {*machines}
    return {"machines": sorted({*machines}), "done": sorted(all_done)}


def left_out(machines: Collection[str], done: Iterable[str], failed: Iterable[str]) -> list[str]:
    """Those that this run did not look at."""
    return sorted({*machines} - {*done} - {*failed})


def failure(machines: Collection[str], failed: Mapping[str, str], out: Sequence[str]) -> Text | None:
    """What is told of a run that failed on some machines, without its reasons, which are in one language. None where it did not."""
    if not failed:
        return None
    number, all_of_them, names = len(failed), len(machines), some(out, _NAMED)
    rest = [Text(f"{len(out)} were not looked at ({names})", f"{len(out)}台は未確認: {names}")] if out else []
    if number + len(out) < all_of_them:
        rest.append(Text("the others are done", "ほかは完了しています"))
    inside = "、".join(text.ja for text in rest)
    return Text(
        "; ".join([f"{number} of {all_of_them} machines failed", *(text.en for text in rest)]) + ".",
        f"{all_of_them}台中{number}台のマシンで失敗しました{f'（{inside}）' if rest else ''}。",
    )


def reasons(failed: Mapping[str, str]) -> str:
    """Why, for each of the first machines."""
    told = [f"{machine}: {reason}" for machine, reason in failed.items()]
    return " ".join([*told[:_NAMED], *([f"(+{len(told) - _NAMED})"] if len(told) > _NAMED else [])])


#: The stage has no machine, and nobody has said that there is none.
NO_MACHINE = Text(
    "The groups iij_id_agents and iij_id_linux_agents hold no machine, so nothing was done. If there is none with an agent, set "
    "directory_sync_without_machines to true.",
    "グループ iij_id_agents と iij_id_linux_agents にマシンがなく、何も実行していません。エージェントのあるマシンがなければ "
    "directory_sync_without_machines を true にしてください。",
)


def rows(records: Mapping[str, Mapping[str, list[str]]], this_run: Mapping[str, Iterable[str]]) -> list[dict[str, Any]]:
    """What is told of each stage that has left machines out in this run, or is not done on some by the record."""
    found = []
    for stage in STAGES:
        record = records.get(stage, {"machines": [], "done": []})
        waiting, out = sorted({*record["machines"]} - {*record["done"]}), sorted({*this_run.get(stage, ())})
        if waiting or out:
            found.append({"stage": stage, "machines": record["machines"], "left_out": out, "not_done": waiting})
    return found


def lines(found: Iterable[Mapping[str, Any]]) -> list[Text]:
    """The same for people."""
    told = []
    for row in found:
        stage, out, waiting = row["stage"], row["left_out"], row["not_done"]
        if out:
            names = some(out, _NAMED)
            told.append(
                Text(
                    f"Not looked at ({stage}): {len(out)} of the inventory's machines, left out by --limit or not reached: {names}",
                    f"未確認（{stage}）: --limit の対象外または接続不可のため、インベントリーのマシン{len(out)}台を確認していません: {names}",
                )
            )
        if waiting:
            names = some(waiting, _NAMED)
            told.append(
                Text(
                    f"Still to be done ({stage}): {len(waiting)} of {len(row['machines'])} machines: {names}. Run {stage} for them too.",
                    f"未実施（{stage}）: {len(row['machines'])}台中{len(waiting)}台のマシン: {names}。{stage} をこれらのマシンでも実行してください。",
                )
            )
    return told
