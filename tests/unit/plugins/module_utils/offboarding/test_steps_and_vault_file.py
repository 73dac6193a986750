# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import stat

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._module.clock import now
from ansible_collections.offboard.iij_id.plugins.module_utils._module.files import read_records
from ansible_collections.offboard.iij_id.plugins.module_utils._module.runner import _Failed, _Run
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import phrases, preconditions
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps import resource as steps
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.vault_file import resource as vault_file
from dev.options import given

A = {"id": "a", "stage": "gate", "en": "do a", "ja": "aをする", "blocks_final_gate": True, "source": ""}
RECORD = {**A, "done": False, "by": "", "at": "", "note": ""}
#: what the final gate leaves behind
OPENED = {"at": now(), "tenant_id": "T1", "options": ["microsoft_365"], "findings": [{"severity": "info"}]}
B = {**A, "id": "b", "en": "do b", "ja": "bをする", "blocks_final_gate": False}


class Module:
    """The part of AnsibleModule that the runner uses."""

    def __init__(self, check_mode, params):
        self.check_mode, self._diff, self.params, self.warnings = check_mode, True, params, []

    def warn(self, text):
        self.warnings.append(text)


def execute(make, params, check_mode=False):
    """(result, warnings) of one task; an OffboardError comes through."""
    module = Module(check_mode, params)
    return _Run(module, make(params), preconditions.demand).run(), module.warnings


def manual_steps(tmp_path, check_mode=False, **options):
    params = given("manual_steps", path=str(tmp_path / "run" / "steps.json"), **options)
    return execute(lambda p: steps.ManualSteps(p, check_mode), params, check_mode)


def info(tmp_path):
    return steps.info({"path": str(tmp_path / "run" / "steps.json")})


def test_register_confirm_withdraw_and_again(tmp_path):
    assert info(tmp_path) == {"steps": [], "open": [], "blocking": []}
    assert manual_steps(tmp_path, steps=[A, B])[0]["changed"]
    assert not manual_steps(tmp_path, steps=[A, B])[0]["changed"]
    assert info(tmp_path)["open"] == ["a", "b"] and info(tmp_path)["blocking"] == ["a"]
    result, _ = manual_steps(tmp_path, confirm=["a"], by="Hanako", note="4711", require=["a"])
    assert result["changed"]
    recorded = info(tmp_path)["steps"][0]
    assert recorded == result["steps"][0]
    assert (recorded["done"], recorded["by"], recorded["note"]) == (True, "Hanako", "4711") and recorded["at"].endswith("Z")
    assert not manual_steps(tmp_path, confirm=["a"], by="Taro")[0]["changed"]
    assert info(tmp_path)["steps"][0] == recorded
    assert manual_steps(tmp_path, withdraw=["a"])[0]["changed"]
    assert info(tmp_path)["open"] == ["a", "b"]


def test_what_another_run_has_recorded_meanwhile_is_not_lost(tmp_path):
    """Each of two runs has read and planned; both write. Neither's confirmation or withdrawal may get lost."""
    path = str(tmp_path / "run" / "steps.json")

    def planned(**options):
        params = given("manual_steps", path=path, **{"by": "Hanako", **options})
        resource = steps.ManualSteps(params, False)
        return resource, list(resource.plan(resource.read()).changes)

    def write(resource, changes):
        resource.apply_all(changes, lambda batch: None, lambda *outcomes: None)

    fork = multiprocessing.get_context("fork")  # each module is a process, which its locks belong to
    first, second = planned(steps=[A, B]), planned(steps=[A])  # before there is a file
    write(*first)
    manual_steps(tmp_path, confirm=["a"], by="Hanako")
    write(*second)
    assert info(tmp_path)["open"] == ["b"]

    for _unused in range(30):
        manual_steps(tmp_path, confirm=["a"], withdraw=["b"], by="Hanako")
        both, barrier = [planned(withdraw=["a"]), planned(confirm=["b"])], fork.Barrier(2)
        runs = [fork.Process(target=lambda one=one, at=barrier: (at.wait(), write(*one))) for one in both]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        assert info(tmp_path)["open"] == ["a"]


