# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from the client certificates that were found on the users' machines."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import clients
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.certificates import CONFIRMED, KEPT
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.draft import draft
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import clients_gate, final_gate, preflight

IIJ, OTHER = "CN=Device CA,O=Internet Initiative Japan Inc.,C=JP", "CN=Sumire VPN CA,C=JP"
#: the same, as certutil and the dialogue of Windows show it, or as somebody types it
TYPED = (IIJ.lower(), IIJ.replace(",", ", "), "CN = Device CA\r\nO = Internet Initiative Japan Inc.\r\nC = JP\r\n")
ONE, TWO = "A1" * 20, "B2" * 20
UNDECIDED, GOING, LEFT = "blocker certificate_not_confirmed", "info certificates_removed", "blocker certificate_left"
OTHERS, MISSING, FIREFOX = "info certificate_issuers", "warning certificate_not_found", "warning certificates_in_firefox"

IN_USE, USED = "blocker certificate_in_use", {"used_by": ["WinRM *+HTTPS"]}


def certificate(thumbprint: str = ONE, issuer: str = IIJ, why: str = "its issuer is named") -> dict[str, Any]:
    return {"store": "machine", "thumbprint": thumbprint, "issuer": issuer, "subject": "CN=pc", "client_auth": True, "why": [why] if why else []}


def machine(*listed: dict[str, Any], counts: dict[str, int] | None = None, **more: Any) -> dict[str, Any]:
    """What win_certificate_info returns; `counts` is of all issuers, by default of those that are listed."""
    known = counts if counts is not None else {one["issuer"]: sum(other["issuer"] == one["issuer"] for other in listed) for one in listed}
    rows = [{"issuer": issuer, "certificates": number} for issuer, number in known.items()]
    return {"certificates": {"certificates": list(listed), "issuers": rows, "authorities": [], "firefox": [], "unreadable": [], **more}}


def database(*issuers: str, readable: bool = True) -> list[dict[str, Any]]:
    held = [certificate(issuer=issuer) for issuer in issuers]
    return [{"store": "S-1-5-21-1", "database": r"C:\Users\taro\cert9.db", "readable": readable, "msg": "", "certificates": held}]


ROOT = {"store": "Root", "place": r"HKEY_LOCAL_MACHINE\x\Root\Certificates\A1", "thumbprint": ONE, "subject": IIJ, "issuer": IIJ}


@pytest.mark.parametrize(
    ("found", "decided", "before", "after"),
    [
        (machine(), {}, [], []),
        # nothing is named: issuers are counted, and those that look like IIJ's are to be decided about
        (machine(counts={IIJ: 2}), {}, [UNDECIDED], [UNDECIDED]),
        (machine(certificate(why=""), counts={IIJ: 1}), {}, [UNDECIDED], [UNDECIDED]),
        (machine(counts={OTHER: 2}), {}, [OTHERS], []),
        (machine(counts={IIJ: 2}), {"kept_certificates": [IIJ]}, [], []),
        # an issuer that is looked for, whatever its name
        (machine(certificate(issuer=OTHER)), {"certificate_issuers": [OTHER]}, [UNDECIDED], [UNDECIDED]),
        (machine(certificate(issuer=OTHER)), {"certificate_issuers": [OTHER], "kept_certificates": [OTHER]}, [], []),
        (machine(counts={}), {"certificate_issuers": [OTHER]}, [], []),
        # confirmed
        (machine(certificate()), {"certificates": [IIJ]}, [GOING], [LEFT]),
        (machine(certificate()), {"certificates": [f" {IIJ} "]}, [GOING], [LEFT]),
        (machine(counts={}), {"certificates": [IIJ]}, [MISSING], []),
        *((machine(certificate()), {"certificates": [typed]}, [GOING], [LEFT]) for typed in TYPED),
        (machine(counts={IIJ: 1}), {"certificates": [IIJ.removesuffix(",C=JP")]}, [UNDECIDED, MISSING], [UNDECIDED]),
        (machine(certificate()), {"certificates": [IIJ], "kept_certificates": [IIJ]}, [], []),
        (machine(certificate()), {"certificates": [IIJ], "kept_certificates": ["a1 " * 20]}, [], []),
        # each by its thumbprint
        (machine(certificate(), certificate(TWO)), {"certificate_issuers": [IIJ], "certificates": ["a1:" * 20]}, [UNDECIDED, GOING], [UNDECIDED, LEFT]),
        (machine(certificate(), certificate(TWO)), {"certificate_issuers": [IIJ], "certificates": [ONE], "kept_certificates": [TWO]}, [GOING], [LEFT]),
        (machine(certificate(), counts={IIJ: 1}), {"certificates": [ONE]}, [GOING], [LEFT]),
        (machine(certificate(), counts={IIJ: 2}), {"certificates": [ONE]}, [UNDECIDED, GOING], [UNDECIDED, LEFT]),
        # what serves with it
        (machine(certificate() | USED), {"certificates": [IIJ]}, [GOING, IN_USE], [LEFT, IN_USE]),
        (machine(certificate() | USED), {"certificates": [IIJ], "kept_certificates": [ONE]}, [], []),
        # a person's
        (machine(firefox=database(IIJ)), {}, [FIREFOX], [FIREFOX]),
        (machine(firefox=database(IIJ)), {"kept_certificates": [IIJ]}, [], []),
        (machine(firefox=database(IIJ)), {"certificates": [IIJ]}, [FIREFOX], [FIREFOX]),
        (machine(firefox=database(OTHER)), {}, [], []),
        (machine(firefox=database(OTHER)), {"certificate_issuers": [OTHER]}, [FIREFOX], [FIREFOX]),
        (machine(firefox=database(readable=False)), {}, [FIREFOX], [FIREFOX]),
        (machine(authorities=[ROOT]), {}, ["info certificate_authorities"], ["info certificate_authorities"]),
        (machine(authorities=[ROOT]), {"kept_certificates": [IIJ]}, [], []),
        (machine(unreadable=["x"]), {}, ["warning certificates_not_readable"], ["warning certificates_not_readable"]),
        # what was not read is open
        ({"error": "x", "code": "unreachable"}, {"kept_certificates": [IIJ]}, ["warning client_not_readable"], ["blocker client_not_readable"]),
        # and no machine's fault when the task itself could not be carried out
        ({"error": "'y' is undefined", "code": ""}, {"kept_certificates": [IIJ]}, ["blocker client_not_readable"], ["blocker client_not_readable"]),
    ],
)
def test_the_table_of_findings(found: dict[str, Any], decided: dict[str, Any], before: list[str], after: list[str]) -> None:
    facts, confirmed = Facts(clients={"pc1": found}), Confirmed(**decided)
    assert sorted(f"{item.severity} {item.code}" for item in preflight(facts, confirmed)) == sorted(before)
    assert sorted(f"{item.severity} {item.code}" for item in final_gate(facts, confirmed)) == sorted(after)


