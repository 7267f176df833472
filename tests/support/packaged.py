"""Packages drafted and sent by officers of two units, for the tests of what they lead to."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import numpy as np

from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Mark, Role, Scope
from cordon.money.disruption import counting
from cordon.money.disruption.tables import PackageRow
from support.ringed import client

WHY = "Block these lines: they defraud people by telephone."


def officer(site, login, unit):
    """A supervisor of a unit of their own."""
    site.node.units.add(site.console, unit, unit)
    site.node.officers.add(
        site.console, login=login, name=f"Officer {login}", roles=[Role.SUPERVISOR], unit=unit,
        cleared=Mark.AMBER_STRICT, password=site.PASSWORD, must_change=False,
    )  # fmt: skip


def drafted(world, http, kind="block_list", **more):
    """The id of a package with all that the form offers."""
    form = http.get(f"/money/packages/new?kind={kind}&ring={world.ring}").text
    keys = re.findall(r'name="item" value="([^"]+)"[^>]*checked', form)
    data = {"kind": kind, "ring": world.ring, "item": keys, "addressee": "The regulator",
            "why": WHY, "days": "90"} | more  # fmt: skip
    answer = http.post("/money/packages", data=data)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rsplit("/", 1)[-1]


def sent(world, inv, package):
    second = client(world, "second")
    assert second.post(f"/money/packages/{package}/approve").status_code == 303
    assert inv.post(f"/money/packages/{package}/send").status_code == 303


def row(world, package):
    with world.node.kernel.rows.read() as session:
        return session.get_one(PackageRow, package)


def _complaint(id_, payer, payments, why):
    return {
        "id": id_, "received": "2026-02-20", "account": "PK-ACC-77", "amount": "110.00",
        "currency": "PKR", "payer": payer, "payments": payments, "paid": "100.00",
        "paid_currency": "PKR", "why": why, "again": "",
    }  # fmt: skip


def on_pages(node, reference, ring):
    """A block list that was sent, with counts after it, and a freeze request with its recovery.

    What the calls of an exercise do not tell, payments and weeks of counts, is written as rows.
    """
    import math

    from cordon.kernel.ids import new_id
    from cordon.money.disruption.model import Kind
    from cordon.money.disruption.tables import CountedRow, PackageItemRow, RecoveryRow
    from cordon.money.effect import effect

    console = node.console_actor(None)
    inv = node.officers.by_login(console, "investigator").actor()
    second = node.officers.by_login(console, "supervisor").actor()
    block = Draft(
        basis="telecom_blocking", reference="LA-BLOCK", issuer="The telecom authority",
        scope=Scope(frozenset({"calls", "payments"})), valid_from=node.kernel.clock.now(),
        valid_until=node.kernel.clock.now() + timedelta(days=20),
    )  # fmt: skip
    node.authorities.record(inv, block, io.BytesIO(b"A direction."))
    inv = node.authorities.under(inv, reference)
    room = node.disruption
    form = room.form(inv, Kind.BLOCK_LIST, ring=ring)
    more = {"ring": ring, "why": WHY, "addressee": "The telecom regulator", "days": "90",
            "legal_authority": block.reference}  # fmt: skip
    made = [
        room.draft(inv, Kind.BLOCK_LIST, keys=[c.key for c in form.choices], **more)
        for _ in range(2)
    ]
    room.approve(second, made[0])
    room.send(inv, made[0])
    own = [4 + round(2 * math.sin(n)) for n in range(56)] + [n % 2 for n in range(28)]
    alone = [[5 + round(2 * math.sin(n + ring)) for n in range(84)] for ring in range(5)]
    told = effect(np.array(own), np.array(alone), 56)
    with node.kernel.rows.write() as session:
        sent = session.get_one(PackageRow, made[0])
        frozen = {c.name: getattr(sent, c.name) for c in PackageRow.__table__.columns}
        freeze = new_id()
        frozen |= {
            "id": freeze, "number": 900, "kind": "freeze", "state": "answered",
            "addressee": "Example Bank",
            "answer": {"reference": "EB-1", "says": "It is on hold.", "frozen": {"1": "90.00"}},
        }  # fmt: skip
        session.add(PackageRow(**frozen))
        session.flush()
        session.add(
            PackageItemRow(
                package=freeze, place=1, subject="account:PK-ACC-77", finding="f",
                bank="Example Bank", amount="120.00", currency="PKR",
            )
        )  # fmt: skip
        of = {"agency": sent.agency, "mark": sent.mark, "created_at": sent.created_at}
        session.add(
            CountedRow(
                id=new_id(), package=made[0], kind="block_list", measure="handsets",
                first="2026-01-05", at=56, own=own, expected=[4.5] * 84,
                figure=counting.figure_values(told), why="", **of,
            )
        )  # fmt: skip
        session.add(
            RecoveryRow(
                id=new_id(), package=freeze, method="fifo",
                lines=[{"account": "PK-VIC-1", "currency": "PKR", "lost": "100.00",
                        "stays": "40.00", "left": "60.00", "returned": {"PK-ACC-77": "34.18"},
                        "complaints": ["CMP-1"], "complained": "110.00"}],
                complaints=[_complaint("CMP-1", "PK-VIC-1", 1, ["payer", "day", "other_sum"]),
                            _complaint("CMP-2", "", 0, ["none"])],
                sums={"PKR": {"lost": "165.33", "frozen": "90.00", "returned": "90.00"}}, **of,
            )
        )  # fmt: skip
    return {"package": made[0], "drafted": made[1], "freeze": freeze}
