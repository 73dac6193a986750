# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an empty answer of a survey becomes: of every variable of every role, and of the playbooks that have their own, the default."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from dev import places

#: where a variable of the roles is read, and the same of a playbook's own
_READ = re.compile(r"^ *(__\w+): \"\{\{ lookup\('offboard\.iij_id\.answer', '(\w+)'", re.MULTILINE)
#: an empty one is refused; its own reading takes a text; decided by a person, and empty until then
_OTHERWISE = {"offboard_run_dir", "offboard_options", "microsoft_365_domains", "integrated_windows_authentication_browser_settings"}
#: made of other variables, with what is not given left out
_CONNECTIONS = {f"offboard_{name}" for name in ("entra", "directory", "group_policy", "changes", "vault")}


def _defaults() -> dict[str, Any]:
    return {name: value for file in places.ROOT.glob("roles/*/defaults/main.yml") for name, value in yaml.safe_load(file.read_text()).items()}


def _read(folder: Path, **answers: Any) -> dict[str, Any]:
    """What a play makes of all variables that are read so; `all` is the answer to each of them."""
    roles = [file for file in sorted(places.ROOT.glob("roles/*/vars/main.yml")) if file.parts[-3] != "awx"] + [places.ROOT / "roles/awx/vars/main.yml"]
    books = [places.ROOT / f"playbooks/{name}.yml" for name in ("watch_certificates", "partner_sheet")]
    own = {name: value for book in books for name, value in yaml.safe_load(book.read_text())[1]["vars"].items()}
    names = {given: reads for file in (*roles, *books) for reads, given in _READ.findall(file.read_text())}
    names = {name: f"({reads} | type_debug)" if "omit" in str(own.get(reads, "")) else reads for name, reads in names.items()}
    names |= {name: f"[__{name} | length > 0, {reads}.tenant_id | default('')]" for name, reads in names.items() if name in _CONNECTIONS}
    names |= {given: f"lookup('offboard.iij_id.answer', '{given}')" for given in sorted(_defaults().keys() - names.keys() - _OTHERWISE)}
    made = ", ".join(f"'{given}': {reads}" for given, reads in names.items())
    write = {"content": "{{ {" + made + "} | to_json }}", "dest": str(folder / "read.json")}
    given = {"offboard_run_dir": "/the/run", "offboard_tenant_id": "t", **(dict.fromkeys(names, answers["all"]) if "all" in answers else answers)}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(places.ROOT / "roles/offboard/defaults/main.yml"), *map(str, roles)],
        "vars": own,
        "tasks": [{"ansible.builtin.copy": write}],
    }
    (folder / "book.yml").write_text(yaml.safe_dump([play]))
    local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": local}}}))
    argv = [
        Path(sys.executable).with_name("ansible-playbook"),
        "-i",
        "inventory.json",
        "book.yml",
        "-e",
        json.dumps(given),
    ]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(places.tree()), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "read.json").read_text())
    return found


@pytest.mark.parametrize("empty", [None, "", " \n"])
def test_every_variable_survives_an_empty_answer(tmp_path: Path, empty: str | None) -> None:
    """As if it had not been given: whatever it is, with the role's default, also where that follows from another variable."""
    found = _read(tmp_path, all=empty)
    assert len(found) > 150
    for name, value in _defaults().items():
        if name not in _OTHERWISE | _CONNECTIONS and "{{" not in json.dumps(value):
            assert found[name] in (value, str(value)), name  # ansible-core 2.18 makes a text of a number
    followed = {
        "microsoft_365_reference_hosts": ["auth.iij.jp"], "report_timezone": "Asia/Tokyo",
        "microsoft_365_handover_file": "/the/run/handover.yml", "offboard_entra": [True, "t"], "offboard_changes": [True, ""],
        "watch_certificates_fail_on": ["critical", "unknown"], "partner_sheet_cloud": "global", "report_title": "",
    }  # fmt: skip
    assert {name: found[name] for name in followed} == followed
    assert [int(found[name]) for name in ("microsoft_365_max_users", "watch_certificates_warning_days")] == [20, 30]


