# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import uuid

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import ldif
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects import saved
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry

NOW = datetime.datetime(2026, 4, 1, 3, 15, tzinfo=datetime.UTC)
GUID = uuid.UUID("0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11")
ENTRY = Entry(
    "CN=iij-iwa,DC=example",
    {
        "objectClass": [b"top", b"user"],
        "cn": [b"iij-iwa"],
        "sAMAccountName": [b"iij-iwa"],
        "description": ["統合Windows認証".encode()],
        "objectGUID": [GUID.bytes_le],
        "objectSid": [bytes.fromhex("01020000000000052000000020020000")],
        "userAccountControl": [b"66048"],
        "whenCreated": [b"20260101000000.0Z"],
        "lastLogonTimestamp": [b"1"],
        "memberOf": [b"CN=g,DC=example"],
        "unixUserPassword": [b"hush-hush"],
        "ms-Mcs-AdmPwd": [b"hush-hush"],
        "member": [b"CN=m,DC=example"],
        "unknownAttribute": [b"a\nb"],
    },
)
SCHEMA = {
    name.casefold(): saved.SchemaAttribute(name, settable, link)
    for name, settable, link in [
        ("objectClass", False, None),
        ("cn", True, None),
        ("sAMAccountName", True, None),
        ("description", True, None),
        ("objectGUID", False, None),
        ("objectSid", False, None),
        ("userAccountControl", True, None),
        ("whenCreated", False, None),
        ("lastLogonTimestamp", True, None),
        ("memberOf", False, 3),
        ("unixUserPassword", True, None),
        ("ms-Mcs-AdmPwd", True, None),
        ("member", True, 2),
    ]
}
LINKS = [saved.SavedLink("CN=g,DC=example", "member", ENTRY.dn), saved.SavedLink("CN=h,DC=example", "managedBy", ENTRY.dn)]
TEXT = saved.make(ENTRY, SCHEMA, LINKS, NOW)


def test_a_copy_is_read_back():
    copy = saved.read(TEXT, "x")
    assert (copy.dn, copy.guid, copy.saved_at, copy.kind, copy.name) == (ENTRY.dn, str(GUID), "2026-04-01T03:15:00Z", "user", "iij-iwa")
    assert copy.links == LINKS
    assert set(copy.attributes) == {"objectClass", "cn", "sAMAccountName", "description", "userAccountControl"}
    assert set(copy.restorable) == {"description", "userAccountControl"}


def test_a_user_comes_back_disabled_and_the_file_says_what_it_was():
    assert saved.read(TEXT, "x").attributes["userAccountControl"] == [b"66050"]
    assert "# userAccountControl: 66048\n" in TEXT


def test_no_secret_reaches_the_file():
    assert "hush" not in TEXT


def test_what_cannot_be_set_is_kept_as_a_comment():
    assert "# whenCreated: 20260101000000.0Z\n" in TEXT
    assert "# lastLogonTimestamp: 1\n" in TEXT
    assert "# unknownAttribute: a\\nb\n" in TEXT
    assert "memberOf" not in TEXT  # it is a link, restored from the group's side


def test_the_object_comes_first_and_its_links_after_it():
    assert [record.changetype for record in ldif.parse(TEXT)] == ["add", "modify", "modify"]


def test_the_file_is_called_after_the_account_and_its_guid():
    assert saved.file_name(ENTRY, NOW) == f"iij-iwa_{GUID}_20260401T031500.000000Z.ldif"
    strange = Entry("CN=x", {"sAMAccountName": [b"../a b"], "objectGUID": [GUID.bytes_le]})
    assert saved.file_name(strange, NOW) == f".._a_b_{GUID}_20260401T031500.000000Z.ldif"


@pytest.mark.parametrize("text", ["", "dn: CN=a\ncn: a\n", TEXT.replace("# objectGUID", "# other"), TEXT.replace("changetype: add", "changetype: modify")])
def test_another_file_is_refused_by_name(text):
    with pytest.raises(OffboardError) as error:
        saved.read(text, "/folder/other.ldif")
    assert error.value.code == "ldif_unreadable" and "/folder/other.ldif" in error.value.msg


@pytest.mark.parametrize(
    ("attributes", "settable", "back_link"),
    [
        ({}, True, False),
        ({"systemOnly": [b"TRUE"]}, False, False),
        ({"systemFlags": [b"16"]}, True, False),
        ({"systemFlags": [b"17"]}, False, False),  # not replicated
        ({"systemFlags": [b"20"]}, False, False),  # constructed
        ({"linkID": [b"2"]}, True, False),
        ({"linkID": [b"3"]}, False, True),
    ],
)
def test_what_the_schema_says(attributes, settable, back_link):
    known = saved.SchemaAttribute.of(Entry("CN=x", {"lDAPDisplayName": [b"x"], **attributes}))
    assert (known.name, known.settable, known.is_back_link) == ("x", settable, back_link)
