# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts out of registry settings: what goes, what stays byte for byte, and in which order the versions come."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.browser_hosts import without
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import mentions, preferences, registry_pol
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.registry import items
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.registry import plan as registry
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.registry_pol import Record
from hypothesis import given, settings
from hypothesis import strategies as st

GUID = "{0FFB0A2D-1001-4000-8000-000000000001}"
HOSTS = ["auth.iij.jp"]
EDGE = r"Software\Policies\Microsoft\Edge"
SPNEGO = r"Software\Policies\Mozilla\Firefox\Authentication\SPNEGO"
ZONES = r"Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
MAP = ZONES + r"\ZoneMapKey"
SITE = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMap\Domains\iij.jp\www1.auth"
TATTOO = r"Software\Vendor\Edge"


def u(text):
    return (text + "\0").encode("utf-16-le")


def sz(key, name, text):
    return Record(key, name, 1, u(text))


def dword(key, name, number):
    return Record(key, name, 4, number.to_bytes(4, "little"))


DEL = " \0".encode("utf-16-le")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([sz(EDGE, "AuthServerAllowlist", "a.example, *.auth.iij.jp ,b")], [sz(EDGE, "AuthServerAllowlist", "a.example,b")]),
        ([sz(EDGE, "authserverallowlist", "www1.auth.iij.jp,*.iij.jp")], [sz(EDGE, "authserverallowlist", "*.iij.jp")]),
        ([sz(EDGE, "AuthServerAllowlist", "https://www1.auth.iij.jp")], []),
        ([sz(TATTOO, "AuthServerAllowlist", "www1.auth.iij.jp")], [Record(TATTOO, "**del.AuthServerAllowlist", 1, DEL)]),
        ([sz(TATTOO, "AuthServerAllowlist", "a,www1.auth.iij.jp")], [sz(TATTOO, "AuthServerAllowlist", "a")]),
        ([sz(EDGE, "AuthServerAllowlist", "xauth.iij.jp,*,iij.jp")], None),
        ([sz(EDGE, "HomepageLocation", "https://www1.auth.iij.jp")], None),
        ([Record(EDGE, "AuthServerAllowlist", 1, "www1.auth.iij.jp,a".encode("utf-16-le"))], [Record(EDGE, "AuthServerAllowlist", 1, "a".encode("utf-16-le"))]),
        ([Record(EDGE, "AuthServerAllowlist", 1, b"odd")], None),
        (
            [sz(SPNEGO, "**delvals.", " "), sz(SPNEGO, "1", "www1.auth.iij.jp"), sz(SPNEGO, "2", "a"), sz(SPNEGO, "3", "b"), dword(SPNEGO, "Locked", 1)],
            [sz(SPNEGO, "**delvals.", " "), sz(SPNEGO, "1", "a"), sz(SPNEGO, "2", "b"), dword(SPNEGO, "Locked", 1)],
        ),
        ([sz(SPNEGO, "**delvals.", " "), sz(SPNEGO, "1", "www1.auth.iij.jp")], []),
        ([sz(SPNEGO, "2", "a"), sz(SPNEGO, "5", "b")], None),
        (
            [dword(ZONES, "ListBox_Support_ZoneMapKey", 1), sz(MAP, "**delvals.", " "), sz(MAP, "https://*.auth.iij.jp", "1")],
            [],
        ),
        (
            [
                dword(ZONES, "ListBox_Support_ZoneMapKey", 1), dword(ZONES, "Other", 2), sz(MAP, "**delvals.", " "),
                sz(ZONES + r"\zonemapkey", "https://www1.auth.iij.jp", "1"), sz(MAP, "intranet", "1"),
            ],
            [
                dword(ZONES, "ListBox_Support_ZoneMapKey", 1), dword(ZONES, "Other", 2),
                sz(MAP, "**delvals.", " "), sz(MAP, "intranet", "1"),
            ],
        ),
        ([dword(ZONES, "ListBox_Support_ZoneMapKey", 1), sz(MAP, "**delvals.", " ")], None),  # it was empty before; not ours
        # a site in a zone by a key of its own, which clients keep unless they are told to delete it; others' sites, and what deletes already
        ([dword(SITE, "https", 1)], [Record(SITE, "**del.https", 1, DEL)]),
        ([dword(SITE.upper(), "*", 2), dword(SITE, "http", 1)], [Record(SITE.upper(), "**del.*", 1, DEL), Record(SITE, "**del.http", 1, DEL)]),
        ([dword(SITE.rpartition("\\")[0], "*", 1), dword(SITE + "x", "https", 1), Record(SITE, "**del.https", 1, DEL), dword(SITE, "", 1)], None),
        # numbers with holes and twice, what clears the list at its end, directives in any case
        (
            [sz(SPNEGO, "1", "auth.iij.jp"), sz(SPNEGO, "3", "b"), sz(SPNEGO, "7", "AUTH.IIJ.JP."), sz(SPNEGO, "9", "c"), sz(SPNEGO, "**DelVals.", " ")],
            [sz(SPNEGO, "1", "b"), sz(SPNEGO, "2", "c"), sz(SPNEGO, "**DelVals.", " ")],
        ),
        ([sz(SPNEGO, "1", "auth.iij.jp"), sz(SPNEGO, "**DelVals.", " ")], []),
        (
            [sz(SPNEGO, "1", "auth.iij.jp"), sz(SPNEGO, "4", "b"), sz(SPNEGO, "5", "c"), sz(SPNEGO, "**Del.2", " ")],
            [sz(SPNEGO, "1", "b"), sz(SPNEGO, "2", "c")],
        ),
        ([sz(SPNEGO.upper(), "1", "auth.iij.jp"), sz(SPNEGO.lower(), "2", "b")], [sz(SPNEGO.lower(), "1", "b")]),
        ([Record(EDGE, "AuthServerAllowlist", 7, u("a.example\0auth.iij.jp\0"))], None),
    ],
)  # fmt: skip
def test_the_table_of_records(before, after):
    assert without(before, HOSTS) == (before if after is None else after)


