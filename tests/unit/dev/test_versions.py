# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names a version says the same everywhere: of the collection, and of what it runs on."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dev import places, stages

VERSION = yaml.safe_load((places.ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
RELEASES = yaml.safe_load((places.ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))["releases"]
PAGES = [places.ROOT / "docs" / language / "versions.md" for language in ("en", "ja")]
MODULES = sorted(places.ROOT.glob("plugins/modules/[a-z]*.py"))


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def read(file: str | Path) -> str:
    return (places.ROOT / file).read_text(encoding="utf-8")


def documented(module: Path) -> dict[str, Any]:
    """The DOCUMENTATION of a module's file."""
    assigned = [node for node in ast.parse(module.read_text(encoding="utf-8")).body if isinstance(node, ast.Assign)]
    return yaml.safe_load(next(ast.literal_eval(node.value) for node in assigned if ast.unparse(node.targets[0]) == "DOCUMENTATION"))


def test_the_newest_release_of_the_changelog_is_this_version() -> None:
    assert max(RELEASES, key=number) == VERSION
    assert re.findall(r'<a href="#v[\d-]+">v([\d\\.]+)</a>', read("CHANGELOG.md"))[0].replace("\\", "") == VERSION


@pytest.mark.parametrize("module", MODULES, ids=lambda file: file.stem)
def test_the_release_that_brought_a_module_names_it(module: Path) -> None:
    added = str(documented(module)["version_added"])
    assert number(added) > number(VERSION) or module.stem in {entry["name"] for entry in RELEASES[added]["modules"]}


def test_the_pages_speak_of_this_version() -> None:
    minor = ".".join(VERSION.split(".")[:2])
    told = {"en": f"This is version {minor}.", "ja": f"バージョン {minor} のものです"}
    assert [page.parent.name for page in PAGES if told[page.parent.name] not in read(page)] == []
    assert f"Version {minor} " in read("README.md")


def test_a_renamed_thing_stands_in_both_languages() -> None:
    """The same old and new names, in the same order."""

    def names(page: Path) -> list[list[str]]:
        rows = [line for line in read(page).splitlines() if line.startswith("| ") and line.count("|") == 3]
        return [sorted(re.findall(r"`[^`]+`", row)) for row in rows]

    english, japanese = (names(page) for page in PAGES)
    assert english == japanese and len(english) > 15


def test_the_supported_cores_are_those_that_are_tested() -> None:
    oldest, newest = (core.release for core in (stages.CORES[0], stages.CORES[-1]))
    assert yaml.safe_load(read("meta/runtime.yml"))["requires_ansible"] == f">={oldest}.0"
    assert f"ansible-core {oldest} or newer" in read("README.md") and f"{newest} on Python" in read("README.md")
    assert f"| {oldest} to {newest}." in read(PAGES[0]) and f"| {oldest} から {newest}。" in read(PAGES[1])
    assert f"ansible-core {oldest} or newer" in read("docs/en/before-you-start.md")
