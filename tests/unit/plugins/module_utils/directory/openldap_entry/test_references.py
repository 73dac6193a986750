# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries of OpenLDAP name an account."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_entry import references
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry

DN_SYNTAX, WITH_UID = "1.3.6.1.4.1.1466.115.121.1.12", "1.3.6.1.4.1.1466.115.121.1.34"
#: as slapd publishes them
SCHEMA = [
    f"( 2.5.4.49 NAME 'distinguishedName' DESC 'RFC4519: common supertype of DN attributes' EQUALITY distinguishedNameMatch SYNTAX {DN_SYNTAX} )",
    "( 2.5.4.31 NAME 'member' DESC 'RFC2256: member of a group' SUP distinguishedName )",
    "( 2.5.4.32 NAME ( 'owner' 'besitzer' ) SUP 2.5.4.49 )",
    f"( 2.5.4.50 NAME 'uniqueMember' EQUALITY uniqueMemberMatch SYNTAX {WITH_UID} )",
    f"( 0.9.2342.19200300.100.1.10 NAME 'manager' DESC 'USAGE dSAOperation' EQUALITY distinguishedNameMatch SYNTAX '{DN_SYNTAX}' )",
    f"( 2.5.18.3 NAME 'creatorsName' SYNTAX {DN_SYNTAX} SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )",
    f"( 1.2.840.113556.1.2.102 NAME 'memberOf' SYNTAX {DN_SYNTAX} NO-USER-MODIFICATION USAGE dSAOperation )",
    f"( 1.3.6.1.4.1.4203.666.11.5.1.1 NAME 'reqDN' SYNTAX {DN_SYNTAX} SINGLE-VALUE )",
    "( 1.3.6.1.1.1.1.12 NAME 'memberUid' SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 )",
    "( 9.9.9 NAME 'odd' SUP odd )",
    "( 9.9.8 NAME 'odder' SUP oddest ) ( 9.9.7",
    f"( 9.9.6 SYNTAX {DN_SYNTAX} )",
    f"( 9.9.5 NAME '!' SYNTAX {DN_SYNTAX} )",
    "",
]
HOLDING = ["distinguishedName", "member", "owner", "uniqueMember", "manager", "9.9.6", "9.9.5"]


def test_attributes_that_hold_dns():
    assert references.attributes(SCHEMA) == HOLDING
    assert references.attributes([]) == []


DN = "cn=sync\\, a,ou=services,dc=reiji"


@pytest.mark.parametrize(
    ("attribute", "value", "named"),
    [
        ("member", DN, True),
        ("member", "CN=Sync\\2C A, OU=Services, DC=Reiji", True),
        ("uniqueMember", f"{DN}#'0101'B", True),
        ("uniqueMember", DN, True),
        ("Manager", DN, True),
        ("member", f"cn=x,{DN}", False),
        ("memberUid", "iijsync", True),
        ("memberUid", "iijsync2", False),
        ("description", DN, False),
    ],
)
def test_who_names_it(attribute, value, named):
    found = [Entry("cn=group,dc=reiji", {attribute: [b"cn=other,dc=reiji", value.encode()]}), Entry(DN.upper(), {"manager": [DN.encode()]})]
    told = [(one["dn"], one["attribute"].casefold()) for one in references.told(found, HOLDING, DN, ["iijsync"])]
    assert told == [("cn=group,dc=reiji", attribute.casefold())] * named


@pytest.mark.parametrize(
    ("dn", "entry", "uids"),
    [
        ("cn=a,dc=b", Entry("cn=a,dc=b", {"uid": [b"one", b"two"]}), ["one", "two"]),
        ("cn=a,dc=b", None, []),
        ("uid=iij\\+sync,dc=b", None, ["iij+sync"]),
        ("UserID = iijsync+cn=x,dc=b", None, ["iijsync"]),
        ("uid=iijsync,dc=b", Entry("uid=iijsync,dc=b", {}), []),
        ("cn=x,uid=iijsync,dc=b", None, []),
    ],
)
def test_uids(dn, entry, uids):
    assert references.uids(dn, entry) == uids