def test_it_is_decided_anew_by_what_the_file_holds_when_it_is_written(tmp_path):
    """Between this task's plan and its write, others have withdrawn what it requires, confirmed what it confirms, and confirmed something else."""
    path, run = str(tmp_path / "run" / "steps.json"), tmp_path / "run"
    manual_steps(tmp_path, steps=[A, B, {**A, "id": "c"}], confirm=["b"], by="Hanako")

    def planned(**options):
        params = given("manual_steps", path=path, **{"by": "Taro", **options})
        resource = steps.ManualSteps(params, False)
        return resource, resource.plan(resource.read())

    resource, plan = planned(confirm=["a"], require=["b"])
    manual_steps(tmp_path, withdraw=["b"])
    before = (run / "steps.json").read_bytes()
    begun: list = []
    with pytest.raises(OffboardError) as caught:
        resource.apply_all(plan.changes, begun.extend, lambda *outcomes: None)
    assert (caught.value.code, begun, (run / "steps.json").read_bytes()) == ("step_not_done", [], before)

    resource, plan = planned(confirm=["a", "b"])
    manual_steps(tmp_path, confirm=["a", "c"], by="Hanako")
    done: list = []
    resource.apply_all(plan.changes, begun.extend, lambda *outcomes: done.extend(outcomes))
    assert [change.id for change in begun] == [outcome.change.id for outcome in done] == ["b"], "what is confirmed already is not confirmed again"
    manual_steps(tmp_path, withdraw=["b"])  # after the write it is another one's
    assert list(resource.verify([outcome.change for outcome in done])) == []
    told = {item["id"]: (item["done"], item["by"]) for item in resource.facts(plan)["steps"]}
    assert told == {"a": (True, "Hanako"), "b": (True, "Taro"), "c": (True, "Hanako")}


def test_check_mode_writes_nothing_and_warns_where_a_real_run_stops(tmp_path):
    result, warnings = manual_steps(tmp_path, check_mode=True, steps=[A], require=["a"])
    assert result["changed"] and not os.listdir(tmp_path)
    assert len(warnings) == 1 and "a real run would stop here" in warnings[0] and "aをする" in warnings[0]


def test_an_open_required_step_stops_a_real_run(tmp_path):
    manual_steps(tmp_path, steps=[A])
    with pytest.raises(OffboardError) as caught:
        manual_steps(tmp_path, require=["a"])
    assert caught.value.code == "step_not_done"
    assert f"offboard_run_dir={tmp_path}/run " in caught.value.msg


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", '{"steps": [{}]}', '{"steps": 1}', '{"steps": ["a"]}', '{"steps": {}}', "null",
        json.dumps({"steps": [RECORD | {"done": "false"}]}),
        json.dumps({"steps": [RECORD | {"done": None}]}),
        json.dumps({"steps": [RECORD | {"by": 1}]}),
        json.dumps({"steps": [RECORD | {"id": "A"}]}),
        json.dumps({"steps": [RECORD, RECORD | {"done": True, "by": "A", "at": "2026-11-01T00:00:00Z"}]}),
        json.dumps({"steps": [RECORD | {"done": True}]}),
        json.dumps({"steps": [RECORD | {"done": True, "by": " ", "at": "2026-11-01T00:00:00Z"}]}),
        *(json.dumps({"steps": [RECORD | {"done": True, "by": "A", "at": at}]}) for at in ("", "yes", "2026-11-01", "2026-11-01T00:00:00", "1/11/2026")),
    ],
)  # fmt: skip
def test_a_damaged_steps_file_is_named_and_kept(tmp_path, content):
    path = tmp_path / "run" / "steps.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(OffboardError) as caught:
        manual_steps(tmp_path, steps=[A])
    assert caught.value.code == "steps_file_damaged" and str(path) in caught.value.msg
    assert path.read_text() == content


def test_steps_lost_to_another_writer_are_not_reported_as_done(tmp_path, monkeypatch):
    manual_steps(tmp_path, steps=[A])
    monkeypatch.setattr(steps, "write_atomically", lambda path, data: None)
    with pytest.raises(_Failed) as caught:
        manual_steps(tmp_path, confirm=["a"], by="Hanako")
    assert caught.value.result["failure"]["code"] == "not_seen"


