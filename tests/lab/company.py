# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixture company as objects: what `company.yml` says, made the same way every time."""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from . import names, paths

FILE = Path(__file__).with_name("company.yml")

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
MICROSOFT_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"

# Template ids of Entra's built-in roles (learn.microsoft.com, "Microsoft Entra built-in roles").
ROLE_TEMPLATES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Domain Name Administrator": "8329153b-31d0-4727-b945-745eb3bc5f31",
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "External Identity Provider Administrator": "be2f45a1-457d-42af-a067-6ec1fa63bc45",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
}

_FAMILY = {
    "佐藤": "sato", "鈴木": "suzuki", "高橋": "takahashi", "田中": "tanaka", "伊藤": "ito", "渡辺": "watanabe", "山本": "yamamoto",
    "中村": "nakamura", "小林": "kobayashi", "加藤": "kato", "吉田": "yoshida", "山田": "yamada", "佐々木": "sasaki",
    "山口": "yamaguchi", "松本": "matsumoto", "井上": "inoue", "木村": "kimura", "林": "hayashi", "斎藤": "saito", "清水": "shimizu",
    "山崎": "yamazaki", "森": "mori", "池田": "ikeda", "橋本": "hashimoto", "阿部": "abe",
}  # fmt: skip
_GIVEN = {
    "太郎": "taro", "花子": "hanako", "健一": "kenichi", "美咲": "misaki", "大輔": "daisuke", "陽子": "yoko", "翔": "sho", "恵": "megumi",
    "直樹": "naoki", "真由美": "mayumi", "誠": "makoto", "裕子": "yuko", "剛": "tsuyoshi", "愛": "ai", "拓也": "takuya", "由美": "yumi",
    "和也": "kazuya", "久美子": "kumiko", "学": "manabu", "智子": "tomoko",
}  # fmt: skip
_DEPARTMENTS = ("営業部", "総務部", "経理部", "人事部", "情報システム部", "製造部", "物流部", "企画部")
_TITLES = ("部長", "課長", "主任", "担当")


@dataclass(frozen=True)
class Person:
    """One of the people whom IIJ ID provisions. The tenant, the directory and IIJ's side all know the same ones."""

    number: int
    id: str
    family: str
    given: str
    account: str
    domain: str
    department: str
    title: str
    enabled: bool
    usage_location: str | None
    licences: tuple[str, ...]
    group_licence: bool
    synced: bool
    roles: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.family} {self.given}"

    @property
    def upn(self) -> str:
        return f"{self.account}@{self.domain}"

    @property
    def phone(self) -> str:
        return f"03-5550-{self.number % 10000:04d}"

    @property
    def immutable_id(self) -> str:
        """IIJ ID's application-linking id, base64 as Entra wants it."""
        return base64.b64encode(bytes.fromhex(self.id.replace("-", ""))).decode()


@dataclass
class Fixture:
    """What a tenant starts from.

    `users` counts the provisioned people; above those of `company.yml` more are made by the same rules, in
    the first domain, `seeded` as "blocked" (blocked, unlicensed) or "done" (enabled, licensed). `made` is the
    time, ISO 8601, at which the fixture begins.
    """

    users: int = 0
    seeded: str = "blocked"
    made: str = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"))


