# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SYSVOL of one domain controller by SMB 2/3: read, lock, replace, with errors a user can act on. The only file that imports smbprotocol."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import OffboardError
from .._module import reaching
from .connection import Connection

try:
    import smbclient
    from smbprotocol.exceptions import SMBAuthenticationError, SMBConnectionClosed, SMBException, SMBOSError, SMBResponseException
    from smbprotocol.open import InfoType, SMB2QueryInfoRequest, SMB2QueryInfoResponse, SMB2SetInfoRequest, SMB2SetInfoResponse

    SMBPROTOCOL_IMPORT_ERROR: ImportError | None = None
except ImportError as exc:  # reported by the module through missing_required_lib
    SMBPROTOCOL_IMPORT_ERROR = exc

#: A policy's file or a script is some kB; nobody's memory is filled.
MOST_BYTES = 8 * 1024 * 1024
#: Files, folders and links of one template, or of the scripts folder; a policy has a dozen.
_MOST_ENTRIES, _DEEPEST = 5_000, 20
_ACCESS_DENIED, _SHARING_VIOLATION = 0xC0000022, 0xC0000043
_CODES = {
    _ACCESS_DENIED: ("insufficient_rights", "access is denied"),
    _SHARING_VIOLATION: ("file_in_use", "another program has it open"),
    0xC0000054: ("file_in_use", "another program has locked a part of it"),
    0xC000005A: ("insufficient_rights", "the account may not give it that owner"),
    0xC0000906: ("insufficient_rights", "a virus scanner there lets nobody have it"),
    0xC0000056: ("not_found", "it is being deleted"),
    0xC0000034: ("not_found", "there is no such file"),
    0xC000003A: ("not_found", "there is no such folder"),
    0xC00000CC: ("not_found", "there is no such share"),
    0xC0000225: ("not_found", "there is no such thing"),
    0xC0000035: ("already_exists", "it is there already"),
    0xC000007F: ("file_write_failed", "the disk is full"),
    0xC0000044: ("file_write_failed", "the disk quota is used up"),
}
# Access rights, [MS-DTYP] 2.4.3 and [MS-SMB2] 2.2.13.1
_READ_ATTRIBUTES, _WRITE_DATA, _ADD_FILE = 0x80, 0x2, 0x2
_DELETE, _READ_CONTROL, _WRITE_DAC, _WRITE_OWNER = 0x0001_0000, 0x0002_0000, 0x0004_0000, 0x0008_0000
_OWNER_AND_GROUP, _DACL = 3, 4
_READ_ONLY, _REPARSE_POINT = 0x1, 0x400  # [MS-FSCC] 2.6
#: Of the logon, before any file is asked for.
_LOGON_CODES = {
    0xC000006D: ("wrong_credentials", "wrong user name or password, or NTLM is not allowed there"),
    0xC000006A: ("wrong_credentials", "wrong password"),
    0xC0000064: ("wrong_credentials", "there is no such user"),
    0xC0000225: ("wrong_credentials", "wrong user name or password"),  # Samba 4.17's answer to a wrong password of Administrator
    0xC000006E: ("logon_denied", "the account may not log on"),
    0xC000006F: ("logon_denied", "the account may not log on at this time"),
    0xC0000070: ("logon_denied", "the account may not log on from this computer"),
    0xC000015B: ("logon_denied", "the account may not log on from the network"),
    0xC0000071: ("password_expired", "its password has expired"),
    0xC0000224: ("password_must_change", "its password must be changed first"),
    0xC0000072: ("account_disabled", "the account is disabled"),
    0xC0000193: ("account_expired", "the account has expired"),
    0xC0000234: ("account_locked", "the account is locked out"),
}
_PORT = 445
#: Seconds between two tries to rename over a file that somebody reads.
_PAUSE = 0.3


@dataclass
class Listing:
    """What is below a folder, as paths relative to it, sorted. `links` are not followed, whatever they lead to."""

    files: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


