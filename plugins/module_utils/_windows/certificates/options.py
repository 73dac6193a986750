# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task asks of certificates: parsed, and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import plan as certificates


@dataclass(frozen=True)
class Options:
    """Of win_certificate: which go, and which of them stay nevertheless. Issuers and thumbprints as they are compared."""

    thumbprints: Sequence[str]
    issuers: Sequence[Any]
    except_thumbprints: Sequence[str]
    except_issuers: Sequence[Any]
    #: where they are saved; "": nowhere
    backup_dir: str
    #: issuers whose certificates a task with the same journal has removed are gone, whatever is there of nearly that name
    journal: str | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Options:
        """Raises OffboardError `thumbprint_invalid`, `issuer_invalid`."""
        return cls(
            thumbprints=certificates.thumbprints(params["thumbprints"] or ()),
            issuers=certificates.issuers(params["issuers"] or ()),
            except_thumbprints=certificates.thumbprints(params["except_thumbprints"]),
            except_issuers=certificates.issuers(params["except_issuers"]),
            backup_dir=params["backup_dir"] or "",
            journal=params["journal"] or None,
        )


@dataclass(frozen=True)
class InfoOptions:
    """Of win_certificate_info. Nothing to look for: all is shown."""

    thumbprints: Sequence[str]
    issuers: Sequence[Any]
    #: whether Firefox' own databases are looked into
    firefox: bool

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> InfoOptions:
        """Raises OffboardError `thumbprint_invalid`, `issuer_invalid`."""
        return cls(
            thumbprints=certificates.thumbprints(params["thumbprints"]),
            issuers=certificates.issuers(params["issuers"]),
            firefox=params["firefox"],
        )
