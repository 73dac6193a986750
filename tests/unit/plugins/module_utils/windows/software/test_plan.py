# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which product is meant, how it is uninstalled, and what exit codes mean."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import AmbiguousMatch, OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Answer
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.reg_query import Key, parse_query
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.software import plan as software
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.software import resource as software_resource
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.software.options import Options
from dev.options import given

GUID = "{6F5B1C2A-3D4E-4F60-9A7B-1C2D3E4F5A6B}"
PATCH = "{0A1B2C3D-3D4E-4F60-9A7B-1C2D3E4F5A6B}"
ROOT = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"


def key(name="X", **values):
    return Key(rf"{ROOT}\{name}", {name: ("REG_DWORD" if str(data).startswith("0x") else "REG_SZ", data) for name, data in values.items()})


def product(name="Agent", publisher="IIJ", code="Agent_is1", scope="machine64", **more):
    fields = {"version": "1", "installer": "inno", "install_location": "", "uninstall_string": r'"C:\p\unins000.exe"', "quiet_uninstall_string": ""}
    return software.Product(key=code, scope=scope, name=name, publisher=publisher, product_code=code, **(fields | more))


@pytest.mark.parametrize(
    ("found", "installer"),
    [
        (key(GUID, WindowsInstaller="0x1", UninstallString=f"MsiExec.exe /I{GUID}"), "msi"),
        (key(GUID, UninstallString=f"MsiExec.exe /X{GUID}"), "msi"),
        (key("Suite", UninstallString=rf'"C:\Windows\System32\msiexec.exe" /X {GUID}'), "msi"),
        (key("Suite", UninstallString=rf"%SystemRoot%\System32\msiexec.exe /X{GUID}"), "msi"),
        (key(GUID, UninstallString=rf'"%windir%\SysWOW64\msiexec.exe" /X{GUID}'), "msi"),
        (key(GUID, QuietUninstallString=f"MsiExec.exe /X{GUID} /qn"), "msi"),
        (key("Suite", UninstallString="", QuietUninstallString=f"MsiExec.exe /X{GUID} /qn"), "msi"),
        (key("Agent", UninstallString=r'MsiExec.exe /x "C:\a b\agent.msi"'), "other"),
        (key("Agent", UninstallString=rf"MsiExec.exe /x C:\a\agent.msi TRANSFORMS=:{GUID}"), "other"),
        (key("Agent", UninstallString=f"MsiExec.exe /X{GUID}", QuietUninstallString=f"MsiExec.exe /X{PATCH} /qn"), "other"),
        (key("Agent", WindowsInstaller="0x1"), "other"),
        (key("Other", UninstallString=r"C:\A\msiexecwrapper.exe /u"), "other"),
        (key("Other", UninstallString=f"msiexecwrapper.exe /u /x {GUID}"), "other"),
        (key("Notes", UninstallString=r'"C:\p\uninstall.exe"', QuietUninstallString=r'"%ProgramFiles%\msiexecs\uninstall.exe" /S'), "nsis"),
        (key("IIJ ID Service Directory Sync_is1", QuietUninstallString=r'"C:\p\unins000.exe" /SILENT'), "inno"),
        (key("Sync", **{"Inno Setup: App Path": r"C:\p"}), "inno"),
        (key("Notes", QuietUninstallString=r'"C:\p\uninstall.exe" /S'), "nsis"),
        (key("Notes", QuietUninstallString=r'"C:\p\uninstall.exe /S"'), "nsis"),
        (key("Notes", QuietUninstallString=r'"C:\p\uninstall.exe" /SOMETHING'), "other"),
        (key("Other", UninstallString=r"C:\p\remove.exe"), "other"),
        (key("Other", UninstallString=r"C:\msiexecutor\remove.exe"), "other"),
    ],
)
def test_installer(found, installer):
    assert software.installer_of(found) == installer


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (f"{GUID}.KB2656351", {"UninstallString": rf"C:\Windows\SysWOW64\msiexec.exe /package {GUID} /uninstall {PATCH} /qb+"}),
        (f"{GUID}.KB2656351", {"UninstallString": f"msiexec.exe /X{GUID}"}),
        (f"{GUID}.KB2656351", {"WindowsInstaller": "0x1"}),
        ("KB2656351", {"QuietUninstallString": f"MsiExec.exe /uninstall {PATCH} /package {GUID} /qn"}),
        ("KB2656351", {"UninstallString": f"MsiExec.exe /i{GUID} /x{PATCH}"}),
        ("KB2656351", {"UninstallString": f"MsiExec.exe /I {GUID} MSIPATCHREMOVE={PATCH} /qb"}),
        ("Feature", {"UninstallString": f"MsiExec.exe /I {GUID} REMOVE=Plugin"}),
    ],
)
def test_a_patch_is_not_its_product(name, values):
    """Windows Installer would remove the whole product, https://learn.microsoft.com/windows/win32/msi/command-line-options."""
    patch = software.product_of(key(name, DisplayName="Update (KB2656351)", Publisher="M", **values), "machine64")
    assert (patch.product_code, patch.installer) == (name, "other")
    made, plan = resource([patch], {"name": "Update (KB2656351)", "publisher": "M"})
    (refusal,) = made.guard(plan)
    assert refusal.rule == "unknown_installer"
    if "UninstallString" in values:
        assert "would remove all of that product" in refusal.msg
    agent = software.product_of(key(GUID, WindowsInstaller="0x1", DisplayName="Product", Publisher="M"), "machine64")
    made, plan = resource([patch, agent], {"product_code": GUID})
    assert [change.name for change in plan.changes] == ["Product"] and list(made.guard(plan)) == []


