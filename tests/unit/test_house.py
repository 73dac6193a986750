# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of CONTRIBUTING.md that a program can check."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.offboard.iij_id.plugins.module_utils._core import kinds
from ansible_collections.offboard.iij_id.plugins.module_utils._entra.of_tenant import OfTenant
from ansible_collections.offboard.iij_id.plugins.module_utils._module.runner import Resource
from ansible_collections.offboard.iij_id.plugins.plugin_utils import controller_action, specs
from dev import places

HEADER = (places.ROOT / "tests" / "conftest.py").read_text().split('"""')[0].splitlines()[:3]
PLUGINS = places.ROOT / "plugins"
MODULES = sorted(PLUGINS.glob("modules/*.py"))
PYTHON = sorted(file for folder in ("plugins", "tests") for file in (places.ROOT / folder).rglob("*.py"))

#: what a room of plugins/module_utils may import from the other rooms
MAY_IMPORT = {
    "_core": set(),
    "_module": {"_core"},
    "_federation": {"_core", "_module"},
    "_offboarding": {"_core", "_module"},
    "_graph": {"_core", "_module"},
    "_entra": {"_core", "_module", "_federation", "_graph", "_offboarding"},
    "_directory": {"_core", "_module"},
    "_windows": {"_core", "_module"},
    "_linux": {"_core", "_module"},
    "_restart": {"_core", "_module", "_directory", "_windows"},
    "_iij": {"_core", "_module"},
}
#: libraries that only one file may import
ONE_IMPORTER = {
    "msgraph": "_graph/sdk.py",
    "msgraph_core": "_graph/sdk.py",
    "kiota_abstractions": "_graph/sdk.py",
    "kiota_authentication_azure": "_graph/sdk.py",
    "kiota_http": "_graph/sdk.py",
    "azure": "_graph/sdk.py",
    "httpx": "_graph/sdk.py",
    "dns": "_federation/dns_txt.py",
    "ldap3": "_directory/client.py",
    "smbclient": "_directory/sysvol.py",
    "smbprotocol": "_directory/sysvol.py",
    "winrm": "_windows/client.py",
}


@functools.cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def _content(file: Path) -> Any:
    """Of a file of Ansible's YAML."""
    return yaml.load(file.read_text(encoding="utf-8").replace("!unsafe", ""), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@functools.cache
def imports(file: Path) -> set[str]:
    """Dotted names of everything that `file` imports; relative ones resolved below plugins/."""
    found = set()
    inside = file.relative_to(PLUGINS).parts[:-1] if file.is_relative_to(PLUGINS) else ()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*inside[: len(inside) - node.level + 1], node.module or ""]).strip(".") if node.level else node.module or ""
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return {name.removeprefix("ansible_collections.offboard.iij_id.plugins.") for name in found}


def rooms(file: Path) -> set[str]:
    """Rooms of plugins/module_utils that `file` imports."""
    return {match[1] for name in imports(file) if (match := re.match(r"module_utils\.(_\w+)", name))}


@pytest.mark.parametrize("room", sorted(path.name for path in (PLUGINS / "module_utils").iterdir() if path.is_dir() and path.name != "__pycache__"))
def test_an_arrow_never_runs_back(room: str) -> None:
    for file in (PLUGINS / "module_utils" / room).rglob("*.py"):
        assert rooms(file) <= MAY_IMPORT[room] | {room}, file


def _rooms_in_words() -> dict[str, tuple[str, str]]:
    """The table of rooms in CONTRIBUTING.md: what lives in each, and what it may import."""
    rows = [row.split("|")[1:4] for row in (places.ROOT / "CONTRIBUTING.md").read_text().splitlines() if re.match(r"\| `\w+/", row)]
    return {name: (lives, imports) for names, lives, imports in rows for name in re.findall(r"`([\w./]+)/`", names)}


def test_the_table_of_rooms_names_every_room() -> None:
    told = _rooms_in_words()
    holders = ("plugins", "plugins/module_utils", "tests", "extensions")
    inner = {f"{holder}/{path.name}" for holder in holders for path in (places.ROOT / holder).iterdir() if any(path.glob("**/*.*")) and path.name[0] != "."}
    assert {name for name in inner if not name.endswith("__pycache__")} - {"plugins/module_utils"} <= told.keys()
    assert {name for name in told if not (places.ROOT / name).is_dir()} == set()


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_the_table_of_rooms_tells_what_lies_in_a_room_and_what_it_may_import(room: str) -> None:
    lives, may_import = _rooms_in_words()[f"plugins/module_utils/{room}"]
    folder = PLUGINS / "module_utils" / room
    assert {file.parent.name for file in folder.glob("*/__init__.py")} == set(re.findall(r"`(\w+)/`", lives))
    assert set(re.findall(r"`(_\w+)`", may_import)) == MAY_IMPORT[room]


@pytest.mark.parametrize("module", MODULES, ids=lambda file: file.stem)
def test_a_module_uses_one_world(module: Path) -> None:
    assert len(rooms(module) - {"_module", "_core", "_federation", "_graph", "_offboarding"}) <= 1


@pytest.mark.parametrize("library", sorted(ONE_IMPORTER))
def test_one_file_imports_a_library(library: str) -> None:
    users = {str(file.relative_to(PLUGINS / "module_utils")) for file in PLUGINS.rglob("*.py") if any(name.split(".")[0] == library for name in imports(file))}
    assert users <= {ONE_IMPORTER[library]}


