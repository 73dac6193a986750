# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import html
import re
import zoneinfo
from html.parser import HTMLParser

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Outcome, Refusal
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import page as report_page
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import people as report_people
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import plan as report

TOKYO = zoneinfo.ZoneInfo("Asia/Tokyo")
EVIL = "<script>alert('x')</script>"


def at(second):
    return f"2026-11-21T00:00:{second:02d}Z"


def records(action="enable", name="taro", status="done", second=1, kind="user", **outcome):
    """An intent, and its outcome unless `status` is None."""
    change = Change(kind, name, name, action, {"accountEnabled": False}, {"accountEnabled": True}, undo="disable")
    made = [journal.intent(change, "run", at(second))]
    return made if status is None else [*made, journal.outcome(Outcome(change, status, **outcome), "run", at(second + 1))]


def refused(second, msg="no", **other):
    return journal.refusal(Refusal("max_changes", msg, (), "max_changes: 3"), "users", "run", at(second), **other)


def step(identity="a", done=False, blocks=True, **other):
    who = {"by": "Hanako", "at": at(5), "note": "n"} if done else {"by": "", "at": "", "note": ""}
    return {"id": identity, "stage": "gate", "en": "do", "ja": "する", "blocks_final_gate": blocks, "source": "", "done": done, **who, **other}


def build(made=(), steps=(), preflight=None, final_gate=None, snapshot=None, title="Reiji", results=(), references=None):
    return report.build(list(made), list(steps), preflight, final_gate, snapshot, title, results, references)


def line(name="taro", status="skipped", code="needs_higher_role", msg="administrator"):
    return {"id": name, "userPrincipalName": name, "status": status, "code": code, "msg": msg}


def blocker(code="domain_federated", en="left", ja="残り"):
    return {"severity": "blocker", "code": code, "en": en, "ja": ja, "objects": []}


@pytest.mark.parametrize(("final_gate", "state"), [(None, "not_judged"), ([], "open"), ([blocker()], "closed")])
def test_the_state_is_the_final_gates(final_gate, state):
    assert build(final_gate=final_gate)["state"] == state


@pytest.mark.parametrize(
    ("made", "state"),
    [
        ([], "open"),
        (records("delete", second=5), "open"),
        (records("delete", second=12), "outdated"),
        (records("delete", second=12, status="failed"), "open"),
        (records("confirm", second=12, kind="manual_step"), "open"),
    ],
)
def test_what_was_changed_after_the_final_gate_had_opened_outdates_it(made, state):
    assert report.build(list(made), [], None, [], None, "", judged_at=at(10))["state"] == state
    assert report.build(list(made), [], None, [blocker()], None, "", judged_at=at(10))["state"] == "closed"


def test_what_was_brought_back_is_counted():
    made = build([*records("disable", "a", second=3), *records("disable", "b", second=5), *records("enable", "a", second=7), *records("delete", "b", second=9)])
    assert {group["action"]: group["taken_back"] for group in made["changes"]} == {"disable": 1, "enable": 0, "delete": 0}


def test_the_last_outcome_of_an_object_counts():
    again = build([*records(status="failed", code="no_seats", msg="none"), *records(second=10)])
    assert again["failed"] == [] and again["counts"]["done"] == 1
    worse = build([*records(), *records(status="failed", second=10, code="no_seats", msg="none")])
    assert worse["counts"]["done"] == 1  # the first time it was done; before the second something else had changed it back
    assert [(entry["name"], entry["code"], entry["msg"]) for entry in worse["failed"]] == [("taro", "no_seats", "none")]


def test_an_intent_without_outcome_is_unfinished_and_counts_as_failed():
    killed = build([*records(status=None), *records("disable", second=5, status=None)])
    assert [(entry["status"], entry["action"]) for entry in killed["unfinished"]] == [("unfinished", "enable"), ("unfinished", "disable")]
    assert killed["counts"]["failed"] == 2 and killed["counts"]["done"] == 0
    again = build([*records(status=None), *records(second=10)])
    assert again["unfinished"] == [] and again["counts"]["done"] == 1


