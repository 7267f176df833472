"""Puts a nation together, each part from a random stream of its own, and lets it live."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import numpy as np

from cordon.exercise.model import Truth
from cordon.exercise.worlds.calling.accounts import Accounts
from cordon.exercise.worlds.calling.boxes import Boxes
from cordon.exercise.worlds.calling.causes import Causes
from cordon.exercise.worlds.calling.centres import equip, plan_centres
from cordon.exercise.worlds.calling.circles import build_circles
from cordon.exercise.worlds.calling.complaints import Known, complaints, write_complaints
from cordon.exercise.worlds.calling.daily import Daily
from cordon.exercise.worlds.calling.devices import Devices
from cordon.exercise.worlds.calling.drawing import DAY, Data, drawn
from cordon.exercise.worlds.calling.events import together
from cordon.exercise.worlds.calling.land import build_land
from cordon.exercise.worlds.calling.lines import KINDS, Handsets, Lines
from cordon.exercise.worlds.calling.lives import changes, journeys, kin_abroad
from cordon.exercise.worlds.calling.money import Flows
from cordon.exercise.worlds.calling.people import settle
from cordon.exercise.worlds.calling.register import write_subscribers
from cordon.exercise.worlds.calling.rows import Rows
from cordon.exercise.worlds.calling.shifts import Shift
from cordon.exercise.worlds.calling.staff import Staff
from cordon.exercise.worlds.calling.tables import write_csv
from cordon.exercise.worlds.calling.trade_days import TradeDays
from cordon.exercise.worlds.calling.trades import Trades
from cordon.exercise.worlds.calling.victims import Victims
from cordon.exercise.worlds.calling.whereabouts import Whereabouts

PERSONS = 300_000  # at scale 1
_WATCHED = 32_000  # owner of lines of which the first and last call must be known
_PARTS = (
    "values", "land", "lines", "sets", "people", "kin", "changes", "plan", "circles", "trades",
    "devices", "cards", "boxes", "abroad", "accounts", "payments", "complaints", "register",
    "staff", "days", "causes",
)  # fmt: skip


class Nation:
    """Everything of a world before and while it lives.

    Args:
        data: the YAML. first: local date of the first day. begin, end: span in seconds from
            its midnight.
    """

    def __init__(
        self, data: Data, seed: int, scale: float, first: date, begin: float, end: float
    ) -> None:
        self.money_truths: list[Truth] = []
        self.data, self.first_day, self.begin, self.end = data, first, begin, end
        self.scale = scale
        self.days = int(np.ceil(end / DAY))
        self.weekday = first.weekday()
        streams = np.random.SeedSequence(seed).spawn(len(_PARTS))
        self.streams = dict(zip(_PARTS, streams, strict=True))
        rng = {name: np.random.default_rng(s) for name, s in self.streams.items()}
        self.values = {
            part: drawn(data[part], rng["values"])
            for part in ("land", "people", "circles", "daily", "moving", "rows", "money",
                         "complaints", "staff")
        }  # fmt: skip
        v, networks = self.values, data["networks"]
        n = max(1500, round(PERSONS * scale))
        self.land = build_land(v["land"], networks, scale, n, rng["land"])
        self.lines = Lines(networks, data["foreign"], n, rng["lines"])
        self.sets = Handsets(int(data["first_type"]), int(data["types"]), rng["sets"])
        v["people"]["network_share"] = [w["share"] for w in networks]
        self.people = settle(v["people"], self.land, self.lines, self.sets, n, rng["people"])
        kin = kin_abroad(v["people"], self.people, self.lines, rng["kin"])
        journeys(v["people"], self.people, self.land, end, rng["people"])
        self.renumbered = changes(
            v["people"], self.people, self.lines, self.sets, end, rng["changes"]
        )
        self.trades = Trades(
            data["trades"], self.people, self.lines, self.sets, self.land, scale, self.days,
            rng["trades"],
        )  # fmt: skip
        inside = self.trades.named(data["inside_of"]).spot
        self.centres = plan_centres(
            data["centres"], self.people, self.land, inside, scale, end, rng["plan"]
        )
        teams = [c.team for c in self.centres if c.earlier is None]
        self._commerce(data, scale, rng)
        self.circles = build_circles(v["circles"], self.people, kin, teams, rng["circles"])
        self.victims = Victims()
        self.staff = Staff(v["staff"], self.centres, self.people, self.weekday, rng["staff"])
        self._habits()

    def _commerce(self, data: Data, scale: float, rng: dict[str, np.random.Generator]) -> None:
        """Cards and phones of everybody who does not live an ordinary life."""
        people, lines, n = self.people, self.lines, self.people.persons
        code = lines.named(str(data["codes"][0]), KINDS.index("business"))
        more = data["codes"][1:]
        self.senders = np.array(
            [lines.named(str(c), KINDS.index("business")) for c in more], np.int32
        )
        self.refunds = [lines.named(str(c), -1) for c in data["refund_senders"]]
        self.devices = Devices(
            data["devices"], people, lines, self.sets, self.land, code, scale, self.days,
            rng["devices"],
        )  # fmt: skip
        equip(data["centres"], self.centres, lines, self.sets, rng["cards"])
        kin = people.rate[n : n + people.kin].sum()
        self.boxes = Boxes(
            data["boxes"], people, lines, self.sets, self.land, 1 + len(self.centres), float(kin),
            scale, self.end, rng["boxes"],
        )  # fmt: skip
        leads = max(500, n // 4)
        self.abroad = people.add(leads, line=lines.abroad(leads))
        self.dead = lines.dead(max(400, n // 20))
        moved = np.flatnonzero(self.renumbered)
        lines.owner[people.line[moved]] = _WATCHED
        lines.owner[people.new_line[moved]] = _WATCHED

    def _habits(self) -> None:
        v, people = self.values, self.people
        self.where = Whereabouts(v["moving"], people, self.land, self.weekday)
        self.daily = Daily(v["daily"], people, self.circles, self.weekday, self.senders, self.dead)
        self.trade_days = TradeDays(
            self.trades, self.daily, people, self.land, self.weekday, self.dead
        )
        numbers = self.lines.number[people.line[: people.persons]]
        in_order = np.argsort(numbers, kind="stable").astype(np.int32)
        self.shifts = [
            Shift(
                c, people, self.daily, self.abroad, self.dead,
                self.refunds[c.index % len(self.refunds)], in_order, self.weekday, self.victims,
            )
            for c in self.centres
        ]  # fmt: skip

    def rows(self, path: Path, midnight: datetime) -> Rows:
        """Where the rows go."""
        return Rows(
            path, self.values["rows"], self.people, self.lines, self.sets, self.land, self.where,
            midnight, self.begin, self.end,
        )  # fmt: skip

    def live(self, rows: Rows) -> None:
        """Let every day pass; what reaches into the next day waits for it."""
        left = together([])
        streams = self.streams["days"].spawn(self.days)
        for day, stream in enumerate(streams):
            ordinary, trade, device, box, staff, row, *guilty = (
                np.random.default_rng(s) for s in stream.spawn(6 + len(self.shifts))
            )
            made = self.daily.day(day, ordinary)
            back = self.boxes.divert(made, box)
            parts = [left, made, back, self.trade_days.day(day, trade)]
            parts.append(self.devices.day(day, self.daily, device))
            parts.append(self.staff.day(day, staff))
            parts += [s.day(day, g) for s, g in zip(self.shifts, guilty, strict=True)]
            made = together(parts)
            now = made.t < (day + 1) * DAY
            left = made.where(np.flatnonzero(~now))
            rows.write(made.where(np.flatnonzero(now)), row)

    def write(self, files: Mapping[str, Path], midnight: datetime) -> dict[str, int]:
        """Write everything but the calls and the truth; return rows of each file.

        What was planted in the payments stands in `money_truths` then.
        """
        rng = {name: np.random.default_rng(s) for name, s in self.streams.items()}
        names, v = self.data["names"], self.values
        cells = self.land.table()
        write_csv(files["cells"], cells)
        accounts = Accounts(v["money"], self.people, self.lines, self.centres, rng["accounts"])
        flows = Flows(v["money"], accounts, self.people, self.circles, rng["payments"])
        paid = flows.fraud(self.victims, self.centres)
        for day in range(self.days):
            month_day = date.fromordinal(self.first_day.toordinal() + day).day
            flows.day(day, (self.weekday + day) % 7, month_day)
        causes = Causes(
            self.data["causes"], accounts, self.scale, (self.begin, self.end), rng["causes"]
        )
        causes.into(flows)
        helplines = self.trades.named("helplines").phone
        phones = np.concatenate([self.trades.named(t).phone for t in ("telesales", "pollsters")])
        known = Known(
            self.lines.number_strings().to_pylist(),
            accounts.names().to_pylist(),
            self.people.line[helplines],
            np.concatenate([self.people.line[: self.people.persons], self.people.line[phones]]),
            self.people.line,
            accounts.persons,
        )
        self.money_truths = flows.truths(midnight, self.begin, self.end)
        self.money_truths += causes.truths(accounts.names().to_pylist(), midnight)
        told = complaints(
            v["complaints"], self.centres, self.victims.columns(), paid, known,
            (self.begin, self.end), rng["complaints"],
        )  # fmt: skip
        return {
            "cells": len(cells),
            "subscribers": write_subscribers(
                files["subscribers"], names, self.lines, midnight, rng["register"]
            ),
            "complaints": write_complaints(files["complaints"], told, known, midnight),
            "accounts": accounts.write(files["accounts"], midnight, names, rng["accounts"]),
            "payments": flows.write(files["payments"], midnight, self.begin, self.end),
            "world": 1,
        }
