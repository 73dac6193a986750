#!/usr/bin/python
# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: win_certificate_info
short_description: Client certificates in the personal stores of a machine and its users
version_added: 1.0.0
description:
  - Lists the certificates in the personal store of the machine and of every user that has a profile on it, signed in or not, says why one is
    listed, and what would become of its private key.
  - Also reports what M(offboard.iij_id.win_certificate) does not change - certificates of the named issuers among the trusted authorities, and in
    Firefox' own databases.
  - Users' certificates and databases of Firefox are read by Windows' own C(tar.exe), all at once and without writing on the machine. It came with Windows 10
    1803 and Windows Server 2019. Where it is missing, or cannot read a file, C(certutil -encode) does, one file at a time; a copy, without a key, lies in
    Windows' folder C(Temp) for that moment then.
author:
  - the offboard.iij_id maintainers (!UNKNOWN)
extends_documentation_fragment:
  - offboard.iij_id.run.info
  - offboard.iij_id.windows
options:
  issuers:
    description: As in M(offboard.iij_id.win_certificate). Without issuers and thumbprints, every certificate is listed.
    type: list
    elements: str
    default: []
  thumbprints:
    description: As in M(offboard.iij_id.win_certificate).
    type: list
    elements: str
    default: []
  firefox:
    description: Whether to read the certificate databases of Firefox in the users' profiles.
    type: bool
    default: true
seealso:
  - module: offboard.iij_id.win_certificate
"""

EXAMPLES = r"""
- name: Which issuers have certificates for clients here?
  offboard.iij_id.win_certificate_info:
  register: found

- name: Which ones did this authority issue, and where is it trusted?
  offboard.iij_id.win_certificate_info:
    issuers:
      - CN=Sumire Device CA,O=Sumire Trading Co.\, Ltd.,C=JP
"""

RETURN = r"""
certificates:
  description: The certificates.
  returned: success
  type: list
  elements: dict
  contains:
    store:
      description: C(machine), or the SID of the user; with C(.bak) behind it for a profile that Windows has set aside.
      type: str
      returned: always
    profile:
      description: The user's folder; empty for the machine.
      type: str
      returned: always
    thumbprint:
      description: SHA-1, 40 digits.
      type: str
      returned: always
    subject:
      description: Whom it names, by RFC 4514.
      type: str
      returned: always
    issuer:
      description: Who issued it, by RFC 4514; the value to confirm in C(issuers).
      type: str
      returned: always
    not_after:
      description: When it expires, RFC 3339, UTC; empty where it says so in no form that certificates have.
      type: str
      returned: always
    client_auth:
      description: Whether it is for the authentication of clients.
      type: bool
      returned: always
    has_key:
      description: Whether it has a private key.
      type: bool
      returned: always
    key_provider:
      description: The provider of the key; empty without one.
      type: str
      returned: always
    private_key:
      description:
        - What would become of the key if this one certificate went, as far as the personal stores tell. M(offboard.iij_id.win_certificate) looks into the
          other stores, too, and keeps a key that a certificate there uses.
      type: str
      returned: always
    used_by:
      description: What serves with it, as far as Remote Desktop, WinRM and HTTP.sys name it in the registry. Such a one is not removed.
      type: list
      elements: str
      returned: always
    why:
      description: Why it is meant.
      type: list
      elements: str
      returned: always
issuers:
  description: How many certificates for clients (C(certificates)) each C(issuer) has in these stores, whatever was looked for.
  returned: success
  type: list
  elements: dict
authorities:
  description:
    - Certificates among the trusted authorities (C(store), C(place), C(thumbprint), C(subject), C(issuer)) that are of a named issuer, or issued by it.
    - One that comes of a group policy comes back.
  returned: success
  type: list
  elements: dict
authorities_unreadable:
  description: Places of certificates among the trusted authorities that cannot be read, where an issuer is named.
  returned: success
  type: list
  elements: str
firefox:
  description:
    - Databases of Firefox (C(store), C(database), C(readable), C(msg)) with the C(certificates) of the named issuers in them, all where none is named.
    - C(readable) is false, too, where some certificate in it cannot be read.
  returned: success
  type: list
  elements: dict
unreadable:
  description: Places of certificates that cannot be read.
  returned: success
  type: list
  elements: str
failure:
  description:
    - C(code) is V(thumbprint_invalid), V(issuer_invalid), V(store_unreadable), V(registry_unreadable), V(listing_unreadable), V(path_invalid),
      V(file_read_failed), or one of the connection, see M(offboard.iij_id.win_software).
  returned: failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.offboard.iij_id.plugins.module_utils._module.arguments import spec
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.arguments import WINDOWS
from ansible_collections.offboard.iij_id.plugins.module_utils._windows.machine import OPTIONS, info_of

from ..module_utils._module.runner import require, run_info
from ..module_utils._windows.client import WINRM_IMPORT_ERROR


def main() -> None:
    module = AnsibleModule(argument_spec=spec(WINDOWS, **OPTIONS["certificates"]), supports_check_mode=True)
    require(module, "pywinrm", WINRM_IMPORT_ERROR)
    run_info(module, info_of("certificates"))


if __name__ == "__main__":
    main()
