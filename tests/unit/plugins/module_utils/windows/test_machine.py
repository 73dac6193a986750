# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a machine asks the registry each thing once; whatever else is run is run each time."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._windows import client, machine, registry
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.connection import Connection
from dev.options import given

WIN = Connection.from_params(given("win_file", host="win", username="u", password="p"))


@pytest.fixture
def run(monkeypatch):
    started = []

    def answer(_self, *arguments, **_how):
        started.append(arguments)
        there = arguments[-2].upper() in ("HKLM\\SOFTWARE", "HKLM\\SOFTWARE\\POLICIES")
        text = f"\nHKEY_LOCAL_MACHINE\\SOFTWARE\nHKEY_LOCAL_MACHINE\\SOFTWARE\\{len(started)}\n" if there else ""
        return client.Answer(0 if there else 1, text.encode(), b"")

    monkeypatch.setattr(client.Client, "run", answer)
    return started


def test_the_same_question_is_asked_once(run):
    look = machine.Look(WIN)
    first = registry.read(look, r"HKLM\SOFTWARE")
    assert registry.read(look, r"HKLM\SOFTWARE") == first
    assert registry.read_below(look, r"HKLM\SOFTWARE", r"IIJ\a") == registry.read_below(look, r"HKLM\SOFTWARE", r"IIJ\a") == []
    assert run == [("reg.exe", "query", r"HKLM\SOFTWARE", "/reg:64"), ("reg.exe", "query", r"HKLM\SOFTWARE\IIJ\a", "/s", "/reg:64")]
    registry.read(look, r"HKLM\SOFTWARE", view=32)
    assert len(run) == 3


def test_another_look_asks_again_and_so_does_a_machine_that_is_changed(run):
    for connect in (machine.Look, machine.Look, client.Client, client.Client):
        registry.read(connect(WIN), r"HKLM\SOFTWARE")
    assert len(run) == 4
    changed = client.Client(WIN)
    registry.read(changed, r"HKLM\SOFTWARE")
    registry.read(changed, r"HKLM\SOFTWARE")
    assert len(run) == 6


def test_other_programs_run_each_time(run):
    look = machine.Look(WIN)
    for _turn in range(2):
        look.run("schtasks.exe", "/query", "/xml")
    assert len(run) == 2
