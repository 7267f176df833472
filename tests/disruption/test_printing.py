"""What is printed: the same bytes for the same values, and every text as it stands."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadUsage
from cordon.money import printing
from cordon.money.disruption.exporting import as_csv, as_pdf, printed
from cordon.money.disruption.model import (
    Ground,
    Item,
    Kind,
    Package,
    Site,
    State,
    Step,
    amount_of,
)
from cordon.money.disruption.seeing import Shown

AT = datetime(2026, 3, 6, 12, tzinfo=UTC)
HOSTILE = [
    '#read("/etc/passwd")', '#include "x.typ"', "#panic()", "*bold* _it_ $x^2$ = Heading",
    '#image("/etc/passwd")', "`raw` <label> @ref", '")); #panic("x', "\\u{41} \\ \\#",
    '#import "@preview/cetz:0.1.0"', "محمد ٹھیک ہے", "a\x00b", "\u202eevil", "{{ 7*7 }}",
]  # fmt: skip


def package(text="Block them, they defraud.", kind=Kind.FREEZE):
    return Package(
        id="p", agency="pk-test", mark=Mark.AMBER, name="P-2026-0001", kind=kind,
        state=State.DRAFTED, ring=None, ring_name="", authority="a", reference=text, law=text,
        issuer=text, addressee=text, why=text, days=30,
        items=(Item("account:PK-ACC-1", "f", text, Decimal("1000.50"), "PKR"),
               Item("account:" + text, "f", text, Decimal("0.01"), "PKR")),
        grounds=(Ground("f", "money.mule", 0.9, (text,), (("ab" * 32, 1),)),),
        site=Site(31.5, 74.3, 420.0, None, 11.0, 22.5, (4,), (2, 4), text),
        drafted_by="officer", drafted_unit="desk-1", drafted_at=AT,
        steps=(Step(State.DRAFTED, AT, "officer", "desk-1"),),
    )  # fmt: skip


@pytest.mark.parametrize("language", printing.LANGUAGES)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_runs_or_reads(text, language):
    """Were any of these taken for typst's language, compiling would fail or change."""
    shown = Shown(package(text), 0, ())
    made = as_pdf(shown, language)
    assert made.startswith(b"%PDF-")
    # the same number of pictures and pages as with plain words of no meaning
    assert made.count(b"/Subtype /Image") == 0
    plain = printed(Shown(package("x" * len(text)), 0, ()), language)
    pages = printing.png("package.typ", printed(shown, language), ppi=20)
    assert len(pages) == len(printing.png("package.typ", plain, ppi=20))


FORMS = ("package", "bank", "notice")


@pytest.mark.parametrize("form", FORMS)
def test_every_language_says_the_same_with_the_same_values(form):
    def holes(told):
        if isinstance(told, str):
            return sorted(re.findall(r"\{(\w+)\}", told))
        if isinstance(told, dict):
            return {k: holes(v) for k, v in told.items()}
        return len(told) if isinstance(told, list) else type(told)

    first, *others = (printing.words(form, one).told for one in printing.LANGUAGES)
    assert all(holes(other) == holes(first) for other in others)
    urdu = [v for v in printing.words(form, "ur").told.values() if isinstance(v, str) and v]
    assert all(re.search("[\u0600-\u06ff]", v) for v in urdu if "{" not in v or " " in v)


