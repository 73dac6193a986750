# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Windows machines of the lab, asked by pywinrm as the collection does."""

from __future__ import annotations

import csv
import io
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
import winrm.exceptions
from lab import paths, process
from lab.windows import server, tree
from lab.windows.part import WindowsPart
from winrm.protocol import Protocol

pytestmark = pytest.mark.lab

UNINSTALL = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
DIRECTORY_SYNC = r"C:\Program Files\IIJ ID Service Directory Sync"
PASSWORD_SYNC = r"C:\Program Files\IIJ ID Service Password Sync"
BACKUP_AGENT = "{6F5B1C2A-3D4E-4F60-9A7B-1C2D3E4F5A6B}"
INNO_SILENT = "/VERYSILENT /SUPPRESSMSGBOXES /NORESTART"


class Shell:
    """A shell on a machine; what the collection's client does in short."""

    def __init__(self, machine: str, transport: str = "basic", tls: bool = True, password: str = paths.PASSWORD, code_page: int = 65001, ca: str = "") -> None:
        scheme, port = ("https", paths.WINRM_HTTPS) if tls else ("http", paths.WINRM_HTTP)
        self.protocol = Protocol(
            endpoint=f"{scheme}://{paths.WINDOWS[machine]}:{port}/wsman",
            transport=transport,
            username=paths.WINDOWS_USER,
            password=password,
            ca_trust_path=ca or str(paths.ca_file()),
            operation_timeout_sec=2,
            read_timeout_sec=20,
            proxy=None,
        )
        self.id = self.protocol.open_shell(codepage=code_page)
        self.code_page = code_page

    def start(self, line: str, cmd: bool = False) -> str:
        return self.protocol.run_command(self.id, line, skip_cmd_shell=not cmd)

    def finish(self, command: str) -> tuple[int, str, str]:
        out, err, code = self.protocol.get_command_output(self.id, command)
        self.protocol.cleanup_command(self.id, command)
        codec = "utf-8" if self.code_page == 65001 else f"cp{self.code_page}"
        return code, out.decode(codec), err.decode(codec)

    def run(self, line: str, cmd: bool = False) -> tuple[int, str, str]:
        return self.finish(self.start(line, cmd))

    def code(self, line: str) -> int:
        return self.run(line)[0]

    def has_key(self, key: str) -> bool:
        return self.code(f'reg.exe query "{key}" /reg:64') == 0

    def has_file(self, path: str) -> bool:
        return self.run(f'if exist "{path}" (echo yes) else (echo no)', cmd=True)[1].strip() == "yes"

    def close(self) -> None:
        self.protocol.close_shell(self.id)


@pytest.fixture(scope="module")
def part() -> Iterator[WindowsPart]:
    windows = WindowsPart()
    reason = windows.why_not()
    if reason:
        pytest.skip(reason)
    windows.prepare()
    was_running = windows.status()["running"]
    windows.start()
    windows.reset()
    yield windows
    windows.reset()
    if not was_running:
        windows.stop()


@pytest.fixture
def shell(part: WindowsPart) -> Iterator[Callable[..., Shell]]:
    shells: list[Shell] = []

    def make(machine: str, **options: object) -> Shell:
        shells.append(Shell(machine, **options))  # type: ignore[arg-type]
        return shells[-1]

    yield make
    part.rules([])
    for each in shells:
        # a shell may be gone with its machine
        with suppress(winrm.exceptions.WinRMError, requests.RequestException):
            each.close()


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"transport": "basic"}, id="basic over HTTPS"),
        pytest.param({"transport": "ntlm", "tls": False}, id="NTLM over HTTP, sealed"),
        pytest.param({"transport": "ntlm"}, id="NTLM over HTTPS"),
    ],
)
def test_transports(shell: Callable[..., Shell], options: dict) -> None:
    sync01 = shell("sync01", **options)
    assert sync01.run("hostname.exe") == (0, "SYNC01\r\n", "")
    assert sync01.run("echo 日本語&echo oops>&2", cmd=True) == (0, "日本語\r\n", "oops\r\n")


