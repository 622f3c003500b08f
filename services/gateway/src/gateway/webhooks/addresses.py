"""Which addresses a webhook may have: no network of the house, unless the operator names it.

A name is resolved once for each delivery, all that it stands for is checked, and the connection goes to what was
checked: a name that says something else a moment later changes nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind

Network = IPv4Network | IPv6Network
Resolver = Callable[[str, int], Sequence[str]]
MOST = 2_000  # characters of an address
PORTS = (443, 8443)  # of addresses outside; within named networks any
# Credentials of whole clouds are had here; no list of networks opens them.
METADATA = tuple(map(ip_network, ("169.254.169.254/32", "169.254.170.2/32", "fd00:ec2::254/128", "100.100.100.200/32")))
# An IPv6 address of these carries an IPv4 address, which a router on the way takes out again.
NAT64, SIX_TO_FOUR, TEREDO = map(ip_network, ("64:ff9b::/96", "2002::/16", "2001::/32"))


class AddressForbidden(DomainError):
    """The name stands for an address that webhooks may not reach."""

    kind = Kind.PRECONDITION
    reason = "ADDRESS_FORBIDDEN"


class AddressUnknown(DomainError):
    """The name stands for nothing now."""

    kind = Kind.UNAVAILABLE
    reason = "ADDRESS_UNKNOWN"


@dataclass(frozen=True)
class Target:
    """An address taken apart; `path` has the query with it."""

    host: str
    port: int
    path: str
    is_secure: bool

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_secure else 80) else f"{host}:{self.port}"


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks divided by commas, such as `10.20.0.0/16,fd12::/48`. Errors: ValueError."""
    return tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())


def read_address(text: str) -> Target:
    """Take an address apart. Errors: FieldInvalid for what is no plain http or https address."""
    if len(text) > MOST or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise _wrong("is no address: at most 2,000 characters of ASCII without blanks; write names as xn--…")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong("is no address") from None
    if parts.scheme not in ("https", "http"):
        raise _wrong("does not begin with https://")
    if not host or "%" in host or parts.username is not None or parts.password is not None:
        raise _wrong("has a user, a password or no host in it")
    if parts.fragment:
        raise _wrong("has a part behind #, which is never sent")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host.rstrip("."), (443 if secure else 80) if port is None else port, path, secure)


def ask_system(host: str, port: int) -> Sequence[str]:
    """All addresses a name stands for, as the system knows them. Errors: OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def choose_places(target: Target, networks: Sequence[Network], resolve: Resolver = ask_system) -> list[str]:
    """The addresses to connect to, all of them allowed. Errors: AddressForbidden, AddressUnknown."""
    try:
        found = [ip_address(one.partition("%")[0]) for one in resolve(target.host, target.port)]
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise AddressUnknown("the name of the address is not known")
    if not all(may_reach(one, target, networks) for one in found):
        raise AddressForbidden("webhooks may not go to this address")
    return [str(one) for one in found]


def may_reach(address: IPv4Address | IPv6Address, target: Target, networks: Sequence[Network]) -> bool:
    """Tell whether a delivery may go there: by https to the world, any way to networks that the operator named."""
    meant = _meant(address)
    if any(one in network for one in (address, meant) for network in METADATA):
        return False
    if any(meant in network for network in networks):
        return True
    is_outside = meant.is_global and not meant.is_multicast and not meant.is_reserved
    return is_outside and target.is_secure and target.port in PORTS


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address carries, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else address


def _wrong(description: str) -> FieldInvalid:
    return FieldInvalid(FieldViolation("address", description))