@pytest.mark.parametrize(
    ("name", "line", "host"),
    [
        ("A", r'cmd.exe /c "C:\Program Files\A\uninst.exe" /S', "cmd.exe"),
        ("A", r'%ComSpec% /c "C:\A\uninst.exe" /S', "%ComSpec%"),
        ("A", r"%SystemRoot%\System32\cmd.exe /c C:\A\uninst.exe /S", "cmd.exe"),
        ("A", r"rundll32.exe setupapi.dll,InstallHinfSection Uninstall 132 C:\A\a.inf /S", "rundll32.exe"),
        ("A", r"RunDll32 C:\A\a.dll,Remove /S", "RunDll32.exe"),
        ("A", r'wscript.exe "C:\A\u.vbs" /S', "wscript.exe"),
        ("A", r'"C:\Windows\System32\cscript.exe" //B C:\A\u.vbs /S', "cscript.exe"),
        ("A", r"powershell -File C:\A\u.ps1 /S", "powershell.exe"),
        ("A", r'"C:\Program Files\PowerShell\7\pwsh.exe" -File C:\A\u.ps1 /S', "pwsh.exe"),
        ("A", r"mshta C:\A\u.hta /S", "mshta.exe"),
        ("A", r'"C:\A\helper.exe" "C:\A\uninst.exe" /S', "helper.exe"),
        ("A", r'"C:\Java\javaw.exe" -jar C:\A\u.jar /S', "javaw.exe"),
        ("A_is1", r'cmd.exe /c "C:\A\unins000.exe" /VERYSILENT', "cmd.exe"),
    ],
)
@pytest.mark.parametrize("value", ["QuietUninstallString", "UninstallString"])
def test_a_program_that_only_starts_the_uninstaller_is_not_given_its_switches(name, line, host, value):
    hosted = software.product_of(key(name, **{value: line}), "machine64")
    assert hosted.installer == "other"
    made, plan = resource([hosted], {"product_code": name})
    (refusal,) = made.guard(plan)
    assert refusal.rule == "unknown_installer" and f"{host} only starts what uninstalls it" in refusal.msg
    extra = ["/c", r"C:\Program Files\A\uninst.exe", "/S"]
    program, *arguments = software.uninstall_command(hosted, extra, "")
    assert (program.rpartition("\\")[2], arguments) == (host, extra)


def test_a_product_that_removes_all_of_its_features_is_none():
    assert software.installer_of(key("Suite", UninstallString=f"MsiExec.exe /I {GUID} REMOVE=ALL")) == "msi"


def test_products_of_a_query_printed_by_a_japanese_windows():
    printed = f"""
{ROOT}
    (既定)    REG_SZ    (値の設定なし)

{ROOT}\\{GUID}
    DisplayName    REG_SZ    在庫管理 エージェント
    Publisher    REG_SZ    株式会社インターネットイニシアティブ
    DisplayVersion    REG_SZ    2.10.3
    WindowsInstaller    REG_DWORD    0x1
    UninstallString    REG_SZ    MsiExec.exe /I{GUID}

{ROOT}\\Suite
    DisplayName    REG_SZ    Suite
    UninstallString    REG_SZ    msiexec /x {GUID.lower()}

{ROOT}\\Suite\\Part
    DisplayName    REG_SZ    not a product of its own

{ROOT}\\DirectDrawEx
    NoRemove    REG_DWORD    0x1
"""
    first, second = software.products_of(parse_query(printed), "machine32")
    assert first.described() == {
        "product_code": GUID, "scope": "machine32", "name": "在庫管理 エージェント", "publisher": "株式会社インターネットイニシアティブ", "version": "2.10.3",
    }  # fmt: skip
    assert (second.key, second.product_code, second.installer) == ("Suite", GUID.lower(), "msi")
    assert first.id("win") == f"win/machine32/{GUID}"


AGENT, TWIN, ALIKE = product(), product(scope="machine32"), product(publisher="IIJ Inc.", code="Alike")


