# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back from a finished exit, and forward again; and a pilot, which begins with one domain and one machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from dev import places
from lab.evidence import Watch

from . import worlds
from .conftest import Chapter, Story, open_gate, reset
from .expected import APPS, DOMAINS, GONE_APPS, PEOPLE, WITH_PASSWORD
from .playbooks import Operator, Run, handover
from .test_decommission import BROWSERS, NOTHING

pytestmark = [pytest.mark.lab, pytest.mark.long]

#: All that can be brought back at the end of the exit; the scheduled tasks are gone with the agents.
EVERYTHING = ["accounts", "app", "domains", "policies", "users"]


def federations(world: worlds.World) -> list[dict[str, Any]]:
    """What Entra shows of the domains' configurations, without their ids, which it makes anew."""
    tables = [item for key, item in world.items() if key.startswith("federations/")]
    found = [{name: value for name, value in item.items() if name == "_domain" or (name[0] not in "_@" and name != "id")} for item in tables]
    return sorted(found, key=lambda item: item["_domain"])


def authentication(world: worlds.World) -> dict[str, str]:
    """Domain → Federated or Managed."""
    return {item["id"]: item["authenticationType"] for key, item in world.items() if key.startswith("domains/")}


# --- back, after everything was done


@pytest.fixture(scope="module")
def checked_back(story: Story, again: Chapter) -> Chapter:
    """restore --check of everything, at the end of the exit."""
    watch = Watch()
    return story.chapter(story.operator.run("restore", "--check", "--diff", offboard_restore=EVERYTHING), watch)


@pytest.fixture(scope="module")
def back(story: Story, checked_back: Chapter) -> Chapter:
    """For real."""
    watch = Watch()
    return story.chapter(story.operator.run("restore", "--diff", offboard_restore=EVERYTHING).must(), watch)


def test_schedules_that_went_with_the_agents_are_told(story: Story, again: Chapter) -> None:
    """Nothing is there to be enabled, and that must not look like success: the saved definitions are named."""
    watch = Watch()
    story.operator.run("restore", offboard_restore=["tasks"]).failed("Its definition is saved: ", "/backups/")
    assert watch.new() == NOTHING


def test_check_mode_of_the_way_back_writes_nothing(checked_back: Chapter, again: Chapter) -> None:
    checked_back.run.must()
    assert checked_back.writes == NOTHING
    for world in NOTHING:
        assert worlds.changes(again.after[world], checked_back.after[world]) == {}, world


def test_domains_are_federated_as_they_were(back: Chapter, start: worlds.Worlds) -> None:
    assert authentication(back.after["tenant"]) == authentication(start["tenant"])
    assert federations(back.after["tenant"]) == federations(start["tenant"])


def test_apps_are_back_and_can_sign_in(back: Chapter, start: worlds.Worlds) -> None:
    before, after = start["tenant"], back.after["tenant"]
    assert worlds.applications(after) == worlds.applications(before)
    assert worlds.applications(after, "service_principals") == worlds.applications(before, "service_principals")
    assert worlds.applications(after, "deleted_applications") == {}


def test_accounts_and_policies_are_as_they_were(back: Chapter, start: worlds.Worlds) -> None:
    assert worlds.beyond_versions(worlds.changes(start["directory"], back.after["directory"])) == {}


def test_nobody_is_blocked_and_no_password_is_touched(back: Chapter, again: Chapter) -> None:
    assert worlds.users(back.after["tenant"]) == worlds.users(again.after["tenant"])
    # agents are installed by a person
    assert [name for name in worlds.changes(again.after["windows"], back.after["windows"]) if not name.startswith(BROWSERS)] == []


def test_browsers_sign_in_as_they_did(back: Chapter, start: worlds.Worlds) -> None:
    assert [name for name in worlds.changes(start["windows"], back.after["windows"]) if name.startswith(BROWSERS)] == []


def test_the_way_back_once_more_changes_nothing(story: Story, back: Chapter) -> None:
    watch = Watch()
    run = story.operator.run("restore", offboard_restore=EVERYTHING).must()
    assert run.changed == 0
    assert watch.new() == NOTHING


def test_forward_again(story: Story, back: Chapter, again: Chapter) -> None:
    """The exit is made a second time, out of the same run folder; passwords that were handed over stay."""
    # IIJ ID can work again since its app is back: what was confirmed of its provisioning before says nothing
    story.operator.run("decommission").failed("provisioning_stopped", "app was brought back later")
    story.operator.confirm("provisioning_stopped")
    # converted a second time: what was confirmed of the administrators' passwords before says nothing
    story.operator.run("decommission").failed("The step administrators_have_passwords is open again")
    story.operator.confirm("administrators_have_passwords")
    story.operator.run("decommission").must()
    after = worlds.dump()
    assert authentication(after["tenant"]) == authentication(again.after["tenant"])
    assert worlds.applications(after["tenant"]).keys().isdisjoint(GONE_APPS)
    assert worlds.beyond_versions(worlds.changes(again.after["directory"], after["directory"])) == {}
    passwords = {entry["userPrincipalName"]: worlds.password_is(entry["id"], entry["password"]) for entry in handover(story.operator.run_dir)}
    assert passwords == dict.fromkeys(WITH_PASSWORD, (True, 1))


# --- back, from half-way


