# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that a stranger chose in the tenant, by the whole way: module, `ansible`, terminal, journal."""

from __future__ import annotations

import json
import re

import pytest
from lab import company

from .entra import ansible, connection, lines, run_module

IIJ = company.app("iij")["client_id"]
NAME = "iid\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj.exe\u2066\nok: [localhost] 日本\U0001f469\u200d\U0001f4bb"
SHOWN = r"iid\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj.exe\u2066\nok: [localhost] 日本" + "\U0001f469\u200d\U0001f4bb"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.fixture
def named(tenant):
    for table in ("applications", "service_principals"):
        for item in list(tenant.store.tables[table].objects.values()):
            if item["appId"] == IIJ:
                tenant.store.put(table, item["id"], item | {"displayName": NAME})
    return tenant


def texts(value, key=""):
    """All texts."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for name, item in value.items() if name != "invocation" for text in texts(item, name)]
    return [text for item in value for text in texts(item, key)] if isinstance(value, list) else []


@pytest.mark.parametrize("how", ["check", "real", "refused", "server"])
def test_a_hostile_name_and_message_reach_nobody(named, capsys, tmp_path, how):
    options = {**connection(named), "app_id": IIJ, "state": "absent", "journal": str(tmp_path / "journal.jsonl"), "max_changes": 0 if how == "refused" else 20}
    if how == "server":
        named.faults.add(method="DELETE", path="/v1.0/.*", times=None, status=400, code="Bad\x9bRequest", message=NAME)
    told = run_module(capsys, "entra_app", options, check=how == "check", diff=True)
    assert [text for text in texts(told) if OBEYED.search(text)] == []
    assert SHOWN in json.dumps(told["plan"], ensure_ascii=False).replace("\\\\", "\\")
    assert ("failed" in told) == (how in ("refused", "server"))
    if how == "server":
        assert r"Bad\x9bRequest" in told["msg"] and "\n" not in told["msg"]
    if how in ("real", "server"):
        journal = (tmp_path / "journal.jsonl").read_text()
        assert not OBEYED.search(journal)
        assert any(NAME in line["name"] for line in lines(tmp_path / "journal.jsonl")), "the journal holds the name as it is"


def test_a_terminal_is_told_nothing_it_would_obey(named):
    options = {**connection(named), "app_id": IIJ, "state": "absent", "max_changes": 0}
    told, printed = ansible("entra_app", options, "--check", "--diff")
    assert told["failure"]["code"] == "guard_refused"
    assert not OBEYED.search(printed) and "日本" in printed


def test_what_is_found_keeps_its_name_as_data(named, capsys):
    found = run_module(capsys, "entra_app_info", {**connection(named), "client_ids": [IIJ], "activity_hours": 0})
    assert [app["display_name"] for app in found["apps"] if app["client_id"] == IIJ] == [NAME]
    told = run_module(capsys, "readiness_info", {"gate": "final", "apps": found["apps"], "confirmed": {"client_ids": [IIJ]}})
    assert SHOWN in told["msg"] and not [text for text in texts(told) if OBEYED.search(text)]
