"""The data packages that bring a phone to the node's TAK server: where it is and whom to trust."""

from __future__ import annotations

import io
import uuid
import zipfile
from xml.sax.saxutils import escape, quoteattr

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from cordon.operations.tak.keys import TakKeys, new_password

_TEXT, _YES = "class java.lang.String", "class java.lang.Boolean"


def data_package(
    keys: TakKeys, key: rsa.RSAPrivateKey, certificate: x509.Certificate,
    password: str, *, name: str, host: str, port: int,
) -> bytes:  # fmt: skip
    """A TAK data package: the server's address, whom to trust, and the client's key.

    The key is locked by the password, which does not stand in the package. ATAK on older phones
    opens only the older form of PKCS#12; the password's own strength makes up for it.
    """
    lock = _lock(password)
    own = pkcs12.serialize_key_and_certificates(b"client", key, certificate, [keys.authority], lock)
    entries = {"certs/truststore.p12": _trust(keys, lock), "certs/client.p12": own}
    stream = _stream(name, host, port)
    certificates = [
        ("caLocation", _TEXT, "cert/truststore.p12"),
        ("certificateLocation", _TEXT, "cert/client.p12"),
    ]
    return _zipped(keys, entries, _preferences(stream, certificates))


def invitation(keys: TakKeys, user: str, *, name: str, host: str, port: int) -> bytes:
    """A TAK data package with nothing secret: the server's address, and whom to trust.

    The phone makes its own key and asks for the user's one-time password. The truststore's
    password stands in the package, since what it locks is public.
    """
    password = new_password()
    stream = [
        *_stream(name, host, port),
        ("caLocation0", _TEXT, "cert/truststore.p12"),
        ("caPassword0", _TEXT, password),
        ("useAuth0", _YES, "true"),
        ("username0", _TEXT, user),
        ("cacheCreds0", _TEXT, "Cache credentials"),
        ("enrollForCertificateWithTrust0", _YES, "true"),
    ]
    entries = {"certs/truststore.p12": _trust(keys, _lock(password))}
    return _zipped(keys, entries, _preferences(stream, []))


def _lock(password: str) -> serialization.KeySerializationEncryption:
    return (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(50_000)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())  # noqa: S303
        .build(password.encode())
    )


def _trust(keys: TakKeys, lock: serialization.KeySerializationEncryption) -> bytes:
    trusted = [pkcs12.PKCS12Certificate(keys.authority, b"authority")]
    return pkcs12.serialize_java_truststore(trusted, lock)


def _stream(name: str, host: str, port: int) -> list[tuple[str, str, str]]:
    return [
        ("count", "class java.lang.Integer", "1"),
        ("description0", _TEXT, name),
        ("enabled0", _YES, "true"),
        ("connectString0", _TEXT, f"{host}:{port}:ssl"),
    ]


def _preferences(stream: list[tuple[str, str, str]], own: list[tuple[str, str, str]]) -> str:
    def entries(some: list[tuple[str, str, str]]) -> str:
        return "".join(f'<entry key="{k}" class="{c}">{escape(v)}</entry>' for k, c, v in some)

    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<preferences>'
        f'<preference version="1" name="cot_streams">{entries(stream)}</preference>'
        f'<preference version="1" name="com.atakmap.app_preferences">{entries(own)}</preference>'
        "</preferences>\n"
    )


def _zipped(keys: TakKeys, entries: dict[str, bytes], preferences: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as files:
        for name, data in entries.items():
            files.writestr(name, data)
        files.writestr("prefs/config.pref", preferences)
        files.writestr(
            "MANIFEST/manifest.xml",
            _manifest(f"cordon-{keys.agency}", [*entries, "prefs/config.pref"]),
        )
    return out.getvalue()


def _manifest(name: str, entries: list[str]) -> str:
    contents = "".join(f'<Content ignore="false" zipEntry="{e}"/>' for e in entries)
    return (
        f'<MissionPackageManifest version="2"><Configuration><Parameter name="uid" '
        f'value="{uuid.uuid4()}"/><Parameter name="name" value={quoteattr(name)}/>'
        f'<Parameter name="onReceiveDelete" value="true"/></Configuration>'
        f"<Contents>{contents}</Contents></MissionPackageManifest>"
    )
