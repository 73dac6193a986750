# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: rules that make the tenant misbehave for the requests they match."""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import Any

_numbers = itertools.count(1)


@dataclasses.dataclass
class Fault:
    """One rule.

    `method` and `path` are regular expressions that must match whole; the path is the one in the URL, from
    `/v1.0` on and without the query. The first `skip` matching requests pass, then `times` of them are hit
    (None: for ever). `batch` True hits only requests inside a $batch, False only those outside.

    What happens: with `applied` the request first takes effect; `delay` seconds pass; then `status` is
    answered with `code`, `message` and `retry_after`, or the connection is dropped (`drop`), or a read shows the object
    before its latest write (`stale`), a write is answered as if it had taken effect and never does (`forgotten`), a page names
    `next_link` as its continuation, or a $batch is carried out and answered for half of its requests (`half`).
    """

    method: str = ".*"
    path: str = ".*"
    times: int | None = 1
    skip: int = 0
    batch: bool | None = None
    delay: float = 0.0
    status: int | None = None
    code: str | None = None
    message: str = "lab: fault on demand"
    retry_after: int | None = None
    applied: bool = False
    drop: bool = False
    stale: bool = False
    next_link: str | None = None
    half: bool = False
    forgotten: bool = False
    id: int = dataclasses.field(default_factory=lambda: next(_numbers))
    hits: int = 0

    def matches(self, method: str, path: str, in_batch: bool) -> bool:
        return (self.batch is None or self.batch == in_batch) and re.fullmatch(self.method, method) is not None and re.fullmatch(self.path, path) is not None


class Faults:
    """The rules in force; the first that matches and is not used up hits."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def add(self, **rule: Any) -> Fault:
        """Raises ValueError for an unknown part of a rule or a bad expression."""
        known = {item.name for item in dataclasses.fields(Fault)} - {"id", "hits"}
        if unknown := set(rule) - known:
            raise ValueError(f"unknown in a fault rule: {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
        fault = Fault(**rule)
        try:
            re.compile(fault.method)
            re.compile(fault.path)
        except re.error as error:
            raise ValueError(f"fault rule: {error.pattern!r} is not a regular expression: {error}") from None
        self.rules.append(fault)
        return fault

    def clear(self) -> None:
        self.rules.clear()

    def hit(self, method: str, path: str, in_batch: bool) -> Fault | None:
        for fault in self.rules:
            if not fault.matches(method, path, in_batch):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if fault.times is not None and fault.hits >= fault.times:
                continue
            fault.hits += 1
            return fault
        return None
