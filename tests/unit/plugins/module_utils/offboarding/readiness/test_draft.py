# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft of the decisions: what is confirmed stays, what was found is a comment that can be taken as it is."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import phrases, quiet
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.candidate import in_yaml, nearly
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.draft import VARIABLES, draft
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from dev import places

CLIENT = "11111111-1111-1111-1111-111111111111"
DN = 'CN=svc\\, iij "x",OU=業務,DC=example'
APP = {"client_id": CLIENT, "display_name": "IIJ ID", "why": ["its client id was named"]}
DOMAIN = {"id": "a.example", "authentication_type": "Federated", "is_root": True, "parent": None, "federation": {"idp": "iij"}}
PRODUCT = {"name": "IIJ ID Service Directory Sync", "publisher": "IIJ"}
OBJECT = {"dn": DN, "confirm_as": f"<GUID=g>;{DN}", "found_by": [phrases.english("bind_user", where="ad.ldap.user")], "removal_refusals": []}
BY_SPN = {**OBJECT, "dn": "CN=iwa", "confirm_as": "CN=iwa", "found_by": [phrases.english("spn_matches", spn="HTTP/x", pattern="iij")]}
COUNTS = {"total": 30, "synced": 0, "blocked": 0, "unlicensed": 0, "without_usage_location": 2}


def taken(text: str) -> Any:
    """What Ansible reads of the file once the operator has taken every candidate."""
    return DataLoader().load(re.sub(r"(?m)^# ", "", text))


def made(facts: dict[str, Any], confirmed: dict[str, Any], variables: dict[str, Any], language: str = "both") -> str:
    return draft(Facts(**facts), Confirmed(**confirmed), variables, language)


