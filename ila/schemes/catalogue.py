"""Every parameter a scheme can have: its file, its shape, its units and its meaning. The only list of them.

A unit `{unit}` stands for the scheme's own unit. Units and shapes are checked when a file is loaded; the table in
`docs/schemes.md` is made from here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
    CODE,
    DAY,
    DAY_OF_YEAR,
    FACTOR,
    FLAG,
    PERCENT,
    QUANTITY,
    RATIO,
    TEXT,
    Shape,
    list_of,
    row,
    table,
    whole,
    word,
)

FUND_KINDS = ("state", "region", "employer", "sector_fund", "employment_service", "citizen")
PERIODS = word("calendar_year", "school_year", "rolling_year_from_first_use", "window")
ANY_AMOUNT = ("{unit}", "{unit}/year", "{unit}/month")
DAYS = ("calendar days", "working days")
CODES = list_of(CODE)
STATUSES = list_of(word(*EmploymentStatus))


@dataclass(frozen=True, slots=True)
class Entry:
    """One parameter of the catalogue. `required`: every credit needs it, its own or the scheme's."""

    name: str
    file: str
    shape: Shape
    units: tuple[str, ...]
    meaning: str
    required: bool = False


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
    "needs", "need_weights.yaml", NEED_SHAPE, (*ANY_AMOUNT, "factor"),
    "A list with one item for each need criterion, in the order in which they apply: when it holds, what it does to "
    "the amount, the ceiling while it holds, and the evidence asked.",
)  # fmt: skip


def _entries() -> Iterable[Entry]:
    """Yield the catalogue in the order of the documentation."""
    yield from _eligibility()
    yield from _entitlement()
    yield from _needs()
    yield from _ceiling_and_expiry()
    yield from _redemption()
    yield from _contributions()
    yield from _endings_and_payout()
    yield from _accreditation()
    yield from _budget()
    yield from _operation()


def _eligibility() -> Iterable[Entry]:
    file = "eligibility.yaml"
    yield Entry("min_age", file, whole(0, 150), ("years",), "Youngest age, included.", required=True)
    yield Entry("max_age", file, whole(0, 150), ("years",), "Oldest age, included.")
    yield Entry("age_basis", file, word(*AgeBasis), ("choice",), "How an age is taken.", required=True)
    yield Entry("as_at", file, DAY, ("date",), "The fixed day of `age_basis: as_at_date`.")
    yield Entry("residence_rule", file, word(*ResidenceRule), ("choice",), "Who belongs to the scheme.", required=True)
    yield Entry("frontier_worker_rule", file, word("covered", "not_covered"), ("choice",), "People who work here and live elsewhere.")  # fmt: skip
    yield Entry("nationality_rule", file, word("any", "nationals"), ("choice",), "Which nationality.", required=True)
    yield Entry("statuses_allowed", file, STATUSES, ("list",), "Employment statuses covered; empty: all.", required=True)  # fmt: skip
    yield Entry("income_floor", file, AMOUNT, ("{unit}/year",), "Lowest yearly income, included.")
    yield Entry("income_ceiling", file, AMOUNT, ("{unit}/year",), "Highest yearly income, included.")
    yield Entry("qualification_min", file, whole(0, 8), ("level",), "Lowest qualification level already held.")
    yield Entry("qualification_max", file, whole(0, 8), ("level",), "Highest qualification level already held.")
    yield Entry("exclusions", file, CODES, ("list",), "Attested criteria that exclude, such as `in_education`.")
    yield Entry("closure_events", file, CODES, ("list",), "What closes an account: death, retirement, age.")
    yield Entry("closure_age", file, whole(0, 150), ("years",), "Age at which an account closes.")
    yield Entry("closure_destination", file, word("fund", "expired"), ("choice",), "Where the rest of a closed account goes.")  # fmt: skip


