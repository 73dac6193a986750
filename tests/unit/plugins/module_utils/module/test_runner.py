# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import hashlib
import itertools
import json

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object, Outcome, Refusal, Skip
from ansible_collections.offboard.iij_id.plugins.module_utils._core.plan import Plan
from ansible_collections.offboard.iij_id.plugins.module_utils._module import files, runner
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import gate, preconditions
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import runner as task
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import sign_in_verdict as sign_in
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN


class Finished(Exception):
    """What exit_json and fail_json end with."""

    def __init__(self, failed, result):
        super().__init__(result.get("msg"))
        self.failed, self.result = failed, result


class Module:
    """The part of AnsibleModule that the runner uses."""

    _name = "offboard.iij_id.lamps"

    def __init__(self, check_mode=False, diff=False, **params):
        self.check_mode, self._diff, self.params, self.warnings = check_mode, diff, params, []

    def warn(self, text):
        self.warnings.append(text)

    def exit_json(self, **result):
        json.dumps(result)
        raise Finished(False, result)

    def fail_json(self, **result):
        json.dumps(result)
        raise Finished(True, result)


class Lamps(runner.Resource):
    """Lamps that shall be off; some break, some stay on although they said yes."""

    noun, kinds = "lamps", ("lamp",)

    def __init__(self, lamps, broken=(), deaf=(), refusals=(), stop=False, interrupt_at=None, dark=False):
        self.dark, self.lamps, self.broken, self.deaf, self.refusals, self.closed = dark, dict(lamps), broken, deaf, refusals, 0
        self.stop_at_first_failure, self.writes, self.interrupt_at = stop, [], interrupt_at

    def read(self):
        return [Object("lamp", name, f"lamp {name}", {"on": on}) for name, on in self.lamps.items()]

    def plan(self, current):
        plan = Plan()
        for lamp in current:
            if lamp.id == "exit":
                plan.skipped.append(Skip("lamp", lamp.id, lamp.name, "emergency_light", "stays on"))
            elif lamp.state["on"]:
                plan.changes.append(Change("lamp", lamp.id, lamp.name, "switch_off", {"on": True}, {"on": False}, undo="switch on"))
            else:
                plan.unchanged += 1
        return plan

    def guard(self, plan):
        return self.refusals

    def apply(self, change):
        if change.id == self.interrupt_at:
            raise KeyboardInterrupt
        self.writes.append(change.id)
        if change.id in self.broken:
            raise OffboardError("the bulb is stuck", code="stuck")
        if change.id not in self.deaf:
            self.lamps[change.id] = False

    def carried_out(self, begun):
        if self.dark:
            raise OffboardError("the lamps cannot be seen", code="dark")
        return [change for change in begun if self.lamps.get(change.id) is False]

    def verify(self, applied):
        return [Outcome(c, "failed", "not_seen", "still on") for c in applied if self.lamps[c.id]]

    def close(self):
        self.closed += 1


def finish(lamps, module=None):
    with pytest.raises(Finished) as caught:
        task.run(module or Module(), lambda params: lamps)
    assert lamps.closed == 1
    return caught.value


def ids(entries):
    return [entry["id"] for entry in entries]


def test_what_differs_is_changed_and_a_second_run_changes_nothing():
    lamps = Lamps({"a": True, "b": False, "exit": True})
    first = finish(lamps)
    assert not first.failed and first.result["changed"] and ids(first.result["applied"]) == ["a"]
    assert first.result["counts"] == {"planned": 1, "unchanged": 1, "skipped": 1, "done": 1}
    assert first.result["restore"] == [{"kind": "lamp", "id": "a", "name": "lamp a", "undo": "switch on"}]
    lamps.closed = 0
    second = finish(lamps)
    assert not second.failed and not second.result["changed"] and second.result["plan"] == []


def test_check_mode_gives_the_same_plan_and_writes_nothing(tmp_path):
    journal = str(tmp_path / "journal")
    checked = finish(lamps := Lamps({"a": True, "b": True}), Module(check_mode=True, diff=True, journal=journal))
    assert lamps.writes == [] and not list(tmp_path.iterdir())
    real = finish(Lamps({"a": True, "b": True}), Module(diff=True, journal=journal))
    assert checked.result["plan"] == real.result["plan"] and checked.result["diff"] == real.result["diff"]
    assert checked.result["changed"] and checked.result["applied"] == []
    assert set(checked.result) == set(real.result)


def test_one_failed_item_hides_no_other():
    done = finish(Lamps({"a": True, "b": True, "c": True}, broken=("b",)))
    assert done.failed and ids(done.result["applied"]) == ["a", "c"] and ids(done.result["failed_objects"]) == ["b"]
    assert done.result["changed"] and done.result["failure"]["code"] == "stuck"
    assert "1 of 3" in done.result["msg"] and "lamp b" in done.result["msg"]


def test_where_order_matters_the_rest_is_not_tried_after_a_failure():
    lamps = Lamps({"a": True, "b": True, "c": True}, broken=("b",), stop=True)
    done = finish(lamps)
    assert lamps.writes == ["a", "b"] and ids(done.result["skipped_objects"]) == ["c"]
    assert done.result["skipped_objects"][0]["code"] == "earlier_failure"


