# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import shlex

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.splitter import parse_kv
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal_lines
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.preconditions import steps_now
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps import plan as steps

AT = "2026-11-21T10:00:00Z"


def definition(identity, **other):
    return {"id": identity, "stage": "gate", "en": f"do {identity}", "ja": f"{identity}をする", "blocks_final_gate": True, "source": "", **other}


def state(identity, done=False, **other):
    record = definition(identity)
    del record["id"]
    return {**record, "done": done, "by": "Hanako" if done else "", "at": AT if done else "", "note": "", **other}


@pytest.mark.parametrize(
    ("current", "options", "expected"),
    [
        ({}, {"definitions": [definition("a")]}, [("register", "a", None, state("a"))]),
        ({"a": state("a", done=True)}, {"definitions": [definition("a")]}, []),
        # a new wording keeps the confirmation
        ({"a": state("a", done=True)}, {"definitions": [definition("a", en="do a well")]}, [("register", "a", "do a", "do a well")]),
        ({"a": state("a")}, {"confirm": ["a"], "by": "Taro", "at": AT, "note": "n"}, [("confirm", "a", False, True)]),
        # the first confirmation stays
        ({"a": state("a", done=True)}, {"confirm": ["a"], "by": "Taro", "at": AT}, []),
        ({"a": state("a", done=True)}, {"withdraw": ["a"]}, [("withdraw", "a", True, False)]),
        ({"a": state("a")}, {"withdraw": ["a"]}, []),
        # registered and confirmed by one task
        ({}, {"definitions": [definition("a")], "confirm": ["a"], "by": "Taro"}, [("register", "a", None, state("a")), ("confirm", "a", False, True)]),
    ],
)
def test_changes(current, options, expected):
    made = steps.changes(current, **options)
    shown = []
    for change in made:
        before, after = change.before, change.after
        if change.action != "register":
            before, after = before["done"], after["done"]
        elif before is not None:
            before, after = before["en"], after["en"]
        shown.append((change.action, change.id, before, after))
    assert shown == expected


def test_apply_gives_what_the_changes_promise():
    current = {"a": state("a")}
    made = steps.changes(current, [definition("b"), definition("a", ja="新")], confirm=["a"], by="Taro", at=AT, note="ok")
    after = steps.apply(current, made)
    assert after["a"] == state("a", done=True, by="Taro", note="ok", ja="新")
    assert after["b"] == state("b")
    assert current["a"]["done"] is False


@pytest.mark.parametrize("bad", ["", "A", "a-b", "1a", "a b"])
def test_a_bad_id_is_refused(bad):
    with pytest.raises(OffboardError) as caught:
        steps.changes({}, [definition(bad)])
    assert caught.value.code == "invalid_step"


def test_an_id_defined_twice_is_refused():
    with pytest.raises(OffboardError) as caught:
        steps.changes({}, [definition("a"), definition("a")])
    assert caught.value.code == "invalid_step" and "twice" in caught.value.msg


@pytest.mark.parametrize("option", ["confirm", "withdraw"])
def test_an_unknown_step_is_refused_with_the_list(option):
    with pytest.raises(OffboardError) as caught:
        steps.changes({"b": state("b"), "a": state("a")}, **{option: ["c"]})
    assert caught.value.code == "unknown_step" and "a, b" in caught.value.msg
    with pytest.raises(OffboardError, match="run the stage preflight first"):
        steps.changes({}, **{option: ["c"]})


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("/srv/run", "-e offboard_run_dir=/srv/run"),
        ("/srv/脱退作業/2026,本番", "-e offboard_run_dir=/srv/脱退作業/2026,本番"),
        ("/srv/IIJ ID exit", "-e '{offboard_run_dir: /srv/IIJ ID exit}'"),
        ("/srv/IIJ ID (本番)", """-e '{offboard_run_dir: "/srv/IIJ ID (本番)"}'"""),
        *((folder, None) for folder in ("/srv/exit #1", "/srv/a: b", "/srv/Taro's run", '/srv/a "b" $HOME', "/srv/a\\b c", "/srv/a, b", "/srv/a ", "/srv/a;b")),
    ],
)  # fmt: skip
def test_the_run_folder_arrives_as_it_is_called(folder, told):
    assert told in (None, steps.in_run_folder(folder))
    option, value = shlex.split(steps.in_run_folder(folder))
    given = DataLoader().load(value) if value.startswith("{") else parse_kv(value)  # as Ansible takes -e
    assert option == "-e" and given == {"offboard_run_dir": folder}
    assert steps.in_run_folder(folder) in steps.confirm_command(["a"], folder)


