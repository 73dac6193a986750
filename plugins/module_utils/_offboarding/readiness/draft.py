# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's decisions as a file to take them from: what is confirmed stands as it is, what was found is a comment with its reason. Pure.

A line that begins with `# ` is a candidate: without these two characters it is YAML that can be used as it is. `## ` begins what is only to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..._core import names, plain
from ..._core.text import Text, counted
from . import references
from .candidate import Candidate, in_yaml
from .judged import DECISIONS, SUBJECTS, Confirmed, Facts

#: The variables that the draft names, and what each is for.
VARIABLES: dict[str, Text] = {decision.variable: decision.purpose for decision in DECISIONS if decision.purpose}
#: those of them that hold one value, not a list, and of these the texts: one that is given is the operator's answer
_ONE = frozenset(decision.variable for decision in DECISIONS if decision.one)
_TEXTS = frozenset(decision.variable for decision in DECISIONS if decision.one and decision.holds == "str")
_HEAD = (
    Text(
        "What preflight has found, as variables. Look at each candidate, take away its '# ', and put the file into your inventory (group_vars/all/).",
        "preflight の結果を変数にしたものです。候補を1つずつ確認し、行頭の「# 」を外して、インベントリー（group_vars/all/）に置いてください。",
    ),
    Text("Values without '# ' are those that you have confirmed already.", "「# 」のない値は確認済みのものです。"),
    Text(
        "Preflight writes this file anew each time: make your changes in a copy.", "このファイルは preflight のたびに作り直されます。コピーを編集してください。"
    ),
)


def draft(facts: Facts, confirmed: Confirmed, variables: Mapping[str, Any], language: str) -> str:
    """The file. variables: what those of VARIABLES hold now."""
    found: dict[str, list[Candidate]] = {}
    for candidate in (one for subject in SUBJECTS for one in subject.propose(facts, confirmed)):
        if candidate.value not in [known.value for known in found.setdefault(candidate.variable, [])]:
            found[candidate.variable].append(candidate)
    lines = ["---", *_comments(_HEAD, language)]
    for name, purpose in VARIABLES.items():
        value = variables.get(name)
        candidates = [] if value and name in _TEXTS else found.get(name, [])
        if name not in _ONE and (value is None or isinstance(value, str)):  # microsoft_365_domains may be a text with commas
            value = names.listed(value)
        unused = facts.domains is None and facts.users is None and name.startswith("microsoft_365_")  # its defaults are no decisions
        if (unused or value in (None, "", [], False)) and not candidates:
            continue
        lines += ["", *_comments([purpose], language), *_variable(name, value, candidates, language), *_comments(_cut(name, facts), language)]
    return "\n".join(lines) + "\n"


#: The lists that candidates of a variable come from, where their answer holds the first of them only.
_LISTS = {"microsoft_365_accepted_references": "references", "microsoft_365_accepted_not_looked_at": "not_looked_at"}


def _cut(name: str, facts: Facts) -> list[Text]:
    """That there are more than the candidates that stand here."""
    provisioning = facts.provisioning or {}
    if name == "microsoft_365_also_enable" and provisioning.get("blocked_users"):
        rest = sum(int(item["blocked"]) for item in provisioning["domains"]) - len(provisioning["blocked_users"])
        return [_not_listed(rest, "人います", "results/blocked_users.yml")] if rest > 0 else []
    more = references.not_listed(facts.references or {}, _LISTS[name]) if name in _LISTS else 0
    return [_not_listed(more, "件あります", "results/references.jsonl")] if more > 0 else []


def _not_listed(number: int, there_are: str, file: str) -> Text:
    return Text(f"{counted(number, 'more is', 'more are')} not listed here; all are in {file}.", f"ほかに{number}{there_are}（すべては {file}）。")


def _variable(name: str, value: Any, candidates: Sequence[Candidate], language: str) -> Iterator[str]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield f"{name}:" if value else f"# {name}:"
        yield from (f"  - {in_yaml(item)}" for item in value)
        for candidate in candidates:
            yield from _comments([candidate.why], language)
            yield f"#   - {in_yaml(candidate.value)}"
        return
    if value not in (None, "", False):
        yield f"{name}: {in_yaml(value)}"
    for candidate in candidates[:1]:  # a second one would be the same key once more
        yield from _comments([candidate.why], language)
        yield f"# {name}: {in_yaml(candidate.value)}" if value in (None, "", False) else f"## {name}: {in_yaml(candidate.value)}"


def _comments(texts: Iterable[Text], language: str) -> list[str]:
    return [plain.line(f"## {line}") for text in texts for line in text.in_language(language)]
