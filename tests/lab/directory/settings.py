# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings files of the domain controller and of its Kerberos clients, as text."""

from __future__ import annotations

from pathlib import Path

from .. import paths

AUDIT_LOG = "audit.log"
#: Of the server: smb.conf is for tools, which run outside its mount namespace.
SERVER_CONF = "server.conf"
#: A domain controller's own /run/samba, since libwbclient has it compiled in: without one every SMB session would fail, or meet another server's. SYSVOL is
#: served from there: every account of the domain may read it, but not pass the home folder that the lab's state may lie in.
_SERVED_SYSVOL = "/run/samba/sysvol"
PRIVATE_RUN = f"""
mkdir -p /run/samba && mount -t tmpfs -o mode=755 tmpfs /run/samba
mkdir -p "$SYSVOL" {_SERVED_SYSVOL} && mount --bind "$SYSVOL" {_SERVED_SYSVOL}
"""


def write(state: Path, host: str = paths.DC_HOST, address: str = paths.DC_ADDRESS) -> None:
    """Both smb.conf of the domain controller `host`."""
    (state / "smb.conf").write_text(_smb_conf(state, host, address, str(sysvol(state))))
    (state / SERVER_CONF).write_text(_smb_conf(state, host, address, _SERVED_SYSVOL))


def sysvol(state: Path) -> Path:
    """The folder of the share."""
    return state / "dc" / "state" / "sysvol"


def _smb_conf(state: Path, host: str, address: str, served: str) -> str:
    """With every folder below `state` and every listener on `address`.

    `interfaces` needs the /8: with a bare loopback address smbd finds no network interface. The update commands
    and the periodic replication are switched off because they look for the host's own resolver and for a second domain controller.
    """
    dc, _, domain = host.partition(".")
    return f"""[global]
    workgroup = {paths.AD_NETBIOS}
    realm = {paths.AD_REALM}
    netbios name = {dc.upper()}
    server role = active directory domain controller
    server services = s3fs, rpc, ldap, cldap, kdc, drepl, winbindd, dns
    interfaces = {address}/8
    bind interfaces only = yes
    private dir = {state}/dc/private
    state directory = {state}/dc/state
    cache directory = {state}/dc/cache
    lock directory = {state}/dc/lock
    binddns dir = {state}/dc/bind-dns
    pid directory = {state}/run
    ncalrpc dir = {state}/run/ncalrpc
    ntp signd socket directory = {state}/run/ntp_signd
    log file = {state}/log/samba.log
    max log size = 0
    log level = 1 dsdb_json_audit:5@{state}/log/{AUDIT_LOG}
    ldap server require strong auth = allow_sasl_over_tls
    tls enabled = yes
    tls keyfile = {state}/tls/server.key
    tls certfile = {state}/tls/server.pem
    tls cafile = {paths.ca_file()}
    tls verify peer = no_check
    tls priority = NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3
    idmap_ldb:use rfc2307 = yes
    disable netbios = yes
    disable spoolss = yes
    load printers = no
    printcap name = /dev/null
    dns forwarder = 0.0.0.0
    allow dns updates = disabled
    dns update command = /bin/true
    spn update command = /bin/true
    nsupdate command = /bin/true
    gpo update command = /bin/true
    samba kcc command = /bin/true
    dreplsrv:periodic_startup_interval = 86400
    dreplsrv:periodic_interval = 86400
[sysvol]
    path = {served}
    read only = no
[netlogon]
    path = {served}/{domain}/scripts
    read only = no
"""


def krb5_conf() -> str:
    """Finds the lab's KDC without DNS."""
    _, _, domain = paths.DC_HOST.partition(".")
    return f"""[libdefaults]
    default_realm = {paths.AD_REALM}
    dns_lookup_realm = false
    dns_lookup_kdc = false
    rdns = false
[realms]
    {paths.AD_REALM} = {{
        kdc = {paths.DC_ADDRESS}
        admin_server = {paths.DC_ADDRESS}
        kpasswd_server = {paths.DC_ADDRESS}
    }}
[domain_realm]
    .{domain} = {paths.AD_REALM}
    {domain} = {paths.AD_REALM}
"""
