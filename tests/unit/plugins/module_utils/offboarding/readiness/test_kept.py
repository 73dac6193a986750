# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""readiness_info as the roles ask it: what it keeps in the run folder, when it fails, and what of an agent is still to be taken off a machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.phrases import in_language
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.info import Exports, info
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import anything_left, clients_left
from dev import options

STEP = {"id": "iwa_unlinked", "en": "Do it", "ja": "行う", "done": False, "blocks_final_gate": True, "source": "", "stage": "clients"}
STEP |= {"by": "", "at": "", "note": ""}


def asked(gate: str, **given: Any) -> dict[str, Any]:
    return options.given("readiness_info", gate=gate, **{"language": "en", "confirmed": {"without_machines": True}, **given})


def judge(params: dict[str, Any], warn: Callable[[str], None] | None = None, *, exports: Exports = dict) -> dict[str, Any]:
    return info(params, warn, exports=exports)


def test_the_final_gate_is_kept_with_what_the_last_step_asks_for(tmp_path):
    answer = judge(asked("final", steps=[STEP], run_dir=str(tmp_path), contract_options=["microsoft_365"]))
    kept = json.loads((tmp_path / "results" / "final_gate.json").read_text())
    assert kept["findings"] == answer["findings"] != [] and kept["options"] == ["microsoft_365"] and kept["tenant_id"] == "" and kept["at"].endswith("Z")
    assert (tmp_path / "results").stat().st_mode & 0o777 == 0o700 and (tmp_path / "results" / "final_gate.json").stat().st_mode & 0o777 == 0o600


PEOPLE = {"counts": {}, "exceptions": [], "domains": [], "left_alone": 0, "snapshot_taken": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("in_use", "looked_at", "missing"),
    [
        (["microsoft_365"], {}, ["domains", "apps", "references", "people"]),
        (["microsoft_365"], {"domains": [], "apps": [], "people": PEOPLE}, ["references"]),
        (["external_identity_providers"], {}, ["apps"]),
        (["external_identity_providers"], {"apps": []}, []),
        (["directory_sync"], {"machines": {}}, []),
        (["directory_sync"], {}, ["machines"]),
        (["custom_applications"], {}, []),
    ],
)
def test_the_final_gate_stays_closed_for_what_nobody_has_looked_at(tmp_path, in_use, looked_at, missing):
    """As a play that was started behind the tasks that look (--start-at-task), or a task in a playbook of one's own."""
    answer = judge(asked("final", run_dir=str(tmp_path), contract_options=in_use, **looked_at))
    found = [item for item in answer["findings"] if item["code"] == "final_gate_incomplete"]
    assert [name for item in found for name in item["objects"]] == missing and all(item["severity"] == "blocker" for item in found)
    assert not [item for item in judge(asked("preflight", contract_options=in_use))["findings"] if item["code"] == "final_gate_incomplete"]


