"""Dated parameters of a scheme: what held on a day, by which law.

A `ParameterSet` is everything the files of one scheme say, typed and immutable. It answers for a day and never
guesses: before the first day of a value, after its end, or for a name it does not hold, it raises. Its canonical
form is plain JSON, carries its own types and rebuilds the same set without any file; the digest is taken over it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, ClassVar

from ila.errors import NotFound
from ila.schemes import resolution
from ila.schemes.policy import AllocationPolicy
from ila.schemes.values import Value, value_from_json, value_json

CANONICAL_FORMAT = 1
"""Raised when the shape of `ParameterSet.canonical()` changes; older snapshots must stay readable."""


class NoValueInForce(NotFound):
    """A parameter has no value on the day asked: before its first day, or after it ended."""

    code: ClassVar[str] = "no_value_in_force"


class SchemeNotInForce(NotFound):
    """The scheme itself has not begun, or is over, on the day asked."""

    code: ClassVar[str] = "scheme_not_in_force"


class NoSuchParameter(NotFound):
    """No file of the scheme holds a parameter of this name."""

    code: ClassVar[str] = "no_such_parameter"


class NoSuchCredit(NotFound):
    """The scheme has no credit of this code."""

    code: ClassVar[str] = "no_such_credit"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a value comes from: the law as people cite it, and where to read it."""

    title: str
    url: str | None = None
    published_on: date | None = None


