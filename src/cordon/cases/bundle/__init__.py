"""Sealed evidence bundles: written by `seal`, checked by `verify` with no node and no network."""

from cordon.cases.bundle.contents import (
    Contents,
    DeclaredBreak,
    ExhibitFile,
    ExtractedRecord,
    Piece,
    Problem,
    Progress,
    RecordSource,
    RowUnit,
    SealedBundle,
    Signer,
    Verification,
    WholeRecord,
    WithheldRecord,
)
from cordon.cases.bundle.names import safe_name
from cordon.cases.bundle.sealing import seal
from cordon.cases.bundle.verifying import verify

__all__ = [
    "Contents",
    "DeclaredBreak",
    "ExhibitFile",
    "ExtractedRecord",
    "Piece",
    "Problem",
    "Progress",
    "RecordSource",
    "RowUnit",
    "SealedBundle",
    "Signer",
    "Verification",
    "WholeRecord",
    "WithheldRecord",
    "safe_name",
    "seal",
    "verify",
]
