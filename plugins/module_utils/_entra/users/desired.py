# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one user shall be, by the task's options, a line of `src` or the snapshot. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..._core import names
from ..._core.countries import COUNTRIES
from ..._core.errors import OffboardError
from .licence_group import LicenceGroup
from .licences import Skus


@dataclass(frozen=True)
class Desired:
    """What one user shall be. None and empty mean: leave it as it is.

    add: id → disabled plans, None for "whatever is there, else all plans on"; exact: the direct licences shall be those of `add` and
    no others; restored: those that the snapshot had, so that one that the tenant has no more is left out; blocked: leave the user
    alone, because they were blocked before the snapshot was taken.
    """

    enabled: bool | None = None
    add: Mapping[str, list[str] | None] = field(default_factory=dict)
    remove: frozenset[str] = frozenset()
    exact: bool = False
    usage_location: str | None = None
    password: bool = False
    access_pass: bool = False
    group: LicenceGroup | None = None
    revoke_sessions: bool = False
    restored: Collection[str] = ()
    blocked: bool = False


def desired_licences(names: Mapping[str, Any] | None, skus: Skus) -> dict[str, Any]:
    """`add`, `remove` and `exact` of a Desired from the option `licences` (add, remove, set)."""
    if not names:
        return {}
    wanted = names.get("set")
    if wanted is not None and (names.get("add") or names.get("remove")):
        raise OffboardError("licences: give either set, or add and remove", code="bad_option")
    add = {skus.id(name): None for name in (wanted if wanted is not None else names.get("add") or ())}
    # An unknown id to add comes out as soon as somebody lacks it. One to remove never would, for nobody has it.
    remove = frozenset(skus.find(name).id for name in names.get("remove") or ())
    if both := sorted(skus.name(sku) for sku in remove & add.keys()):
        raise OffboardError(f"licences: {', '.join(both)} is in add and in remove", code="bad_option")
    return {"add": add, "remove": remove, "exact": wanted is not None}


def _are_licences(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"add", "remove", "set"}
        and all(isinstance(names, list) and all(isinstance(name, str) for name in names) for names in value.values())
    )


_COUNTRY = "a country code of two letters, for instance JP (ISO 3166-1)"

#: What a line of `src` may say besides who it is about: the rule, and whether a value keeps to it.
_IN_SRC: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "enabled": ("true or false", lambda value: isinstance(value, bool)),
    "licences": ("an object of add, remove or set, each a list of names", _are_licences),
    "usage_location": (_COUNTRY, lambda value: isinstance(value, str) and value.upper() in COUNTRIES),
    "password": ('"keep" or "generate"', lambda value: value in ("keep", "generate")),
}


def country(text: str) -> str:
    """A usage location as Graph wants it: two capital letters (ISO 3166-1 alpha-2). Raises OffboardError `bad_option`."""
    if text.strip().upper() not in COUNTRIES:
        raise OffboardError(f"usage_location is {text!r}, but must be {_COUNTRY}", code="bad_option")
    return text.strip().upper()


def said_in(line: Mapping[str, Any], skus: Skus) -> dict[str, Any]:
    """What a line of `src` says of its own, by the fields of Desired: enabled, licences, usage_location, password (keep or generate).

    Raises OffboardError `bad_src` for anything else.
    """
    known = {"id", "userPrincipalName", *_IN_SRC}
    if unknown := sorted(set(line) - known):
        raise OffboardError(f"unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}", code="bad_src")
    for name, (rule, fits) in _IN_SRC.items():
        if name in line and not fits(line[name]):
            value = "something else" if name == "password" else json.dumps(line[name], ensure_ascii=False)  # it may be a real password
            raise OffboardError(f"{name} is {value}, but must be {rule}; left out, the task's option holds", code="bad_src")
    own: dict[str, Any] = {name: line[name] for name in ("enabled", "usage_location") if name in line}
    if "usage_location" in own:
        own["usage_location"] = own["usage_location"].upper()  # Graph refuses jp, for each user
    if "password" in line:
        own |= {"password": line["password"] == "generate", "access_pass": False}
    if "licences" in line:
        own |= desired_licences(line["licences"], skus)
    return own


def otherwise(base: Desired, said: Mapping[str, Any]) -> Desired:
    """`base`, but for what was said of the user alone. Licences that are added or removed so are beside those of a snapshot, and instead of a task's.

    Whoever is said to be blocked gets those of the snapshot nevertheless: a mailbox may hang on them. For a leaver without, `set` says so.
    """
    if "add" not in said:
        return replace(base, **said)
    saved = {sku: base.add[sku] for sku in base.restored}
    kept = {} if said["exact"] else {sku: plans for sku, plans in saved.items() if sku not in said["remove"]}
    return replace(base, **{**said, "add": {**kept, **{sku: saved.get(sku, plans) for sku, plans in said["add"].items()}}})


def from_snapshot(base: Desired, record: Mapping[str, Any], also_enable: Collection[str]) -> Desired:
    """What the snapshot says: enabled again if it was enabled then, its direct licences back. Nothing is ever taken away.

    Users who were blocked then stay so, unless their id or userPrincipalName (as `names.user` has it) is in `also_enable`.
    """
    named = not names.of_user(record["id"], record["userPrincipalName"]).isdisjoint(also_enable)
    if not record["accountEnabled"] and not named:
        return Desired(blocked=True)
    licences = {names.licence(item["skuId"]): list(item["disabledPlans"]) for item in record["licences"]}
    return replace(base, enabled=True, add=licences, usage_location=record.get("usageLocation") or base.usage_location, restored=(*licences,))
