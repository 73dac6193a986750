# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What federation_metadata_info, federation_token_info and federation_partners_info do: files and options in, return values out."""

from __future__ import annotations

import base64
import datetime
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._core import sheet
from .._core.errors import OffboardError
from . import captured, certificates, dns_txt, fetch, metadata, partner_sheet, partners, service, token, url_rule, xml
from .options import MetadataOptions, MetadataSource, PartnersOptions, TokenOptions

_MAX_FILE_BYTES = xml.MAX_BYTES + 1  # one more, so that the limit itself is what refuses it
_MAX_CAPTURED_BYTES = captured.MAX_RECORDING_BYTES + 1


def metadata_info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of federation_metadata_info. Raises OffboardError with the reason of a refusal."""
    options = MetadataOptions.of(params)
    found = metadata.read(document(options.source), _at(options.at))
    if found.outcome == metadata.REJECT:
        details = {"reasons": found.all_reasons, "identity_providers": [entity.to_dict() for entity in found.entities]}
        raise OffboardError(found.msg, code=found.reason, details=details)
    entities = found.entities if options.entity_id is None else [metadata.choose(found, options.entity_id)]
    result: dict[str, Any] = {
        "outcome": metadata.OK if len(entities) == 1 else metadata.SELECT,
        "identity_providers": [entity.to_dict() for entity in entities],
        "metadata_signature": found.metadata_signature.to_dict(),
        "document_warnings": found.warnings,
        "url_rule": [],
    }
    if options.domains:
        lookup = dns_txt.txt_lookup(options.dns.servers, port=options.dns.port, timeout=options.dns.timeout)
        result["url_rule"] = [verdict for entity in entities for verdict in _verdicts(entity, options.domains, options.profile, lookup)]
    return result


def _verdicts(entity: metadata.Entity, domains: Sequence[str], profile: str, lookup: url_rule.TxtLookup) -> list[dict[str, Any]]:
    return [
        {"entity_id": entity.entity_id, "protocol": name, "domain": domain, "url": role.passive_sign_in_uri}
        | url_rule.check(domain, role.passive_sign_in_uri, profile, lookup).to_dict()
        for name, role in entity.protocols.items()
        if role.passive_sign_in_uri
        for domain in domains
    ]


def token_info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of federation_token_info. Raises OffboardError when what was given is no sign-in answer."""
    options = TokenOptions.of(params)
    federation = token.Federation(
        issuer_uri=options.issuer_uri,
        certificates=options.signing_certificates,
        audiences=service.audiences(options.audience, options.tenant_id, options.login_url),
        domains=options.domains,
        login_url=options.login_url,
    )
    data = _file(options.path, _MAX_CAPTURED_BYTES) if options.path else _encode(options.content or "")
    return token.check(data, federation, _at(options.at), options.skew).to_dict()


def partners_info(params: Mapping[str, Any]) -> dict[str, Any]:
    """The return values of federation_partners_info. Raises OffboardError when the list as a whole cannot be used; metadata that cannot be
    read is a problem of one partner, and does not keep the others from their sheets.
    """
    options = PartnersOptions.of(params)
    now = _at(options.at)
    entra = service.service(options.tenant_id, options.cloud, tenant_type=options.tenant_type, login_url=options.login_url)
    listed = partners.normal((_with_files(entry, options.files_from) for entry in options.partners), entra)
    sheets, problems = [], []
    for partner in (one for one in listed if one["state"] == "present"):
        known = partners.ProviderSettings()
        try:
            known = _known(partner, now)
        except OffboardError as exc:
            problems.append({"name": partner["name"], "code": exc.code, "msg": exc.msg})
        need = partners.requirements(partner, entra, known, options.profile)
        blocks = partner_sheet.blocks(need, options.organization, options.links)
        sheets.append(
            {
                "name": partner["name"],
                "file": partner["domains"][0],
                "requirements": need.to_dict(),
                "markdown": {language: sheet.markdown(blocks, language) for language in sheet.LANGUAGES},
                "html": sheet.html(blocks, partner["name"]),
            }
        )
    return {"partners": listed, "sheets": sheets, "problems": problems}


def _with_files(entry: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """The entry with whole paths, and with the certificate that is in a file."""
    found = {**entry, "metadata": dict(entry["metadata"])} if entry.get("metadata") else dict(entry)
    for holder, name in ((found, "token"), (found, "signing_certificate_path"), (found.get("metadata") or {}, "path")):
        if holder.get(name):
            holder[name] = os.path.join(folder, holder[name])
    if found.get("signing_certificate_path"):
        if found.get("signing_certificate"):
            raise OffboardError(f"partners: {entry['name']}: signing_certificate and signing_certificate_path are both given. Give one.", code="bad_option")
        found["signing_certificate"] = _certificate_text(_file(found["signing_certificate_path"]))
    return found


def _certificate_text(data: bytes) -> str:
    """A file with a certificate as text: Windows exports DER, its Notepad and PowerShell write UTF-16."""
    if data.startswith(b"\x30\x82"):
        return base64.b64encode(data).decode()
    return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig", "replace")


def _known(partner: Mapping[str, Any], now: datetime.datetime) -> partners.ProviderSettings:
    named, given = partner.get("metadata"), partner.get("signing_certificate")
    found = metadata.read(document(MetadataSource.of(named)), now) if named else None
    return partners.known(partner, found, certificates.from_base64(given) if given else None)


def document(source: MetadataSource) -> bytes:
    """Raises OffboardError."""
    if source.path:
        return _file(source.path)
    if source.url:
        return fetch.fetch(source.url, ca_file=source.ca_file, timeout=source.timeout)
    return _encode(source.content or "")


def _encode(text: str) -> bytes:
    """As UTF-8, without an XML declaration: the encoding that it names was undone when the text became a string."""
    return re.sub(r"\A\ufeff?<\?xml\s[^>]*\?>", "", text).encode("utf-8", "surrogatepass")


def _file(path: str, max_bytes: int = _MAX_FILE_BYTES) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(max_bytes)
    except OSError as exc:
        raise OffboardError(f"{path} cannot be read: {exc.strerror or exc}.", code="file_read_failed") from exc


def _at(given: datetime.datetime | None) -> datetime.datetime:
    return given or datetime.datetime.now(datetime.UTC)
