# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX shall hold: from the collection's own playbooks, and compared with what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.awx import info, plan
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps import services
from dev import places

APPROVE = yaml.safe_load((places.ROOT / "roles/awx/defaults/main.yml").read_text())["awx_approve"]
SCHEDULE = {"stage": "watch_certificates", "rrule": "DTSTART:20260105T070000Z RRULE:FREQ=DAILY;INTERVAL=1"}
PARAMS: dict[str, Any] = {
    "collection": str(places.ROOT), "state": "present", "prefix": "exit", "organization": "org", "approve": APPROVE, "agents": {"sync1": {}, "dc1": {}},
    "domain_controllers": ["dc1"], "agents_variables": {}, "groups": {}, "localhost_variables": {},
    "credentials": [], "schedules": [SCHEDULE],
    "notification": False, "services": [], "found": {},
}  # fmt: skip


def listed(check_mode: bool = False, **more: Any) -> dict[str, Any]:
    return info.info({**PARAMS, **more}, check_mode)


def as_found(answer: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What AWX's API would tell once everything is made."""
    found: dict[str, list[dict[str, Any]]] = {"organizations": [{"id": 1, "name": "org", "description": ""}]}
    for kind, items in answer["objects"].items():
        found[kind] = [
            {"id": 100 + number, "inventory": 100, "workflow_job_template": 100, "unified_job_template": 100, "credential_type": 100, **item}
            for number, item in enumerate(items)
        ]
    return found


def test_every_playbook_has_its_file_and_its_template() -> None:
    answer = listed()
    wanted = {file.stem for file in places.ROOT.glob("playbooks/*.yml")} - {"awx_setup", "begin", "controller_in_limit", "ending"}
    assert {"preflight", "decommission", "confirm", "watch_certificates", "restore"} <= wanted
    for file in answer["files"]:
        (play,) = yaml.safe_load(file["content"])
        assert play["ansible.builtin.import_playbook"] == "offboard.iij_id." + file["name"].removesuffix(".yml")
    assert {file["name"].removesuffix(".yml") for file in answer["files"]} == wanted
    templates = answer["objects"]["job_templates"]
    assert {template["stage"] for template in templates} == wanted
    for template in templates:  # each says what it is for, from the playbook's first line
        assert len(template["description"].removesuffix(plan.mark(template["name"])).strip()) > 20
        assert template["asks"] is (template["stage"] != "confirm")


def test_the_workflow_is_the_exit_in_its_order() -> None:
    nodes = {node["identifier"]: node for node in listed()["objects"]["workflow_job_template_nodes"]}
    plays = yaml.safe_load((places.ROOT / "playbooks/decommission.yml").read_text())
    stages = [Path(play["ansible.builtin.import_playbook"]).stem for play in plays if play.get("tags", "always") != "always"]
    assert set(APPROVE) == {"users", "domains", "app", "agents", "accounts"}
    way, todo = [], ["preflight"]
    while todo:
        way.append(todo[0])
        todo = nodes[todo[0]]["success_nodes"]
    assert way == [name for stage in stages for name in ([f"{stage}-check", f"{stage}-approval"] if stage in APPROVE else []) + [stage]]
    assert list(nodes) == way[::-1]  # a node's followers are made before it
    assert {name for name, node in nodes.items() if node.get("job_type") == "check"} == {f"{stage}-check" for stage in APPROVE}


def test_every_step_of_a_person_can_be_confirmed() -> None:
    (confirm,) = (template for template in listed()["objects"]["job_templates"] if template["stage"] == "confirm")
    steps = [step["id"] for file in places.ROOT.glob("roles/*/vars/steps.yml") for name, steps in yaml.safe_load(file.read_text()).items() for step in steps]
    assert sorted(confirm["survey"]["spec"][0]["choices"]) == sorted(steps)
    assert len(steps) > 10


def test_so_can_the_step_of_each_service() -> None:
    register = [{"name": "Expenses", "id": None}, {"name": "経費", "id": None}, {"name": "Wiki", "id": "wiki_old"}]
    (confirm,) = (template for template in listed(services=register)["objects"]["job_templates"] if template["stage"] == "confirm")
    made = [step["id"] for step in services.definitions([{"protocol": "saml", **service} for service in register])]
    assert confirm["survey"]["spec"][0]["choices"][-3:] == made and made[::2] == ["service_expenses", "service_wiki_old"]


def test_a_second_look_removes_nothing_and_refuses_nothing() -> None:
    found = as_found(listed(credentials=["entra", "secrets"]))
    again = listed(found=found)  # secrets that are no longer given
    assert not any(again["remove"].values())
    assert [(item["key"], item["given"]) for item in again["objects"]["credentials"]] == [("entra", False), ("secrets", False)]
    assert all(item["exists"] for items in again["objects"].values() for item in items)


def test_what_is_no_longer_wanted_goes() -> None:
    found = as_found(listed(notification=True))
    gone = listed(found=found, agents={"sync1": {}}, domain_controllers=[], schedules=[], approve=[])["remove"]
    assert {kind: [item["name"] for item in items] for kind, items in gone.items() if items} == {
        "hosts": ["dc1"],
        "groups": ["iij_id_domain_controllers"],
        "notification_templates": ["exit"],
        "schedules": ["exit: watch_certificates"],
        "workflow_job_template_nodes": [f"{stage}-{what}" for stage in sorted(APPROVE, key=_place, reverse=True) for what in ("approval", "check")],
    }


def _place(stage: str) -> int:
    return plan.order((places.ROOT / "playbooks/decommission.yml").read_text()).index(stage)


def test_absent_removes_ours_and_nothing_else() -> None:
    made = listed(credentials=["entra"])
    found = as_found(made)
    template = found["job_templates"][0]
    found["job_templates"].append({**template, "id": 900, "name": f"{template['name']} @ 20:15:33"})  # a copy has the description of what it was made from
    found["schedules"].append({**found["schedules"][0], "id": 901, "unified_job_template": 4711})  # of another organization's template
    found["credentials"].append({"id": 902, "name": "exit: of somebody", "description": "", "credential_type": 1})
    gone = listed(found=found, state="absent")
    assert not any(gone["objects"].values())
    by_kind = {kind: {item["name"] for item in items} for kind, items in gone["remove"].items()}
    with_their_owner = ("hosts", "groups", "workflow_job_template_nodes")
    assert by_kind == {
        kind: set() if kind in with_their_owner else {item["name"] for item in items} for kind, items in made["objects"].items()
    }  # fmt: skip
    assert len(gone["remove"]["schedules"]) == 1


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("other", ["exit 2", "exit2", "exit:2", "Exit"])
def test_another_exit_stays_whose_name_begins_the_same(other: str, state: str) -> None:
    """AWX is asked for all names that begin with the prefix, and what other exits have made bears the same mark."""
    found = as_found(listed(prefix=other, credentials=["entra"], notification=True))
    for kind, items in found.items():
        found[kind] = [{**item, "id": item["id"] + 1000, "inventory": 1100, "unified_job_template": 1100} for item in items]
    assert not any(listed(found=found, state=state)["remove"].values())


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("prefix", ["", " ", "exit ", " exit", "exit: 2", "exit\n"])
def test_a_prefix_that_tells_no_exit_from_another_is_refused(prefix: str, state: str) -> None:
    with pytest.raises(OffboardError, match="awx_prefix") as refused:
        listed(prefix=prefix, state=state)
    assert refused.value.code == "bad_option"


def test_somebody_elses_is_refused() -> None:
    found = {"inventories": [{"id": 1, "name": "exit", "description": "the office's machines"}]}
    with pytest.raises(OffboardError) as refused:
        listed(found=found)
    assert refused.value.code == "not_ours" and "inventories exit" in refused.value.msg
    assert not any(listed(found=found, state="absent")["remove"].values())


def test_another_organizations_of_the_same_name_is_refused_and_stays() -> None:
    """Execution environments and credential types have one name in all of AWX: a second exit with the same prefix would take the first one's image."""
    made = listed(credentials=["entra"])
    for organizations in ([], [{"id": 2, "name": "org", "description": ""}]):
        found = {kind: as_found(made)[kind] for kind in ("execution_environments", "credential_types")} | {"organizations": organizations}
        found["execution_environments"] = [{**item, "organization": 1} for item in found["execution_environments"]]
        with pytest.raises(OffboardError, match="for another organization: execution_environments exit") as refused:
            listed(found=found)
        assert refused.value.code == "not_ours"
        assert not any(listed(found=found, state="absent")["remove"].values())
    found["organizations"] = [{"id": 1, "name": "org", "description": ""}]
    assert [item["name"] for item in listed(found=found, state="absent")["remove"]["credential_types"]] == ["exit: Entra", "exit: secrets"]
    assert listed(found=found)["objects"]["execution_environments"][0]["exists"]


def test_check_mode_asks_for_nothing_that_cannot_be_answered() -> None:
    answer = listed(check_mode=True)
    asked = {kind for kind, items in answer["objects"].items() if items}
    assert asked == {"credential_types"}
    assert "job_templates exit: domains" in answer["later"] and "hosts dc1" in answer["later"]
    assert listed(check_mode=True, found=as_found(listed()))["later"] == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"approve": ["domain"]}, "awx_approve: domain is none of"),
        ({"domain_controllers": ["dc9"]}, "awx_domain_controllers: dc9"),
        ({"schedules": [{**SCHEDULE, "stage": "watch"}]}, "awx_schedules, stage: watch"),
        ({"schedules": [SCHEDULE, SCHEDULE]}, "two have the same name"),
        ({"schedules": [{"stage": "status", "rrule": ""}]}, "status has no rrule"),
        ({"agents": {"localhost": {}}}, "localhost is where the stages run"),
        ({"agents": {"LocalHost": {}}}, "localhost is where the stages run"),
        ({"groups": {"webservers": {"hosts": {}}}}, "awx_groups: webservers: a group is one of"),
        ({"groups": {"iij_id_browser_machines": {"hosts": ["pc1"]}}}, "awx_groups: iij_id_browser_machines: a group is one of"),
        ({"groups": {"iij_id_browser_machines": {"host": {}}}}, "awx_groups: iij_id_browser_machines: a group is one of"),
        ({"groups": {"iij_id_browser_machines": "pc1"}}, "awx_groups: iij_id_browser_machines: a group is one of"),
        ({"groups": {"iij_id_browser_machines": {"hosts": {"localhost": {}}}}}, "localhost is where the stages run"),
        ({"agents": {"dc1": "ansible_host=x"}}, "awx_agents: dc1 must be"),
        ({"agents": {"dc1": ["ansible_host"]}}, "awx_agents: dc1 must be"),
        ({"agents": {1: {}, "dc1": 5}}, "awx_agents: 1 must be"),
        ({"agents": {"dc\x1b[2J": {}}}, r"awx_agents: dc\x1b[2J must be"),
    ],
)
def test_what_cannot_be_meant(options: dict[str, Any], told: str) -> None:
    with pytest.raises(OffboardError) as refused:
        listed(**{"domain_controllers": [], **options})
    assert refused.value.code == "bad_option" and told in refused.value.msg
