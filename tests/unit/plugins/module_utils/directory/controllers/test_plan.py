# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a domain controller is well, and which one may be restarted when."""

from __future__ import annotations

import struct
import uuid

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.names import host
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.controllers import plan as health
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.controllers.plan import Controller, Partner
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry

WELL = {"isSynchronized": [b"TRUE"], "isGlobalCatalogReady": [b"TRUE"]}
GOOD, BAD = Partner(0, 0, "2026-11-28T00:00:00+00:00"), Partner(3, 8524, "")
ILL = (("timeout", "no answer"),)


def dc(name, *roles, problems=()):
    return Controller(f"{name}.ad.example", roles, problems=problems)


@pytest.mark.parametrize(
    ("root", "partners", "catalog", "alone", "codes"),
    [
        (WELL, [GOOD], True, False, []),
        (WELL, [], True, True, []),
        (WELL, [], True, False, ["replication_missing"]),
        (WELL, [GOOD, BAD], True, False, ["replication_failing"]),
        ({**WELL, "isSynchronized": [b"FALSE"]}, [GOOD], True, False, ["not_synchronized"]),
        ({"isGlobalCatalogReady": [b"TRUE"]}, [GOOD], True, False, ["not_synchronized"]),
        ({**WELL, "isGlobalCatalogReady": [b"FALSE"]}, [GOOD], True, False, ["global_catalog_not_ready"]),
        ({**WELL, "isGlobalCatalogReady": [b"FALSE"]}, [GOOD], False, False, []),
        ({}, [BAD], True, False, ["not_synchronized", "global_catalog_not_ready", "replication_failing"]),
    ],
)
def test_problems(root, partners, catalog, alone, codes):
    assert [code for code, _msg in health.problems("dc", Entry("", root), partners, global_catalog=catalog, alone=alone)] == codes


@pytest.mark.parametrize(("ignored", "codes"), [([], ["replication_failing"]), (["C.ad.example."], []), (["b.ad.example"], ["replication_failing"])])
def test_what_does_not_come_from_one_that_does_not_matter(ignored, codes):
    """One that is down for good makes the others' replication fail, and no other one ill."""
    partners = [GOOD, Partner(9, 1722, "", "c.ad.example")]
    found = health.problems("dc", Entry("", WELL), partners, global_catalog=True, alone=False, ignored=ignored)
    assert [code for code, _msg in found] == codes
    assert all("c.ad.example" in msg for _code, msg in found)


@pytest.mark.parametrize("ignored", ["", " ", "http://["])
def test_what_names_no_host_ignores_none(ignored):
    """A partner whom the domain has no more has no name, and is nobody who was named."""
    found = health.problems("dc", Entry("", WELL), [BAD], global_catalog=True, alone=False, ignored=[ignored])
    assert [code for code, _msg in found] == ["replication_failing"]


SETTINGS = uuid.UUID("0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11")


def reps_from(failures=0, success=0, result=0, version=1):
    return struct.pack("<IIIIqqI", version, 0, 200, failures, success, success, result) + bytes(124) + SETTINGS.bytes_le + bytes(20)


def test_from_whom_it_replicates():
    assert health.partner(reps_from(), {str(SETTINGS): "dc2.ad.example"}).name == "dc2.ad.example"
    assert health.partner(reps_from()).name == health.partner(reps_from()[:170], {str(SETTINGS): "dc2.ad.example"}).name == ""


@pytest.mark.parametrize(
    ("data", "partner"),
    [
        (reps_from(), Partner(0, 0, "")),
        (reps_from(2, 13_400_000_000, 8524, 2), Partner(2, 8524, "2025-08-18T14:13:20+00:00")),
    ],
)
def test_repsfrom(data, partner):
    assert health.partner(data) == partner


@pytest.mark.parametrize("data", [b"", reps_from()[:35], reps_from(version=7), reps_from(0, 900_000_000_000)])
def test_repsfrom_that_cannot_be_read(data):
    with pytest.raises(OffboardError) as error:
        health.partner(data)
    assert error.value.code == "value_unreadable"


@pytest.mark.parametrize(("options", "catalog"), [([b"1"], True), ([b"0"], False), ([b"33"], True), ([], False)])
def test_a_global_catalog_is_one_by_its_settings(options, catalog):
    assert health.is_global_catalog(Entry("", {"options": options})) is catalog
    assert health.is_global_catalog(None) is False


@pytest.mark.parametrize(
    ("controllers", "order"),
    [
        ([dc("a", "pdc_emulator"), dc("b", "schema_master"), dc("c")], "cba"),
        ([dc("a", "schema_master", "pdc_emulator"), dc("b"), dc("c", "rid_master"), dc("d")], "bdca"),
        ([dc("b"), dc("a")], "ba"),
        ([], ""),
    ],
)
def test_order(controllers, order):
    assert [one.name[0] for one in health.in_order(controllers)] == list(order)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("DC1.ad.example",), "dc1.ad.example"),
        (("dc1",), "dc1.ad.example"),
        (("127.0.0.1", "dc2"), "dc2.ad.example"),
        (("dc1.ad.example.",), "dc1.ad.example"),
        (("dc1", "dc2"), None),  # two of them
        (("dc3", ""), None),
        (("dc1.other.example",), None),
        ((), None),
    ],
)
def test_which_one_is_meant(names, found):
    one = health.named([dc("dc1"), dc("dc2")], *names)
    assert (one.name if one else None) == found


@pytest.mark.parametrize(
    ("controllers", "healthy_others", "ignored", "rules"),
    [
        ([dc("a"), dc("b")], 1, [], []),
        ([dc("a"), dc("b")], 2, [], ["too_few_healthy"]),
        ([dc("a"), dc("b"), dc("c")], 2, [], []),
        ([dc("a")], 1, [], ["too_few_healthy"]),
        ([dc("a"), dc("b", problems=ILL)], 1, [], ["unhealthy", "too_few_healthy"]),
        ([dc("a"), dc("b"), dc("c", problems=ILL)], 1, [], ["unhealthy"]),
        ([dc("a"), dc("b"), dc("c", problems=ILL)], 1, ["C.ad.example"], []),
        ([dc("a"), dc("b"), dc("c", problems=ILL)], 1, [" c.ad.example."], []),
        ([dc("a"), dc("b"), dc("c", problems=ILL)], 1, ["ｃ．ａｄ．ｅｘａｍｐｌｅ"], []),
        ([dc("a"), dc("c", problems=ILL)], 1, ["c.ad.example"], ["too_few_healthy"]),
        ([dc("a"), dc("b")], 1, ["b.ad.example"], ["too_few_healthy"]),
        ([dc("a", problems=ILL), dc("b")], 1, [], ["unhealthy"]),
        ([dc("a", problems=ILL), dc("b")], 1, ["a.ad.example"], ["unhealthy"]),  # it must come back healthy, which nobody could tell
    ],
)
def test_what_speaks_against_a_restart(controllers, healthy_others, ignored, rules):
    found = health.refusals(controllers, controllers[0], healthy_others, ignored)
    assert [item.rule for item in found] == rules
    assert [item.allow_with for item in found if item.rule == "unhealthy"] == [
        f"ignore: [{one.name}]" if one is not controllers[0] else ""
        for one in controllers
        if one.problems and (one is controllers[0] or one.name not in map(host, ignored))
    ]
