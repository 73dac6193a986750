# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WinRM service of one machine: the remote shell part of WS-Management ([MS-WSMV]) on real processes.

No sockets here: `Service.handle` takes the bytes of a request and returns those of the answer.
"""

from __future__ import annotations

import base64
import codecs
import json
import re
import struct
import threading
import time
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from .. import paths
from .machine import Command, Machine, MachineError

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
_WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_CMD_URI = _SHELL + "/cmd"

#: concurrent shells of one user, as Windows Server 2012 and later allow
MAX_SHELLS = 30
#: MaxConcurrentOperationsPerUser. The count of a shell's commands goes down only when the shell is gone, whatever has ended meanwhile:
#: ansible-core's connection plugin winrm makes its shell anew for that reason ("WinRS does not decrement the operation count for commands").
MAX_OPERATIONS = 1500
#: seconds until a shell that nobody uses is closed with all that runs in it, unless it was opened with another IdleTimeOut:
#: learn.microsoft.com/windows/win32/winrm/installation-and-configuration-for-windows-remote-management, "Winrs default configuration settings"
IDLE_SECONDS = 7200.0
_UTF8 = 65001
_MAX_SECONDS = 60.0

# WSMan fault codes (wsmerror.h)
_TIMED_OUT = 2150858793
_SHELL_NOT_FOUND = 2150858843
_MAX_SHELLS_OF_USER = 2150859173
_MAX_OPERATIONS_OF_USER = 2150859174
_NOT_SUPPORTED = 2150858752
_CANNOT_START = 2147942400  # 0x80070000 plus the Win32 error

# What is certain to change nothing; any other command line counts as a write. So the count can only be too high.
_SAY = r"(?: \( \s* (?:echo|exit) \b [^()]* \) | (?:echo|exit) \b [^()]* )"
_PATHS = r"%\w \s+ in \s+ \( (?: \s* \"[^\"]*\" )* \)"
_LISTABLE = rf"for \s+ {_PATHS} \s+ do \s+ @dir \s+ /a \s+ %d \s+ >nul \s+ 2>nul \s+ && \s+ echo \s+ %d"
_SAY_HOW = r"echo \s+ [\w:-]+"
_QUERY = rf"reg\.exe \s+ query \s+ (?: \"[^\"<>|&^`%]*\" | [^\s\"<>|&^`%]+ ) (?: \s+ /[\w:]+ )* \s+ 2>nul && {_SAY_HOW} \|\| {_SAY_HOW}"
_READ_ONLY = re.compile(
    rf"""(?ix) ^ (?: cmd(?:\.exe)? \s+ /d \s+ /s \s+ /c \s+ " (?: {_LISTABLE} | {_QUERY} (?: & {_QUERY} )* ) " | (?! .* [<>|&^`] ) (?: \S*\\ )? (?:
      (?: reg(?:\.exe)? \s+ query | schtasks(?:\.exe)? \s+ /query | sc(?:\.exe)? \s+ query | wmic(?:\.exe)? \s+ os \s+ get
        | (?: tasklist | whoami | hostname | where | findstr | systeminfo ) (?:\.exe)? | attrib(?:\.exe)? (?! .* \s [+\-] )
      ) \b .*
    | tar(?:\.exe)? \s+ -P \s+ -c \s+ -f \s+ - \s .*
    | (?: cmd(?:\.exe)? \s+ (?: /[ds] \s+ )* /c \s+ "? )? (?:
        (?: dir | type | ver | echo | rem ) \b .*
      | if \s+ (?: not \s+ )? exist \s+ (?: "[^"]+" | \S+ ) \s+ {_SAY} (?: \s* else \s* {_SAY} )?
      | (?: for \s+ {_PATHS} \s+ do \s+ @ )? for \s+ (?:
          %\w \s+ in \s+ \( (?: "[^"]*" | [^'"()] )* \) | /f \s+ "[^"]*" \s+ %\w \s+ in \s+ \( 'dir \s [^']*' \)
        ) \s+ do \s+ @echo \b .*
      ) "?
    )) $"""
)
_SECRET_ARGUMENT = re.compile(r"(?i)(/rp\s+)(\"[^\"]*\"|\S+)")


def read_only(line: str) -> bool:
    """Whether a command line certainly changes nothing."""
    return _READ_ONLY.match(line.strip()) is not None


class Fault(Exception):
    """A WSManFault."""

    def __init__(self, code: int, subcode: str, text: str) -> None:
        super().__init__(text)
        self.code, self.subcode = code, subcode


class Dropped(Exception):
    """A fault rule says that the connection ends here."""


@dataclass
class Rule:
    """A fault to inject. `kind`: drop (before the request is served), drop_after (served, but the answer is lost),
    slow (`seconds` later), exit (the command is not run and ends with `code`), fault (WSManFault `code`)."""

    kind: str
    machine: str = "*"
    #: Create, Command, Send, Receive, Signal, Delete or *
    action: str = "*"
    #: regular expression on the command line; only requests that belong to a command match when it is given
    match: str = ""
    seconds: float = 0.0
    code: int = 0
    #: how often; 0 for always
    times: int = 1


class Rules:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def set(self, rules: Iterable[dict]) -> None:
        fresh = [Rule(**rule) for rule in rules]
        with self._lock:
            self._rules = fresh

    def take(self, machine: str, action: str, line: str) -> Rule | None:
        """The first rule that matches, used up by one."""
        with self._lock:
            for rule in self._rules:
                if rule.machine in ("*", machine) and rule.action in ("*", action) and (not rule.match or re.search(rule.match, line)):
                    if rule.times == 1:
                        self._rules.remove(rule)
                    elif rule.times:
                        rule.times -= 1
                    return rule
        return None


class Log:
    """Every command line, as JSON lines: one when it starts, one when it has ended."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()

    def write(self, **entry: object) -> None:
        with self._lock, open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"time": time.time(), **entry}, ensure_ascii=False) + "\n")


class _Answered:
    """A command that a fault rule answered instead of running it."""

    def __init__(self, exit_code: int) -> None:
        self.exit_code: int | None = exit_code

    def receive(self, seconds: float) -> tuple[list[tuple[str, bytes]], int | None]:
        return [], self.exit_code

    def send(self, data: bytes, end: bool) -> None:
        pass

    def kill(self) -> None:
        pass

    forget = kill


@dataclass
class _Running:
    id: str
    line: str
    command: Command | _Answered
    transcode: dict[str, Callable[[bytes], bytes]]
    logged: bool = False


@dataclass
class _Shell:
    id: str
    owner: str
    code_page: int
    directory: str
    environment: dict[str, str]
    idle_seconds: float
    used: float
    #: requests that are being served in it
    busy: int = 0
    operations: int = 0
    commands: dict[str, _Running] = field(default_factory=dict)


def _codec(code_page: int) -> str:
    return "utf-8" if code_page == _UTF8 else f"cp{code_page}"


def _transcoder(code_page: int) -> Callable[[bytes], bytes]:
    """The machine writes UTF-8; another code page is made here, chunk by chunk, as the shell's console would."""
    if code_page == _UTF8:
        return lambda data: data
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return lambda data: decoder.decode(data).encode(_codec(code_page), "replace")


@dataclass
class Limits:
    """What the service allows, as a fresh Windows has it."""

    operations: int = MAX_OPERATIONS
    idle_seconds: float = IDLE_SECONDS
    #: winrm/config/service/auth: Basic = false
    basic: bool = False


class Service:
    """The shells of one machine."""

    def __init__(self, machine: Machine, rules: Rules, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self.machine, self.rules, self.log, self._clock = machine, rules, log, clock
        self.limits = Limits()
        self._shells: dict[str, _Shell] = {}
        self._lock = threading.Lock()

    def forget_shells(self) -> None:
        """After a restart of the machine no shell is left."""
        for shell in self._shells.values():
            for running in shell.commands.values():
                self._log_end(running)
        self._shells.clear()

    def close_idle(self) -> None:
        """Shells that nobody has used for too long, and what runs in them. A request that is still waited on counts as use."""
        now = self._clock()
        for shell in list(self._shells.values()):
            if not shell.busy and now - shell.used > shell.idle_seconds:
                self._close(shell)

    def _close(self, shell: _Shell) -> None:
        for running in shell.commands.values():
            running.command.forget()
            self._log_end(running)
        self._shells.pop(shell.id, None)

    def handle(self, data: bytes, user: str) -> tuple[int, bytes]:
        """HTTP status and body for a request. Dropped when a fault rule wants the connection to end."""
        message = ""
        try:
            envelope = ET.fromstring(data)
            header, body = envelope.find(f"{{{_SOAP}}}Header"), envelope.find(f"{{{_SOAP}}}Body")
            if header is None or body is None:
                raise Fault(_NOT_SUPPORTED, "w:SchemaValidationError", "The SOAP envelope has no header or no body.")
            message = header.findtext(f"{{{_ADDRESSING}}}MessageID") or ""
            action = (header.findtext(f"{{{_ADDRESSING}}}Action") or "").rsplit("/", 1)[-1]
            rule = self.rules.take(self.machine.name, action, self._line_of(header, body, action))
            if rule:
                time.sleep(rule.seconds)
                if rule.kind == "drop":
                    raise Dropped
                if rule.kind == "fault":
                    raise Fault(rule.code, "w:InternalError", "fault injected by the lab")
            answer = self._serve(action, header, body, user, rule)
            if rule and rule.kind == "drop_after":
                raise Dropped
            return 200, _envelope(action, message, answer)
        except Fault as fault:
            return 500, fault_body(fault, message)
        except (ET.ParseError, KeyError) as error:
            return 500, fault_body(Fault(_NOT_SUPPORTED, "w:SchemaValidationError", f"The request is not valid: {error}"), message)
        except MachineError as error:
            return 500, fault_body(Fault(_CANNOT_START + (error.code or 1115), "w:InternalError", str(error)), message)

    def _line_of(self, header: ET.Element, body: ET.Element, action: str) -> str:
        if action == "Command":
            return _command_line(body)
        shell = self._shells.get(_selector(header))
        running = shell.commands.get(_command_id(body)) if shell else None
        return running.line if running else ""

    def _serve(self, action: str, header: ET.Element, body: ET.Element, user: str, rule: Rule | None) -> str:
        uri = header.findtext(f"{{{_WSMAN}}}ResourceURI")
        if uri != _CMD_URI:
            raise Fault(_NOT_SUPPORTED, "w:UnsupportedFeature", f"The WS-Management service cannot process the request. Unknown resource URI: {uri}")
        options = {e.get("Name"): e.text or "" for e in header.iter(f"{{{_WSMAN}}}Option")}
        if action == "Create":
            return self._create(body, options, user)
        shell = self._shells.get(_selector(header))
        if shell is None or shell.owner != user:
            raise Fault(
                _SHELL_NOT_FOUND, "w:InvalidSelectors", "The request for the Windows Remote Shell failed because the shell was not found on the server."
            )
        if action == "Delete":
            self._close(shell)
            return ""
        shell.busy += 1
        try:
            return self._in_shell(shell, action, header, body, options, rule)
        finally:
            shell.busy, shell.used = shell.busy - 1, self._clock()

    def _in_shell(self, shell: _Shell, action: str, header: ET.Element, body: ET.Element, options: dict[str | None, str], rule: Rule | None) -> str:
        if action == "Command":
            return self._command(shell, body, options, rule)
        running = shell.commands.get(_command_id(body))
        if running is None:
            raise Fault(_SHELL_NOT_FOUND, "w:InvalidSelectors", "The command was not found in the shell.")
        match action:
            case "Receive":
                return self._receive(running, _seconds(header.findtext(f"{{{_WSMAN}}}OperationTimeout")))
            case "Send":
                for stream in body.iter(f"{{{_SHELL}}}Stream"):
                    data = base64.b64decode(stream.text or "")
                    if shell.code_page != _UTF8:
                        data = data.decode(_codec(shell.code_page), "replace").encode()
                    running.command.send(data, (stream.get("End") or "").lower() == "true")
                return "<rsp:SendResponse/>"
            case "Signal":
                # a command that has ended keeps its job: what it left running lives until the shell is deleted
                if running.command.exit_code is None:
                    running.command.kill()
                self._log_end(running)
                return "<rsp:SignalResponse/>"
        raise Fault(_NOT_SUPPORTED, "a:ActionNotSupported", f"The action {action} is not supported by the service.")

    def _create(self, body: ET.Element, options: dict[str | None, str], user: str) -> str:
        with self._lock:
            if sum(shell.owner == user for shell in self._shells.values()) >= MAX_SHELLS:
                text = f"This user is allowed a maximum number of {MAX_SHELLS} concurrent shells, which has been exceeded."
                raise Fault(_MAX_SHELLS_OF_USER, "w:QuotaLimit", f"The WS-Management service cannot process the request. {text}")
            shell = _Shell(
                id=str(uuid.uuid4()).upper(),
                owner=user,
                code_page=int(options.get("WINRS_CODEPAGE") or 437),
                directory=body.findtext(f".//{{{_SHELL}}}WorkingDirectory") or "",
                environment={e.get("Name") or "": e.text or "" for e in body.iter(f"{{{_SHELL}}}Variable")},
                idle_seconds=_duration(body.findtext(f".//{{{_SHELL}}}IdleTimeOut")) or self.limits.idle_seconds,
                used=self._clock(),
            )
            self._shells[shell.id] = shell
        selector = f'<w:SelectorSet><w:Selector Name="ShellId">{shell.id}</w:Selector></w:SelectorSet>'
        reference = f"<a:ReferenceParameters><w:ResourceURI>{_CMD_URI}</w:ResourceURI>{selector}</a:ReferenceParameters>"
        return (
            f"<x:ResourceCreated><a:Address>http://{self.machine.name}:{paths.WINRM_HTTP}/wsman</a:Address>{reference}</x:ResourceCreated>"
            f"<rsp:Shell><rsp:ShellId>{shell.id}</rsp:ShellId><rsp:ResourceUri>{_CMD_URI}</rsp:ResourceUri><rsp:Owner>{escape(user)}</rsp:Owner>"
            f"<rsp:ClientIP>127.0.0.1</rsp:ClientIP><rsp:IdleTimeOut>PT{shell.idle_seconds:.3f}S</rsp:IdleTimeOut>"
            "<rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>"
        )

    def _command(self, shell: _Shell, body: ET.Element, options: dict[str | None, str], rule: Rule | None) -> str:
        with self._lock:
            if sum(other.operations for other in self._shells.values() if other.owner == shell.owner) >= self.limits.operations:
                text = (
                    "The maximum number of concurrent operations for this user has been exceeded. Close existing operations for this user, or raise the "
                    f"quota for this user. This user is allowed a maximum number of {self.limits.operations} concurrent operations, which has been exceeded."
                )
                raise Fault(_MAX_OPERATIONS_OF_USER, "w:QuotaLimit", f"The WS-Management service cannot process the request. {text}")
            shell.operations += 1
        line = _command_line(body)
        whole = line
        if (options.get("WINRS_SKIP_CMD_SHELL") or "FALSE").upper() != "TRUE":
            whole = rf'C:\Windows\system32\cmd.exe /C "{line}"'
        number = str(uuid.uuid4()).upper()
        shown = _SECRET_ARGUMENT.sub(r"\1***", line).replace(paths.PASSWORD, "***")
        entry = {"id": number, "machine": self.machine.name, "user": shell.owner, "command": shown}
        self.log.write(event="start", write=not read_only(line), **entry)
        command: Command | _Answered
        if rule and rule.kind == "exit":
            command = _Answered(rule.code)
        else:
            try:
                command = self.machine.start(whole, shell.directory, shell.environment)
            except MachineError as error:
                self.log.write(event="end", id=number, machine=self.machine.name, exit_code=None, error=str(error))
                raise
        shell.commands[number] = _Running(number, line, command, {name: _transcoder(shell.code_page) for name in ("stdout", "stderr")})
        return f"<rsp:CommandResponse><rsp:CommandId>{number}</rsp:CommandId></rsp:CommandResponse>"

    def _receive(self, running: _Running, seconds: float) -> str:
        answer = running.command.receive(seconds)
        if answer is None:
            raise Fault(_TIMED_OUT, "w:TimedOut", "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.")
        chunks, exit_code = answer
        number, parts = running.id, []
        for stream, data in chunks:
            text = base64.b64encode(running.transcode[stream](data)).decode()
            parts.append(f'<rsp:Stream Name="{stream}" CommandId="{number}">{text}</rsp:Stream>')
        if exit_code is None:
            parts.append(f'<rsp:CommandState CommandId="{number}" State="{_SHELL}/CommandState/Running"/>')
        else:
            self._log_end(running)
            parts += [f'<rsp:Stream Name="{stream}" CommandId="{number}" End="true"/>' for stream in ("stdout", "stderr")]
            signed = struct.unpack("<i", struct.pack("<I", exit_code))[0]
            done = f"<rsp:ExitCode>{signed}</rsp:ExitCode>"
            parts.append(f'<rsp:CommandState CommandId="{number}" State="{_SHELL}/CommandState/Done">{done}</rsp:CommandState>')
        return f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"

    def _log_end(self, running: _Running) -> None:
        if not running.logged:
            running.logged = True
            self.log.write(event="end", id=running.id, machine=self.machine.name, exit_code=running.command.exit_code)


def _selector(header: ET.Element) -> str:
    return next((e.text or "" for e in header.iter(f"{{{_WSMAN}}}Selector") if e.get("Name") == "ShellId"), "").upper()


def _command_id(body: ET.Element) -> str:
    return next((e.get("CommandId") or "" for e in body.iter() if e.get("CommandId")), "").upper()


def _command_line(body: ET.Element) -> str:
    words = [body.findtext(f".//{{{_SHELL}}}Command") or "", *(e.text or "" for e in body.iter(f"{{{_SHELL}}}Arguments"))]
    return " ".join(word for word in words if word)


def _duration(text: str | None) -> float:
    """Seconds of an XML duration of hours, minutes and seconds; 0 for none."""
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", text or "")
    return int(found[1] or 0) * 3600 + int(found[2] or 0) * 60 + float(found[3] or 0) if found else 0.0


def _seconds(duration: str | None) -> float:
    return min(_MAX_SECONDS, _duration(duration) if duration else _MAX_SECONDS)


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    answer = f"{_TRANSFER}/{action}Response" if action in ("Create", "Delete") else f"{_SHELL}/{action}Response"
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{_SOAP}" xmlns:a="{_ADDRESSING}" xmlns:x="{_TRANSFER}" xmlns:w="{_WSMAN}" xmlns:rsp="{_SHELL}">'
        f"<s:Header><a:Action>{answer}</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><a:To>{_ADDRESSING}/role/anonymous</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault_body(fault: Fault, relates_to: str = "") -> bytes:
    """The SOAP fault that carries a WSManFault."""
    text = escape(str(fault))
    detail = f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code={quoteattr(str(fault.code))} Machine="127.0.0.1">'
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{_SOAP}" xmlns:a="{_ADDRESSING}" xmlns:w="{_WSMAN}">'
        f"<s:Header><a:Action>http://schemas.dmtf.org/wbem/wsman/1/wsman/fault</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header><s:Body><s:Fault>"
        f"<s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason>'
        f"<s:Detail>{detail}<f:Message>{text}</f:Message></f:WSManFault></s:Detail></s:Fault></s:Body></s:Envelope>"
    ).encode()
