# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import csv
import io
import json
from types import SimpleNamespace

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Object
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export import pages
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export import plan as export_plan
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.plan import KIND, ExportedLists, digest, files, plan, table
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.resource import Export
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export.store import Resources

JP = "urn:oidfj:params:scim:schemas:extention:enterprisejp:2.0:User"
IIJ = "urn:iij:params:scim:schemas:extension:enterprisejp:2.0:User"


class Service:
    """Gives at most `limit` of `ids` a page; `change` is called before each page, with the service, and may change the list."""

    def __init__(self, ids, limit=2, change=lambda service: None, total=None, cursors=False):
        self.ids, self.limit, self.change, self.total, self.cursors, self.asked = list(ids), limit, change, total, cursors, []

    def __call__(self, path, query):
        self.asked.append(dict(query))
        self.change(self)
        start = int(query.get("cursor") or 0) if self.cursors else query["startIndex"] - 1
        end = start + min(self.limit, query["count"])
        page = {"totalResults": len(self.ids) if self.total is None else self.total, "Resources": [{"id": i} for i in self.ids[start:end]]}
        return {**page, **({"nextCursor": str(end)} if self.cursors and end < len(self.ids) else {})}


def read(service, attempts=3, **ways):
    """Whether it is whole, the ids, and how many were told on the way."""
    into, told = Resources(), []
    whole = pages.everything(service, "/Users", pages.Ways(**{"page_size": 100, **ways}), attempts, into, told.append).whole
    return whole, list(into), sum(told)


@pytest.mark.parametrize("cursor", [False, True])
@pytest.mark.parametrize(("ids", "limit", "asked"), [("", 2, 1), ("ba", 2, 1), ("cbaed", 2, 3), ("cbaed", 1, 5), ("cbaed", 99, 1)])
def test_a_list_is_read_by_what_comes(ids, limit, asked, cursor):
    service = Service(ids, limit, cursors=cursor)
    looked_behind = 0 < len(ids) <= limit and not cursor  # a first page that is all may be what the service counts
    assert read(service, cursor=cursor) == (True, sorted(ids), len(ids)) and len(service.asked) == asked + looked_behind


class Counting(Service):
    """Counts the page, and not the list."""

    def __call__(self, path, query):
        page = super().__call__(path, query)
        return {**page, "totalResults": len(page["Resources"])}


@pytest.mark.parametrize(("ids", "whole"), [("abcde", False), ("ab", True), ("a", True), ("", True)])
def test_a_service_that_counts_its_page_cuts_no_list_silently(ids, whole):
    assert read(Counting(ids))[0] is whole


@pytest.mark.parametrize("code", ["http_status", "not_found", "server_error", "no_json", "unauthorized"])
def test_what_is_behind_the_end_may_be_refused(code):
    def refuse(service):
        if len(service.asked) > 1:
            raise OffboardError("beyond", code=code)

    service = Service("ab", change=refuse)
    if code == "unauthorized":
        with pytest.raises(OffboardError):
            read(service)
    else:
        assert read(service) == (True, ["a", "b"], 2)


def test_a_service_that_ignores_where_to_begin():
    assert read(lambda path, query: {"totalResults": 2, "Resources": [{"id": "a"}, {"id": "b"}]}) == (True, ["a", "b"], 2)


def test_it_is_sorted_only_where_the_service_can():
    for supported in (False, True, None):
        service = Service("a")
        how = pages.ways(None if supported is None else {"sort": {"supported": supported}}, 7)
        pages.everything(service, "/Users", how, 1, Resources())
        assert service.asked[:1] == [{"startIndex": 1, "count": 7, **({"sortBy": "id"} if supported else {})}]
    assert pages.ways({"pagination": {"cursor": True}}, 7).cursor and not pages.ways({"pagination": {"cursor": "yes"}}, 7).cursor


def test_a_list_that_changed_meanwhile_is_read_again():
    def once(service):
        if len(service.asked) == 2:
            service.ids.remove("a")  # all behind it move one up, and c is missed

    service = Service("abcdef", change=once)
    whole, ids, _told = read(service)
    assert ids == list("bcdef") and whole and len(service.asked) > 3