RECORDS = st.lists(
    st.builds(
        Record,
        st.sampled_from([EDGE, SPNEGO, TATTOO, ZONES, MAP, SITE, "x"]),
        st.sampled_from(["AuthServerAllowlist", "1", "2", "**delvals.", "**del.1", "ListBox_Support_ZoneMapKey", "https://www1.auth.iij.jp", "intranet"]),
        st.sampled_from([1, 3, 4]),
        st.sampled_from([u("a,www1.auth.iij.jp"), u("www1.auth.iij.jp"), u(""), b"", b"\n\0\0\0", u("intranet")]),
    ),
    max_size=8,
)


@settings(max_examples=300)
@given(RECORDS)
def test_whatever_is_there_the_hosts_go_and_a_second_time_changes_nothing(listed):
    once = without(listed, HOSTS)
    assert without(once, HOSTS) == once
    assert registry_pol.parse(registry_pol.pack(once)) == once
    ours = {"AuthServerAllowlist", "**del.AuthServerAllowlist"}  # outside the policies' keys a value is deleted by a record of its own
    others = [record for record in listed if record.key == "x" and record.name not in ours]
    assert [record for record in once if record.key == "x" and record.name not in ours] == others


@pytest.mark.parametrize(
    ("key", "name", "value", "kind"),
    [
        (EDGE, "AuthServerAllowlist", "a.example;www1.auth.iij.jp", registry_pol.SZ),
        (EDGE, "AuthServerAllowlist", "a.example www1.auth.iij.jp", registry_pol.EXPAND_SZ),
        (EDGE, "AuthServerAllowlist", "a.example\0www1.auth.iij.jp\0", registry_pol.MULTI_SZ),
        (r"Software\Policies\Mozilla\Firefox\Authentication\SPNEGO", "1", "a.example,www1.auth.iij.jp", registry_pol.SZ),
    ],
)
def test_several_hosts_in_one_entry_stay_and_are_told(key, name, value, kind):
    """With the host the others would go."""
    record = registry_pol.Record(key, name, kind, (value + "\0").encode("utf-16-le"))
    assert without([record], HOSTS) == [record]
    data = registry_pol.pack([record])
    (told,) = mentions.in_file(r"Machine\Registry.pol", data, HOSTS, []).mentions
    assert told["broader"] and not told["changed_by"]


