# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`awx_setup` with the unmodified collection awx.awx, against a strict part of AWX's API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev import environment, places
from dev.say import Failure
from lab.awx_api import AwxApi, Refused

PREFIX = "IIJ ID exit"
#: Some of the collection's playbooks, since each job template costs a second or more: that all of them are taken is tested in
#: tests/unit/plugins/module_utils/offboarding/test_awx.py.
STAGES = {"preflight", "domains", "confirm", "watch_certificates", "arrivals"}
ORDER = ["preflight", "domains"]
APPROVED = ["domains"]
SECRETS = {"awx_entra_client_secret": "entra-geheim-1", "awx_vault_password": "vault-geheim-2", "awx_machine_password": "windows-geheim-3"}


@pytest.fixture(scope="module")
def collections() -> str:
    try:
        return f"{places.tree()}:{environment.awx_collection()}"
    except Failure as failure:
        pytest.skip(f"the collection awx.awx cannot be had: {failure}")


class Setup:
    """The playbook, with an AWX of its own."""

    def __init__(self, folder: Path, collections: str) -> None:
        self.folder, self._collections = folder, collections
        self.projects = folder / "projects"
        self.files = self.projects / "offboard-iij-id"
        self.projects.mkdir()
        collection = folder / "collection"
        (collection / "playbooks").mkdir(parents=True)
        for stage in (*STAGES, "begin", "controller_in_limit", "ending"):
            shutil.copy(places.ROOT / "playbooks" / f"{stage}.yml", collection / "playbooks")
        imports = "".join(f"- name: {stage}\n  ansible.builtin.import_playbook: {stage}.yml\n" for stage in ORDER)
        (collection / "playbooks" / "decommission.yml").write_text(f"---\n# All of it.\n{imports}")
        (collection / "roles").symlink_to(places.ROOT / "roles")
        self.api = AwxApi(self.projects)
        self.variables: dict[str, Any] = {
            "awx_host": self.api.url, "awx_oauthtoken": self.api.token, "awx_image": "registry.example/offboard:1",
            "awx_project_folder": str(self.files), "awx_agents": {"sync1": {"ansible_host": "sync1.example"}, "dc1": {}}, "awx_domain_controllers": ["dc1"],
            "awx_entra_tenant_id": "tenant", "awx_entra_client_id": "client", "awx_machine_username": "offboard@example",
            "__awx_collection": str(collection), "awx_approve": APPROVED,
            "awx_inventory_variables": {
                "offboard_break_glass": ["a@reiji.onmicrosoft.com"], "custom_applications_services": [{"name": "Expenses", "owner": "Taro"}],
            },
            **SECRETS,
        }  # fmt: skip

    def play(self, *words: str, code: int = 0, without_awx: bool = False, **more: Any) -> str:
        """Its output. `more` are variables for this run only; those that are None are left out."""
        variables = {name: value for name, value in {**self.variables, **more}.items() if value is not None}
        (self.folder / "awx.json").write_text(json.dumps(variables))
        argv = [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-c", "local", "-e", "@awx.json", "offboard.iij_id.awx_setup", *words]
        env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(places.tree()) if without_awx else self._collections, "ANSIBLE_NOCOLOR": "1"}
        env |= {"ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false", "ANSIBLE_PIPELINING": "true"}
        env = {name: value for name, value in env.items() if not name.startswith(("CONTROLLER_", "TOWER_"))}
        self.api.log.clear()
        done = subprocess.run(argv, cwd=self.folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == (code != 0), output
        assert not [secret for secret in SECRETS.values() if secret in output]
        return output

    def ids(self) -> dict[str, set[int]]:
        return {kind: set(held) for kind, held in self.api.objects.items()}


@pytest.fixture
def setup(tmp_path: Path, collections: str) -> Iterator[Setup]:
    made = Setup(tmp_path, collections)
    try:
        yield made
    finally:
        made.api.stop()


def _walk(api: AwxApi) -> list[str]:
    """The workflow from its only start to its end."""
    nodes = [node["identifier"] for node in api.all("workflow_job_template_nodes")]
    following = {name: api.linked("workflow_job_template_nodes", name, "success_nodes") for name in nodes}
    (name,) = set(nodes) - {after for names in following.values() for after in names}
    way = [name]
    while following[way[-1]]:
        (after,) = following[way[-1]]
        way.append(after)
    assert sorted(way) == sorted(nodes)
    assert not [name for name in nodes for how in ("failure_nodes", "always_nodes") if api.linked("workflow_job_template_nodes", name, how)]
    return way


def _made(setup: Setup) -> None:
    api = setup.api
    stages = STAGES | {"decommission"}
    assert {file.stem: yaml.safe_load(file.read_text())[0]["ansible.builtin.import_playbook"] for file in setup.files.iterdir()} == {
        stage: f"offboard.iij_id.{stage}" for stage in stages
    }
    assert {item["name"].removeprefix(f"{PREFIX}: "): item["playbook"] for item in api.all("job_templates")} == {stage: f"{stage}.yml" for stage in stages}
    for template in api.all("job_templates"):
        assert template["diff_mode"] and not template["allow_simultaneous"]
        assert set(api.linked("job_templates", template["name"], "credentials")) == {f"{PREFIX}: {name}" for name in ("Entra", "secrets", "Windows")}
        answered_only = template["name"] == f"{PREFIX}: confirm"
        assert template["ask_job_type_on_launch"] is template["ask_variables_on_launch"] is (not answered_only)
    # the workflow: a check and an approval before what changes most
    wanted = [name for stage in ORDER for name in ([f"{stage}-check", f"{stage}-approval"] if stage in APPROVED else []) + [stage]]
    assert _walk(api) == wanted
    for stage in APPROVED:
        assert api.named("workflow_job_template_nodes", f"{stage}-check")["job_type"] == "check"
        assert api.named("workflow_job_template_nodes", stage)["job_type"] is None
        approval = api.objects["workflow_approval_templates"][api.named("workflow_job_template_nodes", f"{stage}-approval")["unified_job_template"]]
        assert "confirms no step" in approval["description"] and "人が行う手順の確認にはなりません" in approval["description"]
    survey = api.surveys[api.named("job_templates", f"{PREFIX}: confirm")["id"]]
    assert [question["variable"] for question in survey["spec"]] == ["step", "withdraw", "note", "evidence"]
    assert {"provisioning_stopped", "contract_terminated", "service_expenses"} <= set(survey["spec"][0]["choices"])
    # the inventory
    assert json.loads(api.named("inventories", PREFIX)["variables"]) == {
        "offboard_run_dir": "/srv/offboard-run", "offboard_break_glass": ["a@reiji.onmicrosoft.com"],
        "custom_applications_services": [{"name": "Expenses", "owner": "Taro"}],
    }  # fmt: skip
    assert json.loads(api.named("hosts", "localhost")["variables"])["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"
    assert api.linked("groups", "iij_id_agents", "hosts") == ["sync1"]
    assert api.linked("groups", "iij_id_agents", "children") == ["iij_id_domain_controllers"]
    assert api.linked("groups", "iij_id_domain_controllers", "hosts") == ["dc1"]
    # secrets reach jobs by injectors
    entra = api.named("credential_types", f"{PREFIX}: Entra")["injectors"]["env"]
    assert entra == {"AZURE_TENANT_ID": "{{ tenant_id }}", "AZURE_CLIENT_ID": "{{ client_id }}", "AZURE_CLIENT_SECRET": "{{ client_secret }}"}
    assert api.named("credentials", f"{PREFIX}: Entra")["inputs"]["client_secret"] == SECRETS["awx_entra_client_secret"]
    assert "offboard_vault_password" in api.named("credential_types", f"{PREFIX}: secrets")["injectors"]["extra_vars"]
    assert sorted(schedule["name"] for schedule in api.all("schedules")) == [f"{PREFIX}: arrivals", f"{PREFIX}: watch_certificates"]
    assert api.settings["AWX_ISOLATION_SHOW_PATHS"] == []  # nobody asked


def test_made_once_then_unchanged_then_gone(setup: Setup) -> None:
    before = setup.ids()
    planned = setup.play("--check", "--diff")
    assert setup.api.writes() == [] and "job_templates IIJ ID exit: domains" in planned
    assert not setup.files.exists()

    made = setup.play(offboard_language="ja")
    _made(setup)
    assert '"msg": "次の操作: AWXでジョブテンプレート IIJ ID exit: preflight を起動してください。' in made and "Next:" not in planned + made

    # what somebody else has put beside it: a copy of a template (AWX copies its description too), an inventory of their own
    template = setup.api.named("job_templates", f"{PREFIX}: domains")
    copied = {name: template[name] for name in ("description", "project", "playbook", "inventory")}
    copy = setup.api.create("job_templates", {**copied, "name": f"{PREFIX}: domains @ 20:15:33"})
    other = setup.api.create("inventories", {"name": "of another team", "organization": template["organization"]})
    again = setup.play()
    assert setup.api.writes() == [] and "changed=0" in again
    assert "Next: launch the job template IIJ ID exit: preflight in AWX." in again and "次の操作" in again

    planned = setup.play("--check", awx_state="absent")
    assert setup.api.writes() == [] and "changed=0" not in planned
    job = setup.api.create("unified_jobs", {"name": PREFIX, "organization": template["organization"]})
    said = setup.play(code=1, awx_state="absent")  # AWX removes no template of which something runs
    assert f"at work in AWX: {PREFIX}. Nothing was done." in said and setup.api.writes() == []
    setup.api.objects["unified_jobs"].pop(job["id"])

    setup.play(awx_state="absent")
    left = {kind: held - before[kind] for kind, held in setup.ids().items() if held - before[kind]}
    assert left == {"organizations": {template["organization"]}, "job_templates": {copy["id"]}, "inventories": {other["id"]}}
    assert list(setup.files.iterdir()) == []

    for kind, item in (("job_templates", copy), ("inventories", other)):
        setup.api.objects[kind].pop(item["id"])
    setup.play(awx_state="absent")
    assert setup.ids() == before


@pytest.mark.long
def test_a_changed_configuration(setup: Setup) -> None:
    """What is no longer wanted goes; settings and notifications only when asked for; a password instead of a token."""
    setup.api.settings["AWX_ISOLATION_SHOW_PATHS"] = ["/etc/pki:/etc/pki:O"]
    sign_in = {"awx_oauthtoken": None, "awx_username": setup.api.username, "awx_password": setup.api.password}
    notification = {"type": "slack", "configuration": {"token": "slack-geheim", "channels": ["#identity"]}}
    weekly = {
        "stage": "preflight",
        "name": "weekly",
        "rrule": "DTSTART:20260105T070000Z RRULE:FREQ=WEEKLY;INTERVAL=1",
        "extra_data": {"offboard_language": "ja"},
    }
    asked = {
        "awx_exposed_paths": ["/srv/offboard-run:/srv/offboard-run:rw", "/etc/ca.pem:/etc/ca.pem:ro"],
        "awx_exposed_paths_on_kubernetes": True, "awx_notification": notification,
        "awx_schedules": [weekly],
    }  # fmt: skip
    setup.play(**sign_in, **asked)
    assert setup.api.settings["AWX_ISOLATION_SHOW_PATHS"] == sorted(["/etc/pki:/etc/pki:O", *asked["awx_exposed_paths"]])
    signed_in = [entry for entry in setup.api.log if "/tokens/" in entry[1]]
    assert [entry[0] for entry in signed_in] == ["POST", "DELETE"] and setup.api.tokens() == 0
    assert setup.api.settings["AWX_MOUNT_ISOLATED_PATHS_ON_K8S"] is True
    assert setup.api.linked("workflow_job_templates", PREFIX, "notification_templates_approvals") == [PREFIX]
    assert setup.api.linked("job_templates", f"{PREFIX}: preflight", "notification_templates_error") == [PREFIX]
    # secrets that are not given stay, and nothing goes
    without = dict.fromkeys((*SECRETS, "awx_machine_username", "awx_entra_tenant_id", "awx_entra_client_id"))
    assert "changed=0" in setup.play(**asked, **without) and setup.api.writes() == []

    asked["awx_notification"] = {"type": "webhook", "configuration": {"url": "https://hook.example", "password": "hook-geheim"}}
    output = setup.play(**{**asked, "awx_agents": {"sync2": {}}, "awx_domain_controllers": [], "awx_approve": ["preflight"]})
    held = setup.api.named("notification_templates", PREFIX)["notification_configuration"]
    assert (held["url"], held["headers"], held["http_method"]) == ("https://hook.example", {}, "POST"), output
    assert sorted(host["name"] for host in setup.api.all("hosts")) == ["localhost", "sync2"]
    assert [group["name"] for group in setup.api.all("groups")] == ["iij_id_agents"]
    assert [name for name in _walk(setup.api) if "-" in name] == ["preflight-check", "preflight-approval"]

    setup.play(awx_state="absent", **asked)
    assert setup.api.settings["AWX_ISOLATION_SHOW_PATHS"] == ["/etc/pki:/etc/pki:O"]


def test_refusals(setup: Setup) -> None:
    said = setup.play(code=1, without_awx=True)
    assert "ansible-galaxy collection install awx.awx" in said
    said = setup.play(code=1, awx_oauthtoken="wrong")
    assert "Invalid authentication credentials" in said and "ansible-galaxy" not in said
    said = setup.play(code=1, awx_oauthtoken=None, awx_username=setup.api.username, awx_password="wrong-geheim")
    assert "AWX cannot be read: " in said and "401" in said and "wrong-geheim" not in said and setup.api.tokens() == 0
    by_password = {"awx_oauthtoken": None, "awx_username": setup.api.username, "awx_password": setup.api.password}
    said = setup.play(code=1, **by_password, ansible_python_interpreter="/nowhere/python")
    assert "AWX cannot be read: " in said and "/nowhere/python" in said and "has no attribute" not in said
    said = setup.play("--check", code=1, awx_oauthtoken=None, awx_username=setup.api.username, awx_password=setup.api.password, awx_image=None)
    assert "awx_image is not given" in said and setup.api.tokens() == 0
    assert "awx_image is not given" in setup.play(code=1, awx_image=None)
    organization = setup.api.create("organizations", {"name": PREFIX, "description": "of another team"})
    setup.api.create("inventories", {"name": PREFIX, "organization": organization["id"]})
    said = setup.play(code=1)
    assert f"inventories {PREFIX}" in said and "another awx_prefix" in said and setup.api.writes() == []
    assert "changed=0" in setup.play(awx_state="absent") and setup.api.writes() == []
    # an exit of another organization with the same prefix has an image of its own
    mine = {"awx_organization": "of a second company"}
    image = {"name": PREFIX, "description": f"[offboard.iij_id.awx_setup: {PREFIX}]", "organization": organization["id"], "image": "theirs"}
    setup.api.create("execution_environments", image)
    said = setup.play(code=1, **mine)
    assert "for another organization: execution_environments" in said and setup.api.writes() == []
    assert "changed=0" in setup.play(awx_state="absent", **mine) and setup.api.writes() == []


def test_the_api_refuses_what_a_real_one_refuses(tmp_path: Path) -> None:
    """From AWX's source: each of these is right but for one thing."""
    (tmp_path / "a").mkdir()
    api = AwxApi(tmp_path)
    try:
        organization = api.create("organizations", {"name": "o"})["id"]
        project = api.create("projects", {"name": "p", "organization": organization, "local_path": "a"})["id"]
        (tmp_path / "a" / "x.yml").write_text("[]")
        template = api.create("job_templates", {"name": "j", "project": project, "playbook": "x.yml"})["id"]

        def refused(kind: str, good: dict[str, Any], *changes: dict[str, Any]) -> None:
            for number, change in enumerate(changes):
                with pytest.raises(Refused) as answer:
                    api.create(kind, {**good, "name": str(number), **change})
                assert answer.value.status == 400
            api.create(kind, {**good, "name": "good"})

        webhook = {"url": "https://x.example", "headers": {}}
        refused(
            "notification_templates", {"organization": organization, "notification_type": "webhook", "notification_configuration": webhook},
            *({"notification_configuration": held} for held in (
                {"url": "https://x.example"}, {**webhook, "headers": ""}, {**webhook, "http_method": "GET"}, {**webhook, "disable_ssl_verification": "no"},
            )),
            {"notification_type": "slack", "notification_configuration": {"token": "t", "channels": []}},
            {"notification_type": "slack", "notification_configuration": {"token": "t", "channels": "#a"}},
        )  # fmt: skip
        fields = {"fields": [{"id": "a", "label": "A"}]}
        refused(
            "credential_types", {"kind": "cloud", "inputs": fields, "injectors": {"env": {"AZURE_A": "{{ a }}"}}},
            *({"injectors": {"env": {name: "{{ a }}"}}} for name in ("ANSIBLE_A", "PATH", "1A")),
            *({"inputs": {"fields": [one, *fields["fields"]]}} for one in ({"id": "b"}, {"id": "a", "label": "A"}, {"id": "b", "label": "B", "type": "int"})),
        )  # fmt: skip
        (tmp_path / "b").mkdir()
        refused("projects", {"organization": organization, "local_path": "b"}, {"local_path": "a"}, {"local_path": "c"}, {"scm_clean": True})
        rule = "DTSTART;TZID=Asia/Tokyo:20260105T070000 RRULE:FREQ=DAILY;INTERVAL=1"
        refused(
            "schedules", {"unified_job_template": template, "rrule": rule},
            *({"rrule": one} for one in (
                rule.replace("DAILY", "SECONDLY"), f"{rule};COUNT=3;UNTIL=20260205T070000Z", f"{rule};COUNT=1000", rule.replace(";INTERVAL=1", ""),
                rule.replace(";TZID=Asia/Tokyo", ""), "RRULE:FREQ=DAILY;INTERVAL=1", f"{rule};BYDAY=2MO",
            )),
        )  # fmt: skip

        question = {"variable": "v", "question_name": "q", "type": "multiplechoice", "required": False, "choices": ["a", "b"], "default": "a"}
        for wrong in (
            [question, question], [{**question, "default": "c"}], [{**question, "default": "a\nb"}], [{**question, "required": "no"}],
            [{**question, "type": "list"}], [{**question, "type": "integer", "default": "1"}], [{**question, "min": "1"}], [],
        ):  # fmt: skip
            body = json.dumps({"name": "", "description": "", "spec": wrong}).encode()
            with pytest.raises(Refused):
                api.serve("POST", f"/api/v2/job_templates/{template}/survey_spec/", body, f"Bearer {api.token}")
    finally:
        api.stop()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/v2/job_templates/?nonsense=1", None, 400),
        ("POST", "/api/v2/inventories/", {"name": "a", "organization": 4711}, 400),
        ("POST", "/api/v2/organizations/", {"name": "a", "colour": "red"}, 400),
        ("POST", "/api/v2/organizations/", {}, 400),
        ("DELETE", "/api/v2/organizations/4711/", None, 404),
        ("PATCH", "/api/v2/settings/all/", {"NO_SUCH_SETTING": 1}, 400),
    ],
)
def test_the_api_is_strict(tmp_path: Path, method: str, path: str, body: Any, status: int) -> None:
    """Else a request that a real AWX refuses would pass."""
    import urllib.error
    import urllib.request

    api = AwxApi(tmp_path)
    try:
        for token, expected in ((api.token, status), ("wrong", 401)):
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(api.url + path, data, {"Authorization": f"Bearer {token}"}, method=method)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            assert refused.value.code == expected
    finally:
        api.stop()