def test_what_is_required_and_open_is_named_in_both_languages_with_the_command():
    states = {"a": state("a"), "b": state("b", done=True), "c": state("c")}
    assert steps.not_done(states, ["a", "b", "c"]) == ["a", "c"]
    error = steps.not_done_error(states, ["a", "c"], "/srv/run")
    assert error.code == "step_not_done"
    assert "do a / aをする" in error.msg and "do c / cをする" in error.msg
    assert error.details["confirm_command"] in error.msg
    assert "-e offboard_run_dir=/srv/run -e step=a,c -e " in error.details["confirm_command"]
    assert [step["id"] for step in error.details["steps"]] == ["a", "c"]
    with pytest.raises(OffboardError, match="no step 'x'"):
        steps.not_done(states, ["x"])


def test_a_record_is_read_as_it_was_written():
    record = steps.to_record("a", state("a", done=True))
    assert steps.to_record("a", steps.to_object(record).state) == record


@pytest.mark.parametrize("name", ["Hanako Reiji", "例示 花子"])
def test_the_command_as_ansible_prints_it_records_the_whole_name(name):
    command = steps.confirm_command(["a"], "/srv/run")
    assert json.dumps(command) == f'"{command}"'
    assert DataLoader().load(shlex.split(command.replace("YOUR_NAME", name))[-1]) == {"by": name}


def outcome(at, status="done", **other):
    record = {"record": "outcome", "run": "r", "at": at, "kind": "user", "id": "u", "name": "u", "action": "update", "status": status, **other}
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def latest(lines, since):
    """Of all kinds."""
    return steps.latest(lines, dict.fromkeys(steps.CONFIRMS.values(), since))


def test_latest_of_what_a_step_confirms() -> None:
    lines = [
        outcome("2026-01-01T00:00:01Z", details={"password_set": True}),
        outcome("2026-01-01T00:00:03Z", "failed", details={"steps_done": ["patch"], "password_set": True}),
        outcome("2026-01-01T00:00:04Z", details={"steps_done": ["patch"], "password_set": False}),
        outcome("2026-01-01T00:00:05Z", details={"steps_done": ["patch", "licences"]}),
        outcome("2026-01-01T00:00:06Z", kind="domain", action="convert_to_managed"),
        outcome("2026-01-01T00:00:07Z", "failed", kind="domain", action="convert_to_managed"),
        outcome("2026-01-01T00:00:08Z", details={"password_set": True}).replace(b"outcome", b"intent"),
    ]
    assert latest(lines, "") == {"handed_over": "2026-01-01T00:00:03Z", "converted": "2026-01-01T00:00:06Z"}
    assert latest([outcome("2026-01-01T00:00:09Z", details={"steps_done": ["old_pass", "pass"]})], "") == {"handed_over": "2026-01-01T00:00:09Z"}
    assert latest([outcome("2026-01-01T00:00:09Z", kind="windows_password_filter", action="unregister")], "") == {"unregistered": "2026-01-01T00:00:09Z"}
    assert latest([outcome("2026-01-01T00:00:09Z", kind="windows_password_filter", action="remove_file")], "") == {}
    # an agent's own uninstaller takes the filter away; one that was seen to have worked only by a later run may have
    software = {"kind": "windows_software", "action": "uninstall"}
    assert latest([outcome("2026-01-01T00:00:09Z", **software, details={"exit_code": 0})], "") == {}
    for status, details in (("done", {"exit_code": 0, "password_filters_gone": ["f"]}), ("failed", {"password_filters_gone": ["f"]}), ("done", None)):
        assert latest([outcome("2026-01-01T00:00:09Z", status, **software, details=details)], "") == {"unregistered": "2026-01-01T00:00:09Z"}
    assert latest([outcome("2026-01-01T00:00:09Z", "failed", **software)], "") == {}
    assert latest([], "") == {}
    for kind, action in (("application", "restore"), ("service_principal", "restore"), ("service_principal", "enable")):
        assert latest([outcome("2026-01-01T00:00:09Z", kind=kind, action=action)], "") == {"app_back": "2026-01-01T00:00:09Z"}
        assert latest([outcome("2026-01-01T00:00:09Z", "failed", kind=kind, action=action)], "") == {}
    for kind, action in (("application", "delete"), ("service_principal", "disable"), ("directory_object", "enable"), ("intune_assignment", "restore")):
        assert latest([outcome("2026-01-01T00:00:09Z", kind=kind, action=action)], "") == {}


