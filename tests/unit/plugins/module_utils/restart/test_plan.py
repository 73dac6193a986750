# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machines are restarted, in which order, and how each comes back."""

from __future__ import annotations

import dataclasses
import json

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Outcome
from ansible_collections.offboard.iij_id.plugins.module_utils._core.predict import Predictions
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.controllers.plan import Controller
from ansible_collections.offboard.iij_id.plugins.module_utils._restart import plan as restarts
from ansible_collections.offboard.iij_id.plugins.module_utils._restart import resource
from ansible_collections.offboard.iij_id.plugins.module_utils._restart.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._restart.plan import Machine, WantedRestarts
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Answer
from dev.options import given

A, B, C = (Controller(f"{name}.ad.example", roles) for name, roles in (("a", ("pdc_emulator",)), ("b", ("rid_master",)), ("c", ())))
ILL = Controller("c.ad.example", problems=(("timeout", "no answer"),))
MACHINES = [Machine(one.name[0], f"h{one.name[0]}", "m1", True, one) for one in (A, B, C)]


@pytest.mark.parametrize(
    ("wanted", "order", "unchanged"),
    [
        ({}, "cba", 0),
        ({"waiting": ["ha", "hc"]}, "ca", 1),
        ({"waiting": []}, "", 3),
        ({"begun": {"hc": "m0"}}, "ba", 1),  # a stopped run had restarted it
        ({"begun": {"hc": "m1"}}, "cba", 0),  # and this one not
        ({"waiting": ["hc", "hb"], "begun": {"hc": "m0"}}, "b", 2),
    ],
)
def test_order(wanted, order, unchanged):
    made = restarts.plan(MACHINES, [A, B, C], WantedRestarts(by_directory=True, **wanted))
    assert [change.name for change in made.changes] == list(order)
    assert (made.unchanged, made.refusals) == (unchanged, [])


@pytest.mark.parametrize(("waiting", "named"), [(None, []), (["ha"], []), (["ha", "hx", "hb2"], ["hb2, hx"])])
def test_who_is_not_named_is_told(waiting, named):
    made = restarts.plan(MACHINES, [A, B, C], WantedRestarts(by_directory=True, waiting=waiting))
    assert [text.partition(":")[0] for text in made.warnings] == named


@pytest.mark.parametrize(
    ("machine", "controllers", "by_directory", "rules"),
    [
        (Machine("s", "hs", "", False), [], False, []),
        (Machine("a", "ha", "", True), [], False, ["unguarded"]),
        (Machine("s", "hs", "", False), [A, B], True, ["controller_unknown"]),
        (MACHINES[0], [A, B, C], True, []),
        (MACHINES[0], [A], True, ["too_few_healthy"]),
        (MACHINES[0], [A, B, ILL], True, ["unhealthy"]),
    ],
)
def test_refusals(machine, controllers, by_directory, rules):
    assert [item.rule for item in restarts.plan([machine], controllers, WantedRestarts(by_directory=by_directory)).refusals] == rules


def test_one_controller_under_two_names_is_not_restarted_twice():
    twice = [*MACHINES, Machine("A.AD.EXAMPLE", "10.0.0.1", "m1", True, A)]
    with pytest.raises(OffboardError) as error:
        restarts.plan(twice, [A, B, C], WantedRestarts(by_directory=True))
    assert error.value.code == "bad_option" and "a and A.AD.EXAMPLE are the same" in error.value.msg


def test_what_came_back_late_is_not_restarted_again():
    made = restarts.plan(MACHINES[2:], [A, B, C], WantedRestarts(by_directory=True, late={"hc": "m0"}))
    assert [(change.before, change.after) for change in made.changes] == [({"boot_mark": "m0"}, {"boot_mark": "m1"})]
    made = restarts.plan(MACHINES[2:], [A, B, C], WantedRestarts(by_directory=True, late={"hc": "m1"}))
    assert [change.after for change in made.changes] == [{"boot_mark": restarts.NOT_YET}]


def change(mark="m0", host="hc"):
    return Change(restarts.KIND, host, "c", "restart", {"boot_mark": mark}, {"boot_mark": restarts.NOT_YET})


def at(second):
    return f"2026-11-28T00:00:{second:02d}Z"


def asked(second, mark="m0"):
    return journal.intent(change(mark), "r", at(second))


