# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clauses of an access rule are an account's, and what is left without them."""

from __future__ import annotations

import time

import pytest
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import ldif
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.openldap_access import plan as access
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.values import Entry

SYNC = "cn=iij-dirsync,ou=services,dc=reiji,dc=example"
OTHER = 'by dn.exact="cn=mail,ou=services,dc=reiji,dc=example" read'
MINE = f'by dn.exact="{SYNC}" read'


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        (f"to * {MINE} {OTHER} by * none", f"to * {OTHER} by * none"),
        (f"to * {OTHER}  {MINE}\n  by users read  by * none", f"to * {OTHER}\n  by users read  by * none"),
        (f"to * {OTHER} {MINE}", f"to * {OTHER}"),
        (f"to attrs=userPassword {MINE}", "to attrs=userPassword by * none"),
        (f"to * {MINE} {MINE}", "to * by * none"),
        (f'to dn.subtree="ou=by x,dc=reiji,dc=example" {MINE} by * none', 'to dn.subtree="ou=by x,dc=reiji,dc=example" by * none'),
        (f'to filter="(cn=a by b)" {MINE} by self write', 'to filter="(cn=a by b)" by self write'),
        (f'to * by dn.base="{SYNC}" write by * read', "to * by * read"),
        (f'to * by dn="{SYNC.upper()}" write by * read', "to * by * read"),
        (f"to * by dn.exact={SYNC} write by * read", "to * by * read"),
        (f'to * BY dn.exact="{SYNC.replace(",", " , ")}" read by * read', "to * by * read"),
        (f'to * by dn.exact="{SYNC}" ssf=128 peername.ip=127.0.0.1 read break by * read', "to * by * read"),
        (f'to * by realdn.exact="{SYNC}" read by * read', "to * by * read"),
        (rf'to * by dn.exact="cn=a\"b,dc=x" read {MINE} by * none', r'to * by dn.exact="cn=a\"b,dc=x" read by * none'),
        # what real slapd was seen to take for this account's (test_openldap.py asks it)
        (f'to * by "dn.exact={SYNC}" read by * none', "to * by * none"),
        (f'to * "by" dn.exact={SYNC} read by * none', "to * by * none"),
        (f'to * by dn.exact=cn="iij-dirsync,{SYNC.partition(",")[2]}" read by * none', "to * by * none"),
        (f'to dn.regex="ou=x\\" {MINE} by * none', 'to dn.regex="ou=x\\" by * none'),
        (f"to dn.exact=ou=a\u3000by\u3000b,dc=x {MINE} by * none", "to dn.exact=ou=a\u3000by\u3000b,dc=x by * none"),
        (
            'to * by dn.exact="commonName=iij-dirsync, organizationalUnitName=services,DC=reiji,DomainComponent=example" read by * none',
            "to * by * none",
        ),
    ],
)
def test_a_clause_goes_and_the_rest_stays(rule, left):
    assert access.without(rule, SYNC) == left
    assert access.without(left, SYNC) == left


@pytest.mark.parametrize(("account", "written"), [("cn=iij  sync,dc=x", "cn=iij sync,dc=x"), ("cn=iij sync,dc=x", "CN=IIJ   Sync, dc=x")])
def test_blanks_in_a_name_count_as_one_as_slapd_compares_it(account, written):
    assert access.without(f'to * by dn.exact="{written}" read by users read', account) == "to * by users read"


@pytest.mark.parametrize(
    "rule",
    [
        "to * by users read by * none",
        f"to * {OTHER}",
        f'to dn.exact="{SYNC}" by self write by * none',
        f'to * by dn.subtree="{SYNC}" read by * none',
        f'to * by dn.children="{SYNC}" read',
        f'to * by dn.regex="^{SYNC}$" read',
        f'to * by dn.exact,expand="{SYNC}" read',
        f'to * by dn.exact="cn=x,{SYNC}" read',
        f'to * by dn.exact="{SYNC},dc=jp" read',
        f'to * by group.exact="{SYNC}" read',
        f'to * by set="user & [{SYNC}]" read',
        'to * by dnattr="manager" write by * none',
        "",
        "by",
        'to * by dn.exact="unclosed',
    ],
)
def test_what_is_not_the_accounts_stays(rule):
    assert access.without(rule, SYNC) == rule


@pytest.mark.parametrize(
    ("clause", "denies"),
    [
        ("none", True),
        ("=0", True),
        ("", True),
        ("stop", True),
        ("read", False),
        ("=rscxd", False),
        ("+w", False),
        ("selfwrite", False),
        ("break", False),
        ("none break", False),
        ("selfread", False),
        ("realselfwrite", False),
        ("self=w", False),
        ("realself+r", False),
        ("-w", True),
    ],
)
def test_what_gives_nothing(clause, denies):
    (found,) = access.clauses(f'to * by dn.exact="{SYNC}" {clause}')
    assert found.denies is denies


