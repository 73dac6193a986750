# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page that opens in a browser with its password, and holds nothing readable without: PBKDF2 and AES-256-GCM, by `cryptography` here and by the browser's
own WebCrypto there. No network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from typing import Any

from ..._core.errors import OffboardError

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:  # reported by the module through missing_required_lib
    pass

#: The password is random and long (some 120 bits), so that no guess needs to be slow; a person's own would need more.
_ITERATIONS = 100_000
SALT, NONCE = 16, 12
_SEALED = re.compile(rb'<script type="application/json" id="sealed">([^<]*)</script>')

_WORDS: Mapping[str, Mapping[str, str]] = {
    "ja": {
        "title": "Microsoft 365 サインインのお知らせ", "ask": "この用紙を開くためのパスワード", "open": "開く",
        "wrong": "パスワードが違うか、ファイルが壊れています。",
    },
    "en": {
        "title": "Sign-in to Microsoft 365", "ask": "The password that opens these letters", "open": "Open",
        "wrong": "The password is wrong, or the file is damaged.",
    },
}  # fmt: skip

#: replaces the page by what was sealed; of that nothing is run
_SCRIPT = """
const sealed = JSON.parse(document.getElementById("sealed").textContent);
const bytes = text => Uint8Array.from(atob(text), character => character.charCodeAt(0));
async function opened(password) {
  const raw = await crypto.subtle.importKey("raw", new TextEncoder().encode(password), "PBKDF2", false, ["deriveKey"]);
  const how = {name: "PBKDF2", hash: "SHA-256", salt: bytes(sealed.salt), iterations: sealed.iterations};
  const key = await crypto.subtle.deriveKey(how, raw, {name: "AES-GCM", length: 256}, false, ["decrypt"]);
  return new TextDecoder().decode(await crypto.subtle.decrypt({name: "AES-GCM", iv: bytes(sealed.nonce)}, key, bytes(sealed.content)));
}
document.getElementById("ask").addEventListener("submit", async event => {
  event.preventDefault();
  try {
    const page = new DOMParser().parseFromString(await opened(document.getElementById("password").value.trim()), "text/html");
    document.head.replaceChildren(...page.head.childNodes);
    document.body.replaceChildren(...page.body.childNodes);
  } catch (error) {
    document.getElementById("wrong").hidden = false;
  }
});
"""


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _key(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations, 32)


def seal(page: bytes, password: str, salt: bytes, nonce: bytes, language: str) -> bytes:
    """The page that asks for the password. page: HTML without script. salt, nonce: SALT and NONCE fresh random bytes."""
    words = _WORDS[language]
    sealed = {"salt": salt, "nonce": nonce, "content": AESGCM(_key(password, salt, _ITERATIONS)).encrypt(nonce, page, None)}
    data: dict[str, Any] = {"iterations": _ITERATIONS, **{name: base64.b64encode(value).decode() for name, value in sealed.items()}}
    policy = f"default-src 'none'; script-src 'sha256-{_hash(_SCRIPT)}'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        f'<meta name="robots" content="noindex"><title>{words["title"]}</title></head><body><h1>{words["title"]}</h1>'
        f'<form id="ask"><label>{words["ask"]} <input id="password" type="password" autocomplete="off" size="30" autofocus></label> '
        f'<button>{words["open"]}</button></form><p id="wrong" role="alert" hidden>{words["wrong"]}</p>'
        f'<script type="application/json" id="sealed">{json.dumps(data)}</script><script>{_SCRIPT}</script></body></html>\n'
    ).encode()


def unseal(content: bytes, password: str) -> bytes | None:
    """The page that was sealed; None where the password does not open it, or it is none. Raises OffboardError `bad_handover_file` for a damaged one."""
    found = _SEALED.search(content)
    if found is None:
        return None
    try:
        data = json.loads(found[1])
        salt, nonce, sealed = (base64.b64decode(data[name], validate=True) for name in ("salt", "nonce", "content"))
        iterations = int(data["iterations"])
        if not 0 < iterations <= 10 * _ITERATIONS:
            raise ValueError
        return AESGCM(_key(password, salt, iterations)).decrypt(nonce, sealed, None)
    except InvalidTag:
        return None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise OffboardError("an encrypted page of letters is damaged; remove it (state=absent), and make it anew", code="bad_handover_file") from None
