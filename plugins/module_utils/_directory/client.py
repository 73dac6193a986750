# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LDAP to Active Directory, and to OpenLDAP: bind, read, write, with errors a user can act on. The only file that imports ldap3."""

from __future__ import annotations

import contextlib
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._core import dn as names
from .._core.errors import OffboardError
from .._module import reaching
from .connection import Connection
from .values import Entry, parent_dn

try:
    import ldap3
    from ldap3.core.exceptions import (
        LDAPCertificateError,
        LDAPCommunicationError,
        LDAPException,
        LDAPInvalidDnError,
        LDAPPackageUnavailableError,
        LDAPResponseTimeoutError,
        LDAPSocketReceiveError,
        LDAPStartTLSError,
    )
    from ldap3.operation.search import compile_filter, parse_filter
    from ldap3.protocol.controls import build_control
    from ldap3.protocol.microsoft import security_descriptor_control, show_deleted_control
    from ldap3.utils.asn1 import encode
    from ldap3.utils.conv import escape_bytes, escape_filter_chars

    LDAP3_IMPORT_ERROR: ImportError | None = None
except ImportError as exc:  # reported by the module through missing_required_lib
    LDAP3_IMPORT_ERROR = exc

PAGE_SIZE = 500  # a domain controller answers at most 1000 entries at once (MaxPageSize)
DACL = 4  # LDAP_SERVER_SD_FLAGS_OID: the DACL only, since reading the SACL needs a privilege
_PAGED_RESULTS = "1.2.840.113556.1.4.319"
_ASSERTION = "1.3.6.1.1.12"

# The "data" of AD's invalidCredentials: Windows' own error numbers.
_BIND_FAILURES = {
    "525": ("wrong_credentials", "there is no such user"),
    "52e": ("wrong_credentials", "wrong user name or password"),
    "530": ("logon_denied", "the account may not log on at this time"),
    "531": ("logon_denied", "the account may not log on from this computer"),
    "532": ("password_expired", "its password has expired"),
    "533": ("account_disabled", "the account is disabled"),
    "701": ("account_expired", "the account has expired"),
    "773": ("password_must_change", "its password must be changed first"),
    "775": ("account_locked", "the account is locked out"),
}
_NO_SUCH_OBJECT, _INSUFFICIENT_RIGHTS = 32, 50
# What a result code of a change means; {what} says what was tried, with the object's DN.
_WRITE_FAILURES = {
    _NO_SUCH_OBJECT: ("not_found", "{what}: there is no such object (any more), or the account may not see it"),
    _INSUFFICIENT_RIGHTS: (
        "insufficient_rights",
        "{what}: insufficient rights. Grant {user} {right} there, or use another account",
    ),
    122: ("changed_since_read", "{what}: another entry has this name by now; look at it, and run the task again"),
    16: ("changed_since_read", "{what}: the value that was read is not there any more; look at it, and run the task again"),
    68: ("already_exists", "{what}: an object with this DN or logon name exists already"),
    19: ("constraint_violation", "{what}: refused by a constraint of the directory: {message}"),
    53: ("unwilling_to_perform", "{what}: the domain controller is unwilling to do it: {message}"),
    66: ("has_children", "{what}: it has objects below it; look at them and remove them first"),
    10: ("other_domain", "{what}: this belongs to another domain; set host to a domain controller of that one"),
    51: ("busy", "{what}: the domain controller is busy; try again later"),
    52: ("unavailable", "{what}: the domain controller is shutting down or unavailable"),
}


def equals(attribute: str, value: str | bytes) -> str:
    """The filter (attribute=value), with the value escaped."""
    return f"({attribute}={escape_bytes(value) if isinstance(value, bytes) else escape_filter_chars(value)})"


def _assertion(attribute: str, value: str) -> Any:
    """The control that lets a request be carried out only while the object has the value."""
    query = parse_filter(equals(attribute, value), None, True, False, None, False)
    return build_control(_ASSERTION, True, encode(compile_filter(query.elements[0])), encode_control_value=False)


