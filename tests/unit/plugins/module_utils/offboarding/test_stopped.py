# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last words of a stage, for who reads Japanese too."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.filter.stop_reason import stop_reason
from ansible_collections.offboard.iij_id.plugins.module_utils._core import codes
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps.plan import not_done_error

GONE = {"msg": "There is no complete snapshot in /srv/run.", "failure": {"code": "snapshot_missing", "details": {}}}
REFUSAL = {"rule": "too_many_changes", "msg": "30 users would change, and 20 are allowed", "objects": [], "allow_with": "max_changes"}
REFUSED = {"msg": "Nothing was changed. 30 users … Allowed by: max_changes.", "failure": {"code": "guard_refused", "details": {"refusals": [REFUSAL]}}}


def _ja(code: str) -> str:
    meaning = codes.meaning(code)
    assert meaning is not None
    return meaning.ja.rstrip("。") + "。"


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        (GONE, {
            "en": GONE["msg"], "ja": f"{_ja('snapshot_missing')} 原文（英語）: {GONE['msg']}", "both": f"{GONE['msg']} / {_ja('snapshot_missing')}",
        }),
        ({"msg": "missing required arguments: tenant_id"}, {
            "en": "missing required arguments: tenant_id. Set offboard_tenant_id (AZURE_TENANT_ID).",
            "ja": "offboard_tenant_id (AZURE_TENANT_ID) が指定されていません（missing required arguments: tenant_id）。",
        }),
        # names in an English message are Japanese in a Japanese company
        (NAMED := {**GONE, "msg": "There is no snapshot of 情報システム部 in /srv/脱退作業."}, {
            "ja": f"{_ja('snapshot_missing')} 原文（英語）: {NAMED['msg']}", "both": f"{NAMED['msg']} / {_ja('snapshot_missing')}",
        }),
        # what is told in the reader's language already, what has no code, several lines, a loop
        ({"msg": "要対応の項目があります。", "failure": {"code": "not_ready"}}, {"ja": "要対応の項目があります。", "both": "要対応の項目があります。"}),
        ({"msg": "exit status 2"}, {"ja": "exit status 2"}),
        ({"msg": ["a", "the verdict"], "failure": {"code": "not_ready"}}, {"en": "the verdict"}),
        ({"msg": [{"name": "Fabrikam", "code": "snapshot_missing", "msg": "m"}, {"name": "b", "code": None, "msg": None}, {}]}, {
            "en": "Fabrikam: m b:  None: ", "ja": f"Fabrikam: {_ja('snapshot_missing')} 原文（英語）: m b:  None: ",
        }),
        ({"msg": ["a is wrong.", "b is wrong."]}, {"en": "a is wrong. b is wrong.", "ja": "a is wrong. b is wrong."}),
        ({"msg": "One or more items failed", "results": [{"failed": True, **GONE}, {"failed": False, "msg": "b"}, {"failed": True, "msg": "c"}, {}]},
         {"en": f"{GONE['msg']} c"}),
        ({}, {"ja": ""}),
        ({"msg": "x", "failure": "y"}, {"ja": "x"}),
    ],
)  # fmt: skip
def test_the_last_words(failed: dict[str, Any], expected: dict[str, str]) -> None:
    assert {language: stop_reason(failed, language) for language in expected} == expected


def test_open_steps_are_told_in_one_language() -> None:
    states = {"stop": {"stage": "gate", "en": "Do stop.", "ja": "止める。", "blocks_final_gate": True, "source": "", "done": False}}
    error = not_done_error(states, ["stop"], "/srv/run")
    failed = {"msg": error.msg, "failure": {"code": error.code, "details": error.details}}
    assert stop_reason(failed, "both") == error.msg and "Do stop. / 止める。" in error.msg
    assert "Do stop." not in stop_reason(failed, "ja") and "人が行う手順が1件" in stop_reason(failed, "ja") and "-e step=stop" in stop_reason(failed, "ja")
    assert "止める" not in stop_reason(failed, "en") and "Do stop." in stop_reason(failed, "en")


def test_a_refusal_is_told_in_japanese_with_what_allows_it() -> None:
    told = stop_reason(REFUSED, "ja")
    assert told.startswith("何も変更していません。") and "許可する設定: max_changes" in told and told.endswith(REFUSED["msg"])
    assert stop_reason(REFUSED, "en") == REFUSED["msg"]


@pytest.mark.parametrize("language", ["en", "ja", "both"])
def test_the_last_words_have_room_in_an_event(language: str) -> None:
    """Which AWX keeps: of a thousand domains that one permission stops, the first are enough."""
    failed = {"results": [{"failed": True, **GONE, "msg": f"partner{number}.example: {GONE['msg']}"} for number in range(1_000)]}
    told = stop_reason(failed, language)
    assert len(json.dumps(told)) < 15_000 and "partner9.example" in told and re.search(r" \(\+\d\d\d\)$", told)
