# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person takes out of the servers' local policies, and where a group policy wins over them."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import final_gate, preflight

DN, SID, GUID = "CN=run,OU=Services,DC=ad,DC=example", "S-1-5-21-1-2-3-1108", "{31B2F340-016D-11D2-945F-00C04FB984F9}"
ACCOUNT = {"dn": DN, "objectSid": SID, "sAMAccountName": "run", "enabled": False, "found_by": ["named in objects"]}
POLICY = {"guid": GUID, "name": "Default Domain Policy", "mentions": [], "unreadable": [], "rights": {}}
FAILED = {"failure": {"code": "insufficient_rights"}, "msg": "no"}


def told(objects, policies, accounts=(DN,)):
    facts = Facts(directory_objects=objects, group_policies=policies)
    first, last = ([one for one in gate(facts, Confirmed(accounts=accounts)) if one.code == "local_right_entries"] for gate in (preflight, final_gate))
    assert first == last
    return first


@pytest.mark.parametrize(
    ("policies", "wins", "unknown"),
    [
        ({"policies": [POLICY]}, False, False),
        ({"policies": [POLICY | {"rights": {"SeServiceLogonRight": [f"*{SID}"]}}]}, False, False),
        ({"policies": [POLICY | {"rights": {"sebatchlogonright": []}}]}, True, False),
        ({"policies": [POLICY | {"rights": {"SeBatchLogonRight": ["*S-1-5-32-544"]}}]}, True, False),
        (FAILED, False, True),
        (None, False, True),
    ],
)
def test_the_sids_are_told_and_who_wins(policies, wins, unknown):
    (found,) = told([ACCOUNT], policies)
    assert (found.severity, found.objects) == ("info", (SID,))
    for text, words in ((found.text.en, "it wins over the local policy"), (found.text.ja, "優先され")):
        assert f"*{SID} ({DN})" in text
        assert (words in text) == (wins or unknown)
        assert (f"Default Domain Policy ({GUID})" in text) == wins
    assert ("nobody has looked" in found.text.en) == unknown


@pytest.mark.parametrize(("objects", "accounts"), [([], (DN,)), ([ACCOUNT], ()), ([ACCOUNT | {"objectSid": ""}], (DN,)), (None, ())])
def test_without_an_account_there_is_nothing_to_tell(objects, accounts):
    assert told(objects, {"policies": [POLICY]}, accounts) == []
