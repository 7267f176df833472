"""The node's own certificate authority for TAK: it signs its server and the clients it enrols.

Its keys stand with the node's other secrets, readable by their owner alone. A client's key is
made here, handed over once with its certificate, and kept nowhere.
"""

from __future__ import annotations

import os
import secrets
import ssl
import threading
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cordon.kernel.errors import WrongSetting

AUTHORITY, AUTHORITY_KEY = "tak-authority.pem", "tak-authority-key.pem"
SERVER = "tak-server.pem"  # certificate and key
_AUTHORITY_LASTS, _SERVER_LASTS = timedelta(days=3650), timedelta(days=397)
CLIENT_LASTS = timedelta(days=365)
_EARLIER = timedelta(hours=12)  # a phone's clock that is slow must not refuse a new certificate
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that looks like another


class TakKeys:
    """The authority and what it signs.

    Args:
        folder: where the node's keys stand. agency: for the names in certificates.
    """

    def __init__(self, folder: Path, agency: str, now: datetime) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.agency = agency
        key_path = folder / AUTHORITY_KEY
        if not key_path.exists():
            self._make(now)
        if key_path.stat().st_mode & 0o077:
            raise WrongSetting(
                f"The key {key_path} can be read by others on this machine.",
                advice=f"Run `chmod 600 {key_path}`, and enrol TAK clients anew if a stranger may "
                "have read it.",
            )
        try:
            key = serialization.load_pem_private_key(key_path.read_bytes(), None)
            self.authority = x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes())
        except (OSError, ValueError):
            raise WrongSetting(
                f"{key_path} or the certificate beside it cannot be read.",
                advice="Restore both from the backup.",
            ) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise WrongSetting(f"{key_path} is no RSA key.", advice="Restore it from the backup.")
        self._key = key
        self._server: Path | None = None  # made anew by each start of the node
        self._lock = threading.Lock()

    def _make(self, now: datetime) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        name = _name(f"{self.agency} TAK authority", self.agency)
        made = (
            _builder(name, name, key.public_key(), now, _AUTHORITY_LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write(self.folder / AUTHORITY, made.public_bytes(serialization.Encoding.PEM))
        _write(self.folder / AUTHORITY_KEY, _pem(key))

    def server_context(self, host: str, now: datetime) -> ssl.SSLContext:
        """What the server speaks TLS with: clients of this authority alone are let in.

        Args:
            host: name or address that clients connect to; it stands in the certificate.
        """
        context = self.open_context(host, now)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=self.authority_pem.decode())
        return context

    def open_context(self, host: str, now: datetime) -> ssl.SSLContext:
        """As `server_context`, for those who have no certificate yet."""
        with self._lock:
            if self._server is None:
                self._server = self._server_pem(host, now)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._server)
        return context

    def _server_pem(self, host: str, now: datetime) -> Path:
        """A new certificate of the server and its key, in one file."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        made = (
            self._signed(_name(host, self.agency), key.public_key(), now, _SERVER_LASTS)
            .add_extension(x509.SubjectAlternativeName([_host(host)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        path = self.folder / SERVER
        _write(path, made.public_bytes(serialization.Encoding.PEM) + _pem(key))
        return path

    @property
    def authority_pem(self) -> bytes:
        """The authority's certificate."""
        return self.authority.public_bytes(serialization.Encoding.PEM)

    def client(self, id_: str, key: rsa.RSAPublicKey, now: datetime) -> x509.Certificate:
        """A certificate for a client's key; its name is the client's id, and says nothing else."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return (
            self._signed(_name(id_, self.agency), key, now, CLIENT_LASTS)
            .add_extension(usage, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _signed(
        self, name: x509.Name, key: rsa.RSAPublicKey, now: datetime, lasts: timedelta
    ) -> x509.CertificateBuilder:
        return (
            _builder(name, self.authority.subject, key, now, lasts)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
        )


def new_key() -> rsa.RSAPrivateKey:
    """A client's key: RSA, which every TAK client takes."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def new_password() -> str:
    """100 random bits, in letters that can be typed on a phone in the rain."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 (hex) of a certificate."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _builder(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + lasts)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, content_commitment=False,
        key_encipherment=not authority, data_encipherment=False, key_agreement=False,
        key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(common: str, agency: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, agency),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
        ]
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes) -> None:
    """Write a secret whole or not at all, readable by its owner alone."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)
