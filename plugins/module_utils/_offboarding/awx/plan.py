# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects AWX shall hold, which of those that it holds are of this role, and in which order they are asked for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core import names, plain
from ..._core.errors import OffboardError
from ..readiness.judged import BROUGHT_BACK

#: kinds as AWX's API names their lists, in the order in which they are made; removed in the other order
KINDS = (
    "execution_environments",
    "credential_types",
    "credentials",
    "projects",
    "inventories",
    "hosts",
    "groups",
    "notification_templates",
    "job_templates",
    "workflow_job_templates",
    "workflow_job_template_nodes",
    "schedules",
)
#: those of them that go with their inventory
_IN_INVENTORY = frozenset({"hosts", "groups"})
#: playbooks that are no job
NOT_A_JOB = frozenset({"awx_setup", "begin", "controller_in_limit", "ending"})
#: a person answers for these: nothing but the survey's answers may come in
SURVEY_ONLY = frozenset({"confirm"})
ORDER = "decommission"
AGENTS, CONTROLLERS = "iij_id_agents", "iij_id_domain_controllers"
#: other groups of the inventory that stages look at
GROUPS = ("iij_id_browser_machines", "iij_id_linux_agents")
#: what stands in a name between the prefix and the rest
_AFTER_PREFIX = ": "
#: what `-e '{offboard_restore: [...]}'` may name
RESTORABLE = tuple(BROUGHT_BACK)

Ref = tuple[str, str]


@dataclass(frozen=True)
class WantedSetup:
    """What the operator asks for. `playbooks` are the collection's by name, with their text; `steps` the ids of a person's steps."""

    playbooks: Mapping[str, str]
    steps: Sequence[str]
    prefix: str
    organization: str
    approve: Sequence[str] = ()
    agents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    domain_controllers: Sequence[str] = ()
    agents_variables: Mapping[str, Any] = field(default_factory=dict)
    #: members of GROUPS: `hosts` as in `agents`, and `vars` that all of them share
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    localhost_variables: Mapping[str, Any] = field(default_factory=dict)
    #: credentials for which values are given: entra, secrets, machine
    credentials: Sequence[str] = ()
    schedules: Sequence[Mapping[str, Any]] = ()
    notification: bool = False


@dataclass
class AwxObject:
    """One object as the tasks take it: `options` differ by kind. `needs` must be there before AWX can be asked for it."""

    kind: str
    name: str
    options: dict[str, Any]
    needs: list[Ref]

    @property
    def ref(self) -> Ref:
        return self.kind, self.name


def mark(name: str) -> str:
    """The end of the description of everything that is made here. With the name in it, so that a copy that somebody makes in AWX is theirs, not ours."""
    return f"[offboard.iij_id.awx_setup: {name}]"


def is_ours(found: Mapping[str, Any]) -> bool:
    return str(found.get("description") or "").endswith(mark(str(found.get("name"))))


def is_elsewhere(found: Mapping[str, Any], organizations: Collection[Any]) -> bool:
    """Whether it is of another organization than these (ids). Execution environments and credential types have one name in all of AWX."""
    return found.get("organization") not in (None, *organizations)


def is_of(prefix: str, name: str) -> bool:
    """Whether it is named as of this exit. AWX is asked for all names that begin so, and another exit's may: "exit 2" beside "exit"."""
    return name == prefix or name.startswith(prefix + _AFTER_PREFIX)


def about(text: str) -> str:
    """What a playbook is for: the first line of its first comment."""
    match = re.search(r"^#\s*(.+?)[:.]?\s*$", text, re.MULTILINE)
    return match[1] if match else ""


def order(text: str) -> list[str]:
    """The stages in the order in which the playbook that imports them all does."""
    found = re.findall(r"import_playbook: (?:stages/)?(?:offboard\.iij_id\.)?(\w+?)(?:\.yml)?\s*$", text, re.MULTILINE)
    return [stage for stage in found if stage not in NOT_A_JOB]


def stages(playbooks: Iterable[str]) -> list[str]:
    return sorted(set(playbooks) - NOT_A_JOB)


def project_file(stage: str) -> str:
    """A file of the project that AWX starts."""
    first = f"---\n# {mark(stage)}\n"
    return f"{first}- name: The stage {stage}\n  ansible.builtin.import_playbook: offboard.iij_id.{stage}\n"


