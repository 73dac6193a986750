# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import ldif
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.from_regex(r"version|[a-zA-Z][a-zA-Z0-9-]{0,20}(;lang-ja|;binary)?", fullmatch=True).filter(lambda name: name.lower() not in ("dn", "changetype"))
DNS = st.text(min_size=1).filter(lambda text: text.strip() == text)


@given(DNS, st.dictionaries(NAMES, st.lists(st.binary(), min_size=1), min_size=1))
def test_what_is_added_is_read_back(dn, attributes):
    (record,) = ldif.parse("version: 1\n" + ldif.add(dn, attributes))
    assert (record.dn, record.changetype, record.attributes) == (dn, "add", attributes)


@given(DNS, st.lists(st.tuples(NAMES, st.lists(st.binary(), min_size=1)), min_size=1))
def test_what_is_modified_is_read_back(dn, changes):
    text = "\n".join(ldif.modify(dn, "add", name, values) for name, values in changes)
    assert [record.changes for record in ldif.parse(text)] == [[("add", name, values)] for name, values in changes]


@given(st.text())
def test_a_comment_stays_one_line(text):
    assert list(ldif.parse(ldif.comment(text).replace("\r", "\n"))) == []


@pytest.mark.parametrize("value", [b" leading", b"trailing ", b":colon", b"<url", b"a\nb", "例示".encode(), b"\x00"])
def test_values_that_are_not_safe_are_base64(value):
    assert f"cn:: {base64.b64encode(value).decode()}" in ldif.add("CN=a", {"cn": [value]})


def test_folded_lines_and_carriage_returns_of_other_programs():
    text = "version: 1\r\n\r\ndn: CN=a,\r\n DC=b\r\n# a comment\r\ncn: a\r\n\r\n"
    assert next(ldif.parse(text)) == ldif.ChangeRecord("CN=a,DC=b", "add", attributes={"cn": [b"a"]})


def test_an_attribute_that_is_called_version_is_none_of_the_file():
    (record,) = ldif.parse("# a comment\n\nversion: 1\n" + ldif.add("CN=a", {"version": [b"7"], "cn;lang-ja": ["例示".encode()], "cn": [b"x" * 200]}))
    assert record.attributes == {"version": [b"7"], "cn;lang-ja": ["例示".encode()], "cn": [b"x" * 200]}


@pytest.mark.parametrize(
    "text",
    [
        "cn: no dn",
        "dn: CN=a\ncn:: %%%",
        "dn: CN=a\nchangetype: delete\n",
        "dn: CN=a\njpegPhoto:< file:///etc/passwd",
        "dn: CN=a\njust words",
        "dn: CN=a\n: no name",
        "dn: CN=a\nchangetype: modify\nadd: cn\ncn: a\ndelete: cn\n",  # no - between them
    ],
)
def test_what_cannot_be_read_is_one_clear_error(text):
    with pytest.raises(OffboardError) as error:
        list(ldif.parse(text))
    assert error.value.code == "ldif_unreadable"
