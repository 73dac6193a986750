# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What federations have announced: the certificates in metadata whose signature a certificate verified that Entra held then. AD FS announces a successor
so, and signs its metadata with it from the day of the switch on; whoever remembers the former knows the latter. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core import names


@dataclass(frozen=True)
class Announced:
    """Of one federation: by which certificates (`by`) which others (`certificates`) are vouched for, both by their SHA-256, for which issuer."""

    issuer: str
    by: frozenset[str]
    certificates: frozenset[str]

    def counts(self, issuer: str | None, held: Iterable[str]) -> bool:
        """Whether Entra still holds one of those who said it, for the same issuer."""
        return issuer == self.issuer and not self.by.isdisjoint(held)

    def to_dict(self) -> dict[str, Any]:
        """JSON-serialisable."""
        return {"issuer": self.issuer, "by": sorted(self.by), "certificates": sorted(self.certificates)}


def parse(content: Any, tenant_id: str) -> dict[tuple[str, str], Announced]:
    """By kind and id of the federation, out of `tenant_id` and `announced` of an answer of one of the two modules; empty for one of another tenant.

    Raises ValueError, which quotes nothing.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get("tenant_id"), str) or not isinstance(content.get("announced"), list):
        raise ValueError("it is no answer of entra_federation_certificate_info")
    if names.uuid(content["tenant_id"]) != names.uuid(tenant_id):
        return {}
    found = {}
    for entry in content["announced"]:
        if not isinstance(entry, Mapping) or not all(isinstance(entry.get(name), str) for name in ("kind", "id")):
            raise ValueError("a federation of it has no kind or id")
        found[entry["kind"], entry["id"]] = _announced(entry.get("announced"))
    return found


def _announced(content: Any) -> Announced:
    if not isinstance(content, Mapping) or not isinstance(content.get("issuer"), str):
        raise ValueError("what was announced has no issuer")
    lists = [content.get(name) for name in ("by", "certificates")]
    if not all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in lists):
        raise ValueError("what was announced is no list")
    return Announced(content["issuer"], *(frozenset(one or ()) for one in lists))
