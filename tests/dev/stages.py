# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`./dev test`: its stages, their counts, and the line that ends it."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import sys
import sysconfig
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from lab import surroundings

from . import environment, places
from . import lab as laboratory
from .places import CACHE, ROOT
from .say import Failure, end_all, logged, say, tail

#: Runs of which the logs are kept.
KEEP_RUNS = 10
#: Scenarios of which the demo shows the same, and that a second run changes nothing: they run with the tests marked `long`.
LONG_SCENARIOS = ("directory_sync", "microsoft_365")
#: Tests of the stage `tenant` at once. Each waits most of its time, as the tool does before it sends or reads something again.
TENANTS_AT_ONCE = 4
#: No single command of a stage may take longer; with the tests marked `long` it may take four times as long.
COMMAND_SECONDS = 4800.0


@dataclass(frozen=True)
class Core:
    """A release of ansible-core that is tested besides the newest one for the Python at hand."""

    release: str
    minors: tuple[int, ...]  # Python 3.<minor>, in order of preference


# The oldest that meta/runtime.yml promises, and the newest. Pythons: docs.ansible.com, "ansible-core support matrix".
CORES = (Core("2.18", (11, 12, 13)), Core("2.21", (13, 12, 14)))


#: The documentation's examples, played, and many machines: one ansible-core is enough.
ONE_CORE = [f"tests/playbook/test_{name}.py" for name in ("federation_info_modules", "run_folder_examples", "twenty_machines")]


@dataclass
class Stage:
    """One stage while it runs: its counts and its log."""

    name: str
    folder: Path
    #: also the tests marked `long`
    long: bool = False
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def log(self) -> Path:
        """Everything that the stage's commands print."""
        return self.folder / f"{self.name}.log"

    def run(self, argv: Sequence[str | Path], *, cwd: Path = ROOT, env: dict[str, str] | None = None) -> int:
        """Run a command into the log; returns its exit code."""
        seconds = COMMAND_SECONDS * (4 if self.long else 1)
        return logged(argv, self.log, self.name, seconds=seconds, cwd=cwd, env=env or dict(os.environ))

    def check(self, name: str, argv: Sequence[str | Path], **options: object) -> bool:
        """A command that is one test: it passes when it ends with 0."""
        code = self.run(argv, **options)  # type: ignore[arg-type]
        if code:
            self.fail(f"{name} (exit code {code})")
        else:
            self.passed += 1
        return code == 0

    def fail(self, note: str) -> None:
        """Count one failure, and say which."""
        self.failed += 1
        self.notes.append(f"FAILED {note}")

    def skip(self, note: str) -> None:
        """Count something that cannot run here, and say why."""
        self.skipped += 1
        self.notes.append(f"skipped: {note}")

    def count(self, junit: Path, skipped_because: str = "") -> int:
        """Add the counts of a JUnit file; returns how many tests it holds. `skipped_because` is for skips that do not say why."""
        tests = 0
        for case in ElementTree.parse(junit).iter("testcase"):
            tests += 1
            problem = next((child for child in case if child.tag in ("failure", "error")), None)
            skipped = case.find("skipped")
            title = ".".join(filter(None, (case.get("classname"), case.get("name"))))
            if problem is not None:
                first = (problem.get("message") or problem.text or "").strip().split("\n")[0]
                self.fail(f"{title}: {first[:200]}")
            elif skipped is not None:
                self.skip(f"{title}: {(skipped.get('message') or skipped_because).strip()[:200]}")
            else:
                self.passed += 1
        return tests

    def pytest(self, *words: str, venv: Path | None = None, private: laboratory.Private | None = None) -> None:
        """Run pytest, in the environment `venv` (default: this one) and beside the lab `private`, and count its tests."""
        junit = self.folder / f"{self.name}-{len(list(self.folder.glob('*.xml')))}.xml"
        python = venv / "bin" / "python" if venv else Path(sys.executable)
        env = {**(private.env if private else {}), **(environment.variables(venv) if venv else {}), **(private.own if private else {})} or None
        inside = private.inside if private else ()
        select = () if self.long else ("-m", "not long")
        code = self.run([*inside, python, "-m", "pytest", "-q", f"--junitxml={junit}", "-o", "junit_duration_report=call", *select, *words], env=env)
        failures = self.failed
        tests = self.count(junit) if junit.exists() else 0
        if not tests or (code and failures == self.failed):
            self.fail(f"pytest {' '.join(words)}: exit code {code}, {tests} tests; see {self.log}")


# --- the stages -------------------------------------------------------------------------------


