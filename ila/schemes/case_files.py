"""Reading of policy cases: a sentence, a day, facts and the answer expected, as YAML beside a scheme."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Any, ClassVar

from marshmallow import Schema

from ila.errors import Invalid
from ila.schemes import schemas, strict_yaml
from ila.schemes.parameters import ParameterSet
from ila.schemes.policy import EmploymentStatus, Reason, WorkBasis
from ila.schemes.shapes import AMOUNT, CODE, CODES, DAY, FLAG, QUANTITY, TEXT, Shape, list_of, row, table, whole, word
from ila.schemes.strict_yaml import Path, written_key


class CaseKind(StrEnum):
    """What a case asks."""

    ALLOCATION = "allocation"  # one credit to one citizen
    ELIGIBILITY = "eligibility"  # does a citizen get a line at all
    BALANCES = "balances"  # what is left of credits given once, or in a window
    CONVERSION = "conversion"  # hours as money of another scheme
    CLAIM = "claim"  # a part of fees paid
    TABLED_VALUE = "tabled_value"  # a dated parameter on a day


class InvalidCases(Invalid):
    """The cases of a scheme cannot be read; `faults` holds one sentence for each thing to put right."""

    code: ClassVar[str] = "invalid_cases"

    def __init__(self, scheme: str, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__(f"The cases of {scheme} cannot be read: {' '.join(self.faults)}", faults=self.faults)


@dataclass(frozen=True, slots=True)
class Case:
    """One question with its answer. Amounts in `given` and `expect` are minor units of the scheme that answers."""

    id: str
    scheme: str
    sentence: str
    kind: CaseKind
    on: date
    credit_code: str | None
    given: Mapping[str, Any]
    expect: Mapping[str, Any]


FACTS: Mapping[str, Shape] = {
    "born_on": DAY,
    "status": word(*EmploymentStatus),
    "resides_here": FLAG,
    "works_here": FLAG,
    "national": FLAG,
    "qualification_level": whole(0, 8),
    "income": AMOUNT,
    "category": TEXT,
    "region": TEXT,
    "attested": CODES,
    "work": list_of(row({"basis": word(*WorkBasis), "worked": QUANTITY}, {"reference": QUANTITY})),
    "open": FLAG,
    "balance": AMOUNT,  # what counts against the ceiling
    "already_credited": FLAG,
    "credited_on": DAY,  # the day of the case where it is not given
}
REASON = word(*Reason, "none")
BALANCES = table({"credit": CODE, "amount": AMOUNT})
SHAPES: Mapping[CaseKind, tuple[Mapping[str, Shape], Mapping[str, Shape]]] = {
    CaseKind.ALLOCATION: (
        FACTS,
        {
            "amount": AMOUNT,
            "balance_after": AMOUNT,
            "reason": REASON,
            "age": whole(0, 200),
            "base": AMOUNT,
            "rounded": AMOUNT,
            "ceiling": AMOUNT,
            "room": AMOUNT,
            "expires_on": DAY,
            "period": whole(1900, 9999),
            "month": TEXT,
            "needs": CODES,
        },
    ),
    CaseKind.ELIGIBILITY: (FACTS, {"eligible": FLAG, "reason": REASON}),
    CaseKind.BALANCES: (
        {**FACTS, "used": BALANCES, "used_in_window": AMOUNT},
        {"balances": BALANCES, "total": AMOUNT, "left": AMOUNT},
    ),
    CaseKind.CONVERSION: ({"hours": whole(0), "balance": QUANTITY}, {"amount": QUANTITY, "reason": REASON}),
    CaseKind.CLAIM: ({**FACTS, "limit": AMOUNT, "fees": AMOUNT}, {"claim": AMOUNT, "next_year_addition": AMOUNT}),
    CaseKind.TABLED_VALUE: ({"parameter": CODE}, {"value": TEXT}),
}
"""The facts a kind of case may give, and the answers it may expect."""


def load_cases(directory: FilePath, parameter_set: ParameterSet) -> list[Case]:
    """Return the cases in `directory/cases`, in file order; raises `InvalidCases` with every fault."""
    cases: list[Case] = []
    faults: list[str] = []
    for path in sorted((directory / "cases").glob("*.yaml")):
        where = f"{parameter_set.code}/cases/{path.name}"
        document, yaml_faults = strict_yaml.read(path.read_text(encoding="utf-8"))
        faults += [f"{where} line {fault.line}{written_key(fault.path)}: {fault.reason}." for fault in yaml_faults]
        if document is None:
            continue
        if not isinstance(document.content, list):
            faults.append(f"{where}: must be a list of cases.")
            continue
        for index, content in enumerate(document.content):
            found, reasons = _read_case(content, parameter_set)
            cases += found
            faults += [
                f"{where} line {document.line_of((index, *at))}{written_key(at)}: {reason}." for at, reason in reasons
            ]
    ids = [case.id for case in cases]
    faults += [f"{parameter_set.code}: case {case_id} is there twice." for case_id in ids if ids.count(case_id) > 1]
    if faults:
        raise InvalidCases(parameter_set.code, dict.fromkeys(faults))
    return cases


def _read_case(content: Any, parameter_set: ParameterSet) -> tuple[list[Case], list[tuple[Path, str]]]:
    """Return the case with its variants, or what is wrong with it."""
    kind = content.get("kind") if isinstance(content, dict) else None
    try:
        given, expect = (_cells(shapes, parameter_set.minor_units) for shapes in SHAPES[CaseKind(str(kind))])
    except ValueError:
        return [], [((), f"a case has a kind, one of {', '.join(CaseKind)}, not '{kind}'")]
    variant = schemas.Strict.from_dict(
        {"on": schemas.DayText(), "given": schemas.Rows(given), "expect": schemas.Rows(expect)}
    )
    loaded, faults = schemas.load(
        schemas.Strict.from_dict(
            {
                "id": schemas.TextField(required=True),
                "sentence": schemas.TextField(required=True),
                "kind": schemas.TextField(required=True),
                "credit": schemas.WordText(parameter_set.credit_codes),
                "on": schemas.DayText(),
                "given": schemas.Rows(given),
                "expect": schemas.Rows(expect),
                "variants": schemas.Listed(schemas.Rows(variant), filled=True),
            }
        )(),
        content,
    )
    if loaded is None:
        return [], faults
    variants = loaded.get("variants", ({},))
    cases = [
        Case(
            id=loaded["id"] if len(variants) == 1 else f"{loaded['id']}/{number}",
            scheme=parameter_set.code,
            sentence=" ".join(loaded["sentence"].split()),
            kind=CaseKind(loaded["kind"]),
            on=variant.get("on", loaded.get("on")),
            credit_code=loaded.get("credit"),
            given=_by_credit({**loaded.get("given", {}), **variant.get("given", {})}),
            expect=_by_credit({**loaded.get("expect", {}), **variant.get("expect", {})}),
        )
        for number, variant in enumerate(variants, start=1)
    ]
    if any(case.on is None for case in cases):
        return [], [((), f"case {loaded['id']} needs a day: on")]
    if any(not case.expect for case in cases):
        return [], [((), f"case {loaded['id']} expects nothing")]
    return cases, []


def _cells(shapes: Mapping[str, Shape], minor_units: int) -> Schema:
    cells = {name: schemas.field_for(shape, minor_units, required=False) for name, shape in shapes.items()}
    return schemas.Strict.from_dict(cells)()


def _by_credit(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Turn tables of credits and amounts into mappings, whose order does not matter."""
    tables = {
        key: {item["credit"]: item["amount"] for item in facts[key]} for key in ("used", "balances") if key in facts
    }
    return {**facts, **tables}