def _entitlement() -> Iterable[Entry]:
    file = "entitlement.yaml"
    yield Entry("accrual_mode", file, word(*AccrualMode), ("choice",), "Why a credit arises.", required=True)  # fmt: skip
    yield Entry("base_amount", file, AMOUNT, ("{unit}/year", "{unit}"), "The credit before working time and need.", required=True)  # fmt: skip
    yield Entry("accrual_period", file, PERIODS, ("choice",), "The period a credit belongs to.", required=True)
    yield Entry("accrual_on", file, DAY_OF_YEAR, ("date",), "Day of the year on which a period is credited.")
    yield Entry("usable_from", file, DAY, ("date",), "First day on which the credit may be used.")
    yield Entry("merged_into", file, CODE, ("choice",), "Credit that takes over what is left of this one.")
    yield Entry("tier", file, CODE, ("choice",), "Which offers the credit may pay: see `tiers`.")
    yield Entry("prorata_mode", file, word(*ProrataMode), ("choice",), "Use of working time.", required=True)
    yield Entry("prorata_threshold", file, RATIO, ("ratio",), "Working time from which the credit is whole.")
    yield Entry("reference_hours", file, QUANTITY, ("hours/year",), "Hours worked that make a whole year.")
    yield Entry("reference_days", file, QUANTITY, ("days/year",), "Days worked that make a whole year.")
    yield Entry("reference_pay_hours", file, QUANTITY, ("hours/year",), "Hours at the minimum wage that make a whole year of pay.")  # fmt: skip
    yield Entry("hourly_minimum_wage", file, AMOUNT, ("{unit}/hour",), "Minimum wage that values `reference_pay_hours`.")  # fmt: skip
    yield Entry("reference_months", file, QUANTITY, ("months/year",), "Months of activity that make a whole year.")
    yield Entry("reference_percent", file, QUANTITY, ("percent",), "Percent of a post that makes a whole year.")
    yield Entry("assimilated_absences", file, CODES, ("list",), "Absences that count as worked.")
    yield Entry("multi_job_rule", file, word("sum"), ("choice",), "Several employers: ratios are summed, at most 1.")
    yield Entry("late_data_rule", file, word("adjust"), ("choice",), "A corrected record makes a further credit or an adjusting entry.")  # fmt: skip
    yield Entry("min_credit", file, AMOUNT, ("{unit}",), "Smallest credit made; at least one minor unit.", required=True)  # fmt: skip
    yield Entry("rounding_credit", file, word(*Rounding), ("choice",), "Rounding of a credit.", required=True)
    yield Entry("rounding_scope", file, word("per_person", "per_job"), ("choice",), "What is rounded: once a person and period, or each job.")  # fmt: skip
    yield Entry("conversion", file, row({"to": CODE, "rate_per_hour": QUANTITY}), ("{currency}/hour",), "Rate at which hours become money of another scheme.")  # fmt: skip


def _needs() -> Iterable[Entry]:
    file = "need_weights.yaml"
    yield Entry("needs_combination", file, word(*Combination), ("choice",), "How several effects combine.")
    yield Entry("weight_cap", file, FACTOR, ("factor",), "Most that all needs may make of the prorated base.")


def _ceiling_and_expiry() -> Iterable[Entry]:
    file = "ceiling.yaml"
    yield Entry("ceiling_amount", file, AMOUNT, ("{unit}",), "Most that may accumulate; `null` with a reason: no ceiling.", required=True)  # fmt: skip
    yield Entry("ceiling_multiple_max", file, whole(1), ("count",), "Legal bound of the ceiling, in yearly amounts.")
    yield Entry("ceiling_scope", file, word(*CeilingScope), ("choice",), "What counts against the ceiling.", required=True)  # fmt: skip
    yield Entry("on_ceiling", file, word(*OnCeiling), ("choice",), "What happens at the ceiling.", required=True)  # fmt: skip
    yield Entry("ceiling_on_status_change", file, word("no_clawback"), ("choice",), "A ceiling that falls takes nothing back.")  # fmt: skip
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