@pytest.mark.parametrize(("gate", "check_mode"), [("final", True), ("preflight", True), ("agents", False), ("linux", False)])
def test_nothing_is_kept_in_check_mode_or_of_other_gates(tmp_path, gate, check_mode):
    judge(asked(gate, run_dir=str(tmp_path)), print if check_mode else None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("brief", [True, False])
@pytest.mark.parametrize("language", ["ja", "en", "both"])
def test_in_check_mode_what_earlier_stages_bring_about_is_a_warning_that_is_told_once_in_each_language(language, brief):
    told: list[str] = []
    answer = judge(asked("final", steps=[STEP], required=True, brief=brief, language=language), told.append)
    assert len(told) == 1 and answer["blockers"] == 1
    shown = in_language(told[0], language)
    assert shown.count("1 thing stands in the way.") == (language != "ja") and shown.count("1件の要対応の項目があります。") == (language != "en")
    assert "原文" not in shown


def test_preflight_keeps_the_findings_from_before_the_exit(tmp_path):
    judge(asked("preflight", run_dir=str(tmp_path), variables={"offboard_break_glass": ["a@b.example"]}))
    before = (tmp_path / "results" / "preflight.json").read_bytes()
    assert "offboard_break_glass" in (tmp_path / "decisions.draft.yml").read_text()
    folder = tmp_path / "snapshot"
    folder.mkdir()
    (folder / "manifest.json").write_text("{")
    with pytest.raises(OffboardError) as caught:
        judge(asked("preflight", run_dir=str(tmp_path)))
    assert caught.value.code == "snapshot_damaged" and (tmp_path / "results" / "preflight.json").read_bytes() == before


def test_blockers_are_a_failure_that_is_kept_and_tells_each_point_once(tmp_path):
    with pytest.raises(OffboardError) as caught:
        judge(asked("final", steps=[STEP], run_dir=str(tmp_path), required=True, brief=True))
    found, msg = caught.value.details, caught.value.msg
    assert caught.value.code == "not_ready" and "stand" in msg and "iwa_unlinked" not in msg
    assert found["blockers"] > 0 and len([line for line in found["lines"] if "iwa_unlinked" in line]) == 1
    assert (tmp_path / "results" / "final_gate.json").exists()


def test_a_brief_answer_is_for_people():
    assert set(judge(asked("final", brief=True))) == {"blockers", "warnings_found", "lines", "verdict"}


@pytest.mark.parametrize("warn", [None, print])
def test_what_is_required_is_told_with_its_reasons_and_of_machines_in_check_mode_too(warn):
    machine = {"host": "h", "products": [{"name": "Agent", "publisher": "IIJ", "product_code": "x"}]}
    with pytest.raises(OffboardError, match="Agent") as caught:
        judge(asked("agents", machines={"sync01": machine}, required=True), warn)
    assert caught.value.code == "not_ready"


@pytest.mark.parametrize(("gate", "code"), [("preflight", "export_cut"), ("final", "export_missing")])
def test_the_exports_are_looked_at_with_the_vaults_password(gate, code):
    def exports(params):
        assert (params["path"], params["journal"], params["vault_password"]) == ("/run/iij-id-export", None, "secret")
        return {"latest": None if gate == "final" else {"users": 5, "groups": 2, "groups_cut": 1, "groups_not_checked": 0}}

    answer = judge(asked(gate, export_folder="/run/iij-id-export", journal=None, vault_password="secret"), exports=exports)
    assert code in {found["code"] for found in answer["findings"]}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"vault_password": None}, "vault_password_missing"),
        ({"vault_password": ""}, "vault_password_empty"),
        ({"vault_password": "another one"}, "vault_wrong_password"),
        ({"vault_password": "the one"}, None),
        ({"vault_password": "whatever it is", "vault_tried": "/nowhere/domains.yml"}, None),
        ({"vault_password": None, "gate": "final"}, None),
    ],
)
def test_preflight_tries_the_vaults_password(tmp_path, given, code):
    (tmp_path / "domains.yml").write_bytes(vault.encrypt(b"domains: []", b"the one", bytes(32)))
    params = {**asked("preflight", vault_tried=str(tmp_path / "domains.yml"), vault_password_file=None, dry_runs=[]), **given}
    found = [(one["severity"], one["code"]) for one in judge(params)["findings"] if one["code"].startswith("vault")]
    assert found == ([("blocker", code)] if code else [])


EMPTY: dict[str, Any] = {"host": "h", "products": [], "tasks": [], "filters": [], "folders": [], "named": [], "perhaps": []}
INTENT = {"record": "intent", "kind": "windows_software", "id": "h/machine64/x", "name": "x", "action": "uninstall"}


@pytest.mark.parametrize(
    ("found", "intents", "left"),
    [
        ({}, [], False),
        ({"products": [{"name": "Agent"}]}, [], True),
        ({"tasks": [{"name": "t"}]}, [], True),
        ({"filters": [{"name": "f"}]}, [], True),
        ({"folders": ["C:\\p"]}, [], True),
        ({"named": ["Agent of another name"]}, [], True),
        ({}, [INTENT], True),
        ({}, [INTENT | {"id": "other/machine64/x"}], False),
    ],
    ids=str,
)
def test_a_machine_is_left_alone_only_where_nothing_is_left_and_nothing_was_begun(found, intents, left):
    assert anything_left(Facts(machines={"sync01": EMPTY | found}), Confirmed(), intents) is left


EMPTY_LINUX: dict[str, Any] = {"jobs": [], "timers": [], "files": [], "not_looked_at": []}
ACCOUNT = {"name": "iijsync", "exists": True, "uid": 6102}
FOLDER = {"path": "/opt/sync", "exists": True, "link": ""}


@pytest.mark.parametrize(
    ("found", "said", "intents", "left"),
    [
        ({}, {}, [], False),
        ({"jobs": [{"place": "user:a", "command": "x", "enabled": False}]}, {}, [], True),
        ({"timers": [{"timer": "a.timer", "enabled": True, "user": "", "stop": "x"}]}, {}, [], True),
        ({"files": [FOLDER]}, {}, [], True),
        ({"files": [FOLDER | {"exists": False}]}, {}, [], False),
        ({"files": [FOLDER]}, {"not_iij_linux_files": ["/opt"]}, [], False),
        ({"accounts": [ACCOUNT]}, {"linux_accounts": [{"name": "iijsync", "uid": 6102}]}, [], True),
        ({"accounts": [ACCOUNT]}, {"linux_accounts": [{"name": "iijsync", "uid": 7000}]}, [], False),
        ({}, {}, [INTENT | {"kind": "linux_file", "id": "agent01/opt/sync"}], True),
        ({}, {}, [INTENT], False),
    ],
    ids=str,
)
def test_a_linux_machine_too(found, said, intents, left):
    assert anything_left(Facts(linux_machines={"agent01": EMPTY_LINUX | found}), Confirmed(**said), intents) is left