def netbios_name(client: Client) -> str:
    """The NetBIOS name of the domain; "" when it is not told. Raises OffboardError `cannot_read`."""
    partitions = f"CN=Partitions,{client.root.text('configurationNamingContext') or ''}"
    found = next(client.search(equals("nCName", client.root.text("defaultNamingContext") or ""), ["nETBIOSName"], base=partitions), None)
    return (found.text("nETBIOSName") if found else "") or ""


def _address(dn: str, guid: str) -> str:
    """The object's name in a request: by its objectGUID ([MS-ADTS] 3.1.1.3.1.2.4 "Alternative Forms of DNs") nobody else can take its place."""
    return names.extended(guid) if guid else dn


class Client:
    """One bound connection; opened at the first use.

    With `read_only` ldap3 itself refuses every write.
    All methods raise OffboardError; its codes are the values of `_BIND_FAILURES` and `_WRITE_FAILURES`, and `credentials_missing`,
    `ca_file_unusable`, `host_unknown`, `unreachable`, `certificate_untrusted`, `timeout`, `connection_lost`, `tls_required`,
    `kerberos_failed`, `missing_library`, `invalid_dn`, `cannot_read`, `not_active_directory`, `ldap_error`.
    """

    def __init__(self, connection: Connection, *, read_only: bool) -> None:
        self.connection = connection
        self._read_only = read_only
        self._connection: Any = None
        self._root: Entry | None = None

    # --- connection -----------------------------------------------------------------------------

    @property
    def where(self) -> str:
        """The server, for messages."""
        if self._local:
            return f"ldapi://{self.connection.socket}"
        scheme = "ldaps" if self.connection.tls == "ldaps" else "ldap+starttls"
        return f"{scheme}://{self.connection.host}:{self._port}"

    @property
    def user(self) -> str:
        """Who binds, for messages."""
        return self.connection.username or ("the account that runs this" if self._local else "the Kerberos user")

    @property
    def _local(self) -> bool:
        return self.connection.tls == "ldapi"

    @property
    def _port(self) -> int:
        return self.connection.port or (636 if self.connection.tls == "ldaps" else 389)

    def _connect(self) -> Any:
        return self._connect_locally() if self._local else self._connect_by_tls()

    def _connect_locally(self) -> Any:
        """By the server's own socket; it knows which account of the system asks (SASL EXTERNAL)."""
        with self._failures("cannot open the connection"):
            server = ldap3.Server(f"ldapi://{self.connection.socket}", get_info=ldap3.NONE, connect_timeout=self.connection.timeout)
            who = {"authentication": ldap3.SASL, "sasl_mechanism": ldap3.EXTERNAL, "sasl_credentials": ""}
            return self._bound(server, who)

    def _connect_by_tls(self) -> Any:
        given = self.connection
        try:
            ssl.create_default_context(cafile=given.ca_file)
        except OSError as exc:
            raise OffboardError(f"ca_file: {given.ca_file} is no readable file of certificates (PEM): {exc}", code="ca_file_unusable") from exc
        try:
            seconds = reaching.for_each(given.host, self._port, given.timeout)
        except TimeoutError as exc:
            raise OffboardError(f"host: the name {given.host!r} was not resolved within {given.timeout} s", code="timeout") from exc
        except OSError as exc:
            raise OffboardError(f"host: the name {given.host!r} cannot be resolved ({exc})", code="host_unknown") from exc
        kerberos = given.authentication == "kerberos"
        if not kerberos and not (given.username and given.password):  # an empty password would bind as nobody
            raise OffboardError("authentication=simple needs username and password", code="credentials_missing")
        valid_names = given.valid_names
        with self._failures("cannot open the connection"):
            tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=given.ca_file, valid_names=valid_names or None)
            server = ldap3.Server(
                given.host,
                port=self._port,
                use_ssl=given.tls == "ldaps",
                tls=tls,
                get_info=ldap3.NONE,
                connect_timeout=seconds,  # a domain's name has the addresses of all of its controllers; ldap3 waits for each
            )
            bind = (
                # Kerberos needs the server's name, which valid_names holds when host is an address
                {"authentication": ldap3.SASL, "sasl_mechanism": ldap3.KERBEROS, "sasl_credentials": ((valid_names or [given.host])[0],)}
                if kerberos
                else {"authentication": ldap3.SIMPLE, "user": given.username, "password": given.password}
            )
            return self._bound(server, bind)

    def _bound(self, server: Any, bind: Mapping[str, Any]) -> Any:
        given = self.connection
        connection = ldap3.Connection(
            server,
            client_strategy=ldap3.SAFE_SYNC,  # ASYNC loses answers
            auto_referrals=False,  # a referral must not carry the password to another server
            receive_timeout=given.timeout,
            read_only=self._read_only,
            **bind,
        )
        connection.open()
        if given.tls == "starttls":
            connection.start_tls()
        bound, result, _unused, _unused = connection.bind()
        if not bound:
            with contextlib.suppress(LDAPException, OSError):
                connection.unbind()
            raise self._bind_failure(result)
        return connection

    def _bind_failure(self, result: Mapping[str, Any]) -> OffboardError:
        message = str(result.get("message") or "")
        data = re.search(r"data ([0-9a-f]+)", message)
        if result["result"] == 49:
            code, why = _BIND_FAILURES.get(data[1] if data else "52e", ("wrong_credentials", f"the logon failed ({message[:200]})"))
            return OffboardError(f"cannot bind to {self.where} as {self.user}: {why}", code=code)
        if result["result"] == 8:
            return OffboardError(f"{self.where} demands a stronger authentication: {message[:200]}", code="tls_required")
        return OffboardError(f"cannot bind to {self.where} as {self.user}: {result['description']} {message[:200]}", code="ldap_error")

    @contextlib.contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        """ldap3's exceptions as ours. Result codes are looked at by the caller."""
        try:
            yield
        except OffboardError:
            raise
        except LDAPInvalidDnError as exc:
            raise OffboardError(f"{what}: not a distinguished name ({exc})", code="invalid_dn") from exc
        except LDAPPackageUnavailableError as exc:
            raise OffboardError("authentication=kerberos needs the Python library gssapi: pip install gssapi", code="missing_library") from exc
        except (LDAPResponseTimeoutError, TimeoutError) as exc:
            raise OffboardError(f"{what}: no answer from {self.where} within {self.connection.timeout} s", code="timeout") from exc
        except (LDAPException, OSError, ssl.CertificateError) as exc:
            raise self._connection_failure(what, exc) from exc
        except Exception as exc:
            if type(exc).__module__.startswith("gssapi"):  # an optional library: its classes cannot be named here
                raise OffboardError(
                    f"Kerberos logon to {self.where} failed: {exc}. Get a ticket with kinit, and let host (or valid_names) be the server's DNS name",
                    code="kerberos_failed",
                ) from exc
            raise

    def _connection_failure(self, what: str, exc: Exception) -> OffboardError:
        text = " ".join(str(part) for part in (exc, exc.__cause__, exc.__context__) if part)
        if isinstance(exc, LDAPCertificateError) or "doesn't match" in text:
            return OffboardError(
                f"the certificate of {self.where} does not carry that name. Let host be the server's DNS name, or list the name in valid_names",
                code="certificate_untrusted",
            )
        if "CERTIFICATE_VERIFY_FAILED" in text:
            why = re.search(r"certificate verify failed: ([^(\])]*)", text)
            return OffboardError(
                f"the certificate of {self.where} is not trusted ({why[1].strip() if why else 'verification failed'}). "
                "Let ca_file name the certificate authority's file (PEM)",
                code="certificate_untrusted",
            )
        tried = exc.args[1] if len(exc.args) > 1 and isinstance(exc.args[1], list) else []  # of several addresses (failure, address) each
        reasons = [str(failure) for failure, *_address in tried]
        if (isinstance(exc, LDAPSocketReceiveError) and "timed out" in text) or (reasons and all("timed out" in reason for reason in reasons)):
            return OffboardError(f"{what}: no answer from {self.where} within {self.connection.timeout} s", code="timeout")
        if self._connection is None:
            reason = "StartTLS failed: " if isinstance(exc, LDAPStartTLSError) else ""
            told = "; ".join(dict.fromkeys(reasons)) or str(exc)
            return OffboardError(f"cannot reach {self.where}: {reason}{told[:300]}", code="unreachable")
        if isinstance(exc, LDAPCommunicationError | OSError):
            return OffboardError(f"{what}: the connection to {self.where} was lost ({str(exc)[:200]})", code="connection_lost")
        return OffboardError(f"{what}: {str(exc)[:300]}", code="ldap_error")

    def _open(self) -> Any:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def close(self) -> None:
        """End the connection; safe when there is none."""
        if self._connection is not None:
            with contextlib.suppress(LDAPException, OSError):
                self._connection.unbind()
            self._connection = None

    # --- reading --------------------------------------------------------------------------------

    @property
    def root(self) -> Entry:
        """The rootDSE, with the SIDs of the bound user's own token (`tokenGroups`: the user's first, then the groups')."""
        if self._root is None:
            wanted = [
                "defaultNamingContext",
                "configurationNamingContext",
                "namingContexts",
                "schemaNamingContext",
                "tokenGroups",
                "dnsHostName",
                "dsServiceName",
            ]
            found = self._search("", "(objectClass=*)", ldap3.BASE, wanted, [], f"cannot read the rootDSE of {self.where}")
            root = next(iter(found), None)
            if root is None or root.text("defaultNamingContext") is None:
                raise OffboardError(f"{self.where} is no Active Directory domain controller", code="not_active_directory")
            self._root = root
        return self._root

    def _search(self, base: str, query: str, scope: str, attributes: Sequence[str], controls: list[Any], what: str, cookie: Any = False) -> Any:
        """One answer. With `cookie` not False one page, and the next cookie; a missing base raises `not_found`."""
        paged = {"paged_size": PAGE_SIZE, "paged_cookie": cookie} if cookie is not False else {}
        with self._failures(what):
            _unused, result, response, _unused = self._open().search(base, query, scope, attributes=list(attributes), controls=controls or None, **paged)
        if result["result"] == _NO_SUCH_OBJECT:
            raise OffboardError(f"{what}: there is no such object, or {self.user} may not see it", code="not_found")
        if result["result"] == 10:
            raise OffboardError(_WRITE_FAILURES[10][1].format(what=what), code="other_domain")
        if result["result"] != 0:
            raise OffboardError(f"{what}: {result['description']} {str(result.get('message') or '')[:200]}", code="cannot_read")
        entries = [Entry(item["dn"], item["raw_attributes"]) for item in response or () if item["type"] == "searchResEntry"]
        if cookie is False:
            return entries
        control = (result.get("controls") or {}).get(_PAGED_RESULTS)
        return entries, control["value"]["cookie"] if control else b""

    def read(self, dn: str, attributes: Sequence[str] = ("*",), *, descriptor: bool = False, guid: str = "") -> Entry | None:
        """The object at `dn`, or the one with the objectGUID, wherever it is now; None when it does not exist.

        The directory answers "no such object" for a missing right too, so None is given only when the parent of `dn` can be
        read; otherwise `cannot_read`.
        """
        wanted = [*attributes, "nTSecurityDescriptor"] if descriptor else list(attributes)
        controls = security_descriptor_control(sdflags=DACL) if descriptor else []
        what = f"cannot read {dn or names.extended(guid)}"
        try:
            return self._search(_address(dn, guid), "(objectClass=*)", ldap3.BASE, wanted, controls, what)[0]
        except OffboardError as exc:
            if exc.code != "not_found":
                raise
        parent = parent_dn(dn)
        try:
            self._search(parent, "(objectClass=*)", ldap3.BASE, ["objectClass"], [], what)
        except OffboardError as exc:
            if exc.code != "not_found":
                raise
            raise OffboardError(
                f"{what}: its parent {parent or '(none)'} cannot be read by {self.user} either, so nothing tells whether it is gone. "
                "Correct the DN, or grant the right to read, or take it off the list",
                code="cannot_read",
            ) from exc
        return None

    def naming_contexts(self) -> list[str]:
        """Below what OpenLDAP's entries are, by its rootDSE; none where the account may not read that."""
        try:
            found = self._search("", "(objectClass=*)", ldap3.BASE, ["namingContexts"], [], f"cannot read the rootDSE of {self.where}")
        except OffboardError as exc:
            if exc.code != "not_found":
                raise
            return []
        return [base for entry in found for base in entry.texts("namingContexts")]

    def attribute_types(self) -> list[str]:
        """Definitions of the attributes of OpenLDAP's schema; none where the account may not read it."""
        try:
            root = self._search("", "(objectClass=*)", ldap3.BASE, ["subschemaSubentry"], [], f"cannot read the rootDSE of {self.where}")
            schema = [dn for entry in root for dn in entry.texts("subschemaSubentry")]
            found = [entry for dn in schema for entry in self._search(dn, "(objectClass=*)", ldap3.BASE, ["attributeTypes"], [], f"cannot read {dn}")]
        except OffboardError as exc:
            if exc.code != "not_found":
                raise
            return []
        return [text for entry in found for text in entry.texts("attributeTypes")]

    def search(self, query: str, attributes: Sequence[str], *, base: str | None = None, deleted: bool = False) -> Iterator[Entry]:
        """Every object below `base` (default: the domain) that the filter matches, page by page."""
        controls = [show_deleted_control(criticality=True)] if deleted else []
        base = self.root.text("defaultNamingContext") if base is None else base
        cookie: Any = None
        while True:
            entries, cookie = self._search(base or "", query, ldap3.SUBTREE, attributes, list(controls), f"cannot search {base} for {query[:100]}", cookie)
            yield from entries
            if not cookie:
                return

    # --- writing --------------------------------------------------------------------------------

    # An object that was read is written under the objectGUID that was read with it; `dn` is for messages.

    def modify(self, dn: str, guid: str, changes: Sequence[tuple[str, str, Iterable[bytes]]], right: str) -> None:
        """Apply (operation, attribute, values), operation being add, replace or delete. `right` names what it needs."""
        operations = {"add": ldap3.MODIFY_ADD, "replace": ldap3.MODIFY_REPLACE, "delete": ldap3.MODIFY_DELETE}
        request: dict[str, list[Any]] = {}
        for operation, attribute, values in changes:
            request.setdefault(attribute, []).append((operations[operation], list(values)))
        what = f"cannot change {', '.join(request)} of {dn}"
        with self._failures(what):
            _unused, result, _unused, _unused = self._open().modify(_address(dn, guid), request)
        self._check(result, what, right)

    def add(self, dn: str, attributes: Mapping[str, list[bytes]]) -> None:
        """Create an object; `attributes` include objectClass."""
        what = f"cannot create {dn}"
        with self._failures(what):
            _unused, result, _unused, _unused = self._open().add(dn, None, dict(attributes))
        self._check(result, what, "the right to create this kind of object (Create Child)")

    def delete(self, dn: str, guid: str, *, only: tuple[str, str] = ("", "")) -> None:
        """Delete one object, never what lies below it. `only`: an attribute and the value that it must still have (RFC 4528), for servers that know no GUID."""
        what = f"cannot delete {dn}"
        with self._failures(what):
            _unused, result, _unused, _unused = self._open().delete(_address(dn, guid), controls=[_assertion(*only)] if only[1] else None)
        self._check(result, what, "Delete on the object or Delete Child on its parent; protection from accidental deletion denies both")

    def undelete(self, deleted_dn: str, dn: str) -> None:
        """Bring a deleted object back to `dn`, with its SID and GUID ([MS-ADTS] 3.1.1.5.3.7 "Undelete Operation"); a deleted object's DN holds its GUID."""
        what = f"cannot bring back {dn}"
        changes = {"isDeleted": [(ldap3.MODIFY_DELETE, [])], "distinguishedName": [(ldap3.MODIFY_REPLACE, [dn])]}
        with self._failures(what):
            _unused, result, _unused, _unused = self._open().modify(deleted_dn, changes, controls=[show_deleted_control(criticality=True)])
        self._check(result, what, "the extended right Reanimate Tombstones on the domain")

    def _check(self, result: Mapping[str, Any], what: str, right: str) -> None:
        if result["result"] == 0:
            return
        message = str(result.get("message") or "")[:300]
        code, text = _WRITE_FAILURES.get(result["result"], ("ldap_error", "{what}: " + f"{result['description']} {{message}}"))
        raise OffboardError(text.format(what=what, message=message, user=self.user, right=right), code=code)