def intent(at, after=None, **other):
    record = {"record": "intent", "run": "r", "at": at, "kind": "user", "id": "u", "name": "u", "action": "update", "before": None, "after": after, **other}
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


PASSWORD, PASS = {"passwordProfile": "(new password)"}, {"temporaryAccessPass": "(new Temporary Access Pass)"}
DOMAIN = {"kind": "domain", "action": "convert_to_managed"}
SETTLED = {"begun_at": "2026-01-01T00:00:01Z"}


@pytest.mark.parametrize(
    ("begun", "ended", "kind"),
    [
        # killed, and nobody has looked since
        ({"after": PASSWORD}, None, "handed_over"),
        ({"after": PASS}, None, "handed_over"),
        ({"after": {"accountEnabled": True}}, None, ""),
        (DOMAIN, None, "converted"),
        ({"kind": "windows_password_filter", "action": "unregister"}, None, "unregistered"),
        # a later run has seen it, and does not set it again
        ({"after": PASSWORD}, {"details": SETTLED}, "handed_over"),
        ({"after": {"accountEnabled": True}}, {"details": SETTLED}, ""),
        # no answer, so nobody knows; refused, so nothing was done
        ({"after": PASSWORD}, {"status": "failed", "code": "answer_lost", "details": {"steps_done": []}}, "handed_over"),
        ({"after": PASSWORD}, {"status": "failed", "code": "unauthorized", "details": {"steps_done": []}}, "handed_over"),
        ({"after": PASSWORD}, {"status": "failed", "code": "password_refused", "details": {"steps_done": [], "password_set": False}}, ""),
        ({"after": PASSWORD}, {"status": "skipped", "code": "not_tried"}, ""),
        ({"after": PASS}, {"status": "failed", "code": "answer_lost", "details": {"steps_done": []}}, ""),
        (DOMAIN, {**DOMAIN, "status": "failed", "code": "answer_lost"}, "converted"),
        (DOMAIN, {**DOMAIN, "status": "failed", "code": "permission_missing"}, ""),
    ],
)
def test_what_may_have_been_done_outdates_its_confirmation(begun, ended, kind) -> None:
    lines = [intent("2026-01-01T00:00:01Z", **begun)] + ([outcome("2026-01-01T00:00:02Z", **ended)] if ended else [])
    assert latest(lines, "") == ({kind: f"2026-01-01T00:00:0{len(lines)}Z"} if kind else {})


def test_each_kind_is_looked_for_from_its_confirmation_on() -> None:
    """The stop is confirmed before anything is done to 100,000 users, and each task of the later stages asks whether it counts."""
    users = [outcome(f"2026-01-01T00:00:0{second}Z", details={"password_set": True}) for second in (2, 4)]
    lines = [*users, outcome("2026-01-01T00:00:03Z", kind="service_principal", action="enable"), outcome("2026-01-01T00:00:05Z", kind="other")]
    assert list(journal_lines.recent_of([*lines, b"cut off"], {"service_principal": "2026-01-01T00:00:01Z"})) == [lines[2], b"cut off"]
    assert list(journal_lines.recent_of(lines, {"service_principal": "2026-01-01T00:00:01Z", "user": "2026-01-01T00:00:03Z"})) == lines[1:3]
    assert steps.latest(lines, {"app_back": "2026-01-01T00:00:01Z"}) == {"app_back": "2026-01-01T00:00:03Z"}


