# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of letters and lists: parsed, and checked before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError
from ..._module.vault_password import vault_password
from ..domains.read import named_domains
from .plan import WantedLetters


@dataclass(frozen=True)
class Options:
    """Of handover_letters. None: not given; "": not needed."""

    #: `present`, `absent` or `given`
    state: str
    folder: str
    handover_file: str
    #: whose letters
    wanted: WantedLetters
    people_file: str | None
    #: `none`, `department` or `manager`
    split_by: str
    #: of `html`, `csv` and `encrypted`
    formats: Sequence[str]
    language: str
    company: str
    sign_in_address: str
    help_desk: str
    timezone: str
    given_file: str
    #: who records that letters were handed over
    by: str
    again: bool
    journal: str | None
    #: reads the password of Ansible Vault; raises OffboardError where none is given
    vault_password: Callable[[], bytes]

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`."""
        state, by = params["state"], names.visible(params["by"] or "")
        if state == "given" and not by:
            raise OffboardError("by names nobody: who records that the letters were handed over?", code="bad_option")
        by_place = params["departments"] or params["managers"] or (params["split_by"] != "none" and state == "present")
        if params["people_file"] is None and by_place and state != "absent":
            raise OffboardError("departments, managers and split_by need people_file, which entra_managers_info writes (results_file).", code="bad_option")
        return cls(
            state=state,
            folder=os.path.abspath(params["folder"]) if params["folder"] else "",
            handover_file=params["handover_file"] or "",
            wanted=WantedLetters(*(params[name] for name in ("domains", "users", "departments", "managers"))),
            people_file=params["people_file"],
            split_by=params["split_by"],
            formats=params["formats"],
            language=params["language"],
            company=params["company"],
            sign_in_address=params["sign_in_address"],
            help_desk=params["help_desk"],
            timezone=params["timezone"],
            given_file=params["given_file"] or "",
            by=by,
            again=params["again"],
            journal=params["journal"] or None,
            vault_password=lambda: vault_password(params),
        )


@dataclass(frozen=True)
class ManagersOptions:
    """Of entra_managers_info. None: not given."""

    #: none: all of the tenant
    domains: frozenset[str]
    #: whether managers are asked for
    managers: bool
    results_file: str | None
    progress_file: str | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> ManagersOptions:
        """Raises OffboardError `bad_option`."""
        return cls(
            domains=named_domains("domains", params["domains"]),
            managers=params["managers"],
            results_file=params["results_file"],
            progress_file=params["progress_file"],
        )
