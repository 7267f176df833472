"""Photos: in parts, under the hash that was announced, and shown without what the camera wrote."""

from __future__ import annotations

import hashlib
import os
import struct
import time
import uuid
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest

from cordon.cases import CustodyAct
from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused, TooLarge
from cordon.operations.field.model import LARGEST_PART
from cordon.operations.field.photos import Arrived
from cordon.operations.field.stripping import stripped

SECRET = b"63.4500E Pixel 9 of officer field"


def segment(marker, body):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(up=6, size=0):
    """A JPEG as a camera writes it: EXIF with a place, XMP, a comment; the picture's bytes."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, up, 0, 0) + SECRET
    picture = b"\xff\xda\x00\x02" + os.urandom(size).replace(b"\xff", b"\x00") + b"\xff\xd9"
    return b"".join((
        b"\xff\xd8", segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"),
        segment(0xE1, b"Exif\0\0" + tiff), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
        segment(0xED, SECRET), segment(0xFE, SECRET), segment(0xE2, b"ICC_PROFILE\0\x01\x01rgb"),
        segment(0xDB, bytes(65)), picture, SECRET,
    ))  # fmt: skip


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png():
    return b"\x89PNG\r\n\x1a\n" + b"".join((
        chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)), chunk(b"tEXt", SECRET),
        chunk(b"eXIf", SECRET), chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND", b""), SECRET,
    ))  # fmt: skip


@pytest.fixture
def announced(phone, sent):
    """Announce bytes as a photo of the tasking; gives its id."""

    def announce(data, media_type="image/jpeg", sha256=""):
        act = phone.say(sent, "photo", sha256=sha256 or hashlib.sha256(data).hexdigest(),
                        size=len(data), media_type=media_type)  # fmt: skip
        assert phone.sync([act])[0].outcome.value == "applied"
        return act["id"]

    return announce


def test_a_photo_that_breaks_off_goes_on_at_any_byte(
    desk, kernel, announced, officers, sent, acts_of
):
    data, field = jpeg(size=3000), officers["field"]
    photo = announced(data)
    assert desk.arrived(field, photo).received == 0
    for size in (1, 2, 700, 1):
        at = desk.arrived(field, photo).received
        assert desk.put(field, photo, at, data[at : at + size]).received == at + size
    at = desk.arrived(field, photo).received
    assert at == 704
    for wrong in (0, at - 1, at + 1, len(data)):  # a part twice, or one that was lost before it
        assert desk.put(field, photo, wrong, b"x" * 5).received == at
    with pytest.raises(BadInput, match="longer"):
        desk.put(field, photo, at, data)
    with pytest.raises(TooLarge):
        desk.put(field, photo, at, bytes(LARGEST_PART + 1))
    assert desk.put(field, photo, at, data[at:]).state == "kept"
    assert desk.put(field, photo, at, data[at:]).state == "kept"  # the answer was lost
    digest = hashlib.sha256(data).hexdigest()
    assert b"".join(kernel.files.read(digest)) == data  # the evidence is what came
    assert list(desk.folder.iterdir()) == []
    seen = desk.photos(officers["watch"], sent)[0]
    assert (seen.state, seen.sha256, seen.officer) == ("kept", digest, field.id)
    told = [e.detail for e in acts_of("operations.field.report") if e.detail.get("photo")]
    assert sorted(d.get("kept", False) for d in told) == [False, True]
    assert {d["photo"] for d in told} == {digest}
    kind, shown = desk.shown(officers["watch"], sent, photo)
    assert kind == "image/jpeg"
    assert SECRET not in shown


def test_all_bytes_there_and_the_node_fell_before_it_looked(desk, announced, officers):
    data = jpeg()
    photo = announced(data)
    desk.folder.mkdir(exist_ok=True)
    (desk.folder / f"{photo}.part").write_bytes(data)
    assert desk.arrived(officers["field"], photo).received == len(data)
    assert desk.put(officers["field"], photo, len(data), b"").state == "kept"


def test_another_hash_begins_anew_and_is_refused_in_the_end(desk, announced, officers, sent):
    data = jpeg()
    photo, field = announced(data), officers["field"]
    spoilt = bytes([*data[:-1], data[-1] ^ 1])
    for _ in range(2):
        tried = desk.put(field, photo, 0, spoilt)
        assert (tried.state, tried.received) == ("arriving", 0)
    assert desk.put(field, photo, 0, spoilt).state == "refused"
    assert desk.put(field, photo, 0, data).state == "refused"
    with pytest.raises(NotFound):
        desk.shown(officers["watch"], sent, photo)
    html = b"<script>alert(1)</script>"
    other = announced(html)  # the right hash of what is no photo
    assert desk.put(field, other, 0, html).state == "refused"
    lying = announced(png(), "image/jpeg")
    assert desk.put(field, lying, 0, png()).state == "refused"
    assert {p.state for p in desk.photos(officers["watch"], sent)} == {"refused"}


def test_only_its_officer_sends_a_photo(desk, announced, officers, sent):
    data = jpeg()
    photo = announced(data)
    for stranger in (replace(officers["field"], id="officer-mate"), officers["watch"],
                     replace(officers["field"], id="officer-stranger", unit="pb-09")):  # fmt: skip
        with pytest.raises(Refused):
            desk.put(stranger, photo, 0, data)
        with pytest.raises(Refused):
            desk.arrived(stranger, photo)
    with pytest.raises(NotFound):
        desk.put(officers["field"], str(uuid.uuid4()), 0, data)
    with pytest.raises(Refused):
        desk.photos(replace(officers["field"], unit="pb-09"), sent)


def test_a_photo_becomes_an_exhibit_with_its_chain(desk, room, announced, officers, sent):
    data = jpeg()
    photo, who = announced(data), officers["supervisor"]
    with pytest.raises(NotFound):
        desk.to_case(who, sent, photo)  # not whole yet
    desk.put(officers["field"], photo, 0, data)
    with pytest.raises(Conflict, match="no case"):
        desk.to_case(who, sent, photo)
    alert = room.tasking(who, sent).alert
    case = room.open_case(who, alert, title="A boat that went silent")
    with pytest.raises(Refused):
        desk.to_case(officers["field"], sent, photo)
    made = desk.to_case(who, sent, photo)
    assert made.sha256 == hashlib.sha256(data).hexdigest()
    assert made.received_from == "officer:officer-field"
    view = room.cases.view(who, case)
    assert [e.exhibit.id for e in view.exhibits] == [made.id]
    first = view.exhibits[0].chain[0]
    assert (first.act, first.from_holder) == (CustodyAct.RECEIVED, "officer:officer-field")
    assert "Taken 2026-03-06T12:00:00Z" in first.note
    assert desk.photos(who, sent)[0].exhibit == made.id
    with pytest.raises(Conflict):
        desk.to_case(who, sent, photo)


@pytest.mark.parametrize("up", range(1, 9))
def test_of_a_jpeg_the_picture_and_its_turn_stay(up):
    data = jpeg(up, size=500)
    shown = stripped(data)
    assert SECRET not in shown
    assert shown.endswith(b"\xff\xd9")
    assert data[data.index(b"\xff\xda") : data.index(SECRET, data.index(b"\xff\xda"))] in shown
    assert b"ICC_PROFILE" in shown
    tag = b"\x01\x12\x00\x03\x00\x00\x00\x01" + struct.pack(">H", up)
    assert (tag in shown) == (up != 1)
    assert stripped(shown) == shown


def test_of_a_png_the_picture_stays_and_nothing_else():
    assert SECRET not in stripped(png())
    assert stripped(png()).endswith(chunk(b"IEND", b""))


HALVES = [
    b"", b"GIF89a", b"\xff\xd8\xff", jpeg()[:60], jpeg()[:-40], png()[:50],
    b"\x89PNG\r\n\x1a\n" + b"\xff" * 8, b"\xff\xd8\xff\xe1\x00\x00", b"\xff\xd8" + b"\xff" * 40,
]  # fmt: skip


@pytest.mark.parametrize("data", HALVES)
def test_half_a_picture_is_not_shown(data):
    with pytest.raises(BadInput):
        stripped(data)


def test_parts_that_nobody_goes_on_with_are_taken_away_and_the_photo_begins_anew(
    desk, kernel, announced, officers, sent, acts_of, clock
):
    age, field = timedelta(days=14), officers["field"]

    def old(photo):
        """As if no part had come for so long, by the clock that stamps files."""
        then = time.time() - age.total_seconds() - 60
        os.utime(desk.folder / f"{photo}.part", (then, then))

    data = jpeg(size=3000)
    left, moving, young, silent = announced(data), announced(data), None, announced(data)
    for photo in (left, moving):
        desk.put(field, photo, 0, data[:1000])
        old(photo)
    assert desk.sweep(age) == 0  # announced today
    clock.advance(age + timedelta(hours=1))
    young = announced(data)
    desk.put(field, young, 0, data[:10])
    old(young)
    desk.put(field, moving, 1000, data[1000:1001])
    (desk.folder / "ended-as-it-became-whole.part").write_bytes(b"x")
    old("ended-as-it-became-whole")
    assert desk.sweep(age) == 2
    assert {p.stem for p in desk.folder.glob("*.part")} == {moving, young}
    swept = {e.thing.partition(":")[2]: e for e in acts_of("operations.photo.sweep")}
    assert set(swept) == {left, silent}
    assert (swept[left].actor, swept[left].detail["received"]) == ("node", 1000)
    states = {p.id: p.state for p in desk.photos(officers["watch"], sent)}
    assert states == {left: "left", silent: "left", moving: "arriving", young: "arriving"}
    assert desk.sweep(age) == 0

    # the phone comes back after all
    assert desk.arrived(field, left) == Arrived("arriving", 0, len(data))
    assert desk.put(field, left, 1000, data[1000:]).received == 0  # a part from before
    assert desk.put(field, left, 0, data).state == "kept"
    assert b"".join(kernel.files.read(hashlib.sha256(data).hexdigest())) == data
    assert acts_of("operations.field.report")[0].detail["kept"] is True
    with pytest.raises(Refused), kernel.work(officers["supervisor"]) as work:
        work.act("operations.photo.sweep", Thing("photo", left, kernel.agency, Mark.AMBER))
