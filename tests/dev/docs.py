# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`./dev docs`: the manual in both languages and a page for each module and role, as one site to put on any web server, or to open from the disk."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from . import environment
from .places import CACHE, ROOT, copy
from .say import Failure, say, step

NAME = "offboard.iij_id"
#: What the site consists of besides the modules' pages, which antsibull-docs writes; in the places where links between them look for it.
_TAKEN = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE", "requirements.txt"),
    *("docs", "roles/*/README.md", "tests/lab/README.md", "extensions/awx"),
)
_ROLES = "# Roles / ロール\n\n```{{toctree}}\n:maxdepth: 1\n\n{}\n```\n"


def build(destination: Path) -> None:
    """Write the site to `destination`, which is emptied. Raises Failure where a link or an anchor leads nowhere, or a page cannot be understood."""
    venv = environment.venv("docs", environment.PYTHON, ["requirements-docs.txt"])
    with tempfile.TemporaryDirectory(prefix="offboard-docs-") as folder:
        collection = copy(Path(folder, "collections"))
        source = Path(folder, "source")
        for file in (file for pattern in _TAKEN for file in collection.glob(pattern)):
            target = source / file.relative_to(collection)
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if file.is_dir() else shutil.copy2)(file, target)
        (source / "roles" / "index.md").write_text(_ROLES.format("\n".join(sorted(f"{file.parent.name}/README" for file in source.glob("roles/*/README.md")))))
        variables = {**environment.variables(venv), "ANSIBLE_COLLECTIONS_PATH": str(Path(folder, "collections"))}
        (source / "modules").mkdir()
        with step("writing a page for each module and role (antsibull-docs)"):
            _run(venv, "antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--dest-dir", source / "modules", NAME, variables=variables)
        with step("building the site (Sphinx)"):
            shutil.rmtree(destination, ignore_errors=True)
            options = ("--builder", "html", "--fail-on-warning", "--keep-going", "--quiet", "--jobs", "2", "--conf-dir", source / "docs" / "docsite")
            _run(venv, "sphinx-build", *options, source, destination, variables=variables)


def _run(venv: Path, program: str, *words: str | Path, variables: dict[str, str]) -> None:
    done = subprocess.run([venv / "bin" / program, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=variables, check=False)
    if done.returncode:
        raise Failure(f"{program} failed (exit code {done.returncode}):\n{(done.stdout + done.stderr).strip()[-6000:]}")


def main(words: list[str]) -> int:
    """`./dev docs [FOLDER]`. Returns the exit code."""
    destination = Path(words[0]).absolute() if words else CACHE / "docs"
    if destination == ROOT or ROOT in destination.parents:
        raise Failure(f"{destination} is within the checkout; name a folder outside of it, for nothing that is made belongs there")
    if destination.exists() and any(destination.iterdir()) and not (destination / "objects.inv").exists():
        raise Failure(f"{destination} holds something else than an earlier site; nothing was written. Name an empty folder, or a new one.")
    build(destination)
    say(f"\nThe site: {destination / 'docs' / 'docsite' / 'index.html'}")
    return 0