def test_what_cannot_be_seen_afterwards_has_failed():
    done = finish(Lamps({"a": True, "b": True}, deaf=("b",)))
    assert done.failed and done.result["failure"]["code"] == "not_seen"
    assert ids(done.result["applied"]) == ["a"] and ids(done.result["failed_objects"]) == ["b"]
    assert done.result["counts"]["done"] == 1 and done.result["counts"]["failed"] == 1


def test_a_refusal_stops_everything_and_names_the_way_out():
    lamps = Lamps({"a": True}, refusals=[Refusal("in_use", "lamp a is being read by", ("lamp a",), "accept_darkness: true")])
    done = finish(lamps)
    assert done.failed and lamps.writes == [] and not done.result["changed"]
    assert done.result["failure"]["code"] == "guard_refused"
    assert "Nothing was changed" in done.result["msg"] and "accept_darkness: true" in done.result["msg"]


def test_max_changes_is_always_checked_in_check_mode_too():
    for check_mode in (False, True):
        done = finish(Lamps({"a": True, "b": True}), Module(check_mode=check_mode, max_changes=1))
        assert done.failed and done.result["failure"]["details"]["refusals"][0]["rule"] == "max_changes"


def test_the_journal_has_an_intent_before_and_an_outcome_after_each_change(tmp_path):
    journal = str(tmp_path / "journal")
    finish(Lamps({"a": True, "b": True, "c": True}, broken=("b",), deaf=("c",)), Module(journal=journal))
    records = [(r["record"], r["id"], r.get("status")) for r in files.read_records(journal)]
    assert records == [
        ("intent", "a", None),
        ("outcome", "a", "done"),
        ("intent", "b", None),
        ("outcome", "b", "failed"),
        ("intent", "c", None),
        ("outcome", "c", "done"),
        ("outcome", "c", "failed"),
    ]


@pytest.mark.parametrize(("room", "writes"), [(0, []), (3, ["a", "b"])])
def test_a_full_disk_stops_and_admits_what_was_done(tmp_path, monkeypatch, room, writes):
    """Without a journal on the disk nothing is changed."""
    written = []

    def append(path, records):
        if len(written) == room:
            raise OffboardError("disk full", code="file_write_failed")
        written.extend(records)

    monkeypatch.setattr(runner, "append_records", append)
    done = finish(lamps := Lamps({"a": True, "b": True, "c": True}), Module(journal=str(tmp_path / "journal")))
    assert lamps.writes == writes and done.failed and done.result["changed"] is bool(writes)
    assert done.result["failure"]["code"] == "file_write_failed" and f"{len(writes)} of 3" in done.result["msg"]


def test_a_refusal_is_in_the_journal_but_not_in_check_mode(tmp_path):
    journal = str(tmp_path / "journal")
    for check_mode, count in ((True, 0), (False, 1)):
        finish(Lamps({"a": True}), Module(check_mode=check_mode, journal=journal, max_changes=0))
        assert [r["rule"] for r in files.read_records(journal)] == ["max_changes"] * count


def test_an_interruption_is_no_traceback_and_the_journal_tells_the_truth(tmp_path):
    journal = str(tmp_path / "journal")
    done = finish(Lamps({"a": True, "b": True}, interrupt_at="b"), Module(journal=journal))
    assert done.failed and done.result["failure"]["code"] == "interrupted"
    assert [(r["record"], r["id"]) for r in files.read_records(journal)] == [("intent", "a"), ("outcome", "a"), ("intent", "b")]


@pytest.mark.parametrize(
    ("lamps", "expected"),
    [
        ({"a": False, "b": False}, [("b", "done", "")]),
        ({"a": False, "b": True}, [("b", None, None), ("b", "done", "")]),
        ({"a": False}, []),
    ],
    ids=["was carried out", "is done again", "cannot be told"],
)
def test_what_a_stopped_run_had_begun_is_settled_in_its_name(tmp_path, lamps, expected):
    journal = str(tmp_path / "journal")
    finish(Lamps({"a": True, "b": True}, interrupt_at="b"), Module(journal=journal))
    before = list(files.read_records(journal))
    finish(Lamps(lamps), Module(check_mode=True, journal=journal))
    assert list(files.read_records(journal)) == before
    finish(Lamps(lamps), Module(journal=journal))
    more = list(files.read_records(journal))[len(before) :]
    assert [(r["id"], r.get("status"), r.get("code", "") if r["record"] == "outcome" else None) for r in more] == expected
    if len(expected) == 1:
        assert (more[0]["run"], more[0]["details"]) == (before[-1]["run"], {"begun_at": before[-1]["at"]})
    if expected:
        finish(Lamps({"a": False, "b": False}), Module(journal=journal))
        assert list(files.read_records(journal)) == [*before, *more]


def test_what_cannot_be_looked_up_hinders_nothing(tmp_path):
    journal = str(tmp_path / "journal")
    finish(Lamps({"a": True, "b": True}, interrupt_at="b"), Module(journal=journal))
    with open(journal, "a", encoding="utf-8") as stream:
        stream.write('{"record":"intent","run":"r","at":"t","kind":"lamp","id":"x","name":"x","action":"switch_off","risk":"unheard of"}\n')
    module = Module(journal=journal)
    done = finish(lamps := Lamps({"c": True}, dark=True), module)
    assert not done.failed and lamps.writes == ["c"]
    assert len(module.warnings) == 1 and "the lamps cannot be seen" in module.warnings[0]


