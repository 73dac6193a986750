# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people give of a partner, in the one form that is compared and written: protocols, certificates, domains. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .._core.errors import OffboardError
from . import certificates, url_rule
from .certificates import BadCertificate

#: The names of Graph, those of the retired PowerShell command New-AzureADExternalDomainFederation, and the admin centre's, without their marks and blanks.
_PROTOCOLS = {"saml": "saml", "samlp": "saml", "saml20": "saml", "wsfed": "wsFed", "wsfederation": "wsFed"}

#: RFC 5321 4.5.3.1.1
_LONGEST_LOCAL_PART = 64
_LOCAL_PART = re.compile(r"[^@\s<>\"]+")

_EXCHANGE = re.compile(r"https://[^?#]*/mex/?(?:[?#]|$)", re.IGNORECASE)


def protocol(value: str) -> str:
    """Graph's name of a protocol. Raises OffboardError `protocol_unknown`."""
    found = known_protocol(value)
    if found is None:
        raise OffboardError(f"protocol {value!r} is neither saml (Samlp) nor wsFed", code="protocol_unknown")
    return found


def known_protocol(value: str) -> str | None:
    """The same; None for another one."""
    return _PROTOCOLS.get(re.sub(r"[\s._-]", "", value).casefold())


def is_metadata_exchange(address: str) -> bool:
    """Whether an address looks like that of a WS-Trust metadata exchange, from which Entra cannot renew."""
    return _EXCHANGE.match(address) is not None


def certificate_text(value: str) -> str:
    """The one public certificate in a PEM or base64 text, as Graph wants it: base64 without white space.

    Raises OffboardError `private_key`, `several_certificates`, `certificate_invalid`.
    """
    try:
        found = list(dict.fromkeys("".join(one.split()) for one in certificates.in_text(value)))  # metadata may repeat it
        if len(found) > 1:
            raise OffboardError("signing_certificate holds several certificates. Give the one with which tokens are signed.", code="several_certificates")
        return certificates.from_base64(found[0]).base64
    except BadCertificate as exc:
        if exc.code == "private_key":
            msg = "signing_certificate holds a private key. Give the public certificate only: the key must never leave the identity provider."
            raise OffboardError(msg, code="private_key") from None
        raise OffboardError(f"signing_certificate cannot be used. {exc.msg}", code="certificate_invalid") from exc  # pylint: disable=bad-exception-cause


def names(domains: Iterable[str]) -> tuple[str, ...]:
    """Domains in Graph's form, each once. Raises OffboardError `domain_invalid`, `domain_is_public_suffix`."""
    return tuple(dict.fromkeys(url_rule.domain_name(name) for name in domains))


def mail_address(text: str) -> str:
    """With the domain in Graph's form. Raises OffboardError `mail_invalid`, `domain_invalid`, `domain_is_public_suffix`."""
    local, _unused, domain = text.strip().rpartition("@")
    if not _LOCAL_PART.fullmatch(local) or len(local) > _LONGEST_LOCAL_PART:
        raise OffboardError(f"{text!r} is not a mail address", code="mail_invalid")
    return f"{local}@{url_rule.domain_name(domain)}"
