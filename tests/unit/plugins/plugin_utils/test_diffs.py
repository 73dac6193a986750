# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from typing import Any

import pytest
from ansible.plugins.callback import CallbackBase
from ansible_collections.offboard.iij_id.plugins.plugin_utils import diffs
from lab.windows import certificates as made

DER = made.Authority("CN=sts").issue("sts")
CERTIFICATE = base64.b64encode(DER).decode()


def shown(before: Any, after: Any) -> str:
    """As ansible-core's own callback prints it."""
    return CallbackBase()._get_diff(diffs.for_people([{"before_header": "user a", "after_header": "user a", "before": before, "after": after}]))


def test_japanese_is_japanese() -> None:
    printed = shown({"displayName": "山田 太郎"}, {"displayName": "山田 花子"})
    assert '-    "displayName": "山田 太郎"' in printed and '+    "displayName": "山田 花子"' in printed


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_certificate_is_its_thumbprint_and_date(end: str) -> None:
    """Also one that somebody has given in lines."""
    given = "".join(CERTIFICATE[at : at + 64] + end for at in range(0, len(CERTIFICATE), 64))
    printed = shown({"signingCertificate": given, "of": [{"a": "MIIx"}]}, {})
    assert CERTIFICATE[:64] not in printed
    assert f"{made.thumbprint(DER)}, until " in printed and "MIIx" in printed


def test_what_only_looks_like_one_stays() -> None:
    text = "MII" + "A" * 300
    assert text in shown({"a": text}, {})


@pytest.mark.parametrize("diff", [None, "text", {"prepared": "x"}, [{"before": "a\n", "after": "b\n"}], {"before": "a", "after": ""}])
def test_other_forms_stay(diff: Any) -> None:
    assert diffs.for_people(diff) == diff


def test_nothing_before() -> None:
    printed = shown({}, {"enabled": True})
    assert '+    "enabled": true' in printed and "\n-" not in printed.replace("\n--- ", "")