@pytest.mark.parametrize(
    ("clause", "some"),
    [
        (f'group="{SYNC}"', True),
        ('group/x/y.exact="cn=g"', True),
        ('set="x"', True),
        ('dn.regex="x"', True),
        ('dn.subtree="x"', True),
        ("dnattr=manager", True),
        ("aci", True),
        ("aci=OpenLDAPaci", True),
        ("dynacl/aci", True),
        ("users", False),
        ("*", False),
        ("self", False),
        ("anonymous", False),
        (f'dn.exact="{SYNC}"', False),
    ],
)
def test_of_whom_a_clause_may_speak(clause, some):
    (found,) = access.clauses(f"to * by {clause} read")
    assert found.is_of_some is some


def rules(*values, database="olcDatabase={1}mdb,cn=config"):
    return [item for item, _rule in access.objects(access.Rule(database, value) for value in values)]


def test_plan():
    current = rules("{0}to attrs=userPassword by self write by * none", f"{{1}}to * {MINE} by users read", f"{{2}}to * {MINE} by * none")
    plan = access.plan_for(SYNC, current, [])
    assert [(change.action, change.after) for change in plan.changes] == [
        ("update", {"access": "to * by users read"}),
        ("update", {"access": "to * by * none"}),
    ]
    assert (plan.unchanged, plan.refusals) == (1, [])
    assert len({item.id for item in current}) == 3


@pytest.mark.parametrize(
    ("clauses", "refused"),
    [
        ("{MINE} search by users read", True),
        ("{MINE} search by Users read", True),
        ("{MINE} =sx by * read", True),
        ("{MINE} read by users =w", True),
        ("{MINE} auth by self write by * none", False),
        ("{MINE} read by users read", False),
        ("{MINE} =rscdx by users read stop", False),
        ("{MINE} write by dn.exact=cn=admin manage by users read by * none", False),
        ("{MINE} write by users none by * manage", False),
        ("{MINE} read break by * manage", True),
        ("{MINE} none break by * read", True),
        ("{MINE} none break by * none", False),
        ("{MINE} none continue by * read", False),
        ("users write continue by {MINE} -w by users +x", True),
        ("{MINE} -w break by * none", True),
        ("{MINE} read by users ssf=128 manage by * none", True),
        ("{MINE} ssf=128 read by users write", True),
        ("{MINE} ssf=128 write by users read", False),
        ("{MINE} +r by * write", True),
        ("{MINE} selfwrite by * read", False),
        ("{MINE} read by * selfwrite", True),
        ("{MINE} read by users none continue by * write", True),
        ("{MINE} read by users ssf=128 read by * write", True),
        # what was given before stays where a clause behind says nothing of it
        ("users write continue by {MINE} read by users +0", True),
        ("users write continue by {MINE} read by users", True),
        ("users write continue by {MINE} none continue by * +r", True),
        ("users auth continue by {MINE} read by users", False),
        ("{MINE} write by * manage continue by * none", False),
        # everybody, and accounts by their places and names, are written in many ways
        ("{MINE} read by ssf=128 write", True),
        ("{MINE} read by tls_ssf=128 users write", True),
        ("{MINE} read by peername.ip=10.0.0.9 write", True),
        ("{MINE} read by realusers write", True),
        ("{MINE} read by dn.regex=.* write", True),
        ("{MINE} read by dn.regex=* write", True),
        ("{MINE} read by dn.regex=^uid=[^,]+,ou=people,.*$ write", False),
        ("{MINE} read by dn.subtree=dc=reiji,dc=example write", True),
        ("{MINE} read by dn.children=dc=reiji,dc=example write", True),
        ("{MINE} read by dn.one=ou=services,dc=reiji,dc=example write", True),
        (f"{{MINE}} read by dn.children={SYNC} write", False),
        ("{MINE} read by dn.subtree=ou=people,dc=reiji,dc=example write", False),
        ("{MINE} read by group.exact=cn=admins,dc=reiji,dc=example write", False),  # told as a mention
    ],
)
def test_a_clause_that_gives_less_than_everybody_gets_holds_the_account_back(clauses, refused):
    """As long as the account is there, nothing of this run gives it more than it had."""
    plan = access.plan_for(SYNC, rules("{0}to * by " + clauses.replace("{MINE}", f'dn.exact="{SYNC}"')), [])
    assert len(plan.changes) == 1
    assert [refusal.rule for refusal in plan.refusals] == (["denying_clause"] if refused else [])