def _redemption() -> Iterable[Entry]:
    file = "redemption.yaml"
    yield Entry("spend_order", file, list_of(word("expiring_first", "restricted_first", "oldest_first", "legal_order")), ("list",), "Which entitlement pays first.")  # fmt: skip
    yield Entry("rounding_public_share", file, word("half_up", "floor"), ("choice",), "Rounding of a percent of a price.")  # fmt: skip
    yield Entry("co_payment_type", file, word("none", "flat", "percent", "tiered", "excess_only"), ("choice",), "Kind of own part.")  # fmt: skip
    yield Entry("co_payment_amount", file, AMOUNT, ("{unit}",), "The citizen's flat part.")
    yield Entry("public_percent", file, PERCENT, ("percent",), "Public share of the price.")
    yield Entry("co_payment_tiers", file, table({"tier": CODE, "public_percent": PERCENT}), ("percent",), "Public share by tier.")  # fmt: skip
    yield Entry("co_payment_index", file, row({"index": TEXT, "month": TEXT, "decree": TEXT}), ("table",), "Provenance of indexed values, which are tabled and never computed.")  # fmt: skip
    yield Entry("co_payment_exemptions", file, CODES, ("list",), "Who pays no own part.")
    yield Entry("co_payment_payers", file, CODES, ("list",), "Who may pay it instead; never the provider.")
    yield Entry("co_payment_collection", file, word("platform", "provider"), ("choice",), "Who receives it.")
    yield Entry("co_payment_refundable_when", file, CODES, ("list",), "When it comes back.")
    yield Entry("min_citizen", file, AMOUNT, ("{unit}",), "Own part that opens the right.")
    yield Entry("shortfall_mode", file, word("absorb", "additive"), ("choice",), "Own part inside a shortfall, or on top.")  # fmt: skip
    yield Entry("usage_cap_mode", file, word("absorb", "additive"), ("choice",), "Own part inside the excess over a cap, or on top.")  # fmt: skip
    yield Entry(
        "usage_caps", file,
        table(
            {"category": CODE, "max_public": AMOUNT},
            {"min_third_party": AMOUNT, "third_party_waived_for": CODES, "min_hours": QUANTITY,
             "cooldown_months": whole(0)},
        ),
        ("{unit}",), "Caps by kind of offer, with co-funding asked, duration and waiting time.",
    )  # fmt: skip
    yield Entry("max_public", file, AMOUNT, ("{unit}",), "Most that one redemption may draw.")
    yield Entry("max_public_per_period", file, row({"amount": AMOUNT, "period": PERIODS}, {"window_years": whole(1)}), ("{unit}",), "Most that may be drawn in a period.")  # fmt: skip
    yield Entry("max_face_value", file, row({"amount": AMOUNT, "period": PERIODS}), ("{unit}",), "Highest face value of cheques in a period.")  # fmt: skip
    yield Entry("max_redemptions", file, row({"count": whole(1), "period": PERIODS}), ("count",), "Redemptions in a period.")  # fmt: skip
    yield Entry("max_open_requests", file, whole(1), ("count",), "Open requests for one offer.")
    yield Entry("max_credits_per_12_months", file, QUANTITY, ("credits",), "Learning volume in twelve months.")
    yield Entry("min_price", file, AMOUNT, ("{unit}",), "Smallest price paid.")
    yield Entry("vat_included", file, FLAG, ("yes or no",), "Prices include value added tax.")
    yield Entry("tiers", file, table({"tier": CODE, "offers": TEXT}), ("table",), "Which entitlement fits which offer.")
    yield Entry("min_lead_working_days", file, whole(0), ("working days",), "Least time from request to start.")
    yield Entry("lead_count", file, word("last_day_included", "all_days_elapsed"), ("choice",), "How lead time counts.")
    yield Entry("start_window_days", file, row({"min": whole(0), "max": whole(0)}), DAYS, "Start after applying.")
    yield Entry("claim_window_days", file, whole(0), DAYS, "Earliest request before the start.")
    yield Entry("provider_response_days", file, whole(0), DAYS, "Provider's time to answer.")
    yield Entry("provider_response_days_prerequisites", file, whole(0), DAYS, "The same where prerequisites are checked.")  # fmt: skip
    yield Entry("citizen_acceptance_days", file, whole(0), DAYS, "Citizen's time to confirm.")
    yield Entry("reservation_ttl_days", file, whole(1), DAYS, "Every reservation ends by itself.")
    yield Entry("withdrawal_days", file, whole(0), DAYS, "Cooling-off.")
    yield Entry("withdrawal_day_kind", file, word("calendar", "working"), ("choice",), "Kind of the days of cooling-off.")  # fmt: skip
    yield Entry("withdrawal_waived_on_start", file, FLAG, ("yes or no",), "Cooling-off ends with an early start.")


def _contributions() -> Iterable[Entry]:
    file = "contributions.yaml"
    funds = list_of(word(*FUND_KINDS))
    yield Entry("fund_kinds", file, funds, ("list",), "Who may contribute.")
    yield Entry("consumption_order", file, CODES, ("list",), "Legal order of use.")
    yield Entry("contribution_counts_to_ceiling", file, FLAG, ("yes or no",), "Contributions fill the ceiling.")
    yield Entry("matching", file, row({"ratio": QUANTITY, "up_to": AMOUNT}), ("{unit}/year",), "Match of savings, up to a cap.")  # fmt: skip
    yield Entry("earmark", file, list_of(word("offers", "categories", "provider", "dates")), ("list",), "What a contribution may be tied to.")  # fmt: skip
    yield Entry("collective_agreement_ref", file, FLAG, ("yes or no",), "A bulk contribution names its agreement.")
    yield Entry("corrective_amount", file, row({"amount": AMOUNT, "trigger": TEXT}), ("{unit}",), "Penalty contribution.")  # fmt: skip
    yield Entry("recall_unused", file, row({"rule": word("never", "on_closure", "after_months")}, {"months": whole(1)}), ("months",), "Unused money goes back to its funder.")  # fmt: skip
    yield Entry("silence_rule", file, word("accept", "refuse"), ("choice",), "A co-funder that does not answer.")
    yield Entry("answer_working_days", file, whole(0), ("working days",), "A co-funder's time to answer.")


