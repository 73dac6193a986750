# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not as it should be after the federations of all partners were worked on, from what the modules returned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._core import heads
from .._core.errors import OffboardError

#: Severities of entra_federation_certificate_info, the worst last.
SEVERITIES = ("ok", "warning", "unknown", "critical")


def info(seen: Mapping[str, Any]) -> dict[str, Any]:
    """What federation_outcome_info returns; its options are what other modules returned. Raises OffboardError `bad_option` for results of other modules."""
    try:
        return {
            # set_stats hands these on, and an event of AWX has no room for a thousand
            "problems": heads.sentences(problems(seen)),
            "labels": heads.sentences(item["label"] for item in seen["federations"]),
            "other_labels": heads.sentences(item["label"] for item in seen["others"]),
            "federated": [item["name"] for item in _succeeded(seen["made"])],
            "guests": list(guests(seen["made"])),
        }
    except (LookupError, TypeError, AttributeError) as exc:
        what = f": {exc.args[0]} is missing" if isinstance(exc, KeyError) else ""
        raise OffboardError(f"An option does not hold what the module returns{what}. Give the results as they were registered.", code="bad_option") from None


def problems(seen: Mapping[str, Any]) -> list[str]:
    """In the order of the work, each naming whom it concerns."""
    found = [f"{_name(result)}: {result['msg']}" for kind in ("removed", "made", "published", "tokens") for result in _failed(seen[kind])]
    invited = seen["invited"] or {}
    if invited.get("failed"):
        found.append(invited["msg"])
    found += [f"{_name(result)}: {' '.join(_texts(result['summary']))}" for result in seen["tokens"] if result.get("valid") is False]
    in_use = {item["passive_sign_in_uri"] for item in seen["federations"]}
    for result in seen["published"]:
        found += [verdict["msg"] for verdict in result.get("url_rule") or () if not verdict["allowed"] and verdict["url"] in in_use]
    watched = seen["watched"] or {}
    if watched.get("severity", "ok") in seen["fail_on"]:
        found += _texts(watched["summary"])
    return found


def guests(made: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    """Those of partners whose federation is as it should be: nobody else is invited."""
    for item in _succeeded(made):
        yield from item["guests"]


def _succeeded(made: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [result["item"] for result in made if not result.get("failed") and not result.get("skipped")]


def _failed(results: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [result for result in results if result.get("failed")]


def _name(result: Mapping[str, Any]) -> str:
    return str(result["item"]["name"])


def _texts(summary: Any) -> list[str]:
    return [str(line) for line in summary] if isinstance(summary, list) else [str(summary)]
