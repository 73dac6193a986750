# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person gave where several are meant, for playbooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.offboard.iij_id.plugins.module_utils._core import names


def listed(given: Any) -> list[str]:
    """A list, or one text with commas or lines, as a list. Raises AnsibleFilterError for what is neither."""
    if given is not None and not isinstance(given, str) and not (isinstance(given, (list, tuple)) and all(isinstance(item, str) for item in given)):
        raise AnsibleFilterError("listed: a text or a list of texts is needed; put numbers into quotes")
    return names.listed(given)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"listed": listed}