@pytest.mark.parametrize(
    ("there", "wanted", "found"),
    [
        ([AGENT, ALIKE], {"name": "Agent", "publisher": "IIJ"}, AGENT),
        ([AGENT, ALIKE], {"name": "Agent", "publisher": "IIJ Inc."}, ALIKE),
        ([AGENT, ALIKE], {"product_code": "agent_IS1"}, AGENT),
        ([AGENT], {"product_code": GUID}, None),
        ([AGENT], {"name": "Agents", "publisher": "IIJ"}, None),
        ([], {"name": "Agent", "publisher": "IIJ"}, None),
        ([product(name="S", code=GUID)], {"product_code": GUID.lower()}, product(name="S", code=GUID)),
    ],
)
def test_select(there, wanted, found):
    assert software.select(there, wanted) == found


@pytest.mark.parametrize(("there", "wanted"), [([AGENT, TWIN], {"name": "Agent", "publisher": "IIJ"}), ([AGENT, TWIN], {"product_code": "Agent_is1"})])
def test_select_never_takes_the_first(there, wanted):
    with pytest.raises(AmbiguousMatch) as error:
        software.select(there, wanted)
    assert [item["scope"] for item in error.value.details["candidates"]] == ["machine64", "machine32"]


@pytest.mark.parametrize("wanted", [{"name": "Agent", "publisher": "IIJ Ltd."}, {"name": "agent", "publisher": "IIJ"}])
def test_a_near_miss_is_not_taken_for_absent(wanted):
    with pytest.raises(OffboardError) as error:
        software.select([AGENT], wanted)
    assert error.value.code == "not_exact"
    assert "Agent_is1" in error.value.msg


@pytest.mark.parametrize(
    "name",
    [
        "Agent ", " Agent", "Agent\u3164", "Agent\uffa0Service", "Agent\u2800Service", "Agent\u3000Service",
        "Agent\xa0Service", "Agent  Service", "Agent\u2122 Service", "Agent\xae Service", "Agent(R) Service",
        "Agent Service 2.1.0", "Agent Service v2", "Agent Service (x64)", "Agent Service version 2.1 (64-bit)", "Agent Service 2.1.0 (64 ビット)",
        "Ａｇｅｎｔ Service", "Agent\u200b Service", "Agent-Service", "agent service",
        "Agent \u2013 Service", "Agent \u30fc Service", "Agent\u2212Service", "Agent: Service", '"Agent Service"', "Agent/Service", "Agent\u30fbService",
    ],
)  # fmt: skip
def test_a_name_that_is_registered_otherwise_is_not_taken_for_absent(name):
    wanted = "Agent" if "ervice" not in name else "Agent Service"
    for there, meant in ((name, wanted), (wanted, name)):
        with pytest.raises(OffboardError) as error:
            software.select([product(name=there)], {"name": meant, "publisher": "IIJ"})
        assert error.value.code == "not_exact"
        assert [item["product_code"] for item in error.value.details["candidates"]] == ["Agent_is1"]


#: By the version and the like alone, whoever its publisher is.
VERSIONS = [
    "x64", "64-bit", "x86_64", "ARM64", "(arm64)", "(AMD64)", "1.2.3 build 45", "Version 1.2.3 Build 5", "1.2.3-beta1", "1.2.3+build5", "ver1.2 beta", "[1.2]",
]  # fmt: skip
EDITIONS = [
    "R2", "2024 Update 1", "第2版", "1.2.3 (x64 en-US)", "1.2.3 - ja", "- ja-JP", "(64-bit) 日本語版", "（日本語版）", "(Japanese)", "(User)", "(remove only)",
    "Tools", "Service Pack",
]  # fmt: skip


@pytest.mark.parametrize("tail", [*VERSIONS, *EDITIONS])
def test_another_release_or_edition_is_not_taken_for_absent(tail):
    name, wanted = f"IIJ ID Agent {tail}", "IIJ ID Agent"
    for publisher in ("IIJ", "Another") if tail in VERSIONS else ("IIJ",):
        for there, meant in ((name, wanted), (wanted, name), (name, f"{wanted} 1.1")):
            with pytest.raises(OffboardError) as error:
                software.select([product(name=there, publisher=publisher)], {"name": meant, "publisher": "IIJ"})
            assert error.value.code == "not_exact"
            assert [item["name"] for item in error.value.details["candidates"]] == [there]
    exact = product(name=wanted)
    assert software.select([product(name=name, code="other"), exact], {"name": wanted, "publisher": "IIJ"}) == exact


