# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of a dataclass that are options of readiness_info, too: what it takes and what its page says follow from them. Pure."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Collection, Mapping, Sequence
from typing import Any


def option(*description: str, default: Any = None, **more: Any) -> Any:
    """A field that is an option. description: its paragraphs, in Ansible's markup. default: () for none of several, None for what was not given.

    more: what else its argument_spec says (`choices`, `no_log`).
    """
    # made for a dataclass; pylint wants to see it in one
    return dataclasses.field(default=default, metadata={"description": description, **more})  # pylint: disable=invalid-field-call


def documented(made_of: type) -> dict[str, dict[str, Any]]:
    """The fields that are options, as the documentation of a module has them."""
    hints = typing.get_type_hints(made_of)
    made: dict[str, dict[str, Any]] = {}
    for one in dataclasses.fields(made_of):
        if "description" in one.metadata:
            paragraphs = list(one.metadata["description"])
            made[one.name] = {"description": paragraphs if len(paragraphs) > 1 else paragraphs[0], **_type(hints[one.name])}
            if "choices" in one.metadata:
                made[one.name]["choices"] = list(one.metadata["choices"])
            if one.default is not None:
                made[one.name]["default"] = [] if one.default == () else one.default
    return made


def argument_spec(made_of: type) -> dict[str, dict[str, Any]]:
    """The same as a module takes them."""
    secret = {one.name: one.metadata["no_log"] for one in dataclasses.fields(made_of) if "no_log" in one.metadata}
    made = {name: {key: value for key, value in about.items() if key != "description"} for name, about in documented(made_of).items()}
    return {name: {**about, **({"no_log": secret[name]} if name in secret else {})} for name, about in made.items()}


def _type(hint: Any) -> dict[str, str]:
    """A field's annotation in Ansible's words. What may be None is an option that need not be given."""
    given = next((one for one in typing.get_args(hint) if one is not type(None)), hint) if type(None) in typing.get_args(hint) else hint
    origin = typing.get_origin(given)
    if origin in (Sequence, Collection):
        return {"type": "list", "elements": _type(typing.get_args(given)[0])["type"]}
    return {"type": "dict" if origin is Mapping else given.__name__}
