# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking domain controllers how they are: LDAP and SMB to each, from the controller, so that no second hop is needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..._core import names
from ..._core.dn import canonical
from ..._core.errors import OffboardError
from ..client import Client
from ..connection import Connection
from ..group_policy import policy
from ..sysvol import Sysvol
from ..values import Entry, guid
from . import plan as health

_CONTROLLERS = "(&(objectCategory=computer)(userAccountControl:1.2.840.113556.1.4.803:=8192))"  # SERVER_TRUST_ACCOUNT: writable ones
#: The Default Domain Policy: every domain has it, under this name.
_DEFAULT_POLICY = r"Policies\{31B2F340-016D-11D2-945F-00C04FB984F9}\GPT.INI"


class Domain:
    """What one domain controller tells of all. `ignored`: names of those whose state does not matter to the others."""

    def __init__(self, connection: Connection, ignored: Collection[str] = ()) -> None:
        self._connection = connection
        self._ignored = ignored
        self._by_guid: dict[str, str] = {}
        client = Client(connection, read_only=True)
        try:
            self.base = client.root.text("defaultNamingContext") or ""
            self._here = names.host(client.root.text("dnsHostName") or "")
            owner = self._owners(client)
            self._known: dict[str, tuple[tuple[str, ...], bool]] = {}
            for entry in client.search(_CONTROLLERS, ["dNSHostName", "serverReferenceBL"]):
                server = entry.text("serverReferenceBL")
                if not server:  # a computer that is no domain controller any more, or not yet
                    continue
                settings = f"CN=NTDS Settings,{server}"
                name = entry.text("dNSHostName") or entry.dn
                found = client.read(settings, ("options", "objectGUID"))
                self._known[name] = (health.owners(owner, canonical(settings).casefold()), health.is_global_catalog(found))
                self._by_guid |= {guid(data): name for data in (found.raw("objectGUID") if found else ())}
        finally:
            client.close()

    @staticmethod
    def _owners(client: Client) -> dict[str, str]:
        found = {}
        for role, (context, below) in health.ROLES.items():
            head = client.root.text(f"{context}NamingContext") or ""
            entry = client.read(f"{below},{head}" if below else head, ("fSMORoleOwner",))
            found[role] = canonical((entry.text("fSMORoleOwner") if entry else "") or "").casefold()
        return found

    @property
    def names(self) -> list[str]:
        """The DNS names of the domain controllers, sorted."""
        return sorted(self._known)

    def _reached(self, name: str) -> Connection:
        """To one of them; the one that was named keeps the address it was named by."""
        return self._connection if names.host(name) == self._here else self._connection.to(name)

    def controllers(self) -> list[health.Controller]:
        """Each as it is now. One that does not answer hides no other."""
        return [self.controller(name) for name in self.names]

    def controller(self, name: str) -> health.Controller:
        """One as it is now."""
        roles, catalog = self._known[name]
        problems: list[tuple[str, str]] = []
        partners: list[health.Partner] = []
        connection = self._reached(name)
        client = Client(connection, read_only=True)
        try:
            root = client.read("", ("isSynchronized", "isGlobalCatalogReady")) or Entry("", {})
            head = client.read(self.base, ("repsFrom",))
            partners = [health.partner(data, self._by_guid) for data in (head.raw("repsFrom") if head else [])]
            problems += health.problems(name, root, partners, global_catalog=catalog, alone=len(self._known) == 1, ignored=self._ignored)
        except OffboardError as exc:
            problems.append((exc.code, f"{name} does not answer by LDAP: {exc.msg}"))
        finally:
            client.close()
        share = Sysvol(connection)
        try:
            share.read(rf"sysvol\{policy.dns_name(self.base)}\{_DEFAULT_POLICY}")
        except OffboardError as exc:
            problems.append(("sysvol_unreadable", f"{name}: SYSVOL cannot be read: {exc.msg}"))
        finally:
            share.close()
        return health.Controller(name, roles, catalog, tuple(problems), tuple(partners))


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    domain = Domain(Connection.from_params(params))
    found = domain.controllers()
    return {
        "controllers": [one.to_dict() for one in found],
        "healthy": bool(found) and all(one.healthy for one in found),
        "restart_order": [one.name for one in health.in_order(found)],
        "directory": domain.base,
    }
