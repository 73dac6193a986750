# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a task as Ansible hands them to a module, for tests of what a module makes of them: by its documentation, without importing it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from . import places

_PLUGINS = places.ROOT / "plugins"


def given(module: str, **options: Any) -> dict[str, Any]:
    """All options of a module: those that are given, the others with their default. Raises KeyError for one that it does not have."""
    documented = _options(_PLUGINS / "modules" / f"{module}.py")
    return {name: _value(about, options.get(name)) for name, about in documented.items()} | {name: _value(documented[name], options[name]) for name in options}


def _value(about: Mapping[str, Any], value: Any) -> Any:
    """A mapping with options of its own, or a list of such, has all of them."""
    inner = about.get("suboptions")
    if value is None:
        return about.get("default")
    if inner and isinstance(value, list | tuple):
        return [{name: _value(one, item.get(name)) for name, one in inner.items()} for item in value]
    return {name: _value(one, value.get(name)) for name, one in inner.items()} if inner else value


@functools.cache
def _options(file: Path) -> Mapping[str, Any]:
    documentation = yaml.safe_load(_constants(file)["DOCUMENTATION"])
    found: dict[str, Any] = {}
    for fragment in documentation.get("extends_documentation_fragment", ()):
        name, _dot, part = fragment.removeprefix("offboard.iij_id.").partition(".")
        text = _constants(_PLUGINS / "doc_fragments" / f"{name}.py")[part.upper() or "DOCUMENTATION"]
        found |= yaml.safe_load(text).get("options", {})
    return found | documentation.get("options", {})


def _constants(file: Path) -> dict[str, str]:
    nodes = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Assign)]
    return {ast.unparse(node.targets[0]): node.value.value for node in nodes if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)}
