# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_software and its _info twin: reading, uninstalling and verifying what software.py decides."""

from __future__ import annotations

import contextlib
import csv
import re
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import journal, phrases, redaction
from ..._core.errors import NotExact, OffboardError
from ..._core.machine_ids import is_of
from ..._core.model import Change, Object, Outcome, Refusal, Skip
from ..._core.plan import Plan
from ..._core.spool import Spool
from ..._module.files import read_journal
from ..._module.runner import Resource
from .. import registry
from ..client import Client, Shell
from ..connection import Connection
from ..password_filter.read import packages
from . import plan as software
from .options import InfoOptions, Options
from .plan import Product

_VIEWS = {"machine64": 64, "machine32": 32}
_SESSION_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"
_POLL_SECONDS = 1.0
_BUSY_SECONDS = 15.0
#: An uninstaller that is gone while its product is still registered has failed, unless that changes within this time:
#: between the end of the first process and the start of the copy that does the work there is a gap.
_GRACE_SECONDS = 15.0


def _uninstall_key(scope: str) -> tuple[str, int]:
    """Path and view of the Uninstall key of a scope."""
    if scope in _VIEWS:
        return rf"HKLM\{software.UNINSTALL}", _VIEWS[scope]
    return rf"HKU\{scope.partition(':')[2]}\{software.UNINSTALL}", 64


def installed(machine: registry.RegistryConnection) -> list[Product]:
    """Everything installed, for the machine (64 and 32 bits) and for accounts that are signed in."""
    return installed_in(machine, [*_VIEWS, *(f"user:{sid}" for sid in registry.user_hives(machine))])


def installed_in(machine: registry.RegistryConnection, scopes: Iterable[str]) -> list[Product]:
    """What is installed in some of the scopes."""
    found = []
    for scope in scopes:
        key, view = _uninstall_key(scope)
        look = registry.read if scope in _VIEWS else registry.read_if_there  # every machine has the key, few accounts do
        found += software.products_of(look(machine, key, view=view, recursive=True), scope)
    if not software.needs_environment(found):
        return found
    known = registry.environment(machine)
    return [software.expanded(product, known) for product in found]


def files_pending(machine: registry.RegistryConnection) -> set[str]:
    """Files that Windows will replace or delete at the next start."""
    return software.files_pending(registry.read(machine, _SESSION_MANAGER)[0].text("PendingFileRenameOperations"))


def processes(machine: registry.RegistryConnection) -> list[tuple[str, int]]:
    """(image, pid) of what runs."""
    answer = machine.run("tasklist.exe", "/fo", "csv", "/nh")
    try:
        rows = [row for row in csv.reader(answer.text.splitlines()) if len(row) > 1 and re.fullmatch("[0-9]{1,10}", row[1])]
    except csv.Error:
        rows = []
    if answer.exit_code or not rows:
        raise OffboardError(f"{machine.host}: tasklist does not tell what runs (exit code {answer.exit_code})", code="processes_unreadable")
    return [(row[0], int(row[1])) for row in rows]


