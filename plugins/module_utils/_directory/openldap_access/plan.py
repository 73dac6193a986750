# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access rules of OpenLDAP, pure: which clauses are about an account, and what a rule is without them.

slapd.access(5): the first rule that fits an object decides, and in it the first clause that fits who asks. So a rule is never left out, whatever is left of
it: the next one would open what this one had closed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..._core import dn as names
from ..._core import phrases
from ..._core.model import Change, Object, Refusal
from ..._core.plan import Plan
from .. import ldif
from ..values import Entry

KIND = "openldap_access"
_FRONTEND = "olcDatabase={-1}frontend,cn=config"
ALLOWABLE = ("denying_clause",)

# As cn=config takes a value apart (strtok_quote_ldif of slapd): blanks are those of ASCII, a quote may begin within a word and ends before a blank,
# and no backslash escapes anything
_WORD = re.compile(r'[^\s"]*"(?:[^"]|"(?!\s|\Z))*(?:"|\Z)|[^\s"]+', re.ASCII)
_NUMBERED = re.compile(r"(\{\d+\})(.*)", re.DOTALL)
_EXACT = re.compile(r"(?:real)?dn(?:\.(?:exact|base|baseobject))?=(?P<dn>.+)", re.IGNORECASE | re.DOTALL)
#: everybody else of whom a clause may speak: what they are is found out by the server alone
_OTHERS = re.compile(r"(?:real)?(?:dn(?:attr)?[.=]|group[./=]|set[.=]|dynacl/|aci(?:[.=]|\Z))", re.IGNORECASE)
#: what gives a right, or lets the clauses and rules behind decide
_GIVES = re.compile(r"(?:(?:real)?self)?(?:auth|compare|search|read|write|add|delete|manage|[=+][mwazrscxd]+)|break|continue", re.IGNORECASE)
#: levels of access, as the privileges that they stand for
_LEVELS = {
    "none": "", "disclose": "d", "auth": "dx", "compare": "dxc", "search": "dxcs", "read": "dxcsr", "add": "dxcsra", "delete": "dxcsrz", "write": "dxcsraz",
    "manage": "dxcsrazm",
}  # fmt: skip
_PRIVILEGES = re.compile(r"(?P<own>(?:real)?self)?(?:(?P<level>[a-z]+)|(?P<sign>[=+-])(?P<letters>0|[mwazrscxd]+))", re.IGNORECASE)
_TAKES = re.compile(r"(?:(?:real)?self)?-[mwazrscxd]+", re.IGNORECASE)
_CONTROLS = ("stop", "break", "continue")
#: who has not signed in, and an account as its own object alone; whoever has signed in
_NOT_IT = re.compile(r"(?:real)?(?:anonymous|self(?:\.level\{-?\d+\})?)", re.IGNORECASE)
_ALL = re.compile(r"\*|(?:real)?users", re.IGNORECASE)
#: accounts by where they lie, or by what fits their names
_PLACES = re.compile(r"(?:real)?dn\.(?P<style>sub|subtree|children|one|onelevel|level\{\d+\})=(?P<dn>.+)", re.IGNORECASE | re.DOTALL)
_PATTERN = re.compile(r"(?:real)?dn\.regex=(?P<pattern>.+)", re.IGNORECASE | re.DOTALL)
#: what an account has by the clauses so far, and what the last one says of those behind: `continue` while some may follow, `break` to other rules, `stop`
_Had = tuple[frozenset[str], str]


@dataclass(frozen=True)
class Clause:
    """One `by …` of a rule, with the white space before it; `start` and `end` in the rule's text, `written` the words after `by`."""

    start: int
    end: int
    written: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """Without their quotes."""
        return [_unquoted(word) for word in self.written]

    def is_about(self, account: str) -> bool:
        """Whether it speaks of that account and of nobody else."""
        return any(_key(found["dn"]) == _key(account) for word in self.words if (found := _EXACT.fullmatch(word)))

    @property
    def is_of_some(self) -> bool:
        """Whether it speaks of some accounts of which it names none: groups, sets, patterns."""
        return any(_OTHERS.match(word) and not _EXACT.fullmatch(word) for word in self.words)

    @property
    def denies(self) -> bool:
        """Whether it gives nothing, or takes away: without it the account may have more."""
        return not any(_GIVES.fullmatch(word) for word in self.words[1:]) or any(_TAKES.fullmatch(word) for word in self.words[1:])

    @property
    def control(self) -> str:
        """What decides once it has: `stop` this clause, `break` the rules behind too, `continue` the clauses behind too."""
        return next((word.casefold() for word in self.words[1:] if word.casefold() in ("break", "continue")), "stop")

    def fits(self, account: str) -> bool | None:
        """Whether it is for that account, too; None where the connection or the value decides. Of groups and sets nobody knows here who is in them: not it."""
        found = {_speaks_of(word, account) for word in self.words if word and word.casefold() not in _CONTROLS}
        return False if False in found else None if None in found else True


