# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""directory_object and directory_object_info against the lab's real domain controller.

"Writes nothing" is what Samba's own audit log says.
"""

from __future__ import annotations

import importlib
import json
import os
import ssl
import subprocess
import uuid
from pathlib import Path

import ldap3
import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.offboard.iij_id.plugins.module_utils._directory import client as client_module
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.connection import Connection
from ansible_collections.offboard.iij_id.plugins.module_utils._directory.objects.resource import DirectoryObjects
from dev.options import given
from lab import paths
from lab.directory import group_policies
from lab.directory.fixture import full_dn
from ldap3.core.exceptions import LDAPException

pytestmark = pytest.mark.lab

SERVICES, GROUPS = "OU=Services,OU=Reiji", "OU=Groups,OU=Reiji"
RUN, BIND, IWA, BACKUP, SHARED, ADMIN, MANAGER, OFFBOARD = (
    f"CN={name},{SERVICES}" for name in ("iij-dirsync-run", "iij-dirsync-bind", "iij-iwa", "iij-backup", "iij-shared", "iij-admin", "iij-manager", "offboard")
)
KEEPER = "CN=iij-keeper,OU=Protected,OU=Reiji"
ACCOUNTS, SCOPE = f"CN=iij-sync-accounts,{GROUPS}", f"CN=iij-sync-scope,{GROUPS}"
PERSON = "CN=sato.yoko,OU=People,OU=Reiji"


class Answer(dict):
    """What a module returned."""

    @property
    def code(self):
        return self["failure"]["code"]

    @property
    def rules(self):
        return [item["rule"] for item in self["failure"]["details"]["refusals"]]


@pytest.fixture
def module(directory, capsys):
    """Runs a module's own main() in this process, bound as the delegated account."""

    def run(name="directory_object", check=False, **options):
        for key in ("objects", "expected_members"):
            if key in options:
                options[key] = [dn if dn.startswith("<") else full_dn(dn) for dn in options[key]]
        arguments = {**directory.options(), **options, "_ansible_check_mode": check, "_ansible_diff": True}
        main = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}").main
        capsys.readouterr()
        with patch_module_args({key: value for key, value in arguments.items() if value is not None}), pytest.raises(SystemExit):
            main()
        output = capsys.readouterr()
        answer = Answer(json.loads(output.out))
        assert paths.PASSWORD not in output.out
        return answer

    return run


def enabled(directory, dn):
    return not int(directory.entry(dn)["userAccountControl"][0]) & 2


# --- the lab's directory itself ---


def test_the_fixture(directory):
    assert len(directory.entry(SCOPE)["member"]) == 40
    assert directory.entry(PERSON)["userPrincipalName"] == ["sato.yoko@reiji.example"]
    assert directory.entry(IWA)["servicePrincipalName"] == ["HTTP/reiji.iwa.auth.iij.jp"]
    assert directory.entry("CN=keeps-manager," + GROUPS)["managedBy"] == [full_dn(MANAGER)]
    assert directory.entry("CN=offboard-operators,CN=Users")["member"] == [full_dn(OFFBOARD)]


def test_reset_brings_everything_back(directory):
    directory.arrange(BIND, {"description": ["changed"]})
    assert directory.entry(BIND)["description"] == ["changed"]
    directory.fresh()
    assert directory.entry(BIND)["description"] != ["changed"]
    assert directory.writes() == []


def test_a_write_is_seen_behind_a_message_without_an_end_of_line(directory):
    """Samba logs so when a client leaves in the middle of StartTLS."""
    secure = ldap3.Tls(validate=ssl.CERT_REQUIRED)
    with pytest.raises(LDAPException):
        ldap3.Connection(ldap3.Server(paths.DC_ADDRESS, tls=secure, get_info=ldap3.NONE)).start_tls()
    with directory.admin() as admin:
        admin.modify(full_dn(BIND), {"description": [(ldap3.MODIFY_REPLACE, ["x"])]})
    assert [(item["operation"], item["attributes"]) for item in directory.writes()] == [("Modify", ["description"])]


