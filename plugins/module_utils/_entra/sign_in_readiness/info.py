# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""entra_sign_in_readiness_info: reads what `plan.judge` judges, for each user of the given domains."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import closing
from typing import Any

from ..._core import names, plain
from ..._core.heads import Heads
from ..._graph.client import Client
from ..._graph.connection import Connection
from ..._module import budget
from ..._module.clock import now
from ..._module.files import write_atomically
from ..._module.progress import Progress
from ..._offboarding import sign_in_verdict as sign_in
from ..._offboarding.preconditions import steps_now
from ..domains.plan import FEDERATED, authentication_of, is_of, root_of, upn_domain
from ..domains.read import check_known, read_domains
from ..roles import read_roles, read_whole
from ..users.plan import FULL_RESET_ROLES, signs_in_at_home
from ..users.results import Results
from . import plan, read
from .options import InfoOptions

_POLICIES = "/identity/conditionalAccess/policies"
#: those whom a person has accepted take nobody's place in the answer
_ACCEPTED = "accepted"
_DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
_HASH_SYNC_VERIFIED = "password_hash_sync_verified"


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of entra_sign_in_readiness_info."""
    options = InfoOptions.of(params)
    roots = options.domains
    results, started = Results(options.results_file), now()
    with closing(results), Client(Connection.from_params(params)) as client:
        tenant = _Tenant(client, options)
        check_known(client, "domains", roots, tenant.domains)
        sums = _Sums(results, options.accepted)
        progress = Progress(options.progress_file, "users", None)
        for item, with_activity in read.read_users(client, tenant.parts):
            progress.add()
            domain = upn_domain(item["userPrincipalName"])
            if root_of(domain, roots) is not None and not signs_in_at_home(item["userPrincipalName"]):
                sums.add(item, domain, *tenant.judge(item, domain, with_activity))
        results.publish()
        if options.verdict_file:
            verdict = sign_in.verdict(client.identity()["tenant_id"], roots, started, *sums.without_way_in())
            write_atomically(options.verdict_file, (json.dumps(verdict, ensure_ascii=False, indent=2) + "\n").encode())
        return {**sums.answer(), **tenant.answer()}


def _is_confirmed(path: str, step: str) -> bool:
    return any(item.id == step and item.state["done"] for item in steps_now(path))


class _Tenant:
    """What is read once, and then asked for each user."""

    def __init__(self, client: Client, options: InfoOptions) -> None:
        self.parts = parts = read.Parts()
        since = datetime.datetime.fromisoformat(now()) - datetime.timedelta(days=options.days)
        self._since = since.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.domains = {item.id: item.state for item in read_domains(client, configurations_of=())}
        self._left_alone, self._otherwise = options.exclude, options.signs_in_otherwise
        self._also_enable = options.also_enable
        self._roles = parts.read("roles", lambda: read_whole(client))
        organization = parts.read("organization", lambda: read.one(client.list("/organization"), "/organization"))
        self._means = plan.Means(
            passwords=options.passwords,
            synced_password=options.synced_password,
            hash_sync=options.password_hash_sync or (options.steps_file is not None and _is_confirmed(options.steps_file, _HASH_SYNC_VERIFIED)),
            synchronized=organization is None or bool(organization.get("onPremisesSyncEnabled")),
            may_reset_every_administrator=self._roles is not None and bool(read_roles(client).get(client.identity()["object_id"], set()) & FULL_RESET_ROLES),
        )
        policies = parts.read("conditional_access", lambda: list(client.list(_POLICIES)))
        self._policies = None if policies is None else plan.demanding(policies)
        self._limiting = plan.limiting_registration(policies or ())
        defaults = parts.read("security_defaults", lambda: read.one([client.get(_DEFAULTS)], _DEFAULTS))
        self._defaults = None if defaults is None else bool(defaults.get("isEnabled"))

        def shown(noun: str) -> Progress:
            return Progress(options.progress_file, noun, None)

        self._groups = read.Groups(client, {key for policy in self._policies or () for key in policy.groups}, parts)
        self._registrations = parts.read("registered_methods", lambda: read.Registrations(client, shown("registered methods")))
        self._legacy = parts.read(
            "legacy_sign_ins", lambda: read.read_legacy(client, self._since, options.max_log_pages, parts, shown("entries of the sign-in log"))
        )

    def judge(self, item: Mapping[str, Any], domain: str, with_activity: bool) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        """What applies to one user, and what it was judged by."""
        user_id = names.uuid(item["id"])
        called = {user_id, names.user(item["userPrincipalName"])}
        roles: Collection[str] | None = None if self._roles is None else self._roles.get(item["id"], ())
        asked = plan.asked(self._policies, self._defaults, user_id, roles, self._groups.has(user_id), guest=item.get("userType") == "Guest")
        # the report leaves blocked users out; a row of an earlier time says nothing of today
        registration = self._registrations.of(user_id) if self._registrations is not None and item["accountEnabled"] else None
        password = plan.password_of(
            self._means,
            federated=authentication_of(domain, self.domains) == FEDERATED,
            left_alone=bool(called & self._left_alone),
            otherwise=bool(called & self._otherwise) or is_of(domain, self._otherwise),
            synced=bool(item.get("onPremisesSyncEnabled")),
            roles=roles,
            registration=registration,
        )
        legacy = None if self._legacy is None else self._legacy.of(user_id)
        found = plan.judge(
            plan.Person(
                enabled=bool(item["accountEnabled"]),
                to_be_enabled=bool(called & self._also_enable),
                licensed=bool(item.get("assignedLicenses")),
                password=password,
                registration=registration,
                no_registration="registration_not_read" if self._registrations is None else "not_in_report",
                demanded=asked.demanded,
                legacy=legacy,
                service=plan.by_programs(item.get("signInActivity") or {}, self._since) if with_activity else None,
            )
        )
        return found, {
            "password": password,
            "mfa": None if registration is None else registration.capable,
            "roles": None if roles is None else sorted(roles),
            "legacy_clients": legacy,
            "asked_by": list(asked.by),
            "excluded_from": list(asked.excluded_from),
        }

    def answer(self) -> dict[str, Any]:
        return {"since": self._since, "not_looked_at": self.parts.not_looked_at, "registration_limited_by": self._limiting}


class _Sums:
    """Counts of everybody, and the first of those who are not ready, the worst verdicts first."""

    def __init__(self, results: Results, accepted: Collection[str]) -> None:
        self._results, self._accepted = results, accepted
        self._domains: dict[str, Counter[str]] = {}
        self._codes: Counter[str] = Counter()
        self._passwords: Counter[str] = Counter()
        self._heads: Heads[dict[str, Any]] = Heads()
        self._open = 0

    def add(self, item: Mapping[str, Any], domain: str, found: list[tuple[str, str]], facts: Mapping[str, Any]) -> None:
        verdict, upn = found[0][0], item["userPrincipalName"]
        codes = list(dict.fromkeys(code for code, _reason in found))
        self._domains.setdefault(domain, Counter())[verdict] += 1
        self._codes.update(codes)
        self._passwords[facts["password"]] += bool(item["accountEnabled"])
        msg = f"{upn} {plan.words(found)}"
        accepted = not names.of_user(item["id"], upn).isdisjoint(self._accepted)
        self._open += verdict == plan.NO_WAY_IN and not accepted
        line = {"codes": codes, "reasons": [reason for _code, reason in found if reason], **facts}
        self._results.add(item["id"], upn, verdict, verdict, msg, line)
        if verdict != plan.READY:
            self._heads.add(_ACCEPTED if accepted else verdict, {"id": item["id"], "name": upn, "code": verdict, "msg": msg, "accepted": accepted, **line})

    def without_way_in(self) -> tuple[int, list[str]]:
        """How many have no way in and are not accepted, and the names of the first of them."""
        return self._open, [plain.line(row["name"]) for row in self._heads.of(plan.NO_WAY_IN)]

    def answer(self) -> dict[str, Any]:
        counts = {code: sum(of[code] for of in self._domains.values()) for code in plan.RANK}
        return {
            "counts": counts,
            "codes": dict(self._codes),
            "passwords": dict(self._passwords),
            "domains": [{"domain": name, "total": of.total(), "counts": {code: of[code] for code in plan.RANK}} for name, of in sorted(self._domains.items())],
            "users": budget.sample_of(self._heads, plan.RANK),
            "no_way_in_open": self._open,
        }
