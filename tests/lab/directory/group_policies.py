# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixture company's group policies: steps for seed.py, with what IIJ ID left in them and with decoys.

`{sid:DN}` in a text becomes that object's SID, `{orphan}` one of the domain that nobody has.
"""

from __future__ import annotations

from typing import Any

from .. import names, paths

SECURITY = "[{827D319E-6EAC-11D2-A4EA-00C04F79F83A}{803E14A0-B4FB-11D0-A0D0-00A0C90F574B}]"
REGISTRY_MACHINE = "[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{D02B1F72-3407-48AE-BA88-E8213C6761F1}]"
REGISTRY_USER = "[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{D02B1F73-3407-48AE-BA88-E8213C6761F1}]"
PREFERENCES = "[{00000000-0000-0000-0000-000000000000}{BEE07A6A-EC9F-4659-B8C9-0B1937907C83}]"
PREFERENCES += "[{B087BE9D-ED37-454F-AF9C-04291E351182}{BEE07A6A-EC9F-4659-B8C9-0B1937907C83}]"

DOMAIN, CONTROLLERS = "{31B2F340-016D-11D2-945F-00C04FB984F9}", "{6AC1786C-016F-11D2-945F-00C04FB984F9}"
BROWSERS, DRIVES, DECOY, DAMAGED = (f"{{0FFB0A2D-1{number:03}-4000-8000-00000000000{number}}}" for number in range(1, 5))

GPT_TMPL = r"MACHINE\Microsoft\Windows NT\SecEdit\GptTmpl.inf"
MACHINE_POL, USER_POL = r"Machine\Registry.pol", r"User\Registry.pol"
ITEMS = r"User\Preferences\Registry\Registry.xml"

_RUN = "{sid:CN=iij-dirsync-run,OU=Services,OU=Reiji}"
_EDGE, _CHROME = r"Software\Policies\Microsoft\Edge", r"Software\Policies\Google\Chrome"
_SPNEGO = r"Software\Policies\Mozilla\Firefox\Authentication\SPNEGO"
_ZONES = r"Software\Policies\Microsoft\Windows\CurrentVersion\Internet Settings"
SZ, DWORD = 1, 4


def _template(*rights: str) -> dict[str, str]:
    lines = ["[Unicode]", "Unicode=yes", "[Registry Values]", r"MACHINE\System\CurrentControlSet\Services\NTDS\Parameters\LDAPServerIntegrity=4,1"]
    lines += ["[Version]", 'signature="$CHICAGO$"', "Revision=1", "[Privilege Rights]", *rights]
    return {"text": "".join(line + "\r\n" for line in lines), "encoding": "utf-16"}


def _item(number: int, site: str, key: str) -> str:
    uid = "{" + f"{number}" * 8 + "-1111-1111-1111-111111111111}"
    return (
        f'<Registry clsid="{{9CD4B2F4-923D-47f5-A062-E897DD1DAD50}}" name="https" status="https" image="11" changed="2019-04-01 00:00:0{number}" '
        f'uid="{uid}" desc="{site}" bypassErrors="1"><Properties action="U" displayDecimal="1" default="0" hive="HKEY_CURRENT_USER" '
        rf'key="Software\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMap\Domains\{key}" name="https" type="REG_DWORD" value="00000001"/></Registry>'
    )


_ITEMS = (
    '<?xml version="1.0" encoding="utf-8"?>\r\n<RegistrySettings clsid="{A3CCFC41-DFDB-43a5-8D26-0FE8B954DA51}">'
    '<Collection clsid="{53B533F5-224C-47e3-B01B-CA3B3F3FF4BF}" name="社内サイト">'
    + _item(1, "IIJ ID", r"iij.jp\www1.auth")
    + _item(2, "intranet", r"reiji.example\intranet")
    + "</Collection></RegistrySettings>\r\n"
)
_DRIVES = (
    '<?xml version="1.0" encoding="utf-8"?>\r\n<Drives clsid="{8FDDCC1A-0C3C-43cd-A6B4-71A6DF20DA8C}"><Drive name="S:" uid="{0A}">'
    '<Properties action="U" path="\\\\fs1\\share" userName="REIJI\\svc" cpassword="j1Uyj3Vx8TY9LtLZil2uAuZkFQA/4latT76ZwgdHdhw"/></Drive></Drives>\r\n'
)

POLICIES: list[dict[str, Any]] = [
    {
        "guid": CONTROLLERS,
        "name": "Default Domain Controllers Policy",
        "version": 1,
        "machine": SECURITY,
        "files": {
            GPT_TMPL: _template(
                "SeAuditPrivilege = *S-1-5-20,*S-1-5-19",
                f"SeBatchLogonRight = *{_RUN},*S-1-5-32-559,*S-1-5-32-551,*S-1-5-32-544",
                "SeInteractiveLogonRight = *S-1-5-9,*{orphan},*S-1-5-32-550",
                "SeUndockPrivilege = *S-1-5-32-544",
            )
        },
    },
    {
        # IIJ's manual sends administrators of member servers here: nobody else is left in the right
        "guid": DOMAIN,
        "name": "Default Domain Policy",
        "version": 4,
        "machine": SECURITY,
        "files": {GPT_TMPL: _template(f"SeBatchLogonRight = *{_RUN}", "SeServiceLogonRight = iij-dirsync-run,*S-1-5-80-0")},
    },
    {
        "guid": BROWSERS,
        "name": "Browser settings",
        "version": 3 << 16 | 2,
        "machine": REGISTRY_MACHINE,
        "user": PREFERENCES + REGISTRY_USER,
        "links": [""],
        "files": {
            MACHINE_POL: {
                "records": [
                    [_EDGE, "AuthServerAllowlist", SZ, "*.ad.reiji.example,*.auth.iij.jp,intranet"],
                    [_EDGE, "AuthNegotiateDelegateAllowlist", SZ, "www1.auth.iij.jp"],
                    [_CHROME, "AuthServerAllowlist", SZ, "*.ad.reiji.example,www1.auth.iij.jp"],
                    [_CHROME, "SomeNumber", DWORD, 10],
                    [_SPNEGO, "**delvals.", SZ, " "],
                    [_SPNEGO, "1", SZ, "ad.reiji.example"],
                    [_SPNEGO, "2", SZ, "https://reiji.iwa.auth.iij.jp"],
                    [_SPNEGO, "3", SZ, "intranet"],
                ]
            },
            USER_POL: {
                "records": [
                    [_ZONES, "ListBox_Support_ZoneMapKey", DWORD, 1],
                    [_ZONES + r"\ZoneMapKey", "**delvals.", SZ, " "],
                    [_ZONES + r"\ZoneMapKey", "https://reiji.iwa.auth.iij.jp", SZ, "1"],
                    [_ZONES + r"\ZoneMapKey", "https://intranet.reiji.example", SZ, "1"],
                ]
            },
            ITEMS: {"text": _ITEMS, "encoding": "utf-8"},
        },
    },
    {
        "guid": DRIVES,
        "name": "ドライブの割り当て",
        "version": 1 << 16,
        "flags": 3,
        "files": {
            r"User\Preferences\Drives\Drives.xml": {"text": _DRIVES, "encoding": "utf-8"},
            r"User\Scripts\Logon\open.cmd": {"text": "@start https://WWW1.auth.iij.jp/\r\n", "encoding": "ascii"},
        },
    },
    {
        "guid": DECOY,
        "name": "Other sites",
        "version": 1,
        "machine": REGISTRY_MACHINE,
        "links": ["OU=Reiji"],
        "files": {
            MACHINE_POL: {
                "records": [
                    [_EDGE, "AuthServerAllowlist", SZ, "xauth.iij.jp,*.iij.jp"],
                    [_CHROME, "AuthServerAllowlist", SZ, "auth.iij.jp.example"],
                ]
            }
        },
    },
    {"guid": DAMAGED, "name": "Damaged", "version": 1, "machine": REGISTRY_MACHINE, "files": {MACHINE_POL: {"text": "PReg", "encoding": "ascii"}}},
]


def steps() -> list[dict[str, Any]]:
    """After the accounts: their SIDs are in the files."""
    domain = paths.DC_HOST.partition(".")[2]
    result = []
    for policy in names.called(POLICIES):
        folder = rf"{domain}\Policies\{policy['guid']}"
        result.append(
            {
                "do": "policy",
                "dn": f"CN={policy['guid']},CN=Policies,CN=System,{paths.AD_BASE}",
                "folder": folder.replace("\\", "/"),
                "base": paths.AD_BASE,
                "links": [f"{link},{paths.AD_BASE}".lstrip(",") for link in policy.get("links", ())],
                "attributes": {
                    "displayName": policy["name"],
                    "gPCFileSysPath": rf"\\{domain}\sysvol" + "\\" + folder,
                    "versionNumber": str(policy["version"]),
                    "flags": str(policy.get("flags", 0)),
                    "gPCFunctionalityVersion": "2",
                    **{f"gPC{side.title()}ExtensionNames": policy[side] for side in ("machine", "user") if side in policy},
                },
                "files": {name.replace("\\", "/"): content for name, content in policy["files"].items()},
            }
        )
    return result
