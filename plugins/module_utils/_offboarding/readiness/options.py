# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of a judgement: its own options, and what roles hand over, put together before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..._core import names
from ..._core.errors import OffboardError
from ..._module.vault_password import decrypt_file, vault_password
from . import judged
from .arguments import CONFIRMED, FACTS
from .found import merged, of_answers
from .judged import Confirmed

#: of the folder `path` what iij_id_export_info returns
Exports = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def confirmed_by(handed_over: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """What the roles hand over as confirmed, as the option `confirmed` would have it; what the task itself gives wins. Raises OffboardError `bad_option`."""
    found = merged(handed_over).get("confirmed", {}) | given
    found.pop("iij_client_id", None)  # for the option client_id
    checked = ArgumentSpecValidator(CONFIRMED).validate(found)
    if checked.error_messages:
        raise OffboardError(f"found: {'; '.join(checked.error_messages)}", code="bad_option")
    return dict(checked.validated_parameters)


def _read(params: Mapping[str, Any], handed_over: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By the fields of Facts: lists of the roles come before the task's own, else what the task itself gives counts."""
    read = {name: params[name] for name in FACTS}
    for name, value in merged(handed_over).items():
        if name in FACTS:
            own = read[name]
            read[name] = value if own is None else [*value, *own] if isinstance(own, list) else own
    return read


@dataclass(frozen=True)
class InfoOptions:
    """Of readiness_info: what was read and decided, and what is asked of it."""

    gate: str
    language: str
    #: what was read, by the fields of Facts
    read: Mapping[str, Any]
    confirmed: Confirmed
    #: the run's; "": none
    journal: str
    #: of IIJ ID's app, as `names` compares it; "": not given
    client_id: str
    #: whether files of password filters go as well
    filter_files: bool
    #: looks at the exports of IIJ ID; None: nobody asks for them
    look_at_exports: Callable[[], Mapping[str, Any]] | None
    #: opens what is encrypted, and raises OffboardError where the vault's password does not; None: nobody asks for that
    try_vault: Callable[[], object] | None
    #: the operator's variables, for the draft; None: not given
    variables: Mapping[str, Any] | None
    #: whether blockers are a failure
    required: bool
    #: whether only what people read is returned
    brief: bool
    #: the run folder, in which the findings are kept; "": nowhere
    folder: str
    tenant_id: str | None
    contract_options: Sequence[str]

    @classmethod
    def of(cls, params: Mapping[str, Any], exports: Exports) -> InfoOptions:
        """Raises OffboardError `bad_option`."""
        handed_over = [*(params["found"] or ()), of_answers(params["answers"] or {}, params["gate"])]
        handed_over.append({"confirmed": judged.confirmed(params["variables"] or {}, params["contract_options"] or ())})
        given = {name: value for name, value in params["confirmed"].items() if value != CONFIRMED[name].get("default")}
        folder, tried = params["export_folder"], params["vault_tried"]
        return cls(
            gate=params["gate"],
            language=params["language"],
            read=_read(params, handed_over),
            confirmed=Confirmed(**confirmed_by(handed_over, given)),
            journal=params["journal"] or "",
            client_id=names.uuid(params["client_id"]),
            filter_files=params["filter_files"],
            look_at_exports=(lambda: exports({**params, "path": folder})) if folder else None,
            try_vault=(lambda: decrypt_file(tried, vault_password(params))) if tried and params["gate"] == "preflight" else None,
            variables=params["variables"],
            required=params["required"],
            brief=params["brief"],
            folder=params["run_dir"] or "",
            tenant_id=params["run_tenant_id"],
            contract_options=params["contract_options"] or (),
        )