def test_two_changes_of_one_object_by_the_same_action_are_two():
    made = build([*records("update"), *records("update", second=10)])
    assert made["changes"][0]["count"] == 2 and made["counts"]["done"] == 2


def test_done_but_not_seen_is_failed():
    late = journal.outcome(Outcome(Change("user", "taro", "taro", "enable", None, None), "failed", "not_seen", "not seen"), "run", at(9))
    made = build([*records(), late])
    assert made["counts"]["done"] == 0 and [entry["code"] for entry in made["failed"]] == ["not_seen"]


def test_changes_are_grouped_in_the_order_in_which_they_began():
    made = build([*records("disable", "a", second=3), *records("enable", "b", second=5), *records("disable", "c", second=7)])
    assert [(group["action"], group["count"], group["first"], group["last"]) for group in made["changes"]] == [
        ("disable", 2, at(4), at(8)),
        ("enable", 1, at(6), at(6)),
    ]
    assert made["first"] == at(3) and made["last"] == at(8)


def test_many_objects_are_counted_and_not_all_listed(monkeypatch):
    monkeypatch.setattr(report, "LISTED", 2)
    made = build([record for name in "abc" for record in records(name=name)])
    assert made["changes"][0]["count"] == 3 and len(made["changes"][0]["objects"]) == 2
    assert "1 more: see journal.jsonl" in report_page.page(made, "en", TOKYO)


def test_who_was_left_alone_is_named_by_reason(monkeypatch):
    monkeypatch.setattr(report, "LISTED_ALONE", 2)
    lines = [("a.jsonl", line("x")), ("a.jsonl", line("y")), ("a.jsonl", line("z")), ("a.jsonl", line("w", code="is_blocked")), ("a.jsonl", line("v", "done"))]
    alone = build(results=lines)["left_alone"]
    assert [(group["code"], group["count"], group["names"]) for group in alone] == [("is_blocked", 1, ["w"]), ("needs_higher_role", 3, ["x", "y"])]
    assert build(results=reversed(lines))["left_alone"] == alone
    assert "and 1 more" in report_page.page(build(results=lines), "en", TOKYO)


def test_a_refusal_is_shown_once_with_its_last_time():
    made = build([refused(1), refused(2, msg="other"), refused(3)])
    assert [(item["msg"], item["times"], item["at"]) for item in made["refused"]] == [("other", 1, at(2)), ("no", 2, at(3))]


def test_registering_a_step_is_no_news():
    made = build([*records("register", "a", kind="manual_step"), *records("confirm", "a", kind="manual_step", second=4)])
    assert [group["action"] for group in made["changes"]] == ["confirm"]


def test_steps_are_counted():
    made = build(steps=[step("a"), step("b", done=True), step("c", blocks=False)])
    assert (made["counts"]["steps"], made["counts"]["steps_open"]) == (3, 2)


@pytest.mark.parametrize(
    ("title", "snapshot", "shown"),
    [
        ("", None, ("IIJ ID", "")),
        ("", {"tenant_id": "7e0d"}, ("IIJ ID", "7e0d")),
        ("", {"tenant_id": "7e0d", "organization": ""}, ("IIJ ID", "7e0d")),
        ("", {"tenant_id": "7e0d", "organization": " 株式会社レイジ "}, ("株式会社レイジ", "7e0d")),
        ("Reiji", {"tenant_id": "7e0d", "organization": "株式会社レイジ"}, ("Reiji", "7e0d")),
        ("", {"tenant_id": 1, "organization": ["x"]}, ("IIJ ID", "")),
        ("", {"organization": "<b>"}, ("<b>", "")),
    ],
)
def test_the_title_is_the_companys_name(title, snapshot, shown):
    made = build(snapshot=snapshot, title=title)
    assert (made["title"], made["tenant_id"]) == shown
    text = report_page.page(made, "ja", TOKYO)
    assert f"<h1>{html.escape(shown[0])}</h1>" in text and ("テナント</span>" in text) == bool(shown[1]) == (f"<code>{shown[1]}</code>" in text)


