# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iij_id_export against scim2-server, an implementation of SCIM 2.0 by others, with IIJ ID's extensions."""

from __future__ import annotations

import csv
import hashlib
import importlib.resources
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import vault
from ansible_collections.offboard.iij_id.plugins.module_utils._iij.export import resource
from dev import places
from lab import process

from .entra import VAULT_PASSWORD, run_module

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
# sic, as in IIJ's manual
JP = "urn:oidfj:params:scim:schemas:extention:enterprisejp:2.0:User"
IIJ = "urn:iij:params:scim:schemas:extension:enterprisejp:2.0:User"
TOKEN = "eyJ-token-of-the-test"
USERS, GROUPS, LIMIT = 25, 2, 10


def configuration(folder: Path) -> list[str]:
    """The service's files: the standard's schemas and IIJ's two, at most LIMIT resources an answer."""
    own = importlib.resources.files("scim2_server") / "resources"
    given = {name: json.loads((own / f"default-{name}.json").read_text()) for name in ("schemas", "resource-types", "service-provider-config")}
    for urn, name in ((JP, "familyNameKana"), (IIJ, "externalUserName")):
        attribute = {"name": name, "type": "string", "multiValued": False, "description": name, "required": False, "caseExact": False}
        attribute |= {"mutability": "readWrite", "returned": "default", "uniqueness": "none"}
        given["schemas"].append({"schemas": [f"{CORE}Schema"], "id": urn, "name": name, "description": name, "attributes": [attribute]})
    (user,) = (item for item in given["resource-types"] if item["name"] == "User")
    user["schemaExtensions"] += [{"schema": urn, "required": False} for urn in (JP, IIJ)]
    given["service-provider-config"]["filter"]["maxResults"] = LIMIT
    words = []
    for name, option in (("schemas", "schema"), ("resource-types", "resource-type"), ("service-provider-config", "service-provider-config")):
        (folder / f"{name}.json").write_text(json.dumps(given[name]))
        words += [f"--{option}", str(folder / f"{name}.json")]
    return words


