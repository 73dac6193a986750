# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_arrivals_info and the playbook arrivals against the lab's tenant."""

from __future__ import annotations

import datetime
import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.domains.plan import CONVERT, KIND
from ansible_collections.offboard.iij_id.plugins.module_utils._module import progress
from lab import company
from lab.testing import RunningTenant

from .entra import PEOPLE, connection, lines, run_module
from .test_people import Operator

DOMAINS = ["reiji.example", "reiji-group.example"]
BLOCKED = 25


def ago(hours: float) -> str:
    return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def sign_in(tenant: RunningTenant, number: int, error: int = 0, hours: float = 1, **more: Any) -> None:
    key = company.make_id("signIn", f"{number} {error} {hours} {more}")
    status = {"errorCode": error, "failureReason": "Other." if error == 0 else "A stranger's text \x1b[2J", "additionalDetails": None}
    tenant.arrange("sign_ins", key, id=key, userId=PEOPLE[number].id, createdDateTime=ago(hours), status=status, **more)


@pytest.fixture
def look(tenant: RunningTenant, capsys: pytest.CaptureFixture[str]):
    def run(app: str = "offboard", check: bool = False, **options: Any) -> dict[str, Any]:
        tenant.settings.change({"clock_scale": 100.0})
        given = {**connection(tenant, app), "domains": DOMAINS, "since": ago(10), **options}
        found = run_module(capsys, "entra_arrivals_info", given, check=check)
        assert "counts" not in found or sum(found["counts"].values()) == found["total"]
        return found

    return run


def journal_of(folder: Path, *converted: tuple[str, str]) -> Path:
    """What entra_domain leaves of a conversion."""
    path = folder / "journal.jsonl"
    common = {"record": "outcome", "kind": KIND, "action": CONVERT, "status": "done", "code": "", "msg": "", "run": "r"}
    records = ({**common, "id": name, "name": name, "at": at, "details": {"begun_at": at}} for name, at in converted)
    path.write_text("".join(json.dumps(item) + "\n" for item in records))
    path.chmod(0o600)
    return path


def test_arrived_failed_and_not_seen(look, tenant, tmp_path: Path):
    sign_in(tenant, 71)
    sign_in(tenant, 72, 50126, hours=3)
    sign_in(tenant, 72, 50072, hours=2)
    sign_in(tenant, 73, 50126)
    sign_in(tenant, 74, hours=11)  # at IIJ ID
    sign_in(tenant, 75, 50074, hours=3)
    sign_in(tenant, 75, hours=2)
    file = tmp_path / "results" / "arrivals.jsonl"
    found = look(results_file=str(file))
    assert found["counts"] == {"arrived": 2, "failed": 2, "not_seen": 250 - BLOCKED - 4, "blocked": BLOCKED, "not_known": 0}, found["counts"]
    assert {item["code"]: (item["count"], item["on_the_way"]) for item in found["failures"]} == {50072: (1, True), 50126: (1, False)}
    assert [item["name"] for item in found["users"][:2]] == sorted((PEOPLE[72].upn, PEOPLE[73].upn)) and found["users"][2]["state"] == "not_seen"
    assert found["severity"] == "critical" and found["late"] is False and found["entries"] == 6
    assert sum(item["count"] for item in found["arrivals_by_hour"]) == 2 and found["arrivals_by_hour"][0]["hour"].endswith(":00:00Z")
    assert {item["domain"] for item in found["domains"]} == {"reiji.example", "reiji-group.example", "sales.reiji.example"}
    assert 'entra_arrivals_users{domain="reiji.example",state="arrived"} 2' in found["prometheus"]
    written = {item["userPrincipalName"]: item for item in lines(file)}
    assert len(written) == 250 and written[PEOPLE[72].upn]["error"] == 50072 and "arrived_at" in written[PEOPLE[71].upn]
    assert tenant.writes() == [] and "\x1b" not in json.dumps(found, ensure_ascii=False)
    assert look(check=True)["counts"] == found["counts"] and tenant.writes() == []


def test_the_journal_knows_when_each_domain_was_converted(look, tenant, tmp_path):
    journal = journal_of(tmp_path, ("reiji.example", ago(5)))
    sign_in(tenant, 71, hours=6)
    sign_in(tenant, 72, hours=4)
    sign_in(tenant, 205, hours=4)
    found = look(since=None, journal=str(journal))
    domains = {item["domain"]: item for item in found["domains"]}
    assert domains["reiji.example"]["counts"]["arrived"] == 1 and domains["reiji.example"]["since"] < ago(4)
    # of the other one nobody knows, so that a sign-in there says nothing
    assert domains["reiji-group.example"]["since"] is None and domains["reiji-group.example"]["counts"]["not_known"] == 35
    assert found["severity"] == "unknown"
    alone = look(since=None, journal=str(journal), domains=[])
    assert {item["domain"] for item in alone["domains"]} == {"reiji.example", "sales.reiji.example"} and alone["severity"] == "ok"


