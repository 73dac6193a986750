# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts out of the lists and zones of one machine: what goes, what stays byte for byte, and the way back."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._core.predict import Predictions
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.browser_sign_in import plan as lists
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.browser_sign_in import resource
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.browser_sign_in.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Answer
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.reg_query import Key
from dev.options import given

HOSTS = ["auth.iij.jp"]
ROOTS = {"HKLM": "HKEY_LOCAL_MACHINE", "HKU": "HKEY_USERS"}
EDGE = r"SOFTWARE\Policies\Microsoft\Edge"
SPNEGO = r"SOFTWARE\Policies\Mozilla\Firefox\Authentication\SPNEGO"
INTERNET = r"SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
MAP, SWITCH = rf"{INTERNET}\ZoneMapKey", "ListBox_Support_ZoneMapKey"
ZONES = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings"
SITE = rf"{ZONES}\ZoneMap\Domains\iij.jp\www1.auth"
PERSON, ENTRA, AWAY = "S-1-5-21-1-2-3-1001", "S-1-12-1-2771420349-1278311459-3926234006-1103849205", "S-1-5-21-1-2-3-1002"


def sz(text):
    return ("REG_SZ", text)


def dword(number):
    return ("REG_DWORD", hex(number))


def plan_of(keys, hosts=HOSTS, hive="HKLM"):
    """The plan for keys below a hive, and how many settings there are."""
    found = list(lists.settings(hive, [Key(rf"HKEY_LOCAL_MACHINE\{path}", values) for path, values in keys.items()]))
    known = {lists.describe("win", setting, values).id: setting for setting, values in found}
    return lists.plan_removal([lists.describe("win", setting, values) for setting, values in found], known, hosts)


def told(values):
    """As changes have them."""
    return {rf"HKLM\{path}": value if value is None else " ".join(value) for path, value in values.items()}