def test_kerberos_and_sysvol(directory, tmp_path):
    environment = {**os.environ, "KRB5_CONFIG": directory.krb5_conf, "KRB5CCNAME": f"FILE:{tmp_path}/cc"}
    subprocess.run(["kinit", f"offboard@{paths.AD_REALM}"], input=paths.PASSWORD, text=True, env=environment, check=True, capture_output=True)
    subprocess.run(["kvno", f"ldap/{paths.DC_HOST}"], env=environment, check=True, capture_output=True)
    credentials = tmp_path / "credentials"
    credentials.write_text(f"username=Administrator\npassword={paths.PASSWORD}\ndomain={paths.AD_NETBIOS}\n")
    listed = subprocess.run(
        ["smbclient", "-A", str(credentials), f"//{paths.DC_ADDRESS}/sysvol", "-c", r"ls ad.reiji.example\Policies\*"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert listed.stdout.count("{") == len(group_policies.POLICIES)


def test_ldapsearch(directory):
    """Unmodified: the whole domain in pages, by the delegated account."""
    command = ["ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-H", f"ldaps://{paths.DC_ADDRESS}", "-x", "-D", paths.AD_OPERATOR, "-w", paths.PASSWORD,
               "-b", paths.AD_BASE, "-E", "pr=50/noprompt", "(objectClass=user)", "sAMAccountName"]  # fmt: skip
    done = subprocess.run(command, env={**os.environ, "LDAPTLS_CACERT": directory.ca_file}, capture_output=True, text=True, check=True)
    assert "sAMAccountName: iij-iwa" in done.stdout
    assert done.stdout.count("sAMAccountName: ") > 50
    refused = [word if word != paths.PASSWORD else "not-the-one" for word in command]
    assert subprocess.run(refused, env={**os.environ, "LDAPTLS_CACERT": directory.ca_file}, capture_output=True, check=False).returncode == 49
    assert directory.writes() == []


PYTHON_LDAP = """
import ldap, ldap.sasl, sys
address, user, password, ca, base = sys.argv[1:]
ldap.set_option(ldap.OPT_X_TLS_CACERTFILE, ca)
connection = ldap.initialize(f"ldaps://{address}")
connection.simple_bind_s(user, password)
found = connection.search_s(base, ldap.SCOPE_SUBTREE, "(sAMAccountName=iij-iwa)", ["servicePrincipalName"])
print([values["servicePrincipalName"] for name, values in found if name])
"""


def test_python_ldap(directory):
    """Debian's, in Debian's Python."""
    if not Path("/usr/lib/python3/dist-packages/ldap").exists():
        pytest.skip("Debian's package python3-ldap is not installed")
    argv = ["/usr/bin/python3", "-c", PYTHON_LDAP, paths.DC_ADDRESS, paths.AD_OPERATOR, paths.PASSWORD, directory.ca_file, paths.AD_BASE]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[[b'HTTP/reiji.iwa.auth.iij.jp']]"


# --- each state: check mode, for real, again ---


def lifecycle(module, directory, changes, **options):
    """Check mode writes nothing, the real run does what was planned, and the run after it finds nothing to do."""
    checked = module(check=True, **options)
    assert checked["changed"] and directory.writes() == []
    real = module(**options)
    assert real["plan"] == checked["plan"] and len(real["applied"]) == changes and real["failed_objects"] == []
    written = directory.writes()
    assert written and all(item["status"] == "Success" for item in written)
    directory.clear()
    again = module(**options)
    assert not again["changed"] and again["plan"] == [] and directory.writes() == []
    return real


def test_disabled(module, directory):
    answer = lifecycle(module, directory, 2, objects=[RUN, BIND, ACCOUNTS], state="disabled")
    assert [item["code"] for item in answer["skipped_objects"]] == ["not_a_user"]
    assert not enabled(directory, RUN) and not enabled(directory, BIND)
    assert not directory.log_on("iij-dirsync-run")
    assert [entry["after"]["enabled"] for entry in answer["diff"]] == [False] * 2


def test_enabled(module, directory):
    module(objects=[RUN, BIND], state="disabled")
    directory.clear()
    lifecycle(module, directory, 2, objects=[RUN, BIND], state="enabled")
    assert directory.log_on("iij-dirsync-run")


def test_absent(module, directory, tmp_path):
    answer = lifecycle(module, directory, 3, objects=[RUN, BIND, ACCOUNTS], state="absent", backup_dir=str(tmp_path))
    assert [directory.entry(dn) for dn in (RUN, BIND, ACCOUNTS)] == [None, None, None]
    files = sorted(tmp_path.iterdir())
    assert sorted(map(str, files)) == sorted(item["details"]["saved_copy"] for item in answer["applied"])
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
    assert not any("unicodePwd" in file.read_text() or paths.PASSWORD in file.read_text() for file in files)


def test_an_empty_list_is_nothing_to_do(module, directory):
    answer = module(objects=[], state="disabled")
    assert not answer["changed"] and answer["plan"] == []


def test_check_mode_saves_no_copy(module, tmp_path):
    module(check=True, dn=full_dn(IWA), state="absent", backup_dir=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def before_and_after_removal(module, directory, tmp_path, user):
    objects = [RUN, BIND, ACCOUNTS, MANAGER]
    before = {dn: directory.entry(dn) for dn in objects}
    module(objects=objects, state="absent", backup_dir=str(tmp_path), allow=["referenced"], username=user)
    assert "managedBy" not in directory.entry("CN=keeps-manager," + GROUPS)
    directory.clear()
    answer = lifecycle(module, directory, 4, objects=objects, state="present", backup_dir=str(tmp_path), username=user)
    after = {dn: directory.entry(dn) for dn in objects}
    for dn in objects:
        for name in ("sAMAccountName", "userPrincipalName", "description", "servicePrincipalName"):
            assert after[dn].get(name) == before[dn].get(name)
    assert sorted(after[ACCOUNTS]["member"]) == sorted(before[ACCOUNTS]["member"])
    assert directory.entry("CN=keeps-manager," + GROUPS)["managedBy"] == [full_dn(MANAGER)]
    assert not enabled(directory, RUN)  # it has no password
    kept = {before[dn]["objectSid"] == after[dn]["objectSid"] for dn in objects}
    return answer, kept


def test_present_keeps_the_sid_where_the_account_may_undelete(module, directory, tmp_path):
    answer, kept = before_and_after_removal(module, directory, tmp_path, paths.AD_ADMIN)
    assert kept == {True} and all(item["details"]["sid_kept"] is True for item in answer["applied"])


def test_present_makes_the_object_anew_otherwise_and_says_so(module, directory, tmp_path):
    answer, kept = before_and_after_removal(module, directory, tmp_path, paths.AD_OPERATOR)
    assert kept == {False} and all(item["details"]["sid_kept"] is False for item in answer["applied"])


def test_an_interrupted_restoration_is_completed(module, directory, tmp_path):
    module(objects=[RUN, ACCOUNTS], state="absent", backup_dir=str(tmp_path), expected_members=[BIND])
    module(objects=[RUN, ACCOUNTS], state="present", backup_dir=str(tmp_path))
    directory.arrange(ACCOUNTS, {"member": []})
    directory.arrange(RUN, {"description": []})
    lifecycle(module, directory, 2, objects=[RUN, ACCOUNTS], state="present", backup_dir=str(tmp_path))
    assert sorted(directory.entry(ACCOUNTS)["member"]) == sorted([full_dn(RUN), full_dn(BIND)])
    assert directory.entry(RUN)["description"] == ["run user of the scheduled tasks"]


def test_a_link_that_cannot_be_restored_is_a_failure_that_names_it(module, directory, tmp_path):
    module(dn=full_dn(ADMIN), state="absent", backup_dir=str(tmp_path), allow=["admin_count"])
    answer = module(dn=full_dn(ADMIN), state="present", backup_dir=str(tmp_path))
    assert answer.code == "links_not_restored" and "CN=Domain Admins" in answer["msg"] and answer["changed"]
    assert directory.entry(ADMIN) is not None


def test_copies_restore_with_ldapmodify_too(module, directory, tmp_path):
    module(objects=[IWA, BIND], state="absent", backup_dir=str(tmp_path))
    password = tmp_path / "password"
    password.write_text(paths.PASSWORD)
    for file in tmp_path.glob("*.ldif"):
        command = ["ldapmodify", "-H", f"ldaps://{paths.DC_ADDRESS}", "-x", "-D", paths.AD_ADMIN, "-y", str(password), "-f", str(file)]
        done = subprocess.run(command, env={**os.environ, "LDAPTLS_CACERT": directory.ca_file}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert directory.entry(IWA)["servicePrincipalName"] == ["HTTP/reiji.iwa.auth.iij.jp"]
    assert directory.entry(IWA)["description"] == ["統合Windows認証 管理用ADアカウント"]
    assert full_dn(BIND) in directory.entry(ACCOUNTS)["member"]


# --- guards ---


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"objects": [SHARED]}, "other_spn"),
        ({"objects": [BACKUP]}, "other_spn"),
        ({"objects": [SHARED], "state": "disabled"}, "other_spn"),
        ({"objects": [ADMIN]}, "admin_count"),
        ({"objects": [ADMIN], "state": "disabled"}, "admin_count"),
        ({"objects": [KEEPER]}, "protected"),
        ({"objects": [SCOPE]}, "members"),
        ({"objects": [ACCOUNTS], "expected_members": [RUN]}, "members"),
        ({"objects": [MANAGER]}, "referenced"),
        ({"objects": [OFFBOARD], "recently_used_days": 0}, "own_identity"),
        ({"objects": ["CN=offboard-operators,CN=Users"], "expected_members": [OFFBOARD]}, "own_identity"),
        ({"objects": ["CN=krbtgt,CN=Users"], "allow": ["admin_count"], "allowed_spns": [".*"]}, "critical_object"),
        ({"objects": [RUN, BIND, ACCOUNTS], "max_changes": 2}, "max_changes"),
    ],
)
def test_guards(module, directory, tmp_path, options, rule):
    """A guard that fires stops the whole task, with another object that would be free to go."""
    options = {"state": "absent", "backup_dir": str(tmp_path), **options}
    for check in (True, False):
        answer = module(check=check, **{**options, "objects": [IWA, *options["objects"]]})
        assert answer.code == "guard_refused" and answer.rules == [rule]
        assert answer["changed"] is False
    assert directory.writes() == [] and list(tmp_path.iterdir()) == []
    assert directory.entry(IWA) is not None


