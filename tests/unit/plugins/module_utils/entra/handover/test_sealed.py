# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that opens with its password: here, and by a browser's own code."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.handover import sealed

PAGE = "<!DOCTYPE html><html><body><p>=Abc#def-1 営業部</p></body></html>".encode()
PASSWORD = "Long+enough=Password"
SEALED = sealed.seal(PAGE, PASSWORD, b"s" * sealed.SALT, b"n" * sealed.NONCE, "ja")


def test_it_opens_with_its_password_alone() -> None:
    assert sealed.unseal(SEALED, PASSWORD) == PAGE and sealed.unseal(SEALED, "another") is None
    assert b"Abc" not in SEALED and base64.b64encode(PAGE)[:20] not in SEALED and PASSWORD.encode() not in SEALED
    assert sealed.unseal(b"<html></html>", PASSWORD) is None


@pytest.mark.parametrize("data", ["", "[]", "{}", '{"salt": 1}', "[" * 100_000, '{"salt": "", "nonce": "", "content": "", "iterations": 10000000000}'])
def test_a_damaged_page(data: str) -> None:
    damaged = re.sub(rb'(id="sealed">)[^<]*', lambda found: found[1] + data.encode(), SEALED)
    with pytest.raises(OffboardError) as caught:
        sealed.unseal(damaged, PASSWORD)
    assert caught.value.code == "bad_handover_file"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_nothing_but_its_own_script_runs(language: str) -> None:
    page = sealed.seal(PAGE, PASSWORD, b"s" * sealed.SALT, b"n" * sealed.NONCE, language).decode()
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{allowed}&#x27;" in page and "default-src &#x27;none&#x27;" in page and "http" not in page.replace("http-equiv", "")


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js, whose WebCrypto is that of browsers")
@pytest.mark.parametrize(("password", "opens"), [(PASSWORD, True), ("another", False)])
def test_the_script_opens_it(password: str, opens: bool) -> None:
    data, script = (re.findall(pattern, SEALED.decode(), re.DOTALL)[0] for pattern in (r'id="sealed">([^<]*)<', r"<script>(.*?)</script>"))
    stub = f"const document = {{getElementById: () => ({{textContent: {data!r}, addEventListener() {{}}}})}};"
    ask = f"opened({password!r}).then(text => process.stdout.write(text), () => process.exit(3));"
    done = subprocess.run(["node", "-e", stub + script + ask], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == ((0, PAGE) if opens else (3, b"")), done.stderr
