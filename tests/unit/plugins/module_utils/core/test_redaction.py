# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import time

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._core import redaction

PLAIN, MADE = "hush-me", "Secr3tXYZ"


@pytest.mark.parametrize("secret", [PLAIN, MADE])
@pytest.mark.parametrize(
    "arguments",
    [
        "/Pass {}", "/pfx x /pwd {}", "sshpass -p {} ssh", "rar a -hp{} x.rar", "/user:x {}", "--user 'me:{}'", "--proxy-user me:{}", "--auth me:{}",
        "--cert x.pfx:{}", "net use Z: \\\\s\\d {} /user:x", "net.exe use \\\\s\\d /user:dom\\x {}", "net user me {} /add", '$env:PW="{}"', "$env:ANY='{}'; x",
        "set PGPASSWORD={}&& x", '-H "Authorization: Basic {}"', "--header 'X-Auth: {}'", "Cookie: {}", "ConvertTo-SecureString '{}' -AsPlainText",
        "ConvertTo-SecureString -String {}", "AccountKey={};x", "SharedAccessKey={}", "accesskey={}", "--aws-secret-access-key {}", "--connection-string '{}'",
        "--pin {}", "--pat {}", "--sas {}", "パスワード={}", "password＝{}", "--пароль={}", "\u2014password {}", "sc config x password= {}", "--password=\n{}",
        "パスワードは{}", "シークレット={}", "トークン：{}", "ＡＰＩキー：{}", "鍵：{}", "合言葉={}", "口令={}", "암호={}", "senha={}", "hasło={}", "PSW={}",
        "ｐａｓｓｗｏｒｄ＝{}", "passw\u200bord={}", "Pass\u200eword={}", "--password\u3000{}", "\u201c--password {}\u201d",
        '{{"password": "{}", "x": 1}}', "{{'pwd':'{}'}}",
        "<password>{}</password>", '<Password Value="{}"/>', "password>{}", "--password=a^&{}", "--password=x;{}", "--password=x,{}", "--password=x|{}",
        "--password=a'{}", '--password="a\\"{}"', "-Credential (u,{})", "curl -ume:{} x", "--login me:{}", "$p='{}'", "sqlplus scott/{}@db",
        "jdbc:oracle:thin:scott/{}@h:1521:x", "https://user:a/{}@host/x", "https://user:a@{}@host/x", "https://hooks.slack.com/services/T00/B00/{}",
        "subscription-key={}", "key={}", "https://h/c;sig={}", "signature={}", "--cookie {}", "session={}", "--otp {}", "--hashes {}", "/ntlm:{}",
        '"--password" "{}"', "'--password' '{}'", '-x "--api-key" "{}"', "svc_pw={}", "svcpw={}", "--bindpw {}", "-bindpw:{}", "--rootpw={}", "--psk {}",
        "--pword={}", "--pswd={}", "パスフレーズ={}", "パス={}", "パス：{}", "-password \u201ca {}\u201d",
        "--password -{}2", "--password /{}2", "--password=-{}",
        "-AsPlainText {}", "ConvertTo-SecureString -AsPlainText -Force -String '{}'", 'ConvertTo-SecureString -AsPlainText -String "{}" -Force',
        '[pscredential]::new("a","{}")', "New-Object System.Management.Automation.PSCredential('a', '{}')", "$cred={}", '$secure = "{}"', "-l a:{}",
        "--basic a:{}", "ldapsearch -D cn=a -w{}", "-x -D cn=a,dc=b -w{} -b dc=b", "-AppKey {}", "--appkey={}", "-MasterKey {}", "JSESSIONID={}",
        "PHPSESSID={}", "--totp {}", "--nt-hash {}", "mdp={}", "--clave {}", "--parola={}", "--heslo {}", "--şifre={}", "--sifre {}",
        # in brackets, as the value of a switch that says it already; into a pipe; JSON as a command line quotes it
        "-Password (ConvertTo-SecureString '{} and' -AsPlainText -Force)", 'X -Password (ConvertTo-SecureString -String "{}" -AsPlainText -Force)',
        "-Credential (New-Object PSCredential('a', (ConvertTo-SecureString {} -AsPlainText -Force)))", "'{}' | ConvertTo-SecureString -AsPlainText -Force",
        "[Net.NetworkCredential]::new('a','{}')", "New-Object Net.NetworkCredential 'a', '{}'", "New-Object PSCredential -ArgumentList 'a','{}'",
        "/c echo {}| x.exe --password-stdin", "/c (echo {}) | runas /user:a b", "echo '{}' |docker login", 'printf "{}\\n" | sudo -S x', "echo {}|plink h",
        '-d "{{\\"user\\":\\"a\\",\\"password\\":\\"{}\\"}}"', '-d "{{""password"":""{}""}}"',
        "exp system/{} full=y", "sqlplus -s a/{}", "userid=a/{}", "rman target a/{}", "/SourceKey:{}", "-xp {}", "-U a%{} //h/s", "PIDKEY={}",
        "-t {}", "x.exe -k {}", "/s:{}", "-s={}", "/T:{}", "/k={}",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n{}\n-----END RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----- MIIE {}",
        "https://host/f?code={}", "https://host/?x=1&any={}", "ftp://{}@host/", "https://me:{}@host/", "Data Source=h;Pwd={};", "--passwd='{}'",
    ],
)  # fmt: skip
def test_what_may_be_a_secret_is_hidden(arguments, secret):
    shown = redaction.arguments(arguments.format(secret))
    assert secret not in shown and redaction.HIDDEN in shown


