"""The endpoints of TAXII 2.1, each as the standard names it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from cordon.kernel.access.model import Actor
from cordon.kernel.errors import NotFound, TooLarge
from cordon.kernel.pages import May, guarded_router
from cordon.sharing.taxii import answers, filters
from cordon.sharing.taxii.media import check_content_type
from cordon.sharing.taxii.server import ADD, DELETE, READ, SEE, Server

Sees = Annotated[Actor, May(SEE)]
Reads = Annotated[Actor, May(READ)]
Adds = Annotated[Actor, May(ADD)]
Deletes = Annotated[Actor, May(DELETE)]
_ALL = "all"


def taxii_routes(server: Server) -> APIRouter:
    """Every route below `/taxii2/`."""
    router = guarded_router(
        prefix="/taxii2", route_class=answers.TaxiiRoute, dependencies=[Depends(answers.accepted)]
    )

    def asked(request: Request) -> filters.Filters:
        return filters.read(request.query_params.multi_items(), server.most)

    @router.get("/")
    def discovery(actor: Sees) -> Response:
        """TAXII: which API roots there are."""
        return answers.resource(server.discovery(actor))

    @router.get("/{root}/")
    def api_root(actor: Sees, root: str) -> Response:
        """TAXII: an API root."""
        return answers.resource(server.root(actor, root))

    @router.get("/{root}/status/{status}/")
    def status_of(actor: Sees, root: str, status: str) -> Response:
        """TAXII: what became of an envelope."""
        return answers.resource(server.status(actor, root, status))

    @router.get("/{root}/collections/")
    def collections(actor: Sees, root: str) -> Response:
        """TAXII: the collections of a root."""
        return answers.resource(server.collections(actor, root))

    @router.get("/{root}/collections/{collection}/")
    def collection_of(actor: Sees, root: str, collection: str) -> Response:
        """TAXII: a collection."""
        return answers.resource(server.collection(actor, root, collection))

    @router.get("/{root}/collections/{collection}/manifest/")
    def manifest(request: Request, actor: Reads, root: str, collection: str) -> Response:
        """TAXII: what a collection holds."""
        return answers.paged(server.manifest(actor, root, collection, asked(request)))

    @router.get("/{root}/collections/{collection}/objects/")
    def objects(request: Request, actor: Reads, root: str, collection: str) -> Response:
        """TAXII: objects of a collection."""
        return answers.paged(server.objects(actor, root, collection, asked(request)))

    @router.post("/{root}/collections/{collection}/objects/")
    async def add(request: Request, actor: Adds, root: str, collection: str) -> Response:
        """TAXII: hand objects in."""
        check_content_type(request.headers.get("content-type"))
        body = await _body(request, await run_in_threadpool(server.most_bytes, actor, root))
        told = await run_in_threadpool(server.add, actor, root, collection, body)
        return answers.resource(told, 202)

    @router.get("/{root}/collections/{collection}/objects/{id_}/")
    def one(request: Request, actor: Reads, root: str, collection: str, id_: str) -> Response:
        """TAXII: an object."""
        return answers.paged(server.object(actor, root, collection, id_, asked(request)))

    @router.delete("/{root}/collections/{collection}/objects/{id_}/")
    def delete(request: Request, actor: Deletes, root: str, collection: str, id_: str) -> Response:
        """TAXII: delete an object."""
        every = request.query_params.multi_items()
        if not any(name == "match[version]" for name, _ in every):
            every.append(("match[version]", _ALL))
        server.delete(actor, root, collection, id_, filters.read(every, server.most))
        return answers.resource({})

    @router.get("/{root}/collections/{collection}/objects/{id_}/versions/")
    def versions(request: Request, actor: Reads, root: str, collection: str, id_: str) -> Response:
        """TAXII: the versions of an object."""
        return answers.paged(server.versions(actor, root, collection, id_, asked(request)))

    @router.get("/{rest:path}")
    def nothing(actor: Sees, rest: str) -> Response:
        """TAXII: an address at which there is nothing."""
        raise NotFound("There is nothing at this address.", advice="TAXII's addresses end in /.")

    return router


async def _body(request: Request, most: int) -> bytes:
    """The body, refused as soon as it is longer than the root takes."""
    declared = request.headers.get("content-length", "")
    parts, size = [], int(declared) if declared.isdigit() and len(declared) < 16 else 0
    if size <= most:
        size = 0
        async for part in request.stream():
            size += len(part)
            if size > most:
                break
            parts.append(part)
    if size > most:
        raise TooLarge(
            f"The envelope has more than {most} bytes.", advice="Send it in several smaller ones."
        )
    return b"".join(parts)
