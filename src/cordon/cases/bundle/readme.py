"""The text in each bundle that tells a court's expert how to check it with everyday tools."""

from __future__ import annotations

import base64
from datetime import datetime

from cordon.cases.bundle.contents import Signer
from cordon.cases.model import Case
from cordon.kernel.clock import format_time
from cordon.kernel.ledger.notes import Verifier

_TEXT = """\
EVIDENCE OF CASE {number}
sealed {at} by officer {officer} of {agency}

This folder proves itself: nobody can change, add or take away a byte of it without that
showing. You can check it without any program of the agency, on a machine without a network,
with sha256sum (GNU coreutils) and openssl (3.0 or later). Open a terminal in the folder
that holds seal.json, and type what stands indented below.

1. Is each file as it was sealed? Both must end without a word of "FAILED" or "missing".

    sha256sum --check --strict --quiet tagmanifest-sha256.txt
    sha256sum --check --strict --quiet manifest-sha256.txt

2. Was a file added? The first two must print nothing; the third prints bag-info.txt,
   bagit.txt, data, manifest-sha256.txt, seal.json, seal.sig and tagmanifest-sha256.txt.

    find . ! -type d ! -type f
    (find data -type f; cut -c67- manifest-sha256.txt) | LC_ALL=C sort | uniq -u
    ls -A

3. Is this what was signed? Each must print "OK": seal.sig holds the SHA-256 of
   tagmanifest-sha256.txt, which stands for every file, and of seal.json, which says who
   sealed it and when.

    sed -n 's/^\\(.*\\) sha256 \\([0-9a-f]*\\)$/\\2  \\1/p' seal.sig | sha256sum --check --strict

4. Is the signature good? The last line must print "Signature Verified Successfully".

    T=$(mktemp -d)
    sed '/^$/,$d' seal.sig > $T/text
    sed '1,/^$/d' seal.sig | sed -n '1s/^[^ ]* [^ ]* //p' | base64 -d | tail -c 64 > $T/sig
    printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000' > $T/key
    echo {public} | base64 -d >> $T/key
    openssl pkeyutl -verify -pubin -keyform DER -inkey $T/key \\
        -rawin -in $T/text -sigfile $T/sig

5. Is the key the agency's? The key in step 4 came with this folder, so step 4 alone does not
   say whose it is. Ring the agency on a number that you have from elsewhere, and compare:

    {fingerprint}

   The same is printed by

    tail -c 32 $T/key | openssl dgst -sha256 -binary | base64

What is in data/:

    case.json            the case, its exhibits (each with its file), what it is linked to
    exhibits/            the exhibits
    custody.jsonl        who had each exhibit, from when to when, and where
    custody_breaks.json  where that record does not hold, and how the officer explains it
    findings.jsonl       what detectors said, with their numbers; leads for people, no verdicts
    records/             the raw input that the findings point at; index.json tells of each file
                         whether it is whole, an extract (byte offsets given) or withheld, and why
    ledger/              the part of the agency's ledger that tells of this case, with its proofs
    authorities.json     the legal authorities under which all this was gathered

The folder is a bag after BagIt 1.0 (RFC 8493); seal.sig is a signed note (c2sp.org/signed-note)
with an Ed25519 signature (RFC 8032) of the key

    {verifier}
"""


def readme(case: Case, signer: Signer, verifier: Verifier, at: datetime) -> str:
    """The text of `data/README.txt`; every command in it runs as it stands."""
    return _TEXT.format(
        number=case.number,
        at=format_time(at),
        officer=signer.officer,
        agency=signer.agency,
        public=base64.b64encode(verifier.public).decode(),
        fingerprint=verifier.fingerprint,
        verifier=verifier,
    )