@pytest.mark.parametrize(
    "secret", [PLAIN, MADE, "hush", "Hush", "correct.horse", "1234", "ab,cd", "ab;c", "a&bc", "$ecret", "a%bc", "/hush", "ひみつ鍵です", "aad3b:31d6c"]
)
@pytest.mark.parametrize(
    "line",
    [
        # one letter, or a place among the words, of somebody else's programs
        "redis-cli -a {}", "lftp -u user,{} sftp://h", "mysql -u root -p{} db", "mysqldump -p{}", "sqlcmd -S srv -U sa -P {} -i x.sql",
        "bcp a out b -P{}", "net use \\\\x\\y {} /user:z", "smbclient -U u%{} //h/s", "plink -pw {} u@h", "curl -u a:{} https://h",
        "sshpass -p {} ssh x", "7z a -p{} x.7z d", "kinit {}", "snmpwalk -v3 -A {} -X {} h", "htpasswd -b f me {}", "ssh-keygen -N {}",
        "ipmitool -U a -P {} x", "login me {}", "openssl enc -k {}", "zip -P {} a.zip b", "mosquitto_pub -u a -P {}", "tool.exe {}",
        "xfreerdp /u:a /p:{}", "sqlplus a/{}", "bin/x {} >> /var/log/x.log", "ssh h 'x -a {}'", 'sh -c "x -a {}"', 'x.exe -a "{} b"', "tool.exe -X{}",
        "cmd /c x.exe {} y.bat", "backup -a {} x@y.com", "rundll32 {} a.exe", "C:\\tools\\run {} x.bat",
    ],
)  # fmt: skip
def test_nothing_else_is_shown_whatever_the_program(line, secret):
    given = line.replace("{}", secret)
    for shown in (redaction.command_line(given), redaction.arguments(given)):
        assert secret not in shown and redaction.HIDDEN in shown
        assert redaction.command_line(shown) == redaction.command_line(given) or shown == redaction.arguments(given)
    assert redaction.command_line(redaction.command_line(given)) == redaction.command_line(given)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("redis-cli -h h -a Secret keys", "redis-cli -h h -a *** ***"),
        (r"net use z: \\s\d hush-me /user:a", r"net use z: \\s\d *** /user:a"),
        ("net user a hush-me /add", "net user a *** /add"),
        ("ldapsearch.exe -x -whush-me", "ldapsearch.exe -x -w***"),
        ("PGPASSWORD=hush-me pg_dump -h db x > /b/x.sql", "PGPASSWORD=*** pg_dump -h db x > /b/x.sql"),
        ("/opt/x/y.sh --to ops --pin 123 \"a b\" 'hush me'", "/opt/x/y.sh --to ops --pin *** \"a b\" '*** me'"),
        ('x --password "ab cd" ef', 'x --password "*** ***" ef'),
        ('"C:\\a b\\x.exe hush" y', '"C:\\a b\\x.exe ***" y'),
        ("curl https://me:x@host/p https://host:443/p/T0?q=1", "curl *** https://host:443/***"),
    ],
)
def test_what_is_started_is_shown_and_not_with_what(given, shown):
    assert redaction.command_line(given) == shown


@pytest.mark.parametrize("arguments", [f"-a {MADE}", f"kinit {MADE}", f"echo {MADE}| x", f"https://hooks.example/T0/{MADE}", f"code={MADE}", f"=＝{MADE}"])
def test_what_looks_generated_is_hidden_wherever_it_stands(arguments):
    assert MADE not in redaction.arguments(arguments)


def test_what_powershell_is_given_encoded_is_hidden():
    encoded = base64.b64encode("x -pw hush".encode("utf-16-le")).decode()
    assert encoded not in redaction.arguments(f"-NoProfile -enc {encoded}") and encoded not in redaction.arguments(f"-EncodedCommand {encoded}")


