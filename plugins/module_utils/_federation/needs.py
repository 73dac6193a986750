# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether all is there that this room needs besides Python, for the modules. What decides imports no more of it than it uses."""

from __future__ import annotations

from . import dns_txt, libraries, signature

#: For the message about a missing library.
NAMES = "lxml, signxml, cryptography, dnspython, idna, publicsuffixlist"
IMPORT_ERROR = libraries.IMPORT_ERROR or signature.IMPORT_ERROR or dns_txt.IMPORT_ERROR