class Page(HTMLParser):
    """What matters of the page: balance of tags, and what would leave it."""

    VOID = {"meta", "input", "br"}

    def __init__(self, text):
        super().__init__()
        self.stack, self.tags, self.addresses = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href", "action", "data")]
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag, f"{tag} closes another element"


def full():
    made = [*records(name=EVIL), *records("enable", "b", "failed", 10, code="x", msg=EVIL), *records("enable", "c", None, 20), refused(30, msg=EVIL)]
    steps = [step("a", en=EVIL, source=EVIL), step("b", done=True, by=EVIL, note=EVIL)]
    findings = [blocker(en=EVIL, ja=EVIL), {"severity": "warning", "code": "w", "en": EVIL, "ja": "", "objects": []}]
    return build(made, steps, findings, findings, {"users": EVIL, "tenant_id": EVIL}, title=EVIL, results=[(EVIL, line(EVIL, code=EVIL, msg=EVIL))])


@pytest.mark.parametrize("data", [build(), full()], ids=["empty", "full"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_is_well_formed_escaped_and_needs_no_network(data, language):
    text = report_page.page(data, language, TOKYO)
    page = Page(text)
    assert page.stack == [] and page.addresses == []
    assert not page.tags & {"script", "link", "img", "iframe", "form", "object"}
    assert "default-src 'none'" in text and "url(" not in text and "@import" not in text
    assert f'id="{language}" checked' in text and text.count(" checked>") == 1


def test_every_text_is_there_in_both_languages():
    text = report_page.page(full(), "ja", TOKYO)
    assert text.count('class="ja"') == text.count('class="en"') > 30
    assert not re.search(r'class="(ja|en)" lang="(ja|en)"></span>', report_page.page(build(), "ja", TOKYO))


def test_times_are_shown_in_the_zone_and_nothing_else_tells_the_time():
    text = report_page.page(build(records(), title="x"), "ja", TOKYO)
    assert "2026-11-21 09:00:02 JST" in text
    assert text == report_page.page(build(records(), title="x"), "ja", TOKYO)


def test_what_points_at_iij_id_and_what_nobody_has_looked_at():
    rows = [
        {"record": "references", "kind": "application", "id": f"a{number}", "name": "<b>x", "why": "web names auth.iij.jp"}
        for number in range(report.LISTED + 3)
    ]
    hidden = {"record": "not_looked_at", "kind": "mobile_app", "id": "", "name": "", "path": "", "reason": "no_intune", "msg": "Request not applicable"}
    made = build(references=[*rows, hidden])["references"]
    assert (made["references_count"], len(made["references"]), made["not_looked_at_count"]) == (report.LISTED + 3, report.LISTED, 1)
    shown = report_page.page(build(references=[*rows, hidden]), "ja", zoneinfo.ZoneInfo("Asia/Tokyo"))
    assert "&lt;b&gt;x" in shown and "<b>x" not in shown
    assert "3 more: see results/." in shown and "no_intune" in shown and "アプリの登録" in shown
    assert "Nobody has looked yet" in report_page.page(build(), "ja", zoneinfo.ZoneInfo("Asia/Tokyo"))
    assert build()["references"] is None


ARRIVALS = {
    "at": "2026-02-01T09:00:00Z", "summary": "3 of 9 <b>users</b> have arrived.", "summary_ja": "9人中3人がサインイン済み。",
    "domains": [{"domain": "a.example", "counts": {"arrived": 3, "failed": 1, "not_seen": 5, "blocked": 0, "not_known": 0}}],
    "failures": [{"code": 50126, "count": 1, "reason": "Wrong password.", "reason_ja": "パスワードが違う。", "remedy": "A new one.", "remedy_ja": "再設定。"}],
    "arrivals_by_hour": [{"hour": "2026-02-01T07:00:00Z", "count": 1}, {"hour": "2026-02-01T08:00:00Z", "count": 2}],
    "users": [{"name": "taro@a.example"}],
}  # fmt: skip


def test_who_has_arrived() -> None:
    """Numbers, bars and a line that rises; nobody's name."""
    made = build()
    assert made["arrivals"] is None and "プレイブック arrivals" in report_page.page(made, "ja", zoneinfo.ZoneInfo("Asia/Tokyo"))
    made["arrivals"] = report.arrivals_of(ARRIVALS)
    shown = report_page.page(made, "ja", zoneinfo.ZoneInfo("Asia/Tokyo"))
    assert shown.count("<svg") == shown.count("</svg>") == 2 + len(report_people._ARRIVALS) and "AADSTS50126" in shown and "再設定。" in shown
    assert "&lt;b&gt;" in shown and "&amp;lt;" not in shown and "taro@" not in shown and 'points="0.0,68.3 600.0,5.0"' in shown
    assert 'width="66.7"' in shown and "2026-02-01 16:00:00 JST" in shown


def test_who_will_be_able_to_sign_in() -> None:
    assert "段階 preflight と domains" in report_page.page(build(), "ja", zoneinfo.ZoneInfo("Asia/Tokyo"))
    codes = {"ready": 3, "no_way_in": 60, "must_register_mfa": 1, "of_a_later_release": 1}
    people = [f"{code}{number:02}@{'A.example' if number % 2 else 'b.example'}" for code, many in codes.items() for number in range(many)]
    lines = [line(name, "x", name.rstrip("0123456789").partition("@")[0].rstrip("0123456789")) for name in people]
    made = report.build([], [], None, None, None, "Reiji", sign_in=reversed(lines))
    assert made["sign_in"]["domains"] == [
        {"domain": "a.example", "counts": {"no_way_in": 30, "ready": 1}},
        {"domain": "b.example", "counts": {"of_a_later_release": 1, "must_register_mfa": 1, "no_way_in": 30, "ready": 2}},
    ]
    assert (made["sign_in"]["kept_out_count"], len(made["sign_in"]["kept_out"]), made["sign_in"]["kept_out"][0]) == (60, 50, "no_way_in00@b.example")
    shown = report_page.page(made, "ja", zoneinfo.ZoneInfo("Asia/Tokyo"))
    assert "サインイン不可" in shown and "ほか10人" in shown and "of_a_later_release" in shown and "results/sign_in_readiness.jsonl" in shown
    # seen in a browser: with heads that stay on one line eight columns of numbers run out of an A4 page, and everything is printed smaller for it
    assert "<table class=numbers><thead>" in report_page.page(made, "ja", TOKYO)


@pytest.mark.parametrize("broken", [{}, [], "x", {**ARRIVALS, "domains": None}, {**ARRIVALS, "arrivals_by_hour": [{"hour": "x", "count": 1}]}])
def test_no_arrivals(broken) -> None:
    with pytest.raises((LookupError, TypeError, ValueError, AttributeError)):
        report.arrivals_of(broken)


def test_before_anybody_has_arrived() -> None:
    made = build()
    made["arrivals"] = report.arrivals_of({**ARRIVALS, "domains": [{"domain": "a.example", "counts": {}}], "failures": [], "arrivals_by_hour": []})
    assert report_page.page(made, "en", zoneinfo.ZoneInfo("UTC")).count("<svg") == 1 + len(report_people._ARRIVALS)


def both(en, ja):
    return f'<span class="ja" lang="ja">{ja}</span><span class="en" lang="en">{en}</span>'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, both("(none)", "（なし）")), (True, both("yes", "はい")), (False, both("no", "いいえ")), ("", both("(empty)", "（空）")), (0, "0"), (1, "1"),
        ("a<b", "a&lt;b"), (["a", "b"], "a, b"), ({"b": 1, "a": "x"}, "a: x, b: 1"), ([], "[]"), ({"a": [1]}, "{&quot;a&quot;: [1]}"),
    ],
)  # fmt: skip
def test_a_value_is_told_in_words(value, shown):
    assert report_page._value(value) == shown


