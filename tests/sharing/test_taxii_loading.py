"""Data files: Cordon's own layout and that of cti-taxii-server, twice, and with faults in them."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from cordon.kernel.errors import BadInput
from cordon.sharing.taxii.loading import read_file
from support.sharewords import DATA, OPEN, Caller, indicator

EXAMPLE = Path(__file__).parents[2] / "docs" / "rooms" / "sharing-example.yaml"
THEIRS = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
SHUT_AWAY = "64993447-4d7e-4f70-b94d-d7f33742ee63"


def old(n, modified="2017-01-27T13:49:53.935Z"):
    """An indicator as STIX 2.0 wrote it."""
    one = indicator(n, modified=modified, labels=["url-watchlist"])
    one["created"] = "2016-11-03T12:30:59.000Z"
    return {k: v for k, v in one.items() if k not in ("spec_version", "pattern_type")}


def medallions():
    return {
        "/discovery": {"title": "Some server", "api_roots": ["http://localhost:5000/trustgroup1/"]},
        "api1": {"information": {"title": "General", "versions": [], "max_content_length": 9765625},
                 "status": [], "collections": []},
        "trustgroup1": {
            "information": {"title": "Malware Research Group", "description": "A trust group",
                            "max_content_length": 9765625},
            "status": [{"id": "2d086da7-4bdc-4f91-900e-d77486753710"}],
            "collections": [
                {"id": THEIRS, "title": "High Value Indicators", "can_read": True,
                 "can_write": True, "media_types": ["application/taxii+json;version=2.1"],
                 "objects": [old(1), indicator(2), old(1, "2016-11-03T12:30:59.000Z"),
                             {**old(3), "__meta": {"date_added": "2017-03-01T00:00:00.000Z"}}],
                 "manifest": [{"id": old(1)["id"], "version": "2016-11-03T12:30:59.000Z",
                               "date_added": "2016-12-27T13:49:53Z"}]},
                {"id": SHUT_AWAY, "title": "Secret", "can_read": False, "can_write": False,
                 "objects": [old(4)]},
            ],
        },
    }  # fmt: skip


USERS = {"users": {"admin": "Password0", "user1": "Password1"}, "taxii": {"max_page_size": 100}}


def test_the_other_servers_file_is_served_as_it_says(node, app):
    load = node.sharing.loader.load
    told = load(node.console_actor(None), medallions(), USERS)
    assert told.refused == []
    assert (told.roots, told.collections, told.objects, told.accounts) == (2, 2, 5, 2)
    again = load(node.console_actor(None), medallions(), USERS)
    assert (again.roots, again.collections, again.objects, again.accounts) == (0, 0, 0, 0)
    assert again.repeated == 5
    caller = Caller(app, "admin", "Password0")
    assert "/taxii2/trustgroup1/" in caller.get("/taxii2/").json()["api_roots"]
    caller.base = "/taxii2/trustgroup1/"
    rights = {c["id"]: (c["can_read"], c["can_write"])
              for c in caller.get("collections/").json()["collections"]}  # fmt: skip
    assert rights == {THEIRS: (True, True), SHUT_AWAY: (False, False)}
    caller.get(f"collections/{SHUT_AWAY}/objects/", 403)
    where = f"collections/{THEIRS}/"
    manifest = caller.get(where + "manifest/", version="all").json()["objects"]
    assert manifest[0]["date_added"] == "2016-12-27T13:49:53.000000Z"
    assert manifest[1]["date_added"] == "2017-03-01T00:00:00.000000Z"
    assert [m["date_added"] for m in manifest] == sorted(m["date_added"] for m in manifest)
    assert {m["media_type"][-3:] for m in manifest} == {"2.0", "2.1"}
    assert "__meta" not in caller.get(where + "objects/").text
    specs = lambda **p: len(caller.get(where + "objects/", **p).json().get("objects", []))  # noqa: E731
    assert (specs(), specs(spec_version="2.0"), specs(spec_version="2.1")) == (3, 2, 1)
    both_specs = {**indicator(5), "modified": "2026-02-01T00:00:00.000Z"}
    caller.add([old(5), both_specs], where=where + "objects/")
    names = caller.get(where + "objects/", id=both_specs["id"], version="all").json()["objects"]
    assert names == [both_specs], "without a filter the newer specification of an object"


def test_passwords_of_a_file_are_not_kept(node):
    from sqlalchemy import select

    from cordon.sharing.tables import AccountRow

    with node.kernel.rows.read() as session:
        secrets = session.scalars(select(AccountRow.secret)).all()
    assert len(secrets) == 2
    assert all(s.startswith("$argon2id$") for s in secrets)


def test_what_is_wrong_is_named_by_its_place_and_the_rest_goes_on(node, app):
    data = copy.deepcopy(DATA)
    first = data["roots"][0]["collections"][0]
    first["objects"] = [indicator(1), {"type": "indicator"}, indicator(2, confidence="high"), 7,
                        indicator(3)]  # fmt: skip
    data["roots"][0]["collections"] += [
        {"id": "nothing", "title": "X"}, {"title": "", "id": OPEN}, "text",
        {"title": "Y", "mark": "TLP:PINK"}, {"title": "Z", "alias": "leads"},
    ]  # fmt: skip
    data["roots"] += [{"name": "UPPER", "title": "X"}, {"name": "later", "title": "L"}, 5]
    data["users"] += [{"name": "no password"}, {"name": "nopass"}, 3,
                      {"name": "red", "password": "x", "cleared": "TLP:RED"},
                      {"name": "far", "password": "x",
                       "rights": [{"collection": "none"}]}]  # fmt: skip
    told = node.sharing.loader.load(node.console_actor(None), data, {})
    places = [at for at, _ in told.refused]
    assert set(places) == {
        "roots[0].collections[0].objects[1]", "roots[0].collections[0].objects[2]",
        "roots[0].collections[0].objects[3]", "roots[0].collections[3]",
        "roots[0].collections[4]", "roots[0].collections[5]", "roots[0].collections[6]",
        "roots[0].collections[7]", "roots[2]", "roots[4]", "users[2]",
        "users[3]", "users[4]", "users[5]", "users[6]",
    }  # fmt: skip
    assert all(why for _, why in told.refused)
    assert (told.roots, told.objects) == (1, 2)
    got = Caller(app).get(f"collections/{OPEN}/objects/").json()["objects"]
    assert [o["name"] for o in got] == ["n1", "n3"]


def test_no_account_is_made_that_a_file_does_not_name(node, supervisor):
    before = {a.name for a in node.sharing.accounts.known(supervisor)}
    told = node.sharing.loader.load(node.console_actor(None), medallions(), {})
    assert told.accounts == 0
    assert {a.name for a in node.sharing.accounts.known(supervisor)} == before


def test_the_example_in_the_docs_loads(node):
    told = node.sharing.loader.load(node.console_actor(None), read_file(EXAMPLE), {})
    assert told.refused == []
    assert (told.roots, told.collections, told.objects, told.accounts) == (1, 2, 1, 1)


@pytest.mark.parametrize("raw", [b"", b"7", b"[1]", b"{", b"\xff\xfe\x00", b"a: [", b"- x"])
def test_what_is_no_data_file_is_refused(tmp_path, raw):
    path = tmp_path / "data.json"
    path.write_bytes(raw)
    with pytest.raises(BadInput, match="data file"):
        read_file(path)
