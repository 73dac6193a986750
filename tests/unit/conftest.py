# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests judge answers, never the machine's speed of the moment, and wait for nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._module import waiting
from hypothesis import HealthCheck, settings

settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")


class Hand:
    """A clock that is moved by waiting: nobody waits."""

    def __init__(self) -> None:
        self.at, self.pauses = 100.0, list[float]()

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    """In the place of this machine's, wherever something is waited for until it is seen."""
    hand = Hand()
    monkeypatch.setattr(waiting, "CLOCK", waiting.Clock(hand.now, hand.sleep))
    yield hand


@pytest.fixture
def dead() -> Iterator[tuple[str, int]]:
    """A port at which nothing answers: its queue is full."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        queued = [socket.socket() for _ in range(3)]
        for one in queued:
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield listening.getsockname()
        for one in queued:
            one.close()