def test_nothing_is_converted_yet(look, tenant, tmp_path):
    tenant.clear_requests()
    found = look(since=None, journal=str(tmp_path / "none.jsonl"))
    assert found["severity"] == "ok" and "No domain was converted yet" in found["summary"] and found["counts"]["not_known"] == 225
    assert not [item for item in tenant.requests() if "/auditLogs/" in item["path"]]


def test_late(look):
    found = look(since=ago(30))
    assert found["late"] is True and found["severity"] == "warning"
    assert look(since=ago(30), grace_hours=48)["severity"] == "ok"


def test_without_the_licence_it_says_so(look, tenant):
    tenant.settings.change({"premium": False})
    found = look()
    assert [(item["part"], item["reason"]) for item in found["not_looked_at"]] == [("sign_in_log", "no_licence")]
    assert found["counts"]["not_known"] == 225 and found["counts"]["not_seen"] == 0
    assert found["severity"] == "unknown" and "Entra ID P1" in found["summary"] and "Entra ID P1" in found["summary_ja"]


def test_without_the_permission(look):
    found = look(app="readonly")
    assert [item["reason"] for item in found["not_looked_at"]] == ["permission_missing"] and "AuditLog.Read.All" in found["not_looked_at"][0]["msg"]


def test_a_log_that_is_cut_or_too_short_is_no_absence(look, tenant):
    for number in range(1001):
        sign_in(tenant, 71, hours=1 + number / 1000)
    tenant.clear_requests()
    found = look(max_log_pages=1)
    assert found["not_looked_at"][0]["reason"] == "too_many" and found["counts"]["arrived"] == 1 and found["counts"]["not_seen"] == 0
    found = look()
    assert found["counts"]["not_known"] == 0 and found["not_looked_at"] == []
    # users twice, and the log
    asked = [item["path"].partition("?")[0] for item in tenant.requests() if item["path"].startswith("/v1.0/")]
    assert asked[-4:] == ["/v1.0/users", "/v1.0/auditLogs/signIns", "/v1.0/auditLogs/signIns", "/v1.0/users"]
    assert look(since=ago(24 * 31))["counts"]["not_known"] == 224


def test_many_wrong_passwords_from_one_address(look, tenant):
    for number in range(40, 61):
        sign_in(tenant, number, 50126, hours=2, ipAddress="192.0.2.9")
        sign_in(tenant, number)
    found = look()
    assert found["suspicious_addresses"] == [{"address": "192.0.2.9", "count": 21}] and found["counts"]["failed"] == 0
    assert found["severity"] == "critical"


def test_an_entry_that_comes_on_two_pages_counts_once(look, tenant):
    """Entries arrive while the log is read, and push others to the page behind."""
    for number in range(40, 52):
        sign_in(tenant, number, 50126, hours=2, ipAddress="192.0.2.9")
    clean = look()
    (asked,) = (item["path"] for item in tenant.requests() if item["path"].startswith("/v1.0/auditLogs/signIns"))
    tenant.faults.add(method="GET", path="/v1.0/auditLogs/signIns", next_link=f"{tenant.url}{asked}")
    found = look()
    assert (found["entries"], found["suspicious_addresses"]) == (clean["entries"], []) == (12, [])


@pytest.mark.parametrize("options", [{"since": "yesterday"}, {"since": "2026-02-01T00:00:00"}, {"since": ago(-2)}, {"domains": [], "journal": None}])
def test_bad_options(look, options):
    assert look(**options)["failure"]["code"] == "bad_option"


def test_the_playbook(tenant, tmp_path: Path):
    """For a scheduler: again and again, its files anew, an error where the operator wants one."""
    for number in range(1, 251):
        if number != 72:
            sign_in(tenant, number)
    sign_in(tenant, 72, 50126)
    operator = Operator(tenant, tmp_path, microsoft_365_arrivals_since=ago(10))
    code, output = operator.play("arrivals")
    assert code != 0 and "1 tried and failed" in output and "AADSTS50126" in output and "通知書" in output
    results = operator.run_dir / "results"
    assert sorted(path.name for path in results.iterdir()) == ["arrivals.json", "arrivals.jsonl", "arrivals.prom"]
    assert json.loads((results / "arrivals.json").read_text())["counts"]["arrived"] == 249
    sign_in(tenant, 72, hours=0.5)
    operator.must("arrivals")
    assert "entra_arrivals_severity 0" in (results / "arrivals.prom").read_text() and tenant.writes() == []


def test_long_work_shows_where_it_is(look, tenant, tmp_path, monkeypatch):
    monkeypatch.setattr(progress.Progress.__init__, "__defaults__", (0.0, time.monotonic))
    sign_in(tenant, 71)
    file = tmp_path / "progress.jsonl"
    total = look(progress_file=str(file))["total"]
    shown = {item["noun"]: item["done"] for item in lines(file)}
    assert shown["users"] == total > 200 and shown["entries of the sign-in log"] >= 1