@pytest.mark.parametrize(
    "service",
    [
        Service("abc", total=4),  # says more than it sends
        Service("aab", total=3),  # sends one twice
        Service("abc", 3, total=2),
        Service("abcdefgh", change=lambda service: service.ids.insert(0, f"new{len(service.asked)}")),
    ],
)
def test_a_list_that_never_was_whole_says_so(service):
    whole, ids, _told = read(service)
    assert not whole and ids


@pytest.mark.parametrize(
    "page",
    [{}, {"totalResults": True}, {"totalResults": -1}, {"totalResults": 1, "Resources": {}}, {"totalResults": 1, "Resources": [{"id": 1}]},
     {"totalResults": 1, "Resources": [{"id": "a\ud800"}]},
     {"totalResults": 1, "Resources": [{}]}, {"totalResults": 1, "Resources": ["a"]}, {"totalResults": "1"}, {"totalResults": 0, "nextCursor": 1}],
)  # fmt: skip
def test_what_is_no_list(page):
    with pytest.raises(OffboardError) as caught:
        pages.everything(lambda path, query: page, "/Users", pages.Ways(1), 1, Resources())
    assert caught.value.code == "no_list"


def test_a_service_that_repeats_its_cursor_ends():
    asked = []

    def get(path, query):
        asked.append(query)
        return {"totalResults": 2, "Resources": [{"id": "a"}], "nextCursor": "x"}

    assert not pages.everything(get, "/Users", pages.Ways(1, cursor=True), 1, Resources()).whole and len(asked) == 2


def test_a_cursor_that_stays_the_same_is_no_end():
    """A service that need not count may keep one cursor for all pages: what came until it repeats itself is not known to be everything."""
    given = iter([{"Resources": [{"id": name}], "nextCursor": "scroll"} for name in "abc"])
    read = Resources()
    assert not pages.everything(lambda path, query: next(given), "/Users", pages.Ways(1, cursor=True), 1, read).whole and len(read) == 2


@pytest.mark.parametrize("cursor", [False, True])
def test_a_list_that_grows_for_ever_ends_with_a_word(cursor):
    """Each page holds new ones, and counts more of them than before."""
    asked = []

    def get(path, query):
        asked.append(query)
        first = 10 * len(asked)
        return {
            "totalResults": first + 1000,
            "Resources": [{"id": str(first + number)} for number in range(10)],
            **({"nextCursor": str(first)} if cursor else {}),
        }

    with pytest.raises(OffboardError, match=r"more than 95 entries.*max_resources") as caught:
        pages.everything(get, "/Users", pages.Ways(10, cursor=cursor, most=95), 3, Resources())
    assert caught.value.code == "too_large" and len(asked) == 10


def test_a_list_as_long_as_it_may_be_is_whole():
    service = Service("abcde")
    assert read(service, most=5) == (True, list("abcde"), 5)


def test_groups_that_lack_whom_users_name():
    users = [{"id": "u1", "groups": [{"value": "g1"}, {"value": "g2", "type": "indirect"}, {"value": "gone"}, "x"]}, {"id": "u2", "groups": "x"}]
    groups = [{"id": "g1", "members": [{"value": "u2"}]}, {"id": "g2"}, {"id": "g3", "members": []}]
    assert pages.memberships(users, groups) == pages.Memberships(("g1",), ("g2", "g3"), False)


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        ([], False),  # of nobody nothing is missing
        ([{"id": "u", "groups": [{"value": "g"}]}, {"id": "v"}], False),
        ([{"id": "u", "groups": [{"value": "gone"}]}], False),
        ([{"id": "u"}, {"id": "v", "groups": []}], True),
        ([{"id": "u", "groups": None}], True),
    ],
)
def test_a_service_that_shows_no_groups_of_users_cannot_be_checked(users, expected):
    assert pages.memberships(users, [{"id": "g", "members": [{"value": "u"}]}]).unsaid is expected