ISSUER, OTHER = "CN=Device CA,O=IIJ,C=JP", "CN=Reiji CA"
ENTRY = {"path": "HKLM\\x", "entries": ["idp.example"], "broader": []}
CERTIFICATE = {"issuer": ISSUER, "thumbprint": "A" * 40, "why": ["its issuer was named"]}


@pytest.mark.parametrize(
    ("found", "said", "intents", "left"),
    [
        ({"browsers": {"settings": []}, "certificates": {"certificates": []}}, {"browser_settings": "absent", "certificates": [ISSUER]}, [], False),
        ({"browsers": {"settings": [ENTRY]}}, {"browser_settings": "absent"}, [], True),
        ({"browsers": {"settings": [ENTRY]}}, {"browser_settings": "keep"}, [], False),
        ({"browsers": {"settings": [ENTRY]}}, {}, [], False),  # not decided
        ({"browsers": {"settings": [ENTRY | {"entries": [], "broader": ["*"]}]}}, {"browser_settings": "absent"}, [], False),
        ({"certificates": {"certificates": [CERTIFICATE]}}, {"certificates": [ISSUER.lower()]}, [], True),
        ({"certificates": {"certificates": [CERTIFICATE]}}, {"certificates": ["a" * 40]}, [], True),
        ({"certificates": {"certificates": [CERTIFICATE]}}, {"certificates": [OTHER]}, [], False),
        ({"certificates": {"certificates": [CERTIFICATE]}}, {"certificates": [ISSUER], "kept_certificates": ["A" * 40]}, [], False),
        ({"certificates": {"certificates": [CERTIFICATE]}}, {}, [], False),
        ({}, {}, [INTENT | {"kind": "windows_certificate", "id": "h/machine/x"}], True),
        ({}, {}, [INTENT | {"kind": "windows_certificate", "id": "other/machine/x"}], False),
        ({"error": "off", "code": "timeout"}, {}, [INTENT], False),  # fails by itself
    ],
    ids=str,
)
def test_a_machine_of_users_too(found, said, intents, left):
    assert clients_left(Facts(clients={"pc1": {"host": "h"} | found, "pc2": None}), Confirmed(**said), intents) == ["pc1"] * left


def test_which_machines_of_users_are_left_is_answered(tmp_path):
    (tmp_path / "journal.jsonl").write_text("")
    machines = {
        "pc1": {"host": "h", "browsers": {"settings": [ENTRY]}},
        "pc2": {"host": "i", "browsers": {"settings": []}},
        "pc3": {"error": "off", "code": "timeout"},
    }
    answer = judge(asked("clients", clients=machines, journal=str(tmp_path / "journal.jsonl"), confirmed={"browser_settings": "absent"}))
    assert answer["machines_left"] == ["pc1"] and [item["code"] for item in answer["findings"]] == ["client_not_readable"]


def test_what_a_stopped_run_has_begun_is_seen_in_the_journal(tmp_path):
    journal = tmp_path / "journal.jsonl"
    record = {
        "record": "intent",
        "run": "r",
        "at": "2026-11-01T00:00:00Z",
        "kind": "windows_software",
        "id": "h/machine64/x",
        "name": "x",
        "action": "uninstall",
    }
    journal.write_text(json.dumps(record, separators=(",", ":")) + "\n")
    assert judge(asked("agents", machines={"sync01": EMPTY}, journal=str(journal)))["anything_left"] is True
    journal.write_text("")
    assert judge(asked("agents", machines={"sync01": EMPTY}, journal=str(journal)))["anything_left"] is False


@pytest.mark.parametrize(
    "given",
    [
        {"answers": {"__microsoft_365_domains": {"msg": "no"}}},
        {"answers": {"__microsoft_365_users": {"results": [{"failed": True}]}}},
        {"apps": [{"app_id": "x"}], "client_id": "907fc9c1-c1cf-5891-97cb-17f0571a3426"},
    ],
)
def test_what_is_no_answer_of_the_roles_tasks_is_a_clear_error(given: dict[str, Any]) -> None:
    with pytest.raises(OffboardError) as caught:
        judge(asked("preflight", **given))
    assert caught.value.code == "bad_option"
