# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary of codes: complete, without dead words, and the manual's pages are made from it."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core import codes
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.sign_in_readiness import plan as sign_in_readiness
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import metadata, partner_sheet, xml
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness import people, references
from dev import places
from dev.pages import page

PLUGINS = places.ROOT / "plugins"
KNOWN = {code for meanings in codes.CODES.values() for code in meanings}
#: what a variable, an option of a call, a field or a key is called that holds a code
NAMED = ("code", "rule", "reason")
#: the codes of findings are names of sentences, which stand beside each; nobody looks them up
FINDING = "Finding"


@functools.cache
def _trees() -> dict[Path, ast.Module]:
    return {file: ast.parse(file.read_text()) for file in sorted(PLUGINS.rglob("*.py")) if file.name != "codes.py"}


def _parameters(node: ast.AST) -> list[str]:
    """What is handed to a function by its place, or to a class."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [arg.arg for arg in node.args.args if arg.arg not in ("self", "cls")]
    if isinstance(node, ast.ClassDef):
        if made := [_parameters(inner) for inner in node.body if isinstance(inner, ast.FunctionDef) and inner.name == "__init__"]:
            return made[0]
        return [inner.target.id for inner in node.body if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name)]
    return []


@functools.cache
def _takers(tree: ast.Module) -> dict[str, set[int]]:
    """At which places the functions and classes of a file take a code."""
    found: dict[str, set[int]] = {}
    for node in ast.walk(tree):
        if at := {index for index, name in enumerate(_parameters(node)) if name in NAMED}:
            found.setdefault(node.name, set()).update(at)  # type: ignore[attr-defined]
    return {name: at for name, at in found.items() if name != "__init__"}


@functools.cache
def _everywhere() -> dict[str, set[int]]:
    """Those that other files import."""
    return {name: at for tree in _trees().values() for name, at in _takers(tree).items() if name[0].isupper() and name not in (FINDING, "Code")}


def _words(node: ast.AST) -> Iterator[str]:
    """The words that may be the value of an expression."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", node.value):
            yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_words(node.body), *_words(node.orelse))
    elif isinstance(node, ast.Subscript):
        yield from _words(node.value)
    elif isinstance(node, ast.Call):  # of a table of codes
        yield from (word for arg in node.args[1:] if getattr(node.func, "attr", "") == "get" for word in _words(arg))
    elif not isinstance(node, ast.Compare):
        for inner in ast.iter_child_nodes(node):
            yield from _words(inner)


def _name(node: ast.AST) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def _is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and " " in str(node.value))


def _values(node: ast.AST, takers: dict[str, set[int]]) -> Iterator[ast.AST]:
    """What stands where only a code can stand."""
    if isinstance(node, ast.Call) and _name(node.func) != FINDING:
        yield from (keyword.value for keyword in node.keywords if keyword.arg in NAMED)
        yield from (node.args[at] for at in takers.get(_name(node.func), ()) if len(node.args) > at)
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and any(map(_is_sentence, node.value.elts[1:2])):
        yield node.value.elts[0]
    elif isinstance(node, ast.Dict):
        yield from (value for key, value in zip(node.keys, node.values, strict=True) if isinstance(key, ast.Constant) and key.value in NAMED)
    elif isinstance(node, ast.Compare) and _name(node.left) in NAMED:
        yield from node.comparators
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        given = node.args.args[len(node.args.args) - len(node.args.defaults) :]
        yield from (value for arg, value in zip(given, node.args.defaults, strict=True) if arg.arg in NAMED)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            pairs = (
                zip(target.elts, node.value.elts, strict=True)
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                else [(target, node.value)]
            )
            yield from (value for one, value in pairs if _name(one) in NAMED)
            # why somebody is left alone or told of, by code
            if isinstance(target, ast.Subscript) and _name(target.value) == "notes":
                yield target.slice


def literals() -> Iterator[tuple[str, str]]:
    """(file, code) of every code that stands in the source where only a code can stand."""
    for file, tree in _trees().items():
        takers = _everywhere() | _takers(tree)
        for node in ast.walk(tree):
            for value in _values(node, takers):
                yield from ((str(file.relative_to(PLUGINS)), word) for word in _words(value))


def findings() -> set[str]:
    """The codes of findings, which `_offboarding` compares."""
    calls = [node for tree in _trees().values() for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) == FINDING and len(node.args) > 1]
    return {word for node in calls for word in _words(node.args[1])}


def returned() -> Iterator[tuple[str, str]]:
    """(module, code) of every code that a module says to return."""
    for file in sorted(PLUGINS.glob("modules/*.py")):
        made = re.search(r'^RETURN = r?"""(.*?)"""', file.read_text(), re.DOTALL | re.MULTILINE)
        if made and file.stem != "readiness_info":
            yield from ((file.stem, code) for name, entry in (yaml.safe_load(made[1]) or {}).items() for code in _documented(name, entry))


def _documented(name: str, entry: dict[str, Any]) -> Iterator[str]:
    if name in (*NAMED, "failure", "verdict", "codes", "reasons"):
        text = " ".join([entry["description"]] if isinstance(entry["description"], str) else entry["description"])
        yield from re.findall(r"V\(([a-z0-9_]+)[):]", text)
    for inner, more in (entry.get("contains") or {}).items():
        yield from _documented(inner, more)


def test_every_code_is_in_the_vocabulary():
    told = findings()
    unknown = {(file, code) for file, code in literals() if code not in KNOWN and not (file.startswith("module_utils/_offboarding/") and code in told)}
    assert sorted(f"{code} ({file})" for file, code in unknown) == []


def test_every_code_that_a_module_documents_is_in_the_vocabulary():
    assert sorted(f"{code} ({module})" for module, code in returned() if code not in KNOWN) == []


@pytest.mark.parametrize(
    "table",
    [metadata.REASONS, xml.REASONS, partner_sheet.WARNINGS, references.REASONS, sign_in_readiness.REASONS, sign_in_readiness.WORDS, people.SENTENCES],
    ids=["metadata", "xml", "warnings of metadata", "not looked at", "why not known", "who can sign in", "how users are"],
)
def test_tables_of_words_are_about_codes_of_the_vocabulary(table: Collection[str]) -> None:
    assert set(table) - KNOWN == set()


def test_no_code_is_dead_and_none_stands_twice():
    source = "\n".join(file.read_text() for file in PLUGINS.rglob("*.py") if file.name != "codes.py")
    assert sorted(code for code in KNOWN if not re.search(rf'"{code}[":]', source)) == []  # of warnings what they are about follows
    assert sum(len(meanings) for meanings in codes.CODES.values()) == len(KNOWN)


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_a_meaning_is_a_sentence_in_both_languages(code):
    text = codes.meaning(code)
    assert text is not None
    assert text.en.endswith(".")
    assert text.ja.endswith("。")
    assert re.search("[ぁ-んァ-ヶ一-龠]", text.ja)


def test_an_unknown_code_has_no_meaning():
    assert codes.meaning("nothing_of_ours") is None


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_manual_lists_them(language):
    """`./dev pages` writes the pages."""
    assert (places.ROOT / "docs" / language / "codes.md").read_text() == page(language)