def lint(stage: Stage) -> None:
    """ruff, mypy, yamllint, ansible-lint (production), documentation, changelog"""
    stage.check("ruff check", ["ruff", "check", "."])
    stage.check("ruff format", ["ruff", "format", "--check", "--diff", "."])
    stage.check("yamllint", ["yamllint", "--strict", "."])
    typed = ["-p", "ansible_collections.offboard.iij_id.plugins", "-p", "lab", "-p", "dev"]
    stage.check("mypy", ["mypy", *typed], env={**os.environ, "MYPYPATH": f"{places.tree()}:{ROOT / 'tests'}"})
    stage.check("antsibull-changelog lint", ["antsibull-changelog", "lint"])
    stage.check("changelog fragment", [sys.executable, ROOT / "tests" / "dev" / "changelog.py"])
    stage.check("antsibull-docs lint-collection-docs", ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "."])
    stage.check("ansible-lint", ["ansible-lint", "--offline", "--nocolor"])


def unit(stage: Stage) -> None:
    """unit tests, in this environment"""
    stage.pytest("-n", "2", "tests/unit")


def package(stage: Stage) -> None:
    """build, contents, installation and documentation of the tarball"""
    stage.pytest("-n", "2", "tests/package")


def cores(stage: Stage) -> None:
    """unit tests, and playbooks, on the oldest and the newest ansible-core that is supported"""
    pythons = {core: environment.real_python(core.minors) for core in CORES}
    newest = [core for core, python in pythons.items() if python][-1:]
    for core, python in pythons.items():
        if python is None:
            wanted = " or ".join(f"3.{minor}" for minor in sorted(core.minors))
            stage.skip(f"ansible-core {core.release} needs Python {wanted}, which this machine does not have")
            continue
        venv = environment.venv(f"core-{core.release}", python, ["requirements-test.txt"], f"ansible-core=={core.release}.*")
        say(f"    ansible-core {core.release} on {python}")
        # of code that no ansible-core reaches only another Python can tell something new
        left_out = [] if stage.long and python != environment.PYTHON else _without_core()
        left_out += [] if stage.long or core in newest else ONE_CORE
        stage.pytest("-n", "2", "tests/unit", "tests/playbook", *(f"--ignore={path}" for path in left_out), venv=venv)


def _without_core() -> list[str]:
    """Unit tests of what imports nothing of ansible-core (tests/unit/test_house.py sees to that), of the lab and these commands, and of the texts."""
    units = ROOT / "tests" / "unit"
    utils = units / "plugins" / "module_utils"
    folders = (utils / "core", utils / "federation", units / "lab", units / "dev", units / "benchmarks")
    # the parsers reach ansible-core by no more than the imports of the modules that use them, which other tests import as well
    files = [
        utils / "test_parsers.py",
        *utils.rglob("test_plan.py"),
        *units.glob("test_*.py"),
        *(file for folder in folders for file in folder.rglob("test_*.py")),
    ]
    return sorted(str(file.relative_to(ROOT)) for file in files if "from ansible." not in file.read_text(encoding="utf-8"))


def sanity(stage: Stage) -> None:
    """ansible-test sanity of everything that the tarball brings to users"""
    # ansible-test keeps its files below the home folder, and makes pip for its environments from a script that it would
    # download; it takes one that lies there already. pip's own settings and cache stay where they are.
    home = CACHE / "ansible-test"
    sources = Path(sys.prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages", "ansible_test", "_internal", "python_requirements.py")
    for version in set(re.findall(r"pip='([0-9.]+)'", sources.read_text())):
        bootstrap = home / ".ansible" / "test" / "cache" / f"get_pip_{version.replace('.', '_')}.py"
        bootstrap.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(__file__).with_name("pip_bootstrap.py"), bootstrap)
    user = surroundings.home()
    env = {"XDG_CACHE_HOME": str(user / ".cache"), "XDG_CONFIG_HOME": str(user / ".config"), **surroundings.download(os.environ), "HOME": str(home)}
    with tempfile.TemporaryDirectory(prefix="offboard-sanity-") as folder:
        collection = _installed(stage, Path(folder))
        for path in ("config.yml", "sanity"):  # ansible-test's own settings
            source = ROOT / "tests" / path
            if source.is_dir():
                shutil.copytree(source, collection / "tests" / path)
            elif source.exists():
                (collection / "tests").mkdir(exist_ok=True)
                shutil.copyfile(source, collection / "tests" / path)
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        code = stage.run(["ansible-test", "sanity", "--requirements", "--junit", "--color", "no", "--python", python], cwd=collection, env=env)
        failures = stage.failed
        # an entry without a message: none of the collection's files is of the kind that this test looks at
        tests = sum(stage.count(junit, "no such files") for junit in sorted(collection.glob("tests/output/junit/*.xml")))
    if "targets skipped" in stage.log.read_text(errors="replace") or not tests or (code and failures == stage.failed):
        stage.fail(f"ansible-test sanity: exit code {code}, {tests} tests; see {stage.log}")