def _access(word: str) -> re.Match[str] | None:
    """What a word of a clause says of access, if that is what it is about."""
    found = _PRIVILEGES.fullmatch(word)
    return found if found and (found["level"] or "none").casefold() in _LEVELS else None


def _speaks_of(word: str, account: str) -> bool | None:
    """Whether a word of a clause is so of the account that has signed in; None where nobody knows here. With `selfwrite` it is so of values with its name."""
    if access := _access(word):
        return None if access["own"] else True
    if _ALL.fullmatch(word):
        return True
    if found := _EXACT.fullmatch(word):
        return _key(found["dn"]) == _key(account)
    if found := _PLACES.fullmatch(word):
        return _lies_in(account, found["dn"], found["style"].casefold())
    if found := _PATTERN.fullmatch(word):
        try:
            return None if "[:" in found["pattern"] else bool(re.search(found["pattern"], _key(account), re.IGNORECASE))
        except re.error:
            return None
    return False if _NOT_IT.fullmatch(word) or _OTHERS.match(word) else None


def _lies_in(account: str, folder: str, style: str) -> bool | None:
    """Whether an account is below an object, or (subtree) it is that; None of how far below."""
    below, above = _key(account), _key(folder)
    if below == above:
        return style.startswith("sub")
    if not below.endswith("," + above):
        return False
    return True if style.startswith(("sub", "children")) else None


def _unquoted(word: str) -> str:
    """What slapd makes of it: without the quote where it begins, and the one at its end."""
    head, quote, rest = word.partition('"')
    return head + rest.removesuffix('"') if quote else word


def _key(dn: str) -> str:
    """As slapd compares names: of blanks in a value, one counts."""
    return re.sub(" +", " ", names.key(dn))


def clauses(text: str) -> list[Clause]:
    """The clauses of a rule, in order."""
    words = list(_WORD.finditer(text))
    begins = [at for at, word in enumerate(words) if _unquoted(word[0]).casefold() == "by" and at]
    found = []
    for number, at in enumerate(begins):
        last = begins[number + 1] if number + 1 < len(begins) else len(words)
        found.append(Clause(words[at - 1].end(), words[last - 1].end(), tuple(word[0] for word in words[at + 1 : last])))
    return found


#: of a setting, where a name may begin in a word, and what may stand behind it
_BEGINS = re.compile(r"""(?:\A|[=:/("'^])(?=\s*[A-Za-z0-9.-]+\s*=)""")
_BEHIND = re.compile(r"""[?)"'$]""")
_BLANKS = re.compile(r"[ \t\r\n]+")
#: How much longer a name may be than its key: the longest name of a type and the blanks around it; of a character that is escaped, or put together of several.
_TYPE, _ESCAPED, _ESCAPES = 40, 40, re.compile(r"[^\x01-\x7f]|[\\#\"]")


def names_account(text: str, account: str) -> bool:
    """Whether a setting names it: alone, or in a word such as binddn="…", dn.exact:… or ldap:///…, also as a pattern that nothing else fits."""
    key = _key(account)
    words = dict.fromkeys((text, *map(_unquoted, _WORD.findall(text))))
    return any(_key(name) == key for word in words for name in _names_in(_BLANKS.sub(" ", word), key))


def _names_in(word: str, key: str) -> Iterator[str]:
    """What may be a name in a word, from each place where one may begin to what ends it; nothing that is longer than the name could be written."""
    parts = key.count(",") + key.count("+") + 1
    plain, escaped = len(key) + _TYPE * parts, _ESCAPED * (len(key) + parts) + _TYPE * parts
    for begin in _BEGINS.finditer(word):
        start = begin.end()
        longest = start + (escaped if _ESCAPES.search(word, start, start + plain + 1) else plain)
        end = _BEHIND.search(word, start, longest + 1)
        if end:
            yield word[start : end.start()]
        if len(word) <= longest:
            yield word[start:]