def test_an_account_in_use_is_not_removed_but_may_be_disabled(module, directory, tmp_path):
    assert directory.log_on("iij-dirsync-bind")
    answer = module(objects=[BIND], state="absent", backup_dir=str(tmp_path))
    assert answer.rules == ["recently_used"] and "recently_used_days" in answer["msg"]
    assert module(objects=[BIND], state="disabled")["changed"]
    assert module(objects=[BIND], state="absent", backup_dir=str(tmp_path), recently_used_days=0)["changed"]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("msDS-AllowedToDelegateTo", "HTTP/reiji.iwa.auth.iij.jp"),
        ("seeAlso", full_dn(IWA)),
        ("manager", full_dn(IWA)),
        ("assistant", full_dn(IWA)),
    ],
)
def test_references_of_every_kind(module, directory, tmp_path, attribute, value):
    directory.arrange(PERSON, {attribute: [value]})
    answer = module(objects=[IWA], state="absent", backup_dir=str(tmp_path))
    assert answer.rules == ["referenced"]
    assert f"{attribute} of {full_dn(PERSON)}" in answer["msg"]


# Samba lets nobody but SYSTEM write this attribute, so it is written to the database itself.
DELEGATE = """
import sys, ldb
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack
from samba.param import LoadParm
from samba.samdb import SamDB
parameters = LoadParm()
parameters.load(sys.argv[1])
database = SamDB(url=parameters.private_path("sam.ldb"), session_info=system_session(), lp=parameters)
trustee = security.dom_sid(database.schema_format_value("objectSid", database.search(sys.argv[3], ldb.SCOPE_BASE)[0]["objectSid"][0]).decode())
descriptor = security.descriptor.from_sddl(f"O:BAD:(A;;0xf01ff;;;{trustee})", security.dom_sid(database.get_domain_sid()))
change = ldb.Message(ldb.Dn(database, sys.argv[2]))
change["x"] = ldb.MessageElement(ndr_pack(descriptor), ldb.FLAG_MOD_REPLACE, "msDS-AllowedToActOnBehalfOfOtherIdentity")
database.modify(change)
"""


