"""A node's key, its card, and how others follow it to a new key."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from datetime import UTC, datetime

import pytest

from cordon.kernel.errors import BadInput, DoesNotVerify, WrongSetting
from cordon.sharing.nodes.keys import NodeKeys, followed, read_card

NOW = datetime.now(UTC)  # TLS itself reads the machine's clock


@pytest.fixture
def coast(tmp_path):
    return NodeKeys(tmp_path / "coast", "pk-coast", NOW)


@pytest.fixture
def province(tmp_path):
    return NodeKeys(tmp_path / "province", "pk-province", NOW)


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path, coast):
    assert coast.path.stat().st_mode & 0o777 == 0o600
    assert NodeKeys(tmp_path / "coast", "pk-coast", NOW).fingerprint == coast.fingerprint
    assert [p.name for p in coast.path.parent.iterdir()] == ["node.pem"]
    coast.path.chmod(0o640)
    with pytest.raises(WrongSetting, match="chmod 600"):
        NodeKeys(tmp_path / "coast", "pk-coast", NOW)


def test_a_file_of_two_keys_is_refused(tmp_path, coast, province):
    key = coast.path.read_text().partition("-----BEGIN CERT")[0]
    coast.path.write_text(key + province.pem)
    with pytest.raises(WrongSetting, match="own certificate"):
        NodeKeys(tmp_path / "coast", "pk-coast", NOW)


def test_a_card_is_read_as_it_was_written(coast):
    card = read_card(coast.card("Coast Guard – کوسٹ گارڈ", "[::1]:8900"))
    assert (card.agency, card.name) == ("pk-coast", "Coast Guard – کوسٹ گارڈ")
    assert (card.address, card.fingerprint) == ("[::1]:8900", coast.fingerprint)


@pytest.mark.parametrize("field", ["agency", "name", "address"])
def test_a_changed_card_does_not_verify(coast, field):
    card = json.loads(coast.card("Coast Guard", "127.0.0.1:8900"))
    card[field] = {"agency": "pk-other", "name": "Other", "address": "127.0.0.1:8901"}[field]
    with pytest.raises(DoesNotVerify):
        read_card(json.dumps(card))


def test_a_card_with_anothers_certificate_does_not_verify(coast, province):
    card = json.loads(coast.card("Coast Guard", "127.0.0.1:8900"))
    with pytest.raises(DoesNotVerify):
        read_card(json.dumps({**card, "certificate": province.pem}))


@pytest.mark.parametrize(
    "change",
    [
        {"address": "no port"}, {"address": "host:0"}, {"address": "host:65536"}, {"agency": "A B"},
        {"name": ""}, {"name": 3}, {"more": "x"}, {"certificate": "-----BEGIN"}, {"name": "a\nb"},
    ],
)  # fmt: skip
def test_what_is_no_card_is_refused(coast, change):
    card = json.loads(coast.card("Coast Guard", "127.0.0.1:8900"))
    with pytest.raises(BadInput):
        read_card(json.dumps({**card, **change}))


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 9000, "x" * 20_000])
def test_hostile_text_is_no_card(text):
    with pytest.raises(BadInput):
        read_card(text)


def test_peers_follow_a_key_that_the_old_one_vouches_for(coast):
    old = coast.pem
    told = coast.rotate(NOW)
    assert coast.pem != old
    assert followed(told, "pk-coast", old) == (coast.pem, NOW)
    assert followed(told, "pk-coast", coast.pem)[0] == coast.pem, "its card was added by hand"
    coast.rotate(NOW)
    with pytest.raises(DoesNotVerify):  # later: neither of its two keys is pinned any more
        followed(told, "pk-coast", coast.pem)


def test_nobody_else_can_change_a_nodes_key(coast, province):
    pinned = coast.pem
    told = json.loads(province.rotate(NOW))
    with pytest.raises(DoesNotVerify):
        followed(json.dumps({**told, "agency": "pk-coast"}), "pk-coast", pinned)
    forged = {**told, "agency": "pk-coast", "from": coast.fingerprint}
    with pytest.raises(DoesNotVerify):
        followed(json.dumps(forged), "pk-coast", pinned)


def meet(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes | None:
    """The certificate (DER) that the server saw; raises what the client met."""
    ours, theirs = socket.socketpair()
    seen: list[bytes | None] = []

    def serve() -> None:
        try:
            with server.wrap_socket(ours, server_side=True) as wrapped:
                seen.append(wrapped.getpeercert(binary_form=True))
                wrapped.sendall(b"x")
        except (ssl.SSLError, OSError):
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        theirs.settimeout(5)
        with client.wrap_socket(theirs) as wrapped:
            assert wrapped.recv(1) == b"x"
    finally:
        theirs.close()
        thread.join(5)
    return seen[0]


def test_two_nodes_that_pinned_each_other_meet(coast, province):
    seen = meet(
        coast.server_context([province.pem]), province.client_context("pk-coast", [coast.pem])
    )
    assert ssl.DER_cert_to_PEM_cert(seen or b"") == province.pem


def test_a_stranger_is_refused_on_either_side(tmp_path, coast, province):
    stranger = NodeKeys(tmp_path / "stranger", "pk-province", NOW)  # the same name, another key
    for trusted in ([province.pem], []):
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            meet(coast.server_context(trusted), stranger.client_context("pk-coast", [coast.pem]))
    with pytest.raises(ssl.SSLError):
        meet(
            stranger.server_context([province.pem]),
            province.client_context("pk-coast", [coast.pem]),
        )


def test_tls_towards_a_peer_is_kept_until_either_key_changes(coast, province):
    first = province.client_context("pk-coast", [coast.pem])
    assert province.client_context("pk-coast", [coast.pem]) is first
    other = province.client_context("pk-other", [coast.pem])
    assert other is not first
    # the peer changes its key: both pass, then the new one alone
    old = coast.pem
    coast.rotate(NOW)
    both = province.client_context("pk-coast", [old, coast.pem])
    assert both is not first
    alone = province.client_context("pk-coast", [coast.pem])
    assert alone not in (first, both)
    shown = coast.server_context([province.pem])
    assert meet(shown, alone)
    with pytest.raises(ssl.SSLError):
        meet(shown, first)  # what was kept for the old one lets the new one not in
    # this node changes its own: no peer is shown the old one any more
    province.rotate(NOW)
    anew = province.client_context("pk-coast", [coast.pem])
    assert anew is not alone
    assert province.client_context("pk-other", [coast.pem]) is not other
    seen = meet(coast.server_context([province.pem]), anew)
    assert seen
    province.forget_towards("pk-coast")
    assert province.client_context("pk-coast", [coast.pem]) is not anew


def test_another_process_that_changed_the_key_is_followed(coast, province, tmp_path):
    first = province.client_context("pk-coast", [coast.pem])
    NodeKeys(tmp_path / "province", "pk-province", NOW).rotate(NOW)
    province.current(NOW)
    assert province.client_context("pk-coast", [coast.pem]) is not first
