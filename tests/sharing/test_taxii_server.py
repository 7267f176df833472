"""The TAXII 2.1 server as the standard asks, and where known servers fail."""

from __future__ import annotations

import random
import shutil
from contextlib import ExitStack

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, insert, select, update

from cordon.bootstrap import open_node
from cordon.settings import Settings
from cordon.sharing.tables import AccountRow, CollectionRow, ObjectRow, RightRow, StatusRow
from cordon.web.app import create_app
from support.sharewords import AMBER, DATA, GREEN, OPEN, RED, SEEN, SHUT, TAXII, indicator

HERE = f"collections/{OPEN}/"
OBJECTS = HERE + "objects/"
NEW_YEAR = "2026-01-01T00:00:00.000Z"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def kept(request, tmp_path_factory):
    """One node for the file with its application, and what was loaded into it."""
    folder = tmp_path_factory.mktemp("taxii")
    with ExitStack() as stack:
        if request.param == "sqlite":
            shutil.copyfile(request.getfixturevalue("migrated_sqlite"), folder / "node.db")
            url = f"sqlite:///{folder / 'node.db'}"
        else:
            url = stack.enter_context(request.getfixturevalue("copy_of_postgres")())
        made = open_node(Settings(data=folder / "data", database_url=url, agency="pk-demo"))
        stack.callback(made.close)
        assert made.sharing.loader.load(made.console_actor(None), DATA, {}).refused == []
        with made.kernel.rows.read() as session:
            rows = {
                table: [dict(r) for r in session.execute(select(table.__table__)).mappings()]
                for table in (AccountRow, CollectionRow, RightRow)
            }
        yield made, create_app(made), rows


@pytest.fixture
def node(kept):
    """The file's node, its collections empty and its accounts and rights as they were loaded."""
    made, _, rows = kept
    with made.kernel.rows.write() as session:
        for table in (ObjectRow, StatusRow, RightRow):
            session.execute(delete(table))
        for table in (AccountRow, CollectionRow):
            for row in rows[table]:
                session.execute(update(table).where(table.id == row["id"]).values(**row))
        session.execute(insert(RightRow), rows[RightRow])
    made.sharing.accounts._tries._buckets.clear()
    return made


@pytest.fixture
def app(kept, node):
    return kept[1]


def ids(got):
    return [o["id"] for o in got.json().get("objects", [])]


def all_pages(caller, path=OBJECTS, **params):
    found, cursor, pages = [], {}, 0
    while True:
        got = caller.get(path, **(params | cursor))
        found += got.json().get("objects", [])
        pages += 1
        if not got.json()["more"]:
            return found, pages
        cursor = {"next": got.json()["next"]}


def test_discovery_roots_and_collections(both, reader):
    told = both.get("/taxii2/").json()
    assert told["api_roots"] == ["/taxii2/province/", "/taxii2/empty/"]
    assert told["title"]
    root = both.get("").json()
    assert root["versions"] == [TAXII]
    assert root["max_content_length"] == 200_000
    rights = {
        c["id"]: (c["can_read"], c["can_write"])
        for c in both.get("collections/").json()["collections"]
    }
    assert rights == {OPEN: (True, True), SEEN: (False, True)}, "no right: not there at all"
    assert both.get("collections/leads/").json() == both.get(HERE).json()
    assert reader.get(f"collections/{SEEN}/").json()["can_read"] is False
    assert both.get("/taxii2/empty/collections/").json() == {}
    for path in ("/taxii2/none/", f"collections/{SHUT}/", f"collections/{SHUT}/objects/",
                 "collections/none/manifest/", "status/0199/",
                 "/taxii2/province/strange/"):  # fmt: skip
        told = both.get(path, 404).json()
        assert told["http_status"] == "404"
        assert told["title"]


