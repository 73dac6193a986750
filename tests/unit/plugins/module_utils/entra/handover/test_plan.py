# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Letters and lists: who is in them, what stands there, and that no text of a stranger becomes anything else."""

from __future__ import annotations

import csv
import datetime
import io
import re
import zoneinfo
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.handover import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users import passwords


def entry(key: str, upn: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "userPrincipalName": upn, **more}


ENTRIES = [
    entry("A1", "b@one.example", password="old=1lIO0"),
    entry("a2", "a@two.example", temporaryAccessPass="TAP+x", validUntil="2026-12-01T00:00:00Z"),
    entry("a3", "c@one.example", temporaryAccessPass=None, askedFor="2026-11-01T00:00:00Z"),
    entry("a1", "b@one.example", password="=new<Q>#"),
]
PEOPLE = plan.people(ENTRIES)


def test_the_newest_secret_of_each_and_none_without_a_value() -> None:
    assert {key: (person.secret, person.until) for key, person in PEOPLE.items()} == {"a1": ("=new<Q>#", ""), "a2": ("TAP+x", "2026-12-01T00:00:00Z")}
    assert "=new" not in repr(PEOPLE)


@pytest.mark.parametrize(
    ("domains", "users", "kept", "missing"),
    [
        ([], [], ["a@two.example", "b@one.example"], []),
        (["ONE.example"], [], ["b@one.example"], []),
        ([], ["A2"], ["a@two.example"], []),
        (["one.example"], ["a@TWO.example"], ["a@two.example", "b@one.example"], []),
        ([], ["a2", "nobody@one.example"], ["a@two.example"], ["nobody@one.example"]),
        (["e.example"], [], [], ["e.example"]),  # nobody of all who were named
        (["one.example", "e.example"], [], ["b@one.example"], ["e.example"]),
        (["@One.Example.\u200b", " "], ["\u200ea2 ", "ｂ@one.example"], ["a@two.example", "b@one.example"], []),
        ([""], [], [], []),  # an empty answer is not everybody
        ([], [""], [], []),
    ],
)
def test_who_is_chosen(domains: list[str], users: list[str], kept: list[str], missing: list[str]) -> None:
    found, lost = plan.chosen(PEOPLE.values(), plan.WantedLetters(domains, users), {})
    assert ([person.upn for person in found], lost) == (kept, missing)


@pytest.mark.parametrize(
    ("now", "user", "kept", "missing"),
    [
        ({"1": "new@x"}, "old@x", ["new@x"], []),
        ({"1": "b@x", "2": "old@x"}, "old@x", ["old@x"], []),  # two have swapped their names: the other one's letter is not given for it
        ({"1": "new@x", "9": "Old@x"}, "old@x", [], ["old@x"]),  # it is a newcomer's, for whom no password was set
        ({"1": "new@x", "9": "old@x"}, "1", ["new@x"], []),
        ({"1": "OLD@x"}, "old@x", ["OLD@x"], []),
    ],
)
def test_a_former_name_is_whose_it_is_today(now: dict[str, str], user: str, kept: list[str], missing: list[str]) -> None:
    people = [plan.Recipient("1", "old@x", "p"), plan.Recipient("2", "b@x", "p")]
    where = plan.places({"id": key, "userPrincipalName": upn} for key, upn in now.items())
    found, lost = plan.chosen(people, plan.WantedLetters((), [user]), where)
    assert ([person.upn for person in found], lost) == (kept, missing)


WHERE = plan.places(
    [
        {"id": "A1", "department": "営業部", "manager": "M1", "manager_name": "Boss@one.example"},
        {"id": "a2", "department": "Sales & <Co>/.."},
        {"id": "a9", "department": "nobody's"},
    ]
)


@pytest.mark.parametrize(
    ("wanted", "kept", "missing"),
    [
        ({"departments": ["営業部"]}, ["b@one.example"], []),
        ({"departments": [" sales & <co>/.. "], "users": ["a1"]}, ["a@two.example", "b@one.example"], []),
        ({"departments": ["営業", "nobody's", "営業部"]}, ["b@one.example"], ["nobody's", "営業"]),  # one that was mistyped is told
        ({"managers": ["boss@ONE.example"]}, ["b@one.example"], []),
        ({"managers": ["m1"]}, ["b@one.example"], []),
        ({"managers": ["m2"], "domains": ["two.example", "x.example"]}, ["a@two.example"], ["m2", "x.example"]),
        ({"departments": [""]}, [], []),  # an empty answer is neither everybody nor those without a department
        ({"managers": [""]}, [], []),
    ],
)
def test_who_is_chosen_by_where_they_are(wanted: dict[str, list[str]], kept: list[str], missing: list[str]) -> None:
    found, lost = plan.chosen(PEOPLE.values(), plan.WantedLetters(**wanted), WHERE)
    assert ([person.upn for person in found], lost) == (kept, missing)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("none", {"": ["b@one.example", "a@two.example"]}),
        ("department", {"Sales & <Co>/..": ["a@two.example"], "営業部": ["b@one.example"]}),
        ("manager", {"Boss@one.example": ["b@one.example"], "": ["a@two.example"]}),
    ],
)
def test_split(by: str, expected: dict[str, list[str]]) -> None:
    made = plan.split(PEOPLE.values(), by, WHERE)
    assert {name: [person.upn for person in group] for name, group in made.items()} == expected and list(made) == list(expected)
    files = [plan.file_name(kind, by, name) for name in made for kind in plan.ENDINGS]
    assert len(set(files)) == len(files) and all(plan.MADE.fullmatch(name) and "/" not in name and len(name.encode()) < 255 for name in files)


