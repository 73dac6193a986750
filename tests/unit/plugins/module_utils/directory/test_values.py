# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import struct
import uuid

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import values

EVERYONE = bytes.fromhex("010100000000000100000000")
ADMINISTRATORS = bytes.fromhex("01020000000000052000000020020000")
DENIED, ALLOWED, DENIED_OBJECT = 1, 0, 6


def ace(kind, mask, trustee, flags=0, types=None):
    body = struct.pack("<I", mask)
    if types is not None:
        body += struct.pack("<I", types) + bytes(16) * types.bit_count()
    body += trustee
    return struct.pack("<BBH", kind, flags, 4 + len(body)) + body


def descriptor(*aces):
    dacl = struct.pack("<BBHHH", 4, 0, 8 + sum(map(len, aces)), len(aces), 0) + b"".join(aces)
    return struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 20) + dacl


@pytest.mark.parametrize(
    ("aces", "mask"),
    [
        ([], 0),
        ([ace(ALLOWED, 0x10040, EVERYONE)], 0),
        ([ace(DENIED, 0x10040, ADMINISTRATORS)], 0),
        ([ace(ALLOWED, 0xFF, ADMINISTRATORS), ace(DENIED, 0x10040, EVERYONE)], 0x10040),
        ([ace(DENIED, 0x10000, EVERYONE), ace(DENIED, 0x2, EVERYONE)], 0x10002),
        ([ace(DENIED, 0x10040, EVERYONE, flags=0x08)], 0),  # for children only
        ([ace(DENIED, 0x10040, EVERYONE, flags=0x10)], 0x10040),  # inherited, so it holds here
        ([ace(DENIED_OBJECT, 0x2, EVERYONE, types=0)], 0x2),
        ([ace(DENIED_OBJECT, 0x2, EVERYONE, types=1)], 0x2),
        ([ace(DENIED_OBJECT, 0x2, EVERYONE, types=3)], 0x2),
    ],
)
def test_rights_denied_to_everyone(aces, mask):
    assert values.denied(descriptor(*aces)) == mask


def test_a_descriptor_without_dacl_denies_nothing():
    assert values.denied(struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0)) == 0


def test_sid_and_guid():
    assert values.sid(EVERYONE) == "S-1-1-0"
    assert values.sid(ADMINISTRATORS) == "S-1-5-32-544"
    identity = uuid.uuid4()
    assert values.guid(identity.bytes_le) == str(identity)
    assert values.guid_bytes(str(identity)) == identity.bytes_le


@pytest.mark.parametrize(
    ("ticks", "time"),
    [
        (None, None),
        (0, None),
        (0x7FFFFFFFFFFFFFFF, None),
        (116444736000000000, datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)),
    ],
)
def test_file_time(ticks, time):
    assert values.file_time(ticks) == time


@pytest.mark.parametrize(
    ("dn", "parent"),
    [
        ("CN=a,OU=b,DC=c", "OU=b,DC=c"),
        (r"CN=Reiji\, Taro,OU=b,DC=c", "OU=b,DC=c"),
        (r"CN=ends with \\,OU=b", "OU=b"),
        ("CN=a, OU=b", "OU=b"),
        ("DC=c", ""),
        ("", ""),
    ],
)
def test_parent_dn(dn, parent):
    assert values.parent_dn(dn) == parent


def test_an_entry_reads_attributes_in_any_case_and_knows_no_empty_one():
    entry = values.Entry("CN=a", {"userAccountControl": [b"514"], "member": []})
    assert entry.number("UserAccountControl") == 514
    assert entry.text("member") is None and "member" not in entry.attributes
