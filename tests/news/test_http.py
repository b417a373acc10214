"""What the registry sends goes to the very address that was checked, and is bounded."""

import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ownership.news import http
from ownership.news.addresses import AddressRefused, is_public, permitted_addresses
from ownership.news.http import MOST_BYTES, NoAnswer, post

NAME = "hooks.registry.example"


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "192.0.0.8",
        "192.0.2.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1",
        "2001::1", "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111"])
def test_public_addresses_are_not(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "::1", "0"]
)
def test_every_way_to_write_this_machine_is_refused(host):
    with pytest.raises(AddressRefused, match="not a public address"):
        permitted_addresses(host, 443, is_encrypted=True)


def test_a_network_can_be_allowed_and_only_there_is_http_plain(settings, monkeypatch):
    settings.ENDPOINT_NETWORKS = ["10.0.0.0/8", "::1/128"]
    resolve_to(monkeypatch, ["10.1.2.3", "192.168.1.1"])
    assert permitted_addresses(NAME, 80, is_encrypted=False) == ["10.1.2.3"]
    resolve_to(monkeypatch, ["1.1.1.1"])
    assert permitted_addresses(NAME, 443, is_encrypted=True) == ["1.1.1.1"]
    with pytest.raises(AddressRefused, match="https://"):
        permitted_addresses(NAME, 80, is_encrypted=False)


def resolve_to(monkeypatch, *answers: list[str]) -> list[str]:
    """Let names resolve to these addresses, one answer after the other; addresses resolve to themselves."""
    asked = []
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *arguments, **options):
        try:
            ip_address(host)
        except ValueError:
            asked.append(host)
            answer = answers[min(len(asked), len(answers)) - 1]
            return [
                entry
                for address in answer
                for entry in real(address, port, type=socket.SOCK_STREAM)
            ]
        return real(host, port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_that_resolves_to_something_else_a_moment_later_leads_nowhere_else(
    receiver, settings, monkeypatch
):
    settings.ENDPOINT_NETWORKS = ["127.0.0.1/32"]
    asked = resolve_to(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])

    answer = post(f"http://{NAME}:{receiver.port}/hook?a=b", b"{}", {})

    assert (answer.status, answer.text) == (200, "ok")
    assert asked == [NAME]
    [request] = receiver.received
    assert request.path == "/hook?a=b"
    assert request.headers["host"] == f"{NAME}:{receiver.port}"


def test_a_redirect_is_an_answer_like_any_other(receiver):
    receiver.status = 307
    receiver.headers = {"Location": receiver.address + "/elsewhere"}

    assert post(receiver.address, b"{}", {}).status == 307
    assert [request.path for request in receiver.received] == ["/hook"]


def test_a_proxy_of_the_environment_is_not_used(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert post(receiver.address, b"{}", {}).status == 200


def test_only_the_beginning_of_an_answer_is_read(receiver):
    receiver.answer = b"x" * 10_000_000

    assert post(receiver.address, b"{}", {}).text == "x" * MOST_BYTES


@contextmanager
def talking(content: bytes, pause: float = 0):
    """A server on loopback that says these bytes to whoever connects, one after the other; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            client, _ = server.accept()
            with client:
                try:
                    for byte in content:
                        client.send(bytes([byte]))
                        time.sleep(pause)
                    while client.recv(65_536):
                        pass
                except OSError:
                    pass

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


@pytest.mark.parametrize(
    ("content", "pause"),
    [
        pytest.param(b"", 0, id="silent"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 1_000, 0.05, id="a head drop by drop"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + b"a" * 900,
            0.05,
            id="a body drop by drop",
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.05, id="only promises"),
    ],
)
def test_an_answer_that_takes_too_long_is_none(settings, monkeypatch, content, pause):
    settings.ENDPOINT_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(http, "LONGEST_REQUEST", 0.4)
    with talking(content, pause) as port:
        begin = time.monotonic()
        with pytest.raises(NoAnswer, match="No complete answer within"):
            post(f"http://127.0.0.1:{port}/", b"{}", {})
        assert time.monotonic() - begin < 2


@pytest.mark.parametrize("content", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_not_http_is_no_answer(settings, content):
    settings.ENDPOINT_NETWORKS = ["127.0.0.0/8"]
    with talking(content) as port, pytest.raises(NoAnswer, match="not HTTP"):
        post(f"http://127.0.0.1:{port}/", b"{}", {})


def test_a_port_on_which_nothing_listens_is_no_answer(settings):
    settings.ENDPOINT_NETWORKS = ["127.0.0.0/8"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NoAnswer, match="No connection"):
        post(f"http://127.0.0.1:{port}/", b"{}", {})


def test_a_second_address_is_tried_if_nothing_listens_at_the_first(receiver, monkeypatch):
    resolve_to(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    assert post(f"http://{NAME}:{receiver.port}/", b"{}", {}).is_success


def test_a_name_that_does_not_resolve_is_refused(monkeypatch):
    def resolve(*args, **kwargs):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(AddressRefused, match=f"The host name {NAME} can't be resolved."):
        permitted_addresses(NAME, 443, is_encrypted=True)


@pytest.fixture
def certificate(tmp_path):
    """A certificate for NAME, which signs itself, and its key: one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


@contextmanager
def serving_tls(certificate, names: list[str | None]):
    """A server on loopback with that certificate; its port. The names that clients asked for go into the list."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            try:
                with context.wrap_socket(client, server_side=True) as encrypted:
                    # All of it: who closes with something unread resets the connection.
                    request = b""
                    while not request.endswith(b"{}"):
                        request += encrypted.recv(65_536) or b"{}"
                    encrypted.send(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def test_the_certificate_must_be_the_names_although_the_address_is_connected_to(
    settings, monkeypatch, certificate
):
    settings.ENDPOINT_NETWORKS = ["127.0.0.0/8"]
    resolve_to(monkeypatch, ["127.0.0.1"])
    trusting = ssl.create_default_context(cafile=str(certificate))
    names: list[str | None] = []
    with (
        serving_tls(certificate, names) as port,
        pytest.raises(NoAnswer, match="No encrypted connection"),
    ):
        post(f"https://{NAME}:{port}/", b"{}", {})  # nobody vouches for it
    monkeypatch.setattr(http, "_tls", lambda: trusting)
    with serving_tls(certificate, names) as port:
        assert post(f"https://{NAME}:{port}/", b"{}", {}).status == 204
    with (
        serving_tls(certificate, names) as port,
        pytest.raises(NoAnswer, match="No encrypted connection"),
    ):
        post(f"https://other.registry.example:{port}/", b"{}", {})
    assert names == [NAME, NAME, "other.registry.example"]
