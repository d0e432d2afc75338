"""A certificate authority of the tests, and loopback servers that show what it issued."""

import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(PEM)

    @property
    def key_pem(self) -> bytes:
        no_password = serialization.NoEncryption()
        return self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, no_password)


def issue(
    name: str,
    by: Issued | None = None,
    *,
    sans: Sequence[str] | None = None,
    ca: bool = False,
    starts: datetime = NOW - 30 * DAY,
    ends: datetime = NOW + 60 * DAY,
    key: Key | None = None,
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
) -> Issued:
    """A certificate for `name`, of `by`, or of itself. sans: () leaves the extension out."""
    own: Key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    names = ([] if ca else [name]) if sans is None else list(sans)
    if names:
        made = made.add_extension(x509.SubjectAlternativeName([san(one) for one in names]), critical=False)
    if not ca:
        made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return Issued(made.sign(by.key if by else own, hashes.SHA256()), own)


def issued_with_sha1(name: str, by: Issued, directory: Path) -> Issued:
    """As `issue`, signed with SHA-1, which the library no longer does and openssl still will."""
    key = ec.generate_private_key(ec.SECP256R1())
    paths = {part: directory / f"sha1-{part}" for part in ("csr", "ca", "key", "ext")}
    request = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    paths["csr"].write_bytes(request.sign(key, hashes.SHA256()).public_bytes(PEM))
    paths["ca"].write_bytes(by.pem)
    paths["key"].write_bytes(by.key_pem)
    paths["ext"].write_text(f"subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n")
    command = "openssl x509 -req -sha1 -days 60 -set_serial 77 -in csr -CA ca -CAkey key -extfile ext"
    words = [str(paths.get(word, word)) for word in command.split()]
    made = subprocess.run(words, check=True, capture_output=True)
    return Issued(x509.load_pem_x509_certificate(made.stdout), key)


def san(name: str) -> x509.GeneralName:
    """The name or the address as a certificate names it."""
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@contextmanager
def showing(directory: Path, *chain: Issued, old_protocol: bool = False) -> Iterator[int]:
    """The port of a server that shows these certificates, its own first, and says nothing."""
    cert_file, key_file = directory / "chain.pem", directory / "key.pem"
    cert_file.write_bytes(b"".join(one.pem for one in chain))
    key_file.write_bytes(chain[0].key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    if old_protocol:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is what is tested
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(cert_file, key_file)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    ending = threading.Event()

    def serve() -> None:
        while not ending.is_set():
            try:
                connection, _ = listening.accept()
                with connection, context.wrap_socket(connection, server_side=True):
                    pass
            except OSError:
                continue  # a client that refuses what it is shown is what the tests are about

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield port
    finally:
        ending.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()
        listening.close()