def test_resources_lie_in_the_order_of_their_ids():
    kept = Resources()
    for key, value in (("b", 1), ("a", 2), ("\u00e9", 3), ("b", 4)):
        kept.put({"id": key, "x": value, "name": "\u2028太郎"})
    assert list(kept) == ["a", "b", "\u00e9"] and [item["x"] for item in kept.each()] == [2, 4, 3] and len(kept) == 3
    assert all(line.count("\n") == 1 and json.loads(line)["name"] == "\u2028太郎" for line in kept.lines())
    assert kept.get("b")["x"] == 4 and kept.get("c") is None
    kept.clear()
    assert list(kept) == [] and len(kept) == 0


TARO = {
    "schemas": ["x"], "id": "1", "userName": "taro@reiji.example", "active": True, "name": {"familyName": "例示", "givenName": "太郎"},
    "emails": [{"value": "b@reiji.example"}, {"value": "a@reiji.example", "primary": True}], "phoneNumbers": [{"value": "+81 3"}], "title": "=1+1",
    "groups": [{"value": "g1"}, {"value": "g9", "display": "elsewhere"}], "unknown": [1, 2], JP: {"familyNameKana": "レイジ"},
    IIJ: {"externalUserName": "taro"},
}  # fmt: skip


def found(users, groups, **more):
    return ExportedLists(Resources(users), Resources(groups), **more)


def test_the_list_for_people():
    ((name, content),) = table(found({"1": TARO, "2": {"id": "2"}}, {"g1": {"id": "g1", "displayName": "営業"}}))
    assert name == "users.csv"
    assert content.startswith(b"\xef\xbb\xbf")
    first, second = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    assert {name: value for name, value in first.items() if value} == {
        "id": "1", "userName": "taro@reiji.example", "active": "true", "name.familyName": "例示", "name.givenName": "太郎", "emails": "a@reiji.example",
        "phoneNumbers": "'+81 3", "title": "'=1+1", "groups": "営業; elsewhere", "unknown": "[1, 2]", "oidfj.enterprisejp.familyNameKana": "レイジ",
        "iij.enterprisejp.externalUserName": "taro",
    }  # fmt: skip
    assert {name: value for name, value in second.items() if value} == {"id": "2"}


@pytest.mark.parametrize(
    "value", [[{"value": "g\ud800"}], ["x", None, {"display": 5}, {"value": 1}], {"a": "\ud800"}, [{"value": "a\0b"}], "\ud800", [], {"\ud800": 1}]
)
def test_whatever_stands_among_groups_is_written(value):
    made = dict(files(found({"a/ b": {"id": "a/ b", "groups": value}}, {"g1": {"id": "g1", "members": value}})))
    assert json.loads(made["users.jsonl"])["groups"] == value and made["users.csv"].count(b"\r\n") == 2


def test_the_lines_are_what_was_received():
    made = dict(files(found({"1": TARO}, {})))
    assert json.loads(made["users.jsonl"]) == TARO and made["groups.jsonl"] == b""
    assert digest(made.items()) == digest(files(found({"1": dict(TARO)}, {}))) != digest(files(found({"1": {**TARO, "title": "x"}}, {})))


def test_many_users_go_on_in_further_files(monkeypatch):
    users = {str(number): {"id": str(number), "userName": f"user{number}", "x" if number == 7 else "y": "z" * 50} for number in range(10)}
    whole = dict(files(found(users, {})))
    monkeypatch.setattr(export_plan, "PART", 300)
    parts = dict(files(found(users, {})))
    lines = [name for name in parts if name.endswith(".jsonl") and name.startswith("users")]
    assert lines[:3] == ["users.jsonl", "users-2.jsonl", "users-3.jsonl"] and all(len(parts[name]) <= 300 for name in lines)
    assert b"".join(parts[name] for name in lines) == whole["users.jsonl"]
    tables = [csv.DictReader(io.StringIO(parts[name].decode("utf-8-sig"))) for name in parts if name.endswith(".csv")]
    assert len(tables) > 1 and [row for one in tables for row in one] == list(csv.DictReader(io.StringIO(whole["users.csv"].decode("utf-8-sig"))))
    monkeypatch.setattr(export_plan, "PART", 1)  # one that is larger than a file is a file of its own
    assert len([name for name in dict(files(found(users, {}))) if name.startswith("users") and name.endswith(".jsonl")]) == 10


