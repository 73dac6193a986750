# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The register of services that sign users in through IIJ ID, as one step of a person each. Pure."""

from __future__ import annotations

import datetime
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from ..._core import names, plain
from ..._core.errors import OffboardError
from ..._core.text import Text

STAGE = "relying_parties"
#: how the service and IIJ ID talk, as people write it
PROTOCOLS = {
    "saml": Text("SAML", "SAML"),
    "oidc": Text("OpenID Connect", "OpenID Connect"),
    "scim": Text("SCIM", "SCIM"),
    "other": Text("another protocol", "その他の方式"),
}


def identity(name: str) -> str:
    """The id of a service's step: of the letters a-z and digits of its name; where it has others too, with eight digits that tell it from its like."""
    folded = unicodedata.normalize("NFKC", name).casefold().strip()
    slug = re.sub(r"[^a-z0-9]+", "_", folded).strip("_")
    lost = any(character.isalnum() and not character.isascii() for character in folded)
    parts = [slug] if slug else []
    return "_".join(["service", *parts, *([hashlib.sha256(folded.encode()).hexdigest()[:8]] if lost or not slug else [])])


def definitions(services: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One step for each service; each keeps the final gate closed. Raises OffboardError `invalid_step` for a service without a name."""
    return [_definition(service) for service in services]


def _definition(service: Mapping[str, Any]) -> dict[str, Any]:
    name, owner, unlink, test = (plain.line(names.visible(service.get(key) or "")) for key in ("name", "owner", "unlink", "test"))
    if not name:
        raise OffboardError("A service of the register has no name.", code="invalid_step")
    protocol = PROTOCOLS[service["protocol"]]
    who = Text(f", owner {owner}", f"、担当 {owner}") if owner else Text("", "")
    return {
        "id": step_id(service),
        "stage": STAGE,
        "en": f"{name} ({protocol.en}{who.en}): end its link to IIJ ID{f' ({unlink})' if unlink else ''}, and test the sign-in that "
        f"replaces it{f' ({test})' if test else ''}.",
        "ja": f"{name}（{protocol.ja}{who.ja}）: IIJ IDとの連携を解除し{f'（{unlink}）' if unlink else ''}、"
        f"代わりのサインインを確かめる{f'（{test}）' if test else ''}。",
        "blocks_final_gate": True,
        "source": service.get("source") or "",
    }


def done(services: Iterable[Mapping[str, Any]], now: str) -> list[tuple[str, str, str]]:
    """Of those that the register says are done: the step, who says so, and the note with the date.

    now: RFC 3339 in UTC. Raises OffboardError `invalid_step` for what is no date, a day that is yet to come anywhere on earth, or nobody who says so.
    """
    return [_done(service, now) for service in services if service.get("done")]


def _done(service: Mapping[str, Any], now: str) -> tuple[str, str, str]:
    name, owner = (plain.line(names.visible(service.get(key) or "")) for key in ("name", "owner"))
    latest = (datetime.datetime.fromisoformat(now) + datetime.timedelta(hours=14)).date()
    try:
        day = datetime.date.fromisoformat(service["done"])
    except ValueError:
        raise OffboardError(f"The service {name} has in done what is no date such as 2026-11-28.", code="invalid_step") from None
    if day > latest:
        raise OffboardError(f"The service {name} is said to be done on {day}, which is yet to come.", code="invalid_step")
    if not owner:
        raise OffboardError(f"The service {name} is said to be done on {day}, but it has no owner who says so.", code="invalid_step")
    return step_id(service), owner, f"custom_applications_services: {day}"


def step_id(service: Mapping[str, Any]) -> str:
    """The id that the register gives, or one made of its name."""
    return f"service_{service['id']}" if service.get("id") else identity(service["name"])
