# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a policy's file mentions hosts or accounts, and where it does not."""

from __future__ import annotations

import codecs

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.browser_hosts import without
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import accounts, mentions, registry_pol

HOSTS = ["auth.iij.jp"]
SID = "S-1-5-21-1-2-3-1105"
RUN = accounts.account(SID, "CN=run", "iij-run", "ad.reiji.example", "REIJI")
EDGE = r"Software\Policies\Microsoft\Edge"
SPNEGO = r"Software\Policies\Mozilla\Firefox\Authentication\SPNEGO"
ZONES = r"Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMapKey"


MAP = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMap"


def u(text):
    return (text + "\0").encode("utf-16-le")


def found(relative, data):
    return mentions.in_file(relative, data, HOSTS, [RUN])


@pytest.mark.parametrize(
    ("record", "hits", "broader"),
    [
        ((EDGE, "AuthServerAllowlist", 1, u("a.example,*.auth.iij.jp")), ["*.auth.iij.jp"], None),
        ((EDGE, "AuthServerAllowlist", 1, u("*.iij.jp, *")), [], ["*.iij.jp", "*"]),
        ((EDGE, "AuthServerAllowlist", 1, u("xauth.iij.jp")), None, None),
        ((EDGE, "HomepageLocation", 1, u("https://portal.iij.jp/*")), None, None),
        ((SPNEGO, "2", 1, u("https://www1.auth.iij.jp")), ["www1.auth.iij.jp"], None),
        ((SPNEGO, "**delvals.", 1, u(" ")), None, None),
        ((ZONES, "https://www1.auth.iij.jp", 1, u("1")), ["www1.auth.iij.jp"], None),
        ((ZONES, "*.iij.jp", 1, u("2")), [], ["*.iij.jp"]),
        ((EDGE, "x", 4, b"\n\0\0\0"), None, None),
        ((EDGE, "x", 1, u(f"for {SID} only")), [SID], None),
        # the site of a key, right to left; one that means more; a longer SID; a text with a byte too many; what deletes
        ((rf"{MAP}\Domains\iij.jp\www1.auth", "https", 4, b"\1\0\0\0"), ["www1.auth.iij.jp"], None),
        ((rf"{MAP}\EscDomains\IIJ.jp\WWW1.auth", "*", 4, b"\2\0\0\0"), ["www1.auth.iij.jp"], None),
        ((rf"{MAP}\Domains\iij.jp", "*", 4, b"\1\0\0\0"), [], ["iij.jp"]),
        ((rf"{MAP}\Domains\iij.jp\www1.auth", "**del.https", 1, u(" ")), None, None),
        ((EDGE, "x", 1, u(f"for {SID}9 only")), None, None),
        ((EDGE, "y", 1, u(f"for {SID} only") + b"x"), [SID], None),
        ((ZONES, "**del.https://www1.auth.iij.jp", 1, u(" ")), None, None),
        ((EDGE, "**DeleteValues", 1, u("www1.auth.iij.jp")), None, None),
    ],
)
def test_records(record, hits, broader):
    told = found(r"Machine\Registry.pol", registry_pol.pack([registry_pol.Record(*record)])).mentions
    assert [item["found"] for item in told] == ([] if hits is None else [hits])
    by_module = hits == ["*.auth.iij.jp"] or hits == ["www1.auth.iij.jp"]
    assert [item["changed_by"] for item in told] == ([] if hits is None else ["group_policy_registry" if by_module else ""])
    if told:
        assert told[0].get("broader") == broader and told[0]["kind"] == "registry" and told[0]["where"] == f"{record[0]}\\{record[1]}"


