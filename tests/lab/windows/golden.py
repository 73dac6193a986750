# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""The machines as they are before anything is done, made once and cached: programs, setups, products installed.

A folder of `installers/` is a product:
  setup.iss, setup.wxs or setup.nsi   compiled by the real compiler; a folder without one has nothing to install
  files/                              what the setup carries
  drive_c/                            what an administrator writes after the installation, so that no uninstaller knows it
  tasks/*.xml                         scheduled tasks an administrator makes; <URI> is the name

Run as a program (inside `tree.namespace`), it builds what is missing.
"""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from .. import names, paths
from . import tree
from .machine import ABSENT, ENVIRONMENT, SYSTEM32, Machine, MachineError, clone

HERE = Path(__file__).parent
INSTALLERS = HERE / "installers"
#: applied to every machine first
COMMON = "common"

_SETUP_ARGUMENTS = {"exe": "/VERYSILENT /SUPPRESSMSGBOXES /NORESTART", "nsi": "/S"}
#: ours, in System32 of every machine
_SYSTEM_PROGRAMS = ("winrshost", "schtasks", "shutdown", "lsass", "fsutil")
#: carried by setups
_PAYLOADS = ("service",)
#: another vendor's password filter, registered on every machine
_DECOY_FILTER = "acmepwfilter.dll"
#: machines of other sources that nobody has made for so long are thrown away
_UNUSED_SECONDS = 3 * 24 * 3600


def company() -> dict[str, list[str]]:
    """The products of each machine."""
    described = yaml.safe_load((HERE.parent / "company.yml").read_text(encoding="utf-8"))["windows"]
    return {name: described[_like(name)]["products"] for name in paths.WINDOWS}


def _like(name: str) -> str:
    return "sync01" if name in paths.FLEET else name


def _key(*parts: object, files: Iterable[Path]) -> str:
    """A name for what is made of these sources: other sources, other name."""
    digest = hashlib.sha256(repr(parts).encode())
    for path in sorted(files):
        digest.update(str(path.relative_to(HERE)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@functools.cache  # one build, one name, though somebody may edit a source meanwhile
def _base_key() -> str:
    company_name = [names.COMPANY] if names.OTHER else []
    return _key(tree.INNO_VERSION, ENVIRONMENT, *company_name, files=[*_files(HERE / "programs"), *_files(INSTALLERS), Path(__file__)])


def base() -> Path:
    """A machine with nothing installed."""
    return tree.CACHE / f"golden-{_base_key()}" / "base"


def of(name: str) -> Path:
    """The machine `name` as the fixture company has it."""
    name = _like(name)
    products = "-".join(company()[name])
    return base().with_name(f"{name}-{hashlib.sha256(products.encode()).hexdigest()[:8]}")


def missing() -> list[str]:
    """The machines that must be built."""
    return [name for name in paths.WINDOWS if name not in paths.FLEET and not of(name).exists()]


def _compile_programs(out: Path) -> None:
    compiler = ["x86_64-w64-mingw32-gcc-win32", "-O2", "-s", "-Wall", "-Wextra", "-Werror"]
    out.mkdir(parents=True, exist_ok=True)
    for name in (*_SYSTEM_PROGRAMS, *_PAYLOADS, "absent"):
        tree.run([*compiler, "-municode", "-o", str(out / f"{name}.exe"), str(HERE / f"programs/{name}.c")])
    tree.run([*compiler, "-shared", "-o", str(out / "filter.dll"), str(HERE / "programs/filter.c")])


def _make_base(programs: Path) -> None:
    building = base().with_name("base.building")
    shutil.rmtree(building, ignore_errors=True)
    machine = Machine("windows", building)
    machine.wine("wine", "wineboot", "-i")
    # no display here: without the null driver no window can be made, and setups end with "Invalid window handle"
    machine.wine("wine", "reg", "add", r"HKCU\Software\Wine\Drivers", "/v", "Graphics", "/d", "null", "/f")
    for name in _SYSTEM_PROGRAMS:
        target = building / SYSTEM32 / f"{name}.exe"
        target.unlink(missing_ok=True)
        shutil.copy(programs / f"{name}.exe", target)
    for name in ABSENT:
        for folder in (SYSTEM32, SYSTEM32.replace("system32", "syswow64")):  # the second for 32-bit callers
            target = building / folder / f"{name}.exe"
            if target.exists():
                target.unlink()
                shutil.copy(programs / "absent.exe", target)
    shutil.copy(programs / "filter.dll", building / SYSTEM32 / _DECOY_FILTER)
    (building / SYSTEM32 / "Tasks").mkdir(exist_ok=True)
    machine.power_off()
    building.rename(base())


def _sources(product: str) -> Path:
    """The product's folder where machines can see it, with our programs beside."""
    return base().parent / "setups" / f"{product}.sources"


def _rename(folder: Path) -> None:
    """What names the company, in the words of this one."""
    for path in [*folder.rglob("*.yml"), *folder.rglob("*.xml"), *folder.rglob("*.cmd")]:
        lines = path.read_bytes().decode().splitlines(keepends=True)
        path.write_bytes("".join(names.called(line) if path.suffix != ".yml" else _in_yaml(names.called(line)) for line in lines).encode())


def _in_yaml(line: str) -> str:
    r"""A DN's `\,` within quotes; in an LDAP filter the backslash is `\5c` besides."""
    return line.replace(r"\,", r"\\5c," if "memberOf=" in line else r"\\,")


def _make_setup(product: str, programs: Path, workshop: Machine) -> Path | None:
    """Compile a product's setup; None when it has none."""
    folder, sources = INSTALLERS / product, _sources(product)
    out = sources.parent
    shutil.copytree(folder, sources, dirs_exist_ok=True)
    _rename(sources)
    for program in programs.iterdir():
        shutil.copy(program, sources)
    if (folder / "setup.iss").exists():
        shutil.copy(INSTALLERS / "fault.iss", sources)
        target = out / f"{product}.exe"
        workshop.wine(
            "wine", tree.windows_path(tree.inno_compiler()), "/Q", "/O" + tree.windows_path(out), "/F" + product, tree.windows_path(sources / "setup.iss")
        )
    elif (folder / "setup.wxs").exists():
        target = out / f"{product}.msi"
        tree.run(["wixl", "-a", "x64", "-o", str(target), "setup.wxs"], cwd=sources)
        for statement in (sources / "statements.sql").read_text().split(";\n"):
            if statement.strip():
                tree.run(["msibuild", str(target), "-q", " ".join(statement.split())])
    elif (folder / "setup.nsi").exists():
        target = out / f"{product}.nsi.exe"
        tree.run(["makensis", "-V2", "-NOCD", f"-XOutFile {target}", "setup.nsi"], cwd=sources)
    else:
        return None
    return target


def _install(machine: Machine, product: str, setup: Path | None) -> None:
    folder = _sources(product)
    if setup:
        program = tree.windows_path(setup)
        if setup.suffix == ".msi":
            machine.must(f"msiexec.exe /i {program} /qn /norestart")
        else:
            machine.must(f"{program} {_SETUP_ARGUMENTS['nsi' if setup.name.endswith('.nsi.exe') else 'exe']}")
    if (folder / "drive_c").exists():
        shutil.copytree(folder / "drive_c", machine.prefix / "drive_c", dirs_exist_ok=True)
    for task in sorted((folder / "tasks").glob("*.xml")):
        uri = re.search("<URI>(.+)</URI>", task.read_text(encoding="utf-8"))
        if uri is None:
            raise RuntimeError(f"{task} has no <URI>, which names the task")
        machine.must(f'schtasks.exe /create /tn "{uri[1]}" /xml "{tree.windows_path(task)}"')
    script = folder / "after.cmd"
    for line in script.read_text(encoding="utf-8").splitlines() if script.exists() else []:
        if line.strip() and not line.startswith("rem "):
            machine.must(line)


def _make_machine(name: str, setups: dict[str, Path | None]) -> None:
    target = of(name)
    building = target.with_name(f"{target.name}.making")
    clone(base(), building)
    machine = Machine(name, building)
    machine.boot()
    try:
        for product in (COMMON, *company()[name]):
            _install(machine, product, setups[product])
    finally:
        machine.power_off()
    building.rename(target)


def build() -> None:
    """Build what is missing. Killed at any point, the next call goes on."""
    base().parent.mkdir(parents=True, exist_ok=True)
    programs = base().with_name("programs")
    if not base().exists():
        with tree.step("making a Windows machine"):
            _compile_programs(programs)
            _make_base(programs)
    names = missing()
    if not names:
        return
    products = [COMMON, *dict.fromkeys(product for name in names for product in company()[name])]
    with tree.step(f"compiling the setups of {', '.join(products[1:])}"):
        workshop = Machine("workshop", base().with_name("workshop"))
        clone(base(), workshop.prefix)
        try:
            setups = {product: _make_setup(product, programs, workshop) for product in products}
        finally:
            workshop.power_off()
            shutil.rmtree(workshop.prefix, ignore_errors=True)
    with tree.step(f"installing them on {', '.join(names)}"), ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: _make_machine(name, setups), names))
    base().parent.touch()
    for old in tree.CACHE.glob("golden-*"):
        # another checkout's lab may run on one that is not ours
        if old != base().parent and time.time() - old.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    from .server import reap

    def _main() -> None:
        try:
            build()
        except (MachineError, RuntimeError, OSError, subprocess.SubprocessError) as error:
            sys.exit(f"windows: {error}")

    reap(_main)
