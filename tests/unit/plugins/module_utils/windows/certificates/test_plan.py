# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates are meant, and what becomes of their keys."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import certificate_names, journal
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change, Outcome
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.readiness.certificates import CertificateDecisions
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates import firefox, plan
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates.plan import LEFT, NO_KEY, REMOVED, SHARED, PrivateKey, StoredCertificate
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates.resource import Certificates
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.reg_query import parse_query
from dev.options import given
from lab.windows import certificates as made

TARO, HANAKO = "S-1-5-21-1-2-3-1001", "S-1-12-1-1-2-3-4"
CA, DECOY = "CN=Sumire Device CA,O=Internet Initiative Japan Inc.,C=JP", "CN=Other CA,O=Internet Initiative Japan Inc.,C=JP"
CAPI, CNG, TPM = "Microsoft Enhanced Cryptographic Provider v1.0", "Microsoft Software PrivateKey Storage Provider", "Microsoft Platform Crypto Provider"


def key(container: str = "k", provider: str = CAPI, of_machine: bool = False) -> PrivateKey:
    return PrivateKey(container, provider, 1 if provider == CAPI else 0, of_machine)


def certificate(number: int = 1, store: str = TARO, **more: Any) -> StoredCertificate:
    thumbprint = f"{number:040X}"
    values = {"issuer": CA, "subject": f"CN={number}", "not_after": "", "client_auth": True, "is_ca": False, "key": None, "der": b"", **more}
    return StoredCertificate(store=store, place=rf"C:\Users\x\{thumbprint}", thumbprint=thumbprint, **values)


def planned(found: Sequence[StoredCertificate], thumbprints: Sequence[str] = (), issuers: Sequence[str] = (CA,)) -> plan.Plan:
    return plan.planned("h", [plan.object_of("h", item) for item in found], found, thumbprints, plan.issuers(issuers))


@pytest.mark.parametrize(
    ("key_of_it", "store", "others", "expected"),
    [
        (None, TARO, [], NO_KEY),
        (key(), TARO, [], REMOVED),
        (key(), TARO, [certificate(2, key=key("K"))], SHARED),
        (key(), TARO, [certificate(2, key=key("other"))], REMOVED),
        # the same name, but of another user
        (key(), TARO, [certificate(2, HANAKO, key=key())], REMOVED),
        # a user's certificate may use a key of the machine, as others do
        (key("k", CNG, True), TARO, [], REMOVED),
        (key("k", CNG, True), TARO, [certificate(2, "machine", key=key("k", CNG, True))], SHARED),
        # whose key a machine's certificate without the flag has is not known: it may be anybody's
        (key(), "machine", [], LEFT),
        (key(), TARO, [certificate(2, "machine", key=key())], SHARED),
        # only the user can open these
        (key("k", CNG), TARO, [], LEFT),
        (key("k", TPM), TARO, [], LEFT),
        (key("鍵"), TARO, [], LEFT),
        (PrivateKey("k", CAPI, 13, False), TARO, [], LEFT),
        (key("k", TPM, True), "machine", [], REMOVED),
        (key("k", "Microsoft Smart Card PrivateKey Storage Provider", True), "machine", [], LEFT),
        (key("k", "eToken Base Cryptographic Provider", True), "machine", [], LEFT),
        (key("", CNG, True), "machine", [], NO_KEY),
    ],
)
def test_fate_of_key(key_of_it: PrivateKey | None, store: str, others: list[StoredCertificate], expected: str) -> None:
    assert plan.fate_of_key(certificate(1, store, key=key_of_it), others) == expected


@pytest.mark.parametrize(
    ("item", "thumbprints", "issuers", "meant"),
    [
        (certificate(), [], [CA], True),
        (certificate(issuer=DECOY), [], [CA], False),
        (certificate(client_auth=False), [], [CA], False),
        (certificate(client_auth=False), [f"{1:040X}"], [], True),
        (certificate(), [f"{2:040X}"], [], False),
        (certificate(is_ca=True), [], [CA], False),
    ],
)
def test_which_are_meant(item: StoredCertificate, thumbprints: list[str], issuers: list[str], meant: bool) -> None:
    assert bool(planned([item], thumbprints, issuers).changes) is meant


def test_plan_removes_a_shared_key_with_the_last_certificate_only() -> None:
    both = [certificate(number, key=key()) for number in (1, 2)]
    assert [change.before["private_key"] for change in planned(both).changes if change.before] == [SHARED, REMOVED]
    third = certificate(3, key=key(), issuer=DECOY)
    assert [change.before["private_key"] for change in planned([*both, third]).changes if change.before] == [SHARED, SHARED]


