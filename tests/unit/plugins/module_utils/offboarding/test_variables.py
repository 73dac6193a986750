# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables must not begin a run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.filter.refused_variables import refused_variables
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.variables import mistyped, mistyped_words, refused, unanswered, without_zone
from ansible_collections.offboard.iij_id.plugins.plugin_utils import specs

ROOT = Path(__file__).parents[5]

GOOD = {"offboard_run_dir": "run", "offboard_options": ["microsoft_365"], "hosts": [], "partners": [], "percent": 0, "days": 90}
LISTS, MAPPINGS, MOST = ["offboard_options", "hosts", "partners"], ["partners"], {"percent": 100, "days": 100000}
NO_LIST, EMPTY, NO_NUMBER = "where a list must be", "offboard_options is empty", "no whole number that is meant here"
NOWHERE = "offboard_run_dir is empty"


@pytest.mark.parametrize(
    ("given", "named", "why"),
    [
        ({}, "", ""),
        ({"hosts": ["a.example"], "partners": [{"domain": "a.example"}], "percent": "100", "days": "007"}, "", ""),
        ({"hosts": ("a.example",)}, "", ""),
        ({"hosts": "a.example"}, "hosts", NO_LIST),
        # an empty answer means the default, whatever is asked
        ({"hosts": "", "partners": None, "percent": "", "days": " "}, "", ""),
        ({"hosts": 5}, "hosts", NO_LIST),
        ({"hosts": {"a.example": 1}}, "hosts", NO_LIST),
        ({"hosts": [1]}, "hosts", NO_LIST),
        ({"hosts": ["a.example", None]}, "hosts", NO_LIST),
        ({"hosts": [["a.example"]]}, "hosts", NO_LIST),
        ({"partners": {"domain": "a.example"}}, "partners", NO_LIST),
        ({"partners": "a.example", "hosts": 0, "days": "x"}, "hosts, partners", NO_LIST),
        ({"offboard_options": "microsoft_365"}, "offboard_options", NO_LIST),
        # but for what would do more than was meant, or look elsewhere
        *(({"offboard_options": value, "days": "x"}, "", EMPTY) for value in ([], "", None)),
        *(({"offboard_run_dir": value, "days": "x"}, "", NOWHERE) for value in ("", " ", None)),
        *(({"percent": value}, "percent", NO_NUMBER) for value in (True, -1, "-1", 1.5, "1.0", 101, "１０", "ten", [5], "99999999999")),
    ],
)
def test_what_must_not_begin_a_run(given, named, why):
    text = refused(GOOD | given, LISTS, MAPPINGS, MOST)
    assert (text is None) == (why == "")
    if text is not None:
        assert why in text.en and text.en.startswith(f"{named}: " if named else why)
    if given != {"offboard_options": "microsoft_365"}:  # a text that means a list, where the variable is known to be one
        assert refused_variables(GOOD | given, LISTS, MAPPINGS, MOST) == " / ".join(text or ())