def test_each_object_of_a_finding_has_a_line_of_its_own():
    text = report_page.page(build(final_gate=[blocker(en="2 left: a<1> | b", ja="残り2件: a<1> | b")]), "ja", TOKYO)
    assert both("2 left: a&lt;1&gt;<br>b", "残り2件: a&lt;1&gt;<br>b") in text


@pytest.mark.parametrize(("count", "shown"), [(1, "1 step of a person"), (2, "2 steps of a person")])
def test_one_step_is_one(count, shown):
    assert shown in report_page.page(build(final_gate=[blocker("step_not_done")] * count), "en", TOKYO)


def test_what_has_no_name_begins_with_no_empty_line():
    hidden = {"record": "not_looked_at", "kind": "mobile_app", "id": "", "name": "", "path": "", "reason": "no_intune", "msg": "x"}
    assert "<b></b>" not in report_page.page(build(references=[hidden]), "ja", TOKYO)


def test_no_steps_are_no_success():
    assert '<li class="good"><b>0/0</b>' not in report_page.page(build(), "ja", TOKYO)


def test_the_bars_have_a_legend_and_are_told_to_who_does_not_see_them():
    made = build()
    made["arrivals"] = report.arrivals_of(ARRIVALS)
    text = report_page.page(made, "ja", TOKYO)
    for _text, colour in report_people._ARRIVALS.values():
        assert re.search(rf'<th><svg [^>]*><rect [^>]*fill="{colour}"/></svg>', text)
    assert 'aria-label="arrived / サインイン済み: 3, failed / 失敗: 1, not seen yet / 未確認: 5"' in text
    assert '<td class="number" data-ja="失敗" data-en="failed">1</td>' in text  # where the window has no room for heads


