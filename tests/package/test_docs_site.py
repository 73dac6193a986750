# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from dev import docs, places
from dev.say import Failure


def test_the_site_is_whole(tmp_path: Path) -> None:
    """Every link and anchor leads somewhere, else Sphinx ends with an error; and no page is left out."""
    site = tmp_path / "site"
    docs.build(site, jobs=1)  # other tests run beside it
    pages = {file.relative_to(places.ROOT / "docs").with_suffix(".html") for language in ("en", "ja") for file in places.ROOT.glob(f"docs/{language}/*.md")}
    modules = {file.stem for file in places.ROOT.glob("plugins/modules/*.py")}
    assert len(pages) > 20 and len(modules) > 40
    assert [page for page in pages if not (site / "docs" / page).is_file()] == []
    assert [name for name in modules if not (site / "modules" / f"{name}_module.html").is_file()] == []
    assert [file.parent.name for file in places.ROOT.glob("roles/*/README.md") if not (site / "roles" / file.parent.name / "README.html").is_file()] == []
    index = (site / "docs" / "docsite" / "index.html").read_text(encoding="utf-8")
    assert "各段階" in (site / "docs" / "ja" / "stages.html").read_text(encoding="utf-8") and "日本語" in index


def test_nothing_else_is_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(Failure, match="something else"):
        docs.main([str(tmp_path)])
    with pytest.raises(Failure, match="within the checkout"):
        docs.main([str(places.ROOT / "docs")])
    assert (tmp_path / "thesis.tex").read_text() == "x"
