# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM: the only file that imports pywinrm and requests. Commands in one shell per machine, typed errors, bytes out.

No PowerShell is needed on the machine: programs are started directly, so that nothing depends on its language or its
execution policy, and no shell interprets an argument. pywinrm's `Session` is not used: it opens a shell per command, leaves
it open after an error, and waits for ever (https://github.com/diyan/pywinrm).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from .._core.errors import OffboardError
from .._module import reaching
from .connection import Connection

try:
    import requests
    import spnego.exceptions
    from winrm.exceptions import AuthenticationError, WinRMError, WinRMOperationTimeoutError, WinRMTransportError, WSManFaultError
    from winrm.protocol import Protocol

    WINRM_IMPORT_ERROR: ImportError | None = None
    _FAULTS: tuple[type[Exception], ...] = (WinRMError, WinRMTransportError, spnego.exceptions.SpnegoError, OSError)
except ImportError as exc:  # reported by the runner through missing_required_lib
    WINRM_IMPORT_ERROR = exc

_PORTS = {"https": 5986, "http": 5985}
_UTF8 = 65001
# The service answers a Receive after at most MaxTimeoutms, 60 s by default, whatever is asked for.
_LONGEST_POLL = 55
_DEFAULT_COMMAND_SECONDS = 120.0
# How long what is waited for may go on unseen after a lost connection.
_LOST_SECONDS, _LOST_PAUSE = 30.0, 2.0
_LOST = ("connection_lost", "connection_refused", "host_unknown", "timeout")
#: How long a shell may go unused. It is ended after 3 minutes with the defaults of [MS-WSMV] 2.2.4.42 and one minute at least, see the policy
#: "Specify idle Timeout"; ended with all that runs in it.
_IDLE_SECONDS = 30.0
# WSManFault codes: a command that cannot be started carries its Win32 error as an HRESULT.
_SHELL_NOT_FOUND = 2150858843
_QUOTAS = {2150859173: "shells (MaxShellsPerUser)", 2150859174: "operations (MaxConcurrentOperationsPerUser)"}
#: A command counts against the user's MaxConcurrentOperationsPerUser (1,500 by default) until its shell ends, not until it ends itself
#: ([MS-WSMV] 3.1.4.12 and its note <118>), so a shell that only asks is given back long before.
_COMMANDS_OF_A_SHELL = 250
_FILE_NOT_FOUND, _PATH_NOT_FOUND, _ACCESS_DENIED = 0x80070002, 0x80070003, 5


def decode(data: bytes) -> str:
    """Output of a console program as text: UTF-8 as the shell asks for, UTF-16 where a program insists, Japanese ANSI as the last resort."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp932", "replace")


_T = TypeVar("_T")


@dataclass(frozen=True)
class Answer:
    """What a command left. `exit_code` is the unsigned 32-bit number that Windows knows."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output, with line feeds only."""
        return decode(self.stdout).replace("\r\n", "\n")

    @property
    def error(self) -> str:
        """Standard error, likewise; only to be shown, never to be decided from."""
        return decode(self.stderr).replace("\r\n", "\n")


class Shell:
    """A remote shell. What a command leaves running ends with it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.commands = 0
        self._used = time.monotonic()
        with client.translated(), client.within_quotas("a shell"):
            client.poll_for(_DEFAULT_COMMAND_SECONDS)
            self._id = client.protocol.open_shell(codepage=_UTF8)

    def run(self, arguments: Sequence[str], seconds: float = _DEFAULT_COMMAND_SECONDS, *, output_matters: bool = True) -> Answer:
        """Start a program without cmd.exe and wait for it.

        When only the exit code matters, a lost connection is made again and the wait goes on; otherwise it is an error, as a part of
        the output that is lost must not be taken for its end.
        Raises OffboardError `command_timeout` after `seconds`; the program and what it started have been ended then.
        """
        return self.start(arguments[0], subprocess.list2cmdline(arguments[1:]), seconds, output_matters=output_matters)

    def start(self, program: str, line: str, seconds: float = _DEFAULT_COMMAND_SECONDS, *, output_matters: bool = True) -> Answer:
        """As `run`, for a program that wants quotes in its arguments where Windows' own rules do not put them."""
        return self._run(subprocess.list2cmdline([program]), line, seconds, output_matters)

    def cmd(self, line: str, seconds: float = _DEFAULT_COMMAND_SECONDS) -> Answer:
        """Let cmd.exe interpret `line`. Every path in it must have gone through `quoted`."""
        return self._run("cmd.exe", f'/d /s /c "{line}"', seconds)

    def keep(self) -> None:
        """Use it where it was not used for long, because of what has been left running in it."""
        if time.monotonic() - self._used > _IDLE_SECONDS:
            with contextlib.suppress(OffboardError):  # asking was use
                self.cmd("rem")

    def _run(self, program: str, arguments: str, seconds: float, output_matters: bool = True) -> Answer:
        protocol, end = self._client.protocol, time.monotonic() + seconds
        with self._client.translated(program):
            command = self._start(program, arguments)
            try:
                return self._receive(command, end, program, seconds, output_matters)
            finally:
                # Ends the command when it still runs. An error here must not hide the one that led here.
                with contextlib.suppress(*_FAULTS):
                    protocol.cleanup_command(self._id, command)
                self._used = time.monotonic()

    def _start(self, program: str, arguments: str) -> str:
        self.commands += 1
        try:
            with self._client.within_quotas(program):
                return str(self._client.protocol.run_command(self._id, program, [arguments] if arguments else [], skip_cmd_shell=True))
        except WSManFaultError as exc:
            if exc.wsman_fault_code != _SHELL_NOT_FOUND:
                raise
            raise OffboardError(
                f"{self._client.host}: the shell for {program} is gone, ended by its idle time-out or from outside; {program} was not started",
                code="shell_gone",
                details={"host": self._client.host},
            ) from exc

    def _receive(self, command: str, end: float, program: str, seconds: float, output_matters: bool) -> Answer:
        out, err = [], []
        lost_since = None
        while True:
            self._client.poll_for(end - time.monotonic())
            try:
                stdout, stderr, code, done = self._client.protocol.get_command_output_raw(self._id, command)
            except WinRMOperationTimeoutError:
                done, lost_since = False, None
            except (requests.exceptions.ConnectionError, requests.exceptions.Timeout):
                lost_since = lost_since or time.monotonic()
                if output_matters or time.monotonic() - lost_since > _LOST_SECONDS:
                    raise
                done = False
                time.sleep(_LOST_PAUSE)
            else:
                lost_since = None
                out.append(stdout)
                err.append(stderr)
            if done:
                return Answer(code & 0xFFFFFFFF, b"".join(out), b"".join(err))
            if time.monotonic() > end:
                raise OffboardError(f"{self._client.host}: {program} did not end within {seconds:g} s, so it was ended", code="command_timeout")

    def close(self) -> None:
        """End the shell and everything that still runs in it."""
        with contextlib.suppress(*_FAULTS, AssertionError, StopIteration):
            self._client.protocol.close_shell(self._id, close_session=False)


class Client:
    """One machine. Connects at the first command. Not to be shared between threads."""

    def __init__(self, connection: Connection) -> None:
        self.host = connection.host
        self._connection = connection
        self._port = connection.port or _PORTS[connection.scheme]
        trusted = ssl.get_default_verify_paths()
        seconds = max(2, connection.timeout)
        with self.translated():
            self.protocol = Protocol(
                endpoint=f"{connection.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self._port}/wsman",
                transport=connection.transport,
                username=connection.username,
                password=connection.password,
                ca_trust_path=connection.ca_file or trusted.cafile or trusted.capath,
                server_cert_validation=connection.server_cert_validation,
                read_timeout_sec=seconds,
                operation_timeout_sec=1,
                proxy=None,
            )
        self._seconds, self._session = seconds, self.protocol.transport.build_session
        self.protocol.transport.build_session = self._new_session  # type: ignore[method-assign]
        # shorter than what the HTTP client waits for an answer
        self._poll = min(max(1, seconds - 5), _LONGEST_POLL)
        self._shell: Shell | None = None

    def _new_session(self) -> requests.Session:
        """Each new connection tries the addresses of the name one by one; they share the time, which the HTTP client would wait for each."""
        transport = self.protocol.transport
        if transport.session is None:
            both = (reaching.for_each(self.host, self._port, self._seconds), self._seconds)
            transport.read_timeout_sec = both  # type: ignore[assignment]  # requests takes both
        return self._session()

    @property
    def shell(self) -> Shell:
        """The shell of the task, opened when first needed and renewed after many commands. Nothing may be left running in it."""
        if self._shell is not None and self._shell.commands >= _COMMANDS_OF_A_SHELL:
            self._end_shell()
        if self._shell is None:
            self._shell = Shell(self)
        return self._shell

    @contextlib.contextmanager
    def own_shell(self) -> Iterator[Shell]:
        """A further shell: when the block ends, what was started in it and still runs is ended."""
        shell = Shell(self)
        try:
            yield shell
        finally:
            shell.close()

    def run(self, *arguments: str, seconds: float = _DEFAULT_COMMAND_SECONDS) -> Answer:
        return self._in_shell(lambda shell: shell.run(arguments, seconds))

    def cmd(self, line: str, seconds: float = _DEFAULT_COMMAND_SECONDS) -> Answer:
        return self._in_shell(lambda shell: shell.cmd(line, seconds))

    def _in_shell(self, start: Callable[[Shell], Answer]) -> Answer:
        """In a fresh shell when the task's is gone or the quota is spent: once, and only since nothing was started."""
        try:
            return start(self.shell)
        except OffboardError as exc:
            if exc.code not in ("shell_gone", "winrm_quota"):
                raise
        self._end_shell()
        return start(self.shell)

    def unhurried(self, question: Callable[[], _T], end: float) -> _T:
        """What a question that changes nothing gives: put again until `end` while others spend the user's quota, and for a while when the connection is lost.

        For whoever waits for what runs in another shell, which an error would end.
        """
        lost = time.monotonic() + _LOST_SECONDS
        while True:
            try:
                return question()
            except OffboardError as exc:
                if time.monotonic() > (end if exc.code == "winrm_quota" else min(end, lost) if exc.code in _LOST else 0):
                    raise
            time.sleep(_LOST_PAUSE)

    def _end_shell(self) -> None:
        if self._shell is not None:
            self._shell.close()
            self._shell = None

    def poll_for(self, seconds: float) -> None:
        """Let the service hold back its next answer for at most `seconds`, and never longer than it may."""
        self.protocol.operation_timeout_sec = min(max(1, round(seconds)), self._poll)

    def close(self) -> None:
        """Give back the shell and the connection, whatever state they are in."""
        self._end_shell()
        self.protocol.transport.close_session()

    @contextlib.contextmanager
    def within_quotas(self, what: str) -> Iterator[None]:
        """Around what starts something, which has not been started when a quota is spent."""
        try:
            yield
        except WSManFaultError as exc:
            quota = _QUOTAS.get(exc.wsman_fault_code or 0)
            if not quota:
                raise
            raise OffboardError(
                f"{self.host}: {what} was not started, because the user's quota of WinRM {quota} is spent: {exc.reason}. "
                "End other sessions of this user, or raise the quota.",
                code="winrm_quota",
                details={"host": self.host},
            ) from exc

    @contextlib.contextmanager
    def translated(self, program: str = "") -> Iterator[None]:
        """Errors of pywinrm, requests and spnego become OffboardErrors."""
        try:
            yield
        except _FAULTS as exc:
            self._raise(exc, program)

    def _raise(self, exc: Exception, program: str) -> NoReturn:
        code, what = self._explain(exc, program)
        raise OffboardError(f"{self.host}: {what}", code=code, details={"host": self.host}) from exc

    def _explain(self, exc: Exception, program: str) -> tuple[str, str]:
        if isinstance(exc, AuthenticationError) or (isinstance(exc, WinRMTransportError) and exc.code == 401):
            return (
                "wrong_credentials",
                f"{self._connection.username or 'the Kerberos ticket'} was refused: wrong user name or password, or the service does not accept "
                f"transport {self._connection.transport}",
            )
        if isinstance(exc, WSManFaultError):
            return self._explain_fault(exc, program)
        chain = list(_causes(exc))
        for cause in chain:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return (
                    "certificate_untrusted",
                    f"its certificate is not trusted ({cause.verify_message}); put the certificate authority (PEM) into ca_file "
                    "(ansible_winrm_ca_trust_path), and use the name that is in the certificate as host",
                )
            if isinstance(cause, socket.gaierror):
                return "host_unknown", "no such host name"
            if isinstance(cause, ConnectionRefusedError):
                return "connection_refused", f"refused the connection to {self.protocol.transport.endpoint}; is WinRM set up and the port right?"
        if isinstance(exc, requests.exceptions.SSLError):
            return "certificate_untrusted", f"TLS failed at {self.protocol.transport.endpoint} ({chain[-1]}); is it the https port, and is ca_file a PEM file?"
        if isinstance(exc, requests.exceptions.Timeout | TimeoutError):
            return "timeout", f"no answer within {self._connection.timeout} s"
        if isinstance(exc, OSError):
            return "connection_lost", f"the connection failed ({chain[-1]}); what was being done there may or may not have been done"
        return "winrm_failed", f"WinRM failed ({type(exc).__name__}: {exc})"

    def _explain_fault(self, exc: WSManFaultError, program: str) -> tuple[str, str]:
        match exc.wsman_fault_code:
            case code if program and code in (_FILE_NOT_FOUND, _PATH_NOT_FOUND):
                return "program_missing", f"there is no program {program}"
            case code if code == _ACCESS_DENIED:
                return "access_denied", f"{self._connection.username} may not use WinRM; it must be a local administrator"
        return "winrm_fault", f"WinRM refused ({exc.wsman_fault_code}: {exc.reason})"


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception and everything it was made from; requests and urllib3 hide the cause in `args` and `reason`."""
    waiting, seen = [exc], set()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        further = (*cause.args, getattr(cause, "reason", None), cause.__cause__, cause.__context__)
        waiting += [item for item in further if isinstance(item, BaseException)]
