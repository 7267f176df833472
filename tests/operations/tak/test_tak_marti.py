"""Phones that enrol themselves, and data packages, over the paths that TAK clients know."""

from __future__ import annotations

import base64
import hashlib
import io
import ssl
import zipfile

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cordon.kernel.errors import BadInput, Conflict, NotFound, Refused
from cordon.operations.tak import marti
from cordon.operations.tak.doors import Door
from support.takking import context

WHY = "It shows a house that is not ours."
ZIP = b"PK\x05\x06" + b"\0" * 18


@pytest.fixture
def doors(desk):
    """Both ports, opened on loopback."""
    now = desk.kernel.clock.now()
    made = [
        Door("tak_enrol_port", marti.enrolment(desk.invites), "127.0.0.1", 0,
             desk.keys.open_context("127.0.0.1", now)),
        Door("tak_package_port", marti.packages(desk, desk.packages), "127.0.0.1", 0,
             desk.keys.server_context("127.0.0.1", now)),
    ]  # fmt: skip
    for door in made:
        door.start()
    desk.port = desk.port or 8089
    desk.enrol_port, desk.package_port = (door.port for door in made)
    yield desk
    for door in made:
        door.stop()


@pytest.fixture
def trust(doors, tmp_path):
    """Trusts the node's authority, as a phone that imported the package of its invitation."""
    path = tmp_path / "ca.pem"
    path.write_bytes(doors.keys.authority_pem)
    return ssl.create_default_context(cafile=str(path))


@pytest.fixture
def invited(doors, officers):
    def one(name="Pasni 1", groups="watch", **rest):
        return doors.invites.invite(officers["supervisor"], name=name, groups=groups, **rest)

    return one


def request_of(key, name="tak"):
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return made.sign(key, hashes.SHA256())


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def bare(csr):
    """As ATAK sends it: base64 without the lines around it."""
    return base64.b64encode(csr.public_bytes(Encoding.DER))


@pytest.fixture
def sign(doors, trust):
    def one(user, password, body, **headers):
        return httpx.post(
            f"https://127.0.0.1:{doors.enrol_port}/Marti/api/tls/signClient/v2?clientUid=A&version=3",
            content=body, auth=(user, password), verify=trust, headers=headers,
        )  # fmt: skip

    return one


@pytest.fixture
def caller(doors, trust, enrol):
    """Calls the port of packages with an enrolled phone's certificate."""

    def one(name, groups="watch", **rest):
        client, paths = enrol(name, groups, **rest)
        made = httpx.Client(
            base_url=f"https://127.0.0.1:{doors.package_port}", verify=context(paths)
        )
        opened.append(made)
        return client, made

    opened = []
    yield one
    for made in opened:
        made.close()


def sent(client, data=ZIP, name="plan.zip", said=None):
    said = hashlib.sha256(data).hexdigest() if said is None else said
    return client.post(
        "/Marti/sync/missionupload",
        params={"hash": said, "filename": name, "creatorUid": "ANDROID-1"},
        files={"assetfile": (name, data, "application/octet-stream")},
    )


