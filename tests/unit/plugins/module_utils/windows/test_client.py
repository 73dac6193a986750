# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WinRM client without a machine: what it refuses, how it quotes, decodes and explains errors."""

from __future__ import annotations

import socket
import ssl

import pytest
import requests.exceptions
import spnego.exceptions
import winrm.exceptions
from ansible_collections.offboard.iij_id.plugins.module_utils._core.errors import OffboardError
from ansible_collections.offboard.iij_id.plugins.module_utils._windows import client as client_module
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.client import Answer, Client, decode
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.connection import Connection
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.paths import quoted
from dev.options import given


def made(**changes):
    return Client(Connection.from_params(given("win_file", **{"host": "win", "username": "u", "password": "p", **changes})))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        ("同期\r\n".encode(), "同期\r\n"),
        ("\ufeff同期".encode(), "同期"),
        ("同期".encode("utf-16"), "同期"),
        ("a同期".encode("utf-16-le"), "a同期"),
        ("エラー: 指定された".encode("cp932"), "エラー: 指定された"),
        (b"\x81", "\ufffd"),
    ],
)
def test_decode(data, text):
    assert decode(data) == text


def test_answer_text_has_line_feeds_only():
    assert Answer(0, b"a\r\nb\r\n", b"c\r\n").text == "a\nb\n"
    assert Answer(0, b"", b"c\r\n").error == "c\n"


def test_quoted():
    assert quoted(r"C:\Program Files (x86)\a & b^c!") == r'"C:\Program Files (x86)\a & b^c!"'


@pytest.mark.parametrize("path", ["", r'C:\a" & del C:\b "', r"C:\%TEMP%", "C:\\a\nb", r"C:\*.yml", r"C:\a?", r"C:\a|b", r"C:\a>b", "C:\\a\0"])
def test_quoted_refuses_what_quotes_do_not_protect(path):
    with pytest.raises(OffboardError) as error:
        quoted(path)
    assert error.value.code == "path_invalid"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scheme": "http", "transport": "basic"}, "unencrypted_refused"),
        ({"username": None}, "credentials_missing"),
        ({"password": ""}, "credentials_missing"),
        ({"ca_file": "/nonexistent/ca.pem"}, "ca_file_unusable"),
    ],
)
def test_options_that_cannot_work(changes, code):
    with pytest.raises(OffboardError) as error:
        made(**changes)
    assert error.value.code == code
    assert error.value.msg.startswith("win: ")


@pytest.mark.parametrize(
    ("changes", "endpoint"),
    [
        ({}, "https://win:5986/wsman"),
        ({"scheme": "http"}, "http://win:5985/wsman"),
        ({"port": 55986}, "https://win:55986/wsman"),
        ({"host": "fe80::1"}, "https://[fe80::1]:5986/wsman"),
    ],
)
def test_endpoint(changes, endpoint):
    transport = made(**changes).protocol.transport
    assert transport.endpoint == endpoint
    assert transport.proxy is None


@pytest.mark.parametrize("seconds", [0, 1, 2, 5, 30, 300])
def test_the_service_always_answers_before_the_http_client_gives_up(seconds):
    client = made(timeout=seconds)
    client.poll_for(1000)
    assert 1 <= client.protocol.operation_timeout_sec < client.protocol.read_timeout_sec
    assert client.protocol.operation_timeout_sec <= 55
    client.poll_for(0.2)
    assert client.protocol.operation_timeout_sec == 1


def _ssl(reason: Exception) -> requests.exceptions.SSLError:
    """As requests wraps it: the cause is in the arguments, not in __cause__."""
    outer = Exception("Max retries exceeded")
    outer.reason = reason  # type: ignore[attr-defined]
    return requests.exceptions.SSLError(outer)


def _connection(reason: Exception) -> requests.exceptions.ConnectionError:
    outer = Exception("Max retries exceeded")
    outer.reason = Exception("new connection")  # type: ignore[attr-defined]
    outer.reason.__cause__ = reason  # type: ignore[attr-defined]
    return requests.exceptions.ConnectionError(outer)


def _fault(code: int) -> winrm.exceptions.WSManFaultError:
    return winrm.exceptions.WSManFaultError(500, "m", "r", "the reason", wsman_fault_code=code)