def test_plan_tells_what_is_left_alone_and_refuses_authorities() -> None:
    found = [certificate(1, client_auth=False), certificate(2, is_ca=True)]
    result = planned(found, [found[1].thumbprint])
    assert [(skip.code, skip.name) for skip in result.skipped] == [("not_for_clients", f"CN=1 ({1:040X})")]
    assert [refusal.rule for refusal in result.refusals] == ["authority_certificate"]


def test_plan_keeps_what_is_excepted() -> None:
    found = [certificate(number, key=key(str(number))) for number in (1, 2)]
    kept = plan.thumbprints([f"{2:040x}"])
    result = plan.planned("h", [plan.object_of("h", item) for item in found], found, kept, plan.issuers([CA]), kept=kept)
    assert [change.name for change in result.changes] == [f"CN=1 ({1:040X})"]
    assert [(skip.code, skip.name) for skip in result.skipped] == [("excepted", f"CN=2 ({2:040X})")]


SPELLED = "cn = sumire device CA, o=INTERNET Initiative Japan Inc., c=jp"


@pytest.mark.parametrize(
    ("confirmed", "kept", "goes"),
    [
        pytest.param([CA], [], True, id="confirmed"),
        pytest.param([SPELLED], [], True, id="confirmed, typed in another way"),
        pytest.param([CA], [CA], False, id="kept, too"),
        pytest.param([CA], [SPELLED], False, id="kept, typed in another way"),
        pytest.param([f"{1:040X}"], [SPELLED], False, id="what stays wins by its issuer over a thumbprint"),
        pytest.param([SPELLED], [f"{1:040x}"], False, id="what stays wins by its thumbprint over an issuer"),
        pytest.param([CA], [DECOY, f"{2:040X}"], True, id="others are kept"),
        pytest.param([CA, DECOY], [DECOY], True, id="another issuer is kept"),
    ],
)
def test_what_stays_wins_as_it_does_where_the_exit_is_judged(confirmed: list[str], kept: list[str], goes: bool) -> None:
    """The role hands both lists over as they were typed. A key that is removed does not come back."""
    item = certificate()
    split = {name: [[one for one in texts if ("=" in one) is wanted] for wanted in (True, False)] for name, texts in (("confirmed", confirmed), ("kept", kept))}
    options = dict(zip(("issuers", "thumbprints", "except_issuers", "except_thumbprints"), split["confirmed"] + split["kept"], strict=True))
    resource = Certificates(SimpleNamespace(host="h"), Options.of(given("win_certificate", **options)))  # type: ignore[arg-type]
    resource._found = [item]
    result = resource.plan([plan.object_of("h", item)])
    assert ([change.name for change in result.changes], [skip.code for skip in result.skipped]) == (([f"CN=1 ({1:040X})"], []) if goes else ([], ["excepted"]))
    assert (CertificateDecisions(confirmed=confirmed, kept=kept).goes(item.issuer, item.thumbprint) is True) is goes


@pytest.mark.parametrize("at_end", ["\u200b", "\u00ad", "\u200e"])
def test_an_issuer_that_ends_with_a_character_that_nobody_sees_is_kept_as_it_is_confirmed(at_end: str) -> None:
    """As the certificate has it, as preflight shows it, and as it is typed without."""
    odd = CA + at_end
    for kept in (odd, CA):
        item = certificate(issuer=odd)
        result = plan.planned("h", [plan.object_of("h", item)], [item], [item.thumbprint], [], kept_names=plan.issuers([kept]))
        assert (list(result.changes), [skip.code for skip in result.skipped]) == ([], ["excepted"])
    other = certificate(issuer=odd, client_auth=False)
    assert [skip.code for skip in planned([other]).skipped] == ["not_for_clients"]


BINDINGS = r"""
HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\HTTP\Parameters\SslBindingInfo\0.0.0.0:443
    AppId    REG_BINARY    BDCD6345ABCDABCDABCDABCDABCDABCD
    SslCertHash    REG_BINARY    {thumbprint}
    SslCertStoreName    REG_SZ    MY
"""


def test_plan_refuses_what_a_service_serves_with() -> None:
    thumbprint = f"{10:040X}"
    uses = {name: [where] for name, where in plan.used_by(parse_query(BINDINGS.format(thumbprint=thumbprint.lower())), "HTTP.sys")}
    assert uses == {thumbprint: ["HTTP.sys 0.0.0.0:443"]}
    for store, refused in (("machine", ["certificate_in_use"]), (TARO, [])):
        found = [certificate(10, store)]
        result = plan.planned("h", [plan.object_of("h", item) for item in found], found, (), plan.issuers([CA]), uses=uses)
        assert [refusal.rule for refusal in result.refusals] == refused and len(result.changes) == 1


