"""Polling and pushing: between two nodes, and with a peer that does all it can wrong."""

from __future__ import annotations

import httpx
import orjson
import pytest

from cordon.bootstrap import open_node
from cordon.kernel.access.model import Mark
from cordon.kernel.errors import NotFound, Unavailable, WrongSetting
from cordon.settings import Settings
from cordon.sharing.taxii.peers import Link, Peer, PeerFault, Way, linked, read_peers
from support.sharewords import AMBER, DATA, OPEN, SEEN, TAXII, indicator, standing

WAY = Way("leads", "theirs")
DATES = "2026-03-01T00:00:00.{:06d}Z"


@pytest.fixture
def rows_url(sqlite_url):
    """What is kept of a page is tested on both stores by the server's own tests."""
    return sqlite_url


@pytest.fixture
def actor(node):
    return node.console_actor(None)


class Theirs:
    """A peer in the test's hands: a list of objects with dates, and faults to come."""

    def __init__(self, objects, *, page=4, dates=None):
        self.objects, self.page = objects, page
        self.dates = dates or [DATES.format(n) for n in range(len(objects))]
        self.faults: list = []
        self.asked: list[httpx.Request] = []
        self.taken: list = []

    def __call__(self, request):
        self.asked.append(request)
        if self.faults and (fault := self.faults.pop(0)) is not None:
            if isinstance(fault, Exception):
                raise fault
            return fault
        if request.method == "POST":
            got = orjson.loads(request.content)["objects"]
            self.taken.append(got)
            return self.answer({"id": "s", "status": "complete", "failures": []}, 202)
        if not request.url.path.endswith("/objects/"):
            return self.answer({"title": "T", "versions": [TAXII], "max_content_length": 3000})
        query = dict(request.url.params)
        start = int(query["next"]) if "next" in query else sum(
            d <= query.get("added_after", "") for d in self.dates
        )  # fmt: skip
        found = self.objects[start : start + self.page]
        told = {"more": start + self.page < len(self.objects)}
        headers = {}
        if found:
            told["objects"] = found
            headers = {"X-TAXII-Date-Added-Last": self.dates[start + len(found) - 1]}
        if told["more"]:
            told["next"] = str(start + self.page)
        return self.answer(told, headers=headers)

    @staticmethod
    def answer(told, status=200, headers=()):
        return httpx.Response(
            status, content=orjson.dumps(told), headers={"content-type": TAXII, **dict(headers)}
        )

    def link(self, pauses=None, **more):
        peer = Peer("them", "https://them.example/taxii2/r/", **more)
        http = httpx.Client(transport=httpx.MockTransport(self), follow_redirects=False)
        return Link(peer, http, (pauses if pauses is not None else []).append)


def names(node, actor):
    with node.kernel.rows.read() as session:
        from sqlalchemy import select

        from cordon.sharing.tables import ObjectRow

        bodies = session.scalars(select(ObjectRow.body).order_by(ObjectRow.serial)).all()
    return [orjson.loads(b)["name"] for b in bodies]


