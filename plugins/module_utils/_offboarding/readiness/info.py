# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""readiness_info: what was handed over and what the journal knows, judged, told and kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..._core import names, plain
from ..._core.errors import OffboardError
from ..._core.journal import unfinished
from ..._module.clock import now
from ..._module.files import read_journal, read_lines
from ..._module.vault_password import decrypt_file, vault_password
from .. import quiet
from ..finding import Finding
from . import judged, kept, machines, plan, telling
from .arguments import CONFIRMED
from .draft import draft
from .found import merged, of_answers
from .judged import Confirmed, Facts

#: of the folder `path` what iij_id_export_info returns
Exports = Callable[[Mapping[str, Any]], Mapping[str, Any]]
_READ = {field.name for field in dataclasses.fields(Facts)}


def info(params: Mapping[str, Any], warn: Callable[[str], None] | None = None, *, exports: Exports) -> dict[str, Any]:
    """The return values. warn: in check mode, takes why a real run would stop.

    Raises OffboardError `not_ready`, `bad_option`, and those of `exports` and of `kept.keep`.
    """
    gate, language = params["gate"], params["language"]
    asked = _with_files(_asked(params), exports)
    try:
        facts, confirmed = _facts(asked), Confirmed(**asked["confirmed"])
        findings = plan.GATES[gate](facts, confirmed)
        made = _besides(gate, facts, confirmed, asked)
    except (LookupError, TypeError, ValueError, AttributeError) as exc:
        what = f": {exc.args[0]} is missing" if isinstance(exc, KeyError) else ""
        raise OffboardError(f"An option does not hold what the info module returns{what}. Give the values as they were returned.", code="bad_option") from None
    if warn is None:
        _keep(gate, findings, made, params)
    told = telling.summary(findings, language, final=gate == "final")
    msg = telling.message(findings, language)
    if params.get("required") and msg:
        _stop(gate, told, told["verdict"] if params.get("brief") else msg, warn)
    return told if params.get("brief") else {**made, **told, "findings": [item.to_dict() for item in findings], "msg": msg}


def confirmed_by(handed_over: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """What the roles hand over as confirmed, as the option `confirmed` would have it; what the task itself gives wins. Raises OffboardError `bad_option`."""
    found = merged(handed_over).get("confirmed", {}) | given
    found.pop("iij_client_id", None)  # for the option client_id
    checked = ArgumentSpecValidator(CONFIRMED).validate(found)
    if checked.error_messages:
        raise OffboardError(f"found: {'; '.join(checked.error_messages)}", code="bad_option")
    return dict(checked.validated_parameters)


def _asked(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options, with what roles hand over (`found`, `answers`, `variables`): lists come before the task's own, else what the task itself gives counts."""
    asked = dict(params)
    handed_over = [*(asked.get("found") or ()), of_answers(asked.get("answers") or {}, asked["gate"])]
    handed_over.append({"confirmed": judged.confirmed(asked["variables"] or {}, asked.get("contract_options") or ())})
    given = {name: value for name, value in asked["confirmed"].items() if value != CONFIRMED[name].get("default")}
    asked["confirmed"] = confirmed_by(handed_over, given)
    for name, value in merged(handed_over).items():
        if name != "confirmed":
            own = asked.get(name)
            asked[name] = value if own is None else [*value, *own] if isinstance(own, list) else own
    return asked


def _with_files(asked: dict[str, Any], exports: Exports) -> dict[str, Any]:
    """And with what lies in the run folder: which exports there are, and whether the vault's password opens what is encrypted."""
    if asked.get("export_folder"):
        asked["export"] = exports({**asked, "path": asked["export_folder"]})
    if asked.get("vault_tried") and asked["gate"] == "preflight":
        try:
            decrypt_file(asked["vault_tried"], vault_password(asked))
        except OffboardError as exc:
            asked["dry_runs"] = [{"stage": "snapshot", "msg": exc.msg, "failure": {"code": exc.code}}, *asked["dry_runs"]]
    return asked


def _facts(asked: Mapping[str, Any]) -> Facts:
    journal, client_id = asked["journal"], names.uuid(asked["client_id"])
    begun = machines.begun(read_journal(journal)) if journal else []
    found = next((app for app in asked["apps"] or () if client_id and names.uuid(app["client_id"]) == client_id), None)
    read = {name: value for name, value in asked.items() if name in _READ}
    return Facts(
        **read,
        uninstalled_on=machines.uninstalled_on(begun),
        begun_kinds={record["kind"] for record in begun},
        app=_app(found, journal) if found is not None else None,
        now=now(),
    )


def _app(found: Mapping[str, Any], journal: str | None) -> quiet.AppActivity:
    principal = found.get("service_principal_id")
    return quiet.AppActivity(found.get("enabled"), quiet.switched_off(read_journal(journal), principal) if journal else None, found.get("activity_times"))


def _besides(gate: str, facts: Facts, confirmed: Confirmed, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a gate tells besides its findings."""
    begun = unfinished(read_lines(asked["journal"])) if asked["journal"] and gate in ("agents", "every_agent", "clients") else []
    if gate in ("agents", "every_agent"):
        left = plan.agents_left_on(facts, confirmed, begun, bool(asked.get("filter_files")))
        clear = [name for name in [*(facts.machines or {}), *(facts.linux_machines or {})] if name not in left]
        return {"anything_left": plan.anything_left(facts, confirmed, begun), "machines_left": left, "machines_clear": clear}
    if gate == "clients":
        return {"machines_left": plan.clients_left(facts, confirmed, begun)}
    if gate == "preflight" and asked["variables"] is not None:
        return {"draft": draft(facts, confirmed, asked["variables"], asked["language"])}
    return {}


def _keep(gate: str, findings: Sequence[Finding], made: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    if params.get("run_dir") and gate in ("preflight", "final"):
        options = (params.get("contract_options") or []) if gate == "final" else None
        kept.keep(params["run_dir"], params.get("run_tenant_id"), [item.to_dict() for item in findings], options, made.get("draft"))


def _stop(gate: str, told: Mapping[str, Any], why: str, warn: Callable[[str], None] | None) -> None:
    if warn is None or gate not in plan.AFTER_CHANGES:
        raise OffboardError(why, code="not_ready", details={name: value for name, value in told.items() if name != "verdict"})
    warn(plain.line(f"check mode: a real run would stop here. {why}"))