def test_the_journal_names_who_confirmed(tmp_path):
    path = tmp_path / "journal.jsonl"
    manual_steps(tmp_path, steps=[A], confirm=["a"], by="Hanako", journal=str(path))
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(r["record"], r["action"]) for r in records] == [("intent", "register"), ("intent", "confirm"), ("outcome", "register"), ("outcome", "confirm")]
    assert records[1]["after"]["by"] == "Hanako"


def write(tmp_path, content="secret: ひみつ\n", password="pw", check_mode=False, **options):
    params = given("vault_file", path=str(tmp_path / "snapshot" / "a.yml"), content=content, vault_password=password, **options)
    return execute(vault_file.VaultFile, params, check_mode)[0]


def test_a_vault_file_is_written_once_and_kept(tmp_path):
    assert write(tmp_path, check_mode=True)["changed"] and not os.listdir(tmp_path)
    result = write(tmp_path)
    path = tmp_path / "snapshot" / "a.yml"
    assert result["changed"] and "ひみつ" not in json.dumps(result, ensure_ascii=False)
    assert path.read_bytes().startswith(b"$ANSIBLE_VAULT;") and stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    assert not write(tmp_path, content="other")["changed"]
    assert path.read_bytes() == before
    read = vault_file.info({"paths": [str(path)], "vault_password": "pw", "vault_password_file": None})
    assert read == {"contents": {str(path): "secret: ひみつ\n"}}


