# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import zoneinfo

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Outcome
from ansible_collections.offboard.iij_id.plugins.module_utils._module.files import append_records
from ansible_collections.offboard.iij_id.plugins.module_utils._module.runner import _Run
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import preconditions
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report.resource import RunReport

CHANGE = Change("domain", "reiji.example", "reiji.example", "convert_to_managed", {"authenticationType": "Federated"}, {"authenticationType": "Managed"})


class Module:
    """The part of AnsibleModule that the runner uses."""

    _diff = False

    def __init__(self, check_mode, params):
        self.check_mode, self.params = check_mode, params

    def warn(self, text):
        raise AssertionError(text)


def write(run_dir, check_mode=False, **options):
    params = {"run_dir": str(run_dir), "title": "Reiji", "language": "ja", "timezone": "Asia/Tokyo", **options}
    return _Run(Module(check_mode, params), RunReport(params), preconditions.demand).run()


def news(run_dir, second):
    append_records(str(run_dir / "journal.jsonl"), [journal.intent(CHANGE, "r", f"2026-11-21T00:00:0{second}Z")])
    append_records(str(run_dir / "journal.jsonl"), [journal.outcome(Outcome(CHANGE, "done"), "r", f"2026-11-21T00:00:0{second}Z")])


def test_written_once_and_again_only_with_news(tmp_path):
    news(tmp_path, 1)
    assert write(tmp_path, check_mode=True)["changed"] and os.listdir(tmp_path) == ["journal.jsonl"]
    result = write(tmp_path)
    assert result["changed"] and result["summary"]["done"] == 1 and result["summary"]["state"] == "not_judged"
    assert json.loads((tmp_path / "report.json").read_text())["changes"][0]["kind"] == "domain"
    assert "マネージドに変換" in (tmp_path / "report.html").read_text()
    assert not write(tmp_path)["changed"]
    news(tmp_path, 2)
    assert write(tmp_path)["changed"]


def test_what_the_stages_left_is_read(tmp_path):
    for name, severity in (("preflight", "warning"), ("final_gate", "blocker")):
        (tmp_path / "results").mkdir(exist_ok=True)
        finding = {"severity": severity, "code": "x", "en": f"{name} says", "ja": "", "objects": []}
        (tmp_path / "results" / f"{name}.json").write_text(json.dumps({"findings": [finding]}))
    skipped = {"id": "1", "userPrincipalName": "taro@reiji.example", "status": "skipped", "code": "is_blocked", "msg": "blocked"}
    (tmp_path / "results" / "passwords.jsonl").write_text(json.dumps(skipped) + "\n")
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "manifest.json").write_text('{"taken": "2026-11-20T15:00:00Z", "counts": {"users": 250}, "files": [{"name": "users-1.yml"}]}')
    assert write(tmp_path)["summary"] == {"state": "closed", "done": 0, "failed": 0, "refused": 0, "left": 1, "steps": 0, "steps_open": 0}
    text = (tmp_path / "report.html").read_text()
    assert "preflight says" in text and "final_gate says" in text and "<code>users</code> 250" in text and "taro@reiji.example" in text
    assert "2026-11-21 00:00:00 JST" in text and "{&quot;" not in text  # no JSON


@pytest.mark.parametrize(
    ("options", "code"),
    [({"run_dir": "/nonexistent/run"}, "run_dir_missing"), ({"timezone": "Mars/Base"}, "timezone_unknown"), ({"timezone": ""}, "timezone_unknown")],
)
def test_bad_options(tmp_path, options, code):
    with pytest.raises(OffboardError) as caught:
        write(**{"run_dir": tmp_path, **options})
    assert caught.value.code == code


def test_a_machine_without_time_zones_is_told_apart_from_a_wrong_name(tmp_path, monkeypatch):
    """Small images have none (Red Hat's, and Debian's slim ones); then the name is right."""
    with pytest.raises(OffboardError, match=r"UTC\.$"):
        write(tmp_path, timezone="Mars/Base")
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    with pytest.raises(OffboardError, match="has no time zones: install tzdata"):
        write(tmp_path, timezone="Mars/Base")


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "preflight.json").write_text("{")
    with pytest.raises(OffboardError) as caught:
        write(tmp_path)
    assert caught.value.code == "file_read_failed" and "preflight.json" in caught.value.msg