def test_both_languages_give_the_value_to_copy_and_the_draft_has_it() -> None:
    facts = Facts(clients={f"pc{number}": machine(counts={IIJ: 2, OTHER: 1}) for number in range(3000)})
    item, *rest = preflight(facts, Confirmed())
    assert len(item.objects) == 1 + clients.NAMED and [other.code for other in rest] == ["certificate_issuers"]
    for text in item.text:
        assert all(part in text for part in (f"'{IIJ}'", CONFIRMED, KEPT, "6000", "3000", "(+2990)")) and len(text) < 1500
    made = draft(facts, Confirmed(), {}, "en")
    assert f"# {CONFIRMED}:\n" in made and f"#   - '{IIJ}'\n" in made and OTHER not in made


@pytest.mark.parametrize(
    ("machines", "decided", "begun", "stops"),
    [
        ({"pc1": machine(counts={OTHER: 2}), "pc2": machine()}, {"certificates": [IIJ]}, set(), True),
        ({"pc1": machine(counts={IIJ: 1})}, {"certificates": [IIJ.removesuffix(",C=JP"), ONE]}, set(), True),
        # the group is empty
        ({}, {"certificates": [IIJ]}, set(), True),
        # one of them has one
        ({"pc1": machine(), "pc2": machine(certificate())}, {"certificates": [IIJ.lower(), TWO]}, set(), False),
        ({"pc1": machine(), "pc2": machine(certificate())}, {"certificates": ["a1:" * 20]}, set(), False),
        ({"pc1": machine(firefox=database(IIJ))}, {"certificates": [IIJ]}, set(), False),
        # nobody knows, or it is known why
        ({"pc1": machine(), "pc2": {"error": "off", "code": "timeout"}}, {"certificates": [IIJ]}, set(), False),
        ({"pc1": machine(), "pc2": None}, {"certificates": [IIJ]}, set(), False),
        ({"pc1": machine(unreadable=["x"])}, {"certificates": [IIJ]}, set(), False),
        ({"pc1": machine(firefox=database(readable=False))}, {"certificates": [IIJ]}, set(), False),
        ({"pc1": machine()}, {"certificates": [IIJ]}, {"windows_certificate"}, False),
        ({"pc1": machine()}, {"certificates": [IIJ]}, {"windows_software", "windows_browser_sign_in"}, True),
        ({"pc1": machine()}, {"certificate_issuers": [IIJ], "kept_certificates": [IIJ]}, set(), False),
    ],
)
def test_the_stage_stops_where_no_machine_has_anything_of_what_was_confirmed(machines, decided, begun, stops) -> None:
    """Other machines, or a name that differs by a letter: nothing would be removed, and the stage would end well."""
    found = clients_gate(Facts(clients=machines, begun_kinds=begun), Confirmed(**decided))
    told = [item for item in found if item.severity == "blocker"]
    assert [(item.code, list(item.objects)) for item in told] == ([("certificate_not_found", list(decided["certificates"]))] if stops else [])