def test_rights_are_told_as_the_standard_says(both, reader):
    for path in ("objects/", "manifest/", "objects/x/", "objects/x/versions/"):
        assert reader.get(f"collections/{SEEN}/{path}", 403).json()["http_status"] == "403"
    reader.add([indicator()], 403)
    reader.delete(OBJECTS + indicator()["id"] + "/", 403)
    both.add([indicator()], 404, f"collections/{SHUT}/objects/")
    both.add([indicator()], where=f"collections/{SEEN}/objects/")
    both.delete(f"collections/{SEEN}/objects/{indicator()['id']}/", 403)


TAKEN = (
    TAXII, "application/taxii+json", "Application/TAXII+JSON ; Version=2.1",
    "application/taxii+json; charset=utf-8; version=2.1",
    'application/taxii+json;version="2.1"', "text/html, application/taxii+json;q=0.5;version=2.1",
    "*/*", "application/*", None,
)  # fmt: skip
NOT_TAKEN = (
    "application/json", "text/html", "application/taxii+json;version=2.0",
    "application/vnd.oasis.taxii+json; version=2.0", "application/taxii+json;q=0",
)  # fmt: skip


def test_every_way_to_accept_taxii_is_taken_and_others_are_refused(both):
    for accept in TAKEN:
        both.get(OBJECTS, accept=accept)
    for accept in NOT_TAKEN:
        told = both.get("", 406, accept=accept).json()
        assert told["http_status"] == "406"
        assert TAXII in told["description"]


def test_bodies_of_another_type_are_refused(both):
    for kind in ("application/json", "application/stix+json;version=2.1", None):
        assert both.add([indicator()], 415, kind=kind).json()["http_status"] == "415"
    both.add([indicator()], kind="APPLICATION/taxii+json; version=2.1; charset=utf-8")


def test_who_does_not_sign_in_is_refused(app, node):
    nobody = TestClient(app)
    for path in ("/taxii2/", "/taxii2/province/", f"/taxii2/province/{OBJECTS}", "/taxii2/x/y"):
        got = nobody.get(path, headers={"accept": TAXII})
        assert got.status_code == 401
        assert got.headers["www-authenticate"].startswith("Basic ")
        assert got.json()["http_status"] == "401"
    for name, password in (("both", "wrong"), ("nobody", "x"), ("", ""), ("bo:th", "x")):
        got = TestClient(app).get("/taxii2/", auth=(name, password), headers={"accept": TAXII})
        assert got.status_code == 401
    for broken in ("Basic", "Basic !!!", "Basic gA==", "basic Zm9v"):
        got = nobody.get("/taxii2/", headers={"accept": TAXII, "authorization": broken})
        assert got.status_code == 401, broken
    # and nowhere else does a service account's password open anything
    assert TestClient(app).get("/sharing", auth=("both", "both-password-1"),
                               follow_redirects=False).status_code == 303  # fmt: skip


def test_guessing_has_an_end(app):
    guesser = TestClient(app)
    seen = {guesser.get("/taxii2/", auth=("both", f"g{i}")).status_code for i in range(25)}
    assert seen == {401, 429}


def test_objects_come_back_as_they_went(both):
    things = [indicator(n, labels=["Ä", "پاکستان"], x_own=[1.5, None, {"a": []}]) for n in range(3)]
    status = both.add(things).json()
    assert (status["status"], status["total_count"], status["success_count"]) == ("complete", 3, 3)
    assert (status["failure_count"], status["pending_count"]) == (0, 0)
    assert {s["id"] for s in status["successes"]} == {t["id"] for t in things}
    assert both.get(f"status/{status['id']}/").json() == status
    got = both.get(OBJECTS)
    assert got.json()["objects"] == things
    manifest = both.get(HERE + "manifest/").json()["objects"]
    assert [m["id"] for m in manifest] == ids(got)
    assert {m["version"] for m in manifest} == {"2026-01-01T00:00:00.000Z"}
    assert {m["media_type"] for m in manifest} == {"application/stix+json;version=2.1"}
    assert got.headers["x-taxii-date-added-first"] == manifest[0]["date_added"]
    assert got.headers["x-taxii-date-added-last"] == manifest[-1]["date_added"]


def test_a_status_is_for_who_sent_it(both, reader):
    id_ = both.add([indicator()]).json()["id"]
    reader.get(f"status/{id_}/", 404)
    both.get(f"/taxii2/empty/status/{id_}/", 404)


