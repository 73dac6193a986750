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
