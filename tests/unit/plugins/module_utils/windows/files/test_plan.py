# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which paths may be removed, what cmd.exe says is there, and values out of YAML."""

from __future__ import annotations

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._core.model import Change
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Answer
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.files import plan as files
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.files import resource as files_resource
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.files.options import Options
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.files.plan import ListedPath
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.software import plan as software
from dev.options import given

SYNC = r"C:\Program Files\IIJ ID Service Directory Sync"


@pytest.mark.parametrize(
    ("path", "result"),
    [
        (SYNC, SYNC),
        (SYNC + "\\", SYNC),
        (SYNC.replace("\\", "/"), SYNC),
        ("c:\\x", "C:\\x"),
        ("C:\\", "C:"),
        (r"C:\Program Files (x86)\a & b", r"C:\Program Files (x86)\a & b"),
        (r"D:\業務\設定.yml", r"D:\業務\設定.yml"),
    ],
)
def test_normalised(path, result):
    assert files.normalised(path) == result


@pytest.mark.parametrize(
    "path",
    [
        "", "x", r"x\y", r"\x", r"\\server\share\x", r"\\?\C:\x", r"C:x", r"C:\x\..\Windows", r"C:\.\x", r"C:\x\\y", r"C:\x*", r"C:\x?", r"C:\%TEMP%\x",
        r"C:\x:stream",
        r"C:\PROGRA~1\x", "C:\\x.", "C:\\x \\y", 'C:\\x" & del y', "C:\\x\ny", "~\\x",
    ],
)  # fmt: skip
def test_paths_that_could_mean_another_place(path):
    with pytest.raises(OffboardError) as error:
        files.normalised(path)
    assert error.value.code == "path_invalid"


@pytest.mark.parametrize(
    ("path", "root", "inside"),
    [
        (SYNC, SYNC, True),
        (SYNC + r"\config\secret.yml", SYNC, True),
        (SYNC.lower() + r"\x", SYNC, True),
        (SYNC + " 2", SYNC, False),
        (r"C:\Program Files", SYNC, False),
        (r"D:\Program Files\IIJ ID Service Directory Sync", SYNC, False),
    ],
)
def test_within(path, root, inside):
    assert files.within(path, root) is inside


def test_default_roots_are_allowed():
    assert files.check_allowed_roots(files.DEFAULT_ALLOWED_ROOTS, r"C:\Windows") == list(files.DEFAULT_ALLOWED_ROOTS)
    assert files.check_allowed_roots([r"D:\backup\iij", r"C:\Users\taro\iij", r"C:\ProgramData\IIJ"], r"C:\Windows")


@pytest.mark.parametrize(
    "root",
    [
        "C:\\", "D:\\", r"C:\Windows", r"c:\windows\System32\x", r"C:\Program Files", r"C:\Program Files (x86)", r"C:\ProgramData", r"C:\Users",
        r"C:\Users\taro",
        r"C:\Program Files\Common Files",
    ],
)  # fmt: skip
def test_roots_that_are_never_allowed(root):
    with pytest.raises(OffboardError) as error:
        files.check_allowed_roots([SYNC, root], r"C:\Windows")
    assert error.value.code == "allowed_root_refused"


def test_above():
    assert files.above(r"C:\a\b\c") == [r"C:\a", r"C:\a\b"]
    assert files.above(r"C:\a") == []


def test_listing():
    text = (
        "d-------- 0 C:\\a b\n--ah----- 84 C:\\a b\\秘 & 密.bat\n  C:\\nope\nd-------l 0 C:\\a b\\link\n-r------- 5 C:\\a b\\r.txt\nd--h----- C:\\a b\\task\n\n"
    )
    folder, hidden, absent, link, read_only, empty = files.listing(text)
    assert folder == ListedPath("C:\\a b", "d--------", 0)
    assert (folder.exists, folder.is_folder, folder.hidden, folder.is_link) == (True, True, False, False)
    assert (hidden.path, hidden.size, hidden.hidden, hidden.is_folder) == ("C:\\a b\\秘 & 密.bat", 84, True, False)
    assert (absent.path, absent.exists, absent.is_folder) == ("C:\\nope", False, False)
    assert (link.is_link, read_only.read_only, read_only.is_link) == (True, True, False)
    assert (empty.is_folder, empty.hidden, empty.size) == (True, True, 0)


def test_a_listing_that_is_none():
    with pytest.raises(OffboardError) as error:
        files.listing("アクセスが拒否されました。\n")
    assert error.value.code == "listing_unreadable"


