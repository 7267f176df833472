"""Customer statements of SWIFT: MT940 (and MT942), as banks export them.

Source: SWIFT Standards MT, category 9. Field 86 is free: banks write the other account there as
an IBAN, under ?31 or ?38 (the German DFÜ agreement, annex 3), or after /IBAN/ or /ORDP/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO

from cordon.money.accounts import checks, is_iban
from cordon.money.bank.told import IBAN, Clock, Told, reference, references, short

_FIELD = re.compile(r"^:(\d{2}[A-Z]?):")
_LINE = re.compile(
    r"^(?P<value>\d{6})(?P<booked>\d{4})?(?P<way>R?[CD])(?P<funds>[A-Z])?"
    r"(?P<amount>\d{1,15},\d{0,4})(?P<kind>[NFS][A-Z0-9]{3})(?P<own>[^/\r\n]*)(?://(?P<bank>.*))?"
)
_OTHER = re.compile(r"\?31([^?\r\n]+)|\?38([^?\r\n]+)|/(?:IBAN|ACCW)/([^/\r\n]+)")
_BANK = re.compile(r"\?30([^?\r\n]+)|/BIC/([^/\r\n]+)")
_END_TO_END = re.compile(r"(?:EREF\+|/EREF/)([^?/+]+)")
_PART = re.compile(r"\?\d\d|/[A-Z]{4}/")
# transaction type identification codes (field 61, subfield 6)
_CHANNELS = {"NMSC": None, "NTRF": "transfer", "NCMI": "transfer", "NCHK": None, "NATM": "cash_out",
             "NCSH": "cash_in", "NPOS": "card", "FTRF": "foreign"}  # fmt: skip
MOST_LINES = 100  # of one field


@dataclass(slots=True)
class _Field:
    tag: str
    line: int
    text: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Statement:
    """What stands before the lines of a statement: whose it is, its own name, lines so far."""

    account: str = ""
    currency: str = ""
    named: dict[str, str] = field(default_factory=dict)
    lines: int = 0
    opening: Decimal | None = None  # of the page, where it tells one
    moved: Decimal = Decimal()

    def opens(self, balance: Decimal | None) -> None:
        """Fields 60F and 60M: what the page begins with."""
        self.opening, self.moved = balance, Decimal()

    def moves(self, line: str) -> None:
        """Field 61: a line that is none leaves it open what the page ends with."""
        found = _LINE.match(line.strip())
        if found is None:
            self.opening = None
            return
        amount = Decimal(found["amount"].replace(",", ".").rstrip("."))
        self.moved += amount if found["way"] in ("C", "RD") else -amount

    def begins(self, tag: str, text: str) -> None:
        """Field 20 (its sender's reference) or 28C (number of statement and page)."""
        if tag == "20":
            self.named = {}
        self.named[tag[:2]] = reference(text)
        self.lines = 0

    @property
    def name(self) -> str:
        return "/".join(self.named.values())


def read(raw: IO[bytes], _name: str, clock: Clock) -> Iterator[Told]:
    """Payments of statements, one a line of field 61."""
    of = _Statement()
    held: _Field | None = None
    for one in _fields(raw):
        if held is not None and one.tag == "86":
            yield _payment(held, one, of, clock)
            held = None
            continue
        if held is not None:
            yield _payment(held, None, of, clock)
            held = None
        if one.tag in ("20", "28C", "28"):
            of.begins(one.tag, one.text[0])
        elif one.tag in ("25", "25P"):
            # “bank/account” of national form, or an IBAN, now and then with its currency behind
            of.account = _own(one.text[0].strip())
            of.currency = ""
            if is_iban(of.account) and not checks(of.account) and checks(of.account[:-3]):
                of.account = of.account[:-3]
        elif one.tag in ("60F", "60M", "34F"):
            _begins(one, of, clock)
        elif one.tag == "61":
            held = one
            of.lines += 1
            of.moves(one.text[0])
        elif one.tag in ("62F", "62M"):
            closing = _balance(one.text[0])
            if of.opening is not None and closing is not None:
                clock.closes(one.line, of.opening, of.moved, closing)
            of.opens(None)
    if held is not None:
        yield _payment(held, None, of, clock)


def _begins(one: _Field, of: _Statement, clock: Clock) -> None:
    """Fields 60F and 60M: the balance that a statement or page begins with; 34F: its currency."""
    text = one.text[0].strip()
    found = re.match(r"[CD]?\d{0,6}([A-Z]{3})", text)
    of.currency = found.group(1) if found else of.currency
    if of.currency and re.fullmatch(rf"[0-9A-Z/]*\d{{8,}}{of.currency}", of.account):
        of.account = of.account[:-3]
    of.opens(_balance(text) if one.tag != "34F" else None)
    if of.opening is not None and of.opening > 0 and one.tag == "60F":
        # 60M is of a page between; a debit is no money held
        clock.opens(f"20{text[1:3]}-{text[3:5]}-{text[5:7]}", of.account, f"{of.opening:f}",
                    of.currency)  # fmt: skip


def _balance(text: str) -> Decimal | None:
    """What a field of a balance tells, below nothing where it is a debit; None where none."""
    found = re.match(r"([CD])\d{6}[A-Z]{3}(\d{1,15},\d{0,4})$", text.strip())
    if found is None:
        return None
    amount = Decimal(found[2].replace(",", ".").rstrip("."))
    return amount if found[1] == "C" else -amount


def _own(text: str) -> str:
    """The account of field 25: an IBAN by itself, else with its bank, because two banks may number
    their accounts alike."""
    bank, _, account = text.rpartition("/")
    bare = account[:-3] if is_iban(account) and not checks(account) else account
    return account if is_iban(bare) or not bank else f"{bank.strip()}/{account.strip()}"


def _fields(raw: IO[bytes]) -> Iterator[_Field]:
    open_: _Field | None = None
    for number, line in enumerate(raw, 1):
        text = line.decode("utf-8", errors="replace").rstrip("\r\n")
        found = _FIELD.match(text)
        if found:
            if open_ is not None:
                yield open_
            open_ = _Field(found.group(1), number, [text[found.end() :]])
        elif text.startswith(("-}", "{", "}")) or text == "-":
            if open_ is not None:
                yield open_
            open_ = None
        elif open_ is not None and len(open_.text) < MOST_LINES:
            open_.text.append(text)
    if open_ is not None:
        yield open_


def _payment(line: _Field, about: _Field | None, of: _Statement, clock: Clock) -> Told:
    account, currency = of.account, of.currency
    found = _LINE.match(line.text[0].strip())
    if found is None:
        return Told(line.line, refused="its line 61 is none")
    if not account or not currency:
        what = "account" if not account else "currency"
        return Told(line.line, refused=f"its statement names no {what}")
    text = "".join(about.text) if about is not None else ""
    day = found["value"]
    year = 2000 + int(day[:2]) if int(day[:2]) < 80 else 1900 + int(day[:2])
    booked = found["booked"] or day[2:]
    # booked in January, of value in December: the year is the later one
    turn = {("12", "01"): 1, ("01", "12"): -1}.get((day[2:4], booked[:2]), 0)
    told = f"{year + turn:04d}-{booked[:2]}-{booked[2:]}"
    # RC takes a credit back, RD a debit: money goes the other way about
    comes = found["way"] in ("C", "RD")
    far = _far(text, account)
    channel = _CHANNELS.get(found["kind"])
    if not far:
        far = f"unnamed:{channel or 'payment'}:{account}"
        clock.notes["the other account is not named"] += 1
    bank = next((g for m in _BANK.finditer(text) for g in m.groups() if g), None)
    own = reference(found["bank"] or "", found["own"])
    note = short(" ".join(p for p in _PART.split(text) if p.strip()))
    ends = (far, account) if comes else (account, far)
    banks = (bank, None) if comes else (None, bank)
    amount = found["amount"].replace(",", ".").rstrip(".")
    # customers write one reference on many payments, so that its place names it as well
    name = f"{account}/{of.name}/{told}/{own}/{of.lines}/{amount}"
    if found["way"].startswith("R"):
        channel = "refund"  # whatever the way was that is taken back
    return Told(
        line.line,
        (
            name, clock.moment(told), *ends, amount, currency, channel, *banks, note,
            clock.precision(told), "to" if comes else "from",
            references(found["own"], found["bank"] or "", *_END_TO_END.findall(text)),
        ),
    )  # fmt: skip


def _far(text: str, account: str) -> str:
    for found in _OTHER.finditer(text):
        said = next(g for g in found.groups() if g).strip()
        if said and said != account:
            return said
    return next((i for i in IBAN.findall(text) if i != account), "")
