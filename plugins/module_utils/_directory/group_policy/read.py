# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading group policy: the objects of the directory, their files, their links, and who is meant by a member of a right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..._core.dn import canonical, parse
from ..._core.errors import OffboardError
from ..client import Client, equals, netbios_name
from ..connection import Connection
from ..sysvol import Sysvol
from ..values import Entry, parent_dn, sid
from . import policy, versions
from .accounts import SID, Account, account


class Reader:
    """Reads from the one domain controller that both connections are to."""

    def __init__(self, client: Client, sysvol: Sysvol) -> None:
        self._client = client
        self._sysvol = sysvol
        self.base = client.root.text("defaultNamingContext") or ""
        self.domain = policy.dns_name(self.base)

    @property
    def container(self) -> str:
        """Where the policies are."""
        return f"CN=Policies,CN=System,{self.base}"

    def entries(self) -> Iterator[Entry]:
        """Every policy of the domain; of one that the account may not read nothing but its DN, for that it is one of that class nobody is told then."""
        everything = self._client.search("(objectClass=*)", policy.ATTRIBUTES, base=self.container)
        return (entry for entry in everything if policy.name_of(entry.dn) and canonical(parent_dn(entry.dn)).casefold() == canonical(self.container).casefold())

    def entry(self, guid: str) -> Entry:
        """One policy. Raises OffboardError `not_found`."""
        found = self._client.read(f"CN={guid},{self.container}", policy.ATTRIBUTES)
        if found is None:
            raise OffboardError(f"there is no group policy {guid} in {self.domain}", code="not_found")
        return found

    def get(self, guid: str) -> policy.Policy:
        """One policy. Raises OffboardError `not_found`, `policy_unreadable`."""
        return policy.of_entry(self.entry(guid), self.domain)

    def links(self) -> dict[str, list[Mapping[str, object]]]:
        """See `policy.links`; of the domain and of the sites."""
        sites = f"CN=Sites,{self._client.root.text('configurationNamingContext') or ''}"
        found = [entry for base in (self.base, sites) for entry in self._client.search("(gPLink=*)", ["gPLink"], base=base)]
        return policy.links(found)

    def pdc_emulator(self) -> tuple[str, bool]:
        """Its DNS name, and whether the connections are to it."""
        head = self._client.read(self.base, ("fSMORoleOwner",))
        settings = (head.text("fSMORoleOwner") if head else "") or ""
        server = self._client.read(parent_dn(settings), ("dNSHostName",)) if settings else None
        here = self._client.root.text("dsServiceName") or ""
        return (server.text("dNSHostName") if server else "") or settings, canonical(here).casefold() == canonical(settings).casefold()

    def other_controllers(self) -> list[str]:
        """The DNS names of the domain's other domain controllers."""
        controllers = "(&(objectCategory=computer)(userAccountControl:1.2.840.113556.1.4.803:=8192))"
        own = (self._client.root.text("dnsHostName") or "").casefold()
        found = [entry.text("dNSHostName") or "" for entry in self._client.search(controllers, ["dNSHostName"])]
        return sorted(name for name in found if name and name.casefold() != own)

    def ini_version(self, one: policy.Policy) -> int:
        """The version in SYSVOL. Raises OffboardError `policy_unreadable` and those of Sysvol."""
        return versions.of_ini(self._sysvol.read(one.ini))

    # --- accounts -------------------------------------------------------------------------------

    def domain_sid(self) -> str:
        head = self._client.read(self.base, ("objectSid",))
        return sid(head.raw("objectSid")[0]) if head and head.raw("objectSid") else ""

    def resolve(self, texts: Iterable[str]) -> tuple[list[Account], list[dict[str, str]]]:
        """The accounts that are named by SID, distinguished name or objectGUID, and the names that lead nowhere. A SID needs no account any more."""
        found, unusable = [], []
        netbios = netbios_name(self._client)
        wanted = ("objectSid", "sAMAccountName")
        for text in texts:
            bare = SID.fullmatch(text.strip())
            try:
                if bare:
                    entry = next(self._client.search(equals("objectSid", bare[1].upper()), wanted), None)
                else:
                    name = parse(text)
                    entry = self._client.read(canonical(name.dn), wanted, guid=name.guid)
            except OffboardError as exc:
                if exc.code not in ("invalid_dn", "other_domain", "cannot_read", "not_found"):
                    raise
                unusable.append({"name": text, "msg": exc.msg})
                continue
            if entry is not None and entry.raw("objectSid"):
                found.append(account(sid(entry.raw("objectSid")[0]), entry.dn, entry.text("sAMAccountName") or "", self.domain, netbios))
            elif bare:
                found.append(account(bare[1].upper(), bare[1].upper()))
            else:
                unusable.append({"name": text, "msg": "no such account; name it by its SID, which the journal has of an account that is gone"})
        return found, unusable

    def without_account(self, sids: Sequence[str]) -> list[str]:
        """Those of this domain's SIDs that no object has any more."""
        return [one for one in sids if next(self._client.search(equals("objectSid", one), ["objectClass"]), None) is None]


def elsewhere(connection: Connection, controllers: Iterable[str], guids: Sequence[str]) -> Iterator[tuple[str, dict[str, int] | OffboardError]]:
    """The policies' versions on other domain controllers, by GUID; the error where one cannot be asked."""
    for name in controllers:
        client = Client(connection.to(name), read_only=True)
        try:
            base = f"CN=Policies,CN=System,{client.root.text('defaultNamingContext') or ''}"
            found = client.search("(objectClass=groupPolicyContainer)", ("cn", "versionNumber"), base=base)
            known = {(entry.text("cn") or "").upper(): versions.unsigned(entry.number("versionNumber") or 0) for entry in found}
            yield name, {guid: known[guid] for guid in guids if guid in known}
        except OffboardError as exc:
            yield name, exc
        finally:
            client.close()
