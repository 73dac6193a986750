# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_certificate when something breaks: its process at any step, the machine's consent, a disk, the connection, the user's session."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates import resource
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates.plan import PrivateKey, key_file
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Answer
from ansible_collections.offboard.iij_id.plugins.modules import win_certificate
from lab import killed
from lab.windows import certificates as made

TARO, HANAKO = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"
OURS, OTHERS = made.Authority("CN=Device CA,O=IIJ"), made.Authority("CN=Other CA,O=IIJ")
CAPI, CNG = "Microsoft Enhanced Cryptographic Provider v1.0", "Microsoft Software Key Storage Provider"
GUID = "00000000-0000-4000-8000-000000000001"
HIVES = {"HKLM": "HKEY_LOCAL_MACHINE", "HKU": "HKEY_USERS"}
MY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\My\Certificates"
HANAKOS = rf"HKEY_USERS\{HANAKO}\SOFTWARE\Microsoft\SystemCertificates\My\Certificates"
HOME = r"C:\Users\taro\AppData\Roaming\Microsoft"
STORE, KEYS = rf"{HOME}\SystemCertificates\My\Certificates", rf"{HOME}\Crypto\RSA\{TARO}"


class Windows:
    """A machine by what reg.exe, certutil.exe, tar.exe and cmd.exe answer; it outlives the process that asks. A refused command leaves all as it was."""

    host = "pc01"

    def __init__(self) -> None:
        certificates = {name: (OTHERS if name in ("decoy", "renewed") else OURS).issue(name) for name in ("pc", "decoy", "alone", "shared", "renewed", "left")}
        self.der = certificates
        self.thumbprint = {name: made.thumbprint(der) for name, der in certificates.items()}
        registry: dict[str, dict[str, str]] = {
            r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography": {"MachineGuid": GUID},
            r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion": {},
            r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion": {"SystemRoot": r"C:\Windows"},
            rf"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\{TARO}": {"ProfileImagePath": r"C:\Users\taro"},
            r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet": {},
            r"HKEY_USERS\.DEFAULT": {},
            rf"HKEY_USERS\{HANAKO}\SOFTWARE\Microsoft": {},
        }
        files = {}
        for name, key in (("pc", PrivateKey("pc", CAPI, 1, True)), ("decoy", PrivateKey("decoy", CAPI, 1, True))):
            registry[rf"{MY}\{self.thumbprint[name]}"] = {"Blob": made.blob(certificates[name], key).hex()}
        registry[rf"{HANAKOS}\{self.thumbprint['left']}"] = {"Blob": made.blob(certificates["left"], PrivateKey("ngc", CNG, 0, False)).hex()}
        for name, container in (("alone", "{alone}"), ("shared", "{both}"), ("renewed", "{both}")):
            files[rf"{STORE}\{self.thumbprint[name]}"] = made.blob(certificates[name], PrivateKey(container, CAPI, 1, False))
            files[rf"{KEYS}\{key_file(container, GUID)}"] = b"private"
        self.kept = killed.Kept({"registry": registry, "files": files, "containers": {"pc", "decoy"}, "written": []})
        #: (pattern of a command, what becomes of it): an exit code, or an error that is raised after (True) or before it was carried out
        self.faults: list[tuple[str, int | tuple[OffboardError, bool]]] = []
        self.before: Callable[[str], None] = lambda line: None

    def state(self) -> dict[str, Any]:
        return {name: value for name, value in self.kept.value.items() if name != "written"}

    def there(self) -> set[str]:
        """The certificates, and the keys by container, in angle brackets."""
        state = self.kept.value
        places = "\n".join([*state["registry"], *state["files"]])
        keys = {name for name in ("{alone}", "{both}") if key_file(name, GUID) in places} | state["containers"]
        return {name for name, thumbprint in self.thumbprint.items() if thumbprint in places} | {f"<{name}>" for name in keys}

    def run(self, *arguments: str, **_unused: Any) -> Answer:
        if arguments[:2] == ("reg.exe", "query"):
            return self._query(arguments[2], "/s" in arguments)
        if arguments[0].endswith("tar.exe"):
            return Answer(0, self._archive(arguments[5:]), b"")
        return self._write(" ".join(arguments))

    def cmd(self, line: str, *_unused: Any) -> Answer:
        files, quoted = self.kept.value["files"], re.findall(r'"([A-Z]:[^"]*)"', line)
        if line.startswith("del "):
            return self._write(line)
        if "dir /s /b /a-d" in line:
            found = [path for path in files if any(path.startswith(f"{folder}\\") for folder in quoted)]
        elif line.startswith("reg.exe query "):
            keys = [part.split()[2] if '"' not in part else part.split('"')[1] for part in line.split("&&")]
            answers = [self._query(key, True) for key in keys]
            return Answer(max(answer.exit_code for answer in answers), b"\r\n".join(answer.stdout for answer in answers), b"")
        elif "dir /a %d" in line:
            return Answer(0, "".join(f'"{folder}"\r\n' for folder in quoted).encode(), b"")
        else:
            found = quoted
        listed = [self._listed(path, files) for path in found]
        return Answer(0, "".join(f"{line}\r\n" for line in listed).encode(), b"")

    def close(self) -> None:
        pass

    @staticmethod
    def _listed(path: str, files: dict[str, bytes]) -> str:
        if path in files:
            return f"--a-------- {len(files[path])} {path}"
        folder = any(name.startswith(f"{path}\\") for name in files)
        return f"{'d----------' if folder else ''} {'0' if folder else ''} {path}"

    def _query(self, key: str, deep: bool) -> Answer:
        hive, _, rest = key.partition("\\")
        top = "\\".join(filter(None, (HIVES.get(hive, hive), rest)))
        registry, lines, seen = self.kept.value["registry"], [], set()
        for path in registry:
            parts = path.split("\\")
            for number in range(len(parts)):
                at = "\\".join(parts[: number + 1])
                below = at.casefold().startswith(f"{top}\\".casefold()) and (deep or at.count("\\") == top.count("\\") + 1)
                is_top = at.casefold() == top.casefold()
                if at not in seen and (below or is_top):
                    seen.add(at)
                    shown = registry.get(at, {}) if deep or is_top else {}
                    block = [at, *(f"    {name}    REG_SZ    {data}" for name, data in shown.items()), ""]
                    lines[:0] = block if is_top else []
                    lines += [] if is_top else block
        return Answer(0 if lines else 1, "\r\n".join(lines).encode(), b"")

    def _archive(self, paths: tuple[str, ...]) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as archive:
            for path in paths:
                content = self.kept.value["files"][path]
                member = tarfile.TarInfo(path.replace("\\", "/"))
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return stream.getvalue()

    def _write(self, line: str) -> Answer:
        self.before(line)
        fault = next((fault for pattern, fault in self.faults if pattern in line), 0)
        if isinstance(fault, int) and fault:
            return Answer(fault, b"", b"")
        if isinstance(fault, tuple) and not fault[1]:
            raise fault[0]
        killed.a_step()
        code = 0
        with self.kept.changing() as state:
            state["written"].append(line)
            if line.startswith("del "):
                code = 0 if state["files"].pop(line.split('"')[1], None) is not None else 1
            elif "-delkey" in line:
                name = line.rpartition(" ")[2]
                code = 0 if name in state["containers"] else 0x80090016
                state["containers"].discard(name)
            else:
                place = rf"{MY}\{line.rpartition(' ')[2]}" if "-delstore" in line else line.split()[2]
                code = 0 if state["registry"].pop(place, None) is not None else 0x80092004
        killed.a_step()
        if isinstance(fault, tuple):
            raise fault[0]
        return Answer(code, b"", b"")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Windows]:
    windows = Windows()
    monkeypatch.setattr(resource, "Client", lambda _options: windows)
    yield windows
    windows.kept.close()


