"""Keys of personal data: a keyed hash that finds a person again, and encryption that only the keys undo.

A national identifier has too few values for a plain hash, so it is an HMAC under a pepper that the database never
sees. Details are encrypted under a data key of the person's own, and that key is wrapped by the installation's key:
destroying the data key destroys the details in every backup. What is encrypted is bound to its table, its column,
the person's hash and the key's version, so that no ciphertext can be moved to another row.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ila.citizens.persons import Identity, Person, normalised_identifier
from ila.errors import Refused

FIRST_VERSION = 1
KEY_BYTES = 32
NONCE_BYTES = 12


class WrongKeys(Refused):
    """The keys of this installation are not those that personal details were stored with."""

    code = "wrong_keys"


@dataclass(frozen=True, slots=True)
class SealedDetail:
    """What is stored of a person: nonce and ciphertext of the data key, and of the details under it."""

    key_version: int
    wrapped_key: bytes
    detail: bytes


@dataclass(frozen=True, slots=True)
class IdentityKeys:
    """Pepper of the hash and keys of the encryption, 32 bytes each; the newest version encrypts, all decrypt."""

    pepper: bytes = field(repr=False)
    encryption_keys: Mapping[int, bytes] = field(repr=False)
    pepper_version: int = FIRST_VERSION
    _wrapping: Mapping[int, AESGCM] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse keys of the wrong length, and one key for two purposes."""
        keys = (self.pepper, *self.encryption_keys.values())
        if not self.encryption_keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"pepper and encryption keys have {KEY_BYTES} bytes each")
        if self.pepper in self.encryption_keys.values():
            raise ValueError("the pepper must not be an encryption key as well")
        object.__setattr__(self, "_wrapping", {version: AESGCM(key) for version, key in self.encryption_keys.items()})

    @classmethod
    def of(cls, pepper: bytes, encryption_key: bytes) -> "IdentityKeys":
        """Return the keys of an installation that has never changed them."""
        return cls(pepper, {FIRST_VERSION: encryption_key})

    @property
    def key_version(self) -> int:
        """The version of the key that encrypts new details."""
        return max(self.encryption_keys)

    def identifier_hash(self, identity: Identity) -> bytes:
        """Return the 32 bytes by which a person is found again, however the identifier is spaced or written."""
        message = f"{identity.country}|{identity.type}|{normalised_identifier(identity.identifier)}"
        return hmac.digest(self.pepper, message.encode(), "sha256")

    def detail_hash(self, person: Person, identifier_hash: bytes) -> bytes:
        """Return 32 bytes that tell, without decrypting, whether the same details are given again."""
        return hmac.digest(self.pepper, b"detail|" + identifier_hash + _plain(person), "sha256")

    def seal(self, person: Person, identifier_hash: bytes) -> SealedDetail:
        """Encrypt a person's details under a new data key; two calls never give the same bytes."""
        version = self.key_version
        data_key, nonces = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(2 * NONCE_BYTES)
        key_nonce, nonce = nonces[:NONCE_BYTES], nonces[NONCE_BYTES:]
        wrapped = self._wrapping[version].encrypt(
            key_nonce, data_key, _bound_to("wrapped_key", identifier_hash, version)
        )
        detail = AESGCM(data_key).encrypt(nonce, _plain(person), _bound_to("detail", identifier_hash, version))
        return SealedDetail(version, key_nonce + wrapped, nonce + detail)

    def open(self, sealed: SealedDetail, identifier_hash: bytes) -> Person:
        """Decrypt a person's details; raises `WrongKeys` where key or row are not those they were sealed with."""
        wrapping = self._wrapping.get(sealed.key_version)
        if wrapping is None:
            raise WrongKeys(
                f"Personal details are encrypted with key version {sealed.key_version}, which this installation"
                " does not have; set the key they were stored with.",
                key_version=sealed.key_version,
            )
        try:
            bound = _bound_to("wrapped_key", identifier_hash, sealed.key_version)
            data_key = wrapping.decrypt(sealed.wrapped_key[:NONCE_BYTES], sealed.wrapped_key[NONCE_BYTES:], bound)
            bound = _bound_to("detail", identifier_hash, sealed.key_version)
            plain = AESGCM(data_key).decrypt(sealed.detail[:NONCE_BYTES], sealed.detail[NONCE_BYTES:], bound)
        except InvalidTag:
            raise WrongKeys(
                "Personal details cannot be decrypted: the encryption key is not the one they were stored with, or the"
                " row was tampered with; set ILA_ENCRYPTION_KEY to that key.",
                key_version=sealed.key_version,
            ) from None
        country, type_, identifier, given_name, family_name, email = orjson.loads(plain)
        return Person(Identity(country, type_, identifier), given_name, family_name, email)


def _plain(person: Person) -> bytes:
    identity = person.identity
    return orjson.dumps(
        [identity.country, identity.type, identity.identifier, person.given_name, person.family_name, person.email]
    )


def _bound_to(column: str, identifier_hash: bytes, version: int) -> bytes:
    return b"ila.personal_detail|%b|%b|%d" % (column.encode(), identifier_hash, version)