@pytest.mark.parametrize(
    ("clauses", "behind", "refused"),
    [
        ("{MINE} read by * break", ["to * by users write"], True),
        ("{MINE} read by users none continue by * break", ["to * by self write by users =w"], True),
        ("{MINE} read by * break", ["to * by self write by users read by * none"], False),
        ("{MINE} read by * break", ["to * by users ssf=128 write"], True),
        ("{MINE} read by * break", [], False),
        ("{MINE} read break by * break", ["to * by users write"], False),
        ("{MINE} read by * none", ["to * by users write"], False),
    ],
)
def test_what_the_rules_behind_give_is_more_too(clauses, behind, refused):
    """OpenLDAP's own break and continue; without any clause for everybody nothing is left to other rules."""
    texts = ["{0}to * by " + clauses.replace("{MINE}", f'dn.exact="{SYNC}"'), *behind]
    plan = access.plan_for(SYNC, rules(*texts), [])
    assert [refusal.rule for refusal in plan.refusals] == (["denying_clause"] if refused else [])
    other = rules("to * by users write", database="olcDatabase={2}mdb,cn=config")
    assert not access.plan_for(SYNC, [*rules(texts[0]), *other], []).refusals
    frontend = rules("to * by users write", database="olcDatabase={-1}frontend,cn=config")
    assert bool(access.plan_for(SYNC, [*frontend, *rules(texts[0])], []).refusals) is (" break" in texts[0] and "read break" not in texts[0])


@pytest.mark.parametrize(
    ("before", "clauses", "refused"),
    [
        ("to * by users write break", "{MINE} read by users +0", True),
        ("to * by users write break", "{MINE} read by users", True),
        ("to * by users read break", "{MINE} write by users", False),
        ("to * by dn.exact=cn=admin manage by * break", "{MINE} read by users", False),
        ("to * by {MINE} write break by * break", "{MINE} read by users", False),
    ],
)
def test_what_the_rules_before_have_given_is_more_too(before, clauses, refused):
    texts = [text.replace("by {MINE}", f'by dn.exact="{SYNC}"') for text in (before, "to * by " + clauses)]
    assert bool(access.plan_for(SYNC, rules(*texts), []).refusals) is refused
    frontend = rules(texts[1], database="olcDatabase={-1}frontend,cn=config")
    assert bool(access.plan_for(SYNC, [*frontend, *rules(texts[0])], []).refusals) is refused


@pytest.mark.parametrize(("allow", "rules_"), [([], ["denying_clause"]), (["denying_clause"], [])])
def test_a_clause_that_denies(allow, rules_):
    plan = access.plan_for(SYNC, rules(f'{{0}}to * by dn.exact="{SYNC}" none by users read'), allow)
    assert [refusal.rule for refusal in plan.refusals] == rules_


def test_the_way_back_is_one_request():
    (record,) = ldif.parse(ldif.swap("olcDatabase={1}mdb,cn=config", "olcAccess", b"{1}to * by * none", b"{1}to * by users read"))
    assert record.changes == [("delete", "olcAccess", [b"{1}to * by * none"]), ("add", "olcAccess", [b"{1}to * by users read"])]


DATABASE = "olcDatabase={1}mdb,cn=config"
BEFORE, AFTER = f"to * {MINE} by users read", "to * by users read"


def saved(before=BEFORE, after=AFTER, database=DATABASE):
    return next(ldif.parse(ldif.swap(database, "olcAccess", f"{{1}}{after}".encode(), f"{{1}}{before}".encode())))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (saved(), [access.Swap(DATABASE, BEFORE, AFTER)]),
        (saved(f"to * {MINE}", "to * by * none"), [access.Swap(DATABASE, f"to * {MINE}", "to * by * none")]),
        (saved(before=AFTER, after=BEFORE), []),  # the way back from the way back
        (saved(before='to * by dn.exact="cn=mail" read by users read'), []),  # another account's
        (saved(after="to * by * none"), []),
        (next(ldif.parse(ldif.modify(DATABASE, "add", "olcAccess", [b"x"]))), []),
        (next(ldif.parse(ldif.add("cn=x", {"cn": [b"x"]}))), []),
    ],
)
def test_what_was_taken_out_by_the_saved_files(record, expected):
    assert list(access.swaps([record], SYNC)) == expected


SWAP, OTHER = access.Swap(DATABASE, BEFORE, AFTER), access.Swap(DATABASE, BEFORE.replace("users", "self"), AFTER.replace("users", "self"))