def test_refusals(part: WindowsPart, shell: Callable[..., Shell], tmp_path) -> None:
    for options in ({"transport": "basic"}, {"transport": "ntlm"}, {"transport": "ntlm", "tls": False}):
        with pytest.raises(winrm.exceptions.InvalidCredentialsError):
            shell("sync01", password="wrong", **options)
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        shell("sync01", transport="basic", tls=False)  # a password is never asked for in clear
    with pytest.raises(requests.exceptions.SSLError):
        shell("sync01", ca=requests.certs.where())


def test_exit_codes_are_32_bits_wide(shell: Callable[..., Shell]) -> None:
    sync01 = shell("sync01")
    for code in (0, 1, 1605, 3010, -2146893807):
        assert sync01.code(f"cmd.exe /c exit {code}") == code
    assert sync01.run("no-such-program", cmd=True)[0] == 9009
    with pytest.raises(winrm.exceptions.WSManFaultError) as refused:
        sync01.start("no-such-program.exe")
    assert refused.value.wsman_fault_code == 0x80070002


def test_code_pages(shell: Callable[..., Shell]) -> None:
    query = r"reg.exe query HKLM\SOFTWARE\NoSuchKey"
    japanese = shell("sync01").run(query)[1]
    assert "レジストリ" in japanese
    assert shell("sync01", code_page=932).run(query)[1] == japanese
    assert "?" in shell("sync01", code_page=437).run(query)[1]


def test_standard_input(shell: Callable[..., Shell]) -> None:
    sync01 = shell("sync01")
    command = sync01.start("findstr.exe two")
    sync01.protocol.send_command_input(sync01.id, command, b"one\r\ntwo\r\n", end=True)
    assert sync01.finish(command) == (0, "two\r\n", "")


def test_long_command_and_terminate(shell: Callable[..., Shell]) -> None:
    sync01 = shell("sync01")
    command = sync01.start(r'"C:\Program Files\Sumire Notes\notes.exe" hang')
    with pytest.raises(winrm.exceptions.WinRMOperationTimeoutError):
        sync01.protocol.get_command_output_raw(sync01.id, command)
    assert "notes.exe" in sync01.run("tasklist.exe /fo csv /nh")[1]
    sync01.protocol.cleanup_command(sync01.id, command)
    assert until(lambda: "notes.exe" not in sync01.run("tasklist.exe /fo csv /nh")[1])


def test_what_a_command_leaves_running_dies_with_its_shell(shell: Callable[..., Shell]) -> None:
    first, second = shell("sync01"), shell("sync01")
    assert first.run(r'start "" /b "C:\Program Files\Sumire Notes\notes.exe" hang', cmd=True)[0] == 0
    time.sleep(1)
    assert "notes.exe" in second.run("tasklist.exe /fo csv /nh")[1]
    first.close()
    assert until(lambda: "notes.exe" not in second.run("tasklist.exe /fo csv /nh")[1])


def test_shell_quota(shell: Callable[..., Shell]) -> None:
    with pytest.raises(winrm.exceptions.WSManFaultError) as refused:
        for _ in range(31):
            shell("dcwin2")
    assert refused.value.wsman_fault_code == 2150859173


def test_closed_shell(shell: Callable[..., Shell]) -> None:
    sync01 = shell("sync01")
    sync01.close()
    with pytest.raises(winrm.exceptions.WSManFaultError) as refused:
        sync01.start("hostname.exe")
    assert refused.value.wsman_fault_code == 2150858843


