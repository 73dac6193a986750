# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole exit: check mode from the untouched start, the real run to the gate, on to the end, and once more."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev import places
from lab import paths
from lab.evidence import Watch

from . import worlds
from .conftest import GATE_STEPS, Chapter
from .expected import ACCOUNTS, APPS, DECISIONS, DOMAINS, GONE_APPS, LEFT_OUT, PEOPLE, POLICIES, WITH_PASSWORD, gets_password
from .playbooks import Operator, handover, vault_view

pytestmark = [pytest.mark.lab, pytest.mark.long]

NOTHING: dict[str, list[str]] = {"tenant": [], "directory": [], "windows": []}
ACCOUNT_DISABLED = 0x2
#: the stages of decommission, each of which is a playbook of its own
STAGES = [
    Path(play["ansible.builtin.import_playbook"]).stem
    for play in yaml.safe_load((places.ROOT / "playbooks" / "decommission.yml").read_text())
    if "stages/" in play["ansible.builtin.import_playbook"]
]

#: Where a user's machine lets browsers sign in to IIJ ID, in the names of `WindowsPart.fingerprint`.
BROWSERS = "sync01: registry/reg:64 HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\"
#: What of a Windows machine is IIJ ID's; an emptied list of uninstallers goes by the name of its key.
_IIJ_ID = re.compile(r"IIJ ID Service|Tasks.*(iid|IIJ ID|password-sync|sync|ID同期)|CurrentVersion\\Uninstall$", re.IGNORECASE)
_LSA = r"registry/reg:64 HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa"


# --- check mode


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_plays_alone_in_check_mode(start: worlds.Worlds, tmp_path: Path, stage: str) -> None:
    """From the untouched start, as its AWX template with job type "check". tests/package plays every playbook so, for the tenant's part."""
    operator, watch = Operator(tmp_path), Watch()
    operator.run(stage, "--check").must()
    assert watch.new() == NOTHING
    assert {path.name for path in operator.run_dir.glob("*")} <= {"plans"}


def test_check_mode_ends_well_and_writes_nothing(checked: Chapter, start: worlds.Worlds) -> None:
    checked.run.must()
    assert checked.writes == NOTHING
    assert worlds.changes(start["windows"], checked.after["windows"]) == {}
    assert worlds.changes(start["directory"], checked.after["directory"]) == {}
    assert checked.run_dir is not None and [path.name for path in checked.run_dir.iterdir()] == ["plans"], "check mode wrote more than its plan"


def test_check_mode_plans_on_top_of_what_it_predicts(checked: Chapter) -> None:
    """From the untouched start: the domains are still federated, and yet their users' passwords are planned."""
    run = checked.run
    assert "planned against what earlier planned changes would leave behind" in run.output
    [domains] = run.answers("Convert the domains to managed, one after the other")
    assert [change["id"] for change in domains.result["plan"]] == DECISIONS["microsoft_365_domains"]
    passwords = {task.item: task.result for task in run.answers("Give passwords or passes and write them into the hand-over file")}
    assert passwords.keys() == set(DOMAINS)
    for domain, result in passwords.items():
        assert result["predicted"] is True
        assert result["counts"]["planned"] == sum(person.domain == domain for person in WITH_PASSWORD.values())
        assert result["counts"]["skipped"] == sum(person.domain == domain and not gets_password(person) for person in PEOPLE)


def test_check_mode_says_where_a_real_run_would_stop(checked: Chapter) -> None:
    assert re.search(r"a real run would stop here.*provisioning_stopped", checked.run.output)


def test_check_mode_plans_every_stage(checked: Chapter) -> None:
    run = checked.run
    apps = run.answers("Remove grants, service principal and application")
    assert {task.item for task in apps} == GONE_APPS
    assert all(task.result["counts"]["planned"] for task in apps)
    for host, products in (("sync01", 1), ("dcwin1", 1), ("dcwin2", 1)):
        [uninstalled] = run.answers("Uninstall the agents", host)
        assert uninstalled.result["counts"]["planned"] == products
    accounts = [*run.answers("Disable or remove the confirmed accounts and groups"), *run.answers("Disable or remove the confirmed accounts")]
    assert {change["id"] for task in accounts for change in task.result["plan"]} == ACCOUNTS


