"""TAK clients beside the phones of `bench.field`: one a unit, over mutual TLS.

Each is enrolled for its unit, in a group that is told alerts and taskings, so that it is given
the markers of all units. An order counts as shown when the last byte of the marker of its own
tasking has come out of the client's TLS.
"""

from __future__ import annotations

import asyncio
import ssl
import time

from bench.tak import END


async def client(
    port: int, n: int, context: ssl.SSLContext, shown: dict[int, float], ready: asyncio.Semaphore
) -> None:
    """Hold a connection, and keep when the order of this number came (s).

    Raises:
        ConnectionError: the server closed it.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    ready.release()
    rest, own = b"", f"Order {n} ".encode()
    try:
        while data := await reader.read(1 << 16):
            *whole, rest = (rest + data).split(END)
            if n not in shown and any(own in said for said in whole):
                shown[n] = time.perf_counter()
    finally:
        writer.close()
    raise ConnectionError(f"the TAK client {n} was cut off")
