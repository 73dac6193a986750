# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules that also reach SYSVOL say of the options of the fragment `directory`."""

from __future__ import annotations


class ModuleDocFragment:
    """Notes on SMB."""

    DOCUMENTATION = r"""
options: {}
notes:
  - SYSVOL is reached by SMB 3 (port 445) on O(host) itself, never through DFS, with every message signed. O(authentication=simple) means NTLM there, for
    which O(username) is C(user@domain) or C(DOMAIN\\user). O(authentication=kerberos) needs C(gssapi) and C(krb5), and the server's DNS name in O(host) or as
    the first of O(valid_names). O(port) is that of LDAP alone.
requirements:
  - smbprotocol >= 1.15, < 2
"""
