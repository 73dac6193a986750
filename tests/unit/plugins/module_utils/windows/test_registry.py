# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reg.exe prints, in either language, and how absence is proved."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._windows import reg_query, registry
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Answer

PRINTED = """
HKEY_LOCAL_MACHINE\\SOFTWARE\\A
    (既定)    REG_SZ    (値の設定なし)
    Display Name    REG_SZ    IIJ ID Service Directory Sync
    Inno Setup: App Path    REG_SZ    C:\\Program Files\\x
    Empty    REG_SZ    
    Nothing    REG_NONE
    Size    REG_DWORD    0xd94
    Lines    REG_SZ    first
second    REG
    Notification Packages    REG_MULTI_SZ    rassfm\\0scecli\\0acme

HKEY_LOCAL_MACHINE\\SOFTWARE\\A\\{6F5B1C2A-3D4E-4F60-9A7B-1C2D3E4F5A6B}
    WindowsInstaller    REG_DWORD    0x1
"""  # noqa: W291


def test_parse():
    first, second = reg_query.parse_query(PRINTED)
    assert first.path == r"HKEY_LOCAL_MACHINE\SOFTWARE\A"
    assert first.text("display name") == "IIJ ID Service Directory Sync"
    assert first.text("Inno Setup: App Path") == r"C:\Program Files\x"
    assert first.text("Empty") == first.text("Nothing") == first.text("not there") == ""
    assert first.number("Size") == 0xD94
    assert first.number("Display Name") == first.number("not there") == 0
    assert first.text("Lines") == "first\nsecond    REG"
    assert first.strings("Notification Packages") == ["rassfm", "scecli", "acme"]
    assert first.strings("not there") == []
    assert second.name == "{6F5B1C2A-3D4E-4F60-9A7B-1C2D3E4F5A6B}"
    assert second.number("WindowsInstaller") == 1


@pytest.mark.parametrize("text", ["", "\n\n", "エラー: 指定されたレジストリ キーまたは値が見つかりませんでした。\n"])
def test_parse_of_nothing(text):
    assert reg_query.parse_query(text) == []


class Machine:
    """Answers reg.exe from a table of keys; 1 for everything else, like reg.exe."""

    host = "win"

    def __init__(self, **keys):
        self.keys = keys

    def run(self, *arguments):
        assert arguments[:2] == ("reg.exe", "query")
        text = self.keys.get(arguments[2].upper().replace("\\", "_"))
        return Answer(1, "エラー".encode("cp932"), b"") if text is None else Answer(0, text.encode(), b"")


def test_read_fails_rather_than_give_nothing():
    with pytest.raises(OffboardError) as error:
        registry.read(Machine(), r"HKLM\X")
    assert error.value.code == "registry_unreadable"


def test_absence_needs_the_listing_of_the_parent():
    listed = Machine(HKLM_X="HKEY_LOCAL_MACHINE\\X\n\nHKEY_LOCAL_MACHINE\\X\\B\n", HKLM_X_B="HKEY_LOCAL_MACHINE\\X\\B\n    a    REG_SZ    1\n")
    assert registry.read_if_there(listed, r"HKLM\X\A") == []
    assert registry.read_if_there(listed, r"HKLM\X\b")[0].text("a") == "1"
    with pytest.raises(OffboardError):
        registry.read_if_there(Machine(), r"HKLM\X\A")
    there_but_unreadable = Machine(HKLM_X="HKEY_LOCAL_MACHINE\\X\\B\n")
    with pytest.raises(OffboardError):
        registry.read_if_there(there_but_unreadable, r"HKLM\X\B")


def test_user_hives_are_accounts_only():
    of_a_domain, of_entra = "S-1-5-21-1-2-3-1001", "S-1-12-1-2771420349-1278311459-3926234006-1103849205"
    names = [".DEFAULT", "S-1-5-18", of_a_domain, f"{of_a_domain}_Classes", "S-1-5-80-1-2-3-4-5", of_entra, f"{of_entra}_Classes", "S-1-12-1-"]
    assert list(registry.user_hives(Machine(HKU="".join(f"HKEY_USERS\\{name}\n" for name in names)))) == [of_a_domain, of_entra]


def test_a_profile_that_was_set_aside_is_one():
    """Windows renames the entry of a profile that it could not load; its folder, with certificates and Firefox' databases, is still there."""
    place = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
    sid = "S-1-5-21-1-2-3-1001"
    entries = {
        sid: r"C:\Users\TEMP",
        f"{sid}.bak": r"C:\Users\taro",
        "S-1-5-18": r"C:\Windows\system32\config\systemprofile",
        "S-1-5-80-1-2-3-4-5.bak": r"C:\x",
    }
    text = "".join(f"{place}\\{name}\n    ProfileImagePath    REG_EXPAND_SZ    {path}\n\n" for name, path in entries.items())
    machine = Machine(**{place.replace("HKEY_LOCAL_MACHINE", "HKLM").upper().replace("\\", "_"): text})
    assert registry.profiles(machine) == {sid: r"C:\Users\TEMP", f"{sid}.bak": r"C:\Users\taro"}
    assert registry.of_profile(f"{sid}.bak") == sid