#: who has a clock or a pause of its own, and why it is not `_module/waiting.py`
OWN_CLOCKS = {
    "_directory/sysvol.py": "tries a write again while somebody has the file open",
    "_entra/domains/resource.py": "tells how long a conversion took",
    "_entra/federations/resource.py": "waits a given time, for what no reading shows",
    "_entra/guests/resource.py": "waits a given time, for what no reading shows",
    "_entra/users/work.py": "sends again what had no answer",
    "_graph/batches.py": "the service says how long",
    "_graph/client.py": "the service says how long; a single 404 is asked for again",
    "_graph/errors.py": "the service says until when",
    "_graph/sign_in.py": "a token's end",
    "_iij/scim.py": "the service says how long",
    "_module/keeper.py": "holds a lock as long as another process lives",
    "_module/progress.py": "tells every few seconds",
    "_module/reaching.py": "one time for the addresses of a name",
    "_module/waiting.py": "the one way",
    "_windows/client.py": "a command's time, and a lost connection's",
    "_windows/software/resource.py": "an uninstaller's time",
}


def test_there_is_one_way_to_wait() -> None:
    """A loop of its own forgets the read after the deadline, the count that starts anew, or the others behind one that is late."""
    own = {
        str(file.relative_to(PLUGINS / "module_utils"))
        for file in (PLUGINS / "module_utils").rglob("*.py")
        if re.search(r"\btime\.(monotonic|time|sleep|perf_counter)\b|\basyncio\.sleep\b|^from time import", file.read_text(), re.MULTILINE)
    }
    assert own == set(OWN_CLOCKS)


#: what decides, or says that it is pure: no client, no Ansible, no SDK, not even by way of another file
PLANNERS = sorted(
    file
    for file in (PLUGINS / "module_utils").glob("_*/**/*.py")
    if (file.stem in ("plan", "copy", "sign_in") and "_graph" not in file.parts)
    or re.search(r"\bPure\.|^Pure\b", ast.get_docstring(_tree(file)) or "", re.MULTILINE)
)
NOT_IN_A_PLANNER = {"ansible", *ONE_IMPORTER}


def _reaches_out(name: str) -> bool:
    """Whether a file of plugins/module_utils, or a name in it, is none that a planner may know."""
    return name.startswith(("_module", "_graph")) or bool(re.search(r"\.(client|resource|read)(\.|$)", name))


@pytest.mark.parametrize("file", PLANNERS, ids=lambda file: str(file.relative_to(PLUGINS / "module_utils")))
def test_what_decides_reaches_no_client(file: Path) -> None:
    """Imported in an interpreter of its own: what `sys.modules` holds then is what a test of that planner costs."""
    name = "ansible_collections.offboard.iij_id." + ".".join(file.relative_to(places.ROOT).with_suffix("").parts)
    code = f"import sys; sys.path[:] = {sys.path!r}; import importlib; before = set(sys.modules); importlib.import_module({name!r}); "
    code += "print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    mine = "ansible_collections.offboard.iij_id.plugins.module_utils."
    rooms = {module.removeprefix(mine) for module in loaded if module.startswith(mine)}
    assert {module for module in loaded if module in NOT_IN_A_PLANNER} == set()
    assert {room for room in rooms if _reaches_out(room)} == set()
    # nor when a function of it, or of what it imports, is called: an import within a function is seen by nobody until then
    files = [PLUGINS / "module_utils" / Path(*room.split(".")).with_suffix(".py") for room in rooms]
    within = {name for file in files if file.exists() for name in imports(file)}
    assert {name for name in within if name.split(".")[0] in NOT_IN_A_PLANNER or _reaches_out(name.removeprefix("module_utils."))} == set()


#: who takes a task's raw options apart, and why it is not called options.py
TAKES_PARAMS = {
    "connection.py": "of a world's connection, which all its rooms share",
    "arguments.py": "of argument fragments",
    "vault_password.py": "of the fragment VAULT",
    "known.py": "of the fragment KNOWN",
    "_module/runner.py": "hands them to the rooms",
    "_module/budget.py": "of the fragment RUN: which files keep what an answer has no room for",
    "_module/one_session.py": "hands them to the kinds of a machine",
    "_linux/on_target/operations.py": "the runner on the machine",
    "preconditions.py": "of `requires`, and of run_folder_info",
    "modules/manual_steps.py": "asks who confirms before the run's files are looked at",
}
_RAW = re.compile(r"_?(params|options)")


def _raw(node: ast.expr) -> bool:
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return bool(_RAW.fullmatch(name))


def _takes_params(file: Path) -> list[str]:
    """Where a file looks into a mapping of options: `params["x"]`, `self._options["x"]`, `options.get("x")`."""
    nodes = list(ast.walk(_tree(file)))
    looked_into = [node for node in nodes if isinstance(node, ast.Subscript) and _raw(node.value)]
    asked = [
        node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and _raw(node.func.value)
    ]
    return [f"{file.relative_to(PLUGINS)}:{node.lineno}: {ast.unparse(node)}" for node in (*looked_into, *asked)]


def test_options_are_parsed_in_one_place_before_anything_is_opened() -> None:
    """In the room's `options.py`, into a frozen dataclass: what is wrong is told at once, and a wrong name is found by mypy."""
    taking = {file: found for file in sorted(PLUGINS.glob("module*/**/*.py")) if file.name != "options.py" and (found := _takes_params(file))}
    excepted = {file for file in taking for name in TAKES_PARAMS if f"/{file.relative_to(PLUGINS)}".endswith(f"/{name}")}
    assert [line for file, found in taking.items() if file not in excepted for line in found] == []
    infos = [file for file in PLUGINS.glob("module_utils/**/info.py") if file.parent.name != "permissions"]  # which takes nothing but a connection
    assert [file for file in infos if "Options.of(params" not in file.read_text()] == []


@pytest.mark.parametrize("file", sorted(PLUGINS.glob("module_utils/**/options.py")), ids=lambda file: str(file.relative_to(PLUGINS / "module_utils")))
def test_options_are_frozen(file: Path) -> None:
    """And made by a class method that takes the raw ones."""
    for node in _tree(file).body:
        if isinstance(node, ast.ClassDef):
            assert [ast.unparse(one) for one in node.decorator_list] == ["dataclass(frozen=True)"], node.name


