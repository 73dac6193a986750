# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What group_policy_info returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core.errors import OffboardError
from ..client import Client
from ..connection import Connection
from ..sysvol import Listing, Sysvol
from . import mentions, policy, versions
from .accounts import Account, of_domain
from .options import InfoOptions
from .read import Reader, elsewhere

#: For such a reason one file, or one folder, is told as unreadable; the others are looked into.
_UNREADABLE = ("not_found", "policy_unreadable", "insufficient_rights", "too_large", "file_in_use")


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """Every policy, or those that are named, and where they mention the hosts and accounts."""
    options, connection = InfoOptions.of(params), Connection.from_params(params)
    client, sysvol = Client(connection, read_only=True), Sysvol(connection)
    try:
        return _find(Reader(client, sysvol), sysvol, options, connection)
    finally:
        sysvol.close()
        client.close()


def _find(reader: Reader, sysvol: Sysvol, options: InfoOptions, connection: Connection) -> dict[str, Any]:
    names, wanted = options.hosts, options.policies
    accounts, unusable = reader.resolve(options.accounts)
    links = reader.links()
    found: list[dict[str, Any]] = []
    rights: list[tuple[str, str, str]] = []
    broken: list[dict[str, str]] = []
    for entry in reader.entries():
        if wanted and policy.name_of(entry.dn) not in wanted:
            continue
        try:
            one = policy.of_entry(entry, reader.domain)
        except OffboardError as exc:
            broken.append({"dn": entry.dn, "code": exc.code, "msg": exc.msg})
            continue
        told, members = _look_into(reader, sysvol, one, names, accounts)
        found.append({**told, "links": links.get(one.guid, [])})
        rights += [(one.guid, right, member) for right, member in members]
    missing = wanted - {item["guid"] for item in found} - {policy.name_of(item["dn"]) for item in broken}
    if missing:
        raise OffboardError(f"there is no group policy {', '.join(sorted(missing))} in {reader.domain}", code="not_found")
    pdc, here = reader.pdc_emulator()
    return {
        "policies": found,
        "netlogon": None if wanted else _scripts(sysvol, rf"sysvol\{reader.domain}\scripts", names, accounts),
        "unreadable_policies": broken,
        "orphaned": _orphaned(reader, rights),
        "unusable": unusable,
        "pdc_emulator": {"name": pdc, "is_host": here},
        "directory": reader.base,
        **_replication(reader, connection, found),
    }


def _look_into(
    reader: Reader, sysvol: Sysvol, one: policy.Policy, names: Sequence[str], accounts: Sequence[Account]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    told: dict[str, Any] = {
        "guid": one.guid, "name": one.name, "dn": one.dn, "status": one.status, "version": one.version, **_counts(one.version),
        "sysvol_version": None, "versions_differ": False, "may_write": one.may_write, "mentions": [], "unreadable": [], "holds_password": [], "rights": {},
    }  # fmt: skip
    members: list[tuple[str, str]] = []
    try:
        told["sysvol_version"] = reader.ini_version(one)
        told["versions_differ"] = told["sysvol_version"] != one.version
        listing = sysvol.listing(one.folder)
    except OffboardError as exc:
        if exc.code not in _UNREADABLE:
            raise
        told["unreadable"].append(mentions.unreadable("GPT.INI", exc))
        listing = Listing()
    told["unreadable"] += [mentions.link(relative) for relative in listing.links]
    for relative in listing.files:
        try:
            inside = mentions.in_file(relative, sysvol.read(f"{one.folder}\\{relative}"), names, accounts)
        except OffboardError as exc:
            if exc.code not in _UNREADABLE:
                raise
            told["unreadable"].append(mentions.unreadable(relative, exc))
            continue
        told["mentions"] += inside.mentions
        told["rights"].update({right: list(listed) for right, listed in inside.rights.items()})
        members += [(right, member) for right, listed in inside.rights.items() for member in listed]
        if inside.has_password:
            told["holds_password"].append(relative)
    return told, members


def _scripts(sysvol: Sysvol, folder: str, names: Sequence[str], accounts: Sequence[Account]) -> dict[str, Any]:
    """The domain's own scripts folder, the share NETLOGON: accounts name their logon scripts relative to it."""
    told: dict[str, Any] = {"folder": folder, "mentions": [], "unreadable": []}
    if not (names or accounts):
        return told
    try:
        listing = sysvol.listing(folder)
    except OffboardError as exc:
        if exc.code not in _UNREADABLE:
            raise
        return {**told, "unreadable": [mentions.unreadable("", exc)]}
    told["unreadable"] += [mentions.link(relative) for relative in listing.links]
    for relative in listing.files:
        try:
            told["mentions"] += mentions.in_text("script", relative, sysvol.read(f"{folder}\\{relative}"), names, accounts)
        except OffboardError as exc:
            if exc.code not in _UNREADABLE:
                raise
            told["unreadable"].append(mentions.unreadable(relative, exc))
    return told


def _counts(version: int) -> dict[str, int]:
    count = versions.parts(version)
    return {"machine_version": count["machine"], "user_version": count["user"]}


def _orphaned(reader: Reader, rights: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
    domain = reader.domain_sid()
    own = {one for _guid, _right, member in rights if (one := of_domain(member, domain))}
    gone = set(reader.without_account(sorted(own)))
    return [{"guid": guid, "right": right, "member": member} for guid, right, member in rights if of_domain(member, domain) in gone]


def _replication(reader: Reader, connection: Connection, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    pending: list[dict[str, Any]] = []
    not_looked_at: list[dict[str, str]] = []
    here = {item["guid"]: item["version"] for item in found}
    for name, there in elsewhere(connection, reader.other_controllers(), list(here)):
        if isinstance(there, OffboardError):
            not_looked_at.append({"domain_controller": name, "code": there.code, "msg": there.msg})
        else:
            pending += [{"domain_controller": name, "guid": guid, "version": there.get(guid)} for guid in here if there.get(guid) != here[guid]]
    return {"replication_pending": pending, "not_looked_at": not_looked_at}
