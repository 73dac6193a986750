# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""federation_metadata_info, federation_token_info and federation_partners_info, run by a real ansible-playbook; their examples word for word."""

from __future__ import annotations

import datetime
import http.server
import json
import os
import select
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.modules import federation_metadata_info, federation_partners_info, federation_token_info
from lab import paths, tls
from lab.identity_providers import made

Play = Callable[..., tuple[list[dict[str, Any]], str]]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Runs tasks, and gives the result of each with everything that was printed or logged."""

    def run(tasks: list[dict[str, Any]], *arguments: str, **environment: str) -> tuple[list[dict[str, Any]], str]:
        book = [{"hosts": "localhost", "gather_facts": False, "vars": {"ansible_python_interpreter": sys.executable}, "tasks": tasks}]
        (tmp_path / "book.yml").write_text(json.dumps(book))
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local", "book.yml", *arguments],
            env=os.environ | {"ANSIBLE_LOG_PATH": str(tmp_path / "log"), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_HOME": str(tmp_path / "home")} | environment,
            cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((tmp_path / "answers.json").read_text()) if (tmp_path / "answers.json").exists() else [], done.stdout + done.stderr

    return run


def saved(*runs: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Tasks that run modules with options, whatever becomes of them, and keep the answers."""
    tasks = [{f"offboard.iij_id.{module}": options, "register": f"answer{n}", "failed_when": False} for n, (module, options) in enumerate(runs)]
    answers = "{{ [" + ", ".join(f"answer{n}" for n in range(len(runs))) + "] | to_json }}"
    copy = {"content": answers, "dest": "{{ playbook_dir }}/answers.json", "mode": "0600"}
    return [*tasks, {"ansible.builtin.copy": copy, "no_log": True, "check_mode": False}]


AT = made.NOW.isoformat()


def test_metadata_as_a_string(play: Play) -> None:
    document = '<?xml version="1.0" encoding="utf-16"?>' + made.entity(made.saml_role(), made.wsfed_role())
    (answer,), _ = play(saved(("federation_metadata_info", {"content": document, "at": AT, "domains": ["fabrikam.example"]})), "--check")
    assert answer["changed"] is False
    assert answer["outcome"] == "ok"
    provider = answer["identity_providers"][0]
    assert provider["entity_id"] == made.ISSUER
    assert provider["saml"]["signing_certificates"][0]["base64"] == made.key().base64
    assert [(verdict["protocol"], verdict["rule"]) for verdict in answer["url_rule"]] == [("saml", "sub_host"), ("wsfed", "sub_host")]


METADATA_ERRORS = [
    ({"content": "<!DOCTYPE a><a/>"}, "dtd_forbidden"),
    ({"content": made.entity(), "entity_id": "urn:none"}, "entity_not_found"),
    ({"content": made.entity(), "at": "yesterday"}, "time_invalid"),
    ({"path": "/nowhere.xml"}, "file_read_failed"),
    ({"url": "http://sts.fabrikam.example/"}, "url_invalid"),
    ({"content": made.entity(), "domains": ["contoso.example"], "dns_servers": ["127.0.0.1"], "dns_port": 1, "dns_timeout": 1}, "dns_failed"),
]


def federation(**changes: Any) -> dict[str, Any]:
    return {"issuer_uri": made.ISSUER, "signing_certificates": [made.key().pem], "domains": ["fabrikam.example"], "tenant_id": made.TENANT, "at": AT} | changes


def test_a_token_stays_out_of_results_and_logs(play: Play, tmp_path: Path) -> None:
    token = made.saml_response().decode()
    (answer,), output = play(saved(("federation_token_info", {"content": token} | federation())), "-vvv")
    assert answer["valid"] is True, answer["checks"]
    for told in (output, (tmp_path / "log").read_text(), json.dumps(answer)):
        assert "adele" not in told
        assert "SignatureValue" not in told


TOKEN_ERRORS = [
    ({"content": "!!"} | federation(), "not_a_token"),
    ({"content": made.saml_response().decode()} | federation(signing_certificates=["no"]), "certificate_invalid"),
    ({"content": made.saml_response().decode()} | federation(tenant_id=None), "tenant_id_missing"),
]