def test_object_holds_names_and_counts_only():
    inside = [ListedPath(SYNC + r"\task", "d--h-----", 0), ListedPath(SYNC + r"\task\a.bat", "--a------", 84)]
    found = files.object_of("win", ListedPath(SYNC, "d--------", 0), inside)
    assert found.state == {"is_dir": True, "files": 1, "hidden": 1, "bytes": 84, "children": ["task", r"task\a.bat"], "top": ["task"]}
    assert found.id == f"win/{SYNC}"
    assert files.object_of("win", ListedPath(SYNC + "x", "--a------", 3), []).state["bytes"] == 3


CONFIG = """\
# Directory Sync 設定ファイル
---
ad:
  ldap:
    server:
      addresses: [dc1.example, dc2.example]
      port: 389
    user: "CN=bind,DC=example"
    password: "never-shown"
:iid:
  :convert: :none
  object: !ruby/object:Setting {name: x}
  list: [{a: 1}]
  date: 2024-04-01
"""


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("ad.ldap.user", "CN=bind,DC=example"),
        ("ad.ldap.server.port", "389"),
        ("ad.ldap.server.addresses", ["dc1.example", "dc2.example"]),
        ("ad.ldap.server.addresses.1", "dc2.example"),
        ("ad.ldap.server.addresses.2", None),
        ("ad.ldap.user.x", None),
        ("nothing", None),
        ("iid.convert", ":none"),
        ("iid.object.name", "x"),
        ("iid.date", "2024-04-01"),
    ],
)
def test_yaml_value(dotted, value):
    assert files.yaml_values(CONFIG, {"it": dotted}, "p") == {"it": value}


@pytest.mark.parametrize("dotted", ["ad", "ad.ldap", "iid.list", "iid.object"])
def test_a_mapping_is_never_returned(dotted):
    with pytest.raises(OffboardError) as error:
        files.yaml_values(CONFIG, {"it": dotted}, "p")
    assert error.value.code == "not_a_value"
    assert "never-shown" not in error.value.msg


@pytest.mark.parametrize(
    "text", ["a: [never-shown", "a: b\n c: never-shown\n", "? [never-shown]\n: a", "[" * 5000, "a: &a [*a]", "\x00never-shown", "a" * 1_000_001]
)
def test_broken_yaml_is_told_without_its_content(text):
    with pytest.raises(OffboardError) as error:
        files.yaml_values(text, {"it": "a"}, "p")
    assert error.value.code == "config_unreadable"
    assert "never-shown" not in error.value.msg
    assert error.value.__cause__ is None


@pytest.mark.parametrize(
    "text",
    ["2026-02-30", '!!int "12x"', "1e999", '!!binary "x"', "!!python/object/apply:os.system x", "!custom x", "12:99", "0o9", "!!timestamp x", "yes", ".nan"],
)
def test_no_value_decides_a_type(text):
    found = files.yaml_values(f"a: {text}\npassword: {text}\nb: ~\n", {"it": "a", "none": "b"}, "p")
    assert isinstance(found["it"], str) and found["none"] is None


@pytest.mark.parametrize("dotted", ["ad.ldap.password", "access_token", "a.Secret.b", "bind_pwd", "private.x", "proxy.api_key", "アクセス.パスワード"])
def test_secrets_are_not_even_asked_for(dotted):
    with pytest.raises(OffboardError) as error:
        files.check_secret_names({"it": dotted})
    assert error.value.code == "secret_refused"


def test_harmless_names_are_allowed():
    files.check_secret_names({"dn": "ad.ldap.user", "passive": "ftp.passive", "filter": "ad.ldap.filter.user", "key": "schema.keys"})


class Client:
    host = "win"


def asked(paths, roots=files.DEFAULT_ALLOWED_ROOTS):
    return Options.of(given("win_file", paths=paths, allowed_roots=list(roots)))


@pytest.fixture(autouse=True)
def _system_root(monkeypatch):
    monkeypatch.setattr(files_resource.registry, "system_root", lambda client: r"C:\Windows")


def resource(paths, links=(), location="", roots=files.DEFAULT_ALLOWED_ROOTS):
    made = files_resource.Files(Client(), asked(paths, roots))
    made._links = dict(links)
    objects = [files.object_of("win", ListedPath(path, "d--------", 0), []) for path in paths]
    if location:
        agent = software.Product("Agent_is1", "machine64", "Agent", "IIJ", "1", "inno", "Agent_is1", location, "", "")
        made._locations = {agent.id("win"): location}
        objects.append(software.object_of("win", agent))
    plan = made.plan(objects)
    return plan, [item.rule for item in made.guard(plan)]