def test_no_variable_is_read_past_its_answer() -> None:
    """default(omit, true) takes a text of blanks for an answer; as a password it would hide every blank of each message."""
    known = {name for file in places.ROOT.glob("roles/*/meta/argument_specs.yml") for name in re.findall(r"^      (\w+):$", file.read_text(), re.MULTILINE)}
    assert len(known) > 150
    files = [file for pattern in ("roles/*/*/*.yml", "playbooks/**/*.yml") for file in places.ROOT.glob(pattern)]
    read = {(file.parts[-3], name) for file in files for name in re.findall(r"(?<![\w.'])([a-z]\w+) \| default\(", file.read_text()) if name in known}
    assert [name for file in files for name in re.findall(r"\bif (?:not )?([a-z]\w+) else\b", file.read_text()) if name in known] == []  # blanks are true
    # the first of them is read before there are roles and their lookups, and blanks of it are none
    read_early = {"offboard_plan_hash", "offboard_run_dir"}
    assert {name for _role, name in read} == read_early | {"integrated_windows_authentication_browser_settings"}


def test_what_was_answered_stays(tmp_path: Path) -> None:
    """Also a list that is empty, a zero and no, which are no empty answers; what follows from another variable follows its answer."""
    given = {
        "microsoft_365_app_name_patterns": [],
        "microsoft_365_token_minutes": "0",
        "offboard_keep_plan": "no",
        "offboard_max_changes": "7",
        "offboard_idp_hosts": ["a.example"],
    }
    found = _read(tmp_path, **given)
    followed = {"offboard_keep_plan": False, "microsoft_365_max_users": "7", "microsoft_365_reference_hosts": ["a.example"]}
    assert {name: found[name] for name in given | followed} == given | followed


def test_a_list_among_a_machines_variables_holds_what_it_must(tmp_path: Path) -> None:
    """An entry that is no text would become one, and nothing is called so: what somebody has declined would be a candidate all the same."""
    refused = {
        "a": ("directory_sync_not_iij_cron_jobs", [{"place": "/etc/cron.d/backup", "command": "/opt/backup"}]),
        "b": ("directory_sync_not_iij_cron_jobs", ["/etc/cron.d/backup", None]),
        "c": ("directory_sync_linux_files", {"/opt/sync": True}),
        "d": ("directory_sync_linux_files", 5),
        "e": ("directory_sync_cron_jobs", {"place": "/etc/cron.d/sync"}),
    }
    taken = {"f": ("directory_sync_cron_jobs", [{"place": "/etc/cron.d/sync"}]), "g": ("directory_sync_linux_files", ["/opt/a, b"])}
    hosts = {host: {"name": name, name: value, "ansible_connection": "local"} for host, (name, value) in (refused | taken).items()}
    (tmp_path / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    task = {"ansible.builtin.debug": {"msg": "{{ lookup('offboard.iij_id.answer', name) }}"}}
    (tmp_path / "book.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(places.tree()), "ANSIBLE_NOCOLOR": "1"}
    argv = [Path(sys.executable).with_name("ansible-playbook"), "-i", "inventory.json", "book.yml"]
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert {host for host in hosts if f"ok: [{host}]" in done.stdout} == {*taken}, done.stdout + done.stderr
    for host, (name, _value) in refused.items():
        told = next(line for line in done.stdout.splitlines() if line.startswith(f"fatal: [{host}]"))
        assert f"{name}: no list was given where a list must be, or it holds something else than it must" in told, told


def test_an_encrypted_entry_of_a_list_is_a_text(tmp_path: Path) -> None:
    """ansible-core 2.18 hands one on that is still encrypted."""
    (tmp_path / "password").write_text("p")
    vault = VaultLib([("default", VaultSecret(b"p"))]).encrypt(b"/opt/backup").decode()
    entries = "".join(f"          {line}\n" for line in vault.splitlines())
    variables = f"    directory_sync_not_iij_cron_jobs:\n      - /etc/cron.d/a\n      - !vault |\n{entries}"
    message = "\"{{ lookup('offboard.iij_id.answer', 'directory_sync_not_iij_cron_jobs') | join('+') }}\""
    tasks = f"  tasks:\n    - ansible.builtin.debug:\n        msg: {message}\n"
    (tmp_path / "book.yml").write_text(f"- hosts: localhost\n  gather_facts: false\n  vars:\n{variables}{tasks}")
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(places.tree()), "ANSIBLE_NOCOLOR": "1"}
    argv = [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "--vault-password-file", "password", "book.yml"]
    done = subprocess.run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert "/etc/cron.d/a+/opt/backup" in done.stdout, done.stdout + done.stderr