PARTNER = {"name": "Fabrikam", "domains": ["fabrikam.example"]}
PARTNERS_ERRORS = [
    ({"partners": [PARTNER], "tenant_id": "fabrikam.example"}, "tenant_id_invalid"),
    ({"partners": [PARTNER, PARTNER], "tenant_id": made.TENANT}, "duplicate_partner"),
    ({"partners": [], "tenant_id": made.TENANT}, "bad_option"),
]


def test_a_private_key_given_by_mistake_is_shown_nowhere(play: Play, tmp_path: Path) -> None:
    mistake = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IGtleQ==\n-----END PRIVATE KEY-----"
    runs = [
        ("federation_partners_info", {"partners": [{**PARTNER, "signing_certificate": mistake}], "tenant_id": made.TENANT}),
        ("federation_token_info", {"content": made.saml_response().decode()} | federation(signing_certificates=[mistake])),
    ]
    play([{f"offboard.iij_id.{module}": options, "failed_when": False} for module, options in runs], "-vvv")
    log = (tmp_path / "log").read_text()
    assert "private_key" in log
    assert "certificate_invalid" in log
    assert "c2VjcmV0" not in log


def test_errors_have_a_code_and_no_traceback(play: Play) -> None:
    runs = [("federation_metadata_info", options) for options, _ in METADATA_ERRORS] + [("federation_token_info", options) for options, _ in TOKEN_ERRORS]
    runs += [("federation_partners_info", options) for options, _ in PARTNERS_ERRORS]
    answers, output = play(saved(*runs))
    assert [answer["failure"]["code"] for answer in answers] == [code for _, code in METADATA_ERRORS + TOKEN_ERRORS + PARTNERS_ERRORS]
    assert all(answer["msg"] for answer in answers)
    assert "Traceback" not in output


class Metadata(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = made.entity(made.saml_role(), made.wsfed_role()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Proxy(socketserver.StreamRequestHandler):
    """Answers CONNECT for any host with a way to the one server that the test has."""

    target = 0

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(("127.0.0.1", Proxy.target)) as server:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            pair = {self.connection: server, server: self.connection}
            while ready := select.select(list(pair), [], [], 10)[0]:
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    pair[source].sendall(data)


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The world of the examples: https://sts.fabrikam.example behind a proxy. Gives the environment in which it can be reached."""
    with mock.patch.object(paths, "STATE", tmp_path / "lab"):
        certificate, key = tls.server_certificate(tmp_path / "server", ["sts.fabrikam.example"])
        ca_file = paths.ca_file()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server, socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as proxy:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Proxy.target = server.server_port
        for one in (server, proxy):
            threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield {"https_proxy": f"http://127.0.0.1:{proxy.server_address[1]}", "no_proxy": "", "SSL_CERT_FILE": str(ca_file)}
        server.shutdown()
        proxy.shutdown()


def test_the_examples_of_federation_metadata_info(play: Play, partner: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "partners").mkdir()
    second = made.entity(entity_id="https://idp.fabrikam.example/idp").replace("_doc", "_second")
    (tmp_path / "partners" / "aggregate.xml").write_text(made.aggregate(made.entity(), second))
    _, output = play(yaml.safe_load(federation_metadata_info.EXAMPLES), "-v", **partner)
    assert made.ISSUER in output
    assert "https://idp.fabrikam.example/idp" in output


@pytest.mark.parametrize("mail", [made.MAIL, None])
def test_the_examples_of_federation_token_info(play: Play, tmp_path: Path, mail: str | None) -> None:
    now = datetime.datetime.now(datetime.UTC)
    (tmp_path / "partners").mkdir()
    (tmp_path / "captured").mkdir()
    (tmp_path / "partners" / "fabrikam.xml").write_text(made.entity())
    with mock.patch.object(made, "NOW", now):
        (tmp_path / "captured" / "response.txt").write_bytes(made.saml_response(made.saml_assertion(mail=mail)))
    _, output = play(yaml.safe_load(federation_token_info.EXAMPLES), "-v")
    assert ("The claim is missing." in output) is (mail is None)
    assert ('"valid": true' in output) is (mail is not None)


def test_the_examples_of_federation_partners_info(play: Play, tmp_path: Path) -> None:
    _, output = play(yaml.safe_load(federation_partners_info.EXAMPLES), "-v")
    assert 'fabrikam-japan.example. IN TXT \\"DirectFedAuthUrl=https://sts.fabrikam.example/adfs/ls/\\"' in output
    assert "Reiji Shoji" in (tmp_path / "fabrikam.html").read_text()
