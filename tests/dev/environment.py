# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual environments and Debian packages that `./dev` needs, made once in the cache.

Only Python's standard library: this runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lab import surroundings

from .places import CACHE, ROOT, tree
from .say import Failure, say, step

#: The Python that runs this, also from inside a virtual environment.
PYTHON = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
#: Makes and fills the environments: some 10 s where pip takes 50 s.
UV = "uv>=0.9,<1"
#: An environment that no run has used for so long belongs to old requirements.
KEEP_DAYS = 14
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# made by offboard.iij_id's ./dev while it installs packages: no service starts\nexit 101\n"


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Only one process at a time; given back by the kernel when the process is killed."""
    path = CACHE / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"    waiting for another ./dev ({name})")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


# --- virtual environments ---------------------------------------------------------------------


def checked(argv: Sequence[str | Path], what: str) -> None:
    """Run a command that installs something. Raises Failure with the end of its output when it fails."""
    result = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=_download_environment())
    if result.returncode:
        raise Failure(f"{what} failed (exit code {result.returncode}):\n{(result.stdout + result.stderr).strip()[-3000:]}")


def _download_environment() -> dict[str, str]:
    """The user's way to the network. uv reads other names than pip: hand over the certificate file and the index that the user set for pip."""
    env = surroundings.download(os.environ)
    for theirs, ours in (("PIP_CERT", "SSL_CERT_FILE"), ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")):
        if env.get(theirs):
            env.setdefault(ours, env[theirs])
    return env


@contextlib.contextmanager
def made_once(folder: Path, program: str = "bin/python") -> Iterator[bool]:
    """True when `folder`, with that program in it, must be made (it is empty then). Whatever a killed run left half-way is thrown away."""
    complete = folder / "complete"
    if not complete.exists() or not (folder / program).exists():
        with lock(folder.name):
            if not complete.exists() or not (folder / program).exists():
                shutil.rmtree(folder, ignore_errors=True)
                yield True
                complete.touch()
                _remove_unused(folder)
                return
    complete.touch()  # "used": see _remove_unused
    yield False


def _remove_unused(folder: Path) -> None:
    for other in folder.parent.glob("*/complete"):
        if time.time() - other.stat().st_mtime > KEEP_DAYS * 86400:
            shutil.rmtree(other.parent, ignore_errors=True)


def _key(*made_from: object) -> str:
    return hashlib.sha256(json.dumps(made_from, default=str).encode()).hexdigest()[:12]


def _uv() -> Path:
    folder = CACHE / "venvs" / f"uv-{_key(PYTHON, UV)}"
    with made_once(folder) as needed:
        if needed:
            _need_ensurepip()
            with step("installing uv, which makes the environments"):
                checked([PYTHON, "-m", "venv", folder], "making a virtual environment")
                checked([folder / "bin" / "pip", "install", "--quiet", UV], "installing uv")
    return folder / "bin" / "uv"


def _need_ensurepip() -> None:
    if importlib.util.find_spec("ensurepip"):
        return
    if PYTHON.parent != Path("/usr/bin"):
        raise Failure(f"{PYTHON} has no ensurepip, so no virtual environment can be made with it. Use another Python 3.11 or later.")
    missing = debian_packages({"python3-venv": f"/usr/lib/python3.{sys.version_info.minor}/ensurepip/__init__.py"})
    if missing:
        raise Failure(f"Python's venv is missing: sudo apt-get install {' '.join(missing)}")
    importlib.invalidate_caches()


def _install(name: str, folder: Path, uv: Path, packages: Sequence[str | Path]) -> None:
    packages = ["--quiet", *packages]
    try:
        checked([uv, "pip", "install", "--compile-bytecode", "--python", folder / "bin" / "python", *packages], f"filling the environment {name}")
    except Failure as failure:  # uv does not read pip.conf: behind a mirror, only pip may know the way
        say(f"    {failure}\n    trying pip instead (some 60 s)")
        checked([uv.with_name("pip"), "--python", folder / "bin" / "python", "install", *packages], f"filling the environment {name}")


def venv(name: str, python: str | Path, requirements: Sequence[str | Path], constraint: str = "", inner: str = "") -> Path:
    """A virtual environment with the requirement files given (paths relative to the checkout) and, if given, one further
    requirement such as `ansible-core==2.18.*`, then those of a file `inner` that lies in it by now (a pattern below site-packages).
    Other contents are another folder, so a running one is never changed."""
    texts = [(ROOT / file).read_text() for file in sorted(ROOT.glob("requirements*.txt"))] if requirements else []
    folder = CACHE / "venvs" / f"{name}-{_key(python, requirements, constraint, *filter(None, [inner]), texts)}"
    with made_once(folder) as needed:
        if needed:
            uv = _uv()
            with step(f"making the environment {name} in {folder} (10 to 60 s)"):
                checked([uv, "venv", "--quiet", "--no-project", "--python", python, folder], f"making the environment {name}")
                files = [word for file in requirements for word in ("--requirement", ROOT / file)]
                _install(name, folder, uv, [*files, *([constraint] if constraint else [])])
                if inner:
                    _install(name, folder, uv, ["--requirement", next(folder.glob(f"lib/*/site-packages/{inner}"))])
    return folder


def python3_saml() -> Path:
    """One with OneLogin's SAML toolkit, whose xmlsec and lxml have to share a libxml2. Raises Failure."""
    return venv("python3-saml", PYTHON, [], "python3-saml==1.16.*")


#: The package that brings awx.awx, since no registry of packages has it alone.
AWX = "ansible==12.3.0"


def awx_collection() -> Path:
    """A collections folder that holds awx.awx and nothing else. Raises Failure when it cannot be had."""
    folder = CACHE / "collections" / f"awx-{_key(AWX)}"
    inside = "ansible_collections/awx/awx/"
    with made_once(folder, f"{inside}MANIFEST.json") as needed:
        if needed:
            pip = _uv().with_name("pip")
            with step("fetching the collection awx.awx (54 MB)"), tempfile.TemporaryDirectory(prefix="offboard-awx-") as download:
                checked([pip, "download", "--quiet", "--no-deps", "--no-cache-dir", "--only-binary", ":all:", "--dest", download, AWX], f"downloading {AWX}")
                (wheel,) = Path(download).glob("*.whl")
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(folder, [name for name in archive.namelist() if name.startswith(inside)])
    return folder


def real_python(minors: Sequence[int]) -> Path | None:
    """The first Python 3.<minor> that is there, as a program of its own. A pyenv shim is none: it may refuse to run."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder and not folder.endswith("/shims")]
    pyenv = Path(os.environ.get("PYENV_ROOT") or surroundings.home() / ".pyenv")
    for minor in minors:
        if sys.version_info[:2] == (3, minor):
            return PYTHON
        for folder in (*folders, *sorted(pyenv.glob(f"versions/3.{minor}.*/bin"), reverse=True)):
            python = folder / f"python3.{minor}"
            with contextlib.suppress(OSError):
                if subprocess.run([python, "-c", "import ssl, venv"], capture_output=True).returncode == 0:
                    return python
    return None


def variables(folder: Path) -> dict[str, str]:
    """The environment variables for programs of the virtual environment `folder`: its bin first, this checkout as the collection, nothing of the
    user's that changes how they behave."""
    shims = ("/shims", "/shims/")
    path = [word for word in os.environ.get("PATH", "").split(os.pathsep) if not word.endswith(shims) and Path(word) != Path(sys.prefix, "bin")]
    return {
        **surroundings.clean(os.environ),
        "PATH": os.pathsep.join([str(folder / "bin"), *dict.fromkeys(path)]),
        "VIRTUAL_ENV": str(folder),
        "ANSIBLE_COLLECTIONS_PATH": str(tree()),
        "PYTHONUNBUFFERED": "1",
    }


def enter(argv: Sequence[str]) -> None:
    """Go on in the developer's environment: returns at once when already there, else starts this program anew."""
    try:
        folder = venv("dev", PYTHON, ["requirements-dev.txt"])
    except Failure as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
    os.umask(surroundings.UMASK)
    if Path(sys.prefix) != folder or os.environ.get("ANSIBLE_COLLECTIONS_PATH") != str(tree()):
        os.execve(folder / "bin" / "python", [str(folder / "bin" / "python"), *argv], variables(folder))


# --- Debian packages --------------------------------------------------------------------------


def debian_packages(packages: Mapping[str, str]) -> list[str]:
    """Install those that are missing ({package: a program or file by which it is recognised}); returns what is still missing.

    Installs only as root. No service is started by an installation.
    """

    def still_missing() -> list[str]:
        return [package for package, sign in packages.items() if not (Path(sign).exists() if "/" in sign else shutil.which(sign))]

    missing = still_missing()
    if not missing:
        return []
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return missing
    with lock("apt"), step(f"apt-get install {' '.join(missing)}"), _no_services():
        install = ["install", "--yes", "--no-install-recommends", *missing]
        if _apt(*install):  # an interrupted dpkg, no package lists yet (a fresh machine), or old ones
            subprocess.run(["dpkg", "--configure", "-a"], stdin=subprocess.DEVNULL, capture_output=True)
            say("    apt-get update")
            _apt("update")
            error = _apt(*install)
            if error:
                say(f"    apt-get could not install them:\n{error[-1500:]}")
    return still_missing()


def _apt(*words: str) -> str:
    env = {**surroundings.download(os.environ), "DEBIAN_FRONTEND": "noninteractive"}
    argv = ["apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=600", *words]
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env)
    return "" if result.returncode == 0 else (result.stdout + result.stderr or shlex.join(argv))


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Debian asks policy-rc.d before it starts a service. Ours goes away again, also one that a killed run left behind."""
    if not POLICY.exists():
        POLICY.write_text(POLICY_TEXT)
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if POLICY.read_text(errors="replace") == POLICY_TEXT:
            POLICY.unlink()