def item(uid, key, name="https", value="1", action="U", more=""):
    return f"<Registry uid='{uid}'{more}><Properties action='{action}' hive='HKCU' key='{key}' name='{name}' value='{value}'/></Registry>"


ONCE = "<Filters><FilterCollection><FilterRunOnce hidden='1' not='0' bool='AND' id='{9}'/></FilterCollection></Filters>"
ZONE = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMap"


def xml(*parts):
    return ("<RegistrySettings>" + "".join(parts) + "</RegistrySettings>").encode()


@pytest.mark.parametrize(
    ("part", "verdict"),
    [
        (item("{1}", rf"{ZONE}\Domains\iij.jp\www1.auth"), "ours"),
        (item("{1}", rf"{ZONE}\EscDomains\iij.jp\*.auth"), "ours"),
        (item("{1}", rf"{ZONE}\Domains\www1.auth.iij.jp"), "ours"),
        (item("{1}", rf"{ZONE}\Domains\iij.jp"), ""),
        (item("{1}", rf"{ZONE}\Domains\reiji.example\auth.iij.jp"), ""),
        (item("{1}", rf"{ZONE}\Domains\iij.jp\www1.auth", action="D"), ""),
        (item("{1}", rf"{ZONE}\Domains\iij.jp\www1.auth", more=" disabled='1'"), ""),
        ("<Collection disabled='1'><Collection>" + item("{1}", rf"{ZONE}\Domains\iij.jp\www1.auth") + "</Collection></Collection>", ""),
        ("<Collection disabled='1'/><Collection disabled='0'>" + item("{1}", rf"{ZONE}\Domains\iij.jp\www1.auth") + "</Collection>", "ours"),
        (item("{1}", EDGE, "AuthServerAllowlist", "www1.auth.iij.jp"), "ours"),
        (item("{1}", EDGE, "AuthServerAllowlist", "a,www1.auth.iij.jp"), "by hand"),
        # applied once: who has had it would not see the change
        (item("{1}", EDGE, "AuthServerAllowlist", "www1.auth.iij.jp").replace("</Registry>", f"{ONCE}</Registry>"), "by hand"),
        (item("{1}", rf"{ZONE}\Domains\iij.jp\www1.auth").replace("</Registry>", f"{ONCE}</Registry>"), "by hand"),
        (f"<Collection>{ONCE}<Collection>" + item("{1}", EDGE, "AuthServerAllowlist", "www1.auth.iij.jp") + "</Collection></Collection>", "by hand"),
        ("<Collection>" + item("{1}", EDGE, "AuthServerAllowlist", "www1.auth.iij.jp") + f"{ONCE.replace('Run', 'X')}{ONCE}</Collection>", "by hand"),
        (f"<Collection>{ONCE}</Collection>" + item("{1}", EDGE, "AuthServerAllowlist", "www1.auth.iij.jp"), "ours"),
        (item("{2}", EDGE, "Other").replace("</Registry>", f"{ONCE}</Registry>") + item("{1}", EDGE, "AuthServerAllowlist", "www1.auth.iij.jp"), "ours"),
        (item("{1}", EDGE, "AuthServerAllowlist", "*.iij.jp"), ""),
        # which is not the host alone
        (item("{1}", EDGE, "AuthServerAllowlist", "a;www1.auth.iij.jp"), ""),
        (item("{1}", EDGE, "AuthServerAllowlist", ""), ""),
        # the other lists that Registry.pol holds, set by items
        (item("{1}", MAP, "https://www1.auth.iij.jp"), "ours"),
        (item("{1}", "\\" + MAP.upper() + "\\", "*.auth.iij.jp"), "ours"),
        (item("{1}", MAP, "https://*.iij.jp"), ""),
        (item("{1}", MAP, "https://www1.auth.iij.jp", action="D"), ""),
        (item("{1}", MAP, "https://www1.auth.iij.jp").replace("</Registry>", f"{ONCE}</Registry>"), "by hand"),
        (item("{1}", SPNEGO, "1", "www1.auth.iij.jp"), "ours"),
        (item("{1}", SPNEGO, "2", "www1.auth.iij.jp") + item("{2}", SPNEGO, "1", "a"), "ours"),
        # Firefox takes no list that begins otherwise than with 1
        (item("{1}", SPNEGO, "1", "www1.auth.iij.jp") + item("{2}", SPNEGO, "2", "a"), "by hand"),
        (item("{1}", SPNEGO, "1", "www1.auth.iij.jp") + item("{2}", SPNEGO.replace("SPNEGO", "NTLM"), "2", "a"), "ours"),
        (item("{1}", SPNEGO, "Locked", "www1.auth.iij.jp"), ""),
    ],
)
def test_the_table_of_items(part, verdict):
    ours, by_hand = items.to_delete(preferences.registry_items(preferences.elements(xml(part))), HOSTS)
    assert (bool(ours), bool(by_hand)) == (verdict == "ours", verdict == "by hand")