def test_check_mode_plans_each_vault_file_of_a_run(tmp_path):
    """What an earlier task of the check run would write is another file, and says nothing about this one."""
    predictions = str(tmp_path / "predictions.jsonl")
    plans = []
    for name in ("a", "b", "c", "a"):
        params = given("vault_file", path=str(tmp_path / f"{name}.yml"), content="x", vault_password="pw", predictions=predictions)
        plans.append([change["name"] for change in execute(vault_file.VaultFile, params, True)[0]["plan"]])
    assert plans == [["a.yml"], ["b.yml"], ["c.yml"], []]


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        (None, "gate_closed"),
        ({"findings": [{"severity": "blocker"}]}, "gate_closed"),
        (OPENED, None),
        (OPENED | {"findings": []}, None),
        ({"findings": []}, "gate_outdated"),
        (OPENED | {"at": "2026-01-01T00:00:00Z"}, "gate_outdated"),
        (OPENED | {"at": "2999-01-01T00:00:00Z"}, "gate_outdated"),
        (OPENED | {"at": None}, "gate_outdated"),
        (OPENED | {"tenant_id": ""}, "gate_outdated"),
        (OPENED | {"options": []}, "gate_outdated"),
        (OPENED | {"tenant_id": "T2"}, "other_run_folder"),
        ({"findings": {}}, "file_read_failed"),
        ({"findings": ""}, "file_read_failed"),
        ({"findings": [{"severity": "Blocker"}]}, "file_read_failed"),
        ({"findings": [["severity"]]}, "file_read_failed"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_step_of_the_report_is_confirmed_only_after_the_final_gate(tmp_path, gate, code, check_mode):
    manual_steps(tmp_path, steps=[{**A, "stage": "report", "blocks_final_gate": False}, B])
    (tmp_path / "run" / "run.json").write_text('{"tenant_id": "t1"}')
    (tmp_path / "run" / "journal.jsonl").touch()
    if gate is not None:
        (tmp_path / "run" / "results").mkdir()
        (tmp_path / "run" / "results" / "final_gate.json").write_text(json.dumps(gate))
    assert manual_steps(tmp_path, check_mode, confirm=["b"], by="Hanako")[0]["changed"]
    if code is None:
        assert manual_steps(tmp_path, check_mode, confirm=["a"], by="Hanako")[0]["changed"]
        return
    with pytest.raises(OffboardError) as caught:
        manual_steps(tmp_path, check_mode, confirm=["a"], by="Hanako")
    assert caught.value.code == code and "offboard.iij_id.final_gate" in caught.value.msg
    assert "a" in info(tmp_path)["open"]


@pytest.mark.parametrize(
    ("kind", "at", "status", "counts"),
    [
        ("user", "2999-01-01T09:00:00+09:00", "done", False),
        ("user", "2999-01-01T00:00:00Z", "failed", True),
        ("user", "2020-01-01T00:00:00Z", "done", True),
        ("report_file", "2999-01-01T00:00:00Z", "done", True),
        ("manual_step", "2999-01-01T00:00:00Z", "done", True),
    ],
)
def test_what_the_final_gate_found_counts_until_the_next_change(tmp_path, kind, at, status, counts):
    manual_steps(tmp_path, steps=[{**A, "stage": "report", "blocks_final_gate": False}])
    (tmp_path / "run" / "results").mkdir()
    (tmp_path / "run" / "results" / "final_gate.json").write_text(json.dumps(OPENED))
    record = {"record": "outcome", "run": "r", "at": at, "kind": kind, "id": "u", "name": "u", "action": "update", "status": status}
    (tmp_path / "run" / "run.json").write_text('{"tenant_id": "t1"}')
    (tmp_path / "run" / "journal.jsonl").write_text(json.dumps(record, separators=(",", ":")) + "\n")
    if counts:
        assert manual_steps(tmp_path, confirm=["a"], by="Hanako")[0]["changed"]
        return
    with pytest.raises(OffboardError) as caught:
        manual_steps(tmp_path, confirm=["a"], by="Hanako")
    assert caught.value.code == "gate_outdated" and "later change" in caught.value.msg


@pytest.mark.parametrize(("password", "code"), [("other", "vault_wrong_password"), ("", "vault_password_empty"), (None, "vault_password_missing")])
def test_a_vault_file_and_its_password(tmp_path, password, code):
    write(tmp_path)
    with pytest.raises(OffboardError) as caught:
        write(tmp_path, password=password)
    assert caught.value.code == code


def test_the_password_may_lie_in_a_file(tmp_path):
    (tmp_path / "pw").write_text("pw\n")
    write(tmp_path)
    path = str(tmp_path / "snapshot" / "a.yml")
    options = {"vault_password": None, "vault_password_file": str(tmp_path / "pw")}
    assert vault_file.info({"paths": [path], **options})["contents"][path] == "secret: ひみつ\n"
    with pytest.raises(OffboardError) as caught:
        vault_file.info({"paths": [path], **options, "vault_password_file": str(tmp_path / "none")})
    assert caught.value.code == "file_read_failed"


def test_a_vault_file_that_is_missing_or_clear(tmp_path):
    (tmp_path / "clear").write_text("a: 1\n")
    for name, code in (("none", "file_missing"), ("clear", "vault_not_a_vault")):
        with pytest.raises(OffboardError) as caught:
            vault_file.info({"paths": [str(tmp_path / name)], "vault_password": "pw", "vault_password_file": None})
        assert caught.value.code == code and name in caught.value.msg


def test_an_unwritable_place_is_a_clear_error(tmp_path):
    (tmp_path / "snapshot").write_text("a file, not a folder")
    with pytest.raises(OffboardError) as caught:
        write(tmp_path)
    assert caught.value.code == "file_read_failed" and "snapshot/a.yml" in caught.value.msg


def test_what_a_killed_run_wrote_without_a_word_is_looked_up(tmp_path):
    """The step was confirmed and the file written; the journal has the intents alone."""
    path = tmp_path / "journal.jsonl"
    manual_steps(tmp_path, steps=[A], confirm=["a"], by="Hanako", journal=str(path))
    write(tmp_path, journal=str(path))
    intents = [line for line in path.read_text().splitlines(keepends=True) if '"record":"intent"' in line]
    assert len(intents) == 3
    path.write_text("".join(intents))
    assert not manual_steps(tmp_path, steps=[A], journal=str(path))[0]["changed"]
    assert not write(tmp_path, journal=str(path))["changed"]
    records = list(read_records(str(path)))
    assert journal.unfinished(path.read_bytes().splitlines()) == []
    assert [record["status"] for record in records if record["record"] == "outcome"] == ["done"] * 3


def test_a_confirmation_is_outdated_by_what_it_confirms(tmp_path):
    handed_over = {**A, "id": "passwords_handed_over"}
    manual_steps(tmp_path, steps=[handed_over, A], confirm=["passwords_handed_over", "a"], by="Hanako")
    assert info(tmp_path)["open"] == []
    record = {"record": "outcome", "run": "r", "at": "2999-01-01T00:00:00Z", "kind": "user", "id": "u", "name": "u", "action": "update", "status": "done"}
    (tmp_path / "run" / "run.json").write_text('{"tenant_id": "t1"}')
    journal_file = tmp_path / "run" / "journal.jsonl"
    journal_file.write_text(json.dumps({**record, "details": {"password_set": True}}, separators=(",", ":")) + "\n")
    assert info(tmp_path)["open"] == ["passwords_handed_over"]
    with pytest.raises(OffboardError, match="passwords_handed_over"):
        manual_steps(tmp_path, require=["passwords_handed_over"])
    # registering it again, as every stage does, makes it no younger, and takes nothing away
    assert not manual_steps(tmp_path, steps=[handed_over, A])[0]["changed"]
    journal_file.write_text(journal_file.read_text().replace("2999-", "2000-"))
    assert info(tmp_path)["open"] == []
    # whoever confirms it again has meant the last one
    state = json.loads((tmp_path / "run" / "steps.json").read_text())
    state["steps"][0]["at"] = "1999-01-01T00:00:00Z"
    (tmp_path / "run" / "steps.json").write_text(json.dumps(state))
    assert info(tmp_path)["open"] == ["passwords_handed_over"]
    assert manual_steps(tmp_path, confirm=["passwords_handed_over"], by="Taro")[0]["changed"]
    assert info(tmp_path)["open"] == [] and info(tmp_path)["steps"][0]["by"] == "Taro"


TENANT, ANOTHER = "5d0c9a2e-3c2f-4f7c-9a52-6a1ce0000001", "5d0c9a2e-3c2f-4f7c-9a52-6a1ce0000002"


@pytest.mark.parametrize(("saved_of", "works_on", "code"), [(TENANT, TENANT.upper(), None), (TENANT, ANOTHER, "other_run_folder"), (None, ANOTHER, None)])
def test_a_saved_machine_belongs_to_the_run_of_its_tenant(tmp_path, saved_of, works_on, code):
    """Machines of two companies may have one name: the copy out of another run's folder says nothing of this one."""
    ours, copied = tmp_path / "ours", tmp_path / "copied"
    params = {"path": str(ours / "snapshot" / "machines" / "sync01.yml"), "content": "x", "vault_password": "pw", "vault_password_file": None,
              "holds": {"machine": "192.0.2.7", "directory": None, "objects": []}, "journal": str(ours / "journal.jsonl"),
              "run_tenant_id": saved_of}  # fmt: skip
    execute(vault_file.VaultFile, params, False)
    shutil.copytree(ours / "snapshot", copied / "snapshot")
    requires = {"run_dir": str(copied), "steps": [], "snapshot": False, "snapshot_files": ["machines/sync01.yml"]}
    (copied / "run.json").write_text(json.dumps({"tenant_id": works_on}))
    copied.chmod(0o700)

    def found(work):
        try:
            work()
        except OffboardError as exc:
            return exc.code
        return None

    assert found(lambda: preconditions.check(requires, {"machine": "192.0.2.7"})) == code
    again = {**params, "path": str(copied / "snapshot" / "machines" / "sync01.yml"), "journal": str(copied / "journal.jsonl"), "run_tenant_id": None}
    assert found(lambda: execute(vault_file.VaultFile, again, False)) == code


@pytest.mark.parametrize(
    ("file", "holds", "kind", "identity", "is_lost"),
    [
        ("machines/sync01.yml", {"machine": "SYNC01.example"}, "windows_scheduled_task", r"sync01.example/\\IIJ\\sync", True),
        ("machines/sync01.yml", {"machine": "sync01.example"}, "linux_cron_job", "sync02.example/user:root: @daily x", False),
        ("machines/sync01.yml", {"machine": "sync01.example"}, "directory_object", "CN=iij", False),
        ("directory.yml", {"directory": "DC=ad", "objects": ["6"]}, "directory_object", "CN=iij", True),
        ("directory.yml", {"directory": "DC=ad", "objects": ["6"]}, "group_policy_right", "6", False),
        ("openldap.yml", {"objects": ["cn=iij"]}, "openldap_access", "cn=iij", True),
        ("openldap.yml", {"objects": ["cn=iij"]}, "directory_object", "CN=iij", False),
    ],
)
@pytest.mark.parametrize("status", ["done", None, "failed"])
def test_what_was_saved_and_lost_is_not_saved_anew_once_the_exit_has_changed_it(tmp_path, file, holds, kind, identity, is_lost, status):
    """A run folder that was restored without it: a disabled account would be "as before" for ever."""
    run = tmp_path / "run"
    params = {"path": str(run / "snapshot" / file), "content": "x", "vault_password": "pw", "vault_password_file": None, "run_tenant_id": None,
              "holds": {"machine": None, "directory": None, "objects": [], **holds}, "journal": str(run / "journal.jsonl")}  # fmt: skip

    def save(check_mode=False):
        return execute(vault_file.VaultFile, params, check_mode)[0]["changed"]

    def lose():
        for one in (run / "snapshot" / file, run / "snapshot" / f"{file}.json"):
            one.unlink()

    assert save()
    lose()
    assert save()  # nothing was changed meanwhile
    lose()
    change = {"kind": kind, "id": identity, "name": "x", "action": "disable"}
    lines = [
        {"record": "intent", "run": "r", "at": now(), **change},
        {"record": "outcome", "run": "r", "at": now(), **change, "status": status, "code": "denied"},
    ]
    with (run / "journal.jsonl").open("a") as stream:
        stream.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines[: 2 if status else 1])
    moved = tmp_path / "moved"
    run.rename(moved)
    params |= {"path": str(moved / "snapshot" / file), "journal": str(moved / "journal.jsonl")}
    for check_mode in (True, False):
        if is_lost and status != "failed":
            with pytest.raises(OffboardError) as stopped:
                save(check_mode)
            assert stopped.value.code == "snapshot_missing" and phrases.understood(str(stopped.value))
        else:
            assert save(check_mode)


