"""A private authority and a certificate of it for each part, so that parts know each other and nobody else joins in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from branchline.platform.environment import STORES

AUTHORITY = "authority"  # folder of the authority's own key; it is given to no part
AUTHORITY_DAYS, PART_DAYS = 3_650, 397  # a part's is made anew each year
SERVERS = {"rabbitmq": (), "postgres": tuple(f"{store}-database" for store in STORES)}  # and their further names
CLOSED, READABLE = 0o400, 0o444  # the parts run as users of their own; nobody else gets their folder
HERE = (ip_address("127.0.0.1"), ip_address("::1"))  # a container asks itself whether it is well


def make_certificates(folder: Path, names: Sequence[str] = ()) -> list[str]:
    """Make the authority where there is none, and new certificates of all parts and servers; answers their names.

    A part `contacts` is believed under `contacts`, `contacts-api`, `branchline-contacts`, each with every suffix among
    `names` (`.crm.svc`), and on its own machine.
    """
    key, authority = _authority(folder / AUTHORITY)
    for part in (*STORES, *SERVERS):
        own = ec.generate_private_key(ec.SECP256R1())
        hosts = [part, f"{part}-api", f"branchline-{part}", *SERVERS.get(part, ())]
        hosts += [f"{host}{name}" for host in hosts for name in names if name.startswith(".")]
        certificate = _sign(own, part, authority.subject, key, [*hosts, "localhost"])
        place = folder / part
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
        _write(place / "authority.pem", _pem(authority))
        _write(place / "certificate.pem", _pem(certificate))
        _write(place / "key.pem", _key_pem(own))
    return [*STORES, *SERVERS]


def _authority(folder: Path) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    if (folder / "key.pem").exists():
        key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key, x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Branchline authority")
    made = _begin(key, name, name, AUTHORITY_DAYS)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = made.sign(key, hashes.SHA256())
    _write(folder / "key.pem", _key_pem(key))
    _write(folder / "certificate.pem", _pem(certificate))
    return key, certificate


def _sign(
    own: ec.EllipticCurvePrivateKey,
    part: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    hosts: Sequence[str],
) -> x509.Certificate:
    shown: list[x509.GeneralName] = [x509.DNSName(one) for one in hosts]
    shown += [x509.IPAddress(one) for one in HERE]
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    made = _begin(own, _name(part), issuer, PART_DAYS)
    made = made.add_extension(x509.SubjectAlternativeName(shown), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    return made.add_extension(x509.ExtendedKeyUsage(both), critical=False).sign(key, hashes.SHA256())


def _begin(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, issuer: x509.Name, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + timedelta(days=days))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)
    path.chmod(CLOSED if path.parent.name == AUTHORITY else READABLE)
