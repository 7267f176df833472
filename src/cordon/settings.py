"""One typed table of every setting, with its help text.

A setting comes from the environment (`CORDON_NAME`), from `cordon.toml` in the working folder
(or the file that `CORDON_CONFIG` names), or from its default, in this order. Secrets are read
from files, never from arguments or URLs.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from cordon.kernel.errors import WrongSetting

PREFIX = "CORDON_"
Seriousness = Literal["notice", "serious", "grave"]


class Settings(BaseSettings):
    """Every setting of a node."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    # whose node it is
    agency: Annotated[str, Field(pattern=r"^[a-z]{2}-[a-z0-9-]{2,30}$")] = Field(
        "xx-demo", description="Code of the agency whose node this is, its country's code first."
    )
    agency_name: str = Field("Demonstration agency", description="Name of the agency, for pages.")
    country: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = Field(
        "pk", description="Country whose facts apply (a folder under countries/)."
    )

    # where it keeps things
    data: Path = Field(Path("var"), description="Folder of the node's database, files and keys.")
    database_url: str | None = Field(
        None,
        description="SQLAlchemy URL; SQLite in the data folder where empty. For PostgreSQL: "
        "postgresql+psycopg://user@host/name, the password in PGPASSFILE.",
    )
    database_pool: Annotated[int, Field(ge=1, le=200)] = Field(
        10, description="Connections to PostgreSQL kept open."
    )
    columns_memory_mb: Annotated[int, Field(ge=128, le=1_000_000)] = Field(
        2048, description="Memory that a query over columns may use (MB)."
    )
    columns_threads: Annotated[int, Field(ge=1, le=256)] = Field(
        2, description="Threads of a query over columns."
    )
    columns_engine: str = Field(
        "duckdb",
        description="What runs the heavy passes over calls and payments: duckdb in process, or "
        "Spark: spark://HOST:PORT of a standalone master, or local[N] for N threads of this "
        "machine. "
        "Spark needs the extra spark and Java 17.",
    )
    job_workers: Annotated[int, Field(ge=1, le=32)] = Field(
        1, description="Long jobs that run at the same time."
    )
    upload_max_mb: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        512, description="Largest file that a page takes (MB)."
    )

    # how it is reached
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="Port to listen on.")
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="Address that officers type; sets secure cookies "
        "and the OIDC redirect where it begins with https.",
    )
    tls_certificate: Path | None = Field(None, description="PEM file of the node's certificate.")
    tls_key: Path | None = Field(None, description="PEM file of the certificate's key.")
    tls_client_authorities: Path | None = Field(
        None,
        description="PEM file of the authorities whose certificates programs may sign in to "
        "TAXII with; nobody is asked for one where absent.",
    )
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses whose X-Forwarded-For is believed."
    )

    # sessions and sign-in
    session_idle_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        60, description="A session ends after this time without a request (minutes)."
    )
    session_hours: Annotated[int, Field(ge=1, le=72)] = Field(
        13, description="A session ends this long after sign-in: a watch and its hand-over (hours)."
    )
    sign_in_failures: Annotated[int, Field(ge=2, le=100)] = Field(
        5, description="Failures in a row that lock an officer's sign-in."
    )
    sign_in_lock_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        15, description="How long the first lock holds; each further one doubles (minutes)."
    )
    sign_in_rate: Annotated[int, Field(ge=1, le=10_000)] = Field(
        20, description="Sign-ins tried from one address a minute, at most."
    )
    api_rate: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        1200, description="Requests of one session or token a minute, at most."
    )
    taxii_page_most: Annotated[int, Field(ge=1, le=10_000)] = Field(
        1000, description="Objects of one page of the TAXII server, at most."
    )
    taxii_peers: Path | None = Field(
        None,
        description="YAML or JSON file of other agencies' TAXII servers that this node fetches "
        "from and hands on to.",
    )
    token: SecretStr | None = Field(
        None,
        description="Service token under which commands act; the console's own account "
        "where empty. In the environment or a file readable by its owner alone.",
    )
    oidc_issuer: str | None = Field(None, description="Address of an OpenID Connect provider.")
    oidc_client_id: str | None = Field(None, description="This node's client id at the provider.")
    oidc_client_secret_file: Path | None = Field(
        None, description="File that holds the client secret."
    )

    # law and oversight
    emergency_confirm_minutes: Annotated[int, Field(ge=5, le=1440)] | None = Field(
        None,
        description="An emergency authority ends unless a second officer confirms it within this "
        "time (minutes); the country's own time where empty.",
    )
    close_alone_up_to: Seriousness = Field(
        "notice",
        description="Gravest lead that one officer may close without a second one from "
        "another unit.",
    )
    masked_last_digits: Annotated[int, Field(ge=0, le=4)] = Field(
        3, description="Last digits of a masked number that stay readable."
    )
    ledger_origin: str | None = Field(
        None, description="Name of the ledger in its checkpoints; cordon/AGENCY where empty."
    )

    # the picture
    feeds: list[str] = Field(
        default_factory=list,
        description="Live feeds that the node reads, as a JSON list of addresses: "
        "nmea+tcp://host:port, nmea+udp://host:port, cot+tcp://host:port, cot+tls://host:port, "
        "cot+udp://host:port, nats://host:port/subject.",
    )
    nats_url: str | None = Field(
        None,
        description="Server of NATS through whose JetStream relays send what they read "
        "(nats://host:port); none where empty.",
    )
    nats_credentials: Path | None = Field(
        None, description="File with the credentials for NATS, or with a token."
    )
    nats_authorities: Path | None = Field(
        None, description="PEM file of the authorities that the NATS server's certificate is from."
    )
    tak_certificate: Path | None = Field(
        None, description="PEM file of the certificate that a TAK server knows this node by."
    )
    tak_key: Path | None = Field(None, description="PEM file of that certificate's key.")
    tak_authorities: Path | None = Field(
        None, description="PEM file of the authorities that a TAK server's certificate is from."
    )
    node_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        None,
        description="Port on which other agencies' nodes are heard; there is none where empty, and "
        "nothing is delivered to them.",
    )
    node_bind: str = Field("127.0.0.1", description="Address that other nodes are heard on.")
    witness_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        30,
        description="How often the ledger's checkpoint is given to other nodes, where anything was "
        "entered (seconds).",
    )
    planned_act_kinds: Path | None = Field(
        None,
        description="YAML file of the kinds of planned acts, with radius and buffer; the built-in "
        "ones where empty.",
    )
    tak_server_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        None,
        description="Port of the node's own TAK server, usually 8089; there is none where empty.",
    )
    tak_server_bind: str = Field("127.0.0.1", description="Address that the TAK server listens on.")
    tak_server_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$")] = Field(
        "127.0.0.1",
        description="Name or address by which phones reach the TAK server; it stands in its "
        "certificate and in the packages that enrol them.",
    )
    tak_enrol_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        None,
        description="Port at which phones enrol themselves by a one-time password, usually 8446; "
        "they cannot where empty.",
    )
    tak_package_port: Annotated[int, Field(ge=0, le=65535)] | None = Field(
        None,
        description="Port for data packages of enrolled TAK clients, usually 8443; there is none "
        "where empty.",
    )
    tak_tells: list[str] = Field(
        ["watch"],
        description="Groups of TAK clients that are told alerts and taskings, as a JSON list.",
    )
    triage: Path | None = Field(
        None,
        description="YAML file with the operator's own rules of the queue (points, times to "
        "acknowledge, weights of places), laid over those of operations/triage/rules.yaml.",
    )
    watches: Path | None = Field(
        None,
        description="YAML file with the watches of the node (name, when it begins, sectors), in "
        "place of those of operations/handover/watches.yaml.",
    )
    photo_parts_days: Annotated[int, Field(ge=1, le=365)] = Field(
        14,
        description="Days after which parts of a photo from a phone that nobody goes on with are "
        "taken away; the phone begins it anew.",
    )
    picture_window_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        24, description="How far back live detectors look (hours)."
    )
    picture_most_fixes: Annotated[int, Field(ge=10_000, le=200_000_000)] = Field(
        3_000_000,
        description="Fixes that live detectors hold at most (some 60 bytes each, twice while they "
        "look); beyond it older ones are thinned.",
    )
    zones: Path | None = Field(None, description="GeoJSON file of zones to read at the start.")
    tiles: Path | None = Field(
        None,
        description="PMTiles file of the operator's own map; the node serves it under the picture.",
    )
    frame_hz: Annotated[float, Field(ge=0.1, le=10)] = Field(
        2.0, description="Frames of the live picture that a page gets each second, about."
    )

    # words
    languages: list[Literal["en", "ur"]] = Field(
        ["en", "ur"],
        description="Languages offered, the default first, as a JSON list.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level of log lines."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="Log lines as JSON or text; auto is text on a terminal."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if value is None:
            return None
        takes = "it takes sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME"
        try:
            url = make_url(value)
        except (ArgumentError, ValueError):
            raise ValueError(takes) from None
        if url.drivername not in ("sqlite", "postgresql+psycopg"):
            raise ValueError(takes)
        if url.password or "password" in url.query:
            raise ValueError("a password does not belong into an address; use PGPASSFILE")
        return value

    @field_validator("columns_engine")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        masters = r"spark://[^/\s,:@]+:\d{1,5}(,[^/\s,:@]+:\d{1,5})*"
        if not re.fullmatch(rf"duckdb|local\[([1-9]\d?|\*)\]|{masters}", value):
            raise ValueError("it takes duckdb, spark://HOST:PORT or local[N]")
        return value

    @field_validator("feeds")
    @classmethod
    def _known_feeds(cls, value: list[str]) -> list[str]:
        known = r"(nmea\+(tcp|udp)|cot\+(tcp|tls|udp))://[^/@\s]+:\d{1,5}"
        known += r"|nats://[^/@\s]+(:\d{1,5})?/[^/@\s]+"
        if wrong := [v for v in value if not re.fullmatch(known, v)]:
            shown = "an address with a name in it" if "@" in wrong[0] else f"{wrong[0]!r:.60}"
            raise ValueError(f"{shown} is no feed; write for example nmea+tcp://host:port")
        return value

    @field_validator("nats_url")
    @classmethod
    def _known_nats(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"nats://[^/@\s]+(:\d{1,5})?", value):
            raise ValueError("it takes nats://host:port; what is secret stands in a file")
        return value

    @field_validator("public_url")
    @classmethod
    def _known_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
            raise ValueError("it takes an address that begins with http:// or https://")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings

    @property
    def rows_url(self) -> str:
        """The database's address, the default one filled in."""
        return self.database_url or f"sqlite:///{self.data / 'node.db'}"

    @property
    def secure(self) -> bool:
        """True where officers reach the node by https."""
        return self.public_url.startswith("https://")


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of `cordon settings`: name, value, where it came from, and its help."""

    name: str
    value: str
    origin: str
    default: str
    help: str


def load(**given: Any) -> Settings:
    """Read the settings; a wrong one raises WrongSetting in one line that says what it takes.

    Args:
        given: values of a command's own options, which go before all others.
    """
    path, in_file = _file()
    merged = {
        **{k: v for k, v in in_file.items() if PREFIX + k.upper() not in _environment()},
        **given,
    }
    for name in in_file:
        if name not in Settings.model_fields:
            raise WrongSetting(
                f"{path}: there is no setting named {name}.", advice="See `cordon settings`."
            )
    for name in _environment():
        key = name.removeprefix(PREFIX).lower()
        if key not in Settings.model_fields and name not in _NOT_SETTINGS:
            raise WrongSetting(f"There is no setting {name}.", advice="See `cordon settings`.")
    try:
        return Settings(**merged)
    except ValidationError as wrong:
        raise WrongSetting(_one_line(wrong)) from None
    except SettingsError as wrong:  # a list in the environment that is no JSON
        name = str(wrong).split('"')[1]
        told = Settings.model_fields[name].description
        raise WrongSetting(
            f"{PREFIX}{name.upper()} got {os.environ[PREFIX + name.upper()]!r:.60}: "
            f'it takes a JSON list, for example ["a"]. {told}'
        ) from None


def shown(settings: Settings) -> Iterator[Shown]:
    """Each setting with its help, value and where it came from; secrets are not shown."""
    path, in_file = _file()
    for name, spec in Settings.model_fields.items():
        value = getattr(settings, name)
        if PREFIX + name.upper() in _environment():
            origin = PREFIX + name.upper()
        elif name in in_file:
            origin = str(path)
        else:
            origin = "default"
        default = spec.get_default(call_default_factory=True)
        yield Shown(name, _written(value), origin, _written(default), spec.description or "")


_NOT_SETTINGS = {"CORDON_CONFIG", "CORDON_REAL_DATA"}
"""Names in the environment that begin as settings do and are none."""


def _environment() -> set[str]:
    return {name for name in os.environ if name.startswith(PREFIX)}


def _file() -> tuple[Path, dict[str, Any]]:
    named = os.environ.get("CORDON_CONFIG")
    path = Path(named) if named else Path("cordon.toml")
    if not path.is_file():
        if named:
            raise WrongSetting(f"CORDON_CONFIG names {path}, and there is no such file.")
        return path, {}
    try:
        return path, tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise WrongSetting(f"{path} cannot be read: {wrong}.") from None


def _one_line(wrong: ValidationError) -> str:
    first = wrong.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "a setting"
    spec = Settings.model_fields.get(name)
    # an address may hold a password, which is then what is wrong with it
    address = name in ("database_url", "feeds", "nats_url")
    hidden = name == "token" or (address and "@" in str(first.get("input")))
    got = "(not shown)" if hidden else repr(first.get("input"))[:60]
    takes = first["msg"].removeprefix("Value error, ")
    told = f" {spec.description}" if spec is not None else ""
    return f"{PREFIX}{name.upper()} got {got}: {takes}.{told}"


def _written(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "(set)"
    if value is None:
        return ""
    return str(value)