def test_two_nodes_give_one_another_what_is_new_and_no_more(tmp_path, monkeypatch):
    with standing(tmp_path / "one") as (theirs, address):
        other = {"roots": [{"name": "here", "title": "Here", "collections": [
            {"id": OPEN, "title": "In", "alias": "in", "mark": "TLP:GREEN"},
            {"id": SEEN, "title": "Out", "alias": "out", "mark": "TLP:GREEN"}]}]}  # fmt: skip
        peers = tmp_path / "peers.yaml"
        peers.write_text(
            f"peers: [{{name: them, url: '{address}/taxii2/province', account: both, "
            f"password_env: THEIR_PASSWORD, poll: [{{from: leads, into: in}}], "
            f"push: [{{from: out, into: {SEEN}}}]}}]"
        )
        monkeypatch.setenv("THEIR_PASSWORD", "both-password-1")
        node = open_node(Settings(data=tmp_path / "two", agency="pk-two", taxii_peers=peers))
        try:
            actor = node.console_actor(None)
            assert node.sharing.loader.load(actor, other, {}).refused == []
            given = httpx.Client(
                base_url=address,
                timeout=60,
                auth=("both", "both-password-1"),
                headers={"accept": TAXII, "content-type": TAXII},
            )
            where = f"/taxii2/province/collections/{OPEN}/objects/"
            given.post(where, json={"objects": [indicator(n) for n in range(620)]})
            first = next(node.sharing.move(actor, "poll"))
            assert (first.moved, first.repeated, first.bad) == (620, 0, 0)
            assert next(node.sharing.move(actor, "poll")).moved == 0
            given.post(where, json={"objects": [indicator(2000)]})
            again = next(node.sharing.move(actor, "poll", "them"))
            assert (again.moved, again.repeated) == (1, 0), "it goes on behind the last one"
            out = {"roots": [{"name": "here", "title": "Here", "collections": [
                {"id": SEEN, "title": "Out", "alias": "out", "mark": "TLP:GREEN", "objects": [
                    indicator(1), indicator(2, object_marking_refs=[AMBER]),
                    indicator(3)]}]}]}  # fmt: skip
            node.sharing.loader.load(actor, out, {})
            pushed = next(node.sharing.move(actor, "push"))
            assert (pushed.moved, pushed.bad) == (2, 0)
            assert next(node.sharing.move(actor, "push")).moved == 0
            kept = {
                h.collection.id: h.count for h in theirs.sharing.held(theirs.console_actor(None))
            }
            assert kept[SEEN] == 2, "what is marked above the peer's clearance stays here"
            acts = {e.act for e in node.kernel.ledger.entries(limit=100)}
            assert {"sharing.peer.poll", "sharing.peer.push"} <= acts
            with pytest.raises(NotFound, match="no such peer"):
                list(node.sharing.move(actor, "poll", "others"))
        finally:
            node.close()


def test_a_run_that_is_cut_off_goes_on_and_loses_nothing_of_one_date(node, actor):
    """Ten objects of one date, in pages of four; each run ends after one page."""
    theirs = Theirs([indicator(n) for n in range(10)], dates=[DATES.format(7)] * 10)
    exchange = node.sharing.exchange
    ok = [None]
    cut = [httpx.ConnectError("cut")] * 5
    theirs.faults = ok + cut
    with pytest.raises(Unavailable, match="them was asked 5 times"):
        exchange.poll(actor, theirs.link(), WAY, OPEN)
    assert len(names(node, actor)) == 4
    theirs.faults = []
    told = exchange.poll(actor, theirs.link(), WAY, OPEN)
    assert (told.moved, told.repeated) == (6, 4)
    assert names(node, actor) == [f"n{n}" for n in range(10)]
    assert exchange.poll(actor, theirs.link(), WAY, OPEN).moved == 0


def test_it_tries_again_with_a_growing_pause_and_heeds_retry_after(node, actor):
    theirs, pauses = Theirs([indicator(1)]), []
    theirs.faults = [httpx.Response(503), httpx.ReadTimeout("late"),
                     httpx.Response(429, headers={"retry-after": "7"}),
                     httpx.Response(429, headers={"retry-after": "86400"})]  # fmt: skip
    assert node.sharing.exchange.poll(actor, theirs.link(pauses), WAY, OPEN).moved == 1
    assert pauses[:2] == [2.0, 4.0]
    assert pauses[2:] == [7.0, 60.0], "and for no longer than a minute"


