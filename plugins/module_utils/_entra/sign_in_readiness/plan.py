# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether one user will be able to sign in once their domain is converted, and what will come in their way. Pure functions over what was read.

What could not be read is never taken for "no": a user without a row in Microsoft's report is `not_known`, and not somebody without a second factor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..._core import names
from ..users.plan import RESETTABLE_ROLES

READY, BLOCKED, NO_WAY_IN, SERVICE, LEGACY, MUST_REGISTER, NO_LICENCE, NOT_KNOWN = (
    "ready",
    "blocked",
    "no_way_in",
    "looks_like_a_service",
    "legacy_client",
    "must_register_mfa",
    "no_licence",
    "not_known",
)
#: A user's verdict is the first that applies.
RANK = (BLOCKED, NO_WAY_IN, SERVICE, LEGACY, MUST_REGISTER, NO_LICENCE, NOT_KNOWN, READY)

#: How a user comes to what they sign in with: their own of now, a new password, a pass, the one of Active Directory, another method of theirs, a person's
#: word; an administrator's by hand; that of Active Directory where nobody has verified its synchronization; not known, since they may be an administrator;
#: or none.
OWN, NEW, PASS, HASH_SYNC, METHOD, OTHERWISE, BY_HAND, UNVERIFIED, NO_ROLES, NONE = (
    "own", "new", "pass", "hash_sync", "registered_method", "otherwise", "by_hand", "hash_sync_not_verified", "roles_not_read", "none",
)  # fmt: skip

#: `clientAppUsed` of clients that know no modern authentication: learn.microsoft.com/entra/identity/conditional-access/policy-block-legacy-authentication,
#: learn.microsoft.com/entra/identity/monitoring-health/concept-sign-in-log-activity-details; IMAP, MAPI, POP and SMTP are what Microsoft Graph's own
#: description of the property calls them
LEGACY_CLIENTS = (
    "Authenticated SMTP",
    "Autodiscover",
    "Exchange ActiveSync",
    "Exchange Online PowerShell",
    "Exchange Web Services",
    "IMAP",
    "IMAP4",
    "MAPI",
    "MAPI Over HTTP",
    "Offline Address Book",
    "Other clients",
    "Outlook Anywhere (RPC over HTTP)",
    "POP",
    "POP3",
    "Reporting Web Services",
    "SMTP",
    "Universal Outlook",
)


class Registration(NamedTuple):
    """A user's row of the report userRegistrationDetails. capable: they have registered a second factor that the tenant's policy allows."""

    capable: bool
    passwordless: bool


@dataclass(frozen=True)
class Means:
    """By what the exit gives people a way to sign in."""

    passwords: str = "generate"
    synced_password: str = "skip"
    #: a person has verified that password hashes are synchronized, and the tenant is synchronized from Active Directory at all
    hash_sync: bool = False
    synchronized: bool = True
    #: the app may give every administrator a password
    may_reset_every_administrator: bool = False


@dataclass(frozen=True)
class Person:
    """What is known of one user. None: it could not be read."""

    enabled: bool = True
    #: blocked now, and somebody means to enable them
    to_be_enabled: bool = False
    licensed: bool = True
    #: how they will come to a password, as `password_of` says
    password: str = NEW
    registration: Registration | None = None
    #: why there is no row for them, where there is none
    no_registration: str = "not_in_report"
    #: whether something demands a second factor of them
    demanded: bool | None = False
    #: clients without modern authentication that they used lately
    legacy: Collection[str] | None = ()
    #: signed in by programs lately, and not by hand
    service: bool | None = False


def password_of(
    means: Means, *, federated: bool, left_alone: bool, otherwise: bool, synced: bool, roles: Collection[str] | None, registration: Registration | None
) -> str:
    """How a user comes to what they sign in with once their domain is converted. roles: None where they could not be read."""
    if not federated:
        return OWN
    if otherwise:
        return OTHERWISE
    given = _given(means, left_alone, synced, roles)
    if given in (NONE, UNVERIFIED, BY_HAND, NO_ROLES) and registration is not None and registration.passwordless:
        return METHOD
    return given


