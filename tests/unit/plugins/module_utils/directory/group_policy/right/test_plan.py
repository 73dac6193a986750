# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is planned for user rights, and what refuses it."""

from __future__ import annotations

import codecs
import hashlib
import json
from dataclasses import replace

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy import accounts, edit, gpt_tmpl, policy
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.group_policy.right import plan as rights
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry

GUID = "{6AC1786C-016F-11D2-945F-00C04FB984F9}"
SID = "S-1-5-21-1-2-3-1105"
RUN = accounts.account(SID, "CN=run", "iij-run", "ad.reiji.example", "REIJI")


def inf(batch):
    line = "" if batch is None else f"SeBatchLogonRight = {batch}\r\n"
    return codecs.BOM_UTF16_LE + f"[Privilege Rights]\r\n{line}SeAuditPrivilege = *S-1-5-19\r\n".encode("utf-16-le")


def digest(data):
    return hashlib.sha256(data).hexdigest()


def planned(batch, version=1, in_ini=1, begun=None, **options):
    data = inf(batch)
    wanted = rights.WantedRight(**{"rights": ["sebatchlogonright"], "accounts": [RUN], "state": "absent", **options})
    item = rights.describe(GUID, "Policy", gpt_tmpl.rights(data), version, in_ini, digest(data))
    result, new = rights.plan([item], wanted, {GUID: data}, digest, {GUID: begun} if begun else {})
    return result, new[GUID], next(iter(result.changes), None)


@pytest.mark.parametrize(
    ("batch", "options", "after", "rules"),
    [
        (f"*{SID},*S-1-5-32-544", {}, "*S-1-5-32-544", []),
        (f"*{SID.lower()},*S-1-5-32-544", {}, "*S-1-5-32-544", []),
        ("iij-run,*S-1-5-32-544", {}, "*S-1-5-32-544", []),
        (f'"*{SID}","*S-1-5-32-544"', {}, '"*S-1-5-32-544"', []),
        # one text in quotes, of which a part would leave half of them
        (f'"*S-1-5-32-544,*{SID}"', {}, None, []),
        (f'"*{SID},*S-1-5-32-544"', {}, None, []),
        ('"iij-run,Administrators"', {}, None, []),
        (r"reiji\IIJ-RUN,*S-1-5-32-544", {}, "*S-1-5-32-544", []),
        (r"OTHER\iij-run,*S-1-5-32-544", {}, None, []),
        (f"*{SID}0,*S-1-5-32-544", {}, None, []),
        (f"*{SID}", {}, "", ["right_empty"]),
        (f"*{SID}", {"when_empty": "undefine"}, "", []),
        (None, {}, None, []),
        (f"*{SID},*S-1-5-32-544", {"state": "present"}, None, []),
        ("*S-1-5-32-544", {"state": "present"}, f"*S-1-5-32-544,*{SID}", []),
        (None, {"state": "present"}, f"*{SID}", ["right_undefined"]),
        (None, {"state": "present", "when_undefined": "define"}, f"*{SID}", []),
        (f"*{SID},*S-1-5-32-544", {"rights": []}, "*S-1-5-32-544", []),
        ("*S-1-5-32-544", {"state": "present", "rights": [], "removed": {(GUID, "SeBatchLogonRight"): [f"*{SID}"]}}, f"*S-1-5-32-544,*{SID}", []),
        ("*S-1-5-32-544", {"state": "present", "rights": [], "removed": {("x", "SeBatchLogonRight"): [f"*{SID}"]}}, None, []),
        ("*S-1-5-32-544", {"state": "present", "removed": {}}, None, []),
        (None, {"state": "present", "removed": {}}, None, []),
        ("*S-1-5-32-544", {"state": "present", "removed": {(GUID, "sebatchlogonright"): [f"*{SID}"]}}, f"*S-1-5-32-544,*{SID}", []),
        ("*S-1-5-32-544", {"state": "present", "removed": {(GUID, "sebatchlogonright"): [r"reiji\IIJ-RUN"]}}, r"*S-1-5-32-544,reiji\IIJ-RUN", []),
        ("*S-1-5-32-544", {"state": "present", "removed": {(GUID, "seservicelogonright"): [f"*{SID}"], ("x", "sebatchlogonright"): [f"*{SID}"]}}, None, []),
    ],
)
def test_the_table_of_plans(batch, options, after, rules):
    result, new, change = planned(batch, **options)
    assert [refusal.rule for refusal in result.refusals] == rules
    if after is None:
        assert change is None and result.unchanged == 1 and new == inf(batch)
        return
    listed = [item for item in after.split(",") if item] or None
    right = next(name for name in change.after if name.casefold() == "sebatchlogonright")
    assert change.after[right] == listed and change.before[right] == ([*batch.split(",")] if batch else None)
    assert (change.before["versionNumber"], change.after["versionNumber"], change.after["GPT.INI"]) == (1, 2, 2)
    assert change.after["sha256"] == digest(new) != change.before["sha256"]
    assert {name.casefold(): members for name, members in gpt_tmpl.rights(new).items()}.get("sebatchlogonright") == listed
    assert not any(isinstance(value, bytes) for value in [*change.before.values(), *change.after.values()])


