# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx, for `./dev docs`, which lays the guides and the modules' pages out as one tree first."""

from __future__ import annotations

from typing import Any

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "offboard.iij_id"
author = "the offboard.iij_id maintainers"
copyright = "2026, the offboard.iij_id maintainers"
html_title = "offboard.iij_id"
html_theme = "furo"
_FONTS = (
    "-apple-system, BlinkMacSystemFont, 'Segoe UI', Helvetica, Arial, 'Hiragino Sans', 'Noto Sans CJK JP', 'Noto Sans JP', 'Yu Gothic UI', Meiryo, sans-serif"
)
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {"light_css_variables": {"font-stack": _FONTS}}
extensions = ["myst_parser", "sphinx_antsibull_ext"]
root_doc = "docs/docsite/index"
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
# an anchor for each heading, as readers of Markdown make them: links between the guides go by these
myst_heading_anchors = 4
nitpicky = True
# of ansible-core and of other collections, whose documentation is not built here
nitpick_ignore_regex = [(r"std:ref", r"ansible_collections\.(?!offboard\.).*")]
exclude_patterns = ["_build", "LICENSE"]
html_copy_source = False


def setup(app: Sphinx) -> None:
    """Lines of a zone file, which the guides mark as `dns`, are text; and each page tells its own language."""
    app.add_lexer("dns", TextLexer)
    app.connect("html-page-context", _language)


def _language(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Browsers choose the shapes of Japanese characters by it, and screen readers the voice."""
    if page.startswith("docs/ja/"):
        context["language"] = "ja"
