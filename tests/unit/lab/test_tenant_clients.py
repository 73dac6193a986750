# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unmodified foreign clients work against the tenant: azure-identity and msgraph-sdk."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from lab import company
from lab.testing import RunningTenant
from msgraph import GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.user import User
from msgraph.graph_request_adapter import GraphRequestAdapter

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK warns about its own classes


def credential(tenant: RunningTenant, app: str = "offboard", **change: str) -> ClientSecretCredential:
    values = tenant.credentials(app) | change
    return ClientSecretCredential(**values, authority=tenant.url, disable_instance_discovery=True, connection_verify=str(tenant.ca_file))


def run_sdk(tenant: RunningTenant, work: Any) -> Any:
    """Run `work(client)` with the SDK's own client; only host, authority and CA differ from the real service."""

    async def run() -> Any:
        provider = AzureIdentityAuthenticationProvider(
            credential(tenant), scopes=[f"{tenant.url}/.default"], allowed_hosts=[tenant.url.removeprefix("https://"), "127.0.0.1"]
        )
        async with httpx.AsyncClient(verify=ssl.create_default_context(cafile=tenant.ca_file)) as http:
            adapter = GraphRequestAdapter(provider, client=http)
            adapter.base_url = tenant.graph_url
            return await work(GraphServiceClient(request_adapter=adapter))

    return asyncio.run(run())


def test_azure_identity_gets_a_token_by_secret(tenant: RunningTenant) -> None:
    token = credential(tenant).get_token(f"{tenant.url}/.default")
    assert token.token.count(".") == 2


def test_ids_typed_in_capitals_sign_in_too(tenant: RunningTenant) -> None:
    typed = {name: tenant.credentials()[name].upper() for name in ("tenant_id", "client_id")}
    assert credential(tenant, **typed).get_token(f"{tenant.url}/.default").token


@pytest.mark.parametrize(
    ("app", "change", "code"),
    [
        ("offboard", {"client_secret": "wrong"}, "AADSTS7000215"),
        ("iij_old", {}, "AADSTS7000222"),
        ("offboard", {"client_id": "11111111-2222-3333-4444-555555555555"}, "AADSTS700016"),
        ("offboard", {"tenant_id": "11111111-2222-3333-4444-555555555555"}, "Unable to get authority configuration"),
    ],
)
def test_sign_in_is_refused_as_entra_refuses_it(tenant: RunningTenant, app: str, change: dict[str, str], code: str) -> None:
    with pytest.raises((ClientAuthenticationError, ValueError), match=code):
        credential(tenant, app, **change).get_token(f"{tenant.url}/.default")


def test_a_disabled_application_gets_no_token(tenant: RunningTenant) -> None:
    principal = company.make_id("servicePrincipal", "iij")
    assert tenant.client().call("PATCH", f"/servicePrincipals/{principal}", {"accountEnabled": False}).status == 204
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000112"):
        credential(tenant, "iij").get_token(f"{tenant.url}/.default")


def test_azure_identity_gets_a_token_by_certificate(tenant: RunningTenant, tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "offboard")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    file = tmp_path / "offboard.pem"
    file.write_bytes(pem + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    def token() -> str:
        values = {name: value for name, value in tenant.credentials().items() if name != "client_secret"}
        return (
            CertificateCredential(
                **values,
                certificate_path=str(file),
                authority=tenant.url,
                disable_instance_discovery=True,
                connection_verify=str(tenant.ca_file),
            )
            .get_token(f"{tenant.url}/.default")
            .token
        )

    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        token()
    tenant.arrange("applications", company.make_id("application", "offboard"), _certificates=[pem.decode()])
    assert token()


def test_the_sdk_reads_typed_users(tenant: RunningTenant) -> None:
    async def work(client: GraphServiceClient) -> Any:
        return await client.users.by_user_id("sato.taro@reiji.example").get()

    user = run_sdk(tenant, work)
    assert (user.display_name, user.account_enabled) == ("佐藤 太郎", None)  # accountEnabled comes with $select only


def test_the_sdk_changes_a_user_and_reads_domains(tenant: RunningTenant) -> None:
    async def work(client: GraphServiceClient) -> Any:
        await client.users.by_user_id("sato.hanako@reiji.example").patch(User(account_enabled=False))
        return await client.domains.get()

    domains = run_sdk(tenant, work)
    assert {item.id: item.authentication_type for item in domains.value}["sales.reiji.example"] == "Federated"
    assert tenant.user("sato.hanako@reiji.example")["accountEnabled"] is False


def test_the_sdk_gets_typed_errors(tenant: RunningTenant) -> None:
    async def work(client: GraphServiceClient) -> Any:
        await client.domains.by_domain_id("reiji-shop.example").federation_configuration.get()

    with pytest.raises(ODataError) as error:
        run_sdk(tenant, work)
    assert error.value.response_status_code == 404
    assert error.value.error.code == "Request_ResourceNotFound"


def test_a_python_name_sent_by_the_sdk_is_a_contract_violation(tenant: RunningTenant) -> None:
    """msgraph-sdk sends `on_premises_immutable_id` when the property is set to None; Graph does not know that name."""

    async def work(client: GraphServiceClient) -> Any:
        user = User()
        user.on_premises_immutable_id = None
        await client.users.by_user_id("reception@reiji-shop.example").patch(user)

    with pytest.raises(ODataError, match="does not exist as a declared property"):
        run_sdk(tenant, work)
    assert "on_premises_immutable_id" in tenant.violations()[0]
    tenant.violations().clear()
