# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The formats of group policy: what is read is written back byte for byte, and an edit changes what it names alone."""

from __future__ import annotations

import codecs
import time

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import browser_hosts as hosts
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import gpt_tmpl, preferences, registry_pol, versions
from hypothesis import given, settings
from hypothesis import strategies as st

NO_NUL = st.text(st.characters(codec=None, exclude_characters="\0"), max_size=12)
RECORDS = st.lists(
    st.builds(registry_pol.Record, NO_NUL, NO_NUL, st.integers(0, 2**32 - 1), st.binary(max_size=20) | st.sampled_from([b"\n\0\0\0", b"]\0", b";\0[\0"])),
    max_size=6,
)


def refused(call, *arguments, **options):
    with pytest.raises(OffboardError) as caught:
        call(*arguments, **options)
    assert caught.value.code == "policy_unreadable"
    return caught.value.msg


# --- Registry.pol ---


@settings(max_examples=200)
@given(RECORDS)
def test_whatever_a_registry_pol_holds_round_trips(records):
    data = registry_pol.pack(records)
    assert registry_pol.parse(data) == records


@settings(max_examples=300)
@given(RECORDS, st.data())
def test_any_bytes_round_trip_or_are_refused(records, draw):
    data = bytearray(registry_pol.pack(records))
    for _unused in range(draw.draw(st.integers(0, 3))):
        at = draw.draw(st.integers(0, len(data) - 1))
        data[at : at + draw.draw(st.integers(0, 4))] = draw.draw(st.binary(max_size=4))
        if not data:
            break
    try:
        found = registry_pol.parse(bytes(data))
    except OffboardError as exc:
        assert exc.code == "policy_unreadable"
    else:
        assert registry_pol.pack(found) == data


