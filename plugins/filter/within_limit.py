# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines that `--limit` leaves, for playbooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.offboard.iij_id.plugins.plugin_utils import limits


def within_limit(groups: Mapping[str, Iterable[str]], limit: str) -> list[str]:
    """Of Ansible's `groups` the machines within a limit. Raises AnsibleError for a file of patterns that is not there."""
    return limits.within(limit, groups)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"within_limit": within_limit}