@pytest.mark.parametrize(
    ("facts", "confirmed", "variables", "confirmed_then", "taken_then"),
    [
        ({}, {}, {}, None, None),
        ({}, {}, {"offboard_break_glass": ["b@x"], "offboard_directory_host": "dc"}, {"offboard_break_glass": ["b@x"], "offboard_directory_host": "dc"}, {}),
        ({"machines": {"m": {}}}, {}, {"microsoft_365_max_users": 20, "directory_sync_leftovers": ["m"]}, {"directory_sync_leftovers": ["m"]}, {}),
        ({"machines": {"m": {}}}, {}, dict.fromkeys(VARIABLES), None, {}),  # empty answers of a survey are null
        ({"domains": [DOMAIN]}, {}, {}, None, {"microsoft_365_domains": ["a.example"]}),
        # what is confirmed already stays, and is no candidate; a text with commas is a list
        (
            {"domains": [DOMAIN, {**DOMAIN, "id": "b.example"}]},
            {"domains": ["A.example"]},
            {"microsoft_365_domains": "A.example, c.example"},
            {"microsoft_365_domains": ["A.example", "c.example"]},
            {"microsoft_365_domains": ["A.example", "c.example", "b.example"]},
        ),
        (
            {"apps": [APP]},
            {},
            {"offboard_iij_client_id": ""},
            None,
            {"offboard_iij_client_id": CLIENT, "microsoft_365_old_client_ids": [CLIENT], "microsoft_365_not_iij_client_ids": [CLIENT]},
        ),
        ({"apps": [APP]}, {"client_ids": [CLIENT]}, {"offboard_iij_client_id": CLIENT}, {"offboard_iij_client_id": CLIENT}, {}),
        ({"machines": {"m": {"products": [PRODUCT]}, "n": {"products": [PRODUCT]}}}, {}, {}, None, {"directory_sync_products": [PRODUCT]}),
        ({"machines": {"m": {"tasks": [{"name": "\\業務\\it's", "actions": ["x"]}], "products": [PRODUCT]}}}, {"products": [PRODUCT]}, {}, None,
         {"directory_sync_tasks": [{"name": "\\業務\\it's"}]}),
        ({"machines": {"m": {"filters": [{"name": "flt", "why": []}, {"name": "own", "why": []}]}}}, {"password_filters": ["OWN"]}, {}, None,
         {"directory_sync_password_filters": ["flt"]}),
        ({"machines": {"m": {"folders": ["C:\\x"]}}}, {}, {}, None, {"directory_sync_leftovers": ["m"]}),
        ({"machines": {}}, {}, {}, None, {"directory_sync_without_machines": True}),
        ({"directory_objects": [OBJECT, BY_SPN]}, {}, {"directory_sync_accounts": []}, None,
         {"directory_sync_accounts": [f"<GUID=g>;{DN}"], "integrated_windows_authentication_accounts": ["CN=iwa"]}),
        ({"needs_directory": ["directory_sync"]}, {}, {}, None, {"offboard_directory_host": ""}),
        ({"users": [{"domain": "a", "counts": COUNTS}]}, {"max_users": 20}, {"microsoft_365_max_users": 20}, {"microsoft_365_max_users": 20},
         {"microsoft_365_usage_location": "JP"}),
        ({"provisioning": {"domains": [{"blocked": 3}], "also_enable": ["A@x"], "blocked_users": ["a@x", "b@x"]}}, {"also_enable": ["c@x"]},
         {"microsoft_365_also_enable": ["c@x"]}, {"microsoft_365_also_enable": ["c@x"]}, {"microsoft_365_also_enable": ["c@x", "a@x", "b@x"]}),
        ({"provisioning": {"skipped": True}}, {}, {"microsoft_365_also_enable": []}, None, {}),
        ({"apps": [], "app": quiet.AppActivity(enabled=True)}, {"disable_app": False}, {"microsoft_365_disable_app": False}, None,
         {"microsoft_365_disable_app": True}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "ja", "both"])
def test_what_is_confirmed_and_what_can_be_taken(
    facts: dict[str, Any], confirmed: dict[str, Any], variables: dict[str, Any], confirmed_then: Any, taken_then: Any, language: str
) -> None:
    text = made(facts, confirmed, variables, language)
    assert yaml.safe_load(text) == confirmed_then
    assert taken(text) == ({**(confirmed_then or {}), **(taken_then or {})} or None)


def test_references_can_be_accepted_by_what_the_file_names() -> None:
    row = {"kind": "application", "id": "i", "name": "Portal", "client_id": "", "of": "", "why": "web names x"}
    hidden = {"kind": "mobile_app", "id": "", "name": "", "reason": "no_intune", "msg": "no Intune"}
    facts = {"references": {"references": [row], "not_looked_at": [hidden]}}
    expected = {"microsoft_365_accepted_references": ["i"], "microsoft_365_accepted_not_looked_at": ["mobile_app"]}
    text = made(facts, {}, {})
    assert taken(text) == expected
    assert "Portal (app registrations): web names x" in text and "apps in Intune: no Intune" in text
    assert "Portal（アプリの登録）" in text and "# mobile_app" not in text
    assert taken(made(facts, {"accepted_references": ["I"], "accepted_not_looked_at": ["MOBILE_APP"]}, {})) is None


@pytest.mark.parametrize(("count", "told"), [(1, False), (2, True)])
@pytest.mark.parametrize("rows", ["references", "not_looked_at"])
def test_a_list_that_was_cut_says_so(rows: str, count: int, told: bool) -> None:
    row = {"kind": "mobile_app", "id": "1", "name": "x", "client_id": "", "of": "", "why": "a names b", "reason": "encrypted", "msg": ""}
    text = made({"references": {"references": [], "not_looked_at": [], rows: [row], f"{rows}_count": count}}, {}, {})
    assert ("1 more is not listed here" in text, "ほかに1件あります" in text) == (told, told)


STRANGE = ["{{ lookup('pipe', 'id') }}", "{% raw %}", "a\nb: c", "a: b #c", "\u202ex", "it's", "- x", "'", '"', "*x", "!x", "null", "1"]
#: beyond the first 65,536 characters with what is hidden beside them; a backslash beside it; no character at all
STRANGE += ["髙橋 😀\t", "\u202e😀", "\U000e0041", 'C:\\new\t"x"', "x\ufffe", "\uffff", "𠮷野家\r\n", "a\x85b\x00"]


@pytest.mark.parametrize("name", STRANGE)
def test_a_name_of_strangers_stays_a_name(name: str) -> None:
    product = {"name": name, "publisher": name}
    text = made({"machines": {"m": {"products": [product], "filters": [{"name": name, "why": [name]}]}}}, {}, {})
    assert all(line.startswith(("---", "##", "# ")) or not line for line in text.splitlines())
    found = taken(text)
    assert found == {"directory_sync_products": [product], "directory_sync_password_filters": [name]}
    if "{" in name:
        from ansible.template import Templar

        assert Templar(DataLoader()).template(found["directory_sync_password_filters"]) == [name]


def test_half_a_letter_makes_no_file_unreadable() -> None:
    """JSON and file names can hold a half of a surrogate pair, YAML cannot: the other candidates stay readable, and this one fits nothing."""
    text = made({"machines": {"m": {"filters": [{"name": "a\ud800b\n", "why": ["x"]}, {"name": "good", "why": ["x"]}]}}}, {}, {})
    assert taken(text) == {"directory_sync_password_filters": ["a\ufffdb\n", "good"]}


@pytest.mark.parametrize("key", ["null", "yes", "on", "y", "name", "a b", "{{ x }}"])
def test_a_key_is_what_it_was(key: str) -> None:
    assert DataLoader().load(f"x: {in_yaml({key: 1})}")["x"] == {key: 1}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"name": "IIJ ID Service Directory Sync", "publisher": "IIJ Inc."}, "only in publisher"),
        ({"name": "IIJ ID Service Password Sync", "publisher": "IIJ"}, "only in name"),
        ({"name": "iij id service directory sync", "publisher": "IIJ"}, "only in case or blanks of name"),
        ({"name": "IIJ ID Service  Directory Sync ", "publisher": "iij"}, "only in case or blanks of name, publisher"),
        ({"name": "iij id service directory sync"}, "only in case or blanks of name"),
        ({"name": "something", "publisher": "else"}, None),
        ({"name": "something"}, None),
        ({"product_code": "{x}"}, None),
    ],
)
def test_a_candidate_that_is_nearly_confirmed_says_so(wanted: dict[str, str], expected: str | None) -> None:
    near = nearly(PRODUCT, [wanted], ("name", "publisher"))
    assert (near is None) if expected is None else (near is not None and expected in near.en and near.en != near.ja)
    text = made({"machines": {"m": {"products": [PRODUCT]}}}, {"products": [wanted]}, {"directory_sync_products": [wanted]}, "en")
    assert ("Differs from the confirmed" in text) is (expected is not None)
    assert taken(text) == {"directory_sync_products": [wanted, PRODUCT]}


def test_the_roles_have_every_variable() -> None:
    defaults = [name for file in places.ROOT.glob("roles/*/defaults/main.yml") for name in yaml.safe_load(file.read_text())]
    assert set(VARIABLES) <= set(defaults)


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "IIJ ID Service Directory Sync", "publisher": None},
        {"name": "x", "uninstall_arguments": ["/S", "it's", "{{ x }}"]},
        {"name": "x", "version": 1.5, "quiet": True, "of a: b": {"c": []}},
    ],
)
def test_what_is_confirmed_stays_as_it_is(entry: dict[str, Any]) -> None:
    assert taken(made({}, {}, {"directory_sync_products": [entry]})) == {"directory_sync_products": [entry]}
