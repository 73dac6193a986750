# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of policies' user rights: parsed, and checked before anything is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...._core.errors import OffboardError
from ...known import Known
from ..options import EditOptions

#: [MS-GPSB] 2.2.6
_RIGHT = re.compile("Se[a-z]+(?:Privilege|Right)", re.IGNORECASE)


@dataclass(frozen=True)
class Options(EditOptions):
    """Of group_policy_right."""

    #: `absent` or `present`
    state: str
    #: none: every right that may be meant
    rights: Sequence[str]
    #: as they were typed, and what they meant earlier
    accounts: Sequence[str]
    known: Known
    #: whether nothing but what was taken out comes back
    only_removed: bool
    when_empty: str
    when_undefined: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option` where no right is named that is to be given, or what is named is none."""
        for right in params["rights"] or ():
            if not _RIGHT.fullmatch(right):
                raise OffboardError(f"rights: {right!r} is no name of a user right such as SeBatchLogonRight", code="bad_option")
        if params["state"] == "present" and not params["rights"] and not params["only_removed"]:
            raise OffboardError("rights: name the rights that the accounts shall have, or set only_removed", code="bad_option")
        return cls(
            **cls._edit(params),
            state=params["state"],
            rights=params["rights"],
            accounts=params["accounts"],
            known=Known.of(params),
            only_removed=params["only_removed"],
            when_empty=params["when_empty"],
            when_undefined=params["when_undefined"],
        )
