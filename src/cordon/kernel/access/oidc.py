"""Signing in by an agency's own OpenID Connect provider: the code flow with PKCE.

Functions over an httpx client, with no web framework: the shell sends the reader to
`Flow.address`, keeps `Flow.sealed` in a cookie, and hands both back in `finish`. Who the provider
says it is must have been linked to an officer beforehand; nobody is added by signing in.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from cordon.kernel.access.sealing import Sealing
from cordon.kernel.errors import CordonError, DoesNotVerify, SignInRefused, Unavailable

SIGNED_BY = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures taken under an ID token. Never `none`, and none under a shared secret."""

MOST_TIME = timedelta(minutes=10)
"""From setting out to the provider to coming back."""

_LEEWAY_S = 60
_PURPOSE = "oidc"


@dataclass(frozen=True, slots=True)
class Client:
    """This node as the provider knows it.

    Attributes:
        redirect: address of this node that the provider sends the reader back to.
        secret: or None where the client is public.
    """

    issuer: str
    client_id: str
    redirect: str
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Provider:
    """What a provider says of itself (OpenID Connect Discovery 1.0, §3)."""

    issuer: str
    authorization: str
    token: str
    keys: str


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in under way: where to send the reader, and what to keep in their cookie."""

    address: str
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who the provider says it is: its issuer and the subject's id there."""

    issuer: str
    subject: str


def discover(http: httpx.Client, issuer: str) -> Provider:
    """Read a provider's own description.

    Raises:
        Unavailable: it does not answer, or describes another issuer or unsafe addresses.
    """
    _safe(issuer)
    found = _json(http, issuer.rstrip("/") + "/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        raise Unavailable(
            "The sign-in provider describes itself under another address.",
            advice="Set CORDON_OIDC_ISSUER exactly as the provider writes it.",
        )
    try:
        provider = Provider(
            issuer,
            str(found["authorization_endpoint"]),
            str(found["token_endpoint"]),
            str(found["jwks_uri"]),
        )
    except KeyError:
        raise Unavailable("The sign-in provider's description lacks an address.") from None
    for address in (provider.authorization, provider.token, provider.keys):
        _safe(address)
    return provider


def begin(provider: Provider, client: Client, sealing: Sealing, now: datetime) -> Flow:
    """Set out: an address with state, nonce and PKCE challenge, and their secrets, sealed."""
    verifier = secrets.token_urlsafe(48)
    state, nonce = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    # the address is put together without asking anybody
    address, _ = _oauth(None, client).create_authorization_url(
        provider.authorization, state=state, nonce=nonce, code_verifier=verifier
    )
    until = (now + MOST_TIME).timestamp()
    held = {"state": state, "nonce": nonce, "verifier": verifier, "until": until}
    return Flow(str(address), sealing.seal(orjson.dumps(held).decode(), _PURPOSE))


def finish(
    http: httpx.Client,
    provider: Provider,
    client: Client,
    sealing: Sealing,
    *,
    sealed: str | None,
    answer: Mapping[str, str],
    now: datetime,
) -> Subject:
    """Come back: check the answer, exchange its code, and check the ID token.

    Args:
        sealed: what `begin` gave, from the reader's cookie.
        answer: the parameters that the provider sent the reader back with.

    Raises:
        SignInRefused: anything does not fit. Unavailable: the provider does not answer.
    """
    try:
        held = orjson.loads(sealing.open(sealed or "", _PURPOSE))
    except DoesNotVerify:
        raise _refused() from None
    if now.timestamp() >= held["until"]:
        raise _refused()
    if not hmac.compare_digest(held["state"].encode(), answer.get("state", "").encode()):
        raise _refused()
    # RFC 9207: an answer of another provider than the one we set out to
    if "iss" in answer and answer["iss"] != provider.issuer:
        raise _refused()
    if "code" not in answer:
        raise _refused()
    token = _exchange(http, provider, client, answer["code"], held["verifier"])
    claims = _checked(http, provider, client, token, held["nonce"], now)
    return Subject(provider.issuer, str(claims["sub"]))


def _oauth(http: httpx.Client | None, client: Client) -> Any:
    made: Any = OAuth2Client  # it has no types
    return made(
        http,
        client_id=client.client_id,
        client_secret=client.secret,
        scope="openid",
        redirect_uri=client.redirect,
        code_challenge_method="S256",
    )


def _exchange(
    http: httpx.Client, provider: Provider, client: Client, code: str, verifier: str
) -> dict[str, Any]:
    if client.secret is not None:
        auth: httpx.Auth = httpx.BasicAuth(client.client_id, client.secret)
        extra = {}
    else:
        auth, extra = httpx.Auth(), {"client_id": client.client_id}
    try:
        token: dict[str, Any] = _oauth(http, client).fetch_token(
            provider.token,
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            auth=auth,
            **extra,
        )
    except httpx.HTTPError as fault:
        raise _away() from fault
    except (AuthlibBaseError, ValueError) as fault:
        raise _refused() from fault
    return token


def _checked(
    http: httpx.Client,
    provider: Provider,
    client: Client,
    token: Mapping[str, Any],
    nonce: str,
    now: datetime,
) -> Mapping[str, Any]:
    """The claims of the ID token (OpenID Connect Core 1.0, §3.1.3.7)."""
    try:
        keys = KeySet.import_key_set(_json(http, provider.keys))  # type: ignore[arg-type]
        read = jwt.decode(str(token["id_token"]), keys, algorithms=SIGNED_BY)
        checks: Any = CodeIDToken  # it has no types
        claims = checks(
            read.claims,
            read.header,
            options={
                "iss": {"essential": True, "value": provider.issuer},
                "sub": {"essential": True},
                "aud": {"essential": True, "value": client.client_id},
                "exp": {"essential": True},
                "nonce": {"essential": True, "value": nonce},
            },
            params={
                "nonce": nonce,
                "client_id": client.client_id,
                "access_token": token.get("access_token"),
            },
        )
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY_S)
    except CordonError:
        raise
    except (JoseError, AuthlibBaseError, KeyError, ValueError, TypeError) as fault:
        raise _refused() from fault
    if not isinstance(claims["sub"], str) or not 1 <= len(claims["sub"]) <= 255:
        raise _refused()
    return dict(claims)


def _json(http: httpx.Client, address: str) -> dict[str, Any]:
    try:
        answer = http.get(address, headers={"accept": "application/json"})
        answer.raise_for_status()
        found = answer.json()
    except (httpx.HTTPError, ValueError) as fault:
        raise _away() from fault
    if not isinstance(found, dict):
        raise _away()
    return found


def _safe(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost"):
        return
    raise Unavailable(
        "The sign-in provider has an address without https.", advice="Use one that begins with it."
    )


def _away() -> Unavailable:
    return Unavailable(
        "The sign-in provider does not answer.", advice="Sign in by password, or try again later."
    )


def _refused() -> SignInRefused:
    return SignInRefused(
        "That sign-in did not work.", advice="Begin it anew from the sign-in page."
    )