def without(text: str, account: str) -> str:
    """The rule without the account's clauses, all else byte for byte. Where none is left, it closes for everybody, as it did for all others."""
    every = clauses(text)
    gone = [clause for clause in every if clause.is_about(account)]
    rest = text
    for clause in reversed(gone):
        rest = rest[: clause.start] + rest[clause.end :]
    return f"{rest} by * none" if gone and len(gone) == len(every) else rest


@dataclass(frozen=True)
class Rule:
    """One value of olcAccess: `{0}to … by …`."""

    database: str
    value: str

    @property
    def index(self) -> str:
        """Its place, such as {0}."""
        found = _NUMBERED.fullmatch(self.value)
        return found[1] if found else ""

    @property
    def text(self) -> str:
        """The rule itself."""
        return self.value[len(self.index) :]

    @property
    def what(self) -> str:
        """What it is for: all before the first `by`."""
        every = clauses(self.text)
        return self.text[: every[0].start] if every else self.text


#: What holds no account of a setting: the schema, and the configuration's own bookkeeping.
_NO_SETTINGS = re.compile(r"(?!olc).*|olc(?:AttributeTypes|ObjectClasses|ObjectIdentifier|LdapSyntaxes|DitContentRules)", re.IGNORECASE)


def settings(configuration: Iterable[Entry], account: str) -> list[dict[str, str]]:
    """Where else the server's configuration names the account: entry, attribute and place. Never the values: olcSyncrepl holds a password."""
    found = []
    for entry in configuration:
        for attribute in entry.attributes:
            for value in entry.texts(attribute) if not _NO_SETTINGS.fullmatch(attribute) else ():
                rule = Rule(entry.dn, value)
                # of a rule the clauses are told apart; its object is a setting like others
                if names_account(rule.what if attribute.casefold() == "olcaccess" else rule.text, account):
                    found.append({"entry": entry.dn, "attribute": attribute, "index": rule.index})
    return found


def objects(rules: Iterable[Rule]) -> Iterator[tuple[Object, Rule]]:
    """The rules as plans see them. Two for the same are told apart by their order."""
    counts: dict[str, int] = {}
    for rule in rules:
        name = f"{rule.database}: {rule.what}"
        counts[name] = counts.get(name, 0) + 1
        if counts[name] > 1:
            name += f" #{counts[name]}"
        yield Object(KIND, name, name, {"access": rule.text}), rule


@dataclass(frozen=True)
class Swap:
    """How a rule was changed, by the LDIF file that swaps it back: its text before and after, without its place."""

    database: str
    before: str
    after: str

    @property
    def what(self) -> str:
        """What the rule is for."""
        return Rule(self.database, self.before).what


def swaps(records: Iterable[ldif.ChangeRecord], account: str) -> Iterator[Swap]:
    """Those of saved files that took out the account's clauses, and nothing else."""
    for record in records:
        if [(operation, attribute, len(values)) for operation, attribute, values in record.changes] == [("delete", "olcAccess", 1), ("add", "olcAccess", 1)]:
            new, old = (Rule(record.dn, values[0].decode("utf-8", "replace")).text for _operation, _attribute, values in record.changes)
            if without(old, account) == new != old:
                yield Swap(record.dn, old, new)


def plan_back(current: Iterable[Object], saved: Iterable[Swap]) -> Plan:
    """A change for each rule that still is as a swap left it, of `saved`, the newest first. Rule: rule_changed."""
    plan, texts = Plan(), {item.id: str(item.state["access"]) for item in current}
    groups: dict[tuple[str, str], list[Swap]] = {}
    for swap in dict.fromkeys(saved):
        groups.setdefault((swap.database, swap.what), []).append(swap)
    for (database, what), swapped in groups.items():
        mine = {key: text for key, text in texts.items() if key.startswith(f"{database}: ")}
        there = sum(swap.before in mine.values() for swap in swapped)
        plan.unchanged += there
        for swap in swapped:
            for key in [key for key, text in mine.items() if text == swap.after][:1]:
                mine[key] = swap.before
                undo = phrases.english("undo_same_state", state="absent")
                plan.changes.append(Change(KIND, key, key, "restore", before={"access": swap.after}, after={"access": swap.before}, risk="medium", undo=undo))
                there += 1
        if not there:
            name = f"{database}: {what}"
            msg = f"{name} is no longer as it was when the clause was taken out. It was: {swapped[0].before}. Put the clause back by hand"
            plan.refusals.append(Refusal("rule_changed", msg, (name,)))
    return plan


