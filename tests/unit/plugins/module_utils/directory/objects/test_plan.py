# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import struct
import uuid

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.dn import key as dn_key
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects import plan as objects
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects import saved
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry

NOW = datetime.datetime(2026, 4, 1, tzinfo=datetime.UTC)
BASE = "OU=Services,DC=ad,DC=reiji,DC=example"
DOMAIN = (21, 1, 2, 3)


def binary_sid(rid):
    return struct.pack("<BB6s5I", 1, 5, (5).to_bytes(6), *DOMAIN, rid)


def ticks(days_ago):
    moment = NOW - datetime.timedelta(days=days_ago)
    return str(int((moment - datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)).total_seconds()) * 10_000_000).encode()


def user(name="iij-iwa", rid=1104, **attributes):
    given = {
        "objectClass": [b"top", b"person", b"organizationalPerson", b"user"],
        "objectSid": [binary_sid(rid)],
        "objectGUID": [uuid.UUID(int=rid).bytes_le],
        "sAMAccountName": [name.encode()],
        "userAccountControl": [b"512"],
    }
    return Entry(f"CN={name},{BASE}", given | attributes)


def group(name="iij-scope", rid=1200, **attributes):
    control = {"userAccountControl": []}
    return user(name, rid, objectClass=[b"top", b"group"], **control | attributes)


def describe(entry, **around):
    return objects.describe(entry, objects.Surroundings(**around))


def plan(state, *entries, wanted=(), copies=(), **around):
    items = {dn_key(entry.dn): describe(entry, **around) for entry in entries}
    dns = [*(entry.dn for entry in entries), *wanted]
    return objects.plan(dns, items, state, {dn_key(copy.dn): copy for copy in copies})


def copy_of(entry, *links):
    schema = {name.casefold(): saved.SchemaAttribute(name, name not in ("objectSid", "objectGUID"), None) for name in entry.attributes}
    return saved.read(saved.make(entry, schema, links, NOW), "copy.ldif")


# --- describing ---


@pytest.mark.parametrize(
    "classes",
    [[b"top", b"organizationalUnit"], [b"top", b"user", b"computer"], [b"top", b"user", b"computer", b"msDS-GroupManagedServiceAccount"], [b"top", b"contact"]],
)
def test_only_users_and_groups(classes):
    with pytest.raises(OffboardError) as error:
        describe(user(objectClass=classes))
    assert error.value.code == "unsupported_class" and classes[-1].decode() in error.value.msg


@pytest.mark.parametrize(("control", "enabled"), [(b"512", True), (b"514", False), (b"66048", True), (b"66050", False)])
def test_enabled(control, enabled):
    assert describe(user(userAccountControl=[control])).state["enabled"] is enabled


def test_a_group_is_neither_enabled_nor_disabled():
    assert describe(group()).state["enabled"] is None


def test_the_later_logon_counts_and_never_is_none():
    assert describe(user()).state["last_logon"] is None
    assert describe(user(lastLogon=[b"0"], lastLogonTimestamp=[ticks(3)])).state["last_logon"] == "2026-03-29T00:00:00+00:00"
    assert describe(user(lastLogon=[ticks(1)], lastLogonTimestamp=[ticks(9)])).state["last_logon"] == "2026-03-31T00:00:00+00:00"


def test_back_links_are_references_but_memberships_are_not():
    entry = user(managedObjects=[b"CN=g"], memberOf=[b"CN=h"])
    state = describe(entry, back_links={"managedObjects": "managedBy", "memberOf": "member"}, references={"seeAlso": ["CN=x"], "secretary": []}).state
    assert state["referenced_by"] == {"managedBy": ["CN=g"], "seeAlso": ["CN=x"]}
    assert state["memberOf"] == ["CN=h"]


# --- plan ---


def test_disabling_and_enabling():
    result = plan("disabled", user(), user("off", 1105, userAccountControl=[b"514"]), group())
    (change,) = result.changes
    same = {"objectGUID": str(uuid.UUID(int=1104))}  # a later run knows which object it was, whatever its name is then
    before, after = {"enabled": True, **same}, {"enabled": False, **same}
    assert (change.action, change.id, change.before, change.after) == ("disable", f"CN=iij-iwa,{BASE}", before, after)
    assert result.unchanged == 1
    assert [item.code for item in result.skipped] == ["not_a_user"]
    assert "group" in result.warnings[0] and "state=absent" in result.warnings[0]
    (change,) = plan("enabled", user(userAccountControl=[b"514"])).changes
    assert (change.action, change.after) == ("enable", after | {"enabled": True})