def test_check_mode_plans_against_what_earlier_plans_predict(tmp_path):
    predictions = str(tmp_path / "predictions")
    first = finish(Lamps({"a": True, "b": True}), Module(check_mode=True, predictions=predictions))
    assert first.result["changed"] and not first.result["predicted"]
    module = Module(check_mode=True, predictions=predictions)
    second = finish(Lamps({"a": True, "b": True, "c": True}), module)
    assert ids(second.result["plan"]) == ["c"] and second.result["predicted"] and len(module.warnings) == 1
    module = Module(check_mode=True, predictions=predictions)
    third = finish(Lamps({"d": True}), module)
    assert ids(third.result["plan"]) == ["d"] and not third.result["predicted"] and module.warnings == []


def test_predictions_are_not_used_in_a_real_run(tmp_path):
    predictions = str(tmp_path / "predictions")
    finish(Lamps({"a": True}), Module(check_mode=True, predictions=predictions))
    done = finish(lamps := Lamps({"a": True}), Module(predictions=predictions))
    assert lamps.writes == ["a"] and not done.result["predicted"]


def test_an_error_while_reading_has_a_code_and_changes_nothing():
    class Unreachable(Lamps):
        def read(self):
            raise OffboardError("no answer from lamp-server", code="unreachable", details={"host": "lamp-server"})

    done = finish(Unreachable({}))
    assert done.failed and done.result["failure"] == {"code": "unreachable", "details": {"host": "lamp-server"}} and not done.result["changed"]


def test_an_info_module_never_reports_a_change():
    with pytest.raises(Finished) as caught:
        runner.run_info(Module(), lambda params: {"lamps": []})
    assert caught.value.result == {"changed": False, "lamps": []}


def test_a_missing_library_gives_the_usual_message():
    with pytest.raises(Finished) as caught:
        runner.require(Module(), "ldap3", ImportError("No module named 'ldap3'"))
    assert "ldap3" in caught.value.result["msg"] and caught.value.result["failure"]["code"] == "missing_library"
    runner.require(Module(), "ldap3", None)


class OfCompany(Lamps):
    def __init__(self, company, lamps):
        super().__init__(lamps)
        self.company = company

    def owner(self):
        return {"tenant_id": self.company}


def test_a_run_folder_belongs_to_one_tenant(tmp_path):
    """What lies in it is evidence for that one: nothing is changed with another one's credentials, whatever the case of its id."""
    path = str(tmp_path / "journal.jsonl")

    def run(lamps, check=False):
        with pytest.raises(Finished) as caught:
            task.run(Module(check_mode=check, max_changes=9, journal=path), lambda params: lamps)
        return caught.value

    assert not run(OfCompany("T1", {"a": True}), check=True).failed and not (tmp_path / "run.json").exists()
    assert not run(OfCompany("T1", {"a": False})).failed and not (tmp_path / "run.json").exists()
    assert not run(OfCompany("T1", {"a": True})).failed
    assert json.loads((tmp_path / "run.json").read_text()) == {"tenant_id": "T1"}
    assert not run(OfCompany("t1", {"b": True})).failed
    for check in (True, False):
        other = OfCompany("T2", {"c": True})
        told = run(other, check)
        assert told.result["failure"]["code"] == "other_run_folder" and "T1" in told.result["msg"] and "T2" in told.result["msg"]
        assert other.writes == []
    for damaged in ("", "[]", "{}", "null", '{"tenant_id": 1}', '{"Tenant_Id": "T2"}'):  # what names nobody would be anybody's
        (tmp_path / "run.json").write_text(damaged)
        assert run(OfCompany("T1", {"c": True})).result["failure"]["code"] == "run_file_damaged"


def test_what_lies_in_a_run_folder_without_its_run_json_is_no_other_tenants(tmp_path):
    """Removed to be rid of `other_run_folder`, or left out of a copy: confirmations say whose they are, and a journal that somebody's changes are in it."""
    steps, path = tmp_path / "steps.json", str(tmp_path / "journal.jsonl")
    requires = {"run_dir": str(tmp_path), "steps": [], "snapshot": False}

    def run(lamps):
        with pytest.raises(Finished) as caught:
            task.run(Module(max_changes=9, journal=path, requires=requires), lambda params: lamps)
        return (caught.value.result.get("failure") or {}).get("code")

    steps.write_text(json.dumps({"steps": [STEP]}))  # confirmed before anybody knew the tenant
    assert run(Lamps({"a": True})) is None and run(OfCompany("T1", {"a": True})) is None
    (tmp_path / "run.json").unlink()
    assert run(OfCompany("T2", {"b": True})) == "other_run_folder" and not (tmp_path / "run.json").exists()
    assert required(tmp_path, {"steps": ["s"]}, "T2")[0] == "other_run_folder" and required(tmp_path, {"steps": ["s"]}, "t1")[0] is None
    assert run(OfCompany("T1", {"b": True})) is None and json.loads((tmp_path / "run.json").read_text()) == {"tenant_id": "T1"}
    (tmp_path / "run.json").write_text('{"tenant_id": "T2"}')  # steps.json copied from another run folder
    assert run(OfCompany("T2", {"c": True})) == "other_run_folder"


