# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the users are told, from the company's own values."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import plain, sheet
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.text import Text
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.notices import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.notices.info import info
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report import page
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.report.resource import read_report
from dev import places

GIVEN: dict[str, Any] = {
    "day": "2026-12-05", "time": "22:00", "domains": ["Reiji.example.", "reiji-group.example"], "topics": list(plan.TOPICS), "company": "麗治商事株式会社",
    "sign_in_address": "https://m365.reiji.example/", "help_desk": "内線 1234", "passwords": "generate", "windows_password": False,
    "hosts": ["auth.iij.jp"], "certificate_issuer": "IIJ ID CA of Reiji", "links": ["https://help.reiji.example/x?a=1&b=2"], "language": "both",
}  # fmt: skip


def told(**more: Any) -> dict[str, dict[str, Any]]:
    """As the runner tells it: what is told on one line must not be a page."""
    return {notice["topic"]: notice for notice in plain.result(info({**GIVEN, **more}))["notices"]}


def test_every_notice_has_the_companys_values_in_both_languages() -> None:
    found = told()
    assert list(found) == list(plan.TOPICS)
    for notice in found.values():
        for text in (notice["html"], *notice["plain"].values()):
            assert "麗治商事株式会社" in text and "内線 1234" in text and "@reiji.example" in text and "@reiji-group.example" in text
        assert notice["plain"]["ja"].startswith(notice["title"]["ja"] + "\n====") and notice["plain"]["en"].startswith(notice["title"]["en"] + "\n====")
        assert '<article lang="ja">' in notice["html"] and '<article lang="en">' in notice["html"]
        assert 'href="https://help.reiji.example/x?a=1&amp;b=2"' in notice["html"] and "https://help.reiji.example/x?a=1&b=2" in notice["plain"]["en"]
        assert not re.search(r"<script|src=|None|\{[a-z_]+\}", notice["html"])
    for topic in ("sign_in", "smartkey", "certificates", "browsers", "security_keys"):
        assert "Saturday, 5 December 2026, 22:00" in found[topic]["plain"]["en"] and "2026年12月5日（土）22:00" in found[topic]["plain"]["ja"]
    assert "https://m365.reiji.example/" in found["sign_in"]["plain"]["ja"]
    assert "IIJ ID CA of Reiji" in found["certificates"]["plain"]["ja"] and "auth.iij.jp" in found["browsers"]["plain"]["ja"]


@pytest.mark.parametrize("system", ["Windows", "macOS", "iPhone", "Android", "Firefox"])
def test_a_certificate_is_removed_step_by_step(system: str) -> None:
    text = told()["certificates"]["plain"]
    for language in ("ja", "en"):
        after = text[language].partition(f"\n{system}")[2]
        assert after.partition("\n1. ")[2].partition("\n\n")[0].count("\n") >= 2, (system, language)


@pytest.mark.parametrize(
    ("more", "there", "not_there"),
    [
        ({}, "You get a new password", "Temporary Access Pass"),
        ({"passwords": "temporary_access_pass"}, "Temporary Access Pass", "You get a new password"),
        ({"passwords": "keep"}, "stays as it is", "You get a new password"),
        ({}, "Your password", "Windows domain"),
        ({"windows_password": True}, "Windows domain", "stays as it is"),
    ],
)
def test_the_password_is_what_the_exit_gives(more: dict[str, Any], there: str, not_there: str) -> None:
    text = told(**more)["sign_in"]["plain"]["en"]
    assert there in text and not_there not in text


@pytest.mark.parametrize(("passwords", "entered"), [("generate", "パスワードを入力します"), ("temporary_access_pass", "続けて一時アクセスパス")])
def test_what_is_entered_is_what_was_given(passwords: str, entered: str) -> None:
    text = told(passwords=passwords)["sign_in"]["plain"]["ja"]
    assert entered in text.partition("当日の手順")[2]


@pytest.mark.parametrize(
    ("domains", "english", "japanese"),
    [
        (["a.example"], "ends with @a.example.", "ユーザー名が @a.example で終わる方"),
        (["a.example", "b.example"], "ends with @a.example or @b.example.", "ユーザー名が @a.example、@b.example で終わる方"),
        (["a.example", "b.example", "c.example"], "@a.example, @b.example or @c.example.", "@a.example、@b.example、@c.example で終わる方"),
    ],
)
def test_whom_it_is_for(domains: list[str], english: str, japanese: str) -> None:
    text = told(domains=domains)["sign_in"]["plain"]
    assert english in text["en"] and japanese in text["ja"] and ", @" not in text["ja"]


def test_without_anybody_to_ask_nothing_is_headed_so() -> None:
    text = told(help_desk="", links=[])["sign_in"]["plain"]
    assert "Questions\n" not in text["en"] and "Please note\n" in text["en"] and "お問い合わせ\n" not in text["ja"] and "ご注意\n" in text["ja"]
    assert "お問い合わせ\n" in told(help_desk="")["sign_in"]["plain"]["ja"]  # there is an address


