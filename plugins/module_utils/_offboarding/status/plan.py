# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an exit stands: what each stage has left behind in the run folder, which steps of a person are due, and what comes next. Pure.

A stage with nothing to do leaves nothing behind. Only what stands in the records is told; the tenant itself is not asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core.text import Text, counted
from ..._core.times import is_later
from .. import phrases
from ..machines import plan as machines
from ..readiness.judged import SUBJECTS
from ..steps.plan import confirm_command, evidence_lost, in_run_folder, to_do


@dataclass(frozen=True)
class Stage:
    """A stage of the exit. What of the journal is its work, the subjects of readiness/ say."""

    name: str
    does: Text
    #: started by a scheduler beside the others: it is never what comes next, and what it finds stops nothing
    scheduled: bool = False
    #: it may have nothing to do itself: done when its steps of a person are, but not before a domain is converted
    after_conversion: bool = False


#: In the order of playbooks/decommission.yml.
STAGES = (
    Stage("preflight", Text("look at everything", "全体の確認")),
    Stage("snapshot", Text("save what may be touched", "変更対象の保存")),
    Stage("freeze", Text("disable the agents' tasks", "エージェントのタスクの無効化")),
    Stage("gate", Text("IIJ ID can change nothing any more", "IIJ IDによる変更がないことの確認")),
    Stage("users", Text("repair the users", "利用者の復旧")),
    Stage("domains", Text("convert the domains", "ドメインの変換")),
    Stage("passwords", Text("give passwords", "パスワードの設定"), after_conversion=True),
    Stage("arrivals", Text("who has signed in since the conversion", "変換後のサインイン状況"), scheduled=True),
    Stage("app", Text("remove IIJ ID's app", "IIJ IDのアプリの削除")),
    Stage("relying_parties", Text("services that trust IIJ ID", "IIJ IDと連携するサービス")),
    Stage("agents", Text("remove the agents", "エージェントの削除")),
    Stage("accounts", Text("disable or remove accounts", "アカウントの無効化・削除")),
    Stage("clients", Text("the users' devices", "利用者の端末")),
    Stage("final_gate", Text("nothing points at IIJ ID", "IIJ IDへの参照がないことの確認")),
    Stage("report", Text("the report, and the end of the contract", "報告書と契約の終了")),
)
#: Of what was found, so much is shown with a step; the report has more.
_FOUND = 3
_ORDER = {stage.name: number for number, stage in enumerate(STAGES)}

#: What a stage has left behind. `recorded`: it has worked. `stopped`: its last word was a failure, a blocker or a closed gate. `waiting`: a step of a
#: person that belongs to it is open. `taken_back`: some or all of its work was brought back since. `outdated`: it has judged, and things were changed
#: since. `nothing`: it left nothing behind: it did not run yet, or had nothing to do.
STATES = {
    "recorded": Text("done", "実施済み"),
    "stopped": Text("stopped", "停止"),
    "waiting": Text("waits for a person", "担当者待ち"),
    "taken_back": Text("taken back", "元に戻した"),
    "outdated": Text("judged before the last change", "最後の変更より前の判定"),
    "nothing": Text("nothing recorded", "記録なし"),
}


#: Every run registers its steps before anything else.
_EMPTY = Text(
    "No run has begun here. If one has elsewhere, give the same -i and -e as there (offboard_run_dir; in AWX the inventory has it).",
    "このフォルダーでは、まだ何も実行されていません。別のフォルダーで実行している場合は、そのときと同じ -i と -e を指定してください（offboard_run_dir。"
    "AWX ではインベントリーの変数）。",
)


@dataclass(frozen=True)
class RunEvidence:
    """What the run folder holds."""

    run_dir: str
    #: the data of the report (`report.plan.build`)
    report: Mapping[str, Any]
    owner: Mapping[str, str] = field(default_factory=dict)
    verdict: Mapping[str, Any] | None = None
    #: name of a results file without its ending → status → how many
    results: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    #: stage that has worked on machines → all of them (machines), and where it was done (done)
    on_machines: Mapping[str, Mapping[str, Collection[str]]] = field(default_factory=dict)