@pytest.mark.parametrize(("work", "kind"), [(DOMAIN, "converted"), ({"kind": "service_principal", "action": "restore"}, "app_back")])
def test_what_a_later_run_has_seen_was_done_when_it_was_begun(work, kind) -> None:
    """Who has confirmed in between, did so after it."""
    lines = [intent("2026-01-01T00:00:01Z", **work)]
    assert latest(lines, "") == {kind: "2026-01-01T00:00:01Z"}
    assert latest([*lines, outcome("2026-01-01T00:00:03Z", **work, details=SETTLED)], "2026-01-01T00:00:02Z") == {kind: "2026-01-01T00:00:01Z"}


@pytest.mark.parametrize("since", ["2026-01-01T00:00:02Z", "2026-01-01T09:00:02+09:00", "2026-01-01T00:00:02.5Z", "", "t"])
def test_what_was_before_a_confirmation_is_not_looked_at(since) -> None:
    lines = [outcome(f"2026-01-01T00:00:0{second}Z", details={"password_set": True}) for second in (1, 2, 3)]
    kept = list(journal_lines.recent(lines, since))
    assert kept == (lines[1:] if len(since) > 1 else lines) and latest(lines, since) == {"handed_over": "2026-01-01T00:00:03Z"}
    others = [b"{}", b'{"at":"', b'{"record":"outcome","at":"2020-01-01T00:00:00+00:00"}', lines[0].replace(b'"at":', b'"at": ')]
    assert list(journal_lines.recent(others, since)) == others


@pytest.mark.parametrize(
    ("begun", "ended", "last"),
    [
        (DOMAIN, None, 1),
        (DOMAIN, {**DOMAIN, "status": "failed", "code": "connection_lost"}, 2),
        (DOMAIN, {**DOMAIN, "status": "failed", "code": "refused"}, 0),
        ({}, {"status": "failed", "code": "refused", "details": {"steps_done": ["patch"]}}, 2),
        ({}, {"status": "failed", "code": "refused", "details": {"steps_done": []}}, 0),
        ({}, {}, 2),
        ({"kind": "manual_step", "action": "confirm"}, None, 0),
    ],
)
def test_the_last_change_may_be_one_that_nobody_has_seen(begun, ended, last) -> None:
    lines = [intent("2026-01-01T00:00:01Z", **begun)] + ([outcome("2026-01-01T00:00:02Z", **ended)] if ended is not None else [])
    assert journal_lines.last_change(lines, "") == (f"2026-01-01T00:00:0{last}Z" if last else "")


@pytest.mark.parametrize(
    ("written", "done"),
    [
        (["set 09:00", "confirm 10:00"], True),
        (["confirm 10:00", "set 11:00"], False),
        # the clock was an hour ahead when somebody confirmed; since it was set right, passwords were set
        (["confirm 10:00", "set 09:10"], False),
        (["set 09:00", "confirm 10:00", "settle 09:10"], True),
        # it was wrong when they were set: nobody can confirm it later than in 2031
        (["set 2031", "confirm 10:00"], True),
        (["set 2031", "confirm 09:00", "confirm 10:00"], True),
        (["confirm 10:00", "set 2031"], False),
        # by the time alone, where the journal does not have that confirmation
        (["confirm 09:00", "set 09:30"], True),
        (["confirm 09:00", "set 10:30"], False),
        (["set 09:30"], True),
        (["begin 2031", "confirm 10:00"], True),
        (["confirm 10:00", "begin 09:10"], False),
        (["confirm 10:00", "begin 09:10", "settle 09:20"], False),
    ],
)
@pytest.mark.parametrize("step", ["passwords_handed_over", "provisioning_stopped"])
def test_a_confirmation_counts_by_its_place_where_a_clock_was_wrong(tmp_path, written, done, step) -> None:
    work = {} if step == "passwords_handed_over" else {"kind": "service_principal", "action": "restore"}
    lines = []
    for word in written:
        what, _blank, at = word.partition(" ")
        at = "2031-01-01T00:00:00Z" if at == "2031" else f"2026-11-21T{at}:00Z"
        match what:
            case "set":
                lines += [intent(at, PASSWORD, **work), outcome(at, **work, details={"password_set": True})]
            case "begin":
                lines += [intent(at, PASSWORD, **work)]
            case "settle":  # begun before it, and seen by a later run
                lines += [outcome(at, **work, details=SETTLED)]
            case "confirm":
                lines += [intent(at, {"done": True, "by": "Hanako", "at": at, "note": ""}, kind="manual_step", id=step, name=step, action="confirm")]
    (tmp_path / "journal.jsonl").write_bytes(b"".join(lines))
    record = steps.to_record(step, state(step, done=True, at="2026-11-21T10:00:00Z"))
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [record]}))
    for file in tmp_path.iterdir():
        file.chmod(0o600)
    (found,) = steps_now(str(tmp_path / "steps.json"))
    assert found.state["done"] is done


