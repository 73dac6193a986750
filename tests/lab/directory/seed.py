#!/usr/bin/python3
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fills a freshly provisioned domain: seed.py SMB_CONF < steps.json

Runs under the system's Python, the only one that Debian's `samba` package installs its bindings for. Written to
the database directly, as SYSTEM: no server runs, and 50 objects take a second.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import ldb
from samba import sd_utils
from samba.auth import system_session
from samba.dcerpc import preg
from samba.ndr import ndr_pack
from samba.param import LoadParm
from samba.samdb import SamDB

NORMAL_ACCOUNT, DISABLED = "512", "514"


def registry_pol(records: list) -> bytes:
    """By Samba's own packer."""
    file = preg.file()
    file.header.signature, file.header.version = "PReg", 1
    entries = []
    for key, name, kind, value in records:
        entry = preg.entry()
        entry.keyname, entry.valuename, entry.type = key, name, kind
        entry.data = value
        entries.append(entry)
    file.num_entries, file.entries = len(entries), entries
    return ndr_pack(file)


def add_policy(database: SamDB, descriptors: sd_utils.SDUtils, sysvol: Path, step: dict) -> None:
    """The object, its links, and its files; their rights are set afterwards, by `samba-tool ntacl sysvolreset`."""
    dn, base = step["dn"], step["base"]
    if not database.search(base=dn.partition(",")[2], expression=f"(cn={dn[3:41]})"):
        database.add({"dn": dn, "objectClass": "groupPolicyContainer", "showInAdvancedViewOnly": "TRUE"})
        for side in ("User", "Machine"):
            database.add({"dn": f"CN={side},{dn}", "objectClass": "container", "showInAdvancedViewOnly": "TRUE"})
    change = ldb.Message(ldb.Dn(database, dn))
    for name, value in step["attributes"].items():
        change[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    database.modify(change)
    for place in step["links"]:
        before = str(database.search(base=place, scope=ldb.SCOPE_BASE, attrs=["gPLink"])[0].get("gPLink", [b""])[0])
        change = ldb.Message(ldb.Dn(database, place))
        change["gPLink"] = ldb.MessageElement(f"[LDAP://{dn};0]{before}", ldb.FLAG_MOD_REPLACE, "gPLink")
        database.modify(change)

    def filled(text: str) -> str:
        text = text.replace("{orphan}", f"{database.get_domain_sid()}-99999")
        return re.sub(r"\{sid:([^}]+)\}", lambda found: str(descriptors.get_object_sid(f"{found[1]},{base}")), text)

    folder = sysvol / step["folder"]
    for side in ("MACHINE", "USER"):
        (folder / side).mkdir(parents=True, exist_ok=True)
    (folder / "GPT.INI").write_bytes(f"[General]\r\nVersion={step['attributes']['versionNumber']}\r\n".encode())
    for name, content in step["files"].items():
        side, _, rest = name.partition("/")
        file = folder / side.upper() / rest
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(registry_pol(content["records"]) if "records" in content else filled(content["text"]).encode(content["encoding"]))


def main() -> None:
    parameters = LoadParm()
    parameters.load(sys.argv[1])
    database = SamDB(url=parameters.private_path("sam.ldb"), session_info=system_session(), lp=parameters)
    descriptors = sd_utils.SDUtils(database)
    database.transaction_start()
    for step in json.load(sys.stdin):
        dn = step["dn"]
        if step["do"] == "add":
            attributes = dict(step["attributes"])
            if "password" in step:
                attributes["userAccountControl"] = DISABLED
            database.add({"dn": dn, **attributes})
            if "password" in step:
                clear = ldb.Message(ldb.Dn(database, dn))
                quoted = '"{}"'.format(step["password"]).encode("utf-16-le")
                clear["unicodePwd"] = ldb.MessageElement(quoted, ldb.FLAG_MOD_REPLACE, "unicodePwd")
                clear["userAccountControl"] = ldb.MessageElement(NORMAL_ACCOUNT, ldb.FLAG_MOD_REPLACE, "userAccountControl")
                database.modify(clear)
        elif step["do"] == "member":
            change = ldb.Message(ldb.Dn(database, dn))
            change["member"] = ldb.MessageElement(step["member"], ldb.FLAG_MOD_ADD, "member")
            database.modify(change)
        elif step["do"] == "ace":
            sid = str(descriptors.get_object_sid(step["sid_of"])) if "sid_of" in step else ""
            descriptors.dacl_add_ace(dn, step["ace"].replace("{sid}", sid))
        elif step["do"] == "policy":
            add_policy(database, descriptors, Path(parameters.get("path", "sysvol")), step)
        else:
            raise SystemExit(f"unknown step {step['do']!r}")
    database.transaction_commit()


if __name__ == "__main__":
    main()
