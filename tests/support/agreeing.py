"""Two nodes that know each other, with officers, and agreements between them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cordon.bootstrap import open_node
from cordon.kernel.access.model import Actor, Mark, Role
from cordon.kernel.clock import SetClock
from cordon.settings import Settings
from cordon.sharing.agreements.model import Terms
from cordon.sharing.nodes.listener import Listener
from cordon.sharing.nodes.outbox import deliver

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
A, B = "pk-aa", "pk-bb"


def plain(**changed):
    return {
        "title": "Findings on smuggling", "highest": "TLP:AMBER",
        "parties": [
            {"agency": A, "kind": "federal", "gives": True, "receives": True},
            {"agency": B, "kind": "provincial", "gives": True, "receives": True},
        ],
        "classes": ["cases", "exhibits", "findings.calls", "findings.picture"],
        "purposes": ["border_security", "organised_crime"], "handling": ["H0", "H1", "H2"],
        "roles": ["investigator", "supervisor"], "onward": "ask", "third_party": "never",
        "retention_days": 30, "starts": "2026-01-01T00:00:00Z", "ends": "2027-01-01T00:00:00Z",
        **changed,
    }  # fmt: skip


def terms(**changed):
    return Terms.read(plain(**changed))


class Agency:
    """A node with a clock that stands, heard on loopback."""

    def __init__(self, folder, agency, url=None):
        self.code = agency
        self.clock = SetClock(START)
        self.node = open_node(Settings(data=folder, agency=agency, database_url=url), self.clock)
        self.room, self.kernel = self.node.sharing, self.node.kernel
        self.nodes = self.room.nodes
        self.first = self.officer("1", "desk")
        self.second = self.officer("2", "other-desk")
        self.reader = self.officer("3", "desk", Role.INVESTIGATOR)
        self.listener = Listener(self.nodes, "127.0.0.1", 0)
        self.listener.start()

    def officer(self, name, unit, *roles, cleared=Mark.AMBER_STRICT, authority=None):
        roles = frozenset(roles or {Role.SUPERVISOR})
        return Actor(
            f"officer-{name}", f"Person {name}", self.code, unit, roles, cleared, authority
        )

    def card(self):
        return self.nodes.card(self.first, f"Node {self.code}", f"127.0.0.1:{self.listener.port}")

    def carry(self, to):
        """Deliver all that waits for the other."""
        while deliver(self.nodes, self.nodes.peer(to.code)):
            pass

    def entries(self, act):
        from cordon.kernel.ledger import Entry
        from cordon.kernel.ledger.tables import LedgerEntry

        with self.kernel.rows.read() as session:
            found = session.query(LedgerEntry).filter_by(act=act).order_by(LedgerEntry.at)
            return [Entry.from_leaf(row.leaf) for row in found]

    def close(self):
        self.listener.stop()
        self.node.close()


def met(folder, urls=(None, None)):
    """Two agencies whose nodes know each other; urls: of their databases, SQLite without."""
    a, b = Agency(folder / "a", A, urls[0]), Agency(folder / "b", B, urls[1])
    a.nodes.add(a.first, b.card())
    b.nodes.add(b.first, a.card())
    return a, b


def exchange(a, b):
    """Carry what waits, answers too."""
    for _ in range(3):
        a.carry(b)
        b.carry(a)


def agree(a, b, **changed):
    """An agreement in force on both; its id."""
    made = a.room.agreements.draft(a.first, terms(**changed))
    a.room.agreements.sign(a.second, made.id)
    a.carry(b)
    b.room.agreements.sign(b.first, made.id)
    b.carry(a)
    return made.id


def later(agencies, **span):
    for one in agencies:
        one.clock.set(one.clock.now() + timedelta(**span))


def alone(node, folder, finding):
    """On one node: an agreement in force with an agency whose node is only a key, a release that
    it received, one that waits for a second officer, and requests; parts of their addresses."""
    import base64

    from cordon.kernel.ids import new_id
    from cordon.sharing.agreements.model import Handling, Purpose
    from cordon.sharing.nodes.keys import NodeKeys
    from cordon.sharing.nodes.model import Told
    from cordon.sharing.releases.gathering import Asked
    from cordon.sharing.releases.model import digest
    from cordon.sharing.requests.model import RequestKind, Urgency

    room, code, now = node.sharing, node.kernel.agency, node.kernel.clock.now()
    first, second = (
        Actor(f"officer-{n}", n, code, "desk", frozenset({Role.SUPERVISOR}), Mark.AMBER_STRICT)
        for n in "12"
    )
    keys = NodeKeys(folder, "pk-peer", now)
    room.nodes.add(first, keys.card("Peer", "127.0.0.1:9"))
    made = room.agreements.draft(
        first,
        terms(
            parties=[
                {"agency": code, "kind": "federal", "gives": True, "receives": True},
                {"agency": "pk-peer", "kind": "provincial", "gives": True, "receives": True},
            ],
            starts=(now - timedelta(days=1)).isoformat(),
            ends=(now + timedelta(days=9)).isoformat(),
        ),
    )  # fmt: skip
    room.agreements.sign(second, made.id)
    text = made.terms.canonical()
    signed = base64.b64encode(keys.sign(b"cordon agreement v1\n" + text.encode())).decode()
    part = {"ref": "pk-peer:1", "class": "findings.picture", "title": "Zone entry",
            "mark": "TLP:GREEN", "withheld": {"records": 2},
            "body": {"subjects": ["mmsi:463000001"], "kind": "picture.zone_entry",
                     "reasons": [{"says": "It came in.", "value": 12, "unit": "min"}]}}  # fmt: skip
    came = {
        "id": new_id(), "agreement": made.id, "purpose": "border_security", "originator": "pk-peer",
        "marks": {"mark": "TLP:AMBER", "handling": ["H1"], "caveats": ["foreign"]},
        "parts": [part], "sha256": digest([part]), "expires_at": made.terms.plain()["ends"],
    }  # fmt: skip
    asks = {"id": new_id(), "kind": "action", "urgency": "flash", "text": "Stop the boat, please.",
            "basis": "Section 160", "mark": "TLP:AMBER"}  # fmt: skip
    told = [
        ("agreement.signed", {"text": text, "signature": signed}), ("release.sent", came),
        ("request.asked", asks),
    ]  # fmt: skip
    peer = room.nodes.peer("pk-peer")
    for seq, (kind, body) in enumerate(told, 1):
        room.nodes.take(peer, Told(seq, new_id(), kind, body, ""))
    coded = frozenset({Handling.H0, Handling.H1})
    waits = room.releases.send(first, Asked("pk-peer", Purpose.BORDER, (finding,), handling=coded))
    room.requests.ask(
        first, "pk-peer", RequestKind.INFORMATION, Urgency.ROUTINE, "Which boats left?", "Law"
    )
    return {"agreement": made.id, "release": came["id"], "waits": waits.id, "asked": asks["id"]}


KINDS = ("number", "account", "plate", "vessel", "document", "name")
ANSWERS = [*(f"{way}.{kind}" for way in ("match", "standing") for kind in KINDS), "deconfliction"]


def agreed(*sides, **changed):
    """An agreement in force at each of these nodes, signed by each one's key; its id.

    Args:
        sides: what has `kernel` and `nodes`. changed: terms, as of `plain`; without any, all that
            nodes may ask each other, for every purpose.
    """
    import base64

    from cordon.kernel.ids import new_id
    from cordon.sharing.agreements.model import Purpose
    from cordon.sharing.agreements.tables import AgreementRow, SignatureRow

    made = terms(
        **{
            "title": "To ask one another", "classes": ANSWERS, "purposes": sorted(Purpose),
            "parties": [
                {"agency": s.kernel.agency, "kind": "federal", "gives": True, "receives": True}
                for s in sides
            ],
            "starts": "2020-01-01T00:00:00Z", "ends": "2120-01-01T00:00:00Z", **changed,
        }
    )  # fmt: skip
    text = made.canonical()
    signed = [
        (
            s.kernel.agency,
            s.nodes.keys.pem,
            s.nodes.keys.sign(b"cordon agreement v1\n" + text.encode()),
        )
        for s in sides
    ]
    for side in sides:
        own = {
            "agency": side.kernel.agency, "mark": Mark.GREEN, "created_at": side.kernel.clock.now()
        }  # fmt: skip
        with side.kernel.rows.write() as session:
            if session.get(AgreementRow, made.id) is not None:
                continue
            session.add(AgreementRow(id=made.id, text=text, drafted_by="officer-1", **own))
            session.flush()
            for code, pem, signature in signed:
                session.add(
                    SignatureRow(
                        id=new_id(), agreement=made.id, signer=code, certificate=pem,
                        signature=base64.b64encode(signature).decode(), by="officer-2", **own,
                    )
                )  # fmt: skip
    return made.id