def test_what_is_gone_needs_no_disabling_but_is_said():
    result = plan("disabled", wanted=["CN=gone"])
    assert len(result.changes) == 0
    assert [item.code for item in result.skipped] == ["not_found"]
    assert "CN=gone" in result.warnings[0]


def test_what_is_gone_cannot_be_enabled():
    with pytest.raises(OffboardError) as error:
        plan("enabled", wanted=["CN=gone"])
    assert error.value.code == "not_found"


def test_removal_says_what_goes_and_how_it_comes_back():
    result = plan("absent", user(memberOf=[b"CN=h"]), group(member=[b"CN=a", b"CN=b"]), wanted=["CN=gone"])
    first, second = result.changes
    assert (first.action, first.after, first.risk) == ("delete", None, "high")
    assert first.before["memberOf"] == ["CN=h"] and "objectSid" in first.before
    assert second.before["members"] == ["CN=a", "CN=b"]
    assert "state=present" in first.undo
    assert result.unchanged == 1


def test_what_is_gone_comes_back_from_its_copy_disabled():
    copy = copy_of(user(), saved.SavedLink("CN=h", "member", user().dn))
    (change,) = plan("present", wanted=[user().dn.upper()], copies=[copy]).changes
    assert (change.action, change.before) == ("restore", None)
    assert change.after["enabled"] is False and change.after["links"] == [f"member of CN=h: {user().dn}"]
    with pytest.raises(OffboardError) as error:
        plan("present", wanted=["CN=other"], copies=[copy])
    assert error.value.code == "no_saved_copy"


def test_an_interrupted_restoration_is_completed():
    link = saved.SavedLink("CN=h", "member", user().dn)
    copy = copy_of(user(description=[b"d"]), link)
    assert len(plan("present", user(description=[b"changed"], memberOf=[b"cn=H"]), copies=[copy]).changes) == 0
    (change,) = plan("present", user(), copies=[copy]).changes
    assert change.action == "complete" and change.before["missing"] == ["description", link.text]
    assert plan("present", user()).unchanged == 1


@pytest.mark.parametrize(
    ("entry", "link"),
    [
        (user(memberOf=[b"CN=h"]), saved.SavedLink("CN=H", "member", user().dn)),
        (group(member=[b"CN=a"]), saved.SavedLink(group().dn, "member", "cn=A")),
        (user(managedObjects=[b"CN=g"]), saved.SavedLink("CN=g", "managedBy", user().dn)),
    ],
)
def test_links_that_are_there_are_not_missing(entry, link):
    item = describe(entry, back_links={"managedObjects": "managedBy"})
    assert objects.missing_links(item, copy_of(entry, link)) == []
    bare = describe(user() if item.state["class"] == "user" else group())
    assert objects.missing_links(bare, copy_of(entry, link)) == [link]


# --- guards ---