def test_a_bad_object_is_told_and_the_others_are_kept(node, actor):
    things = [indicator(1), 7, {"type": "indicator"}, indicator(2, confidence=-1), indicator(3)]
    told = node.sharing.exchange.poll(actor, Theirs(things).link(), WAY, OPEN)
    assert (told.moved, told.bad) == (2, 3)
    assert [why.split(":")[0] for _, why in told.refused] == ["", "id", "confidence"]
    assert names(node, actor) == ["n1", "n3"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.Response(302, headers={"location": "http://127.0.0.1:1/"}), "lead elsewhere"),
        (httpx.Response(401), "Look at the account"),
        (httpx.Response(403), "right on this collection"),
        (
            httpx.Response(200, content=b"{}", headers={"content-type": "text/html"}),
            "another thing",
        ),
        (httpx.Response(200, content=b"{", headers={"content-type": TAXII}), "no TAXII resource"),
        (httpx.Response(200, content=b"[]", headers={"content-type": TAXII}), "no TAXII resource"),
        (Theirs.answer({"more": True}), "not how to go on"),
        (Theirs.answer({"objects": {"a": 1}}), "without a list"),
    ],
)
def test_an_answer_that_cannot_be_used_ends_the_run_and_says_why(node, actor, answer, says):
    theirs = Theirs([])
    theirs.faults = [answer]
    with pytest.raises(PeerFault, match=says):
        node.sharing.exchange.poll(actor, theirs.link(), WAY, OPEN)
    assert len(theirs.asked) == 1


def test_a_peer_that_leads_in_a_circle_is_left(node, actor):
    theirs = Theirs([])
    theirs.faults = [Theirs.answer({"more": True, "next": "a", "objects": [indicator(1)]})] * 9
    with pytest.raises(PeerFault, match="circle"):
        node.sharing.exchange.poll(actor, theirs.link(), WAY, OPEN)
    assert len(theirs.asked) <= 3


def test_it_asks_the_configured_root_alone_whatever_a_name_or_cursor_holds(node, actor):
    theirs = Theirs([indicator(n) for n in range(3)], page=1)
    theirs.faults = [Theirs.answer({"more": True, "next": "https://evil.example/?x#y&limit=9"}),
                     Theirs.answer({"more": False})]  # fmt: skip
    way = Way("leads", "../../admin?x=/#")
    node.sharing.exchange.poll(actor, theirs.link(), way, OPEN)
    for request in theirs.asked:
        assert request.url.host == "them.example"
        assert request.url.raw_path.startswith(
            b"/taxii2/r/collections/..%2F..%2Fadmin%3Fx%3D%2F%23/"
        )
    assert theirs.asked[1].url.params["next"] == "https://evil.example/?x#y&limit=9"


def test_an_endless_answer_is_cut(node, actor, monkeypatch):
    from cordon.sharing.taxii import peers

    monkeypatch.setattr(peers, "MOST_ANSWER", 1000)
    theirs = Theirs([indicator(1, description="x" * 2000)])
    with pytest.raises(Exception, match="more than"):
        node.sharing.exchange.poll(actor, theirs.link(), WAY, OPEN)


def test_what_is_handed_on_fits_the_peer_and_its_clearance(node, actor):
    things = [indicator(n) for n in range(12)] + [indicator(50, description="x" * 4000)]
    things.append(indicator(51, object_marking_refs=[AMBER]))
    data = {"roots": [DATA["roots"][0] | {"collections": [
        {"id": OPEN, "title": "Leads", "alias": "leads", "mark": "TLP:GREEN",
         "objects": things}]}]}  # fmt: skip
    assert node.sharing.loader.load(actor, data, {}).refused == []
    theirs = Theirs([])
    told = node.sharing.exchange.push(actor, theirs.link(), WAY, OPEN)
    assert (told.moved, told.bad) == (12, 1)
    assert told.refused[0][0] == indicator(50)["id"]
    assert [o["name"] for batch in theirs.taken for o in batch] == [f"n{n}" for n in range(12)]
    for request in theirs.asked:
        assert len(request.content) <= 3000
    theirs.taken.clear()
    node.sharing.exchange.push(actor, theirs.link(cleared=Mark.AMBER), Way("leads", "two"), OPEN)
    assert "n51" in [o["name"] for batch in theirs.taken for o in batch]


def test_a_push_that_is_cut_off_goes_on_behind_what_was_taken(node, actor):
    data = {"roots": [DATA["roots"][0] | {"collections": [
        {"id": OPEN, "title": "Leads", "alias": "leads", "mark": "TLP:GREEN",
         "objects": [indicator(n) for n in range(12)]}]}]}  # fmt: skip
    node.sharing.loader.load(actor, data, {})
    theirs = Theirs([])
    theirs.faults = [None, None, *[httpx.Response(500)] * 5]
    with pytest.raises(Unavailable):
        node.sharing.exchange.push(actor, theirs.link(), WAY, OPEN)
    node.sharing.exchange.push(actor, theirs.link(), WAY, OPEN)
    assert [o["name"] for b in theirs.taken for o in b] == [f"n{n}" for n in range(12)]


