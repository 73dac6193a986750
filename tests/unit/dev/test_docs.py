# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `./dev docs` changes of pages before they become a site."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dev import docs, places


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("安全です。\n人が行う", "安全です。人が行う"),
        ("拒否されたもの、\n  次のコマンド", "拒否されたもの、次のコマンド"),
        ("利用者の\n復旧", "利用者の復旧"),
        ("示します。\n`decommission` では", "示します。`decommission` では"),
        ("`users`\n（利用者）", "`users`（利用者）"),
        # Latin letters keep their blank
        ("段階の\nplaybook です", "段階の\nplaybook です"),
        ("Ansible\nVault", "Ansible\nVault"),
        # blocks stay what they are
        ("一つ。\n\n二つ", "一つ。\n\n二つ"),
        ("# 見出し\n本文", "# 見出し\n本文"),
        ("- 一つ。\n- 二つ。\n  続き", "- 一つ。\n- 二つ。続き"),
        ("1. 一つ。\n2. 二つ", "1. 一つ。\n2. 二つ"),
        ("| 段階 |\n| --- |\n| 内容 |\n本文", "| 段階 |\n| --- |\n| 内容 |\n本文"),
        ("本文。\n> 引用", "本文。\n> 引用"),
        ("前。\n\n```text\n表示。\n次の行\n```\n後。\n続き", "前。\n\n```text\n表示。\n次の行\n```\n後。続き"),
        ("前。\n\n    表示。\n    次の行\n", "前。\n\n    表示。\n    次の行\n"),
        ("一。\n二。\n三。\n", "一。二。三。\n"),
    ],
)
def test_no_blank_in_a_japanese_sentence(written: str, shown: str) -> None:
    assert docs.joined(written) == shown


@pytest.mark.parametrize("page", sorted((places.ROOT / "docs" / "ja").glob("*.md")), ids=lambda page: page.name)
def test_nothing_of_a_guide_is_lost(page: Path) -> None:
    text = page.read_text()
    made = docs.joined(text)
    assert re.sub(r"\s", "", made) == re.sub(r"\s", "", text)
    for what in (r"^#+ .*$", r"^\|.*$", r"^ *```.*$", r"^ *(?:[-*]|\d+\.) ", r"^    .*$"):
        found, kept = (re.findall(what, each, re.M) for each in (text, made))
        if what == r"^    .*$":  # continued lines of lists within lists may have been joined, commands may not
            found, kept = ([line for line in lines if "ansible-playbook" in line or line.startswith("    ./dev")] for lines in (found, kept))
        assert len(found) == len(kept), what


def test_a_modules_page_has_no_table_of_contents_of_its_own() -> None:
    page = "Title\n=====\n\n.. contents::\n   :local:\n   :depth: 1\n\n.. Synopsis\n\nSynopsis\n"
    assert docs.page_of_module(page) == "Title\n=====\n\n\n.. Synopsis\n\nSynopsis\n"


def test_the_modules_are_listed_under_a_title_that_is_one() -> None:
    page = ":orphan:\n\n.. meta::\n  :x: y\n\n.. _plugins:\n\nOffboard.Iij_Id\n===============\n\nCollection version 1\n"
    assert "Offboard.Iij_Id" not in docs.index_of_modules(page) and "Modules / モジュール\n==============================\n" in docs.index_of_modules(page)


#: names of others, and of examples; of pages that tell what was, all are
OF_OTHERS = {
    "ansible_play_hosts", "at_the_limit", "azure_rm_aduser", "entra_shard", "entra_shards", "nothing_to_do", "offboard_2_secret",
    "vault_awx_token", "vault_entra_secret", "vault_group_policy_password", "vault_openldap_config_password", "vault_openldap_password",
    "vault_run_password", "vault_windows_password", "x86_64",
}  # fmt: skip
PAGES = sorted(
    file
    for pattern in ("README.md", "docs/*/*.md", "roles/*/README.md", "extensions/awx/*.md")
    for file in places.ROOT.glob(pattern)
    if (file.parent.name, file.name) not in (("docsite", "core.md"), ("en", "versions.md"), ("ja", "versions.md"))
)


@pytest.fixture(scope="module")
def words() -> set[str]:
    """All names of the collection: modules, options, return values, variables, codes, tags, groups, benchmarks."""
    patterns = ("plugins/**/*.py", "roles/**/*.yml", "playbooks/**/*.yml", "extensions/**/*.yml", "meta/*.yml", "tests/lab/*.yml", "tests/lab/inventory.py")
    return {word for pattern in patterns for file in places.ROOT.glob(pattern) for word in re.findall(r"\w+", file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.name}")
def test_what_the_manual_names_exists(page: Path, words: set[str]) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w/.@-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w*])", text)) - OF_OTHERS
    assert named - words == set()
    places_of = ("playbooks/*.yml", "plugins/modules/*.py", "plugins/filter/*.py", "plugins/lookup/*.py", "roles/*", "roles/*/tasks/*.yml")
    ours = {file.stem for pattern in places_of for file in places.ROOT.glob(pattern)}
    assert set(re.findall(r"offboard\.iij_id\.([a-z0-9_]+)", text)) - ours == set()
    for stage in re.findall(r"ansible-playbook [^`\n]*offboard\.iij_id\.([a-z0-9_]+)", text):
        assert (places.ROOT / "playbooks" / f"{stage}.yml").exists(), stage


@pytest.mark.parametrize("name", sorted(file.name for file in (places.ROOT / "docs" / "en").glob("*.md")))
def test_both_languages_say_the_same(name: str) -> None:
    """By what can be compared: headings, tables, lists, commands, and what stands in code or leads elsewhere."""

    def shape(language: str) -> dict[str, object]:
        prose = re.sub(r"^```[\s\S]*?^```", "", (places.ROOT / "docs" / language / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
        return {
            "headings": [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)],
            "columns": [len(re.findall(r"(?<!\\)\|", line)) for line in prose.splitlines() if line.startswith("|")],
            "items": len(re.findall(r"^\s*(?:[-*]|\d+\.) ", prose, re.MULTILINE)),
            "commands": [line.split()[:3] for line in re.findall(r"^    +((?:ansible-|\./dev |IIJ_ID_).*)$", prose, re.MULTILINE)],
            "names": {found for found in re.findall(r"`([^`\n]+)`", prose) if re.fullmatch(r"[a-z0-9]+(?:_[a-z0-9]+)+", found)},
            "pages": sorted({found.partition("#")[0] for found in re.findall(r"\]\(([^)]*)\)", prose)}),
        }

    english, japanese = shape("en"), shape("ja")
    assert english == japanese, {what: (english[what], japanese[what]) for what in english if english[what] != japanese[what]}
