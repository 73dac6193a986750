# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tracemalloc

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.arrivals import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.arrivals.plan import Log, Seen, moment, severity, state_of

CONVERTED = "2026-02-01T00:00:00Z"
START = moment(CONVERTED)


def entry(code: int, at: str = "2026-02-01T09:00:00Z", user: str = "U1", **more) -> dict:
    return {"userId": user, "createdDateTime": at, "status": {"errorCode": code}, **more}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], ("not_seen", 0)),
        ([entry(0)], ("arrived", 0)),
        # before the conversion they signed in at the other provider
        ([entry(0, "2026-01-31T23:59:59Z")], ("not_seen", 0)),
        ([entry(0, CONVERTED)], ("arrived", 0)),
        ([entry(50126)], ("failed", 50126)),
        # the last failure counts, whatever the order of the log
        ([entry(50126, "2026-02-01T10:00:00Z"), entry(50072, "2026-02-01T11:00:00Z"), entry(50053, "2026-02-01T09:00:00Z")], ("failed", 50072)),
        ([entry(50074, "2026-02-01T09:00:00Z"), entry(0, "2026-02-01T09:01:00Z"), entry(50126, "2026-02-01T10:00:00Z")], ("arrived", 50126)),
        # of two in a second the first one, since the log begins with the newest
        ([entry(50072), entry(50126)], ("failed", 50072)),
        # a browser that asks by itself hides no failure, and is none that somebody has to mend
        ([entry(50126, "2026-02-01T10:00:00Z"), entry(50058, "2026-02-01T11:00:00Z")], ("failed", 50126)),
        ([entry(50173, "2026-02-01T11:00:00Z"), entry(50126, "2026-02-01T10:00:00Z")], ("failed", 50126)),
        ([entry(50058, "2026-02-01T10:00:00Z"), entry(50173, "2026-02-01T11:00:00Z")], ("failed", 50173)),
        ([entry(0, user="u2")], ("not_seen", 0)),
        # what is no entry at all
        ([{}, {"userId": "u1"}, {"userId": "u1", "createdDateTime": "x"}, entry("0")], ("not_seen", 0)),
        ([{"userId": "u1", "createdDateTime": CONVERTED, "status": None}, entry(0, "2026-02-01T09:00:00")], ("not_seen", 0)),
    ],
)  # fmt: skip
def test_one_user(entries, expected) -> None:
    log = Log([("u1", START)])
    for item in entries:
        log.add(item)
    seen = log.of("U1")
    assert seen is not None
    assert (state_of(seen, True, "")[0], seen.code) == expected


@pytest.mark.parametrize(
    "odd",
    [
        {"status": "failed"}, {"status": []}, {"status": None}, {"status": {}}, {"status": {"errorCode": None}}, {"status": {"errorCode": "0"}},
        {"status": {"errorCode": False}}, {"status": {"errorCode": 2**70}}, {"status": {"errorCode": 0.0}}, {"createdDateTime": None},
        {"createdDateTime": "2026-02-01T09:00:00"}, {"createdDateTime": "99999-01-01T00:00:00Z"}, {"createdDateTime": "9999-12-31T23:59:59-23:59"},
        {"userId": None}, {"userId": ["u1"]}, {"userId": "", "servicePrincipalId": "u1"},
    ],
    ids=str,
)  # fmt: skip
def test_an_entry_that_tells_nothing_is_passed_over(odd: dict) -> None:
    """No word of the sign-in service ends the looking, and none is an arrival that is not."""
    log = Log([("u1", START)])
    log.add(entry(0) | odd)
    log.add(entry(50126, ipAddress=["198.51.100.1"]))
    assert not log.of("u1").arrived or "9999" in str(odd)
    assert log.of("u1").code == 50126


def test_the_first_arrival_counts_and_each_domain_has_its_own_time() -> None:
    log = Log([("u1", START), ("u2", START + 86400)])
    for at in ("2026-02-01T12:00:00Z", "2026-02-01T08:00:00Z"):
        log.add(entry(0, at))
        log.add(entry(0, at, user="u2"))
    assert log.of("u1").arrived == moment("2026-02-01T08:00:00Z") and log.of("u2") == (0, 0, 0) and log.of("u3") is None
    assert log.entries == 2


