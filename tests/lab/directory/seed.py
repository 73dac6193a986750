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
import sys

import ldb
from samba import sd_utils
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

NORMAL_ACCOUNT, DISABLED = "512", "514"


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
        else:
            raise SystemExit(f"unknown step {step['do']!r}")
    database.transaction_commit()


if __name__ == "__main__":
    main()
