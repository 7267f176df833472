"""Photos of phones: in parts that go on after a break, kept under the hash that was announced."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import select

from cordon.cases import Exhibit, ExhibitKind
from cordon.kernel.access.model import Actor, Mark, Thing
from cordon.kernel.errors import BadInput, Conflict, NotFound, TooLarge
from cordon.kernel.store.files import naming_full_disk, sha256_of
from cordon.kernel.work import View
from cordon.operations.base import alert_row, tasking_row
from cordon.operations.field.base import READ, REPORT, FieldBase, NotYours
from cordon.operations.field.model import LARGEST_PART
from cordon.operations.field.stripping import media_type_of, stripped
from cordon.operations.field.tables import FieldPhotoRow

LEFT = "left"  # nobody went on with it: its parts are gone, what was announced is not
SWEEP = "operations.photo.sweep"
TRIES = 3  # whole bytes with another hash: then the phone's own copy is another one
TASKING = "operations.tasking.view"


@dataclass(frozen=True, slots=True)
class Arrived:
    """How much of a photo is here: `received` of `size` bytes; `state` as in the table."""

    state: str
    received: int
    size: int


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as the desk sees it. Attributes as in the table; `received` as in `Arrived`."""

    id: str
    tasking: str
    officer: str
    mark: Mark
    taken_at: datetime
    announced_at: datetime
    sha256: str
    size: int
    media_type: str
    state: str
    kept_at: datetime | None
    received: int
    exhibit: str | None
    case: str | None


def _as_told(state: str) -> str:
    """A photo that was left goes on as any other; its phone is told where."""
    return "arriving" if state == LEFT else state