def test_directory_sync_uninstalls_and_leaves_the_secrets(part: WindowsPart, shell: Callable[..., Shell]) -> None:
    sync01, key = shell("sync01"), rf"{UNINSTALL}\IIJ ID Service Directory Sync_is1"
    code, text, _ = sync01.run(f'reg.exe query "{key}" /reg:64')
    assert code == 0
    values = {name: value for name, _kind, value in (line.strip().split("    ", 2) for line in text.splitlines() if "    REG_" in line)}
    assert values["DisplayName"] == "IIJ ID Service Directory Sync"
    assert values["Publisher"] == "Internet Initiative Japan Inc."
    assert values["QuietUninstallString"] == rf'"{DIRECTORY_SYNC}\unins000.exe" /SILENT'
    assert "CN=iij-sync-scope" in sync01.run(rf'type "{DIRECTORY_SYNC}\config\config.yml"', cmd=True)[1]

    assert sync01.code(rf'"{DIRECTORY_SYNC}\unins000.exe" {INNO_SILENT}') == 0
    assert until(lambda: not sync01.has_key(key))
    assert until(lambda: not sync01.has_file(rf"{DIRECTORY_SYNC}\unins000.exe"))
    assert not sync01.has_file(rf"{DIRECTORY_SYNC}\bin\normal_mode.bat")
    assert sync01.has_file(rf"{DIRECTORY_SYNC}\config\secret.yml")
    assert sync01.code(rf'cmd.exe /c rd /s /q "{DIRECTORY_SYNC}"') == 0
    assert not sync01.has_file(DIRECTORY_SYNC)


def test_password_sync_uninstalls_after_a_restart(part: WindowsPart, shell: Callable[..., Shell]) -> None:
    dcwin1, key = shell("dcwin1"), rf"{UNINSTALL}\IIJ ID Service Password Sync_is1"
    lsa = r'reg.exe query HKLM\SYSTEM\CurrentControlSet\Control\Lsa /v "Notification Packages"'
    library = r"C:\Windows\System32\iidpwfilter.dll"
    assert dcwin1.run(lsa)[1].split()[-1] == r"rassfm\0scecli\0acmepwfilter\0iidpwfilter"
    assert "task" in dcwin1.run(f'dir /b /ah "{PASSWORD_SYNC}"', cmd=True)[1].split()
    assert "Captured-Secret" in dcwin1.run(rf'type "{PASSWORD_SYNC}\task\password-sync-task-48213-10.21.bat"', cmd=True)[1]
    # LSA holds the filter: del says so, and answers 0
    code, _, refusal = dcwin1.run(f"del {library}", cmd=True)
    assert (code, refusal.strip() != "", dcwin1.has_file(library)) == (0, True, True)

    assert dcwin1.code(rf'"{PASSWORD_SYNC}\unins000.exe" {INNO_SILENT}') == 0
    assert until(lambda: not dcwin1.has_key(key))
    assert until(lambda: dcwin1.run(lsa)[1].split()[-1] == r"rassfm\0scecli\0acmepwfilter")
    assert dcwin1.has_file(library)
    assert dcwin1.has_file(rf"{PASSWORD_SYNC}\task\password-sync-task-48213-10.21.bat")
    part.power("dcwin1", "reboot")
    dcwin1 = shell("dcwin1")
    assert not dcwin1.has_file(library)
    assert dcwin1.has_file(r"C:\Windows\System32\acmepwfilter.dll")


def test_backup_agent_by_windows_installer(part: WindowsPart, shell: Callable[..., Shell]) -> None:
    dcwin1 = shell("dcwin1")
    assert "RUNNING" in dcwin1.run("sc.exe query IIJBackupAgent")[1]
    part.fault("dcwin1", "backup_agent_msi", "fail")
    uninstall = f"msiexec.exe /x {BACKUP_AGENT} /qn /norestart"
    assert dcwin1.code(uninstall) == 1603
    assert dcwin1.has_key(rf"{UNINSTALL}\{BACKUP_AGENT}")
    part.rules([{"kind": "exit", "machine": "dcwin1", "match": "msiexec", "code": 1618}])
    assert dcwin1.code(uninstall) == 1618
    part.fault("dcwin1", "backup_agent_msi", "reboot")
    assert dcwin1.code(uninstall) == 3010
    assert not dcwin1.has_key(rf"{UNINSTALL}\{BACKUP_AGENT}")
    assert dcwin1.code("sc.exe query IIJBackupAgent") == 1060
    assert dcwin1.code(uninstall) == 1605


