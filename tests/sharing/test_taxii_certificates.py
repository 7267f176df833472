"""Programs that sign in to TAXII with a client certificate."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from cordon.commands import serving
from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadInput, Conflict, WrongSetting
from cordon.settings import Settings
from cordon.web.clients import tls_options
from support.sharewords import OPEN, TAXII


def issued(folder, name, by=None):
    """A certificate (of an authority where `by` is absent) and its key, in files."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own if by is None else by[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(by is None, None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key if by is None else by[1], SHA256())
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made, key


@pytest.fixture
def folder(tmp_path):
    authority = issued(tmp_path, "authority")
    for name in ("server", "partner", "stranger"):
        issued(tmp_path, name, authority)
    issued(tmp_path, "forged", issued(tmp_path, "other"))
    return tmp_path


@pytest.fixture
def address(app, folder):
    settings = Settings(
        data=folder / "none", tls_certificate=folder / "server.pem",
        tls_key=folder / "server.key", tls_client_authorities=folder / "authority.pem",
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", lifespan="off", **tls_options(settings))
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        end = time.monotonic() + 60
        while not server.started and time.monotonic() < end:
            time.sleep(0.02)
        yield f"https://localhost:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def asked(address, folder, name=None, path="/taxii2/province/collections/"):
    context = ssl.create_default_context(cafile=folder / "authority.pem")
    if name is not None:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return httpx.get(address + path, verify=context, headers={"accept": TAXII}, timeout=30)


def test_a_certificate_is_its_accounts_and_nobody_elses(node, address, folder, supervisor):
    pem = (folder / "partner.pem").read_bytes()
    accounts = node.sharing.accounts
    made = accounts.add(supervisor, "partner", Mark.GREEN, [(OPEN, True, False)], certificate=pem)
    assert made.account.certificate is not None
    told = asked(address, folder, "partner")
    assert told.status_code == 200
    assert [c["id"] for c in told.json()["collections"]] == [OPEN]
    # of the same authority, and no account: let in by the handshake, and signed in as nobody
    for name in ("stranger", None):
        assert asked(address, folder, name).status_code == 401
    # of another authority: no handshake
    with pytest.raises((httpx.TransportError, ssl.SSLError)):
        asked(address, folder, "forged")
    # nowhere but TAXII does it open anything
    page = asked(address, folder, "partner", "/sharing")
    assert page.status_code in (303, 401)
    with pytest.raises(Conflict, match="certificate"):
        accounts.add(supervisor, "second", Mark.GREEN, certificate=pem)
    accounts.revoke(supervisor, "partner", "the partner has left the project")
    assert asked(address, folder, "partner").status_code == 401


def test_a_header_is_no_certificate(app, node, folder, supervisor):
    from fastapi.testclient import TestClient

    pem = (folder / "partner.pem").read_bytes()
    made = node.sharing.accounts.add(
        supervisor, "partner", Mark.GREEN, [(OPEN, True, False)], certificate=pem
    )
    headers = {"accept": TAXII, "cordon.certificate": made.account.certificate,
               "x-client-cert": pem.decode().replace("\n", "")}  # fmt: skip
    assert TestClient(app).get("/taxii2/", headers=headers).status_code == 401


def test_what_is_no_certificate_is_refused(node, supervisor):
    with pytest.raises(BadInput, match="no certificate"):
        node.sharing.accounts.add(
            supervisor, "nobody", Mark.GREEN, certificate=b"-----BEGIN NOTHING"
        )


def test_authorities_without_a_certificate_of_its_own_are_refused(node, tmp_path):
    settings = Settings(data=tmp_path, tls_client_authorities=tmp_path / "authority.pem")
    with pytest.raises(WrongSetting, match="tls_client_authorities"):
        serving.run(node, settings)