@pytest.mark.parametrize(
    ("exc", "code", "in_message"),
    [
        (winrm.exceptions.InvalidCredentialsError("x"), "wrong_credentials", "u was refused"),
        (winrm.exceptions.WinRMTransportError("http", 401, ""), "wrong_credentials", "u was refused"),
        (winrm.exceptions.WinRMTransportError("http", 502, ""), "winrm_failed", "502"),
        (winrm.exceptions.WinRMError("no Kerberos"), "winrm_failed", "no Kerberos"),
        (_fault(5), "access_denied", "administrator"),
        (_fault(0x80070002), "program_missing", "x.exe"),
        (_fault(2150858843), "winrm_fault", "the reason"),
        (_ssl(ssl.SSLCertVerificationError("certificate verify failed")), "certificate_untrusted", "ca_file"),
        (_ssl(ssl.SSLError("wrong version number")), "certificate_untrusted", "https port"),
        (_connection(socket.gaierror(-2, "Name or service not known")), "host_unknown", "no such host"),
        (_connection(ConnectionRefusedError(111, "refused")), "connection_refused", "https://win:5986/wsman"),
        (_connection(ConnectionResetError(104, "reset by peer")), "connection_lost", "may or may not"),
        (requests.exceptions.ReadTimeout("x"), "timeout", "30 s"),
        (requests.exceptions.ConnectTimeout("x"), "timeout", "30 s"),
        (spnego.exceptions.BadMICError(context_msg="bad signature"), "winrm_failed", "bad signature"),
    ],
)
def test_errors_become_typed(exc, code, in_message):
    if isinstance(exc, requests.exceptions.SSLError) and code == "certificate_untrusted":
        exc.args[0].reason.verify_message = "self-signed certificate"
    with pytest.raises(OffboardError) as error, made().translated("x.exe"):
        raise exc
    assert error.value.code == code
    assert in_message in error.value.msg
    assert error.value.msg.startswith("win: ")


class _Protocol:
    """Plays the service's answers to Receive; None is its time-out."""

    def __init__(self, answers):
        self.answers, self.calls, self.read_timeout_sec = list(answers), [], 30

    def open_shell(self, **_options):
        return "shell"

    def run_command(self, _shell, command, arguments, skip_cmd_shell):
        assert skip_cmd_shell is True
        self.calls.append((command, *arguments))
        return "command"

    def get_command_output_raw(self, _shell, _command):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise winrm.exceptions.WinRMOperationTimeoutError
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cleanup_command(self, _shell, _command):
        self.calls.append("cleanup")

    def close_shell(self, _shell, close_session):
        self.calls.append("close")
        raise requests.exceptions.ConnectionError("gone")


def _client(*answers):
    client = made()
    client.protocol = _Protocol(answers)
    return client


def test_output_is_collected_over_time_outs_and_the_exit_code_is_unsigned():
    client = _client(None, (b"a", b"", 0, False), None, (b"b", b"e", -2146893807, True))
    assert client.run("x.exe", r"C:\a b", 'say "hi"') == Answer(0x80090011, b"ab", b"e")
    assert client.protocol.calls == [("x.exe", r'"C:\a b" "say \"hi\""'), "cleanup"]


def test_cmd_line_is_passed_as_it_is():
    client = _client((b"", b"", 0, True))
    client.cmd(r'rd /s /q "C:\a b"')
    assert client.protocol.calls[0] == ("cmd.exe", r'/d /s /c "rd /s /q "C:\a b""')


def test_a_command_that_does_not_end_is_ended():
    client = _client(None)
    with pytest.raises(OffboardError) as error:
        client.run("x.exe", seconds=0.01)
    assert error.value.code == "command_timeout"
    assert client.protocol.calls == [("x.exe",), "cleanup"]


def test_a_lost_connection_is_borne_only_when_the_output_does_not_matter(monkeypatch):
    monkeypatch.setattr(client_module, "_LOST_PAUSE", 0)
    lost = requests.exceptions.ConnectionError("dropped")
    assert _client(lost, lost, (b"", b"", 3010, True)).shell.run(["x.exe"], output_matters=False).exit_code == 3010
    with pytest.raises(OffboardError):
        _client(lost, (b"", b"", 0, True)).run("x.exe")
    monkeypatch.setattr(client_module, "_LOST_SECONDS", -1)
    with pytest.raises(OffboardError):
        _client(lost, (b"", b"", 0, True)).shell.run(["x.exe"], output_matters=False)


class _Shells(_Protocol):
    """A service with an operations quota for the user, which only the end of a shell gives back, and with shells that may be gone."""

    def __init__(self, quota=10**9):
        super().__init__([(b"", b"", 0, True)])
        self.quota, self.counts, self.opened, self.starts = quota, {}, 0, []

    def open_shell(self, **_options):
        self.opened += 1
        self.counts[f"shell{self.opened}"] = 0
        return f"shell{self.opened}"

    def run_command(self, shell, command, arguments, skip_cmd_shell):
        if shell not in self.counts:
            raise _fault(2150858843)
        if sum(self.counts.values()) >= self.quota:
            raise _fault(2150859174)
        self.counts[shell] += 1
        self.starts.append((shell, command))
        return "command"

    def close_shell(self, shell, close_session):
        if self.counts.pop(shell, None) is None:
            raise _fault(2150858843)


def _with(protocol):
    client = made()
    client.protocol = protocol
    return client