@functools.cache
def data() -> dict[str, Any]:
    """The contents of `company.yml`."""
    read: dict[str, Any] = names.called(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    for kind in ("domains", "apps", "groups"):
        read["tenant"][kind] = names.ordered(read["tenant"][kind])
    return read


def tenant_id() -> str:
    return data()["tenant"]["id"]


def make_id(kind: str, name: str) -> str:
    """The id of an object, the same in every run: a UUIDv5 in the tenant's name space."""
    return str(uuid.uuid5(_name_space(), f"{kind}:{name}"))


@functools.cache
def _name_space() -> uuid.UUID:
    return uuid.UUID(tenant_id())


def numbers(text: str | list[int]) -> set[int]:
    """The numbers that "11-30", "3,5-7" or a list means."""
    if isinstance(text, list):
        return set(text)
    result: set[int] = set()
    for part in str(text).split(","):
        first, _, last = part.partition("-")
        result.update(range(int(first), int(last or first) + 1))
    return result


def app(key: str) -> dict[str, Any]:
    """The app registration with that `key` in `company.yml`."""
    return next(item for item in data()["tenant"]["apps"] if item["key"] == key)


def people(count: int | None = None, seeded: str = "blocked") -> Iterator[Person]:
    """The provisioned people, from number 1; `count` and `seeded` as in `Fixture`."""
    rules = data()["tenant"]["users"]
    provisioned = rules["provisioned"]
    domains = [name for size, name in rules["domains"] for _ in range(size)]
    blocked = numbers(rules["blocked_and_unlicensed"]) | numbers(rules["left_the_company"])
    nowhere, synced, by_group = (numbers(rules[key]) for key in ("no_usage_location", "synced_from_ad", "group_licence"))
    second = {number: part for text, part in rules["second_licence"].items() for number in numbers(text)}
    first_part = data()["tenant"]["licences"][0]["part"]
    families, givens = list(_FAMILY.items()), list(_GIVEN.items())
    for number in range(1, (count or provisioned) + 1):
        family, family_latin = families[(number - 1) % len(families)]
        given, given_latin = givens[(number - 1) // len(families) % len(givens)]
        extra = number > provisioned
        account = f"{family_latin}.{given_latin}" + (str(number) if number > len(families) * len(givens) else "")
        is_blocked = seeded == "blocked" if extra else number in blocked
        licensed = not (is_blocked or (not extra and (number in nowhere or number in by_group)))
        yield Person(
            number=number,
            id=make_id("user", f"person-{number}"),
            family=family,
            given=given,
            account=names.account(account),
            domain=domains[0] if extra else domains[number - 1],
            department=_DEPARTMENTS[number % len(_DEPARTMENTS)],
            title=_TITLES[number % len(_TITLES)],
            enabled=not is_blocked,
            usage_location=None if not extra and number in nowhere else "JP",
            licences=((first_part,) if licensed else ()) + ((second[number],) if not extra and number in second else ()),
            group_licence=not extra and number in by_group,
            synced=not extra and number in synced,
            roles=tuple(role for text, role in rules["administrators"].items() if not extra and number in numbers(text)),
        )


def sku_id(part: str) -> str:
    return next(item["sku"] for item in data()["tenant"]["licences"] if item["part"] == part)


def hash_secret(secret: str, salt: str) -> str:
    """How the lab keeps client secrets and passwords: never in clear. Fast on purpose, a lab sets 100,000 of them."""
    return hashlib.blake2b(secret.encode(), salt=salt.encode()[:16]).hexdigest()


def _federation_certificate(key: str) -> str:
    """A signing certificate of an identity provider, base64 of its DER; made once per state folder, never committed."""
    file = paths.part_state("tenant") / f"federation-{key}.cer"
    if not file.exists():
        private = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{key} token signing (lab)")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=200))
            .not_valid_after(now + datetime.timedelta(days=895))
            .sign(private, hashes.SHA256())
        )
        file.write_text(base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode())
    return file.read_text()


def _domains(tenant: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in tenant["domains"]:
        yield {
            "id": item["id"],
            "authenticationType": item["authentication"],
            "availabilityStatus": None,
            "isAdminManaged": True,
            "isDefault": item.get("default", False),
            "isInitial": item.get("initial", False),
            "isRoot": "parent" not in item,
            "isVerified": True,
            "manufacturer": None,
            "model": None,
            "passwordNotificationWindowInDays": 14,
            "passwordValidityPeriodInDays": 2147483647,
            "state": None,
            "supportedServices": ["Email", "OfficeCommunicationsOnline"],
            "_parent": item.get("parent"),
        }


def _federations(tenant: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in tenant["domains"]:
        if "federation" in item:
            rule = tenant["federations"][item["federation"]]
            uris = {key: rule[key].format(domain=item["id"]) for key in ("issuer", "passive_sign_in_uri", "sign_out_uri")}
            yield {
                "id": make_id("federation", item["id"]),
                "displayName": rule["display_name"],
                "issuerUri": uris["issuer"],
                "metadataExchangeUri": None,
                "passiveSignInUri": uris["passive_sign_in_uri"],
                "preferredAuthenticationProtocol": rule["protocol"],
                "signingCertificate": _federation_certificate(item["federation"]),
                "activeSignInUri": None,
                "federatedIdpMfaBehavior": "acceptIfMfaDoneByFederatedIdp",
                "isSignedAuthenticationRequestRequired": False,
                "nextSigningCertificate": None,
                "passwordResetUri": None,
                "promptLoginBehavior": None,
                "signingCertificateUpdateStatus": None,
                "signOutUri": uris["sign_out_uri"],
                "_domain": item["id"],
            }


def licence_state(part_sku: str, group: str | None, when: str) -> dict[str, Any]:
    """One entry of a user's `licenseAssignmentStates`."""
    return {
        "skuId": part_sku, "disabledPlans": [], "assignedByGroup": group, "state": "Active", "error": "None", "lastUpdatedDateTime": when,
    }  # fmt: skip


def user(upn: str, name: str, **more: Any) -> dict[str, Any]:
    """A user with every property that the tenant keeps; `more` overrides."""
    return {
        "id": more.get("id") or make_id("user", upn),
        "userPrincipalName": upn,
        "displayName": name,
        "givenName": None,
        "surname": None,
        "mail": upn,
        "mailNickname": upn.partition("@")[0].partition("#")[0],
        "jobTitle": None,
        "department": None,
        "companyName": None,
        "businessPhones": [],
        "mobilePhone": None,
        "faxNumber": None,
        "officeLocation": None,
        "preferredLanguage": None,
        "accountEnabled": True,
        "usageLocation": "JP",
        "userType": "Member",
        "creationType": None,
        "externalUserState": None,
        "onPremisesImmutableId": None,
        "onPremisesSyncEnabled": None,
        "onPremisesLastSyncDateTime": None,
        "onPremisesSamAccountName": None,
        "assignedLicenses": [],
        "licenseAssignmentStates": [],
        "identities": [{"signInType": "userPrincipalName", "issuer": data()["tenant"]["default_domain"], "issuerAssignedId": upn}],
        "otherMails": [],
        "proxyAddresses": [],
        "passwordPolicies": None,
        "lastPasswordChangeDateTime": "2022-04-01T00:00:00Z",
        "signInSessionsValidFromDateTime": "2022-04-01T00:00:00Z",
        "createdDateTime": "2022-04-01T00:00:00Z",
        "deletedDateTime": None,
        "_password": None,
        "_password_count": 0,
    } | more


def _person(person: Person, group: str) -> dict[str, Any]:
    when = "2022-04-01T00:00:00Z"
    states = [licence_state(sku_id(part), None, when) for part in person.licences]
    if person.group_licence:
        states.append(licence_state(sku_id(data()["tenant"]["licences"][0]["part"]), group, when))
    return user(
        person.upn,
        person.name,
        id=person.id,
        surname=person.family,
        givenName=person.given,
        mailNickname=person.account,
        jobTitle=person.title,
        department=person.department,
        businessPhones=[person.phone],
        preferredLanguage="ja-JP",
        accountEnabled=person.enabled,
        usageLocation=person.usage_location,
        onPremisesImmutableId=person.immutable_id,
        onPremisesSyncEnabled=True if person.synced else None,
        onPremisesLastSyncDateTime=when if person.synced else None,
        onPremisesSamAccountName=person.account if person.synced else None,
        assignedLicenses=[{"skuId": state["skuId"], "disabledPlans": []} for state in states],
        licenseAssignmentStates=states,
    )


@functools.cache
def _fixture_people() -> tuple[Person, ...]:
    return tuple(people())


@functools.lru_cache(maxsize=1)
def _users(count: int, seeded: str) -> tuple[dict[str, Any], ...]:
    """Kept, since a reset asks for the same ones again: whoever holds an object never changes it in place."""
    return tuple(_make_users(count, seeded))


def _make_users(count: int, seeded: str) -> Iterator[dict[str, Any]]:
    tenant = data()["tenant"]
    rules = tenant["users"]
    group = make_id("group", next(item["name"] for item in tenant["groups"] if "licence" in item))
    for item in rules["break_glass"]:
        yield user(item["upn"], item["name"], mail=None, _password=hash_secret(paths.PASSWORD, "break-glass"), _salt="break-glass")
    for person in people(count, seeded):
        yield _person(person, group)
    for item in rules["cloud_only"]:
        yield user(item["upn"], item["name"])
    for item in rules["guests"]:
        yield user(
            item["upn"],
            item["name"],
            mail=item["mail"],
            otherMails=[item["mail"]],
            userType="Guest",
            creationType="Invitation",
            externalUserState="Accepted",
            usageLocation=None,
            identities=[{"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": None}],
        )


def _applications(tenant: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each app registration with its service principal."""
    for item in tenant["apps"]:
        expired = item.get("secret_expired", False)
        key_id = make_id("secret", item["key"])
        credential = {
            "keyId": key_id,
            "displayName": "secret",
            "hint": item["secret"][:3],
            "secretText": None,
            "customKeyIdentifier": None,
            "startDateTime": "2022-04-01T00:00:00Z",
            "endDateTime": "2024-03-31T00:00:00Z" if expired else "2098-12-31T00:00:00Z",
        }
        yield (
            application(
                item["client_id"],
                item["name"],
                id=make_id("application", item["key"]),
                passwordCredentials=[credential],
                requiredResourceAccess=[
                    {
                        "resourceAppId": GRAPH_APP_ID,
                        "resourceAccess": [{"id": make_id("appRole", name), "type": "Role"} for name in item["permissions"]],
                    }
                ],
                _secrets={key_id: hash_secret(item["secret"], key_id)},
            ),
            service_principal(item["client_id"], item["name"], id=make_id("servicePrincipal", item["key"])),
        )


_INFO = {"logoUrl": None, "marketingUrl": None, "privacyStatementUrl": None, "supportUrl": None, "termsOfServiceUrl": None}


def application(app_id: str, name: str, **more: Any) -> dict[str, Any]:
    """An app registration with every property that the tenant keeps; `more` overrides."""
    return {
        "appId": app_id,
        "displayName": name,
        "deletedDateTime": None,
        "keyCredentials": [],
        "tags": [],
        "createdDateTime": "2022-04-01T00:00:00Z",
        "description": None,
        "identifierUris": [],
        "info": _INFO,
        "notes": None,
        "passwordCredentials": [],
        "publicClient": {"redirectUris": []},
        "publisherDomain": data()["tenant"]["default_domain"],
        "requiredResourceAccess": [],
        "signInAudience": "AzureADMyOrg",
        "spa": {"redirectUris": []},
        "web": {
            "homePageUrl": None,
            "logoutUrl": None,
            "redirectUris": [],
            "implicitGrantSettings": {"enableAccessTokenIssuance": False, "enableIdTokenIssuance": False},
            "redirectUriSettings": [],
        },
        "_secrets": {},
    } | more


def service_principal(app_id: str, name: str, **more: Any) -> dict[str, Any]:
    """A service principal of an app registration of the tenant; `more` overrides."""
    return {
        "appId": app_id,
        "displayName": name,
        "deletedDateTime": None,
        "keyCredentials": [],
        "accountEnabled": True,
        "alternativeNames": [],
        "appDisplayName": name,
        "appOwnerOrganizationId": tenant_id(),
        "appRoleAssignmentRequired": False,
        "appRoles": [],
        "description": None,
        "homepage": None,
        "info": _INFO,
        "oauth2PermissionScopes": [],
        "passwordCredentials": [],
        "replyUrls": [],
        "servicePrincipalNames": [app_id],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMyOrg",
        "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
    } | more


def group(name: str, **more: Any) -> dict[str, Any]:
    """A security group with every property that the tenant keeps; `more` overrides."""
    return {
        "displayName": name,
        "description": None,
        "createdDateTime": "2022-04-01T00:00:00Z",
        "deletedDateTime": None,
        "groupTypes": [],
        "mail": None,
        "mailEnabled": False,
        "mailNickname": name,
        "onPremisesSyncEnabled": None,
        "proxyAddresses": [],
        "securityEnabled": True,
        "visibility": None,
        "assignedLicenses": [],
        "_members": [],
    } | more


def _graph_principal(tenant: dict[str, Any]) -> dict[str, Any]:
    """Microsoft Graph's own service principal, with the application permissions that the fixture uses."""
    names = sorted({name for item in tenant["apps"] for name in item["permissions"]})
    return {
        "id": make_id("servicePrincipal", "Microsoft Graph"),
        "appId": GRAPH_APP_ID,
        "displayName": "Microsoft Graph",
        "deletedDateTime": None,
        "accountEnabled": True,
        "alternativeNames": [],
        "appDisplayName": "Microsoft Graph",
        "appOwnerOrganizationId": MICROSOFT_TENANT,
        "appRoleAssignmentRequired": False,
        "appRoles": [
            {
                "id": make_id("appRole", name),
                "value": name,
                "displayName": name,
                "description": name,
                "allowedMemberTypes": ["Application"],
                "isEnabled": True,
                "origin": "Application",
            }
            for name in names
        ],
        "description": None,
        "homepage": None,
        "keyCredentials": [],
        "oauth2PermissionScopes": [],
        "passwordCredentials": [],
        "replyUrls": [],
        "servicePrincipalNames": [GRAPH_APP_ID, "https://graph.microsoft.com"],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMultipleOrgs",
        "tags": [],
    }


def app_role_assignment(principal: dict[str, Any], resource: dict[str, Any], role: str) -> dict[str, Any]:
    """An app role assignment: `principal` holds the permission with that name on `resource`."""
    return {
        "id": make_id("appRoleAssignment", f"{principal['id']}:{role}"),
        "appRoleId": make_id("appRole", role),
        "createdDateTime": "2022-04-01T00:00:00Z",
        "deletedDateTime": None,
        "principalDisplayName": principal["displayName"],
        "principalId": principal["id"],
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource["displayName"],
        "resourceId": resource["id"],
    }


def _role_assignment(role: str, principal: str) -> dict[str, Any]:
    return {
        "id": make_id("roleAssignment", f"{role}:{principal}"),
        "roleDefinitionId": ROLE_TEMPLATES[role],
        "principalId": principal,
        "directoryScopeId": "/",
    }


def _skus(tenant: dict[str, Any], fixture: Fixture) -> Iterator[dict[str, Any]]:
    for index, item in enumerate(tenant["licences"]):
        extra = max(0, fixture.users - tenant["users"]["provisioned"]) if index == 0 else 0
        yield {
            "id": f"{tenant['id']}_{item['sku']}",
            "accountId": tenant["id"],
            "accountName": tenant["default_domain"].partition(".")[0],
            "appliesTo": "User",
            "capabilityStatus": "Enabled",
            "prepaidUnits": {"enabled": item["seats"] + extra, "suspended": 0, "warning": 0, "lockedOut": 0},
            "servicePlans": [
                {
                    "servicePlanId": make_id("servicePlan", f"{item['part']}:{name}"),
                    "servicePlanName": f"{item['part']}_{name}",
                    "provisioningStatus": "Success",
                    "appliesTo": "User",
                }
                for name in ("PLAN1", "PLAN2")
            ],
            "skuId": item["sku"],
            "skuPartNumber": item["part"],
            "subscriptionIds": [make_id("subscription", item["part"])],
        }


def _groups(tenant: dict[str, Any], member_ids: dict[int, str]) -> Iterator[dict[str, Any]]:
    for item in tenant["groups"]:
        licence = [{"skuId": sku_id(item["licence"]), "disabledPlans": []}] if "licence" in item else []
        members = [member_ids[number] for number in sorted(numbers(item["members"]))]
        yield group(item["name"], id=make_id("group", item["name"]), assignedLicenses=licence, _members=members)


def _audits(tenant: dict[str, Any], fixture: Fixture, principals: dict[str, dict[str, Any]]) -> list[list[Any]]:
    """What IIJ's app did in the last day before the fixture begins: it re-applies what it holds about once a day."""
    principal = principals["iij"]
    made = datetime.datetime.fromisoformat(fixture.made)
    some = _fixture_people()[:8]
    return [
        audit(
            (made - datetime.timedelta(minutes=170 * (8 - index))).isoformat(timespec="seconds"),
            principal,
            "Update user",
            "User",
            person.id,
            person.name,
            person.upn,
        )
        for index, person in enumerate(some)
    ]


def audit(when: str, principal: dict[str, Any], activity: str, kind: str, target: str, name: str | None, upn: str | None, modified: Any = None) -> list[Any]:
    """One directory audit, short; the tenant makes Graph's form of it when it is read. modified: property → (old, new), as JSON texts."""
    return [when, principal["appId"], principal["displayName"], principal["id"], activity, kind, target, name, upn, modified]


#: of Intune's: whom an assignment without a group is for, as Graph writes the first part of its id
_EVERYBODY = {"allLicensedUsers": "acacacac-9df4-4c7d-9d50-4ef0226f57a9", "allDevices": "adadadad-808e-44e2-905a-0b7873a8a531"}


def _other(table: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """One of `others`. `assigned` and `devices` are no properties in Graph, but lie below the object."""
    made = {"id": make_id(table, item["displayName"]), **{name: value for name, value in item.items() if name not in ("assigned", "devices")}}
    if "devices" in item:
        made["_devices"] = item["devices"]
    if "assigned" in item:
        made["_assignments"] = [assignment(**one) for one in item["assigned"]]
    return made


def assignment(to: str, intent: str | None = None, excluded: bool = False, **target: str) -> dict[str, Any]:
    """One of Intune's: to everybody, or to a group by its name. target: further properties of it."""
    key = _EVERYBODY.get(to) or make_id("group", to)
    kind = f"{to}AssignmentTarget" if to in _EVERYBODY else "exclusionGroupAssignmentTarget" if excluded else "groupAssignmentTarget"
    place = {"@odata.type": f"#microsoft.graph.{kind}", **({} if to in _EVERYBODY else {"groupId": key}), **target}
    return {"id": f"{key}_{'01'[intent == 'required']}_0", **({"intent": intent, "settings": None} if intent else {}), "target": place}


def tenant_tables(fixture: Fixture) -> dict[str, list[Any]]:
    """Every object of the tenant at its start, by table. Properties whose names begin with `_` are never served."""
    tenant = data()["tenant"]
    apps = list(_applications(tenant))
    graph = _graph_principal(tenant)
    principals = {item["key"]: principal for item, (_, principal) in zip(tenant["apps"], apps, strict=True)}
    users = _users(fixture.users, fixture.seeded)
    by_upn = {item["userPrincipalName"]: item for item in users}
    made = datetime.datetime.fromisoformat(fixture.made)
    assignments = [_role_assignment("Global Administrator", by_upn[item["upn"]]["id"]) for item in tenant["users"]["break_glass"]]
    assignments += [_role_assignment(role, person.id) for person in _fixture_people() for role in person.roles]
    assignments += [_role_assignment(role, principals[item["key"]]["id"]) for item in tenant["apps"] for role in item.get("directory_roles", ())]
    return {
        "domains": list(_domains(tenant)),
        "federations": list(_federations(tenant)),
        "users": list(users),
        "deleted_users": [
            user(item["upn"], item["name"], accountEnabled=False, deletedDateTime=(made - datetime.timedelta(days=3)).isoformat())
            for item in tenant["users"]["deleted"]
        ],
        "groups": list(_groups(tenant, {person.number: person.id for person in _fixture_people()})),
        "applications": [application for application, _ in apps],
        "service_principals": [*principals.values(), graph],
        "app_role_assignments": [app_role_assignment(principals[item["key"]], graph, name) for item in tenant["apps"] for name in item["permissions"]],
        "oauth2_permission_grants": [
            {
                "id": make_id("grant", item["key"]),
                "clientId": principals[item["key"]]["id"],
                "consentType": "AllPrincipals",
                "principalId": None,
                "resourceId": graph["id"],
                "scope": item["delegated_grant"],
            }
            for item in tenant["apps"]
            if "delegated_grant" in item
        ],
        "role_assignments": assignments,
        "authentication_method_configurations": [
            {
                "id": "TemporaryAccessPass",
                "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration",
                "state": "enabled",
                "defaultLength": 8,
                "defaultLifetimeInMinutes": 60,
                "minimumLifetimeInMinutes": 60,
                "maximumLifetimeInMinutes": 480,
                "isUsableOnce": False,
                "includeTargets": [{"id": "all_users", "targetType": "group", "isRegistrationRequired": False}],
                "excludeTargets": [],
            }
        ],
        "skus": list(_skus(tenant, fixture)),
        **{name: [_other(name, item) for item in items] for name, items in tenant["others"].items()},
        "audits": _audits(tenant, fixture, principals),
    }