LINES = "directory_sync_accounts"  # names that may have commas


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("microsoft_365_domains", "a.example,b.example", ["a.example", "b.example"]),
        ("microsoft_365_domains", " a.example 、\r\nb.example，\n\n", ["a.example", "b.example"]),
        ("microsoft_365_domains", "a.example", ["a.example"]),
        ("microsoft_365_domains", '["a.example", "b.example"]', ["a.example", "b.example"]),
        ("offboard_options", "directory_sync, microsoft_365", ["directory_sync", "microsoft_365"]),
        ("watch_certificates_fail_on", "critical,unknown", ["critical", "unknown"]),
        (LINES, "CN=svc,OU=経理,DC=a,DC=example\nCN=other,DC=a,DC=example", ["CN=svc,OU=経理,DC=a,DC=example", "CN=other,DC=a,DC=example"]),
        (LINES, "CN=svc,DC=a,DC=example\n", ["CN=svc,DC=a,DC=example"]),
        (LINES, "CN=svc,DC=a,DC=example", None),
        (LINES, "svc、other", None),
        (LINES, "svc", ["svc"]),
        ("directory_sync_name_patterns", "[Ii]IJ ID", ["[Ii]IJ ID"]),
        ("directory_sync_name_patterns", "IIJ.{1,3}ID", None),
        ("directory_sync_products", '[{"name": "a", "publisher": "b"}]', [{"name": "a", "publisher": "b"}]),
        ("directory_sync_products", "a\nb", None),
        ("awx_approve", "users\ndomains", ["users", "domains"]),
        ("offboard_idp_hosts", "[]", []),
        ("offboard_kept_group_policies", "{31B2F340-016D-11D2-945F-00C04FB984F9},", ["{31B2F340-016D-11D2-945F-00C04FB984F9}"]),
        ("microsoft_365_exclude", "o'brien@a.example", ["o'brien@a.example"]),
        ("microsoft_365_reference_identifiers", "IIJ ID\nSmartKey", ["IIJ ID", "SmartKey"]),
        ("directory_sync_not_iij_cron_jobs", "cd /x && run; y\n", ["cd /x && run; y"]),
        # another kind of list, quotes that would belong to the name, and words for nothing
        *(
            ("microsoft_365_exclude", text, None)
            for text in ("- a@b.example\n- c@b.example", "['a@b.example']", "[a@b.example, c@b.example]", "[", "[" * 99999)
        ),
        *(("microsoft_365_exclude", text, None) for text in ('"a@b.example", "c@b.example"', "'a@b.example'", "「a@b.example」", '{"a": 1}', "a@b.example,{}")),
        *(("microsoft_365_exclude", text, None) for text in ("a@b.example c@b.example", "a@b.example　c@b.example", "a@b.example\tc@b.example", "a;b", "a；")),
        *(("microsoft_365_exclude", text, None) for text in ("null", "None", "none", "~", "false", "-", "n/a")),
        *((LINES, text, None) for text in ("- CN=a,DC=b\n- CN=c,DC=b", "['CN=a,DC=b']", "[svc]", "'svc'", '"CN=a,DC=b"\n', "svc;", "a\tb", "none", "null\n")),
        *(("directory_sync_folders", text, None) for text in (r"C:\IIJ;D:\IIJ", "C:\\IIJ,\nD:\\IIJ", "C:\\IIJ\n* D:\\IIJ")),
    ],
)
def test_a_text_is_the_list_that_it_means(name: str, text: str, meant: list[Any] | None) -> None:
    """An answer of a survey, and -e name=value, are texts."""
    of_mappings = [name] if specs.lists().get(name) == "dict" else []
    assert (refused({name: specs.meant(name, text)}, [name], of_mappings, {}) is None) == (meant is not None)
    if meant is not None:
        assert specs.meant(name, text) == meant


def test_whatever_is_no_text_stays_as_it_is() -> None:
    assert [specs.meant("offboard_idp_hosts", value) for value in ("", " ", None, 5, {"a": 1}, ["a,b"])] == ["", " ", None, 5, {"a": 1}, ["a,b"]]
    assert specs.meant("offboard_run_dir", "a,b") == "a,b"


