# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`./dev docs`: the manual in both languages and a page for each module and role, as one site to put on any web server, or to open from the disk."""

from __future__ import annotations

import re
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
#: Letters and marks of Japanese, beside which a line's end must not become a blank; and marks beside which none is wanted even before Latin letters.
_MARKS = "、。，．・：；！？「」『』（）〈〉【】…"
_JAPANESE = f"{_MARKS}々〆ー\u3040-\u30ff\u3400-\u9fff\uff66-\uff9f"
_AT_A_LINES_END = re.compile(rf"(?<=[{_JAPANESE}])\n[ ]*(?=[{_JAPANESE}])|(?<=[{_MARKS}])\n[ ]*(?=[^\s])|(?<=\S)\n[ ]*(?=[{_MARKS}])")
_FENCE = re.compile(r"^ *(```+|~~~+).*?^ *\1`* *$\n?", re.M | re.S)
#: what begins a block of its own, or is one: a heading, a list, a table, a quotation, HTML, a label
_BLOCK = re.compile(r" *(#|[-*+] |\d+[.)] |\||>|<|\(\S+\)=|    )")


def joined(markdown: str) -> str:
    """Japanese Markdown with each paragraph's lines as one where a browser would show a blank in the middle of a sentence. Code stays as it is."""
    parts, at = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [_joined_text(markdown[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*parts, _joined_text(markdown[at:])])


def _joined_text(text: str) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        whole = f"{lines[-1]}\n{line}" if lines and lines[-1].strip() and line.strip() else ""
        own = _BLOCK.match(line) or (lines and re.match(r" *(#|\||<|>|\(\S+\)=)", lines[-1]))
        end = _AT_A_LINES_END.search(whole, max(0, len(lines[-1]) - 1)) if whole and not own else None
        if end is not None and end.start() == len(lines[-1]):
            lines[-1] = whole[: end.start()] + whole[end.end() :]
        else:
            lines.append(line)
    return "\n".join(lines)


def page_of_module(text: str) -> str:
    """What antsibull-docs has written, without a table of contents: the theme has its own, and puts an error in the place of another one."""
    return re.sub(r"^\.\. contents::.*\n(?: {2,}:.*\n)*", "", text, flags=re.M)


def index_of_modules(text: str) -> str:
    """Their list, under the collection's name as it is spelled."""
    return re.sub(r"^[^\n]+\n=+$", f"Modules / モジュール\n{'=' * 30}", text, count=1, flags=re.M)


def build(destination: Path, jobs: int = 2) -> None:
    """Write the site to `destination`, which is emptied. Raises Failure where a link or an anchor leads nowhere, or a page cannot be understood.

    With one of `jobs` it costs a seventh less CPU: pages need not be handed from one process to another.
    """
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
        for page in (source / "modules").glob("*.rst"):
            text = page_of_module(page.read_text())
            page.write_text(index_of_modules(text) if page.name == "index.rst" else text)
        for page in (source / "docs" / "ja").glob("*.md"):
            page.write_text(joined(page.read_text()))
        with step("building the site (Sphinx)"):
            shutil.rmtree(destination, ignore_errors=True)
            options = ("--builder", "html", "--fail-on-warning", "--keep-going", "--quiet", "--jobs", str(jobs), "--conf-dir", source / "docs" / "docsite")
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