def became(second, status="done", code=""):
    return journal.outcome(Outcome(change(), status, code), "r", at(second))


@pytest.mark.parametrize(
    ("records", "waiting_since", "begun", "late"),
    [
        ([], "", {}, {}),
        ([asked(1)], "", {"hc": "m0"}, {}),
        ([asked(1), became(2)], "", {}, {}),
        ([asked(1), became(2, "failed", "not_back")], "", {}, {"hc": "m0"}),
        ([asked(1), became(2, "failed", "restart_not_begun")], "", {}, {"hc": "m0"}),
        ([asked(1), became(2, "failed", "restart_refused")], "", {}, {}),
        ([asked(1), became(2, "failed", "not_back"), asked(3, "m1")], "", {"hc": "m1"}, {}),
        ([asked(1), became(2, "failed", "not_back"), asked(3, "m1"), became(4)], "", {}, {}),
        # what a run did not ask for, or did not come to, says nothing of what an earlier one had asked for
        ([asked(1), asked(2), became(3, "failed", "restart_refused")], "", {"hc": "m0"}, {}),
        ([asked(1), asked(2), became(3, "failed", "changed_since_read")], "", {"hc": "m0"}, {}),
        ([asked(1), became(2, "skipped", "earlier_failure")], "", {"hc": "m0"}, {}),
        # its answer, or all that came after it, was lost
        ([asked(1), became(2, "failed", "connection_lost")], "", {}, {"hc": "m0"}),
        ([asked(1), became(2, "failed", "not_healthy")], "", {}, {"hc": "m0"}),
        # what it shall unload was unregistered only after the restart was asked for
        ([asked(1)], at(2), {}, {}),
        ([asked(1), became(2, "failed", "not_back")], at(2), {}, {}),
        ([asked(3)], at(2), {"hc": "m0"}, {}),
        ([{**asked(1), "before": None}, {**asked(1), "id": 7}, {"record": "intent"}], "", {"hc": ""}, {}),
    ],
)
def test_what_earlier_runs_had_begun(records, waiting_since, begun, late):
    lines = [json.dumps(item, separators=(",", ":")).encode() for item in records] + [b'{"kind":"windows_restart"', b"[1]"]
    assert restarts.from_journal(lines, {"hc": waiting_since} if waiting_since else {}) == (begun, late)


@pytest.mark.parametrize(("names", "others"), [([], 1), ([("a", "h"), ("b", "H")], 1), ([("a", "h")], 0)])
def test_options_that_cannot_be_meant(names, others):
    with pytest.raises(OffboardError) as error:
        restarts.check_machines(names, others)
    assert error.value.code == "bad_option"


# --- one restart, as the machine and the directory answer ---

REFUSED = OffboardError("refused", code="connection_refused")
LOGON = OffboardError("logon failed", code="wrong_credentials")
LOST = OffboardError("the connection failed", code="connection_lost")


class Scripted:
    """A machine that has one boot mark after the other; an error is one look at which nobody answers."""

    def __init__(self, looks, code=0):
        self.looks, self.code, self.commands = list(looks), code, []

    host = "hc"

    def connect(self, _options):
        return self

    def run(self, *command):
        if command[0] == "shutdown.exe":
            self.commands.append(command)
            if isinstance(self.code, OffboardError):
                raise self.code
            return Answer(self.code, b"", b"")
        if "ProductOptions" in command[2]:
            return Answer(0, b"HKEY_X\n    ProductType    REG_SZ    LanmanNT\n", b"")
        now = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(now, OffboardError):
            raise now
        return Answer(0, f"HKEY_X\n    ShutdownTime    REG_BINARY    {now}\n".encode() if now else b"HKEY_X\n", b"")

    def close(self):
        pass


class Directory:
    """Domain controllers by name, each with the states it is found in, one after the other."""

    base = "DC=ad,DC=example"

    def __init__(self, **states):
        self.states = {name: list(found) for name, found in states.items()}

    def controller(self, name):
        found = self.states[name[0]]
        return found.pop(0) if len(found) > 1 else found[0]

    def controllers(self):
        return [self.controller(name) for name in self.states]