@pytest.mark.parametrize(
    ("keys", "before", "after"),
    [
        # one element, the rest as it is spelled
        (
            {EDGE: {"AuthServerAllowlist": sz(" *.A.example , https://www1.Auth.iij.jp:443,b.example"), "Other": sz("auth.iij.jp")}},
            {rf"{EDGE}\AuthServerAllowlist": sz(" *.A.example , https://www1.Auth.iij.jp:443,b.example")},
            {rf"{EDGE}\AuthServerAllowlist": sz("*.A.example ,b.example")},
        ),
        ({EDGE: {"authserverallowlist": sz("auth.iij.jp, *.auth.iij.jp")}}, {rf"{EDGE}\authserverallowlist": sz("auth.iij.jp, *.auth.iij.jp")},
         {rf"{EDGE}\authserverallowlist": None}),
        # also by an expandable value, and of Chrome under the old name
        (
            {r"SOFTWARE\Policies\Google\Chrome": {"AuthNegotiateDelegateWhitelist": ("REG_EXPAND_SZ", "a.example,auth.iij.jp.")}},
            {r"SOFTWARE\Policies\Google\Chrome\AuthNegotiateDelegateWhitelist": ("REG_EXPAND_SZ", "a.example,auth.iij.jp.")},
            {r"SOFTWARE\Policies\Google\Chrome\AuthNegotiateDelegateWhitelist": ("REG_EXPAND_SZ", "a.example")},
        ),
        # outside the policy keys nobody reads it
        ({r"SOFTWARE\Vendor": {"AuthServerAllowlist": sz("auth.iij.jp")}}, None, None),
        # broader ones stay
        ({EDGE: {"AuthServerAllowlist": sz("*iij.jp,*,xauth.iij.jp,iij.jp")}}, None, None),
        # Firefox: from 1 anew, in the order of the numbers and not of the texts
        (
            {SPNEGO: {"1": sz("https://auth.iij.jp"), "10": sz("c"), "2": sz("b")}},
            {rf"{SPNEGO}\1": sz("https://auth.iij.jp"), rf"{SPNEGO}\2": sz("b"), rf"{SPNEGO}\10": sz("c")},
            {rf"{SPNEGO}\1": sz("b"), rf"{SPNEGO}\2": sz("c"), rf"{SPNEGO}\10": None},
        ),
        ({SPNEGO: {"1": sz("a"), "2": sz("auth.iij.jp"), "Locked": dword(1)}}, {rf"{SPNEGO}\2": sz("auth.iij.jp")}, {rf"{SPNEGO}\2": None}),
        ({SPNEGO: {"2": sz("a"), "4": sz("b")}}, None, None),
        # a policy's sites; the last one takes the switch with it
        (
            {INTERNET: {SWITCH: dword(1), "Other": dword(1)}, MAP: {"https://*.auth.iij.jp": sz("1"), "a.example": sz("2")}},
            {rf"{MAP}\https://*.auth.iij.jp": sz("1")},
            {rf"{MAP}\https://*.auth.iij.jp": None},
        ),
        (
            {INTERNET: {SWITCH: dword(1), "Other": dword(1)}, MAP: {"(既定)": sz("(値の設定なし)"), "auth.iij.jp": sz("1")}},
            {rf"{MAP}\auth.iij.jp": sz("1"), rf"{INTERNET}\{SWITCH}": dword(1)},
            {rf"{MAP}\auth.iij.jp": None, rf"{INTERNET}\{SWITCH}": None},
        ),
        # sites by keys: from right to left, all protocols, no other values
        ({SITE: {"https": dword(1), "*": dword(2), "Note": sz("x")}}, {rf"{SITE}\https": dword(1), rf"{SITE}\*": dword(2)},
         {rf"{SITE}\https": None, rf"{SITE}\*": None}),
        ({rf"{ZONES}\ZoneMap\EscDomains\iij.jp\*.auth": {"http": dword(2)}}, {rf"{ZONES}\ZoneMap\EscDomains\iij.jp\*.auth\http": dword(2)},
         {rf"{ZONES}\ZoneMap\EscDomains\iij.jp\*.auth\http": None}),
        # so are those that policies have put there
        ({rf"{INTERNET}\ZoneMap\Domains\iij.jp\www1.auth": {"https": dword(1)}},
         {rf"{INTERNET}\ZoneMap\Domains\iij.jp\www1.auth\https": dword(1)}, {rf"{INTERNET}\ZoneMap\Domains\iij.jp\www1.auth\https": None}),
        ({r"SOFTWARE\Policies\Vendor\ZoneMap\Domains\iij.jp\www1.auth": {"https": dword(1)}}, None, None),
        ({rf"{INTERNET} 5.0\ZoneMap\Domains\iij.jp\www1.auth": {"https": dword(1)}}, None, None),
        ({rf"{ZONES}\ZoneMap\Domains\iij.jp": {"*": dword(2)}, rf"{ZONES}\ZoneMap\Domains\iij.jp\xauth": {"*": dword(2)}}, None, None),
        ({rf"{ZONES}\ZoneMap\Ranges\Range1": {":Range": sz("192.0.2.1"), "*": dword(1)}}, None, None),
    ],
)  # fmt: skip
def test_what_goes(keys, before, after):
    plan = plan_of(keys)
    (change,) = plan.changes if before else [None]
    if change is None:
        assert len(plan.changes) == 0 and plan.skipped == []
    else:
        assert (change.before, change.after, plan.skipped) == (told(before), told(after), [])


@pytest.mark.parametrize(
    ("value", "is_left"),
    [
        (sz("a\nb,auth.iij.jp"), True),
        (sz("\ufffd.example,auth.iij.jp"), True),
        (sz("a\nb"), False),  # not the hosts', nobody's business
        (("REG_MULTI_SZ", r"a.example\0auth.iij.jp"), True),
        (("REG_BINARY", "00"), False),
        (sz("\n,auth.iij.jp"), False),  # goes as a whole
    ],
)
def test_what_cannot_be_written_exactly_is_left_and_told(value, is_left):
    plan = plan_of({EDGE: {"AuthServerAllowlist": value}})
    assert [skip.code for skip in plan.skipped] == ["value_not_exact"] * is_left
    assert len(plan.changes) == (value == sz("\n,auth.iij.jp"))


