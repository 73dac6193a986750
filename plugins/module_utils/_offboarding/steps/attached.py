# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a person attaches to a step: copied into the run folder, where none takes the place of another."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core import plain
from ..._core.errors import OffboardError
from ..._module.files import check_run_file, write_atomically
from .plan import EVIDENCE, evidence_folder

_CHUNK = 1 << 20
#: how many files of one step may have the same name
_SAME_NAME = 1000


@dataclass(frozen=True)
class EvidenceFile:
    """A file that shall be attached, as it was when it was looked at."""

    path: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """What people called it."""
        return plain.line(os.path.basename(self.path))


def look(paths: Iterable[str], max_bytes: int) -> list[EvidenceFile]:
    """The files, each read once. Raises OffboardError `evidence_not_readable`, `evidence_too_large`."""
    found = []
    for path in paths:
        digest, size = hashlib.sha256(), 0
        for part in _parts(path, max_bytes):
            digest.update(part)
            size += len(part)
        found.append(EvidenceFile(path, digest.hexdigest(), size))
    return found


def _parts(path: str, max_bytes: int) -> Iterator[bytes]:
    size = 0
    if not os.path.isabs(path):
        raise _not_readable(path, "it is no absolute path")
    try:
        with _opened(path) as stream:
            while part := stream.read(_CHUNK):
                size += len(part)
                if size > max_bytes:
                    raise OffboardError(
                        f"{plain.line(path)} has more than {max_bytes // 1_000_000} MB, so it is not attached, and nothing was confirmed. Attach a smaller "
                        "one, or allow more (evidence_max_mb; in the roles offboard_evidence_max_mb).",
                        code="evidence_too_large",
                    )
                yield part
    except OSError as exc:
        raise _not_readable(path, exc.strerror or str(exc)) from exc
    except ValueError:  # a null byte
        raise _not_readable(path, "it is no path") from None


@contextlib.contextmanager
def _opened(path: str) -> Iterator[io.BufferedReader]:
    """The file itself, never what a link leads to, nor a device or a pipe, which may have no end. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no file")
        yield stream


def _not_readable(path: str, why: str) -> OffboardError:
    return OffboardError(
        f"{plain.line(path)} cannot be attached as evidence: {why}. Nothing was confirmed. Give the whole path of a file on the machine that runs this (in AWX "
        "the job's), and of the file itself, no link.",
        code="evidence_not_readable",
    )


class Attaching:
    """What has to be copied so that the sources are evidence of steps. Nothing is written before `copy`."""

    def __init__(self, run_dir: str, sources: Iterable[EvidenceFile], max_bytes: int) -> None:
        self._run_dir, self._sources, self._max_bytes = run_dir, list(sources), max_bytes
        #: by where it will lie in the run folder
        self._copies: dict[str, EvidenceFile] = {}

    def entries(self, identity: str, held: Iterable[Mapping[str, Any]], by: str, at: str) -> list[Mapping[str, Any]]:
        """All evidence of the step then; nothing where all sources are. One of the same name and content is held already; where it was damaged, the
        whole one takes its place."""
        entries, more = list(held), False
        for source in self._sources:
            same = [entry for entry in entries if (entry["name"], entry["sha256"]) == (source.name, source.sha256)]
            if any(_state(self._run_dir, entry) == "kept" or entry["file"] in self._copies for entry in same):
                continue
            entries, more = [entry for entry in entries if entry not in same], True
            entries.append({"file": self._place(identity, source), "name": source.name, "sha256": source.sha256, "bytes": source.size, "by": by, "at": at})
        return entries if more else []

    def _place(self, identity: str, source: EvidenceFile) -> str:
        """Where no other content lies."""
        stem, ending = os.path.splitext(plain.file_part(os.path.basename(source.path)))
        for number in range(1, _SAME_NAME):
            file = f"{evidence_folder(identity)}/{stem}{f'-{number}' if number > 1 else ''}{ending}"
            planned = self._copies.get(file)
            if planned is not None and planned.sha256 != source.sha256:
                continue
            if planned is None and os.path.lexists(os.path.join(self._run_dir, file)):
                if _digest(os.path.join(self._run_dir, file)) == source.sha256:
                    return file
                continue
            self._copies.setdefault(file, source)
            return file
        raise _not_readable(source.path, f"the step {identity} has too many files of that name")

    def copy(self) -> None:
        """Into the run folder, readable by its owner only. Raises OffboardError, also for what others could have put there, or a source that has changed."""
        for file, source in self._copies.items():
            for place in (EVIDENCE, os.path.dirname(file), file):
                check_run_file(os.path.join(self._run_dir, place))
            write_atomically(os.path.join(self._run_dir, file), self._same(source), overwrite=False)

    def _same(self, source: EvidenceFile) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for part in _parts(source.path, self._max_bytes):
            digest.update(part)
            yield part
        if digest.hexdigest() != source.sha256:
            raise _not_readable(source.path, "it changed while it was copied")


def _digest(path: str) -> str:
    """SHA-256 of a file; empty for what is none, or cannot be read."""
    try:
        with _opened(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _state(run_dir: str, entry: Mapping[str, Any]) -> str:
    path = os.path.join(run_dir, entry["file"])
    if not os.path.lexists(path):
        return "missing"
    return "kept" if _digest(path) == entry["sha256"] else "changed"


def with_states(run_dir: str, step: Mapping[str, Any]) -> dict[str, Any]:
    """A step, of whose evidence each file has its `state`: kept, missing or changed."""
    if not step.get("evidence"):
        return dict(step)
    return {**step, "evidence": [{**entry, "state": _state(run_dir, entry)} for entry in step["evidence"]]}