def cells(*users):
    """What the rows for people hold, without their empty cells."""
    ((_name, content),) = table(found({user["id"]: user for user in users}, {"g1": {"id": "g1", "displayName": "Sales"}}))
    return [{name: value for name, value in row.items() if value} for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))]


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"a.b": "1", "a": {"b": "2"}}, {"a.b": "1; 2"}),
        ({"a": {"b": "2", "c": "3"}, "A.B": ""}, {"a.b": "2", "a.c": "3"}),
        ({"title": "1", "Title": "2"}, {"title": "1; 2"}),
        ({"name": {"familyName": "A"}, "name.familyName": "B", "NAME": {"FAMILYNAME": "C"}}, {"name.familyName": "A; B; C"}),
        ({"groups": [{"value": "g1"}], "Groups": [{"display": "other"}]}, {"groups": "Sales; other"}),
        ({"groups": {"b": "1"}, "groups.b": "2"}, {"groups.b": "1; 2"}),
        # an extension whose short prefix is another attribute's name
        ({"iij.enterprisejp": {"x": "1"}, "urn:iij:params:scim:enterprisejp:2.0:User": {"x": "2"}}, {"iij.enterprisejp.x": "1; 2"}),
        # two extensions whose prefixes differ by case alone, and one extension written in two ways
        ({"urn:iij:a:enterprisejp:2.0:User": {"x": "1"}, "urn:IIJ:b:enterprisejp:2.0:User": {"x": "2"}},
         {"urn:iij:a:enterprisejp:2.0:User.x": "1", "urn:IIJ:b:enterprisejp:2.0:User.x": "2"}),
        ({"urn:iij:a:enterprisejp:2.0:User": {"x": "1"}, "URN:iij:a:enterprisejp:2.0:user": {"y": "2"}},
         {"iij.enterprisejp.x": "1", "iij.enterprisejp.y": "2"}),
    ],
)  # fmt: skip
def test_no_value_takes_anothers_place_in_the_list_for_people(user, expected):
    assert cells({"id": "1", **user}, {"id": "2", "title": "x"})[0] == {"id": "1", **expected}


@pytest.mark.parametrize(("doubts", "told"), [({}, 0), ({"cut": ("g",)}, 1), ({"unchecked": ("g",)}, 1), ({"cut": ("g",), "unchecked": ("h",)}, 2)])
def test_groups_whose_members_may_be_cut_are_warned_of(doubts, told):
    assert len(plan([], "/x", found({"1": TARO}, {"g": {"id": "g"}}, **doubts), "a").warnings) == told


def newest(**state):
    return [Object(KIND, "/x", "IIJ ID", {"users": 1, "groups": 0, "complete": True, "content_sha256": "a", **state})]


@pytest.mark.parametrize(
    ("current", "incomplete", "digest_now", "action"),
    [
        ([], (), "a", "create"),
        ([], ("users",), "a", "create"),
        (newest(), (), "a", None),
        (newest(), (), "b", "update"),
        (newest(), ("users",), "b", "export_incomplete"),
        (newest(complete=False), ("users",), "a", "update"),
        (newest(complete=False), (), "a", "update"),
    ],
)
def test_when_another_export_is_written(current, incomplete, digest_now, action):
    def decide():
        try:
            return [change.action for change in plan(current, "/x", found({"1": TARO}, {}, incomplete=incomplete), digest_now).changes]
        except OffboardError as exc:
            return [exc.code]

    assert decide() == ([action] if action else [])


def folded(item):
    """The same with each attribute's name in another case."""
    if isinstance(item, dict):
        return {name if name.startswith("urn:") else name.swapcase(): folded(value) for name, value in item.items()}
    return [folded(one) for one in item] if isinstance(item, list) else item