@pytest.mark.parametrize(
    ("zone", "values", "told"), [(2, {"1A00": dword(0)}, [2]), (1, {"1A00": dword(0x20000)}, []), (1, {"1800": dword(0)}, []), (0, {"1A00": dword(0)}, [])]
)
def test_automatic_logon(zone, values, told):
    assert [one["zone"] for one in lists.automatic_logon("HKLM", [Key(rf"HKEY_LOCAL_MACHINE\{ZONES}\Zones\{zone}", values)])] == told


def test_the_switch_goes_before_the_sites_and_new_numbers_come_before_old_ones_go():
    """Of every beginning the next run makes the whole."""
    change = Change(lists.KIND, "i", "n", "remove", {}, {rf"HKLM\{MAP}\a": None, rf"HKLM\{INTERNET}\{SWITCH}": None, r"HKLM\x\1": "REG_SZ b"})
    assert [path for path, _value in lists.in_order(change)] == [r"HKLM\x\1", rf"HKLM\{INTERNET}\{SWITCH}", rf"HKLM\{MAP}\a"]


def test_a_plan_stands_on_an_earlier_one():
    keys = {EDGE: {"AuthServerAllowlist": sz("a,auth.iij.jp,b.example")}, SPNEGO: {"1": sz("auth.iij.jp"), "2": sz("b.example"), "3": sz("c")}}
    first = plan_of(keys)
    found = list(lists.settings("HKLM", [Key(rf"HKEY_LOCAL_MACHINE\{path}", values) for path, values in keys.items()]))
    items = [lists.describe("win", setting, values) for setting, values in found]
    known = {item.id: setting for item, (setting, _values) in zip(items, found, strict=True)}
    predicted = list(Predictions(first.changes).overlay((lists.KIND,), items))
    assert len(lists.plan_removal(predicted, known, HOSTS).changes) == 0
    second = list(lists.plan_removal(predicted, known, ["b.example"]).changes)
    assert [change.after for change in second] == [told({rf"{EDGE}\AuthServerAllowlist": sz("a")}), told({rf"{SPNEGO}\1": sz("c"), rf"{SPNEGO}\2": None})]


# --- with a registry ---


class Machine:
    """reg.exe over a dict: keys in their spelling, with values by name."""

    host = "win"

    def __init__(self, keys):
        self.keys = {path: dict(values) for path, values in keys.items()}
        self.writes = []
        self.refuse = ""

    def _under(self, key):
        return {path: values for path, values in self.keys.items() if f"{path}\\".casefold().startswith(f"{key}\\".casefold())}

    def run(self, program, verb, key, *arguments):
        assert program == "reg.exe" and "/reg:64" in (*arguments, "/reg:64" if key == "HKU" else "")
        if verb == "query":
            return self._query(key, "/s" in arguments)
        if self.refuse and self.refuse in key:
            return Answer(5, b"", b"")
        self.writes.append((verb, key, *arguments))
        if verb == "delete" and "/v" not in arguments:
            for path in self._under(key):
                del self.keys[path]
        elif verb == "delete":
            del self.keys[key][arguments[1]]
        else:
            self.keys.setdefault(key, {})[arguments[1]] = (arguments[3], arguments[5])
        return Answer(0, b"", b"")

    def _query(self, key, recursive):
        under = self._under(key)
        if not under:
            return Answer(1, b"", b"")
        children = {"\\".join(path.split("\\")[: key.count("\\") + 2]): {} for path in under if path.casefold() != key.casefold()}
        shown = under if recursive else {**{path: values for path, values in under.items() if path.casefold() == key.casefold()}, **children}
        lines = []
        for path, values in shown.items():
            root, _unused, rest = path.partition("\\")
            lines += [f"{ROOTS[root]}\\{rest}", *(f"    {name}    {kind}    {data}" for name, (kind, data) in values.items()), ""]
        return Answer(0, "\n".join(lines).encode(), b"")

    def close(self):
        pass


