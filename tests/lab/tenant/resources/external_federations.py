# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Federation with partners' identity providers (samlOrWsFedExternalDomainFederation): the list. The fixture has none.

Source: learn.microsoft.com/graph/api/samlorwsfedexternaldomainfederation-list.
"""

from __future__ import annotations

from ..answers import Answer
from ..operation import Call, operation

_KIND = "samlOrWsFedExternalDomainFederation"


@operation(
    "GET",
    f"/directory/federationConfigurations/graph.{_KIND}",
    f"/directory/federationConfigurations/microsoft.graph.{_KIND}",
    permissions="Domain.Read.All Domain.ReadWrite.All IdentityProvider.Read.All IdentityProvider.ReadWrite.All",
)
def list_federations(call: Call) -> Answer:
    return call.page(_KIND, call.table("external_federations"))
