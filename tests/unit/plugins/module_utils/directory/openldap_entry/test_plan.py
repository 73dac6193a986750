# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be removed, what a saved copy holds, and what follows from what is there."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.dn import Name
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import ldif
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_entry import plan as entries
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry

DN = "cn=iij-dirsync,ou=services,dc=reiji,dc=example"


def entry(**attributes):
    base = {"objectClass": [b"organizationalRole", b"simpleSecurityObject"], "cn": [b"iij-dirsync"], "entryUUID": [b"1"], "hasSubordinates": [b"FALSE"]}
    return Entry(DN, {**base, **attributes})


@pytest.mark.parametrize(
    ("attributes", "encrypted", "rules"),
    [
        ({}, False, []),
        ({"userPassword": [b"x"]}, True, []),
        ({"userPassword": [b"x"]}, False, ["vault_password_missing"]),
        ({"sambaNTPassword": [b"x"]}, False, ["vault_password_missing"]),
        ({"pwdHistory": [b"x"]}, False, ["vault_password_missing"]),
        ({"hasSubordinates": [b"TRUE"]}, True, ["has_children"]),
        ({"objectClass": [b"organizationalUnit"]}, True, ["unsupported_class"]),
        ({"objectClass": [b"groupOfNames"]}, True, ["unsupported_class"]),
        ({"objectClass": [b"top", b"inetOrgPerson"]}, True, []),
    ],
)
def test_what_keeps_it(attributes, encrypted, rules):
    assert [refusal.rule for refusal in entries.refusals(entry(**attributes), encrypted)] == rules


def test_a_copy_brings_everything_back_but_what_the_server_writes():
    there = entry(userPassword=[b"{SSHA}\xff\x00"], description=["同期".encode(), b" x "])
    (record,) = ldif.parse(entries.copy_of(there).decode())
    assert (record.dn, record.changetype) == (DN, "add")
    assert record.attributes == {name: values for name, values in there.attributes.items() if name not in ("entryUUID", "hasSubordinates")}


def test_who_has_the_name_is_told_by_its_own_uuid():
    confirmed, there = Name(DN, "2"), entry()
    assert entries.object_of(there, "key").state["entryUUID"] == "1"
    for refusal, rule in ((entries.other_object(confirmed, there, ""), "other_object"), (entries.moved(confirmed, there, "by x"), "moved")):
        assert refusal.rule == rule and DN in refusal.msg and "2" in refusal.msg
    assert entries.other_object(confirmed, there, "").allow_with.startswith(f"dn: '<GUID=1>;{DN}'")


def test_no_value_is_shown():
    state = entries.object_of(entry(userPassword=[b"Hush-31"]), "key").state
    assert "Hush" not in str(state)
    assert "userPassword" in state["attributes"]


@pytest.mark.parametrize(
    ("state", "there", "saved", "actions", "rules"),
    [
        ("absent", True, None, ["delete"], []),
        ("absent", False, None, [], []),
        ("present", True, None, [], []),
        ("present", False, {"dn": DN}, ["restore"], []),
        ("present", False, None, [], ["no_saved_copy"]),
    ],
)
def test_plan(state, there, saved, actions, rules):
    current = [entries.object_of(entry(), "key")] if there else []
    plan = entries.plan_for(state, DN, "key", current, saved)
    assert ([change.action for change in plan.changes], [refusal.rule for refusal in plan.refusals]) == (actions, rules)
    assert plan.unchanged == int(not actions and not rules)
