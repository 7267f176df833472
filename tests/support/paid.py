"""Payments on a node with its pages, for the tests that look at them."""

from __future__ import annotations

import io
import time
from typing import Any

from cordon.kernel import pseudonyms
from cordon.money import tracebook


def with_payments(standing: Any, reference: str, ring: str, number: str) -> dict[str, str]:
    """Payments into an account of a ring and on from it, traces; the parts of their addresses."""
    node, mule, lines = standing.node, "PK-ACC-77", []
    actor = node.console_actor(reference)

    def paid(day: int, giver: str, taker: str, amount: str, channel: str, hour: int) -> None:
        at = f"2026-01-{day:02d}T{hour:02d}:{len(lines) % 60:02d}:00Z"
        lines.append(f"P{len(lines)},{at},{giver},{taker},{amount},PKR,{channel}")

    for n in range(18):
        day, victim = n + 3, f"PK36SCBL00000011234567{n:02d}"
        paid(day, victim, mule, f"{20 + n}500.50", "transfer", 9)
        for k in range(3):
            second = f"PK24UNIL0000000987654{(n + k) % 5:03d}"
            paid(day, mule, second, f"{5 + k}000", "wallet", 10)
            way = ("cash_out", "hawala", "crypto", "foreign")[(n + k) % 4]
            paid(day, second, f"OUT-{way}", f"{3 + k}000.25", way, 12)
            paid(day, second, f"PK11HABB00000005555{n:03d}", "900", "transfer", 13)
    head = "payment_id,at,from_account,to_account,amount,currency,channel"
    accounts = (
        f"account,bank,holder_name,phone,opened,kind\n{mule},A bank,Bashir Example,{number},"
        f"2025-11-02,wallet\nPK24UNIL0000000987654001,A bank,Other Example,{number},,bank\n"
    )
    brought = node.money.brings.bring(
        actor,
        [("payments.csv", io.BytesIO("\n".join([head, *lines, "X,,A,B,1,PKR,"]).encode())),
         ("accounts.csv", io.BytesIO(accounts.encode()))],
        kind="auto",
    )  # fmt: skip
    end = time.monotonic() + 30
    while not node.money.brings.brought(actor, brought).ended:
        assert time.monotonic() < end, "the files were not read"
        time.sleep(0.2)
    asked = [
        tracebook.ask_account(node.money, actor, mule),
        tracebook.ask_account(node.money, actor, mule, way="back"),
        tracebook.ask_ring(node.money, actor, ring),
    ]
    jobs = [node.jobs.wait(job) for job in (node.money.ask_find(actor), *(j for _, j in asked))]
    assert [j.error for j in jobs if j.state != "done"] == []
    return {
        "money_brought": brought,
        "money_file": node.money.files(actor)[0].id,
        "account": pseudonyms.pseudonym(node.kernel.masker, f"account:{mule}"),
        "trace": asked[0][0],
        "trace_back": asked[1][0],
    }
