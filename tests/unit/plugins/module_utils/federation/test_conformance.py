# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conformance set of real and hostile metadata and the table of URL cases, where they lie beside the checkout.

They are not part of the repository: some of the documents come from places without a licence.
"""

from __future__ import annotations

import csv
import dataclasses
import datetime
import json
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import metadata, url_rule
from dev import places

#: Beside the checkout, or beside the folder of its worktrees.
SET = next((found for folder in places.ROOT.parents if (found := folder / "shared" / "metadata").is_dir()), places.ROOT.parent / "shared" / "metadata")
EXPECTED = json.loads((SET / "expected.json").read_text()) if (SET / "expected.json").exists() else {"as_of": "", "files": {}}
CASES = list(csv.DictReader((SET / "url_rule_cases.tsv").open(encoding="utf-8"), delimiter="\t")) if (SET / "url_rule_cases.tsv").exists() else []
MISSING = pytest.param(None, marks=pytest.mark.skip(reason="the conformance set does not lie beside the checkout"), id="none")

# About the file, about other readers, or in another program's words; not values of the document.
NOT_COMPARED = {"bytes", "file_sha256", "crosscheck", "author_expectation", "error"}


def test_the_set_is_there() -> None:
    if not EXPECTED["files"] or not CASES:
        pytest.skip(f"the conformance set does not lie beside the checkout ({SET})")
    assert all((SET / name).exists() for name in EXPECTED["files"])


@pytest.mark.parametrize("name", EXPECTED["files"] or [MISSING])
def test_metadata(name: str) -> None:
    result = dataclasses.asdict(metadata.read((SET / name).read_bytes(), datetime.datetime.fromisoformat(EXPECTED["as_of"])))
    assert [*differences(EXPECTED["files"][name], result, name)] == []


def differences(expected: Any, result: Any, where: str) -> Any:
    """Every value that is listed and is not so."""
    if isinstance(expected, dict) and isinstance(result, dict):
        if expected.get("outcome") == "select":
            expected = {**expected, "reason": ""}  # its text says that an entity ID must be given; the outcome says it here
        for key in expected.keys() - NOT_COMPARED:
            yield from differences(expected[key], result.get(key, "(not there)"), f"{where}/{key}")
    elif isinstance(expected, list) and isinstance(result, list) and len(expected) == len(result):
        for number, (one, other) in enumerate(zip(expected, result, strict=True)):
            yield from differences(one, other, f"{where}[{number}]")
    elif expected != result:
        yield f"{where}: {result!r}, expected {expected!r}"


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['id']}-{case['why'][:40]}") for case in CASES] or [MISSING])
def test_url_rule(case: dict[str, str]) -> None:
    domain, url = (json.loads(f'"{case[column]}"') for column in ("domain", "url"))
    assert url_rule.check(domain, url, "2020").allowed is (case["expected"] == "allow")
    today = url_rule.check(domain, url, "current", lambda _domain: [])
    with_record = url_rule.check(domain, url, "current", lambda _domain: [today.txt_record] if today.txt_record else [])
    assert (today.allowed, with_record.allowed) == {"no_txt": (True, True), "txt": (False, True), "deny": (False, False)}[case["today"]]