def test_resource_based_delegation_is_a_reference(module, directory, tmp_path):
    arguments = [str(directory.part.state / "smb.conf"), full_dn(RUN), full_dn(IWA)]
    subprocess.run(["/usr/bin/python3", "-c", DELEGATE, *arguments], check=True, capture_output=True, text=True)
    answer = module(objects=[IWA], state="absent", backup_dir=str(tmp_path))
    assert answer.rules == ["referenced"]
    assert f"msDS-AllowedToActOnBehalfOfOtherIdentity of {full_dn(RUN)}" in answer["msg"]
    directory.arrange(RUN, {"description": ["so that the next test starts anew"]})


def test_the_domain_controller_still_guards_what_the_operator_allowed(module, directory, tmp_path):
    for user in (paths.AD_OPERATOR, paths.AD_ADMIN):
        answer = module(objects=[KEEPER], state="absent", backup_dir=str(tmp_path), allow=["protected"], username=user)
        assert answer.code == "insufficient_rights"
        assert full_dn(KEEPER) in answer["msg"] and "Delete" in answer["msg"]
    assert directory.entry(KEEPER) is not None


# --- a name may pass to another object ---


def guid_of(directory, dn):
    with directory.admin() as admin:
        admin.search(full_dn(dn), "(objectClass=*)", ldap3.BASE, attributes=["objectGUID"])
        return str(uuid.UUID(bytes_le=admin.response[0]["raw_attributes"]["objectGUID"][0]))


def swap(directory, one, other):
    """`one` is renamed away, and `other` takes its name. Returns the DN that `one` has now."""
    name, away = one.partition(",")[0], one.replace(",", "-away,", 1)
    with directory.admin() as admin:
        admin.modify_dn(full_dn(one), away.partition(",")[0])
        admin.modify_dn(full_dn(other), name)
    directory.clear()
    return away


@pytest.fixture
def in_between(monkeypatch):
    """Does something after the plan and its guards, before the first write."""

    def arrange(act):
        original = DirectoryObjects.apply_all

        def apply_all(self, *arguments):
            act()
            return original(self, *arguments)

        monkeypatch.setattr(DirectoryObjects, "apply_all", apply_all)

    return arrange


@pytest.mark.parametrize("state", ["disabled", "absent"])
def test_what_took_the_name_between_plan_and_write_is_left_alone(module, directory, tmp_path, in_between, state):
    in_between(lambda: swap(directory, RUN, ADMIN))
    answer = module(objects=[RUN, BIND], state=state, backup_dir=str(tmp_path))
    assert answer.code == "changed_since_read" and "iij-dirsync-run-away" in answer["msg"]
    assert [item["id"] for item in answer["failed_objects"]] == [full_dn(RUN)] and len(answer["applied"]) == 1
    assert directory.entry(RUN)["sAMAccountName"] == ["iij-admin"] and enabled(directory, RUN)
    assert enabled(directory, RUN.replace("run", "run-away"))


@pytest.mark.parametrize("state", ["disabled", "absent"])
def test_guards_judge_again_before_the_write(module, directory, tmp_path, in_between, state):
    in_between(lambda: directory.arrange(RUN, {"adminCount": ["1"]}))
    answer = module(objects=[RUN], state=state, backup_dir=str(tmp_path))
    assert answer.code == "changed_since_read" and "adminCount" in answer["msg"]
    assert enabled(directory, RUN) and directory.writes() == []


def test_enabling_reaches_only_what_was_read(module, directory, in_between):
    for dn in (RUN, ADMIN):
        directory.arrange(dn, {"userAccountControl": ["514"]})
    in_between(lambda: swap(directory, RUN, ADMIN))
    assert module(objects=[RUN], state="enabled").code == "changed_since_read"
    assert not enabled(directory, RUN) and not enabled(directory, RUN.replace("run", "run-away"))


def test_a_confirmation_with_guid_means_that_object_alone(module, directory, tmp_path):
    guid = guid_of(directory, RUN)
    confirmed = f"<GUID={guid}>;{full_dn(RUN)}"
    lifecycle(module, directory, 1, objects=[confirmed], state="disabled")
    lifecycle(module, directory, 1, objects=[f"<GUID={guid.upper()}>"], state="enabled")
    away = swap(directory, RUN, ADMIN)
    for check in (True, False):
        answer = module(check=check, objects=[f"<GUID={guid_of(directory, BIND)}>;{full_dn(RUN)}", IWA], state="disabled")
        # the object has another name than the one confirmed, and that is of no account
        assert [item["id"] for item in answer["plan"]] == [full_dn(BIND), full_dn(IWA)]
    directory.clear()
    lifecycle(module, directory, 1, objects=[confirmed], state="disabled")
    assert not enabled(directory, away) and enabled(directory, RUN)


def test_who_took_the_name_of_a_confirmed_object_that_is_gone_is_refused(module, directory, tmp_path):
    confirmed = f"<GUID={guid_of(directory, RUN)}>;{full_dn(RUN)}"
    with directory.admin() as admin:
        admin.delete(full_dn(RUN))
        admin.modify_dn(full_dn(BIND), "CN=iij-dirsync-run")
    directory.clear()
    for state in ("disabled", "absent", "enabled"):
        answer = module(objects=[confirmed, IWA], state=state, backup_dir=str(tmp_path))
        assert answer.rules == ["other_object"] and guid_of(directory, RUN) in answer["msg"]
    assert directory.writes() == [] and enabled(directory, RUN)


