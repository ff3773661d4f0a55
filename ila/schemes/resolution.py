"""From dated parameters to one `AllocationPolicy`: reads each rule by name and gives it its type.

Only rules are read here; whether they fit together is `consistency.py`'s affair, when the files are loaded.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from ila.money import Rounding
from ila.schemes.policy import (
    AccrualMode,
    AgeBasis,
    AllocationPolicy,
    Ceiling,
    CeilingScope,
    Combination,
    Effect,
    Eligibility,
    EmploymentStatus,
    Expiry,
    NeedCondition,
    NeedWeight,
    OnCeiling,
    Prorata,
    ProrataMode,
    ResidenceRule,
    Taper,
    Validity,
    WorkBasis,
)
from ila.schemes.values import Value

if TYPE_CHECKING:
    from ila.schemes.parameters import DatedValue, InForce

ALLOCATION_FILES = ("eligibility.yaml", "entitlement.yaml", "need_weights.yaml", "ceiling.yaml", "expiry.yaml")
"""The files whose parameters decide a credit; the others decide its use."""

Word = TypeVar("Word", bound=StrEnum)


def allocation_policy(rules: "InForce", credit_code: str) -> AllocationPolicy:
    """Return the policy of one credit on the day of `rules`; raises `NoValueInForce` where a rule is missing."""
    parameter_set = rules.parameter_set
    references = {name: rules.citation(name) for name in rules.names() if _applies(rules, name)}
    return AllocationPolicy(
        scheme=parameter_set.code,
        credit_code=credit_code,
        on=rules.day,
        unit=parameter_set.unit,
        minor_units=parameter_set.minor_units,
        time_zone=parameter_set.time_zone,
        digest=parameter_set.digest,
        accrual_mode=_word(AccrualMode, rules.value("accrual_mode")),
        eligibility=eligibility(rules),
        base_minor=_whole(rules.value("base_amount")),
        prorata=prorata(rules),
        needs=tuple(need_weight(criterion, dated) for criterion, dated in rules.needs()),
        combination=_combination(rules),
        weight_cap=_decimal_or_none(rules.value_or_none("weight_cap")),
        rounding=_word(Rounding, rules.value("rounding_credit")),
        min_credit_minor=_whole(rules.value("min_credit")),
        ceiling=Ceiling(
            amount_minor=_whole_or_none(rules.value_or_none("ceiling_amount")),
            scope=_word(CeilingScope, rules.value("ceiling_scope")),
            on_ceiling=_word(OnCeiling, rules.value("on_ceiling")),
        ),
        expiry=expiry(rules),
        references={name: text for name, text in references.items() if text is not None},
    )


def eligibility(rules: "InForce") -> Eligibility:
    """Return who gets the credit."""
    age_basis = _word(AgeBasis, rules.value("age_basis"))
    return Eligibility(
        age_basis=age_basis,
        as_at=_day(rules.value("as_at")) if age_basis is AgeBasis.AS_AT_DATE else None,
        min_age=_whole_or_none(rules.value_or_none("min_age")),
        max_age=_whole_or_none(rules.value_or_none("max_age")),
        residence_rule=_word(ResidenceRule, rules.value("residence_rule")),
        nationals_only=rules.value("nationality_rule") == "nationals",
        statuses_allowed=frozenset(_word(EmploymentStatus, code) for code in _items(rules.value("statuses_allowed"))),
        income_floor_minor=_whole_or_none(rules.value_or_none("income_floor")),
        income_ceiling_minor=_whole_or_none(rules.value_or_none("income_ceiling")),
        qualification_min=_whole_or_none(rules.value_or_none("qualification_min")),
        qualification_max=_whole_or_none(rules.value_or_none("qualification_max")),
        exclusions=tuple(str(code) for code in _items(rules.value_or_none("exclusions"))),
    )


def prorata(rules: "InForce") -> Prorata:
    """Return the use of working time. Reference pay is reference hours times the minimum wage, in minor units."""
    mode = _word(ProrataMode, rules.value("prorata_mode"))
    thresholded = mode in (ProrataMode.THRESHOLD_THEN_FULL, ProrataMode.LINEAR_CAPPED)
    references: dict[WorkBasis, Decimal] = {}
    if mode is not ProrataMode.NONE:
        for basis, name in (
            (WorkBasis.HOURS, "reference_hours"),
            (WorkBasis.DAYS, "reference_days"),
            (WorkBasis.MONTHS, "reference_months"),
            (WorkBasis.PERCENT, "reference_percent"),
        ):
            reference = _decimal_or_none(rules.value_or_none(name))
            if reference is not None:
                references[basis] = reference
        pay_hours = _decimal_or_none(rules.value_or_none("reference_pay_hours"))
        if pay_hours is not None:
            references[WorkBasis.PAY] = pay_hours * _whole(rules.value("hourly_minimum_wage"))
    return Prorata(
        mode=mode,
        threshold=_decimal(rules.value("prorata_threshold")) if thresholded else None,
        references=references,
    )


def need_weight(criterion: str, dated: "DatedValue") -> NeedWeight:
    """Return one need criterion with its effect and its law."""
    row = _row(dated.value)
    when = _row(row.get("when") or {})
    return NeedWeight(
        criterion=criterion,
        condition=NeedCondition(
            attested=when.get("attested") is True,
            qualification_level_below=_whole_or_none(when.get("qualification_level_below")),
            category=_text_or_none(when.get("category")),
            statuses=frozenset(_word(EmploymentStatus, code) for code in _items(when.get("statuses"))),
            age_from=_whole_or_none(when.get("age_from")),
            age_until=_whole_or_none(when.get("age_until")),
            income_below_minor=_whole_or_none(when.get("income_below")),
            regions=frozenset(str(code) for code in _items(when.get("regions"))),
        ),
        effect=_word(Effect, row["effect"]),
        amount_minor=_whole_or_none(row.get("amount")),
        factor=_decimal_or_none(row.get("factor")),
        taper=_taper(row),
        prorate_bonus=row.get("prorate_bonus") is True,
        ceiling_minor=_whole_or_none(row.get("ceiling")),
        evidence_source=str(row["evidence_source"]),
        evidence_months=_whole_or_none(row.get("evidence_months")),
        reference="; ".join(reference.title for reference in dated.references),
    )


def expiry(rules: "InForce") -> Expiry:
    """Return when a credit expires; only the field that its validity needs is set."""
    validity = _word(Validity, rules.value("validity"))
    return Expiry(
        validity=validity,
        months=_whole(rules.value("validity_months")) if validity is Validity.MONTHS_SINCE_CREDIT else None,
        years=_whole(rules.value("window_years")) if validity is Validity.WINDOW else None,
        fixed_on=_day(rules.value("expires_on")) if validity is Validity.FIXED_DATE else None,
        notice_days=tuple(_whole(days) for days in _items(rules.value_or_none("expiry_notice_days"))),
    )


def _applies(rules: "InForce", name: str) -> bool:
    """Tell whether the parameter decides an allocation and has begun; one that starts later cites nothing yet."""
    parameter = rules.parameter_set.parameter(name, rules.credit_code)
    return parameter is not None and parameter.file in ALLOCATION_FILES and parameter.values[0].start <= rules.day


def _combination(rules: "InForce") -> Combination:
    """Without any need to combine there is nothing to choose, and every choice gives the same amounts."""
    if rules.parameter_set.need_parameters(rules.credit_code):
        return _word(Combination, rules.value("needs_combination"))
    return Combination.MAX


def _taper(row: Mapping[str, Value]) -> Taper | None:
    """Read a taper over income (amounts) or over age (years)."""
    for fact in ("income", "age"):
        bounds = row.get(f"{fact}_taper")
        if bounds is not None:
            taper = _row(bounds)
            return Taper(fact=fact, full_at=_whole(taper["full_at"]), none_at=_whole(taper["none_at"]))
    return None


def _word(words: type[Word], value: Value) -> Word:
    return words(str(value))


def _whole(value: Value) -> int:
    assert isinstance(value, int) and not isinstance(value, bool), f"{value!r} is not a whole number"
    return value


def _whole_or_none(value: Value) -> int | None:
    return None if value is None else _whole(value)


def _decimal(value: Value) -> Decimal:
    assert isinstance(value, Decimal), f"{value!r} is not a decimal"
    return value


def _decimal_or_none(value: Value) -> Decimal | None:
    return None if value is None else _decimal(value)


def _day(value: Value) -> date:
    assert isinstance(value, date), f"{value!r} is not a day"
    return value


def _text_or_none(value: Value) -> str | None:
    return None if value is None else str(value)


def _items(value: Value) -> tuple[Value, ...]:
    if value is None:
        return ()
    assert isinstance(value, tuple), f"{value!r} is not a list"
    return value


def _row(value: Value) -> Mapping[str, Value]:
    assert isinstance(value, Mapping), f"{value!r} is not a row"
    return value