SWITCH = item("{s}", ZONES, "ListBox_Support_ZoneMapKey")


@pytest.mark.parametrize(
    ("parts", "deleted"),
    [
        ([SWITCH, item("{1}", MAP, "https://www1.auth.iij.jp")], ["{1}", "{s}"]),
        ([SWITCH, item("{1}", MAP, "https://www1.auth.iij.jp"), item("{2}", MAP, "a.example", action="D")], ["{1}", "{s}"]),
        ([SWITCH, item("{1}", MAP, "https://www1.auth.iij.jp"), item("{2}", MAP, "a.example")], ["{1}"]),
        ([SWITCH, item("{1}", MAP, "https://www1.auth.iij.jp"), item("{2}", MAP, "*.iij.jp")], ["{1}"]),
        ([SWITCH.replace("HKCU", "HKLM"), item("{1}", MAP, "https://www1.auth.iij.jp")], ["{1}"]),
        ([SWITCH.replace("</Registry>", f"{ONCE}</Registry>"), item("{1}", MAP, "https://www1.auth.iij.jp")], ["{1}"]),
        ([SWITCH, item("{1}", MAP, "a.example")], []),
        ([SWITCH], []),
    ],
)
def test_the_last_site_of_an_items_list_takes_the_switch_with_it(parts, deleted):
    data = xml(*parts)
    ours, _by_hand = items.to_delete(preferences.registry_items(preferences.elements(data)), HOSTS)
    assert [one.uid for one in ours] == deleted
    again = preferences.registry_items(preferences.elements(preferences.deleting(data, ours)))
    assert items.to_delete(again, HOSTS) == ([], [])


@pytest.mark.parametrize(
    ("part", "broader"),
    [
        (item("{1}", EDGE, "AuthServerAllowlist", "*.iij.jp,a.example"), ["*.iij.jp"]),
        (item("{1}", EDGE, "AuthServerAllowlist", "*"), ["*"]),
        (item("{1}", EDGE, "AuthServerAllowlist", "a;www1.auth.iij.jp"), ["a;www1.auth.iij.jp"]),
        (item("{1}", rf"{ZONE}\Domains\iij.jp"), ["iij.jp"]),
        (item("{1}", EDGE, "AuthServerAllowlist", "*.iij.jp", action="D"), []),
        (item("{1}", EDGE, "AuthServerAllowlist", "a.example"), []),
    ],
)
def test_an_item_that_means_more_than_the_hosts_is_told(part, broader):
    """As one in Registry.pol is."""
    told = mentions.in_file(r"User\Preferences\Registry\Registry.xml", xml(part), HOSTS, []).mentions
    assert [entry for one in told for entry in one.get("broader", [])] == broader
    assert all(not one["changed_by"] for one in told)
    content = hashlib.sha256(xml(part)).hexdigest()
    described = registry.describe(GUID, r"User\Preferences\Registry\Registry.xml", "Policy", 1, 1, content)
    result, _new = registry.plan([described], HOSTS, {described.id: xml(part)}, lambda data: hashlib.sha256(data).hexdigest(), {})
    assert (len(result.warnings), len(result.changes)) == (len(broader), 0)


