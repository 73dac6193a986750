# Copyright (c) 2026, the offboard.iij_id maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part `identity_providers`: two partner companies with real SAML 2.0 and WS-Federation products.

Fabrikam runs the npm packages samlp and wsfed (one key at a time), Contoso runs simpleSAMLphp with its adfs module (signed metadata, and
a rollover with an overlap). Both read `behaviour.json` at every request: see BEHAVIOUR.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .. import company, part, paths, process, surroundings, tls

HERE = Path(__file__).resolve().parent
#: Debian packages, and what they are recognised by
PACKAGES = {
    "nodejs": "node",
    "npm": "npm",
    "php8.2-cli": "/usr/bin/php8.2",
    "php8.2-xml": "/usr/lib/php/20220829/dom.so",
    "php8.2-mbstring": "/usr/lib/php/20220829/mbstring.so",
}
NODE_PACKAGES = ("samlp@8.0.0", "wsfed@6.0.0", "express@4.22.3")

FABRIKAM = f"https://sts.fabrikam.example:{paths.IDP_PORT}"
CONTOSO = f"https://sso.contoso.example:{paths.IDP_PORT}"
AUDIENCE = f"https://login.microsoftonline.com/{company.tenant_id()}/"
#: Where the metadata can be fetched. The names above are not in any DNS; `browser.py` knows where they are.
METADATA = {
    "fabrikam_saml": f"{paths.IDP_URL}/saml/metadata",
    "fabrikam_wsfed": f"{paths.IDP_URL}/FederationMetadata/2007-06/FederationMetadata.xml",
    "contoso_saml": f"{paths.IDP_URL}/simplesaml/saml2/idp/metadata.php",
    "contoso_wsfed": f"{paths.IDP_URL}/simplesaml/module.php/adfs/idp/metadata.php",
}
#: stage of the rollover: a, ab (a signs, b is announced), b. An empty mail or immutable_id is a claim that is not sent.
BEHAVIOUR: dict[str, str] = {
    "stage": "a",
    "mail": "adele@fabrikam.example",
    "immutable_id": "K7v0bV9nQ0mH2cS3u5yZ1w==",
    "name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "saml_issuer": f"{FABRIKAM}/saml/metadata",
    "wsfed_issuer": "http://sts.fabrikam.example/adfs/services/trust",
}

_CACHE = paths.CACHE / "identity-providers"
_MODULES = _CACHE / "node"
_SSP = _CACHE / "simplesamlphp"
_START_SECONDS = 30.0


class IdentityProvidersPart(part.Part):
    name = "identity_providers"

    def why_not(self) -> str | None:
        missing = [package for package, sign in PACKAGES.items() if not (Path(sign).exists() if "/" in sign else shutil.which(sign))]
        return f"Debian packages are missing: apt-get install --no-install-recommends {' '.join(missing)}" if missing else None

    def prepare(self) -> None:
        if not (_MODULES / "done").exists():
            _MODULES.mkdir(parents=True, exist_ok=True)
            (_MODULES / "package.json").write_text('{"name": "lab-identity-providers", "private": true}\n')
            _run(["npm", "install", "--no-audit", "--no-fund", "--save-exact", *NODE_PACKAGES], _MODULES)
            (_MODULES / "done").touch()
        if not _SSP.exists():
            # Unpacked, not installed: the package would bring a web server along, and run it.
            with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
                _run(["apt-get", "download", "simplesamlphp"], Path(folder))
                _run(["dpkg-deb", "-x", str(next(Path(folder).glob("*.deb"))), "root"], Path(folder))
                root = Path(folder) / "root"
                made = root / "usr/share/simplesamlphp"
                for name in ("config", "metadata", "attributemap"):  # links into /etc
                    (made / name).unlink(missing_ok=True)
                shutil.copytree(root / "etc/simplesamlphp/attributemap", made / "attributemap")
                (made / "config").symlink_to(HERE / "simplesamlphp")
                (made / "docroot").mkdir()
                (made / "docroot" / "simplesaml").symlink_to("../www")
                shutil.move(made, _SSP)

    def start(self) -> None:
        state = paths.part_state(self.name)
        for folder in ("ssp-log", "ssp-data", "ssp-tmp"):
            (state / folder).mkdir(exist_ok=True)
        tls.server_certificate(state, ["sts.fabrikam.example", "sso.contoso.example", paths.IDP_ADDRESS])
        for key in ("a", "b"):
            if not (state / f"{key}.crt").exists():
                _write_key(state, key)
        if not (state / "behaviour.json").exists():
            behave()
        environment = surroundings.clean(os.environ) | {
            "LAB_STATE": str(state), "LAB_MODULES": str(_MODULES), "LAB_FABRIKAM": FABRIKAM, "LAB_CONTOSO": CONTOSO, "LAB_AUDIENCE": AUDIENCE,
            "LAB_ADDRESS": paths.IDP_ADDRESS, "LAB_PORT": str(paths.IDP_PORT), "LAB_PHP_PORT": str(paths.IDP_PHP_PORT),
            "LAB_SSP_CONFIG": str(HERE / "simplesamlphp"), "SIMPLESAMLPHP_CONFIG_DIR": str(HERE / "simplesamlphp"), "PHP_CLI_SERVER_WORKERS": "2",
        }  # fmt: skip
        if not process.running(state, "node"):
            process.start(["node", str(HERE / "server.js")], state, "node", environment)
        if not process.running(state, "php"):
            # PHP 8.2 finds this release's style deprecated, and would print that into the metadata
            php = ["php8.2", "-d", "error_reporting=1", "-S", f"127.0.0.1:{paths.IDP_PHP_PORT}", "-t", str(_SSP / "docroot")]
            process.start(php, state, "php", environment)
        for name, address in (("node", (paths.IDP_ADDRESS, paths.IDP_PORT)), ("php", ("127.0.0.1", paths.IDP_PHP_PORT))):
            _wait(state, name, address)

    def stop(self) -> None:
        for name in ("node", "php"):
            process.stop(paths.part_state(self.name), name)

    def reset(self) -> None:
        behave()

    def status(self) -> dict[str, object]:
        state = paths.part_state(self.name)
        pids = {name: process.running(state, name) for name in ("node", "php")}
        return {"running": all(pids.values()), "metadata": METADATA["contoso_saml"], "pids": pids}


def behave(**changes: str) -> None:
    """Have the providers behave so from the next request on; whatever is not given, as in BEHAVIOUR."""
    unknown = changes.keys() - BEHAVIOUR.keys()
    if unknown:
        raise ValueError(f"no such behaviour: {', '.join(unknown)}")
    file = paths.part_state("identity_providers") / "behaviour.json"
    new = file.with_suffix(".new")
    new.write_text(json.dumps(BEHAVIOUR | changes))
    new.replace(file)


def certificate(key: str) -> str:
    """The PEM certificate of the signing key `a` or `b`."""
    return (paths.part_state("identity_providers") / f"{key}.crt").read_text()


def _write_key(state: Path, name: str) -> None:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Lab token signing {name}")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    file = state / f"{name}.key"
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (state / f"{name}.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _run(argv: list[str], folder: Path) -> None:
    done = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=surroundings.download(os.environ))
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv[:2])} failed: {done.stderr.strip()[-500:]}")


def _wait(state: Path, name: str, address: tuple[str, Any]) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(address, 1).close()
            return
        except OSError:
            if not process.running(state, name) or time.monotonic() > end:
                raise RuntimeError(f"{name} does not answer; see {state / f'{name}.log'}") from None
            time.sleep(0.1)
