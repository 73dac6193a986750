# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines of others as people, journals and reports may see them: what may be a secret is hidden. Pure.

Nobody can know every program's switches. So what looks like a generated secret is hidden as well, wherever it stands: rather too much than too little.
"""

from __future__ import annotations

import re
import unicodedata

HIDDEN = "***"

#: A word, parts of which may be quoted; `;` and the like end it where a blank, another of them or a name with its value follows.
_VALUE = r"(?:\"[^\"]*\"?|'[^']*'?|\u201c[^\u201d]*\u201d?|\^[^\s]|[^\s\"',;&|\u201c]|[,;&|](?![\s,;&|\"'}\]]|[\w .-]+[\"']?\s*[=:]|$))+"
#: Words of a name whose value is secret, in the languages that are met; not those of other meaning.
_SECRET_NAME = (
    r"pass(?!ive|thru|port\b)|pwd|secret|token|sharedaccess|"
    r"(?:api|access|account|shared|storage|license|private|encryption|auth|app|master|source|dest|signing|product|pid)[-_]?key|"
    r"credential|connection[-_]?string|p@ss|psw\b|\w[-_]key\b|\bkey\b(?=\s*[=:])|\bsig(?:nature)?\b|\bhmac\b|\bntlm\b|\bhashes\b|\bsalt\b|\bcookie\b|"
    r"\bsession\b|\botp\b|kennwort|contrase|geheim|senha|wachtwoord|has[lł]o\b|lösenord|salasana|\bsas\b|\bpat\b|\bpin\b|\bauth\b|pw\b|\bhp\b|"
    r"psk\b|pword\b|pswd\b|sess(?:ion)?id\b|\btotp\b|\b(?:nt|lm)[-_]?hash\b|\bmdp\b|\bclave\b|\bparola\b|\bheslo\b|[şs]ifre\b|\$(?:cred|secure)\b(?=\s*=)|"
    "パスワード|パスフレーズ|パス(?=\\s*[=:＝：])|ﾊﾟｽﾜｰﾄﾞ|パスコード|暗証|秘密|シークレット|ｼｰｸﾚｯﾄ|トークン|ﾄｰｸﾝ|合い?言葉|(?:アクセス|共有|ストレージ|API|認証)キー|鍵|密码|密碼|口令|пароль|비밀번호|암호"
)
#: Switches that begin with p and hold no password; of all others what is written after -p without a blank may be one (MySQL, 7-Zip, PuTTY).
_OTHER_P = (
    "pack|package|page|pages|pair|parallel|param|params|parameters|parent|part|partition|passive|passthru|path|paths|pattern|pause|percent|perf|period|"
    "persist|persistent|phase|pid|ping|pipe|plan|platform|play|plugin|plugins|policy|poll|pool|port|ports|post|prefix|prepare|preserve|preset|pretty|preview|"
    "print|printer|priority|private|process|product|profile|program|progress|project|prompt|properties|property|protocol|provider|proxy|proxy-user|"
    "psconsolefile|public|publish|pull|purge|push"
)
_START = r"(?:(?<=[\s\"',;({<\[\u201c\u201d\u2018\u2019\u300c\u300e])|^)"
_SECRETS = re.compile(
    # a name that says it, or a short switch that often means it, and its value; a switch that follows is none
    rf"((?:{_START}|(?<=[?&$:]))[-/$\u2013\u2014]{{0,2}}(?:env:)?(?:[\w.-]{{0,99}}?(?:{_SECRET_NAME})[\w.-]{{0,99}}?)"
    r"(?:(?:\\*[\"']){0,2}\s*[=:＝：]\s*|は\s*|[\"']?>|[\"']\s+(?=[\"'])"
    r"|\s+(?![-/]{1,2}[a-z?][a-z_-]*(?:[\s=:\"']|$))(?:(?:-string|basic|bearer|digest|negotiate)\s+)?)"
    rf"|{_START}(?:-?-|/)(?:p|pw|rp|xp|key|w|pass)(?:\s*[=:]\s*|\s+(?![-/]))"
    # one letter that means a token, a key or a secret to some: -t x, -k x, /s:x; what follows a switch of that name without a sign is a path more often
    rf"|{_START}-[tk](?:[=:]\s*|\s+(?![-/]))|{_START}[-/][stk][=:]\s*"
    # glued: -psecret, -hpsecret
    rf"|{_START}[-/](?!(?:{_OTHER_P})(?![\w@#$!%^*+.-]))h?p(?=[^\s=:])"
    # who:secret, and who secret
    rf"|{_START}(?:-u|--(?:proxy-)?user|--login|--auth|-E|--cert)[\s=]+[\"']?[^\s:\"']+:"
    rf"|{_START}-u(?!(?:ser(?:name)?|r[il]|pdate|pgrade|ninstall|nattended|sage|tc|tf-?8|nc|id|pn):)[^\s:\"']+:"
    rf"|{_START}/user:\S+\s+(?![-/])"
    rf"|{_START}(?:-l|--basic)[\s=]+[\"']?[^\s:\"'\\/]+:(?![\\/]|\d+(?:[\s/]|$))"
    # of Samba's programs: -U who%secret
    rf"|{_START}(?-i:-U)\s*[\"']?[^\s%\"']{{1,255}}%(?=[^\s%]+(?:[\s\"']|$))"
    # headers, environment
    r"|\bauthorization\s*:\s*(?:\w+\s+)?|\b(?:x-[\w-]{1,99}|cookie)\s*:\s*|\bbearer\s+|\$env:\w+\s*=\s*|\$p\s*=\s*"
    rf"|\bsshpass\s+-p\s*)({_VALUE})",
    re.IGNORECASE,
)
#: What PowerShell makes a secure string or a credential of: often the value of a switch that says it already, in brackets.
_SECURE = re.compile(
    r"(convertto-securestring\s+(?:-(?:string|asplaintext|force)\b[\s:]+){0,4}(?![-/|(])|-asplaintext\s+(?![-/|(])"
    r"|\b(?:ps|network)credential[\"']?\]?(?:::new)?[\s(]{1,9}(?:-argumentlist[\s(]{1,9})?"
    rf"(?:\"[^\"]{{0,255}}\"|'[^']{{0,255}}'|[^\s,\"'(]{{1,255}})\s*,\s*(?!\())({_VALUE})"
    r"|(?:\"[^\"]{0,255}\"|'[^']{0,255}')(?=[\s)]{0,9}\|\s{0,9}convertto-securestring)",
    re.IGNORECASE,
)
#: What a program is given by a pipe, but for an answer to its question, and for what tells it or writes it down.
_PIPED = re.compile(
    r"(\b(?:echo|printf|write-output)\b[\s.(]{1,9}(?:-[en]+\s+)?)(?!(?:y|n|yes|no|j|o|a)[\s)]{0,9}\|)"
    r"(?:\"[^\"]*\"|'[^']*'|[^|&;\r\n\"']){1,255}?(?=[\s)]{0,9}\|(?!\|))"
    r"(?!.{0,9}\|\s{0,9}(?:/\S{1,99}/)?"
    r"(?:mailx?|sendmail|mutt|tee|logger|wall|wc|[ef]?grep|sed|awk|cut|tr|findstr|find|clip|more|less|sort|msg|out-\w+|cat)\b)",
    re.IGNORECASE,
)
#: the last @ ends it: a password may hold another one, or a slash; a port may not
_USER_INFO = re.compile(r"://(?:[^\s/@:\"]{0,255}:(?!\d+[/?#])[^\s\"]{0,255}|[^\s/@\"]+)@")
#: sqlplus scott/tiger@database
_ACCOUNT = re.compile(r"((?<=[\s\"':])[\w.$#-]+/|^[\w.$#-]+/)[^\s/@\"']+(?=@\S)")
#: exp system/manager full=y: of Oracle's own programs without a database too
_ORACLE = re.compile(
    r"((?:\b(?:sqlplus|expdp|impdp|exp|imp|sqlldr)(?:\.exe)?\"?(?:\s+-\w+)*\s+|\buserid\s*=\s*"
    r"|\brman(?:\.exe)?\"?\s(?:[^|&]{0,255}?\s)?(?:target|catalog|auxiliary)[\s=]+)[\"']?[\w$#]+/)(?!\s)[^\s@\"']+",
    re.IGNORECASE,
)
#: Programs whose arguments mean something of their own.
_SPEAKS = re.compile(r"net1?|ldap\w+|sqlplus|expdp|impdp|exp|imp|sqlldr|rman")
_WEBHOOK = re.compile(r"(//[^\s/\"']*hooks?[^\s/\"']*/)[^\s\"']+", re.IGNORECASE)
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*-----|$)", re.DOTALL)
_QUERY = re.compile(r"([?&][^=&\s\"'#]*=)[^&\s\"'#]+")
#: net use \\server\share SECRET /user:x, net user x SECRET
_NET = re.compile(r"(\bnet1?(?:\.exe)?\"?\s+(?:use|user)\s)([^&|\r\n]*)", re.IGNORECASE)
_NET_WORD = re.compile(r"\"[^\"]*\"?|\S+")
_NET_SHOWN = re.compile(r"[a-z*]:|\\\\.*|/.*|\*", re.IGNORECASE)
#: ldapsearch -D cn=a -wSECRET; of other programs -w begins many switches
_LDAP = re.compile(r"\bldap(?:search|modify|modrdn|add|delete|passwd|whoami|compare|exop)\b|(?:^|\s)-D\s+[\"']?\w+=", re.IGNORECASE)
_LDAP_PASSWORD = re.compile(r"((?:^|(?<=\s))-w)(?=\S)(?:\"[^\"]*\"?|'[^']*'?|\S+)")
_ENCODED = re.compile(r"((?:(?<=\s)|^)[-/]e(?:c|nc\w*)?\s+)[\w+/=]{8,}", re.IGNORECASE)
#: A word of its own that may have been generated: letters of both cases and digits, and no path or file.
_WORD = re.compile(r"[^\s\"'=:;,&?|<>()\[\]{}\\/]{8,}")
_FILE = re.compile(r"\.[A-Za-z]\w{0,4}$")
_BASE64 = re.compile(r"(?<![\w+/\\.%:-])[\w+/]{24,}={0,2}(?![\w\\.%])")
#: A program that is written together with its arguments.
_PROGRAM = re.compile(r"(\s*(?:\"[^\"]+\"|.*?\.(?:exe|com|bat|cmd|ps1|vbs|js|msi)))(\s.*|$)", re.IGNORECASE | re.DOTALL)
_ALL_QUOTED = re.compile(r"\s*\"([^\"]+?\.(?:exe|com|bat|cmd))(\s+[/-][^\"]*)\"\s*", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _random(text: str) -> bool:
    return not _UUID.fullmatch(text) and all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", r"\d")) and not _FILE.search(text)


def _net(found: re.Match[str]) -> str:
    words = _NET_WORD.findall(found[2])
    # of net user the first word is whose password it is
    first = 1 if found[1].split()[-1].casefold() == "user" else 0
    shown = [word if number < first or _NET_SHOWN.fullmatch(word.strip('"')) else HIDDEN for number, word in enumerate(words)]
    return found[1] + " ".join(shown) + (" " if found[2].endswith(" ") else "")


def _as_meant(text: str) -> str:
    """Without characters that nobody sees, Latin letters and blanks of full width as the others."""
    return "".join(
        unicodedata.normalize("NFKC", char) if "\uff01" <= char <= "\uff5e" or unicodedata.category(char) == "Zs" else char
        for char in text
        if unicodedata.category(char) != "Cf"
    )


def arguments(text: str, program: str = "") -> str:
    """The arguments of a program, of which a scheduled task tells apart from them."""
    name = re.split(r"[\\/]", program.strip(' "'))[-1].casefold().removesuffix(".exe")
    before = f"{name} " if _SPEAKS.fullmatch(name) else ""
    meant = text if text.isascii() else _as_meant(text)
    shown = _hidden(before + meant).removeprefix(before)
    return text if shown == meant else shown


def _hidden(text: str) -> str:
    text = _PRIVATE_KEY.sub(rf"\1{HIDDEN}\2", text)
    text = _USER_INFO.sub(f"://{HIDDEN}@", text)
    text = _WEBHOOK.sub(rf"\1{HIDDEN}", text)
    text = _ACCOUNT.sub(rf"\1{HIDDEN}", text)
    text = _ORACLE.sub(rf"\1{HIDDEN}", text)
    text = _SECURE.sub(lambda found: f"{found[1] or ''}{HIDDEN}", text)
    text = _PIPED.sub(rf"\1{HIDDEN}", text)
    text = _ENCODED.sub(rf"\1{HIDDEN}", text)
    text = _NET.sub(_net, text)
    text = _LDAP_PASSWORD.sub(rf"\1{HIDDEN}", text) if _LDAP.search(text) else text
    text = _SECRETS.sub(rf"\1{HIDDEN}", text)
    text = _QUERY.sub(rf"\1{HIDDEN}", text)
    text = _BASE64.sub(lambda found: HIDDEN if _random(found[0]) else found[0], text)
    return _WORD.sub(lambda found: HIDDEN if _random(found[0]) else found[0], text)


def command_line(text: str) -> str:
    """A program with its arguments in one text."""
    if whole := _ALL_QUOTED.fullmatch(text):  # some installers write it so
        return f'"{whole[1]}{arguments(whole[2], whole[1])}"'
    found = _PROGRAM.fullmatch(text)
    return found[1] + arguments(found[2], found[1]) if found else arguments(text)