def test_the_journal_remembers_which_object_was_meant(module, directory, tmp_path):
    journal, copies = str(tmp_path / "journal.jsonl"), str(tmp_path / "copies")
    module(objects=[RUN], state="disabled", journal=journal)
    swap(directory, RUN, IWA)
    for state in ("disabled", "absent", "enabled"):
        answer = module(objects=[RUN], state=state, backup_dir=copies, journal=journal)
        assert answer.rules == ["other_object"] and "disable" in answer["msg"]
    assert directory.writes() == []
    again = f"<GUID={guid_of(directory, RUN)}>;{full_dn(RUN)}"  # the way out that the message names
    assert module(objects=[again], state="disabled", journal=journal)["changed"]


def test_the_snapshot_remembers_which_object_was_meant(module, directory, tmp_path):
    known = module("directory_object_info", objects=[RUN, BIND], check=False)["objects"]
    away = swap(directory, RUN, IWA)
    answer = module(objects=[RUN, BIND], known=known, state="disabled")
    assert answer.rules == ["other_object"] and known[0]["objectGUID"] in answer["msg"]
    with directory.admin() as admin:
        admin.delete(full_dn(RUN))
    directory.clear()
    answer = module(objects=[RUN, BIND], known=known, state="absent", backup_dir=str(tmp_path))
    assert answer.rules == ["moved"] and full_dn(away) in answer["msg"]
    assert directory.writes() == []
    assert module(objects=[known[0]["confirm_as"], BIND], known=known, state="disabled")["counts"]["done"] == 2


@pytest.mark.parametrize("user", [paths.AD_ADMIN, paths.AD_OPERATOR])
def test_a_confirmation_with_guid_goes_on_after_a_restoration(module, directory, tmp_path, user):
    """Where the object is made anew, it has another objectGUID than the one confirmed; its saved copy knows."""
    options = {"objects": [f"<GUID={guid_of(directory, RUN)}>;{full_dn(RUN)}"], "backup_dir": str(tmp_path / "copies"), "username": user}
    for _unused in range(2):
        assert module(state="absent", **options)["counts"]["done"] == 1
        directory.clear()
        lifecycle(module, directory, 1, state="present", **options)
    assert full_dn(RUN) in directory.entry(ACCOUNTS)["member"]


def test_links_are_brought_back_to_the_objects_that_they_named(module, directory, tmp_path):
    """The group was renamed after the removal, and another group has its name."""
    module(objects=[RUN], state="absent", backup_dir=str(tmp_path))
    away = swap(directory, ACCOUNTS, SCOPE)
    with directory.admin() as admin:  # the delegated account may not write that group
        admin.modify(full_dn(ACCOUNTS), {"member": [(ldap3.MODIFY_REPLACE, [])]})
    directory.clear()
    lifecycle(module, directory, 1, objects=[RUN], state="present", backup_dir=str(tmp_path))
    assert full_dn(RUN) in directory.entry(away)["member"]
    assert "member" not in directory.entry(ACCOUNTS)


def test_a_link_to_an_object_that_is_gone_is_no_link_to_its_successor(module, directory, tmp_path):
    module(objects=[RUN], state="absent", backup_dir=str(tmp_path))
    with directory.admin() as admin:
        admin.delete(full_dn(ACCOUNTS))
        admin.modify_dn(full_dn(SCOPE), ACCOUNTS.partition(",")[0])
    directory.clear()
    answer = module(objects=[RUN], state="present", backup_dir=str(tmp_path))
    assert answer.code == "links_not_restored" and full_dn(ACCOUNTS) in answer["msg"]
    assert full_dn(RUN) not in directory.entry(ACCOUNTS)["member"]


# --- what the domain controller would refuse is refused before ---


def test_a_primary_group_is_refused_in_check_mode_too(module, directory, tmp_path):
    with directory.admin() as admin:
        admin.search(full_dn(ACCOUNTS), "(objectClass=*)", ldap3.BASE, attributes=["objectSid"])
        rid = int.from_bytes(admin.response[0]["raw_attributes"]["objectSid"][0][-4:], "little")
    directory.arrange(RUN, {"primaryGroupID": [str(rid)]})
    options = {"state": "absent", "backup_dir": str(tmp_path), "expected_members": [RUN, BIND], "allow": ["members"]}
    for check in (True, False):
        answer = module(check=check, objects=[ACCOUNTS, IWA], **options)
        assert answer.rules == ["primary_group"] and full_dn(RUN) in answer["msg"]
    assert directory.writes() == []
    assert module(objects=[ACCOUNTS, RUN], **options)["counts"]["done"] == 2


def test_an_account_with_objects_below_it_is_refused_in_check_mode_too(module, directory, tmp_path):
    with directory.admin() as admin:
        admin.add(f"CN=below,{full_dn(RUN)}", "nTFRSSubscriptions")  # the schema lets few classes lie below a user
    directory.clear()
    for check in (True, False):
        answer = module(check=check, objects=[RUN, IWA], state="absent", backup_dir=str(tmp_path))
        assert answer.rules == ["has_children"] and f"CN=below,{full_dn(RUN)}" in answer["msg"]
    assert directory.writes() == []


# --- failures ---


def test_one_failure_hides_no_other(module, directory):
    answer = module(objects=[RUN, PERSON, BIND], state="disabled")
    assert answer.code == "insufficient_rights" and answer["changed"]
    assert [item["id"] for item in answer["failed_objects"]] == [full_dn(PERSON)]
    assert "Write userAccountControl" in answer["msg"]
    assert not enabled(directory, RUN) and not enabled(directory, BIND) and enabled(directory, PERSON)


