# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a domain with more than one domain controller shows: which of them holds the role, and who is behind."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._core.plan import Plan
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.connection import Connection
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import info, read
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.right import plan as rights
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.right.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.right.resource import GroupPolicyRights
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry
from dev.options import given

GUID = "{6AC1786C-016F-11D2-945F-00C04FB984F9}"
BASE = "DC=ad,DC=reiji,DC=example"
SETTINGS = "CN=NTDS Settings,CN={},CN=Servers,CN=Default,CN=Sites,CN=Configuration," + BASE
CONNECTION = Connection.from_params(given("group_policy_info", host="dc1", valid_names=["dc1"], port=636))


def entry(dn, **attributes):
    return Entry(dn, {name: [value.encode()] for name, value in attributes.items()})


class Client:
    """The directory of two domain controllers, of which dc2 is the PDC emulator and has another version, and dc3 answers nobody."""

    role = "DC2"

    def __init__(self, connection=CONNECTION, *, read_only=True):
        self.host = connection.host
        self.connection = connection
        self.user = "editor"
        self.root = entry(
            "", defaultNamingContext=BASE, configurationNamingContext=f"CN=Configuration,{BASE}", dsServiceName=SETTINGS.format("DC1"), dnsHostName="dc1"
        )

    def read(self, dn, attributes=(), **_unused):
        if dn == BASE:
            return entry(dn, fSMORoleOwner=SETTINGS.format(self.role))
        return entry(dn, dNSHostName=self.role.lower())

    def search(self, query, _attributes, *, base=None, **_unused):
        if self.host == "dc3":
            raise OffboardError("nobody answers", code="unreachable")
        if "computer" in query:
            return iter([entry(f"CN={name}", dNSHostName=name) for name in ("DC1", "dc3", "dc2")])
        return iter([entry(f"CN={GUID}", cn=GUID.lower(), versionNumber={"dc1": "5", "dc2": "4"}[self.host])])

    def close(self):
        pass


@pytest.fixture(autouse=True)
def _two(monkeypatch):
    monkeypatch.setattr(read, "Client", Client)


def a_plan():
    plan = Plan()
    plan.changes.append(Change(rights.KIND, GUID, "P", "remove", {}, {}))
    return plan


def resource(monkeypatch, **options):
    asked = {"policies": [GUID], "accounts": [], "state": "absent", "backup_dir": "/b", "in_use_timeout": 1, **options}
    made = GroupPolicyRights(Client(), None, Options.of(given("group_policy_right", **asked)))
    made._policies[GUID] = type("Policy", (), {"name": "P", "version": 5, "may_write": True, "folder": "sysvol", "ini": "x"})
    monkeypatch.setattr("ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.edit.Editor.check_rights", lambda *_unused: None)
    return made


def test_policies_are_edited_on_the_pdc_emulator(monkeypatch):
    (refusal,) = resource(monkeypatch).guard(a_plan())
    assert refusal.rule == "not_pdc_emulator" and refusal.objects == ("dc2",)
    assert resource(monkeypatch, allow=["other_domain_controller"]).guard(a_plan()) == []
    monkeypatch.setattr(Client, "role", "DC1")
    assert resource(monkeypatch).guard(a_plan()) == []


def test_who_is_behind_is_told(monkeypatch):
    one, two = resource(monkeypatch)._replication([GUID])
    assert "dc2" in one and "replication_pending" in one and "dc3" in two and "could not be compared" in two


def test_info_tells_who_is_behind_and_who_was_not_asked():
    told = info._replication(read.Reader(Client(), None), CONNECTION, [{"guid": GUID, "version": 5}])
    assert told["replication_pending"] == [{"domain_controller": "dc2", "guid": GUID, "version": 4}]
    assert told["not_looked_at"] == [{"domain_controller": "dc3", "code": "unreachable", "msg": "nobody answers"}]


def test_other_controllers_are_asked_by_their_own_names(monkeypatch):
    seen = []
    original = Client.__init__

    def remember(self, connection=CONNECTION, **more):
        seen.append((connection.host, connection.valid_names, connection.port))
        original(self, connection, **more)

    monkeypatch.setattr(Client, "__init__", remember)
    list(read.elsewhere(CONNECTION, ["dc2"], [GUID]))
    assert seen == [("dc2", (), None)]
