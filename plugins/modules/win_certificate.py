#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_certificate
short_description: Remove client certificates and their private keys from the personal stores of a machine and its users
version_added: 1.0.0
description:
  - Removes certificates from the personal store (C(My)) of the machine and of every user that has a profile on it, signed in or not.
  - What is meant is confirmed by you - the whole distinguished name of an issuer, or thumbprints, as M(offboard.iij_id.win_certificate_info) shows them.
  - The private key goes first, then the certificate, since only the certificate tells which key is its own. Deleting a certificate alone leaves its
    key for ever. A key that another certificate uses, of whatever store, is never removed; of users who are not signed in the stores that lie in their
    registry are not read.
  - B(A private key does not come back.) The certificate can be saved; who needs it again must be enrolled again.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run
  - offboard.iij_id.run.attributes
  - offboard.iij_id.windows
options:
  issuers:
    description:
      - Whole distinguished names of issuers by RFC 4514, as RV(offboard.iij_id.win_certificate_info#module:certificates[].issuer) shows them. No part
        of a name, and no other authority of the same organization is meant by it. Case, needless blanks, and at which end a name begins (OpenSSL writes
        the country first) do not count.
      - Of these issuers only certificates for the authentication of clients (extended key usage) are removed; the others are in C(skipped_objects).
    type: list
    elements: str
  thumbprints:
    description: SHA-1 thumbprints, 40 hexadecimal digits. Blanks, colons and case do not count. What is not there is left out.
    type: list
    elements: str
  except_thumbprints:
    description: What stays, although O(issuers) or O(thumbprints) mean it. It is in C(skipped_objects), V(excepted).
    type: list
    elements: str
    default: []
  except_issuers:
    description: Whole distinguished names of issuers whose certificates stay, although O(issuers) or O(thumbprints) mean them, compared as those of
      O(issuers) are. They are in C(skipped_objects), V(excepted).
    type: list
    elements: str
    default: []
  backup_dir:
    description: Folder on the controller for the certificates (DER, without their keys). They hold no secret, but names of users.
    type: path
notes:
  - Keys of the machine are removed by C(certutil -delkey). Keys of users are removed where they lie in a file of the old (CAPI) RSA providers. Their CNG
    and TPM keys, keys on smart cards, and those of other vendors' providers cannot be removed from here - the certificate is, and C(keys_left) lists them.
  - Certificates of authorities are refused (rule V(authority_certificate)). Those of authorities in other stores, and Firefox' own databases, are reported by
    M(offboard.iij_id.win_certificate_info) and not changed.
  - Users' certificates are read by Windows' own C(tar.exe), all at once and without writing on the machine. It came with Windows 10 1803 and Windows Server
    2019. Where it is missing, as on Windows Server 2016, or cannot read a file, C(certutil -encode) does, one file at a time and also in check mode; cmd.exe
    alone prints no bytes as they are. A copy, without the key, lies in Windows' folder C(Temp) for that moment then.
  - A certificate of the machine that Remote Desktop, WinRM or a web service of HTTP.sys (IIS and others) serves with, as their settings in the registry name
    it, is refused (rule V(certificate_in_use)); an authority of the company's own may issue one certificate for both. Who takes a certificate out of the store
    without naming it there (LDAPS of a domain controller, 802.1X, VPN, SQL Server) is not seen.
  - A profile whose C(AppData) is redirected to a server is not seen by way of the machine.
seealso:
  - module: offboard.iij_id.win_certificate_info
"""

EXAMPLES = r"""
- name: Remove the client certificates that one authority has issued
  offboard.iij_id.win_certificate:
    issuers:
      - CN=Sumire Device CA,O=Sumire Trading Co.\, Ltd.,C=JP
    backup_dir: /srv/offboard-run/backups/certificates

- name: Remove one certificate
  offboard.iij_id.win_certificate:
    thumbprints:
      - 3F2A9C0D5B7E41886A0C1D2E3F4A5B6C7D8E9F00
"""

RETURN = r"""
plan:
  description: The changes, the same in check mode. C(before.private_key) says what becomes of the key.
  returned: always
  type: list
  elements: dict
saved:
  description: Files of the certificates that this task has saved, by host, store and thumbprint.
  returned: always
  type: dict
keys_left:
  description: Keys (C(store), C(thumbprint), C(provider)) whose certificate was removed and which could not be removed from here.
  returned: always
  type: list
  elements: dict
unreadable:
  description: Places of certificates that cannot be read. While there are any, nothing is removed (rule V(certificate_unreadable)).
  returned: always
  type: list
  elements: str
failure:
  description:
    - C(code) is V(thumbprint_invalid), V(issuer_invalid), V(not_exact) (an issuer that is nobody's, but nearly that of certificates; they are in
      C(details)), V(guard_refused) (rules V(authority_certificate), V(certificate_in_use),
      V(certificate_unreadable), V(max_changes)),
      V(changed_since_read), V(store_unreadable), V(key_refused) (the certificate is left then), V(certificate_refused), V(registry_unreadable),
      V(listing_unreadable), V(path_invalid), V(file_read_failed), V(file_write_failed), V(not_seen), or one of the connection, see
      M(offboard.iij_id.win_software).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._offboarding.arguments import RUN
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.certificates.resource import make

from ..module_utils._module.runner import require
from ..module_utils._offboarding.runner import run
from ..module_utils._windows.client import WINRM_IMPORT_ERROR

NAMES = {"type": "list", "elements": "str"}


def main() -> None:
    module = AnsibleModule(
        argument_spec=spec(
            RUN,
            WINDOWS,
            issuers=NAMES,
            thumbprints=NAMES,
            except_thumbprints=NAMES | {"default": []},
            except_issuers=NAMES | {"default": []},
            backup_dir={"type": "path"},
        ),
        required_one_of=[("issuers", "thumbprints")],
        supports_check_mode=True,
    )
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    run(module, make)


if __name__ == "__main__":
    main()