@pytest.mark.parametrize(
    ("seen", "enabled", "why", "expected"),
    [
        (Seen(1, 0, 0), True, "log_not_read", ("arrived", "")),
        (Seen(1, 2, 50057), False, "", ("arrived", "")),
        (Seen(0, 2, 50057), False, "", ("failed", "")),
        (Seen(0, 0, 0), False, "", ("blocked", "")),
        (Seen(0, 0, 0), True, "", ("not_seen", "")),
        # nothing in a log that could not be read is no absence
        (Seen(0, 0, 0), True, "log_not_read", ("not_known", "log_not_read")),
    ],
)
def test_states(seen, enabled, why, expected) -> None:
    assert state_of(seen, enabled, why) == expected


@pytest.mark.parametrize(
    ("states", "codes", "late", "suspicious", "expected"),
    [
        ({"arrived": 5}, {}, True, False, "ok"),
        ({"not_seen": 5}, {}, False, False, "ok"),
        ({"not_seen": 5}, {}, True, False, "warning"),
        ({"failed": 1}, {50072: 1}, False, False, "warning"),
        ({"failed": 1}, {50126: 1}, False, False, "critical"),
        ({"failed": 4}, {50058: 1, 50133: 1, 50173: 1, 16000: 1}, False, False, "warning"),
        ({"failed": 6}, {50132: 1, 50089: 1, 81010: 1, 50078: 1, 50097: 1, 50199: 1}, False, False, "warning"),
        ({"failed": 1}, {53010: 1}, False, False, "critical"),
        ({"failed": 2}, {50072: 1, 999999: 1}, False, False, "critical"),
        ({"not_known": 1}, {}, False, False, "unknown"),
        ({"arrived": 5}, {}, False, True, "critical"),
        ({"blocked": 5}, {}, True, False, "ok"),
    ],
)
def test_severity(states, codes, late, suspicious, expected) -> None:
    assert severity(states, codes, late, suspicious) == expected


def test_many_wrong_passwords_from_one_address() -> None:
    log = Log([("u1", START)])
    for _number in range(plan.SUSPICIOUS):
        log.add(entry(50126, ipAddress="192.0.2.1"))
        log.add(entry(50074, ipAddress="192.0.2.2"))
    log.add(entry(50126, ipAddress="192.0.2.3"))
    assert log.suspicious() == [{"address": "192.0.2.1", "count": plan.SUSPICIOUS}]


@pytest.mark.parametrize(
    ("same", "different", "count"),
    [
        ({"id": "e1"}, "", 1),  # an entry that came on several pages
        ({"correlationId": "c1"}, "id", 1),  # one sign-in, in which the password was typed again or the client sent again
        ({"correlationId": "c1"}, "userId", 30),  # an attacker may send the same one for everybody
        ({"correlationId": None}, "id", 30),
        ({}, "correlationId", 30),
        ({"id": ""}, "correlationId", 30),
    ],
)
def test_a_sign_in_with_a_wrong_password_counts_once(same: dict, different: str, count: int) -> None:
    log = Log((f"u{number}", START) for number in range(30))
    for number in range(30):
        log.add(entry(50126, user="u1", ipAddress="192.0.2.1") | ({different: f"u{number}"} if different else {}) | same)
        log.add(entry(50126, user="u1", ipAddress=f"192.0.2.{number + 10}", correlationId="c1"))
    found = {item["address"]: item["count"] for item in log.suspicious()}
    assert found.get("192.0.2.1", 1) == count and len(found) <= 1


def test_what_is_remembered_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_RECENT", 3)
    log = Log([("u1", START)])
    for number in (1, 2, 1, 3, 4, 5, 6, 5):
        log.add(entry(0, id=str(number)))
    assert log.entries == 6 and len(log._seen._last) == 3


@pytest.mark.parametrize(
    ("more", "state"), [({"isInteractive": False}, "not_seen"), ({"isInteractive": True}, "arrived"), ({"isInteractive": None}, "arrived")]
)
@pytest.mark.parametrize("code", [0, 50126])
def test_a_program_that_goes_on_is_nobody_who_arrived(code: int, more: dict, state: str) -> None:
    """A refresh token from before the conversion is good for weeks, and proves no way to sign in."""
    log = Log([("u1", START)])
    log.add(entry(code, **more))
    assert state_of(log.of("u1"), True, "")[0] == (state if code == 0 or state == "not_seen" else "failed")