@pytest.fixture
def made(monkeypatch, clock):
    """The resource over a scripted machine, with a clock that nobody waits for."""

    def make(machine, directory=None, **options):
        given_directory = {"host": "d"} if directory else None
        minutes = dict.fromkeys(("gone_minutes", "back_minutes", "healthy_minutes"), 1)
        asked = {"machines": [{"host": "hc", "name": "c"}], "directory": given_directory, "verify_timeout": 9, **minutes, **options}
        found = resource.Restarts(Options.of(given("win_restart", **asked)), machine.connect)
        found._domain = directory
        return found

    return make


WELL = {"a": [A], "b": [B], "c": [C]}
FAILING = Controller("b.ad.example", problems=(("replication_failing", "replication fails"),))


@pytest.mark.parametrize(
    ("looks", "shutdown", "directory", "code"),
    [
        # read, before it is asked, then while it goes and comes
        (["m1", "m1", "m1", REFUSED, LOGON, "m1", "m2"], 0, WELL, None),
        (["", "", REFUSED, "m2"], 0, WELL, None),  # never shut down before
        (["m1", "m1", "m2"], 0, WELL, None),  # too quick to be seen gone
        (["m1", "m1", "m1", REFUSED, "m2"], 1190, WELL, None),
        (["m1", "m1", REFUSED, "m2"], 1115, WELL, None),
        # the answer is lost: it may have been asked for, and nobody would watch it
        (["m1", "m1", REFUSED, "m2"], LOST, WELL, None),
        (["m1", "m1"], LOST, WELL, "restart_not_begun"),
        (["m1"], REFUSED, WELL, "connection_refused"),
        (["m1", "m1"], 1190, WELL, "restart_not_begun"),
        (["m1"], 1314, WELL, "restart_refused"),
        (["m1"], 5, WELL, "restart_refused"),
        (["m1"], 0, WELL, "restart_not_begun"),
        (["m1", "m1", REFUSED], 0, WELL, "not_back"),
        (["m1", "m1", REFUSED, "m1"], 0, WELL, "not_back"),  # answers again, and has not been restarted
        (["m1", "m0"], 0, WELL, "changed_since_read"),
        (["m1", "m1", REFUSED, "m2"], 0, {**WELL, "c": [C, C, ILL, ILL, C]}, None),
        (["m1", "m1", REFUSED, "m2"], 0, {**WELL, "c": [C, C, ILL]}, "not_healthy"),
        (["m1", "m1", REFUSED, "m2"], 0, {**WELL, "b": [B, Controller("b.ad.example", problems=ILL.problems)]}, "domain_controller_unhealthy"),
    ],
)
def test_a_restart(made, looks, shutdown, directory, code):
    machine = Scripted(looks, shutdown)
    found = made(machine, Directory(**directory))
    plan = found.plan(found.read())
    assert plan.refusals == []
    (one,) = plan.changes
    if code is None:
        details = found.apply(one)
        assert details["boot_mark"] == "m2" and details["restarted"] is True
        assert details.get("under_way") == {1190: "scheduled", 1115: "in_progress"}.get(shutdown)
        assert list(found.verify([one])) == []
    else:
        with pytest.raises(OffboardError) as error:
            found.apply(one)
        assert error.value.code == code
        assert error.value.details.get("restarted") is (True if code == "not_healthy" else None)
    assert len(machine.commands) == (0 if code in ("changed_since_read", "domain_controller_unhealthy") else 1)
    assert found.facts(plan)["order"] == ["c"]


@pytest.mark.parametrize(("others", "code"), [([B, FAILING, FAILING, B], None), ([B, FAILING], "domain_controller_unhealthy")])
def test_what_others_have_missed_of_the_one_before_is_waited_for(made, others, code):
    """Their turn to replicate from it came while it was down; that is no reason to end the run, unless it stays so."""
    machine = Scripted(["m1", "m1", REFUSED, "m2"])
    found = made(machine, Directory(**{**WELL, "b": others}))
    (one,) = found.plan(found.read()).changes
    found._results = [{"name": "a", "status": "restarted"}]
    if code is None:
        assert found.apply(one)["boot_mark"] == "m2"
    else:
        with pytest.raises(OffboardError) as error:
            found.apply(one)
        assert (error.value.code, machine.commands) == (code, [])


def test_what_came_back_late_is_only_waited_for(made):
    machine = Scripted(["m2"])
    found = made(machine, Directory(**WELL))
    found._late = {"hc": "m1"}
    (one,) = found.plan(found.read()).changes
    assert found.apply(one) == {"restarted": True}
    assert machine.commands == [] and list(found.verify([one])) == []