def _endings_and_payout() -> Iterable[Entry]:
    file = "cancellation.yaml"
    yield Entry(
        "cancellation_table", file,
        table(
            {"actor": word("citizen", "provider", "administrator"), "phase": word("before_start", "after_start"),
             "cause": CODE, "provider_percent": PERCENT, "recredit_percent": PERCENT},
            {"threshold_working_days": whole(0), "co_payment_refund": FLAG, "penalty": AMOUNT},
        ),
        ("percent",), "Every ending: what the provider gets, what goes back to the citizen; the rest to the fund.",
    )  # fmt: skip
    yield Entry("late_cancel_working_days", file, whole(0), ("working days",), "Late is this close to the start.")
    yield Entry("late_cancel_provider_percent", file, PERCENT, ("percent",), "Provider's part of a late cancellation.")
    yield Entry("attendance_bands", file, table({"below": PERCENT}, {"provider_percent": PERCENT, "pro_rata": FLAG}), ("percent",), "Pay by attendance, in rising bands.")  # fmt: skip
    yield Entry("residual_destination", file, word("recredit", "fund"), ("choice",), "Where the part not paid goes.")
    yield Entry("force_majeure_causes", file, CODES, ("list",), "Humane endings.")
    yield Entry("evidence_required", file, CODES, ("list",), "Evidence that an ending asks for.")
    yield Entry("penalty_ladder", file, table({"amount": AMOUNT, "suspended_days": whole(0)}), ("{unit}",), "First, second, third non-completion.")  # fmt: skip
    yield Entry("exclusion_months", file, whole(0), ("months",), "Exclusion of a citizen at fault.")
    file = "payout.yaml"
    yield Entry("completion_gate_percent", file, PERCENT, ("percent",), "Attendance without which nothing is paid.")
    yield Entry("rounding_completion", file, word("half_up_integer", "none"), ("choice",), "Rounding of a completion rate.")  # fmt: skip
    yield Entry("exam_required", file, FLAG, ("yes or no",), "An exam is part of completion.")
    yield Entry("proof_months", file, whole(0), ("months",), "Time for proof after the end.")
    yield Entry("entry_declaration_days", file, whole(0), DAYS, "Provider declares the start.")
    yield Entry("exit_declaration_days", file, whole(0), DAYS, "Provider declares the end.")
    yield Entry("service_done_silence_days", file, whole(0), DAYS, "A declaration is valid by silence after this.")
    yield Entry("payment_terms_days", file, whole(0), ("calendar days",), "A payout is due.")
    yield Entry("audit_sample_percent", file, PERCENT, ("percent",), "Declarations drawn for audit.")
    yield Entry("advance_percent", file, PERCENT, ("percent",), "Money before the end.")
    yield Entry("advance_from_days", file, whole(0), ("calendar days",), "An advance may be paid this long before start.")  # fmt: skip
    yield Entry("milestones", file, table({"at_percent": PERCENT, "pay_percent": PERCENT}), ("percent",), "Payment in parts.")  # fmt: skip


def _accreditation() -> Iterable[Entry]:
    file = "accreditation.yaml"
    yield Entry("accreditation_label", file, TEXT, ("text",), "Quality label asked of a provider.")
    yield Entry("accreditation_validity", file, whole(1), ("months",), "Life of an accreditation.")
    yield Entry("renewal_notice_days", file, whole(0), ("calendar days",), "Notice before an accreditation ends.")
    yield Entry("review_due_on", file, DAY, ("date",), "Day by which the criteria are reviewed.")
    yield Entry("lapse_blocks_new", file, FLAG, ("yes or no",), "A lapsed provider takes no new bookings.")
    yield Entry("in_flight_policy", file, word("finish", "transfer", "refund"), ("choice",), "What a lapse means for those enrolled.")  # fmt: skip
    yield Entry("max_grants_per_offer", file, row({"count": whole(1), "period": PERIODS}), ("count",), "Volume limit of one offer.")  # fmt: skip
    yield Entry("max_share_of_budget", file, PERCENT, ("percent",), "Most of the budget one provider may take.")
    yield Entry("price_change_limit_percent", file, PERCENT, ("percent",), "Most that a price may rise in a year.")
    yield Entry("no_gift_rule", file, FLAG, ("yes or no",), "Gifts with a booking are forbidden.")


