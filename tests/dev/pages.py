# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of the manual that are made from the code, so that no fact stands twice: `./dev pages`."""

from __future__ import annotations

import sys

from .places import ROOT, tree
from .say import Failure

_HEADS = {
    "en": """# Codes

What failed says so in words (`msg`), and for machines by a code: `failure.code` of a task, `code` of each object in `failed_objects` and
`skipped_objects`, `rule` of each refusal. One word has one meaning everywhere, and keeps it between releases.
""",
    "ja": """# コード一覧

失敗の内容は文章（`msg`）と、プログラム向けのコードで示します。タスクの `failure.code`、`failed_objects` と `skipped_objects` の各対象の `code`、
拒否の `rule` です。同じコードは常に同じ意味で、版が変わっても変わりません。
""",
}


def page(language: str) -> str:
    """The page in one language."""
    sys.path.insert(0, str(tree()))
    from ansible_collections.offboard.iij_id.plugins.module_utils._core import codes

    return f"{_HEADS[language]}\n{codes.table(language)}"


#: what stands around the table of permissions in before-you-start.md
_BEGIN, _END = "<!-- made by ./dev pages: begin -->\n", "<!-- made by ./dev pages: end -->\n"


def before_you_start(language: str) -> str:
    """The page of that name, with the table of permissions as the code has it."""
    sys.path.insert(0, str(tree()))
    from ansible_collections.offboard.iij_id.plugins.module_utils._graph import permissions

    begin, _old, end = _parts((ROOT / "docs" / language / "before-you-start.md").read_text(encoding="utf-8"))
    return f"{begin}{_BEGIN}{permissions.table(language)}{_END}{end}"


def _parts(text: str) -> tuple[str, str, str]:
    begin, _unused, rest = text.partition(_BEGIN)
    made, mark, end = rest.partition(_END)
    if not mark:
        raise Failure("before-you-start.md has no place for the table of permissions")
    return begin, made, end


def write() -> None:
    """Write all pages."""
    for language in _HEADS:
        (ROOT / "docs" / language / "codes.md").write_text(page(language), encoding="utf-8")
        (ROOT / "docs" / language / "before-you-start.md").write_text(before_you_start(language), encoding="utf-8")