def test_a_long_address_stays_on_the_page() -> None:
    assert "overflow-wrap: anywhere" in re.search(r"article \{[^}]*\}", told()["sign_in"]["html"])[0]


@pytest.mark.parametrize(
    ("topic", "english", "japanese"),
    [
        (
            "smartkey",
            "one-time passwords of other services too",
            "他のサービス（ネットショップ、銀行、他社のサービスなど）のワンタイムパスワードも表示している場合",
        ),
        ("smartkey", "you do not know. Ask before you remove it", "分からない場合。削除する前にお問い合わせください"),
        ("browsers", "Remove only entries with these names, and leave all others", "次の名前を含む項目だけを削除し、ほかは残してください"),
        ("browsers", "take out that name alone; other values, set apart by commas, stay", "コンマで区切られたほかの値は残します"),
        ("security_keys", "Do not reset the key", "キーをリセットしないでください"),
    ],
)
def test_when_something_is_to_be_kept(topic: str, english: str, japanese: str) -> None:
    """It would be lost for services that have nothing to do with IIJ ID."""
    text = told()[topic]["plain"]
    assert english in text["en"] and japanese in text["ja"]


def test_nothing_is_said_of_an_issuer_that_nobody_knows() -> None:
    assert "issuer" not in told(certificate_issuer="")["certificates"]["plain"]["en"]


def test_one_language_or_some_topics() -> None:
    found = told(language="en", topics=["smartkey"])
    assert list(found) == ["smartkey"] and list(found["smartkey"]["plain"]) == ["en"] and '<html lang="en">' in found["smartkey"]["html"]
    assert not re.search("[ぁ-ん]", found["smartkey"]["html"])


def test_a_name_is_no_markup_and_no_terminal_obeys_it() -> None:
    hostile = "<b>x</b>\x1b[2J\u202e"
    for notice in told(company=hostile, help_desk=hostile, certificate_issuer=hostile, hosts=[hostile], time=hostile).values():
        assert "<b>" not in notice["html"]
        assert not any(character in json.dumps(notice, ensure_ascii=False) for character in ("\x1b", "\u202e"))


@pytest.mark.parametrize(
    "more",
    [
        {"day": "tomorrow"}, {"day": "2026-02-30"}, {"day": ""}, {"domains": []}, {"domains": [""]}, {"sign_in_address": "http://x.example"},
        {"links": ["javascript:alert(1)"]},
    ],
    ids=str,
)  # fmt: skip
def test_bad_options(more: dict[str, Any]) -> None:
    with pytest.raises(OffboardError) as caught:
        told(**more)
    assert caught.value.code == "bad_option"


def test_each_step_that_has_a_notice_is_a_step() -> None:
    texts = "".join(file.read_text() for file in Path(places.ROOT / "roles").glob("*/vars/steps.yml"))
    assert {step for _file, steps, _title, _body in plan.TOPICS.values() for step in steps} <= set(re.findall(r"- id: (\w+)", texts))


@pytest.mark.parametrize(("file", "step"), [(file, step) for file, steps, _title, _body in plan.TOPICS.values() for step in steps])
def test_the_report_links_to_the_notice(tmp_path: Path, file: str, step: str) -> None:
    record = {"en": step, "ja": step, "source": "", "stage": "clients", "blocks_final_gate": True, "done": False, "by": "", "at": "", "note": ""}
    (tmp_path / "steps.json").write_text(json.dumps({"steps": [{**record, "id": one} for one in (step, "another")]}))
    assert "notices/" not in page.page(read_report(str(tmp_path), "x"), "ja", None)
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / f"{file}.html").write_text("x")
    shown = page.page(read_report(str(tmp_path), "x"), "ja", None)
    assert shown.count('href="notices/') == 1 and f'href="notices/{file}.html"' in shown


def test_plain_text_of_every_block() -> None:
    blocks = [
        sheet.Heading(1, [Text("Title", "題")]), sheet.Heading(3, [Text("Part", "部")]), sheet.Code("sh", "a\nb"),
        sheet.Table([Text("A", "甲"), Text("B", "乙")], [[["1"], [sheet.Link("https://x.example")]]]), sheet.Items([[Text("one", "一")]], numbered=True),
    ]  # fmt: skip
    assert sheet.plain_text(blocks, "en") == "Title\n=====\n\n[Part]\n\n    a\n    b\n\nA: 1\nB: https://x.example\n\n1. one\n"
    assert sheet.plain_text(blocks, "ja").startswith("題\n==\n")
    assert "href" not in sheet.html([sheet.Paragraph([sheet.Link("javascript:x")])], "x")
