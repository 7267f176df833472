"""Signed notes and checkpoints, against the published example and against changes."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cordon.kernel.errors import BadInput, DoesNotVerify
from cordon.kernel.ledger import checkpoint, merkle, notes
from cordon.kernel.ledger.checkpoint import Checkpoint

# The example in the documentation of golang.org/x/mod/sumdb/note
SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
NOTE = (
    f"{TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfq"
    "dngotpRZb6KE6RyyBwJnAM=\n"
)
AT = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
LOG = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
LOG_KEY = notes.Verifier.of("pk-mcg.example/ledger", LOG.public_key())
WITNESS_KEY = notes.Verifier.of("ae-cg.example/w", WITNESS.public_key(), notes.COSIGNATURE)
POINT = Checkpoint("pk-mcg.example/ledger", 3, merkle.leaf_hash(b"x"))


def test_the_published_example_byte_for_byte() -> None:
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    assert notes.sign_note(TEXT, "PeterNeumann", key) == NOTE
    assert str(notes.Verifier.of("PeterNeumann", key.public_key())) == VERIFIER
    opened = notes.open_note(NOTE, [VERIFIER])
    assert opened.text == TEXT
    assert [s.verifier.name for s in opened.signed] == ["PeterNeumann"]


def test_the_published_checkpoint_is_read() -> None:
    # c2sp.org/tlog-checkpoint and tlog-cosignature
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zh"
        "cyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX"
        "3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    text, lines = notes.parse_note(note)
    point = checkpoint.read(text)
    assert (point.origin, point.size) == ("example.com/behind-the-sofa", 20852163)
    assert point.text == text
    assert int.from_bytes(lines[1].data[:8], "big") == 1679315147  # the time in its text
    with pytest.raises(DoesNotVerify, match="No key that is trusted"):
        notes.open_note(note, [LOG_KEY])


def test_a_witness_signs_below_and_is_named_with_its_time() -> None:
    note = POINT.sign(LOG)
    seen = checkpoint.add_witness(note, "ae-cg.example/w", WITNESS, AT)
    assert seen.startswith(note)
    assert checkpoint.open_checkpoint(seen, LOG_KEY) == POINT  # who knows no witness reads it too
    signed = checkpoint.signers(seen, [LOG_KEY, WITNESS_KEY])
    assert [(s.verifier, s.at) for s in signed] == [(LOG_KEY, None), (WITNESS_KEY, AT)]
    # what a witness signs is the message of the standard, not ours
    data = notes.parse_note(seen)[1][1].data
    stamp = int(AT.timestamp())
    WITNESS.public_key().verify(data[8:], f"cosignature/v1\ntime {stamp}\n{POINT.text}".encode())


def test_a_cosignature_is_no_signature_of_the_log() -> None:
    same = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    text = POINT.text
    only_witnessed = (
        f"{text}\n"
        + notes.add_cosignature(notes.sign_note(text, "x", WITNESS), POINT.origin, same, AT)
        .split("\n\n")[1]
        .split("\n", 1)[1]
    )
    with pytest.raises(DoesNotVerify):
        checkpoint.open_checkpoint(only_witnessed, LOG_KEY)


def test_many_unknown_signatures_are_passed_over() -> None:
    note = POINT.sign(LOG)
    for n in range(20):
        key = Ed25519PrivateKey.generate()
        note = checkpoint.add_witness(note, f"w{n}", key, AT)
    opened = notes.open_note(note, [LOG_KEY])
    assert len(opened.others) == 20


@given(st.integers(0), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_any_changed_byte_is_refused(place: int, flip: int) -> None:
    good = checkpoint.add_witness(POINT.sign(LOG), "ae-cg.example/w", WITNESS, AT)
    data = bytearray(good.encode())
    data[place % len(data)] ^= flip
    try:
        opened = notes.open_note(data.decode(), [LOG_KEY, WITNESS_KEY])
    except (DoesNotVerify, UnicodeDecodeError):
        return
    # a changed name or key ID makes a line that nobody knows; the text still is what was signed
    assert opened.text == POINT.text
    assert len(opened.signed) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n1\n",
        "o\n01\nAAAA\n",
        "o\n-1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "o\n٣\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "o\n1\n" + base64.b64encode(bytes(31)).decode() + "\n",
        "o\n1\n" + base64.b64encode(bytes(32)).decode() + "\n\nx\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(DoesNotVerify, match="not a checkpoint"):
        checkpoint.read(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb"])
def test_a_key_name_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        notes.sign_note("text\n", name, LOG)


@pytest.mark.parametrize("text", ["", "x", VERIFIER[:-4], VERIFIER.replace("c74f", "c75f")])
def test_a_damaged_verifier_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        notes.Verifier.parse(text)