def test_a_cut_off_registry_pol_is_refused():
    data = registry_pol.pack([registry_pol.Record("Software\\Policies", "a", 1, "x\0".encode("utf-16-le"))] * 2)
    whole = {8, 8 + (len(data) - 8) // 2, len(data)}
    for end in range(len(data)):
        if end not in whole:
            refused(registry_pol.parse, data[:end])


def test_a_large_registry_pol_takes_no_time_that_grows_with_its_square():
    data = registry_pol.pack([registry_pol.Record("Software\\Policies\\Mozilla", str(number), 4, b"\n\0\0\0") for number in range(20_000)])
    started = time.process_time()
    assert len(registry_pol.parse(data)) == 20_000
    assert time.process_time() - started < 10


def test_the_text_of_a_record():
    assert registry_pol.Record("k", "n", 1, "a,b\0".encode("utf-16-le")).text == "a,b"
    assert registry_pol.Record("k", "n", 4, b"\1\0\0\0").text is None
    assert registry_pol.Record("k", "n", 1, b"abc").text is None


# --- GptTmpl.inf ---

SID = "*S-1-5-21-1-2-3-1105"
INF = (
    '[Unicode]\r\nUnicode=yes\r\n[Version]\r\nsignature="$CHICAGO$"\r\n[Privilege Rights]\r\nSeAuditPrivilege = *S-1-5-20\r\n'
    f"SeBatchLogonRight = {SID},*S-1-5-32-559\r\n; SeBatchLogonRight = comment\r\nSeServiceLogonRight={SID}\r\n[Registry Values]\r\nSeBatchLogonRight = 4,1\r\n"
)


def inf(text: str = INF) -> bytes:
    return codecs.BOM_UTF16_LE + text.encode("utf-16-le", "surrogatepass")


def test_rights_are_those_of_their_section():
    assert gpt_tmpl.rights(inf()) == {"SeAuditPrivilege": ["*S-1-5-20"], "SeBatchLogonRight": [SID, "*S-1-5-32-559"], "SeServiceLogonRight": [SID]}


def test_one_member_goes_and_nothing_else():
    assert gpt_tmpl.without(inf(), "sebatchlogonright", [SID]) == inf(INF.replace(f"= {SID},", "= "))


def test_a_right_that_nobody_is_left_of():
    assert gpt_tmpl.without(inf(), "SeServiceLogonRight", [SID]) == inf(INF.replace(f"SeServiceLogonRight={SID}", "SeServiceLogonRight="))
    assert gpt_tmpl.without(inf(), "SeServiceLogonRight", [SID], undefine=True) == inf(INF.replace(f"SeServiceLogonRight={SID}\r\n", ""))


@pytest.mark.parametrize("right", ["SeBatchLogonRight", "SeServiceLogonRight"])
def test_what_was_taken_out_can_be_put_back(right):
    before = gpt_tmpl.rights(inf())
    gone = gpt_tmpl.without(inf(), right, [SID], undefine=True)
    back = gpt_tmpl.with_members(gone, right, [SID], define=True)
    assert {name: set(members) for name, members in gpt_tmpl.rights(back).items()} == {name: set(members) for name, members in before.items()}
    assert gpt_tmpl.with_members(inf(), "SeDenyBatchLogonRight", [SID]) == inf()


@pytest.mark.parametrize("text", ["[Unicode]\r\nUnicode=yes", "[Unicode]\r\nUnicode=yes\r\n", "[Privilege Rights]", ""])
def test_a_right_is_defined_in_a_file_without_any(text):
    data = gpt_tmpl.with_members(inf(text), "SeBatchLogonRight", [SID], define=True)
    assert gpt_tmpl.rights(data) == {"SeBatchLogonRight": [SID]} and data.startswith(inf(text))


@pytest.mark.parametrize(
    "data", [b"", INF.encode(), codecs.BOM_UTF16_BE + INF.encode("utf-16-be"), inf() + b"x", inf(INF + f"[privilege rights]\r\nSEBATCHLOGONRIGHT = {SID}\r\n")]
)
def test_an_inf_that_cannot_be_meant(data):
    refused(gpt_tmpl.rights, data)
    refused(gpt_tmpl.without, data, "SeBatchLogonRight", [SID])


@pytest.mark.parametrize("more", [" ; the run user", f";{SID}", ",\\\r\n *S-1-5-32-544", "\\"])
def test_a_right_whose_line_says_more_is_not_edited(more):
    """Who is left in it nobody could say: `SeBatchLogonRight = ;note` is a right of nobody."""
    data = inf(INF.replace(f"SeBatchLogonRight = {SID},*S-1-5-32-559", f"SeBatchLogonRight = {SID}{more}"))
    assert "SeBatchLogonRight" in refused(gpt_tmpl.without, data, "SeBatchLogonRight", [SID])
    assert "SeBatchLogonRight" in refused(gpt_tmpl.with_members, data, "SeBatchLogonRight", ["*S-1-5-32-1"])
    assert gpt_tmpl.without(data, "SeServiceLogonRight", [SID]) != data


def test_what_stands_behind_the_name_of_a_section_is_passed_over():
    data = inf(f"[Privilege Rights] x\r\nSeBatchLogonRight = {SID}\r\n[Group Membership] y\r\n*S-1-5-32-544__Members = {SID}\r\n")
    assert gpt_tmpl.rights(data) == {"SeBatchLogonRight": [SID]}


LINES = st.lists(
    st.sampled_from([*INF.splitlines(keepends=True), "\n", "\u2028\r\n", "\x0b", "\ud800", "x", "=\r\n", "[Privilege Rights]\n", "[a"]), max_size=12
)


@settings(max_examples=300)
@given(LINES)
def test_an_edit_of_any_inf_touches_that_right_alone(lines):
    data = inf("".join(lines))
    try:
        before = gpt_tmpl.rights(data)
    except OffboardError as exc:
        assert exc.code == "policy_unreadable"
        return
    after = gpt_tmpl.without(data, "SeBatchLogonRight", [SID])
    assert gpt_tmpl.rights(after) == {name: [m for m in members if (name, m) != ("SeBatchLogonRight", SID)] for name, members in before.items()}
    if before.get("SeBatchLogonRight", []).count(SID) == 0:
        assert after == data


# --- preferences ---

ITEM = (
    '<Registry clsid="{{9CD4}}" name="https" changed="2019-04-01 00:00:00" uid="{uid}"{more}><Properties action="U" hive="HKEY_CURRENT_USER" '
    'key=\'Software\\ZoneMap\\Domains\\iij.jp\\www1.auth\' name="a &gt; b > action=\'U\'" type="REG_DWORD" value="00000001"/></Registry>'
)
XML = (
    '\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<RegistrySettings clsid="{A3}"><Collection name="社内"><!-- <Registry> -->'
    + ITEM.format(uid="{1}", more="")
    + "</Collection>"
    + ITEM.format(uid="{2}", more=' removePolicy="1"')
    + "</RegistrySettings>\r\n"
).encode()


def of(data: bytes, uid: str) -> list[preferences.Item]:
    return [item for item in preferences.registry_items(preferences.elements(data)) if item.uid == uid]


def test_items_of_nested_collections():
    items = preferences.registry_items(preferences.elements(XML))
    assert [(item.uid, item.action, item.remove_policy, item.key[-9:]) for item in items] == [("{1}", "U", False, "www1.auth"), ("{2}", "U", True, "www1.auth")]


def test_an_item_becomes_one_that_deletes_and_nothing_else_changes():
    after = preferences.deleting(XML, of(XML, "{1}"))
    first, second = XML.split(b"</Collection>")
    assert after == first.replace(b'action="U"', b'action="D"') + b"</Collection>" + second
    assert preferences.deleting(after, of(after, "{1}")) == after
    without = XML.replace(b'<Properties action="U" ', b"<Properties ")
    assert b'value="00000001" action="D"/>' in preferences.deleting(without, of(without, "{1}"))


@pytest.mark.parametrize("uid", ["{1}", ""])
def test_of_items_that_share_a_uid_the_one_that_is_meant_changes(uid):
    data = XML.replace(b"{1}", uid.encode()).replace(b"{2}", uid.encode())
    first, second = preferences.registry_items(preferences.elements(data))
    begin, end = data.split(b"</Collection>")
    assert preferences.deleting(data, [second]) == begin + b"</Collection>" + end.replace(b'action="U"', b'action="D"')
    assert preferences.deleting(data, [second, first]) == preferences.deleting(data, [first, second]) == data.replace(b'action="U"', b'action="D"')


LAUGHS = b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<a>", b"<a></b>", LAUGHS, b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', b'<?xml version="1.0" encoding="utf-16"?><a/>', XML[:-30],
        "<a/>".encode("utf-16"), XML.decode().partition("?>")[2].encode("utf-16-le"), XML.decode().partition("?>")[2].encode("utf-16-be"),
        b'<?xml version="1.0" encoding="iso-8859-1"?><a/>', b"<a>" * 100_000, b"<a b='x" * 3,
        b"<a>" + b"<b/>" * 100_000 + b"</a>",
    ],
    ids=range(14),
)  # fmt: skip
def test_hostile_xml_is_refused(data):
    refused(preferences.elements, data)


