# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of Directory Sync for Linux in OpenLDAP: what is told before, and what keeps the final gate closed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import openldap
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.openldap import OpenldapDecisions
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import final_gate, preflight

TREE = "/opt/IIJ_ID_Service_Directory_Sync"
CLEAN: dict[str, Any] = {"jobs": [], "timers": [], "files": [{"path": TREE, "exists": False, "link": ""}], "not_looked_at": []}
FULL = {**CLEAN, "files": [{"path": TREE, "exists": True, "link": "", "owner": "iijsync"}]}
DN, OTHER = "cn=iij,ou=services,dc=reiji,dc=example", "CN=iij, OU=services,DC=reiji,DC=example"
CLAUSE = {"database": "olcDatabase={1}mdb,cn=config", "index": "{1}", "what": "to *", "clause": f'dn.exact="{DN}" read', "denies": False}


def ldap(clauses: int = 1, exists: bool = True, mentions: int = 0, dn: str = DN) -> dict[str, Any]:
    entry = {"dn": dn, "objectClass": ["person"], "attributes": ["cn"]}
    return {"clauses": {dn: [CLAUSE] * clauses}, "mentions": {dn: [CLAUSE] * mentions}, "entries": {dn: entry if exists else {}}}


BOTH = {"openldap_access": [DN], "openldap_entries": [OTHER]}


@pytest.mark.parametrize(
    ("found_there", "confirmed", "before", "at_last"),
    [
        (None, {}, [("warning", "openldap_not_given")], []),
        (None, {"openldap_access": [DN]}, [("blocker", "openldap_not_given")], [("blocker", "openldap_not_given")]),
        ({"error": "no", "code": "unreachable"}, BOTH, [("blocker", "openldap_not_readable")], [("blocker", "openldap_not_readable")]),
        ({"error": "no", "code": "unreachable"}, {}, [("blocker", "openldap_not_readable")], [("blocker", "openldap_not_readable")]),
        ({"clauses": {}, "mentions": {}, "entries": {}}, {}, [], []),
        (ldap(), BOTH, [], [("blocker", "openldap_access_present"), ("blocker", "openldap_entry_present")]),
        (ldap(clauses=0, exists=False), BOTH, [("warning", "account_not_found")], []),
        # confirmed for one thing only
        (ldap(), {"openldap_entries": [DN]}, [("warning", "openldap_account_candidate")],
         [("blocker", "openldap_entry_present"), ("warning", "openldap_account_candidate")]),
        (ldap(), {"openldap_access": [DN]}, [("warning", "openldap_account_candidate")],
         [("blocker", "openldap_access_present"), ("warning", "openldap_account_candidate")]),
        (ldap(mentions=1), BOTH, [("warning", "openldap_mentions")], [("blocker", "openldap_access_present"), ("blocker", "openldap_entry_present")]),
    ],
)  # fmt: skip
def test_openldap(found_there, confirmed, before, at_last):
    machines = {"agent01": FULL}
    found = preflight(Facts(linux_machines=machines, openldap=found_there), Confirmed(**confirmed))
    assert [(item.severity, item.code) for item in found if "openldap" in item.code or item.code == "account_not_found"] == before
    found = final_gate(Facts(linux_machines={"agent01": CLEAN}, openldap=found_there), Confirmed(**confirmed))
    assert [(item.severity, item.code) for item in found] == at_last


UUID = "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11"


@pytest.mark.parametrize("form", [DN, DN.upper(), f"<GUID={UUID}>;{DN}", f"<GUID={UUID}>", UUID.upper()])
def test_an_account_of_openldap_is_the_same_in_whatever_form_it_is_confirmed(form):
    found = ldap()
    found["entries"][DN]["entryUUID"] = UUID
    said = OpenldapDecisions(access=[form], entries=[form])
    assert [item.code for item in openldap.present(found, said)] == ["openldap_access_present", "openldap_entry_present"]
    assert list(openldap.propose(Facts(openldap=found), Confirmed(openldap_access=[form], openldap_entries=[form]))) == []
    # where it is named for one thing only, the other is proposed for this entry and no other
    half = list(openldap.propose(Facts(openldap=found), Confirmed(openldap_access=[form])))
    assert [(variable, value) for variable, value, _why in half] == [("directory_sync_openldap_entries", f"<GUID={UUID}>;{DN}")]


def test_openldap_that_nobody_needs_is_no_matter():
    assert preflight(Facts(linux_machines={"agent01": CLEAN}), Confirmed()) == []


def test_entries_that_name_it_are_told_before_and_at_last():
    """Of an account that is gone, too."""
    named_in = {DN: [{"dn": "cn=readers,dc=reiji", "attribute": "member"}]}
    facts = Facts(linux_machines={"agent01": CLEAN}, openldap={**ldap(0, exists=False), "named_in": named_in, "not_searched": {DN: ["dc=other"], OTHER: []}})
    for gate in (preflight, final_gate):
        told = {item.code: item for item in gate(facts, Confirmed(**BOTH)) if item.code in ("openldap_named_in", "openldap_not_searched")}
        assert [(item.severity, item.objects) for item in told.values()] == [("warning", (DN,))] * 2
        for language in ("en", "ja"):
            assert "cn=readers,dc=reiji (member)" in getattr(told["openldap_named_in"].text, language)
            assert "dc=other" in getattr(told["openldap_not_searched"].text, language)


SETTINGS = [
    {"entry": "olcDatabase={1}mdb,cn=config", "attribute": "olcLimits", "index": "{0}"},
    {"entry": "olcDatabase={1}mdb,cn=config", "attribute": "olcRootDN", "index": ""},
]


def test_what_else_names_it_is_told_before_and_at_last():
    facts = Facts(linux_machines={"agent01": CLEAN}, openldap={**ldap(clauses=0, exists=False), "settings": {DN: SETTINGS}})
    for gate in (preflight, final_gate):
        (found,) = (item for item in gate(facts, Confirmed(**BOTH)) if item.code == "openldap_settings")
        assert (found.severity, found.objects) == ("warning", (DN,))
        for text in (found.text.en, found.text.ja):
            assert "olcLimits{0} (olcDatabase={1}mdb,cn=config)" in text and "olcRootDN (olcDatabase={1}mdb,cn=config)" in text
