# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of the manual, and of modules, that are made from the code, so that no fact stands twice: `./dev pages`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import yaml

from .japanese import set_apart
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

    return _set(f"{_HEADS[language]}\n{codes.table(language)}", language)


def _set(text: str, language: str) -> str:
    """What the code says as messages are written, as the manual is."""
    return set_apart(text) if language == "ja" else text


#: what stands around a part of a page that is made
_BEGIN, _END = "<!-- made by ./dev pages: begin -->\n", "<!-- made by ./dev pages: end -->\n"


def tables() -> dict[str, Callable[[str], str]]:
    """Pages of which a part is made: permissions, ways back, variables of decisions."""
    sys.path.insert(0, str(tree()))
    from ansible_collections.offboard.iij_id.plugins.module_utils._graph import permissions
    from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding import going_back
    from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import judged

    ways = [way for subject in judged.SUBJECTS for way in subject.ways]
    return {
        "before-you-start.md": permissions.table,
        "going-back.md": lambda language: going_back.table(ways, language),
        "stages.md": judged.table,
    }


def with_table(name: str, language: str) -> str:
    """The page of that name, with its table as the code has it."""
    begin, _old, end = _parts(name, (ROOT / "docs" / language / name).read_text(encoding="utf-8"))
    return f"{begin}{_BEGIN}{_set(tables()[name](language), language)}{_END}{end}"


def _parts(name: str, text: str) -> tuple[str, str, str]:
    begin, _unused, rest = text.partition(_BEGIN)
    made, mark, end = rest.partition(_END)
    if not mark:
        raise Failure(f"{name} has no place for its table")
    return begin, made, end


#: Above it meta/runtime.yml is written by hand, and below it is made.
_MADE_BELOW = "# Below, all is made by ./dev pages from the fragments of documentation that the modules extend.\n"
#: By the fragment of documentation that a module extends, the group of modules that take the same options.
_GROUPS = {"entra": "entra", "directory": "directory", "windows": "windows", "linux": "linux", "openldap": "openldap", "run": "changes", "vault": "vault"}


def runtime() -> str:
    """meta/runtime.yml."""
    hand, mark, _made = (ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8").partition(_MADE_BELOW)
    if not mark:
        raise Failure("meta/runtime.yml has no place for what is made")
    groups: dict[str, list[str]] = {group: [] for group in _GROUPS.values()}
    routed: list[str] = []
    own = {file.stem for file in (ROOT / "plugins" / "action").glob("*.py")}
    for file in sorted((ROOT / "plugins" / "modules").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        extended = re.findall(r"^  - offboard\.iij_id\.(\w+)$", text[: text.index("EXAMPLES")], re.MULTILINE)
        if file.stem == "linux_target":  # it is carried to the machine by the others
            continue
        if file.stem.startswith("win_") and "windows" not in extended:  # win_restart takes the connection of several machines
            extended.append("windows")
        for fragment in extended:
            if fragment in _GROUPS:
                groups[_GROUPS[fragment]].append(file.stem)
        if file.stem not in own:
            routed.append(file.stem)
    lines = ["action_groups:"]
    for group, members in groups.items():
        lines += [f"  {group}:", *(f"    - {name}" for name in members)]
    lines += ["plugin_routing:", "  modules:"]
    for name in routed:
        lines += [f"    {name}:", "      action_plugin: offboard.iij_id.on_controller"]
    return hand + mark + "\n".join(lines) + "\n"


_JUDGED = ROOT / "plugins" / "doc_fragments" / "judged.py"


class _Indented(yaml.SafeDumper):
    """Lists stand below their key, as everywhere here."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def judged_fragment() -> str:
    """The documentation of what a judgement goes by."""
    sys.path.insert(0, str(tree()))
    from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import described, judged

    confirmed = {
        "description": "What the operator confirmed.",
        "type": "dict",
        "default": {},
        "suboptions": described.documented(judged.Confirmed),
    }
    options = {"options": described.documented(judged.Facts) | {"confirmed": confirmed}}
    text = yaml.dump(options, Dumper=_Indented, sort_keys=False, allow_unicode=True, width=110)
    head = "".join(_JUDGED.read_text(encoding="utf-8").partition('r"""\n')[:2])
    return f'{head}{text}"""\n'


def write() -> None:
    """Write all pages."""
    _JUDGED.write_text(judged_fragment(), encoding="utf-8")
    for language in _HEADS:
        (ROOT / "docs" / language / "codes.md").write_text(page(language), encoding="utf-8")
        for name in tables():
            (ROOT / "docs" / language / name).write_text(with_table(name, language), encoding="utf-8")
    (ROOT / "meta" / "runtime.yml").write_text(runtime(), encoding="utf-8")
