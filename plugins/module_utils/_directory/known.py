# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the confirmed names meant earlier: as the task gives it, and as the snapshot holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._core import foreign_yaml
from .._core.errors import OffboardError
from .._core.manifest import further
from .._module.vault_password import VAULT, decrypt_file, vault_password

#: What the snapshot has of them.
KNOWN_FILE: dict[str, Any] = {"known_file": {"type": "dict", "options": {"path": {"type": "path", "required": True}, **VAULT}}}
#: Options of the modules of Active Directory that ask. `known` means something else in each, which its documentation says.
KNOWN: dict[str, Any] = {"known": {"type": "list", "elements": "dict", "default": []}, **KNOWN_FILE}
#: Options of all modules of OpenLDAP.
ACCOUNT: dict[str, Any] = {"dn": {"type": "str", "required": True}, **KNOWN_FILE}


@dataclass(frozen=True)
class Known:
    """What the task gives, and where the snapshot is. file: "" where there is none."""

    objects: Sequence[Mapping[str, Any]]
    file: str
    #: reads the password of the file; raises OffboardError where none is given
    vault_password: Callable[[], bytes]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Known:
        """Of KNOWN, or of KNOWN_FILE alone."""
        file = params["known_file"] or {}
        return cls(objects=params.get("known") or (), file=file.get("path") or "", vault_password=lambda: vault_password(file))


def remembered(known: Known) -> list[Mapping[str, Any]]:
    """The objects of both, the oldest first. Without the file, or without a password for it, those of the task: what must be saved, `requires` says.

    Raises OffboardError as `decrypt_file` does, and `not_text`.
    """
    return [*known.objects, *(_saved(known) if known.file else [])]


def _saved(known: Known) -> Iterator[Mapping[str, Any]]:
    """Of the file, and of those that a later snapshot has added to it."""
    try:
        password = known.vault_password()
    except OffboardError as exc:
        if exc.code == "vault_password_missing":
            return
        raise
    for path in further(known.file):
        if (content := decrypt_file(path, password)) is None:
            return
        yield from _objects(path, content)


def _objects(path: str, content: bytes) -> list[Mapping[str, Any]]:
    """Of Active Directory a list, of OpenLDAP `entries` by the names that were confirmed."""
    try:
        found = foreign_yaml.load(content.decode())
        objects = found["objects"] if "objects" in found else found["entries"].values()
        return [{name: text for name, text in item.items() if isinstance(text, str) and text not in foreign_yaml.NULL} for item in objects]
    except (ValueError, KeyError, TypeError, AttributeError):
        why = f"{path} holds no objects of a snapshot"
    raise OffboardError(why, code="not_text")
