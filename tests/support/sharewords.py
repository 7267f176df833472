"""Collections, accounts and objects to test TAXII with, and a program that speaks it."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from contextlib import contextmanager

import orjson
import uvicorn
from fastapi.testclient import TestClient

from cordon.bootstrap import open_node
from cordon.settings import Settings
from cordon.web.app import create_app

OPEN = "aaaaaaaa-0000-4000-8000-000000000001"
SHUT = "aaaaaaaa-0000-4000-8000-000000000002"
SEEN = "aaaaaaaa-0000-4000-8000-000000000003"
TAXII = "application/taxii+json;version=2.1"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
DATA = {
    "roots": [
        {
            "name": "province",
            "title": "Province",
            "max_content_length": 200_000,
            "collections": [
                {"id": OPEN, "title": "Leads", "alias": "leads", "mark": "TLP:GREEN"},
                {"id": SHUT, "title": "Inner", "mark": "TLP:GREEN"},
                {"id": SEEN, "title": "Drop box", "mark": "TLP:GREEN"},
            ],
        },
        {"name": "empty", "title": "Nothing yet"},
    ],
    "users": [
        {
            "name": "both",
            "password": "both-password-1",
            "cleared": "TLP:GREEN",
            "rights": [
                {"collection": OPEN, "read": True, "write": True},
                {"collection": SEEN, "read": False, "write": True},
            ],
        },
        {
            "name": "reader",
            "password": "reader-password-1",
            "cleared": "TLP:AMBER",
            "rights": [
                {"collection": OPEN, "read": True, "write": False},
                {"collection": SEEN, "read": False, "write": False},
            ],
        },
    ],
}


def indicator(n: int = 0, *, id_: str | None = None, modified: str | None = None, **rest):
    """An indicator of STIX 2.1 whose name holds `n`."""
    moment = "2026-01-01T00:00:00.000Z"
    return {
        "type": "indicator", "spec_version": "2.1",
        "id": id_ or f"indicator--{uuid.UUID(int=n + 1, version=4)}",
        "created": moment, "modified": modified or moment, "name": f"n{n}",
        "pattern": f"[ipv4-addr:value = '198.51.100.{n % 250}']", "pattern_type": "stix",
        "valid_from": moment, **rest,
    }  # fmt: skip


class Caller:
    """A program that speaks TAXII under one account."""

    def __init__(self, app, name="both", password=None):
        self.http = TestClient(app, raise_server_exceptions=False)
        self.http.auth = (name, password or f"{name}-password-1")
        self.base = "/taxii2/province/"

    def at(self, path):
        return path if path.startswith("/") else self.base + path

    def get(self, path="", status=200, accept=TAXII, **params):
        query = {
            {"id": "match[id]", "type": "match[type]", "version": "match[version]",
             "spec_version": "match[spec_version]"}.get(k, k): v
            for k, v in params.items()
        }  # fmt: skip
        headers = {} if accept is None else {"accept": accept}
        got = self.http.get(self.at(path), params=query, headers=headers)
        assert got.status_code == status, got.text
        assert got.headers["content-type"] == TAXII
        return got

    def add(self, objects, status=202, where=f"collections/{OPEN}/objects/", kind=TAXII):
        body = objects if isinstance(objects, dict) else {"objects": objects}
        headers = {"accept": TAXII}
        if kind is not None:
            headers["content-type"] = kind
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        got = self.http.post(self.at(where), content=raw, headers=headers)
        assert got.status_code == status, got.text
        return got

    def delete(self, path, status=200, **params):
        got = self.http.delete(self.at(path), params=params, headers={"accept": TAXII})
        assert got.status_code == status, got.text
        return got


@contextmanager
def standing(folder):
    """`with standing(folder) as (node, address):` a node with `DATA` that listens on loopback."""
    node = open_node(Settings(data=folder, agency="pk-demo"))
    told = node.sharing.loader.load(node.console_actor(None), DATA | {"roots": [
        DATA["roots"][0] | {"max_content_length": 5_000_000}, DATA["roots"][1]]}, {})  # fmt: skip
    assert told.refused == []
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(node), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    end = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < end
        time.sleep(0.02)
    try:
        yield node, f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
        node.close()
