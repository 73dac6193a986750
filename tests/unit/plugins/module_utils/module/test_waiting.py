# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting until a change is seen, with a clock that is moved by hand."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._module.waiting import Clock, insisted, is_shown, not_shown


class World:
    """Gives one prepared answer a read, the last one for ever; each read takes `cost` seconds."""

    def __init__(self, *answers: str, cost: float = 0.0) -> None:
        self.answers, self.cost = list(answers), cost
        self.time, self.asked, self.pauses, self.told = 100.0, [], [], []

    def read(self, waiting: list[str]) -> set[str]:
        self.asked.append("".join(waiting))
        self.time += self.cost
        return set(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds

    def wait(self, waiting: str, seconds: float, **options) -> str:
        return "".join(not_shown(waiting, self.read, seconds, clock=self.clock(), pausing=self.told.append, **options))

    def clock(self) -> Clock:
        return Clock(lambda: self.time, self.sleep)


@pytest.mark.parametrize(
    ("answers", "agreeing", "late", "asked"),
    [
        pytest.param(["ab"], 3, "", ["ab"] * 3, id="shown at once, three times in a row"),
        pytest.param(["ab"], 1, "", ["ab"], id="one read is enough where it is said to be"),
        pytest.param(["a", "a", "a", "b", "b", "b"], 3, "", ["ab"] * 3 + ["b"] * 3, id="each has its own count, and is asked for no longer"),
        pytest.param(["a", "a", "", "a", "a", "a", ""], 3, "b", ["ab"] * 6 + ["b"] * 5, id="a read that does not show it: the count starts anew"),
        pytest.param(["b"], 3, "a", ["ab"] * 3 + ["a"] * 8, id="one that is late hides no other"),
        pytest.param([""], 3, "ab", ["ab"] * 11, id="nothing is ever shown"),
        pytest.param(["abz"], 1, "", ["ab"], id="what nobody waits for is no matter"),
    ],
)
def test_what_is_not_seen_in_time(answers, agreeing, late, asked):
    world = World(*answers)
    assert (world.wait("ab", 10.0, agreeing=agreeing), world.asked) == (late, asked)


def test_there_is_always_one_read_and_none_is_begun_after_the_deadline():
    world = World("", cost=4.0)
    assert (world.wait("a", 0.0), world.asked) == ("a", ["a"])
    assert (world.wait("a", 10.0), world.asked, world.time) == ("a", ["a"] * 4, 118.0)
    assert world.told == [1, 1]


@pytest.mark.parametrize(
    ("answers", "late", "asked"),
    [
        pytest.param(["ab"], "", ["ab"] * 3, id="slow reads that agree are no failure"),
        pytest.param(["b", "ab"], "a", ["ab", "b", "b"], id="what was not shown in time is late"),
        pytest.param(["ab", "a", "ab"], "b", ["ab", "ab", "a"], id="a row that breaks ends there"),
        pytest.param(["ab", ""], "ab", ["ab", "ab"], id="in the order they were given"),
    ],
)
def test_a_row_that_has_begun_is_finished(answers, late, asked):
    world = World(*answers, cost=6.0)
    assert (world.wait("ab", 5.0), world.asked) == (late, asked)


def test_nothing_to_wait_for_reads_nothing():
    world = World("a")
    assert (world.wait("", 10.0), world.asked) == ("", [])


def test_pauses_grow_where_that_is_wanted():
    world = World("")
    world.wait("a", 40.0, longest_pause=10.0)
    assert world.pauses == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_an_error_of_the_read_ends_the_waiting():
    def fail(_waiting):
        raise ValueError("gone")

    with pytest.raises(ValueError, match="gone"):
        not_shown("a", fail, 10.0)


@pytest.mark.parametrize(
    ("answers", "found", "asked"),
    [
        pytest.param(["ab"], "ab", ["ab"], id="there at once"),
        pytest.param(["b", "", "a"], "ba", ["ab", "a", "a"], id="twice not there may be a replica that lags"),
        pytest.param(["b", "", "", "a"], "b", ["ab", "a", "a"], id="three times is absent"),
    ],
)
def test_what_is_not_there_is_asked_for_again(answers, found, asked):
    world = World(*answers)
    read = lambda left: dict.fromkeys(sorted(world.read(left))).items()  # noqa: E731
    assert "".join(key for key, _value in insisted("ab", read, clock=world.clock())) == found
    assert (world.asked, world.pauses) == (asked, [1.0] * (len(asked) - 1))


def test_one_thing_is_waited_for_by_the_same_clock():
    world = World("")
    assert not is_shown(lambda: bool(world.read(["a"])), 5.0, clock=world.clock()) and world.pauses == [1.0] * 5


def test_who_passes_no_clock_waits_by_the_one_of_the_moment(clock):
    assert not_shown("a", lambda _waiting: (), 3600.0) == ["a"] and sum(clock.pauses) == 3600.0


def test_of_nothing_nothing_is_read():
    assert list(insisted((), lambda left: pytest.fail(f"read {left}"))) == []
