# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of guests: parsed, and checked before anybody is asked."""

from __future__ import annotations

import re
import urllib.parse
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.address import shown
from ..._core.errors import OffboardError
from ..._core.names import user, users
from ..._federation.url_rule import comparable
from ..._federation.values import mail_address, names
from .plan import WantedGuest

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class Options:
    """Of entra_guests. None: not given."""

    #: `invited`, `redemption_reset`, `reinvited`, `absent` or `restored`
    state: str
    #: those who are named, without those who are excluded
    wanted: Sequence[WantedGuest]
    #: whether guests are named one by one; else `selection` tells them
    by_name: bool
    #: `domains`, `issuers`, `states` and `exclude`, as `plan.selects` takes them
    selection: Mapping[str, Collection[str]]
    #: what is wanted of those who are selected
    default: WantedGuest
    look_up_domains: bool
    #: seconds since the last change of federations and redemption order, before anybody is invited
    settle_seconds: int
    force: bool
    #: where a copy of what guests hold lies before they are deleted; "" where nobody is
    backup_dir: str
    role_assignable_groups: bool
    accept_losses: bool
    accept_redirect_without_tenant: bool
    accept_synced_tenant: bool
    journal: str | None
    #: seconds
    verify_timeout: float

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `bad_option`, and what an address or a domain may not be."""
        wanted = _wanted(params)
        selection = {
            "domains": set(names(params["domains"] or ())),
            "issuers": {comparable(issuer) for issuer in params["issuers"] or ()},
            "states": set(params["states"] or ()),
            "exclude": {*users(params["exclude"]), *map(comparable, params["exclude"])},
        }
        return cls(
            state=params["state"],
            wanted=[who for who in wanted if not {user(who.shown), comparable(who.shown)} & selection["exclude"]],
            by_name=params["guests"] is not None or params["ids"] is not None,
            selection=selection,
            default=WantedGuest(invitation=_invitation_of(params, {})),
            look_up_domains=params["look_up_domains"],
            settle_seconds=params["settle_seconds"],
            force=params["force"],
            backup_dir=params["backup_dir"] or "",
            role_assignable_groups=params["role_assignable_groups"],
            accept_losses=params["accept_losses"],
            accept_redirect_without_tenant=params["accept_redirect_without_tenant"],
            accept_synced_tenant=params["accept_synced_tenant"],
            journal=params["journal"] or None,
            verify_timeout=params["verify_timeout"],
        )

    @property
    def invites(self) -> bool:
        """Whether guests get an invitation."""
        return self.state in ("invited", "redemption_reset", "reinvited")


@dataclass(frozen=True)
class InfoOptions:
    """Of entra_guests_info. Every empty part takes all."""

    domains: Collection[str]
    issuers: frozenset[str]
    states: Collection[str]
    look_up_domains: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `domain_invalid`, `domain_is_public_suffix`."""
        return cls(
            domains=frozenset(names(params["domains"] or ())),
            issuers=frozenset(comparable(issuer) for issuer in params["issuers"] or ()),
            states=params["states"] or (),
            look_up_domains=params["look_up_domains"],
        )


def _wanted(params: Mapping[str, Any]) -> list[WantedGuest]:
    """The guests that the options name, each once; none when they are selected. Raises OffboardError."""
    named = params["guests"] is not None or params["ids"] is not None
    if any(params[name] for name in ("domains", "issuers", "states")):
        if named or params["state"] != "redemption_reset":
            raise OffboardError(
                "domains, issuers and states select guests for state=redemption_reset only, and not together with guests or ids; "
                "name those who shall be deleted by ids, which entra_guests_info tells",
                code="bad_option",
            )
        return []
    if not named:
        state = params["state"]
        missing = "select guests by guests, ids, domains, issuers or states" if state == "redemption_reset" else f"state={state} needs guests or ids"
        raise OffboardError(missing, code="bad_option")
    found = [WantedGuest(mail_address(item["mail"]), "", item.get("display_name"), _invitation_of(params, item)) for item in params["guests"] or ()]
    found += [WantedGuest(key=comparable(key.strip()), invitation=_invitation_of(params, {})) for key in params["ids"] or ()]
    _check_state(params)
    seen: set[str] = set()
    for item in found:
        if comparable(item.shown) in seen:
            raise OffboardError(f"{item.shown} is named twice", code="bad_option")
        seen.add(comparable(item.shown))
    return found


def _check_state(params: Mapping[str, Any]) -> None:
    """Raises OffboardError `bad_option` for what the state needs and has not, or has and cannot need."""
    if params["state"] == "reinvited" and not params["backup_dir"]:
        raise OffboardError("state=reinvited needs backup_dir: what the guest holds must be on the disk before the account is deleted", code="bad_option")
    if params["settle_seconds"] < 0 or (params["settle_seconds"] and not params["journal"]):
        raise OffboardError("settle_seconds is a number of seconds since what the journal tells: it needs journal, and is not negative", code="bad_option")
    if params["state"] == "invited" and params["ids"]:
        raise OffboardError("state=invited takes guests, not ids: who is not there yet has none", code="bad_option")


def _invitation_of(params: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The invitation for one guest, from the options of the guest and of the task. Raises OffboardError `bad_option`."""
    if params["state"] in ("absent", "restored"):
        return {}
    needs_default = not (options.get("redirect_url") or params["redirect_url"])
    return invitation(options, params, default_redirect_url(params["tenant_id"], params["cloud"]) if needs_default else "")


def default_redirect_url(tenant_id: str, cloud: str) -> str:
    """The tenant's My Apps page. Raises OffboardError `bad_option` where its address is not known."""
    if cloud != "global":
        raise OffboardError(f"the address of My Apps is not known for cloud {cloud!r}: give redirect_url, with the tenant in it", code="bad_option")
    return f"https://myapps.microsoft.com/?tenantid={tenant_id}" if _is_guid(tenant_id) else f"https://myapps.microsoft.com/{tenant_id}"


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def invitation(options: Mapping[str, Any], defaults: Mapping[str, Any], redirect_url: str) -> dict[str, Any]:
    """What an invitation says, in Graph's words, from the options of one guest and those of the task. Raises OffboardError `bad_option`."""
    parts = ("redirect_url", "send_message", "message_body", "language", "cc")
    chosen = {name: options.get(name) if options.get(name) is not None else defaults.get(name) for name in parts}
    address = chosen["redirect_url"] or redirect_url
    try:
        split = urllib.parse.urlsplit(address)
    except ValueError as exc:
        raise OffboardError(f"redirect_url is {shown(address)!r}, which is not an address", code="bad_option") from exc
    if split.scheme != "https" or not split.hostname:
        raise OffboardError(f"redirect_url is {shown(address)!r}, which is not an https address", code="bad_option")
    if chosen["language"] and not _LANGUAGE.fullmatch(chosen["language"]):
        raise OffboardError(f"language is {chosen['language']!r}, which is not a language tag such as ja-JP", code="bad_option")
    copies = [mail_address(text) for text in chosen["cc"] or ()]
    if len(copies) > 1:
        raise OffboardError(f"cc names {len(copies)} addresses, but Graph sends an invitation to one of them only", code="bad_option")
    body: dict[str, Any] = {"inviteRedirectUrl": address, "sendInvitationMessage": bool(chosen["send_message"])}
    info = {"messageLanguage": chosen["language"], "customizedMessageBody": chosen["message_body"]}
    info = {name: value for name, value in info.items() if value}
    if copies:
        info["ccRecipients"] = [{"emailAddress": {"address": address}} for address in copies]
    return {**body, "invitedUserMessageInfo": info} if info and body["sendInvitationMessage"] else body