@pytest.mark.parametrize(("right", "told"), [("SeDenyInteractiveLogonRight", True), ("sedenynetworklogonright", True), ("SeInteractiveLogonRight", False)])
def test_a_right_that_denies_is_told(right, told):
    """Out of it, the account may do more than before, until it goes itself."""
    data = inf(f"*{SID},*S-1-5-32-544").decode("utf-16").replace("SeBatchLogonRight", right).encode("utf-16")
    item = rights.describe(GUID, "Policy", gpt_tmpl.rights(data), 1, 1, digest(data))
    result, _new = rights.plan([item], rights.WantedRight(rights=[], accounts=[RUN], state="absent"), {GUID: data}, digest, {})
    assert (len(result.changes), any(right in text and "denies" in text for text in result.warnings)) == (1, told)


def test_an_account_that_was_made_again_has_another_sid_and_is_told():
    result, _new, change = planned("*S-1-5-32-544", state="present", rights=[], removed={(GUID, "SeBatchLogonRight"): [f"*{SID}9", f"*{SID}"]})
    assert change.after["SeBatchLogonRight"] == ["*S-1-5-32-544", f"*{SID}"]
    assert len(result.warnings) == 1 and f"*{SID}9" in result.warnings[0]
    assert planned("*S-1-5-32-544", state="absent")[0].warnings == []


def test_versions_that_differ_refuse_a_change_and_nothing_to_do_as_well():
    assert [refusal.rule for refusal in planned(f"*{SID},*S-1-5-32-544", 2, 1)[0].refusals] == ["versions_differ"]
    assert [refusal.rule for refusal in planned("*S-1-5-32-544", 2, 1)[0].refusals] == ["versions_differ"]


def test_what_a_stopped_run_had_begun_is_gone_on_with():
    batch = f"*{SID},*S-1-5-32-544"
    begun = Change.from_dict(json.loads(json.dumps(planned(batch)[2].to_dict())))
    for now in (batch, "*S-1-5-32-544"):  # stopped before, and after the file was replaced
        result, _new, change = planned(now, 2, 1, begun)
        assert change == begun and not result.refusals
    for other in ({"version": 3}, {"in_ini": 0}, {"accounts": [accounts.account("S-1-5-19", "x")], "rights": ["SeAuditPrivilege"], "when_empty": "undefine"}):
        result, _new, _change = planned(batch, **{"version": 2, "in_ini": 1, "begun": begun, **other})
        assert [refusal.rule for refusal in result.refusals] == ["versions_differ"]
    assert [refusal.rule for refusal in planned("*S-1-5-32-551", 2, 1, begun)[0].refusals] == ["versions_differ"]


def test_what_an_earlier_task_of_a_check_run_has_planned_is_not_planned_again():
    data = inf(f"*{SID},*S-1-5-32-544")
    change = planned(f"*{SID},*S-1-5-32-544")[2]
    item = rights.describe(GUID, "Policy", gpt_tmpl.rights(data), 1, 1, digest(data))
    predicted = replace(item, state={**item.state, **change.after})
    result, _new = rights.plan([predicted], rights.WantedRight(["SeBatchLogonRight"], [RUN], "absent"), {GUID: data}, digest, {})
    assert len(result.changes) == 0 and result.refusals == []
    result, _new = rights.plan([predicted], rights.WantedRight(["SeAuditPrivilege"], [RUN], "absent"), {GUID: data}, digest, {})
    assert len(result.changes) == 0