def test_parse() -> None:
    authority = made.Authority(CA)
    der = authority.issue("taro")
    thumbprint = made.thumbprint(der)
    read = plan.parse(made.blob(der, key("箱", TPM, True)), TARO, rf"C:\x\{thumbprint.lower()}")
    assert (read.thumbprint, read.issuer, read.subject, read.client_auth, read.is_ca, read.der) == (thumbprint, CA, "CN=taro", True, False, der)
    assert read.key == key("箱", TPM, True) and read.in_file
    other = plan.parse(made.blob(authority.issue("server", client_auth=False)), "machine", rf"HKEY\{made.thumbprint(authority.issued[-1])}")
    assert (other.client_auth, other.key, other.in_file) == (False, None, False)
    assert plan.issuers([read.issuer]) == [certificate_names.key(CA)]


DER = made.Authority(CA).issue("x")


@pytest.mark.parametrize(
    ("blob", "place"),
    [
        (b"", made.thumbprint(DER)),
        (made.blob(DER)[:-1], made.thumbprint(DER)),
        (made.blob(DER)[:-300] + made.blob(DER)[-299:], made.thumbprint(DER)),
        (made.blob(DER), "0" * 40),
        (made.blob(b"no certificate"), made.thumbprint(b"no certificate")),
        (made.blob(DER) + b"x", made.thumbprint(DER)),
        (b"\0" * 2_000_000, made.thumbprint(DER)),
    ],
    ids=["empty", "cut", "a byte lost", "another name", "no DER", "more", "huge"],
)
def test_parse_refuses(blob: bytes, place: str) -> None:
    with pytest.raises(OffboardError) as refused:
        plan.parse(blob, TARO, rf"C:\x\{place}")
    assert refused.value.code == "certificate_unreadable"


def test_key_file_has_the_name_that_windows_gives_it() -> None:
    # well-known containers, whose files every Windows has
    assert plan.key_file("TSSecKeySet1", "g") == "f686aace6942fb7f7ceb231212eef4a4_g"
    assert plan.key_file("iisConfigurationKey", "g").startswith("6de9cb26")


@pytest.mark.parametrize("text", ["", "CN=x", "0" * 39, "g" * 40])
def test_thumbprints_must_be_whole(text: str) -> None:
    with pytest.raises(OffboardError) as refused:
        plan.thumbprints([text])
    assert refused.value.code == "thumbprint_invalid"
    assert plan.thumbprints(["\u200e" + "aa " * 20, "AA:" * 20]) == ["AA" * 20] * 2


@pytest.mark.parametrize("text", ["", "Sumire", "CN"])
def test_issuers_must_be_names(text: str) -> None:
    with pytest.raises(OffboardError) as refused:
        plan.issuers([text])
    assert refused.value.code == "issuer_invalid"


@pytest.mark.parametrize("typed", [CA.upper(), CA.replace(",", ", "), CA.replace("=", " = ").replace(",", "\r\n"), f" {CA}\n"])
def test_issuers_as_people_copy_them(typed: str) -> None:
    """certutil puts blanks after commas, the dialogue of Windows gives lines; case does not count (RFC 5280, 7.1)."""
    assert plan.issuers([typed]) == plan.issuers([CA])