def _installed(stage: Stage, folder: Path) -> Path:
    """The collection as `folder`/ansible_collections/…, from a tarball built from this checkout."""
    built = folder / "built"
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder)}  # else ansible-galaxy finds this checkout, and does nothing
    code = stage.run(["ansible-galaxy", "collection", "build", "--output-path", built, places.copy(folder / "source")])
    tarballs = [str(path) for path in built.glob("*.tar.gz")]
    code = code or stage.run(["ansible-galaxy", "collection", "install", "--offline", "-p", folder, *tarballs], env=env)
    if code:
        raise Failure(f"the collection cannot be built and installed; see {stage.log}")
    return folder / places.COLLECTION


def tenant(stage: Stage) -> None:
    """the Entra modules, each test against a tenant of its own"""
    stage.pytest("-n", str(TENANTS_AT_ONCE), *_entra_tests())


def lab(stage: Stage) -> None:
    """the other modules, plugins and the lab itself, against the lab"""
    venv = _with_kerberos(smb=stage.long)
    environment.debian_packages({"python3-ldap": "/usr/lib/python3/dist-packages/ldap"})  # where it cannot be had, its test says so
    with contextlib.suppress(Failure):  # the same; in the private network nothing can be fetched
        environment.python3_saml()
    with running_lab(stage) as private:
        stage.pytest("tests/integration_lab", *(f"--ignore={path}" for path in _entra_tests()), private=private, venv=venv)


def _with_kerberos(smb: bool) -> Path | None:
    """This environment with the library for Kerberos, which pip has to compile. None where that cannot be: its test then says so.

    SMB takes krb5 too, which compiles for minutes.
    """
    header = Path(sysconfig.get_path("include"), "Python.h")
    if environment.debian_packages({"gcc": "gcc", "libkrb5-dev": "krb5-config", "python3-dev": str(header)}):
        return None
    return environment.venv("kerberos", environment.PYTHON, ["requirements-dev.txt"], "pyspnego[kerberos]" if smb else "gssapi>=1.8,<2")


def _entra_tests() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/integration_lab/test_entra_*.py"))


