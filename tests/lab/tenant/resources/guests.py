# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests: invitation, reset of the redemption, and `redeem`, which plays the guest's browser.

Sources: learn.microsoft.com/graph/api/invitation-post, learn.microsoft.com/entra/external-id/reset-redemption-status,
/redemption-experience (which identity provider a guest gets), /user-properties (what `identities` says of each).
The texts of refusals are the lab's own.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from ... import company
from ..answers import Answer, bad_request, denied, now
from ..operation import Call, operation
from ..outside import SYNCED, VERIFIED
from ..store import Object, Store
from .cross_tenant_access import redemption_order
from .external_federations import TABLE as FEDERATIONS
from .users import USER_TYPES

if TYPE_CHECKING:
    from ..graph import Graph

#: learn.microsoft.com/graph/api/resources/invitation, invitedUserEmailAddress: not permitted; a period or hyphen is, but for the beginning
#: and the end of the name
_NOT_PERMITTED = frozenset('~!#$%^&*()+=[]{}\\/|;:"<>?,')
PENDING, ACCEPTED = "PendingAcceptance", "Accepted"
#: domains of mailboxes that are Google accounts by themselves
_GOOGLE = ("gmail.com", "googlemail.com")


def _mail_domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _own_identity(upn: str) -> list[Object]:
    """What an account that nobody has redeemed shows: only its name here."""
    return [{"signInType": "userPrincipalName", "issuer": company.data()["tenant"]["default_domain"], "issuerAssignedId": upn}]


def _addresses(user: Object) -> set[str]:
    return {address.casefold() for address in (user["mail"], *user["otherMails"]) if address}


@operation("POST", "/invitations", permissions="User.Invite.All User.ReadWrite.All Directory.ReadWrite.All", body="invitation")
def invite(call: Call) -> Answer:
    body = call.body
    for name in ("invitedUserEmailAddress", "inviteRedirectUrl"):
        if not body.get(name):
            bad_request(f"lab: {name} is missing.")
    address = body["invitedUserEmailAddress"]
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address):
        bad_request(f"lab: {address} is not a mail address.")
    name = address.rpartition("@")[0]
    if _NOT_PERMITTED & set(address) or name.strip(".-") != name:
        bad_request("The invited user email address contains a character that is not permitted.")
    if not re.fullmatch(r"https?://[^/\s]+\S*", body["inviteRedirectUrl"]):
        bad_request("lab: inviteRedirectUrl is not an address.")
    if len((body.get("invitedUserMessageInfo") or {}).get("ccRecipients") or ()) > 1:
        bad_request("lab: an invitation is sent to one further recipient only.")
    if (body.get("invitedUserType") or "Guest") not in USER_TYPES:
        bad_request("Invalid value specified for property 'invitedUserType' of resource 'Invitation'.")
    user = _reset(call, address) if body.get("resetRedemption") else _invited(call, address)
    state = "Completed" if user["externalUserState"] == ACCEPTED else user["externalUserState"]
    made = _invitation(body, user, state)
    call.store.put("invitations", made["id"], made)  # Graph offers no way to read it again; the lab's tests do
    return call.one("invitation", made, 201)


def _invitation(body: Object, user: Object, state: str) -> Object:
    return {
        "id": str(uuid.uuid4()),
        "inviteRedeemUrl": f"https://login.microsoftonline.com/redeem?rd=https%3a%2f%2finvitations.microsoft.com%2fredeem%2f%3ftenant%3d{company.tenant_id()}",
        "invitedUserDisplayName": body.get("invitedUserDisplayName"),
        "invitedUserType": body.get("invitedUserType") or "Guest",
        "invitedUserEmailAddress": body["invitedUserEmailAddress"],
        "sendInvitationMessage": body.get("sendInvitationMessage") or False,
        "resetRedemption": body.get("resetRedemption") or False,
        "inviteRedirectUrl": body["inviteRedirectUrl"],
        "status": state,
        "invitedUserMessageInfo": body.get("invitedUserMessageInfo") or {"messageLanguage": None, "customizedMessageBody": None, "ccRecipients": []},
        "invitedUser": {"id": user["id"], "userPrincipalName": user["userPrincipalName"]},
    }


