# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a machine asks the registry each thing once; whatever else is run is run each time."""

from __future__ import annotations

import re

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._windows import client, machine, registry
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates.resource import QUERIES
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


#: Of a machine: a key with a value, in which somebody has put lines that look like the end of an answer.
HELD = "\r\nHKEY_LOCAL_MACHINE\\X\r\n    Name    REG_SZ    a\r\n1:0\r\nmark:1\r\n\r\n"


def _cmd(monkeypatch, spoil=lambda text: text):
    """cmd.exe of a machine that has every second key; what it was asked."""
    asked = []

    def cmd(_self, line):
        asked.append(line)
        marks = re.findall(r"echo (\S+:)0\|\|echo \1", line)
        text = "".join(f"{HELD if number % 2 == 0 else ''}{mark}{number % 2}\r\n" for number, mark in enumerate(marks))
        return client.Answer(1, spoil(text).encode(), b"")

    monkeypatch.setattr(client.Client, "cmd", cmd)
    return asked


@pytest.mark.parametrize("queries", QUERIES, ids=["own", "authorities"])
def test_keys_that_are_asked_for_one_after_the_other_are_asked_for_at_once(run, monkeypatch, queries):
    asked = _cmd(monkeypatch)
    look = machine.Look(WIN)
    answers = [look.run(*query) for query in [*queries, *queries]]
    assert len(asked) == 1 and run == []
    assert [(answer.exit_code, answer.stdout.decode()) for answer in answers[: len(queries)]] == [
        (number % 2, HELD if number % 2 == 0 else "") for number in range(len(queries))
    ]
    assert len(set(re.findall(r"echo (\S+):", asked[0]))) == 1
    machine.Look(WIN).run(*queries[0])
    assert asked[0] != asked[1]  # no value of the registry can know the mark


@pytest.mark.parametrize(
    "spoil",
    [lambda text: "", lambda text: text[:-3], lambda text: text + "more", lambda text: re.sub(r"^[0-9a-f-]{36}:1\r\n", "", text, count=1, flags=re.MULTILINE)],
    ids=["nothing", "cut", "more", "an answer is missing"],
)
def test_an_answer_to_several_that_is_not_as_expected_is_no_answer(run, monkeypatch, spoil):
    asked = _cmd(monkeypatch, spoil)
    look = machine.Look(WIN)
    look.run(*QUERIES[0][1])
    assert len(asked) == 1 and run == [QUERIES[0][1]]
