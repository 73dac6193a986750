# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import dn
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError

GUID = "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11"
OTHER = "00000000-7f0a-4d2e-9a65-0d5d8d0b7f11"
ITEM = {"dn": "CN=a,DC=b", "objectGUID": GUID}


def test_dns_that_differ_in_case_and_spaces_are_one():
    assert dn.key("CN=A B, OU = c,DC=d ") == dn.key("cn=a b,ou=C,dc=D")
    assert dn.key(r"CN=a\, b,DC=d") != dn.key(r"CN=a\,b,DC=d")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (" CN=a, DC=b ", dn.Name("CN=a, DC=b")),
        (f"<GUID={GUID}>", dn.Name("", GUID)),
        (f"<guid={GUID.upper()}>;CN=a,DC=b", dn.Name("CN=a,DC=b", GUID)),
        (f"<GUID={GUID}>;<SID=S-1-5-21-1-2-3-1104>;CN=a;b,DC=b", dn.Name("CN=a;b,DC=b", GUID)),  # as the directory itself writes it
        (f"<GUID={GUID}> ; CN=a,DC=b", dn.Name("CN=a,DC=b", GUID)),
    ],
)
def test_how_an_object_may_be_named(text, name):
    assert dn.parse(text) == name
    assert dn.parse(str(name)) == name


@pytest.mark.parametrize("text", ["", " ", "<GUID=x>;CN=a", f"<GUID={GUID}", "<SID=S-1-1-0>", f"<GUID={GUID}>CN=a"])
def test_what_is_no_name(text):
    with pytest.raises(OffboardError) as caught:
        dn.parse(text)
    assert caught.value.code == "invalid_dn"


@pytest.mark.parametrize(
    ("confirmed", "yes"),
    [
        ("cn=A, dc=b", True),
        ("CN=c,DC=b", False),
        (f"<GUID={GUID.upper()}>;CN=renamed,DC=b", True),
        (f"<GUID={OTHER}>;CN=a,DC=b", False),  # who took its name
        (f"<GUID={GUID}>", True),
        ("<GUID=typo>;CN=a,DC=b", False),
    ],
)
def test_which_object_a_confirmation_means(confirmed, yes):
    assert dn.means(confirmed, ITEM) is yes


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("CN=A, DC=b", "cn=a,dc=b"),
        (f"<GUID={OTHER}>;CN=Ａ,DC=b", "cn=a,dc=b"),
        (f"<guid={{{GUID.upper()}}}>", GUID),
        (GUID.upper().replace("-", ""), GUID),
        ("<GUID=typo>;CN=a", dn.key("<GUID=typo>;CN=a")),
    ],
)
def test_confirmations_of_two_lists_are_compared_by_the_name(text, key):
    assert dn.account_key(text) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"CN=a\2C b,OU=x,DC=e", r"CN=a\, b,OU=x,DC=e"),
        ('CN="a, b" ,OU=x,DC=e', r"CN=a\, b,OU=x,DC=e"),
        (r"CN=\E3\81\82,DC=e", "CN=あ,DC=e"),
        ("CN=が,DC=e", "CN=か\u3099,DC=e"),  # NFC, NFD
        ("CN=ＩＩＪ　同期,DC=e", "CN=IIJ 同期,DC=e"),  # the directory knows no width
        ("2.5.4.3=a,OID.2.5.4.11=b,DC=e", "CN=a,OU=b,DC=e"),
        ("cn=a;dc=e", "CN=a,DC=e"),
        (r"CN=a\20,DC=e", r"CN=a\ ,DC=e"),
        (r"CN=a\\,DC=e", r"CN=a\5c,DC=e"),
        (r"CN=\#a\+b,DC=e", r"CN=\23a\2bb,DC=e"),
        ("CN=a+UID=b,DC=e", "uid=B + cn=A,dc=e"),
        ("CN=#04024869,DC=e", "CN=hi,DC=e"),  # RFC 4514, 2.4: a value's own bytes
        ("1.3.6.1.4.1.1466.0=#04024869,O=#0C03E38182", "1.3.6.1.4.1.1466.0=Hi,O=あ"),
        ("CN=#1,DC=e", r"CN=\#1,DC=e"),  # not strictly a name, but no such bytes either
        ("CN=#1234,DC=e", r"CN=\23 1234,DC=e".replace(" ", "")),
    ],
)
def test_forms_of_one_name(one, other):
    assert dn.key(one) == dn.key(other)
    assert dn.means(one, {"dn": other, "objectGUID": GUID})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"CN=a\,OU=b,DC=e", "CN=a,OU=b,DC=e"),
        (r"CN=a\ ,DC=e", "CN=a,DC=e"),
        (r"CN=a\\,OU=b", r"CN=a\,OU=b"),
        ("CN=a,OU=b", "OU=b,CN=a"),
        (r"CN=a\+b", "CN=a+b"),
        (r"CN=\#04024869", "CN=#04024869"),
    ],
)
def test_different_names(one, other):
    assert dn.key(one) != dn.key(other)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        (" CN=a, OU=b,  DC=c ", "CN=a,OU=b,DC=c"),
        (r"CN=a\, b,OU=c", r"CN=a\, b,OU=c"),
        ("CN=a = b, OU=c", "CN=a = b,OU=c"),
        (r"CN=a\ ,OU=c", r"CN=a\ ,OU=c"),
        ('CN="a, b",OU=c', r"CN=a\, b,OU=c"),
        (r"CN=a\\, OU=c", r"CN=a\\,OU=c"),
        (r"CN=a\0aCNF:1, OU=c", r"CN=a\0ACNF:1,OU=c"),  # as the directory names what replication found twice; a bare line break is none of a name
        (r"CN=a\00b,OU=c", r"CN=a\00b,OU=c"),
        (r"CN=\23 a\2C b; OU = c", r"CN=\# a\, b,OU=c"),
        ("no name", "no name"),
        ("CN=a,,OU=b", "CN=a,,OU=b"),
    ],
)
def test_a_dn_as_the_directory_takes_it(typed, written):
    assert dn.canonical(typed) == written


@pytest.mark.parametrize("text", [GUID.upper(), "{" + GUID.upper() + "}", "<GUID={" + GUID.upper() + "}>"])
def test_an_object_guid_as_tools_show_it(text):
    assert dn.parse(text) == dn.Name("", GUID)


@pytest.mark.parametrize("form", ["{}", "\u200e{}", "{{{}}}\u200b", "({})", "urn:uuid:{}", "'{}'", "\ufeff{}\n"])
def test_an_object_guid_as_people_paste_it(form):
    guid = "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11"
    assert dn.parse(form.format(guid.upper())) == dn.Name("", guid)
    assert dn.parse(form.format(guid.replace("-", ""))) == dn.Name("", guid)


def test_marks_that_nobody_sees_around_a_name():
    assert dn.parse("\u200eCN=a,DC=b\u200b ") == dn.Name("CN=a,DC=b")
    assert dn.parse("\u200e<GUID=0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11>;CN=a\u202c").dn == "CN=a"