def test_a_stage_that_is_played_alone_in_check_mode_is_told_of_steps_that_nobody_has_recorded(tmp_path):
    """As AWX does with a job of type "check", from an untouched start; a real run stops."""
    params = given("manual_steps", path=str(tmp_path / "run" / "steps.json"), require=["x"])
    plan = steps.ManualSteps(params, True).plan([])
    assert len(plan.changes) == 0 and plan.warnings[0].startswith("check mode: a real run would stop here. There is no step 'x'.")
    assert (told := phrases.understood(plan.warnings[0])) and "手順 'x' はまだ記録されていません" in told.ja
    with pytest.raises(OffboardError) as stopped:
        steps.ManualSteps(params, False).plan([])
    assert stopped.value.code == "unknown_step"


@pytest.mark.parametrize("option", ["confirm", "withdraw"])
def test_a_confirmation_tells_a_run_folder_that_is_not_there(tmp_path, option):
    with pytest.raises(OffboardError) as stopped:
        manual_steps(tmp_path, **{option: ["x"]}, by="Hanako")
    assert stopped.value.code == "run_dir_missing" and str(tmp_path / "run") in str(stopped.value) and not (tmp_path / "run").exists()
    assert "作成もしていません" in phrases.understood(str(stopped.value)).ja
    checked = given("manual_steps", path=str(tmp_path / "run" / "steps.json"), **{option: ["x"]})
    assert not [*steps.ManualSteps(checked, True).read()]  # a check run makes no folder, and knows the steps by what it has predicted