def test_without_a_copy_nothing_is_removed(module, directory, tmp_path):
    (tmp_path / "file").touch()
    answer = module(objects=[RUN, BIND], state="absent", backup_dir=str(tmp_path / "file" / "below"))
    assert answer.code == "file_write_failed" and not answer["changed"]
    assert directory.writes() == []


def test_a_foreign_file_among_the_copies_is_named(module, directory, tmp_path):
    (tmp_path / "other.ldif").write_text("dn: CN=a\ncn: a\n")
    answer = module(objects=[RUN], state="present", backup_dir=str(tmp_path))
    assert answer.code == "ldif_unreadable" and "other.ldif" in answer["msg"]


@pytest.mark.parametrize(
    ("dn", "code"),
    [
        ("", "invalid_dn"),
        ("nonsense", "invalid_dn"),
        (f"CN=x,OU=Nowhere,{paths.AD_BASE}", "cannot_read"),
        ("CN=x,DC=other,DC=example", "cannot_read"),
        (full_dn(SERVICES), "unsupported_class"),
        (full_dn("CN=DC1,OU=Domain Controllers"), "unsupported_class"),
    ],
)
def test_names_that_lead_to_nothing_usable(module, directory, dn, code):
    answer = module(dn=dn, state="disabled")
    assert answer.code == code and dn in answer["msg"] and directory.writes() == []


BAD_CONNECTIONS = [
    ({"password": "not-the-password"}, "wrong_credentials"),
    ({"username": "nobody@ad.reiji.example"}, "wrong_credentials"),
    ({"password": ""}, "credentials_missing"),
    ({"username": None}, "credentials_missing"),
    ({"ca_file": None}, "certificate_untrusted"),
    ({"ca_file": None, "tls": "starttls"}, "certificate_untrusted"),
    ({"ca_file": "/nonexistent.pem"}, "ca_file_unusable"),
    ({"ca_file": __file__}, "ca_file_unusable"),
    ({"host": "2130706493", "valid_names": []}, "certificate_untrusted"),  # 127.0.0.61, by a name that its certificate lacks
    ({"host": "dc1.invalid"}, "host_unknown"),
    ({"port": 1}, "unreachable"),
]


@pytest.mark.parametrize(("options", "code"), BAD_CONNECTIONS)
@pytest.mark.parametrize("name", ["directory_object", "directory_object_info"])
def test_connections_that_fail(module, directory, name, options, code):
    more = {"state": "disabled", "dn": full_dn(IWA)} if name == "directory_object" else {"objects": [IWA]}
    answer = module(name, **more, **options)
    assert answer.code == code and answer["failed"] and not answer["changed"]
    assert "Traceback" not in answer["msg"] and "exception" not in answer
    assert directory.writes() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"userAccountControl": ["514"]}, "account_disabled"),
        ({"accountExpires": ["116444736000000000"]}, "account_expired"),
        ({"pwdLastSet": ["0"]}, "password_must_change"),
    ],
)
def test_accounts_that_may_not_log_on(module, directory, changes, code):
    directory.arrange(BIND, changes)
    assert module(dn=full_dn(IWA), state="disabled", username="iij-dirsync-bind@ad.reiji.example").code == code


def test_start_tls(module, directory):
    assert module(dn=full_dn(IWA), state="disabled", tls="starttls")["changed"]


def test_kerberos(module, directory, tmp_path, monkeypatch):
    pytest.importorskip("gssapi", reason="the Python library gssapi is not installed; it is needed for authentication=kerberos only")
    monkeypatch.setenv("KRB5_CONFIG", directory.krb5_conf)
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/cc")
    options = {"dn": full_dn(IWA), "state": "disabled", "authentication": "kerberos", "username": None, "password": None}
    assert module(**options).code == "kerberos_failed"
    subprocess.run(["kinit", f"offboard@{paths.AD_REALM}"], input=paths.PASSWORD, text=True, check=True, capture_output=True)
    assert module(**options)["changed"]
    assert module(**{**options, "dn": full_dn(OFFBOARD)}).rules == ["own_identity"]


# --- predictions and journal ---


def test_check_mode_plans_against_what_earlier_plans_leave_behind(module, directory, tmp_path):
    common = {"objects": [RUN, BIND], "predictions": str(tmp_path / "predictions")}
    assert module(check=True, state="disabled", **common)["changed"]
    removal = module(check=True, state="absent", backup_dir=str(tmp_path), **common)
    assert removal["predicted"] and [change["before"]["enabled"] for change in removal["plan"]] == [False, False]
    after = module(check=True, state="disabled", **common)
    assert not after["changed"] and {item["code"] for item in after["skipped_objects"]} == {"not_found"}
    assert directory.writes() == []


@pytest.mark.parametrize("typed", [f"CN=iij-dirsync-run,{GROUPS}", f"CN=IIJ_dirsync_run,{SERVICES}", "CN=iij-dirsync-run"])
@pytest.mark.parametrize("state", ["absent", "disabled"])
def test_an_object_that_lies_elsewhere_is_not_taken_for_a_removed_one(module, directory, tmp_path, typed, state):
    kept = {"backup_dir": str(tmp_path)}
    for more in ({}, {"journal": str(tmp_path / "journal")}):
        answer = module(objects=[typed, BIND], state=state, **kept, **more)
        assert answer.code == "not_exact" and answer["failure"]["details"]["candidates"] == [{"dn": full_dn(RUN)}]
    assert directory.writes() == []
    # the way out
    assert not module(objects=["<GUID=00000000-7f0a-4d2e-9a65-0d5d8d0b7f11>;" + full_dn(typed)], state=state, **kept)["changed"]