def test_nothing_waits_to_be_set() -> None:
    """What is not there yet has a type of its own, or is read when it is first asked for."""
    raised = [file for file in PLUGINS.rglob("*.py") if re.search(r"raise AssertionError|^\s+assert ", file.read_text(), re.MULTILINE)]
    assert raised == []


def test_the_runner_writes_into_no_field_of_another_object() -> None:
    """The runner hands things to a Resource by its interface."""
    written = []
    for node in ast.walk(_tree(PLUGINS / "module_utils/_module/runner.py")):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []
        attributes = [target for target in targets if isinstance(target, ast.Attribute)]
        written += [ast.unparse(one) for one in attributes if not (isinstance(one.value, ast.Name) and one.value.id == "self")]
    assert written == []


def test_both_languages_are_one_text() -> None:
    """A sentence and its Japanese travel together as `Text`: nothing else holds a name `ja`, `why_ja` and the like."""
    for file in sorted(PLUGINS.glob("module_utils/**/*.py")):
        if file.name != "text.py":
            named = {
                getattr(node, "id", getattr(node, "arg", ""))
                for node in ast.walk(_tree(file))
                if isinstance(node, (ast.Name, ast.arg)) or (isinstance(node, ast.keyword) and node.arg)
            }
            assert not {name for name in named if name == "ja" or name.endswith("_ja")}, file


@pytest.mark.parametrize("file", sorted((PLUGINS / "module_utils/_linux/on_target").glob("*.py")), ids=lambda file: file.stem)
def test_what_runs_on_a_machine_needs_its_python_alone(file: Path) -> None:
    """That of an old distribution: ansible-core 2.18 still goes there."""
    ast.parse(file.read_text(), feature_version=(3, 8))
    foreign = {name for name in imports(file) if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("module_utils._linux.on_target.")}
    assert foreign == set()


#: rooms in which an object's id is a path or a name
_IDS_ARE_NAMES = ("_windows", "_linux", "_directory")


def _is_id(node: ast.expr, *, any_room: bool) -> bool:
    """Whether it is what a service or a person gave as the id of something: `item["id"]`, `person.id`, `str(entry.get("userId") or "")`, `tenant_id`."""
    match node:
        case ast.Constant(value=str() as name) | ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(re.fullmatch(r"\w*(Id|_id)|sku" if any_room else r"id|\w*(Id|_id)|sku", name))
        case ast.Subscript(slice=part):
            return isinstance(part, ast.Constant) and _is_id(part, any_room=any_room)
        case ast.Call(func=ast.Name(id="str"), args=[part]) | ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant() as part, *_]):
            return _is_id(part, any_room=any_room)
        case ast.BoolOp(values=[part, *_]):
            return _is_id(part, any_room=any_room)
    return False


def test_ids_are_compared_by_one_rule() -> None:
    """That of `_core/names.py`: people give them in braces, in capitals and full-width. A comparison of its own forgets one of these."""
    own = [
        f"{file.relative_to(PLUGINS)}:{node.lineno}: {ast.unparse(node)}"
        for file in sorted((PLUGINS / "module_utils").rglob("*.py"))
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("casefold", "lower")
        if _is_id(node.func.value, any_room=file.relative_to(PLUGINS / "module_utils").parts[0] in _IDS_ARE_NAMES)
    ]
    assert own == []


def _words(text: str) -> set[str]:
    """In the singular, `_` and capital letters taken as their borders."""
    return {word.rstrip("s") for word in re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower())}


_SAYS_NOTHING = _words("a all and are as at be by for from in is it its module of on one or return run see that the them they this to what which with")


def _named(node: ast.AST, known: set[str]) -> Iterator[tuple[str, str, set[str]]]:
    """Every class and function with its docstring, and the words of its own name and of what it lies in."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            words = known | _words(inner.name)
            yield inner.name, ast.get_docstring(inner) or "", words
            yield from _named(inner, words)


def test_a_docstring_says_more_than_the_name() -> None:
    """What, units, errors; or there is none."""
    empty = [
        f"{file.relative_to(PLUGINS)}: {name}: {docstring}"
        for file in sorted(PLUGINS.rglob("*.py"))
        for name, docstring, words in _named(_tree(file), _words(f"{file.parent.name} {file.stem}"))
        if docstring and _words(docstring) <= words | _SAYS_NOTHING
    ]
    assert empty == []


#: they name what every room has, in one place
_VOCABULARIES = {"codes.py", "kinds.py"}


def test_core_knows_no_iij_id() -> None:
    """Why there is a run, its gate and its steps are `_offboarding`'s."""
    of_exit = re.compile(r"iij|\bgates?(_|\b)|\bsteps?\b|\bexit\b|_no_way_in", re.IGNORECASE)
    knows = [
        f"{file.name}:{number}: {line.strip()}"
        for file in sorted((PLUGINS / "module_utils" / "_core").glob("*.py"))
        if file.name not in _VOCABULARIES
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if of_exit.search(line) and line not in HEADER
    ]
    assert knows == []


def _is_english(node: ast.expr) -> bool:
    """Whether it is words that nobody has in Japanese: a text, or several, put there by hand."""
    match node:
        case ast.Constant(value=str() as text):
            return " " in text
        case ast.JoinedStr():
            return True
        case ast.BinOp(left=left, right=right):
            return _is_english(left) or _is_english(right)
        case ast.List(elts=parts):
            return any(map(_is_english, parts))
        case ast.ListComp(elt=part) | ast.GeneratorExp(elt=part):
            return _is_english(part)
    return False


