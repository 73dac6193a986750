# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access rules of OpenLDAP, pure: which clauses are about an account, and what a rule is without them.

slapd.access(5): the first rule that fits an object decides, and in it the first clause that fits who asks. So a rule is never left out, whatever is left of
it: the next one would open what this one had closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
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
_PRIVILEGES = re.compile(r"(?:(?:real)?self)?(?:(?P<level>[a-z]+)|[=+](?P<letters>0|[mwazrscxd]+)|-[mwazrscxd]+)", re.IGNORECASE)
_TAKES = re.compile(r"(?:(?:real)?self)?-[mwazrscxd]+", re.IGNORECASE)


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

    @property
    def is_for_sure(self) -> bool:
        """Whether it asks for no more than the name: no strength of the connection, address or time."""
        return all(word.casefold() in ("stop", "break", "continue", "") or _level(word) is not None for word in self.words[1:])

    @property
    def gives(self) -> frozenset[str]:
        """The privileges that it gives where all that it asks for is so, by letters. What it gives in one's own name alone is nothing."""
        return frozenset().union(*(_level(word) or "" for word in self.words[1:] if not word.casefold().startswith(("self", "realself"))))

    @property
    def may_give(self) -> frozenset[str]:
        """The same, with what it gives in one's own name."""
        return frozenset().union(*(_level(word) or "" for word in self.words[1:]))

    @property
    def is_of_all(self) -> bool:
        """Whether it fits every account that has signed in."""
        return bool(self.words) and self.words[0].casefold() in ("*", "users")


def _level(word: str) -> str | None:
    """The privileges that a word of a clause stands for; None where it is none of access."""
    found = _PRIVILEGES.fullmatch(word)
    if not found or (found["level"] and found["level"].casefold() not in _LEVELS):
        return None
    return _LEVELS[found["level"].casefold()] if found["level"] else (found["letters"] or "").casefold().strip("0").replace("w", "az")


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


def _most(every: Iterable[Clause], behind: Sequence[str] = ()) -> frozenset[str]:
    """The most that somebody who has signed in may get by these clauses of a rule, and by the rules behind it where they leave it to them."""
    found: frozenset[str] = frozenset()
    for clause in (clause for clause in every if clause.is_of_all):
        found |= clause.may_give
        if clause.control == "break":
            found |= frozenset().union(*(further.may_give for text in behind for further in clauses(text) if further.is_of_all))
        if clause.is_for_sure and clause.control != "continue":
            break
    return found


def _holds_back(text: str, account: str, behind: Sequence[str]) -> bool:
    """Whether a clause of the rule keeps the account from more than it gives: it denies, or gives less than everybody gets without it. Of a clause that
    leaves it to the rules behind, nobody knows here what it gives in the end."""
    every = clauses(text)
    for number, clause in enumerate(every):
        if not clause.is_about(account):
            continue
        later = every[number + 1 :]
        if clause.denies or (clause.control == "stop" and _most(later, behind) - clause.gives) or (clause.control == "break" and _most(later)):
            return True
    return False


def _behind(number: int, rules: Sequence[Object]) -> list[str]:
    """The rules that may decide after one of them: the later ones of its database, and behind those of every database the frontend's."""
    own = rules[number].id.partition(": ")[0]
    later = [item for item in rules[number + 1 :] if item.id.partition(": ")[0] == own]
    frontend = [item for item in rules if item.id.partition(": ")[0] == _FRONTEND and own != _FRONTEND]
    return [str(item.state["access"]) for item in (*later, *frontend)]


def plan_for(account: str, current: Iterable[Object], allow: Iterable[str]) -> Plan:
    """A change for each rule with a clause about the account. Rule: denying_clause."""
    plan, allowed, current = Plan(), set(allow), list(current)
    for number, item in enumerate(current):
        text = str(item.state["access"])
        rest = without(text, account)
        if rest == text:
            plan.unchanged += 1
            continue
        undo = phrases.english("undo_same_state", state="present")
        plan.changes.append(Change(KIND, item.id, item.name, "update", before={"access": text}, after={"access": rest}, risk="medium", undo=undo))
        if "denying_clause" not in allowed and _holds_back(text, account, _behind(number, current)):
            msg = f"{item.name}: the clause gives {account} nothing, or less than others, and without it the account may get more. Remove the account first"
            plan.refusals.append(Refusal("denying_clause", msg, (item.name,), "allow: [denying_clause]"))
    return plan