def company():
    """A machine with two users signed in, one of Entra, and one who is not."""
    profiles = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
    keys = {rf"{profiles}\{sid}": {"ProfileImagePath": ("REG_EXPAND_SZ", rf"C:\Users\{name}")} for sid, name in
            ((PERSON, "sato"), (ENTRA, "suzuki"), (AWAY, "tanaka"), ("S-1-5-18", "systemprofile"))}  # fmt: skip
    keys |= {rf"HKLM\{EDGE}": {"AuthServerAllowlist": sz("*iij.jp,auth.iij.jp"), "HomepageLocation": sz("https://auth.iij.jp")}}
    keys |= {rf"HKLM\{ZONES}\Zones\2": {"1A00": dword(0)}, r"HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion": {}}
    for sid in (PERSON, ENTRA):
        keys |= {rf"HKU\{sid}\{SITE}": {"https": dword(2)}, rf"HKU\{sid}\{SPNEGO}": {"1": sz("auth.iij.jp"), "2": sz("a")}, rf"HKU\{sid}_Classes": {}}
    return Machine(keys)


def asked(folder, **options):
    return Options.of(given("win_browser_sign_in", **{"hosts": HOSTS, "state": "absent", "backup_dir": str(folder), "verify_timeout": 0, **options}))


def carry_out(machine, folder, **more):
    """Read, plan, apply, verify, as the runner does; the resource and the plan."""
    made = resource.BrowserSignIn(machine, asked(folder, **more))
    plan = made.plan(made.read())
    for change in plan.changes:
        made.apply(change)
    assert list(made.verify(plan.changes)) == []
    return made, plan


def test_the_machine_and_whoever_is_signed_in(tmp_path):
    machine = company()
    was = json.dumps(machine.keys)
    made, plan = carry_out(machine, tmp_path)
    assert len(plan.changes) == 5 and len(os.listdir(tmp_path)) == 5
    assert machine.keys[rf"HKLM\{EDGE}"] == {"AuthServerAllowlist": sz("*iij.jp"), "HomepageLocation": sz("https://auth.iij.jp")}
    for sid in (PERSON, ENTRA):
        assert machine.keys[rf"HKU\{sid}\{SPNEGO}"] == {"1": sz("a")}
        assert not [path for path in machine.keys if path.startswith(rf"HKU\{sid}\{ZONES}\ZoneMap\Domains\iij.jp")]
    facts = made.facts(plan)
    assert facts["users_not_signed_in"] == [{"sid": AWAY, "name": "tanaka"}]
    assert [user["name"] for user in facts["users"]] == ["sato", "suzuki"]
    assert facts["broader"] == [{"path": rf"HKLM\{EDGE}\AuthServerAllowlist", "entry": "*iij.jp"}]
    assert [one["zone"] for one in facts["automatic_logon"]] == [2]
    assert any("group_policy_registry" in text and "AuthServerAllowlist" in text and SITE not in text for text in plan.warnings)
    assert any("1 of the users of win, who are not signed in" in text and text.endswith(": tanaka") for text in plan.warnings)
    writes = len(machine.writes)
    assert not len(carry_out(machine, tmp_path)[1].changes) and len(machine.writes) == writes
    # and back, once
    assert len(carry_out(machine, tmp_path, hosts=None, state="present")[1].changes) == 5
    assert {path: values for path, values in machine.keys.items() if values} == {path: values for path, values in json_keys(was).items() if values}
    again = carry_out(machine, tmp_path, hosts=None, state="present")[1]
    assert (len(again.changes), again.unchanged, again.skipped) == (0, 5, [])


GUID = "{6AC1786C-016F-11D2-945F-00C04FB984F9}"