@pytest.mark.parametrize("tail", ["第2版", "第 2 版", "バージョン2", "バージョン 2.1", "Ver2.0", "Ver.2", "V3", "2.0", "２．０", "日本語版", "サーバー用", "2"])
def test_a_release_glued_to_the_name_is_not_taken_for_absent(tail):
    for there, meant in ((f"IIJ ID Agent{tail}", "IIJ ID Agent"), ("IIJ ID Agent", f"IIJ ID Agent{tail}"), (f"IIJ 同期{tail}", "IIJ 同期")):
        if there.startswith("IIJ 同期") and tail in ("日本語版", "サーバー用"):
            continue  # no letter says where the word has ended
        with pytest.raises(OffboardError) as error:
            software.select([product(name=there)], {"name": meant, "publisher": "IIJ"})
        assert error.value.code == "not_exact"


@pytest.mark.parametrize(
    "name",
    ["v2", "R2", "x64", "X86", "Rel2", "llJ ID Directory Sync", "lIJ 1D Directory Sync", "株式会社IIJ IIJ ID Directory Sync", "Directory Sync",
     "2.1 IIJ ID Directory Sync", "Uninstall IIJ ID Directory Sync"],
)  # fmt: skip
def test_a_glued_release_a_name_before_it_and_what_is_drawn_alike_are_not_taken_for_absent(name):
    wanted = "IIJ ID Directory Sync"
    there = name if " " in name else f"{wanted}{name}"
    for one, meant in ((there, wanted), (wanted, there)):
        with pytest.raises(OffboardError) as error:
            software.select([product(name=one)], {"name": meant, "publisher": "IIJ"})
        assert error.value.code == "not_exact"
    if there.endswith("Sync") and there[:1] != "l":
        assert software.select([product(name=there, publisher="Another")], {"name": wanted, "publisher": "IIJ"}) is None


@pytest.mark.parametrize(
    "tail", ["1.2.3 (x64 en-US)", "1.2.3 - ja", "v3 日本語版", "バージョン 3（日本語版）", "ver. 2 Professional", "2_1 for Windows", "第2版 更新"]
)
def test_a_release_with_more_in_its_name_is_the_product_under_any_publisher(tail):
    for publisher in ("株式会社インターネットイニシアティブ", "", "Another"):
        with pytest.raises(OffboardError) as error:
            software.select([product(name=f"IIJ ID Agent {tail}", publisher=publisher)], {"name": "IIJ ID Agent", "publisher": "IIJ"})
        assert error.value.code == "not_exact"


@pytest.mark.parametrize("version", ["v4", "v6", "v6 Tools"])
def test_a_protocol_is_no_release(version):
    for there, meant in ((f"Foo IP{version}", "Foo IP"), ("Foo IP", f"Foo IP{version}")):
        assert software.select([product(name=there)], {"name": meant, "publisher": "IIJ"}) is None
    with pytest.raises(OffboardError):
        software.select([product(name="Foo IPv6 2.0")], {"name": "Foo IPv6", "publisher": "IIJ"})


@pytest.mark.parametrize("name", ["IIJ ID \u0410gent", "\u0406\u0406J ID Agent", "IIJ ID \u0391gent", "IIJ ID Ag\u0435nt", "IIJ ID Agent \u044564"])
def test_letters_that_look_alike_are_not_taken_for_others(name):
    with pytest.raises(OffboardError) as error:
        software.select([product(name=name)], {"name": "IIJ ID Agent", "publisher": "IIJ"})
    assert error.value.code == "not_exact"


@pytest.mark.parametrize("name", ["Agent Tools", "Agent Service Pack", "Agent 365 Tools", "Agent 2 Go", "Agent365", "Agent版"])
def test_another_product_of_another_publisher_is_none_with_more_in_its_name(name):
    assert software.select([product(name=name, publisher="Another")], {"name": "Agent", "publisher": "IIJ"}) is None


@pytest.mark.parametrize("name", ["Agents", "The Agent", "2", "Agent+", "Agentur (Japanese)"])
def test_another_product_is_not_taken_for_a_misspelt_one(name):
    assert software.select([product(name=name)], {"name": "Agent", "publisher": "IIJ"}) is None


@pytest.mark.parametrize(
    ("typed", "near"),
    [("Pasword Sync", True), ("Passwodr Sync", True), ("Passwort Sync", True), ("Password Sink", False), ("Directory Sync", False), ("Passports Sync", False)],
)
def test_a_spelling_mistake_is_not_taken_for_absent(typed, near):
    there = [product(name="IIJ Password Sync 2.0")]
    wanted = {"name": f"IIJ {typed}", "publisher": "IIJ"}
    if near:
        with pytest.raises(OffboardError) as error:
            software.select(there, wanted)
        assert error.value.code == "not_exact"
    else:
        assert software.select(there, wanted) is None


@pytest.mark.parametrize("name", [GUID, GUID[1:-1], "\u200e" + GUID])
def test_a_product_code_given_as_name_is_not_taken_for_absent(name):
    with pytest.raises(OffboardError) as error:
        software.select([product(code=GUID)], {"name": name, "publisher": "IIJ"})
    assert error.value.code == "not_exact"


