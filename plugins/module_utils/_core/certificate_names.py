# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a certificate is named by people: by its thumbprint, or by its issuer's whole distinguished name. Pure."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable

from . import dn

_LABEL = re.compile(r"^(?:sha-?(?:1|256)(?:fingerprint|thumbprint)?[=:]|(?:finger|thumb)print[=:]|0x)|[:-]")


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


def parted(texts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Issuers and thumbprints, as they were given. What is neither, and so means nothing, is with the thumbprints: who takes them says so."""
    given = list(texts)
    issuers = [text for text in given if "=" in text and thumbprint(text) is None]
    return issuers, [text for text in given if text not in issuers]