def test_services_are_steps_and_their_dates_confirm_them(tmp_path):
    service = {"name": "Expenses", "owner": "Taro", "protocol": "saml"}
    open_, shut = {**service, "name": "Wiki"}, {**service, "done": "2026-11-01"}
    result, _unused = manual_steps(tmp_path, check_mode=True, services=[open_, shut])
    assert [(change["id"], change["action"]) for change in result["plan"]] == [
        ("service_wiki", "register"),
        ("service_expenses", "register"),
        ("service_expenses", "confirm"),
    ]
    assert not (tmp_path / "run").exists()
    result, _unused = manual_steps(tmp_path, services=[open_, shut])
    assert {step["id"]: (step["by"], step["note"]) for step in result["steps"] if step["done"]} == {
        "service_expenses": ("Taro", "custom_applications_services: 2026-11-01")
    }
    assert info(tmp_path)["blocking"] == ["service_wiki"]
    assert not manual_steps(tmp_path, services=[open_, shut])[0]["changed"]
    assert manual_steps(tmp_path, services=[])[0]["steps"] == result["steps"]  # taken out of the register, it stays


def attach(tmp_path, *paths, step="a", check_mode=False, **more):
    options = {"confirm": [step], "by": "Hanako", "evidence": list(map(str, paths)), **more}
    return manual_steps(tmp_path, check_mode, **options)


