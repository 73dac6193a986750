# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which group policy brings back what was found on a machine, and what none explains."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import draft
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import Confirmed, Facts
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.plan import final_gate, preflight
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.steps import found as steps

GUID, OTHER = "{6AC1786C-016F-11D2-945F-00C04FB984F9}", "{0FFB0A2D-1001-4000-8000-000000000001}"
EDGE = r"Software\Policies\Microsoft\Edge\AuthServerAllowlist"
FIREFOX = r"Software\Policies\Mozilla\Firefox\Authentication\SPNEGO"
ZONES = r"Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMapKey"
SITE = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMap\Domains\iij.jp\www1.auth"
USER = r"HKU\S-1-12-1-1-2-3-4"


def setting(path, policy=True, **more):
    return {"path": path, "entries": ["auth.iij.jp"], "broader": [], "others": 0, "policy": policy, **more}


def machines(*settings):
    return {"pc1": {"browsers": {"settings": list(settings), "users_not_signed_in": [], "automatic_logon": []}}}


def policy(*mentions, guid=GUID, name="Browsers"):
    return {"guid": guid, "name": name, "mentions": list(mentions), "unreadable": []}


def mention(where, file=r"Machine\Registry.pol", kind="registry", **more):
    return {"kind": kind, "file": file, "where": where, "value": "", "found": ["auth.iij.jp"], "changed_by": "group_policy_registry", **more}


def item(where, file=r"User\Preferences\Registry\Registry.xml", **more):
    return mention(where, file, "preference", **{"action": "U", "disabled": False, **more})


@pytest.mark.parametrize(
    ("has", "sets", "explained"),
    [
        # as each spells it
        (rf"HKLM\{EDGE.upper()}", mention(EDGE.lower()), True),
        (rf"{USER}\{EDGE}", mention(EDGE, r"User\Registry.pol"), True),
        (rf"{USER}\{EDGE}", mention(EDGE, r"USER\registry.pol"), True),
        # the machine's is not the user's
        (rf"HKLM\{EDGE}", mention(EDGE, r"User\Registry.pol"), False),
        (rf"{USER}\{EDGE}", mention(EDGE), False),
        # another list of the same browser, another browser
        (rf"HKLM\{EDGE}", mention(EDGE.replace("AuthServer", "AuthNegotiateDelegate")), False),
        (rf"HKLM\{EDGE}", mention(EDGE.replace("Microsoft\\Edge", "Google\\Chrome")), False),
        # keys with their values
        (rf"HKLM\{FIREFOX}", mention(rf"{FIREFOX}\2"), True),
        (rf"HKLM\{FIREFOX}", mention(rf"{FIREFOX}Other\2"), False),
        (rf"HKLM\{ZONES}", mention(rf"{ZONES}\https://www1.auth.iij.jp"), True),
        # preference items name their hive
        (rf"{USER}\{SITE}", item(rf"HKEY_CURRENT_USER\{SITE}\https"), True),
        (rf"HKLM\{EDGE}", item(rf"HKEY_LOCAL_MACHINE\{EDGE}"), True),
        (rf"HKLM\{EDGE}", item(rf"HKEY_LOCAL_MACHINE\{EDGE}", disabled=True), False),
        (rf"HKLM\{EDGE}", item(rf"HKEY_LOCAL_MACHINE\{EDGE}", action="D"), False),
        (rf"HKLM\{EDGE}", item(rf"HKEY_USERS\{EDGE}"), False),
        # whatever else mentions it
        (rf"HKLM\{EDGE}", mention("", "Machine\\Scripts\\x.cmd", "script", changed_by=""), False),
    ],
)
def test_the_policy_that_sets_it_is_named(has, sets, explained):
    facts = Facts(clients=machines(setting(has)), group_policies={"policies": [policy(sets)]})
    for gate in (preflight, final_gate):
        found = {one.code: one for one in gate(facts, Confirmed())}
        assert ("browser_settings_of_policy" in found, "browser_settings_of_no_policy" in found) == (explained, not explained)
        if explained:
            one = found["browser_settings_of_policy"]
            assert (one.severity, one.objects) == ("warning", (GUID, "Browsers", "pc1"))
            assert all(f"Browsers ({GUID})" in text and sets["where"] in text and "pc1" in text for text in one.text)
    for language, words in (("en", "bring them back"), ("ja", "元に戻します")):
        drafted = draft.draft(facts, Confirmed(), {}, language)
        assert (f"Browsers ({GUID})" in drafted and words in drafted) == explained


@pytest.mark.parametrize(
    ("state", "sets"),
    [
        ({"status": "enabled", "links": [{"enabled": False}, {"enabled": True}]}, True),
        ({"status": "user_disabled"}, True),
        ({"status": "machine_disabled"}, False),
        ({"status": "disabled"}, False),
        ({"status": "enabled", "links": []}, False),
        ({"status": "enabled", "links": [{"enabled": False}]}, False),
    ],
)
def test_a_policy_that_is_switched_off_or_linked_nowhere_brings_nothing_back(state, sets):
    facts = Facts(clients=machines(setting(rf"HKLM\{EDGE}")), group_policies={"policies": [policy(mention(EDGE)) | state]})
    codes = [one.code for one in preflight(facts, Confirmed())]
    assert ("browser_settings_of_policy" in codes, "browser_settings_of_no_policy" in codes) == (sets, not sets)


def test_what_nobody_manages_is_nobodys():
    """A site that the user has entered is no policy's, and none has to explain it."""
    facts = Facts(clients=machines(setting(rf"{USER}\{SITE}", policy=False)), group_policies={"policies": [policy()]})
    assert [one.code for one in preflight(facts, Confirmed())] == ["browser_settings_found"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["warning"]),
        ({"registry_policies": [GUID]}, ["info"]),
        ({"registry_policies": [GUID], "kept_policies": [GUID]}, ["warning"]),
        ({"browser_settings": "keep"}, []),
    ],
)
def test_one_that_is_edited_first_is_no_matter(more, expected):
    facts = Facts(clients=machines(setting(rf"HKLM\{EDGE}")), group_policies={"policies": [policy(mention(EDGE)), policy(guid=OTHER)]})
    assert [one.severity for one in preflight(facts, Confirmed(**more)) if one.code == "browser_settings_of_policy"] == expected


def test_policies_that_nobody_read_say_nothing():
    facts = Facts(clients=machines(setting(rf"HKLM\{EDGE}")), group_policies={"failure": {"code": "insufficient_rights"}, "msg": "no"})
    assert not [one for one in preflight(facts, Confirmed()) if one.code.startswith("browser_settings_of")]


def test_the_step_shows_it():
    facts = Facts(clients=machines(setting(rf"HKLM\{EDGE}"), setting(rf"HKLM\{FIREFOX}")), group_policies={"policies": [policy(mention(EDGE))]})
    found = [one.to_dict() for one in final_gate(facts, Confirmed())]
    shown = [one["code"] for one in steps.of_step("spnego_settings_removed", found)]
    assert {"browser_settings_of_policy", "browser_settings_of_no_policy"} <= set(shown)