def test_a_phone_has_its_own_key_signed_once_and_joins(
    doors, invited, sign, trust, key, server, tmp_path, kernel, officers
):
    made = invited("Pasni 1", "watch, pasni")
    user, password = made.invite.user, made.password
    base = f"https://127.0.0.1:{doors.enrol_port}/Marti/api/tls"
    config = httpx.get(f"{base}/config", auth=(user, password), verify=trust)
    assert config.status_code == 200
    assert f'<nameEntry name="O" value="{kernel.agency}"/>' in config.text
    told = sign(user, password, bare(request_of(key))).json()
    pem = {
        n: f"-----BEGIN CERTIFICATE-----\n{told[n]}\n-----END CERTIFICATE-----\n".encode()
        for n in ("signedCert", "ca0")
    }
    own = x509.load_pem_x509_certificate(pem["signedCert"])
    own.verify_directly_issued_by(x509.load_pem_x509_certificate(pem["ca0"]))
    assert own.public_key() == key.public_key()
    # its profile is asked for with the password that was just used; nothing else takes that
    profile = httpx.get(f"{base}/profile/enrollment", auth=(user, password), verify=trust)
    assert profile.status_code == 204
    assert sign(user, password, bare(request_of(key))).status_code == 401
    paths = {"ca": tmp_path / "ca.pem", "pem": tmp_path / "own.pem"}
    paths["pem"].write_bytes(
        pem["signedCert"] + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    from support.takking import Phone, event

    phone = Phone(server.port, paths)
    phone.send(event("ANDROID-9", callsign="P1"))
    assert phone.waits_for(lambda _p: "P1" in doors.online.values())
    phone.close()
    (client,) = [c for c in doors.clients(officers["watch"]) if c.name == "Pasni 1"]
    assert client.groups == {"watch", "pasni"}
    entry = kernel.ledger.of_thing(f"tak:{client.id}", limit=10)[-1]
    assert (entry.act, entry.detail["invite"]) == ("operations.tak.join", made.invite.id)
    assert made.password not in str([e.detail for e in kernel.ledger.entries(limit=100)])


def test_the_answer_is_xml_where_that_is_asked_for(invited, sign, key):
    made = invited()
    pem = request_of(key).public_bytes(Encoding.PEM)
    told = sign(made.invite.user, made.password, pem, accept="application/xml")
    assert told.headers["content-type"].startswith("application/xml")
    assert "<enrollment><signedCert>MII" in told.text


def test_the_package_of_an_invitation_holds_nothing_secret(invited, doors):
    made = invited()
    with zipfile.ZipFile(io.BytesIO(made.package)) as files:
        assert sorted(files.namelist()) == [
            "MANIFEST/manifest.xml", "certs/truststore.p12", "prefs/config.pref",
        ]  # fmt: skip
        said = files.read("prefs/config.pref").decode()
    assert made.password not in said
    assert f"127.0.0.1:{doors.port}:ssl" in said
    assert made.invite.user in said
    assert "enrollForCertificateWithTrust0" in said


def test_wrong_passwords_end_an_invitation(invited, sign, key, doors, officers, kernel):
    made, other = invited(), invited("Other")
    body = bare(request_of(key))
    assert sign("tak-00000000", made.password, body).status_code == 401
    assert sign(made.invite.user, other.password, body).status_code == 401
    assert [i.tries for i in doors.invites.waiting(officers["supervisor"])] == [0, 1]
    for _ in range(9):
        with pytest.raises(Exception, match="let nobody enrol"):
            doors.invites.known(made.invite.user, "guess")
    with pytest.raises(Exception, match="let nobody enrol"):
        doors.invites.known(made.invite.user, made.password)
    assert [i.name for i in doors.invites.waiting(officers["supervisor"])] == ["Other"]
    refused = kernel.ledger.of_thing(f"tak:{made.invite.id}", limit=20)
    assert {e.outcome for e in refused if e.act.endswith("join")} == {"refused"}


def test_guesses_of_one_address_are_slowed_down(invited, trust, doors):
    codes = {
        httpx.get(
            f"https://127.0.0.1:{doors.enrol_port}/Marti/api/tls/config", auth=("a", "b"),
            verify=trust,
        ).status_code
        for _ in range(25)
    }  # fmt: skip
    assert codes == {401, 429}


@pytest.mark.parametrize(
    "body", [b"", b"AAAA", b"-----BEGIN CERTIFICATE REQUEST-----\nAA\n", b"\xff" * 500]
)
def test_what_is_no_request_is_refused_and_may_be_sent_again(invited, sign, key, body):
    made = invited()
    assert sign(made.invite.user, made.password, body).status_code == 422
    assert sign(made.invite.user, made.password, bare(request_of(key))).status_code == 200


def test_weak_keys_and_forged_requests_are_refused(invited, sign, key):
    made = invited()
    for weak in (
        rsa.generate_private_key(public_exponent=65537, key_size=1024),
        ec.generate_private_key(ec.SECP256R1()),
    ):
        assert sign(made.invite.user, made.password, bare(request_of(weak))).status_code == 422
    forged = bytearray(request_of(key).public_bytes(Encoding.DER))
    forged[-1] ^= 1
    body = base64.b64encode(bytes(forged))
    assert sign(made.invite.user, made.password, body).status_code == 422
    assert sign(made.invite.user, made.password, b"A" * 20_000).status_code == 413


def test_an_invitation_ends_by_itself_and_is_taken_back(doors, invited, officers, kernel):
    made = invited()
    doors.invites.withdraw(officers["watch"], made.invite.id)
    with pytest.raises(Conflict):
        doors.invites.withdraw(officers["watch"], made.invite.id)
    with pytest.raises(NotFound):
        doors.invites.withdraw(officers["watch"], "none")
    for who in ("watch", "field", "overseer"):
        with pytest.raises(Refused):
            doors.invites.invite(officers[who], name="x", groups="watch")
    late = invited()
    from sqlalchemy import update

    from cordon.operations.tak.tables import TakInviteRow

    with kernel.rows.write() as session:
        session.execute(update(TakInviteRow).values(until=kernel.clock.now()))
    with pytest.raises(Exception, match="let nobody enrol"):
        doors.invites.known(late.invite.user, late.password)
    assert doors.invites.waiting(officers["watch"]) == []


def test_a_package_goes_to_the_clients_of_its_groups_alone(caller, doors, officers, kernel):
    one, first = caller("A", "pasni")
    _, mate = caller("B", "pasni, watch")
    _, other = caller("C", "ormara")
    digest = hashlib.sha256(ZIP).hexdigest()
    assert first.get("/Marti/sync/missionquery", params={"hash": digest}).status_code == 404
    said = sent(first, name="../../etc/plan<1>.zip")
    assert said.status_code == 200
    assert said.text == f"https://127.0.0.1:{doors.package_port}/Marti/sync/content?hash={digest}"
    assert sent(first).text == said.text  # once
    for who, status in ((first, 200), (mate, 200), (other, 404)):
        got = who.get("/Marti/sync/content", params={"hash": digest})
        assert got.status_code == status
        assert (got.content == ZIP) is (status == 200)
    # listed only once its sender says so, and no one else may
    assert mate.get("/Marti/sync/search").json()["resultCount"] == 0
    tool = f"/Marti/api/sync/metadata/{digest}/tool"
    assert mate.put(tool, content=b"public").status_code == 409
    assert first.put(tool, content=b"everybody").status_code == 422
    assert first.put(tool, content=b"public").status_code == 200
    (listed,) = mate.get("/Marti/sync/search").json()["results"]
    assert (listed["Hash"], listed["Name"], listed["Size"]) == (digest, "plan_1_.zip", len(ZIP))
    assert other.get("/Marti/sync/search").json()["results"] == []
    (kept,) = doors.packages.all(officers["watch"])
    assert (kept.client, kept.creator) == (one.id, "ANDROID-1")
    took = list(kernel.ledger.of_thing(f"tak:{kept.id}", limit=20))
    assert sum(bool(e.detail.get("taken")) for e in took) == 2
    with pytest.raises(BadInput):
        doors.packages.remove(officers["watch"], kept.id, "no")
    doors.packages.remove(officers["watch"], kept.id, WHY)
    assert mate.get(tool).status_code == 404


def test_what_an_officer_gives_goes_up_to_its_mark(caller, doors, officers):
    _, cleared = caller("A", cleared="TLP:AMBER")
    _, plain = caller("B")
    watch = officers["watch"]
    made = doors.packages.give(
        watch, io.BytesIO(ZIP), name="chart.zip", groups="watch", mark="TLP:AMBER"
    )
    assert [r["Hash"] for r in cleared.get("/Marti/sync/search").json()["results"]] == [made.sha256]
    assert plain.get("/Marti/sync/search").json()["results"] == []
    assert plain.get("/Marti/sync/content", params={"hash": made.sha256}).status_code == 404
    _, data = doors.packages.read(watch, made.id)
    assert b"".join(data) == ZIP
    for wrong in ({"groups": ""}, {"mark": "TLP:RED"}):
        with pytest.raises(BadInput):
            doors.packages.give(
                watch, io.BytesIO(ZIP), **({"name": "x", "groups": "watch"} | wrong)
            )
    with pytest.raises(BadInput):
        doors.packages.give(watch, io.BytesIO(b""), name="x", groups="watch")
    with pytest.raises(Refused):
        doors.packages.give(officers["field"], io.BytesIO(ZIP), name="x", groups="watch")


def test_hostile_uploads(caller, monkeypatch):
    _, phone = caller("A")
    assert sent(phone, said="0" * 64).status_code == 422
    assert sent(phone, data=b"", said="").status_code == 422
    assert phone.post("/Marti/sync/missionupload", content=ZIP).status_code == 422
    assert phone.post("/Marti/sync/missionupload", files={}).status_code == 422
    monkeypatch.setattr(marti, "LARGEST", 10)
    monkeypatch.setattr(marti, "_AROUND", 10)
    assert sent(phone).status_code == 413
    assert phone.get("/Marti/sync/content", params={"hash": "../../x"}).status_code == 404
    assert phone.get("/Marti/api/missions").status_code == 404


def test_one_client_cannot_fill_the_node(caller, doors, monkeypatch):
    from cordon.operations.tak import packages

    _, phone = caller("A")
    monkeypatch.setattr(packages, "MOST_OF_ONE", 20)
    assert sent(phone).status_code == 200
    assert sent(phone, data=ZIP + b"2").status_code == 413


def test_a_client_that_was_thrown_out_has_nothing_more(caller, doors, officers, trust):
    client, phone = caller("A")
    assert phone.get("/Marti/api/version/config").json()["data"]["api"] == "3"
    names = {g["name"] for g in phone.get("/Marti/api/groups/all").json()["data"]}
    assert names == {"watch"}
    doors.revoke(officers["watch"], client.id, WHY)
    assert phone.get("/Marti/api/version").status_code == 403
    with pytest.raises(httpx.HTTPError):  # without a certificate there is no connection
        httpx.get(f"https://127.0.0.1:{doors.package_port}/Marti/api/version", verify=trust)


def test_who_is_beside_is_told_within_groups(caller, doors, phone):
    _, asks = caller("A", "pasni")
    phone("B", "pasni")
    other = phone("C", "ormara")
    assert other.waits_for(lambda _p: {"B", "C"} <= set(doors.online.values()))
    said = asks.get("/Marti/api/clientEndPoints").json()["data"]
    assert [(c["callsign"], c["uid"]) for c in said] == [("B", "ANDROID-B")]


def test_a_phone_that_is_enrolled_anew_keeps_its_uid(doors, officers):
    old = doors.enrol(officers["supervisor"], name="x", groups="watch").client
    new = doors.enrol(officers["supervisor"], name="y", groups="watch").client
    assert doors.bind(old.id, "ANDROID-1")
    assert not doors.bind(new.id, "ANDROID-1")
    doors.revoke(officers["watch"], old.id, WHY)
    assert doors.bind(new.id, "ANDROID-1")
    assert not doors.bind(old.id, "ANDROID-1")


def test_a_node_opens_the_ports_of_its_settings(tmp_path):
    from cordon.bootstrap import open_node
    from cordon.settings import Settings

    node = open_node(
        Settings(
            data=tmp_path, agency="pk-test", tak_server_port=0, tak_enrol_port=0,
            tak_package_port=0,
        )
    )  # fmt: skip
    try:
        node.start()
        path = tmp_path / "authority.pem"
        path.write_bytes(node.tak.keys.authority_pem)
        trusted = ssl.create_default_context(cafile=str(path))
        base = f"https://127.0.0.1:{node.tak.enrol_port}"
        answer = httpx.get(f"{base}/Marti/api/tls/config", verify=trusted)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
        with pytest.raises(httpx.HTTPError):
            httpx.get(
                f"https://127.0.0.1:{node.tak.package_port}/Marti/api/version", verify=trusted
            )
    finally:
        node.stop()
        node.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base}/Marti/api/tls/config", verify=trusted)
