# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `reg query` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# The name may hold blanks. The default value's name is in the machine's language.
_VALUE = re.compile(r" {4}(?P<name>.+?) {4}(?P<type>REG_[A-Z_]+)(?: {4}(?P<data>.*))?")


@dataclass
class Key:
    """A registry key as printed: full path, and values by name: (type, data)."""

    path: str
    values: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("\\")[2]

    def text(self, name: str) -> str:
        """The data of a value, compared without case as Windows does; "" when there is none."""
        return next((data for known, (_type, data) in self.values.items() if known.casefold() == name.casefold()), "")

    def number(self, name: str) -> int:
        """A REG_DWORD; 0 when there is none."""
        data = self.text(name)
        return int(data, 16) if re.fullmatch(r"0x[0-9a-fA-F]+", data) else 0

    def strings(self, name: str) -> list[str]:
        r"""A REG_MULTI_SZ, which reg.exe prints with \0 between the strings."""
        data = self.text(name)
        return [item for item in data.split("\\0") if item] if data else []


def parse_query(text: str) -> list[Key]:
    """The keys that `reg query` (with or without /s) printed, in its order. Data with line breaks keeps them."""
    keys: list[Key] = []
    last: str | None = None
    for line in text.splitlines():
        if line.startswith("HKEY_"):
            keys.append(Key(line.rstrip()))
            last = None
        elif keys and (found := _VALUE.fullmatch(line)):
            last = found["name"]
            keys[-1].values[last] = (found["type"], found["data"] or "")
        elif keys and last is not None and line:
            kind, data = keys[-1].values[last]
            keys[-1].values[last] = (kind, f"{data}\n{line}")
    return keys


def expand(text: str, known: Mapping[str, str]) -> str:
    """`text` with the environment variables replaced that are `known`; others stay as they are."""
    return re.sub(r"%([^%]+)%", lambda found: known.get(found[1].casefold(), found[0]), text)
