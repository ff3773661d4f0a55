"""The part of the catalogue that decides a credit: who gets it, how much, more for need, up to what, until when."""

from collections.abc import Iterable

from ila.money import Rounding
from ila.schemes.policy import (
    AccrualMode,
    AgeBasis,
    CeilingScope,
    Combination,
    Effect,
    EmploymentStatus,
    OnCeiling,
    ProrataMode,
    ResidenceRule,
    Validity,
)
from ila.schemes.shapes import (
    AMOUNT,
    ANY_AMOUNT,
    CODE,
    CODES,
    DAY,
    DAY_OF_YEAR,
    FACTOR,
    FLAG,
    PERIODS,
    QUANTITY,
    RATIO,
    TEXT,
    Entry,
    list_of,
    row,
    whole,
    word,
)

STATUSES = list_of(word(*EmploymentStatus))

NEED_SHAPE = row(
    {"effect": word(*Effect), "evidence_source": word("register", "attestation", "declaration")},
    {
        "when": row(
            {},
            {
                "attested": FLAG,
                "qualification_level_below": whole(1, 9),
                "category": TEXT,
                "statuses": STATUSES,
                "age_from": whole(0, 150),
                "age_until": whole(0, 150),
                "income_below": AMOUNT,
                "regions": list_of(TEXT),
            },
        ),
        "amount": AMOUNT,
        "factor": FACTOR,
        "income_taper": row({"full_at": AMOUNT, "none_at": AMOUNT}),
        "age_taper": row({"full_at": whole(0, 150), "none_at": whole(0, 150)}),
        "prorate_bonus": FLAG,
        "ceiling": AMOUNT,
        "evidence_months": whole(1, 1200),
    },
)
NEED = Entry(
    "needs",
    "need_weights.yaml",
    NEED_SHAPE,
    (*ANY_AMOUNT, "factor"),
    "A list with one item for each need criterion, in the order in which they apply: when it holds, what it does to "
    "the amount, the ceiling while it holds, and the evidence asked.",
)


def eligibility_entries() -> Iterable[Entry]:
    """Who gets a credit."""
    file = "eligibility.yaml"
    yield Entry("min_age", file, whole(0, 150), ("years",), "Youngest age, included.", required=True)
    yield Entry("max_age", file, whole(0, 150), ("years",), "Oldest age, included.")
    yield Entry("age_basis", file, word(*AgeBasis), ("choice",), "How an age is taken.", required=True)
    yield Entry("as_at", file, DAY, ("date",), "The fixed day of `age_basis: as_at_date`.")
    yield Entry("residence_rule", file, word(*ResidenceRule), ("choice",), "Who belongs to the scheme.", required=True)
    yield Entry(
        "frontier_worker_rule",
        file,
        word("covered", "not_covered"),
        ("choice",),
        "People who work here and live elsewhere.",
    )
    yield Entry("nationality_rule", file, word("any", "nationals"), ("choice",), "Which nationality.", required=True)
    yield Entry(
        "statuses_allowed", file, STATUSES, ("list",), "Employment statuses covered; empty: all.", required=True
    )
    yield Entry("income_floor", file, AMOUNT, ("{unit}/year",), "Lowest yearly income, included.")
    yield Entry("income_ceiling", file, AMOUNT, ("{unit}/year",), "Highest yearly income, included.")
    yield Entry("qualification_min", file, whole(0, 8), ("level",), "Lowest qualification level already held.")
    yield Entry("qualification_max", file, whole(0, 8), ("level",), "Highest qualification level already held.")
    yield Entry("exclusions", file, CODES, ("list",), "Attested criteria that exclude, such as `in_education`.")
    yield Entry("closure_events", file, CODES, ("list",), "What closes an account: death, retirement, age.")
    yield Entry("closure_age", file, whole(0, 150), ("years",), "Age at which an account closes.")
    yield Entry(
        "closure_destination", file, word("fund", "expired"), ("choice",), "Where the rest of a closed account goes."
    )


