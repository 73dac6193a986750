# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file `src` says of each of its users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError
from .desired import said_in
from .licences import Skus
from .selection import src_lines

#: what a line says, by the fields of Desired
Said = Mapping[str, Any]


class Sayings:
    """By a user's id or name. Where two lines are about one user, nobody knows which is meant."""

    def __init__(self, path: str | None, skus: Skus) -> None:
        """Without a path nothing is said. Raises OffboardError `bad_src`, `licence_unknown`, and those of `src_lines`."""
        self._by_key: dict[str, Said] = {}
        self._asked: set[str] = set()
        for number, key, line in src_lines(path) if path else ():
            where = f"src: line {number} of {path}"
            try:
                said = said_in(line, skus)
            except OffboardError as exc:
                raise OffboardError(f"{where}: {exc.msg}", code=exc.code) from exc
            if self._by_key.setdefault(names.user(key), said) != said:
                raise OffboardError(f"{where} says of {key} something else than a line before it; keep one of them", code="bad_src")

    def of(self, user_id: str, upn: str) -> Said | None:
        """None: nothing was said of them. Raises OffboardError `bad_src`."""
        if not self._by_key:
            return None
        called = (names.uuid(user_id), names.user(upn))
        self._asked |= self._by_key.keys() & {*called}
        by_id, by_name = map(self._by_key.get, called)
        if by_id is not None and by_name is not None and by_id != by_name:
            raise OffboardError(f"src names {upn} by the id {user_id} in one line, by the name in another, and says different things", code="bad_src")
        return by_name if by_id is None else by_id

    def of_nobody(self) -> set[str]:
        """Names and ids by which none of those was called of whom it was asked."""
        return self._by_key.keys() - self._asked

    def asks_for_passwords(self) -> bool:
        """Whether any line does."""
        return any(said.get("password") for said in self._by_key.values())
