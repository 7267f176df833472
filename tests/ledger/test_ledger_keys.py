"""The node's signing key and the file it stands in."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordon.kernel.errors import DoesNotVerify, WrongSetting
from cordon.kernel.ledger import Verifier, load_key


def test_the_first_start_makes_a_key_and_the_second_finds_it(tmp_path: Path) -> None:
    first = load_key(tmp_path / "keys", "a.example/ledger")
    second = load_key(tmp_path / "keys", "a.example/ledger")
    assert first.private_bytes_raw() == second.private_bytes_raw()
    assert (tmp_path / "keys" / "ledger-key.pem").stat().st_mode & 0o777 == 0o600
    public = (tmp_path / "keys" / "ledger-key.pub").read_text()
    assert Verifier.parse(public) == Verifier.of("a.example/ledger", first.public_key())
    assert {p.name for p in (tmp_path / "keys").iterdir()} == {"ledger-key.pem", "ledger-key.pub"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    load_key(tmp_path, "a.example/ledger")
    (tmp_path / "ledger-key.pem").chmod(mode)
    with pytest.raises(WrongSetting, match="chmod 600"):
        load_key(tmp_path, "a.example/ledger")


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger-key.pem"
    path.write_text("nonsense")
    path.chmod(0o600)
    with pytest.raises(WrongSetting, match="backup"):
        load_key(tmp_path, "a.example/ledger")


def test_a_verifier_of_another_key_or_origin_is_told(tmp_path: Path) -> None:
    load_key(tmp_path, "a.example/ledger")
    with pytest.raises(DoesNotVerify, match="origin"):
        load_key(tmp_path, "b.example/ledger")