def test_a_journal_says_whose_it_is(tmp_path):
    """One that was copied beside another company's run.json tells nothing of that one, and one that was left without is its own company's."""

    def run(lamps, folder):
        with pytest.raises(Finished) as caught:
            task.run(Module(max_changes=9, journal=str(folder / "journal.jsonl")), lambda params: lamps)
        return (caught.value.result.get("failure") or {}).get("code")

    a, b = tmp_path / "a", tmp_path / "b"
    assert run(Lamps({"a": True}), a) is None and run(OfCompany("T1", {"a": True, "b": True}), a) is None and run(OfCompany("T2", {"b": True}), b) is None
    said = [json.loads(line).get("owner") for line in (a / "journal.jsonl").read_text().splitlines()]
    assert [one for one in said if one] == [{"tenant_id": "T1"}]
    (b / "journal.jsonl").write_bytes((a / "journal.jsonl").read_bytes() + b'{"record":"intent","owner":{"tenant')
    for tenant in ("T1", "T2"):
        assert run(OfCompany(tenant, {"c": True}), b) == "other_run_folder"
        assert required(b, {}, tenant)[0] == "other_run_folder"
    (a / "run.json").unlink()
    assert run(OfCompany("T2", {"c": True}), a) == "other_run_folder" and run(OfCompany("t1", {"c": True}), a) is None
    assert json.loads((a / "run.json").read_text()) == {"tenant_id": "T1"}


def test_a_run_folder_whose_journal_is_lost_is_no_evidence(tmp_path):
    """Confirmations would count that are older than what they confirm, and what was changed would seem to have been so before."""
    path = tmp_path / "journal.jsonl"

    def run(lamps):
        with pytest.raises(Finished) as caught:
            task.run(Module(max_changes=9, journal=str(path)), lambda params: lamps)
        return (caught.value.result.get("failure") or {}).get("code")

    assert run(OfCompany("T1", {"a": True})) is None
    path.unlink()
    assert run(OfCompany("T1", {"a": True})) is None  # without steps it may be one task of somebody's own
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [STEP], "tenant_id": "T1"}))
    kept = path.rename(tmp_path / "kept")
    assert run(OfCompany("T1", {"b": True})) == "run_file_damaged" == required(tmp_path, {"steps": ["s"]}, "T1")[0]
    kept.rename(path)
    assert required(tmp_path, {"steps": ["s"]}, "T1")[0] is None


@pytest.mark.parametrize(
    ("kind", "bound", "code"),
    [
        ("user", None, "run_file_damaged"),
        ("snapshot", {"directory": "DC=a"}, "run_file_damaged"),
        ("user", {"tenant_id": "T1"}, None),
        ("windows_software", None, None),
        ("linux_file", None, None),
        ("directory_object", {"directory": "DC=a"}, None),
    ],
)
def test_changes_in_an_unknown_tenant_are_no_evidence(tmp_path, kind, bound, code):
    record = {"record": "intent", "run": "x", "at": "2026-11-01T00:00:00Z", "kind": kind, "id": "1", "name": "domain", "action": "update"}
    (tmp_path / "journal.jsonl").write_text(json.dumps(record, separators=(",", ":")) + "\n")
    if bound:
        (tmp_path / "run.json").write_text(json.dumps(bound))
    told = required(tmp_path, {}, "T1")
    assert told[0] == code and (code is None or "run.json" in told[1])


STEP = {
    "id": "s",
    "stage": "gate",
    "en": "stop it",
    "ja": "止める",
    "blocks_final_gate": True,
    "source": "",
    "done": True,
    "by": "A",
    "at": "2026-11-01T00:00:00Z",
    "note": "",
}
AT = "2026-11-27T09:00:00Z"
MANIFEST = {
    "format": 1, "taken": AT, "tenant_id": "T1", "counts": {"users": 0}, "users": "all", "domains": ["a"], "federated": ["a"], "apps": [], "app_objects": [],
    "files": [{"name": "users.yml", "sha256": hashlib.sha256(b"").hexdigest()}],
}  # fmt: skip


class OfDomain(OfCompany):
    """Its changes are those of a domain."""

    def domains(self, changes):
        return ["A.example"] if list(changes) else []


@pytest.fixture
def at_nine(monkeypatch):
    """It is AT when a verdict's age is looked at."""

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromisoformat(AT)

    monkeypatch.setattr(preconditions.datetime, "datetime", Clock)


def required(tmp_path, requires, owner=None, check=False, lamps=None):
    """A task with `requires` that switches a lamp off; its end, and the warnings."""
    lamps = lamps or (OfCompany(owner, {"a": True}) if owner else Lamps({"a": True}))
    module = Module(check_mode=check, max_changes=9, requires={"run_dir": str(tmp_path), "steps": [], "snapshot": False, **requires})
    with pytest.raises(Finished) as caught:
        task.run(module, lambda params: lamps)
    code = (caught.value.result.get("failure") or {}).get("code")
    assert check or bool(lamps.writes) == (code is None)
    return code, caught.value.result.get("msg") or " ".join(module.warnings)