CODES = [
    "\u200e" + GUID,
    GUID + "\u200b",
    f"\uff08{GUID[1:-1]}\uff09",
    f"\uff5b{GUID[1:-1]}\uff5d",
    GUID.replace("-", ""),
    f'"{GUID}"',
    f"urn:uuid:{GUID[1:-1]}",
    f"{GUID};",
]


@pytest.mark.parametrize("code", [*CODES, GUID[1:-1], f" {GUID} ", GUID[1:-1].lower()])
def test_a_product_code_is_one_however_it_was_pasted(code):
    """As for preflight, which would let through what the stage stops at."""
    meant = product(code=GUID)
    if code.endswith(";"):  # no product code: near enough not to be taken for absent
        with pytest.raises(OffboardError) as error:
            software.select([meant], {"product_code": code})
        assert error.value.code == "not_exact"
    else:
        assert software.select([meant], {"product_code": code}) == meant


@pytest.mark.parametrize(
    ("wanted", "gone"),
    [
        ({"name": "Agent", "publisher": "IIJ"}, True),
        ({"name": "Agent", "publisher": "IIJ Ltd."}, False),
        ({"name": "agent", "publisher": "IIJ"}, False),
        ({"product_code": "agent_IS1"}, True),
        ({"product_code": "Agent"}, False),
    ],
)
def test_what_was_removed_is_known_by_its_whole_name(wanted, gone):
    assert software.was_removed({"product_code": "", "name": "", "publisher": "", **wanted}, [product(name="Other").described(), AGENT.described()][1:]) is gone


OWN = product(scope="user:S-1-5-21-1-2-3-1001")


@pytest.mark.parametrize("wanted", [{"name": "Agent", "publisher": "IIJ"}, {"product_code": "Agent_is1"}])
def test_an_accounts_own_entry_keeps_nothing_from_being_uninstalled(wanted):
    made, plan = resource([OWN, AGENT], wanted)
    assert [change.id for change in plan.changes] == ["win/machine64/Agent_is1"]
    assert list(made.guard(plan)) == []
    assert [item.code for item in plan.skipped] == ["per_user"] and "S-1-5-21-1-2-3-1001" in plan.warnings[0]
    assert sorted(item["status"] for item in made.facts(plan)["results"]) == ["per_user", "planned"]


@pytest.mark.parametrize("wanted", [{"name": "Agent", "publisher": "IIJ"}, {"product_code": "Agent_is1"}])
@pytest.mark.parametrize("name", ["Agent", "Agent 2"])
def test_what_only_accounts_have_is_told_and_keeps_nothing_else_from_being_uninstalled(wanted, name):
    theirs = [product(name=name, scope=f"user:S-1-5-21-1-2-3-100{number}") for number in (1, 2)]
    other = product(name="Other", code="Other_is1")
    made, plan = resource([*theirs, other], wanted, {"name": "Other", "publisher": "IIJ"})
    assert [change.name for change in plan.changes] == ["Other"] and list(made.guard(plan)) == []
    seen = name == "Agent" or "product_code" in wanted
    assert [item.code for item in plan.skipped] == (["per_user"] * 2 if seen else []) and len(plan.warnings) == len(plan.skipped)


def test_an_accounts_own_entry_does_not_hide_that_the_machines_name_is_spelt_otherwise():
    with pytest.raises(OffboardError) as error:
        resource([OWN, product(name="Agent 2.1", code="Agent_IS1")], {"name": "Agent", "publisher": "IIJ"})
    assert error.value.code == "not_exact"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (r'"C:\Program Files\x\unins000.exe" /SILENT', (r"C:\Program Files\x\unins000.exe", "/SILENT")),
        (r'"C:\Program Files\x\unins000.exe"', (r"C:\Program Files\x\unins000.exe", "")),
        (r"C:\Program Files\x\uninst.exe /S /D", (r"C:\Program Files\x\uninst.exe", "/S /D")),
        (r"C:\Program Files\a.exe files\uninst.EXE", (r"C:\Program Files\a.exe", r"files\uninst.EXE")),
        (r"C:\x\remove.cmd", (r"C:\x\remove.cmd", "")),
        (r'"C:\Program Files\x\unins000.exe /SILENT"', (r"C:\Program Files\x\unins000.exe", "/SILENT")),
        (r'"C:\Program Files\x\unins000.exe /S /D=C:\y.exe" -q', (r"C:\Program Files\x\unins000.exe", r"/S /D=C:\y.exe -q")),
        (r'"C:\a.exe files\unins000.exe" /SILENT', (r"C:\a.exe files\unins000.exe", "/SILENT")),
        ("", ("", "")),
        ("something", ("", "")),
        (r"RunDll32 C:\a.dll,F C:\setup.exe -l", ("RunDll32.exe", r"C:\a.dll,F C:\setup.exe -l")),
        (f"msiexec /x {GUID}", ("msiexec.exe", f"/x {GUID}")),
        (r"C:\cmder\uninst.exe /S", (r"C:\cmder\uninst.exe", "/S")),
        (r'"C:\a b\unins000.exe', (r"C:\a b\unins000.exe", "")),  # not closed
        (r'"C:\a b\unins000.exe /SILENT', (r"C:\a b\unins000.exe", "/SILENT")),
    ],
)
def test_split_command(text, command):
    assert software.split_command(text) == command