def test_a_package_in_urdu_runs_from_right_to_left_and_keeps_what_was_written():
    reason = "14 accounts paid within 3 days"
    shown = Shown(replace(package("روکیے 14 رقم"), grounds=(
        Ground("f", "money.mule", 0.9, (reason,), (("ab" * 32, 1),)),)), 0, ())  # fmt: skip
    told = printed(shown, "ur")
    assert told["right_to_left"]
    assert told["title"] == "کھاتے منجمد کرنے کی درخواست"
    assert told["grounds"][0]["reasons"] == [{"text": reason, "turned": False}]
    assert told["why"] == {"text": "روکیے 14 رقم", "turned": True}
    assert told["items"][0][2] == "\u2068PK-ACC-1\u2069"  # isolated, and whole
    assert told["items"][0][4] == "\u20661,000.50 PKR\u2069"
    made = as_pdf(shown, "ur")
    assert made == as_pdf(shown, "ur")
    assert b"NotoNastaliqUrdu" in made
    english = printed(Shown(package(), 0, ()))
    assert not re.search("[\u0600-\u06ff\u2066-\u2069]", str(english))
    with pytest.raises(BadUsage, match="Nothing is printed in that language"):
        as_pdf(shown, "xx")


def test_a_text_is_printed_sign_for_sign():
    """Markup and the same signs between letters that mean nothing take different room."""
    plain = printing.png("package.typ", printed(Shown(package("#strong[abc]"), 0, ())), ppi=40)
    other = printing.png("package.typ", printed(Shown(package("abc"), 0, ())), ppi=40)
    assert plain != other


def test_the_same_package_gives_the_same_bytes():
    shown = Shown(package(), 0, ())
    assert as_pdf(shown) == as_pdf(shown)
    assert as_pdf(shown) != as_pdf(Shown(package("Another reason."), 0, ()))


def test_a_masked_copy_says_so():
    told = printed(Shown(package(), 2, ()))
    assert told["masked"] == 2
    assert as_pdf(Shown(package(), 2, ())) != as_pdf(Shown(package(), 0, ()))


def test_sums_are_exact():
    assert printed(Shown(package(), 0, ()))["sums"] == ["1,000.51 PKR"]
    assert amount_of("1,000.50") == Decimal("1000.50")


def test_a_table_holds_no_formula():
    listed = replace(
        package(kind=Kind.BLOCK_LIST),
        items=(Item("number:+923001234567", "f"), Item("handle:=cmd|' /C calc'!A0", "f"),
               Item("handle:+1+cmd", "f"), Item("handle:@x", "f"), Item("handle:-2", "f")),
    )  # fmt: skip
    rows = as_csv(Shown(listed, 0, ())).decode().splitlines()[1:]
    assert "+923001234567" in rows[0]
    for row in rows[1:]:
        value = row.split(",")[2].strip('"')
        assert value.startswith("'"), row


def test_a_notice_says_the_same_in_every_language():
    import string
    from importlib.resources import files

    import yaml

    from cordon.money.disruption.letters import LANGUAGES

    text = files("cordon.money").joinpath("printed", "notice.yaml").read_text("utf-8")
    told = yaml.safe_load(text)
    assert set(told) == set(LANGUAGES)

    def holes(words):
        return {
            name: {field for _, field, _, _ in string.Formatter().parse(says) if field}
            for name, says in words.items()
            if isinstance(says, str)
        }

    assert holes(told["ur"]) == holes(told["en"])
    for name, says in told["ur"].items():
        assert not isinstance(says, str) or re.search("[\u0600-\u06ff]", says), name


@pytest.mark.parametrize("language", ["en", "ur"])
@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_notice_names_is_no_markup_and_no_hole(text, language):
    from cordon.money.disruption.letters import noticed
    from cordon.money.disruption.recoveries import Line, Said

    line = Line(text, "PKR", Decimal(100), Decimal(40), Decimal(60), Decimal(0), (),
                Decimal(90), (text,))  # fmt: skip
    said = Said(text, AT.date(), text, Decimal(90), "PKR", text, 1, Decimal(100), "PKR", (), "")
    told = noticed(line, [said], 0, language)
    assert text in told["to"]
    assert any(text in p for p in told["paragraphs"])
    head = {"agency": text, "mark": "amber", "date": "2026-03-06", "reference": text,
            "masked": 0, "signed": text}  # fmt: skip
    pages = printing.png("letter.typ", {**head, **told}, ppi=20)
    assert len(pages) == 1