# --- the first real run


def test_real_run_stops_at_the_gate_and_says_how_to_go_on(stopped: Chapter) -> None:
    run = stopped.run.failed(*GATE_STEPS, r"ansible-playbook offboard\.iij_id\.confirm -e offboard_run_dir=\S+ -e step=\S*provisioning_stopped")
    assert len(run.messages) == 1
    assert "プロビジョニング" in run.messages[0]


def test_before_the_gate_only_schedules_are_touched(stopped: Chapter, start: worlds.Worlds) -> None:
    assert stopped.writes["tenant"] == []
    assert stopped.writes["directory"] == []
    assert stopped.writes["windows"] and all("schtasks" in line for line in stopped.writes["windows"])
    touched = worlds.changes(start["windows"], stopped.after["windows"])
    assert touched and all(name.startswith("sync01: windows/system32/Tasks") for name in touched)


def test_snapshot_opens_with_ansible_vault_and_holds_what_was(stopped: Chapter) -> None:
    assert stopped.run_dir is not None
    folder = stopped.run_dir / "snapshot"
    plain = {file.relative_to(folder).as_posix(): vault_view(file) for file in folder.rglob("*") if file.is_file() and file.suffix != ".json"}
    records = {record["id"]: record for name, text in plain.items() if name.startswith("users-") for record in map(json.loads, text.splitlines())}
    assert {person.id for person in PEOPLE} <= records.keys()
    for person in PEOPLE:
        assert records[person.id]["accountEnabled"] == person.enabled
    for domain in DECISIONS["microsoft_365_domains"]:
        assert f"https://www.auth.iij.jp/saml/{domain}/sso" in plain["domains.yml"]
    for client_id in GONE_APPS:
        assert client_id in plain["apps.yml"]
    assert {f"machines/{machine}.yml" for machine in paths.WINDOWS} <= plain.keys()


# --- the end


def test_domains(finished: Chapter, start: worlds.Worlds) -> None:
    found = worlds.changes(start["tenant"], finished.after["tenant"])
    domains = {name.removeprefix("domains/"): change[1] for name, change in found.items() if name.startswith("domains/")}
    assert domains == {domain: {"authenticationType": "Managed"} for domain in DOMAINS}
    federations = {item["_domain"] for name, item in finished.after["tenant"].items() if name.startswith("federations/")}
    assert federations == {"reiji-lab.example"}


def test_users(finished: Chapter, start: worlds.Worlds) -> None:
    """Everybody as before the stop: unblocked or still blocked, licensed or not; others untouched."""
    before, after = worlds.users(start["tenant"]), worlds.users(finished.after["tenant"])
    assert before.keys() == after.keys()
    for person in PEOPLE:
        was, now = before[person.upn], after[person.upn]
        assert now["accountEnabled"] == was["accountEnabled"], person
        assert worlds.licences(now) == worlds.licences(was), person
        assert now["usageLocation"] in (was["usageLocation"], DECISIONS["microsoft_365_usage_location"]), person
    provisioned = {person.upn for person in PEOPLE}
    assert {upn: user for upn, user in after.items() if upn not in provisioned} == {upn: user for upn, user in before.items() if upn not in provisioned}


def test_nothing_else_of_a_user_was_touched(finished: Chapter, start: worlds.Worlds) -> None:
    ours = {"lastPasswordChangeDateTime", "_password", "_salt", "_password_count", "signInSessionsValidFromDateTime", "passwordProfile", "usageLocation"}
    ours |= {"licenseAssignmentStates", "assignedLicenses", "_force_change"}
    found = worlds.changes(start["tenant"], finished.after["tenant"])
    properties = {name for key, (_, after) in found.items() if key.startswith("users/") for name in after}
    assert properties <= ours


def test_passwords(finished: Chapter) -> None:
    """In the hand-over file, each the user's own, set exactly once; nobody else's was set."""
    assert finished.passwords is not None
    assert finished.passwords == dict.fromkeys(WITH_PASSWORD, (True, 1))
    others = {upn: user["_password_count"] for upn, user in worlds.users(finished.after["tenant"]).items() if upn not in WITH_PASSWORD}
    assert set(others.values()) == {0}


