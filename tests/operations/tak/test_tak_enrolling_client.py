"""pytak's own enrolment, against the node's port: its code, over a session that speaks httpx."""

from __future__ import annotations

import contextlib
import ssl

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pytak import crypto_classes

from cordon.operations.tak import marti
from cordon.operations.tak.doors import Door
from support.loops import run


class Answer:
    """What pytak asks of an answer of its HTTP library, which is not installed here."""

    def __init__(self, said):
        self.status = said.status_code
        self._said = said

    def raise_for_status(self):
        self._said.raise_for_status()

    async def text(self):
        return self._said.text

    async def json(self):
        return self._said.json()

    async def read(self):
        return self._said.content


class Session:
    """Sends pytak's requests to the port of the test."""

    def __init__(self, port, trust):
        self._port = port
        self._trust = trust
        self.asked = []

    @contextlib.asynccontextmanager
    async def _ask(self, method, url, auth, **rest):
        self.asked.append(url)
        url = url.replace(":8446", f":{self._port}")
        async with httpx.AsyncClient(verify=self._trust) as link:
            yield Answer(await link.request(method, url, auth=auth, **rest))

    def get(self, url, auth):
        return self._ask("GET", url, auth)

    def post(self, url, auth, data, headers):
        return self._ask("POST", url, auth, content=data, headers=headers)


def test_pytak_enrols_itself(desk, officers, tmp_path, monkeypatch):
    now = desk.kernel.clock.now()
    door = Door("tak_enrol_port", marti.enrolment(desk.invites), "127.0.0.1", 0,
                desk.keys.open_context("127.0.0.1", now))  # fmt: skip
    door.start()
    desk.port, desk.enrol_port = 8089, door.port
    made = desk.invites.invite(officers["supervisor"], name="gateway", groups="watch")
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(desk.keys.authority_pem)
    session = Session(door.port, ssl.create_default_context(cafile=str(trusted)))
    monkeypatch.setattr(crypto_classes, "USE_AIOHTTP", True)
    monkeypatch.setattr(crypto_classes, "BasicAuth", lambda u, p: (u, p), raising=False)
    kept = {}

    async def keep(_self, told, key, *_rest):
        kept.update(told=told, key=key)

    monkeypatch.setattr(
        crypto_classes.CertificateEnrollment, "_process_json_certificate_response", keep
    )
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    async def enrol():
        client = crypto_classes.CertificateEnrollment()
        who = (made.invite.user, made.password, session, "127.0.0.1")
        csr = await client._generate_csr(*who, key)
        await client._process_csr(*who, csr, key)

    try:
        run(enrol())
    finally:
        door.stop()
    assert [url.partition("/Marti")[2] for url in session.asked] == [
        "/api/tls/config", "/api/tls/signClient/v2?clientUid=test",
    ]  # fmt: skip
    body = kept["told"]["signedCert"]
    pem = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    own = x509.load_pem_x509_certificate(pem.encode())
    assert own.public_key() == key.public_key()
    assert desk.admit(own.fingerprint(own.signature_hash_algorithm).hex()).name == "gateway"
