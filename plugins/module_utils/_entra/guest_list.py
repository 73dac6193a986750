# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guests of the tenant, page by page."""

from __future__ import annotations

from .._graph.client import Client
from .._graph.errors import GraphError
from .guest import Guest, guest

_FIELDS = "id,userPrincipalName,displayName,mail,otherMails,accountEnabled,externalUserState,identities"


#: With signInActivity a page holds no more; https://learn.microsoft.com/graph/api/user-list
_PAGE_SIZE_WITH_SIGN_IN = 500


_PAGE_SIZE = 999


def read_guests(client: Client) -> tuple[list[Guest], bool]:
    """All guests, and whether their last sign-ins could be read.

    Graph filters identities by issuer only together with the guest's id at that issuer, so all guests are read. The last sign-in needs
    the permission AuditLog.Read.All and an Entra ID P1 licence; without either Graph refuses, and the guests are read without it.
    """
    query = f"/users?$filter=userType eq 'Guest'&$select={_FIELDS}"
    try:
        return [guest(item) for item in client.list(f"{query},signInActivity&$top={_PAGE_SIZE_WITH_SIGN_IN}")], True
    except GraphError as exc:
        if exc.status != 403:
            raise
    return [guest(item) for item in client.list(f"{query}&$top={_PAGE_SIZE}")], False