def _warnings(tree: ast.AST) -> Iterator[ast.expr]:
    """What is added to the warnings of a plan, or given to `warn`, or told of the progress."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="warnings") | ast.Name(id="warnings"), attr="append" | "extend"), args=[told]):
                yield told
            case ast.AugAssign(target=ast.Attribute(attr="warnings"), value=told):
                yield told
            case ast.Call(func=ast.Name(id="warn" | "_warn") | ast.Attribute(attr="warn" | "_warn"), args=[*_first, told]):
                yield told
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr="tell" | "_wait"), args=[*_first, told]):
                yield told


def test_what_modules_warn_of_is_in_the_catalogue_in_both_languages() -> None:
    rooms = [*(PLUGINS / "module_utils").rglob("*.py"), *(PLUGINS / "modules").glob("*.py")]
    # codes of federation metadata, which have their own words
    own = [
        f"{file.relative_to(PLUGINS)}:{told.lineno}"
        for file in rooms
        if file.parent.name != "_federation"
        for told in _warnings(_tree(file))
        if _is_english(told)
    ]
    assert own == []


@pytest.mark.parametrize("module", [file for file in MODULES if not file.stem.endswith("_info") and file.stem != "linux_target"], ids=lambda file: file.stem)
def test_every_changing_module_asks_for_what_the_exit_demands(module: Path) -> None:
    """The runner takes what must be true as it is given: only `_offboarding` knows it."""
    assert {name for name in imports(module) if name.endswith(".runner.run")} == {"module_utils._offboarding.runner.run"}


def test_core_is_pure() -> None:
    for file in (PLUGINS / "module_utils" / "_core").glob("*.py"):
        outside = {name.split(".")[0] for name in imports(file)} & {"ansible", "time", "socket", "os", "subprocess", "random", "secrets"}
        assert not outside, f"{file} imports {outside}"
        assert not re.search(r"\.(now|utcnow|today)\(", file.read_text()), f"{file} reads the clock"


def test_every_module_is_in_an_action_group() -> None:
    """So that module_defaults can give all modules of one world their connection at once."""
    groups = _content(places.ROOT / "meta" / "runtime.yml")["action_groups"]
    worlds: dict[str, tuple[str, ...]] = {
        "entra": ("entra_", "intune_"),
        "directory": ("directory_", "domain_controller_", "group_policy_"),
        "windows": ("win_",),
        "linux": ("linux_",),
        "openldap": ("openldap_",),
    }
    for group, prefixes in worlds.items():
        assert sorted(groups[group]) == [file.stem for file in MODULES if file.stem.startswith(prefixes) and file.stem != "linux_target"]


def test_every_module_runs_on_the_controller() -> None:
    """By an action plugin, without which it would run on the machine, and say nothing meanwhile. linux_target alone is carried away."""
    runtime = _content(places.ROOT / "meta" / "runtime.yml")
    routed = {name: entry["action_plugin"].removeprefix("offboard.iij_id.") for name, entry in runtime["plugin_routing"]["modules"].items()}
    own = {"entra_external_federation", "manual_steps"}
    assert set(routed) | own | {"linux_target"} == {file.stem for file in MODULES}
    assert set(routed.values()) | own == {file.stem for file in PLUGINS.glob("action/*.py")}


@pytest.mark.parametrize("module", [file for file in MODULES if file.stem.endswith("_info")], ids=lambda file: file.stem)
def test_what_an_info_module_returns_is_called_info(module: Path) -> None:
    """So that it is found by its name, in the room of the thing."""
    (given,) = re.findall(r"run_info\(module, (.+)\)\n", module.read_text())
    assert re.search(r"\binfo\b|\binfo_of\b", given)


@pytest.mark.parametrize("module", [file for file in MODULES if not file.stem.endswith("_info")], ids=lambda file: file.stem)
def test_every_changing_module_has_an_info_twin(module: Path) -> None:
    without = {
        "entra_snapshot": "writes a file of what the _info modules read",
        "entra_provisioning_gate": "writes a verdict on what entra_app_info reads",
        "group_policy_registry": "group_policy_info tells what every policy's files hold, after one look at SYSVOL",
        "group_policy_right": "group_policy_info tells what every policy's files hold, after one look at SYSVOL",
        "handover_letters": "writes letters of what vault_file_info shows",
        "win_restart": "domain_controller_health_info tells how the domain controllers are, and in which order they would be restarted",
        "run_machines": "writes a file of which run_status_info tells",
        "run_plan": "writes a file of what a check run has planned",
        "run_report": "writes a file of what the run folder holds",
        "linux_target": "is carried to the machine by the linux_ modules, for no task of its own",
    }
    assert module.stem in without or module.with_name(f"{module.stem}_info.py").exists()


def test_every_python_file_names_its_licence() -> None:
    assert [
        str(file) for file in PYTHON if file.read_text().strip() and [line for line in file.read_text().splitlines() if line[:2] != "#!"][:3] != HEADER
    ] == []


#: classes of one name in several rooms, and why
SHARED_NAMES = {
    "Answer": "what came back: of a command, of a request",
    "Client": "each world's only way to its machines or its service",
    "Connection": "where that is, and who asks",
    "Files": "the Resource of files of a world",
    "InfoOptions": "what a task of a room's module that looks asks",
    "Options": "what a task of a room's module that changes asks",
    "Reader": "reads for its room, and is imported by no other",
}


def test_a_class_name_means_one_thing() -> None:
    """Whoever reads `Finding` need not ask which. What begins with _ is seen in its own file only."""
    where: dict[str, list[str]] = {}
    for file in sorted((PLUGINS / "module_utils").rglob("*.py")):
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where.setdefault(node.name, []).append(str(file.relative_to(PLUGINS / "module_utils")))
    assert {name: files for name, files in where.items() if len(files) > 1 and name not in SHARED_NAMES} == {}
    assert [name for name in SHARED_NAMES if len(where.get(name, ())) < 2] == []


def test_people_are_they() -> None:
    """Nobody knows who a user, a guest or an operator is."""
    files = [
        *PYTHON,
        *places.ROOT.glob("docs/en/*.md"),
        *places.ROOT.glob("*.md"),
        *places.ROOT.glob("roles/**/*.yml"),
        *places.ROOT.glob("playbooks/**/*.yml"),
    ]
    word = re.compile(r"(?<![\w'\"/.-])(he|his|him|himself|she|hers?|herself)(?![\w'\"/-])", re.IGNORECASE)
    said = [
        f"{file.relative_to(places.ROOT)}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if word.search(line) and file != Path(__file__)
    ]
    assert said == []


def test_the_readme_names_every_playbook_and_every_page_of_the_manual() -> None:
    readme = (places.ROOT / "README.md").read_text(encoding="utf-8")
    stages = {file.stem for file in places.ROOT.glob("playbooks/stages/*.yml")}
    playbooks = {file.stem for file in places.ROOT.glob("playbooks/*.yml")} - {"begin", "ending", "controller_in_limit"} - stages
    pages = {f"docs/en/{file.name}" for file in places.ROOT.glob("docs/en/*.md")}
    assert [name for name in sorted(playbooks) if f"`{name}`" not in readme and f"offboard.iij_id.{name}" not in readme] == []
    assert [page for page in sorted(pages) if page not in readme] == []


def test_the_manual_exists_in_both_languages() -> None:
    docs = places.ROOT / "docs"
    assert {file.name for file in (*docs.glob("*.md"), *docs.glob("en/*.md"))} == {file.name for file in docs.glob("ja/*.md")}


@functools.cache
def _entries_of_roles() -> dict[str, dict[str, dict[str, Any]]]:
    files = places.ROOT.glob("roles/*/meta/argument_specs.yml")
    return {file.parts[-3]: {"main": {"options": {}}, **_content(file)["argument_specs"]} for file in files}


def test_the_variables_of_a_role_are_checked_once_for_all_its_entry_points() -> None:
    """`start` of the role offboard takes those of `main`; the stages' own imports check nothing again."""
    for role, entries in _entries_of_roles().items():
        if role not in ("offboard", "guest_federation"):
            assert all(entry["options"] in ({}, entries["main"]["options"]) for entry in entries.values()), role
    for file in places.ROOT.glob("playbooks/stages/*.yml"):
        for play in _content(file):
            for task in _tasks(play["tasks"]):
                imported = task.get("ansible.builtin.import_role", {})
                entry = imported.get("tasks_from", "main")  # type: ignore[attr-defined]
                if imported and entry in _entries_of_roles()[imported["name"].rpartition(".")[2]]:  # type: ignore[index]
                    assert imported["rolespec_validate"] is False, (file.name, task["name"])  # type: ignore[index]


