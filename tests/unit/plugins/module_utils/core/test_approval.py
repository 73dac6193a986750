# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import approval, kinds
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change


def user(identity="u1", **after):
    return Change("user", identity, f"{identity}@a.example", "update", dict.fromkeys(after), after)


def gone(**before):
    return Change("directory_object", "CN=svc", "svc", "delete", before, None)


PLAN = [user(accountEnabled=True, usageLocation="JP", left_out=["no_seat"]), gone(members=["a"], enabled=False), user("u2", licences={"E3": ["X"]})]


def kept(changes=PLAN):
    lines = list(approval.lines(changes))
    return lines, hashlib.sha256(b"".join(lines)).hexdigest()


@pytest.mark.parametrize(
    ("change", "covered"),
    [
        (PLAN[0], True),
        (user(usageLocation="JP"), True),  # the rest of it is done
        (user(usageLocation="JP", left_out=["no_seat", "needs_higher_role"]), True),  # what is not done needs nobody's approval
        (user(accountEnabled=False), False),
        (user(accountEnabled=True, signInSessions="(revoked now)"), False),
        (user("u3", accountEnabled=True), False),
        (user("u2", accountEnabled=True), False),
        (user("u2", licences={"E3": []}), False),
        (Change("user", "u1", "u1@a.example", "delete", {"accountEnabled": None}, None), False),
        (Change("guest", "u1", "u1@a.example", "update", {}, {"accountEnabled": True}), False),
        (gone(members=["a"], enabled=False), True),
        (gone(enabled=False, members=["a"]), True),
        (gone(members=["a", "b"], enabled=False), False),  # somebody joined since
        (gone(members=["b"], enabled=False), False),  # as many, but another one
        (gone(members=[], enabled=False), True),
        (gone(enabled=False), True),  # the members went first, and then the run was stopped
        (gone(members=["a"], enabled=True), False),
        (gone(members="a", enabled=False), False),
        (gone(members=["a"]), False),
        (gone(members=["a"], enabled=False, adminCount=1), False),
        (Change("vault_file", "/x", "x", "write", None, {"sha256": "1"}), True),  # a record of the run itself
    ],
)
def test_what_an_approved_plan_covers(change, covered):
    lines, sha256 = kept()
    approved = approval.Approved(approval.parse(lines, sha256))
    assert approved.covers(change) is covered


@pytest.mark.parametrize(
    ("kind", "planned", "now", "covered"),
    [
        ("windows_file", "SYNC01/C:\\Data", "sync01/C:\\data", True),
        ("directory_object", "CN=か\u3099,DC=A", "cn=が,dc=a", True),
        ("domain", "A.example", "a.example", True),
        ("user", "0C2E", "0c2e", True),
        ("user", "0C2E", "0c2f", False),
        ("oauth2_permission_grant", "aGk", "agk", False),  # base64
    ],
)
def test_the_same_object_however_it_was_typed(kind, planned, now, covered):
    first, second = (Change(kind, identity, "n", "update", {"x": 1}, {"x": 2}) for identity in (planned, now))
    assert approval.Approved([first]).covers(second) is covered
    other = Change(kind, now, "n", "update", {"x": 1}, {"x": 3})
    lines, sha256 = kept([first])
    told = approval.not_approved([other], 1, approval.parse(lines, sha256), sha256).msg
    assert ("x 3 instead of 2" if covered else "not in the plan") in told


def test_an_uninstaller_gets_no_other_arguments():
    def uninstall(**more):
        return Change("windows_software", "m/machine64/k", "x", "uninstall", {"name": "x", "version": "1", **more}, None)

    approved = approval.Approved([uninstall(uninstall_arguments="/KEEPDATA")])
    assert approved.covers(uninstall(uninstall_arguments="/KEEPDATA"))
    assert not approved.covers(uninstall(uninstall_arguments="/ALL")) and not approved.covers(uninstall())
    assert not approval.Approved([uninstall()]).covers(uninstall(uninstall_arguments="/ALL"))


def folder(top, **more):
    children = [f"{name}\\{number}" for name in top for number in range(30)][:100]
    before = {"is_dir": True, "files": 9 * len(top), "hidden": 0, "bytes": 9, "children": children, "top": top, **more}
    return Change("windows_file", "m/C:\\P", "C:\\P", "remove", before, None)


