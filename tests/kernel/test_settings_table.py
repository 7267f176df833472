"""Every setting: a wrong value is one line that names it, what it got and what it takes."""

from __future__ import annotations

import pytest

from cordon import settings as module
from cordon.kernel.errors import WrongSetting
from cordon.settings import Settings, load, shown

WRONG = {
    "agency": ["PK", "pk", "pk-", "pk_mcg", ""],
    "country": ["Pakistan", "P1", ""],
    "database_url": ["foo", "mysql://x/y", "postgresql://u@h/x", "postgresql+psycopg://u:geheim@h/x"],
    "database_pool": ["0", "201", "ten", "1.5"],
    "columns_memory_mb": ["127", "lots", "-1"],
    "columns_threads": ["0", "257", "x"],
    "columns_engine": ["postgres", "spark://", "spark://host", "local[0]"],
    "job_workers": ["0", "33", "x"],
    "upload_max_mb": ["0", "x", "1e99"],
    "port": ["-1", "65536", "http"],
    "public_url": ["cordon.example", "ftp://x", ""],
    "session_idle_minutes": ["0", "1441", "x"],
    "session_hours": ["0", "73", "x"],
    "sign_in_failures": ["1", "101", "x"],
    "sign_in_lock_minutes": ["0", "1441", "x"],
    "sign_in_rate": ["0", "10001", "x"],
    "api_rate": ["0", "x"],
    "taxii_page_most": ["0", "10001", "x"],
    "witness_seconds": ["0", "3601", "x"],
    "emergency_confirm_minutes": ["4", "1441", "x"],
    "close_alone_up_to": ["mild", "NOTICE", ""],
    "masked_last_digits": ["5", "-1", "x"],
    "feeds": [
        "nmea+tcp://a:1", '"a"', '["tcp://a:1"]', '["nmea+tcp://a"]', "[1]", '["cot+http://a:1"]',
        '["nats://a:1"]', '["cot+tcp://u:geheim@a:1"]',
    ],
    "nats_url": ["a:4222", "http://a:4222", "nats://a:4222/x", "nats://u:geheim@a:4222"],
    "picture_most_fixes": ["9999", "lots"],
    "photo_parts_days": ["0", "366", "x"],
    "picture_window_hours": ["0", "169", "x"],
    "frame_hz": ["0", "11", "x", "nan"],
    "languages": ["en", '["de"]', "[1]"],
    "log_level": ["loud", "INFO", ""],
    "log_format": ["xml", ""],
}  # fmt: skip
FREE = {  # any text, or any path, is a value of these
    "agency_name", "data", "host", "tls_certificate", "tls_client_authorities", "tls_key",
    "trusted_proxies",
    "token",
    "oidc_issuer", "oidc_client_id", "oidc_client_secret_file", "ledger_origin", "zones", "tiles",
    "triage", "watches",
    "nats_credentials", "nats_authorities", "tak_certificate", "tak_key", "tak_authorities",
    "taxii_peers", "node_port", "node_bind", "planned_act_kinds",
    "tak_server_port", "tak_server_bind", "tak_server_name", "tak_tells", "tak_enrol_port",
    "tak_package_port",
}  # fmt: skip


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """A folder without a cordon.toml, and an environment without settings."""
    import os

    for name in [n for n in os.environ if n.startswith("CORDON_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_setting_is_left_out_here():
    assert set(WRONG) | FREE == set(Settings.model_fields)
    assert not set(WRONG) & FREE


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_is_one_line(name, value, monkeypatch):
    variable = f"CORDON_{name.upper()}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(WrongSetting) as wrong:
        load()
    line = str(wrong.value)
    assert "\n" not in line
    assert line.startswith(f"{variable} got ")
    assert Settings.model_fields[name].description in line
    if value and "@" not in value and not value.startswith(("[", '"')):
        assert value[:20] in line
    assert "geheim" not in line


@pytest.mark.parametrize(("name", "value"), [("port", "65536"), ("log_level", '"loud"')])
def test_a_wrong_value_in_the_file_is_one_line_too(name, value, nowhere):
    (nowhere / "cordon.toml").write_text(f"{name} = {value}\n")
    with pytest.raises(WrongSetting, match=f"{name.upper()} got"):
        load()


def test_a_name_that_is_none(monkeypatch, nowhere):
    monkeypatch.setenv("CORDON_PROT", "1")
    with pytest.raises(WrongSetting, match="no setting CORDON_PROT"):
        load()
    monkeypatch.delenv("CORDON_PROT")
    (nowhere / "cordon.toml").write_text("prot = 1\n")
    with pytest.raises(WrongSetting, match=r"cordon\.toml: there is no setting named prot"):
        load()


@pytest.mark.parametrize("text", [b"port = \n", b"\xff\xfe", b"port = 1\nport = 2\n"])
def test_a_file_that_cannot_be_read(nowhere, text):
    (nowhere / "cordon.toml").write_bytes(text)
    with pytest.raises(WrongSetting, match="cannot be read") as wrong:
        load()
    assert "\n" not in str(wrong.value)


def test_a_file_that_is_named_and_absent(monkeypatch):
    monkeypatch.setenv("CORDON_CONFIG", "elsewhere.toml")
    with pytest.raises(WrongSetting, match=r"names elsewhere\.toml"):
        load()


def test_the_environment_goes_before_the_file_and_the_default_last(monkeypatch, nowhere):
    (nowhere / "cordon.toml").write_text(
        'port = 9000\nagency = "pk-mcg"\nfeeds = ["nmea+tcp://a:1"]\n'
    )
    monkeypatch.setenv("CORDON_PORT", "9001")
    found = load()
    assert (found.port, found.agency, found.feeds) == (9001, "pk-mcg", ["nmea+tcp://a:1"])
    assert load(port=9002).port == 9002  # a command's own option before all
    origins = {s.name: s.origin for s in shown(found)}
    assert origins["port"] == "CORDON_PORT"
    assert origins["agency"] == "cordon.toml"
    assert origins["host"] == "default"


def test_another_file_may_be_named(monkeypatch, nowhere):
    (nowhere / "node.toml").write_text('country = "pk"\nport = 7\n')
    monkeypatch.setenv("CORDON_CONFIG", "node.toml")
    assert load().port == 7


def test_secrets_are_never_shown(monkeypatch):
    monkeypatch.setenv("CORDON_TOKEN", "very-secret")
    found = load()
    lines = [(s.value, s.default, s.help) for s in shown(found)]
    assert "very-secret" not in str(lines)
    assert "very-secret" not in repr(found)
    assert {s.name: s.value for s in shown(found)}["token"] == "(set)"


def test_each_is_shown_with_its_help():
    rows = list(shown(load()))
    assert [s.name for s in rows] == list(Settings.model_fields)
    assert all(s.help.endswith(".") for s in rows)
    assert all(s.value == s.default for s in rows)


def test_a_password_in_the_address_is_refused_wherever_it_stands(monkeypatch):
    for url in ("postgresql+psycopg://u:geheim@h/x", "postgresql+psycopg://h/x?password=geheim"):
        monkeypatch.setenv("CORDON_DATABASE_URL", url)
        with pytest.raises(WrongSetting, match="PGPASSFILE"):
            load()
    monkeypatch.setenv("CORDON_DATABASE_URL", "postgresql+psycopg://u@h/x")
    assert load().rows_url == "postgresql+psycopg://u@h/x"
    monkeypatch.delenv("CORDON_DATABASE_URL")
    assert load().rows_url == "sqlite:///var/node.db"


def test_settings_do_not_change_while_a_node_runs():
    with pytest.raises(Exception, match="frozen"):
        load().port = 1  # type: ignore[misc]
    assert module.PREFIX == "CORDON_"