@pytest.mark.parametrize(
    "record",
    [
        # types that no browser reads; in a list of Firefox a value without a number; a port that is none
        (EDGE, "x", 3, u("www1.auth.iij.jp")),
        (EDGE, "AuthServerAllowlist", 3, b"www1.auth.iij.jp"),
        (SPNEGO, "more", 1, u("www1.auth.iij.jp")),
        (SPNEGO, "", 1, u("www1.auth.iij.jp")),
        (EDGE, "AuthServerAllowlist", 1, u("www1.auth.iij.jp:*")),
    ],
)
def test_records_that_are_left_to_a_person(record):
    """What the module is said to take out it takes out: nothing is announced that is there for ever."""
    record = registry_pol.Record(*record)
    (told,) = found(r"Machine\Registry.pol", registry_pol.pack([record])).mentions
    assert (told["found"], told["changed_by"]) == (["www1.auth.iij.jp"], "")
    assert without([record], HOSTS) == [record]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # what the module takes out
        (f'[Privilege Rights]\r\nSeBatchLogonRight = "*{SID}",S-1-5-32-544', [("right", "SeBatchLogonRight", "group_policy_right")]),
        (f"[Privilege Rights]\r\nSeBatchLogonRight = * {SID}", [("right", "SeBatchLogonRight", "group_policy_right")]),
        (f"[Privilege Rights] ; theirs\r\nSeBatchLogonRight = {SID.lower()}", [("right", "SeBatchLogonRight", "group_policy_right")]),
        ('[Privilege Rights]\r\nSeBatchLogonRight = "REIJI\\iij-run"', [("right", "SeBatchLogonRight", "group_policy_right")]),
        (
            f"[privilege rights]\r\nSeA = *{SID}\r\n[X]\r\n[PRIVILEGE RIGHTS]\r\nSeB = *{SID}",
            [("right", "SeA", "group_policy_right"), ("right", "SeB", "group_policy_right")],
        ),
        # what a person has to
        (f"[Privilege Rights]\r\nSeBatchLogonRight = *S-1-5-32-544,*{SID} ; run user", [("other", "SeBatchLogonRight", "")]),
        (f"[Privilege Rights]\r\nSeBatchLogonRight = *S-1-5-32-544, \\\r\n *{SID}", [("other", f"*{SID}", "")]),
        (f"[Group Membership]\r\n*S-1-5-32-551__Members = *{SID},x", [("other", "*S-1-5-32-551__Members", "")]),
        (r"[Group Membership]" + "\r\n*S-1-5-32-551__Members = x,REIJI\\iij-run", [("other", "*S-1-5-32-551__Members", "")]),
        (r"[Group Membership]" + "\r\nREIJI\\iij-run__Memberof = *S-1-5-32-551", [("other", r"REIJI\iij-run__Memberof", "")]),
        (f'[Registry Keys]\r\n"MACHINE\\X", 2, "D:(A;;KA;;;{SID})"', [("other", f'"MACHINE\\X", 2, "D:(A;;KA;;;{SID})"', "")]),
        # others
        (f"[Privilege Rights]\r\nSeBatchLogonRight = *{SID}9,OTHER\\iij-run", []),
        (f"[Group Membership]\r\n; *{SID}\r\n*S-1-5-32-551__Members = *{SID}9", []),
    ],
)
def test_every_line_of_a_template(lines, expected):
    inside = found(r"MACHINE\Microsoft\Windows NT\SecEdit\GptTmpl.inf", codecs.BOM_UTF16_LE + f"{lines}\r\n".encode("utf-16-le"))
    assert [(item["kind"], item["where"], item["changed_by"]) for item in inside.mentions] == expected
    assert all(item["found"] == [SID] for item in inside.mentions)


