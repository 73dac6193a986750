# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import agent_config

BIND = "CN=IIJ Taro,CN=Users,DC=example,DC=co,DC=jp"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        ("just text", []),
        ("!!python/object/apply:os.system [hush-hush]", []),  # a list of texts, whatever its tag says
        (f"ad: {{ldap: {{server: {{addresses: [dc1], user: '{BIND}', password: x}}}}}}", [BIND]),
        (f"ad: {{ldap: {{server: [{{user: '{BIND}'}}, {{user: 'CN=b'}}]}}}}", [BIND, "CN=b"]),
        (f"ad: {{ldap: {{user: '{BIND}'}}}}", [BIND]),
        ("\ufeffad: {ldap: {server: {user: 'REIJI\\taro'}}}", ["REIJI\\taro"]),
        ("iid: {scim: {attribute: {user: {convert: {externalUserName: x}}}}}", []),
        ("iid: {user: somebody}", []),
        ("ad: {ldap: {filter: {user: '(&(objectClass=user)(memberOf=CN=g,DC=b))'}}}", ["CN=g,DC=b"]),
        ("filter: {user: '(|(memberOf:1.2.840.113556.1.4.1941:=CN=g)(MEMBEROF = CN=h))', group: '(cn=x)'}", ["CN=g", "CN=h"]),
        (r"filter: {user: '(memberOf=CN=\e4\be\8b \28a\29,DC=b)'}", ["CN=例 (a),DC=b"]),
        ("filter: {user: '(memberOf=CN=g)', group: '(memberOf=CN=g)'}", ["CN=g"]),
    ],
)
def test_names_in_a_configuration(text, names):
    assert [name for name, _ in agent_config.accounts(text)] == names


def test_the_reason_names_the_key():
    assert agent_config.accounts(f"ad: {{ldap: {{server: {{user: '{BIND}'}}}}}}") == [(BIND, "bind user in config.yml (ad.ldap.server.user)")]


@pytest.mark.parametrize("text", ["ad: {ldap: [hush-hush", "a: b: hush-hush"])
def test_what_is_no_yaml_is_an_error_that_quotes_nothing(text):
    with pytest.raises(OffboardError) as error:
        agent_config.accounts(text)
    assert error.value.code == "config_unreadable"
    assert "hush" not in error.value.msg


@pytest.mark.parametrize("password", ['!!int "Secret"', "2026-02-30", "!!python/object:os.system x", "!!timestamp Secret", "1e999", '!!binary "Secret"'])
def test_no_value_decides_a_type(password):
    text = f"ad:\n  ldap:\n    user: CN=bind,DC=a\n    password: {password}\n"
    assert agent_config.accounts(text) == [("CN=bind,DC=a", "bind user in config.yml (ad.ldap.user)")]


@pytest.mark.parametrize("user", ["", "~", "null"])
def test_no_user(user):
    assert agent_config.accounts(f"ad:\n  ldap:\n    user: {user}\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [Secret]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)),
        "[" * 5000,
        "? [a]\n: Secret",
        "a: &a [*a]",
    ],
)
def test_hostile_files_are_refused_without_their_values(text):
    with pytest.raises(OffboardError) as caught:
        agent_config.accounts(text)
    assert caught.value.code == "config_unreadable" and "Secret" not in caught.value.msg
