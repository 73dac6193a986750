# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issuers and thumbprints out of one list, for playbooks, by the one rule that the modules compare them by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.offboard.iij_id.plugins.module_utils._core import certificate_names as names


def certificate_names(given: Iterable[str]) -> dict[str, list[str]]:
    """`issuers` and `thumbprints`, as the modules of certificates have them."""
    issuers, thumbprints = names.parted(given)
    return {"issuers": issuers, "thumbprints": thumbprints}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"certificate_names": certificate_names}
