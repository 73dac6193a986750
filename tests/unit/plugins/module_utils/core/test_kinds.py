# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of object and every action that a plan can hold has words for people, and none of the words is dead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.kinds import ACTIONS, KINDS, heading, label
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.references import read
from dev import places

PLUGINS = places.ROOT / "plugins" / "module_utils"


def constants(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """What each name of a file is assigned, wherever that is; a tuple's names each their own."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = zip(target.elts, node.value.elts, strict=True) if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) else ()
                for name, value in ((target, node.value), *pairs):
                    if isinstance(name, ast.Name):
                        found.setdefault(name.id, []).append(value)
    return found


def words(value: ast.expr, known: dict[str, list[ast.expr]], seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """The texts that an expression may become."""
    if isinstance(value, ast.IfExp):  # not its condition
        yield from words(value.body, known, seen)
        yield from words(value.orelse, known, seen)
    elif isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.Name) and value.id not in seen:
        for other in known.get(value.id, []):
            yield from words(other, known, seen | {value.id})


def used() -> tuple[set[str], set[str]]:
    """(kinds, actions) of every Change, Object and Skip that the plugins make, and of what is assigned to a name such as KIND."""
    kinds, actions = set(), set()
    for file in PLUGINS.rglob("*.py"):
        tree = ast.parse(file.read_text())
        known = constants(tree)
        for name in ("KIND", "GIVEN", "APPLICATION", "PRINCIPAL", "GRANT", "ASSIGNMENT", *(("EXTERNAL", "INTERNAL") if "_entra" in file.parts else ())):
            kinds |= {word for value in known.get(name, []) for word in words(value, known)}
        for node in ast.walk(tree):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if name in ("Change", "Object", "Skip") and node.args:
                kinds |= set(words(node.args[0], known))
            if name == "Change":
                given = [keyword.value for keyword in node.keywords if keyword.arg == "action"] + node.args[3:4]
                actions |= {word for value in given for word in words(value, known)}
    return kinds, actions


def test_every_kind_and_action_has_words():
    kinds, actions = used()
    assert {"user", "service_principal", "redemption_order", "internal_federation"} <= kinds, "or this test looks in the wrong places"
    assert kinds - KINDS.keys() == set()
    assert actions - ACTIONS.keys() == set()


def test_no_kind_is_dead():
    kinds, _unused = used()
    assert KINDS.keys() - kinds - set(read.KINDS) == set()


def test_a_kind_has_one_label():
    """Wherever it is told of; no room has words of its own."""
    source = (PLUGINS / "_core" / "kinds.py").read_text()
    assert [kind for kind in KINDS if source.count(f'"{kind}": Text(') != 1] == []
    assert len({text.en for text in KINDS.values()}) == len({text.ja for text in KINDS.values()}) == len(KINDS)
    elsewhere = re.compile(rf'"({"|".join(sorted(KINDS))})": Text\(')
    others = {
        (str(file.relative_to(PLUGINS)), kind) for file in PLUGINS.rglob("*.py") if file.name != "kinds.py" for kind in elsewhere.findall(file.read_text())
    }
    assert others == {("_offboarding/readiness/sign_in.py", "organization")}  # a part of what is read of sign-ins, no object


@pytest.mark.parametrize(
    ("kind", "within", "first"), [("domain", "domains", "Domains"), ("openldap_entry", "OpenLDAP accounts", "OpenLDAP accounts"), ("x_y", "x_y", "x_y")]
)
def test_a_label_within_a_sentence_and_before_one(kind, within, first):
    assert (label(kind).en, heading(kind).en) == (within, first)


def test_no_action_is_dead():
    source = "\n".join(file.read_text() for file in PLUGINS.rglob("*.py") if file.name != "kinds.py")
    assert [name for name in ACTIONS if f'"{name}"' not in source] == []


@pytest.mark.parametrize("name", sorted({*KINDS, *ACTIONS}))
def test_the_names_are_snake_case_and_the_words_are_in_both_languages(name):
    text = KINDS.get(name) or ACTIONS[name]
    assert re.fullmatch("[a-z0-9]+(_[a-z0-9]+)*", name)
    assert re.search("[A-Za-z]", text.en)
    assert re.search("[ぁ-んァ-ヶ一-龠]", text.ja)
