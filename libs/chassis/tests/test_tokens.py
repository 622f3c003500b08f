"""A token is taken only if the directory signed it, for us, of this kind, for now."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import OKPKey

from chassis.access import ALL, READ, SUBTREE, Access, Grant
from chassis.errors import NotSignedIn
from chassis.tokens import MAX_TOKEN, TYPE, TokenSigner, TokenVerifier, generate_key, public_key_of

ACCESS = Access("u1", "Ада", "unit", (Grant(READ, SUBTREE, "hq.ru"), Grant("write", ALL)))

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@pytest.fixture(scope="module")
def verifier(private_key: str) -> TokenVerifier:
    return TokenVerifier(public_key_of(private_key))


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def signed(private_pem: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token like the directory's with other values."""
    now = int(time.time())
    standard = {**ACCESS.to_claims(), "iss": "branchline/directory", "aud": "branchline", "iat": now, "exp": now + 300}
    kept = {key: value for key, value in (standard | claims).items() if value is not None}
    full = {"alg": "Ed25519", "typ": TYPE, **(header or {})}
    return jwt.encode(full, kept, OKPKey.import_key(private_pem), algorithms=["Ed25519"])


def refuse(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(NotSignedIn):
        verifier.verify(token)


def test_a_signed_token_gives_the_access_it_was_made_for(signer: TokenSigner, verifier: TokenVerifier) -> None:
    assert verifier.verify(signer.sign(ACCESS)) == ACCESS


def test_tokens_without_a_signature_or_with_one_by_the_public_key_as_secret_are_refused(
    private_key: str, verifier: TokenVerifier
) -> None:
    header, claims, _ = signed(private_key).split(".")
    for algorithm in ("none", "None", "NONE", ""):
        refuse(verifier, f"{part({'alg': algorithm, 'typ': TYPE})}.{claims}.")
    refuse(verifier, f"{header}.{claims}.")
    start = f"{part({'alg': 'HS256', 'typ': TYPE})}.{claims}"
    mac = hmac.digest(public_key_of(private_key).encode(), start.encode(), "sha256")
    refuse(verifier, f"{start}.{part(mac)}")


def test_keys_named_in_the_header_are_not_looked_up(private_key: str, verifier: TokenVerifier) -> None:
    foreign = generate_key()
    own = OKPKey.import_key(foreign).as_dict(private=False)
    for header in ({"jwk": own}, {"jku": "http://127.0.0.1:1/keys"}, {"kid": "../../dev/null"}, {"x5u": "http://x"}):
        refuse(verifier, signed(foreign, header))
    assert verifier.verify(signed(private_key, {"kid": "anything"})) == ACCESS


@pytest.mark.parametrize("claims", [{"iss": "another"}, {"aud": "another"}, {"iss": None}, {"aud": None}, {"sub": None},
                                    {"exp": None}, {"iat": None}, {"grants": 5}, {"grants": [["read"]]},
                                    {"exp": "soon"}, {"iat": []}])  # fmt: skip
def test_another_issuer_another_audience_or_claims_of_no_sense_are_refused(
    private_key: str, verifier: TokenVerifier, claims: dict[str, Any]
) -> None:
    refuse(verifier, signed(private_key, **claims))


def test_a_token_of_another_type_is_refused(private_key: str, verifier: TokenVerifier) -> None:
    for kind in ("JWT", "branchline-refresh+jwt", ""):
        refuse(verifier, signed(private_key, {"typ": kind}))


def test_a_token_holds_from_its_start_to_its_end_and_a_minute_of_clock_skew(
    private_key: str, verifier: TokenVerifier
) -> None:
    now = int(time.time())
    refuse(verifier, signed(private_key, iat=now - 600, exp=now - 90))
    refuse(verifier, signed(private_key, iat=now + 90, exp=now + 300))
    assert verifier.verify(signed(private_key, iat=now - 600, exp=now - 30)) == ACCESS
    assert verifier.verify(signed(private_key, iat=now + 30, exp=now + 300)) == ACCESS


def test_a_token_seen_before_still_ends(
    private_key: str, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = signed(private_key)
    verifier.verify(token)
    later = time.time() + 3_600
    monkeypatch.setattr("chassis.tokens.time.time", lambda: later)
    refuse(verifier, token)


def test_a_changed_sign_anywhere_breaks_the_token(signer: TokenSigner, verifier: TokenVerifier) -> None:
    token = signer.sign(ACCESS)
    for place in range(0, len(token) - 2, 7):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        refuse(verifier, changed)


def test_claims_told_twice_are_refused(private_key: str, verifier: TokenVerifier) -> None:
    now = int(time.time())
    text = json.dumps(
        {**ACCESS.to_claims(), "iss": "branchline/directory", "aud": "branchline", "iat": now, "exp": now}
    )
    twice = text.replace('"sub": "u1"', '"sub": "u1", "sub": "admin"').encode()
    key = OKPKey.import_key(private_key)
    header = {"alg": "Ed25519", "typ": TYPE}
    assert verifier.verify(jws.serialize_compact(header, text.encode(), key, algorithms=["Ed25519"])) == ACCESS
    refuse(verifier, jws.serialize_compact(header, twice, key, algorithms=["Ed25519"]))


def test_hostile_text_is_refused_and_a_token_has_at_most_16_kib(private_key: str, verifier: TokenVerifier) -> None:
    deep = part(b"[" * 9_000)
    for token in ("", ".", "..", "a.b.c", "a.b.c.d.e", "é.é.é", f"{deep}.{deep}.x", f"{part({})}.{part(5)}.x", "\0"):
        refuse(verifier, token)
    refuse(verifier, signed(private_key, name="x" * MAX_TOKEN))
    assert len(signed(private_key, name="x" * 11_000)) < MAX_TOKEN
    assert verifier.verify(signed(private_key, name="x" * 11_000)).user_name == "x" * 11_000


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(part), st.text(alphabet="abcAZ09-_.{}", max_size=60)))
def test_no_text_that_is_no_token_is_more_than_refused(private_key: str, text: str) -> None:
    known = TokenVerifier(public_key_of(private_key))
    for token in (text, f"{text}.{text}.{text}", f"{part({'alg': 'Ed25519'})}.{text}.{text}"):
        refuse(known, token)


@given(JSON_VALUES)
def test_signed_claims_of_any_form_are_refused_or_an_access(private_key: str, value: Any) -> None:
    known = TokenVerifier(public_key_of(private_key))
    for name in ("sub", "name", "unit", "grants", "iat", "exp"):
        try:
            known.verify(signed(private_key, **{name: value}))
        except NotSignedIn:
            continue