@dataclass(frozen=True, slots=True)
class DatedValue:
    """A value from its first day until the next one starts. `value` None ends the parameter, for a stated reason."""

    start: date
    value: Value
    references: tuple[Reference, ...]
    reason: str | None = None
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter with its whole history. `credit_code` is None where it holds for every credit of the scheme."""

    name: str
    credit_code: str | None
    file: str
    description: str
    unit: str
    checked_on: date  # last day someone compared it with the law
    values: tuple[DatedValue, ...]  # ascending by `start`

    def on(self, day: date) -> DatedValue:
        """Return the value in force on `day`; raises `NoValueInForce` before the first day."""
        in_force = None
        for dated in self.values:
            if dated.start > day:
                break
            in_force = dated
        if in_force is None:
            before = self.values[0].start - timedelta(days=1)
            raise NoValueInForce(
                f"{self.file}, {self.name}: no value on {day}; the first one starts on {self.values[0].start}, "
                f"so {before} is the last day without. Ask for a later day or add the value that held.",
                file=self.file, name=self.name, on=day, last_day_without=before,
            )  # fmt: skip
        return in_force


@dataclass(frozen=True, slots=True)
class Fund:
    """Who pays. A limited fund has an appropriation and can run out."""

    code: str
    title: str
    kind: str
    limited: bool


@dataclass(frozen=True, slots=True)
class Credit:
    """One kind of credit that a scheme gives; a scheme with a single one calls it `yearly`."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """Everything the files of one scheme say. Equal sets have equal digests, whatever their files looked like."""

    code: str
    title: str
    unit: str
    minor_units: int
    time_zone: str
    calendar: str
    first_on: date
    last_on: date | None  # included; None while no end is known
    legal_basis: tuple[Reference, ...]
    funds: tuple[Fund, ...]
    credits: tuple[Credit, ...]
    parameters: tuple[Parameter, ...]  # ordered by credit and name; needs in the order of their file
    digest: bytes = field(init=False, compare=False)  # SHA-256 over the canonical JSON

    def __post_init__(self) -> None:
        """Take the digest once; the set never changes."""
        object.__setattr__(self, "digest", hashlib.sha256(self.canonical_bytes()).digest())

    @property
    def credit_codes(self) -> tuple[str, ...]:
        """Every credit the scheme ever gave, in the order of `scheme.yaml`."""
        return tuple(credit.code for credit in self.credits)

    @property
    def criteria(self) -> frozenset[str]:
        """Every criterion an attestation can be about: the needs of all days, and the exclusions."""
        needs = {parameter.name.removeprefix("needs.") for parameter in self.parameters if _is_need(parameter)}
        excluding = {
            str(code)
            for parameter in self.parameters
            if parameter.name == "exclusions"
            for dated in parameter.values
            for code in (dated.value if isinstance(dated.value, tuple) else ())
        }
        return frozenset(needs | excluding)

    def parameter(self, name: str, credit_code: str | None = None) -> Parameter | None:
        """Return the credit's own parameter, else the scheme's; None if no file holds it."""
        found = None
        for parameter in self.parameters:
            if parameter.name == name and parameter.credit_code in (None, credit_code):
                if parameter.credit_code == credit_code:
                    return parameter
                found = parameter
        return found

    def need_parameters(self, credit_code: str | None = None) -> tuple[Parameter, ...]:
        """Return the need criteria in file order; a credit with needs of its own has only those."""
        needs = [parameter for parameter in self.parameters if _is_need(parameter)]
        own = tuple(parameter for parameter in needs if parameter.credit_code == credit_code)
        return own or tuple(parameter for parameter in needs if parameter.credit_code is None)

    def on(self, day: date, credit_code: str | None = None) -> "InForce":
        """Return the set as it stood on `day`; raises `SchemeNotInForce` outside the days of the scheme."""
        if credit_code is not None and credit_code not in self.credit_codes:
            raise NoSuchCredit(
                f"Scheme {self.code} has no credit {credit_code}; it has {', '.join(self.credit_codes)}.",
                scheme=self.code, credit_code=credit_code,
            )  # fmt: skip
        if day < self.first_on or (self.last_on is not None and day > self.last_on):
            until = f" to {self.last_on}" if self.last_on else ""
            raise SchemeNotInForce(
                f"Scheme {self.code} is not in force on {day}: it runs from {self.first_on}{until}.",
                scheme=self.code, on=day,
            )  # fmt: skip
        return InForce(self, day, credit_code)

    def value(self, name: str, on: date, credit_code: str | None = None) -> Value:
        """Return the value of a parameter in force on a day; raises where there is none, never a default."""
        return self.on(on, credit_code).value(name)

    def policy(self, credit_code: str, on: date) -> AllocationPolicy:
        """Return everything that decides one credit on one reference day."""
        return resolution.allocation_policy(self.on(on, credit_code), credit_code)

    def canonical(self) -> dict[str, Any]:
        """Return the set as JSON values; `from_canonical` rebuilds an equal set with the same digest."""
        return {
            "format": CANONICAL_FORMAT,
            "code": self.code,
            "title": self.title,
            "unit": self.unit,
            "minor_units": self.minor_units,
            "time_zone": self.time_zone,
            "calendar": self.calendar,
            "first_on": self.first_on.isoformat(),
            "last_on": _iso(self.last_on),
            "legal_basis": [_reference_json(reference) for reference in self.legal_basis],
            "funds": [
                {"code": fund.code, "title": fund.title, "kind": fund.kind, "limited": fund.limited}
                for fund in self.funds
            ],
            "credits": [{"code": credit.code, "title": credit.title} for credit in self.credits],
            "parameters": [_parameter_json(parameter) for parameter in self.parameters],
        }

    def canonical_bytes(self) -> bytes:
        """Return the canonical JSON text that the digest is taken over: sorted keys, no spaces, UTF-8."""
        return json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_canonical(cls, stored: Mapping[str, Any]) -> "ParameterSet":
        """Rebuild the set that `canonical` wrote, as a stored snapshot holds it."""
        if stored["format"] != CANONICAL_FORMAT:
            raise ValueError(f"a parameter set of format {stored['format']} cannot be read, only {CANONICAL_FORMAT}")
        return cls(
            code=stored["code"],
            title=stored["title"],
            unit=stored["unit"],
            minor_units=stored["minor_units"],
            time_zone=stored["time_zone"],
            calendar=stored["calendar"],
            first_on=date.fromisoformat(stored["first_on"]),
            last_on=_day(stored["last_on"]),
            legal_basis=tuple(_reference(reference) for reference in stored["legal_basis"]),
            funds=tuple(Fund(**fund) for fund in stored["funds"]),
            credits=tuple(Credit(**credit) for credit in stored["credits"]),
            parameters=tuple(_parameter(parameter) for parameter in stored["parameters"]),
        )


@dataclass(frozen=True, slots=True)
class InForce:
    """A parameter set on one day, for one credit or for the scheme as a whole."""

    parameter_set: ParameterSet
    day: date
    credit_code: str | None

    def value(self, name: str) -> Value:
        """Return the value in force; raises `NoSuchParameter` or `NoValueInForce`, also where the value has ended."""
        dated = self._dated(name)
        if dated is None:
            raise NoSuchParameter(
                f"Scheme {self.parameter_set.code} has no parameter {name}; add it to its files.",
                scheme=self.parameter_set.code, name=name,
            )  # fmt: skip
        if dated.value is None:
            raise NoValueInForce(
                f"Scheme {self.parameter_set.code}, {self._file(name)}, {name}: no value on {self.day}; "
                f"it ended on {dated.start}: {dated.reason} Ask for an earlier day or add the value that holds.",
                scheme=self.parameter_set.code, file=self._file(name), name=name, on=self.day,
            )  # fmt: skip
        return dated.value

    def value_or_none(self, name: str) -> Value:
        """Return the value in force, or None where there is no such rule or it ended; raises before its first day."""
        dated = self._dated(name)
        return None if dated is None else dated.value

    def citation(self, name: str) -> str | None:
        """Return the law behind the value in force, as shown in explanations; None where there is no such rule."""
        dated = self._dated(name)
        return None if dated is None or not dated.references else cited(dated.references)

    def names(self) -> Iterator[str]:
        """Yield the name of every parameter that applies to this credit, needs aside, once each."""
        seen = set()
        for parameter in self.parameter_set.parameters:
            applies = parameter.credit_code in (None, self.credit_code) and not _is_need(parameter)
            if applies and parameter.name not in seen:
                seen.add(parameter.name)
                yield parameter.name

    def needs(self) -> Iterator[tuple[str, DatedValue]]:
        """Yield each need criterion in force with its dated value, in file order."""
        for parameter in self.parameter_set.need_parameters(self.credit_code):
            dated = self._on(parameter)
            if dated.value is not None:
                yield parameter.name.removeprefix("needs."), dated

    def _dated(self, name: str) -> DatedValue | None:
        parameter = self.parameter_set.parameter(name, self.credit_code)
        return None if parameter is None else self._on(parameter)

    def _on(self, parameter: Parameter) -> DatedValue:
        try:
            return parameter.on(self.day)
        except NoValueInForce as refusal:
            scheme = self.parameter_set.code
            raise NoValueInForce(f"Scheme {scheme}, {refusal.message}", scheme=scheme, **refusal.facts) from None

    def _file(self, name: str) -> str:
        parameter = self.parameter_set.parameter(name, self.credit_code)
        assert parameter is not None
        return parameter.file


def cited(references: tuple[Reference, ...]) -> str:
    """Return references as one line of text."""
    return "; ".join(reference.title for reference in references)


def _is_need(parameter: Parameter) -> bool:
    return parameter.name.startswith("needs.")


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _reference_json(reference: Reference) -> dict[str, str | None]:
    return {"title": reference.title, "url": reference.url, "published_on": _iso(reference.published_on)}


def _reference(stored: Mapping[str, Any]) -> Reference:
    return Reference(stored["title"], stored["url"], _day(stored["published_on"]))


def _parameter_json(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "credit_code": parameter.credit_code,
        "file": parameter.file,
        "description": parameter.description,
        "unit": parameter.unit,
        "checked_on": parameter.checked_on.isoformat(),
        "values": [
            {
                "start": dated.start.isoformat(),
                "value": value_json(dated.value),
                "references": [_reference_json(reference) for reference in dated.references],
                "reason": dated.reason,
                "approved_by": dated.approved_by,
            }
            for dated in parameter.values
        ],
    }


def _parameter(stored: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=stored["name"],
        credit_code=stored["credit_code"],
        file=stored["file"],
        description=stored["description"],
        unit=stored["unit"],
        checked_on=date.fromisoformat(stored["checked_on"]),
        values=tuple(
            DatedValue(
                start=date.fromisoformat(dated["start"]),
                value=value_from_json(dated["value"]),
                references=tuple(_reference(reference) for reference in dated["references"]),
                reason=dated["reason"],
                approved_by=dated["approved_by"],
            )
            for dated in stored["values"]
        ),
    )
