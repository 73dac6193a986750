# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects people may mean, by names, patterns and the agents' own configurations, and what names none."""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any

from ..._core import names, phrases
from ..._core.dn import Name, extended, parse
from ..._core.dn import key as dn_key
from ..._core.errors import OffboardError
from ..._core.model import Object
from .. import agent_config
from ..client import Client, equals, netbios_name
from ..connection import Connection
from . import plan as objects
from .options import InfoOptions
from .read import Reader

#: A name that leads nowhere: a typo, one of another domain, or one below an organizational unit that is gone or may not be seen.
_NAMES_NOTHING = ("invalid_dn", "other_domain", "cannot_read", "not_found", "config_unreadable")


def info(params: Mapping[str, Any]) -> dict[str, Any]:
    """What directory_object_info returns: candidates, why each is one, and what would refuse its removal."""
    options = InfoOptions.of(params)
    with closing(Client(Connection.from_params(params), read_only=True)) as client:
        return _find(client, options)


class _Candidates:
    """Objects by their names, each once whatever it is called, and what names none."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._reader = Reader(client)
        self.unusable: list[dict[str, Any]] = []
        self._why: dict[str, list[str]] = {}
        self._names: dict[str, Name] = {}

    def add(self, text: str, reason: str) -> None:
        """One more name, as `directory_object` takes them."""
        try:
            name = parse(text)
            entry = self._reader.entry(name) if name.guid else None
        except OffboardError as exc:
            self._leave(text, [reason], exc)
            return
        key = dn_key(entry.dn if entry else str(name))
        self._names.setdefault(key, name)
        self._why.setdefault(key, []).append(reason)

    def add_account(self, account: str, dn: str | None, reason: str) -> None:
        """One more account; dn: None where the domain has none of that name."""
        if dn is None:
            self.unusable.append({"name": account, "found_by": [reason], "code": "not_found", "msg": phrases.english("no_account")})
        else:
            self._names.setdefault(dn_key(dn), Name(dn))
            self._why.setdefault(dn_key(dn), []).append(reason)

    def add_config(self, number: int, text: str) -> None:
        """What one more agent's config.yml names."""
        try:
            named = agent_config.accounts(text)
        except OffboardError as exc:
            self._leave(f"agent_configs[{number}]", [phrases.english("agent_config", number=number + 1)], exc)
            return
        for account, reason in named:
            try:
                self.add_account(account, account if "=" in account else _by_logon_name(self._client, account), reason)
            except OffboardError as exc:
                self._leave(account, [reason], exc)

    def found(self) -> Iterator[tuple[Object, list[str]]]:
        """Each that is there, with the reasons."""
        for key, name in self._names.items():
            why = self._why[key]
            try:
                entries, missing = self._reader.entries([name])
                if not missing:
                    yield self._reader.describe(entries)[0], why
                    continue
            except OffboardError as exc:
                self._leave(str(name), why, exc)
                continue
            self.unusable.append({"name": str(name), "found_by": why, "code": "not_found", "msg": phrases.english("no_object")})

    def _leave(self, name: str, why: list[str], exc: OffboardError) -> None:
        """One typo, one name of another domain, or an object of another class, hides none of the others."""
        if exc.code not in (*_NAMES_NOTHING, "unsupported_class"):
            raise exc
        self.unusable.append({"name": name, "found_by": why, "code": exc.code, "msg": exc.msg})


def _find(client: Client, options: InfoOptions) -> dict[str, Any]:
    candidates = _Candidates(client)
    for text in options.objects:
        candidates.add(text, phrases.english("object_named"))
    for number, text in enumerate(options.agent_configs):
        candidates.add_config(number, text)
    for dn, reason in _by_spn(client, options.spn_patterns):
        candidates.add_account(dn, dn, reason)
    found = []
    for item, why in candidates.found():
        stops = objects.refusals([item], "delete", options.rules, datetime.datetime.now(datetime.UTC))
        shown = {name: value for name, value in item.state.items() if name != "attributes"}
        told = {"found_by": why, "removal_refusals": [stop.to_dict() for stop in stops]}
        found.append({"dn": item.id, "confirm_as": extended(item.state["objectGUID"], item.id), **shown, **told})
    return {"objects": found, "unusable": candidates.unusable, "directory": client.root.text("defaultNamingContext") or ""}


def _by_spn(client: Client, expressions: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The DNs of accounts with a service principal name that matches, each with the reason. Raises OffboardError `pattern_invalid`."""
    patterns = objects.compiled("spn_patterns", expressions)
    with_spn = "(&(objectCategory=person)(objectClass=user)(servicePrincipalName=*))"
    for entry in client.search(with_spn, ["servicePrincipalName"]) if patterns else ():
        for spn, pattern in itertools.product(entry.texts("servicePrincipalName"), patterns):
            if pattern.search(spn):
                yield entry.dn, phrases.english("spn_matches", spn=spn, pattern=pattern.pattern)


def _by_logon_name(client: Client, name: str) -> str | None:
    """The DN of a userPrincipalName, or of `DOMAIN\\user` and `user`. Raises OffboardError `other_domain`, `cannot_read`."""
    domain, sign, user = (part.strip() for part in name.rpartition("\\"))
    if sign:
        _check_domain(client, domain, name.strip())
    if not user:
        return None
    attribute = "userPrincipalName" if "@" in user else "sAMAccountName"
    return next((entry.dn for entry in client.search(equals(attribute, user), ["objectClass"])), None)


def _check_domain(client: Client, domain: str, account: str) -> None:
    """A stranger of the same name in this domain is not the account of another one. Raises OffboardError `other_domain`, `cannot_read`."""
    dns = ".".join(re.findall(r"(?i)(?:^|,)\s*DC=([^,]+)", client.root.text("defaultNamingContext") or ""))
    if names.domain(domain) == names.domain(dns) != "":
        return
    try:
        netbios = netbios_name(client)
    except OffboardError as exc:
        if exc.code not in ("cannot_read", "not_found"):
            raise
        netbios = ""
    if not netbios:
        msg = f"the NetBIOS name of the domain {dns} cannot be read, so whether {account} is an account of it is not known; look it up, and name it by its DN"
        raise OffboardError(msg, code="cannot_read")
    if domain.casefold() != netbios.casefold():
        raise OffboardError(f"{account} is not an account of this domain, which is {netbios} ({dns})", code="other_domain")