@pytest.mark.parametrize(
    ("steps", "manifest", "code"),
    [
        (None, None, "unknown_step"),
        ([STEP], None, "snapshot_missing"),
        ([STEP], {}, "snapshot_damaged"),
        ([STEP], MANIFEST, None),
        ([STEP], {name: value for name, value in MANIFEST.items() if name != "tenant_id"}, "snapshot_damaged"),
        ([STEP], MANIFEST | {"tenant_id": "T2"}, "other_run_folder"),
        ([STEP], MANIFEST | {"taken": 1}, "snapshot_damaged"),
        ([STEP], MANIFEST | {"files": []}, "snapshot_damaged"),
        ([STEP], MANIFEST | {"tenant_id": " \u200b"}, "snapshot_damaged"),
        ([STEP], MANIFEST | {"counts": {"users": -1}}, "snapshot_damaged"),
        ([STEP], MANIFEST | {"files": ["users.yml"]}, "snapshot_damaged"),
        ([STEP], MANIFEST | {"files": [{"name": "../steps.json", "sha256": "0" * 64}]}, "snapshot_damaged"),
        ([STEP], MANIFEST | {"files": [{"name": "gone.yml", "sha256": "0" * 64}]}, "snapshot_damaged"),
        ([STEP], MANIFEST | {"files": [{"name": "users.yml", "sha256": "0" * 64}]}, "snapshot_damaged"),
        ([STEP], MANIFEST | {"federated": "a"}, "snapshot_damaged"),
        ([STEP | {"done": False}], MANIFEST, "step_not_done"),
        ([STEP | {"done": "false"}], MANIFEST, "steps_file_damaged"),
        ([STEP | {"done": 1}], MANIFEST, "steps_file_damaged"),
        ([STEP, STEP | {"done": False}], MANIFEST, "steps_file_damaged"),
        ([STEP | {"done": False}, STEP], MANIFEST, "steps_file_damaged"),
        ([STEP | {"at": None}], MANIFEST, "steps_file_damaged"),
        ("none", MANIFEST, "steps_file_damaged"),
    ],
)
def test_the_changing_module_itself_demands_its_preconditions(tmp_path, steps, manifest, code):
    """Whatever ran before it: --start-at-task and --tags leave out the tasks that looked."""
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "users.yml").write_text("")
    if steps is not None:
        (tmp_path / "steps.json").write_text(json.dumps({"steps": steps}))
    if manifest is not None:
        (tmp_path / "snapshot" / "manifest.json").write_text(json.dumps(manifest))
    requires = {"steps": ["s"], "snapshot": True}
    assert required(tmp_path, requires, "T1")[0] == code
    checked, told = required(tmp_path, requires, "T1", check=True)
    assert checked is None and bool(told) == bool(code)
    with pytest.raises(Finished) as caught:  # nothing to change, nothing to demand
        task.run(Module(max_changes=9, requires={"run_dir": str(tmp_path), **requires}), lambda params: Lamps({"a": False}))
    assert not caught.value.failed


@pytest.mark.parametrize(
    ("lies_there", "code"),
    [
        ([], None),
        (["journal.jsonl", "run.json", "report.html"], None),
        (["steps.json"], "requires_missing"),
        (["gate.json"], "requires_missing"),
        (["snapshot/manifest.json"], "requires_missing"),
    ],
)
@pytest.mark.parametrize("option", ["journal", "handover_file", "results_file", "backup_dir"])
def test_a_task_of_ones_own_in_the_run_folder_of_an_exit_says_what_it_demands(tmp_path, lies_there, code, option):
    """A single task with nothing but a journal, or a hand-over file, would convert a domain or set passwords although no gate has opened."""
    (tmp_path / "snapshot").mkdir()
    for name in lies_there:
        (tmp_path / name).write_text('{"directory": "DC=a"}' if name == "run.json" else "")
    deeper, elsewhere = tmp_path / "partners" / "a", tmp_path / "link"
    deeper.mkdir(parents=True)
    elsewhere.symlink_to(deeper)
    saying = (None, {"run_dir": str(tmp_path), "steps": [], "snapshot": False})
    for check, inside, requires, folder in itertools.product((False, True), (False, True), saying, (tmp_path, deeper, elsewhere)):
        lamps = Lamps({"a": True})
        lamps.in_run_folder = inside
        module = Module(check_mode=check, max_changes=9, **{option: str(folder / "written")}, requires=requires)
        with pytest.raises(Finished) as caught:
            task.run(module, lambda params, lamps=lamps: lamps)
        refused = code if not inside and not requires else None
        assert (caught.value.result.get("failure") or {}).get("code") == (None if check else refused)
        assert bool(lamps.writes) == (not check and refused is None)
        assert any("`requires`" in text for text in module.warnings) == bool(check and refused)


def test_a_journal_of_its_own_says_that_a_task_is_no_part_of_the_exit(tmp_path):
    (tmp_path / "steps.json").write_text("")
    lamps = Lamps({"a": True})
    module = Module(max_changes=9, journal=str(tmp_path.parent / "own.jsonl"), results_file=str(tmp_path / "results.jsonl"))
    with pytest.raises(Finished):
        task.run(module, lambda params: lamps)
    assert lamps.writes


