# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reading metadata, tokens and certificates needs besides Python, imported in one place so that a module can say what is missing (`needs.py`)."""

from __future__ import annotations

try:
    import idna
    from cryptography import exceptions as cryptography_exceptions
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from lxml import etree
    from publicsuffixlist import PublicSuffixList
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
    cryptography_exceptions = ec = etree = idna = rsa = serialization = x509 = PublicSuffixList = None  # type: ignore[assignment, misc]
else:
    IMPORT_ERROR = None

__all__ = ["IMPORT_ERROR", "PublicSuffixList", "cryptography_exceptions", "ec", "etree", "idna", "rsa", "serialization", "x509"]
