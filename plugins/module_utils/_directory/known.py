# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the confirmed names meant earlier: as the task gives it, and as the snapshot holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._core import foreign_yaml
from .._core.errors import OffboardError
from .._module.vault_password import VAULT, decrypt_file, vault_password

#: Options of the modules that ask. `known` means something else in each, which its documentation says.
KNOWN: dict[str, Any] = {
    "known": {"type": "list", "elements": "dict", "default": []},
    "known_file": {"type": "dict", "options": {"path": {"type": "path", "required": True}, **VAULT}},
}


@dataclass(frozen=True)
class Known:
    """What the task gives, and where the snapshot is. file: "" where there is none."""

    objects: Sequence[Mapping[str, Any]]
    file: str
    #: reads the password of the file; raises OffboardError where none is given
    vault_password: Callable[[], bytes]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Known:
        file = params["known_file"] or {}
        return cls(objects=params["known"] or (), file=file.get("path") or "", vault_password=lambda: vault_password(file))


def remembered(known: Known) -> list[Mapping[str, Any]]:
    """The objects of both. Without the file, or without a password for it, those of the task: what must be saved, `requires` says.

    Raises OffboardError as `decrypt_file` does, and `not_text`.
    """
    return [*known.objects, *(_saved(known) if known.file else [])]


def _saved(known: Known) -> list[Mapping[str, Any]]:
    try:
        content = decrypt_file(known.file, known.vault_password())
    except OffboardError as exc:
        if exc.code == "vault_password_missing":
            return []
        raise
    if content is None:
        return []
    try:
        objects = foreign_yaml.load(content.decode())["objects"]
        return [{name: text for name, text in item.items() if isinstance(text, str) and text not in foreign_yaml.NULL} for item in objects]
    except (ValueError, KeyError, TypeError, AttributeError):
        why = f"{known.file} holds no objects of a snapshot"
    raise OffboardError(why, code="not_text")