class Software(Resource):
    """The products of one task."""

    noun = "products"
    kinds = (software.KIND,)
    on_machine = True

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options
        self._products: dict[str, Product] = {}
        self._extra: dict[str, list[str]] = {}
        #: what `apply` and `verify` have made of the products, by id
        self._done: dict[str, dict[str, Any]] = {}
        self._reboot_required = self._reboot_pending = False

    def read(self) -> Iterator[Object]:
        self._products = {product.id(self._client.host): product for product in installed(self._client)}
        self._reboot_pending = bool(files_pending(self._client))
        for product in self._products.values():
            yield software.object_of(self._client.host, product)

    def plan(self, current: Iterable[Object]) -> Plan:
        """A removal for each wanted product that is installed."""
        there = [self._products[item.id] for item in current]
        plan, results = Plan(), dict[str, dict[str, Any]]()
        for wanted in self._options.products:
            product = self._select(there, wanted)
            for own in software.beside(there, wanted):
                if (identity := own.id(self._client.host)) not in results:
                    plan.skipped.append(Skip(software.KIND, identity, own.name, "per_user", _per_user(own)))
                    plan.warnings.append(_per_user(own))
                    results[identity] = {**own.described(), "status": "per_user"}
            if product is None:
                plan.unchanged += 1
                shown = wanted.get("product_code") or wanted["name"]
                results[shown] = {"name": shown, "status": "absent"}
                continue
            identity = product.id(self._client.host)
            if identity in results:
                continue
            self._extra[identity] = wanted.get("uninstall_arguments") or []
            results[identity] = {**product.described(), "status": "planned"}
            change = Change(
                software.KIND,
                identity,
                product.name,
                "uninstall",
                before={**product.described(), **software.given(self._extra[identity])},
                after=None,
                risk="medium",
                undo=phrases.english("undo_software", name=product.name, version=product.version),
            )
            plan.changes.append(change)
        plan.facts["results"] = results
        return plan

    def _select(self, there: Sequence[Product], wanted: Mapping[str, Any]) -> Product | None:
        """`select`; None also where the one that is meant was removed before, and nearly its name has another one that stays."""
        try:
            return software.select(there, wanted)
        except NotExact:
            records = read_journal(self._options.journal) if self._options.journal else ()
            before = [record["before"] for record in journal.removed(records, software.KIND) if is_of(self._client.host, record["id"])]
            if not software.was_removed(wanted, before):
                raise
            return None

    def carried_out(self, begun: Sequence[Change]) -> Iterator[Change]:
        """Of this machine's products."""
        return (change for change in begun if is_of(self._client.host, change.id) and change.id not in self._products)

    def guard(self, plan: Plan) -> Iterator[Refusal]:
        """The rule unknown_installer."""
        for change in plan.changes:
            product = self._products[change.id]
            if not software.uninstaller(product):
                yield Refusal("unknown_installer", _no_program(product), (product.name,))
            elif product.installer == "other" and not self._extra[change.id]:
                yield Refusal(
                    "unknown_installer",
                    f"how to uninstall {product.name} without asking is not known: {software.why_unknown(product)}. "
                    f"It is registered with {redaction.command_line(product.quiet_uninstall_string or product.uninstall_string)}",
                    (product.name,),
                    allow_with=phrases.english("allow_uninstaller"),
                )

    def apply(self, change: Change) -> dict[str, Any]:
        """Run the uninstaller and wait until its work is done."""
        product = self._products[change.id]
        result = self._done.setdefault(change.id, {})
        now = next((item for item in installed_in(self._client, [product.scope]) if item.key.casefold() == product.key.casefold()), product)
        if now != product:  # its uninstaller may be another product's by now
            result |= {"status": "failed", "code": "changed_since_read"}
            raise OffboardError(
                f"{product.name} {product.version} has become {now.name} {now.version} ({redaction.command_line(now.uninstall_string)}) since it was read; "
                "run the task again",
                code="changed_since_read",
            )
        pending, filters = files_pending(self._client), packages(self._client)
        steps: list[str] = []
        try:
            details = self._uninstall(product, self._extra[change.id], steps)
        except OffboardError as exc:
            result |= {"status": "failed", "code": exc.code, **exc.details}
            exc.details["steps_done"] = steps
            with contextlib.suppress(OffboardError):  # what failed may have been the connection
                exc.details |= self._filters_gone(filters)
            raise
        if files_pending(self._client) - pending or (product.installer == "inno" and self._log_wants_restart(details["log"])):
            details["reboot_required"] = True
        details |= self._filters_gone(filters)
        self._reboot_required |= details["reboot_required"]
        result |= {"status": "uninstalled", **details}
        return details

    def _filters_gone(self, before: list[str]) -> dict[str, list[str]]:
        """The password filters that the uninstaller has taken away. LSA keeps them until the restart, which nobody can have confirmed before."""
        now = packages(self._client)
        gone = [name for name in before if name not in now]
        return {"password_filters_gone": gone} if gone else {}

    def _uninstall(self, product: Product, extra: list[str], steps: list[str]) -> dict[str, Any]:
        """What came of it; `steps` takes what was done before an error."""
        minutes = self._options.timeout_minutes
        end = time.monotonic() + minutes * 60
        program = software.uninstaller(product)
        # every user may make files in that folder: nobody shall know the name before
        log = rf"{registry.system_root(self._client)}\Temp\offboard-uninstall-{secrets.token_hex(16)}.log"
        details: dict[str, Any] = {"log": log} if product.installer in software.WRITES_LOG else {}
        see_log = f"; its log on the machine is {log}" if details else ""
        before = processes(self._client)
        try:
            # A shell of its own: ending it ends whatever the uninstaller has left running, and nothing else.
            with self._client.own_shell() as shell:
                steps.append("the uninstaller was started")
                details["exit_code"] = code = self._run(shell, product, software.uninstall_command(product, extra, log), end)
                if software.meaning(code) == "failed":
                    raise OffboardError(
                        f"the uninstaller of {product.name} failed ({software.failure(code)}){see_log}", code="uninstaller_failed", details=details
                    )
                if not self._await_end(shell, product, before, program, end):
                    raise OffboardError(
                        f"the uninstaller of {product.name} ended with {code}, but {product.name} is still registered{see_log}",
                        code="uninstaller_failed",
                        details=details,
                    )
        except OffboardError as exc:
            if exc.code not in ("command_timeout", "uninstaller_hangs"):
                raise
            left = software.still_at_work(before, processes(self._client), program)
            ended = f"{', '.join(f'{image} ({pid})' for image, pid in left)} could not be ended" if left else "it was ended"
            raise OffboardError(
                f"the uninstaller of {product.name} did not finish within {minutes} minutes; {ended}{see_log}", code="uninstaller_hangs", details=details
            ) from exc
        return {**details, "reboot_required": software.meaning(code) == "reboot"}

    def _run(self, shell: Shell, product: Product, command: list[str], end: float) -> int:
        """The uninstaller's exit code; while another installation is at work, again and again."""
        while True:
            self.tell(phrases.english("uninstalls", name=product.name))
            line = software.arguments_line(product, command[1:])
            code = shell.start(command[0], line, end - time.monotonic(), output_matters=False).exit_code
            if software.meaning(code) != "busy":
                return code
            if time.monotonic() + _BUSY_SECONDS > end:
                raise OffboardError(
                    f"{product.name} was not uninstalled: another installation is at work on {self._client.host} (exit code {code}); run again later",
                    code="installer_busy",
                    details={"exit_code": code},
                )
            self.tell(phrases.english("waits_for_installer", name=product.name))
            time.sleep(_BUSY_SECONDS)

    def _await_end(self, shell: Shell, product: Product, before: list[tuple[str, int]], program: str, end: float) -> bool:
        """Until no uninstaller runs; whether the product is gone then. The first process often ends before the work does."""
        idle_since = None
        while True:
            shell.keep()
            now_running, registered = self._client.unhurried(lambda: (processes(self._client), self._registered(product)), end)
            at_work = software.still_at_work(before, now_running, program)
            if not at_work and not registered:
                return True
            now = time.monotonic()
            if now > end:
                raise OffboardError(f"{product.name} is still being uninstalled", code="uninstaller_hangs")
            idle_since = None if at_work else idle_since or now
            if idle_since and now - idle_since > _GRACE_SECONDS:
                return False
            self.tell(phrases.english("waits_for_uninstaller", name=product.name))
            time.sleep(_POLL_SECONDS)

    def _log_wants_restart(self, log: str) -> bool:
        return self._client.run("findstr.exe", "/l", f"/c:{software.INNO_WANTS_RESTART}", log).exit_code == 0

    def _registered(self, product: Product) -> bool:
        key, view = _uninstall_key(product.scope)
        return product.key.casefold() in (child.name.casefold() for child in registry.read(self._client, key, view=view))

    def verify(self, applied: Spool) -> Iterator[Outcome]:
        """Read everything again."""
        self._reboot_pending = bool(files_pending(self._client))
        there = {product.id(self._client.host) for product in installed(self._client)} if len(applied) else set()
        for change in applied:
            if change.id in there:
                self._done[change.id]["status"] = "failed"
                yield Outcome(change, "failed", "not_seen", f"{change.name} is registered again although its uninstaller succeeded")

    def facts(self, plan: Plan) -> dict[str, Any]:
        results = [{**planned, **self._done.get(key, {})} for key, planned in plan.facts["results"].items()]
        return {"results": results, "reboot_required": self._reboot_required, "reboot_pending": self._reboot_pending}

    def close(self) -> None:
        self._client.close()


