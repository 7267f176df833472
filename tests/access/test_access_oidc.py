"""Signing in by a provider: a real one on loopback, with real keys, and those who attack it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Form, Header
from fastapi.responses import JSONResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from cordon.kernel.access import oidc
from cordon.kernel.access.model import Role
from cordon.kernel.access.sessions import Opened
from cordon.kernel.access.signin import Challenge
from cordon.kernel.errors import SignInRefused, Unavailable

CLIENT_ID, SECRET = "cordon-pk-test", "s3cret/with:signs"
BACK = "https://cordon.test/sign-in/oidc/back"
Claims = dict[str, Any]


@dataclass
class Provider:
    """An OpenID provider with one signed-in person; tests make it misbehave."""

    issuer: str
    clock: Any
    key: RSAKey
    public: bool = False
    subject: str = "person-17"
    claims: Callable[[Claims], Claims] = lambda c: c
    sign: Callable[[Claims, RSAKey], str] | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def describe() -> dict[str, Any]:
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }

        @app.get("/keys")
        def keys() -> dict[str, Any]:
            return KeySet([self.key]).as_dict(private=False)

        @app.get("/authorize")
        def authorize(
            response_type: str,
            client_id: str,
            redirect_uri: str,
            scope: str,
            state: str,
            nonce: str,
            code_challenge: str,
            code_challenge_method: str,
        ) -> RedirectResponse:
            assert (response_type, client_id, scope) == ("code", CLIENT_ID, "openid")
            assert code_challenge_method == "S256"
            code = secrets.token_urlsafe(16)
            self.codes[code] = {
                "nonce": nonce,
                "challenge": code_challenge,
                "redirect": redirect_uri,
            }
            return RedirectResponse(f"{redirect_uri}?code={code}&state={state}")

        @app.post("/token")
        def token(
            grant_type: Annotated[str, Form()],
            code: Annotated[str, Form()],
            redirect_uri: Annotated[str, Form()],
            code_verifier: Annotated[str, Form()],
            client_id: Annotated[str | None, Form()] = None,
            authorization: Annotated[str | None, Header()] = None,
        ) -> JSONResponse:
            held = self.codes.pop(code, None)  # a code is good once
            basic = "Basic " + base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
            proof = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest())
            known = client_id == CLIENT_ID if self.public else authorization == basic
            if not known:
                return JSONResponse({"error": "invalid_client"}, status_code=401)
            if (
                held is None
                or grant_type != "authorization_code"
                or held["redirect"] != redirect_uri
                or held["challenge"] != proof.decode().rstrip("=")
            ):
                return JSONResponse({"error": "invalid_grant"}, status_code=400)
            now = int(self.clock.now().timestamp())
            claims = self.claims(
                {
                    "iss": self.issuer,
                    "sub": self.subject,
                    "aud": CLIENT_ID,
                    "iat": now,
                    "exp": now + 300,
                    "nonce": held["nonce"],
                }
            )
            sign = self.sign or signed
            id_token = sign(claims, self.key)
            return JSONResponse(
                {"access_token": "at", "token_type": "Bearer", "id_token": id_token}
            )

        return app


def signed(claims: Claims, key: RSAKey) -> str:
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


def unsigned(claims: Claims, _key: RSAKey) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}."


def signed_by_client_secret(claims: Claims, _key: RSAKey) -> str:
    from joserfc.jwk import OctKey

    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET * 3))


def signed_by_public_key(claims: Claims, key: RSAKey) -> str:
    """The old confusion: the provider's public key taken for a shared secret."""
    import hmac

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    header = part(json.dumps({"alg": "HS256", "kid": key.kid}).encode())
    body = f"{header}.{part(json.dumps(claims).encode())}"
    mac = hmac.new(key.as_pem(private=False), body.encode(), hashlib.sha256).digest()
    return f"{body}.{part(mac)}"