def test_the_names_of_attributes_have_no_case():
    """RFC 7643 2.1. What was received stays as it was."""
    user = {
        "id": "u1",
        "userName": "taro",
        "emails": [{"value": "x@a"}, {"value": "y@a", "primary": True}],
        "groups": [{"value": "g1"}],
        "meta": {"version": "1"},
    }
    hana = {**user, "id": "u2", "userName": "hana"}
    group = {"id": "g1", "displayName": "Sales", "members": [{"value": "u2"}]}
    given = {"/Users": {"totalResults": 2, "Resources": [user, folded(hana)]}, "/Groups": {"totalResults": 1, "Resources": [group]}}
    answers = {path: {name.upper(): value for name, value in page.items()} for path, page in given.items()}
    answers["/Groups"]["RESOURCES"] = [folded(group)]
    read = {path: Resources() for path in answers}
    for path, into in read.items():
        assert pages.everything(lambda path, query: answers[path], path, pages.Ways(9), 1, into).whole
    assert list(read["/Users"].each()) == [user, folded(hana)]
    assert pages.memberships(read["/Users"].each(), read["/Groups"].each()) == pages.Memberships(lacking=("g1",))
    found = ExportedLists(read["/Users"], read["/Groups"])
    ((_name, content),) = table(found)
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [(row["id"], row["userName"], row["emails"], row["groups"]) for row in rows] == [("u1", "taro", "y@a", "Sales"), ("u2", "hana", "y@a", "Sales")]
    assert list(rows[0]) == ["id", "userName", "externalId", "active", "name.familyName", "name.givenName", "displayName", "emails", "phoneNumbers", "groups"]
    assert pages.ways({"SORT": {"Supported": True}}, 1).sort


@pytest.mark.parametrize("code", ["not_found", "permission_missing", "http_status", "server_error", "no_json", "redirect_refused"])
def test_a_service_that_does_not_describe_itself_is_no_obstacle(code):
    def get(path, query=None):
        if path in ("/Users", "/Groups"):
            return {"totalResults": 1, "Resources": [{"id": path}]}
        raise OffboardError("refused", code=code if path.count("/") == 1 else "not_found")

    export = object.__new__(Export)
    export._scim = SimpleNamespace(get=get)
    export._options = SimpleNamespace(page_size=9, max_resources=9, attempts=1, progress_file=None)
    read = export._read_service()
    assert (list(read.users), list(read.groups), set(read.service.values())) == (["/Users"], ["/Groups"], {None})


@pytest.mark.parametrize(("code", "whole"), [("not_found", False), ("permission_missing", True), ("http_status", True), ("no_json", True)])
def test_a_service_that_shows_no_group_alone_is_no_obstacle(code, whole):
    alone = []

    def get(path, query=None):
        if path == "/Users":
            return {"totalResults": 1, "Resources": [{"id": "u", "groups": [{"value": "b"}]}]}
        if path == "/Groups":
            return {"totalResults": 3, "Resources": [{"id": key} for key in "abc"]}
        if path.startswith("/Groups/"):
            alone.append(path)
        raise OffboardError("refused", code=code)

    export = object.__new__(Export)
    export._scim = SimpleNamespace(get=get)
    export._options = SimpleNamespace(page_size=9, max_resources=9, attempts=1, progress_file=None)
    read = export._read_service()
    assert (len(alone), read.cut, list(read.groups), read.incomplete) == (3, ("b",), ["a", "b", "c"], () if whole else ("groups",))


def test_a_list_that_is_none_is_an_obstacle():
    export = object.__new__(Export)
    export._scim = SimpleNamespace(get=lambda path, query=None: {"totalResults": 0} if path == "/Groups" else {})
    export._options = SimpleNamespace(page_size=9, max_resources=9, attempts=1, progress_file=None)
    with pytest.raises(OffboardError) as caught:
        export._read_service()
    assert caught.value.code == "no_list"
