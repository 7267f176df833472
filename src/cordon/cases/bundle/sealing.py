"""Sealing: write what a case has gathered as one folder that proves itself, and sign it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from cordon.cases.bundle.bag import BagWriter
from cordon.cases.bundle.contents import Contents, Progress, SealedBundle, Signer
from cordon.cases.bundle.partial import naming_faults, partial_beside, put_in_place, taken
from cordon.cases.bundle.payload import bytes_in_all, check_contents, write_payload
from cordon.cases.bundle.sense import make_sense
from cordon.kernel.clock import as_utc
from cordon.kernel.errors import BadInput
from cordon.kernel.ledger.notes import Verifier


def seal(
    contents: Contents,
    out_folder: Path,
    signer: Signer,
    at: datetime,
    progress: Progress | None = None,
) -> SealedBundle:
    """Write the contents as a sealed bundle that verifies with no node and no network.

    The folder appears at once and whole; a process that is killed leaves at most a hidden
    `.partial` folder beside it, which the next sealing there removes.

    Args:
        out_folder: where the bundle will stand; nothing may stand there yet.
        at: moment of the seal, aware.
        progress: called with bytes done and in all; raising in it calls the sealing off.

    Raises:
        BadInput: the contents do not hold together (undeclared breaks of custody, pointers to
            records that are neither there nor withheld, unsafe names); each is named.
        DoesNotVerify: bytes are not those of the exhibit or record that they are given as.
        Conflict: something stands at `out_folder`.
        Unavailable: the disk is full or cannot be written.
    """
    at, out = as_utc(at), out_folder.absolute()
    verifier = Verifier.of(signer.name, signer.key.public_key())
    if os.path.lexists(out):
        raise taken(out)
    check_contents(contents)
    with naming_faults(), partial_beside(out) as partial:
        bag = BagWriter(partial / "bag", bytes_in_all(contents), progress)
        write_payload(bag, contents, signer, verifier, at)
        sense = make_sense(bag.folder, bag.manifest, bag.sizes, case=contents.case.number, until=at)
        if sense.problems:
            lines = "\n".join(f"{p.file}: {p.says}" for p in sense.problems[:20])
            raise BadInput(
                f"The bundle would not hold together, so it was not sealed:\n{lines}",
                advice="Put each right, withhold the records, or declare the break of custody.",
            )
        root = bag.close(contents, signer, verifier, at)
        put_in_place(bag.folder, out)
    return SealedBundle(
        folder=out,
        root=root,
        files=len(bag.manifest),
        size=sum(bag.sizes.values()),
        sealed_at=at,
        public_key=str(verifier),
        fingerprint=verifier.fingerprint,
    )