class Run:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.journal = folder / "run/journal.jsonl"

    def main(self, **options: Any) -> None:
        backup = {"backup_dir": str(self.folder / "saved"), "journal": str(self.journal)}
        login = {"host": Windows.host, "username": "u", "password": "Hush-31", "scheme": "https", "transport": "ntlm"}
        arguments = {"issuers": ["CN=Device CA,O=IIJ"], **login, **backup, **options}
        with killed.module_args({name: value for name, value in arguments.items() if value is not None}):
            win_certificate.main()

    def __call__(self, **options: Any) -> dict[str, Any]:
        self._capsys.readouterr()
        with pytest.raises(SystemExit):
            self.main(**options)
        return json.loads(self._capsys.readouterr().out)

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal.read_text().splitlines() if line.endswith("}")]

    def unfinished(self) -> list[dict[str, Any]]:
        return journal.unfinished(self.journal.read_bytes().splitlines()) if self.journal.exists() else []

    def done(self) -> set[str]:
        assert self.unfinished() == []
        return {item["id"] for item in self.records() if item["record"] == "outcome" and item["status"] == "done"}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(tmp_path, capsys)


#: what stays: the others' certificates, and the keys that are theirs too
END = {"decoy", "renewed", "<decoy>", "<{both}>"}
PRIVATE = {"pc": "<pc>", "alone": "<{alone}>"}