def test_managers_without_a_name_or_of_the_same_lose_nobody() -> None:
    """A people_file that was made by hand: each recipient gets a file of their own, and everybody is in one."""
    of = {"a1": "m1", "a2": "m2", "a3": "", "a4": "m4", "a5": "m5"}
    where = plan.places({"id": key, "manager": manager, "manager_name": "Boss" if key > "a3" else ""} for key, manager in of.items())
    made = plan.split([plan.Recipient(key, f"{key}@x", "p") for key in of], "manager", where)
    assert {name: [person.id for person in group] for name, group in made.items()} == {"Boss": ["a4", "a5"], "m1": ["a1"], "m2": ["a2"], "": ["a3"]}


def test_without_anybody() -> None:
    assert plan.split([], "none", {}) == {"": []} and plan.split([], "manager", {}) == {}  # the list of nobody was written before, too


@pytest.mark.parametrize("name", ["letters.html", "letters.csv", "letters.encrypted.html", "letters-without.csv", "letters-x@y-0123abcd.encrypted.html"])
def test_what_is_removed(name: str) -> None:
    assert plan.MADE.fullmatch(name)
    assert not plan.MADE.fullmatch(f"my{name}") and not plan.MADE.fullmatch(name.replace("letters", "notes")) and not plan.MADE.fullmatch(f"{name}x")


@pytest.mark.parametrize("other", [{}, {"id": ""}, {"id": 1}, {"id": "x", "department": 1}, {"id": "x", "manager": None}])
def test_another_file_is_told(other: dict[str, Any]) -> None:
    with pytest.raises(OffboardError) as caught:
        plan.places([other])
    assert caught.value.code == "bad_option"


def test_every_character_that_a_password_can_have_is_told_apart() -> None:
    alphabet = passwords._LOWER + passwords._UPPER + passwords._DIGITS + passwords._SYMBOLS
    printable = "".join(map(chr, range(32, 127)))  # of others' passwords
    for language in ("ja", "en"):
        for characters in (alphabet, printable):
            said = [words for _character, words in plan.spelled(characters, language)]
            assert len(set(said)) == len(characters) and not any("U+" in words for words in said)
    # in Japanese by the sound: a letter beside its own likeness tells nothing
    assert [words for _character, words in plan.spelled("lI1O0", "ja")] == ["小文字 エル", "大文字 アイ", "数字 イチ", "大文字 オー", "数字 ゼロ"]
    assert list(plan.spelled("lI1O0é", "en")) == [
        ("l", "lower Lima"), ("I", "UPPER India"), ("1", "digit one"), ("O", "UPPER Oscar"), ("0", "digit zero"),
        ("é", "latin small letter e with acute"),
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_only_looks_like_a_letter_is_said_to_be_something_else(language: str) -> None:
    """The Kelvin sign, a Turkish capital with a dot, and letters of other scripts and widths."""
    said = dict(plan.spelled("\u212a\u0130\u0430\uff4f\u017f\ud800", language))
    letters = {words for _character, words in plan.spelled("KIkaoOsS0", language)}
    assert len(said) == 6 and not letters & set(said.values())
    assert said["\u212a"] == {"en": "kelvin sign", "ja": "文字コード U+212A"}[language]
    assert plan.letters([plan.Recipient("1", "a@b.example", "\u0130\u212ax")], head(language))


def head(language: str = "ja", **more: str) -> plan.Letterhead:
    given = {"company": "例示<b>", "address": "https://sso.example/?a=1&b", "help_desk": "内線 100", **more}
    return plan.Letterhead(language=language, zone=zoneinfo.ZoneInfo("Asia/Tokyo"), **given)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_page_for_each_person(language: str) -> None:
    hostile = plan.Recipient("x", "<script>\x1b\u202e@one.example", "a<b>&c")
    page = Page(plan.letters([*PEOPLE.values(), hostile], head(language)).decode())
    assert page.tags.count("article") == 3 and "script" not in page.tags and "link" not in page.tags and "img" not in page.tags
    assert {"=new<Q>#", "TAP+x", "a<b>&c", "2026-12-01 09:00 JST", "例示<b>", "内線 100"} <= set(page.texts)
    assert not any(character in "".join(page.texts) for character in "\x1b\u202e")


def sizes(persons: list[plan.Recipient], letterhead: plan.Letterhead) -> list[float]:
    """The type of each letter in points; 11 where nothing else is said."""
    return [float(size or 11) for size in re.findall(r'<article(?: style="font-size:([0-9.]+)pt")?>', plan.letters(persons, letterhead).decode())]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    ("person", "more", "smallest", "largest"),
    [
        (plan.Recipient("x", "taro@reiji.example", "Abcd-efgh-2345"), {}, 11, 11),
        (
            plan.Recipient("x", "taro@reiji.example", "TAP@99887766", "2026-12-01T00:00:00Z"),
            {"help_desk": "情報システム部 内線 1234、平日 9:00〜17:30"},
            11,
            11,
        ),
        # measured in a browser: 128 characters need two pages at 11 points, 256 some more
        (plan.Recipient("x", "taro@reiji.example", "Xy" * 64), {}, 5.5, 10),
        (plan.Recipient("x", "W" * 330 + "@x.example", "W" * 256, "2026-12-01T00:00:00Z", "長" * 256), {}, 4.4, 8),
        # measured with Noto's fonts: at 11 points each needs two pages, since these characters are up to eight times as wide as high
        (plan.Recipient("x", "taro@reiji.example", "Abcd-efgh-2345", name="\ufdfd" * 100), {}, 5.5, 10.5),
        (plan.Recipient("x", "taro@reiji.example", "Abcd-efgh-2345", name="\u2e3b" * 256), {}, 5.5, 10.5),
        (plan.Recipient("x", "taro@reiji.example", "Abcd-efgh-2345", name="สมชาย ใจดี" * 8), {}, 11, 11),
        (plan.Recipient("x", "taro@reiji.example", "Abcd-efgh-2345"), {"help_desk": "長" * 800, "company": "長" * 200}, 5.5, 10),
    ],
)
def test_a_letter_with_more_text_gets_smaller(language: str, person: plan.Recipient, more: dict[str, str], smallest: float, largest: float) -> None:
    (size,) = sizes([person], head(language, **more))
    assert smallest <= size <= largest