def test_a_condition_takes_no_text_for_true() -> None:
    """-e name=false gives the text "false", which a condition of ansible-core 2.18 takes for true."""
    options = [entry["options"] for entries in _entries_of_roles().values() for entry in entries.values()]
    names = {name for found in options for name, option in found.items() if option["type"] == "bool"}
    taken = []
    for file in (*places.ROOT.glob("roles/*/tasks/*.yml"), *places.ROOT.glob("playbooks/**/*.yml")):
        plays = _content(file) or []
        for task in _tasks([*plays, *(part for play in plays for part in play.get("tasks", []))]):
            conditions = [task.get(key) for key in ("when", "failed_when", "changed_when", "until")] + [task.get("ansible.builtin.assert", {}).get("that")]  # type: ignore[attr-defined]
            for text in (str(text) for one in conditions for text in (one if isinstance(one, list) else [one])):
                taken += [(file.name, task.get("name"), name) for name in names if re.search(rf"\b{name}\b(?!\s*\|\s*bool\b)", text)]
    assert taken == []


def _japanese_in_yaml(node: object, key: str = "") -> Iterator[str]:
    """Texts with Japanese that are no part of a text in both languages (its `en` may quote what stands on a screen)."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _japanese_in_yaml(value, str(name))
    elif isinstance(node, list):
        for item in node:
            yield from _japanese_in_yaml(item, key)
    elif isinstance(node, str) and key not in ("en", "ja") and re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", node):
        yield node


def test_what_roles_and_playbooks_tell_is_told_in_the_language_of_its_reader() -> None:
    """English and Japanese side by side, as `en` and `ja`; the filter in_language chooses."""
    files = [*places.ROOT.glob("roles/*/tasks/**/*.yml"), *places.ROOT.glob("roles/*/[dv]*/*.yml"), *places.ROOT.glob("playbooks/**/*.yml")]
    told = [f"{file.relative_to(places.ROOT)}: {text}" for file in files for text in _japanese_in_yaml(_content(file))]
    assert told == []


def test_nothing_that_roles_and_playbooks_tell_is_english_alone() -> None:
    files = [*places.ROOT.glob("roles/*/tasks/**/*.yml"), *places.ROOT.glob("playbooks/**/*.yml")]
    told = []
    for file in files:
        found = _content(file) or []
        for task in _tasks([*found, *(part for play in found for part in play.get("tasks", []))]):
            texts = [task.get(f"ansible.builtin.{name}", {}).get(key, []) for name, key in (("assert", "fail_msg"), ("fail", "msg"), ("debug", "msg"))]  # type: ignore[attr-defined]
            for text in (one for given in texts for one in (given if isinstance(given, list) else [given])):
                told += [f"{file.relative_to(places.ROOT)}: {text}"] if re.search(r"[a-z]{2}", re.sub(r"\{\{.*?\}\}", "", text, flags=re.DOTALL)) else []
    assert told == []


#: what it is bounded by: files of tasks, the languages, the notices for the contract's options, the playbooks
_FEW = (
    "{{ __directory_sync_after_machines }}",
    "{{ __directory_sync_openldap_saving }}",
    "{{ __microsoft_365_notices.notices ",
    "{{ __awx.files }}",
    "{{ __awx_files.files ",
    "{{ __restore.entries }}",
    "['ja', 'en']",
)
_FIFTY = "{{ __guest_federation_files }}"


def test_no_event_of_a_core_module_grows_with_what_a_company_has() -> None:
    """AWX keeps the answers to all items of a loop as one event, and what `--diff` shows of a file twice, before and after. awx_setup is no job of AWX."""
    files = (*places.ROOT.glob("roles/*/tasks/*.yml"), *places.ROOT.glob("playbooks/**/*.yml"))
    plays = {file: _content(file) or [] for file in files}
    tasks = {file: list(_tasks([*found, *(part for play in found for part in play.get("tasks", []))])) for file, found in plays.items()}
    loops, shown = [], []
    for file, task in ((file, task) for file, found in tasks.items() if file.parts[-3] != "awx" for task in found):
        own = any(str(key).startswith("offboard.iij_id.") for key in task)
        if "loop" in task and not own and not str(task["loop"]).startswith(_FEW) and task["loop"] != _FIFTY and " | batch(50) }}" not in str(task["loop"]):
            loops.append((file.name, task["name"]))
        if "content" in task.get("ansible.builtin.copy", {}) and task.get("diff") is not False:  # type: ignore[operator]
            shown.append((file.name, task["name"]))
    assert loops == shown == []


def test_every_list_of_the_roles_is_known_to_be_one() -> None:
    """roles/offboard refuses a text in the place of a list, for all roles at once. The role awx does not depend on it."""
    own = set(_content(places.ROOT / "roles/awx/vars/main.yml")["__awx_lists"])
    entries = [(role, entry) for role, found in _entries_of_roles().items() for entry in found.values()]
    lists = {name: option for _role, entry in entries for name, option in entry["options"].items() if option["type"] == "list"}
    assert specs.lists() == {name: option.get("elements") for name, option in sorted(lists.items()) if name not in own}
    assert own == {name for role, entry in entries if role == "awx" for name, option in entry["options"].items() if option["type"] == "list"}
    assert {"directory_sync_accounts", "offboard_options"} <= set(specs.lists()) and specs.lists()["directory_sync_tasks"] == "dict"
    watch = dict(re.findall(r"'(watch_certificates_\w+)', default=([\[\d])", (places.ROOT / "playbooks/watch_certificates.yml").read_text()))
    known = _content(places.ROOT / "roles/offboard/vars/main.yml")
    assert [name for name, default in watch.items() if default == "[" and f"'{name}'" not in known["__offboard_lists"]] == []
    assert [name for name, default in watch.items() if (default == "[") != specs.is_list(name)] == []
    assert {name for name, default in watch.items() if default.isdigit()} == {name for name in known["__offboard_numbers"] if name.startswith("watch_")}


_OWN_NAME = re.compile(r"\b__[a-z][a-z0-9_]*\b")


def _given(node: object) -> set[str]:
    """The variables of the roles' own that a file gives a value: as a key, by register, as the name of a loop, in Jinja."""
    if isinstance(node, dict):
        named = {str(node[key]) for key in ("register", "loop_var", "index_var") if key in node}
        return {str(key) for key in node} | named | {name for value in node.values() for name in _given(value)}
    if isinstance(node, list):
        return {name for item in node for name in _given(item)}
    return set(re.findall(r"{%-? *(?:set|for) +(__\w+)", node)) if isinstance(node, str) else set()