def test_a_stop_that_was_confirmed_before_the_app_came_back_is_none() -> None:
    """IIJ ID can work again, and who stops its provisioning now blocks people unless the gate waits."""
    state = {**dict.fromkeys(steps.DEFINITION, "x"), "done": True, "by": "Hanako", "at": "2026-01-01T00:00:05Z", "note": ""}
    for back, done in (("2026-01-01T00:00:04Z", True), ("2026-01-01T00:00:06Z", False)):
        states = steps.as_of({"provisioning_stopped": state}, {"app_back": back})
        assert states["provisioning_stopped"]["done"] is done
    told = steps.why_open({"id": "provisioning_stopped", **states["provisioning_stopped"]})
    assert told is not None and "app was brought back later" in told.en and "アプリを元に戻した" in told.ja


FILTER, RESTART = {"kind": "windows_password_filter", "action": "unregister"}, {"kind": "windows_restart", "action": "restart"}


@pytest.mark.parametrize(
    ("records", "waiting", "restarted"),
    [
        ([], [], {}),
        ([(1, "a/f", FILTER)], ["a"], {}),
        ([(1, "a/f", FILTER), (2, "a", RESTART)], [], {"a": 2}),
        ([(2, "a/f", FILTER), (1, "a", RESTART)], ["a"], {}),
        ([(1, "a/f", FILTER), (1, "a", RESTART)], ["a"], {}),  # which was first, nobody knows
        ([(3, "a", RESTART), (2, "a/f", FILTER)], ["a"], {}),  # the clock was ahead when it was restarted
        ([(3, "a", RESTART), (2, "a/f", FILTER), (4, "a", RESTART)], [], {"a": 4}),
        ([(1, "a/f", FILTER), (2, "b", RESTART)], ["a"], {}),
        ([(1, "b", RESTART)], [], {}),
        ([(1, "a/f", FILTER), (2, "a", RESTART), (3, "a/g", FILTER)], ["a"], {}),
        ([(1, "a/f", FILTER), (1, "b/f", FILTER), (2, "a", RESTART)], ["b"], {"a": 2}),
        ([(1, "a/f", FILTER), (1, "b/f", FILTER), (2, "a", RESTART), (3, "b", RESTART)], [], {"a": 2, "b": 3}),
        ([(1, "a/f", FILTER), (2, "a", {**RESTART, "status": "failed", "code": "not_back"})], ["a"], {}),
        ([(1, "a/f", FILTER), (2, "a", {**RESTART, "status": "failed", "code": "not_healthy", "details": {"restarted": True}})], [], {"a": 2}),
        ([(1, "a/f", FILTER), (2, "a", RESTART), (3, "a", {**RESTART, "status": "failed", "code": "not_seen"})], ["a"], {}),
        (
            [(1, "a/machine/x", {"kind": "windows_software", "action": "uninstall", "details": {"password_filters_gone": ["f"]}}), (2, "a", RESTART)],
            [],
            {"a": 2},
        ),
        ([(1, "a/f", {**FILTER, "status": "failed"})], [], {}),
    ],
)
def test_which_machines_still_hold_a_filter(records, waiting, restarted) -> None:
    lines = [outcome(f"2026-01-01T00:00:0{second}Z", **{"id": identity, **other}) for second, identity, other in records]
    found, over = journal_lines.restarts(lines)
    assert (sorted(found), over) == (waiting, {host: f"2026-01-01T00:00:0{second}Z" for host, second in restarted.items()})


