"""FreeTAKServer beside the other TAK servers: how it is started, and what a client says first.

It runs in an environment of its own (`bench.peers`), with mutual TLS from the same authority and
with the same client certificates. It asks questions at its first start, checks certificates
against a list of revoked ones that stands beside the authority, lets a client in only after its
first event, and takes an event only where one reading of the socket brings the whole of it.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.pages import free_port
from bench.peers import python_of

PEER = "freetakserver"
MODULE = "FreeTAKServer.controllers.services.FTS"
PERSISTENT = Path("/opt/fts")  # it keeps three databases there, whatever it is told
STARTS = 180.0  # seconds until it must listen


def start(folder: Path, keys: Path, port: int) -> subprocess.Popen[str]:
    """Start it with TLS at `port` of loopback, its files in `folder`; `keys` is the node's folder.

    Raises PeerMissing where it cannot be installed, RuntimeError where it does not listen.
    """
    python = python_of(PEER)
    certificates = _certificates(folder / "certs", keys)
    deep = folder / "a" / "b" / "c" / "d"  # its services go up some folders from where they start
    deep.mkdir(parents=True)
    named = {name: str(free_port()) for name in (
        "FTS_FED_PORT", "FTS_ROUTING_PROXY_SUBSCRIBE_PORT", "FTS_ROUTING_PROXY_PUBLISHER_PORT",
        "FTS_ROUTING_PROXY_SERVER_PORT", "FTS_INTEGRATION_MANAGER_PULLER_PORT",
        "FTS_INTEGRATION_MANAGER_PUBLISHER_PORT", "FTS_API_PORT",
    )}  # fmt: skip
    named |= {
        name: str(folder / end)
        for name, end in {
            "FTS_CONFIG_PATH": "none.yaml", "FTS_PERSISTENCE_PATH": "", "FTS_DB_PATH": "fts.db",
            "FTS_LOGFILE_PATH": "logs", "FTS_DATAPACKAGE_PATH": "packages",
            "FTS_EXCHECK_PATH": "excheck", "FTS_EXCHECK_TEMPLATE_PATH": "excheck/template",
            "FTS_EXCHECK_CHECKLIST_PATH": "excheck/checklist",
            "FTS_CLIENT_PACKAGES_PATH": "clients",
        }.items()
    }  # fmt: skip
    named |= {
        "FTS_FIRST_START": "false",
        "FTS_LOG_LEVEL": "error",
        "FTS_COT_TO_DB": "false",
        **{f"FTS_{which}_ADDRESS": "127.0.0.1" for which in ("API", "DP", "USER")},
    }
    arguments = ["-AutoStart", "True", "-SSLCoTIP", "127.0.0.1", "-SSLCoTPort", str(port)]
    for service in ("CoT", "DataPackage", "SSLDataPackage", "RestAPI"):
        arguments += [f"-{service}IP", "127.0.0.1", f"-{service}Port", str(free_port())]
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "FTS_"))}
    with (folder / "out.log").open("w") as log:
        running = subprocess.Popen(
            [str(python), "-m", MODULE, *arguments], cwd=deep, env=ours | named | certificates,
            stdout=log, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
    until = time.perf_counter() + STARTS
    while time.perf_counter() < until and running.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.5)
        else:
            return running
    raise RuntimeError(f"FreeTAKServer did not listen within {STARTS:.0f} s")


def forget(was_there: bool) -> None:
    """Take away what it keeps outside of the benchmark's folder, where it was not there before."""
    if not was_there:
        shutil.rmtree(PERSISTENT, ignore_errors=True)


def greeting(n: int) -> bytes:
    """A client's own position, as ATAK sends it first."""
    now = datetime.now(UTC)
    at, until = (f"{t:%Y-%m-%dT%H:%M:%S}.000Z" for t in (now, now + timedelta(hours=1)))
    return (
        f'<event version="2.0" uid="C-{n}" type="a-f-G-U-C" how="h-e" time="{at}" start="{at}" '
        f'stale="{until}"><point lat="25.05" lon="63.45" hae="1" ce="9999999.0" le="9999999.0"/>'
        f'<detail><contact endpoint="*:-1:stcp" callsign="C{n}"/><__group name="Cyan" '
        f'role="Team Member"/><uid Droid="C{n}"/><takv os="33" version="5.1" device="phone" '
        f'platform="ATAK-CIV"/></detail></event>'
    ).encode()


def _certificates(folder: Path, keys: Path) -> dict[str, str]:
    """The node's authority and server certificate where it looks for its own, and their names."""
    folder.mkdir(parents=True)
    key = serialization.load_pem_private_key((keys / "tak-authority-key.pem").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    authority = (keys / "tak-authority.pem").read_bytes()
    now = datetime.now(UTC)
    revoked = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.load_pem_x509_certificate(authority).subject)
        .last_update(now - timedelta(days=1))
        .next_update(now + timedelta(days=9))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    server = (keys / "tak-server.pem").read_bytes()  # certificate and key in one
    written = {
        "ca.pem": authority + revoked,
        "ca.key": (keys / "tak-authority-key.pem").read_bytes(),
        "revoked.pem": revoked,
        **{f"{who}.{end}": server for who in ("server", "Client") for end in ("pem", "key")},
    }
    for name, data in written.items():
        (folder / name).write_bytes(data)
    return {"FTS_CERTS_PATH": str(folder)} | {
        name: str(folder / file)
        for name, file in {
            "FTS_CADIR": "ca.pem", "FTS_CAKEYDIR": "ca.key", "FTS_CRLDIR": "revoked.pem",
            "FTS_SERVER_PEMDIR": "server.pem", "FTS_SERVER_KEYDIR": "server.key",
            "FTS_UNENCRYPTED_KEYDIR": "server.key", "FTS_SERVER_P12DIR": "server.p12",
            "FTS_FEDERATION_CERTDIR": "server.pem", "FTS_FEDERATION_KEYDIR": "server.key",
            "FTS_TESTCLIENT_PEMDIR": "Client.pem", "FTS_TESTCLIENT_KEYDIR": "Client.key",
        }.items()
    }  # fmt: skip
