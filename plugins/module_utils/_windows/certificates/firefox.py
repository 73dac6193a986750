# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates in Firefox' database cert9.db, read from its bytes: an SQLite file, whose columns are named by PKCS #11's attributes in hexadecimal."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3

from ..._core.errors import OffboardError
from .plan import StoredCertificate, described

#: no database that a person filled is larger
MAX_BYTES = 32_000_000
_STEPS = 10_000_000
_CERTIFICATE = b"\0\0\0\1"  # CKO_CERTIFICATE
_QUERY = "SELECT a11 FROM nssPublic WHERE a0 = ? AND a11 IS NOT NULL"  # CKA_VALUE, CKA_CLASS


def certificates(database: bytes, store: str) -> tuple[list[StoredCertificate], int]:
    """Those that can be read, and how many cannot. Raises OffboardError `database_unreadable`."""
    if len(database) > MAX_BYTES:
        raise OffboardError("The database is too long", code="database_unreadable")
    found = []
    try:
        with contextlib.closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(database)
            connection.set_progress_handler(lambda: 1, _STEPS)  # a view that never ends is interrupted
            connection.execute("PRAGMA trusted_schema = OFF")
            rows = [bytes(row[0]) for row in connection.execute(_QUERY, (_CERTIFICATE,)) if isinstance(row[0], bytes)]
    except (sqlite3.Error, MemoryError, OverflowError, UnicodeDecodeError):  # SQLite quotes a broken schema in its message, which need not be UTF-8
        raise OffboardError("The database cannot be read", code="database_unreadable") from None
    for der in rows:
        with contextlib.suppress(OffboardError):
            found.append(described(der, store, hashlib.sha1(der, usedforsecurity=False).hexdigest().upper(), None))
    return found, len(rows) - len(found)
