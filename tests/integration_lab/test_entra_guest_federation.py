# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role guest_federation and its playbooks, by ansible-playbook, against the lab's tenant, metadata over https and a DNS server."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._federation import partner_sheet, token, url_rule
from dev import places
from lab import dns_server, paths
from lab.identity_providers import made
from lab.testing import RunningTenant

from .entra import connection
from .test_entra_external_federation import DOMAIN, SECOND, domains, guest, key, published, stored  # noqa: F401 - a fixture

OTHER = "woodgrove.example"
OTHER_SIGN_IN = "https://accounts.google.com/o/saml2/idp?idpid=C01abcdef"


class Recap:
    """What ansible-playbook printed, and what it came to."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.printed = done.stdout + done.stderr
        self.code = done.returncode
        recap = re.search(r"localhost\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=0\s+failed=(\d+)", done.stdout)
        assert recap, self.printed
        self.changed, self.failed = int(recap[2]), int(recap[3])

    def good(self, changed: int | None = None) -> Recap:
        assert self.code == 0, self.printed
        if changed is not None:
            assert self.changed == changed, self.printed
        return self


@pytest.fixture
def dns(tenant: RunningTenant) -> Iterator[dict[str, list[str]]]:
    """TXT records that the modules and the tenant see."""
    records: dict[str, list[str]] = {}
    with dns_server.serving(records) as (address, port):
        tenant.outside.dns = [address, port]
        yield records
    tenant.outside.dns = None


@pytest.fixture
def play(tenant: RunningTenant, tmp_path: Path, dns):
    """Run one of the playbooks with a list of partners."""

    def call(partners: list[dict[str, Any]], *flags: str, book: str = "guest_federation", **variables: Any) -> Recap:
        options = connection(tenant)
        secret = options.pop("client_secret")
        address, port = tenant.outside.dns
        given = {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "guest_federation_partners": partners,
            "guest_federation_connection": options,
            "guest_federation_folder": str(tmp_path / "run"),
            "guest_federation_wait_seconds": 0,
            "guest_federation_dns_servers": [address],
            "guest_federation_dns_port": port,
            "guest_federation_metadata_ca_file": str(paths.ca_file()),
            "partner_sheet_folder": str(tmp_path / "sheets"),
            **variables,
        }
        tenant.clear_requests()
        environment = {
            "AZURE_CLIENT_SECRET": secret,
            "AZURE_TENANT_ID": tenant.tenant_id,
            "PWD": str(tmp_path),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "1",
        }
        done = subprocess.run(
            ["ansible-playbook", str(places.ROOT / "playbooks" / f"{book}.yml"), "-e", json.dumps(given), *flags],
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
            cwd=tmp_path,
            env={**os.environ, **environment},
        )
        assert secret not in done.stdout + done.stderr
        return Recap(done)

    return call


@pytest.fixture
def partners(published, dns) -> list[dict[str, Any]]:  # noqa: F811 - the fixture
    """One from a metadata address, and one by hand whose sign-in address needs a TXT record."""
    folder, base = published
    (folder / "fabrikam.xml").write_text(made.entity(made.saml_role(made.key_descriptor(key())), made.wsfed_role(made.key_descriptor(key()))))
    dns[SECOND] = [f"DirectFedAuthUrl={made.SIGN_IN}"]
    dns[OTHER] = ["v=spf1 -all", f"DirectFedAuthUrl={OTHER_SIGN_IN}"]
    return [
        {
            "name": "Fabrikam",
            "domains": [DOMAIN, SECOND],
            "protocol": "WsFed",
            "metadata": {"url": f"{base}/fabrikam.xml", "ca_file": str(paths.ca_file())},
            "guests": [{"mail": f"adele@{DOMAIN}", "display_name": "Adele Vance"}, {"mail": f"taro@{SECOND}", "language": "ja-JP"}],
            "message_body": "Sign in with your Fabrikam account.",
        },
        {
            "name": "Woodgrove",
            "domains": [OTHER],
            "protocol": "Samlp",
            "issuer_uri": "https://accounts.google.com/o/saml2?idpid=C01abcdef",
            "passive_sign_in_uri": OTHER_SIGN_IN,
            "signing_certificate": key("W").pem,
            "guests": [{"mail": f"grace@{OTHER}"}],
        },
    ]


def state(tenant: RunningTenant) -> dict[str, dict[str, Any]]:
    return {item["displayName"]: {name: value for name, value in item.items() if name != "id"} for item in stored(tenant)}


def invited(tenant: RunningTenant) -> set[str]:
    """The guests of the partners; the fixture company has another one."""
    users = tenant.store.tables["users"].objects.values()
    return {user["mail"] for user in users if user["creationType"] == "Invitation" and user["mail"].rpartition("@")[2] in (DOMAIN, SECOND, OTHER)}


def certificates(folder: Path) -> dict[str, str]:
    watched = json.loads((folder / "run" / "certificates.json").read_text())
    return {entry["display_name"]: entry["state"] for entry in watched["federations"]}


# -- the list made true


@pytest.mark.long  # minutes; with real identity providers test_partners_providers.py goes a shorter way
def test_made_tested_watched_edited_and_removed_by_editing_the_list(play, partners, tenant, dns, tmp_path):
    play(partners, "--check", "--diff").good()
    assert tenant.writes() == []
    assert not (tmp_path / "run").exists()

    play(partners).good(changed=6)  # the sheets' folder, three kinds of sheets, the loop over the federations, the guests
    assert [item["method"] for item in tenant.writes() if "federationConfigurations" in item["path"]] == ["POST", "POST"]
    assert invited(tenant) == {f"adele@{DOMAIN}", f"taro@{SECOND}", f"grace@{OTHER}"}
    assert state(tenant)["Fabrikam"]["preferredAuthenticationProtocol"] == "wsFed"
    assert state(tenant)["Woodgrove"]["domains"] == [{"id": OTHER}]
    assert certificates(tmp_path) == {"Fabrikam": "in_step", "Woodgrove": "no_auto_renewal"}
    assert {path.name for path in (tmp_path / "run" / "sheets").iterdir()} == {
        f"{name}.{kind}" for name in (DOMAIN, OTHER) for kind in ("html", "ja.md", "en.md")
    }

    play(partners).good(changed=0)
    assert tenant.writes() == []

    partners[1]["name"] = "Woodgrove Bank"
    partners[0] |= {"domains": [SECOND], "guests": partners[0]["guests"][1:]}
    play(partners).good()
    assert domains(tenant) == [SECOND, OTHER]
    assert set(state(tenant)) == {"Fabrikam", "Woodgrove Bank"}

    left_out = play(partners[:1]).good(changed=0)
    assert set(state(tenant)) == {"Fabrikam", "Woodgrove Bank"}, "what is not listed is left alone"
    assert "Woodgrove Bank" in left_out.printed

    before = state(tenant)["Woodgrove Bank"]
    gone = {"name": "Woodgrove Bank", "domains": [OTHER], "state": "absent"}
    play([partners[0], gone]).good(changed=1)
    assert set(state(tenant)) == {"Fabrikam"}
    play([partners[0], gone]).good(changed=0)
    copy = json.loads(max((tmp_path / "run" / "backups").glob(f"*{OTHER}*")).read_text())
    assert {name: copy[name] for name in before if name != "domains"} == {name: value for name, value in before.items() if name != "domains"}


def test_a_partner_that_fails_keeps_no_other_from_its_federation(play, partners, tenant, dns, tmp_path):
    dns.pop(OTHER)
    answer = made.wsfed_response(by=key(), audience=f"https://login.microsoftonline.com/{tenant.tenant_id}/", mail="adele@elsewhere.example")
    (tmp_path / "captured").write_bytes(answer)
    partners[0] |= {"token": str(tmp_path / "captured"), "token_at": made.NOW.isoformat()}
    failed = play(partners)
    assert failed.code == 2, failed.printed
    assert set(state(tenant)) == {"Fabrikam"}
    assert certificates(tmp_path) == {"Fabrikam": "in_step"}
    assert invited(tenant) == {f"adele@{DOMAIN}", f"taro@{SECOND}"}, "nobody is invited whose federation is not there"
    told = re.search(r'"msg": (\[.*?\])\}', failed.printed.split("Fail when something")[-1], re.DOTALL)
    assert told, failed.printed
    refused, token = json.loads(told[1])
    assert re.match(r"Woodgrove: Nothing was changed\. .*DirectFedAuthUrl", refused), refused
    assert re.match(r"Fabrikam: AADSTS5000819 .*elsewhere\.example", token), token
    assert "adele@elsewhere" not in failed.printed


def test_a_rerun_waits_for_what_is_left(play, partners, tenant, dns, tmp_path):
    """The first run makes the federations and the order and ends; the second changes neither, and invites."""
    names = ("externalFederation", "azureActiveDirectory", "socialIdentityProviders")
    order = {"guest_federation_redemption_order": list(names)}
    play([{**partner, "guests": []} for partner in partners], **order).good()
    play(partners, **order, guest_federation_wait_seconds=45).good()
    assert len(invited(tenant)) == 3
    at: dict[str, datetime.datetime] = {}
    for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines():
        record = json.loads(line)
        if record["record"] == "outcome":
            at[record["kind"]] = datetime.datetime.fromisoformat(record["at"])
    assert (at["guest"] - max(at["external_federation"], at["redemption_order"])).total_seconds() >= 45


def test_guests_are_not_locked_out_without_a_word(play, partners, tenant, dns, tmp_path):
    tenant.store.put("external_federations", "1", _federation())
    guest(tenant, f"adele@{DOMAIN}")
    gone = {"name": "Fabrikam", "domains": [DOMAIN], "state": "absent"}
    failed = play([gone, partners[1]])
    assert failed.code == 2, failed.printed
    assert "accept_lockout: true" in failed.printed
    assert set(state(tenant)) == {"Fabrikam", "Woodgrove"}
    play([{**gone, "accept_lockout": True}, partners[1]]).good(changed=1)
    assert set(state(tenant)) == {"Woodgrove"}


def _federation() -> dict[str, Any]:
    return {
        "id": "1",
        "displayName": "Fabrikam",
        "issuerUri": made.ISSUER,
        "passiveSignInUri": made.SIGN_IN,
        "preferredAuthenticationProtocol": "saml",
        "signingCertificate": key().base64,
        "metadataExchangeUri": None,
        "domains": [{"id": DOMAIN}],
    }


# -- the sheets alone


def test_the_sheets_need_no_credential(play, partners, tenant, tmp_path):
    partners[0]["metadata"]["url"] += ".gone"
    failed = play(partners, book="partner_sheet", partner_sheet_cloud="china")
    assert failed.code == 2, failed.printed
    assert "http_status" in failed.printed, "a partner whose metadata cannot be read is told, after all sheets are written"
    assert tenant.requests() == []
    for name, words in {
        f"{DOMAIN}.en.md": "PassiveRequestorEndpoint",
        f"{OTHER}.ja.md": f'{OTHER}. IN TXT "DirectFedAuthUrl={OTHER_SIGN_IN}"',
        f"{OTHER}.html": f"https://login.partner.microsoftonline.cn/{tenant.tenant_id}/",
    }.items():
        written = (tmp_path / "sheets" / name).read_text(encoding="utf-8")
        assert words in written and len(written.splitlines()) > 20, name
    del partners[0]
    play(partners, book="partner_sheet", partner_sheet_cloud="china").good(changed=0)
    play(partners, "--check", book="partner_sheet", partner_sheet_folder=str(tmp_path / "never")).good()
    assert not (tmp_path / "never").exists()


# -- the manual

PAGES = {language: (places.ROOT / "docs" / language / "partners.md").read_text(encoding="utf-8") for language in ("en", "ja")}


def examples(language: str) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """The partners of all examples in the manual, and the DNS records that stand beside them."""
    blocks = re.findall(r"```(yaml|dns)\n(.*?)```", PAGES[language], re.DOTALL)
    listed = [entry for kind, text in blocks if kind == "yaml" for entry in yaml.safe_load(text)["guest_federation_partners"]]
    records = [line for kind, text in blocks if kind == "dns" for line in re.findall(r'^(\S+)\. IN TXT "(.*)"$', text, re.MULTILINE)]
    return listed, {name: [text] for name, text in records}


def test_the_manuals_examples_work(play, published, tenant, dns, tmp_path):  # noqa: F811 - the fixture
    """One of each kind of provider, with metadata as such a provider publishes it."""
    listed, records = examples("en")
    assert examples("ja") == (listed, records)
    dns.update(records)
    addresses = {name: texts[0].removeprefix("DirectFedAuthUrl=") for name, texts in records.items()}
    assert url_rule.check("contoso.example", addresses["contoso.example"], "2020").rule == "provider", "what the list of 2020 allowed"

    old, new = key("A"), key("B", begin=-1, end=364)
    both = made.key_descriptor(new) + made.key_descriptor(old)
    adfs = made.entity(made.saml_role(both), made.wsfed_role(both, passive=addresses["fabrikam-japan.example"]))
    okta = made.entity(
        made.saml_role(made.key_descriptor(key("O")), endpoints=made.endpoint(addresses["contoso.example"], "HTTP-POST")),
        entity_id="http://www.okta.com/exk1fxpgq",
    )
    google = made.entity(
        made.saml_role(made.key_descriptor(key("G")) + made.key_descriptor(key("H")), endpoints=made.endpoint(addresses["woodgrove.example"])),
        entity_id="https://accounts.google.com/o/saml2?idpid=C01fxpgq",
    )
    folder, base = published
    for entry in listed:
        if url := entry.get("metadata", {}).get("url"):
            path = urlsplit(url).path
            (folder / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            (folder / path[1:]).write_bytes(made.signed_metadata(adfs, old) if entry["name"] == "Fabrikam" else okta.encode())
            entry["metadata"] |= {"url": base + path, "ca_file": str(paths.ca_file())}
    (tmp_path / "partners").mkdir()
    (tmp_path / "partners" / "woodgrove.xml").write_text(google)
    for name, used in (("woodgrove", key("H")), ("litware", key("L"))):
        (tmp_path / "partners" / f"{name}.pem").write_text(used.pem)

    play(listed).good()
    found = state(tenant)
    assert {name: (item["preferredAuthenticationProtocol"], item["passiveSignInUri"]) for name, item in found.items()} == {
        "Fabrikam": ("wsFed", addresses["fabrikam-japan.example"]),
        "Contoso": ("saml", addresses["contoso.example"]),
        "Woodgrove": ("saml", addresses["woodgrove.example"]),
        "Litware": ("wsFed", "https://idp.litware.example/idp/profile/wsfed/passive"),
    }
    used = {"Fabrikam": old, "Contoso": key("O"), "Woodgrove": key("H"), "Litware": key("L")}
    assert {name: item["signingCertificate"] for name, item in found.items()} == {name: one.base64 for name, one in used.items()}
    assert certificates(tmp_path) == {
        "Fabrikam": "successor_published",
        "Contoso": "in_step",
        "Woodgrove": "no_auto_renewal",
        "Litware": "no_auto_renewal",
    }
    assert invited(tenant) == {"adele@fabrikam.example"}
    play(listed).good(changed=0)
    assert tenant.writes() == []


def test_every_error_that_is_named_is_explained():
    codes = {
        language: re.findall(r"AADSTS\d+", "\n".join(line for line in page.splitlines() if line.startswith("| AADSTS"))) for language, page in PAGES.items()
    }
    assert codes["en"] == codes["ja"]
    named = {f"AADSTS{code}" for code in re.findall(r'"(\d{5,7})"', Path(token.__file__).read_text(encoding="utf-8"))}
    named |= {code for codes, _text in partner_sheet._ERRORS for code in codes.split(", ")}
    assert len(named) > 5
    assert named <= set(codes["en"])