def signed_by_another(claims: Claims, key: RSAKey) -> str:
    other = RSAKey.generate_key(2048, parameters={"kid": key.kid})
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, other)


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = RSAKey.generate_key(2048, parameters={"kid": "k1", "use": "sig"})
    provider = Provider(f"http://127.0.0.1:{port}", None, key)
    config = uvicorn.Config(provider.app(), host="127.0.0.1", port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield provider
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def provider(running: Provider, clock) -> Provider:
    running.clock, running.public, running.subject = clock, False, "person-17"
    running.claims, running.sign = (lambda c: c), None
    running.codes.clear()
    return running


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


def client(provider: Provider, **given: Any) -> oidc.Client:
    return oidc.Client(provider.issuer, CLIENT_ID, BACK, given.get("secret", SECRET))


class Trip:
    """One sign-in: out to the provider and, with what it answered, back."""

    def __init__(self, access, provider: Provider, http: httpx.Client, **given: Any) -> None:
        self.access, self.http = access, http
        self.client = client(provider, **given)
        self.found = oidc.discover(http, provider.issuer)
        self.flow = oidc.begin(self.found, self.client, access.sealing, access.clock.now())
        sent = http.get(self.flow.address)
        assert sent.status_code == 307
        to = urlsplit(sent.headers["location"])
        assert f"{to.scheme}://{to.netloc}{to.path}" == BACK
        self.answer = dict(parse_qsl(to.query))

    def back(self, **given: Any) -> oidc.Subject:
        return oidc.finish(
            self.http,
            self.found,
            self.client,
            self.access.sealing,
            sealed=given.get("sealed", self.flow.sealed),
            answer=self.answer | given.get("answer", {}),
            now=self.access.clock.now(),
        )


def test_a_linked_officer_signs_in(access, provider, http):
    officer = access.officer("amina", Role.WATCH_OFFICER)
    access.officers.link(
        access.console, officer.id, issuer=provider.issuer, subject=provider.subject
    )
    who = Trip(access, provider, http).back()
    assert who == oidc.Subject(provider.issuer, "person-17")
    opened = access.signin.by_provider(who.issuer, who.subject)
    assert isinstance(opened, Opened)
    assert access.sessions.find(opened.token).actor.id == officer.id


def test_a_public_client_proves_itself_by_pkce(access, provider, http):
    provider.public = True
    assert Trip(access, provider, http, secret=None).back().subject == "person-17"


def test_nobody_is_added_by_signing_in(access, provider, http):
    who = Trip(access, provider, http).back()
    with pytest.raises(SignInRefused):
        access.signin.by_provider(who.issuer, who.subject)
    assert access.officers.known(access.console) == []
    entry = access.entries()[-1]
    assert (entry[1], entry[3]["why"]) == ("refused", "unknown")
    assert "person-17" not in str(entry)


def test_the_same_subject_at_another_provider_is_somebody_else(access, provider):
    officer = access.officer("amina", Role.WATCH_OFFICER)
    access.officers.link(access.console, officer.id, issuer="https://other", subject="person-17")
    with pytest.raises(SignInRefused):
        access.signin.by_provider(provider.issuer, "person-17")


def test_a_locked_officer_stays_out_and_a_second_factor_is_still_asked_for(access, provider):
    officer = access.officer("amina", Role.WATCH_OFFICER)
    access.officers.link(access.console, officer.id, issuer=provider.issuer, subject="p")
    import pyotp

    actor = access.sign_in("amina")
    totp = pyotp.TOTP(access.officers.begin_second_factor(actor, "monsoon lantern quarry").secret)
    access.officers.finish_second_factor(actor, totp.at(access.clock.now()))
    assert isinstance(access.signin.by_provider(provider.issuer, "p"), Challenge)
    access.officers.lock(access.console, officer.id, "left the service")
    with pytest.raises(SignInRefused):
        access.signin.by_provider(provider.issuer, "p")


def _with(**other: Any) -> Callable[[Claims], Claims]:
    return lambda claims: {k: v for k, v in (claims | other).items() if v is not None}


def _shifted(**by: int) -> Callable[[Claims], Claims]:
    return lambda claims: claims | {k: claims[k] + s for k, s in by.items()}


@pytest.mark.parametrize(
    "claims",
    [
        _with(nonce="another"),
        _with(nonce=None),
        _with(aud="another-client"),
        _with(aud=["another-client", "third"]),
        _with(aud=[CLIENT_ID, "another-client"]),  # and no azp that says it is for us
        _with(aud=[CLIENT_ID, "another-client"], azp="another-client"),
        _with(aud=None),
        _with(iss="https://evil.test"),
        _with(iss=None),
        _with(sub=None),
        _with(sub=""),
        _with(sub=17),
        _with(sub="x" * 256),
        _with(exp=None),
        _with(at_hash="bm90IHRoZSBoYXNo"),
        _shifted(exp=-300 - 61),
        _shifted(iat=3600),
    ],
)
def test_a_token_with_wrong_claims_is_refused(access, provider, http, claims):
    provider.claims = claims
    trip = Trip(access, provider, http)
    with pytest.raises(SignInRefused):
        trip.back()


@pytest.mark.parametrize(
    "sign",
    [
        unsigned,
        signed_by_client_secret,
        signed_by_public_key,
        signed_by_another,
        lambda *_: "no.token.atall",
        lambda *_: "",
    ],
)
def test_a_token_with_a_wrong_signature_is_refused(access, provider, http, sign):
    provider.sign = sign
    trip = Trip(access, provider, http)
    with pytest.raises(SignInRefused):
        trip.back()


def test_a_tampered_token_is_refused(access, provider, http):
    def tampered(claims: Claims, key: RSAKey) -> str:
        head, _, mac = signed(claims, key).split(".")
        body = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "chief"}).encode())
        return f"{head}.{body.decode().rstrip('=')}.{mac}"

    provider.sign = tampered
    trip = Trip(access, provider, http)
    with pytest.raises(SignInRefused):
        trip.back()


