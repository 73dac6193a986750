# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever bytes arrive, the answer is a result or a refusal, in a second and 100 MB."""

from __future__ import annotations

import base64
import json
import resource
import subprocess
import sys
import time

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import certificates, metadata, token, xml
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.identity_providers import made

A = made.key("A")
FEDERATION = token.Federation(made.ISSUER, [certificates.from_base64(A.base64)], [made.AUDIENCE], ["fabrikam.example"])

DOCUMENTS = [
    made.entity(made.saml_role(WantAuthnRequestsSigned="true"), made.wsfed_role()).encode(),
    made.signed_metadata(made.entity(made.saml_role(made.key_descriptor(made.key("B")) + made.key_descriptor(A))), A),
    made.aggregate(
        made.entity(), made.entity(made.wsfed_role(), entity_id="urn:b").replace("_doc", "_b"), attributes=' validUntil="2030-01-01T00:00:00Z"'
    ).encode(),
]
TOKENS = [made.saml_response(what="both"), made.wsfed_response(), base64.b64encode(made.saml_response())]
WORDS = [
    b"<!DOCTYPE a>", b"&lt;", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&x;", b"&#0;", b"\x00", b"\xff\xfe", b"xmlns=''", b" ID='_doc'", b"<?x ?>",
    b"</md:EntityDescriptor>", b"<ds:Transforms/>", b"http://www.w3.org/2000/09/xmldsig#", b"validUntil='9999-99-99'",
    b"entityID=''", b"=", b"%3C", b"99999999999999999999",
]  # fmt: skip


def mutated(documents: list[bytes]) -> st.SearchStrategy[bytes]:
    """A good document with some pieces cut out, repeated, swapped for bytes, or interspersed with words that matter."""
    place, length = st.floats(0, 1), st.integers(0, 200)
    change = st.tuples(st.sampled_from(["cut", "repeat", "put", "flip"]), place, length, st.sampled_from(WORDS) | st.binary(max_size=8))

    def apply(document: bytes, changes: list[tuple[str, float, int, bytes]]) -> bytes:
        for kind, where, size, word in changes:
            at = int(where * len(document))
            before, piece, after = document[:at], document[at : at + size], document[at + size :]
            middle = {"cut": b"", "repeat": piece * 3, "put": word + piece, "flip": bytes(byte ^ 1 for byte in piece[:3]) + piece[3:]}[kind]
            document = before + middle + after
        return document

    return st.builds(apply, st.sampled_from(documents), st.lists(change, max_size=4))


def judge_metadata(data: bytes) -> None:
    begin = time.process_time()
    result = metadata.read(data, made.NOW)
    assert time.process_time() - begin < 1
    assert result.outcome in (metadata.OK, metadata.SELECT, metadata.REJECT)
    assert bool(result.reason) is (result.outcome == metadata.REJECT)
    if result.outcome == metadata.REJECT:
        assert result.reason in metadata.REASONS | xml.REASONS
        assert result.msg
    json.dumps([entity.to_dict() for entity in result.entities])


def judge_token(data: bytes) -> None:
    begin = time.process_time()
    try:
        result = token.check(data, FEDERATION, made.NOW)
    except OffboardError as exc:
        assert exc.code in {*xml.REASONS, "not_a_token"}
    else:
        assert result.valid or any(not item.ok and item.aadsts for item in result.checks)
        if result.valid:  # then it says what the genuine ones say
            assert (result.issuer, result.email_domain, result.audiences) == (made.ISSUER, "fabrikam.example", [made.AUDIENCE])
    assert time.process_time() - begin < 1


ANY = settings(max_examples=150)


@ANY
@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode) | st.lists(st.sampled_from(WORDS), max_size=8).map(b"".join))
def test_any_bytes(data: bytes) -> None:
    judge_metadata(data)
    judge_token(data)


@ANY
@given(mutated(DOCUMENTS))
def test_mutated_metadata(data: bytes) -> None:
    judge_metadata(data)


@ANY
@given(mutated(TOKENS))
def test_mutated_tokens(data: bytes) -> None:
    judge_token(data)


@ANY
@given(st.binary(max_size=300) | mutated([base64.b64decode(A.base64)]))
def test_mutated_certificates(der: bytes) -> None:
    try:
        certificate = certificates.from_der(der)
    except certificates.BadCertificate:
        return
    assert certificate.der_bytes == len(der)
    try:
        certificate.x509()
    except certificates.BadCertificate as exc:
        assert exc.code == "bad_der"


COSTLY = {
    "10 MB of elements": "b'<a>' + b'<b/>' * 2_600_000 + b'</a>'",
    "as many elements as allowed": "HEAD + b'<abcdefgh></abcdefgh>\\n' * (xml.MAX_NODES - 10) + TAIL",
    "as many attributes as allowed": "HEAD + b'<a ' + b' '.join(b'a%x=\"\"' % n for n in range(45_000)) + b'/>' + TAIL",
    "a tag of 10 MB": "b'<a ' + b' '.join(b'a%x=\"\"' % n for n in range(900_000)) + b'/>'",
    "a comment of 10 MB": "HEAD + b'<!--' + b'x' * 10_000_000 + b'-->' + TAIL",
    "a text of 10 MB": "HEAD + b'<a>' + b'x' * 10_000_000 + b'</a>' + TAIL",
    "a namespace for each element": "HEAD + b''.join(b'<a xmlns:p%d=\"u\"/>' % n for n in range(70_000)) + TAIL",
    "3 million elements deep": "b'<a>' * 3_000_000",
    "as many certificates as allowed": "HEAD + DOCUMENT.split(b'protocol\">')[1].split(b'<md:NameID')[0] * 2_500 + TAIL",
    "as many providers as allowed": "b'<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">' + ROLE * 3_990 + b'</md:EntitiesDescriptor>'",
}
PROGRAM = """
import resource, sys, time, json
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import metadata, xml
from lab.identity_providers import made
DOCUMENT = made.entity().encode()
HEAD = DOCUMENT.split(b"<md:KeyDescriptor")[0]
TAIL = b"</md:IDPSSODescriptor></md:EntityDescriptor>"
ROLE = HEAD.replace(b' ID="_doc"', b"") + TAIL
metadata.read(made.signed_metadata(made.entity(), made.key()), made.NOW)
data = {expression}
before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
result = metadata.read(data, made.NOW)
seconds = time.process_time() - begin
print(json.dumps([result.outcome, result.reason, seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))
"""


@pytest.mark.parametrize("name", COSTLY)
def test_costly_documents_stay_within_the_limits(name: str) -> None:
    """In a process of its own, so that the memory is this document's."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n" + PROGRAM.format(expression=COSTLY[name])],
        capture_output=True, text=True, check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, _, seconds, megabytes = json.loads(done.stdout)
    assert seconds < 1
    assert megabytes < 100