def test_a_whole_file_that_is_switched_off():
    off = xml(item("{1}", rf"{ZONE}\Domains\iij.jp\www1.auth")).replace(b"<RegistrySettings>", b"<RegistrySettings disabled='1'>")
    assert items.to_delete(preferences.registry_items(preferences.elements(off)), HOSTS) == ([], [])


# --- plans of several files ---

POL = registry_pol.pack([sz(EDGE, "AuthServerAllowlist", "a,www1.auth.iij.jp")])
PART = xml(item("{1}", rf"{ZONE}\Domains\iij.jp\www1.auth"), item("{2}", EDGE, "AuthServerAllowlist", "a,www1.auth.iij.jp"))
FILES = {r"MACHINE\Registry.pol": POL, r"USER\Preferences\Registry\Registry.xml": PART, r"USER\Registry.pol": registry_pol.pack([])}


def digest(data):
    return hashlib.sha256(data).hexdigest()


def planned(version=2, in_ini=2, begun=None, files=None):
    files = FILES if files is None else files
    current = [registry.describe(GUID, name, "Browsers", version, in_ini, digest(data)) for name, data in files.items()]
    return registry.plan(current, HOSTS, {f"{GUID}\\{name}": data for name, data in files.items()}, digest, begun or {})


def test_each_file_has_the_next_version():
    result, new = planned()
    shown = [(registry.file_of(change.id), change.before["versionNumber"], change.after["versionNumber"]) for change in result.changes]
    assert shown == [(r"MACHINE\Registry.pol", 2, 3), (r"USER\Preferences\Registry\Registry.xml", 3, 1 << 16 | 3)]
    assert result.unchanged == 1 and len(result.warnings) == 1 and "{2}" in result.warnings[0]
    first, second = result.changes
    assert first.after[rf"{EDGE}\AuthServerAllowlist"] == "a" and first.after["sha256"] == digest(new[first.id])
    assert [value for value in second.after.values() if value == "D"] == ["D"]


def test_a_stopped_run_is_gone_on_with_in_its_order():
    changes = list(planned()[0].changes)
    begun = {change.id: change for change in changes}
    # the directory had the first file's version, and nothing else was done
    assert list(planned(3, 2, begun)[0].changes) == changes
    # the first file was replaced, too
    half = {**FILES, r"MACHINE\Registry.pol": planned()[1][changes[0].id]}
    assert list(planned(3, 2, begun, half)[0].changes) == changes
    # the first was finished, and the second had its version
    assert list(planned(1 << 16 | 3, 3, begun, half)[0].changes) == changes[1:]
    assert [refusal.rule for refusal in planned(9, 2, begun)[0].refusals] == ["versions_differ"]
    assert [refusal.rule for refusal in planned(3, 2)[0].refusals] == ["versions_differ"]


def test_what_an_earlier_task_of_a_check_run_has_planned_is_not_planned_again():
    earlier = {change.id: change for change in planned()[0].changes}
    current = []
    for name, data in FILES.items():
        item = registry.describe(GUID, name, "Browsers", 2, 2, digest(data))
        current.append(replace(item, state={**item.state, **earlier[item.id].after}) if item.id in earlier else item)
    result, _new = registry.plan(current, HOSTS, {f"{GUID}\\{name}": data for name, data in FILES.items()}, digest, {})
    assert len(result.changes) == 0 and result.refusals == [] and result.unchanged == 3


def back(files, done, version=3, in_ini=3, begun=None):
    """The way back; a file's copy is found by its digest among FILES."""
    current = [registry.describe(GUID, name, "Browsers", version, in_ini, digest(data)) for name, data in files.items()]
    old = {f"{GUID}\\{name}": data for name, data in files.items()}
    return registry.plan_return(current, done, old, lambda identity, sha: {digest(data): data for data in FILES.values()}[sha], begun or {})