def _invited(call: Call, address: str) -> Object:
    """The new guest; one who is there already is invited again and stays as they are."""
    own = call.table("domains").objects.get(_mail_domain(address))
    known = next((item for item in call.table("users").objects.values() if address.casefold() in _addresses(item)), None)
    if known is not None:
        if known["userType"] != "Guest":
            bad_request(f"The invited user already exists in the directory as object ID: {known['id']}.")
        return known
    if own is not None and own["isVerified"]:
        bad_request(f"lab: {address} is of a domain that is verified in this tenant.")
    name = f"{address.replace('@', '_')}#EXT#@{company.data()['tenant']['default_domain']}"
    values = company.user(
        name,
        call.body.get("invitedUserDisplayName") or address.partition("@")[0],
        id=str(uuid.uuid4()),
        mail=address,
        otherMails=[address],
        userType=call.body.get("invitedUserType") or "Guest",
        creationType="Invitation",
        externalUserState=PENDING,
        externalUserStateChangeDateTime=now(),
        createdDateTime=now(),
        usageLocation=None,
        identities=_own_identity(name),
    )
    call.audit("Invite external user", "User", values)
    return call.store.put("users", values["id"], values)


def _reset(call: Call, address: str) -> Object:
    """The account keeps its id, its name and what it is a member of; only the way to sign in is forgotten."""
    if not call.may("User.ReadWrite.All", "Directory.ReadWrite.All"):
        denied()
    user = call.current("users", str((call.body.get("invitedUser") or {}).get("id")))
    if user["creationType"] != "Invitation" and user["userType"] != "Guest":
        bad_request("lab: only a guest's redemption can be reset.")
    if call.directory_roles(user["id"]):
        denied()  # an application may not reset a guest who holds a directory role
    if address.casefold() not in _addresses(user):
        bad_request(f"lab: {address} is neither mail nor in otherMails of the guest.")
    call.audit("Update user", "User", user)
    values = {"externalUserState": PENDING, "externalUserStateChangeDateTime": now(), "identities": _own_identity(user["userPrincipalName"])}
    return call.store.put("users", user["id"], values)


# -- the step that no interface offers


def redeem(graph: Graph, key: str) -> Object:
    """The guest opens the invitation in a browser and consents: from now on they sign in with the first identity provider that
    the redemption order gives them. `key` is their mail address, UPN or id. Raises ValueError when they have nothing to redeem."""
    user = next(
        (
            item
            for item in graph.store.tables["users"].objects.values()
            if key.casefold() in {item["id"], item["userPrincipalName"].casefold(), *_addresses(item)}
        ),
        None,
    )
    if user is None or user["externalUserState"] != PENDING:
        raise ValueError(f"{key!r} has no invitation that waits for them")
    identity = {"signInType": "federated", "issuer": _identity_provider(graph, _mail_domain(user["mail"])), "issuerAssignedId": None}
    graph.store.delay = 0.0
    own = [item for item in user["identities"] if item["signInType"] != "federated"]
    values = {"externalUserState": ACCEPTED, "externalUserStateChangeDateTime": now(), "identities": [identity, *own]}
    redeemed = graph.store.put("users", user["id"], values)
    graph.store.flush()
    return redeemed


def _identity_provider(graph: Graph, domain: str) -> str:
    """What `issuer` of the guest's identity says afterwards."""
    order = redemption_order(graph.store)
    for provider in order["primaryIdentityProviderPrecedenceOrder"]:
        found = _primary(graph.store, graph.outside.realm(domain), domain, provider)
        if found:
            return found
    return "MicrosoftAccount" if order["fallbackIdentityProvider"] == "microsoftAccount" else "mail"


def _primary(store: Store, realm: str | None, domain: str, provider: str) -> str | None:
    match provider:
        case "azureActiveDirectory":  # an unmanaged account can no longer redeem
            return "ExternalAzureAD" if realm in (VERIFIED, SYNCED) else None
        case "externalFederation":
            federations: Any = store.tables[FEDERATIONS].objects.values()
            return next((item["issuerUri"] for item in federations if any(entry["id"] == domain for entry in item["domains"])), None)
        case "socialIdentityProviders":
            return "google.com" if domain in _GOOGLE else None
    return None
