# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading many files of a machine, and what tar prints of them."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Mapping

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._windows import archive
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Answer
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.contents import Contents


def packed(files: Mapping[str, bytes]) -> bytes:
    """As bsdtar does it: names of other letters as pax records."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as made:
        for path, content in files.items():
            member = tarfile.TarInfo(path.replace("\\", "/"))
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return stream.getvalue()


class Machine:
    """Has files. `tar` says what becomes of its tar: whole, missing, or line ends that are changed on the way."""

    host = "win"

    def __init__(self, files: Mapping[str, bytes], tar: str = "whole", locked: str = "") -> None:
        self.files, self.tar, self.locked = files, tar, locked
        self.by_tar: list[tuple[str, ...]] = []
        self.copies = 0

    def run(self, program: str, *arguments: str, seconds: float = 0) -> Answer:
        assert (program, arguments[:4]) == (r"D:\Windows\System32\tar.exe", ("-P", "-c", "-f", "-"))
        if self.tar == "missing":
            raise OffboardError("there is no program", code="program_missing")
        self.by_tar.append(arguments[4:])
        printed = packed({path: self.files[path] for path in arguments[4:] if path != self.locked})
        return Answer(1 if self.locked else 0, printed.replace(b"\n", b"\r\n") if self.tar == "text" else printed, b"")

    def cmd(self, line: str, seconds: float = 0) -> Answer:
        self.copies += 1
        path = line.split('"')[1]
        text = base64.encodebytes(self.files[path]).decode()
        return Answer(0, f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n".encode() if path in self.files else b"", b"")


FILES = {rf"C:\Users\{name}\cert": f"of\n{name}".encode() for name in ("taro", "花子", "x" * 150)}


def sizes(files: Mapping[str, bytes]) -> list[tuple[str, int]]:
    return [(path, len(content)) for path, content in files.items()]


@pytest.mark.parametrize(
    ("machine", "commands", "copies"),
    [
        (Machine(FILES), 1, 0),
        (Machine(FILES, "missing"), 0, 3),
        (Machine(FILES, "text"), 1, 3),
        (Machine(FILES, locked=r"C:\Users\taro\cert"), 1, 1),
        (Machine({**FILES, "C:\\empty": b""}), 1, 0),
        (Machine({}), 0, 0),
    ],
    ids=["whole", "missing", "text", "locked", "empty", "nothing"],
)
def test_files_are_read_by_one_command_or_one_by_one(machine: Machine, commands: int, copies: int) -> None:
    contents = Contents(machine, r"D:\Windows")
    for _again in range(2):
        assert contents.read(sizes(machine.files)) == machine.files
    assert (len(machine.by_tar), machine.copies) == (commands, copies)


@pytest.mark.parametrize(("number", "length", "commands"), [(300, 10, 3), (3, 5_000_000, 3)])
def test_neither_a_line_nor_an_answer_grows_without_end(number: int, length: int, commands: int) -> None:
    machine = Machine({rf"C:\{'x' * 150}\{count}": bytes(length) for count in range(number)})
    assert len(Contents(machine, r"D:\Windows").read(sizes(machine.files))) == number
    assert len(machine.by_tar) == commands


def _sparse() -> bytes:
    """A file of a few bytes that says it is of a terabyte."""
    member = tarfile.TarInfo("x")
    member.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[483:495] = b"10000000000\0"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(1024)


@pytest.mark.parametrize("printed", [b"", b"tar: no", packed(FILES)[:512], packed(FILES)[:-1], packed(FILES).replace(b"\n", b"\r\n"), b"x" * 512 + bytes(1024)])
def test_what_is_no_whole_archive_is_refused(printed: bytes) -> None:
    with pytest.raises(OffboardError) as refused:
        archive.unpacked(printed)
    assert refused.value.code == "archive_unreadable"


def test_an_archive_without_files() -> None:
    assert archive.unpacked(bytes(10240)) == {}
    assert archive.unpacked(_sparse()) == {}