def test_schedules_go_back(lab: None, tmp_path: Path) -> None:
    reset()
    start = worlds.windows()
    operator = Operator(tmp_path)
    operator.run("freeze").failed("snapshot")
    assert worlds.changes(start, worlds.windows()) == {}
    operator.run("snapshot").must()
    assert operator.run("freeze").must().changed
    assert worlds.changes(start, worlds.windows())
    assert operator.run("restore", offboard_restore=["tasks"]).must().changed
    assert worlds.changes(start, worlds.windows()) == {}


def test_the_hard_guard_goes_back(lab: None, tmp_path: Path) -> None:
    """IIJ ID's service principal was switched off too early: IIJ ID can work again."""
    reset()
    operator = Operator(tmp_path, microsoft_365_disable_app=True)
    start = worlds.tenant()
    operator.run("snapshot").must()
    operator.run("gate").failed("provisioning_stopped")
    assert not worlds.applications(worlds.tenant(), "service_principals")[APPS["iij"]]["accountEnabled"]
    operator.run("restore", offboard_restore=["app"]).must()
    assert worlds.applications(worlds.tenant(), "service_principals") == worlds.applications(start, "service_principals")


def test_without_a_word_nothing_is_brought_back(lab: None, tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    watch = Watch()
    operator.run("restore").failed("What shall be brought back", "offboard_restore")
    operator.run("restore", offboard_restore=["everything"]).failed("offboard_restore")
    assert watch.new() == NOTHING


# --- a pilot


SMALL = "reiji-group.example"


@pytest.fixture(scope="module")
def pilot(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Everything that comes before the first domain."""
    reset()
    operator = Operator(tmp_path_factory.mktemp("pilot"))
    open_gate(operator)
    operator.run("decommission", "--tags", "preflight,snapshot,freeze,gate,users").must()
    return operator


def test_pilot_is_what_the_manual_says() -> None:
    """The tests below run the manual's commands, in its order."""
    page = (places.ROOT / "docs" / "en" / "cannot-prove.md").read_text(encoding="utf-8")
    told = re.findall(r"^    ansible-playbook -i inventory offboard\.iij_id\.(\w+)([^#\n]*)", page, re.MULTILINE)
    narrowed = """-e '{"microsoft_365_domains": ["small.example"]}'"""
    assert [(name, words.strip()) for name, words in told] == [
        ("decommission", "--tags preflight,snapshot,freeze,gate,users"),
        ("domains", f"{narrowed} --check --diff"),
        ("domains", narrowed),
        ("passwords", narrowed),
        ("domains", ""),
        ("passwords", ""),
        ("app", ""),
        ("agents", "--limit 'sync1,localhost'"),
        ("decommission", ""),
    ]


def _small(pilot: Operator, playbook: str, *flags: str, **more: Any) -> Run:
    return pilot.run(playbook, *flags, microsoft_365_domains=[SMALL], **more)


def test_pilot_of_one_domain(pilot: Operator) -> None:
    before = worlds.tenant()
    watch = Watch()
    _small(pilot, "domains", "--check", "--diff").must()
    assert watch.new() == NOTHING
    _small(pilot, "domains").must()
    _small(pilot, "passwords").must()
    assert authentication(worlds.tenant()) == {**authentication(before), SMALL: "Managed"}
    handed = {entry["userPrincipalName"] for entry in handover(pilot.run_dir)}
    assert handed == {upn for upn, person in WITH_PASSWORD.items() if person.domain == SMALL}


def test_pilot_goes_back(pilot: Operator) -> None:
    before = worlds.tenant()
    _small(pilot, "restore", offboard_restore=["domains"]).must()
    assert authentication(worlds.tenant()) == {**authentication(before), SMALL: "Federated"}
    assert worlds.users(worlds.tenant()) == worlds.users(before)
    _small(pilot, "domains").must()
    assert _small(pilot, "passwords").must().changed == 0


def test_after_the_pilot_the_rest(pilot: Operator) -> None:
    pilot.run("domains").must()
    pilot.run("passwords").must()
    assert {name for name, kind in authentication(worlds.tenant()).items() if kind == "Managed"} >= set(DOMAINS)
    passwords = {entry["userPrincipalName"]: worlds.password_is(entry["id"], entry["password"]) for entry in handover(pilot.run_dir)}
    assert passwords == dict.fromkeys(WITH_PASSWORD, (True, 1))
    pilot.run("app").must()
    assert worlds.applications(worlds.tenant()).keys().isdisjoint(GONE_APPS)


def test_pilot_of_one_machine(pilot: Operator) -> None:
    before = worlds.windows()
    pilot.run("agents", "--limit", "sync01,localhost").must()
    touched = worlds.changes(before, worlds.windows())
    assert touched and all(name.startswith("sync01: ") for name in touched)


def test_the_pilot_ends_as_a_whole_exit_does(pilot: Operator) -> None:
    run = pilot.run("decommission")
    if run.code:  # a person's turn
        pilot.confirm(*(name for name, step in pilot.steps.items() if not step["done"] and step["blocks_final_gate"]))
        pilot.run("decommission").must()
    after = worlds.users(worlds.tenant())
    for person in PEOPLE:
        assert after[person.upn]["accountEnabled"] == person.enabled, person
    assert [name for name in worlds.windows() if re.search("IIJ ID Service", name)] == []
