# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where tasks of one run may leave something for later ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ansible import constants as C


def of_this_run(name: str) -> str:
    """The same path in every task of one `ansible-playbook`. The lookup `config` makes a new folder at each call in ansible-core 2.19 and later."""
    return os.path.join(C.DEFAULT_LOCAL_TMP, os.path.basename(name))


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"of_this_run": of_this_run}