def test_who_got_no_password_is_told(finished: Chapter) -> None:
    """They cannot sign in until somebody gives them one: nobody must learn that on Monday."""
    assert finished.run_dir is not None
    report = (finished.run_dir / "report.json").read_text(encoding="utf-8")
    assert LEFT_OUT and [person.upn for person in LEFT_OUT if person.upn not in report] == []


def test_hand_over_file_is_private_and_encrypted(finished: Chapter) -> None:
    assert finished.run_dir is not None
    file = finished.run_dir / "handover.yml"
    assert file.read_bytes().startswith(b"$ANSIBLE_VAULT;")
    assert file.stat().st_mode & 0o077 == 0
    passwords = [entry["password"] for entry in handover(finished.run_dir)]
    assert len(passwords) == len(set(passwords)) == len(WITH_PASSWORD)


def test_apps(finished: Chapter, start: worlds.Worlds) -> None:
    """IIJ ID's are gone, restorable, with all that they were allowed; the others are as they were."""
    after = finished.after["tenant"]
    assert worlds.applications(after).keys() == worlds.applications(start["tenant"]).keys() - GONE_APPS
    assert worlds.applications(after, "deleted_applications").keys() == GONE_APPS
    principals = {item["appId"]: item["id"] for name, item in start["tenant"].items() if name.startswith("service_principals/")}
    gone = {principals[client_id] for client_id in GONE_APPS}
    grants = [item for name, item in after.items() if name.startswith(("app_role_assignments/", "oauth2_permission_grants/"))]
    assert not [item for item in grants if item.get("principalId") in gone or item.get("clientId") in gone]
    for key in ("decoy", "offboard", "readonly"):
        kept = [
            name
            for name, item in start["tenant"].items()
            if APPS[key] == item.get("appId") or principals[APPS[key]] in (item.get("principalId"), item.get("clientId"))
        ]
        assert kept and {name: after.get(name) for name in kept} == {name: start["tenant"][name] for name in kept}


def test_tenant_nothing_else(finished: Chapter, start: worlds.Worlds) -> None:
    found = worlds.changes(start["tenant"], finished.after["tenant"])
    known = ("domains/", "federations/", "users/", "applications/", "deleted_applications/", "service_principals/", "deleted_service_principals/")
    known += ("app_role_assignments/", "oauth2_permission_grants/", "role_assignments/")
    assert [name for name in found if not name.startswith(known)] == []


def test_directory(finished: Chapter, start: worlds.Worlds) -> None:
    """The accounts that were decided on are disabled, the group policies edited; everything else is as it was, byte by byte."""
    found = worlds.changes(start["directory"], finished.after["directory"])
    edited = {name for name in found for guid in POLICIES if name.startswith(f"CN={guid},CN=Policies,") or f"/Policies/{guid}/" in name}
    assert {guid for guid in POLICIES for name in edited if name.endswith(f"/{guid}/GPT.INI")} == POLICIES
    assert all(found[name][0].keys() == {"versionNumber"} for name in edited if name.startswith("CN="))
    assert found.keys() - edited == ACCOUNTS
    for name, (before, after) in ((name, found[name]) for name in ACCOUNTS):
        assert before.keys() == {"userAccountControl"}, name
        [was], [now] = before["userAccountControl"], after["userAccountControl"]
        assert int(now) == int(was) | ACCOUNT_DISABLED


def test_windows(finished: Chapter, start: worlds.Worlds) -> None:
    """No agent, no task, no secret is left; nothing else was touched."""
    left = [name for name in finished.after["windows"] if re.search("IIJ ID Service", name)]
    assert left == []
    found = worlds.changes(start["windows"], finished.after["windows"])
    filters = {name for name in found if name.endswith(_LSA)}
    assert filters == {f"dcwin1: {_LSA}", f"dcwin2: {_LSA}"}
    # without Password Sync's filter, and with every other one, as on the server that never had it
    assert {finished.after["windows"][name] for name in filters} == {start["windows"][f"sync01: {_LSA}"]}
    browsers = {name for name in found if name.startswith(BROWSERS)}
    assert browsers and [name for name in found.keys() - filters - browsers if not _IIJ_ID.search(name)] == []