@pytest.mark.parametrize(
    "arguments",
    [
        r'"C:\Program Files\IIJ ID Service Directory Sync\bin\normal_mode.bat" >> C:\Logs\Sync2024Daily.log',
        "/collect /port 80 /passive -PassThru -Profile:a -port=80 -user me --print -u me",
        r"/c net use Z: \\srv01\Share /persistent:no",
        "-File C:\\Jobs\\Report2024Daily.ps1 --mode dry",
        "https://host:443/ https://host",
        "/c cd /d C:\\IIJ && run.bat --mode=all, x; y",
        r'"C:\日本語 フォルダ\同期.bat" ＡＢＣ　x',
        "-update:yes -url:http://h/ -user:me -unattended:yes",
        r"-l C:\Logs -wait -width 3 /l:x 2>&1 > %TEMP%\x.log",
        "--token -Force --verbose",
        "--no-password /quiet",
        r"/c xcopy /s C:\Data D:\Data /e & tool.exe -s https://host/",
        r"/c echo y| del C:\x & echo N > C:\x.log & del 1",
        "cd /opt/x && ./y.sh; . /etc/profile; bash -c 'exec ../z.sh' | /usr/bin/logger -t x",
        r"exp /?; exp -h; net start x; -U %USERNAME% -x $HOME/a ${HOME}/b $env:TEMP",
        "/X{0c2E1b52-7F0a-4d2e-9A65-0d5d8d0b7f11} /qn REBOOT=No",
        r"-ExecutionPolicy Bypass -WindowStyle Hidden -File '.\a b.ps1' -jar a.jar -rf",
    ],
)
def test_what_is_no_secret_is_shown(arguments):
    assert redaction.arguments(arguments) == arguments


@pytest.mark.parametrize(
    "text",
    [
        "password" * 3000,
        "x-" * 9000,
        "://:" * 5000,
        "password=;" * 3000,
        "-u" * 9000,
        "'--password' " * 2300,
        "\u201c" * 30000,
        "pw " * 10000,
        "pscredential(" * 2300,
        "pscredential(a,  " * 1700,
        "-asplaintext " * 2300,
        "convertto-securestring -force " * 1000,
        "ldapsearch -w" * 2300,
        "-l a" * 7500,
        "password " + "-" * 30000,
        "password -" + "a" * 30000,
        "$cred" + " " * 30000,
        "パス" * 15000,
        "\" '" * 10000,
        "echo " * 6000,
        "echo " + " " * 30000,
        "echo " + "a" * 30000 + "|",
        "(" * 30000,
        "echo 'a" * 5000,
        "pscredential" + " " * 30000,
        "pscredential" + "(" * 30000,
        "a" * 30000 + "| convertto",
        "exp " + "-a " * 10000,
        "exp" + " " * 30000,
        "rman " * 6000,
        "-U a" * 7500,
        "pass" + "\\" * 30000,
        "C:" + "\\" * 30000,
        "C:\\" + "a." * 15000,
        "C:\\" + "a " * 15000,
        "%" + "/.a" * 10000,
        "A=b " * 7500,
        "A='" * 10000,
        "A=" + '"" ' * 10000,
        '"C:\\' + "a.exe " * 5000 + '"',
        '"' + "a.exe /" * 15000,
        "C:\\" + "(" * 100000 + ".exe",
        "a" * 100000 + "}" * 100000 + "a",
        "x://" + "a" * 100000 + "@",
    ],
)
def test_no_text_takes_long(text):
    began = time.process_time()
    redaction.arguments(text)
    redaction.command_line(text)
    assert time.process_time() - began < 3


def test_what_follows_a_switch_that_says_secret_is_hidden_whatever_it_is():
    for given in ("-password 123", "-pin 123", "-token run", r"-Credential C:\abc", "/passwort: abc", "-passwort= 123", "\u2014password x.txt"):
        assert redaction.arguments(given) == f"{given[:2]}*** ***"


def test_a_program_and_its_arguments_in_one_text():
    assert redaction.command_line(r'"C:\My Pass Word\x.exe" --password hush') == r'"C:\My Pass Word\x.exe" --password ***'
    assert redaction.command_line(r"C:\My Password Tools\x.exe /p:hush") == r"C:\My Password Tools\x.exe /p:***"
    assert redaction.command_line(r'"C:\p\u.exe /PW=hush /S"') == r'"C:\p\u.exe /PW=*** /S"'
    assert redaction.command_line("MsiExec.exe /X{0c2E1b52-7F0a-4d2e-9A65-0d5d8d0b7f11}") == "MsiExec.exe /X{0c2E1b52-7F0a-4d2e-9A65-0d5d8d0b7f11}"
    # no program can be made out
    assert redaction.command_line(r"msiexec /x {0c2E1b52-7F0a-4d2e-9A65-0d5d8d0b7f11} PASSWORD=hush").endswith("PASSWORD=***")
    assert redaction.command_line(r"C:\My Password Tools\x.exe") == r"C:\My Password Tools\x.exe"
