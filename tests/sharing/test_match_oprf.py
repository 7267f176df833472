"""The oblivious function against the examples of RFC 9497 (A.1.1, A.1.2), and hostile elements."""

from __future__ import annotations

import pytest

from cordon.kernel.errors import BadInput, DoesNotVerify
from cordon.sharing.match import group
from cordon.sharing.match.oprf import OPRF, Function, expand, key_of

SEED, INFO = b"\xa3" * 32, b"test key"
BLIND = bytes.fromhex("64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706")
RANDOM = bytes.fromhex("222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e")
INPUTS = (b"\x00", b"\x5a" * 17)
IDENTITY = bytes(32)
BASE = (
    (
        "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c",
        "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e",
        "527759c3d9366f277d8c6020418d96bb393ba2afb20ff90df23fb7708264e2f3"
        "ab9135e3bd69955851de4b1f9fe8a0973396719b7912ba9ee8aa7d0b5e24bcf6",
    ),
    (
        "da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418",
        "b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25",
        "f4a74c9c592497375e796aa837e907b1a045d34306a749db9f34221f7e750cb4"
        "f2a6413a6bf6fa5e19ba6348eb673934a722a7ede2e7621306d18951e7cf2c73",
    ),
)
PROVED = (
    (
        "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
        "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
        "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06"
        "6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
        "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
        "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
    ),
    (
        "cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c",
        "60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468",
        "401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a"
        "67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02",
        "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60"
        "356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
    ),
)
BATCH_BLINDED = (
    "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
    "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
)
BATCH_EVALUATED = (
    "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
    "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
)
BATCH_PROOF = (
    "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a"
    "5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08"
)


def test_the_standards_examples_without_proof():
    function, key = Function(OPRF), key_of(SEED, INFO, OPRF)
    assert key.secret.hex() == "5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e"
    for given, (blinded, evaluated, output) in zip(INPUTS, BASE, strict=True):
        sent = function.blind([given], [BLIND])
        answered = function.evaluate(key, sent)
        assert (sent[0].hex(), answered[0].hex()) == (blinded, evaluated)
        assert function.finalize([given], [BLIND], answered)[0].hex() == output
        assert function.whole(key, [given])[0].hex() == output


def test_the_standards_examples_with_proof():
    function, key = Function(), key_of(SEED, INFO)
    assert key.public.hex() == "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
    for given, (blinded, evaluated, proof, output) in zip(INPUTS, PROVED, strict=True):
        sent = function.blind([given], [BLIND])
        answered = function.evaluate(key, sent)
        assert (sent[0].hex(), answered[0].hex()) == (blinded, evaluated)
        assert function.prove(key, sent, answered, RANDOM).hex() == proof
        function.check(key.public, sent, answered, bytes.fromhex(proof))
        assert function.finalize([given], [BLIND], answered)[0].hex() == output


def test_the_standards_example_of_a_batch():
    function, key = Function(), key_of(SEED, INFO)
    sent = function.blind(INPUTS, (BLIND, RANDOM))
    assert tuple(e.hex() for e in sent) == BATCH_BLINDED
    answered = function.evaluate(key, sent)
    assert tuple(e.hex() for e in answered) == BATCH_EVALUATED
    function.check(key.public, sent, answered, bytes.fromhex(BATCH_PROOF))


def test_expanding_is_the_standards():
    """RFC 9380, K.3, length 0x20."""
    tag = b"QUUX-V01-CS02-with-expander-SHA512-256"
    assert expand(b"abcdef0123456789", tag, 32).hex() == (
        "087e45a86e2939ee8b91100af1583c4938e0f5fc6c9db4b107b83346bc967f58"
    )


def test_many_over_threads_are_as_one_by_one():
    function, key = Function(), key_of(SEED, INFO)
    inputs = [b"%d" % n for n in range(600)]
    told = []
    whole = function.whole(key, inputs, told.append)
    assert [whole[0], whole[599]] == function.whole(key, [inputs[0], inputs[599]])
    assert len(set(whole)) == told[-1] == 600


def test_one_wrong_answer_of_many_is_seen():
    """A holder that uses another key for one question learns nothing from what follows."""
    function, key = Function(), key_of(SEED, INFO)
    inputs = [b"%d" % n for n in range(5)]
    blinds = [group.random_scalar() for _ in inputs]
    sent = function.blind(inputs, blinds)
    answered = function.evaluate(key, sent)
    proof = function.prove(key, sent, answered)
    function.check(key.public, sent, answered, proof)
    other = key_of(SEED, b"other")
    wrong = [*answered[:4], function.evaluate(other, sent[4:])[0]]
    swapped = [answered[1], answered[0], *answered[2:]]
    for answers, shown in (
        (wrong, proof), (wrong, function.prove(key, sent, wrong)), (swapped, proof),
        (answered, proof[:63]), (answered, bytes(64)), (answered, proof[:32] + b"\xff" * 32),
        (answered[:4], proof), ([IDENTITY] * 5, proof), ([b"\xff" * 32] * 5, proof),
    ):  # fmt: skip
        with pytest.raises(DoesNotVerify):
            function.check(key.public, sent, answers, shown)
    with pytest.raises(DoesNotVerify):
        function.check(other.public, sent, answered, proof)


@pytest.mark.parametrize(
    "element",
    [
        IDENTITY,
        b"\xff" * 32,  # not below the field's prime
        b"\x01" + bytes(31),  # odd
        # no square (RFC 9496, A.3)
        bytes.fromhex("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"),
        bytes(31),
    ],
    ids=["identity", "not-canonical", "negative", "no-point", "short"],
)  # fmt: skip
def test_what_is_no_element_is_refused(element):
    with pytest.raises(BadInput, match="no element"):
        Function().evaluate(key_of(SEED, INFO), [element])


def test_parts_that_are_cut_off_are_refused():
    with pytest.raises(BadInput):
        group.split(bytes(33))
    with pytest.raises(BadInput):
        group.number(group.ORDER.to_bytes(32, "little"))
    with pytest.raises(BadInput):
        Function().element(bytes(1 << 16))
