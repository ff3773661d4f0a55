"""Who a person is: identity, names and contact, and how they have to be written. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from ila.errors import Invalid

LONGEST_IDENTIFIER = 64
LONGEST_NAME = 200

_SEPARATORS = re.compile(r"[\s./\-_]+")
_IDENTIFIER = re.compile(r"[0-9A-Z]+\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_IDENTIFIER_TYPE = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_EMAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+\.[^\s@<>,;\"]+\Z")


class InvalidIdentity(Invalid):
    """The identity of a person is incomplete or not written as it must be."""

    code = "invalid_identity"


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a person findable: a national identifier with its country and type, such as BE, national_number."""

    country: str  # ISO 3166-1 alpha-2
    type: str  # lower-case word of the installation
    identifier: str  # as written; `normalised_identifier` is what counts


@dataclass(frozen=True, slots=True)
class Person:
    """Identity with names and contact. Stored encrypted and nowhere else."""

    identity: Identity
    given_name: str
    family_name: str
    email: str = ""


def normalised_identifier(identifier: str) -> str:
    """Return an identifier as it counts: compatible characters unified, upper case, without separators.

    >>> normalised_identifier(" 85.07.30-033 28")
    '85073003328'
    """
    if identifier.isascii():
        return _SEPARATORS.sub("", identifier.upper())
    compact = _SEPARATORS.sub("", unicodedata.normalize("NFKC", identifier))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", compact).upper())


def person_faults(person: Person) -> Iterator[tuple[str, str]]:
    """Yield the field and the fault of each thing that is wrong with an identity or its details."""
    identity = person.identity
    if not _COUNTRY.match(identity.country):
        yield "identifier_country", "must be a country code of two capital letters, such as BE"
    if not _IDENTIFIER_TYPE.match(identity.type):
        yield "identifier_type", "must be a word of small letters, such as national_number"
    normalised = normalised_identifier(identity.identifier)
    if not normalised or len(normalised) > LONGEST_IDENTIFIER or not _IDENTIFIER.match(normalised):
        yield "identifier", f"must have 1 to {LONGEST_IDENTIFIER} letters and digits"
    for field, text in (("given_name", person.given_name), ("family_name", person.family_name)):
        if len(text) > LONGEST_NAME or not text.replace("\u00a0", " ").isprintable():
            yield field, f"must be text of at most {LONGEST_NAME} characters"
    if not person.family_name.strip():
        yield "family_name", "must not be empty"
    if person.email and (len(person.email) > LONGEST_NAME or not _EMAIL.match(person.email)):
        yield "email", "must be an address such as name@example.org, or empty"


def require_person(person: Person) -> None:
    """Raise `InvalidIdentity` with the first thing that is wrong with a person's details."""
    for field, fault in person_faults(person):
        raise InvalidIdentity(f"The {field.replace('_', ' ')} {fault}.", field=field)