def test_killed_at_every_step(machine: Windows, run: Run, tmp_path: Path) -> None:
    """Before each write of the process and each of the machine: a later run finishes it, tells no more than it did, and the third has nothing to do."""
    fresh, step = machine.kept.value, 0
    while killed.is_killed(step, run.main):
        at_death = machine.there()
        # a key whose certificate is gone would never be found again
        assert not [key for name, key in PRIVATE.items() if key in at_death and name not in at_death], step
        again = run()
        assert not again.get("failed"), (step, again["msg"])
        assert again["changed"] is bool(at_death & set(machine.thumbprint) - END), step
        assert machine.there() == END, step
        assert len(run.done()) == 4, step
        saved = {path.read_bytes() for path in (tmp_path / "saved").glob("*.cer")}
        assert saved == {machine.der[name] for name in ("pc", "alone", "shared", "left")}, step
        written = machine.kept.value["written"]
        assert run()["changed"] is False and machine.kept.value["written"] == written, step
        machine.kept.value = fresh
        run.journal.unlink()
        for path in (tmp_path / "saved").iterdir():
            path.unlink()
        step += 1
    assert step > 40 and machine.there() == END


LOST = OffboardError("pc01: the connection failed", code="connection_lost")


@pytest.mark.parametrize(
    ("pattern", "fault", "code", "left"),
    [
        ("-delkey pc", 0x80090010, "key_refused", {"pc", "<pc>"}),  # no right to the key
        ("-delstore", 5, "certificate_refused", {"pc"}),
        ("reg.exe delete", 1, "certificate_refused", {"left"}),
        (key_file("{alone}", GUID), 1, "key_refused", {"alone", "<{alone}>"}),  # somebody has it open
        ("-delkey pc", (LOST, False), "connection_lost", {"pc", "<pc>"}),
        ("-delkey pc", (LOST, True), "connection_lost", {"pc"}),
        ("-delstore", (LOST, True), "connection_lost", set()),
    ],
)
def test_what_is_refused_or_lost_is_told_and_hides_no_other(machine: Windows, run: Run, pattern: str, fault: Any, code: str, left: set[str]) -> None:
    machine.faults.append((pattern, fault))
    answer = run()
    assert (answer["failure"]["code"], answer["counts"]["failed"], answer["counts"]["done"]) == (code, 1, 3)
    assert answer["msg"].startswith("1 of 4 changes failed: ") and machine.there() == END | left
    machine.faults.clear()
    again = run()
    assert again["changed"] is bool(left) and machine.there() == END and run.done() >= {item["id"] for item in again["applied"]}
    assert run()["changed"] is False