def test_a_pending_status_is_asked_again_and_failures_are_told(node, actor):
    data = {"roots": [DATA["roots"][0] | {"collections": [
        {"id": OPEN, "title": "Leads", "alias": "leads", "mark": "TLP:GREEN",
         "objects": [indicator(1), indicator(2)]}]}]}  # fmt: skip
    node.sharing.loader.load(actor, data, {})
    theirs = Theirs([])
    pending = Theirs.answer({"id": "s1", "status": "pending"}, 202)
    done = Theirs.answer({"id": "s1", "status": "complete",
                          "failures": [{"id": indicator(2)["id"], "message": "no"}]})  # fmt: skip
    theirs.faults = [None, pending, Theirs.answer({"id": "s1", "status": "pending"}), done]
    told = node.sharing.exchange.push(actor, theirs.link(), WAY, OPEN)
    assert (told.moved, told.refused) == (1, [(indicator(2)["id"], "no")])
    assert str(theirs.asked[-1].url).endswith("/status/s1/")


WRONG = (
    ("[]", "no data file"),
    ("{peers: 7}", "no list"),
    ("{peers: [7]}", "is an object"),
    ("{peers: [{url: 'https://a/'}]}", "no name"),
    ("{peers: [{name: a, url: 'ftp://a/'}]}", "no address"),
    ("{peers: [{name: a, url: 'https://u:secret1@a/'}]}", "holds a name or password"),
    ("{peers: [{name: a, url: 'http://a.example/'}]}", "not https"),
    ("{peers: [{name: a, url: 'https://a/?x=1'}]}", "no address"),
    ("{peers: [{name: a, url: 'https://a/', password: secret1}]}", "password stands in the file"),
    ("{peers: [{name: a, url: 'https://a/', token: secret1}]}", "token stands in the file"),
    ("{peers: [{name: a, url: 'https://a/', password_env: NOT_SET_ANYWHERE}]}", "environment"),
    ("{peers: [{name: a, url: 'https://a/', password_file: nothing}]}", "No such file"),
    ("{peers: [{name: a, url: 'https://a/', password_file: open}]}", "read by others"),
    ("{peers: [{name: a, url: 'https://a/', cleared: 'TLP:RED'}]}", "named persons"),
    ("{peers: [{name: a, url: 'https://a/', poll: [{from: x}]}]}", "no list of"),
    ("{peers: [{name: a, url: 'https://a/'}, {name: a, url: 'https://b/'}]}", "one name"),
)


def test_a_file_of_peers_that_is_wrong_is_named_without_its_secrets(tmp_path):
    (tmp_path / "open").write_text("x")
    (tmp_path / "open").chmod(0o644)
    for text, says in WRONG:
        path = tmp_path / "peers.yaml"
        path.write_text(text)
        with pytest.raises(WrongSetting, match=says) as told:
            read_peers(path)
        assert "secret1" not in str(told.value), text


def test_secrets_of_peers_come_from_files_and_are_not_shown(tmp_path):
    (tmp_path / "word").write_text("geheim-7\n")
    (tmp_path / "word").chmod(0o600)
    path = tmp_path / "peers.yaml"
    path.write_text("peers: [{name: a, url: 'http://127.0.0.1:9/taxii2/r', account: us, "
                    "password_file: word, poll: [{from: x, into: y}]}]")  # fmt: skip
    (peer,) = read_peers(path)
    assert peer.password == "geheim-7"
    assert peer.url == "http://127.0.0.1:9/taxii2/r/"
    assert "geheim" not in repr(peer)
    assert read_peers(None) == []
    with linked(peer, pause=lambda _s: None) as link, pytest.raises(Unavailable) as told:
        link.get()
    assert "geheim" not in str(told.value)