def build(evidence: RunEvidence) -> dict[str, Any]:
    """The return values of run_status_info, without `lines`."""
    stages = [_stage(stage, evidence) for stage in STAGES]
    reached = _reached(stages, evidence)
    for stage in stages[reached + 1 :]:  # its steps come later: nobody has to do anything about it now
        if stage["state"] == "waiting" and not (stage["last"] or stage["counts"]):
            stage["state"] = "nothing"
    return {
        "run_dir": evidence.run_dir,
        "owner": dict(evidence.owner),
        "stages": stages,
        "domains": _domains(evidence),
        **_steps(evidence.report["steps"], reached),
        "found_in": evidence.report["found_in"],
        "evidence": [
            {"id": step["id"], "files": step["evidence"], "lost": [text._asdict() for text in evidence_lost(step)]}
            for step in evidence.report["steps"]
            if step.get("evidence")
        ],
        "next_stage": STAGES[reached].name,
        "refused": [{"at": item["at"], **phrases.refused(item)._asdict()} for item in evidence.report["refused"][-3:]],
    }


def _steps(steps: Iterable[Mapping[str, Any]], reached: int) -> dict[str, Any]:
    """What people have to do by the stage that is reached, and what comes later."""
    opened = [step for step in steps if not step["done"]]
    due = sorted((step for step in opened if _ORDER.get(step["stage"], 0) <= reached), key=lambda step: _ORDER.get(step["stage"], 0))
    later = [step for step in opened if step not in due]
    return {
        "steps_due": [{"id": step["id"], "stage": step["stage"], **to_do(step)._asdict(), **_found(step)} for step in due],
        "steps_later": [step["id"] for step in later],
        "steps_later_found": {step["id"]: step["found_count"] for step in later if step["found_count"]},
    }


def _found(step: Mapping[str, Any]) -> dict[str, Any]:
    return {"found": step["found"][:_FOUND], "found_count": step["found_count"]}


def _stage(stage: Stage, evidence: RunEvidence) -> dict[str, Any]:
    report = evidence.report
    changes = {change for subject in SUBJECTS for change in subject.work.get(stage.name, ())}
    groups = [group for group in report["changes"] if (group["kind"], group["action"]) in changes]
    bad = [entry for entry in (*report["failed"], *report["unfinished"]) if (entry["kind"], entry["action"]) in changes]
    files = _files(stage.name, evidence.results)
    done, back = (sum(group[name] for group in groups) for name in ("count", "taken_back"))
    counts = Counter({"done": done, "taken_back": back, "failed": len(bad)})
    for name in files:
        counts.update(evidence.results[name])
    stopped = counts["failed"] and not stage.scheduled
    state = "stopped" if stopped else "recorded" if groups or files or _is_done_everywhere(stage, evidence) else "nothing"
    state, last = _by_record(stage.name, evidence, state, max((group["last"] for group in groups), default=""))
    # confirmed steps are all that a stage does which has nothing but steps
    only_steps = not changes and (not stage.after_conversion or any(domain["converted"] for domain in _domains(evidence)))
    state = _by_steps(stage, report, state, only_steps=only_steps)
    # the gate may have judged anew what was brought back
    judged = evidence.verdict["at"] if stage.name == "gate" and evidence.verdict is not None else ""
    if back and not stopped and not is_later(judged, max(group["last_taken_back"] for group in groups)):
        state = "taken_back"
    return {"stage": stage.name, "state": state, "last": last, "counts": {name: number for name, number in counts.items() if number}, "results": files}


def _is_done_everywhere(stage: Stage, evidence: RunEvidence) -> bool:
    """On all of the stage's machines; False where it has worked on none."""
    on_machines = evidence.on_machines.get(stage.name)
    return on_machines is not None and {*on_machines["machines"]} <= {*on_machines["done"]}


def _by_steps(stage: Stage, report: Mapping[str, Any], state: str, *, only_steps: bool) -> str:
    """The state of a stage that did not stop, after what people have to do in it."""
    own = [step["done"] for step in report["steps"] if step["stage"] == stage.name]
    if not own or state == "stopped":
        return state
    return "waiting" if not all(own) else "recorded" if only_steps else state


def _files(stage: str, results: Iterable[str]) -> list[str]:
    """The results files of a stage that works on many users; what `restore` did is none of it."""
    return sorted(name for name in results if name == stage or (name.startswith(f"{stage}-") and name != f"{stage}-restored"))