@pytest.mark.parametrize("options", [{}, {"journal": None}])
def test_a_full_disk_of_the_controller(machine: Windows, run: Run, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    """What cannot be written down, or cannot be saved, is not removed."""
    before = machine.state()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        answer = run(**options)
    assert (answer["failure"]["code"], answer["changed"], machine.state() == before) == ("file_write_failed", False, True)
    assert "No space left on device" in answer["msg"]
    assert run()["changed"] is True and machine.there() == END


def signs_out(machine: Windows) -> None:
    with machine.kept.changing() as state:
        state["hive"] = {path: state["registry"].pop(path) for path in list(state["registry"]) if HANAKO in path}


def signs_in(machine: Windows) -> None:
    with machine.kept.changing() as state:
        state["registry"] |= state.pop("hive")


def test_a_certificate_of_someone_who_signed_out_meanwhile_is_not_gone(machine: Windows, run: Run) -> None:
    machine.before = lambda line: signs_out(machine) if "-delkey pc" in line else None
    answer = run()
    assert (answer["failure"]["code"], answer["counts"]["done"]) == ("changed_since_read", 3)
    machine.before = lambda line: None
    assert run()["changed"] is False
    signs_in(machine)
    assert run()["changed"] is True and machine.there() == END


@pytest.mark.parametrize("why", ["signed out", "unreadable"])
def test_what_a_killed_run_had_begun_and_cannot_be_seen_stays_open(machine: Windows, run: Run, why: str) -> None:
    place = rf"{HANAKOS}\{machine.thumbprint['left']}"
    step = 0
    while True:  # up to the step at which that of Hanako has begun, and is still there
        fresh = machine.kept.value
        assert killed.is_killed(step, run.main)
        begun = [record["id"] for record in run.unfinished()]
        if begun and HANAKO in begun[0]:
            break
        machine.kept.value = fresh
        run.journal.unlink(missing_ok=True)
        step += 1
    if why == "signed out":
        signs_out(machine)
    else:
        with machine.kept.changing() as state:
            whole = state["registry"][place]
            state["registry"][place] = {"Blob": "00"}
    run()
    assert len(run.unfinished()) == 1
    if why == "signed out":
        signs_in(machine)
    else:
        with machine.kept.changing() as state:
            state["registry"][place] = whole
    assert run()["changed"] is True and machine.there() == END and len(run.done()) == 4


REQUESTS = rf"{HOME}\SystemCertificates\Request\Certificates"
#: where a certificate may stand that uses the key of the machine's
PLACES = [
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\REQUEST\Certificates",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\WebHosting\Certificates",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\Remote Desktop\Certificates",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\SystemCertificates\\u793e\u5185\Certificates",
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography\Services\NTDS\SystemCertificates\MY\Certificates",
    r"HKEY_USERS\.DEFAULT\Software\Microsoft\SystemCertificates\TrustedPeople\Certificates",
    r"HKEY_USERS\.DEFAULT\Software\Microsoft\SystemCertificates\My\Certificates",
    rf"HKEY_USERS\{HANAKO}\SOFTWARE\Microsoft\SystemCertificates\TrustedPeople\Certificates",
]


@pytest.mark.parametrize("place", PLACES)
def test_the_key_of_a_certificate_in_another_store_stays(machine: Windows, run: Run, place: str) -> None:
    other = OTHERS.issue("elsewhere")
    with machine.kept.changing() as state:
        state["registry"][rf"{place}\{made.thumbprint(other)}"] = {"Blob": made.blob(other, PrivateKey("PC", CAPI, 1, True)).hex()}
    answer = run()
    assert machine.there() == END | {"<pc>"} and answer["counts"]["done"] == 4
    (fate,) = [change["before"]["private_key"] for change in answer["plan"] if machine.thumbprint["pc"] in change["id"]]
    assert fate == "kept: another certificate uses it"


def test_the_key_of_a_request_of_a_user_stays(machine: Windows, run: Run) -> None:
    """A renewal with the same key that is not issued yet."""
    request = OTHERS.issue("request")
    with machine.kept.changing() as state:
        state["files"][rf"{REQUESTS}\{made.thumbprint(request)}"] = made.blob(request, PrivateKey("{alone}", CAPI, 1, False))
    assert run()["counts"]["done"] == 4 and machine.there() == END | {"<{alone}>"}


def test_a_certificate_of_another_store_that_cannot_be_read_is_told(machine: Windows, run: Run) -> None:
    with machine.kept.changing() as state:
        state["registry"][rf"{PLACES[0]}\{'A' * 40}"] = {"Blob": "00"}
    before = machine.there()
    answer = run()
    assert [item["rule"] for item in answer["failure"]["details"]["refusals"]] == ["certificate_unreadable"] and machine.there() == before


def test_a_list_in_another_store_is_no_certificate(machine: Windows, run: Run) -> None:
    with machine.kept.changing() as state:
        state["registry"][PLACES[1].replace("Certificates", "CRLs").replace("SystemCRLs", "SystemCertificates") + "\\" + "A" * 40] = {"Blob": "00"}
    assert run()["counts"]["done"] == 4 and machine.there() == END
