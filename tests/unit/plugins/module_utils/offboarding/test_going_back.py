# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of `restore`: what each plays is there, and the manual says what each can do."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.filter.going_back import going_back as played
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.judged import BROUGHT_BACK
from dev import pages, places


@pytest.mark.parametrize(
    ("given", "entries", "unknown"),
    [
        (None, [], []),
        ([], [], []),
        (["tasks"], [], []),
        ("users, app", ["restore_app", "restore_users"], []),
        # the order is that of what was done, backwards
        (["users", "domains", "accounts"], ["restore_accounts", "openldap_restore", "restore_accounts", "restore_domains", "restore_users"], []),
        (["App"], [], ["App"]),
        (["everything", "app"], ["restore_app"], ["everything"]),
    ],
)
def test_what_is_played(given: Any, entries: list[str], unknown: list[str]) -> None:
    found = played(given)
    assert [entry["tasks_from"] for entry in found["entries"]] == entries and found["unknown"] == unknown


def test_every_entry_is_there_and_every_word_in_the_manual() -> None:
    for word, entries in BROUGHT_BACK.items():
        assert all((places.ROOT / "roles" / entry.role / "tasks" / f"{entry.tasks_from}.yml").exists() for entry in entries), word
        for language in ("en", "ja"):
            shown = {"en": f"`restore` with `{word}`", "ja": f"`restore` の `{word}`"}[language]
            assert shown in (places.ROOT / "docs" / language / "going-back.md").read_text(encoding="utf-8"), (word, language)
    plays = yaml.safe_load((places.ROOT / "playbooks" / "restore.yml").read_text(encoding="utf-8"))
    hosts = [play.get("hosts") for play in plays if not str(play.get("hosts")).startswith("{{")]  # not where a plan is compared
    assert hosts == [None, "localhost", "localhost", ["iij_id_browser_machines", "iij_id_agents", "iij_id_linux_agents"], None]


@pytest.mark.parametrize("name", sorted(pages.tables()))
@pytest.mark.parametrize("language", ["en", "ja"])
def test_pages_are_as_the_code_has_them(name: str, language: str) -> None:
    """`./dev pages` writes them."""
    assert (places.ROOT / "docs" / language / name).read_text(encoding="utf-8") == pages.with_table(name, language)


def test_meta_runtime_is_as_the_modules_have_it() -> None:
    """`./dev pages` writes it."""
    assert (places.ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8") == pages.runtime()


def test_the_options_of_a_judgement_are_documented_as_the_code_has_them() -> None:
    """`./dev pages` writes it."""
    assert (places.ROOT / "plugins" / "doc_fragments" / "judged.py").read_text(encoding="utf-8") == pages.judged_fragment()
