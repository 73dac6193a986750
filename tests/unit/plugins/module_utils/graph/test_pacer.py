# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The token bucket, against a simulated service."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._graph.pacer import WRITE_QUOTA, TokenBucket


def test_a_full_bucket_then_its_rate():
    bucket = TokenBucket(3000, 150, 0.0)
    assert bucket.take(3000, 0.0) == 0
    assert bucket.take(20, 0.0) == pytest.approx(1.0)
    assert bucket.take(20, 0.0) == pytest.approx(2.0), "who reserves later waits longer"
    assert bucket.take(20, 3.0) == pytest.approx(0.0)


@pytest.mark.parametrize("writes", [100, 3000, 20000])
def test_it_reaches_the_bound_and_never_exceeds_the_quota(writes):
    """A service with the same bucket refuses nothing, and the last request goes out when the published quota allows it."""
    capacity, seconds = WRITE_QUOTA
    bucket = TokenBucket(capacity, seconds, 0.0)
    left, at, now = float(capacity), 0.0, 0.0
    for _ in range(0, writes, 20):
        now = now + bucket.take(20, now)
        left, at = min(capacity, left + (now - at) * capacity / seconds), now
        assert left >= 20 - 1e-6
        left -= 20
    assert now == pytest.approx(max(0, writes - capacity) * seconds / capacity)


def test_what_is_kept_back_is_never_used():
    bucket = TokenBucket(100, 10, 0.0, keep_back=40)
    assert bucket.take(60, 0.0) == 0
    assert bucket.take(10, 0.0) == pytest.approx(1.0)


def test_asking_reserves_nothing_and_what_is_not_used_comes_back():
    bucket = TokenBucket(100, 10, 0.0)
    assert bucket.delay(120, 0.0) == pytest.approx(2.0)
    assert bucket.share_left == 1.0
    assert bucket.take(120, 0.0) == pytest.approx(2.0)
    assert bucket.share_left == pytest.approx(-0.2)
    bucket.give_back(120)
    assert bucket.take(100, 0.0) == 0
    bucket.give_back(500)
    assert bucket.share_left == 1.0, "never more than it holds"


def test_a_refusal_blocks_and_empties_but_tokens_come_back_meanwhile():
    bucket = TokenBucket(100, 10, 0.0)
    bucket.pause(5, 0.0)
    assert bucket.take(20, 0.0) == pytest.approx(5)
    assert bucket.blocked(4.0) == pytest.approx(1.0)
    assert bucket.take(30, 5.0) == pytest.approx(0.0)
    assert bucket.take(10, 5.0) == pytest.approx(1.0)


@pytest.mark.parametrize(("used", "wait"), [(0.95, 0.0), (1.0, 1.0), (1.8, 1.0), (0.5, 0.0)])
def test_a_gross_difference_is_corrected(used, wait):
    bucket = TokenBucket(100, 10, 0.0)
    bucket.correct(used, 0.0)
    assert bucket.take(5 if used < 1 else 10, 0.0) == pytest.approx(wait)


def test_a_small_difference_is_not():
    bucket = TokenBucket(100, 10, 0.0)
    bucket.take(91, 0.0)
    bucket.correct(1.0, 0.0)
    assert bucket.take(9, 0.0) == 0
