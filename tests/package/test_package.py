# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball: what it holds, and that what is installed from it works, with the ansible-core of this environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import uuid
from pathlib import Path
from typing import Any

import ansible_runner
import pytest
import yaml
from dev import environment, places
from dev.say import Failure
from lab import company, inventory
from lab.testing import RunningTenant

MODULES = sorted(file.stem for file in places.ROOT.glob("plugins/modules/*.py") if file.stem != "__init__")
PLAYBOOKS = sorted(file.stem for file in places.ROOT.glob("playbooks/*.yml"))
ROLES = sorted(file.parent.parent.name for file in places.ROOT.glob("roles/*/meta/argument_specs.yml"))


def ansible(program: str, *words: str | Path, cwd: Path, collections: Path | None = None) -> str:
    """Run a program of ansible-core away from the checkout; its standard output."""
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections or cwd), "ANSIBLE_NOCOLOR": "1"}
    argv = [str(Path(sys.executable).with_name(program)), *map(str, words)]
    result = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(argv)}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection, built from the files of this checkout."""
    folder = tmp_path_factory.mktemp("build")
    ansible("ansible-galaxy", "collection", "build", "--output-path", folder, places.copy(folder), cwd=folder)
    (built,) = folder.glob("*.tar.gz")
    return built


@pytest.fixture(scope="module")
def installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collections folder into which the tarball, and nothing else, was installed without any network."""
    folder = tmp_path_factory.mktemp("installed")
    ansible("ansible-galaxy", "collection", "install", "--offline", "--no-deps", "-p", folder, tarball, cwd=folder)
    return folder


def test_tarball_holds_what_users_need_and_nothing_else(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = {name.removeprefix("./") for name in archive.getnames() if not archive.getmember(name).isdir()}
    listed = {str(path.relative_to(places.ROOT)) for path in _files()}
    own_folders = {name for name in listed if name.startswith(("plugins/", "roles/", "playbooks/", "meta/", "extensions/awx/", "docs/", "changelogs/"))}
    wanted = {"README.md", "LICENSE", "SECURITY.md", "requirements.txt"} | {name for name in own_folders if not Path(name).name.startswith(".")}
    assert wanted <= names, f"missing: {sorted(wanted - names)}"
    made_by_galaxy = {"MANIFEST.json", "FILES.json"}
    allowed = {"CONTRIBUTING.md", "CHANGELOG.md"}
    assert names - wanted - made_by_galaxy - allowed == set()


def _files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=places.ROOT, capture_output=True, text=True, check=True).stdout
    return [places.ROOT / name for name in listed.split("\0") if name and (places.ROOT / name).is_file()]