def verdict(**other):
    return {**gate.judge("T1", ["A.example"], "", 0, []), "at": AT, **other}


@pytest.mark.parametrize(
    ("recorded", "code", "told"),
    [
        (None, "gate_closed", "no verdict"),
        ({}, "gate_damaged", "gate.json"),
        (verdict(open="true"), "gate_damaged", "gate.json"),
        (verdict(reasons=["because"]), "gate_damaged", "gate.json"),
        (verdict(at="yesterday"), "gate_damaged", "gate.json"),
        (verdict(), None, ""),
        (verdict(tenant_id="T2"), "other_run_folder", "T2"),
        (verdict(open=False, reasons=["IIJ ID is at work."]), "gate_closed", "IIJ ID is at work."),
        (verdict(at="2026-11-26T08:59:59Z"), "gate_outdated", "offboard_gate_max_age_hours"),
        (verdict(at="2026-11-27T09:06:00Z"), "gate_closed", "a clock"),
        (verdict(domains=["b.example"]), "gate_closed", "not for a.example"),
    ],
)
def test_the_changing_module_itself_demands_the_gates_verdict(tmp_path, at_nine, recorded, code, told):
    if recorded is not None:
        (tmp_path / "gate.json").write_text(json.dumps(recorded))

    found, msg = required(tmp_path, {"gate_max_age_hours": 24}, lamps=OfDomain("T1", {"a": True}))
    assert found == code and told in msg


@pytest.mark.parametrize(
    ("stopped_at", "code"),
    [("2026-11-27T08:00:00Z", None), (AT, None), ("2026-11-27T09:00:01Z", "gate_outdated"), ("2026-11-27T18:00:01+09:00", "gate_outdated")],
)
def test_a_verdict_of_before_the_confirmed_stop_says_nothing_of_what_came_after_it(tmp_path, at_nine, stopped_at, code):
    """Withdrawn, since IIJ ID was at work again, and confirmed anew: nobody has looked since."""
    (tmp_path / "gate.json").write_text(json.dumps(verdict()))
    step = {"id": "provisioning_stopped", "stage": "gate", "en": "e", "ja": "j", "blocks_final_gate": True, "source": ""}
    step |= {"done": True, "by": "Hanako", "at": stopped_at, "note": ""}
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [step]}))
    found, msg = required(tmp_path, {"gate_max_age_hours": 24}, lamps=OfDomain("T1", {"a": True}))
    assert found == code and (not code or "the stop was confirmed later" in msg)


def people(**other):
    return {**sign_in.verdict("T1", ["A.example"], AT, 0, []), **other}


@pytest.mark.parametrize(
    ("recorded", "accepted", "code", "told"),
    [
        (None, 0, "sign_in_not_judged", "nobody has looked"),
        ({}, 0, "sign_in_damaged", "sign_in.json"),
        ([], 0, "sign_in_damaged", "sign_in.json"),
        (people(no_way_in_open=True), 0, "sign_in_damaged", "sign_in.json"),
        (people(no_way_in_open=-1), 0, "sign_in_damaged", "sign_in.json"),
        (people(users=["a\nb"]), 0, "sign_in_damaged", "sign_in.json"),
        (people(at="yesterday"), 0, "sign_in_damaged", "sign_in.json"),
        (people(), 0, None, ""),
        (people(tenant_id="T2"), 0, "other_run_folder", "T2"),
        (people(at="2026-11-26T08:59:59Z"), 0, "sign_in_outdated", "offboard_gate_max_age_hours"),
        (people(at="2026-11-27T09:06:00Z"), 0, "sign_in_not_judged", "a clock"),
        (people(domains=["b.example"]), 0, "sign_in_not_judged", "not for a.example"),
        (people(no_way_in_open=3, users=["x@a.example"]), 0, "no_way_in", "x@a.example (+2)"),
        (people(no_way_in_open=3, users=["x@a.example"]), 2, "no_way_in", "microsoft_365_accepted_no_way_in_count"),
        (people(no_way_in_open=3, users=["x@a.example"]), 3, None, ""),
    ],
)
def test_the_changing_module_itself_demands_that_nobody_is_left_without_a_way_in(tmp_path, at_nine, recorded, accepted, code, told):
    """A task before it asked; --start-at-task went past that."""
    if recorded is not None:
        (tmp_path / "sign_in.json").write_text(json.dumps(recorded))

    found, msg = required(tmp_path, {"sign_in_max_age_hours": 24, "accepted_no_way_in_count": accepted}, lamps=OfDomain("T1", {"a": True}))
    assert found == code and told in msg
    assert required(tmp_path, {}, lamps=OfDomain("T1", {"a": True}))[0] is None, "only whoever asks for it"


def test_the_snapshot_must_hold_what_changes(tmp_path):
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "users.yml").write_text("")
    (tmp_path / "snapshot" / "manifest.json").write_text(json.dumps(MANIFEST))

    class Lamp(OfCompany):
        def lacking(self, manifest, changes):
            return [change.name for change in changes if change.id not in manifest["domains"]]

    assert required(tmp_path, {"snapshot": True}, lamps=OfDomain("T1", {"a": True}))[0] is None
    code, told = required(tmp_path, {"snapshot": True}, lamps=Lamp("T1", {"a": True, "b": True}))
    assert code == "snapshot_incomplete" and "lamp b" in told and "offboard_run_dir" in told and "lamp a" not in told