def entitlement_entries() -> Iterable[Entry]:
    """How much a credit is, and when it arises."""
    file = "entitlement.yaml"
    yield Entry("accrual_mode", file, word(*AccrualMode), ("choice",), "Why a credit arises.", required=True)
    yield Entry(
        "base_amount",
        file,
        AMOUNT,
        ("{unit}/year", "{unit}"),
        "The credit before working time and need.",
        required=True,
    )
    yield Entry("accrual_period", file, PERIODS, ("choice",), "The period a credit belongs to.", required=True)
    yield Entry("accrual_on", file, DAY_OF_YEAR, ("date",), "Day of the year on which a period is credited.")
    yield Entry("usable_from", file, DAY, ("date",), "First day on which the credit may be used.")
    yield Entry("merged_into", file, CODE, ("choice",), "Credit that takes over what is left of this one.")
    yield Entry("tier", file, CODE, ("choice",), "Which offers the credit may pay: see `tiers`.")
    yield Entry("prorata_mode", file, word(*ProrataMode), ("choice",), "Use of working time.", required=True)
    yield Entry("prorata_threshold", file, RATIO, ("ratio",), "Working time from which the credit is whole.")
    yield Entry("reference_hours", file, QUANTITY, ("hours/year",), "Hours worked that make a whole year.")
    yield Entry("reference_days", file, QUANTITY, ("days/year",), "Days worked that make a whole year.")
    yield Entry(
        "reference_pay_hours",
        file,
        QUANTITY,
        ("hours/year",),
        "Hours at the minimum wage that make a whole year of pay.",
    )
    yield Entry(
        "hourly_minimum_wage", file, AMOUNT, ("{unit}/hour",), "Minimum wage that values `reference_pay_hours`."
    )
    yield Entry("reference_months", file, QUANTITY, ("months/year",), "Months of activity that make a whole year.")
    yield Entry("reference_percent", file, QUANTITY, ("percent",), "Percent of a post that makes a whole year.")
    yield Entry("assimilated_absences", file, CODES, ("list",), "Absences that count as worked.")
    yield Entry("multi_job_rule", file, word("sum"), ("choice",), "Several employers: ratios are summed, at most 1.")
    yield Entry(
        "late_data_rule",
        file,
        word("adjust"),
        ("choice",),
        "A corrected record makes a further credit or an adjusting entry.",
    )
    yield Entry(
        "min_credit", file, AMOUNT, ("{unit}",), "Smallest credit made; at least one minor unit.", required=True
    )
    yield Entry("rounding_credit", file, word(*Rounding), ("choice",), "Rounding of a credit.", required=True)
    yield Entry(
        "rounding_scope",
        file,
        word("per_person", "per_job"),
        ("choice",),
        "What is rounded: once a person and period, or each job.",
    )
    yield Entry(
        "conversion",
        file,
        row({"to": CODE, "rate_per_hour": QUANTITY}),
        ("{currency}/hour",),
        "Rate at which hours become money of another scheme.",
    )


def need_entries() -> Iterable[Entry]:
    """How needs combine; the needs themselves are `NEED`."""
    file = "need_weights.yaml"
    yield Entry("needs_combination", file, word(*Combination), ("choice",), "How several effects combine.")
    yield Entry("weight_cap", file, FACTOR, ("factor",), "Most that all needs may make of the prorated base.")


def ceiling_and_expiry_entries() -> Iterable[Entry]:
    """How much may accumulate, and how long it lives."""
    file = "ceiling.yaml"
    yield Entry(
        "ceiling_amount",
        file,
        AMOUNT,
        ("{unit}",),
        "Most that may accumulate; `null` with a reason: no ceiling.",
        required=True,
    )
    yield Entry("ceiling_multiple_max", file, whole(1), ("count",), "Legal bound of the ceiling, in yearly amounts.")
    yield Entry(
        "ceiling_scope", file, word(*CeilingScope), ("choice",), "What counts against the ceiling.", required=True
    )
    yield Entry("on_ceiling", file, word(*OnCeiling), ("choice",), "What happens at the ceiling.", required=True)
    yield Entry(
        "ceiling_on_status_change", file, word("no_clawback"), ("choice",), "A ceiling that falls takes nothing back."
    )
    file = "expiry.yaml"
    yield Entry("validity", file, word(*Validity), ("choice",), "When a credit expires.", required=True)
    yield Entry("validity_months", file, whole(1, 1200), ("months",), "Life of a credit of `months_since_credit`.")
    yield Entry("expires_on", file, DAY, ("date",), "Last usable day of `fixed_date`.")
    yield Entry("window_years", file, whole(1, 100), ("years",), "Life of a credit of `window`.")
    yield Entry("activation_months", file, whole(1, 1200), ("months",), "A credit lapses if not activated by then.")
    yield Entry("expire_to", file, word("fund", "outside"), ("choice",), "Where lapsed money goes in the end.")
    yield Entry("expiry_notice_days", file, list_of(whole(1)), ("calendar days",), "Notices before expiry.")
    yield Entry("reservation_protects", file, FLAG, ("yes or no",), "A reserved amount does not expire.")
    yield Entry("recredit_grace_days", file, whole(0), ("calendar days",), "Life of money given back after expiry.")
