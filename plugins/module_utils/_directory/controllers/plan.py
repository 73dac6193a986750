# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether domain controllers are well, and in which order they may be restarted, pure."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError
from ..._core.model import Refusal
from ..values import Entry, file_time, guid

#: FSMO roles by the object that names their owner, relative to the naming context of that kind ([MS-ADTS] 3.1.1.1.11).
ROLES = {
    "pdc_emulator": ("default", ""),
    "rid_master": ("default", "CN=RID Manager$,CN=System"),
    "infrastructure_master": ("default", "CN=Infrastructure"),
    "schema_master": ("schema", ""),
    "domain_naming_master": ("configuration", "CN=Partitions"),
}
PDC_EMULATOR = "pdc_emulator"
#: NTDSDSA_OPT_IS_GC, [MS-ADTS] 6.1.1.2.2.1.2.1.1
_IS_GLOBAL_CATALOG = 1
#: REPS_FROM up to the result of the last attempt, [MS-DRSR] 5.171: version, reserved, size, failures, last success, last attempt, result
_REPS_FROM = struct.Struct("<IIIIqqI")
#: where it has the objectGUID of the partner's "NTDS Settings" (uuidDsaObj)
_PARTNER = slice(160, 176)
_TICKS = 10_000_000


@dataclass(frozen=True)
class Partner:
    """From whom the domain is replicated: how often in a row that failed, and when it last succeeded (RFC 3339; empty for never).

    name: the DNS name of the domain controller; empty where the domain has none such (any more).
    """

    failures: int
    result: int
    last_success: str
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return {"partner": self.name, "failures": self.failures, "result": self.result, "last_success": self.last_success}


@dataclass(frozen=True)
class Controller:
    """One domain controller. `problems` are (code, msg); without any it is healthy."""

    name: str
    roles: tuple[str, ...] = ()
    global_catalog: bool = False
    problems: tuple[tuple[str, str], ...] = ()
    partners: tuple[Partner, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems

    @property
    def why(self) -> str:
        """What is wrong, in one line."""
        return "; ".join(msg for _code, msg in self.problems)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return {
            "name": self.name,
            "healthy": self.healthy,
            "roles": list(self.roles),
            "global_catalog": self.global_catalog,
            "problems": [{"code": code, "msg": msg} for code, msg in self.problems],
            "replication": [partner.to_dict() for partner in self.partners],
        }


def is_global_catalog(settings: Entry | None) -> bool:
    """Whether the object "NTDS Settings" of a server makes it a global catalog."""
    return bool(((settings.number("options") if settings else None) or 0) & _IS_GLOBAL_CATALOG)


def partner(data: bytes, by_guid: Mapping[str, str] = MappingProxyType({})) -> Partner:
    """One value of repsFrom. `by_guid`: the controllers by the objectGUID of their "NTDS Settings". Raises OffboardError `value_unreadable`."""
    if len(data) < _REPS_FROM.size:
        raise OffboardError("Active Directory gave a repsFrom that cannot be read", code="value_unreadable")
    version, _reserved, _size, failures, success, _attempt, result = _REPS_FROM.unpack_from(data)
    if version not in (1, 2):
        raise OffboardError("Active Directory gave a repsFrom that cannot be read", code="value_unreadable")
    at = file_time(success * _TICKS) if success > 0 else None
    named_by = data[_PARTNER]
    name = by_guid.get(guid(named_by), "") if len(named_by) == _PARTNER.stop - _PARTNER.start else ""
    return Partner(failures, result, at.isoformat(timespec="seconds") if at else "", name)


def problems(name: str, root: Entry, partners: Sequence[Partner], *, global_catalog: bool, alone: bool, ignored: Collection[str] = ()) -> list[tuple[str, str]]:
    """What a domain controller that answers says of itself. `alone`: the domain has no other one, so that it replicates with nobody.

    ignored: names of those whose state does not matter; so it does not that nothing comes from them.
    """
    left_out = {names.host(one) for one in ignored} - {""}  # the name of a partner whom the domain has no more
    found = []
    if (root.text("isSynchronized") or "").upper() != "TRUE":
        found.append(("not_synchronized", f"{name} has not finished its first synchronization since it started"))
    if global_catalog and (root.text("isGlobalCatalogReady") or "").upper() != "TRUE":
        found.append(("global_catalog_not_ready", f"{name} is a global catalog, and does not serve as one yet"))
    failing = [one for one in partners if (one.failures or one.result) and names.host(one.name) not in left_out]
    if failing:
        worst = max(failing, key=lambda one: one.failures)
        since = f"last success {worst.last_success or 'never'}" + (f", {worst.name}" if worst.name else "")
        found.append(("replication_failing", f"{name}: replication from {len(failing)} of {len(partners)} partners fails (error {worst.result}, {since})"))
    if not partners and not alone:
        found.append(("replication_missing", f"{name} replicates the domain from nobody"))
    return found


def named(controllers: Iterable[Controller], *meant: str) -> Controller | None:
    """The one that is meant by any of the names: its DNS name, or the first label of that."""
    wanted = {names.host(name) for name in meant if name}
    found = [one for one in controllers if names.host(one.name) in wanted]
    found = found or [one for one in controllers if names.host(one.name).partition(".")[0] in wanted]
    return found[0] if len(found) == 1 else None


def in_order(controllers: Iterable[Controller]) -> list[Controller]:
    """The order in which they may be restarted: those without a role first, the PDC emulator the very last; otherwise as given."""
    return sorted(controllers, key=lambda one: (PDC_EMULATOR in one.roles, len(one.roles) > 0))


def refusals(controllers: Sequence[Controller], restarted: Controller, healthy_others: int, ignored: Collection[str] = ()) -> list[Refusal]:
    """Why `restarted` must not be restarted now: unhealthy, too_few_healthy.

    healthy_others: how many of the others must be healthy. ignored: names of others whose state does not matter; they count as not healthy.
    """
    left_out = {names.host(name) for name in ignored}
    others = [one for one in controllers if names.host(one.name) != names.host(restarted.name)]
    found = []
    for one in (restarted, *others):
        if not one.healthy and (one is restarted or names.host(one.name) not in left_out):
            allow = f"ignore: [{one.name}]" if one is not restarted else ""
            found.append(Refusal("unhealthy", f"{one.name} is not healthy: {one.why}", (one.name,), allow))
    healthy = [one for one in others if one.healthy and names.host(one.name) not in left_out]
    if len(healthy) < healthy_others:
        found.append(
            Refusal(
                "too_few_healthy",
                f"while {restarted.name} is restarted {len(healthy)} other healthy domain controllers would remain, and {healthy_others} are demanded",
                (restarted.name,),
            )
        )
    return found


def owners(of_role: Mapping[str, str], settings: str) -> tuple[str, ...]:
    """The roles whose owner is the object "NTDS Settings" with that DN, compared as canonical DNs in lower case."""
    return tuple(role for role, owner in of_role.items() if owner == settings)