def test_dark_on_a_screen_and_never_on_paper():
    text = report_page.page(build(), "ja", TOKYO)
    assert "@media screen and (prefers-color-scheme: dark)" in text and "@page { size: A4;" in text
    assert not re.search(r"background: #(?!fff)|background: var\(--(red|green|amber|soft|blue)\)", text)  # under white letters nothing gets lighter


@pytest.mark.parametrize("assignments", [1, True, "a", {"a": 1}, [1], [["a"]], None], ids=str)
def test_assignments_of_another_shape_are_not_known(assignments):
    line = {"record": "references", "kind": "mobileApp", "id": "i", "name": "n", "assignments": assignments, "devices": 2}
    data = report.build([], [], None, None, None, "t", (), [line])
    assert data["references"]["references"][0]["assignments"] is None
    assert "not known" in report_page.page(data, "en", TOKYO)


def test_evidence_is_named_with_its_hash_and_its_loss():
    entry = {"file": "evidence/a/ログ 1#.txt", "name": f"{EVIL}.txt", "sha256": "ab" * 32, "bytes": 1234, "by": "Hanako", "at": at(5)}
    attached = [{**entry, "state": "kept"}, {**entry, "file": "evidence/a/gone", "name": "gone", "state": "missing"}]
    shown = report_page.page(build(steps=[step(done=True, evidence=attached)]), "ja", TOKYO)
    assert EVIL not in shown and html.escape(EVIL) in shown and 'href="evidence/a/%E3%83%AD%E3%82%B0%201%23.txt"' in shown
    assert "ab" * 32 in shown and "1,234 bytes" in shown and "証跡" in shown
    assert "gone (evidence/a/gone in the run folder) is no longer there" in shown and "gone（実行フォルダーの evidence/a/gone）がありません" in shown
    assert "no longer there" not in report_page.page(build(steps=[step(evidence=attached[:1])]), "ja", TOKYO)


def test_names_written_from_the_right_turn_no_arrow():
    """Between two of them in one run a browser puts the new value before the old one, and the arrow leads to the old one."""
    change = Change("user", "u", "יוסי", "update", {"department": "שיווק"}, {"department": "מכירות"})
    made = [journal.intent(change, "run", at(1)), journal.outcome(Outcome(change, "done"), "run", at(2))]
    shown = report_page.page(build(made, results=[("a.jsonl", line("أحمد")), ("a.jsonl", line("b"))]), "ja", TOKYO)
    assert '<bdi class="was">שיווק</bdi> → <bdi>מכירות</bdi>' in shown and "<bdi>b</bdi>, <bdi>أحمد</bdi>" in shown