def test_notes_by_nsis(part: WindowsPart, shell: Callable[..., Shell]) -> None:
    sync01, key = shell("sync01"), rf"{UNINSTALL}\SumireNotes"
    folder = r"C:\Program Files\Sumire Notes"
    part.fault("sync01", "notes_nsis", "fail")
    assert sync01.code(rf'"{folder}\uninstall.exe" /S _?={folder}') == 42
    assert sync01.has_key(key)
    part.fault("sync01", "notes_nsis", None)
    assert sync01.code(rf'"{folder}\uninstall.exe" /S') == 0
    assert until(lambda: not sync01.has_key(key) and not sync01.has_file(folder))


def test_uninstallers_that_fail_or_hang(part: WindowsPart, shell: Callable[..., Shell]) -> None:
    dcwin2, key = shell("dcwin2"), rf"{UNINSTALL}\IIJ ID Service Password Sync_is1"
    line = rf'"{PASSWORD_SYNC}\unins000.exe" {INNO_SILENT}'
    part.fault("dcwin2", "password_sync", "fail")
    assert dcwin2.code(line) == 1
    part.fault("dcwin2", "password_sync", "hang")
    command = dcwin2.start(line)
    with pytest.raises(winrm.exceptions.WinRMOperationTimeoutError):
        dcwin2.protocol.get_command_output_raw(dcwin2.id, command)
    dcwin2.protocol.cleanup_command(dcwin2.id, command)
    assert dcwin2.has_key(key)
    part.fault("dcwin2", "password_sync", "leave")
    assert dcwin2.code(line) == 0
    assert until(lambda: not dcwin2.has_key(key))
    assert "iidpwfilter" in dcwin2.run(r'reg.exe query HKLM\SYSTEM\CurrentControlSet\Control\Lsa /v "Notification Packages"')[1]


def test_scheduled_tasks(part: WindowsPart, shell: Callable[..., Shell], tmp_path) -> None:
    sync01, name = shell("sync01"), r"\業務\ID同期"

    def definition() -> str:
        return sync01.run(f'schtasks.exe /query /tn "{name}" /xml')[1]

    before = definition()
    assert before.startswith('<?xml version="1.0" encoding="UTF-16"?>')
    assert r"IIJ ID Service Directory Sync\bin\normal_mode.bat" in before
    everything = sync01.run("schtasks.exe /query /xml ONE")[1]
    tasks = ET.fromstring(everything.replace(' encoding="UTF-16"', ""))
    assert len(tasks) == 3
    rows = list(csv.reader(io.StringIO(sync01.run("schtasks.exe /query /fo csv /nh /v")[1])))
    assert sorted(row[1] for row in rows) == sorted([name, r"\業務\資産台帳", r"\IIJ ID 棚卸し報告"])
    assert {len(row) for row in rows} == {28}

    assert sync01.code(f'schtasks.exe /change /tn "{name}" /disable') == 0
    disabled = definition()
    # the trigger's own Enabled stays as it was
    assert (disabled.count("<Enabled>false</Enabled>"), disabled.count("<Enabled>true</Enabled>")) == (1, 1)
    assert sync01.code(f'schtasks.exe /change /tn "{name}" /enable') == 0
    assert definition() == before

    saved = r"C:\Windows\Temp\saved.xml"
    assert sync01.run(f'schtasks.exe /query /tn "{name}" /xml>{saved}', cmd=True)[0] == 0
    assert sync01.code(f'schtasks.exe /delete /tn "{name}" /f') == 0
    code, out, err = sync01.run(f'schtasks.exe /query /tn "{name}" /xml')
    assert (code, out, err.strip() != "") == (1, "", True)
    assert sync01.code(f'schtasks.exe /delete /tn "{name}" /f') == 1
    assert sync01.code(f'schtasks.exe /create /tn "{name}" /xml {saved} /f') == 0
    assert definition().rstrip() == before.rstrip()