def test_which_lists_commas_take_apart() -> None:
    """Names, paths and patterns may have one."""
    assert [name for name in specs.lists() if isinstance(specs.meant(name, "a,b"), str) and specs.lists()[name] == "str"] == [
        "directory_sync_accounts",
        "directory_sync_accounts_expected_members",
        "directory_sync_action_paths",
        "directory_sync_command_paths",
        "directory_sync_folders",
        "directory_sync_freeze_action_paths",
        "directory_sync_linux_files",
        "directory_sync_linux_folders",
        "directory_sync_linux_search",
        "directory_sync_name_patterns",
        "directory_sync_not_iij_cron_jobs",
        "directory_sync_not_iij_linux_files",
        "directory_sync_not_iij_tasks",
        "directory_sync_openldap_access",
        "directory_sync_openldap_entries",
        "directory_sync_password_filters",
        "directory_sync_policies",
        "integrated_windows_authentication_accounts",
        "integrated_windows_authentication_allowed_spns",
        "integrated_windows_authentication_policies",
        "integrated_windows_authentication_spn_patterns",
        "microsoft_365_app_name_patterns",
        "microsoft_365_letters_departments",
        "microsoft_365_named_locations",
        "microsoft_365_notices_links",
        "microsoft_365_reference_identifiers",
        "multi_factor_authentication_certificate_issuers",
        "multi_factor_authentication_certificates",
        "multi_factor_authentication_kept_certificates",
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ""),
        ({"microsoft_365_passwords": "none at all"}, "microsoft_365_passwords"),
        ({"offboard_options": ["microsoft_356"]}, "microsoft_356"),
        # of a role whose option is not in use
        ({"integrated_windows_authentication_state": "gone"}, ""),
        ({"report_language": "fr"}, "report_language"),
    ],
)
def test_what_is_not_as_the_specifications_of_the_roles_in_use_say(given, told):
    said = refused_variables(GOOD | given, LISTS, MAPPINGS, MOST, ["offboard", "report"])
    assert (told in said and "Nothing was done. / 変数の値が正しくありません。何も実行していません。原文（英語）: " in said) if told else said == ""


def test_what_ansible_says_of_each_item_of_a_list_is_told_once():
    assert refused_variables(GOOD | {"custom_applications_services": ["a", "b"]}, [], [], {}, ["custom_applications"]).count("convert") == 2  # en and ja


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"offboard_timezone": "Asia/Tokyoo"}, "Asia/Tokyoo"),
        ({"offboard_timezone": "Asia/Tokyo", "report_timezone": "JST+9"}, "JST+9"),
        ({"microsoft_365_letters_timezone": "東京"}, "東京"),
        ({"offboard_timezone": "../etc/passwd"}, "../etc/passwd"),
        ({"offboard_timezone": 9}, "9"),
        *(({"offboard_timezone": zone}, "") for zone in ("UTC", "Asia/Tokyo", "", " ", None)),
    ],
    ids=str,
)
def test_a_time_zone_that_nobody_knows_begins_no_run(given: dict[str, Any], told: str) -> None:
    """It would be told at the report, hours later, and until then all times in UTC."""
    assert bool(refused_variables(GOOD | given, LISTS, MAPPINGS, MOST, ["offboard"])) == bool(told)
    if text := without_zone(given, {"UTC", "Asia/Tokyo"}.__contains__):
        assert text.en.startswith(f"{[*given][-1]} ({told}): there is no") and text.ja.startswith(f"{[*given][-1]} ({told}): この")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("offboard_langauge", "offboard_language"),
        ("microsoft365_exclude", "microsoft_365_exclude"),
        ("Microsoft_365_exclude", "microsoft_365_exclude"),
        ("offboard-run-dir", "offboard_run_dir"),
        ("microsoft-365-exclude", "microsoft_365_exclude"),
        ("MICROSOFT_365_EXCLUDE", "microsoft_365_exclude"),
        ("directory_sync_without_machine", "directory_sync_without_machines"),
        ("guest_federation_partner", "guest_federation_partners"),
        ("watch_certificate_apply", "watch_certificates_apply"),  # a playbook's own
        # a company's own, what AWX gives and hands on, what playbooks and inventories have besides
        *((name, "") for name in ("offboard_language", "report_file", "offboard_ticket", "awx_user_name", "offboard_restore", "offboard_domain_controller",
                                  "ansible_user", "microsoft_365_portal", "x")),
    ],
)  # fmt: skip
def test_a_name_that_is_almost_one_of_ours_is_a_mistake(name: str, meant: str) -> None:
    said = refused_variables(GOOD, LISTS, MAPPINGS, MOST, [], [name, "groups", "offboard_run_dir"])
    assert said.startswith(f"{name} ({meant}?): nobody reads") and f" / {name} ({meant}?): この名前の変数は" in said if meant else said == ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("awx_agent", "awx_agents"),
        ("awx-image", "awx_image"),
        ("awx_exposed_path", "awx_exposed_paths"),
        ("awx_inventory_variable", "awx_inventory_variables"),
        # what AWX gives a job
        *((f"awx_{what}", "") for what in ("user_name", "user_id", "job_id", "job_template_name", "inventory_id", "inventory_name", "project_revision",
                                           "schedule_id", "schedule_name", "workflow_job_id", "execution_node")),
    ],
)  # fmt: skip
def test_a_name_that_is_almost_one_of_the_role_awx_is_a_mistake(name: str, meant: str) -> None:
    """A second run takes away what is no longer wanted: without `awx_agents`, all machines."""
    said = refused_variables({}, [], [], {}, ["awx"], [name, "groups"])
    assert f"{name} ({meant}?): nobody reads" in said if meant else said == ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("withdrawn", "withdraw"),
        ("evidences", "evidence"),
        ("Evidence", "evidence"),
        ("evidence_", "evidence"),
        ("-evidence", "evidence"),
        ("evidnce", "evidence"),
        # one's own, of the file of extra variables that all playbooks are given
        *((name, "") for name in ("evidence_dir", "evidence-dir", "EVIDENCE_DIR", "dir_evidence", "step_by", "note", "offboard_run_dir")),
    ],
)
def test_a_name_that_is_almost_a_word_of_confirm_is_a_mistake(name: str, meant: str) -> None:
    said = mistyped_words([name, "by"], ["step", "by", "note", "evidence", "withdraw"])
    assert (said.en.startswith(f"{name} ({meant}?): nobody reads") if meant else True) and bool(said) == bool(meant), said