def survey(stage: str, steps: Sequence[str]) -> dict[str, Any]:
    """The questions of a stage, none for most: what the exit decides belongs into the inventory, where an empty answer hides nothing."""
    spec = {
        "confirm": (
            "Only what you have seen done yourself. You are recorded as who confirms."
            " / ご自身で完了を確認した手順だけを選んでください。確認者としてあなたが記録されます。",
            [
                _question("step", "Steps / 手順", "multiselect", choices=list(steps), required=True),
                _question("withdraw", "Take the confirmation back / 確認を取り消す", "multiplechoice", choices=["false", "true"], default="false"),
                _question("note", "Note, such as a ticket / 備考", "textarea"),
                _question(
                    "evidence",
                    "Evidence: paths of files on the machine that runs the job, a line each / 証跡: ジョブを実行するマシン上のファイルのパス（1行に1つ）",
                    "textarea",
                ),
            ],
        ),
        "restore": (
            "What shall be brought back. / 元に戻すもの。",
            [_question("offboard_restore", "Bring back / 元に戻す", "multiselect", choices=list(RESTORABLE), required=True)],
        ),
    }.get(stage)
    return {"name": "", "description": spec[0], "spec": spec[1]} if spec else {}


def _question(variable: str, name: str, kind: str, *, choices: Sequence[str] = (), required: bool = False, default: str = "") -> dict[str, Any]:
    limits = {"min": None, "max": None} if choices else {"min": 0, "max": 1000}
    return {
        "variable": variable, "question_name": name, "question_description": "", "type": kind, "required": required, "default": default,
        "choices": list(choices), **limits,
    }  # fmt: skip


def nodes(wanted: WantedSetup) -> list[dict[str, Any]]:
    """The workflow: every stage, and before those of `approve` a check job and an approval. Each follows the success of the one before.

    Nothing follows a failure: a workflow in which something does is "successful" for AWX although a stage has failed.
    """
    made: list[dict[str, Any]] = []
    for stage in order(wanted.playbooks[ORDER]):
        if stage in wanted.approve:
            made.append({"identifier": f"{stage}-check", "stage": stage, "job_type": "check"})
            made.append({"identifier": f"{stage}-approval", "stage": stage, "approval": _approval(wanted.prefix, stage)})
        made.append({"identifier": stage, "stage": stage})
    for node, follower in zip(made, [*made[1:], None], strict=True):
        node["success_nodes"] = [follower["identifier"]] if follower else []
    return made


def _approval(prefix: str, stage: str) -> dict[str, str]:
    return {
        "name": f"{prefix}: approve {stage}",
        "description": f"Read the job {stage}-check, whose last lines tell its plan and the plan's hash. The next job does that plan or a part of it,"
        f" and refuses anything else. An approval confirms no step of a person (template {prefix}: confirm)."
        f" / {stage}-check のジョブを読んでください。最後の行に計画とそのハッシュが表示されます。"
        f"次のジョブはその計画（またはその一部）だけを実行し、それ以外は拒否します。承認は人が行う手順の確認にはなりません（テンプレート {prefix}: confirm）。",
    }


