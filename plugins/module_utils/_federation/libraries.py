# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this room needs besides Python, imported in one place so that a module can say what is missing."""

from __future__ import annotations

try:
    import dns.exception
    import dns.resolver
    import idna
    import signxml
    from cryptography import exceptions as cryptography_exceptions
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from lxml import etree
    from publicsuffixlist import PublicSuffixList
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
    cryptography_exceptions = dns = ec = etree = idna = rsa = serialization = signxml = x509 = PublicSuffixList = None  # type: ignore[assignment, misc]
else:
    IMPORT_ERROR = None

#: For the message about a missing library.
NAMES = "lxml, signxml, cryptography, dnspython, idna, publicsuffixlist"

__all__ = ["IMPORT_ERROR", "NAMES", "PublicSuffixList", "cryptography_exceptions", "dns", "ec", "etree", "idna", "rsa", "serialization", "signxml", "x509"]
