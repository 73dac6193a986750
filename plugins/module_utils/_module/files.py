# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's own files: written atomically or appended durably, readable by their owner only."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import pwd
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._core import journal
from .._core.errors import OffboardError
from .._core.plain import to_json


def write_atomically(path: str, data: bytes | Iterable[bytes], *, overwrite: bool = True) -> None:
    """`data`, or its parts, is at `path` whole or not at all (mode 0600).

    Raises OffboardError `file_exists` when it is there and `overwrite` is false, `file_write_failed` when the disk refuses.
    """
    folder = os.path.dirname(os.path.abspath(path))
    temporary = None
    try:
        _make_folder(folder)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{os.path.basename(path)}.")
        with os.fdopen(handle, "wb") as stream:
            stream.writelines([data] if isinstance(data, bytes) else data)
            stream.flush()
            os.fsync(stream.fileno())
        if overwrite:
            os.replace(temporary, path)
            temporary = None
        else:
            try:
                os.link(temporary, path)  # fails when the file exists, unlike rename
            except FileExistsError as exc:
                raise OffboardError(f"{path} exists and is never overwritten; move it away to have a new one", code="file_exists") from exc
        _sync_folder(folder)
    except OSError as exc:
        raise OffboardError(f"cannot write {path}: {exc.strerror or exc}", code="file_write_failed") from exc
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def check_run_file(path: str) -> None:
    """Whether others could have written to `path`, a file of the run folder, or put another one in its place; what it says is believed otherwise.

    Raises OffboardError `run_folder_unsafe`.
    """
    folder, name = os.path.split(os.path.abspath(path))
    folder = os.path.realpath(folder)
    _check_above(folder)
    for place in (folder, os.path.join(folder, name)):
        try:
            found = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as exc:
            raise OffboardError(f"cannot read {place}: {exc.strerror or exc}", code="file_read_failed") from exc
        if why := _unsafe(found):
            raise OffboardError(
                f"{place} {why}. What is in the run folder (journal, steps, snapshot) decides what is changed, so nothing was done. Use a run folder that "
                "belongs to the account that runs this, with mode 0700, and see what has been put into this one.",
                code="run_folder_unsafe",
                details={"path": place},
            )


def _check_above(folder: str) -> None:
    """Whether anyone could rename the run folder, or one that it lies in, and put another in its place. Raises OffboardError `run_folder_unsafe`."""
    while (above := os.path.dirname(folder)) != folder:
        folder = above
        try:
            mode = os.lstat(folder).st_mode
        except OSError:  # still to be made, or not to be seen: what is in it cannot be read then
            continue
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise OffboardError(
                f"{folder}, in which the run folder lies, can be written by other accounts (mode {stat.S_IMODE(mode):04o}): they could put another folder in "
                "the run folder's place, so nothing was done. Take the right to write from others (chmod o-w), or let each remove only what is their own "
                "(chmod +t), and see what is in the run folder.",
                code="run_folder_unsafe",
                details={"path": folder},
            )


def _unsafe(found: os.stat_result) -> str:
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link"
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        return "is neither a file nor a folder"
    if found.st_uid != os.geteuid():
        try:
            owner = pwd.getpwuid(found.st_uid).pw_name
        except KeyError:
            owner = f"user {found.st_uid}"
        return f"belongs to {owner}, not to the account that runs this"
    # the group of one's own is what a umask of 002 gives
    if found.st_mode & stat.S_IWOTH or (found.st_mode & stat.S_IWGRP and found.st_gid != os.getegid()):
        return f"can be written by other accounts (mode {stat.S_IMODE(found.st_mode):04o})"
    return ""


def _make_folder(folder: str) -> None:
    """With what is missing above it; for the owner alone, whatever the umask. Raises OSError."""
    above = os.path.dirname(folder)
    if not os.path.isdir(above):
        _make_folder(above)
    os.makedirs(folder, mode=0o700, exist_ok=True)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def file_locked(path: str) -> Iterator[None]:
    """Others who ask for `path` by this function wait: for a file that is read, added to and written again.

    Also those on other machines that share the folder: the lock is a POSIX lock of a file beside it, which NFS passes on. A lock of the folder it keeps to
    each machine. Raises OffboardError `file_write_failed`.
    """
    folder, name = os.path.split(os.path.abspath(path))
    lock = os.path.join(folder, f".{name}.lock")
    try:
        _make_folder(folder)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as exc:
        raise OffboardError(f"cannot write {path}: {exc.strerror or exc}", code="file_write_failed") from exc
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
        except OSError as exc:  # a mount that knows no locks
            raise OffboardError(f"cannot lock {lock}: {exc.strerror or exc}", code="file_write_failed") from exc
        yield
    finally:
        os.close(descriptor)


def append_records(path: str, records: Iterable[Mapping[str, Any]]) -> None:
    """JSON lines at the end of `path`, on the disk when this returns; several processes may append to one file.

    A line that a killed process or a full disk left half written is closed first, so that later records stay readable.
    Raises OffboardError `file_write_failed`.
    """
    data = "".join(to_json(record, separators=(",", ":")) + "\n" for record in records).encode()
    try:
        _make_folder(os.path.dirname(os.path.abspath(path)))
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            end = os.lseek(descriptor, 0, os.SEEK_END)
            if end and os.pread(descriptor, 1, end - 1) != b"\n":
                data = b"\n" + data
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise OffboardError(f"{path} is a symbolic link, and is not written to. Name the file itself.", code="file_write_failed") from exc
        raise OffboardError(f"cannot append to {path}: {exc.strerror or exc}", code="file_write_failed") from exc


def read_whole(path: str) -> bytes | None:
    """The content; None when there is no file. Raises OffboardError `file_read_failed`."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc


def read_lines(path: str) -> Iterator[bytes]:
    """The lines of a file, as they are; none when there is no file. Raises OffboardError `file_read_failed`."""
    try:
        with open(path, "rb") as stream:
            yield from stream
    except FileNotFoundError:
        return
    except OSError as exc:
        raise OffboardError(f"cannot read {path}: {exc.strerror or exc}", code="file_read_failed") from exc


def read_records(path: str) -> Iterator[dict[str, Any]]:
    """The records of a JSON-lines file; none when there is no file. A half-written line (a kill, a full disk) is passed over."""
    for line in read_lines(path):
        with contextlib.suppress(ValueError, RecursionError):  # also where the cut lies within a character
            record = json.loads(line.decode())
            if isinstance(record, dict):
                yield record


def read_journal(path: str) -> Iterator[Mapping[str, Any]]:
    """The whole records of a journal; none when there is no file. Raises OffboardError `run_folder_unsafe`, `file_read_failed`."""
    check_run_file(path)
    return journal.known(read_records(path))