def objects(wanted: WantedSetup, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[AwxObject]:
    """Everything that AWX shall hold, in the order in which it is made. Raises OffboardError `bad_option`."""
    _check(wanted)
    prefix, organization = wanted.prefix, ("organizations", wanted.organization)
    made: list[AwxObject] = []

    def add(kind: str, name: str, text: str, needs: Sequence[Ref] = (), **options: Any) -> Ref:
        made.append(AwxObject(kind, name, {"name": name, "description": f"{text} {mark(name)}".strip(), **options}, list(needs)))
        return kind, name

    image = add("execution_environments", prefix, "Runs the stages of the exit from IIJ ID.", [organization])
    types = {
        "entra": add("credential_types", f"{prefix}: Entra", "How the stages sign in to Microsoft Entra."),
        "secrets": add("credential_types", f"{prefix}: secrets", "What encrypts the run folder's secrets, and who asks Active Directory."),
    }
    there = {str(item["name"]) for item in found.get("credentials", ()) if is_ours(item)}
    credentials = []
    for key, name in (("entra", f"{prefix}: Entra"), ("secrets", f"{prefix}: secrets"), ("machine", f"{prefix}: Windows")):
        if key in wanted.credentials or name in there:  # one that is there keeps its secrets when none are given
            needs = [organization, *([types[key]] if key in types else [])]
            credentials.append(add("credentials", name, "Secrets of the exit from IIJ ID.", needs, key=key, given=key in wanted.credentials))
    project = add("projects", prefix, "A file for each stage.", [organization])
    inventory = add("inventories", prefix, "The machines and the decisions of the exit from IIJ ID.", [organization])
    notification = [add("notification_templates", prefix, "Told when something fails or waits.", [organization])] if wanted.notification else []
    made += _machines(wanted, inventory)
    uses = [organization, image, project, inventory, *credentials]
    templates = {}
    for stage in stages(wanted.playbooks):
        questions = survey(stage, wanted.steps)
        templates[stage] = add(
            "job_templates", f"{prefix}: {stage}", about(wanted.playbooks[stage]), [*uses, *notification], stage=stage, survey=questions,
            asks=stage not in SURVEY_ONLY, credentials=[name for _kind, name in credentials],
        )  # fmt: skip
    workflow = add("workflow_job_templates", prefix, "The exit from IIJ ID, stage by stage.", [organization, *notification])
    for node in reversed(nodes(wanted)):  # a node's followers must be there before it can be linked to them
        needs = [workflow, *([] if "approval" in node else [templates[node["stage"]]])]
        options = {**node, "template": None if "approval" in node else templates[node["stage"]][1]}
        made.append(AwxObject("workflow_job_template_nodes", node["identifier"], options, needs))
    for schedule in wanted.schedules:
        stage = schedule["stage"]
        name = f"{prefix}: {schedule.get('name') or stage}"
        add("schedules", name, "", [templates[stage]], template=templates[stage][1], rrule=schedule["rrule"], extra_data=schedule.get("extra_data") or {})
    return sorted(made, key=lambda item: KINDS.index(item.kind))


def _machines(wanted: WantedSetup, inventory: Ref) -> list[AwxObject]:
    def one(kind: str, name: str, needs: Sequence[Ref], **options: Any) -> AwxObject:
        return AwxObject(kind, name, {"name": name, "description": mark(name), **options}, [inventory, *needs])

    hosts = [one("hosts", "localhost", [], variables=dict(wanted.localhost_variables))]
    hosts += [one("hosts", name, [], variables=variables) for name, variables in sorted(_hosts(wanted).items())]
    groups = []
    if wanted.domain_controllers:
        members = sorted(wanted.domain_controllers)
        groups.append(one("groups", CONTROLLERS, [("hosts", name) for name in members], hosts=members, children=[], variables={}))
    if wanted.agents:
        others = sorted(set(wanted.agents) - set(wanted.domain_controllers))
        children = [group.name for group in groups]
        needs = [*(("hosts", name) for name in others), *(("groups", name) for name in children)]
        groups.append(one("groups", AGENTS, needs, hosts=others, children=children, variables=dict(wanted.agents_variables)))
    for name, group in sorted(wanted.groups.items()):
        members = sorted(group.get("hosts") or {})
        groups.append(one("groups", name, [("hosts", host) for host in members], hosts=members, children=[], variables=dict(group.get("vars") or {})))
    return hosts + groups


def _hosts(wanted: WantedSetup) -> dict[str, dict[str, Any]]:
    """Each machine once, though it may be in several groups; what it is given as an agent wins."""
    found: dict[str, dict[str, Any]] = {}
    for hosts in (*(group.get("hosts") or {} for group in wanted.groups.values()), wanted.agents):
        for name, variables in hosts.items():
            found.setdefault(name, {}).update(variables or {})
    return found


def _check_hosts(variable: str, hosts: Mapping[Any, Any]) -> None:
    for name, variables in hosts.items():
        if not isinstance(name, str) or not name.strip() or name != plain.line(name) or not isinstance(variables, Mapping | None):
            msg = f"{variable}: {plain.line(str(name))} must be the name of a machine, and what follows it its variables (name: value), or nothing"
            raise OffboardError(msg, code="bad_option")
        if names.host(name) == "localhost":
            raise OffboardError(f"{variable}: localhost is where the stages run, not one of these machines", code="bad_option")


def _check_prefix(prefix: str) -> None:
    if not prefix.strip() or prefix != prefix.strip() or _AFTER_PREFIX in prefix or prefix != plain.line(prefix):
        msg = f"awx_prefix: {plain.line(prefix)!r} must be a name without {_AFTER_PREFIX!r}, and without blanks around it: by it one exit's objects are told"
        raise OffboardError(f"{msg} from another's. Nothing was done.", code="bad_option")


def _check(wanted: WantedSetup) -> None:
    _check_hosts("awx_agents", wanted.agents)
    for name, group in wanted.groups.items():
        given = (group.get("hosts") or {}, group.get("vars") or {}) if isinstance(group, Mapping) else ()
        if name not in GROUPS or not given or not all(isinstance(item, Mapping) for item in given) or set(group) - {"hosts", "vars"}:
            told = f"awx_groups: {plain.line(str(name))}: a group is one of {', '.join(GROUPS)}, with hosts (name: variables) and vars (name: value)"
            raise OffboardError(told, code="bad_option")
        _check_hosts(f"awx_groups, {name}", group.get("hosts") or {})
    known = set(stages(wanted.playbooks))

    def refuse(variable: str, names: Iterable[str], allowed: Iterable[str]) -> None:
        if unknown := sorted(set(names) - set(allowed)):
            raise OffboardError(f"{variable}: {', '.join(unknown)} is none of {', '.join(sorted(allowed))}", code="bad_option")

    refuse("awx_approve", wanted.approve, order(wanted.playbooks[ORDER]))
    refuse("awx_domain_controllers", wanted.domain_controllers, wanted.agents)
    refuse("awx_schedules, stage", (str(schedule.get("stage")) for schedule in wanted.schedules), known)
    names = [schedule.get("name") or schedule["stage"] for schedule in wanted.schedules]
    if len(names) > len(set(names)):
        raise OffboardError("awx_schedules: two have the same name; give each a name of its own", code="bad_option")
    if without := [schedule["stage"] for schedule in wanted.schedules if not schedule.get("rrule")]:
        raise OffboardError(f"awx_schedules: {', '.join(without)} has no rrule", code="bad_option")


def compare(wanted: WantedSetup, found: Mapping[str, Sequence[Mapping[str, Any]]], *, absent: bool = False, check_mode: bool = False) -> dict[str, Any]:
    """What the tasks do: `objects` and `remove` by kind, and in check mode `later`, what AWX cannot be asked for while something that it needs is missing.

    Raises OffboardError `not_ours` when something of the same name was made by somebody else, `bad_option`.
    """
    _check_prefix(wanted.prefix)
    there: set[Ref] = {(kind, _name(kind, item)) for kind in ("organizations", *KINDS) for item in found.get(kind, ())}
    shall = [] if absent else objects(wanted, found)
    here = [item["id"] for item in found.get("organizations", ())]
    if strangers := sorted(
        f"{kind} {item['name']}"
        for kind in KINDS
        for item in found.get(kind, ())
        if kind != "workflow_job_template_nodes" and (not is_ours(item) or is_elsewhere(item, here)) and (kind, item["name"]) in {one.ref for one in shall}
    ):
        raise OffboardError(
            f"AWX holds what awx_setup has not made, or for another organization: {', '.join(strangers)}. Nothing was done. Rename it there, or choose another "
            "awx_prefix.",
            code="not_ours",
        )
    asked: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    later = []
    for item in shall:
        if check_mode and not set(item.needs) <= there:
            later.append(f"{item.kind} {item.name}")
        else:
            asked[item.kind].append({**item.options, "exists": item.ref in there})
    return {"objects": asked, "later": later, "remove": _remove(found, {item.ref for item in shall}, wanted.prefix, here)}


def _name(kind: str, item: Mapping[str, Any]) -> str:
    return str(item["identifier" if kind == "workflow_job_template_nodes" else "name"])


def _remove(found: Mapping[str, Sequence[Mapping[str, Any]]], shall: set[Ref], prefix: str, here: Collection[Any]) -> dict[str, list[dict[str, Any]]]:
    """Ours, of this exit, and no longer wanted. A schedule is ours only when its template is; a node goes with its workflow; and credential types, which have
    no organization, are of the one that has the execution environment of that name."""
    gone: dict[str, list[dict[str, Any]]] = {}
    templates = {item["id"] for item in found.get("job_templates", ()) if is_ours(item)}
    inventories = {item["id"]: item["name"] for item in found.get("inventories", ()) if is_ours(item)}
    workflows = {item["id"]: item["name"] for item in found.get("workflow_job_templates", ()) if is_ours(item)}
    elsewhere = any(is_elsewhere(item, here) and item["name"] == prefix for item in found.get("execution_environments", ()))
    for kind in KINDS:
        gone[kind] = []
        for item in found.get(kind, ()):
            if (kind, _name(kind, item)) in shall or is_elsewhere(item, here) or (kind == "credential_types" and elsewhere):
                continue
            if kind == "workflow_job_template_nodes":
                if ("workflow_job_templates", workflows.get(item["workflow_job_template"])) in shall:
                    gone[kind].append({"name": item["identifier"]})
            elif not is_ours(item) or (kind == "schedules" and item["unified_job_template"] not in templates):
                continue
            elif is_of(prefix, item["name"]) if kind not in _IN_INVENTORY else ("inventories", inventories.get(item["inventory"])) in shall:
                gone[kind].append({"name": item["name"], "type": str(item.get("credential_type", ""))})
    return gone
