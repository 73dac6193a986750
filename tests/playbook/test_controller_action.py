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
def main():
    options = {name: {"type": "str"} for name in
               ("host", "username", "scheme", "transport", "ca_file", "server_cert_validation", "wait", "does")}
    module = AnsibleModule(dict(options, port={"type": "int"}, password={"type": "str", "no_log": True}, progress_file={"type": "path"}),
                           supports_check_mode=True)
    if module.params["wait"]:
        with open(module.params["progress_file"], "a") as stream:
            for done in range(5):
                stream.write('{"noun": "probes", "done": %d, "total": 5, "per_second": 1.0, "seconds_left": %d}\\n' % (done, 65 - done))
                stream.flush()
                time.sleep(0.9)
    if module.params["does"]:
        exec(module.params["does"])
    given = {name: value for name, value in module.params.items() if name != "password"}
    module.exit_json(changed=False, given=given, password_length=len(module.params["password"] or ""), python=sys.executable,
                     uid=os.getuid(), check=module.check_mode, pid=os.getpid(), variable=os.environ.get("PROBE"), home=os.getcwd(), program=sys.argv[0],
                     loaded=[name for name in ("azure.identity", "ldap3") if name in sys.modules])
if __name__ == "__main__":
    main()
"""
ACTION = """
from ansible_collections.offboard.iij_id.plugins.plugin_utils.controller_action import ControllerAction
class ActionModule(ControllerAction):
    from_host_variables = True
"""
#: ansible.builtin.copy would start two Pythons to write the result.
FILTER = """
import pathlib, sys
class FilterModule:
    def filters(self):
        return {"saved_to": lambda text, path: pathlib.Path(path).write_text(text), "imported": sys.modules.__contains__}