class Service:
    """The running service, as somebody with all rights sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/scim+json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode() if body else None, headers, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def fill(self) -> None:
        ids = [
            self.ask("POST", "/Users", {
                "schemas": [f"{CORE}User", JP, IIJ], "userName": f"user{number:03}@reiji.example", "externalId": f"=e{number}", "active": number % 10 != 0,
                "name": {"familyName": "例示", "givenName": f"太郎{number}"}, "emails": [{"value": f"user{number}@reiji.example", "primary": True}],
                JP: {"familyNameKana": "レイジ"}, IIJ: {"externalUserName": f"user{number}"},
            })["id"]
            for number in range(USERS)
        ]  # fmt: skip
        for number in range(GROUPS):
            members = [{"value": identity, "type": "User"} for identity in ids[number::GROUPS]]
            self.ask("POST", "/Groups", {"schemas": [f"{CORE}Group"], "displayName": f"営業{number}", "members": members})


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("scim")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(sys.executable).parent / "scim2-server")
    process.start([program, *configuration(folder), "--bearer-token", TOKEN, "--port", str(port)], folder, "scim2-server")
    try:
        end = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < end, (folder / "scim2-server.log").read_text()
            time.sleep(0.1)
        running = Service(f"http://127.0.0.1:{port}")
        running.fill()
        yield running
    finally:
        process.stop(folder, "scim2-server")


@pytest.fixture
def export(service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def run(check: bool = False, **options: Any) -> dict[str, Any]:
        given = {"path": str(tmp_path / "run" / "export"), "access_token": TOKEN, "vault_password": VAULT_PASSWORD, "scim_url": service.url}
        answer = run_module(capsys, "iij_id_export", {**given, "journal": str(tmp_path / "run" / "journal.jsonl"), **options}, check=check, diff=True)
        shown = json.dumps(answer, ensure_ascii=False)
        assert TOKEN not in shown and "user001" not in shown and "太郎" not in shown
        return answer

    return run


def opened(folder: str, name: str) -> bytes:
    return vault.decrypt(Path(folder, name).read_bytes(), VAULT_PASSWORD.encode())


def test_everything_is_kept_once(service: Service, export: Callable[..., dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checked = export(check=True)
    assert checked["changed"] and not (tmp_path / "run" / "export").exists()
    made = export()
    assert made["plan"] == checked["plan"] and made["changed"], made
    counts = {"users": USERS, "groups": GROUPS, "groups_cut": 0, "groups_not_checked": GROUPS, "complete": True}  # it tells no user's groups
    assert {name: made[name] for name in counts} == counts

    users = [json.loads(line) for line in opened(made["folder"], "users.jsonl").splitlines()]
    assert {user["id"]: user for user in users} == {
        user["id"]: user for start in (1, 11, 21) for user in service.ask("GET", f"/Users?startIndex={start}")["Resources"]
    }
    assert users[0][JP] == {"familyNameKana": "レイジ"} and users[0][IIJ]["externalUserName"].startswith("user")
    groups = [json.loads(line) for line in opened(made["folder"], "groups.jsonl").splitlines()]
    assert sorted(len(group["members"]) for group in groups) == [12, 13]
    rows = list(csv.DictReader(io.StringIO(opened(made["folder"], "users.csv").decode("utf-8-sig"))))
    assert len(rows) == USERS and {row["oidfj.enterprisejp.familyNameKana"] for row in rows} == {"レイジ"} and rows[0]["externalId"].startswith("'=e")

    files = {path.name: path for path in Path(made["folder"]).iterdir()}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert all(path.read_bytes().startswith(b"$ANSIBLE_VAULT;") for path in files.values())
    manifest = json.loads(opened(made["folder"], "manifest.json"))
    assert {entry["name"]: entry["sha256"] for entry in manifest["files"]} == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != "manifest.json"
    }
    assert TOKEN not in "".join(path.read_text() for path in (tmp_path / "run").rglob("*") if path.is_file())

    assert export(page_size=7)["changed"] is False  # other pages, the same content
    assert export(vault_password="of-somebody-else")["failure"]["code"] == "vault_wrong_password"
    (found,) = run_module(capsys, "iij_id_export_info", {"path": str(tmp_path / "run" / "export"), "journal": str(tmp_path / "run" / "journal.jsonl")})[
        "exports"
    ]
    assert found["users"] == USERS and found["folder"] == made["folder"]


def test_refusals(export: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    assert export(access_token="another-token")["failure"]["code"] == "unauthorized"
    assert export(scim_url="http://scim.example/v2")["failure"]["code"] == "url_invalid"
    assert export(page_size=0)["failure"]["code"] == "bad_option"
    assert not (tmp_path / "run" / "export").exists()


def test_members_that_a_list_leaves_out_or_cuts_are_read_one_by_one(
    service: Service, export: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This service gives all members always, and tells no user's groups; IIJ's may do otherwise."""
    real, said = resource.pages.everything, resource.Export._said
    first, second = service.ask("GET", "/Groups")["Resources"]
    asked, cut = [], False

    def listed(get: Any, path: str, how: Any, attempts: int, into: Any, tell: Any) -> Any:
        found = real(get, path, how, attempts, into, tell)
        if path == "/Users":
            for group in (first, second):
                for member in group["members"]:
                    user = into[member["value"]]
                    into.put({**user, "groups": [*user.get("groups", []), {"value": group["id"]}]})
        elif cut:
            into.put({**into[first["id"]], "members": None})
            into.put({**into[second["id"]], "members": into[second["id"]]["members"][:3]})
        return found

    monkeypatch.setattr(resource.pages, "everything", listed)
    monkeypatch.setattr(resource.Export, "_said", lambda self, path: asked.append(path) or said(self, path))
    assert export()["changed"] and not any(path.startswith("/Groups/") for path in asked)
    cut = True
    again = export()
    assert again["changed"] is False and again["groups_cut"] == 0, again
    assert {path for path in asked if path.startswith("/Groups/")} == {f"/Groups/{first['id']}", f"/Groups/{second['id']}"}

    monkeypatch.setattr(resource.Export, "_said", lambda self, path: second if path.startswith("/Groups/") else said(self, path))
    assert (export()["groups_cut"], export()["complete"]) == (1, True)  # nobody has the members of the first one
    monkeypatch.setattr(resource.Export, "_said", lambda self, path: None if path.startswith("/Groups/") else said(self, path))
    assert export()["failure"]["code"] == "export_incomplete"  # gone while the others were read