def test_somebody_else_of_the_same_name_does_not_stop_a_second_run_without_journal(module, directory, tmp_path):
    """The saved copy shows who was removed."""
    assert module(objects=[RUN], state="absent", backup_dir=str(tmp_path))["counts"]["done"] == 1
    elsewhere = full_dn(f"CN=iij-dirsync-run,{GROUPS}")
    with directory.admin() as admin:
        assert admin.add(elsewhere, "user", {"sAMAccountName": "another-one", "userAccountControl": 514}), admin.result
    assert not module(objects=[RUN], state="absent", backup_dir=str(tmp_path))["changed"]
    assert module(objects=[RUN], state="absent", backup_dir=str(tmp_path / "nothing")).code == "not_exact"
    with directory.admin() as admin:  # the one that was meant, made anew elsewhere
        assert admin.modify(elsewhere, {"sAMAccountName": [(ldap3.MODIFY_REPLACE, ["IIJ-dirsync-run"])]}), admin.result
    assert module(objects=[RUN], state="absent", backup_dir=str(tmp_path)).code == "not_exact"


def test_nothing_there_and_nothing_known_of_all_that_was_named_is_a_failure(module, directory, tmp_path):
    """Another domain's list, or typing errors: whoever was meant is still there."""
    typed = RUN.replace("dirsync", "dirsnyc")
    guid = "<GUID=00000000-7f0a-4d2e-9a65-0d5d8d0b7f11>"
    kept = {"journal": str(tmp_path / "journal"), "backup_dir": str(tmp_path)}
    for state in ("absent", "disabled"):
        for check in (True, False):
            assert module(objects=[typed, guid], state=state, check=check, **kept).rules == ["nothing_found"]
        assert not module(objects=[typed], state=state, backup_dir=str(tmp_path))["changed"]  # nobody to ask
        # known: to the task, or as one that is there
        assert not module(objects=[typed, guid], state=state, known=[{"dn": full_dn(typed), "objectGUID": "1"}], **kept)["changed"]
    answer = module(objects=[typed, RUN], state="absent", **kept)
    assert answer["counts"]["done"] == 1 and full_dn(typed) in json.dumps(answer["warnings"])
    assert directory.entry(RUN) is None
    assert not module(objects=[RUN], state="absent", **kept)["changed"]
    (tmp_path / "journal").unlink()
    # the snapshot or the journal says what it was called; the saved copy, which object it was
    assert module(objects=[RUN], state="absent", **kept).rules == ["nothing_found"]


def test_the_journal_holds_intents_and_outcomes(module, tmp_path):
    journal = tmp_path / "journal"
    module(objects=[RUN, PERSON], state="disabled", journal=str(journal))
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(item["record"], item["name"], item.get("status")) for item in records] == [
        ("intent", "iij-dirsync-run", None),
        ("intent", "sato.yoko", None),
        ("outcome", "iij-dirsync-run", "done"),
        ("outcome", "sato.yoko", "failed"),
    ]
    assert paths.PASSWORD not in journal.read_text()


# --- _info ---

CONFIG = f"""
ad:
  ldap:
    server:
      addresses: [{paths.DC_HOST}]
      user: {full_dn(BIND)}
      password: hush-hush
filter:
  user: (&(objectClass=user)(memberOf={full_dn(SCOPE)}))
"""


def test_candidates_and_why(module, directory):
    answer = module("directory_object_info", spn_patterns=["(?i)iij"], agent_configs=[CONFIG], objects=[MANAGER, "CN=gone," + SERVICES])
    found = {item["dn"]: item for item in answer["objects"]}
    assert set(found) == {full_dn(dn) for dn in (IWA, SHARED, BIND, SCOPE, MANAGER)}  # neither the backup product nor any other decoy
    assert found[full_dn(IWA)]["found_by"] == ["servicePrincipalName HTTP/reiji.iwa.auth.iij.jp matches (?i)iij"]
    assert found[full_dn(BIND)]["found_by"] == ["bind user in config.yml (ad.ldap.server.user)"]
    assert found[full_dn(SCOPE)]["found_by"] == ["group in a filter of config.yml (filter.user)"]
    refused = {dn: [item["rule"] for item in entry["removal_refusals"]] for dn, entry in found.items()}
    assert refused == {full_dn(IWA): [], full_dn(BIND): [], full_dn(SHARED): ["other_spn"], full_dn(SCOPE): ["members"], full_dn(MANAGER): ["referenced"]}
    assert [item["name"] for item in answer["unusable"]] == [full_dn("CN=gone," + SERVICES)]
    assert "hush-hush" not in json.dumps(answer)
    assert directory.writes() == []


@pytest.mark.parametrize(
    ("user", "dn"),
    [
        ("iij-dirsync-run@ad.reiji.example", RUN),
        (r"REIJI\iij-dirsync-run", RUN),
        ("iij-dirsync-run", RUN),
        ("nobody", None),
        ("DC1$", None),
        (r"ad.reiji.example\iij-dirsync-run", RUN),
        (" iij-dirsync-run ", RUN),
        (r"OTHERDOM\iij-dirsync-run", None),
        (r"other.example\iij-dirsync-run", None),
    ],
)
def test_a_configuration_that_names_no_dn(module, user, dn):
    answer = module("directory_object_info", agent_configs=[yaml.safe_dump({"ad": {"ldap": {"server": {"user": user}}}})])
    assert [item["dn"] for item in answer["objects"]] == ([full_dn(dn)] if dn else [])
    assert len(answer["unusable"]) == (0 if dn else 1)