@pytest.mark.parametrize(
    ("now", "covered"),
    [
        (folder(["config", "logs"]), True),  # its uninstaller has run since
        (folder(["logs", "config"], bytes=10, files=19, hidden=1), True),  # a log has grown
        (folder(["config", "payroll"]), False),
        (folder([], is_dir=False), False),
        (Change("windows_software", "m/C:\\P", "C:\\P", "remove", folder([]).before, None), False),
    ],
)
def test_a_folder_may_have_lost_what_its_uninstaller_takes(now, covered):
    approved = approval.Approved([folder(["bin", "config", "logs"])])
    assert approved.covers(now) is covered


@pytest.mark.parametrize(("missing", "covered"), [(["description", "member of a"], True), (["member of a"], True), (["member of admins"], False)])
def test_what_is_completed_was_approved(missing, covered):
    """The list says what is done, and is empty afterwards whatever was done."""

    def complete(names):
        return Change("directory_object", "CN=svc", "svc", "complete", {"missing": names, "objectGUID": "g"}, {"missing": [], "objectGUID": "g"})

    planned = complete(["description", "member of a"])
    now = complete(missing)
    assert approval.Approved([planned]).covers(now) is covered
    if not covered:
        lines, sha256 = kept([planned])
        told = approval.not_approved([now], 1, approval.parse(lines, sha256), sha256).msg
        assert 'missing ["member of admins"] instead of ["description", "member of a"]' in told


def test_the_same_plan_has_the_same_bytes():
    one = user(accountEnabled=True, usageLocation="JP")
    other = Change("user", "u1", "u1@a.example", "update", {"usageLocation": None, "accountEnabled": None}, {"usageLocation": "JP", "accountEnabled": True})
    assert list(approval.lines([one])) == list(approval.lines([other]))
    assert list(approval.lines([Change("manual_step", "s", "s", "register", None, {})])) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: lines[1:],
        lambda lines: [*lines, lines[0]],
        lambda lines: [lines[0].replace(b"true", b"false"), *lines[1:]],
        lambda lines: [b"{", *lines[1:]],
        lambda lines: [b"[]\n"],
        lambda lines: [b"\xff\n"],
        lambda lines: [b"[" * 100_000],
        lambda lines: [b'{"kind": "user"}\n'],
        lambda lines: [],
    ],
)
def test_a_plan_that_was_changed_approves_nothing(spoil):
    lines, sha256 = kept()
    with pytest.raises(OffboardError) as caught:
        approval.Approved(approval.parse(spoil(lines), sha256))
    assert caught.value.code == "plan_damaged"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (user("u3", accountEnabled=True), "Users: u3@a.example (u3), updated: not in the plan"),
        (user(accountEnabled=False), "accountEnabled false instead of true"),
        (user(accountEnabled=True, signInSessions="x"), "signInSessions was not to change"),
        (gone(members=["a", "b"], enabled=False), 'it is not any more what it was then (members ["a", "b"] instead of ["a"])'),
        (gone(members=["a"]), "it is not any more what it was then (enabled null instead of false)"),
        (gone(members=["a"], enabled=0), "it is not any more what it was then (enabled 0 instead of false)"),
        (Change("user", "u9", "evil\x1b[2J", "update", {}, {"usageLocation": "JP"}), r"evil\x1b[2J"),
    ],
)
def test_the_refusal_says_what_differs(change, told):
    lines, sha256 = kept()
    error = approval.not_approved([change], 1, approval.parse(lines, sha256), sha256)
    assert (error.code, told in error.msg) == ("not_approved", True), error.msg
    assert "; and 4 more" in approval.not_approved([change], 5, approval.parse(lines, sha256), sha256).msg


def test_in_words():
    told = approval.summary([*PLAN, Change("manual_step", "s", "s", "register", None, {})])
    assert [(item["kind"], item["action"], item["count"]) for item in told] == [("user", "update", 2), ("directory_object", "delete", 1)]
    assert told[0]["ja"] == "利用者、更新: 2" and told[0]["en"] == "Users, updated: 2"


def test_what_is_of_the_run_folder_is_a_kind():
    assert set(kinds.KINDS) >= kinds.OF_RUN_FOLDER