def evidence_of(tmp_path, step="a"):
    """Where each file lies, what it was called, and what became of it."""
    (found,) = [one for one in info(tmp_path)["steps"] if one["id"] == step]
    return [(entry["file"], entry["name"], entry["state"]) for entry in found.get("evidence", ())]


def test_evidence_is_copied_once_and_named(tmp_path):
    """What the administrators of an identity provider send back: before the removal, and the last search, which is empty."""
    manual_steps(tmp_path, steps=[A, B])
    before, after = tmp_path / "adfs before.xml", tmp_path / "last.txt"
    before.write_text("<Objs/>")
    after.write_text("")
    before.chmod(0o644)
    untouched = (tmp_path / "run" / "steps.json").read_bytes()
    result, _ = attach(tmp_path, before, after, check_mode=True)
    assert [change["action"] for change in result["plan"]] == ["confirm", "attach"]
    assert (tmp_path / "run" / "steps.json").read_bytes() == untouched and not (tmp_path / "run" / "evidence").exists()
    assert attach(tmp_path, before, after)[0]["changed"]
    assert evidence_of(tmp_path) == [("evidence/a/adfs-before.xml", "adfs before.xml", "kept"), ("evidence/a/last.txt", "last.txt", "kept")]
    folder = tmp_path / "run" / "evidence" / "a"
    assert (folder / "adfs-before.xml").read_text() == "<Objs/>"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)} == {0o700}
    entry = info(tmp_path)["steps"][0]["evidence"][0]
    assert (entry["sha256"], entry["bytes"], entry["by"]) == (hashlib.sha256(b"<Objs/>").hexdigest(), 7, "Hanako") and entry["at"].endswith("Z")
    # a second time nothing is new; a further file is, also of a step that is confirmed already
    assert not attach(tmp_path, before, after)[0]["changed"]
    later = tmp_path / "later.txt"
    later.write_text("later")
    result, _ = attach(tmp_path, later, by="Taro")
    assert [change["action"] for change in result["plan"]] == ["attach"]
    assert [entry["by"] for entry in info(tmp_path)["steps"][0]["evidence"]] == ["Hanako", "Hanako", "Taro"] and info(tmp_path)["steps"][0]["by"] == "Hanako"


def test_no_evidence_takes_the_place_of_another(tmp_path):
    manual_steps(tmp_path, steps=[A, B])
    for number, content in enumerate(("one", "two", "one")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "log.txt").write_text(content)
        attach(tmp_path, folder / "log.txt")
    assert [file for file, _name, _state in evidence_of(tmp_path)] == ["evidence/a/log.txt", "evidence/a/log-2.txt"]
    # two of a name at once, and names that mean something to a file system or a terminal
    odd = [tmp_path / name for name in ("...", "-rf", "a\u202egnp.exe", "a\nb", "日本語 ログ.txt", "x" * 200 + ".txt")]
    for path in odd:
        path.write_text(path.name)
    attach(tmp_path, *odd, tmp_path / "0" / "log.txt", tmp_path / "1" / "log.txt", step="b")
    files = [file for file, _name, _state in evidence_of(tmp_path, "b")]
    assert files[:5] == ["evidence/b/unnamed", "evidence/b/rf", "evidence/b/a-gnp.exe", "evidence/b/a-b", "evidence/b/日本語-ログ.txt"]
    assert files[6:] == ["evidence/b/log.txt", "evidence/b/log-2.txt"] and len(os.path.basename(files[5])) < 150
    assert sorted(os.listdir(tmp_path / "run" / "evidence" / "b")) == sorted(map(os.path.basename, files))