@dataclass(frozen=True)
class _Step:
    """What a clause that is, or may be, for an account does for it."""

    is_sure: bool
    is_own: bool
    #: the sign (=, +, -) and the letters
    access: tuple[tuple[str, frozenset[str]], ...]
    control: str

    def after(self, had: _Had) -> _Had:
        given, control = had
        if control != "continue":
            return had
        for sign, letters in self.access:
            given = given | letters if sign == "+" else given - letters if sign == "-" else letters
        return given, self.control


@functools.lru_cache(maxsize=1000)
def _steps(text: str, account: str) -> tuple[_Step, ...]:
    """Of a rule. Behind the last clause is `by * none stop`."""
    steps = []
    for clause in clauses(text):
        if (fits := clause.fits(account)) is not False:
            access = tuple((found["sign"] or "=", _letters(found)) for word in clause.words[1:] if (found := _access(word)))
            steps.append(_Step(fits is True, clause.is_about(account), access, clause.control))
    return (*steps, _Step(True, False, (("=", frozenset()),), "stop"))


def _letters(access: re.Match[str]) -> frozenset[str]:
    return frozenset(_LEVELS[access["level"].casefold()] if access["level"] else access["letters"].casefold().strip("0").replace("w", "az"))


def _after(steps: Iterable[_Step], had: set[tuple[_Had, _Had]], is_gone: bool) -> set[tuple[_Had, _Had]]:
    """What the account may have after a rule: with its own clauses, and (of those of a rule in which they are gone) without."""
    had = {(_entered(one), _entered(other)) for one, other in had}
    for step in steps:
        after = {(step.after(one), other if is_gone and step.is_own else step.after(other)) for one, other in had}
        had = after if step.is_sure else had | after
    return had


def _entered(had: _Had) -> _Had:
    return (had[0], "continue") if had[1] == "break" else had


def _gets_more(rules: Sequence[tuple[_Step, ...]], number: int, gone: Collection[int]) -> bool:
    """Whether the account may get more without its clauses in the rules `gone`: at an object for which the rule of that number is, and others may be."""
    had: set[tuple[_Had, _Had]] = {((frozenset(), "break"), (frozenset(), "break"))}
    for at, steps in enumerate(rules):
        after = _after(steps, had, at in gone)
        had = after if at == number else had | after
    # who is left to rules that do not come has nothing
    return any(without[1] == "stop" and without[0] - (given[0] if given[1] == "stop" else frozenset()) for given, without in had)


def _holds_back(item: Object, account: str, every: Sequence[Object]) -> bool:
    """Whether a clause of a rule keeps the account from more than it has by it: it denies, or gives less than what decides without it."""
    if any(clause.denies for clause in clauses(str(item.state["access"])) if clause.is_about(account)):
        return True
    for among in _among(item, every):
        rules, number = [_steps(str(one.state["access"]), account) for one in among], among.index(item)
        own = [at for at, steps in enumerate(rules) if any(step.is_own for step in steps)]
        # they go one by one, in their order
        if _gets_more(rules, number, [at for at in own if at <= number]) or _gets_more(rules, number, own):
            return True
    return False


def _among(item: Object, every: Sequence[Object]) -> Iterator[list[Object]]:
    """The rules among which a rule decides, in order: those of its database, and behind these, as behind those of every database, the frontend's."""
    databases: dict[str, list[Object]] = {_FRONTEND: []}
    for one in every:
        databases.setdefault(one.id.partition(": ")[0], []).append(one)
    frontend = databases.pop(_FRONTEND)
    yield from (among for rules in (*databases.values(), []) if item in (among := [*rules, *frontend]))


def plan_for(account: str, current: Iterable[Object], allow: Iterable[str]) -> Plan:
    """A change for each rule with a clause about the account. Rule: denying_clause."""
    plan, allowed, current = Plan(), set(allow), list(current)
    for item in current:
        text = str(item.state["access"])
        rest = without(text, account)
        if rest == text:
            plan.unchanged += 1
            continue
        undo = phrases.english("undo_same_state", state="present")
        plan.changes.append(Change(KIND, item.id, item.name, "update", before={"access": text}, after={"access": rest}, risk="medium", undo=undo))
        if "denying_clause" not in allowed and _holds_back(item, account, current):
            msg = f"{item.name}: the clause gives {account} nothing, or less than others, and without it the account may get more. Remove the account first"
            plan.refusals.append(Refusal("denying_clause", msg, (item.name,), "allow: [denying_clause]"))
    return plan