def test_journal(finished: Chapter) -> None:
    """Every intent has its outcome, and every outcome is a success or a person's turn."""
    assert finished.run_dir is not None
    records = [json.loads(line) for line in (finished.run_dir / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    changes = [record for record in records if record["record"] in ("intent", "outcome")]
    waiting: dict[tuple[str, str, str], int] = {}
    for record in changes:
        key = (record["kind"], record["id"], record["action"])
        waiting[key] = waiting.get(key, 0) + (1 if record["record"] == "intent" else -1)
        assert waiting[key] >= 0, f"outcome before its intent: {record}"
    assert not [key for key, count in waiting.items() if count]
    assert {record["status"] for record in changes if record["record"] == "outcome"} == {"done"}


def test_report_is_true(finished: Chapter) -> None:
    """What it says is what the journal, the steps and the snapshot say, and the stores agree (the other tests)."""
    assert finished.run_dir is not None
    report = json.loads((finished.run_dir / "report.json").read_text(encoding="utf-8"))
    records = [json.loads(line) for line in (finished.run_dir / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    done = {
        (record["kind"], record["action"], record["id"])
        for record in records
        if record["record"] == "outcome" and record["status"] == "done" and (record["kind"], record["action"]) != ("manual_step", "register")
    }
    told = {(group["kind"], group["action"], item["id"]) for group in report["changes"] for item in group["objects"]}
    # the report itself is written after it was made
    assert {item for item in done ^ told if item[0] != "report_file"} == set()
    assert report["counts"]["done"] == sum(group["count"] for group in report["changes"]) >= len(told)
    assert report["state"] == "open"
    assert report["failed"] == report["unfinished"] == report["left"] == []
    steps = json.loads((finished.run_dir / "steps.json").read_text(encoding="utf-8"))["steps"]
    of_records = steps[0].keys()
    assert [{name: value for name, value in step.items() if name in of_records} for step in report["steps"]] == steps
    assert report["counts"]["steps_open"] == sum(not step["done"] for step in steps)
    assert not [step for step in steps if step["blocks_final_gate"] and not step["done"]]
    assert report["snapshot"] == json.loads((finished.run_dir / "snapshot" / "manifest.json").read_text(encoding="utf-8"))
    first, last = (datetime.datetime.fromisoformat(report[name]) for name in ("first", "last"))
    assert first < last <= datetime.datetime.now(datetime.UTC)


def test_report_page_stands_alone_and_says_the_same(finished: Chapter) -> None:
    assert finished.run_dir is not None
    page = (finished.run_dir / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"""<(script|link|img|iframe)[^>]+(src|href)=["']?(https?:|//)""", page), "it loads something from elsewhere"
    assert 'lang="ja"' in page and 'lang="en"' in page
    for text in (*DECISIONS["microsoft_365_domains"], *GONE_APPS, "iij-dirsync-run", "Hanako Reiji"):
        assert text in page, text


# --- once more


def test_rerun_changes_nothing(again: Chapter, finished: Chapter) -> None:
    again.run.must()
    assert again.run.changed == 0
    assert again.writes == NOTHING
    for world in NOTHING:
        assert worlds.changes(finished.after[world], again.after[world]) == {}, world


def test_rerun_leaves_the_run_folder_alone(again: Chapter, finished: Chapter) -> None:
    def files(chapter: Chapter) -> dict[str, bytes]:
        assert chapter.run_dir is not None
        return {file.relative_to(chapter.run_dir).as_posix(): file.read_bytes() for file in chapter.run_dir.rglob("*") if file.is_file()}

    before, after = files(finished), files(again)
    results: dict[str, Any] = {name: content for name, content in after.items() if before.get(name) != content}
    assert [name for name in results if not name.startswith("results/") and not name.endswith(".lock")] in ([], ["sign_in.json"])
    # who can sign in was looked at anew, and is as it was
    assert {**json.loads(before["sign_in.json"]), "at": ""} == {**json.loads(after["sign_in.json"]), "at": ""}