def test_more_addresses_than_are_counted_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MOST_ADDRESSES", 1)
    log = Log([("u1", START)])
    log.add(entry(50126, ipAddress="192.0.2.1"))
    log.add(entry(50126, ipAddress="192.0.2.1"))
    assert not log.addresses_cut
    log.add(entry(50126, ipAddress="192.0.2.2"))
    assert log.addresses_cut


def test_every_code_has_words_in_both_languages() -> None:
    for code in (*plan.CODES.values(), plan.code_of(1)):
        assert all((code.reason.en, code.reason.ja, code.remedy.en, code.remedy.ja))


def test_prometheus() -> None:
    counts = dict.fromkeys(plan.STATES, 0) | {"arrived": 2, "failed": 1}
    found = {
        "domains": [{"domain": "a.example", "since": CONVERTED, "counts": counts}, {"domain": "b.example", "since": None, "counts": counts}],
        "failures": [{"code": 50126, "count": 1}],
        "severity": "critical",
    }
    lines = plan.prometheus(found, START).splitlines()
    assert 'entra_arrivals_users{domain="a.example",state="arrived"} 2' in lines and 'entra_arrivals_failures{code="50126"} 1' in lines
    assert "entra_arrivals_severity 2" in lines and f"entra_arrivals_checked_timestamp_seconds {START}" in lines
    assert [line for line in lines if line.startswith("entra_arrivals_converted")] == [
        f'entra_arrivals_converted_timestamp_seconds{{domain="a.example"}} {START}'
    ]


def test_without_the_licence_the_summary_says_so() -> None:
    found = {
        "domains": [{"since": CONVERTED}],
        "counts": dict.fromkeys(plan.STATES, 0) | {"not_known": 3},
        "total": 3,
        "not_looked_at": [{"part": "sign_in_log", "reason": "no_licence"}],
    }
    text = plan.summary(found)
    assert "Entra ID P1" in text.en and "Entra ID P1" in text.ja and "3 not known" in text.en


@pytest.mark.parametrize(("part", "words"), [("sign_in_log", "サインインログ"), ("addresses", "送信元アドレス")])
@pytest.mark.parametrize(("reason", "why"), [("permission_missing", "権限がない"), ("too_many", "多すぎる"), ("Forbidden", "コード Forbidden")])
def test_what_was_not_looked_at_is_told_in_words(part: str, words: str, reason: str, why: str) -> None:
    found = {"domains": [{"since": CONVERTED}], "counts": dict.fromkeys(plan.STATES, 0), "total": 1, "not_looked_at": [{"part": part, "reason": reason}]}
    text = plan.summary(found)
    assert words in text.ja and why in text.ja and part not in text.ja and "sign_in_log" not in text.en and text.en.startswith("0 of 1 user ")


def test_before_the_conversion_there_is_nothing_to_wait_for() -> None:
    found = {"domains": [{"since": None}], "counts": {}, "total": 3, "not_looked_at": []}
    assert plan.summary(found).en.startswith("No domain was converted yet")
    assert severity({"not_known": 3}, {}, False, False, converted=False) == "ok"


def test_what_is_kept_of_a_log_does_not_grow_with_it(monkeypatch):
    monkeypatch.setattr(plan, "_RECENT", 500)
    monkeypatch.setattr(plan, "MOST_ADDRESSES", 250)
    log = Log((f"U{number}", START) for number in range(200))
    kept = []
    tracemalloc.start()
    try:
        for start in (0, 2000):
            for number in range(start, start + 2000 * (1 if not start else 5)):
                one = {"id": f"{number}" * 9, "correlationId": f"{number}" * 9, "ipAddress": f"2001:db8::{number:x}"}
                log.add(entry(50126, user=f"U{number % 200}", **one))
            kept.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert log.entries == 12000 and log.addresses_cut and kept[1] < 1.1 * kept[0], kept
