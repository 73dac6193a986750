# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check runs have planned: the predictions that one run's tasks share, and the plans that are kept for approval."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping

from .._core import approval
from .._core.errors import OffboardError
from .._core.model import Change
from .._core.predict import Predictions
from .files import check_run_file, read_lines, read_records

#: So many changes that were not approved are told.
_TOLD = 10

_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_planned(path: str) -> Iterator[Change]:
    """The changes that this check run has planned until now. Raises OffboardError `predictions_damaged`, `file_read_failed`."""
    for record in read_records(path):
        try:
            change = Change.from_dict(record)
            if not all(isinstance(text, str) for text in (change.kind, change.id, change.name, change.action)):
                raise ValueError
            if not all(isinstance(state, Mapping | None) for state in (change.before, change.after)):
                raise ValueError
            yield change
        except (TypeError, ValueError, AttributeError):
            msg = f"predictions: {path} holds something that no check run wrote; remove it and check again from the start"
            raise OffboardError(msg, code="predictions_damaged") from None


def read_predictions(path: str) -> Predictions:
    """What they would leave behind. Raises OffboardError as `read_planned` does."""
    return Predictions(read_planned(path))


def read_approved(path: str, sha256: str) -> Iterator[Change]:
    """The changes of a kept plan; none counts before the last one.

    Raises OffboardError `plan_missing`, `plan_damaged`, `run_folder_unsafe`, `file_read_failed`.
    """
    if sha256 == approval.NOTHING:
        return iter(())
    check_run_file(path)
    if not _SHA256.fullmatch(sha256):
        raise OffboardError(f"{sha256!r} is no hash of a plan: it must be the 64 hexadecimal digits that the check run has told.", code="plan_missing")
    if not os.path.lexists(path):
        raise OffboardError(
            f"There is no plan {path}. Give the hash that a check run of this run folder has told (offboard_plan_hash), or make the check run again.",
            code="plan_missing",
        )
    return approval.parse(read_lines(path), sha256)


def check_approved(changes: Iterable[Change], path: str, sha256: str) -> None:
    """Refuse what is not in the kept plan. Raises OffboardError `not_approved`, and as `read_approved` does."""
    approved = approval.Approved(read_approved(path, sha256))
    first: list[Change] = []
    count = 0
    for change in changes:
        if not approved.covers(change):
            count += 1
            first = first if len(first) == _TOLD else [*first, change]
    if count:
        raise approval.not_approved(first, count, read_approved(path, sha256), sha256)