def _by_record(stage: str, evidence: RunEvidence, state: str, last: str) -> tuple[str, str]:
    """The stages that leave a record of their own."""
    report = evidence.report
    taken = str(report["snapshot"].get("taken", ""))
    if stage == "preflight":
        # its findings are kept from before the snapshot; a snapshot was only taken where nothing stood in the way
        blocked = any(item["severity"] == "blocker" for item in report["preflight"])
        return ("recorded" if taken else "stopped" if blocked else "recorded" if report["preflight"] else "nothing"), taken
    if stage == "snapshot":
        return ("recorded" if taken else "nothing"), taken
    if stage == "gate" and evidence.verdict is not None:
        return ("recorded" if evidence.verdict["open"] else "stopped"), evidence.verdict["at"]
    if stage == "final_gate":
        return {"open": "recorded", "closed": "stopped", "outdated": "outdated"}.get(report["state"], "nothing"), ""
    return state, last


def _reached(stages: Sequence[Mapping[str, Any]], evidence: RunEvidence) -> int:
    """Where to go on: the first stage that stopped or waits, else the one after the last that left something behind; but not beyond one that must come before
    the steps of those after it."""
    in_order = [number for number, stage in enumerate(STAGES) if not stage.scheduled]
    last = max((number for number in in_order if stages[number]["state"] != "nothing"), default=-1)
    found = min((number for number in in_order if number > last), default=in_order[-1])
    # what was brought back before the final gate opened was meant to be: nothing points at IIJ ID for all that
    unsettled = {"stopped", "outdated"} | ({"taken_back"} if stages[_ORDER["final_gate"]]["state"] != "recorded" else set())
    for number in in_order:
        stage, later = stages[number], any(stages[other]["state"] == "recorded" for other in in_order if other > number)
        if stage["state"] in unsettled or (stage["state"] == "waiting" and not later):
            found = number
            break
    return min(found, *_must_come_first(stages, evidence))


def _must_come_first(stages: Sequence[Mapping[str, Any]], evidence: RunEvidence) -> list[int]:
    """Stages that have not worked, though nothing else has either that comes after them. Before the snapshot nobody may stop the provisioning, which would
    lose how the users were; before the schedules are disabled, they would go on; before the domains are converted there are no passwords to hand over."""
    state = {stage["stage"]: stage["state"] for stage in stages}
    worked = max((_ORDER[name] for name, one in state.items() if one in ("recorded", "stopped") and not STAGES[_ORDER[name]].scheduled), default=-1)
    gated = any(step["stage"] == "gate" for step in evidence.report["steps"])
    missing = {
        "preflight": gated and state["preflight"] == state["snapshot"] == "nothing",
        "snapshot": gated and state["snapshot"] == "nothing",
        "freeze": "snapshot" in evidence.on_machines and "freeze" not in evidence.on_machines,
        "domains": bool((evidence.verdict or {}).get("domains")) and state["domains"] in ("nothing", "waiting"),
    }
    return [len(STAGES), *(_ORDER[name] for name, lacks in missing.items() if lacks and worked < _ORDER[name])]


def _domains(evidence: RunEvidence) -> list[dict[str, str | int]]:
    """The domains of the exit: those that the gate judged, and those that were converted, each with when, and who got a password there."""
    last: dict[str, tuple[str, str]] = {}
    for group in evidence.report["changes"]:
        if group["kind"] == "domain":
            for item in group["objects"]:
                last[item["id"]] = max(last.get(item["id"], ("", "")), (item["at"], group["action"]))
    names = dict.fromkeys([*(evidence.verdict or {}).get("domains", ()), *last])
    return [
        {
            "domain": name,
            "converted": last[name][0] if last.get(name, ("", ""))[1] == "convert_to_managed" else "",
            "passwords": evidence.results.get(f"passwords-{name}", {}).get("done", 0) + evidence.results.get(f"passwords-{name}", {}).get("unchanged", 0),
        }
        for name in names
    ]