def test_a_password_is_seen():
    assert not preferences.has_password(preferences.elements(XML))
    assert preferences.has_password(preferences.elements(b'<Drives><Drive><Properties cPassword="j1Uyj3Vx"/></Drive></Drives>'))
    assert not preferences.has_password(preferences.elements(b'<Drives><Drive><Properties cpassword=""/></Drive></Drives>'))


# --- versions ---


@pytest.mark.parametrize(
    ("version", "scope", "expected"),
    [(0, "machine", 1), (0, "user", 65536), (3 << 16 | 2, "machine", 3 << 16 | 3), (0xFFFF, "machine", 1), (0xFFFF0005, "user", 1 << 16 | 5)],
)
def test_a_change_counts_on_its_side(version, scope, expected):
    assert versions.bumped(version, scope) == expected


def test_the_directory_counts_with_a_sign():
    assert versions.unsigned(-65536) == 0xFFFF0000 and versions.signed(0xFFFF0000) == -65536 and versions.signed(5) == 5


@pytest.mark.parametrize(
    "text",
    [
        b";Version=7\r\n[other]\r\na=b\r\n [GENERAL] \r\nx=y\r\nVersion=5\r\n[Last]\r\nVersions=7\r\n",
        b"[General]\r\nVersion=5\r\n",
        b"[General]\r\nversion = 5\r\ndisplayName=Neues\r\n",
        b"[General]\nVersion=5",
    ],
)
def test_the_version_of_a_gpt_ini(text):
    assert versions.of_ini(text) == 5
    assert versions.in_ini(text, 65541) == text.replace(b"5", b"65541")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[General]\r\n",
        b"Version=1\r\nVersion=2",
        b"Version=x",
        b"Version=99999999999",
        b"Version=4294967296",
        # Windows reads it in its section alone
        b"Version=5\r\n",
        b"[Other]\r\nVersion=5\r\n",
        b"Version=5\r\n[General]\r\n",
        b"[General]\r\n[Other]\r\nVersion=5\r\n",
        "[General]\r\nVersion=5\r\n".encode("utf-16"),
        b"\xef\xbb\xbf[General]\r\nVersion=5\r\n",
        b"[General]\r\nVersion=-5\r\n",
    ],
)
def test_a_gpt_ini_without_one_version(text):
    refused(versions.of_ini, text)


