# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the agents' configurations name; the rest is in tests/integration_lab/test_directory.py."""

from __future__ import annotations

import json

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.dn import key as dn_key
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects import info as info_module
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry


class Domain:
    """A domain controller with one account."""

    root = Entry("", {"defaultNamingContext": [b"DC=ad,DC=reiji,DC=example"], "configurationNamingContext": [b"CN=Configuration,DC=ad,DC=reiji,DC=example"]})

    def __init__(self, netbios=b"REIJI"):
        self.netbios, self.asked = netbios, []

    def search(self, query, attributes, base=""):
        if base:
            assert base == "CN=Partitions,CN=Configuration,DC=ad,DC=reiji,DC=example"
            if self.netbios is None:
                raise OffboardError("no", code="cannot_read")
            yield Entry("CN=REIJI", {"nETBIOSName": [self.netbios]} if self.netbios else {})
            return
        self.asked.append(query)
        if query in ("(sAMAccountName=svc-sync)", "(userPrincipalName=svc-sync@ad.reiji.example)"):
            yield Entry("CN=svc-sync", {})


def candidates(domain, *configs):
    made = info_module._Candidates(domain)
    for number, text in enumerate(configs):
        made.add_config(number, text)
    return list(made._names), [(item["name"], item["code"]) for item in made.unusable], made


def config(user):
    return json.dumps({"ad": {"ldap": {"server": {"user": user}}}})


@pytest.mark.parametrize(
    ("user", "code"),
    [
        ("svc-sync", None), (" svc-sync ", None), ("svc-sync@ad.reiji.example ", None), (r"REIJI\svc-sync", None), (r" reiji \ svc-sync", None),
        (r"AD.Reiji.example\svc-sync", None), (r"ad.reiji.example.\svc-sync", None),
        (r"OTHERDOM\svc-sync", "other_domain"), (r"other.example\svc-sync", "other_domain"), (r".\svc-sync", "other_domain"), (r"\svc-sync", "other_domain"),
        (r"REIJI\OTHER\svc-sync", "other_domain"), ("nobody", "not_found"),
    ],
)  # fmt: skip
def test_an_account_of_another_domain_is_no_strangers_of_the_same_name(user, code):
    domain = Domain()
    names, unusable, _made = candidates(domain, config(user))
    assert (names, [found for _name, found in unusable]) == (([], [code]) if code else ([dn_key("CN=svc-sync")], []))
    assert code != "other_domain" or not domain.asked


@pytest.mark.parametrize("netbios", [b"", None])
def test_a_domain_whose_netbios_name_is_not_told_is_not_guessed_at(netbios):
    _names, unusable, made = candidates(Domain(netbios), config(r"REIJI\svc-sync"), config(r"ad.reiji.example\svc-sync"))
    assert unusable == [(r"REIJI\svc-sync", "cannot_read")] and "NetBIOS name" in made.unusable[0]["msg"]
    assert len(made._names) == 1


def test_a_configuration_that_is_none_hides_no_other():
    names, unusable, made = candidates(Domain(), "password: @hush", config("svc-sync"))
    assert names == [dn_key("CN=svc-sync")] and unusable == [("agent_configs[0]", "config_unreadable")]
    assert made.unusable[0]["found_by"] == ["config.yml, number 1"] and "hush" not in json.dumps(made.unusable)
