"""The two HTTP interfaces that TAK clients know by their paths below /Marti.

One is for phones that have no certificate yet: they have their own key signed, by a one-time
password over Basic. The other is for enrolled clients alone, told by the certificate of their
connection: data packages, and who else is there. Missions (data sync) are not served.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cordon import __version__
from cordon.kernel.access.ratelimit import RateLimit
from cordon.kernel.certificates import certificate_of
from cordon.kernel.clock import format_time
from cordon.kernel.errors import BadInput, CordonError, Refused, SignInRefused, TooLarge
from cordon.operations.tak.base import TakClient
from cordon.operations.tak.desk import TakDesk
from cordon.operations.tak.inviting import Invites
from cordon.operations.tak.packages import LARGEST, DataPackage, DataPackages

_MOST_SIGNED = 16 << 10  # bytes of a request for a certificate
_AROUND = 64 << 10  # bytes of a form around its file
_MOST_WORD = 4096
_SAFE = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
Handler = Callable[[Request], Awaitable[Response]]
Served = Callable[[Request, TakClient], Awaitable[Response]]


def enrolment(invites: Invites, *, per_minute: int = 20) -> Starlette:
    """The application of phones that have no certificate yet.

    Args:
        per_minute: requests of one address.
    """
    limit = RateLimit(invites.kernel.clock, per_minute=per_minute)
    agency = invites.kernel.agency

    def told(request: Request) -> tuple[str, str]:
        limit.take(request.client.host if request.client else "")
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        try:
            user, colon, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            user = colon = password = ""
        if kind.lower() != "basic" or not colon:
            raise SignInRefused("A name and its one-time password are asked for.")
        return user, password

    async def config(request: Request) -> Response:
        await run_in_threadpool(invites.known, *told(request))
        entries = (
            f'<nameEntry name="O" value={quoteattr(agency)}/><nameEntry name="OU" value="TAK"/>'
        )
        text = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            '<ns2:certificateConfig xmlns="http://bbn.com/marti/xml/config" '
            f'xmlns:ns2="com.bbn.marti.config"><nameEntries>{entries}</nameEntries>'
            "</ns2:certificateConfig>"
        )
        return Response(text, 200, _SAFE, "application/xml")

    async def sign(request: Request) -> Response:
        user, password = told(request)
        asked = await _bytes(request, _MOST_SIGNED)
        made = await run_in_threadpool(invites.sign, user, password, asked)
        own, authority = _bare(made.certificate), _bare(made.authority)
        takes = request.headers.get("accept", "")
        if "xml" in takes and "json" not in takes:
            text = (
                '<?xml version="1.0" encoding="UTF-8"?>'
                f"<enrollment><signedCert>{own}</signedCert><ca>{authority}</ca></enrollment>"
            )
            return Response(text, 200, _SAFE, "application/xml")
        return JSONResponse({"signedCert": own, "ca0": authority}, 200, _SAFE)

    async def profile(request: Request) -> Response:
        user, password = told(request)
        await run_in_threadpool(lambda: invites.known(user, password, used=True))
        return Response(status_code=204)  # there is nothing more to set up

    return _application(
        [
            Route("/Marti/api/tls/config", config),
            Route("/Marti/api/tls/signClient/v2", sign, methods=["POST"]),
            Route("/Marti/api/tls/profile/enrollment", profile),
        ]
    )


def packages(desk: TakDesk, kept: DataPackages, *, per_minute: int = 600) -> Starlette:
    """The application of enrolled clients; each request is entitled as the stream is."""
    limit = RateLimit(desk.kernel.clock, per_minute=per_minute)

    def served(serve: Served) -> Handler:
        async def handler(request: Request) -> Response:
            shown = certificate_of(request.scope)
            client = await run_in_threadpool(desk.admit, shown) if shown else None
            if client is None:
                raise Refused("This certificate may not join.", advice="Enrol the phone anew.")
            limit.take(client.id)
            return await serve(request, client)

        return handler

    def address(package: DataPackage) -> str:
        host = f"[{desk.host}]" if ":" in desk.host else desk.host
        return f"https://{host}:{desk.package_port}/Marti/sync/content?hash={package.sha256}"

    async def version(_request: Request, _client: TakClient) -> Response:
        return PlainTextResponse(f"Cordon {__version__}")

    async def config(_request: Request, _client: TakClient) -> Response:
        data = {"version": __version__, "api": "3", "hostname": desk.host}
        return _said(desk, "ServerConfig", data)

    async def others(_request: Request, client: TakClient) -> Response:
        found = await run_in_threadpool(desk.beside, client)
        data = [
            {
                "callsign": called, "uid": one.uid, "username": one.id, "lastStatus": "Connected",
                "lastEventTime": format_time(one.seen_at) if one.seen_at else "",
            }
            for one, called in found
        ]  # fmt: skip
        return _said(desk, "com.bbn.marti.remote.ClientEndpoint", data)

    async def groups(_request: Request, client: TakClient) -> Response:
        data = [
            {"name": g, "direction": way, "type": "SYSTEM", "active": True, "bitpos": n + 2}
            for n, g in enumerate(sorted(client.groups))
            for way in ("IN", "OUT")
        ]
        return _said(desk, "com.bbn.marti.remote.groups.Group", data)

    async def search(_request: Request, client: TakClient) -> Response:
        found = await run_in_threadpool(kept.search, client)
        return JSONResponse(
            {"resultCount": len(found), "results": [_listed(n, p) for n, p in enumerate(found)]},
            headers=_SAFE,
        )

    async def query(request: Request, client: TakClient) -> Response:
        found = await run_in_threadpool(kept.of_hash, client, request.query_params.get("hash", ""))
        return PlainTextResponse(address(found), headers=_SAFE)

    async def content(request: Request, client: TakClient) -> Response:
        sha256 = request.path_params.get("sha256") or request.query_params.get("hash", "")
        package, path = await run_in_threadpool(kept.content, client, sha256)
        headers = {
            **_SAFE,
            "content-disposition": f"attachment; filename*=UTF-8''{quote(package.name)}",
        }
        return FileResponse(path, headers=headers, media_type=package.media_type)

    async def upload(request: Request, client: TakClient) -> Response:
        asked = request.query_params
        _length(request, LARGEST + _AROUND)
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise BadInput("A package is sent as a form with one file.")
        async with request.form(max_files=1, max_fields=8) as form:
            file = next((v for v in form.values() if isinstance(v, UploadFile)), None)
            if file is None:
                raise BadInput("The form has no file.")
            name = asked.get("filename") or file.filename or ""
            made = await run_in_threadpool(
                lambda: kept.put(
                    client, file.file, name=name, sha256=asked.get("hash", ""),
                    creator=asked.get("creatorUid", ""),
                )
            )  # fmt: skip
        return PlainTextResponse(address(made), headers=_SAFE)

    async def tool(request: Request, client: TakClient) -> Response:
        word = (await _bytes(request, _MOST_WORD)).strip().lower()
        if word not in (b"public", b"private"):
            raise BadInput("A package is public or private.")
        made = await run_in_threadpool(
            lambda: kept.publish(client, request.path_params["sha256"], public=word == b"public")
        )
        return PlainTextResponse(address(made), headers=_SAFE)

    async def nothing(_request: Request, _client: TakClient) -> Response:
        return Response(status_code=204)

    metadata = "/Marti/api/sync/metadata/{sha256}/tool"
    return _application(
        [
            Route("/Marti/api/version", served(version)),
            Route("/Marti/api/version/config", served(config)),
            Route("/Marti/api/clientEndPoints", served(others)),
            Route("/Marti/api/groups/all", served(groups)),
            Route("/Marti/api/device/profile/connection", served(nothing)),
            Route("/Marti/sync/search", served(search)),
            Route("/Marti/sync/missionquery", served(query)),
            Route("/Marti/sync/content", served(content)),
            Route("/Marti/sync/missionupload", served(upload), methods=["POST"]),
            Route(metadata, served(content)),
            Route(metadata, served(tool), methods=["PUT"]),
        ]
    )


def _application(routes: list[Route]) -> Starlette:
    async def refused(_request: Request, wrong: Exception) -> Response:
        assert isinstance(wrong, CordonError)
        headers = dict(_SAFE)
        if isinstance(wrong, SignInRefused):
            headers["www-authenticate"] = 'Basic realm="Cordon"'
        return PlainTextResponse(f"{wrong}\n", wrong.status, headers)

    return Starlette(routes=routes, exception_handlers={CordonError: refused})


def _said(desk: TakDesk, kind: str, data: Any) -> Response:
    body = {"version": "3", "type": kind, "data": data, "nodeId": desk.kernel.agency}
    return JSONResponse(body, headers=_SAFE)


def _listed(number: int, package: DataPackage) -> dict[str, Any]:
    return {
        "PrimaryKey": number, "UID": package.id, "Name": package.name, "Hash": package.sha256,
        "Size": package.size, "MIMEType": package.media_type, "CreatorUid": package.creator,
        "SubmissionUser": package.client or "watch", "SubmissionDateTime": format_time(package.at),
        "Keywords": ["missionpackage"], "Tool": "public" if package.public else "private",
    }  # fmt: skip


def _bare(certificate: x509.Certificate) -> str:
    """A certificate's PEM without the lines around it, which clients write themselves."""
    lines = certificate.public_bytes(Encoding.PEM).decode().splitlines()
    return "\n".join(lines[1:-1])


def _length(request: Request, most: int) -> None:
    told = request.headers.get("content-length", "")
    if not told.isascii() or not told.isdigit() or len(told) > 12:
        raise BadInput("How long the request is was not told.")
    if int(told) > most:
        raise TooLarge(f"That is more than {most:,} bytes.")


async def _bytes(request: Request, most: int) -> bytes:
    _length(request, most)
    return await request.body()