def test_a_template():
    text = f"[Registry Values]\r\nMACHINE\\x=1,www1.auth.iij.jp\r\n[Privilege Rights]\r\nSeBatchLogonRight = *{SID},REIJI\\iij-run,*{SID}9\r\n"
    inside = found(r"MACHINE\Microsoft\Windows NT\SecEdit\GptTmpl.inf", codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
    assert [(item["kind"], item["where"], item["value"], item["changed_by"]) for item in inside.mentions] == [
        ("right", "SeBatchLogonRight", f"*{SID}", "group_policy_right"),
        ("right", "SeBatchLogonRight", r"REIJI\iij-run", "group_policy_right"),
        ("other", "MACHINE\\x", "", ""),
    ]
    assert inside.rights == {"SeBatchLogonRight": [f"*{SID}", r"REIJI\iij-run", f"*{SID}9"]}


@pytest.mark.parametrize(
    ("properties", "by"),
    [
        ("action='U' value='1'", "group_policy_registry"),
        ("action='D' value='1'", ""),
    ],
)
def test_which_preference_items_a_module_changes(properties, by):
    key = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMap\Domains\iij.jp\www1.auth"
    xml = f"<RegistrySettings><Registry uid='{{1}}'><Properties hive='HKCU' key='{key}' name='https' {properties}/></Registry></RegistrySettings>".encode()
    (told,) = found(r"User\Preferences\Registry\Registry.xml", xml).mentions
    assert told["changed_by"] == by


def test_preferences_of_every_kind():
    xml = (
        b"<RegistrySettings><Registry uid='{1}' disabled='1'><Properties action='U' hive='HKCU' "
        b"key='Software\\ZoneMap\\Domains\\iij.jp\\www1.auth' name='https' "
        b"value='1'/></Registry></RegistrySettings>"
    )
    (told,) = found(r"User\Preferences\Registry\Registry.xml", xml).mentions
    assert (told["kind"], told["uid"], told["disabled"], told["found"]) == ("preference", "{1}", True, ["www1.auth.iij.jp"])
    inside = found(r"User\Preferences\Shortcuts\Shortcuts.xml", b"<S><Shortcut><P targetPath='https://www1.auth.iij.jp/' cpassword='x'/></Shortcut></S>")
    assert [(item["kind"], item["found"]) for item in inside.mentions] == [("other", ["www1.auth.iij.jp"])] and inside.has_password
    with pytest.raises(OffboardError):
        found(r"User\Preferences\Drives\Drives.xml", b"<!DOCTYPE a><a/>")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp932", "latin-1", "utf-16-le", "utf-16-be"])
def test_scripts_in_any_encoding(encoding):
    (told,) = found(r"User\Scripts\Logon\x.cmd", "start https://WWW1.auth.iij.jp\r\n".encode(encoding)).mentions
    assert (told["kind"], told["found"]) == ("script", ["www1.auth.iij.jp"])
    assert not found(r"User\Scripts\Logon\x.cmd", bytes(range(256))).mentions


def test_what_a_program_holds():
    """Of one text behind the other in it none is a part of the other."""
    program = b"MZ\x90\0other.example\0www1.auth.iij.jp\0example.org\0\xff" + "https://WWW2.auth.iij.jp/".encode("utf-16-le") + b"\0\0\1\2x\0"
    (told,) = found(r"User\Scripts\Logon\x.exe", program).mentions
    assert told["found"] == ["www1.auth.iij.jp", "www2.auth.iij.jp"]


TASK = "<ScheduledTasks><TaskV2><Properties action='U'><Task><Exec><Arguments>{}</Arguments></Exec></Task></Properties></TaskV2></ScheduledTasks>"
ITEM = "<RegistrySettings><Registry uid='{{1}}'>{}</Registry></RegistrySettings>"


def test_an_item_of_several_strings_is_one_mention_which_a_deletion_settles():
    value = (
        "<Properties action='{}' key='x' name='AuthServerAllowlist' value='reiji.auth.iij.jp'><Values><Value>reiji.auth.iij.jp</Value></Values></Properties>"
    )
    for action, by in (("U", "group_policy_registry"), ("D", "")):
        (told,) = found(r"Machine\Preferences\Registry\Registry.xml", ITEM.format(value.format(action)).encode()).mentions
        assert (told["kind"], told["action"], told["changed_by"]) == ("preference", action, by)


@pytest.mark.parametrize(
    ("file", "xml"),
    [
        # a task's command, and a value with several lines, are text between tags
        ("ScheduledTasks", TASK.format("/u https://reiji.auth.iij.jp/x")),
        ("ScheduledTasks", TASK.format("/u https://reiji.auth.iij.&#106;p/x")),
        ("ScheduledTasks", TASK.format("<![CDATA[https://reiji.auth.iij.jp/x]]>")),
        ("Registry", ITEM.format("<Properties action='U' key='x' name='y' type='REG_MULTI_SZ'><Values><Value>reiji.auth.iij.jp</Value></Values></Properties>")),
        ("Registry", ITEM.format(f"<Properties action='U' key='x' name='y' type='REG_BINARY' value='{b'reiji.auth.iij.jp'.hex()}'/>")),
        # Microsoft's own programs write the filters behind the properties
        ("Registry", ITEM.format("<Filters><FilterRunOnce hidden='1'/></Filters><Properties action='U' key='x' name='y' value='reiji.auth.iij.jp'/>")),
    ],
)
def test_wherever_a_preference_says_it(file, xml):
    place = rf"Machine\Preferences\{file}\{file}.xml"
    assert [mention["found"] for mention in found(place, xml.encode()).mentions] == [["reiji.auth.iij.jp"]]
    assert not found(place, xml.replace("iij", "example").replace(b"iij".hex(), b"xyz".hex()).encode()).mentions