@pytest.mark.parametrize(
    ("given", "extra", "command"),
    [
        (product(), [], [r"C:\p\unins000.exe", "/VERYSILENT", "/SUPPRESSMSGBOXES", "/NORESTART", r"/LOG=C:\l.log"]),
        (product(quiet_uninstall_string=r'"C:\q\unins001.exe" /SILENT'), ["/X"],
         [r"C:\q\unins001.exe", "/VERYSILENT", "/SUPPRESSMSGBOXES", "/NORESTART", r"/LOG=C:\l.log", "/X"]),
        (product(installer="msi", code=GUID, uninstall_string=f"MsiExec.exe /I{GUID}"), ["KEEP=0"],
         ["msiexec.exe", "/x", GUID, "/qn", "/norestart", "/l*v", r"C:\l.log", "KEEP=0"]),
        (product(installer="nsis", quiet_uninstall_string=r'"C:\p\uninstall.exe" /S'), [], [r"C:\p\uninstall.exe", "/S"]),
        (product(installer="nsis", quiet_uninstall_string=r'"C:\p\uninstall.exe" /S /ALLUSERS _?=C:\p'), ["/X"],
         [r"C:\p\uninstall.exe", "/S", "/X", "/ALLUSERS", r"_?=C:\p"]),
        (product(installer="nsis", quiet_uninstall_string=r'"C:\p\uninstall.exe /S /ALLUSERS"'), [], [r"C:\p\uninstall.exe", "/S", "/ALLUSERS"]),
        (product(quiet_uninstall_string=r'"C:\q\unins001.exe" /SILENT /KEY="a b" /LOG=C:\own.log'), [],
         [r"C:\q\unins001.exe", "/VERYSILENT", "/SUPPRESSMSGBOXES", "/NORESTART", r"/LOG=C:\l.log", "/KEY=a b"]),
        (product(installer="msi", code=GUID, uninstall_string=f"MsiExec.exe /X{GUID} MODE=full REBOOT=Force"), [],
         ["msiexec.exe", "/x", GUID, "/qn", "/norestart", "/l*v", r"C:\l.log", "MODE=full"]),
        (product(installer="msi", code=GUID, uninstall_string=r'"C:\A\setup.exe" A=1', quiet_uninstall_string=f"MsiExec.exe /X{GUID} /qn B=2"), [],
         ["msiexec.exe", "/x", GUID, "/qn", "/norestart", "/l*v", r"C:\l.log", "B=2"]),
        (product(installer="msi", code=GUID, uninstall_string=f"MsiExec.exe /X{GUID} C=3", quiet_uninstall_string=r'"C:\A\setup.exe" A=1'), [],
         ["msiexec.exe", "/x", GUID, "/qn", "/norestart", "/l*v", r"C:\l.log", "C=3"]),
        (product(installer="other", uninstall_string=r"C:\p\remove.exe /ask"), ["-q", "-n"], [r"C:\p\remove.exe", "-q", "-n"]),
    ],
)  # fmt: skip
def test_uninstall_command_is_silent_and_never_restarts(given, extra, command):
    assert software.uninstall_command(given, extra, r"C:\l.log") == command


@pytest.mark.parametrize(
    ("registered", "extra", "line"),
    [
        ("Uninstall_Password=secret", [], "Uninstall_Password=secret"),
        ("reboot=Force Reboot=Force keep=1", [], "keep=1"),
        ('PASSWORD="a b"', [], 'PASSWORD="a b"'),
        ('PW="a ""q"" b" X=1', [], 'PW="a ""q"" b" X=1'),
        ('"PASSWORD=a b"', [], 'PASSWORD="a b"'),
        ('X="" PW="a b', [], 'X="" PW="a b"'),
        (
            "",
            ["PASSWORD=a b", 'KEY="c d"', 'PW=a "q" b', "X=", "/quiet", r"/log C:\a b.log"],
            'PASSWORD="a b" KEY="c d" PW="a ""q"" b" X= /quiet "/log C:\\a b.log"',
        ),
        ("", ['"PASSWORD=a b"'], 'PASSWORD="a b"'),
    ],
)
def test_quotes_where_windows_installer_wants_them(registered, extra, line):
    msi = product(installer="msi", code=GUID, uninstall_string=f"MsiExec.exe /X{GUID} {registered}")
    command = software.uninstall_command(msi, extra, r"C:\a b\l.log")
    assert software.arguments_line(msi, command[1:]) == rf'/x {GUID} /qn /norestart /l*v "C:\a b\l.log" {line}'.replace("\\\\", "\\")