def test_the_way_back_is_what_was_there_before():
    result, new = planned()
    done = list(result.changes)
    edited = {name: new[f"{GUID}\\{name}"] for name in FILES}
    result, new = back(edited, done)
    assert [(registry.file_of(change.id), change.action) for change in result.changes] == [
        (name, "restore") for name in (r"MACHINE\Registry.pol", r"USER\Preferences\Registry\Registry.xml")
    ]
    assert {name: new[f"{GUID}\\{name}"] for name in FILES} == FILES and result.skipped == [] and result.unchanged == 1
    first = next(iter(result.changes))
    assert (first.before[rf"{EDGE}\AuthServerAllowlist"], first.after[rf"{EDGE}\AuthServerAllowlist"]) == ("a", "a,www1.auth.iij.jp")
    assert (first.before["versionNumber"], first.after["versionNumber"]) == (3, 4)
    # a second time there is nothing to do, and nothing where this exit has changed nothing
    for files, edits in ((FILES, done), (FILES, []), (edited, [])):
        result, _new = back(files, edits)
        assert len(result.changes) == 0 and result.skipped == [] and result.unchanged == 3


def test_what_somebody_else_has_edited_since_stays():
    done = list(planned()[0].changes)
    theirs = {**FILES, r"MACHINE\Registry.pol": registry_pol.pack([sz(EDGE, "AuthServerAllowlist", "theirs")])}
    result, new = back(theirs, done)
    assert [(item.id, item.code) for item in result.skipped] == [(f"{GUID}\\MACHINE\\Registry.pol", "setting_changed")]
    assert len(result.changes) == 0 and f"{GUID}\\MACHINE\\Registry.pol" not in new


def test_a_stopped_way_back_is_gone_on_with():
    result, new = planned()
    edits = list(result.changes)
    edited = {name: new[f"{GUID}\\{name}"] for name in FILES}
    returns = list(back(edited, edits)[0].changes)
    begun = {change.id: change for change in returns}
    assert list(back(edited, edits, 4, 3, begun)[0].changes) == returns
    half = {**edited, r"MACHINE\Registry.pol": POL}
    assert list(back(half, edits, 4, 3, begun)[0].changes) == returns


def test_which_files_are_edited():
    assert registry.scope(r"Machine\Registry.pol") == "machine" and registry.scope(r"USER\Preferences\Registry\REGISTRY.XML") == "user"
    for other in (r"Machine\Registry.pol.bak", r"GPO.cmt", r"Machine\comment.cmtx", r"Machine\x\Registry.pol", r"Other\Registry.pol"):
        assert registry.scope(other) is None


@pytest.mark.parametrize("uid", ["{1}", ""])
def test_copies_of_an_item_change_with_it(uid):
    """Copied as text they share the uid; each has a line of its own in the diff, also where they say the same."""
    part = item(uid, EDGE, "AuthServerAllowlist", "www1.auth.iij.jp")
    described = registry.describe(GUID, rf"Machine\{registry.ITEMS}", "Policy", 2, 2, digest(xml(part, part)))
    result, new = registry.plan([described], HOSTS, {described.id: xml(part, part)}, digest, {})
    (change,) = result.changes
    assert new[described.id] == xml(part, part).replace(b"action='U'", b'action="D"')
    shown = [name for name in change.before if name not in ("versionNumber", "GPT.INI", "sha256")]
    assert len(shown) == 2 and {change.before[name] for name in shown} == {"U"} and {change.after[name] for name in shown} == {"D"}


def test_a_file_that_cannot_be_edited_is_named():
    files = {r"Machine\Registry.pol": registry_pol.pack([]), rf"User\{registry.ITEMS}": b"<!DOCTYPE a><a/>"}
    with pytest.raises(OffboardError) as refused:
        planned(files=files)
    assert refused.value.code == "policy_unreadable"
    assert all(part in refused.value.msg for part in (rf"User\{registry.ITEMS}", GUID, "it has a document type"))
