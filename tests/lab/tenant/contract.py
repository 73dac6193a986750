# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds what the tenant gets and gives to Microsoft's own description of it.

Always to the models of msgraph-sdk: property names, and the kind of value behind each. Beside a checkout that has
`../shared/graph`, also to the strict JSON schema there, made from the CSDL.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import re
from pathlib import Path
from typing import Any

from .. import paths

_SCHEMA = Path(__file__).resolve().parents[4] / "shared" / "graph" / "graph-strict.schema.json"


class Violation(Exception):
    """A body that Microsoft's description does not allow. `name` is the property; `unknown` when its type has none of that name."""

    def __init__(self, text: str, name: str = "", unknown: bool = False) -> None:
        super().__init__(text)
        self.name, self.unknown = name, unknown


class _Probe:
    """Stands in for kiota's ParseNode and notes how a model would read a property."""

    def __init__(self) -> None:
        self.kind = ""
        self.model: type | None = None

    def __getattr__(self, name: str) -> Any:
        def read(argument: Any = None) -> None:
            self.kind = name.removeprefix("get_").removesuffix("_value").removesuffix("_values")
            self.model = argument if "object" in name else None

        return read


_SCALARS: dict[str, type | tuple[type, ...]] = {
    "str": str, "bool": bool, "int": int, "float": (int, float), "uuid": str, "datetime": str, "date": str, "time": str,
    "timedelta": str, "enum": str, "bytes": str, "object": dict, "collection_of_object": list, "collection_of_primitive": list,
    "collection_of_enum": list,
}  # fmt: skip

Fields = dict[str, tuple[str, str]]


def model_path(kind: str) -> str:
    """`module:Class` of the model of a Graph type such as `user`; a path under `msgraph.generated` stays as it is."""
    if ":" in kind:
        return kind
    kind = kind.removeprefix("#").removeprefix("microsoft.graph.")
    module = re.sub(r"(?<!^)([A-Z])", r"_\1", kind).lower()
    return f"models.{module}:{kind[0].upper()}{kind[1:]}"


class Models:
    """Properties of msgraph-sdk's models, kept in a cache file since asking the SDK takes seconds."""

    def __init__(self) -> None:
        version = importlib.metadata.version("msgraph-sdk")
        self._file = paths.CACHE / f"graph-models-{version}.json"
        self._known: dict[str, Fields] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def fields(self, kind: str) -> Fields:
        """Name → (kind of value, model path of the value or "")."""
        path = model_path(kind)
        if path not in self._known:
            self._known[path] = self._read(path)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._file.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps(self._known))
            temporary.replace(self._file)
        return self._known[path]

    @staticmethod
    def _read(path: str) -> Fields:
        module, _, name = path.partition(":")
        model = getattr(importlib.import_module(f"msgraph.generated.{module}"), name)
        result: Fields = {}
        for field, read in model().get_field_deserializers().items():
            probe = _Probe()
            read(probe)
            inner = probe.model
            inner_path = f"{inner.__module__.removeprefix('msgraph.generated.')}:{inner.__name__}" if inner is not None else ""
            result[field] = (probe.kind, inner_path)
        return result

    def check(self, kind: str, value: Any, where: str) -> None:
        """Raises Violation when `value` is not an object of that type."""
        if not isinstance(value, dict):
            raise Violation(f"{where}: {type(value).__name__} where {kind} is an object")
        declared = value.get("@odata.type")
        if declared and ":" not in kind:
            kind = declared
        fields = self.fields(kind)
        for name, item in value.items():
            if "@" in name:
                continue
            if name not in fields:
                raise Violation(f"{where}: {kind} has no property {name!r}", name, unknown=True)
            read, inner = fields[name]
            if item is None:
                continue
            if not isinstance(item, _SCALARS[read]) or (isinstance(item, bool) and read not in ("bool",)):
                raise Violation(f"{where}.{name}: {type(item).__name__} where {kind} has {read}", name)
            if inner and read == "object":
                self._check_inner(inner, item, f"{where}.{name}")
            elif inner:
                parts: Any = item
                for index, part in enumerate(parts):
                    self._check_inner(inner, part, f"{where}.{name}[{index}]")

    def _check_inner(self, path: str, value: Any, where: str) -> None:
        declared = value.get("@odata.type") if isinstance(value, dict) else None
        self.check(model_path(declared) if declared else path, value, where)


class Contract:
    """Checks bodies and keeps the violations it saw."""

    def __init__(self) -> None:
        self.models = Models()
        self.violations: list[str] = []
        self._definitions: dict[str, Any] | None = None
        if _SCHEMA.exists():
            self._definitions = json.loads(_SCHEMA.read_text())["$defs"]
        self._validators: dict[str, Any] = {}

    @property
    def strict(self) -> bool:
        """Whether Microsoft's own schema is at hand too."""
        return self._definitions is not None

    def check(self, kind: str, value: Any, where: str) -> None:
        """Raises Violation, after noting it, when `value` does not fit the Graph type `kind`.

        A kind that begins with `schema:` is in the strict schema only: msgraph-sdk has no model for every collection."""
        try:
            if not kind.startswith("schema:"):
                self.models.check(kind, value, where)
            declared = value.get("@odata.type") if isinstance(value, dict) else None
            derived = declared.removeprefix("#").removeprefix("microsoft.graph.") if declared and ":" not in kind else kind
            self._check_schema(derived.removeprefix("schema:"), value, where)
        except Violation as error:
            self.violations.append(str(error))
            raise

    def _check_schema(self, kind: str, value: Any, where: str) -> None:
        name = kind if kind[0].isupper() else f"microsoft.graph.{kind}"
        if self._definitions is None or name not in self._definitions:
            return
        if name not in self._validators:
            import jsonschema

            self._validators[name] = jsonschema.Draft202012Validator({"$defs": self._definitions, "$ref": f"#/$defs/{name}"})
        error = next(iter(self._validators[name].iter_errors(value)), None)
        if error is not None:
            path = [str(part) for part in error.absolute_path]
            name_of = next((part for part in reversed(path) if not part.isdigit()), "")
            raise Violation(f"{where}: {'.'.join([name, *path])}: {error.message[:300]}", name_of)