def _given(means: Means, left_alone: bool, synced: bool, roles: Collection[str] | None) -> str:
    if synced and (means.synced_password == "skip" or left_alone):
        return HASH_SYNC if means.synchronized and means.hash_sync else UNVERIFIED if means.synchronized else NONE
    if left_alone or means.passwords == "keep":
        return NONE
    if roles is None:
        return NO_ROLES
    if set(roles) - RESETTABLE_ROLES and not means.may_reset_every_administrator:
        return BY_HAND
    return PASS if means.passwords == "temporary_access_pass" else NEW


def by_programs(activity: Mapping[str, Any], since: str) -> bool:
    """Whether a user has signed in since then (RFC 3339, UTC) by programs, and not by hand. signInActivity tells of attempts, whatever came of them."""
    by_hand, by_program = (str(activity.get(name) or "") for name in ("lastSignInDateTime", "lastNonInteractiveSignInDateTime"))
    return by_program[:19] >= since[:19] > by_hand[:19]


def judge(person: Person) -> list[tuple[str, str]]:
    """(code, reason) of all that applies, the verdict first; a reason is empty except of `not_known`."""
    if not person.enabled and not person.to_be_enabled:
        return [(BLOCKED, "")]
    found: list[tuple[str, str]] = []
    if person.password == NONE:
        found.append((NO_WAY_IN, ""))
    elif person.password in (BY_HAND, UNVERIFIED, NO_ROLES):
        found.append((NOT_KNOWN, person.password))
    if person.service:
        found.append((SERVICE, ""))
    if person.legacy:
        found.append((LEGACY, ""))
    if person.service is None or person.legacy is None:
        found.append((NOT_KNOWN, "sign_ins_not_read"))
    found += _second_factor(person)
    if not person.licensed:
        found.append((NO_LICENCE, ""))
    return sorted(found, key=lambda item: RANK.index(item[0])) or [(READY, "")]


def _second_factor(person: Person) -> list[tuple[str, str]]:
    if person.demanded is False:
        return []
    if not person.enabled:  # the report leaves blocked users out
        return [(NOT_KNOWN, "blocked_now")]
    if person.registration is None:
        return [(NOT_KNOWN, person.no_registration)]
    if person.registration.capable:
        return []
    return [(MUST_REGISTER, "")] if person.demanded else [(NOT_KNOWN, "policies_not_read")]


# --- who is asked for a second factor --------------------------------------------------------------------------------------------

#: What a policy calls all users, and all guests; its newer word for guests names their kinds, of which internal ones may be somebody here.
_ALL, _GUESTS = "all", "guestsorexternalusers"

#: Whether somebody is in a group; None where its members could not be read.
InGroup = Callable[[str], bool | None]  # pylint: disable=unsupported-binary-operation


@dataclass(frozen=True)
class AccessPolicy:
    """One policy of Conditional Access: whom it includes and excludes, by ids."""

    name: str
    include: Mapping[str, frozenset[str]] = field(default_factory=dict)
    exclude: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def takes(self, called: Collection[str], roles: Collection[str], in_group: InGroup) -> tuple[bool | None, bool | None]:
        """Whether it includes a user, and whether it then excludes them. called: what a policy may call them."""
        return _named(self.include, called, roles, in_group), _named(self.exclude, called, roles, in_group)

    @property
    def groups(self) -> frozenset[str]:
        """Ids of the groups that it names."""
        return self.include.get("groups", frozenset()) | self.exclude.get("groups", frozenset())


def _named(who: Mapping[str, frozenset[str]], called: Collection[str], roles: Collection[str], in_group: InGroup) -> bool | None:
    if who["users"] & set(called) or who["roles"] & set(roles):
        return True
    answers = [in_group(group) for group in who["groups"]]
    return True if True in answers else None if None in answers else False


def _ids(conditions: Mapping[str, Any], prefix: str) -> dict[str, frozenset[str]]:
    users = conditions.get("users") or {}
    found = {name: frozenset(names.uuid(str(key)) for key in users.get(f"{prefix}{name.capitalize()}") or ()) for name in ("users", "groups", "roles")}
    kinds = (users.get(f"{prefix}GuestsOrExternalUsers") or {}).get("guestOrExternalUserTypes") or ""
    return {**found, "users": found["users"] | ({_GUESTS} if "internalGuest" in kinds else set())}