def test_the_required_run_folder_may_belong_to_nobody_else(tmp_path):
    """Also where the journal lies elsewhere, or is not written."""
    (tmp_path / "run.json").write_text('{"tenant_id": "T1"}')
    assert required(tmp_path, {}, "T1")[0] is None
    assert required(tmp_path, {}, "T2")[0] == "other_run_folder"
    (tmp_path / "gate.json").write_text(json.dumps(verdict(tenant_id="T2")))  # a machine knows no tenant, its run folder does
    assert required(tmp_path, {"gate_max_age_hours": 24})[0] == "other_run_folder"


@pytest.mark.parametrize(
    ("saved_of", "works_on", "code"),
    [
        ({}, {}, None),  # OpenLDAP, or a machine, after accounts of the Active Directory domain were changed in the same run
        ({"machine": "sync01"}, {"machine": "sync01"}, None),
        ({"machine": "sync02"}, {"machine": "sync01"}, "other_run_folder"),
        ({"directory": "DC=A"}, {"directory": "DC=a"}, None),
        ({"directory": "DC=b"}, {"directory": "DC=a"}, "other_run_folder"),
        ({}, {"directory": "DC=a"}, "other_run_folder"),
        ({"tenant_id": "T2"}, {}, "other_run_folder"),
    ],
)
def test_a_saved_file_is_of_what_the_task_works_on(tmp_path, saved_of, works_on, code):
    class Somewhere(Lamps):
        def owner(self):
            return works_on

    (tmp_path / "run.json").write_text('{"tenant_id": "T1", "directory": "DC=a"}')
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "x.yml").write_text("x")
    entry = {"name": "x.yml", "sha256": hashlib.sha256(b"x").hexdigest()}
    (tmp_path / "snapshot" / "x.yml.json").write_text(json.dumps({"format": 1, "taken": AT, "files": [entry], "objects": ["a"], **saved_of}))
    assert required(tmp_path, {"snapshot_files": ["x.yml"]}, lamps=Somewhere({"a": True}))[0] == code


def test_who_cannot_know_the_tenant_is_told_it(tmp_path):
    """A Windows machine, a step of a person: bound and refused as the modules of the tenant are."""
    one, other = "5d0c9a2e-3c2f-4f7c-9a52-6a1ce0000001", "5d0c9a2e-3c2f-4f7c-9a52-6a1ce0000002"

    def run(lamps, tenant):
        with pytest.raises(Finished) as caught:
            task.run(Module(max_changes=9, journal=str(tmp_path / "journal.jsonl"), run_tenant_id=tenant), lambda params: lamps)
        return (caught.value.result.get("failure") or {}).get("code")

    assert run(Lamps({"a": True}), one) is None
    assert json.loads((tmp_path / "run.json").read_text()) == {"tenant_id": one}
    refused = Lamps({"a": True})
    assert run(refused, other) == "other_run_folder" and refused.writes == []
    assert run(Lamps({"a": True}), one.upper()) is None and run(Lamps({"a": True}), "reiji.example") is None
    assert run(OfCompany(other, {"a": True}), one) == "other_run_folder"  # the access token knows better


TENANT, ANOTHER = "5d0c9a2e-3c2f-4f7c-9a52-6a1ce0000001", "5d0c9a2e-3c2f-4f7c-9a52-6a1ce0000002"


@pytest.mark.parametrize(
    ("bound", "manifest", "given", "code"),
    [
        (None, None, TENANT, None),
        (None, MANIFEST | {"tenant_id": TENANT}, TENANT.upper(), None),
        (None, MANIFEST | {"tenant_id": ANOTHER}, TENANT, "other_run_folder"),
        (TENANT, MANIFEST | {"tenant_id": ANOTHER}, None, "other_run_folder"),
        (TENANT, MANIFEST | {"tenant_id": TENANT}, "reiji.example", None),
        (ANOTHER, None, TENANT, "other_run_folder"),
        (None, {}, TENANT, "snapshot_damaged"),
        (None, {name: value for name, value in MANIFEST.items() if name != "tenant_id"}, None, "snapshot_damaged"),
    ],
)
@pytest.mark.parametrize("requires", [None, {"steps": [], "snapshot": False}])
def test_a_run_folder_tells_only_a_snapshot_that_counts(tmp_path, bound, manifest, given, code, requires):
    """run_folder_info: neither the damaged one nor that of another tenant is a snapshot; in check mode too."""
    (tmp_path / "snapshot").mkdir()
    if bound:
        (tmp_path / "run.json").write_text(json.dumps({"tenant_id": bound}))
    if manifest is not None:
        (tmp_path / "snapshot" / "manifest.json").write_text(json.dumps(manifest))
    params = {"run_dir": str(tmp_path), "run_tenant_id": given, "requires": requires}
    for warn in (None, pytest.fail):
        if code is None:
            assert preconditions.info(params, warn)["snapshot"] == manifest
            continue
        with pytest.raises(OffboardError) as caught:
            preconditions.info(params, warn)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("step", "recorded", "code"),
    [
        ("administrators_have_passwords", [], None),
        ("administrators_have_passwords", [{"kind": "domain", "action": "convert_to_managed", "at": "2020-11-27T09:00:01Z"}], "step_not_done"),
        ("passwords_handed_over", [{"kind": "user", "action": "update", "at": "2020-11-27T09:00:01Z", "details": {"password_set": True}}], "step_not_done"),
        ("domain_controllers_restarted", [{"kind": "windows_password_filter", "action": "unregister", "at": "2020-11-27T09:00:01Z"}], "step_not_done"),
        ("domain_controllers_restarted", [{"kind": "windows_password_filter", "action": "unregister", "at": "2020-11-27T08:59:59Z"}], None),
    ],
)
def test_a_confirmation_older_than_what_it_confirms_satisfies_no_changing_module(tmp_path, step, recorded, code):
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [STEP | {"id": step, "at": "2020-11-27T09:00:00Z"}]}))
    lines = [{"record": "outcome", "run": "r", "at": one["at"], "kind": one["kind"], "id": "x", "name": "x", "action": one["action"], "status": "done",
              **({"details": one["details"]} if "details" in one else {})} for one in recorded]  # fmt: skip
    (tmp_path / "journal.jsonl").write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    (tmp_path / "run.json").write_text('{"tenant_id": "T1"}')
    assert required(tmp_path, {"steps": [step]})[0] == code