class Locked:
    """A file that is held open for reading and writing while others may only read it."""

    def __init__(self, stream: Any, failures: Callable[[str], contextlib.AbstractContextManager[None]], path: str) -> None:
        self._stream, self._failures, self._path = stream, failures, path

    def read(self) -> bytes:
        """All of it, at most MOST_BYTES."""
        with self._failures(f"cannot read {self._path}"):
            self._stream.seek(0)
            return self._stream.read(MOST_BYTES)

    def write(self, data: bytes) -> None:
        """In place, since a new file would lose the descriptor that GPT.INI has of its own."""
        with self._failures(f"cannot write {self._path}"):
            self._stream.seek(0)
            self._stream.write(data)
            self._stream.truncate(len(data))
            self._stream.flush()


class Sysvol:
    r"""One session with the domain controller that the option `host` names; opened at the first use. Paths are `sysvol\…`.

    DFS is not followed: it would choose another domain controller. All methods raise OffboardError: `bad_option`, `credentials_missing`,
    `unreachable`, `wrong_credentials`, `kerberos_failed`, `missing_library`, `connection_lost`, `timeout`, `insufficient_rights`, `file_in_use`,
    `not_found`, `already_exists`, `file_write_failed`, `too_large`, `smb_error`.
    """

    def __init__(self, connection: Connection) -> None:
        self._reached = connection
        # smbprotocol's own cache is the process's: it would lend this client the session of another account
        self._cache: dict[str, Any] = {}
        self._opened = False

    @property
    def where(self) -> str:
        """The server, for messages."""
        return f"smb://{self._server}"

    @property
    def _server(self) -> str:
        kerberos = self._reached.authentication == "kerberos"
        # as for LDAP: Kerberos needs the server's name, which valid_names holds when host is an address
        return (self._reached.valid_names or [self._reached.host])[0] if kerberos else self._reached.host

    def _open(self) -> None:
        if self._opened:
            return
        given = self._reached
        kerberos = given.authentication == "kerberos"
        user = given.username or ""
        if not kerberos and not (user and given.password):
            raise OffboardError("authentication=simple needs username and password", code="credentials_missing")
        if not kerberos and "=" in user:
            raise OffboardError(
                r"username: SYSVOL is reached by SMB, where an account is user@domain or DOMAIN\user, and no distinguished name", code="bad_option"
            )
        smbclient.ClientConfig(skip_dfs=True)
        what = f"cannot log on to {self.where}"
        with self._failures(what):
            # a name may have the addresses of several controllers, and smbprotocol waits for each; its answer to the first greeting is in this time too
            seconds = reaching.for_each(self._server, _PORT, given.timeout)
            smbclient.register_session(
                self._server,
                # a ticket is whose it is
                username=None if kerberos else user,
                password=None if kerberos else given.password,
                connection_timeout=seconds,
                # never `negotiate`: with gssapi installed it tries Kerberos, and does not fall back
                auth_protocol="kerberos" if kerberos else "ntlm",
                require_signing=True,
                connection_cache=self._cache,
            )
        for connection in self._cache.values():  # else it would wait for an answer without end
            connection.receive = functools.partial(connection.receive, timeout=given.timeout)
        self._opened = True

    @contextlib.contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        """smbprotocol's three families of exceptions (of a file, of the protocol, plain ValueErrors), and those of the logon, as ours."""
        try:
            yield
        except OffboardError:
            raise
        except (SMBOSError, SMBResponseException) as exc:
            status = exc.ntstatus if isinstance(exc, SMBOSError) else exc.status
            codes = _CODES if self._opened else _LOGON_CODES
            code, why = codes.get(status, ("smb_error", f"the server answered {status:#010x}"))
            raise OffboardError(f"{what} on {self.where}: {why}", code=code) from exc
        except SMBConnectionClosed as exc:
            raise OffboardError(f"{what}: {self.where} closed the connection", code="connection_lost") from exc
        except ImportError as exc:
            raise OffboardError("authentication=kerberos needs the Python libraries gssapi and krb5: pip install gssapi krb5", code="missing_library") from exc
        except (SMBException, ValueError, OSError) as exc:
            raise self._failure(what, exc) from exc
        except Exception as exc:
            if type(exc).__module__.partition(".")[0] in ("spnego", "gssapi", "krb5"):
                raise self._failure(what, exc) from exc
            raise

    def _failure(self, what: str, exc: Exception) -> OffboardError:
        text = str(exc)
        if not isinstance(exc, SMBException) and ("Failed to connect" in text or isinstance(exc, OSError)):
            return OffboardError(f"{what}: nobody answers at port 445 of {self._server}", code="unreachable")
        if "timeout" in text.lower():
            return OffboardError(f"{what}: no answer within {self._reached.timeout} s", code="timeout")
        if not self._opened and self._reached.authentication == "kerberos":
            return OffboardError(
                f"{what} by Kerberos: {type(exc).__name__}. Get a ticket with kinit, and let host (or valid_names) be the server's DNS name",
                code="kerberos_failed",
            )
        if not self._opened and (isinstance(exc, SMBAuthenticationError) or not isinstance(exc, SMBException)):
            return OffboardError(f"{what} as {self._reached.username}: wrong user name or password, or NTLM is not allowed there", code="wrong_credentials")
        return OffboardError(f"{what} on {self.where}: {type(exc).__name__}", code="smb_error")

    def close(self) -> None:
        if self._cache:
            smbclient.reset_connection_cache(fail_on_error=False, connection_cache=self._cache)

    def _path(self, path: str) -> str:
        return rf"\\{self._server}" + "\\" + path

    # --- reading --------------------------------------------------------------------------------

    def read(self, path: str) -> bytes:
        """The whole file; others may do what they like with it meanwhile. Raises also `too_large`."""
        self._open()
        with self._failures(f"cannot read {path}"), self._file(path, "rb", share_access="rwd") as stream:
            data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise OffboardError(f"{path} on {self.where} is larger than {MOST_BYTES} bytes, and is not read", code="too_large")
        return data

    def listing(self, folder: str) -> Listing:
        """Everything below a folder. Raises also `too_large`."""
        self._open()
        found = Listing()
        waiting, seen = [("", 0)], 0
        while waiting:
            below, depth = waiting.pop()
            with self._failures(f"cannot list {folder}{below}"):
                for entry in smbclient.scandir(self._path(folder + below), connection_cache=self._cache):
                    seen += 1
                    if seen > _MOST_ENTRIES or depth > _DEEPEST:
                        raise OffboardError(
                            f"{folder} on {self.where} has more than {_MOST_ENTRIES} files and folders or {_DEEPEST} levels of them, and is not read",
                            code="too_large",
                        )
                    path = f"{below}\\{entry.name}"
                    # a junction is a folder that is a link, though no symbolic one
                    if entry.is_symlink() or (entry.is_dir() and entry.smb_info.file_attributes & _REPARSE_POINT):
                        found.links.append(path[1:])
                    elif entry.is_dir():
                        waiting.append((path, depth + 1))
                    else:
                        found.files.append(path[1:])
        return Listing(sorted(found.files), sorted(found.links))

    def may_replace(self, folder: str, name: str, ini: str) -> None:
        """Asks for what an edit needs, without writing: rights on GPT.INI, on a new file in the folder, and on the file's place; and that neither file is
        marked read-only, as Windows lets nobody replace such a one ([MS-FSA] 2.1.5.15.11). Raises as above.
        """
        self._open()
        place = f"{folder}\\{name}"
        asked = [
            (ini, "r+b", _WRITE_DATA | _READ_ATTRIBUTES, "file"),
            (folder, "rb", _ADD_FILE | _READ_ATTRIBUTES, "dir"),
            (place, "rb", _DELETE, "file"),
        ]
        for path in (ini, place):
            with self._failures(f"cannot read the attributes of {path}"):
                if smbclient.stat(self._path(path), connection_cache=self._cache).st_file_attributes & _READ_ONLY:
                    raise OffboardError(
                        f"{path} on {self.where} is marked read-only; take that attribute off, and run the task again", code="file_write_failed"
                    )
        for path, mode, access, kind in asked:
            try:
                with (
                    self._failures(f"may not write {path}"),
                    self._file(path, mode, share_access="rwd", desired_access=access, file_type=kind, buffering=0),
                ):
                    pass
            except OffboardError as exc:
                if exc.code != "file_in_use":  # somebody reads it at this moment, who will not at another
                    raise

    def descriptor(self, path: str) -> bytes:
        """The file's owner, group and DACL, as a self-relative security descriptor."""
        self._open()
        with (
            self._failures(f"cannot read the rights of {path}"),
            self._file(path, "rb", share_access="rwd", desired_access=_READ_CONTROL | _READ_ATTRIBUTES, buffering=0) as stream,
        ):
            request = SMB2QueryInfoRequest()
            request["info_type"] = InfoType.SMB2_0_INFO_SECURITY
            request["output_buffer_length"] = 65535
            request["additional_information"] = _OWNER_AND_GROUP | _DACL
            request["file_id"] = stream.fd.file_id
            answer = SMB2QueryInfoResponse()
            answer.unpack(self._ask(stream, request)["data"].get_value())
            return bytes(answer["buffer"].get_value())

    # --- writing --------------------------------------------------------------------------------

    def set_descriptor(self, path: str, descriptor: bytes) -> None:
        """Give the file these rights, and the owner and group where the account may: else they are those of whom it works for, as with every editor."""
        try:
            self._set_descriptor(path, descriptor, _OWNER_AND_GROUP | _DACL, _WRITE_DAC | _WRITE_OWNER)
        except OffboardError as exc:
            if exc.code != "insufficient_rights":
                raise
            self._set_descriptor(path, descriptor, _DACL, _WRITE_DAC)

    def _set_descriptor(self, path: str, descriptor: bytes, what: int, access: int) -> None:
        self._open()
        with (
            self._failures(f"cannot set the rights of {path}"),
            self._file(path, "rb", share_access="rwd", desired_access=access | _READ_ATTRIBUTES, buffering=0) as stream,
        ):
            request = SMB2SetInfoRequest()
            request["info_type"] = InfoType.SMB2_0_INFO_SECURITY
            request["additional_information"] = what
            request["file_id"] = stream.fd.file_id
            request["buffer"] = descriptor
            SMB2SetInfoResponse().unpack(self._ask(stream, request)["data"].get_value())

    @contextlib.contextmanager
    def locked(self, path: str) -> Iterator[Locked]:
        """Hold a file; another editor gets `file_in_use`, a reader who shares is not disturbed."""
        self._open()
        with self._failures(f"cannot open {path} for writing"):
            stream = self._file(path, "r+b", share_access="r", buffering=0)
        try:
            yield Locked(stream, self._failures, path)
        finally:
            with self._failures(f"cannot close {path}"):
                stream.close()

    def create(self, path: str, data: bytes) -> None:
        """A new file. Raises `already_exists`."""
        self._open()
        with self._failures(f"cannot create {path}"), self._file(path, "xb", share_access="") as stream:
            stream.write(data)

    def remove(self, path: str) -> None:
        self._open()
        with self._failures(f"cannot delete {path}"):
            smbclient.remove(self._path(path), connection_cache=self._cache)

    def rename(self, path: str, over: str, patience: float) -> None:
        """Put a file in the place of another one, at once. While that one is read, it is tried again for `patience` seconds; then `file_in_use`."""
        self._open()
        end = time.monotonic() + patience
        while True:
            try:
                with self._failures(f"cannot put the new content in the place of {over}"):
                    smbclient.replace(self._path(path), self._path(over), connection_cache=self._cache)
                return
            except OffboardError as exc:
                # the server says "denied" for a file that is open, too; the rights were looked at before
                if exc.code not in ("file_in_use", "insufficient_rights"):
                    raise
                if time.monotonic() > end:
                    raise OffboardError(f"{over} on {self.where} was open for {patience:.0f} s, so that it could not be replaced", code="file_in_use") from exc
            time.sleep(_PAUSE)

    def _file(self, path: str, mode: str, **how: Any) -> Any:
        return smbclient.open_file(self._path(path), mode=mode, connection_cache=self._cache, **how)

    @staticmethod
    def _ask(stream: Any, request: Any) -> Any:
        tree = stream.fd.tree_connect
        connection = stream.fd.connection
        return connection.receive(connection.send(request, sid=tree.session.session_id, tid=tree.tree_connect_id))