class Photos(FieldBase):
    """Photos that phones announce (`Taking`) and then send in parts."""

    def arrived(self, actor: Actor, photo: str) -> Arrived:
        """How much of one's own photo is here: where the phone goes on."""
        with self.kernel.view(actor) as view:
            row = self._own(view, photo)
            return Arrived(_as_told(row.state), self._received(row), row.size)

    def put(self, actor: Actor, photo: str, offset: int, part: bytes) -> Arrived:
        """Take the bytes that follow `offset`; the last ones make the photo whole.

        A part that does not begin where the photo ends so far changes nothing: the answer says
        where to go on. Whole bytes with another hash are thrown away, and the phone begins anew;
        after `TRIES` the photo is refused.

        Raises:
            TooLarge: a part has more than `LARGEST_PART` bytes. BadInput: it goes past the size.
        """
        if len(part) > LARGEST_PART:
            raise TooLarge(
                f"A part has {len(part):,} bytes.", advice=f"Send {LARGEST_PART:,} at most."
            )
        with self.kernel.view(actor) as view:
            row = self._own(view, photo)
        if row.state == LEFT:
            self._go_on(actor, photo)
        elif row.state != "arriving":
            return Arrived(row.state, self._received(row), row.size)
        with self._held(photo) as (file, path):
            with self.kernel.view(actor) as view:  # another request may have made it whole
                row = self._own(view, photo)
            if row.state != "arriving":
                path.unlink(missing_ok=True)
                return Arrived(_as_told(row.state), self._received(row), row.size)
            size = file.seek(0, os.SEEK_END)
            if size < row.size:
                if offset != size:
                    return Arrived("arriving", size, row.size)
                if size + len(part) > row.size:
                    raise BadInput(
                        "The photo is longer than was announced.", advice="Take it anew."
                    )
                with naming_full_disk():
                    file.write(part)
                    file.flush()
                    os.fsync(file.fileno())
                size += len(part)
            if size < row.size:
                return Arrived("arriving", size, row.size)
            return self._whole(actor, photo, path)

    def sweep(self, age: timedelta) -> int:
        """Take away the parts of photos that nobody has gone on with for so long; return how many.

        What was announced stays, and with it the phone's word of its hash. A phone that comes
        back after all begins the photo anew.
        """
        with self.kernel.view(self.kernel.node) as view:
            stale = view.session.scalars(
                select(FieldPhotoRow.id)
                .where(FieldPhotoRow.state == "arriving")
                .where(FieldPhotoRow.created_at < view.now - age)
            ).all()
            known = set(
                view.session.scalars(
                    select(FieldPhotoRow.id).where(FieldPhotoRow.state == "arriving")
                )
            )
        left = sum(self._leave(photo) for photo in stale if not self._touched(photo, age))
        for path in self.folder.glob("*.part"):  # of a node that ended as one became whole
            if path.stem not in known and not self._touched(path.stem, age):
                path.unlink(missing_ok=True)
        return left

    def _leave(self, photo: str) -> bool:
        try:
            with self._held(photo) as (file, path):
                received = file.seek(0, os.SEEK_END)
                with self.kernel.work(self.kernel.node) as work:
                    row = work.session.get_one(FieldPhotoRow, photo, with_for_update=True)
                    if row.state != "arriving":
                        return False
                    row.state = LEFT
                    work.act(SWEEP, row.thing(), photo=row.sha256, received=received,
                             size=row.size, officer=row.officer, tasking=row.tasking)  # fmt: skip
                path.unlink(missing_ok=True)
        except Conflict:  # its phone is sending a part at this moment
            return False
        return True

    def _go_on(self, actor: Actor, photo: str) -> None:
        with self.kernel.work(actor) as work:
            row = work.session.get_one(FieldPhotoRow, photo, with_for_update=True)
            if row.state == LEFT:
                work.act(REPORT, row.thing(), photo=row.sha256, again=True, tasking=row.tasking)
                row.state = "arriving"

    def _touched(self, photo: str, age: timedelta) -> bool:
        """Whether a part came within so long, by the clock that stamps files."""
        try:
            return time.time() - self._path(photo).stat().st_mtime < age.total_seconds()
        except FileNotFoundError:
            return False

    def _whole(self, actor: Actor, photo: str, path: Path) -> Arrived:
        """All bytes are here: keep them where they are what was announced."""
        with path.open("rb") as source:
            kind = media_type_of(source.read(16))
        given = sha256_of(path)
        with self.kernel.view(actor) as view:
            announced = self._own(view, photo)
        good = given == announced.sha256
        if good and kind == announced.media_type:
            self.kernel.files.put_path(path, at_most=announced.size)
        with self.kernel.work(actor) as work:
            row = work.session.get_one(FieldPhotoRow, photo, with_for_update=True)
            if row.state != "arriving":
                return Arrived(row.state, row.size, row.size)
            if good and kind == row.media_type:
                row.state, row.kept_at = "kept", work.now
                work.act(REPORT, row.thing(), photo=row.sha256, kept=True, tasking=row.tasking)
                work.emit("operations.photo.kept", {"photo": photo, "tasking": row.tasking},
                          Mark(row.mark))  # fmt: skip
            else:
                row.tries += 1
                why = "hash" if not good else "type"
                if row.tries >= TRIES or good:
                    row.state = "refused"
                work.act(REPORT, row.thing(), photo=row.sha256, wrong=why, tries=row.tries)
            state, size = row.state, row.size
        path.unlink(missing_ok=True)
        return Arrived(state, size if state == "kept" else 0, size)

    def photos(self, actor: Actor, tasking: str) -> list[Photo]:
        """A tasking's photos, as they were announced."""
        with self.kernel.view(actor) as view:
            view.permit(TASKING, tasking_row(view.session, tasking).thing())
            rows = view.session.scalars(
                select(FieldPhotoRow)
                .where(FieldPhotoRow.tasking == tasking)
                .order_by(FieldPhotoRow.created_at, FieldPhotoRow.id)
            )
            return [self._shown_as(row) for row in rows]

    def shown(self, actor: Actor, tasking: str, photo: str) -> tuple[str, bytes]:
        """A photo to look at, without what its camera wrote into it: media type and bytes."""
        with self.kernel.view(actor) as view:
            view.permit(TASKING, tasking_row(view.session, tasking).thing())
            row = view.session.get(FieldPhotoRow, photo)
            if row is None or row.tasking != tasking or row.state != "kept":
                raise NotFound("There is no such photo here.", advice="Go back to the tasking.")
        return row.media_type, stripped(b"".join(self.kernel.files.read(row.sha256)))

    def to_case(self, actor: Actor, tasking: str, photo: str) -> Exhibit:
        """Make a photo, as it came, an exhibit of the case that its alert was taken into.

        The chain of custody begins with the officer who took it and goes to the one who acts.

        Raises:
            Conflict: the alert has no case yet, or the photo is an exhibit already.
        """
        with self.kernel.view(actor) as view:
            held = tasking_row(view.session, tasking)
            view.permit(TASKING, held.thing())
            row = view.session.get(FieldPhotoRow, photo)
            case = alert_row(view.session, held.alert).case
        if row is None or row.tasking != tasking or row.state != "kept":
            raise NotFound("There is no such photo here.", advice="Go back to the tasking.")
        if case is None:
            raise Conflict("The alert has no case.", advice="Open a case from the alert first.")
        with self.kernel.files.path(row.sha256).open("rb") as source:
            made = self.cases.add_file(
                actor, case, source, title=f"photo {row.taken_at:%Y-%m-%d %H%MZ} {row.id[:8]}",
                kind=ExhibitKind.PHOTO, media_type=row.media_type,
                source=f"field page, tasking {tasking}, SHA-256 announced by the phone",
                received_from=f"officer:{row.officer}",
                note=f"Taken {row.taken_at:%Y-%m-%dT%H:%M:%SZ}, whole on the node "
                f"{row.kept_at:%Y-%m-%dT%H:%M:%SZ}.",
            )  # fmt: skip
        with self.kernel.work(actor) as work:
            kept = work.session.get_one(FieldPhotoRow, photo, with_for_update=True)
            work.permit(READ, kept.thing())
            kept.exhibit, kept.case = made.id, case
        return made

    def _own(self, view: View, photo: str) -> FieldPhotoRow:
        row = view.session.get(FieldPhotoRow, photo)
        if row is None:
            raise NotFound("No photo was announced under this id.", advice="Announce it first.")
        if row.officer != view.actor.id:
            view.permit(REPORT, Thing("photo", row.id, row.agency, Mark(row.mark)))
            raise NotYours("The photo is another officer's.", advice="Take one of your own.")
        view.permit(REPORT, row.thing())
        return row

    def _received(self, row: FieldPhotoRow) -> int:
        if row.state == "kept":
            return row.size
        try:
            return self._path(row.id).stat().st_size
        except FileNotFoundError:
            return 0

    def _path(self, photo: str) -> Path:
        return self.folder / f"{photo}.part"

    @contextmanager
    def _held(self, photo: str) -> Iterator[tuple[BinaryIO, Path]]:
        """The file that the parts go into; whoever sends another part meanwhile is told so."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(photo)
        with naming_full_disk(), path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(
                    "Another part of this photo is being written.", advice="Ask where to go on."
                ) from None
            yield file, path

    def _shown_as(self, row: FieldPhotoRow) -> Photo:
        return Photo(
            row.id, row.tasking, row.officer, Mark(row.mark), row.taken_at, row.created_at,
            row.sha256, row.size, row.media_type, row.state, row.kept_at, self._received(row),
            row.exhibit, row.case,
        )  # fmt: skip