def _budget() -> Iterable[Entry]:
    file = "budget.yaml"
    yield Entry("envelope", file, AMOUNT, ANY_AMOUNT, "Money there is.")
    yield Entry("budget_period", file, PERIODS, ("choice",), "Period of the envelope.")
    yield Entry("rounds", file, table({"opens_on": DAY, "envelope": AMOUNT}), ("{unit}",), "Rounds of applications.")
    yield Entry("funder_split", file, table({"fund": CODE, "percent": PERCENT}), ("percent",), "Shares of the funders.")
    yield Entry("quotas", file, table({"group": CODE, "percent": PERCENT}), ("percent",), "Parts reserved for groups.")
    yield Entry("soft_cap_percent", file, PERCENT, ("percent",), "Alarm at this part of the envelope.")
    yield Entry("hard_cap", file, AMOUNT, ANY_AMOUNT, "Nothing is granted above this.")
    yield Entry("counting_basis", file, word("reserved", "paid"), ("choice",), "What fills the envelope.")
    yield Entry("exhaustion_policy", file, word("reject", "waitlist", "lottery", "next_round", "partial", "prorate_amount"), ("choice",), "Money runs out.")  # fmt: skip
    yield Entry("partial_allowed", file, FLAG, ("yes or no",), "A last grant may be a part.")
    yield Entry("release_policy", file, word("queue", "lottery", "next_round"), ("choice",), "Who gets money that came back.")  # fmt: skip
    yield Entry("offer_deadline_days", file, whole(0), DAYS, "Time to take a place offered from the queue.")
    yield Entry("priority_tiers", file, CODES, ("list",), "Order of groups in the queue.")
    yield Entry("lottery_seed_commitment", file, TEXT, ("text",), "Digest of the seed, published before the draw.")


def _operation() -> Iterable[Entry]:
    file = "operation.yaml"
    assurance = word("low", "substantial", "high")
    yield Entry("loa_view", file, assurance, ("choice",), "Level of assurance to read an account.")
    yield Entry("loa_redeem", file, assurance, ("choice",), "Level of assurance to spend.")
    yield Entry("delegation_rules", file, CODES, ("list",), "Who may act for a citizen.")
    yield Entry("assisted_channels", file, CODES, ("list",), "Office, phone, delegate.")
    yield Entry("indicator_set", file, CODES, ("list",), "Indicators published.")
    yield Entry("small_cell_minimum", file, whole(0), ("count",), "Smaller groups are not published.")
    yield Entry("retention_months", file, whole(0), ("months",), "How long facts are kept.")
    yield Entry("closing_notice_days", file, whole(0), ("calendar days",), "Notice before a scheme closes.")
    yield Entry("honour_bookings_until", file, DAY, ("date",), "Last day on which bookings are honoured after closing.")
    yield Entry("provider_compensation", file, TEXT, ("text",), "What honest providers get when a scheme closes.")


CATALOGUE: Mapping[str, Entry] = {entry.name: entry for entry in _entries()}
"""Every parameter by its name, needs aside (`NEED`), in the order of the documentation."""

FILES: tuple[str, ...] = tuple(dict.fromkeys(entry.file for entry in CATALOGUE.values()))
"""The files a scheme may have beside `scheme.yaml`."""


def catalogue_markdown() -> str:
    """Return the catalogue as tables of Markdown, one for each file."""
    lines: list[str] = []
    for file in FILES:
        lines += [f"### `{file}`", "", "| Parameter | Value | Unit | Meaning |", "|---|---|---|---|"]
        entries = [entry for entry in CATALOGUE.values() if entry.file == file]
        for entry in [*entries, NEED] if file == NEED.file else entries:
            mark = " (required)" if entry.required else ""
            units = ", ".join(f"`{unit}`" for unit in entry.units)
            lines.append(f"| `{entry.name}`{mark} | {entry.shape.described()} | {units} | {entry.meaning} |")
        lines.append("")
    return "\n".join(lines)