def test_no_role_asks_for_a_variable_that_nobody_gives() -> None:
    """A machine that is "not readable" because of it looks like one that is switched off."""
    files = [*places.ROOT.glob("roles/*/tasks/**/*.yml"), *places.ROOT.glob("roles/*/[dv]*/*.yml"), *places.ROOT.glob("playbooks/**/*.yml")]
    given = {name for file in files for name in _given(_content(file))}
    asked = {(file.name, name) for file in files for name in _OWN_NAME.findall(file.read_text()) if name not in given}
    assert len(files) > 100 and asked == set()


#: The walk of CONTRIBUTING.md for a managed thing, gone with its example: each file, and how the walk calls it.
WALKED = {
    "plugins/module_utils/_entra/intune_assignments/__init__.py": "`plugins/module_utils/_entra/<things>/__init__.py`",
    "plugins/module_utils/_entra/intune_assignments/options.py": "`options.py`",
    "plugins/module_utils/_entra/intune_assignments/plan.py": "`plan.py`",
    "plugins/module_utils/_entra/intune_assignments/resource.py": "`resource.py`",
    "plugins/modules/intune_assignment.py": "`plugins/modules/entra_<thing>.py`",
    "plugins/modules/intune_assignment_info.py": "`entra_<thing>_info.py`",
    "plugins/module_utils/_core/kinds.py": "`_core/kinds.py`",
    "plugins/module_utils/_graph/permissions.py": "`_graph/permissions.py`",
    "roles/multi_factor_authentication/tasks/intune.yml": "`tasks/<thing>.yml`",
    "roles/multi_factor_authentication/tasks/restore_intune.yml": "`restore_<thing>.yml`",
    "roles/multi_factor_authentication/tasks/preflight.yml": "`preflight.yml`",
    "roles/multi_factor_authentication/defaults/main.yml": "`defaults/main.yml`",
    "roles/multi_factor_authentication/meta/argument_specs.yml": "`meta/argument_specs.yml`",
    "plugins/module_utils/_offboarding/readiness/intune.py": "`_offboarding/readiness/<things>.py`",
    "plugins/module_utils/_offboarding/readiness/judged.py": "`judged.py`",
}
#: what else knows the example, and why not every thing has it
OF_THE_EXAMPLE = {
    "playbooks/stages/tasks/policies_and_devices.yml": "its stage played the role on the users' machines alone",
    "plugins/doc_fragments/intune.py": "options that both modules take",
    "plugins/doc_fragments/judged.py": "made by ./dev pages",
    "plugins/module_utils/_core/phrases.py": "a way back in words of its own",
    "plugins/module_utils/_entra/arguments.py": "options that both modules take",
    "plugins/module_utils/_entra/references/read.py": "what points at IIJ ID is read with whom it is assigned to",
    "plugins/module_utils/_offboarding/readiness/references.py": "what points at IIJ ID and reaches nobody may stay",
    "plugins/module_utils/_offboarding/readiness/stages.py": "what it needs depends on what is confirmed",
    "plugins/module_utils/_offboarding/steps/found.py": "a step of a person for what it leaves",
    "plugins/modules/entra_references_info.py": "tells of it to see also",
}
_EXAMPLE = re.compile(r"(?i:intune_assignment|intuneassignment|to whom intune|(restore_|tasks_from: |multi_factor_authentication_)intune)|\bINTUNE\b")


