"""A node with calls of one ring, for the tests of its pages."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from cordon.calls import charting, intake
from cordon.calls.ringbook import keep_found
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Mark, Scope
from cordon.kernel.findings import Finding, Reason, RecordRef

BEGIN = datetime(2026, 1, 5, 6, tzinfo=UTC)
LINES = [f"+9230000001{i:02d}" for i in range(4)]
SETS = ["35000000000001", "35000000000002"]
PEOPLE = [f"+9233300000{i:02d}" for i in range(40)]
CELL = "410-01/7-9"
READ = "peca_disclosure_warrant"
BOTH = ("WR-P", "LA-F")  # of calls and payments


def calls() -> bytes:
    rows = ["start,duration_s,kind,caller,callee,caller_imsi,caller_imei,caller_cell"]
    for at in range(160):
        when = BEGIN + timedelta(hours=at * 0.7)
        line = at % 4
        rows.append(
            f"{when:%Y-%m-%dT%H:%M:%SZ},60,voice,{LINES[line]},{PEOPLE[at % 40]},"
            f"41001000000100{line},{SETS[line % 2]}5,{CELL}"
        )
    return "\n".join(rows).encode() + b"\n"


def ring_of(sha256: str) -> Finding:
    found = Finding.make(
        kind="calls.call_centre",
        subjects=[f"number:{n}" for n in LINES] + [f"imei:{h}5" for h in SETS] + [f"cell:{CELL}"],
        start=BEGIN,
        end=BEGIN + timedelta(days=4),
        confidence=0.97,
        reasons=[
            Reason("sims_a_handset", 2.0, "1", 1.4, "2.0 SIMs a handset; usual is 1"),
            Reason("victims", 3.0, "1", 1.0, f"3 complained, one of {LINES[0]}"),
        ],
        records=[RecordRef(sha256, 1)],
        detector="calls.call_centre",
        version="1",
        place={"type": "Point", "coordinates": [74.3, 31.5]},
        radius_m=420.0,
    )
    square = [[[74.2, 31.4], [74.4, 31.4], [74.4, 31.6], [74.2, 31.4]]]
    found.extra.update(
        seats={"estimate": 3, "least": 2, "most": 4},
        hours={"opens": 11.0, "closes": 22.5, "closed": [4]},
        regions={"50": {"type": "Polygon", "coordinates": square}},
        radius_50_m=180,
        hubs=[
            {"subject": f"number:{PEOPLE[0]}", "people": 900},
            "cell:t-9",
            "account:HUB-1",
            "odd",
        ],
    )
    return found


ACCOUNTS = [
    {"account": "PK-ACC-77", "bank": "Example Bank", "kind": "bank", "phone": None},
    {"account": "PK-ACC-78", "bank": None, "kind": "wallet", "phone": LINES[1]},
    {"account": "PK-ACC-80", "bank": None, "kind": "wallet", "phone": PEOPLE[1]},
]


def ringed(site, noon):
    """A node with calls and a ring found in them, under WR-1; WR-2 covers other calls.

    WR-P covers payments too, WR-3 one number alone. LA-B and LA-F are what a block list and a
    freeze request may stand on.
    """
    for login, role in (("inv", "investigator"), ("over", "overseer"), ("adm", "administrator")):
        site.officer(login, role)
    for reference, subjects, basis in (
        ("WR-1", None, READ), ("WR-2", None, READ), ("WR-3", [LINES[0]], READ),
        ("WR-P", None, READ), ("LA-B", None, "telecom_blocking"), ("LA-F", None, "crpc_seizure"),
    ):  # fmt: skip
        scope = Scope(
            frozenset({"calls", "payments"} if reference in BOTH else {"calls"}),
            frozenset(f"number:{n}" for n in subjects) if subjects else None,
        )
        draft = Draft(
            basis=basis, reference=reference, issuer="A court",
            scope=scope, valid_from=noon, valid_until=noon + timedelta(days=20),
        )  # fmt: skip
        site.node.authorities.record(site.actor("inv"), draft, io.BytesIO(b"x"))
    keep_ring(site, "WR-1")
    return site


def keep_ring(site, reference, accounts=(), more=(), extra=()):
    """Bring the calls in under an authority and keep the ring that is in them.

    Args:
        more: subjects beside those of `ring_of`. extra: keys and values of the finding's `extra`.
    """
    bring(site, reference)
    node, room = site.node, site.node.calls
    authority = node.authorities.find(site.console, reference).id
    (file,) = [f for f in room.files(site.actor("inv")) if f.authority == authority]
    found = ring_of(file.sha256)
    found = replace(found, subjects=tuple(sorted([*found.subjects, *more])))
    found.extra.update(extra)
    with node.kernel.rows.read() as session:
        paths = node.kernel.columns.paths(session, intake.DATASET, authorities=[authority])
    seen = charting.details(
        node.kernel.columns, paths, {found.id: LINES}, since=None, until=None,
        offset=timedelta(hours=5),
    )  # fmt: skip
    complaints = pa.table(
        {"suspect_number": [LINES[0]], "suspect_account": ["PK-ACC-77"]}
        | {f"suspect_{n}": pa.nulls(1, pa.string()) for n in ("handle", "wallet", "url")}
    )
    cells = pa.table({"cell": [CELL], "lat": [31.5], "lon": [74.3]})
    charting.with_beside(seen[found.id], found.subjects, cells, complaints, accounts)
    with node.kernel.work(node.kernel.node) as work:
        kept = keep_found(
            work, [found], room.cards, complaints, authority=authority, search="job-1",
            until=BEGIN + timedelta(days=4), mark=Mark.AMBER, details=seen,
        )  # fmt: skip
    site.ring = next(iter(kept.rings.values()))
    site.seen = seen[found.id]


def bring(site, reference):
    actor = site.node.authorities.under(site.actor("inv"), reference)
    job = site.node.calls.ask_import(actor, io.BytesIO(calls()), "calls.csv")
    assert site.node.run_job(job, lambda _d, _t: None).state == "done"


def client(site, login="inv", reference=""):
    http = site.client(login)
    if reference:
        one = site.node.authorities.find(site.console, reference).id
        assert http.post(f"/authorities/{one}/choose").status_code == 303
    return http


def named(text):
    """Whether any number or handset of the ring stands in clear."""
    return [n for n in (*LINES, *PEOPLE, *SETS, "PK-ACC-") if n in text or n[1:] in text]


def pages_of(http, world):
    """The addresses of a number, a handset and a cell, as a ring's page gives them."""
    text = http.get(f"/calls/rings/{world.ring}?show=map").text
    number = re.search(r"/calls/numbers/~\w+", text)[0]
    handset = re.search(r"/calls/handsets/~\w+", text)[0]
    return number, handset, "/calls/cells/410-01/7-9"


def words_of(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))
