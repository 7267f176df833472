"""What somebody unknown may make the node do: little."""

from __future__ import annotations

import pytest
from starlette.datastructures import UploadFile

from cordon.web.security import STRANGERS

LARGE = b"x" * (STRANGERS + 1)


@pytest.fixture
def unread(monkeypatch):
    """Fails the test where a body is kept, in memory or on the disk."""
    kept = []

    async def write(self, data):
        kept.append(len(data))

    monkeypatch.setattr(UploadFile, "write", write)
    return kept


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cookie": "cordon-pk-test=" + "a" * 43},
        {"Authorization": "Bearer cdn_" + "a" * 43},
        {"Authorization": "Basic eDp5"},
    ],
)
@pytest.mark.parametrize("path", ["/authorities", "/calls/import", "/nothing/here"])
def test_a_strangers_large_body_is_refused_before_it_is_read(shared_site, unread, path, headers):
    http = shared_site.client()
    answer = http.post(path, files={"document": ("a", LARGE)}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["x-frame-options"] == "DENY"
    assert unread == []


def test_a_body_that_does_not_say_how_large_it_is_counts_too(site, unread):
    http = site.client()
    sent = []

    def pieces():
        for _ in range(1000):
            sent.append(1)
            yield b"x" * 4096

    answer = http.post(
        "/authorities",
        content=pieces(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.status_code in (400, 401)
    assert unread == []


def test_an_officer_may_send_more(site, noon):
    site.officer("investigator", "investigator")
    http = site.client("investigator")
    answer = http.post("/authorities", data={"reference": "x"}, files={"document": ("a", LARGE)})
    assert answer.status_code == 422  # read, and looked at
    assert "issuer" in answer.text or "legal basis" in answer.text or "time" in answer.text


def test_a_program_may_send_more(site):
    from datetime import timedelta

    made = site.node.tokens.issue(
        site.console, "importer", ["calls.record.import"], timedelta(days=1)
    )
    header = {"Authorization": f"Bearer {made.secret}", "Accept": "application/json"}
    answer = site.client().post("/calls/import", files={"file": ("a", LARGE)}, headers=header)
    assert answer.json()["error"] == "authority_refused"


def test_a_method_that_there_is_not_is_measured_under_one_name(site):
    http = site.client()
    for method in ("FROBNICATE", "X" * 200):
        assert http.request(method, "/health/live").status_code == 405
    header = {"Authorization": "Bearer " + _metrics(site)}
    told = http.get("/metrics", headers=header).text
    assert 'method="other"' in told
    assert "FROBNICATE" not in told
    assert "XXX" not in told


def _metrics(site):
    from datetime import timedelta

    return site.node.tokens.issue(
        site.console, "prometheus", ["web.metrics.view"], timedelta(days=1)
    ).secret
