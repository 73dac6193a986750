# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's domain controller cannot be made to do; the rest is in tests/integration_lab/test_directory.py."""

from __future__ import annotations

import json

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.dn import key as dn_key
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object, Outcome
from ansible_collections.offboard.iij_id.plugins.module_utils._core.spool import Spool
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.known import Known
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects import resource as resource_module
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects.plan import KIND
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects.resource import DirectoryObjects
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_entry.read import Memory
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry
from ansible_collections.offboard.iij_id.plugins.module_utils._module.files import append_records
from dev.options import given


class Replica:
    """A domain controller that shows a change only when it is read the `after`th time."""

    def __init__(self, before, now, after):
        self.answers, self.now = [before] * after, now

    def read(self, dn, attributes, guid):
        return self.answers.pop() if self.answers else self.now


def enabled(yes):
    return Entry("CN=a", {"userAccountControl": [b"512" if yes else b"514"]})


def asked(verify_timeout):
    return Options.of(given("directory_object", objects=[], state="absent", verify_timeout=verify_timeout))


CASES = [("delete", enabled(True), None), ("disable", enabled(True), enabled(False)), ("enable", enabled(False), enabled(True))]


@pytest.mark.parametrize(("action", "before", "now"), CASES)
@pytest.mark.parametrize(("after", "timeout", "codes"), [(0, 0, []), (1, 5, []), (1000, 0, ["not_seen"])])
def test_a_change_counts_when_it_is_seen(action, before, now, after, timeout, codes):
    resource = DirectoryObjects(Replica(before, now, after), asked(timeout))
    late = list(resource.verify(Spool([Change(KIND, "CN=a", "a", action, {}, {})])))
    assert [item.code for item in late] == codes


def test_one_that_is_late_hides_no_other(clock):
    """Each is read as long as the others are waited for; the time is not used up by the first."""
    reads: list[str] = []

    class Two:
        def read(self, dn, attributes, guid):
            reads.append(dn)
            return None if dn == "CN=b" and reads.count("CN=b") > 3 else enabled(True)

    resource = DirectoryObjects(Two(), asked(20))
    late = list(resource.verify(Spool([Change(KIND, dn, dn, "delete", {}, {}) for dn in ("CN=a", "CN=b")])))
    assert [(item.change.id, item.code) for item in late] == [("CN=a", "not_seen")]
    assert reads[:4] == ["CN=a", "CN=b", "CN=a", "CN=b"]


@pytest.mark.parametrize(
    ("action", "entry", "there"),
    [("delete", None, True), ("delete", enabled(True), False), ("disable", enabled(False), True), ("disable", enabled(True), False), ("enable", None, False)],
)
def test_what_a_stopped_run_had_begun(action, entry, there):
    resource = DirectoryObjects(Replica(entry, entry, 0), asked(0))
    resource._wanted = ["CN=A"]
    mine, others = (Change(KIND, dn, "a", action, {}, {}) for dn in ("CN=a", "CN=b"))
    assert list(resource.carried_out([mine, others])) == [mine] * there
    assert list(resource.carried_out([Change(KIND, "CN=a", "a", "restore", None, {})])) == []  # in many steps; its own plan tells what is missing


GUID, MADE = "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11", "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f22"


def test_whose_a_name_was_is_remembered_in_every_form_and_whatever_else_lies_in_the_journal(tmp_path):
    """A confirmation means the object that had the name then; typed with another escape it would mean whoever has it now."""
    guid = "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11"
    record = {"kind": KIND, "id": r"CN=Sync\, User,DC=e", "action": "disable", "at": "2026-11-27T09:00:00Z", "before": {"objectGUID": guid}}
    nested = b'{"kind":"directory_object","id":' + b"[" * 100_000
    odd = [{**record, "before": []}, {**record, "id": 5}, {**record, "before": {"objectGUID": 5}}, []]
    lines = [nested, b'{"kind":"directory_object"', *(json.dumps(one, separators=(",", ":")).encode() for one in (*odd, record, *odd))]
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"\n".join(lines))
    meant: dict[str, tuple[str, str]] = {}
    resource_module._add_from_journal(meant, str(path))
    assert meant[dn_key(r"cn=sync\2C user, dc=E")][0] == guid and len(meant) == 1