def test_a_text_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(OffboardError) as caught:
        plan.letters([*PEOPLE.values()], head(help_desk="長" * 20_000))
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize(("until", "shown"), [("2026-12-01T00:00:00Z", "2026-12-01 09:00 JST"), ("", ""), ("soon", "soon")])
def test_the_end_of_a_pass_is_told_in_the_zone(until: str, shown: str) -> None:
    zone = zoneinfo.ZoneInfo("Asia/Tokyo")
    assert plan.valid_until(until, zone) == shown
    rows = plan.merge_list([plan.Recipient("x", "a@x.example", "y", until)], zone).decode("utf-8-sig")
    assert rows.endswith(f'"{shown}",""\r\n')


@pytest.mark.parametrize(
    ("until", "ended"),
    [("2026-12-01T00:00:00Z", True), ("2026-12-01T09:00:01+09:00", False), ("2026-12-01T00:00:01.5Z", False), ("", False), ("soon", False)],
)
def test_nobody_signs_in_with_a_pass_that_has_ended(until: str, ended: bool) -> None:
    now = datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC)
    assert plan.has_ended(plan.Recipient("x", "a@x.example", "y", until), now) is ended


def test_who_has_a_name_is_addressed_by_it() -> None:
    people = plan.people(
        [entry("a", "taro@x.example", password="p", displayName=" \u200e山田 太郎\u200b "), entry("b", "ב@x.example", password="p", displayName=None)]
    )
    page = plan.letters(people.values(), head()).decode()
    assert "<bdi>山田 太郎</bdi> 様" in page and page.count("taro@x.example") == 1
    # a user name is typed from left to right, whatever its script
    rows = list(csv.DictReader(io.StringIO(plan.merge_list(people.values(), zoneinfo.ZoneInfo("UTC")).decode("utf-8-sig"), newline="")))
    assert [row["display_name"] for row in rows] == ["山田 太郎", ""]
    assert '<bdi dir="ltr">ב@x.example</bdi> 様' in page and '<dd><bdi dir="ltr">ב@x.example</bdi></dd>' in page


def test_the_list_holds_no_formula_and_changes_no_password() -> None:
    persons = [
        *PEOPLE.values(),
        *(plan.Recipient(str(number), f"{sign}cmd@x", f"{sign}pw", name=f"{sign}cmd") for number, sign in enumerate(["=", "+", "-", "@", "\t", " =", "＝"])),
    ]
    content = plan.merge_list(persons, zoneinfo.ZoneInfo("UTC"))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row["secret_in_brackets"][1:-1] for row in rows] == [person.secret for person in persons]
    for row in rows:
        assert all(not (value or "x").lstrip()[:1].startswith(("=", "+", "-", "@", "＝")) for value in row.values())
    assert [row["kind"] for row in rows[:2]] == ["password", "temporary_access_pass"]