def test_what_a_stopped_run_had_restarted(made):
    found = made(Scripted(["m2"]), Directory(**WELL))
    found._begun = {"hc": "m1"}
    assert len(found.plan(found.read()).changes) == 0
    mine, others = change("m1"), change("m1", "other")
    assert list(found.carried_out([mine, others])) == [mine]
    found._begun = {"hc": "m2"}
    assert list(found.carried_out([mine])) == []


def test_what_comes_back_between_reading_and_asking_is_not_restarted_again(made):
    machine = Scripted(["m1", "m2"])
    found = made(machine, Directory(**WELL))
    found._begun = {"hc": "m1"}
    (one,) = found.plan(found.read()).changes
    assert found.apply(one) == {"restarted": True, "boot_mark": "m2"} and machine.commands == []


def test_where_nothing_waits_nobody_is_asked(made):
    found = made(Scripted([REFUSED]), Directory(a=[]), only_unregistered=True, journal="/none")
    plan = found.plan(found.read())
    assert (len(plan.changes), plan.unchanged, plan.refusals) == (0, 1, [])


def test_who_is_named_is_restarted_once(made, tmp_path):
    """Whatever the journal says of filters; not again once a run has restarted it, but again where that failed before anything was asked for."""
    journal_file = tmp_path / "journal.jsonl"

    def planned(*records):
        journal_file.write_bytes(b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records))
        found = made(Scripted(["m1"]), Directory(**WELL), only_unregistered=True, also=["c"], journal=str(journal_file))
        return [one.name for one in found.plan(found.read()).changes]

    assert planned() == ["c"]
    assert planned(asked(1), became(2, "failed", "restart_refused")) == ["c"]
    assert planned(asked(1), became(2)) == []


FILTER = Change("windows_password_filter", "hc/iid", "iid", "unregister", {"registered": True}, {"registered": False})


@pytest.mark.parametrize(
    ("records", "also", "restarted", "all_of_them"),
    [
        ([], [], [], False),
        ([], ["c"], ["c"], False),  # what else was taken off by hand, nobody knows
        ([journal.outcome(Outcome(FILTER, "done"), "r", at(1))], [], ["c"], True),  # by this task
        ([journal.outcome(Outcome(FILTER, "done"), "r", at(1)), asked(2), became(3)], [], ["c"], True),
        ([asked(2), became(3)], ["c"], ["c"], False),
        ([journal.outcome(Outcome(dataclasses.replace(FILTER, id="hx/iid"), "done"), "r", at(1)), asked(2), became(3)], ["c"], ["c"], False),
    ],
)
def test_which_machines_no_longer_hold_what_was_loaded_before(made, tmp_path, records, also, restarted, all_of_them):
    (tmp_path / "journal.jsonl").write_bytes(b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records))
    found = made(Scripted(["m1"]), Directory(**WELL), only_unregistered=True, also=also, journal=str(tmp_path / "journal.jsonl"))
    facts = found.facts(found.plan(found.read()))
    assert (facts["restarted"], facts["all_restarted"]) == (restarted, all_of_them)


def test_who_is_named_must_be_one_of_the_machines(made):
    made(Scripted(["m1"]), only_unregistered=True, also=[" C."], journal="/none")
    with pytest.raises(OffboardError, match="also: x is none of the machines") as error:
        made(Scripted(["m1"]), only_unregistered=True, also=["c", "x"], journal="/none")
    assert error.value.code == "bad_option"


def test_a_check_run_counts_what_it_would_unregister(made):
    found = made(Scripted(["m1"]), Directory(**WELL), only_unregistered=True, journal="/none")
    assert len(found.plan(found.read()).changes) == 0
    found.assume(Predictions([Change("windows_password_filter", "hc/iid", "iid", "unregister", {"registered": True}, {"registered": False})]))
    assert [one.name for one in found.plan(found.read()).changes] == ["c"]


@pytest.mark.parametrize(
    ("looks", "codes"),
    [(["m1"], []), ([REFUSED, REFUSED, "m1"], []), (["m0"], ["not_seen"]), ([OffboardError("gone", code="timeout")], ["not_seen"])],
)
def test_each_answers_once_more_at_the_end(made, looks, codes):
    assert [item.code for item in made(Scripted(looks)).verify([change("m0")])] == codes
