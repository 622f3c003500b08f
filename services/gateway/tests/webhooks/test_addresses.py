"""No webhook reaches into the house: every spelling of an inner address is refused, before and while it is used."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest

from chassis.errors import FieldInvalid
from gateway.webhooks import rules
from gateway.webhooks.addresses import (
    AddressForbidden,
    AddressUnknown,
    Resolver,
    choose_places,
    read_address,
    read_networks,
)
from gateway.webhooks.sending import Limits, Post

INNER = (
    "127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.1.1",
    "100.64.0.1", "fc00::1", "fe80::1", "224.0.0.1", "ff02::1", "255.255.255.255", "64:ff9b::7f00:1", "2002:7f00:1::",
    "fd00:ec2::254", "::127.0.0.1",
)  # fmt: skip


def standing_for(*answers: Sequence[str]) -> Resolver:
    """A resolver to which any name stands for the first of these, then for the second, and so on to the last."""
    left = list(answers)
    return lambda _host, _port: left.pop(0) if len(left) > 1 else left[0]


def choose(address: str, *found: str, networks: str = "") -> Sequence[str]:
    """The places of an address whose name stands for `found`."""
    return choose_places(read_address(address), read_networks(networks), standing_for(found))


@pytest.mark.parametrize("inner", INNER)
def test_a_name_that_stands_for_an_inner_address_is_refused_whatever_else_it_stands_for(inner: str) -> None:
    for found in ((inner,), ("93.184.215.14", inner)):
        with pytest.raises(AddressForbidden):
            choose("https://hooks.example.com/in", *found)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "017700000001", "localhost", "localhost."])
def test_numbers_and_names_of_this_machine_are_refused_in_every_spelling(host: str) -> None:
    with pytest.raises((AddressForbidden, AddressUnknown)):
        choose_places(read_address(f"https://{host}/"), ())


@pytest.mark.parametrize(
    "address",
    [
        "", "hooks.example.com", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "https://",
        "https://user:word@example.com/", "https://example.com@evil.example/", "https://example.com:99999/",
        "https://exa mple.com/", "https://example.com/\r\nX: y", "https://example.com/#part", "https://[fe80::1%25eth0]/",
        "https://exämple.com/", "https://example.com\\@evil.example/", "https://example.com/" + "a" * 2_000,
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused_with_its_field(address: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        read_address(address)
    assert refused.value.violations[0].field == "address"


def test_outside_only_https_on_its_ports_is_reached() -> None:
    assert choose("https://hooks.example.com/in?x=1", "93.184.215.14", "2606:2800:21f::1") == [
        "93.184.215.14",
        "2606:2800:21f::1",
    ]
    for address in ("http://hooks.example.com/", "https://hooks.example.com:22/"):
        with pytest.raises(AddressForbidden):
            choose(address, "93.184.215.14")


def test_networks_that_the_operator_names_are_reached_and_keys_of_clouds_never() -> None:
    assert choose("http://erp.acme.internal:8080/", "10.20.1.2", networks="10.20.0.0/16") == ["10.20.1.2"]
    for inner in ("10.21.1.2", "169.254.169.254", "::ffff:169.254.169.254"):
        with pytest.raises(AddressForbidden):
            choose("http://erp.acme.internal:8080/", inner, networks="10.20.0.0/16,169.254.0.0/16")


def test_a_name_that_changes_after_it_was_checked_reaches_nothing_inside() -> None:
    post = Post(resolve=standing_for(["93.184.215.14"], ["127.0.0.1"]))
    post.check("https://rebind.example/")
    assert post.send("https://rebind.example/", {}, b"{}").result == rules.FORBIDDEN


def test_the_connection_goes_to_what_was_checked_though_the_name_says_something_else_by_then() -> None:
    with socket.create_server(("127.0.0.1", 0)) as inside:
        inside.settimeout(0.2)
        port = inside.getsockname()[1]
        networks = read_networks("198.51.100.0/24")
        post = Post(networks, Limits(connect=0.2), standing_for(["198.51.100.7"], ["127.0.0.1"]))
        assert post.send(f"http://rebind.example:{port}/", {}, b"{}").result in (rules.TIMED_OUT, rules.UNREACHABLE)
        with pytest.raises(TimeoutError):
            inside.accept()
