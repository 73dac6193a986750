# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of files on a Windows machine, many by one command, and without writing there.

cmd.exe alone prints no bytes as they are. Windows' own tar.exe does, since Windows 10 1803 and Windows Server 2019. Where it is missing, or does not read
a file, certutil makes a copy in base64 in Windows' folder Temp, which is printed and deleted at once.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence

from .._core.errors import OffboardError
from . import archive
from .paths import quoted
from .registry import RegistryConnection

_LONG_SECONDS = 600.0
#: of paths on one command line; Windows takes 32,767 in all
_CHARACTERS_OF_A_LINE = 20_000
#: of files that are read by one command, unless a single one is longer: so much of an answer is held in memory
_BYTES_AT_ONCE = 8_000_000
# what certutil puts around whatever it encodes
_BASE64 = re.compile(r"-----BEGIN CERTIFICATE-----(?P<lines>[^-]*)-----END CERTIFICATE-----")


class Contents:
    """Reads files of one machine, each once: a path of the same size is taken for what it was."""

    def __init__(self, machine: RegistryConnection, system_root: str) -> None:
        self._machine, self._root = machine, system_root
        self._has_tar = True
        self._known: dict[tuple[str, int], bytes] = {}

    def read(self, files: Iterable[tuple[str, int]]) -> dict[str, bytes]:
        """The bytes of files by path; each is asked for with the size in bytes that a listing told. What cannot be read is left out.

        Raises OffboardError `path_invalid`.
        """
        wanted = list(files)
        self._known.update({(path, 0): b"" for path, size in wanted if not size})
        for group in _groups([item for item in wanted if item not in self._known]):
            by_tar = self._by_tar([path for path, _size in group])
            for path, size in group:
                content = by_tar.get(path.casefold())
                if content is None:
                    content = self._by_certutil(path)
                if content is not None:
                    self._known[path, size] = content
        return {path: self._known[path, size] for path, size in wanted if (path, size) in self._known}

    def _by_tar(self, paths: Sequence[str]) -> dict[str, bytes]:
        # by its whole path: no other tar is meant
        try:
            answer = self._machine.run(rf"{self._root}\System32\tar.exe", "-P", "-c", "-f", "-", *paths, seconds=_LONG_SECONDS) if self._has_tar else None
            read = archive.unpacked(answer.stdout) if answer else {}
        except OffboardError as exc:
            if exc.code not in ("program_missing", "archive_unreadable"):
                raise
            self._has_tar, read = False, {}
        return {name.replace("/", "\\").casefold(): content for name, content in read.items()}

    def _by_certutil(self, path: str) -> bytes | None:
        copy = quoted(rf"{self._root}\Temp\offboard-{secrets.token_hex(8)}.txt")
        answer = self._machine.cmd(f"certutil.exe -encode {quoted(path)} {copy} >nul & type {copy} & del /f /q {copy}")
        found = _BASE64.search(answer.text)
        try:
            return base64.b64decode("".join(found["lines"].split()), validate=True) if found else None
        except ValueError:
            return None


def _groups(files: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    group: list[tuple[str, int]] = []
    characters = length = 0
    for path, size in files:
        if group and (characters + len(path) > _CHARACTERS_OF_A_LINE or length + size > _BYTES_AT_ONCE):
            yield group
            group, characters, length = [], 0, 0
        group.append((path, size))
        characters, length = characters + len(path) + 3, length + size
    if group:
        yield group