def test_restart(part: WindowsPart, shell: Callable[..., Shell]) -> None:
    sync01 = shell("sync01")
    clock = r"reg.exe query HKLM\SYSTEM\CurrentControlSet\Control\Windows /v ShutdownTime"
    before = sync01.run(clock)[1]
    assert sync01.code("shutdown.exe /a") == 1116
    assert sync01.code('shutdown.exe /r /t 60 /f /c "lab"') == 0
    assert sync01.code("shutdown.exe /r /t 60") == 1190
    assert sync01.code("shutdown.exe /a") == 0
    assert sync01.code("shutdown.exe /r /t 1") == 0

    def refused() -> bool:
        try:
            Shell("sync01").close()
        except requests.ConnectionError:
            return True
        return False

    assert until(refused)
    assert until(lambda: not refused())
    with pytest.raises(winrm.exceptions.WSManFaultError):
        sync01.start("hostname.exe")
    again = shell("sync01")
    assert again.run(clock)[1] != before
    assert "RUNNING" in again.run("sc.exe query IIJBackupAgent")[1]


def test_files(shell: Callable[..., Shell]) -> None:
    sync01, path = shell("sync01"), r"C:\Windows\Temp\secret 秘密.txt"
    command = sync01.start(f'findstr.exe /r ".*">"{path}"', cmd=True)
    sync01.protocol.send_command_input(sync01.id, command, "秘密\r\n".encode(), end=True)
    assert sync01.finish(command)[0] == 0
    assert sync01.run(f'type "{path}"', cmd=True)[1] == "秘密\r\n"
    assert sync01.run(f'for %f in ("{path}") do @echo %~zf', cmd=True)[1].strip() == "8"
    assert sync01.code(f'fsutil.exe file setzerodata offset=0 length=8 "{path}"') == 0
    on_disk = server.machine_prefix("sync01") / "drive_c/windows/temp/secret 秘密.txt"
    assert on_disk.read_bytes() == bytes(8)
    assert sync01.code("fsutil.exe file setzerodata offset=0 length=8 C:\\none") == 1
    assert sync01.code(f'attrib.exe +r +h "{path}"') == 0
    assert sync01.run(f'del /f /q /a "{path}"', cmd=True)[0] == 0
    assert not sync01.has_file(path)


def test_connection_faults(part: WindowsPart, shell: Callable[..., Shell]) -> None:
    sync01 = shell("sync01")
    for kind in ("drop", "drop_after"):
        part.rules([{"kind": kind, "machine": "sync01", "action": "Command"}])
        with pytest.raises(requests.ConnectionError):
            sync01.start(rf"cmd.exe /c echo {kind}>>C:\Windows\Temp\{kind}")
    # drop loses the request, drop_after only its answer
    time.sleep(1)
    assert not sync01.has_file(r"C:\Windows\Temp\drop")
    assert sync01.has_file(r"C:\Windows\Temp\drop_after")
    part.rules([{"kind": "slow", "seconds": 1.5, "action": "Command"}])
    begin = time.monotonic()
    assert sync01.code("cmd.exe /c exit 0") == 0
    assert time.monotonic() - begin >= 1.5
    part.rules([{"kind": "fault", "action": "Create", "code": 2150858918}])
    with pytest.raises(winrm.exceptions.WSManFaultError) as fault:
        shell("sync01")
    assert fault.value.wsman_fault_code == 2150858918
    part.power("dcwin2", "off")
    with pytest.raises(requests.ConnectionError):
        shell("dcwin2")
    part.power("dcwin2", "on")
    assert shell("dcwin2").code("cmd.exe /c exit 0") == 0


