# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a certificate is named by people: by its thumbprint, or by its issuer's whole distinguished name. Pure."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable

from . import dn, names

_LABEL = re.compile(r"^(?:sha-?(?:1|256)(?:fingerprint|thumbprint)?[=:]|(?:finger|thumb)print[=:]|0x)|[:-]")
#: the name of an authority itself
_OWN_NAME = re.compile(r"(?:^|[,;/+\n])[ \t]*CN[ \t]*=((?:\\.|[^,;/+\n\\])*)", re.IGNORECASE)


def thumbprint(text: str) -> str | None:
    """SHA-1 or SHA-256 as people copy it (colons, blanks, capitals, OpenSSL's label) in lower-case hex; None when it is neither."""
    seen = unicodedata.normalize("NFKC", "".join(char for char in str(text) if unicodedata.category(char) != "Cf"))  # Windows' dialogue puts a mark in front
    digits = _LABEL.sub("", "".join(seen.split()).strip("\"'").lower())
    return digits if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", digits) else None


@functools.lru_cache(4096)  # thousands of machines have the same few issuers
def key(text: str) -> str:
    """For comparing: two texts mean the same certificate, or the same issuer, when these are equal."""
    return thumbprint(text) or dn.certificate_key(text)


def keys(texts: Iterable[str]) -> set[str]:
    """`key` of each."""
    return {key(text) for text in texts}


def near(issuer: str, there: Iterable[str]) -> list[str]:
    """Of the issuers that are there, those that may be meant by a text that is none of them: in another order (OpenSSL's, certutil's), with other marks,
    or with parts of the name alone, of which one is no country."""
    wanted = _values(issuer)
    return [text for text in dict.fromkeys(there) if key(text) != key(issuer) and _says_the_same(issuer, wanted, text)]


def _says_the_same(issuer: str, wanted: set[str], there: str) -> bool:
    values, own = _values(there), _OWN_NAME.findall(there)
    if wanted > values and not own:  # an authority without a name of its own is that of many
        return False
    named = {names.rough(name) for name in _OWN_NAME.findall(issuer)}
    if named and own and named.isdisjoint(map(names.rough, own)):  # another one of the same organization
        return False
    return (wanted <= values or values <= wanted) and any(len(value) > 2 for value in wanted & values)


def _values(text: str) -> set[str]:
    parts = re.split(r"(?<!\\)[,;/+\n]", text)
    return {value for part in parts if (value := names.rough(part.rpartition("=")[2]))}


def parted(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Issuers and thumbprints, as they were given. What is neither, and so means nothing, is with the thumbprints: who takes them says so."""
    given = list(texts)
    issuers = [text for text in given if "=" in text and thumbprint(text) is None]
    return issuers, [text for text in given if text not in issuers]