def policies(where, file=r"Machine\Registry.pol", kind="registry", status="enabled", links=({"enabled": True},), **more):
    mention = {"kind": kind, "file": file, "where": where, **more}
    return [{"guid": GUID, "name": "Browsers", "status": status, "links": list(links), "mentions": [mention]}]


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ([], []),
        (policies(rf"{EDGE}\AuthServerAllowlist".lower()), [rf"HKLM\{EDGE}\AuthServerAllowlist (auth.iij.jp)"]),
        (policies(rf"{EDGE}\AuthNegotiateDelegateAllowlist"), []),
        (policies(rf"{EDGE}\AuthServerAllowlist", status="machine_disabled"), []),
        (policies(rf"{EDGE}\AuthServerAllowlist", status="disabled"), []),
        (policies(rf"{EDGE}\AuthServerAllowlist", status="user_disabled"), [rf"HKLM\{EDGE}\AuthServerAllowlist (auth.iij.jp)"]),
        (policies(rf"{EDGE}\AuthServerAllowlist", links=[]), []),
        (policies(rf"{EDGE}\AuthServerAllowlist", links=[{"enabled": False}]), []),
        (policies(rf"{SPNEGO}\1", r"User\Registry.pol"), [rf"HKU\{sid}\{SPNEGO} (auth.iij.jp)" for sid in (PERSON, ENTRA)]),
        (policies(rf"{SPNEGO}\1", r"User\Registry.pol", status="user_disabled"), []),
        # outside the policies' keys only a preference item explains it
        (
            policies(rf"HKEY_CURRENT_USER\{SITE}\https", r"User\Preferences\Registry\Registry.xml", "preference", action="U"),
            [rf"HKU\{sid}\{SITE} (www1.auth.iij.jp)" for sid in (PERSON, ENTRA)],
        ),
        (policies(rf"HKEY_CURRENT_USER\{SITE}\https", r"User\Preferences\Registry\Registry.xml", "preference", action="D"), []),
    ],
)
def test_which_policy_brings_which_value_back(tmp_path, told, named):
    warnings = carry_out(company(), tmp_path, policies=told)[1].warnings
    by_policy = [text for text in warnings if f"group policy Browsers ({GUID})" in text]
    assert [text.partition(" comes back")[0] for text in by_policy] == named
    (others,) = [text for text in warnings if text.startswith("if a group policy")]
    assert (rf"{EDGE}\AuthServerAllowlist (auth.iij.jp)" in others) == (not any(EDGE in text for text in named))


@pytest.mark.parametrize(
    ("where", "file", "said"),
    [
        (rf"{MAP}\https://www1.auth.iij.jp", r"Machine\Registry.pol", True),
        (rf"{MAP}\www1.auth.iij.jp:443", r"Machine\Registry.pol", True),
        (rf"{MAP}\https://www2.auth.iij.jp", r"Machine\Registry.pol", False),
        (rf"{MAP}\https://www1.auth.iij.jp", r"User\Registry.pol", False),
        (rf"{INTERNET}\ZoneMap\Domains\iij.jp\www1.auth\https", r"MACHINE\Registry.pol", True),
    ],
)
def test_a_zone_map_of_policies_comes_back(tmp_path, where, file, said):
    """Windows makes it of a policy's list of sites, or a policy writes it itself; where none is known to, one may all the same."""
    place = rf"HKLM\{INTERNET}\ZoneMap\Domains\iij.jp"
    machine = Machine({rf"{place}\www1.auth": {"https": dword(1)}, **profile_list()})
    _made, plan = carry_out(machine, tmp_path, policies=policies(where, file))
    assert place not in machine.keys and len(plan.changes) == 1
    assert [f"group policy Browsers ({GUID})" in text for text in plan.warnings if place in text] == [said]
    assert any(text.startswith("if a group policy") for text in plan.warnings) is not said
    carry_out(machine, tmp_path, hosts=None, state="present")
    assert machine.keys[rf"{place}\www1.auth"] == {"https": dword(1)}


