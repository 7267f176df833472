"""An exercise that plays when its node ends is over when the node begins again, and says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from cordon.bootstrap import open_node
from cordon.exercise import Exercise
from cordon.exercise.service import MARK, Pictured, _Playing
from cordon.exercise.tables import RunRow
from cordon.kernel.ids import new_id
from cordon.kernel.work import Kernel
from cordon.picture.tables import FeedRow
from cordon.settings import Settings
from cordon.web.rendering import Page, Templates

HOUR = timedelta(hours=1)


def playing(kernel: Kernel, noon: datetime, heard: datetime | None) -> tuple[str, str]:
    """A run that plays with its feed, as a node that was killed leaves them; their ids."""
    run, feed = new_id(), new_id()
    with kernel.work(kernel.node) as work:
        own = {"agency": kernel.agency, "mark": MARK, "created_at": work.now}
        work.session.add(
            RunRow(
                id=run, **own, world="watch", seed=7, days=2.0, scale=1.0, state="playing",
                begins=noon, shift_s=0.0, truth=[],
            )
        )  # fmt: skip
        work.session.add(
            FeedRow(
                id=feed, **own, name=f"exercise {run[-6:]}", url="nmea+tcp://127.0.0.1:9",
                wanted=True, heard_at=heard,
            )
        )  # fmt: skip
    return run, feed


@pytest.mark.parametrize("heard", [True, False])
def test_a_node_begun_again_ends_what_played_and_connects_its_feed_no_more(
    tmp_path: Path, clock: Any, noon: datetime, heard: bool
) -> None:
    settings = Settings(data=tmp_path / "node", agency="pk-test", log_level="warning")
    node = open_node(settings, clock=clock)
    run, feed = playing(node.kernel, noon, noon + HOUR if heard else None)
    folder = node.data / "exercise" / run
    folder.mkdir(parents=True)
    clock.advance(5 * HOUR)
    node.start()
    try:
        with node.kernel.rows.read() as session:
            row, read = session.get_one(RunRow, run), session.get_one(FeedRow, feed)
        assert row.state == "cut short"
        assert row.ended_at == noon + (HOUR if heard else 5 * HOUR)
        assert not read.wanted
        assert node.picture.connections.one(feed).state == "stopped"
        assert not folder.exists()
        assert node.exercise.cut_short() == []
    finally:
        node.stop()
        node.close()


class Silent:
    """A picture without feeds."""

    def end_feed(self, name: str) -> datetime | None:
        return None


def test_a_node_that_ends_in_order_keeps_when_it_did(
    kernel: Kernel, tmp_path: Path, clock: Any, noon: datetime, officers: dict[str, Any]
) -> None:
    run, _ = playing(kernel, noon, None)
    room = Exercise(kernel, cast(Pictured, Silent()), tmp_path, looked_for=())
    room._players[run] = _Playing()
    clock.advance(HOUR)
    assert room.cut_short() == []  # it plays
    room.stop()
    clock.advance(5 * HOUR)
    again = Exercise(kernel, cast(Pictured, Silent()), tmp_path, looked_for=())
    assert again.cut_short() == [run]
    (told,) = again.runs(officers["supervisor"])
    assert (told.state, told.ended_at) == ("cut short", noon + HOUR)
    page = Templates(zone="Asia/Karachi").render(
        "exercise/exercise.html", "en", page=Page(title="Exercise"), runs=[told], worlds=[],
        may_start=False, refused="",
    )  # fmt: skip
    assert "cut short" in page
    assert "The node ended while it was being played" in page