def lines(status: Mapping[str, Any], report: str = "", in_awx: bool = False) -> list[Text]:
    """What a person reads, a line each. report: its path, empty when there is none."""
    owner = status["owner"].get("tenant_id", "")
    told = [
        Text(
            f"Run folder {status['run_dir']}" + (f", tenant {owner}." if owner else "."),
            f"実行フォルダー {status['run_dir']}" + (f"、テナント {owner}" if owner else ""),
        )
    ]
    if not owner and all(stage["state"] == "nothing" for stage in status["stages"]) and not (status["steps_due"] or status["steps_later"]):
        told.append(_EMPTY)
    told += [_line(stage) for stage in status["stages"]]
    for item in status["domains"]:
        name, when, passwords = item["domain"], item["converted"], item["passwords"]
        told.append(
            Text(
                f"{name}: converted {when}, {counted(passwords, 'user', 'users')} with a password or pass",
                f"{name}: {when} に変換済み、パスワード設定済み{passwords}人",
            )
            if when
            else Text(f"{name}: not converted by this run", f"{name}: この実行では未変換")
        )
    told += [_refused(item) for item in status["refused"]]
    told += machines.lines(status.get("machines", ()))
    for step, line in zip(status["steps_due"], _due(status), strict=True):
        told += [line, *_findings(step, status["found_in"])]
    if status["steps_later"]:
        found = status["steps_later_found"]
        english, japanese = (
            ", ".join(name + (words.format(found[name]) if name in found else "") for name in status["steps_later"])
            for words in (" ({} found)", "（検出{}件）")
        )
        told.append(Text(f"Later: {english}", f"後で必要な手順: {japanese}"))
    told += _evidence(status)
    return [*told, *_end(status, report, in_awx)]


def summary(
    status: Mapping[str, Any], stage: str, report: str, in_awx: bool, check_mode: bool, *, in_workflow: bool = False, stopped: bool = False
) -> list[Text]:
    """What a person reads at the end of a stage (of all that have left something behind, without one), or where it stopped: what was done, what guards
    refused and nothing has been done since, which machines were left out, what waits for a person, what comes next, and where the report is (its path;
    empty when there is none)."""
    next_in_workflow = _next_in_workflow(status, check_mode, stopped) if in_workflow and (stopped or stage != STAGES[-1].name) else None
    last = max((item["last"] for item in status["stages"]), default="")
    told = [Text("Check run: nothing was changed.", "チェックモードのため、何も変更していません。")] if check_mode else []
    told += [_line(item) for item in status["stages"] if item["stage"] == stage or (not stage and item["state"] != "nothing")]
    told += [_refused(item) for item in status["refused"] if item["at"] >= last]
    told += machines.lines(status.get("machines", ()))
    return [*told, *_due(status), *_end(status, report, in_awx, next_in_workflow)]


def plan_hash(sha256: str, in_awx: bool, in_workflow: bool) -> list[Text]:
    """How the hash of what a check run has planned reaches the job that may do it."""
    if in_workflow:
        return [Text(f"The plan's hash, which the workflow hands to the next job: {sha256}", f"計画のハッシュ（ワークフローが次のジョブに渡します）: {sha256}")]
    if in_awx:
        told = f"offboard_plan_hash: {sha256}"
        return [
            Text(f"The extra variable with which a job does this plan, and nothing else: {told}", f"この計画だけを実行するジョブに指定する追加変数: {told}")
        ]
    typed = f"-e offboard_plan_hash={sha256}"
    return [Text(f"To let a real run do this plan alone: {typed}", f"本番の実行でこの計画だけを許可する場合: {typed}")]


def _refused(item: Mapping[str, str]) -> Text:
    text = Text.of(item)
    return Text(f"Refused: {text.en}", f"安全確認で拒否: {text.ja}")


def _due(status: Mapping[str, Any]) -> list[Text]:
    """A line for each step that a person has to do now."""
    steps = [(f"{step['id']}: ", step["stage"], Text.of(step)) for step in status["steps_due"]]
    return [Text(f"Due now ({stage}): {name}{text.en}", f"今必要な手順（{stage}）: {name}{text.ja}") for name, stage, text in steps]


def _findings(step: Mapping[str, Any], found_in: str) -> list[Text]:
    """The first of what was found that a step is about, how many more there are, and where all are."""
    told = [Text(f"  Found: {item['en']}", f"  検出: {item['ja']}") for item in step["found"]]
    if (more := step["found_count"] - len(step["found"])) > 0:
        told.append(Text(f"  and {more} more: {found_in} in the run folder", f"  ほか{more}件: 実行フォルダーの {found_in}"))
    return told


def _evidence(status: Mapping[str, Any]) -> list[Text]:
    """A line for each step that has evidence, and one for each file of it that is not as it was."""
    told = []
    for step in status["evidence"]:
        files = ", ".join(entry["file"] for entry in step["files"])
        told.append(Text(f"Evidence ({step['id']}): {files}", f"証跡（{step['id']}）: {files}"))
        told += [Text(f"Warning: {item['en']}", f"警告: {item['ja']}") for item in step["lost"]]
    return told