@pytest.mark.parametrize(
    ("outcome", "remembered"),
    [
        # nothing was made, so the name means whom it meant: another account may have taken it over meanwhile
        ({"status": "failed", "code": "insufficient_rights"}, GUID),
        ({"status": "failed", "code": "connection_lost"}, None),
        ({"status": "failed", "code": "insufficient_rights", "details": {"steps_done": ["restore"]}}, None),
        ({"status": "failed", "code": "insufficient_rights", "details": {"steps_done": ["restore"], "objectGUID": MADE}}, MADE),
        ({"status": "done", "details": {"objectGUID": MADE}}, MADE),
        (None, None),
    ],
)
def test_a_return_that_was_refused_gives_the_name_to_nobody_else(tmp_path, outcome, remembered):
    record = {"kind": KIND, "id": "CN=a,DC=e", "at": "2026-11-27T09:00:00Z"}
    lines = [
        {"record": "intent", **record, "action": "delete", "before": {"objectGUID": GUID}},
        {"record": "outcome", **record, "action": "delete", "status": "done"},
        {"record": "intent", **record, "action": "restore", "before": None},
        *([{"record": "outcome", **record, "action": "restore", **outcome}] if outcome else []),
    ]
    path = tmp_path / "journal.jsonl"
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    meant: dict[str, tuple[str, str]] = {}
    resource_module._add_from_journal(meant, str(path))
    assert meant.get("cn=a,dc=e", (None,))[0] == remembered
    lines = [line | {"kind": "openldap_entry", "id": "cn=a,dc=e"} for line in lines]
    for line in lines:
        line["before"] = {"entryUUID": GUID} if line.get("before") else None
        line["details"] = {name.replace("objectGUID", "entryUUID"): value for name, value in line.get("details", {}).items()}
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    memory = Memory(Known([], "", lambda: b""), str(path))
    assert (memory.meant_by("CN=a,DC=e") or (None,))[0] == remembered


def test_who_was_disabled_before_the_exit_stays_disabled(tmp_path):
    """`restore` enables whom this exit has disabled; an account that somebody else had switched off long ago could sign in again."""
    path = str(tmp_path / "journal.jsonl")
    guids = {name: f"0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f1{number}" for number, name in enumerate("abcdef")}
    done = [("CN=A", "a", "disable"), ("CN=was,OU=elsewhere", "b", "disable"), ("CN=c", "c", "disable"), ("CN=c", "c", "enable"), ("CN=g", "f", "disable")]
    for dn, name, action in done:
        change = Change(KIND, dn, name, action, {"enabled": True, "objectGUID": guids[name]}, {"enabled": False})
        at = "2026-11-29T09:00:00Z"
        append_records(path, [journal.intent(change, "r", at), journal.outcome(Outcome(change, "done"), "r", at)])
    there = {"CN=a": ("a", False), "CN=b": ("b", False), "CN=c": ("c", False), "CN=d": ("d", False), "CN=e": ("e", True), "CN=group": ("f", None)}
    current = [Object(KIND, dn, dn, {"enabled": yes, "objectGUID": guids[name]}) for dn, (name, yes) in there.items()]
    for only, enabled, skipped in ((True, ["CN=a", "CN=b"], ["CN=c", "CN=d"]), (False, ["CN=a", "CN=b", "CN=c", "CN=d"], [])):
        resource = DirectoryObjects(
            Replica(None, None, 0), Options.of(given("directory_object", objects=[], state="enabled", only_disabled=only, journal=path))
        )
        resource._wanted = list(there)
        plan = resource.plan(current)
        assert [change.id for change in plan.changes] == enabled and plan.unchanged == 1
        assert [item.id for item in plan.skipped if item.code == "disabled_before"] == skipped and len(plan.warnings) == len(skipped)