def test_a_configuration_that_cannot_be_understood_hides_no_other(module):
    config = yaml.safe_dump({"ad": {"ldap": {"server": {"user": full_dn(RUN)}}}})
    answer = module("directory_object_info", agent_configs=["a: b: hush-hush", config])
    assert [item["dn"] for item in answer["objects"]] == [full_dn(RUN)]
    assert [(item["name"], item["code"]) for item in answer["unusable"]] == [("agent_configs[0]", "config_unreadable")]
    assert "hush-hush" not in json.dumps(answer)


def test_a_name_that_leads_nowhere_hides_no_other(module):
    """A typo, a DN of another domain, one below an organizational unit that is gone: told beside what was found."""
    bad = ["no distinguished name", "CN=svc,DC=other,DC=example", full_dn("CN=svc,OU=gone," + SERVICES)]
    config = yaml.safe_dump({"ad": {"ldap": {"filter": "(|" + "".join(f"(memberOf={dn})" for dn in bad) + ")"}}})
    answer = module("directory_object_info", objects=["no distinguished name", "<GUID=12>;CN=x", "CN=svc,OU=gone," + SERVICES, MANAGER], agent_configs=[config])
    assert [item["dn"] for item in answer["objects"]] == [full_dn(MANAGER)]
    told = {item["name"]: item for item in answer["unusable"]}
    assert set(told) == {*bad, full_dn("no distinguished name"), "<GUID=12>;CN=x"}
    assert all(item["msg"] and item["found_by"] and isinstance(item["found_by"], list) for item in told.values())
    assert answer["directory"] == paths.AD_BASE


@pytest.mark.parametrize(
    ("options", "code"),
    [({"spn_patterns": ["("]}, "pattern_invalid"), ({"allowed_spns": ["("]}, "pattern_invalid")],
)
def test_bad_options_of_info(module, options, code):
    answer = module("directory_object_info", **options)
    assert answer.code == code and "hush-hush" not in answer["msg"]


def test_every_page_is_read(directory, monkeypatch):
    monkeypatch.setattr(client_module, "PAGE_SIZE", 7)
    client = client_module.Client(Connection.from_params(given("directory_object_info", **directory.options())), read_only=True)
    try:
        found = [entry.dn for entry in client.search("(&(objectCategory=person)(objectClass=user))", ["cn"], base=full_dn("OU=People,OU=Reiji"))]
    finally:
        client.close()
    assert len(found) == len(set(found)) == 40


# --- end to end ---

PLAY = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/offboard.iij_id.directory:
      host: "{host}"
      valid_names: ["{name}"]
      ca_file: "{ca_file}"
      username: "{user}"
      password: "{{{{ secret }}}}"
  tasks:
    - offboard.iij_id.directory_object_info:
        spn_patterns: ['iij\\.jp$']
      register: candidates
    - offboard.iij_id.directory_object:
        objects: "{{{{ candidates.objects | rejectattr('removal_refusals') | map(attribute='dn') }}}}"
        state: disabled
    - offboard.iij_id.directory_object:
        objects: ["{iwa}"]
        state: absent
        backup_dir: "{folder}/copies"
        predictions: "{folder}/predictions"
"""


@pytest.mark.parametrize("name", ["directory_object", "directory_object_info"])
def test_the_documented_examples(directory, tmp_path, name):
    """As they stand, but for the connection, the paths and the Kerberos ticket."""
    examples = importlib.import_module(f"ansible_collections.offboard.iij_id.plugins.modules.{name}").EXAMPLES
    tasks = yaml.safe_load(examples.replace("/srv/offboard-run", str(tmp_path)).replace("vault_directory_password", "secret"))
    for task in tasks:
        options = task.get(f"offboard.iij_id.{name}")
        if options:
            options |= {**directory.options(), "password": "{{ secret }}", "authentication": "simple"}
    (tmp_path / "sync01-config.yml").write_text(CONFIG)
    play = tmp_path / "play.yml"
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": {"secret": paths.PASSWORD}, "tasks": tasks}]))
    done = subprocess.run(["ansible-playbook", "-i", "localhost,", "-c", "local", str(play)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert name == "directory_object_info" or "changed=3" in done.stdout


def test_a_playbook_in_check_mode_for_real_and_again(directory, tmp_path):
    play = tmp_path / "play.yml"
    play.write_text(
        PLAY.format(host=paths.DC_ADDRESS, name=paths.DC_HOST, ca_file=directory.ca_file, user=paths.AD_OPERATOR, iwa=full_dn(IWA), folder=tmp_path)
    )
    secrets = tmp_path / "secrets.yml"
    secrets.write_text(yaml.safe_dump({"secret": paths.PASSWORD}))

    def run(*words):
        command = ["ansible-playbook", "-i", "localhost,", "-c", "local", "-e", f"@{secrets}", *words, str(play)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "ANSIBLE_NOCOLOR": "1"})
        assert done.returncode == 0, done.stdout + done.stderr
        assert paths.PASSWORD not in done.stdout + done.stderr
        return done.stdout.splitlines()[-2 if done.stdout.endswith("\n\n") else -1]

    assert "changed=2" in run("--check", "--diff", "-vvv")
    assert directory.writes() == [] and not Path(tmp_path, "copies").exists()
    assert "changed=2" in run("--diff", "-vvv")
    assert directory.entry(IWA) is None and directory.entry(SHARED) is not None
    directory.clear()
    assert "changed=0" in run()
    assert directory.writes() == []
