"""A sealed bundle stays where it stands, whatever the database says of it."""

from __future__ import annotations

import io

from sqlalchemy import delete

from cordon.cases.bundle import verify
from cordon.cases.tables import BundleRow


def whole(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_bundle_that_an_older_database_does_not_know_is_kept(cases, officers, kernel):
    by = officers["custodian"]
    case = cases.open(officers["investigator"], title="A silent vessel")
    first = cases.seal(by, case)
    folder = cases.bundles.path(first)
    before = whole(folder)
    with kernel.rows.write() as session:  # as a dump from before the sealing has it
        session.execute(delete(BundleRow))
    cases.add_file(by, case, io.BytesIO(b"more"), title="more", received_from="person:master")
    second = cases.seal(by, case)
    assert (second.place, second.folder) == (2, f"{first.folder[:-2]}02")
    assert whole(folder) == before
    assert verify(folder, str(kernel.ledger.verifier)).ok
    assert verify(cases.bundles.path(second), str(kernel.ledger.verifier)).ok
    _, stream = cases.bundles.take_out(by, case, 2)
    assert b"".join(stream)
    assert cases.seal(by, case).place == 3


def test_a_number_of_a_case_that_is_given_again_wipes_nothing(cases, officers, tmp_path):
    stood = tmp_path / "bundles/C-2026-0001/C-2026-0001-01"
    stood.mkdir(parents=True)  # of another case, which this database has forgotten
    (stood / "seal.json").write_bytes(b"in court")
    (stood.parent / "C-2026-0001-02").symlink_to("nowhere")
    case = cases.open(officers["investigator"], title="Another matter")
    bundle = cases.seal(officers["custodian"], case)
    assert bundle.folder == "C-2026-0001/C-2026-0001-03"
    assert whole(stood) == {"seal.json": b"in court"}