def test_half_a_list_is_marked_and_takes_no_place(
    export: Callable[..., dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = resource.pages.everything

    def half(get: Any, path: str, *more: Any) -> Any:
        found = real(get, path, *more)
        return resource.pages.Listed(found.total + 1, False) if path == "/Users" else found

    monkeypatch.setattr(resource.pages, "everything", half)
    failed = export()
    assert failed["failure"]["code"] == "export_incomplete", failed
    info = run_module(capsys, "iij_id_export_info", {"path": str(tmp_path / "run" / "export"), "journal": str(tmp_path / "run" / "journal.jsonl")})
    assert info["latest"] is None and [one["complete"] for one in info["exports"]] == [False]
    monkeypatch.undo()
    whole = export()
    assert whole["changed"] and whole["complete"]
    monkeypatch.setattr(resource.pages, "everything", half)
    assert export()["failure"]["code"] == "export_incomplete"
    info = run_module(capsys, "iij_id_export_info", {"path": str(tmp_path / "run" / "export"), "journal": str(tmp_path / "run" / "journal.jsonl")})
    assert info["latest"]["folder"] == whole["folder"] and len(info["exports"]) == 2


def test_a_kill_leaves_no_export(
    export: Callable[..., dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = resource.write_atomically

    def killed(path: str, *more: Any, **options: Any) -> None:
        if path.endswith("users.jsonl"):
            raise KeyboardInterrupt
        written(path, *more, **options)

    monkeypatch.setattr(resource, "write_atomically", killed)
    export()
    assert list((tmp_path / "run" / "export").rglob("groups.jsonl"))
    assert (
        run_module(capsys, "iij_id_export_info", {"path": str(tmp_path / "run" / "export"), "journal": str(tmp_path / "run" / "journal.jsonl")})["exports"]
        == []
    )
    monkeypatch.undo()
    assert export()["changed"]
    (made,) = run_module(capsys, "iij_id_export_info", {"path": str(tmp_path / "run" / "export"), "journal": str(tmp_path / "run" / "journal.jsonl")})[
        "exports"
    ]
    os.truncate(Path(made["folder"], "users.jsonl"), 100)
    assert (
        run_module(capsys, "iij_id_export_info", {"path": str(tmp_path / "run" / "export"), "journal": str(tmp_path / "run" / "journal.jsonl")})["failure"][
            "code"
        ]
        == "export_damaged"
    )
    assert export()["failure"]["code"] == "export_damaged"


def test_the_playbook(service: Service, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    variables = {"offboard_run_dir": str(run_dir), "offboard_vault_password": VAULT_PASSWORD, "offboard_iij_scim_url": service.url, "offboard_iij_page_size": 7}
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-vvv", "--diff", "-i", "localhost,", "-c", "local", "-e", json.dumps(variables),
         places.ROOT / "playbooks" / "export.yml"],
        env=os.environ | {"ANSIBLE_NOCOLOR": "1", "IIJ_ID_ACCESS_TOKEN": TOKEN}, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    assert done.returncode == 0 and "changed=2 " in done.stdout, printed  # the run folder, the export
    assert TOKEN not in printed and VAULT_PASSWORD not in printed.replace(json.dumps(variables), "")
    (folder,) = (run_dir / "iij-id-export").iterdir()
    assert len(opened(str(folder), "users.jsonl").splitlines()) == USERS
