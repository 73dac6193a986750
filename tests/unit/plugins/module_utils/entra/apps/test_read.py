# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

from ansible_collections.offboard.iij_id.plugins.module_utils._entra.apps import read

GONE, THERE = "0b1f7f83-4c3a-4c43-8f6e-111111111111", "0b1f7f83-4c3a-4c43-8f6e-222222222222"


def test_a_deleted_application_is_told_with_its_service_principal_and_the_newest_of_several():
    """It was told without, as if none could come back, or as the first that Graph happened to list."""

    def one(number, client_id, deleted=None):
        return {"id": f"id{number}", "appId": client_id, "displayName": f"IIJ ID {number}", "deletedDateTime": deleted}

    tenant = {
        "/applications": [one(1, THERE)],
        "/servicePrincipals": [],
        "/directory/deletedItems/microsoft.graph.application": [one(2, GONE, "2026-11-02T00:00:00Z"), one(3, GONE, "2026-11-01T00:00:00Z")],
        "/directory/deletedItems/microsoft.graph.servicePrincipal": [one(4, GONE, "2026-11-01T00:00:00Z"), one(5, GONE, "2026-11-02T00:00:00Z"),
                                                                    one(6, THERE, "2026-11-02T00:00:00Z")],
    }  # fmt: skip
    apps = read._all_apps(SimpleNamespace(list=lambda path: iter(tenant[path.partition("?")[0]])))
    ids = {client_id: (app["deleted"], app["application_id"], app["service_principal_id"]) for client_id, app in apps.items()}
    assert ids == {THERE: (False, "id1", None), GONE: (True, "id2", "id5")}