@pytest.mark.parametrize("broken", [[{}], [{"mentions": [{}]}], [{"mentions": None}], [{"mentions": ["x"]}]])
def test_what_is_no_answer_about_policies(tmp_path, broken):
    with pytest.raises(OffboardError) as error:
        carry_out(company(), tmp_path, policies=broken)
    assert error.value.code == "bad_option"


def json_keys(text):
    return {path: {name: tuple(value) for name, value in values.items()} for path, values in json.loads(text).items()}


def test_two_removals_are_brought_back_in_one(tmp_path):
    machine = Machine({rf"HKLM\{EDGE}": {"AuthServerAllowlist": sz("a,auth.iij.jp,b.example")}, **profile_list()})
    carry_out(machine, tmp_path)
    carry_out(machine, tmp_path, hosts=["b.example"])
    assert machine.keys[rf"HKLM\{EDGE}"] == {"AuthServerAllowlist": sz("a")}
    carry_out(machine, tmp_path, hosts=None, state="present")
    assert machine.keys[rf"HKLM\{EDGE}"] == {"AuthServerAllowlist": sz("a,auth.iij.jp,b.example")}
    assert not len(carry_out(machine, tmp_path, hosts=None, state="present")[1].changes)


@pytest.mark.parametrize("commands", [1, 2])
@pytest.mark.parametrize(
    ("key", "values"),
    [
        (SPNEGO, {"1": sz("auth.iij.jp"), "2": sz("b"), "3": sz("c")}),
        (SITE, {"http": dword(1), "https": dword(1), "*": dword(2)}),
        (MAP, {"a.auth.iij.jp": sz("1"), "b.auth.iij.jp": sz("1")}),
    ],
)
def test_a_removal_that_was_killed_is_brought_back_whole(tmp_path, key, values, commands):
    """Whether the task was run again after that or not."""
    for again in (True, False):
        machine = Machine({rf"HKLM\{INTERNET}": {SWITCH: dword(1)}, rf"HKLM\{key}": values, **profile_list()})
        run, left = machine.run, [commands]

        def killed(program, verb, *arguments, run=run, left=left):
            if verb != "query" and (left.append(left.pop() - 1) or left[0] < 0):
                raise KeyboardInterrupt
            return run(program, verb, *arguments)

        machine.run = killed
        with pytest.raises(KeyboardInterrupt):
            carry_out(machine, tmp_path / str(again))
        machine.run = run
        if again:
            carry_out(machine, tmp_path / str(again))
            assert "auth.iij.jp" not in str(machine.keys.get(rf"HKLM\{key}"))
        carry_out(machine, tmp_path / str(again), hosts=None, state="present")
        assert machine.keys[rf"HKLM\{key}"] == values and machine.keys[rf"HKLM\{INTERNET}"] == {SWITCH: dword(1)}