def _no_program(product: Product) -> str:
    name, text = software.not_understood(product)
    if not name:
        return f"{product.name} is registered without an uninstaller (UninstallString)"
    return (
        f"which program uninstalls {product.name} cannot be made out in its {name}, {redaction.command_line(text)}: "
        "a program's path ends in .exe, .com, .bat or .cmd, or stands between double quotes. Uninstall it by hand"
    )


def _per_user(product: Product) -> str:
    """Why it is left alone, and the way out."""
    key = rf"HKU\{product.scope[5:]}\{software.UNINSTALL}\{product.key}"
    return phrases.english("installed_for_one", name=product.name, account=product.scope[5:], key=key)


def make(params: Mapping[str, Any]) -> Software:
    options = Options.of(params)
    return Software(Client(Connection.from_params(params)), options)


def info(client: Client, options: InfoOptions) -> dict[str, Any]:
    names, publishers, folders = options.name_patterns, options.publisher_patterns, options.folders
    products = installed(client)
    pending = bool(files_pending(client))
    found = []
    for product in products:
        why = software.why(product, names, publishers, folders)
        if why or not (names or publishers or folders):
            entry = {**product.described(), "key": product.key, "installer": product.installer, "install_location": product.install_location}
            shown = {"quiet_uninstall": product.quiet_uninstall_string, "uninstall": product.uninstall_string}
            found.append({**entry, **{name: redaction.command_line(text) for name, text in shown.items()}, "why": why})
    named = sorted({product.name for wanted in options.products for product in software.meant(products, wanted)})
    return {"products": found, "named": named, "reboot_pending": pending}
