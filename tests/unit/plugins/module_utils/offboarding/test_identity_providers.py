# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet for the administrators of identity providers that sign people in to IIJ ID."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import plain
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.identity_providers import plan
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.identity_providers.info import info


def sheet(**more: Any) -> dict[str, Any]:
    """As the runner tells it."""
    found: dict[str, Any] = plain.result(info({"hosts": ["Auth.iij.jp."], "products": list(plan.PRODUCTS), "company": "麗治商事", **more}))
    return found


def test_each_product_has_its_commands_in_both_languages() -> None:
    found = sheet()
    assert '<article lang="ja">' in found["html"] and '<article lang="en">' in found["html"] and "<script" not in found["html"]
    for text in found["markdown"].values():
        for words in (
            "Get-AdfsRelyingPartyTrust", "Get-AdfsServerApplication", "Get-AdfsNativeClientApplication", "Export-Clixml", "Disable-AdfsRelyingPartyTrust",
            "Remove-AdfsApplicationGroup", "Get-MgApplication", "lifecycle/deactivate", "'auth.iij.jp'", "麗治商事",
            "-e step=identity_providers_unlinked -e '{by: YOUR_NAME}' -e evidence=/path/before.txt,/path/after.txt",
        ):  # fmt: skip
            assert words in text, words
        assert len(re.findall("^```", text, re.MULTILINE)) == 14 and len(text.splitlines()) > 60
    assert not re.search("[ぁ-ん]", found["markdown"]["en"])


def test_only_what_is_asked_for() -> None:
    text = sheet(products=["okta"], hosts=["auth.iij.jp", "idp.example"])["markdown"]["en"]
    assert "Adfs" not in text and "Get-Mg" not in text
    assert r"(auth\\.iij\\.jp|idp\\.example)" in text, "a dot of a host is a dot"


def test_commands_look_at_whole_labels_of_a_host() -> None:
    """auth.iij.jp.example and xauth.iij.jp are other hosts."""
    search = plan.adfs_search(["auth.iij.jp", "idp.example"])
    assert "@('auth.iij.jp', 'idp.example')" in search and "-eq $name" in search and 'EndsWith(".$name")' in search
    assert search.count("{") == search.count("}") and search.count("(") == search.count(")")


def test_an_address_beside_the_first_one_counts() -> None:
    """learn.microsoft.com/powershell/module/adfs/set-adfsrelyingpartytrust: -AdditionalWSFedEndpoint; a SAML endpoint's answers may go elsewhere."""
    search = plan.adfs_search(["auth.iij.jp"])
    assert "$_.AdditionalWSFedEndpoint" in search and "$_.ResponseLocation" in search


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"oauthClient": {"redirect_uris": ["https://x.example/", "https://www.auth.iij.jp/cb"]}}, True),
        ({"signOn": {"ssoAcsUrl": "https://x.example/", "acsEndpoints": [{"index": 0, "url": "https://auth.iij.jp:443/acs"}]}}, True),
        ({"signOn": {"ssoAcsUrl": "https://auth.iij.jp.example/", "audience": None}}, False),
        (None, False),
    ],
)
@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not there")
def test_the_search_at_okta_looks_at_every_address(settings: Any, found: bool, tmp_path: Path) -> None:
    commands = sheet(products=["okta"])["markdown"]["en"]
    search = re.search(r"^jq -r .*?apps\.json$", commands, re.MULTILINE | re.DOTALL)
    assert search is not None
    (tmp_path / "apps.json").write_text(json.dumps([{"id": "0oa1", "label": "IIJ ID", "status": "ACTIVE", "settings": settings}]))
    printed = subprocess.run(["sh", "-c", search[0]], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert printed == ("0oa1\tIIJ ID\tACTIVE\n" if found else "")


@pytest.mark.parametrize("hosts", [[], [""], ["*"], ["iij"], ["a.example'; Remove-Item x; '"], ["a.example\n"], ["a$(x).example"]], ids=str)
def test_nothing_but_a_host_name_stands_in_a_command(hosts: list[str]) -> None:
    try:
        text = sheet(hosts=hosts)["markdown"]["en"]
    except OffboardError as exc:
        assert exc.code == "bad_option"
    else:
        assert hosts == ["a.example\n"] and "@('a.example')" in text


def test_a_name_is_no_markup() -> None:
    found = sheet(company="<b>x</b>\x1b[2J")
    assert "<b>" not in found["html"] and "\x1b" not in str(found)