def _end(status: Mapping[str, Any], report: str, in_awx: bool, next_in_workflow: Text | None = None) -> list[Text]:
    """What comes next, and where the report is. Where preflight found what stands in the way, it asks for decisions before anything is typed again."""
    undecided = any(stage["stage"] == "preflight" and stage["state"] == "stopped" for stage in status["stages"])
    draft = status.get("draft") if undecided else ""
    told = [Text(f"To decide, with candidates: {draft}", f"決めること（候補つき）: {draft}")] if draft else []
    told.append(next_in_workflow or _next(status, in_awx))
    return [*told, Text(f"Report: {report}", f"報告書: {report}")] if report else told


def _next(status: Mapping[str, Any], in_awx: bool) -> Text:
    """What to type next, or which job template to launch."""
    due = [step["id"] for step in status["steps_due"]]
    if in_awx:
        stage, steps = ("confirm", ", ".join(due)) if due else (status["next_stage"], "")
        return Text(
            f"Next: launch the job template of {stage}" + (f" ({steps})" if steps else ""),
            f"次の操作: {stage} のジョブテンプレートを起動" + (f"（{steps}）" if steps else ""),
        )
    folder = status["run_dir"]
    command = confirm_command(due, folder) if due else f"ansible-playbook offboard.iij_id.{status['next_stage']} {in_run_folder(folder)}"
    return Text(f"Next: {command}", f"次の操作: {command}")


def _next_in_workflow(status: Mapping[str, Any], check_mode: bool, stopped: bool) -> Text:
    """What AWX's user does at a node of the workflow. An approval follows a check job; a job that has ended well needs nobody."""
    names = ", ".join(step["id"] for step in status["steps_due"])
    confirm = Text(f"launch the job template of confirm ({names})", f"confirm のジョブテンプレートを起動（{names}）")
    again = Text("launch the workflow again; what is done is not done again", "ワークフローをもう一度起動（済んだことは二度行いません）")
    if stopped and names:
        return Text(
            f"Next: {confirm.en}; until that is done the workflow ends here on purpose. Then {again.en}",
            f"次の操作: {confirm.ja}。確認されるまで、ワークフローは意図的にここで終了します。確認後に{again.ja}",
        )
    if stopped:
        return Text(f"Next: mend what stopped it, then {again.en}", f"次の操作: 停止の原因を取り除いてから、{again.ja}")
    if check_mode:
        first = Text(f"{confirm.en} where that is done, then ", f"済んだ手順は{confirm.ja}。その後、") if names else Text("", "")
        return Text(f"Next: {first.en}approve this plan in the workflow, or deny it", f"次の操作: {first.ja}ワークフローでこの計画を承認または却下")
    if names:
        return Text(
            f"Next: {confirm.en}. The workflow goes on without waiting for it, and ends at the first stage that needs it",
            f"次の操作: {confirm.ja}。ワークフローは待たずに進み、その確認が必要な段階で終了します",
        )
    return Text("Next: the workflow goes on by itself", "次の操作: ありません（ワークフローが次に進みます）")


_COUNTS = {
    "done": Text("done", "実施"),
    "unchanged": Text("unchanged", "変更なし"),
    "skipped": Text("skipped", "対象外"),
    "planned": Text("planned", "予定"),
    "failed": Text("failed", "失敗"),
    "taken_back": Text("taken back", "元に戻したもの"),
    "arrived": Text("arrived", "サインイン済み"),
    "not_seen": Text("not seen yet", "未確認"),
    "blocked": Text("blocked", "ブロック中"),
    "not_known": Text("not known", "不明"),
}


def _line(stage: Mapping[str, Any]) -> Text:
    """One stage: its state, since when, what it did."""
    does = next(item.does for item in STAGES if item.name == stage["stage"])
    name, state, counts = stage["stage"], STATES[stage["state"]], [(number, _COUNTS.get(name, Text.same(name))) for name, number in stage["counts"].items()]
    files = [f"results/{name}.jsonl" for name in stage["results"]]
    english = "; ".join(filter(None, (stage["last"], ", ".join(f"{number} {text.en}" for number, text in counts), ", ".join(files))))
    japanese = "、".join(filter(None, (stage["last"], *(f"{text.ja}{number}件" for number, text in counts), *files)))
    return Text(
        f"{name} ({does.en}): {state.en}" + (f" – {english}" if english else ""), f"{name}（{does.ja}）: {state.ja}" + (f" – {japanese}" if japanese else "")
    )