@pytest.mark.parametrize("quota", [1500, 50, 15])
def test_a_long_wait_renews_its_shell_and_leaves_the_uninstallers_alone(quota):
    """MaxConcurrentOperationsPerUser: 1500 by default, 15 on older machines. 25 minutes at 80 commands a minute."""
    client = _with(protocol := _Shells(quota))
    with client.own_shell() as own:
        own.run(["uninstall.exe"])
        for _ in range(2000):
            client.run("tasklist.exe")
            assert "shell1" in protocol.counts  # the uninstaller's lives
    assert [command for _shell, command in protocol.starts].count("tasklist.exe") == 2000
    assert "shell1" not in protocol.counts and len(protocol.counts) == 1


def test_a_polling_shell_that_is_gone_is_made_again_once():
    client = _with(protocol := _Shells())
    client.run("tasklist.exe")
    protocol.counts.clear()  # its idle time-out
    client.run("reg.exe")
    client.cmd("echo")
    assert protocol.starts == [("shell1", "tasklist.exe"), ("shell2", "reg.exe"), ("shell2", "cmd.exe")]
    protocol.open_shell = lambda **_options: "gone"
    protocol.counts.clear()
    with pytest.raises(OffboardError) as error:
        client.run("reg.exe")
    assert error.value.code == "shell_gone" and error.value.msg.startswith("win: ")


def test_a_command_that_has_started_is_never_repeated():
    client = _with(protocol := _Shells())
    protocol.answers = [_fault(2150858843)]
    with pytest.raises(OffboardError) as error:
        client.run("schtasks.exe", "/delete")
    assert error.value.code == "winrm_fault" and len(protocol.starts) == 1


def test_a_quota_that_others_have_spent_is_told():
    with pytest.raises(OffboardError) as error:
        _with(_Shells(0)).run("reg.exe")
    assert error.value.code == "winrm_quota" and "MaxConcurrentOperationsPerUser" in error.value.msg


@pytest.mark.parametrize(("fault", "quota"), [(2150859173, "MaxShellsPerUser"), (2150859174, "MaxConcurrentOperationsPerUser")])
def test_a_quota_that_leaves_no_shell_is_told_as_one(fault, quota):
    client = _with(protocol := _Shells())
    protocol.open_shell = lambda **_options: (_ for _ in ()).throw(_fault(fault))
    with pytest.raises(OffboardError) as error:
        client.run("reg.exe")
    assert error.value.code == "winrm_quota" and quota in error.value.msg and error.value.msg.startswith("win: a shell was not started")


def test_a_shell_with_something_left_in_it_is_used_before_it_idles(monkeypatch):
    client = _with(protocol := _Shells())
    now = [0]
    monkeypatch.setattr(client_module.time, "monotonic", lambda: now[0])
    with client.own_shell() as own:
        own.run(["uninstall.exe"])
        for now[0] in range(0, 200, 7):
            own.keep()
        protocol.quota, now[0] = 0, 300
        own.keep()  # refused, and use all the same
    starts = [command for _shell, command in protocol.starts]
    assert starts == ["uninstall.exe", *["cmd.exe"] * 5]  # 200 s: no more than 35 s between two


@pytest.mark.parametrize(
    ("code", "borne"), [("winrm_quota", 90), ("connection_lost", 30), ("connection_refused", 30), ("timeout", 30), ("wrong_credentials", 0), ("winrm_fault", 0)]
)
def test_a_question_is_put_again_while_it_cannot_be_answered(monkeypatch, code, borne):
    client, now, asked = made(), 0.0, []

    def sleep(seconds):
        nonlocal now
        now += seconds

    def question():
        asked.append(now)
        if now < answers_at:
            raise OffboardError("x", code=code)
        return "yes"

    monkeypatch.setattr(client_module.time, "monotonic", lambda: now)
    monkeypatch.setattr(client_module.time, "sleep", sleep)
    answers_at = borne
    assert client.unhurried(question, 90) == "yes"
    now, answers_at = 0.0, borne + 10
    with pytest.raises(OffboardError):
        client.unhurried(question, 90)
    assert asked[-1] <= borne + client_module._LOST_PAUSE


def test_the_uninstallers_shell_is_not_made_again():
    client = _with(protocol := _Shells())
    with pytest.raises(OffboardError) as error, client.own_shell() as own:
        own.run(["a.exe"])
        protocol.counts.pop("shell1")
        own.run(["b.exe"])
    assert error.value.code == "shell_gone" and protocol.opened == 1


def test_cleanup_happens_after_an_error_and_close_never_fails():
    client = _client(requests.exceptions.ConnectionError("dropped"))
    with pytest.raises(OffboardError) as error:
        client.run("x.exe")
    assert error.value.code == "connection_lost"
    client.shell.close()
    assert client.protocol.calls[-2:] == ["cleanup", "close"]
