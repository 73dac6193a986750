# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows' own tar.exe prints of files. Pure."""

from __future__ import annotations

import io
import tarfile

from .._core.errors import OffboardError

_BLOCK = 512
#: an archive ends with two empty blocks
_END = bytes(2 * _BLOCK)


def unpacked(printed: bytes) -> dict[str, bytes]:
    """The regular files of an archive by name, as tar names them.

    Raises OffboardError `archive_unreadable`, also where what was printed has another length than an archive can have: then line ends were changed
    on the way.
    """
    found = {}
    try:
        if len(printed) % _BLOCK or not printed.endswith(_END):
            raise ValueError("cut off")
        with tarfile.open(fileobj=io.BytesIO(printed), mode="r:", errorlevel=2) as archive:
            for member in archive:
                # a sparse file of a few bytes can be of any length
                if member.isreg() and not member.issparse() and (stream := archive.extractfile(member)) is not None:
                    content = stream.read(len(printed))
                    if len(content) != member.size:
                        raise ValueError("cut off")
                    found[member.name] = content
    except (tarfile.TarError, ValueError, OSError, EOFError, OverflowError) as exc:
        raise OffboardError("What tar printed is no archive that can be read", code="archive_unreadable") from exc
    return found
