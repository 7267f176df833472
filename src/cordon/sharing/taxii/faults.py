"""What a TAXII request can be refused for, beside the errors of the kernel."""

from __future__ import annotations

from collections.abc import Mapping

from cordon.kernel.errors import CordonError


class NotAcceptable(CordonError):
    """The caller accepts no media type that the TAXII server answers in."""

    status = 406
    code = "not_acceptable"


class WrongMediaType(CordonError):
    """The body of a TAXII request is of a media type that the server does not take."""

    status = 415
    code = "wrong_media_type"


class BadEnvelope(CordonError):
    """An envelope of objects cannot be taken; it says which object, and which property of it.

    Attributes:
        where: `index`, `id` and `property` of the first object that is wrong, as far as known.
    """

    status = 422
    code = "bad_envelope"

    def __init__(
        self, message: str, *, advice: str = "", where: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, advice=advice)
        self.where = dict(where or {})