def test_an_answer_of_another_sign_in_is_refused(access, provider, http):
    mine, theirs = Trip(access, provider, http), Trip(access, provider, http)
    for way in (
        {"answer": {"state": "guessed"}},
        {"answer": {"state": ""}},
        {"answer": theirs.answer},  # the attacker's code in the victim's browser
        {"sealed": theirs.flow.sealed},
        {"sealed": None},
        {"sealed": mine.flow.sealed[:-6] + "AAAAAA"},
        {"answer": {"code": theirs.answer["code"]}},  # PKCE: another verifier's code
        {"answer": {"iss": "https://evil.test"}},
    ):
        with pytest.raises(SignInRefused):
            mine.back(**way)


def test_a_code_is_good_once_and_a_sign_in_for_ten_minutes(access, provider, http):
    trip = Trip(access, provider, http)
    trip.back()
    with pytest.raises(SignInRefused):
        trip.back()
    late = Trip(access, provider, http)
    access.clock.advance(timedelta(minutes=10))
    with pytest.raises(SignInRefused):
        late.back()


def test_a_provider_that_says_no_is_a_refusal(access, provider, http):
    trip = Trip(access, provider, http)
    del trip.answer["code"]
    with pytest.raises(SignInRefused):
        trip.back(answer={"error": "access_denied"})
    wrong = Trip(access, provider, http, secret="wrong")
    with pytest.raises(SignInRefused):
        wrong.back()


def test_a_provider_must_be_the_one_that_was_set_and_safe(provider, http):
    with pytest.raises(Unavailable, match="another address"):
        oidc.discover(http, provider.issuer + "/")
    with pytest.raises(Unavailable, match="https"):
        oidc.discover(http, "http://provider.example")
    with pytest.raises(Unavailable, match="does not answer"):
        oidc.discover(http, "http://127.0.0.1:9")


def test_secrets_of_a_sign_in_are_not_in_its_address_or_words(access, provider, http):
    trip = Trip(access, provider, http)
    held = json.loads(access.sealing.open(trip.flow.sealed, "oidc"))
    assert held["verifier"] not in trip.flow.address
    assert held["state"] in trip.flow.address
    assert SECRET not in repr(trip.client) + trip.flow.address
    assert trip.flow.sealed not in repr(trip.flow)
