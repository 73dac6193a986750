# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What readers of Japanese are told: every sentence of the findings and of the report in Japanese, with the words of modules in it."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core import kinds
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.apps.plan import reasons
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.references import plan as references_plan
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import gate, phrases
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import people, plan, telling
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import page
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import plan as report
from dev import places

TOKYO = datetime.timezone(datetime.timedelta(hours=9), "JST")
#: names that are two English words, and no sentence
NAMES = ("ansible-vault decrypt", "ansible-playbook", "schtasks /create", "Active Directory", "Directory Sync", "Password Sync", "Service Directory Sync")


def english(text: str) -> list[str]:
    """English in a text: two words in small letters after each other, in no name and no value of an option."""
    for name in NAMES:
        text = text.replace(name, "")
    return re.findall(r"(?<![\w./\\:=-])[A-Za-z]?[a-z']+,? [a-z]{2,}(?![\w./\\:=])", text)


def test_the_lint_finds_english() -> None:
    assert english("段階 domains で拒否されます: minato-seiki.example is the tenant's default domain.") == ["is the", "tenant's default"]
    assert english("手順 provisioning_stopped を取り消して microsoft_365_evidence_hours: 0 を設定") == []


APP = {
    "client_id": "11111111-1111-1111-1111-111111111111",
    "display_name": "IIJ ID",
    "addresses": ["https://auth.iij.jp/x"],
    "permissions": ["Domain.ReadWrite.All", "User.ReadWrite.All"],
}
PLACES = [references_plan.Reference(f"web.redirectUris[{number}]", "https://auth.iij.jp/", bool(number)) for number in range(5)]
REFERENCES: dict[str, Any] = {
    "references": [references_plan.row("application", {"id": "a1", "displayName": "Portal", "appId": "x"}, PLACES)],
    "references_count": 9,
    "not_looked_at": [
        references_plan.open_row("mobile_app", None, "", reason, "The app lacks the permission DeviceManagementApps.Read.All.")
        for reason in references_plan.REASONS
    ],
    "not_looked_at_count": 99,
}
MACHINE = {
    "products": [{"name": "IIJ ID Service Directory Sync", "publisher": "IIJ"}],
    "tasks": [{"name": "sync", "actions": ["C:\\x\\sync.exe"], "run_as": "EXAMPLE\\svc"}],
    "filters": [{"name": "IIJFLT", "why": [phrases.english("library_lies_in", name="IIJFLT", folder="C:\\x")]}],
    "folders": ["C:\\x"],
    "perhaps": [{"name": "x", "actions": ["cmd /c x"], "why": [phrases.english("action_names", action="cmd /c x", match="x")]}],
}
REFUSAL = {"rule": "default_domain", "msg": "a.example is the tenant's default domain. Choose another one.", "objects": ["a.example"], "allow_with": ""}
OBJECT = {
    "dn": "CN=svc,DC=example",
    "found_by": [phrases.english("bind_user", where="ad.ldap.user"), phrases.english("spn_matches", spn="HTTP/x", pattern="(?i)iij")],
    "removal_refusals": [
        {"rule": "admin_count", "msg": "it was a member of an administrators' group", "objects": ["CN=svc"], "allow_with": "allow: [admin_count]"}
    ],
    "enabled": True,
    "objectGUID": "g",
}
DOMAIN = {"id": "a.example", "authentication_type": "Federated", "is_root": True, "parent": None, "federation": {"idp": "iij"}}
COUNTS = {"total": 9, "blocked": 8, "unlicensed": 1, "without_usage_location": 1, "synced": 3}
FACTS: dict[str, Any] = {
    "domains": [DOMAIN, {**DOMAIN, "id": "b.example"}, {**DOMAIN, "id": "c.example", "federation": {"idp": "other"}}],
    "users": [{"domain": "a.example", "counts": COUNTS}],
    "provisioning": {
        "domains": [{"domain": "a.example", **COUNTS}],
        "log": {"looked_at": False, "code": "permission_missing", "msg": "the app lacks AuditLog.Read.All", "since": None},
    },
    "apps": [{**APP, "why": reasons(APP, ["11111111-1111-1111-1111-111111111111"], ["(?i)iij"], ["auth.iij.jp"])}],
    "references": REFERENCES,
    "machines": {
        "srv1": MACHINE,
        "srv2": {"error": "cannot reach srv2 on port 5986", "code": "unreachable"},
        "srv3": None,
        "srv4": {"folders": ["C:\\x"]},
    },
    "directory_objects": [OBJECT],
    "directory_unusable": [{"name": "CN=gone", "found_by": [phrases.english("object_named")], "code": "not_found", "msg": "no such object"}],
    "dry_runs": [
        {"stage": "domains", "msg": "refused", "failure": {"code": "refused", "details": {"refusals": [REFUSAL]}}},
        {"stage": "snapshot", "msg": "the vault password is wrong", "failure": {"code": "wrong_vault_password"}},
    ],
    "permissions": {"missing": [{"work": "users", "stages": ["users"], "permissions": ["User.ReadWrite.All"], "roles": ["User Administrator"]}]},
    "needs_directory": ["directory_sync"],
    "now": "2026-11-28T00:00:00Z",
    "people": {
        "snapshot_taken": False,
        "counts": dict.fromkeys([*people.SENTENCES, "administrator_without_password", "password_is_synced"], 1),
        "exceptions": [],
        "domains": [{"domain": "a.example", "total": 9, "stays_blocked": 9}],
        "left_alone": 1,
        "synchronization": {"enabled": True, "last": None},
    },
}
CONFIRMED = Confirmed(domains=["a.example"], client_ids=["22222222-2222-2222-2222-222222222222"], accounts=["CN=other,DC=example"], max_users=1)
STEPS = [
    {"id": "a", "stage": "gate", "en": "do it", "ja": "実施する", "blocks_final_gate": True, "source": "", "done": False, "by": "", "at": "", "note": ""},
    {"id": "b", "stage": "gate", "en": "do it", "ja": "実施する", "blocks_final_gate": False, "source": "", "done": True, "by": "山田", "at": "", "note": ""},
]