def test_manifest(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        info = json.load(archive.extractfile("MANIFEST.json"))["collection_info"]  # type: ignore[arg-type]
    assert (info["namespace"], info["name"], info["dependencies"]) == ("offboard", "iij_id", {})
    assert info["license"] == ["GPL-3.0-or-later"]
    assert info["version"] == yaml.safe_load((places.ROOT / "galaxy.yml").read_text())["version"]


#: what Galaxy, and Automation Hub besides, run on an upload
IMPORTER = "galaxy-importer==0.4.*"


def test_galaxy_takes_it_without_a_warning(tarball: Path, tmp_path: Path) -> None:
    try:
        venv = environment.venv("importer", environment.PYTHON, [], IMPORTER)
    except Failure as failure:
        pytest.skip(f"galaxy-importer cannot be installed: {failure}")
    # its ansible-lint has the profile of the stage `lint`, which reads the same files, and is ended after three minutes, however busy the machine is
    settings = {"CHECK_REQUIRED_TAGS": "true", "REQUIRE_V1_OR_GREATER": "true", "RUN_ANSIBLE_LINT": "false", "ANSIBLE_LOCAL_TMP": str(tmp_path / "tmp")}
    env = {**environment.variables(venv), **{f"GALAXY_IMPORTER_{name}": value for name, value in settings.items()}, "HOME": str(tmp_path)}
    del env["ANSIBLE_COLLECTIONS_PATH"]  # it looks at what it has unpacked, not at this checkout
    argv = [venv / "bin" / "python", "-m", "galaxy_importer.main", tarball]
    done = subprocess.run(argv, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    told = (done.stdout + done.stderr).splitlines()
    assert [line for line in told if re.match("(WARNING|ERROR|CRITICAL)", line)] == []
    assert done.returncode == 0 and "Importer processing completed successfully" in told, told[-20:]


def test_verifies(installed: Path) -> None:
    ansible("ansible-galaxy", "collection", "verify", "--offline", "offboard.iij_id", cwd=installed)


def test_documentation_lists_every_module(installed: Path) -> None:
    listed = json.loads(ansible("ansible-doc", "-t", "module", "--list", "--json", "offboard.iij_id", cwd=installed))
    assert sorted(listed) == [f"offboard.iij_id.{name}" for name in MODULES]


def test_documentation_is_complete(installed: Path) -> None:
    names = [f"offboard.iij_id.{module}" for module in MODULES]
    documents = json.loads(ansible("ansible-doc", "-t", "module", "--json", *names, cwd=installed))
    assert sorted(documents) == names
    for name, document in documents.items():
        assert document["examples"].strip() and document["return"], name
        assert {"check_mode", "diff_mode", "platform"} <= set(document["doc"]["attributes"]), name


def test_roles_are_documented(installed: Path) -> None:
    names = [f"offboard.iij_id.{role}" for role in ROLES]
    documents = json.loads(ansible("ansible-doc", "-t", "role", "--json", *names, cwd=installed))
    assert sorted(documents) == names
    for name, document in documents.items():
        assert document["entry_points"] and all(entry["short_description"] for entry in document["entry_points"].values()), name


def test_decommission_runs_by_name(installed: Path) -> None:
    """The others are played by name below."""
    listed = ansible("ansible-playbook", "--list-tasks", "-i", "localhost,", "offboard.iij_id.decommission", cwd=installed)
    parts = re.split("^playbook: ", listed, flags=re.MULTILINE)[1:]
    assert len(parts) == 1 and "TAGS:" in parts[0]


# that each playbook refuses one without the controller: tests/playbook/test_stage_alone.py
@pytest.mark.parametrize("playbook", ["decommission", "preflight", "freeze", "gate", "domains", "agents", "final_gate"])
def test_a_limit_with_the_controller_is_not_refused(installed: Path, tmp_path: Path, playbook: str) -> None:
    (tmp_path / "inventory").write_text("[iij_id_agents]\nsync01\nsync02\n")
    # it is the tag that is refused, so that nothing runs
    words = ["-i", "inventory", f"offboard.iij_id.{playbook}", "--limit", "sync01,localhost", "-t", "never_there"]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(installed), "ANSIBLE_NOCOLOR": "1", "PWD": str(tmp_path)}  # where the run folder is by default
    argv = [Path(sys.executable).with_name("ansible-playbook"), *words]
    done = subprocess.run(argv, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode != 0 and "leaves localhost out" not in output and "--tags never_there chooses nothing" in output


def test_machines_that_a_limit_leaves_out_are_told_as_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text("[iij_id_agents]\nsync01\n")
    words = ["-m", "ansible.builtin.debug", "-a", "var=__offboard_machines", "-e", f"@{places.ROOT}/roles/offboard/vars/main.yml"]
    output = ansible("ansible", "-i", tmp_path / "inventory", "localhost", "-e", '{"offboard_run_dir": "run"}', *words, cwd=tmp_path)
    assert json.loads(output.partition("=>")[2])["__offboard_machines"] == {"sync01": {"error": "it was not looked at"}}


@pytest.mark.parametrize("definition", sorted(places.ROOT.glob("extensions/awx/execution-environment*.yml")), ids=lambda path: path.stem)
def test_an_execution_environment_can_be_built(tarball: Path, installed: Path, tmp_path: Path, definition: Path) -> None:
    """By the commands in its first lines, as far as a machine without a registry of images goes."""
    for file in (tarball, definition):
        shutil.copy(file, tmp_path)
    ansible("ansible-builder", "create", "-f", definition.name, "-c", "context", "--output-filename", "Containerfile", cwd=tmp_path)
    context = tmp_path / "context"
    assert (context / "_build" / "collection" / tarball.name).read_bytes() == tarball.read_bytes()
    containerfile = (context / "Containerfile").read_text()
    assert "COPY _build/collection/ /build/collection/" in containerfile
    (entry,) = yaml.safe_load((context / "_build" / "requirements.yml").read_text())["collections"]
    assert f"mv /build/collection/*.tar.gz {entry['name']}" in containerfile
    # for Linux machines, and for the keys of a machine credential, which ansible-runner gives to an ssh-agent; slim images have none. And the company's zone
    assert {"openssh-client [platform:dpkg]", "tzdata"} <= set((context / "_build" / "bindep.txt").read_text().splitlines())
    # what the image gets besides: the libraries of the collection's own list, which ansible-builder finds in the installed collection
    found = yaml.safe_load(ansible("ansible-builder", "introspect", installed, cwd=tmp_path).partition("---\n")[2])
    listed = [line.partition("#")[0].strip() for line in (places.ROOT / "requirements.txt").read_text().splitlines()]
    brought_by_core = {"PyYAML>=6"}
    assert {line.partition("#")[0].strip() for line in found["python"]} == set(filter(None, listed)) - brought_by_core, found


def _variables(tenant: RunningTenant, run_dir: Path) -> dict[str, Any]:
    """What an operator gives who only has a tenant, but for the client secret and the vault's password."""
    decisions = {name: value for name, value in inventory.decisions().items() if name.startswith(("offboard_", "microsoft_365_"))}
    credentials = {f"offboard_{name}": value for name, value in tenant.credentials().items() if name != "client_secret"}
    addresses = {"offboard_graph_url": tenant.url, "offboard_authority": tenant.url, "offboard_ca_file": str(tenant.ca_file)}
    return {**decisions, **credentials, **addresses, "offboard_run_dir": str(run_dir), "offboard_options": ["microsoft_365"]}


LOCALHOST = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


@pytest.mark.long  # the demo plays it too
def test_an_installed_playbook_works(installed: Path, tenant: RunningTenant, tmp_path: Path) -> None:
    """The first thing that a user does with what they installed: the whole way in check mode, here for the tenant's part."""
    secrets = {"offboard_client_secret": tenant.credentials()["client_secret"], "offboard_vault_password": inventory.VAULT_PASSWORD}
    variables = {**_variables(tenant, tmp_path / "run"), **secrets}
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": LOCALHOST}, "vars": variables}}))
    output = ansible(
        "ansible-playbook", "--check", "--diff", "-i", tmp_path / "inventory.json", "offboard.iij_id.decommission", cwd=tmp_path, collections=installed
    )
    recap = re.search(r"^localhost +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0", output, re.MULTILINE)
    assert recap and int(recap[1]) >= 5, output  # users, domains, passwords, two apps are planned
    assert tenant.writes() == []
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["plans"]  # what a person could approve, and nothing else
    (plan,) = (tmp_path / "run" / "plans").iterdir()
    assert f"-e offboard_plan_hash={plan.stem}" in output and len(plan.read_bytes().splitlines()) > 200
    shutil.rmtree(tmp_path / "run")
    # the domains as somebody else would type them, as one text in another case, with a blank: the same plan, for the users of subdomains too
    variables["microsoft_365_domains"] = ", ".join(variables["microsoft_365_domains"]).title()
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": LOCALHOST}, "vars": variables}}))
    other = ansible("ansible-playbook", "--check", "-i", tmp_path / "inventory.json", "offboard.iij_id.decommission", cwd=tmp_path, collections=installed)
    assert recap[0] in other
    assert [line for line in other.splitlines() if "item=" in line] == [line for line in output.splitlines() if "item=" in line]
    assert [path.name for path in (tmp_path / "run" / "plans").iterdir()] == [plan.name]  # the same plan has the same hash


#: playbooks that cannot be played without something that only a person can give, or without what an earlier stage left: what they say then
NEEDS_MORE = {
    "awx_setup": "awx_image is not given",
    "confirm": "Which step?",
    "export": "There is no access token of IIJ ID",
    "guest_federation": "partners is empty",
    "handover": "microsoft_365_letters_folder names no folder",
    "notices": "microsoft_365_notices_day is empty",
    "partner_sheet": "partners is empty",
    "restore": "What shall be brought back?",
    "status": "There is no run folder",
}
OPTIONS = [
    "directory_sync", "microsoft_365", "custom_applications", "multi_factor_authentication", "external_identity_providers",
    "integrated_windows_authentication",
]  # fmt: skip


# decommission is played by the test before, and by the demo
@pytest.mark.parametrize("playbook", [name for name in PLAYBOOKS if name != "decommission"])
def test_every_playbook_plays_alone_in_check_mode(installed: Path, tenant: RunningTenant, tmp_path: Path, playbook: str) -> None:
    """From an untouched start, as the AWX template with job type "check": a plan, or a plain word of what is needed; nothing is written."""
    credentials = tenant.credentials()
    more = {
        "offboard_client_secret": credentials["client_secret"],
        "offboard_vault_password": inventory.VAULT_PASSWORD,
        "directory_sync_without_machines": True,
    }
    watch = {"watch_certificates_folder": str(tmp_path), "watch_certificates_fail_on": [], "watch_certificates_connection": {"graph_url": tenant.url}}
    watch["watch_certificates_connection"] |= {"authority": tenant.url, "ca_file": str(tenant.ca_file)}
    variables = {**_variables(tenant, tmp_path / "run"), **more, "offboard_options": OPTIONS}
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": LOCALHOST}, "vars": variables}}))
    argv = [
        Path(sys.executable).with_name("ansible-playbook"),
        "--check",
        "--diff",
        "-i",
        "inventory.json",
        f"offboard.iij_id.{playbook}",
        "-e",
        json.dumps(watch),
    ]
    azure = {f"AZURE_{name.upper()}": value for name, value in credentials.items()}
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(installed), "ANSIBLE_NOCOLOR": "1", **azure}
    done = subprocess.run(argv, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert (done.returncode == 0) is (playbook not in NEEDS_MORE), output
    assert NEEDS_MORE.get(playbook, "") in output
    assert not re.search("Traceback|internal_error|has no attribute|is undefined|unexpected", output), output
    assert tenant.writes() == []
    assert not (tmp_path / "run").exists() or [path.name for path in (tmp_path / "run").iterdir()] == ["plans"]
    if playbook == "app":  # in a real run it would stop there
        assert re.search(r"Remove grants, service principal and application\] \*+\n(.*\n)*?.*a real run would stop here\.", output), output


def test_preflight_says_what_the_app_that_signs_in_lacks(installed: Path, tenant: RunningTenant, tmp_path: Path) -> None:
    """And for which stage: that stage itself would say it only when the domains are converted already."""
    app = tenant.credentials()["client_id"]
    tables = tenant.store.tables
    (principal,) = (item["id"] for item in tables["service_principals"].objects.values() if item["appId"] == app)
    (graph,) = (item for item in tables["service_principals"].objects.values() if item["appId"] == company.GRAPH_APP_ID)
    (role,) = (item["id"] for item in graph["appRoles"] if item["value"] == "User-PasswordProfile.ReadWrite.All")
    (held,) = (key for key, item in tables["app_role_assignments"].objects.items() if (item["principalId"], item["appRoleId"]) == (principal, role))
    tenant.store.remove("app_role_assignments", held)
    variables = {**_variables(tenant, tmp_path / "run"), "offboard_client_secret": tenant.credentials()["client_secret"]}
    variables["offboard_vault_password"] = inventory.VAULT_PASSWORD
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": LOCALHOST}, "vars": variables}}))
    output = ansible("ansible-playbook", "--check", "-i", tmp_path / "inventory.json", "offboard.iij_id.preflight", cwd=tmp_path, collections=installed)
    assert "Stage passwords: the app that signs in (offboard_client_id) lacks User-PasswordProfile.ReadWrite.All. Grant that before" in output
    assert output.count("the app that signs in (offboard_client_id) lacks") == 1
    assert tenant.writes() == []


def test_the_gate_wants_evidence(installed: Path, tenant: RunningTenant, tmp_path: Path) -> None:
    """With nobody's activity looked for, or that of an app nobody knows, it stays closed; a client id in upper case is the same client id."""
    variables = {**_variables(tenant, tmp_path / "run"), "offboard_client_secret": tenant.credentials()["client_secret"]}
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": LOCALHOST}, "vars": variables}}))

    def run(playbook: str, *words: str, **more: Any) -> str:
        argv = [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.json", f"offboard.iij_id.{playbook}", "-e", json.dumps(more), *words]
        env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(installed), "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run(argv, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout

    assert "There is no run folder" in run("status") and not (tmp_path / "run").exists()
    assert "provisioning_stopped" in run("gate")
    # nobody is asked to stop the provisioning before a snapshot holds how the users were
    told = run("status", offboard_language="ja")
    assert "次の操作: ansible-playbook offboard.iij_id.preflight" in told and "今必要な手順" not in told and "Next:" not in told
    assert "Next: ansible-playbook offboard.iij_id.preflight" in run("status", offboard_language="en")
    assert "failed=0" in run("confirm", step="provisioning_stopped,break_glass_tested", by="Hanako Reiji")
    client_id = variables["offboard_iij_client_id"]
    for hours, given, told in (
        (24, "", "offboard_iij_client_id is empty"),
        (24, "00000000-0000-0000-0000-000000000009", "not even a deleted one"),
        (-1, client_id, "microsoft_365_evidence_hours is -1"),
        (24, client_id.upper(), "failed=0"),  # what it did before the person's word does not count
        ("0", "", "failed=0"),
    ):
        assert told in run("gate", offboard_iij_client_id=given, microsoft_365_evidence_hours=hours), (hours, given)
    # however it was pasted: in braces, in capitals, without hyphens, in full-width digits
    form = "{" + client_id.upper().replace("-", "").translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}) + "}"
    switched = run("gate", "--check", offboard_iij_client_id=form, microsoft_365_disable_app=True).split("Switch IIJ ID's service principal off]")[1]
    assert switched.split("TASK [")[0].split("\n")[1] == "changed: [localhost]", (form, switched)
    assert tenant.writes() == []


#: a stage of the tenant, and its task that changes something; passwords plan nothing while the domain is federated
CHANGING = {
    "users": "Do what shall be otherwise than the snapshot says",
    "domains": "Convert the domains to managed, one after the other",
    "app": "Remove grants, service principal and application",
}


def test_nothing_steps_over_the_preconditions(installed: Path, tenant: RunningTenant, tmp_path: Path) -> None:
    """However the stages are started: the modules themselves demand steps, snapshot and verdict of this tenant's run folder."""
    person = next(person for person in company.people() if person.number > 50 and person.enabled)  # the first ones are administrators
    (tmp_path / "users.jsonl").write_text(json.dumps({"userPrincipalName": person.upn, "enabled": False}))
    secrets = {"offboard_client_secret": tenant.credentials()["client_secret"], "offboard_vault_password": inventory.VAULT_PASSWORD}
    domain = _variables(tenant, tmp_path / "run")["microsoft_365_domains"][0]
    # what tasks that are left out would have found
    found = {
        "__microsoft_365_domains": {"domains": [], "affected": [domain], "not_managed": []},
        "microsoft_365_users_src": str(tmp_path / "users.jsonl"),
        "microsoft_365_domains": [domain],
    }
    variables = {**_variables(tenant, tmp_path / "run"), **secrets, **found}
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": LOCALHOST}, "vars": variables}}))
    tasks = [
        {
            "name": "A task of one's own",
            "offboard.iij_id.entra_domain": {
                "domains": [domain],
                "authentication": "managed",
                "break_glass": "{{ offboard_break_glass }}",
                "requires": {"run_dir": str(tmp_path / "run"), "snapshot": True},
            },
            "module_defaults": {"group/offboard.iij_id.entra": "{{ offboard_entra }}"},
        }
    ]
    start = {"ansible.builtin.import_role": {"name": "offboard.iij_id.offboard", "tasks_from": "start"}}
    own = [{"hosts": "localhost", "gather_facts": False, "tasks": [start, *tasks]}]
    (tmp_path / "own.yml").write_text(yaml.safe_dump(own))

    def run(playbook: str, *words: str, **more: Any) -> str:
        argv = [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.json", playbook, *words, "-e", json.dumps(more)]
        env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(installed), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(argv, cwd=tmp_path, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def stage(name: str, *words: str, **more: Any) -> str:
        return run(f"offboard.iij_id.{name}", *words, **more)

    def refused(output: str, *told: str) -> None:
        assert "failed=1" in output and any(word in output for word in told), output
        assert tenant.writes() == [], output

    for name, task in CHANGING.items():
        refused(stage(name, "--start-at-task", task), "There is no step 'provisioning_stopped'")
    refused(stage("decommission", "--tags", "domains"), "provisioning_stopped: In the console of IIJ ID")
    refused(stage("decommission", "--skip-tags", "preflight,snapshot,freeze,gate,users"), "provisioning_stopped: In the console of IIJ ID")
    refused(run("own.yml"), "There is no complete snapshot")
    # what the modules demand of a folder that holds something: tests/integration_lab/test_entra_app_and_snapshot.py


class Awx:
    """What AWX does with a job template: ansible-runner, a project with one-line playbooks, extra variables, secrets from credentials."""

    def __init__(self, installed: Path, tenant: RunningTenant, folder: Path) -> None:
        self._folder, self._installed = folder, installed
        self._variables = {
            **_variables(tenant, folder / "run"),
            "microsoft_365_max_users": "250",  # a survey's answers are text
            "offboard_vault_password": inventory.VAULT_PASSWORD,
        }
        self._secret = tenant.credentials()["client_secret"]

    def launch(self, template: str, *words: str, **more: Any) -> ansible_runner.Runner:
        """One job of a playbook of the collection, with more extra variables."""
        return self.play(f"---\n- ansible.builtin.import_playbook: offboard.iij_id.{template}\n", *words, **more)

    def play(self, playbook: str, *words: str, **more: Any) -> ansible_runner.Runner:
        """One job, in a folder of its own."""
        private = self._folder / f"job-{uuid.uuid4()}"
        (private / "project").mkdir(parents=True)
        (private / "project" / "collections").symlink_to(self._installed)
        (private / "project" / "job.yml").write_text(playbook)
        return ansible_runner.run(
            private_data_dir=str(private), playbook="job.yml", cmdline=" ".join(words) or None, quiet=True, extravars={**self._variables, **more},
            inventory={"all": {"hosts": {"localhost": LOCALHOST}}},
            envvars={"AZURE_CLIENT_SECRET": self._secret, "ANSIBLE_COLLECTIONS_PATH": str(private / "project" / "collections")},
        )  # fmt: skip

    @staticmethod
    def artifacts(job: ansible_runner.Runner) -> dict[str, Any]:
        """What the job hands on to the next one of a workflow."""
        return next(event["event_data"].get("artifact_data", {}) for event in job.events if event["event"] == "playbook_on_stats")


def test_an_event_of_a_loop_over_many_domains_is_small(installed: Path, tenant: RunningTenant, tmp_path: Path) -> None:
    """AWX keeps the answers to all items of a loop as one event, beside one for each."""
    awx = Awx(installed, tenant, tmp_path)
    (domain, *_others) = _variables(tenant, tmp_path / "run")["microsoft_365_domains"]
    look = {"name": "Look", "offboard.iij_id.entra_users_info": {"domain": domain}, "loop": "{{ range(30) | list }}"}
    book = {
        "hosts": "localhost", "gather_facts": False, "module_defaults": {"group/offboard.iij_id.entra": "{{ offboard_entra }}"},
        "tasks": [{"ansible.builtin.import_role": {"name": "offboard.iij_id.offboard", "tasks_from": "start"}}, look],
    }  # fmt: skip
    job = awx.play(yaml.safe_dump([book]))
    assert job.status == "successful", job.stdout.read()
    options = ["microsoft_365", "multi_factor_authentication", "integrated_windows_authentication"]
    told = awx.launch("notices", "--diff", microsoft_365_notices_day="2026-12-05", offboard_options=options)
    assert told.status == "successful", told.stdout.read()
    sizes = [{(event["event"], event["event_data"].get("task")): len(json.dumps(event)) for event in one.events} for one in (job, told)]
    assert sizes[0]["runner_on_ok", "Look"] > 50_000
    assert sizes[1]["runner_on_ok", "Write the texts for a mail"] > 3_000
    assert max(size for one in sizes for size in one.values()) < 100_000, sizes


def test_stages_are_awx_jobs(installed: Path, tenant: RunningTenant, tmp_path: Path) -> None:
    awx = Awx(installed, tenant, tmp_path)
    job = awx.launch("preflight")
    assert job.status == "successful", job.stdout.read()
    assert awx.artifacts(job)["offboard_preflight"]["blockers"] == 0
    planned = awx.launch("domains", "--check", "--diff")  # a job of type "check"
    assert planned.status == "successful" and '"authenticationType": "Managed"' in planned.stdout.read()
    assert tenant.writes() == []
    assert awx.artifacts(planned)["offboard_domains"]["planned"] > 0
    saved = awx.launch("snapshot")
    assert saved.status == "successful" and awx.artifacts(saved)["offboard_snapshot"]["tenant"]["planned"] == 1
    stopped = awx.launch("gate")
    assert stopped.status == "failed" and "provisioning_stopped" in stopped.stdout.read()
    assert awx.artifacts(stopped)["offboard_result"]
    assert awx.artifacts(stopped)["offboard_gate"] == {"state": "gate_closed", "open": False, "reasons": 0}
    assert awx.artifacts(stopped)["offboard_report"] == str(tmp_path / "run" / "report.html")
    assert tenant.writes() == []
    # a job's own record of its environment holds the secret in clear; AWX masks it there, and nothing else may have it
    kept = [file for file in tmp_path.rglob("*") if file.is_file() and not file.is_symlink() and file.name not in ("command", "extravars", "envvars")]
    assert len(kept) > 100
    assert [str(file) for file in kept if tenant.credentials()["client_secret"].encode() in file.read_bytes()] == []
