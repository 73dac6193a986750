# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.offboard.iij_id.plugins.filter.canonical import canonical

ID = "0b1f3e8a-57a1-4f0c-8a10-aa11d0000001"


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (ID, "id", ID),
        ("{" + ID.upper() + "}", "id", ID),
        (f" {ID.replace('-', '')}\n", "id", ID),
        ("", "id", ""),
        (None, "id", ""),
        ([f"({ID})", ID.upper(), "", None], "id", [ID]),
        ("Reiji-Group.Example.", "domain", "reiji-group.example"),
        ("日本語.jp", "domain", "xn--wgv71a119e.jp"),
        ("ＲＥＩＪＩ．example", "domain", "reiji.example"),
        (["a.example", "@A.example", "b.example"], "domain", ["a.example", "b.example"]),
        ([], "domain", []),
        (["cn=Sync,dc=x", "CN=sync, DC=X", "cn=other,dc=x"], "dn", ["cn=sync,dc=x", "cn=other,dc=x"]),
        (("a.example",), "domain", ["a.example"]),
    ],
)
def test_one_form(value: Any, kind: str, expected: Any) -> None:
    assert canonical(value, kind) == expected


@pytest.mark.parametrize(("value", "kind"), [("a", "name"), (4711, "id"), ({"a": 1}, "id"), ([["a"], 1], "domain"), (True, "domain")])
def test_what_is_no_name_is_refused(value: Any, kind: str) -> None:
    with pytest.raises(AnsibleFilterError, match="canonical"):
        canonical(value, kind)