@pytest.mark.parametrize(
    ("current", "swapped", "changed", "unchanged", "refused"),
    [
        ([AFTER], [SWAP], [BEFORE], 0, []),
        ([BEFORE], [SWAP], [], 1, []),
        ([AFTER], [], [], 0, []),
        ([], [SWAP], [], 0, ["rule_changed"]),
        (["to * by users write"], [SWAP], [], 0, ["rule_changed"]),
        ([AFTER, AFTER], [SWAP], [BEFORE], 0, []),
        ([AFTER], [SWAP, SWAP], [BEFORE], 0, []),  # once taken out by each of two runs
        # somebody has changed the rule between two runs: the newest counts
        ([OTHER.after], [OTHER, SWAP], [OTHER.before], 0, []),
        ([OTHER.before], [OTHER, SWAP], [], 1, []),
        ([AFTER], [access.Swap("olcDatabase={2}mdb,cn=config", BEFORE, AFTER)], [], 0, ["rule_changed"]),
    ],
)
def test_the_way_back(current, swapped, changed, unchanged, refused):
    plan = access.plan_back(rules(*(f"{{{number}}}{text}" for number, text in enumerate(current))), swapped)
    assert [change.after for change in plan.changes] == [{"access": text} for text in changed]
    assert (plan.unchanged, [refusal.rule for refusal in plan.refusals]) == (unchanged, refused)


@pytest.mark.parametrize(
    ("attribute", "value", "index"),
    [
        ("olcRootDN", SYNC, ""),
        ("olcRootDN", SYNC.upper().replace(",", ", "), ""),
        ("olcLimits", f'{{0}}dn.exact="{SYNC}" size=unlimited time=unlimited', "{0}"),
        ("olcLimits", f"{{12}}{SYNC} size=unlimited", "{12}"),
        ("olcLimits", f'{{0}}dn.regex="^{SYNC}$" size=unlimited', "{0}"),
        ("olcLimits", f'dn.this.onelevel="{SYNC}" size=1', ""),
        ("olcSyncrepl", f'{{0}}rid=001 provider=ldaps://a.example bindmethod=simple binddn="{SYNC}" credentials=Hush', "{0}"),
        ("olcSyncrepl", f"{{0}}rid=1 bindmethod=simple binddn={SYNC} credentials=Hush", "{0}"),
        ("olcAuthzRegexp", f'{{1}}"uid=sync,cn=external,cn=auth" "{SYNC}"', "{1}"),
        ("olcAuthzRegexp", f"{{1}}uid=sync,cn=auth ldap:///{SYNC}??base?(objectClass=*)", "{1}"),
        ("olcDbIDAssertAuthzFrom", f"{{0}}dn.exact:{SYNC}", "{0}"),
        ("olcDbIDAssertBind", f'bindmethod=simple authzid="dn:{SYNC}"', ""),
        ("OLCACCESS", f'{{3}}to dn.exact="{SYNC}" attrs=userPassword by self write', "{3}"),
        ("olcAccess", f"{{0}}to * {MINE}", None),
        ("olcLimits", f'{{0}}dn.exact="cn=x,{SYNC}" size=1', None),
        ("olcLimits", f'{{0}}dn.exact="{SYNC},dc=jp" size=1', None),
        ("olcLimits", "{0}users size=1", None),
        ("olcRootPW", "{SSHA}abc", None),
        ("olcAttributeTypes", SYNC, None),
        ("description", SYNC, None),
        ("olcRootDN", "", None),
    ],
)
def test_what_else_of_the_configuration_names_it(attribute, value, index):
    """Each by its place; no value is told, since one may hold a password."""
    found = access.settings([Entry(DATABASE, {attribute: [value.encode()]}), Entry("cn=config", {"olcLogLevel": [b"none", b"\xff"]})], SYNC)
    assert found == ([{"entry": DATABASE, "attribute": attribute, "index": index}] if index is not None else [])


@pytest.mark.parametrize(
    "name",
    [
        SYNC.replace("cn=", "  commonName = ").replace(",ou=", "  ,   organizationalUnitName =   ").replace(",dc=", " , domainComponent = "),
        "cn=" + "".join(f"\\{byte:02x}" for byte in b"iij-dirsync") + SYNC.removeprefix("cn=iij-dirsync"),
        SYNC.replace("reiji", "ｒｅｉｊｉ"),
    ],
)
@pytest.mark.parametrize("setting", ["{}", 'rid=1 binddn="{}" credentials=x', '"^{}$" "x"'])
def test_a_name_that_is_written_at_length(name, setting):
    assert access.names_account(setting.format(name), SYNC)
    assert not access.names_account(setting.format(f"{name},dc=jp"), SYNC)


@pytest.mark.parametrize(
    "text", ["cn=" * 10000, f"(|{'(cn=a)' * 5000})", f'to filter="{"(cn=x,ou=services,dc=reiji)" * 1100}"', "=cn=\\69" * 4000, f'dn.exact="{"cn=a," * 6000}"']
)
def test_a_long_setting_takes_no_longer_than_it_is(text):
    """Of 30 kB; each took minutes when every place in it was read to its end."""
    begun = time.process_time()
    assert not access.names_account(text, SYNC)
    assert time.process_time() - begun < 10
