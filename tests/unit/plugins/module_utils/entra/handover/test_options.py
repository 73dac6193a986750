# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a task's options is told before anything is opened."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.handover.options import ManagersOptions, Options
from dev.options import given


@pytest.mark.parametrize(("options", "said"), [
    ({"state": "given", "by": " \u200b"}, "by names nobody"),
    ({"departments": ["Sales"]}, "need people_file"),
    ({"managers": ["a@b.example"]}, "need people_file"),
    ({"split_by": "manager"}, "need people_file"),
])  # fmt: skip
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        Options.of(given("handover_letters", **{"folder": "/out", "handover_file": "/h", **options}))
    assert caught.value.code == "bad_option"


@pytest.mark.parametrize(("options", "said"), [
    ({"domains": [" "]}, "names no domain"),
])  # fmt: skip
def test_what_is_asked_of_managers_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OffboardError, match=said) as caught:
        ManagersOptions.of(given("entra_managers_info", **options))
    assert caught.value.code == "bad_option"


def test_what_is_made_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    made = Options.of(given("handover_letters", state="given", folder="out", handover_file="/h", by="\u200b Hanako "))
    assert (made.folder, made.by, made.wanted.everybody()) == ("/out", "Hanako", True)
    assert Options.of(given("handover_letters", state="absent", folder="/out", split_by="manager")).state == "absent", "whose letters does not matter"