def test_what_cannot_be_evidence_confirms_nothing(tmp_path):
    manual_steps(tmp_path, steps=[A])
    untouched = (tmp_path / "run" / "steps.json").read_bytes()
    whole, link, pipe, large = (tmp_path / name for name in ("whole", "link", "pipe", "large"))
    whole.write_text("x")
    link.symlink_to(whole)
    os.mkfifo(pipe)
    large.write_bytes(b"x" * 1_000_001)
    for path, code in [
        (link, "evidence_not_readable"),
        (pipe, "evidence_not_readable"),
        (tmp_path, "evidence_not_readable"),
        (tmp_path / "none", "evidence_not_readable"),
        ("whole", "evidence_not_readable"),
        ("", "evidence_not_readable"),
        (f"{whole}\0", "evidence_not_readable"),
        (large, "evidence_too_large"),
    ]:
        with pytest.raises(OffboardError) as caught:
            attach(tmp_path, whole, path, evidence_max_mb=1)
        assert caught.value.code == code and "othing was confirmed" in caught.value.msg.replace("nothing", "Nothing")
    for options in ({"confirm": []}, {"withdraw": ["a"]}, {"evidence_max_mb": 0}):
        with pytest.raises(OffboardError) as caught:
            attach(tmp_path, whole, **options)
        assert caught.value.code == "bad_option"
    # nor is anything written through what lies where the files go
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run" / "evidence").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(_Failed) as stopped:
        attach(tmp_path, whole)
    assert stopped.value.result["failure"]["code"] == "run_folder_unsafe"
    assert (tmp_path / "run" / "steps.json").read_bytes() == untouched and not list((tmp_path / "elsewhere").iterdir())


def test_a_file_that_changes_while_it_is_copied_is_not_recorded(tmp_path, monkeypatch):
    manual_steps(tmp_path, steps=[A])
    source = tmp_path / "log"
    source.write_text("before")
    looked = steps.attached.look

    def then_written(paths, most):
        found = looked(paths, most)
        source.write_text("after")
        return found

    monkeypatch.setattr(steps.attached, "look", then_written)
    with pytest.raises(_Failed) as stopped:
        attach(tmp_path, source)
    assert stopped.value.result["failure"]["code"] == "evidence_not_readable"
    assert info(tmp_path)["open"] == ["a"] and os.listdir(tmp_path / "run" / "evidence" / "a") == []


def test_evidence_that_is_damaged_or_gone_is_told_and_can_be_attached_again(tmp_path):
    manual_steps(tmp_path, steps=[A])
    source = tmp_path / "log"
    source.write_text("what was found")
    attach(tmp_path, source)
    lies = tmp_path / "run" / "evidence" / "a" / "log"
    for damage, state in (
        (lambda: lies.write_text("something else"), "changed"),
        (lambda: (lies.unlink(), lies.symlink_to(source)), "changed"),
        (lies.unlink, "missing"),
    ):
        damage()
        assert evidence_of(tmp_path) == [("evidence/a/log", "log", state)]
    assert attach(tmp_path, source)[0]["changed"] and evidence_of(tmp_path) == [("evidence/a/log", "log", "kept")]
    lies.write_text("something else")
    attach(tmp_path, source)
    assert evidence_of(tmp_path) == [("evidence/a/log-2", "log", "kept")] and lies.read_text() == "something else"


def test_evidence_stays_when_the_confirmation_is_withdrawn(tmp_path):
    manual_steps(tmp_path, steps=[A])
    source = tmp_path / "log"
    source.write_text("x")
    attach(tmp_path, source)
    for check_mode in (True, False):
        _, warnings = manual_steps(tmp_path, check_mode, withdraw=["a"], language="en")
        assert warnings == ["a: the confirmation is withdrawn; its file of evidence stays in evidence/a of the run folder."]
    assert info(tmp_path)["open"] == ["a"] and evidence_of(tmp_path) == [("evidence/a/log", "log", "kept")]
    assert manual_steps(tmp_path, withdraw=["a"]) and not manual_steps(tmp_path, steps=[A])[0]["changed"]
    assert [change["action"] for change in attach(tmp_path, source)[0]["plan"]] == ["confirm"]


@pytest.mark.parametrize("file", ["../x", "evidence/b/x", "evidence/a/", "evidence/a/..", "evidence/a/x/y", "/etc/passwd", 3, None])
def test_a_steps_file_that_names_files_elsewhere_as_evidence_is_damaged(tmp_path, file):
    entry = {"file": file, "name": "x", "sha256": "0" * 64, "bytes": 1, "by": "Hanako", "at": "2026-11-28T00:00:00Z"}
    (tmp_path / "run").mkdir(mode=0o700)
    (tmp_path / "run" / "steps.json").write_text(json.dumps({"steps": [{**RECORD, "evidence": [entry]}]}))
    with pytest.raises(OffboardError) as caught:
        info(tmp_path)
    assert caught.value.code == "steps_file_damaged"