# --- hosts ---


@pytest.mark.parametrize(
    ("entry", "within", "broader"),
    [
        ("*.auth.iij.jp", True, False), ("*auth.iij.jp", True, False), ("https://reiji.iwa.auth.iij.jp", True, False), ("WWW1.auth.iij.jp:443", True, False),
        ("auth.iij.jp.", True, False), (" auth.iij.jp/path ", True, False), ("iij.jp", False, True), ("*iij.jp", False, True), ("xauth.iij.jp", False, False),
        ("*", False, True), ("", False, False), ("auth.iij.jp.evil.example", False, False), ("*.ad.reiji.example", False, False),
        ("https://x@www1.auth.iij.jp", True, False), (".auth.iij.jp", True, False), ("ｗｗｗ１．ａｕｔｈ．ｉｉｊ．ｊｐ", True, False),
        ("www?.auth.iij.jp", True, False), ("*://*.auth.iij.jp", True, False), ("*://www1.auth.iij.jp:443", True, False), ("*://*.iij.jp", False, True),
        ("notiij.jp", False, False), ("https://*", False, True), ("http://*:8080/", False, True), ("*://*.iij.jp/*", False, True), ("au*.iij.jp", False, True),
        ("*.*.iij.jp", False, True), ("login*.iij.jp", False, False), ("[::1]", False, False), ("10.0.0.1-20", False, False), ("*" * 99 + "x", False, False),
        # several in one text, of which the browser makes what it likes
        ("a;www1.auth.iij.jp", False, True), ("a.example,www1.auth.iij.jp", False, True), ("a.example www1.auth.iij.jp", False, True),
        ("auth.iij.jp:*", False, True), ("http*://auth.iij.jp", False, True), ("(auth.iij.jp)", False, True), ("https:auth.iij.jp", False, True),
        ("a.example\0www1.auth.iij.jp", False, True), ("\"auth.iij.jp\"", False, True), ("[*.]auth.iij.jp", False, True),
    ],
)  # fmt: skip
def test_which_host_an_entry_means(entry, within, broader):
    assert hosts.is_within(entry, ["auth.iij.jp"]) is within
    assert hosts.is_broader(entry, ["auth.iij.jp"]) is broader


def test_hosts_in_any_text():
    text = "start https://WWW1.auth.iij.jp/x, *auth.iij.jp xauth.iij.jp auth.iij.jp.example iij.jp *.iwa.auth.iij.jp. ['.auth.iij.jp']"
    assert hosts.mentioned(text, ["auth.iij.jp"]) == ["www1.auth.iij.jp", "*auth.iij.jp", "*.iwa.auth.iij.jp", ".auth.iij.jp"]
    assert hosts.mentioned(text, []) == []
    assert hosts.mentioned("a*auth.iij.jp **auth.iij.jp evil-auth.iij.jp", ["auth.iij.jp"]) == ["a*auth.iij.jp", "**auth.iij.jp"]


@pytest.mark.parametrize("filling", ["*", "_", "*.", "_a", "*a.", ".", "-"])
def test_a_text_without_end_takes_no_time(filling):
    started = time.process_time()
    assert hosts.mentioned(filling * 200_000, ["auth.iij.jp"]) == []
    assert not hosts.is_broader(filling * 200_000 + "x", ["auth.iij.jp"])
    assert hosts.mentioned(filling * 200_000 + " auth.iij.jp", ["auth.iij.jp"]) == ["auth.iij.jp"]
    assert time.process_time() - started < 5


@pytest.mark.parametrize("host", ["*", "jp", "*.iij.jp", "a b.c", ""])
def test_what_is_no_host(host):
    with pytest.raises(OffboardError) as caught:
        hosts.checked([host])
    assert caught.value.code == "bad_option"
