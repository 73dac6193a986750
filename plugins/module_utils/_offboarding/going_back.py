# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be undone, how, and with which limit: for the manual, and for the playbook `restore`. Pure.

Which ways there are, each subject of readiness/ says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from .._core.text import Text

#: what brings back which action's work; everything else a `restore` does
_UNDONE_BY = {"disable": "enable", "convert_to_managed": "convert_to_federated"}


def undone_by(action: str) -> str:
    """The action by which the work of this one is brought back."""
    return _UNDONE_BY.get(action, "restore")


class WayBack(NamedTuple):
    """What of a role brings something back."""

    role: str
    tasks_from: str


class Way(NamedTuple):
    """What was done, how to go back, and the limit."""

    done: Text
    how: Text
    limit: Text


_HEAD = Way(Text("what was done", "行ったこと"), Text("how to go back", "戻し方"), Text("limit", "限界"))


def entries(back: Mapping[str, Sequence[WayBack]], words: Collection[str]) -> list[WayBack]:
    """What is played on the controller for these words, in the order of all."""
    return [entry for word, found in back.items() if word in words for entry in found]


def table(ways: Iterable[Way], language: str) -> str:
    """All ways as a table of the manual."""
    lines = ["| " + " | ".join(getattr(part, language) for part in way) + " |" for way in (_HEAD, *ways)]
    return "\n".join([lines[0], "|---|---|---|", *lines[1:]]) + "\n"
