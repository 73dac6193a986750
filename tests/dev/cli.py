# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of `./dev`, once it runs in its own environment."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

from . import demo, docs, lab, pages, stages
from .places import CACHE, ROOT
from .say import Failure, say, warn

DESCRIPTION = f"""\
The one command of this repository. It installs what it needs below {CACHE} and nothing anywhere else,
except Debian packages (as root; otherwise it says which).
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shown = commands.add_parser("demo", help="the whole exit from IIJ ID against the lab: check mode, for real, again, report")
    shown.add_argument("--back", action="store_true", help="then all the way back, and forward once more")
    test = commands.add_parser("test", help="all tests, or the stages named", formatter_class=argparse.RawDescriptionHelpFormatter,
                               epilog=stages.describe())  # fmt: skip
    test.add_argument("stage", nargs="*", metavar="STAGE", help="only these stages")
    test.add_argument("--long", action="store_true", help="also the longest tests, which take some hours more")
    commands.add_parser("lint", help="the linters only (./dev test lint)")
    commands.add_parser("pages", help="write the pages of the manual that are made from the code")
    for name, (_function, text) in PASSED_ON.items():
        commands.add_parser(name, help=text)
    return parser


def main(argv: list[str]) -> int:
    """Returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that children are ended and locks given back
    try:
        if argv and argv[0] in PASSED_ON:
            return PASSED_ON[argv[0]][0](argv[1:])
        options = _parser().parse_args(argv)
        if options.command == "demo":
            return demo.main(options.back)
        if options.command == "pages":
            pages.write()
            return 0
        return stages.main(options.stage, options.long) if options.command == "test" else stages.main(["lint"])
    except Failure as failure:
        warn(f"./dev: {failure}")
        return 1
    except KeyboardInterrupt:
        warn("interrupted")
        return 130


def bench(words: list[str]) -> int:
    """`./dev bench [NAME] [options]`: tests/benchmarks/NAME.py, or all of them."""
    folder = ROOT / "tests" / "benchmarks"
    names = sorted(file.stem for file in folder.glob("[a-z]*.py"))
    chosen, options = (words[:1], words[1:]) if words and not words[0].startswith("-") else (names, words)
    if not set(chosen) <= set(names) or not names:
        raise Failure(f"benchmarks there are: {', '.join(names) or 'none yet'}")
    worst = 0
    for name in chosen:
        say(f"==> {name}")
        argv = [sys.executable, str(Path(folder, f"{name}.py")), *options]
        worst |= subprocess.run(argv, env=lab.variables(), check=False).returncode
    return worst


def shell(words: list[str]) -> int:
    """`./dev shell [COMMAND …]`: a shell, or one command, in the environment of the tests."""
    return subprocess.run(words or [os.environ.get("SHELL", "/bin/sh")], check=False).returncode


#: Commands that take all further words as they are.
PASSED_ON = {
    "docs": (docs.main, "the documentation site: ./dev docs [FOLDER]"),
    "lab": (lab.main, "up, down, status, reset, iij …: the lab (./dev lab --help)"),
    "bench": (bench, "the benchmarks in tests/benchmarks, or the one named"),
    "shell": (shell, "a shell, or the command that follows, in the environment of the tests"),
}