def test_a_line_that_is_quoted_as_a_whole():
    msi = product(installer="msi", code=GUID, uninstall_string=rf'"C:\Windows\System32\msiexec.exe /X{GUID} A=1"')
    assert software.registered_arguments(msi) == ["A=1"]


def test_quotes_of_others_are_those_of_windows():
    assert software.arguments_line(product(), ["/KEY=a b", "/S"]) == '"/KEY=a b" /S'


@pytest.mark.parametrize("line", [r"C:\Program Files\A\uninstall /S", r"'C:\A\u.exe' /S", r"C:\Program Files\A\uninstall /password:hush"])
@pytest.mark.parametrize("value", ["quiet_uninstall_string", "uninstall_string"])
def test_an_uninstaller_that_is_not_understood_is_told(line, value):
    made, plan = resource([product(installer="other", **{"uninstall_string": "", value: line})], {"product_code": "Agent_is1"})
    (refusal,) = made.guard(plan)
    name = {"quiet_uninstall_string": "QuietUninstallString", "uninstall_string": "UninstallString"}[value]
    assert refusal.rule == "unknown_installer" and f" in its {name}, " in refusal.msg and "uninstall" in refusal.msg
    assert "hush" not in refusal.msg


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (0, "done"), (1605, "gone"), (1614, "gone"), (1618, "busy"), (1641, "reboot"), (3010, "reboot"),
        (1, "failed"), (42, "failed"), (1602, "failed"), (1603, "failed"), (1619, "failed"), (0xC000013A, "failed"), (0xFFFFFFFF, "failed"),
    ],
)  # fmt: skip
def test_exit_codes(code, meaning):
    assert software.meaning(code) == meaning


def test_failures_for_people():
    assert software.failure(1603) == "exit code 1603: a fatal error during the uninstallation"
    assert software.failure(42) == "exit code 42"


@pytest.mark.parametrize(
    ("image", "counts"),
    [
        ("unins000.exe", True), ("UNINS000.EXE", True), ("_unins.tmp", True), ("_iu14D2N.tmp", True), ("Au_.exe", True), ("Un_A.exe", True), ("Un.exe", True),
        ("remove.exe", True), ("notepad.exe", False), ("Unrelated.exe", False), ("msiexec.exe", False),
    ],
)  # fmt: skip
def test_still_at_work(image, counts):
    before = [("unins000.exe", 7), ("explorer.exe", 8)]
    now = [*before, (image, 9)]
    assert software.still_at_work(before, now, r"C:\p\remove.exe") == ([(image, 9)] if counts else [])


def test_files_pending_without_the_uninstallers_own_copies():
    text = r"\??\C:\Users\a\AppData\Local\Temp\~nsu.tmp\Au_.exe\0\0\??\C:\Windows\System32\filter.dll\0\0\??\C:\a\0!\??\C:\b"
    assert software.files_pending(text) == {r"\??\C:\Windows\System32\filter.dll", r"\??\C:\a", r"\??\C:\b"}
    assert software.files_pending("") == set()


def test_why():
    names, publishers = software.patterns(["iij.*sync", "^agent"]), software.patterns(["株式会社"])
    assert software.why(AGENT, names, publishers) == ["name matches ^agent"]
    assert software.why(product(name="x", publisher="株式会社IIJ"), names, publishers) == ["publisher matches 株式会社"]
    assert software.why(product(name="x", publisher="y"), names, publishers) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"install_location": "C:\\P\\Agent\\"}, True),
        ({"install_location": '"c:\\p\\agent\\bin"'}, True),
        ({"install_location": "C:/P/Agent"}, True),
        ({"uninstall_string": '"C:\\P\\Agent\\unins001.exe" /X'}, True),
        ({"uninstall_string": "C:\\P\\Agent\\remove.exe"}, True),
        ({"install_location": "C:\\P\\Agent 2", "uninstall_string": "C:\\P\\Agent 2\\remove.exe"}, False),
        ({"install_location": "C:\\P"}, False),
        ({}, False),
    ],
)
def test_why_by_folder(more, expected):
    item = product(**{"name": "of another name", "install_location": "", "uninstall_string": "", "quiet_uninstall_string": "", **more})
    assert software.why(item, [], [], ["C:\\P\\Agent"]) == (["is in C:\\P\\Agent"] if expected else [])


