# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ControllerAction, run by a real ansible-playbook with a small module that tells where it runs and what it was given."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

PASSWORD = "Pa55-never-shown"

MODULE = """
import os, sys, time
from ansible.module_utils.basic import AnsibleModule
options = {name: {"type": "str"} for name in
           ("host", "username", "scheme", "transport", "ca_file", "server_cert_validation", "wait")}
module = AnsibleModule(dict(options, port={"type": "int"}, password={"type": "str", "no_log": True}, progress_file={"type": "path"}),
                       supports_check_mode=True)
if module.params["wait"]:
    with open(module.params["progress_file"], "a") as stream:
        for done in range(5):
            stream.write('{"noun": "probes", "done": %d, "total": 5, "per_second": 1.0, "seconds_left": %d}\\n' % (done, 65 - done))
            stream.flush()
            time.sleep(0.9)
given = {name: value for name, value in module.params.items() if name != "password"}
module.exit_json(changed=False, given=given, password_length=len(module.params["password"] or ""), python=sys.executable,
                 uid=os.getuid(), check=module.check_mode)
"""
ACTION = """
from ansible_collections.offboard.iij_id.plugins.plugin_utils.controller_action import ControllerAction
class ActionModule(ControllerAction):
    from_host_variables = True
"""
INVENTORY = {
    "all": {
        "vars": {"the_password": PASSWORD},
        "hosts": {
            "win1": {
                "ansible_host": "192.0.2.1",
                "ansible_connection": "winrm",
                "ansible_shell_type": "powershell",
                "ansible_shell_executable": "cmd.exe",
                "ansible_remote_tmp": "C:\\Temp",
                "ansible_python_interpreter": "C:\\Python\\python.exe",
                "ansible_become": True,
                "ansible_become_user": "SYSTEM",
                "ansible_become_method": "runas",
                "ansible_port": "5986",
                "ansible_user": "REIJI\\{{ 'off' ~ 'board' }}",
                "ansible_password": "{{ the_password }}",
                "ansible_winrm_scheme": "https",
                "ansible_winrm_transport": ["ntlm", "kerberos"],
                "ansible_winrm_ca_trust_path": "/etc/lab-ca.pem",
                "ansible_winrm_server_cert_validation": "validate",
            },
            "win2": {"ansible_connection": "winrm", "ansible_user": "second", "ansible_password": "x", "ansible_winrm_transport": "plaintext"},
        },
    }
}


@pytest.fixture
def play(tmp_path):
    """Runs one task on a host; gives (result of the task or None, whole output)."""
    for path, text in (
        ("library/probe.py", MODULE),
        ("action_plugins/probe.py", ACTION),
        ("inventory.json", json.dumps(INVENTORY)),
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)

    def run(task, *arguments, hosts="win1", fails=False, **play_keywords):
        result_file = tmp_path / "result.json"
        result_file.unlink(missing_ok=True)
        save = {
            "ansible.builtin.copy": {"content": "{{ answer | to_json }}", "dest": str(result_file), "mode": "0600"},
            "delegate_to": "localhost",
            "vars": {
                "ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False,
                "ansible_shell_type": "sh", "ansible_shell_executable": "/bin/sh", "ansible_remote_tmp": str(tmp_path / "tmp"),
            },
            "check_mode": False,
            "no_log": True,
        }  # fmt: skip
        book = [{"hosts": hosts, "gather_facts": False, "tasks": [{"register": "answer", **task}, save], **play_keywords}]
        (tmp_path / "book.yml").write_text(json.dumps(book))
        environment = os.environ | {
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"),
            "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "ANSIBLE_NOCOLOR": "1",
        }
        command = [pathlib.Path(sys.executable).parent / "ansible-playbook", "-i", tmp_path / "inventory.json", tmp_path / "book.yml", *arguments]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output
        return (json.loads(result_file.read_text()) if result_file.exists() else None), output

    return run


def test_runs_on_the_controller_with_the_hosts_connection_variables(play, tmp_path):
    answer, output = play({"probe": {}}, "-vvv")
    given = answer["given"]
    progress_file = pathlib.Path(given.pop("progress_file"))
    assert given == {
        "host": "192.0.2.1", "port": 5986, "username": "REIJI\\offboard", "scheme": "https", "transport": "ntlm",
        "ca_file": "/etc/lab-ca.pem", "server_cert_validation": "validate", "wait": None,
    }  # fmt: skip
    assert answer["password_length"] == len(PASSWORD)
    assert os.path.samefile(answer["python"], sys.executable)
    assert answer["uid"] == os.getuid()
    assert not progress_file.exists()
    assert PASSWORD not in output + (tmp_path / "log").read_text()
    assert not list((tmp_path / "home").rglob("AnsiballZ*"))  # pipelined: no arguments on the disk


def test_task_arguments_and_module_defaults_win(play):
    answer, _ = play({"probe": {"username": "from-task"}}, module_defaults={"probe": {"scheme": "http", "username": "from-defaults"}})
    assert (answer["given"]["username"], answer["given"]["scheme"], answer["given"]["host"]) == ("from-task", "http", "192.0.2.1")


def test_another_host_in_the_task_gets_nothing_of_this_hosts_credentials(play):
    answer, _ = play({"probe": {"host": "192.0.2.99"}})
    assert answer["given"]["host"] == "192.0.2.99"
    assert answer["given"]["username"] is None
    assert answer["password_length"] == 0


@pytest.mark.parametrize(
    ("delegate", "host", "username", "transport"),
    [("localhost", "192.0.2.1", "REIJI\\offboard", "ntlm"), ("win2", "win2", "second", "basic")],
)
def test_delegation(play, delegate, host, username, transport):
    answer, _ = play({"probe": {}, "delegate_to": delegate})
    given = answer["given"]
    assert (given["host"], given["username"], given["transport"]) == (host, username, transport)


def test_localhost_gives_no_connection_options(play):
    answer, _ = play({"probe": {}}, hosts="localhost")
    assert answer["given"]["host"] is None


def test_check_mode_reaches_the_module(play):
    assert play({"probe": {}}, "--check")[0]["check"] is True
    assert play({"probe": {}})[0]["check"] is False


def test_async_is_refused(play):
    _, output = play({"probe": {}, "async": 10, "poll": 1}, fails=True)
    assert "does not support async" in " ".join(output.split())


def test_vault_encrypted_password(play, tmp_path):
    """An inline !vault value is opened for the module and not shown."""
    vault = pathlib.Path(sys.executable).parent / "ansible-vault"
    (tmp_path / "vault-password").write_text("vault")
    encrypted = subprocess.run(
        [vault, "encrypt_string", "--vault-password-file", tmp_path / "vault-password", PASSWORD], capture_output=True, text=True, check=True
    ).stdout
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "win2.yml").write_text(f"ansible_winrm_password: {encrypted}")
    answer, output = play({"probe": {}}, "-vvv", "--vault-password-file", tmp_path / "vault-password", hosts="win2")
    assert answer["password_length"] == len(PASSWORD)
    assert PASSWORD not in output


def test_progress_is_shown_while_the_module_runs_and_in_the_log(play, tmp_path):
    answer, output = play({"probe": {"wait": "yes"}})
    lines = [line for line in output.splitlines() if line.startswith("win1: probes")]
    assert lines[0] in [f"win1: probes {n}/5, 1.0 per second, 1:0{5 - n} left" for n in range(5)]
    assert lines[-1].startswith("win1: probes 4/5")
    assert lines[0] in (tmp_path / "log").read_text()
    assert "progress_file" in answer["given"]
