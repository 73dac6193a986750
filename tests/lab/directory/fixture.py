# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fixture company's directory holds, worked out from company.yml: a list of steps for seed.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import paths
from ..company import Person, numbers

# What "protect object from accidental deletion" of Active Directory Users and Computers writes: deny Delete and
# Delete-subtree to Everyone on the object, deny Delete-child to Everyone on its parent.
PROTECT_OBJECT = "(D;;SDDT;;;WD)"
PROTECT_PARENT = "(D;;DC;;;WD)"
# schemaIDGUID of the classes user and group; the extended right Reset Password
USER, GROUP = "bf967aba-0de6-11d0-a285-00aa003049e2", "bf967a9c-0de6-11d0-a285-00aa003049e2"
RESET_PASSWORD = "00299570-246d-11d0-a768-00aa006e0529"


def full_dn(dn: str) -> str:
    """The DN of company.yml (relative to the domain) in full."""
    return f"{dn},{paths.AD_BASE}"


def _account(dn: str, sam: str, **attributes: Any) -> dict[str, Any]:
    return {
        "do": "add",
        "dn": dn,
        "attributes": {"objectClass": "user", "sAMAccountName": sam, **{name: value for name, value in attributes.items() if value}},
        "password": paths.PASSWORD,
    }


def _group(dn: str, sam: str, members: Iterable[str] = (), **attributes: Any) -> dict[str, Any]:
    return {
        "do": "add",
        "dn": dn,
        "attributes": {
            "objectClass": "group",
            "sAMAccountName": sam,
            **{name: value for name, value in {"member": list(members), **attributes}.items() if value},
        },
    }


def _protect(dn: str) -> list[dict[str, Any]]:
    return [
        {"do": "ace", "dn": dn, "ace": PROTECT_OBJECT},
        {"do": "ace", "dn": dn.partition(",")[2], "ace": PROTECT_PARENT},
    ]


def _delegate(ou: str, trustee: str) -> list[dict[str, Any]]:
    """Lets the trustee make, change, disable and delete users and groups below the OU, and nothing else."""
    aces = [f"(OA;CI;CCDC;{kind};;{{sid}})" for kind in (USER, GROUP)]
    aces += [f"(OA;CIIO;CCDCLCSWRPWPDTLOSDRC;;{kind};{{sid}})" for kind in (USER, GROUP)]
    aces.append(f"(OA;CIIO;CR;{RESET_PASSWORD};{USER};{{sid}})")
    return [{"do": "ace", "dn": ou, "ace": ace, "sid_of": trustee} for ace in aces]


def steps(directory: Mapping[str, Any], people: Sequence[Person]) -> list[dict[str, Any]]:
    """The steps that turn an empty domain into the fixture's, in order; `directory` is that section of company.yml."""
    _, _, domain = paths.DC_HOST.partition(".")
    result: list[dict[str, Any]] = []
    protect: list[dict[str, Any]] = []
    for ou in directory["ous"]:
        dn = full_dn(ou["dn"])
        result.append({"do": "add", "dn": dn, "attributes": {"objectClass": "organizationalUnit"}})
        if ou.get("protected"):
            protect += _protect(dn)

    operator = directory["operator"]
    account, group = full_dn(operator["dn"]), full_dn(operator["group"])
    result.append(_account(account, operator["sam"], userPrincipalName=f"{operator['sam']}@{domain}", description=operator["purpose"]))
    result.append(_group(group, group.partition(",")[0].removeprefix("CN="), [account]))
    for ou in operator["may_change"]:
        result += _delegate(full_dn(ou), group)

    synced = numbers(directory["people"]["synced"])
    person_dn = {person.number: full_dn(f"CN={person.account},{directory['people']['ou']}") for person in people if person.number in synced}
    result += [
        _account(
            person_dn[person.number],
            person.account,
            userPrincipalName=person.upn,
            mail=person.upn,
            displayName=person.name,
            givenName=person.given,
            sn=person.family,
            department=person.department,
            title=person.title,
        )
        for person in people
        if person.number in synced
    ]
    for item in directory["accounts"]:
        dn = full_dn(item["dn"])
        result.append(
            _account(
                dn,
                item["sam"],
                userPrincipalName=f"{item['sam']}@{domain}",
                description=item["purpose"],
                servicePrincipalName=item.get("spns"),
                adminCount=str(item["admin_count"]) if "admin_count" in item else None,
            )
        )
        result += [{"do": "member", "dn": full_dn(f"CN={name},CN=Users"), "member": dn} for name in item.get("member_of", ())]
        if item.get("protected"):
            protect += _protect(dn)
    for item in directory["groups"]:
        members = [full_dn(dn) for dn in item.get("members", ())]
        members += [person_dn[number] for number in sorted(numbers(item.get("members_people", [])))]
        managed_by = full_dn(item["managed_by"]) if "managed_by" in item else None
        result.append(_group(full_dn(item["dn"]), item["sam"], members, managedBy=managed_by, description=item.get("purpose")))
    return result + protect  # last, because the protection would already bind whoever adds below it