def molecule(stage: Stage) -> None:
    """each role's molecule scenario against the lab, with idempotence"""
    scenarios = sorted(path.parent.name for path in ROOT.glob("extensions/molecule/*/molecule.yml"))
    scenarios = [scenario for scenario in scenarios if stage.long or scenario not in LONG_SCENARIOS]
    with running_lab(stage) as private:
        env = {**private.env, "NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "PY_COLORS": "0"}
        for scenario in scenarios:
            stage.check(f"molecule test -s {scenario}", [*private.inside, "molecule", "test", "-s", scenario], env=env)


def e2e(stage: Stage) -> None:
    """the whole decommissioning against the lab: ./dev demo; with --long also killed, in trouble, its secrets watched"""
    with running_lab(stage) as private:
        stage.check("./dev demo", [*private.inside, ROOT / "dev", "demo"], env=private.env)
        if stage.long:
            stage.pytest("tests/e2e", private=private)
    if stage.long:
        with running_lab(stage, OFFBOARD_LAB_COMPANY="midori") as private:
            stage.check("./dev demo --back, another company", [*private.inside, ROOT / "dev", "demo", "--back"], env=private.env)


STAGES: dict[str, Callable[[Stage], None]] = {
    "lint": lint,
    "unit": unit,
    "package": package,
    "cores": cores,
    "sanity": sanity,
    "tenant": tenant,
    "lab": lab,
    "molecule": molecule,
    "e2e": e2e,
}
#: Stages of one lane run one after the other, the lanes side by side: those in a lab wait for it half of the time.
LANES = ((lint, unit, package, cores), (lab, sanity), (tenant, molecule, e2e))


@contextlib.contextmanager
def running_lab(stage: Stage, **more: str) -> Iterator[laboratory.Private]:
    """A lab of its own, up for the stage. A part that cannot run here counts as skipped, with its reason."""
    from lab.__main__ import OPTIONAL

    with laboratory.private("-".join((stage.name, *more.values())), **more) as private:

        def run(*words: str, inside: tuple[str, ...] = private.inside) -> None:
            code = stage.run([*inside, *laboratory.COMMAND, *words], env=private.env)
            if code not in (0, laboratory.PART_LEFT_OUT):
                raise Failure(f"./dev lab {words[0]} ended with {code}; see {stage.log}")

        run("down")  # what a killed run left: it runs in a network that nobody reaches any more
        with environment.lock("lab-prepare"):  # what it makes, all labs share
            laboratory.packages()
            run("prepare", inside=())  # in the private network nothing can be fetched
        try:
            run("up")
            for part, state in laboratory.status(private).items():
                if not state["running"] and part not in OPTIONAL:
                    stage.skip(f"whatever needs the lab's part {part}: {state.get('why_not') or 'it does not run'}")
            yield private
        finally:
            run("down")


# --- the run ----------------------------------------------------------------------------------


def describe() -> str:
    """For --help."""
    return "stages:\n" + "\n".join(f"  {name:<12}{function.__doc__}" for name, function in STAGES.items())


def _new_folder() -> Path:
    logs = CACHE / "logs"
    folder = logs / time.strftime("%Y%m%d-%H%M%S")
    folder = folder if not folder.exists() else folder.with_name(f"{folder.name}-{os.getpid()}")
    folder.mkdir(parents=True)
    for old in sorted(logs.iterdir())[:-KEEP_RUNS]:
        shutil.rmtree(old, ignore_errors=True)  # two that begin at once both take the oldest away
    return folder


#: Held while a stage tells its end, so that two do not mix.
_TELLING = threading.Lock()


def _run(stage: Stage) -> None:
    started = time.monotonic()
    stage.log.touch()
    say(f"==> {stage.name}: {STAGES[stage.name].__doc__}")
    try:
        STAGES[stage.name](stage)
    except (Failure, OSError) as failure:
        stage.fail(str(failure))
    except Exception as error:  # in a thread of its own nobody else would see it
        with open(stage.log, "a", encoding="utf-8") as log:
            log.write(traceback.format_exc())
        stage.fail(f"{type(error).__name__}: {error}")
    if stage.passed + stage.failed == 0:
        stage.fail("the stage ran no test")
    stage.seconds = time.monotonic() - started
    with _TELLING:
        say(f"<== {stage.name}: {stage.passed} passed, {stage.failed} failed, {stage.skipped} skipped in {stage.seconds:.0f} s; log: {stage.log}")
        if stage.failed:
            tail(stage.log)
        for note in stage.notes:
            say(f"    {note}")


def _run_all(stages: Sequence[Stage]) -> None:
    """Each lane in a thread of its own. An interruption ends all of them, and leaves no lab behind."""
    stopped = threading.Event()

    def follow(lane: Sequence[Stage], ended: threading.Event) -> None:
        try:
            for stage in lane:
                if not stopped.is_set():
                    _run(stage)
        finally:
            ended.set()

    running = [(lane, threading.Event()) for functions in LANES if (lane := [stage for stage in stages if STAGES[stage.name] in functions])]
    for lane, ended in running:
        threading.Thread(target=follow, args=(lane, ended), name=lane[0].name).start()
    try:
        for _lane, ended in running:
            ended.wait()  # not join(): once interrupted, that of Python 3.11 takes a running thread for an ended one
    except BaseException:
        stopped.set()
        end_all()
        for _lane, ended in running:
            ended.wait()
        raise


def main(names: Sequence[str], long: bool = False) -> int:
    """Run the stages named (default: all), with `long` also the tests that are marked so; returns the exit code."""
    unknown = sorted(set(names) - set(STAGES))
    if unknown:
        raise Failure(f"no such stage: {', '.join(unknown)}. Stages: {', '.join(STAGES)}")
    folder, started = _new_folder(), time.monotonic()
    stages = [Stage(name, folder, long) for name in STAGES if not names or name in names]
    _run_all(stages)
    say(f"\n{'stage':<12}{'passed':>8}{'failed':>8}{'skipped':>8}{'seconds':>9}")
    for stage in stages:
        say(f"{stage.name:<12}{stage.passed:>8}{stage.failed:>8}{stage.skipped:>8}{stage.seconds:>9.0f}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    say(f"{time.monotonic() - started:.0f} s in all; {used.ru_utime + used.ru_stime:.0f} s of CPU, without the labs', on {os.cpu_count()} CPUs")
    for stage in stages:
        for note in stage.notes:
            if stage.failed and note.startswith("FAILED"):
                say(f"{stage.name}: {note}")
    passed, failed, skipped = (sum(getattr(stage, name) for stage in stages) for name in ("passed", "failed", "skipped"))
    if not long:
        say("\nLeft out: the tests marked `long` (the exit looked at in detail, killed, in trouble). ./dev test --long runs them too.")
    say(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0