def test_a_restart_by_the_run_is_no_step_done_before_somebody_says_so(tmp_path):
    """The stage says so itself, once the filter's file is deleted."""
    step = STEP | {"id": "domain_controllers_restarted", "done": False, "by": "", "at": ""}
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [step]}))
    gone = {"record": "outcome", "run": "r", "at": "2020-11-27T09:00:00Z", "kind": "windows_password_filter", "id": "x/f", "name": "f", "action": "unregister"}
    lines = [gone, {**gone, "at": "2020-11-27T09:00:01Z", "kind": "windows_restart", "id": "x", "action": "restart"}]
    (tmp_path / "journal.jsonl").write_text("".join(json.dumps({**line, "status": "done"}, separators=(",", ":")) + "\n" for line in lines))
    assert required(tmp_path, {"steps": ["domain_controllers_restarted"]})[0] == "step_not_done"


@pytest.mark.parametrize(("order", "code"), [("back verdict", None), ("verdict back", "gate_outdated"), ("back", "gate_outdated"), ("", None)])
def test_the_order_tells_whether_an_app_came_back_after_the_verdict_where_a_clock_was_wrong(tmp_path, at_nine, order, code):
    """It was years ahead when the app was brought back, and was put right: the gate that was passed again would stay closed for years."""
    lines = {
        "back": outcome_of("service_principal", "enable", "2999-01-01T00:00:00Z"),
        "verdict": {"record": "intent", "run": "r", "at": AT, "kind": "gate_verdict", "id": "g", "name": "g", "action": "open", "after": {"at": AT}},
    }
    (tmp_path / "journal.jsonl").write_text("".join(json.dumps(lines[name], separators=(",", ":")) + "\n" for name in order.split()))
    (tmp_path / "run.json").write_text('{"tenant_id": "T1"}')
    (tmp_path / "gate.json").write_text(json.dumps(verdict(at=AT)))
    assert required(tmp_path, {"gate_max_age_hours": 24}, "T1")[0] == code


def outcome_of(kind, action, at):
    return {"record": "outcome", "run": "r", "at": at, "kind": kind, "id": "x", "name": "x", "action": action, "status": "done"}


def test_a_confirmation_of_tomorrow_satisfies_no_changing_module(tmp_path):
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [STEP | {"at": "2999-01-01T00:00:00Z"}]}))
    assert required(tmp_path, {"steps": ["s"]})[0] == "step_not_done"


@pytest.mark.parametrize(("hours", "code"), [(10**9, "bad_option"), (-1, "bad_option"), (0, "gate_outdated"), (100_000, None)])
def test_any_number_of_hours_ends_with_a_reason(tmp_path, hours, code):
    week = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=7)
    (tmp_path / "gate.json").write_text(json.dumps(verdict(at=f"{week:%Y-%m-%dT%H:%M:%SZ}")))
    module = Module(max_changes=9, requires={"run_dir": str(tmp_path), "steps": [], "snapshot": False, "gate_max_age_hours": hours})
    module.argument_spec = RUN
    with pytest.raises(Finished) as caught:
        task.run(module, lambda params: Lamps({"a": True}))
    assert (caught.value.result.get("failure") or {}).get("code") == code


def test_null_switches_no_guard_off():
    """An empty option of a survey, or of a file of variables, is none that was given."""
    module = Module(max_changes=None, requires=None)
    module.argument_spec = {**RUN, "parts": {"type": "list", "elements": "dict", "options": {"days": {"type": "int", "default": 14}}}}
    module.params["parts"] = [{"days": None}]
    with pytest.raises(Finished) as caught:
        task.run(module, lambda params: Lamps({str(number): True for number in range(21)}))
    assert caught.value.result["failure"]["code"] == "guard_refused"
    assert module.params["max_changes"] == 20 and module.params["parts"] == [{"days": 14}]
