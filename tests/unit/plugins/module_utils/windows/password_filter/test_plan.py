# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One name out of the notification packages, and nothing else."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Object
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.password_filter import plan as filters
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.password_filter import resource as filter_resource
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.password_filter.options import Options
from dev.options import given


@pytest.mark.parametrize(
    ("packages", "name", "rest"),
    [
        (["rassfm", "scecli", "iid"], "iid", ["rassfm", "scecli"]),
        (["IID", "scecli"], "iid", ["scecli"]),
        (["scecli", "iid", "acme", "iid"], "iid", ["scecli", "acme"]),
        (["scecli", "iid2", "iid"], "iid", ["scecli", "iid2"]),
        (["scecli"], "iid", ["scecli"]),
        (["scecli", "iid"], " IID\u200b", ["scecli"]),
    ],
)
def test_without(packages, name, rest):
    assert filters.without(packages, name) == rest


@pytest.mark.parametrize(
    ("there", "near"),
    [
        (r"C:\Program Files\Sync\pass-sync.dll", True), ("pass-sync.dll", True), ("PassSync", True), ("pass_sync", True), ("C:/x/pass-sync", True),
        ("pass-sync2", False), ("scecli", False), (r"C:\pass-sync\other.dll", False),
    ],
)  # fmt: skip
def test_a_filter_in_another_spelling_is_not_taken_for_removed(there, near):
    filters.check_spelling(["pass-sync", there], "Pass-Sync")
    if not near:
        filters.check_spelling([there], "pass-sync")
        return
    with pytest.raises(OffboardError) as error:
        filters.check_spelling(["rassfm", there], "pass-sync")
    assert (error.value.code, error.value.details) == ("not_exact", {"candidates": [{"name": there}]})


@pytest.mark.parametrize("name", ["scecli", "SCECLI", "rassfm", "", "a b", "iid.dll", r"C:\x", "a\\0b", "*"])
def test_names_that_are_refused(name):
    with pytest.raises(OffboardError) as error:
        filters.check_name(name)
    assert error.value.code == "filter_name_invalid"


@pytest.mark.parametrize(
    ("packages", "rules"), [(["iid"], ["would_be_empty"]), (["iid", "IID"], ["would_be_empty"]), (["iid", "scecli"], []), (["scecli"], [])]
)
def test_the_list_is_never_left_empty(packages, rules):
    assert [item.rule for item in filters.refusals(packages, "iid")] == rules


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], []),
        ([("acme", [], False), ("iid", ["DLL"], False)], ["iid"]),
        # what speaks for itself comes first, and nothing twice
        ([("other", [], True), ("iid", ["DLL"], True), ("acme", [], False)], ["iid", "other"]),
    ],
)
def test_which_are_meant(found, expected):
    rows = [{"name": name, "why": why, "named": named} for name, why, named in found]
    assert [item["name"] for item in filters.meant(rows)] == expected


class Client:
    host = "win"


@pytest.mark.parametrize(
    ("registered", "file", "remove_file", "action"),
    [
        (True, True, True, "unregister"),
        (True, True, False, "unregister"),
        (True, False, True, "unregister"),
        (False, True, True, "remove_file"),
        (False, True, False, None),
        (False, False, True, None),
    ],
)
def test_plan(registered, file, remove_file, action):
    made = filter_resource.PasswordFilter(Client(), Options.of(given("win_password_filter", name="iid", remove_file=remove_file)))
    made._packages = ["scecli", "iid"]
    plan = made.plan([Object(filters.KIND, "win/iid", "iid", {"registered": registered, "file": file})])
    assert [change.action for change in plan.changes] == ([action] if action else [])
    if action == "unregister":
        assert next(iter(plan.changes)).after == {"registered": False, "notification_packages": ["scecli"]}


@pytest.mark.parametrize(
    ("action", "packages", "file", "there"),
    [
        ("unregister", ["scecli"], True, True),
        ("unregister", ["scecli", "iid"], True, False),
        ("remove_file", ["scecli"], False, True),
        ("remove_file", ["scecli"], True, False),
    ],
)
def test_what_a_stopped_run_had_begun(action, packages, file, there):
    made = filter_resource.PasswordFilter(Client(), Options.of(given("win_password_filter", name="iid", remove_file=True)))
    made._packages, made._file_exists = packages, file
    mine, others = (Change(filters.KIND, key, "iid", action, {}, {}) for key in ("win/iid", "other/iid"))
    assert list(made.carried_out([mine, others])) == [mine] * there


@pytest.mark.parametrize(("action", "now"), [("unregister", ["iid"]), ("remove_file", ["scecli", "IID"])])
def test_the_list_is_judged_again_before_the_change(monkeypatch, action, now):
    monkeypatch.setattr(filter_resource, "packages", lambda client: now)
    made = filter_resource.PasswordFilter(Client(), Options.of(given("win_password_filter", name="iid", remove_file=True)))
    with pytest.raises(OffboardError) as error:  # the client can run nothing
        made.apply(Change(filters.KIND, "win/iid", "iid", action, {}, {}))
    assert error.value.code == "changed_since_read"