"""
#: As with an ansible-core that nobody has tried yet.
ALONE = "    in_fork = False\n"
#: Ansible looks for collections beside the playbook, too.
COLLECTION = "collections/ansible_collections/lab/probe/plugins"
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
        (f"{COLLECTION}/modules/probe.py", MODULE),
        (f"{COLLECTION}/action/probe.py", ""),
        (f"{COLLECTION}/filter/probe.py", FILTER),
        ("inventory.json", json.dumps(INVENTORY)),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    def run(task, *arguments, hosts="win1", fails=False, action=ACTION, before=(), first=(), **play_keywords):
        (tmp_path / COLLECTION / "action" / "probe.py").write_text(action)
        result_file = tmp_path / "result.json"
        result_file.unlink(missing_ok=True)
        save = {
            "ansible.builtin.debug": {"msg": f"{{{{ answer | to_json | lab.probe.saved_to('{result_file}') }}}}"},
            "delegate_to": "localhost",
            "vars": {"ansible_connection": "local"},
            "no_log": True,
        }
        book = [*first, {"hosts": hosts, "gather_facts": False, "tasks": [*before, {"register": "answer", **task}, save], **play_keywords}]
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


@pytest.mark.parametrize("more", ["", ALONE])
def test_runs_on_the_controller_with_the_hosts_connection_variables(play, tmp_path, more):
    answer, output = play({"lab.probe.probe": {}}, "-vvv", action=ACTION + more)
    given = answer["given"]
    progress_file = pathlib.Path(given.pop("progress_file"))
    assert given == {
        "host": "192.0.2.1", "port": 5986, "username": "REIJI\\offboard", "scheme": "https", "transport": "ntlm",
        "ca_file": "/etc/lab-ca.pem", "server_cert_validation": "validate", "wait": None, "does": None,
    }  # fmt: skip
    assert answer["password_length"] == len(PASSWORD)
    assert os.path.samefile(answer["python"], sys.executable)
    assert answer["uid"] == os.getuid()
    assert "Using module file" in output
    assert (os.path.basename(answer["program"]) == "ansible-playbook") == (not more)
    assert not progress_file.exists()
    assert PASSWORD not in output + (tmp_path / "log").read_text()
    assert not list((tmp_path / "home").rglob("*AnsiballZ*"))  # no arguments on the disk


def test_a_task_keeps_hands_on_and_tells_without_tasks_for_that(play, monkeypatch):
    monkeypatch.setenv("ANSIBLE_SHOW_CUSTOM_STATS", "1")
    made = {
        "__offboard_kept": {"port": "{{ number }}", "check": "{{ answer.check }}"}, "number": "{{ answer.given.port + 1 }}",
        "__offboard_hand_on": {"probed": {"port": "{{ answer.given.port }}"}}, "__offboard_tell": True,
    }  # fmt: skip
    answer, output = play({"lab.probe.probe": {}, "vars": made, "register": "answer"})
    assert {name: str(text) for name, text in answer["kept"].items()} == {"port": "5987", "check": "False"} and answer["given"]["port"] == 5986
    assert '"probed": {' in output.partition("CUSTOM STATS")[2] and "5986" in output.partition("CUSTOM STATS")[2]
    assert '"password_length": 16' in output  # told without -v


@pytest.mark.parametrize("compared", [False, True])
def test_what_is_only_compared_has_done_nothing(play, compared):
    """Where the stage ends there, its numbers are handed on."""
    does = "module.exit_json(changed=True, counts={'planned': 2, 'unchanged': 0})"
    made = {"__offboard_comparison": "compared.jsonl"} if compared else {}
    answer, output = play({"lab.probe.probe": {"does": does}, "vars": made})
    assert answer["counts"] == {"planned": 2, "unchanged": 0} | ({"done": 0} if compared else {}) and answer["changed"] is not compared, output


def test_what_a_machine_says_is_no_template(play):
    does = "os.environ['PROBE'] = '{' + '{ 6 * 7 }' + '}'"
    answer, _output = play({"lab.probe.probe": {"does": does}, "vars": {"__offboard_kept": {"said": "{{ answer.variable }}", "all": "{{ answer }}"}}})
    assert answer["kept"]["said"] == answer["kept"]["all"]["variable"] == "{" + "{ 6 * 7 }" + "}"


@pytest.mark.parametrize(("does", "told"), [("raise ValueError('x')", "a fault of this collection"), ("", "nowhere")])
def test_what_cannot_be_kept_fails_and_hides_no_failure_of_the_module(play, does, told):
    made = {"__offboard_kept": {"port": "{{ answer.nowhere.port }}"}}
    _answer, output = play({"lab.probe.probe": {"does": does}, "vars": made}, fails=True)
    assert told in output and ("nowhere" in output.partition("fatal: ")[2]) == (not does), output


def test_task_arguments_and_module_defaults_win(play):
    answer, _ = play({"lab.probe.probe": {"username": "from-task"}}, module_defaults={"lab.probe.probe": {"scheme": "http", "username": "from-defaults"}})
    assert (answer["given"]["username"], answer["given"]["scheme"], answer["given"]["host"]) == ("from-task", "http", "192.0.2.1")


def test_another_host_in_the_task_gets_nothing_of_this_hosts_credentials(play):
    answer, _ = play({"lab.probe.probe": {"host": "192.0.2.99"}})
    assert answer["given"]["host"] == "192.0.2.99"
    assert answer["given"]["username"] is None
    assert answer["password_length"] == 0


@pytest.mark.parametrize(
    ("delegate", "host", "username", "transport"),
    [("localhost", "192.0.2.1", "REIJI\\offboard", "ntlm"), ("win2", "win2", "second", "basic")],
)
def test_delegation(play, delegate, host, username, transport):
    answer, _ = play({"lab.probe.probe": {}, "delegate_to": delegate})
    given = answer["given"]
    assert (given["host"], given["username"], given["transport"]) == (host, username, transport)


def test_delegation_of_the_controller_in_a_loop(play):
    answer, _ = play({"lab.probe.probe": {}, "delegate_to": "{{ item }}", "loop": ["win2", "localhost"]}, hosts="localhost")
    assert [(one["given"]["host"], one["given"]["username"]) for one in answer["results"]] == [("win2", "second"), (None, None)]


def test_localhost_gives_no_connection_options(play):
    answer, _ = play({"lab.probe.probe": {}}, hosts="localhost")
    assert answer["given"]["host"] is None


def test_check_mode_reaches_the_module(play):
    assert play({"lab.probe.probe": {}}, "--check")[0]["check"] is True
    assert play({"lab.probe.probe": {}})[0]["check"] is False


def test_async_is_refused(play):
    _, output = play({"lab.probe.probe": {}, "async": 10, "poll": 1}, fails=True)
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
    answer, output = play({"lab.probe.probe": {}}, "-vvv", "--vault-password-file", tmp_path / "vault-password", hosts="win2")
    assert answer["password_length"] == len(PASSWORD)
    assert PASSWORD not in output


def test_progress_is_shown_while_the_module_runs_and_in_the_log(play, tmp_path):
    answer, output = play({"lab.probe.probe": {"wait": "yes"}})
    lines = [line for line in output.splitlines() if line.startswith("win1: probes")]
    assert lines[0] in [f"win1: probes {n}/5, 1.0 per second, 1:0{5 - n} left" for n in range(5)]
    assert lines[-1].startswith("win1: probes 4/5")
    assert lines[0] in (tmp_path / "log").read_text()
    assert "progress_file" in answer["given"]


def test_what_a_module_does_to_its_process_ends_with_it(play):
    """In a loop all calls have one parent."""
    harm = "import sys; os.umask(0); os.chdir('/'); os.environ['PROBE'] = 'left'; sys.modules.pop('json'); time.sleep = None"
    answer, _ = play({"lab.probe.probe": {"does": "{{ item }}"}, "loop": [harm, ""]})
    first, second = answer["results"]
    assert first["variable"] == "left" and second["variable"] is None and second["home"] != "/"
    assert first["pid"] != second["pid"]


def test_the_environment_of_the_task_reaches_the_module(play):
    answer, _ = play({"lab.probe.probe": {}, "environment": {"PROBE": "{{ 1 + 1 }}"}})
    assert answer["variable"] == "2"


def test_warnings_of_the_module_are_shown_once(play):
    answer, output = play({"lab.probe.probe": {"does": "module.warn('mind the gap')"}})
    assert output.count("mind the gap") == 1
    assert "mind the gap" in str(answer["warnings"])


@pytest.mark.parametrize(("variables", "until"), [({"offboard_timezone": "{{ 'Asia/' ~ 'Tokyo' }}"}, "2026-11-29 18:00:00 JST"), ({}, "2026-11-29T09:00:00Z")])
def test_people_read_times_in_the_zone_of_their_company_and_data_keep_utc(play, variables, until):
    does = "module.exit_json(msg='good until 2026-11-29T09:00:00Z', lines=['since 2026-11-29T09:00:00Z'], at='2026-11-29T09:00:00Z', verdict={'at': 1})"
    answer, _output = play({"lab.probe.probe": {"does": does}}, vars=variables)
    assert (answer["msg"], answer["lines"]) == (f"good until {until}", [f"since {until}"])
    assert (answer["at"], answer["verdict"]) == ("2026-11-29T09:00:00Z", {"at": 1})

    answer, output = play({"lab.probe.probe": {"does": "module.fail_json(msg='since 2026-11-29T09:00:00Z')"}}, fails=True, vars=variables)
    assert f"since {until}" in output

    _answer, output = play({"lab.probe.probe": {"does": "module.warn('since 2026-11-29T09:00:00Z')"}}, vars=variables)
    assert f"since {until}" in output


@pytest.mark.parametrize(
    ("variables", "told", "not_told"),
    [
        ({}, "check mode: a real run would stop here. IIJ ID changes nothing any more.", "チェックモード"),
        ({"offboard_language": "en"}, "check mode: a real run would stop here. IIJ ID changes nothing any more.", "チェックモード"),
        ({"offboard_language": "ja"}, "チェックモード: 実際の実行ではここで停止します。IIJ IDによる変更はもうありません。", "check mode"),
        ({"offboard_language": "both"}, "any more. / チェックモード: 実際の実行ではここで停止します。", "原文"),
    ],
)
def test_warnings_are_told_in_the_language_of_their_reader(play, variables, told, not_told):
    does = "module.warn('check mode: a real run would stop here. IIJ ID changes nothing any more.'); module.warn('mind the gap')"
    answer, output = play({"lab.probe.probe": {"does": does}}, vars=variables)
    shown = " ".join(output.split())
    assert told in str(answer["warnings"]) and told.replace(" ", "") in shown.replace(" ", "") and not_told not in shown
    assert "mind the gap" in shown


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("raise ValueError('Pa55-never-shown')", "a fault of this collection, please report it: ValueError"),
        ("os.kill(os.getpid(), 9)", "-9"),
        ("print('not what Ansible expects'); sys.exit(3)", "not what Ansible expects"),
    ],
)
def test_a_module_that_ends_otherwise_is_a_failure(play, does, told):
    _, output = play({"lab.probe.probe": {"does": does}}, fails=True)
    assert told in output
    assert "Traceback" not in output and PASSWORD not in output


def test_what_the_module_prints_besides_its_answer_is_no_answer(play):
    answer, _ = play({"lab.probe.probe": {"does": "print('a library talks'); os.write(1, b'so does one in C')"}})
    assert answer["check"] is False


def test_a_time_limit_ends_the_module(play, tmp_path):
    mark = tmp_path / "mark"
    does = f"open('{mark}', 'w').write(str(os.getpid())); time.sleep(60)"
    _, output = play({"lab.probe.probe": {"does": does}, "timeout": 2}, fails=True)
    assert "in the expected time frame" in output or "Timed out" in output or "Timeout" in output, output
    assert not os.path.exists(f"/proc/{mark.read_text()}")


def test_what_every_stage_begins_with_imports_the_libraries_for_all_tasks(play, tmp_path):
    run_dir = tmp_path / "run"
    run_dir.mkdir(mode=0o700)
    begin = {"offboard.iij_id.manual_steps": {"path": str(run_dir / "steps.json"), "steps": []}}
    assert play({"lab.probe.probe": {}}, hosts="localhost")[0]["loaded"] == []
    assert play({"lab.probe.probe": {}}, hosts="localhost", before=[begin])[0]["loaded"] == ["azure.identity", "ldap3"]


def test_what_every_playbook_begins_with_imports_what_filters_need_for_all_tasks(play):
    look = {"ansible.builtin.debug": {"msg": "{{ 'ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.variables' | lab.probe.imported }}"}}
    begin = {"ansible.builtin.import_playbook": "offboard.iij_id.controller_in_limit"}
    assert [play(look, hosts="localhost", first=first)[0]["msg"] for first in ([], [begin])] == [False, True]


@pytest.mark.parametrize(
    ("loop", "items"),
    [
        ({"loop": "{{ range(30) | list }}"}, 30),
        ({"loop": list(range(3))}, 3),
        ({"loop": ["{{ range(30) | list }}"]}, 1),
        ({"loop": "{{ [range(3) | list] }}"}, 1),
        ({"with_items": "{{ range(30) | list }}"}, 30),
    ],
    ids=str,
)
def test_the_answers_to_all_items_of_a_loop_have_room_in_one_event(play, loop, items):
    """Whatever each has to tell: here 24 kB of changes, differences and arguments."""
    plan = "[{'name': 'x' * 100}] * 100"
    does = f"module.exit_json(changed=True, plan={plan}, diff=[dict(before='', after='y' * 100)] * 100, counts=dict(planned=500), " \
        f"cut=dict(plan=dict(shown=100, of=500), files=['f']), invocation=dict(module_args='z' * 2000))"  # fmt: skip
    answer, _output = play({"lab.probe.probe": {"does": does}, **loop}, "--diff", hosts="localhost")
    assert len(answer["results"]) == items
    assert len(json.dumps(answer)) < 90_000
    first = answer["results"][0]
    assert first["counts"] == {"planned": 500} and first["cut"]["plan"] == {"shown": len(first["plan"]), "of": 500} and first["cut"]["files"] == ["f"]
    assert len(json.dumps(first)) > (20_000 if items < 4 else 2_000)


@pytest.mark.parametrize(
    ("task", "shown"),
    [
        ({"register": "answer"}, False),
        # ad hoc, and where it is what people asked for
        ({"register": None}, True),
        ({"register": "answer", "failed_when": True, "ignore_errors": True}, False),
    ],
    ids=str,
)
def test_a_result_that_no_event_can_hold_is_for_later_tasks_alone(play, task, shown):
    """What a role hands on, whatever its length: AWX keeps no event of 700 kB."""
    result, output = play(
        {"lab.probe.probe": {"does": "module.exit_json(changed=False, sheets=['z' * 1000] * 200)"}, **task}, "-v", hosts="localhost", fails=not task["register"]
    )
    assert ("z" * 1000 in output) is shown
    if task["register"]:
        assert len(result["sheets"]) == 200 and "too long to be shown" in output


def test_what_has_been_told_line_by_line_is_in_no_event_once_more(play):
    task = {"lab.probe.probe": {"does": "module.exit_json(changed=False, sheets=['z' * 1000] * 200)"}, "register": None, "vars": {"__offboard_tell": "sheets"}}
    _result, output = play(task, "-v", hosts="localhost", fails=True)  # it has no answer to save
    assert output.count("z" * 1000) == 200 and "too long to be shown" in output


def test_what_fails_is_told_whatever_its_length(play):
    _result, output = play({"lab.probe.probe": {"does": "module.fail_json('why', found=['z' * 1000] * 200)"}}, hosts="localhost", fails=True)
    assert '"msg": "why"' in output


@pytest.mark.parametrize("item", ["item", "z" * 1000], ids=len)
def test_the_event_of_a_loop_over_any_number_is_small(play, item):
    """Of 300 items the answers alone, without any list, are more than an event; what later tasks take of them is there."""
    does = "module.exit_json(changed=True, counts=dict(planned=500, applied=500), message='y' * 200)"
    items = [f"{item}{number}" for number in range(300)]
    answer, output = play({"lab.probe.probe": {"does": does}, "loop": items}, "-v", hosts="localhost")
    assert [one["counts"]["planned"] for one in answer["results"]] == [500] * 300 and answer["changed"]
    assert 20_000 < len(output) < 180_000  # each event once


def test_the_event_of_a_loop_in_which_all_fail_is_small(play):
    """And why each of them failed is told."""
    does = "module.fail_json(msg='no permission ' + 'y' * 200, failure=dict(code='x', details={}))"
    task = {"lab.probe.probe": {"does": does}, "loop": [f"partner{number}" for number in range(300)], "ignore_errors": True}
    answer, output = play(task, hosts="localhost")
    assert [one["failed"] for one in answer["results"]] == [True] * 300
    shown = [line for line in output.splitlines() if line.startswith("failed: ") and "censored" not in line]
    assert 20_000 < sum(map(len, shown)) < 90_000
    assert all(f"localhost: partner{number}: no permission" in output or f"(item=partner{number})" in output for number in range(300))


def test_what_a_task_hides_stays_hidden_where_the_event_of_its_loop_is_full(play):
    does = "module.fail_json(msg='no permission ' + 'y' * 9000, failure=dict(code='x', details={}))"
    task = {"lab.probe.probe": {"does": does}, "loop": [f"secret{number}" for number in range(20)], "no_log": True, "ignore_errors": True}
    _answer, output = play(task, hosts="localhost")
    assert "censored" in output and "secret" not in output


HOSTILE = "a\x9b31m\u202egpj.exe 日本"


@pytest.mark.parametrize("flags", [[], ["-v"], ["-vvv"]], ids=str)
def test_a_result_with_what_a_terminal_would_obey_is_not_printed_and_stays_data(play, flags):
    """A display name in what an _info module gives: later tasks compare it, and with -v Ansible prints it."""
    tell = f"module.exit_json(changed=False, people=[{{'display_name': {HOSTILE!a}}}])"
    result, output = play({"lab.probe.probe": {"does": tell}}, *flags)
    assert result["people"] == [{"display_name": HOSTILE}]
    assert "\x9b" not in output and "\u202e" not in output
    assert ("-v does not show this result" in " ".join(output.split())) == bool(flags)


def test_what_is_told_is_printed_in_a_form_that_no_terminal_obeys(play):
    tell = f"module.exit_json(changed=False, objects=[{HOSTILE!a}])"
    _result, output = play({"lab.probe.probe": {"does": tell}, "vars": {"__offboard_tell": True}}, "-v")
    assert "\x9b" not in output and "\u202e" not in output and "gpj.exe 日本" in output
