# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `--tags` and `--skip-tags` leave of a playbook, for playbooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def within_tags(stages: Iterable[Iterable[str]], run: Iterable[str], skip: Iterable[str]) -> list[list[str]]:
    """Of stages, each with the tags that it has, those that are run, as Ansible chooses what has tags."""
    return [[*tags] for tags in stages if _named(tags, run) and not _named(tags, skip)]


def _named(tags: Iterable[str], words: Iterable[str]) -> bool:
    return not {"all", "tagged", *tags}.isdisjoint(words)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"within_tags": within_tags}