def profile_list():
    return {r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-18": {}, r"HKU\.DEFAULT": {}}


@pytest.mark.parametrize(("signed_in", "value", "code"), [(True, "other", "setting_changed"), (False, "a", "user_not_signed_in")])
def test_what_is_not_brought_back(tmp_path, signed_in, value, code):
    machine = Machine({rf"HKU\{PERSON}\{EDGE}": {"AuthServerAllowlist": sz("a,auth.iij.jp")}, rf"HKLM\{EDGE}": {}, **profile_list()})
    carry_out(machine, tmp_path)
    machine.keys[rf"HKU\{PERSON}\{EDGE}"]["AuthServerAllowlist"] = sz(value)
    if not signed_in:
        machine.keys = {path: values for path, values in machine.keys.items() if PERSON not in path}
    plan = carry_out(machine, tmp_path, hosts=None, state="present")[1]
    assert [skip.code for skip in plan.skipped] == [code] and len(plan.changes) == 0


def test_no_copy_of_this_machine_is_told(tmp_path):
    machine = company()
    carry_out(machine, tmp_path)
    machine.host = "win2"
    assert "no copy" in carry_out(machine, tmp_path, hosts=None, state="present")[1].warnings[0]


RUN = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Run"


@pytest.mark.parametrize("change", [{"hive": "HKCR"}, {"hive": r"HKU\S-1-5-18"}, {"key": RUN}, {"sort": "numbered"}, {"sort": "x"}, {"key": 1}, None])
def test_a_copy_that_says_something_else_is_refused(tmp_path, change):
    """Whoever can write to the folder must not get to write any value of any machine."""
    carry_out(Machine({rf"HKLM\{EDGE}": {"AuthServerAllowlist": sz("auth.iij.jp")}, **profile_list()}), tmp_path)
    (path,) = tmp_path.iterdir()
    data = json.loads(path.read_text())
    old = "\\".join((data["setting"]["hive"], data["setting"]["key"]))
    data["setting"] |= change or {}
    new = "\\".join((data["setting"]["hive"], str(data["setting"]["key"])))
    text = json.dumps(data).replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1])
    path.write_text(text if change is not None else "[]")
    with pytest.raises(OffboardError) as error:
        list(resource.copies(str(tmp_path), "win"))
    assert error.value.code == "backup_unreadable"


def test_what_changed_since_it_was_read_stays(tmp_path):
    machine = company()
    made = resource.BrowserSignIn(machine, asked(tmp_path))
    (change,) = (change for change in made.plan(made.read()).changes if EDGE in change.id)
    machine.keys[rf"HKLM\{EDGE}"]["AuthServerAllowlist"] = sz("auth.iij.jp,new.example")
    with pytest.raises(OffboardError) as error:
        made.apply(change)
    assert error.value.code == "changed_since_read" and machine.writes == [] and not os.listdir(tmp_path)
    assert list(made.carried_out([change])) == []


def test_a_refusal_says_what_was_written_before_it(tmp_path):
    machine = Machine({rf"HKLM\{INTERNET}": {SWITCH: dword(1)}, rf"HKLM\{MAP}": {"auth.iij.jp": sz("1")}, **profile_list()})
    made = resource.BrowserSignIn(machine, asked(tmp_path))
    (change,) = made.plan(made.read()).changes
    machine.refuse = "ZoneMapKey"
    with pytest.raises(OffboardError) as error:
        made.apply(change)
    assert (error.value.code, error.value.details["steps_done"]) == ("registry_refused", [rf"HKLM\{INTERNET}\{SWITCH}"])
    assert [outcome.code for outcome in made.verify([change])] == ["not_seen"]
    machine.refuse = ""
    carry_out(machine, tmp_path)
    assert machine.keys[rf"HKLM\{MAP}"] == {} and list(made.carried_out([change])) == [change]


def test_a_sites_key_stays_as_long_as_it_holds_something(tmp_path):
    machine = company()
    machine.keys[rf"HKU\{PERSON}\{ZONES}\ZoneMap\Domains\iij.jp\www"] = {"*": dword(2)}
    machine.keys[rf"HKU\{ENTRA}\{SITE}"]["Note"] = sz("x")
    carry_out(machine, tmp_path)
    left = [path.partition("Domains\\")[2] for path in machine.keys if "Domains" in path]
    assert left == [r"iij.jp\www1.auth", r"iij.jp\www"]


def test_a_user_who_signs_out_meanwhile_is_one_who_is_not_signed_in(tmp_path):
    machine = company()
    query = machine._query

    def _query(key, recursive):
        answer = query(key, recursive)
        if key == "HKU":
            machine.keys = {path: values for path, values in machine.keys.items() if not path.startswith(rf"HKU\{PERSON}")}
        return answer

    machine._query = _query
    made, plan = carry_out(machine, tmp_path)
    assert sorted(user["name"] for user in made.facts(plan)["users_not_signed_in"]) == ["sato", "tanaka"]
    assert len(plan.changes) == 3