def _enabled(policies: Iterable[Mapping[str, Any]]) -> Iterable[tuple[Mapping[str, Any], AccessPolicy]]:
    for item in policies:
        if item.get("state") == "enabled":
            conditions = item.get("conditions") or {}
            yield item, AccessPolicy(str(item.get("displayName") or item.get("id") or ""), _ids(conditions, "include"), _ids(conditions, "exclude"))


def demanding(policies: Iterable[Mapping[str, Any]]) -> list[AccessPolicy]:
    """The policies of Conditional Access that are on and ask for a second factor somewhere, on whatever condition."""
    return [policy for item, policy in _enabled(policies) if _wants_mfa(item.get("grantControls") or {})]


def _wants_mfa(controls: Mapping[str, Any]) -> bool:
    """A policy that is content with something else too (a compliant device) counts: not everybody has that."""
    return "mfa" in (controls.get("builtInControls") or ()) or bool(controls.get("authenticationStrength"))


def limiting_registration(policies: Iterable[Mapping[str, Any]]) -> list[str]:
    """Names of the policies on registering security information, which may forbid it where people are."""
    return [
        policy.name
        for item, policy in _enabled(policies)
        if "urn:user:registersecurityinfo" in (((item.get("conditions") or {}).get("applications") or {}).get("includeUserActions") or ())
    ]


class Asked(NamedTuple):
    """demanded: whether a user is asked for a second factor; by, excluded_from: names of the policies that ask them, and that leave them out."""

    demanded: bool | None
    by: tuple[str, ...]
    excluded_from: tuple[str, ...]


def asked(
    policies: Iterable[AccessPolicy] | None, defaults: bool | None, user_id: str, roles: Collection[str] | None, in_group: InGroup, *, guest: bool = False
) -> Asked:
    """policies, defaults (the tenant's security defaults), roles: None where they could not be read. guest: an internal one."""
    called = {_ALL, user_id, *([_GUESTS] if guest else [])}
    by: list[str] = ["security defaults"] if defaults else []
    left_out: list[str] = []
    unknown = policies is None or defaults is None
    for policy in policies or ():
        included, excluded = policy.takes(called, roles or (), in_group)
        if roles is None:  # who holds a role is not known, and a policy that names one may take the user
            included = included or (None if policy.include["roles"] else included)
            excluded = excluded or (None if policy.exclude["roles"] else excluded)
        if included and excluded:
            left_out.append(policy.name)
        elif included and excluded is False:
            by.append(policy.name)
        elif included is not False and excluded is not True:
            unknown = True
    return Asked(True if by else None if unknown else False, tuple(by), tuple(left_out))


#: The verdicts in words, for a line of the results.
WORDS: dict[str, str] = {
    READY: "can sign in",
    BLOCKED: "is blocked, and nobody means to enable them",
    NO_WAY_IN: "gets no password and no pass, and nothing else is known to sign them in",
    SERVICE: "signed in by programs only: a script, a device or a shared account whose password has to be changed where it is kept",
    LEGACY: "uses a client without modern authentication, which ends with the federation or is blocked by Conditional Access",
    MUST_REGISTER: "is asked for a second factor and has registered none with Entra; they register one when they first sign in",
    NO_LICENCE: "has no licence",
    NOT_KNOWN: "is not known",
}
#: The reasons for `not_known` in words.
REASONS: dict[str, str] = {
    BY_HAND: "an administrator, whom the tool may not give a password; a person does",
    UNVERIFIED: "signs in with the password of Active Directory if its hash is synchronized, which nobody has confirmed",
    NO_ROLES: "may be an administrator, whom the tool may not give a password; roles could not be read",
    "sign_ins_not_read": "which clients they use could not be read",
    "blocked_now": "blocked now, and Microsoft's report on registered methods leaves blocked users out",
    "not_in_report": "Microsoft's report on registered methods has no row for them",
    "registration_not_read": "Microsoft's report on registered methods could not be read",
    "policies_not_read": "has registered no second factor, and what asks for one could not be read",
}


def words(found: Iterable[tuple[str, str]]) -> str:
    """What applies, for people."""
    return "; ".join(REASONS[reason] if reason else WORDS[code] for code, reason in found)
