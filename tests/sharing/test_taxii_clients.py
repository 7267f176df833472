"""Real clients against a node on loopback: taxii2-client, and what MISP and OpenCTI send."""

from __future__ import annotations

import httpx
import pytest
from taxii2client.exceptions import AccessError
from taxii2client.v21 import Collection, Server, as_pages

from support.sharewords import OPEN, SEEN, TAXII, indicator, standing

SIGN_IN = ("both", "both-password-1")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A node that listens on a port of its own."""
    with standing(tmp_path_factory.mktemp("node")) as (_, found):
        yield found


def test_taxii2_client_walks_from_discovery_to_the_last_page(address):
    server = Server(f"{address}/taxii2/", user=SIGN_IN[0], password=SIGN_IN[1])
    assert server.title
    root = next(r for r in server.api_roots if r.url == f"{address}/taxii2/province/")
    assert root.title == "Province"
    assert root.versions == [TAXII]
    collections = {c.id: c for c in root.collections}
    assert set(collections) == {OPEN, SEEN}
    open_ = collections[OPEN]
    things = [indicator(n) for n in range(25)]
    status = open_.add_objects({"objects": things})
    assert status.status == "complete"
    assert status.success_count == 25
    assert root.get_status(status.id).total_count == 25
    status.refresh()
    pages = list(as_pages(open_.get_objects, per_request=10))
    assert [len(p["objects"]) for p in pages] == [10, 10, 5]
    assert [o for p in pages for o in p["objects"]] == things
    listed = [m for p in as_pages(open_.get_manifest, per_request=7) for m in p["objects"]]
    assert [m["id"] for m in listed] == [t["id"] for t in things]
    after = listed[9]["date_added"]
    rest = [o for p in as_pages(open_.get_objects, per_request=4, added_after=after)
            for o in p["objects"]]  # fmt: skip
    assert rest == things[10:]
    assert open_.get_objects(id=things[3]["id"], type="indicator")["objects"] == [things[3]]
    assert open_.get_object(things[4]["id"], version="all")["objects"] == [things[4]]
    assert open_.object_versions(things[4]["id"])["versions"] == [things[4]["modified"]]
    open_.delete_object(things[4]["id"])
    assert (
        len([o for p in as_pages(open_.get_objects, per_request=100) for o in p["objects"]]) == 24
    )
    with pytest.raises(AccessError):
        collections[SEEN].get_objects()


def test_taxii2_client_reaches_a_collection_by_its_address(address):
    one = Collection(f"{address}/taxii2/province/collections/{OPEN}/", user="reader",
                     password="reader-password-1")  # fmt: skip
    assert one.can_read
    assert not one.can_write
    assert one.alias == "leads"


@pytest.mark.parametrize(
    "headers",
    [
        # OpenCTI's TAXII 2.1 ingestion: one Accept, added_after as it was told, then next
        {"Accept": "application/taxii+json;version=2.1",
         "Content-Type": "application/taxii+json;version=2.1"},
        # MISP (through taxii2-client and requests), with its own agent
        {"Accept": "application/taxii+json;version=2.1", "User-Agent": "MISP",
         "Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"},
        # connectors that write the parameter with a space
        {"Accept": "application/taxii+json; version=2.1"},
    ],
)  # fmt: skip
def test_the_sequences_of_platforms_reach_every_object_once(address, headers):
    with httpx.Client(timeout=60, base_url=address, auth=SIGN_IN, headers=headers) as http:
        own = f"0000-4000-8000-{len(str(headers)):012d}"
        marks = [indicator(n, id_=f"indicator--{n:08x}-{own}") for n in range(9)]
        before = http.get(f"/taxii2/province/collections/{OPEN}/manifest/").headers
        sent = http.post(
            f"/taxii2/province/collections/{OPEN}/objects/", json={"objects": marks},
            headers={"Content-Type": "application/taxii+json;version=2.1"},
        )  # fmt: skip
        assert sent.status_code == 202
        roots = http.get("/taxii2/").json()["api_roots"]
        told = http.get(roots[0]).json()
        assert told["max_content_length"] > 0
        collection = next(c for c in http.get(roots[0] + "collections/").json()["collections"]
                          if c["can_read"])  # fmt: skip
        where = f"{roots[0]}collections/{collection['id']}/objects/"
        params = {"limit": 4}
        if after := before.get("x-taxii-date-added-last"):
            params["added_after"] = after
        found = []
        while True:
            got = http.get(where, params=params)
            assert got.headers["content-type"] == TAXII
            page = got.json()
            found += page.get("objects", [])
            if not page.get("more"):
                break
            params["next"] = page["next"]
        assert [o["id"] for o in found][-9:] == [m["id"] for m in marks]
        # the next run begins with the date of the last: nothing comes twice
        again = http.get(where, params={"added_after": got.headers["X-TAXII-Date-Added-Last"]})
        assert again.json() == {"more": False}


def test_the_next_run_by_dates_alone_misses_nothing(address):
    """What OpenCTI does where it keeps no cursor: each page's last date is the next added_after."""
    with httpx.Client(
        timeout=60, base_url=address, auth=SIGN_IN, headers={"Accept": TAXII}
    ) as http:
        where = f"/taxii2/province/collections/{OPEN}/objects/"
        expected = [o["id"] for o in http.get(where).json()["objects"]]
        found, after = [], "1970-01-01T00:00:00.000Z"
        while True:
            got = http.get(where, params={"limit": 5, "added_after": after})
            if "objects" not in got.json():
                break
            found += [o["id"] for o in got.json()["objects"]]
            after = got.headers["X-TAXII-Date-Added-Last"]
        assert found == expected