def test_fingerprint_and_request_log(part: WindowsPart, shell: Callable[..., Shell]) -> None:
    part.reset()
    dcwin1 = shell("dcwin1")
    before = part.fingerprint("dcwin1")
    for line in (
        rf"reg.exe query {UNINSTALL} /s /reg:64",
        rf"reg.exe query {UNINSTALL} /s /reg:32",
        "schtasks.exe /query /xml ONE",
        "sc.exe query IIJBackupAgent",
        "tasklist.exe /fo csv /nh",
        f'cmd.exe /c dir /b /a "{PASSWORD_SYNC}"',
    ):
        assert dcwin1.code(line) == 0
    assert part.fingerprint("dcwin1") == before
    assert [entry["write"] for entry in part.requests()] == [False] * 6

    changes = {
        rf'cmd.exe /c echo x>>"{PASSWORD_SYNC}\work\state.dat"': "Program Files/IIJ ID Service Password Sync/work/state.dat",
        rf'attrib.exe -h "{PASSWORD_SYNC}\task" /d': "Program Files/IIJ ID Service Password Sync/task",
        r'schtasks.exe /change /tn "\PasswordSync 定期実行" /disable': "windows/system32/Tasks/PasswordSync 定期実行",
        rf"reg.exe add {UNINSTALL}\Lab /v DisplayName /d Lab /f": None,
        r"sc.exe stop IIJBackupAgent": "unchanged",
    }
    for line, what in changes.items():
        assert dcwin1.code(line) == 0, line
        after = part.fingerprint("dcwin1")
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert (changed == set()) if what == "unchanged" else changed, line
        assert what in (None, "unchanged") or changed == {what}
        before = after
    entries = part.requests()
    assert [entry["write"] for entry in entries[6:]] == [True] * len(changes)
    assert all(entry["machine"] == "dcwin1" and entry["exit_code"] == 0 and entry["ended"] >= entry["time"] for entry in entries)


def test_passwords_stay_out_of_the_log(part: WindowsPart, shell: Callable[..., Shell]) -> None:
    sync01 = shell("sync01")
    sync01.run(f"cmd.exe /c rem {paths.PASSWORD}")
    sync01.run(r"schtasks.exe /create /tn \X /xml C:\none.xml /ru REIJI\x /rp Other-Secret /f")
    log = (paths.part_state("windows") / "requests.jsonl").read_text(encoding="utf-8")
    assert paths.PASSWORD not in log
    assert "Other-Secret" not in log


def lab_processes() -> list[str]:
    """Processes in this lab's namespaces: those that have its state folder mounted in the tree."""
    found = []
    for process_folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if re.search(rf"{paths.part_state('windows')} \S*{tree.INSIDE_STATE} ", (process_folder / "mountinfo").read_text()):
                found.append((process_folder / "comm").read_text().strip())
    return found


def test_killed_server_leaves_nothing_and_starts_again(part: WindowsPart) -> None:
    state = paths.part_state("windows")
    assert "wineserver" in " ".join(lab_processes())
    Shell("sync01").run(r"reg.exe add HKLM\SOFTWARE\OffboardLab /v kept /d yes /f")
    part.stop()
    part.start()
    assert "yes" in Shell("sync01").run(r"reg.exe query HKLM\SOFTWARE\OffboardLab /v kept")[1]
    process.stop(state, "server", seconds=0)  # the second signal, SIGKILL, comes at once
    assert until(lambda: not part.status()["running"])
    assert until(lambda: not lab_processes(), 5), lab_processes()
    with pytest.raises(requests.ConnectionError):
        Shell("sync01")
    part.start()
    assert Shell("sync01").code("cmd.exe /c exit 0") == 0