@pytest.mark.parametrize(
    ("at", "last", "done"),
    [
        (AT, {}, True),
        (AT, {"handed_over": "2026-11-21T09:59:59Z"}, True),
        (AT, {"handed_over": AT}, True),
        (AT, {"handed_over": "2026-11-21T10:00:01Z"}, False),
        (AT, {"converted": "2026-11-21T10:00:01Z"}, True),
        ("", {"handed_over": AT}, False),
        ("zzz", {"handed_over": AT}, False),  # by its letters it would be the newest
        ("2026-11-21T18:59:00+09:00", {"handed_over": AT}, False),
        ("2026-11-21T19:00:00+09:00", {"handed_over": AT}, True),
        ("2026-11-21T10:00:00", {"handed_over": AT}, False),
    ],
)
def test_a_confirmation_older_than_what_it_confirms_is_none(at, last, done) -> None:
    states = {"passwords_handed_over": state("passwords_handed_over", done=True, at=at), "a": state("a", done=True)}
    found = steps.as_of(states, last)
    assert found["passwords_handed_over"]["done"] is done
    assert found["a"] == states["a"]
    assert list(steps.outdated(states, last)) == ([] if done else ["passwords_handed_over"])


def test_what_was_confirmed_too_early_is_told_with_who_and_when() -> None:
    since = "2026-11-21T10:00:01Z"
    found = steps.as_of({"passwords_handed_over": state("passwords_handed_over", done=True)}, {"handed_over": since})
    step = steps.to_shown("passwords_handed_over", found["passwords_handed_over"])
    assert (step["done"], step["void"]) == (False, {"by": "Hanako", "at": AT, "since": since})
    why = steps.why_open(step, lambda at: at[11:19])
    assert why is not None
    assert all(part in text for text in why for part in ("Hanako", "10:00:00", "10:00:01"))
    assert all(AT in text and since in text for text in steps.to_do(step))
    message = steps.not_done_error(found, ["passwords_handed_over"], "/srv/run", "en").msg
    assert f"Hanako confirmed it at {AT}" in message and "do passwords_handed_over" in message
    assert set(steps.to_record("passwords_handed_over", found["passwords_handed_over"])) == {"id", *steps.DEFINITION, "done", "by", "at", "note"}


def test_a_new_confirmation_takes_its_place() -> None:
    found = steps.as_of({"passwords_handed_over": state("passwords_handed_over", done=True)}, {"handed_over": "2026-11-21T10:00:01Z"})
    made = steps.changes(found, confirm=["passwords_handed_over"], by="Taro", at="2026-11-21T11:00:00Z")
    (after,) = steps.apply(found, made).values()
    assert (after["done"], after["by"], "void" in after) == (True, "Taro", False)
    (worded,) = steps.apply(found, steps.changes(found, [definition("passwords_handed_over", en="new")])).values()
    assert (worded["done"], "void" in worded, worded["en"]) == (False, True, "new")


def test_nobody_confirmed_it() -> None:
    assert steps.why_open(state("a")) is None
    assert steps.to_do(state("a")).en == "do a"


@pytest.mark.parametrize(
    ("at", "done"), [(AT, True), ("2026-11-21T10:04:00Z", True), ("2026-11-21T10:06:00Z", False), ("2999-01-01T00:00:00Z", False), ("t", True)]
)
def test_a_confirmation_that_is_yet_to_come_is_none(at, done) -> None:
    states = {"a": state("a", done=True, at=at)}
    found = steps.as_of(states, {}, AT)["a"]
    assert found["done"] is done
    why = steps.why_open(found)
    assert (why is None) if done else why is not None and "yet to come" in why.en and at in why.ja
