# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""readiness_info: what was handed over and what the journal knows, judged, told and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..._core import names, plain
from ..._core.errors import OffboardError
from ..._core.journal import unfinished
from ..._core.text import Text
from ..._module.clock import now
from ..._module.files import read_journal, read_lines
from .. import phrases, quiet
from ..finding import Finding
from . import kept, machines, plan, telling
from .draft import draft
from .judged import Facts, missing
from .options import Exports, InfoOptions


def info(params: Mapping[str, Any], warn: Callable[[str], None] | None = None, *, exports: Exports) -> dict[str, Any]:
    """The return values. warn: in check mode, takes why a real run would stop.

    Raises OffboardError `not_ready`, `bad_option`, and those of `exports` and of `kept.keep`.
    """
    try:
        options = InfoOptions.of(params, exports)
        facts = _facts(options)
        findings = plan.GATES[options.gate](facts, options.confirmed)
        made = _besides(facts, options)
    except (LookupError, TypeError, ValueError, AttributeError) as exc:
        what = f": {exc.args[0]} is missing" if isinstance(exc, KeyError) else ""
        raise OffboardError(f"An option does not hold what the info module returns{what}. Give the values as they were returned.", code="bad_option") from None
    if warn is None:
        _keep(findings, made, options)
    told = telling.summary(findings, options.language, final=options.gate == "final")
    msg = telling.message(findings, options.language)
    if options.required and msg:
        _stop(findings, told, options, warn)
    return told if options.brief else {**made, **told, "findings": [item.to_dict() for item in findings], "msg": msg}


def _facts(options: InfoOptions) -> Facts:
    """What was read, and what lies in the run folder: its journal, the exports, and whether the vault's password opens what is encrypted."""
    read, journal = dict(options.read), options.journal
    if options.look_at_exports is not None:
        read["export"] = options.look_at_exports()
    if options.try_vault is not None:
        try:
            options.try_vault()
        except OffboardError as exc:
            read["dry_runs"] = [{"stage": "snapshot", "msg": exc.msg, "failure": {"code": exc.code}}, *read["dry_runs"]]
    begun = machines.begun(read_journal(journal)) if journal else []
    found = next((app for app in read["apps"] or () if options.client_id and names.uuid(app["client_id"]) == options.client_id), None)
    return Facts(
        **read,
        uninstalled_on=machines.uninstalled_on(begun),
        begun_kinds={record["kind"] for record in begun},
        missing=missing(read, options.contract_options) if options.gate == "final" else (),
        app=_app(found, journal) if found is not None else None,
        now=now(),
    )


def _app(found: Mapping[str, Any], journal: str) -> quiet.AppActivity:
    principal = found.get("service_principal_id")
    return quiet.AppActivity(found.get("enabled"), quiet.switched_off(read_journal(journal), principal) if journal else None, found.get("activity_times"))


def _besides(facts: Facts, options: InfoOptions) -> dict[str, Any]:
    """What a gate tells besides its findings."""
    gate, confirmed = options.gate, options.confirmed
    begun = unfinished(read_lines(options.journal)) if options.journal and gate in ("agents", "every_agent", "clients") else []
    if gate in ("agents", "every_agent"):
        left = plan.agents_left_on(facts, confirmed, begun, options.filter_files)
        clear = [name for name in [*(facts.machines or {}), *(facts.linux_machines or {})] if name not in left]
        return {"anything_left": plan.anything_left(facts, confirmed, begun), "machines_left": left, "machines_clear": clear}
    if gate == "clients":
        return {"machines_left": plan.clients_left(facts, confirmed, begun)}
    if gate == "preflight" and options.variables is not None:
        return {"draft": draft(facts, confirmed, options.variables, options.language)}
    return {}


def _keep(findings: Sequence[Finding], made: Mapping[str, Any], options: InfoOptions) -> None:
    if options.folder and options.gate in ("preflight", "final"):
        contract = options.contract_options if options.gate == "final" else None
        kept.keep(options.folder, options.tenant_id, [item.to_dict() for item in findings], contract, made.get("draft"))


def _stop(findings: Sequence[Finding], told: Mapping[str, Any], options: InfoOptions, warn: Callable[[str], None] | None) -> None:
    why = telling.verdict if options.brief else telling.message
    if warn is None or options.gate not in plan.AFTER_CHANGES:
        details = {name: value for name, value in told.items() if name != "verdict"}
        raise OffboardError(why(findings, options.language), code="not_ready", details=details)
    stops = phrases.told("would_stop", why=Text(why(findings, "en"), why(findings, "ja")))
    warn(plain.line(stops.told(options.language)))