SPN, OTHER = b"HTTP/reiji.iwa.auth.iij.jp", b"MSSQLSvc/db:1433"
GUARDS = [
    # entry, surroundings, rules, action, refusing rules
    (user(), {}, {}, "delete", []),
    (user(servicePrincipalName=[SPN]), {}, {}, "delete", []),
    (user(servicePrincipalName=[b"http/REIJI.iwa.auth.IIJ.JP"]), {}, {}, "delete", []),
    (user(servicePrincipalName=[SPN, OTHER]), {}, {}, "delete", ["other_spn"]),
    (user(servicePrincipalName=[SPN, OTHER]), {}, {}, "disable", ["other_spn"]),
    (user(servicePrincipalName=[b"HTTP/iij.jp.evil.example"]), {}, {}, "delete", ["other_spn"]),
    (user(servicePrincipalName=[b"HTTP/notiij.jp"]), {}, {}, "delete", ["other_spn"]),
    (user(servicePrincipalName=[SPN + b":8443"]), {}, {}, "delete", ["other_spn"]),
    (user(servicePrincipalName=[SPN, OTHER]), {}, {"allowed_spns": [r"HTTP/.*", r"MSSQLSvc/db:1433"]}, "delete", []),
    (user(servicePrincipalName=[SPN]), {}, {"allowed_spns": [r"HTTP"]}, "delete", ["other_spn"]),  # as a whole, not in part
    (user(adminCount=[b"1"]), {}, {}, "disable", ["admin_count"]),
    (user(adminCount=[b"0"]), {}, {}, "disable", []),
    (user(adminCount=[b"1"]), {}, {"allow": ["admin_count"]}, "delete", []),
    (user(rid=500), {}, {"allow": objects.ALLOWABLE}, "disable", ["critical_object"]),
    (group(isCriticalSystemObject=[b"TRUE"]), {}, {"allow": objects.ALLOWABLE}, "delete", ["critical_object"]),
    (user(), {"own_sids": {"S-1-5-21-1-2-3-1104"}}, {"allow": objects.ALLOWABLE}, "disable", ["own_identity"]),
    (user(), {"parent_denied": 0x2}, {}, "delete", ["protected"]),
    (user(), {"parent_denied": 0x10040}, {}, "delete", []),  # the parent's own protection is not the child's
    (user(), {"parent_denied": 0x2}, {}, "disable", []),
    (user(), {"parent_denied": 0x2}, {"allow": ["protected"]}, "delete", []),
    (group(member=[b"CN=a,DC=b"]), {}, {}, "delete", ["members"]),
    (group(member=[b"CN=a,DC=b"]), {}, {"expected_members": ["cn=A, dc=B"]}, "delete", []),
    (group(member=[b"CN=a,DC=b", b"CN=c,DC=b"]), {}, {"expected_members": ["CN=a,DC=b"]}, "delete", ["members"]),
    (group(member=[b"CN=a,DC=b"]), {}, {"allow": ["members"]}, "delete", []),
    (user(lastLogonTimestamp=[ticks(13)]), {}, {}, "delete", ["recently_used"]),
    (user(lastLogonTimestamp=[ticks(15)]), {}, {}, "delete", []),
    (user(lastLogonTimestamp=[ticks(1)]), {}, {}, "disable", []),
    (user(lastLogonTimestamp=[ticks(1)]), {}, {"recently_used_days": 0}, "delete", []),
    (user(), {"references": {"manager": ["CN=x"]}}, {}, "delete", ["referenced"]),
    (user(), {"references": {"manager": ["CN=x"]}}, {}, "disable", []),
    (user(), {"references": {"manager": ["CN=x"]}}, {"allow": ["referenced"]}, "delete", []),
    (user(memberOf=[b"CN=h"]), {}, {}, "delete", []),
    (user(), {"children": ["CN=below"]}, {"allow": objects.ALLOWABLE}, "delete", ["has_children"]),
    (user(), {"children": ["CN=below"]}, {}, "disable", []),
    (group(), {"primary_members": ["CN=p"]}, {"allow": objects.ALLOWABLE, "expected_members": ["CN=p"]}, "delete", ["primary_group"]),
    (user(adminCount=[b"1"], servicePrincipalName=[OTHER]), {}, {}, "delete", ["other_spn", "admin_count"]),
]


@pytest.mark.parametrize(("entry", "around", "rules", "action", "expected"), GUARDS)
def test_guards(entry, around, rules, action, expected):
    found = list(objects.refusals([describe(entry, **around)], action, objects.ObjectRules(**rules), NOW))
    assert [item.rule for item in found] == expected
    for item in found:
        assert item.objects == (entry.dn,) and entry.dn in item.msg
        assert bool(item.allow_with) == (item.rule not in ("own_identity", "critical_object", "has_children", "primary_group"))


def test_an_account_goes_before_the_group_that_is_its_primary_one():
    result = plan("absent", group(), user())
    assert [change.id for change in result.changes] == [user().dn, group().dn]
    items = [describe(group(), primary_members=[user().dn]), describe(user())]
    assert list(objects.refusals(items, "delete", objects.ObjectRules(), NOW)) == []
    assert list(objects.refusals(items[:1], "delete", objects.ObjectRules(), NOW, [user().dn])) == []


def test_members_that_go_with_their_group_are_expected():
    member = user()
    items = [describe(member), describe(group(member=[member.dn.encode()]))]
    assert list(objects.refusals(items, "delete", objects.ObjectRules(), NOW)) == []


def test_the_option_named_for_another_spn_allows_just_that_one():
    entry = user(servicePrincipalName=[OTHER])
    (refusal,) = objects.refusals([describe(entry)], "delete", objects.ObjectRules(), NOW)
    pattern = refusal.allow_with.split("'")[1]
    assert list(objects.refusals([describe(entry)], "delete", objects.ObjectRules(allowed_spns=[pattern]), NOW)) == []
    assert list(objects.refusals([describe(user(servicePrincipalName=[OTHER + b"4"]))], "delete", objects.ObjectRules(allowed_spns=[pattern]), NOW))


def test_a_bad_pattern_is_named():
    with pytest.raises(OffboardError) as error:
        objects.ObjectRules(allowed_spns=["("]).spn_patterns()
    assert error.value.code == "pattern_invalid" and "'('" in error.value.msg