def test_the_walk_for_a_managed_thing_is_short_and_names_every_file() -> None:
    walk = (places.ROOT / "CONTRIBUTING.md").read_text().partition("**A managed thing")[2].partition("**A task**")[0]
    (said,) = map(int, re.findall(r"(\d+) files of the\s+collection", walk))
    assert said == len(WALKED) == sum(map(int, re.findall(r"\((\d+)\)", walk))) <= 15
    assert [words for words in WALKED.values() if words not in walk] == []
    files = [*PLUGINS.rglob("*.py"), *places.ROOT.glob("roles/**/*.yml"), *places.ROOT.glob("playbooks/**/*.yml")]
    assert {str(file.relative_to(places.ROOT)) for file in files if _EXAMPLE.search(file.read_text())} == {*WALKED, *OF_THE_EXAMPLE}


def _changes(file: Path) -> list[str]:
    """The modules by which a file of tasks, with all that it imports and includes, changes things outside of the run folder; twice for a loop."""
    modules = {name.rpartition(".")[2] for name in controller_action._changing()} - {"entra_provisioning_gate"}
    found: list[str] = []
    content = _content(file)
    for task in _tasks([task for play in content for task in play["tasks"]] if "tasks" in content[0] else content):
        for key, value in task.items():
            module = key.removeprefix("offboard.iij_id.")
            if key == "ansible.builtin.import_role":
                entry: Any = value
                found += _changes(places.ROOT / "roles" / entry["name"].rpartition(".")[2] / "tasks" / f"{entry.get('tasks_from', 'main')}.yml")
            elif key in ("ansible.builtin.import_tasks", "ansible.builtin.include_tasks") and "{{" not in str(value):
                found += _changes(next(path for folder in file.parents if (path := folder / str(value)).exists()))
            elif module in modules and task.get("check_mode") is not True:
                found += [module] * (2 if "loop" in task else 1)
    return found


def test_a_stage_with_several_changes_is_compared_as_a_whole_with_what_was_approved() -> None:
    """Before its first one: as_approved.yml plays them in check mode first; on machines a play of its own does so on all of them."""
    stages = places.ROOT / "playbooks" / "stages"
    several = {file.stem for file in (stages / "tasks").glob("*.yml") if len(_changes(file)) > 1}
    assert several == {"accounts", "agent", "app", "client", "linux_agent", "passwords", "policies_and_devices", "restore", "users"}
    found = {file.stem: _changes(file) for file in stages.glob("*.yml") if file.stem != "preflight"}  # which tries in check mode
    one = {"domains": ["entra_domain"], "gate": ["entra_app"]}
    assert {stage: changes for stage, changes in found.items() if changes and stage not in ("freeze", "agents", "clients")} == one
    for stage in ("freeze", "agents", "clients", "../restore"):
        compared, done = [], []
        for task in _tasks([task for play in _content(stages / f"{stage}.yml") for task in play.get("tasks", [])]):
            if (name := str(task.get("ansible.builtin.import_tasks", ""))).endswith(("tasks/comparison.yml", "tasks/compared_machine.yml")):
                assert not done
                compared.append(task["vars"]["__offboard_tasks"])  # type: ignore[index]
            elif name:
                done.append(name)
        assert {*compared} == {*done} and done, stage


def test_what_needs_no_approval_writes_into_the_run_folder_alone() -> None:
    """All other modules that change something do nothing where a plan was approved that they are not given."""
    changes = _content(places.ROOT / "meta" / "runtime.yml")["action_groups"]["changes"]
    found = set()
    for name in changes:
        module = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}")
        names = {**vars(sys.modules[module.make.__module__])} if hasattr(module, "make") else vars(module)
        resources = [value for value in names.values() if isinstance(value, type) and issubclass(value, Resource) and not inspect.isabstract(value)]
        assert resources, name
        if any(resource.in_run_folder for resource in resources):
            found.add(f"offboard.iij_id.{name}")
    assert found == controller_action._IN_RUN_FOLDER and controller_action._changing().isdisjoint(found)


def _tasks(node: object) -> list[dict[str, object]]:
    """The tasks of a file, in blocks too."""
    if isinstance(node, list):
        return [task for item in node for task in _tasks(item)]
    if isinstance(node, dict):
        return [node, *(task for name in ("block", "rescue", "always") for task in _tasks(node.get(name)))]
    return []


def test_every_role_of_a_stage_begins_with_the_run() -> None:
    """Played alone it has the run's folder, and in check mode predictions of its own."""
    for meta in places.ROOT.glob("roles/*/meta/main.yml"):
        needs = [entry["role"] for entry in _content(meta)["dependencies"]]
        assert needs == ([] if meta.parts[-3] in ("offboard", "guest_federation", "awx") else ["offboard.iij_id.offboard"])


