# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.licences import Skus
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.users.sayings import Sayings

ONE, TWO = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"
E3 = "00000000-0000-0000-0000-0000000000e3"
SKUS = Skus(lambda: [{"skuId": E3, "skuPartNumber": "SPE_E3", "prepaidUnits": {"enabled": 9}, "consumedUnits": 0}])


@pytest.fixture
def say(tmp_path):
    def write(*lines):
        path = tmp_path / "src.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return Sayings(str(path), SKUS)

    return write


def test_by_id_or_by_name_in_any_case(say):
    said = say({"id": ONE.upper(), "enabled": True}, {"userPrincipalName": " Two@A.example", "password": "generate"}, {"userPrincipalName": "three@a.example"})
    assert said.of(ONE, "one@a.example") == {"enabled": True}
    assert said.of(TWO, "two@A.example") == {"password": True, "access_pass": False}
    assert said.of(TWO, "three@a.example") == {} and said.of(TWO, "nobody@a.example") is None
    assert said.asks_for_passwords() and not Sayings(None, SKUS).asks_for_passwords()
    assert Sayings(None, SKUS).of(ONE, "one@a.example") is None


def test_a_bad_line_is_told_with_its_place(say, tmp_path):
    with pytest.raises(OffboardError) as caught:
        say({"id": ONE}, {"id": TWO, "licences": {"add": ["NO_SUCH"]}})
    assert caught.value.code == "licence_unknown" and caught.value.msg.startswith(f"src: line 2 of {tmp_path}/src.jsonl: ")


def test_nobody_is_said_to_be_two_things(say):
    """One of the lines would be lost, and nobody would know which."""
    with pytest.raises(OffboardError, match=r"line 2 of .* says of One@A\.example something else than a line before it") as caught:
        say({"userPrincipalName": "one@a.example", "enabled": False}, {"userPrincipalName": "One@A.example", "licences": {"set": []}})
    assert caught.value.code == "bad_src"
    said = say({"userPrincipalName": "one@a.example", "enabled": False}, {"id": ONE, "licences": {"set": []}})
    with pytest.raises(OffboardError, match=f"names one@a.example by the id {ONE} in one line, by the name in another") as caught:
        said.of(ONE, "one@a.example")
    assert caught.value.code == "bad_src"
    assert say(*[{"userPrincipalName": "one@a.example", "enabled": False}] * 2, {"id": ONE, "enabled": False}).of(ONE, "one@a.example") == {"enabled": False}