class Machine:
    """Answers reg.exe from what is registered."""

    host = "win"

    def __init__(self, **values):
        self.values = values

    def run(self, *arguments):
        key, view = arguments[2], arguments[-1]
        if key.endswith("Uninstall") and view == "/reg:64":
            lines = [rf"{ROOT}\Agent", *(f"    {name}    REG_EXPAND_SZ    {data}" for name, data in self.values.items())]
        elif key.endswith("Windows\\CurrentVersion"):
            lines = [key.replace("HKLM", "HKEY_LOCAL_MACHINE"), r"    ProgramFilesDir    REG_SZ    D:\Programs"]
        else:
            lines = [key.replace("HKLM", "HKEY_LOCAL_MACHINE").replace("HKU", "HKEY_USERS")]
        return Answer(0, "\r\n".join(lines).encode(), b"")


def test_environment_variables_in_registered_paths():
    there = Machine(DisplayName="Agent", QuietUninstallString=r'"%ProgramFiles%\Agent\u.exe" /S %UNKNOWN%')
    (found,) = software_resource.installed(there)
    assert software.uninstall_command(found, [], "") == [r"D:\Programs\Agent\u.exe", "/S", "%UNKNOWN%"]


def test_a_wrong_pattern_is_told():
    with pytest.raises(OffboardError) as error:
        software.patterns(["("])
    assert error.value.code == "pattern_invalid"


class Client:
    host = "win"

    def close(self):
        pass


def resource(there, *wanted):
    made = software_resource.Software(Client(), Options.of(given("win_software", products=wanted, timeout_minutes=1)))
    made._products = {item.id("win"): item for item in there}
    return made, made.plan([software.object_of("win", item) for item in there])


def test_plan():
    other = product(name="Other", code="Other", installer="nsis")
    made, plan = resource([AGENT, other], {"name": "Agent", "publisher": "IIJ"}, {"product_code": "Agent_is1"}, {"product_code": "gone"})
    (change,) = plan.changes
    assert (change.id, change.action, change.after, plan.unchanged) == ("win/machine64/Agent_is1", "uninstall", None, 1)
    assert list(made.guard(plan)) == []
    assert [item["status"] for item in made.facts(plan)["results"]] == ["planned", "absent"]


@pytest.mark.parametrize(
    ("given", "wanted", "rules"),
    [
        (product(uninstall_string=""), {}, ["unknown_installer"]),
        (product(installer="other"), {}, ["unknown_installer"]),
        (product(installer="other"), {"uninstall_arguments": ["-q"]}, []),
        (product(installer="msi", code=GUID, uninstall_string=""), {}, []),
    ],
)
def test_guards(given, wanted, rules):
    made, plan = resource([given], {"product_code": given.product_code, **wanted})
    assert [item.rule for item in made.guard(plan)] == rules


def test_a_product_that_was_registered_otherwise_since_it_was_read_is_left_alone(monkeypatch):
    made, plan = resource([AGENT], {"product_code": "Agent_is1"})
    other = product(name="Payroll", uninstall_string=r'"C:\payroll\unins000.exe"')
    monkeypatch.setattr(software_resource, "installed_in", lambda client, scopes: [other] if list(scopes) == ["machine64"] else [])
    with pytest.raises(OffboardError) as error:  # the client can run nothing
        made.apply(next(iter(plan.changes)))
    assert error.value.code == "changed_since_read" and "Payroll" in error.value.msg
    assert made.facts(plan)["results"][0]["status"] == "failed"


def test_what_a_stopped_run_had_begun():
    made, _plan = resource([AGENT], {"product_code": "Agent_is1"})
    begun = [Change(software.KIND, key, "x", "uninstall", {}, None) for key in ("win/machine64/Agent_is1", "win/machine64/gone", "other/machine64/gone")]
    assert [change.id for change in made.carried_out(begun)] == ["win/machine64/gone"]


def test_what_the_uninstaller_is_given_besides_is_in_the_plan_without_its_secrets():
    assert software.given([]) == {}
    assert software.given(["/KEEPDATA", "PASSWORD=hush"]) == {"uninstall_arguments": "/KEEPDATA PASSWORD=***"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"name": "Agent", "publisher": "IIJ"}, ["Agent"]),
        ({"product_code": "agent_IS1"}, ["Agent"]),
        ({"name": "Agent ", "publisher": "IIJ"}, ["Agent"]),  # a blank too many, which `select` complains of
        ({"name": "Something else", "publisher": "IIJ"}, []),
        ({"product_code": "{00000000-0000-0000-0000-000000000000}"}, []),
        ({}, []),
    ],
    ids=str,
)
def test_a_product_is_named_where_it_is_meant_or_may_be(wanted, found):
    assert [item.name for item in software.meant([product()], wanted)] == found