def test_nothing_that_jobs_of_awx_hand_on_seems_mistyped() -> None:
    manual = (ROOT / "docs/en/awx.md").read_text()
    names = [name for line in re.findall(r"^\| (`(?:offboard|guest)_.+?`) \|", manual, re.MULTILINE) for name in re.findall(r"\w+", line)]
    assert len(names) > 10 and mistyped(names, specs.names()) is None


@pytest.mark.parametrize(
    ("value", "empty"), [("", True), (" \n", True), (None, True), (False, False), ("no", False), (0, False), ([], False), ({}, False), ("0", False)]
)
def test_what_was_not_answered(value: Any, empty: bool) -> None:
    assert unanswered(value) is empty


#: an empty one is refused, and its own reading takes a text
_OTHERWISE = {"offboard_run_dir", "offboard_options", "microsoft_365_domains"}
#: texts that are read only where their answer is none of blanks, or beside a host that is
_BEHIND_A_CONDITION = {
    "microsoft_365_users_src", "microsoft_365_letters_by", "microsoft_365_letters_folder", "microsoft_365_notices_day", "offboard_plan_hash",
    "offboard_directory_host", "integrated_windows_authentication_browser_settings", "awx_image", "awx_project_folder", "awx_exposed_paths_on_kubernetes",
}  # fmt: skip


def test_no_role_reads_a_variable_but_by_its_answer() -> None:
    """An empty answer of a survey would be what is read. What has no default may be read as it is."""
    names = set()
    for role in (ROOT / "roles").iterdir():
        defaults = role / "defaults/main.yml"
        names |= (yaml.safe_load(defaults.read_text()) if defaults.exists() else {}).keys()
    names -= _OTHERWISE | _BEHIND_A_CONDITION
    read = []
    for path in sorted([*ROOT.glob("roles/*/[dtv]*/*.yml"), *ROOT.glob("playbooks/**/*.yml")]):
        lines = re.sub(r"^\s*#.*$", "", path.read_text(), flags=re.MULTILINE)
        for templated, condition in re.findall(r"\{\{(.*?)\}\}|^ *(?:- (?!\w+:)|when: |that: )(?![\w ]*>-)([^\n]*)", lines, re.DOTALL | re.MULTILINE):
            text = re.sub(r"'[^'\n]*'", "", templated or condition)  # between quotes is a name or a word of a sentence
            read += [(str(path.relative_to(ROOT)), name) for name in re.findall(r"(?<![\w.])[a-z]\w+", text) if name in names]
    assert read == []
