"""OpenTAXII as a peer: a process of its own by gunicorn, `taxii2` switched on, on PostgreSQL.

What it needs stands in `bench/peers/opentaxii.lock`. Requests carry the token of an administrator,
not a password: it would hash one at each request, and a page is what is to be compared. As
released it answers 500 to each envelope, since its ids cannot be written as JSON (its issue 243,
mended after 0.9.3): the text that starts it writes them as words, and changes nothing else.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml
from sqlalchemy import URL

from bench.peers import python_of

VERSION = "0.9.3"
TAXII = "application/taxii+json;version=2.1"
STARTS_S = 60.0
PATIENCE_S = 60.0  # for which an answer is waited for
WORKERS = 1  # as Cordon: one process; a page is asked for alone
_SET_UP = """
import json, sys
from opentaxii.cli import app
with app.app_context():
    server = app.taxii_server
    password = sys.stdin.read()
    server.auth.api.create_account("bench", password, is_admin=True)
    api = server.servers.taxii2.persistence.api
    root = api.add_api_root(title="bench", default=True)
    made = [api.add_collection(api_root_id=root.id, title=t) for t in ("Pages", "Intake")]
    print(json.dumps({
        "token": server.auth.authenticate("bench", password), "root": str(root.id),
        "collections": [str(one.id) for one in made],
    }))
"""
_START = """
import json, uuid
json.JSONEncoder.default = lambda self, thing: str(uuid.UUID(str(thing)))
from opentaxii.http import app
"""
_COPY = (
    "COPY opentaxii_stixobject (pk, id, collection_id, type, spec_version, date_added, version, "
    "serialized_data) FROM STDIN"
)


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that listens: ids of its two collections, and a client signed in to it."""

    pages: str
    inbox: str
    http: httpx.Client
    database: URL

    def fill(
        self, make: Callable[[int, int], list[dict[str, Any]]], first: int, until: int, batch: int,
        seconds: float,
    ) -> bool:  # fmt: skip
        """Copy objects straight into its table, as its own intake writes them.

        By its intake a million would take hours. Each object has a date of its own, as there.

        Args:
            make: objects from a number on, and how many.
            seconds: after which it is left where it is.

        Returns:
            Whether all are there.
        """
        began = time.perf_counter()
        with psycopg.connect(_plain(self.database)) as connection:
            zero = time.time()
            for start in range(first, until, batch):
                if time.perf_counter() - began > seconds:
                    return False
                with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
                    for n, one in enumerate(make(start, min(batch, until - start)), start):
                        copy.write_row(_row(one, self.pages, zero + n / 1e6))
                connection.commit()
        with psycopg.connect(_plain(self.database), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE opentaxii_stixobject")
        return True


def _row(thing: dict[str, Any], collection: str, added: float) -> Sequence[object]:
    held = {k: v for k, v in thing.items() if k not in ("id", "type", "spec_version")}
    when = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(added))}.{int(added % 1 * 1e6):06d}"
    return (
        str(uuid.uuid4()), thing["id"], collection, thing["type"], thing["spec_version"], when,
        thing["modified"].replace("T", " ").removesuffix("Z"), json.dumps(held),
    )  # fmt: skip


@contextmanager
def served(database: URL) -> Iterator[Peer]:
    """The peer on an empty database, until the block ends.

    Raises:
        RuntimeError: it did not start in time; its last words.
    """
    python, address = python_of("opentaxii"), f"127.0.0.1:{_free_port()}"
    url = database.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory() as folder:
        config, log = Path(folder, "opentaxii.yml"), Path(folder, "log")
        Path(folder, "starting.py").write_text(_START)
        config.write_text(yaml.safe_dump(_settings(address, url)))
        settings = {"OPENTAXII_CONFIG": str(config), "PATH": f"{python.parent}:/usr/bin:/bin"}
        made = subprocess.run(
            [python, "-W", "ignore", "-c", _SET_UP], input=secrets.token_hex(16), env=settings,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        ids = json.loads(made.stdout.strip().splitlines()[-1])
        with log.open("w") as said:
            running = subprocess.Popen(
                [
                    python, "-W", "ignore", "-m", "gunicorn", "starting:app", "--bind",
                    address, "--workers", str(WORKERS), "--timeout", "600", "--keep-alive", "60",
                    "--graceful-timeout", "1", "--worker-class", "gthread", "--threads", "1",
                    "--worker-tmp-dir", folder,
                ],
                env=settings | {"PYTHONPATH": folder}, stdout=said, stderr=said, cwd=folder,
            )  # fmt: skip
        try:
            with httpx.Client(
                base_url=f"http://{address}/taxii2/{ids['root']}/collections/", timeout=PATIENCE_S,
                headers={"Accept": TAXII, "Authorization": f"Bearer {ids['token']}"},
            ) as http:  # fmt: skip
                _wait(http, ids["collections"][0], running, log)
                yield Peer(*ids["collections"], http, database)
        finally:
            running.terminate()
            running.wait(60)


def _settings(address: str, url: str) -> dict[str, Any]:
    return {
        "domain": address, "support_basic_auth": True, "taxii1": None,
        "auth_api": {
            "class": "opentaxii.auth.sqldb.SQLDatabaseAPI",
            "parameters": {
                "db_connection": url, "create_tables": True, "secret": secrets.token_hex(32)
            },
        },
        "taxii2": {
            "title": "Bench", "max_content_length": 1 << 28,
            "persistence_api": {
                "class": "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI",
                "parameters": {"db_connection": url, "create_tables": True},
            },
        },
        "logging": {"opentaxii": "error", "root": "error"},
    }  # fmt: skip


def _wait(http: httpx.Client, collection: str, running: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_S
    while time.monotonic() < until and running.poll() is None:
        try:
            got = http.get(f"{collection}/manifest/")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            if got.status_code == 200:
                return
            break
    raise RuntimeError(f"OpenTAXII did not start: {log.read_text()[-2000:]}")


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
