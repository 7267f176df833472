"""Languages: every message has its Urdu, and numbers, times and places read as they should."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from cordon.kernel.errors import BadInput
from cordon.web import i18n
from cordon.web.rendering import Page, Templates, dms, gauge, mask

MOMENT = datetime(2026, 3, 6, 19, 5, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def draw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("room")

    def drawn(source: str, lang: str = "en", zone: str = "Asia/Karachi", **context) -> str:
        (folder / "t.html").write_text(source, "utf-8")
        return Templates({"room": folder}, zone=zone).render("room/t.html", lang, **context)

    return drawn


@pytest.mark.parametrize("lang", [code for code in i18n.LANGUAGES if code != i18n.SOURCE])
def test_every_message_in_use_is_translated(lang):
    lacking = i18n.missing(lang)
    assert lacking == [], (
        f"{len(lacking)} messages have no {lang} translation: run `python -m cordon.web.i18n "
        "update`, and fill in " + " · ".join(lacking)
    )


def test_translations_keep_their_places_to_fill():
    for message in i18n.read_catalogue("ur"):
        if not message.id or not message.string:
            continue
        source = message.id if isinstance(message.id, tuple) else (message.id,)
        target = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(re.findall(r"%\(\w+\)[sd]|\{\w+\}", source[-1]))
        for text in target:
            assert set(re.findall(r"%\(\w+\)[sd]|\{\w+\}", text)) == wanted, source


def test_urdu_is_urdu():
    texts = [m.string for m in i18n.read_catalogue("ur") if m.id and isinstance(m.string, str)]
    assert sum(bool(re.search(r"[\u0600-\u06ff]", t)) for t in texts) / len(texts) > 0.95


def test_scripts_say_only_what_the_page_gives_them():
    """Each word that a script asks for stands in a page of words, and none stands there unused."""
    web = Path(i18n.__file__).parent
    given_words: set[str] = set()
    for words in (web / "templates" / "words.html", *i18n.PACKAGE.glob("*/templates/_*words.html")):
        given_words |= set(re.findall(r'data-word="([\w-]+)"', words.read_text("utf-8")))
    scripts = "\n".join(
        p.read_text() for p in (web / "static").glob("**/*.js") if "vendor" not in p.parts
    )
    used = set(re.findall(r'word\("([\w-]+)"', scripts))
    assert used <= given_words
    made = ("kind-", *re.findall(r"word\(.{0,80}?`([\w-]+-)\$\{", scripts))  # of a state or a way
    unused = {w for w in given_words if f'"{w}"' not in scripts and not w.startswith(made)}
    assert unused == set()


@pytest.mark.parametrize(
    ("accept", "cookie", "chosen"),
    [
        (None, None, "en"),
        ("ur-PK,ur;q=0.9,en;q=0.5", None, "ur"),
        ("en;q=0.5, ur;q=0.7", None, "ur"),
        ("fr,de;q=0.2", None, "en"),
        ("ur;q=0,en;q=0.1", None, "en"),
        ("ur", "en", "en"),
        ("en", "xx", "en"),
        ("ur;q=much", None, "en"),
    ],
)
def test_the_reader_gets_the_language_asked_for(accept, cookie, chosen):
    assert i18n.negotiate(accept, cookie) == chosen


@given(st.text(max_size=300), st.none() | st.text(max_size=5))
def test_any_header_gives_some_language(accept, cookie):
    assert i18n.negotiate(accept, cookie) in i18n.LANGUAGES


def test_one_message_in_both_languages(draw):
    source = (
        '{{ _("Sign out") }}|{{ direction }}|{{ ngettext("%(num)d alike", "%(num)d alike", 3) }}'
    )
    english, urdu = draw(source, "en"), draw(source, "ur")
    assert english == "Sign out|ltr|3 alike"
    assert urdu.split("|")[1] == "rtl"
    assert "سائن آؤٹ" in urdu
    assert "3" in urdu.split("|")[2]


def test_catalogue_works_without_a_compiled_file(monkeypatch, tmp_path):
    target = tmp_path / "ur" / "LC_MESSAGES"
    target.mkdir(parents=True)
    (target / "cordon.po").write_bytes(i18n.po_path("ur").read_bytes())
    monkeypatch.setattr(i18n, "LOCALE", tmp_path)
    i18n.translations.cache_clear()
    try:
        from_source = i18n.translations("ur").gettext("Alerts")
        i18n.compile_all()
        i18n.translations.cache_clear()
        assert i18n.translations("ur").gettext("Alerts") == from_source != "Alerts"
    finally:
        i18n.translations.cache_clear()


def test_what_was_not_given_is_an_error_and_text_is_escaped(draw):
    with pytest.raises(UndefinedError):
        draw("{{ nobody }}")
    assert draw("{{ x }}", x="<b>") == "&lt;b&gt;"


def test_times_are_local_with_utc_on_hover(draw):
    shown = draw("{{ m|when }}", m=MOMENT)
    assert 'datetime="2026-03-06T19:05:09Z"' in shown
    assert 'title="2026-03-06 19:05:09Z"' in shown
    assert ">7 Mar 2026, 00:05:09<" in shown
    assert draw("{{ m|when }}", m=None) == "–"
    with pytest.raises(BadInput):
        draw("{{ m|when }}", m=MOMENT.replace(tzinfo=None))


def test_the_page_chooses_the_zone(draw):
    page = Page(title="t", zone="UTC")
    assert ">19:05<" in draw('{{ m|when("short") }}', m=MOMENT, page=page)


@pytest.mark.parametrize(
    ("value", "axis", "said"),
    [
        (25.102, "lat", "25°06.120′N"),
        (-0.5, "lat", "00°30.000′S"),
        (66.99999999, "lon", "067°00.000′E"),  # carries: never 60 minutes
        (-179.25, "lon", "179°15.000′W"),
    ],
)
def test_places_in_degrees_and_minutes(value, axis, said):
    assert dms(value, axis) == said


@given(st.floats(-180, 180))
def test_degrees_and_minutes_come_back(value):
    text = dms(value, "lon")
    degrees, minutes = re.fullmatch(r"(\d{3})°(\d\d\.\d{3})′[EW]", text).groups()
    assert float(minutes) < 60
    back = (int(degrees) + float(minutes) / 60) * (-1 if text.endswith("W") else 1)
    assert back == pytest.approx(value, abs=1 / 100_000)


@given(st.text(min_size=0, max_size=40))
def test_a_mask_never_shows_more_than_a_third(value):
    shown = mask(value).replace("•", "")
    assert len(shown) <= 3
    assert not shown or value.endswith(shown)
    assert len(shown) <= len(value) / 3


@given(st.floats(allow_nan=False), st.none() | st.floats(allow_nan=False, allow_infinity=False))
def test_a_gauge_stays_in_its_frame(value, threshold):
    filled, limit = gauge(value, threshold)
    assert 0 <= filled <= 100
    assert (limit is None) == (threshold is None)
    if limit is not None:
        assert 0 <= limit <= 100
        if abs(value) > abs(threshold) * 1.01:
            assert filled >= limit


def test_numbers_spans_and_distances(draw):
    assert draw("{{ 4200000|number }} {{ 1234.5|number(1) }}") == "4,200,000 1,234.5"
    assert draw("{{ 18520|distance }} · {{ 18520|distance('km') }}") == "10 nm · 18.5 km"
    spans = [draw("{{ t|span }}", t=timedelta(minutes=m)) for m in (46, 62, 60 * 24 * 3)]
    assert spans == ["46 min", "1 h 02", "3 d"]
    assert "بحری میل" in draw("{{ 18520|distance }}", "ur")


@pytest.mark.parametrize(
    ("lang", "subject", "told"),
    [
        ("en", "planned_act:7", "planned act 7"),
        ("en", "mmsi:463012345", "MMSI 463012345"),
        ("en", "conflict:01a229a7-0043-7000-89d4-50b03c987672", "conflict …987672"),
        # the id is isolated, so that it stands from left to right wherever its line breaks
        ("ur", "planned_act:7", "طے شدہ کارروائی \u20667\u2069"),
        ("ur", "cell:410-01-7-9", "سیل \u2066410-01-7-9\u2069"),
        ("ur", "mmsi:463012345", "MMSI 463012345"),
    ],
)
def test_a_subject_is_called_by_a_word_and_not_by_its_type(draw, lang, subject, told):
    assert draw("{{ s|called }}", lang, s=subject) == told