@pytest.mark.parametrize("rule", [plan.preflight, plan.final_gate, plan.agents_gate])
def test_findings(rule: Any) -> None:
    found = rule(Facts(**FACTS, steps=STEPS), CONFIRMED)
    assert len(found) > 3
    told = [*telling.lines(found, "ja"), telling.message(found, "ja"), *(telling.verdict(found[:number], "ja") for number in (0, 3))]
    assert [(line, words) for line in told if (words := english(line))] == []


def test_the_verdict_of_the_gate() -> None:
    verdicts = [
        gate.judge("t", ["a.example"], client_id, 24, activity, until, until)
        for client_id, activity in (("", ()), ("c", None), ("c", ["2026-11-28T00:00:00Z"]))
        for until in ("", "2026-11-28T00:00:00Z")
    ]
    told = [phrases.reasons(verdict["reasons"]).ja for verdict in verdicts]
    assert all(told) and [(line, words) for line in told if (words := english(line))] == []


def record(change: Change, **more: str) -> dict[str, Any]:
    return {"record": "intent", "run": "r", "at": "2026-11-28T00:00:00Z", **change.to_dict(), **more}


def test_the_report() -> None:
    found = [item.to_dict() for item in plan.final_gate(Facts(**FACTS), CONFIRMED)]
    before = [item.to_dict() for item in plan.preflight(Facts(**FACTS), CONFIRMED)]
    ways = [name for name in phrases.PHRASES if name.startswith("undo_")]
    records = []
    for number, way in enumerate(ways):
        values: dict[str, str | int] = dict.fromkeys(re.findall(r"{(\w+)}", phrases.PHRASES[way].en), "V")
        done = record(Change(list(kinds.KINDS)[number % 5], str(number), f"o{number}", "update", {"a": 1}, None, undo=phrases.english(way, **values)))
        failed = number % 9 == 0
        outcome = {"status": "failed", "code": "not_seen", "msg": "It was not seen in time."} if failed else {"status": "done"}
        records += [done, {**done, "record": "outcome", **outcome}]
    refusal = {"record": "refusal", "run": "r", "at": "2026-11-28T00:00:00Z", "noun": "domains", **REFUSAL}
    alone = {"status": "skipped", "code": "own_identity", "msg": "this is the account that signs in", "userPrincipalName": "a@a.example"}
    rows = [
        *({"record": "references", **row} for row in REFERENCES["references"]),
        *({"record": "not_looked_at", **row} for row in REFERENCES["not_looked_at"]),
    ]
    made = report.build([*records, refusal], STEPS, before, found, None, "例株式会社", [("users.jsonl", alone)], rows)
    html = page.page(made, "ja", TOKYO)
    shown = re.sub(r"(?s)<style>.*?</style>|<head>.*?</head>|<label for=.en.>.*?</label>", "", html)
    shown = re.sub(r'<(span)[^>]* ?lang="en">.*?</\1>', "", shown)  # the other language, and originals that are marked as such
    shown = re.sub(r"<code>.*?</code>|<[^>]*>", "\n", shown)
    assert [(line, words) for line in shown.splitlines() if (words := english(line))] == []


@pytest.mark.parametrize("file", sorted((places.ROOT / "roles").glob("*/vars/steps.yml")), ids=lambda file: file.parts[-3])
def test_steps_of_a_person(file: Any) -> None:
    (steps,) = yaml.safe_load(file.read_text(encoding="utf-8")).values()
    assert [(step["id"], words) for step in steps if (words := english(step["ja"]))] == []
