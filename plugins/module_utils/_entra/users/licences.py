# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant's licences (SKUs), by part number and by id. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..._core import names
from ..._core.errors import OffboardError


@dataclass(frozen=True)
class Sku:
    """A licence that the tenant has. `free` seats, when it was read, below zero where more are used than there are; `ended` when none can be assigned any
    more, since the subscription is suspended or locked out; `plans` that it consists of, None where Graph does not tell."""

    id: str
    part_number: str
    free: int
    plans: frozenset[str] | None = None
    ended: bool = False

    @classmethod
    def of(cls, *rows: Mapping[str, Any]) -> Sku:
        """From a subscribedSku; from several where the tenant has accounts that hold the same SKU
        (https://learn.microsoft.com/graph/api/resources/subscribedsku: `id` is of the account and the SKU). A subscription that has ended goes on for a
        while (`warning`), and its seats can be assigned (https://learn.microsoft.com/graph/api/resources/licenseunitsdetail).
        """

        def units(name: str) -> int:
            return sum(max(0, (row.get("prepaidUnits") or {}).get(name) or 0) for row in rows)

        seats = units("enabled") + units("warning")
        known = [{names.uuid(plan["servicePlanId"]) for plan in row.get("servicePlans") or ()} for row in rows]
        return cls(
            id=names.licence(rows[0]["skuId"]),
            part_number=rows[0].get("skuPartNumber") or rows[0]["skuId"],
            free=seats - sum(row.get("consumedUnits") or 0 for row in rows),
            plans=frozenset().union(*known) if all(known) else None,
            ended=not seats and bool(units("suspended") or units("lockedOut")),
        )


class Skus:
    """The tenant's licences by part number and by id. Both are accepted; ids are compared, part numbers shown.

    `read` gives Graph's rows, and is only called when a part number has to be known: a rerun with nothing to do needs none.
    """

    def __init__(self, read: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        self._read = read
        self._ids: dict[str, str] = {}

    @cached_property
    def _skus(self) -> list[Sku]:
        """One for each id. A part number that several have names none of them: those go by their ids alone."""
        rows: dict[str, dict[str, Mapping[str, Any]]] = {}
        for row in self._read():
            if (row.get("appliesTo") or "User") == "User":
                rows.setdefault(names.licence(row["skuId"]), {})[row.get("id") or ""] = row
        skus = [Sku.of(*same.values()) for same in rows.values()]
        held = Counter(names.licence(sku.part_number) for sku in skus)
        return [sku if held[names.licence(sku.part_number)] == 1 else replace(sku, part_number=sku.id) for sku in skus]

    @cached_property
    def _by_name(self) -> dict[str, Sku]:
        return {names.licence(name): sku for sku in self._skus for name in (sku.id, sku.part_number)}

    def __contains__(self, name: str) -> bool:
        return names.licence(name) in self._by_name

    def id(self, name: str) -> str:
        """The id of a part number; an id as it is, known or not. Raises OffboardError `licence_unknown`."""
        found = self._ids.get(name)
        if found is None:
            found = self._ids[name] = meant if names.is_uuid(meant := names.licence(name)) else self.find(name).id
        return found

    def name(self, sku: str) -> str:
        """The part number of an id; the id itself for a licence that the tenant no longer has."""
        found = self._by_name.get(names.licence(sku))
        return found.part_number if found else sku

    def lost_plans(self, sku: str, plans: Iterable[str]) -> set[str]:
        """Those that the licence no longer has: to switch one off, Graph refuses the whole licence."""
        found = self._by_name.get(names.licence(sku))
        return set() if found is None or found.plans is None else {plan for plan in plans if names.uuid(plan) not in found.plans}

    def find(self, name: str) -> Sku:
        """By part number or id. Raises OffboardError `licence_unknown`."""
        found = self._by_name.get(names.licence(name))
        if found is None:
            raise OffboardError(f"the tenant has no licence {name!r}; it has {self}", code="licence_unknown")
        return found

    def __str__(self) -> str:
        return ", ".join(sku.part_number for sku in self._skus) or "none"