@pytest.mark.parametrize(
    ("path", "more", "rules"),
    [
        (SYNC, {}, []),
        (SYNC + r"\config", {}, []),
        (r"C:\Program Files\Other", {}, ["outside_allowed_roots"]),
        (r"C:\Windows\System32", {}, ["outside_allowed_roots"]),
        (SYNC, {"links": [(SYNC, SYNC + r"\log")]}, ["reparse_point"]),
        (SYNC, {"location": SYNC}, ["still_installed"]),
        (SYNC + r"\config", {"location": SYNC}, ["still_installed"]),
        (SYNC, {"location": SYNC + r"\bin"}, ["still_installed"]),
        (SYNC, {"location": r"C:\Program Files\Other"}, []),
    ],
)
def test_guards(path, more, rules):
    plan, found = resource([path], **more)
    assert found == rules
    assert [change.action for change in plan.changes] == ["remove"]


@pytest.mark.parametrize(("scope", "location", "rules"), [
    ("machine64", SYNC, ["still_installed"]),
    ("user:S-1-5-21-1-2-3-1001", SYNC, []),
    ("user:S-1-5-21-1-2-3-1001", "C:\\", []),
])  # fmt: skip
def test_what_an_account_has_registered_keeps_nothing(monkeypatch, scope, location, rules):
    """Any user can write such an entry, with any place."""
    monkeypatch.setattr(files_resource, "look_into", lambda client, path: (ListedPath(path, "d--------", 0), [], ""))
    theirs = software.Product("Agent_is1", scope, "Agent", "IIJ", "1", "inno", "Agent_is1", location, "", "")
    monkeypatch.setattr(files_resource.software_resource, "installed", lambda client: [theirs])
    made = files_resource.Files(Client(), asked([SYNC]))
    assert [item.rule for item in made.guard(made.plan(list(made.read())))] == rules


FOLDER = (ListedPath(SYNC, "d--------", 0), [ListedPath(SYNC + r"\a.yml", "--a------", 3)], "")


@pytest.mark.parametrize(
    ("seen", "code", "commands"),
    [
        # (as read, before the overwriting, before the removal)
        ([FOLDER, (ListedPath(SYNC, "d-------l", 0), [], SYNC)], "changed_since_read", []),
        ([FOLDER, (ListedPath(SYNC, "--a------", 9), [], "")], "changed_since_read", []),
        ([FOLDER, FOLDER, (FOLDER[0], [], r"C:\Program Files")], "changed_since_read", ["for"]),
        ([FOLDER, FOLDER, FOLDER], "", ["for", "del"]),
        ([FOLDER, (ListedPath(SYNC, "", 0), [], "")], "", []),  # somebody else has removed it
    ],
)
def test_a_link_that_was_laid_after_the_guards_is_not_followed(monkeypatch, seen, code, commands):
    given = []

    class Machine(Client):
        def cmd(self, line, seconds=0):
            given.append(line.split()[0])
            return Answer(0, b"", b"")

    monkeypatch.setattr(files_resource, "look_into", lambda client, path: seen.pop(0))
    monkeypatch.setattr(files_resource, "look", lambda client, paths: [ListedPath(path, "", 0) for path in paths])
    monkeypatch.setattr(files_resource.software_resource, "installed", lambda client: [])
    made = files_resource.Files(Machine(), asked([SYNC]))
    plan = made.plan(made.read())
    assert list(made.guard(plan)) == []
    (change,) = plan.changes
    if code:
        with pytest.raises(OffboardError) as error:
            made.apply(change)
        assert error.value.code == code
    else:
        made.apply(change)
    assert given == commands and seen == []
    assert [item["status"] for item in made.facts(plan)["results"]] == ["failed" if code else "removed"]


def test_a_path_outside_is_refused_even_when_nothing_is_there():
    made = files_resource.Files(Client(), asked([r"C:\Other"]))
    assert [item.rule for item in made.guard(made.plan([]))] == ["outside_allowed_roots"]


def test_what_a_stopped_run_had_begun(monkeypatch):
    monkeypatch.setattr(files_resource, "look", lambda client, paths: [ListedPath(path, "d--------" if path == SYNC else "", 0) for path in paths])
    made = files_resource.Files(Client(), asked([SYNC], []))
    begun = [Change(files.KIND, f"{host}/{path}", path, "remove", {}, None) for host, path in (("win", SYNC), ("win", SYNC + r"\log"), ("other", SYNC))]
    begun.append(Change(software.KIND, "win/machine64/Agent_is1", "100% Agent", "uninstall", {}, None))  # its name is no path
    assert list(made.carried_out(begun)) == [begun[1]]