def test_the_journal_tells_what_was_begun_whatever_stands_in_it(tmp_path):
    change = planned(f"*{SID},*S-1-5-32-544")[2]
    intent = json.dumps({"record": "intent", "run": "r", "at": "t", **change.to_dict()}, separators=(",", ":"))
    odd = json.dumps({"record": "intent", "run": "r", "at": "t", **change.to_dict(), "before": [1]}, separators=(",", ":"))
    journal = tmp_path / "journal.jsonl"
    journal.write_text(
        "\n".join([intent, intent.replace('"intent"', '"outcome"', 1), odd, intent[:-30], '{"record":"intent","kind":"group_policy_right"}', "[" * 9999])
    )
    assert edit.begun(str(journal), rights.KIND) == {GUID: change}
    assert edit.begun(None, rights.KIND) == edit.begun(str(tmp_path / "none"), rights.KIND) == {}


# --- what the directory says ---


def entry(**attributes):
    folder = rf"\\ad.reiji.example\sysvol\ad.reiji.example\Policies\{GUID}"
    known = {"cn": GUID, "objectGUID": b"0123456789abcdef", "displayName": "P", "gPCFileSysPath": folder, "versionNumber": "-65535", "flags": "1", **attributes}
    return Entry("CN=P", {name: [value if isinstance(value, bytes) else value.encode()] for name, value in known.items()})


def test_a_policy_of_the_directory():
    one = policy.of_entry(entry(allowedAttributesEffective="versionNumber"), "ad.reiji.example")
    assert (one.version, one.status, one.may_write) == (0xFFFF0001, "user_disabled", True)
    assert one.ini == rf"sysvol\ad.reiji.example\Policies\{GUID}\GPT.INI"
    assert not policy.of_entry(entry(), "ad.reiji.example").may_write


@pytest.mark.parametrize("path", ["", r"\\evil\share\x", r"\\evil\sysvol\ad.reiji.example\Policies\..\x", rf"\\a\sysvol\b.example\Policies\{GUID}"])
def test_a_policy_whose_files_are_elsewhere_is_not_followed(path):
    with pytest.raises(OffboardError) as caught:
        policy.of_entry(entry(gPCFileSysPath=path), "ad.reiji.example")
    assert caught.value.code == "policy_unreadable"


def test_links():
    text = f"[LDAP://cn={GUID.lower()},cn=policies,cn=system,DC=a;0][LDAP://CN={GUID},CN=Policies;1][LDAP://CN={GUID},CN=Policies;2][LDAP://x;0]"
    found = policy.links([Entry("OU=a", {"gPLink": [text.encode()]}), Entry("OU=b", {"gPLink": [b" "]})])
    assert [(link["enabled"], link["enforced"]) for link in found[GUID]] == [(True, False), (False, False), (True, True)] and list(found) == [GUID]


KNOWN = {"dn": "CN=iij-run,OU=Services,DC=ad,DC=reiji,DC=example", "objectGUID": "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f11", "objectSid": SID}
OTHER = {"dn": "CN=iij-iwa,OU=Services,DC=ad,DC=reiji,DC=example", "objectGUID": "0c2e1b52-7f0a-4d2e-9a65-0d5d8d0b7f12", "objectSid": f"{SID}9"}


@pytest.mark.parametrize(
    ("names", "sids"),
    [
        ([KNOWN["dn"]], [SID]),
        (["cn=IIJ-RUN, ou=services, dc=ad, dc=reiji, dc=example"], [SID]),
        ([f"<GUID={KNOWN['objectGUID'].upper()}>;CN=moved,DC=ad,DC=reiji,DC=example"], [SID]),
        # who was in the snapshot and is not confirmed any more is not meant
        ([], []),
        (["CN=new,DC=ad,DC=reiji,DC=example"], ["CN=new,DC=ad,DC=reiji,DC=example"]),
        (["S-1-5-21-1-2-3-7"], ["S-1-5-21-1-2-3-7"]),
        ([KNOWN["dn"], OTHER["dn"]], [SID, f"{SID}9"]),
    ],
)
def test_names_mean_what_they_meant_when_they_were_confirmed(names, sids):
    assert accounts.as_known(names, [KNOWN, OTHER, {}, {"dn": "CN=group", "objectSid": None}]) == sids
    # who has the name by now may be in what a later snapshot has added
    assert accounts.as_known(names, [KNOWN, OTHER, {**KNOWN, "objectGUID": "1", "objectSid": f"{SID}8"}]) == sids
    assert accounts.as_known(names, []) == names