def test_the_same_twice_adds_nothing(both):
    both.add([indicator(1), indicator(1)])
    again = both.add([indicator(1)]).json()
    assert again["success_count"] == 1
    assert len(ids(both.get(OBJECTS, version="all"))) == 1
    address = {"type": "ipv4-addr", "spec_version": "2.1", "value": "198.51.100.1",
               "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd"}  # fmt: skip
    both.add([address])
    both.add([address])
    assert len(ids(both.get(OBJECTS, type="ipv4-addr", version="all"))) == 1


def test_pages_are_whole_and_once_whatever_the_limit(both):
    things = [indicator(n) for n in range(57)]
    both.add(things)
    for limit in (1, 7, 56, 57, 58, 5000):
        found, pages = all_pages(both, limit=limit)
        assert found == things
        assert pages == -(-57 // limit)
        listed, _ = all_pages(both, HERE + "manifest/", limit=limit)
        assert [m["id"] for m in listed] == [t["id"] for t in things]
    only, _ = all_pages(both, limit=3, type="indicator", version="all")
    assert only == things


def test_added_after_goes_with_next_and_misses_nothing(both):
    both.add([indicator(n) for n in range(20)])
    first = both.get(OBJECTS, limit=8)
    after = first.headers["x-taxii-date-added-last"]
    rest, pages = all_pages(both, limit=5, added_after=after)
    assert [o["name"] for o in rest] == [f"n{n}" for n in range(8, 20)]
    assert pages == 3
    # what is added between two pages comes at the end, and nothing comes twice
    begun = both.get(OBJECTS, limit=5, added_after=after).json()
    both.add([indicator(n) for n in range(20, 24)])
    more, _ = all_pages(both, limit=5, added_after=after, next=begun["next"])
    assert [o["name"] for o in begun["objects"] + more] == [f"n{n}" for n in range(8, 24)]


def test_an_empty_page_has_no_dates_and_no_objects(both):
    both.add([indicator()])
    for params in ({"added_after": "2999-01-01T00:00:00Z"}, {"type": "malware"}, {"id": "x"}):
        for path in (OBJECTS, HERE + "manifest/"):
            got = both.get(path, **params)
            assert got.json() == {"more": False}
            assert not [h for h in got.headers if h.startswith("x-taxii")]


WRONG = (
    {"limit": "0"}, {"limit": "-1"}, {"limit": "ten"}, {"limit": "1.5"}, {"limit": "٣"},
    {"added_after": "yesterday"}, {"added_after": "2026-01-01"}, {"next": "AAAA"},
    {"next": "x" * 5000}, {"match[colour]": "red"}, {"version": "newest"},
)  # fmt: skip


def test_a_wrong_parameter_is_named(both):
    for params in WRONG:
        told = both.get(OBJECTS, 400, **params).json()
        name = next(iter(params))
        named = "match[" if name.startswith(("version", "match")) else name
        assert named in told["description"]


def test_a_cursor_fits_one_collection_alone(both, node):
    both.add([indicator(n) for n in range(3)])
    cursor = both.get(OBJECTS, limit=1).json()["next"]
    assert node.sharing.server._cursors.read(OPEN, cursor) == 1
    with pytest.raises(Exception, match="next"):
        node.sharing.server._cursors.read(SHUT, cursor)
    spoilt = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    both.get(OBJECTS, 400, next=spoilt)


def versioned():
    base = indicator(9)
    return [base | {"modified": f"2026-0{m}-01T00:00:00.000Z", "name": f"v{m}"} for m in (1, 3, 2)]


def test_versions_of_an_object(both):
    both.add([*versioned(), indicator(1)])
    one = OBJECTS + versioned()[0]["id"] + "/"
    names = lambda **p: [o["name"] for o in both.get(one, **p).json().get("objects", [])]  # noqa: E731
    assert names() == ["v3"]
    assert names(version="last") == ["v3"]
    assert names(version="first") == ["v1"]
    assert names(version="all") == ["v1", "v3", "v2"]
    assert names(version="2026-02-01T00:00:00Z") == ["v2"], "equal times, however written"
    assert names(version="first,2026-02-01T00:00:00.000Z,last") == ["v1", "v3", "v2"]
    assert sorted(o["name"] for o in both.get(OBJECTS).json()["objects"]) == ["n1", "v3"]
    got = both.get(one + "versions/").json()
    assert got["versions"] == [f"2026-0{m}-01T00:00:00.000Z" for m in (1, 3, 2)]
    both.get(OBJECTS + indicator(77)["id"] + "/", 404)
    both.get(OBJECTS + indicator(77)["id"] + "/versions/", 404)


def test_filters_take_lists_and_narrow_together(both):
    malware = {"type": "malware", "spec_version": "2.1", "is_family": False,
               "id": "malware--fdd60b30-b67c-41e3-b0b9-f01faf20d111",
               "created": NEW_YEAR, "modified": NEW_YEAR}  # fmt: skip
    both.add([indicator(1), malware, indicator(2)])
    assert len(ids(both.get(OBJECTS, type="malware,indicator"))) == 3
    assert ids(both.get(OBJECTS, type="malware")) == [malware["id"]]
    wanted = f"{indicator(2)['id']},{malware['id']},nothing"
    assert ids(both.get(OBJECTS, id=wanted)) == [malware["id"], indicator(2)["id"]]
    assert ids(both.get(OBJECTS, id=wanted, type="indicator")) == [indicator(2)["id"]]
    assert len(ids(both.get(OBJECTS, spec_version="2.1"))) == 3
    assert len(ids(both.get(OBJECTS, spec_version="2.0,2.1"))) == 3
    assert ids(both.get(OBJECTS, spec_version="2.0")) == []
    both.get(OBJECTS, 400, type=",".join(f"t{n}" for n in range(501)))


def test_deleting_takes_what_was_asked(both, reader):
    both.add([*versioned(), indicator(1)])
    one = OBJECTS + versioned()[0]["id"] + "/"
    both.delete(one, **{"match[version]": "2026-03-01T00:00:00.000Z"})
    assert both.get(one).json()["objects"][0]["name"] == "v2", "the one before is the last now"
    both.delete(one)
    both.get(one, 404)
    both.delete(one, 404)
    assert [o["name"] for o in both.get(OBJECTS).json()["objects"]] == ["n1"]


def test_a_bad_envelope_names_the_object_and_the_property(both):
    good = indicator(1)
    for body, where in (
        ([], {"property": "objects"}),
        ({}, {"property": "objects"}),
        ({"objects": {}}, {"property": "objects"}),
        ({"objects": [good], "type": "bundle"}, {"property": "type"}),
        ({"objects": [good], "other": 1}, {"property": "other"}),
        ([good, 7], {"index": "1", "property": ""}),
        ([good, {"type": "indicator"}], {"index": "1", "property": "id"}),
        ([good, {"id": good["id"]}], {"index": "1", "id": good["id"], "property": "type"}),
        ([{**good, "type": "malware"}], {"index": "0", "id": good["id"], "property": "id"}),
        ([{**good, "valid_from": "soon"}],
         {"index": "0", "id": good["id"], "property": "valid_from"}),
        ([{k: v for k, v in good.items() if k != "pattern"}],
         {"index": "0", "id": good["id"], "property": "pattern"}),
    ):  # fmt: skip
        told = both.add(body, 422).json()
        assert told["details"] == where, body
        assert told["http_status"] == "422"
    assert both.get(OBJECTS).json() == {"more": False}, "and nothing was kept"
    for raw in (b"", b"{", b'{"objects":[NaN]}', b"\xff\xfe", b'"text"', b"[" * 100_000):
        got = both.http.post(both.base + OBJECTS, content=raw,
                             headers={"accept": TAXII, "content-type": TAXII})  # fmt: skip
        assert got.status_code == 422
        assert got.headers["content-type"] == TAXII


def test_one_bad_object_does_not_stop_the_others(both):
    bad = indicator(2, confidence=101)
    status = both.add([indicator(1), bad, indicator(3)]).json()
    assert (status["success_count"], status["failure_count"]) == (2, 1)
    assert status["failures"][0]["id"] == bad["id"]
    assert "confidence" in status["failures"][0]["message"]
    assert len(ids(both.get(OBJECTS))) == 2


def test_more_than_the_root_takes_is_refused(both):
    told = both.add([indicator(1, description="x" * 200_000)], 413).json()
    assert told["http_status"] == "413"
    assert "200000" in told["description"]

    def endless():
        for _ in range(100):
            yield b" " * 10_000

    got = both.http.post(both.base + OBJECTS, content=endless(),
                         headers={"accept": TAXII, "content-type": TAXII})  # fmt: skip
    assert got.status_code == 413


def test_marks_above_the_account_are_never_served(both, reader, app, node):
    """Not as objects, counts, versions, manifest, nor by their ids; the loosest version stands."""
    secret = indicator(5, object_marking_refs=[AMBER])
    part = indicator(6, granular_markings=[{"selectors": ["name"], "marking_ref": AMBER}])
    red = indicator(7, object_marking_refs=[GREEN, RED])
    older = indicator(8)
    newer = older | {"modified": "2026-05-01T00:00:00.000Z", "object_marking_refs": [AMBER]}
    both.add([indicator(1), secret, part, red, older, newer, indicator(2)])
    low, high = {"n1", "n8", "n2"}, {"n1", "n5", "n6", "n8", "n2"}
    for caller, seen, versions in ((both, low, 1), (reader, high, 2)):
        found, _ = all_pages(caller, limit=1)
        assert {o["name"] for o in found} == seen
        assert len(found) == len(seen)
        listed, _ = all_pages(caller, HERE + "manifest/", limit=2, version="all")
        assert len({m["id"] for m in listed}) == len(seen)
        assert len(caller.get(OBJECTS + older["id"] + "/versions/").json()["versions"]) == versions
        caller.get(OBJECTS + red["id"] + "/", 404)
        assert ids(caller.get(OBJECTS, id=red["id"], version="all")) == []
    both.get(OBJECTS + secret["id"] + "/", 404)
    both.get(OBJECTS + secret["id"] + "/versions/", 404)
    both.delete(OBJECTS + secret["id"] + "/", 404)
    assert both.get(OBJECTS + older["id"] + "/").json()["objects"] == [older]
    assert reader.get(OBJECTS + older["id"] + "/").json()["objects"] == [newer]


def test_an_unknown_marking_is_for_nobody_until_it_is_known(both, reader):
    statement = {"type": "marking-definition", "spec_version": "2.1",
                 "definition_type": "statement",
                 "id": "marking-definition--6b5bd6a0-1c6e-4d8b-a0a7-0d5a0a4d5c11",
                 "created": NEW_YEAR, "definition": {"statement": "(c)"}}  # fmt: skip
    waiting = indicator(1, object_marking_refs=[statement["id"]])
    both.add([waiting, indicator(2)])
    begun = both.get(OBJECTS)
    assert [o["name"] for o in begun.json()["objects"]] == ["n2"]
    assert ids(reader.get(OBJECTS, version="all")) == [indicator(2)["id"]]
    both.add([statement])
    after = begun.headers["x-taxii-date-added-last"]
    found, _ = all_pages(both, added_after=after)
    assert [o.get("name", o["type"]) for o in found] == ["marking-definition", "n1"], (
        "whoever had read on sees it all the same"
    )
    unknown = statement | {"id": statement["id"][:-1] + "2", "definition_type": "x-caveat",
                           "definition": {"x": "y"}}  # fmt: skip
    both.add([indicator(3, object_marking_refs=[unknown["id"]]), unknown])
    assert "n3" not in str(all_pages(reader, version="all"))


def test_who_has_no_rights_any_more_reads_nothing(both, node, supervisor):
    both.add([indicator(1)])
    both.get(OBJECTS)
    account = next(a for a in node.sharing.accounts.known(supervisor) if a.name == "both")
    node.sharing.accounts.grant(supervisor, account.id, OPEN, False, True)
    both.get(OBJECTS, 403)
    node.sharing.accounts.revoke(supervisor, account.id, "The agreement has ended.")
    got = both.http.get("/taxii2/", headers={"accept": TAXII})
    assert got.status_code == 401, "at once, though its password was remembered"


def test_a_token_with_the_acts_and_rights_reads(app, node, both):
    from datetime import timedelta

    both.add([indicator(1)])
    made = node.tokens.issue(
        node.console_actor(None), "partner", ["sharing.collection.view", "sharing.object.view"],
        timedelta(days=1),
    )  # fmt: skip
    caller = TestClient(app, headers={"authorization": f"Bearer {made.secret}", "accept": TAXII})
    where = f"/taxii2/province/{OBJECTS}"
    assert caller.get(where).status_code == 404
    data = {"roots": [{"name": "province", "title": "Province", "max_content_length": 200_000,
            "collections": [{"id": OPEN, "title": "Leads", "alias": "leads", "mark": "TLP:GREEN",
                             "tokens": {made.token.id: {"read": True}}}]}]}  # fmt: skip
    assert node.sharing.loader.load(node.console_actor(None), data, {}).refused == []
    assert len(caller.get(where).json()["objects"]) == 1
    got = caller.post(where, content=b"{}", headers={"content-type": TAXII})
    assert got.status_code == 403


def test_every_request_stands_in_the_ledger(both, node):
    before = node.kernel.ledger.size()
    both.add([indicator(n) for n in range(4)])
    both.get("/taxii2/")
    both.get("collections/")
    both.get(OBJECTS, limit=3)
    both.get(HERE + "manifest/", type="malware")
    both.get(f"collections/{SEEN}/objects/", 403)
    entries = node.kernel.ledger.entries(limit=10)
    assert node.kernel.ledger.size() - before >= 5
    told = [(e.act, e.outcome, e.detail.get("count", e.detail.get("new"))) for e in entries]
    assert ("sharing.object.add", "done", 4) in told
    assert ("sharing.object.view", "read", 3) in told
    assert ("sharing.object.view", "read", 0) in told
    assert all("n1" not in str(e.detail) for e in entries)


@pytest.mark.parametrize("seed", range(3))
def test_pages_never_lose_or_repeat_while_others_write(both, reader, seed):
    """Objects, versions, marks and limits at random, against a plain reckoning."""
    dice = random.Random(seed)
    kept: dict[str, list[dict]] = {}
    for _ in range(6):
        batch = []
        for _ in range(dice.randrange(1, 25)):
            n = dice.randrange(30)
            marks = dice.choice(
                [{}, {"object_marking_refs": [AMBER]}, {"object_marking_refs": [GREEN]}]
            )
            one = indicator(n, modified=f"2026-0{dice.randrange(1, 8)}-01T00:00:00.000Z", **marks)
            if all(o["modified"] != one["modified"] for o in kept.setdefault(one["id"], [])):
                kept[one["id"]].append(one)
                batch.append(one)
        if batch:
            both.add(batch)
    for caller, hidden in ((both, {AMBER}), (reader, set())):
        seen = {
            i: [v for v in vs if not hidden & set(v.get("object_marking_refs", ()))]
            for i, vs in kept.items()
        }
        last = [max(vs, key=lambda v: v["modified"]) for vs in seen.values() if vs]
        first = [min(vs, key=lambda v: v["modified"]) for vs in seen.values() if vs]
        every = [v for vs in seen.values() for v in vs]
        key = lambda v: (v["id"], v["modified"])  # noqa: E731
        for asked, expected in (
            ({}, last),
            ({"version": "first"}, first),
            ({"version": "all"}, every),
        ):
            found, _ = all_pages(caller, limit=dice.randrange(1, 9), **asked)
            assert sorted(map(key, found)) == sorted(map(key, expected))
            typed, _ = all_pages(caller, limit=4, type="indicator", **asked)
            assert sorted(map(key, typed)) == sorted(map(key, expected))