def test_no_unit_test_starts_ansible() -> None:
    """A playbook costs seconds: what needs one is in tests/playbook, tests/package or the lab's tests."""
    started = re.compile(r"executable\)\.(parent\s*/|with_name\()\s*\"ansible")
    assert [file for file in (places.ROOT / "tests" / "unit").rglob("*.py") if started.search(file.read_text()) or "ansible_runner" in imports(file)] == []


def test_every_change_of_the_exit_demands_its_preconditions() -> None:
    """In the roles: the module itself demands them, since tasks before it may be left out."""
    changing = {name.rpartition(".")[2] for name in controller_action._changing()}
    without = []
    for file in places.ROOT.glob("roles/*/tasks/*.yml"):
        for task in _tasks(_content(file)):
            for name in changing & {key.removeprefix("offboard.iij_id.") for key in task}:
                options = task[f"offboard.iij_id.{name}"]
                # partners' federations are no part of the exit
                if file.parent.parent.name != "guest_federation" and "requires" not in options:  # type: ignore[operator]
                    without.append(f"{file.parent.parent.name}: {task['name']}")
    assert without == []


def test_what_needs_no_approval_is_what_lies_in_the_run_folder() -> None:
    """By its kind for the plan that is approved, by its Resource for what a task must demand. The gate's verdict is both a file there and a decision."""
    inside, without_requires = set(), set()
    for file in PLUGINS.glob("module_utils/_*/**/resource.py"):
        module = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.{'.'.join(file.relative_to(PLUGINS).with_suffix('').parts)}")
        for found in vars(module).values():
            if isinstance(found, type) and found.__module__ == module.__name__ and getattr(found, "kinds", None):
                inside |= set(found.kinds) if set(found.kinds) & kinds.OF_RUN_FOLDER else set()  # type: ignore[attr-defined]
                without_requires |= set(found.kinds) if found.in_run_folder else set()  # type: ignore[attr-defined]
    assert inside == kinds.OF_RUN_FOLDER
    assert inside - without_requires == {"gate_verdict"} and without_requires <= inside


def test_who_changes_what_lies_in_a_tenant_knows_which_one_it_is() -> None:
    """By their kinds a journal without its `run.json` is known to be some tenant's; kinds that others change too would say it of any."""
    of_tenant, of_others = set(), set()
    for file in PLUGINS.glob("module_utils/_*/**/resource.py"):
        module = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.{'.'.join(file.relative_to(PLUGINS).with_suffix('').parts)}")
        for found in vars(module).values():
            if isinstance(found, type) and found.__module__ == module.__name__ and getattr(found, "kinds", None):
                (of_tenant if issubclass(found, OfTenant) else of_others).update(found.kinds)
    assert of_tenant == kinds.OF_TENANT and not of_tenant & of_others


#: parts of others; what only reads the run folder and tells it; what is no part of a run
_NO_ENDING = {"begin", "controller_in_limit", "ending", "status", "awx_setup"}


@pytest.mark.parametrize("file", [file for file in places.ROOT.glob("playbooks/*.yml") if file.stem not in _NO_ENDING], ids=lambda file: file.stem)
def test_every_playbook_ends_with_what_was_done_and_what_comes_next(file: Path) -> None:
    last = _content(file)[-1]
    assert last["ansible.builtin.import_playbook"] == "ending.yml"
    assert last.get("vars", {}).get("__offboard_ending", file.stem) == file.stem


@pytest.mark.parametrize(
    "file", [file for file in places.ROOT.glob("playbooks/**/*.yml") if file.stem not in _NO_ENDING - {"begin", "status"}], ids=lambda file: file.stem
)
def test_what_stops_on_the_controller_is_told_in_the_readers_language(file: Path) -> None:
    """What modules say is English; the role's `stopped` says it once more."""
    for play in _content(file):
        if play.get("hosts") == "localhost":
            rescues = [task["rescue"][-1].get("ansible.builtin.import_role", {}) for task in _tasks(play["tasks"]) if "rescue" in task]  # type: ignore[index]
            assert any(rescue.get("tasks_from") == "stopped" for rescue in rescues), play["name"]


def _handed_on() -> set[str]:
    """What any role or playbook gives to the later nodes of a workflow."""

    def of(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = set(node["ansible.builtin.set_stats"]["data"]) if "ansible.builtin.set_stats" in node else set()
            own |= set(re.findall(r"(offboard_\w+)'?:", json.dumps(node.get("__offboard_hand_on", {})).replace('"', "")))
            own |= set(re.findall(r"'(offboard_\w+)':", str(node.get("__offboard_artifacts", ""))))
            return own.union(*map(of, node.values()))
        return set().union(*map(of, node)) if isinstance(node, list) else set()

    files = [*places.ROOT.glob("roles/*/tasks/*.yml"), *places.ROOT.glob("playbooks/**/*.yml"), places.ROOT / "roles/offboard/vars/main.yml"]
    return set().union(*(of(_content(file)) for file in files))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_manual_lists_all_that_jobs_hand_on(language: str) -> None:
    rows = [
        line
        for line in (places.ROOT / "docs" / language / "awx.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `(offboard|guest_federation)_", line)
    ]
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])} == _handed_on()


def test_no_line_is_longer_than_sanity_allows() -> None:
    """ruff lets pass a line without blanks, and one that ends with a comment of its own kind; ansible-test's pep8 does not, minutes later."""
    lines = ((file, number, line) for file in PLUGINS.rglob("*.py") for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1))
    assert [f"{file.relative_to(PLUGINS)}:{number}" for file, number, line in lines if len(line) > 160] == []
