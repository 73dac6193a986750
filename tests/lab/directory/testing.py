# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pytest fixture with the running directory, for every test that talks to Active Directory."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ldap3
import pytest
from ldap3.core.exceptions import LDAPException, LDAPNoSuchObjectResult

from .. import paths
from .fixture import full_dn
from .part import DirectoryPart


class RunningDirectory:
    """The lab's directory, with ways to arrange it and to ask what was written to it."""

    def __init__(self, part: DirectoryPart) -> None:
        self.part = part
        self._since = 0.0
        self._changed = True

    @property
    def ca_file(self) -> str:
        return str(paths.ca_file())

    @property
    def krb5_conf(self) -> str:
        return str(self.part.state / "krb5.conf")

    def options(self, user: str = paths.AD_OPERATOR) -> dict[str, Any]:
        """The connection options of our modules, for the delegated account unless another is named."""
        return {
            "host": paths.DC_ADDRESS,
            "valid_names": [paths.DC_HOST],
            "ca_file": self.ca_file,
            "username": user,
            "password": paths.PASSWORD,
            "timeout": 10,
            "verify_timeout": 5,
        }

    def fresh(self) -> None:
        """The fixture company, with an empty list of writes. Costs nothing when nobody has changed anything."""
        if self._changed or self.part.writes(self._since):
            self.part.reset()
            self._changed = False
        self.clear()

    def clear(self) -> None:
        """Forget the writes up to now."""
        self._changed = self._changed or bool(self.part.writes(self._since))
        self._since = time.time()

    def writes(self) -> list[dict[str, Any]]:
        """What was written, or tried, since `clear`; see `DirectoryPart.writes`."""
        return self.part.writes(self._since)

    @contextlib.contextmanager
    def admin(self) -> Iterator[ldap3.Connection]:
        """A connection as Administrator, from outside the collection."""
        connection = self.part.connect()
        try:
            yield connection
        finally:
            connection.unbind()

    def arrange(self, dn: str, changes: Mapping[str, Sequence[Any]]) -> None:
        """Replace attributes as Administrator, without a trace in `writes`. `dn` is relative to the domain."""
        with self.admin() as admin:
            admin.modify(full_dn(dn), {name: [(ldap3.MODIFY_REPLACE, list(values))] for name, values in changes.items()})
        self.clear()

    def log_on(self, account: str) -> bool:
        """Bind as the account with the lab's password; the domain controller remembers the logon."""
        self._changed = True
        try:
            self.part.connect(f"{account}@{self.part.domain}").unbind()
        except LDAPException:
            return False
        return True

    def entry(self, dn: str) -> dict[str, list[Any]] | None:
        """The object's attributes as Administrator sees them, or None. `dn` is relative to the domain."""
        with self.admin() as admin:
            try:
                admin.search(full_dn(dn), "(objectClass=*)", ldap3.BASE, attributes=["*"])
            except LDAPNoSuchObjectResult:
                return None
            return dict(admin.response[0]["attributes"])


@pytest.fixture(scope="session")
def _directory() -> Iterator[RunningDirectory]:
    part = DirectoryPart()
    reason = part.why_not()
    if reason:
        pytest.skip(f"the lab's directory cannot run here: {reason}")
    ran = part.status()["running"]
    part.start()
    yield RunningDirectory(part)
    part.reset()
    if not ran:
        part.stop()


@pytest.fixture
def directory(_directory: RunningDirectory) -> RunningDirectory:
    """The running directory, holding the fresh fixture company."""
    _directory.fresh()
    return _directory
