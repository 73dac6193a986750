# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of several accounts at once is what is read of each."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Refusal
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.connection import Connection
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_access.plan import Rule
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_accounts import info as openldap_accounts
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_entry.read import Found
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry
from dev.options import given

SYNC, GONE = "cn=sync,dc=reiji", "CN=Gone, dc=reiji"
DATABASE = "olcDatabase={1}mdb,cn=config"
RULE = Rule(DATABASE, '{0}to * by dn.exact="cn=sync,dc=reiji" read by group.exact="cn=readers,dc=reiji" read by * none')
ENTRY = Entry(SYNC, {})
#: by its entryUUID it is elsewhere
MOVED = {"cn=renamed,dc=reiji": Refusal("moved", "it is elsewhere", ())}
OPTIONS = {"username": "cn=admin", "password": "p", "tls": "ldapi", "socket": "/run/ldapi"}


@pytest.fixture(name="bound")
def _bound(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, str | None]]:
    """Who has bound, of all sessions that were closed again."""
    closed: list[tuple[str | None, str | None]] = []

    class Client:
        def __init__(self, connection: Connection, *, read_only: bool) -> None:
            assert read_only
            self.who = (connection.username, connection.password)

        def close(self) -> None:
            closed.append(self.who)

    monkeypatch.setattr(openldap_accounts, "Client", Client)
    monkeypatch.setattr(openldap_accounts.access, "rules", lambda client, base: [RULE])
    monkeypatch.setattr(openldap_accounts.access, "configuration", lambda client, base: [Entry(DATABASE, {"olcRootDN": [b"cn=Sync, dc=reiji"]})])
    monkeypatch.setattr(openldap_accounts, "find", lambda client, name, memory: Found(name.dn, ENTRY if name.dn == SYNC else None, MOVED.get(name.dn)))
    named_in = [{"dn": "cn=readers,dc=reiji", "attribute": "member"}]
    monkeypatch.setattr(openldap_accounts, "named_in", lambda client, dn, entry: (named_in, []) if "gone" in dn.casefold() else ([], ["dc=reiji"]))
    monkeypatch.setattr(openldap_accounts.entry, "about", lambda found: {"entry": {"dn": found.dn} if found.entry else {}})
    return closed


@pytest.mark.parametrize(("dns", "there"), [([SYNC, GONE], True), ([GONE], False), ([], False), (["cn=renamed,dc=reiji"], True)])
def test_each_account_by_the_name_that_was_given(bound: list[tuple[str | None, str | None]], dns: list[str], there: bool) -> None:
    found = openldap_accounts.info(given("openldap_accounts_info", **OPTIONS, dns=dns))
    assert found["entries"] == {dn: {"dn": SYNC} if dn == SYNC else {} for dn in dns} and found["any_there"] is there
    assert {dn: [clause["clause"] for clause in clauses] for dn, clauses in found["clauses"].items()} == {
        dn: ['dn.exact="cn=sync,dc=reiji" read'] if dn == SYNC else [] for dn in dns
    }
    assert all([one["clause"] for one in found["mentions"][dn]] == ['group.exact="cn=readers,dc=reiji" read'] for dn in dns)
    assert found["settings"] == {dn: [{"entry": DATABASE, "attribute": "olcRootDN", "index": ""}] if dn == SYNC else [] for dn in dns}
    assert [found["named_in"][dn] != [] for dn in dns] == [dn == GONE for dn in dns] == [found["not_searched"][dn] == [] for dn in dns]
    assert bound == [("cn=admin", "p")] * 2


def test_the_configuration_is_read_by_its_own_account(bound: list[tuple[str | None, str | None]]) -> None:
    openldap_accounts.info(given("openldap_accounts_info", **OPTIONS, config_username="cn=admin,cn=config", config_password="q", dns=[SYNC]))
    assert bound == [("cn=admin,cn=config", "q"), ("cn=admin", "p")]
    with pytest.raises(OffboardError):
        openldap_accounts.info(given("openldap_accounts_info", **OPTIONS, dns=["sync"]))