#: Whom and until when it says, as certificates of the world say it and libraries refuse it
ODD = {
    "an underscore in a PrintableString": (b"\x0c\x04taro", b"\x13\x04t_ro", "CN=t_ro"),
    "a star in a PrintableString": (b"\x0c\x04taro", b"\x13\x04*.ro", "CN=*.ro"),
    "Latin 1 in a TeletexString": (b"\x0c\x04taro", b"\x14\x04t\xe9ro", "CN=t\u00e9ro"),
    "Shift JIS that says it is UTF-8": (b"\x0c\x04taro", b"\x0c\x04\x91\xbe\x98Y", "CN=#0C0491BE9859"),
    "half a character in a BMPString": (b"\x0c\x04taro", b"\x1e\x04\xd8\x00ro", "CN=#1E04D800726F"),
    "a version that there is not": (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09", "CN=taro"),
    "a broken extension that nobody asked for": (b"\x06\x03\x55\x1d\x13", b"\x06\x03\x55\x1d\x0f", "CN=taro"),
    "month 13": (b"\x18\x0f2074", b"\x18\x0f207X", "CN=taro"),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_certificate_is_seen(name: str) -> None:
    """It was an unexpected error, or held up the removal of all others of the machine."""
    usual, odd, subject = ODD[name]
    der = made.Authority(CA).issue("taro")
    assert usual in der, der.hex()
    der = der.replace(usual, odd)
    read = plan.parse(made.blob(der), TARO, rf"C:\x\{made.thumbprint(der)}")
    assert (read.issuer, read.subject, read.client_auth, read.is_ca) == (CA, subject, True, False)
    assert bool(planned([read]).changes) and read.not_after[:4] in ("2074", "")


@pytest.mark.parametrize(
    "typed",
    [
        "E=ca@reiji.example,S=Tokyo,CN=CA",
        "E = ca@reiji.example\nS = Tokyo\nCN = CA",
        "emailAddress=ca@reiji.example,ST=Tokyo,CN=CA",
        "1.2.840.113549.1.9.1=ca@reiji.example,2.5.4.8=Tokyo,2.5.4.3=CA",
        "OID.1.2.840.113549.1.9.1=ca@reiji.example,stateOrProvinceName=Tokyo,commonName=CA",
    ],
)
def test_an_issuer_by_the_types_that_windows_and_openssl_write(typed: str) -> None:
    assert plan.issuers([typed]) == [certificate_names.key("emailAddress=ca@reiji.example,ST=Tokyo,CN=CA")]


def test_firefox() -> None:
    found, unreadable = firefox.certificates(made.cert9([DER, b"no certificate"]), TARO)
    assert [item.issuer for item in found] == [CA] and unreadable == 1


def _endless() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIEW nssPublic AS WITH RECURSIVE n(a11, a0) AS (SELECT 1, 2 UNION ALL SELECT a11 + 1, 2 FROM n) SELECT * FROM n")
    return connection.serialize()


#: SQLite quotes the broken schema in a message that is no UTF-8
MISNAMED = made.cert9([DER]).replace(b"KEY UNIQUE", b"KEY \xff\xfeIQUE")


@pytest.mark.parametrize("database", [b"", b"no database", made.cert9([DER])[:3000], MISNAMED, _endless()], ids=["empty", "text", "cut", "misnamed", "endless"])
def test_firefox_refuses(database: bytes) -> None:
    with pytest.raises(OffboardError) as refused:
        firefox.certificates(database, TARO)
    assert refused.value.code == "database_unreadable"


@pytest.mark.parametrize("option", ["issuers", "except_issuers"])
def test_an_issuer_in_another_spelling_is_not_taken_for_one_that_nobody_has(option: str) -> None:
    """Nothing would be removed, and "ok" said; or, where it is excepted, removed what shall stay."""
    turned = "CN=Sumire Device CA, O=Internet Initiative Japan Inc."
    options = {"thumbprints": [f"{1:040X}"], option: [turned]}
    made = Certificates(SimpleNamespace(host="h"), Options.of(given("win_certificate", **options)))  # type: ignore[arg-type]
    made._found = [certificate(), certificate(2, issuer=DECOY), certificate(3, issuer=turned, is_ca=True)]
    with pytest.raises(OffboardError) as error:
        made.plan([plan.object_of("h", item) for item in made._found])
    assert (error.value.code, error.value.details) == ("not_exact", {"candidates": [{"issuer": CA}]})
    made._found = made._found[1:]
    made.plan([plan.object_of("h", item) for item in made._found])


@pytest.mark.parametrize(("host", "gone"), [("h", True), ("other", False)])
def test_an_issuer_whose_certificates_were_removed_is_gone(host: str, gone: bool, tmp_path: Path) -> None:
    """Another one of nearly that name may stay."""
    item = plan.object_of(host, certificate())
    change = Change(plan.KIND, item.id, item.name, "remove", before=dict(item.state), after=None)
    records = [journal.intent(change, "run", "2026-11-21T00:00:00Z"), journal.outcome(Outcome(change, "done"), "run", "2026-11-21T00:00:01Z")]
    (tmp_path / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    options = given("win_certificate", issuers=[CA], journal=str(tmp_path / "journal.jsonl"))
    made = Certificates(SimpleNamespace(host="h"), Options.of(options))  # type: ignore[arg-type]
    made._found = [certificate(issuer=CA.replace(",O=", ",OU=G2,O="))]
    current = [plan.object_of("h", item) for item in made._found]
    if gone:
        assert list(made.plan(current).changes) == []
    else:
        with pytest.raises(OffboardError, match="no certificate has the issuer"):
            made.plan(current)


def test_an_issuer_that_stays_is_not_taken_for_one_that_goes() -> None:
    """What went is gone in the next run, and the other is there still."""
    other = CA.replace(",O=", ",OU=G2,O=")
    options = given("win_certificate", thumbprints=[], issuers=[CA], except_issuers=[other])
    made = Certificates(SimpleNamespace(host="h"), Options.of(options))  # type: ignore[arg-type]
    made._found = [certificate(issuer=other)]
    assert list(made.plan([plan.object_of("h", item) for item in made._found]).changes) == []
