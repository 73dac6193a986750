# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_references_info: what in the tenant points at given hosts, and what could not be looked at."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..._core.errors import OffboardError
from ..._core.plan import ANSWER_LIMIT
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module.files import append_records
from . import plan, read
from .options import InfoOptions


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_references_info."""
    options = InfoOptions.of(params)
    connection = Connection.from_params(params)
    with contextlib.ExitStack() as stack:
        rows = stack.enter_context(contextlib.closing(_Rows(options.results_file, options.accepted)))
        client = stack.enter_context(Client(connection))
        beta = stack.enter_context(Client(connection, version="beta")) if options.beta else None

        def tell(kind: str, item: Mapping[str, Any], found: list[plan.Reference], assigned: Mapping[str, Any]) -> None:
            rows.add("references", {**plan.row(kind, item, found), **assigned})

        def tell_open(kind: str, item: Mapping[str, Any] | None, path: str, reason: str, words: str) -> None:
            rows.add("not_looked_at", plan.open_row(kind, item, path, reason, words))

        reader = read.Reader(client, beta, options.matcher, options.known, tell, tell_open)
        reader.run()
        rows.publish()
        return {**rows.answer(), "looked_at": reader.looked_at}


class _Rows:
    """The first rows for the answer, all of them for the file; a file of an earlier run is replaced when this one has looked everywhere.

    What a person has accepted takes nobody's place in the answer: it comes last, as far as there is room.
    """

    def __init__(self, path: str | None, accepted: plan.Accepted) -> None:
        self._path, self._fresh = path, f"{path}.{os.getpid()}.new"
        self._accepted = accepted
        self._waiting: list[dict[str, Any]] = []
        self._heads: dict[str, list[dict[str, Any]]] = {"references": [], "not_looked_at": []}
        self._kept: dict[str, list[dict[str, Any]]] = {"references": [], "not_looked_at": []}
        self._kept_totals: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()

    def add(self, what: str, row: dict[str, Any]) -> None:
        """One reference, or one thing that was not looked at."""
        self._totals[what] += 1
        if what == "references":
            self._counts[row["kind"]] += 1
        kept = self._accepted.has(what, row)
        self._kept_totals[what] += kept
        head = (self._kept if kept else self._heads)[what]
        if len(head) < ANSWER_LIMIT:
            head.append(row)
        if self._path is not None:
            self._waiting.append({"record": what, **row})
            if len(self._waiting) >= 1000:
                self._flush()

    def _flush(self) -> None:
        append_records(self._fresh, self._waiting)
        self._waiting = []

    def publish(self) -> None:
        """Raises OffboardError `file_write_failed`."""
        if self._path is None:
            return
        self._flush()
        try:
            os.replace(self._fresh, self._path)
        except OSError as exc:
            raise OffboardError(f"cannot write {self._path}: {exc.strerror or exc}", code="file_write_failed") from exc

    def answer(self) -> dict[str, Any]:
        shown = {what: [*head, *self._kept[what]][:ANSWER_LIMIT] for what, head in self._heads.items()}
        totals = {f"{what}_count": self._totals[what] for what in shown}
        accepted = {f"{what}_accepted_count": self._kept_totals[what] for what in shown}
        return {**shown, **totals, **accepted, "counts": dict(self._counts)}

    def close(self) -> None:
        """Leave nothing behind of a run that did not come to its end."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._fresh)
