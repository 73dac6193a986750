# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.filter.certificate_names import certificate_names as parted
from ansible_collections.offboard.iij_id.plugins.module_utils._core import certificate_names

ISSUER = r"CN=Sumire Device CA,O=Sumire Trading Co.\, Ltd.,C=JP"
DIGITS = "3f2a9c0d5b7e41886a0c1d2e3f4a5b6c7d8e9f00"
COLONS = ":".join(DIGITS[at : at + 2] for at in range(0, 40, 2)).upper()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (DIGITS, DIGITS.upper()),
        (DIGITS, "\u200e" + COLONS.replace(":", " ")),
        (DIGITS, f"SHA1 Fingerprint={COLONS}"),
        (DIGITS, f"sha1 Fingerprint={COLONS}\n"),
        (DIGITS, f"Thumbprint={DIGITS}"),
        (ISSUER, 'cn = sumire device ca, o="Sumire Trading Co., Ltd.", c = jp'),
        (ISSUER, 'CN = Sumire Device CA\nO = "Sumire Trading Co., Ltd."\nC = JP'),
        # as the dialogue shows it, which has no quotes; wrapped at its commas; as OpenSSL prints it; with blanks that do not count
        (ISSUER, "CN = Sumire Device CA\r\nO = Sumire Trading Co., Ltd.\r\nC = JP"),
        (ISSUER, "CN=Sumire Device CA,\n  O=Sumire Trading Co.\\, Ltd.,\n  C=JP\n"),
        (ISSUER, 'C = JP, O = "Sumire Trading Co., Ltd.", CN = Sumire Device CA'),
        (ISSUER, r"CN=Sumire  Device CA\ ,O=\ Sumire Trading Co.\,  Ltd.,C=JP"),
    ],
)
def test_what_means_the_same_is_the_same(text: str, same: str) -> None:
    assert certificate_names.key(text) == certificate_names.key(same) != certificate_names.key("CN=Other")
    assert certificate_names.keys([text, same]) == {certificate_names.key(text)}
    kind = "thumbprints" if text == DIGITS else "issuers"
    assert parted([same]) == {"issuers": [], "thumbprints": [], kind: [same]}


@pytest.mark.parametrize(
    ("given", "issuers", "thumbprints"),
    [
        ([], [], []),
        ([DIGITS, ISSUER, COLONS, "CN=B"], [ISSUER, "CN=B"], [DIGITS, COLONS]),
        # openssl's label has an equals sign, too
        ([f"SHA1 Fingerprint={COLONS}"], [], [f"SHA1 Fingerprint={COLONS}"]),
        # what is neither is refused by the module, as a thumbprint
        (["Sumire Device CA", DIGITS[:-1]], [], ["Sumire Device CA", DIGITS[:-1]]),
        ([f"CN={DIGITS}"], [f"CN={DIGITS}"], []),
    ],
)
def test_issuers_and_thumbprints_apart(given: list[str], issuers: list[str], thumbprints: list[str]) -> None:
    assert parted(given) == {"issuers": issuers, "thumbprints": thumbprints}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AB:" * 19 + "AB", "ab" * 20),
        ("\u200e" + "ab " * 32, "ab" * 32),
        *((mark + "AB" * 20, "ab" * 20) for mark in "\u200b\u200f\ufeff\u202a"),
        ("SHA1 Fingerprint=" + "AB:" * 19 + "AB", "ab" * 20),
        ("sha256 Fingerprint=" + "AB:" * 31 + "AB\n", "ab" * 32),
        ("sha-1: " + "ab" * 20, "ab" * 20),
        ("AB-" * 19 + "AB", "ab" * 20),
        ("\uff21\uff22" * 20, "ab" * 20),
        ("0x" + "ab" * 20, "ab" * 20),
        ('"' + "ab" * 20 + '"', "ab" * 20),
        ("ab" * 19, None),
        ("zz" * 20, None),
        ("", None),
        (12, None),
    ],
)
def test_thumbprints_as_people_copy_them(text, expected):
    assert certificate_names.thumbprint(text) == expected


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("C=JP, O=Sumire Trading, CN=Sumire Device CA", False),  # as OpenSSL and certutil print it: that is it
        ("/C=JP/O=Sumire Trading/CN=Sumire Device CA", True),
        ("issuer=C = JP, O = Sumire Trading, CN = Sumire Device CA", True),
        ("CN=Sumire Device CA", True),
        ("CN=sumire-device ca,O=Sumire Trading.,C=JP", True),
        ("CN=Sumire Device CA,O=Sumire Trading,L=Tokyo,C=JP", True),
        ("O=Sumire Trading,C=JP", True),
        ("CN=Sumire Device CA G2,O=Sumire Trading,C=JP", False),
        ("CN=Other CA,O=Sumire Trading,C=JP", False),
        ("CN=Sumire Trading", False),  # another authority of the organization, which is named as it is
        ("CN=Sumire Trading,O=Sumire Trading,C=JP", False),
        ("C=JP", False),
        ("CN=Sumire Device CA,O=Sumire Trading,C=JP", False),  # that is it
    ],
)
def test_another_spelling_of_an_issuer(typed, near):
    there = ["CN=Sumire Device CA,O=Sumire Trading,C=JP", "CN=Unrelated,C=DE", "O=Sumire Trading,C=JP" if "Other" in typed else "CN=x"]
    assert certificate_names.near(typed, there) == there[:1] * near
