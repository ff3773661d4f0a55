"""The part of the catalogue that decides the use of a credit: price, deadlines, endings, providers, budget."""

from collections.abc import Iterable

from ila.schemes.shapes import (
    AMOUNT,
    ANY_AMOUNT,
    CODE,
    CODES,
    DAY,
    DAYS,
    FLAG,
    FUND_KINDS,
    PERCENT,
    PERIODS,
    QUANTITY,
    TEXT,
    Entry,
    list_of,
    row,
    table,
    whole,
    word,
)

UNTIL_PERCENT = whole(1, 101)  # excluded, so that 101 takes in 100


def redemption_entries() -> Iterable[Entry]:
    """What a citizen pays, how often, and the deadlines of a booking."""
    file = "redemption.yaml"
    yield Entry(
        "spend_order",
        file,
        list_of(word("expiring_first", "restricted_first", "oldest_first", "legal_order")),
        ("list",),
        "Which entitlement pays first.",
    )
    yield Entry(
        "rounding_public_share", file, word("half_up", "floor"), ("choice",), "Rounding of a percent of a price."
    )
    yield Entry(
        "co_payment_type",
        file,
        word("none", "flat", "percent", "tiered", "excess_only"),
        ("choice",),
        "Kind of own part.",
    )
    yield Entry("co_payment_amount", file, AMOUNT, ("{unit}",), "The citizen's flat part.")
    yield Entry("public_percent", file, PERCENT, ("percent",), "Public share of the price.")
    yield Entry(
        "co_payment_tiers",
        file,
        table({"tier": CODE, "public_percent": PERCENT}),
        ("percent",),
        "Public share by tier.",
    )
    yield Entry(
        "co_payment_index",
        file,
        row({"index": TEXT, "month": TEXT, "decree": TEXT}),
        ("table",),
        "Provenance of indexed values, which are tabled and never computed.",
    )
    yield Entry("co_payment_exemptions", file, CODES, ("list",), "Who pays no own part.")
    yield Entry("co_payment_payers", file, CODES, ("list",), "Who may pay it instead; never the provider.")
    yield Entry("co_payment_collection", file, word("platform", "provider"), ("choice",), "Who receives it.")
    yield Entry("co_payment_refundable_when", file, CODES, ("list",), "When it comes back.")
    yield Entry("min_citizen", file, AMOUNT, ("{unit}",), "Own part that opens the right.")
    yield Entry(
        "shortfall_mode", file, word("absorb", "additive"), ("choice",), "Own part inside a shortfall, or on top."
    )
    yield Entry(
        "usage_cap_mode",
        file,
        word("absorb", "additive"),
        ("choice",),
        "Own part inside the excess over a cap, or on top.",
    )
    yield Entry(
        "usage_caps",
        file,
        table(
            {"category": CODE, "max_public": AMOUNT},
            {
                "min_third_party": AMOUNT,
                "third_party_waived_for": CODES,
                "min_hours": QUANTITY,
                "cooldown_months": whole(0),
            },
        ),
        ("{unit}",),
        "Caps by kind of offer, with co-funding asked, duration and waiting time.",
    )
    yield Entry("max_public", file, AMOUNT, ("{unit}",), "Most that one redemption may draw.")
    yield Entry(
        "max_public_per_period",
        file,
        row({"amount": AMOUNT, "period": PERIODS}, {"window_years": whole(1)}),
        ("{unit}",),
        "Most that may be drawn in a period.",
    )
    yield Entry(
        "max_face_value",
        file,
        row({"amount": AMOUNT, "period": PERIODS}),
        ("{unit}",),
        "Highest face value of cheques in a period.",
    )
    yield Entry(
        "max_redemptions", file, row({"count": whole(1), "period": PERIODS}), ("count",), "Redemptions in a period."
    )
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
    yield Entry(
        "provider_response_days_prerequisites", file, whole(0), DAYS, "The same where prerequisites are checked."
    )
    yield Entry("citizen_acceptance_days", file, whole(0), DAYS, "Citizen's time to confirm.")
    yield Entry("reservation_ttl_days", file, whole(1), DAYS, "Every reservation ends by itself.")
    yield Entry("withdrawal_days", file, whole(0), DAYS, "Cooling-off.")
    yield Entry(
        "withdrawal_day_kind", file, word("calendar", "working"), ("choice",), "Kind of the days of cooling-off."
    )
    yield Entry("withdrawal_waived_on_start", file, FLAG, ("yes or no",), "Cooling-off ends with an early start.")


def contribution_entries() -> Iterable[Entry]:
    """Who else pays in."""
    file = "contributions.yaml"
    funds = list_of(word(*FUND_KINDS))
    yield Entry("fund_kinds", file, funds, ("list",), "Who may contribute.")
    yield Entry("consumption_order", file, CODES, ("list",), "Legal order of use.")
    yield Entry("contribution_counts_to_ceiling", file, FLAG, ("yes or no",), "Contributions fill the ceiling.")
    yield Entry(
        "matching", file, row({"ratio": QUANTITY, "up_to": AMOUNT}), ("{unit}/year",), "Match of savings, up to a cap."
    )
    yield Entry(
        "earmark",
        file,
        list_of(word("offers", "categories", "provider", "dates")),
        ("list",),
        "What a contribution may be tied to.",
    )
    yield Entry("collective_agreement_ref", file, FLAG, ("yes or no",), "A bulk contribution names its agreement.")
    yield Entry(
        "corrective_amount", file, row({"amount": AMOUNT, "trigger": TEXT}), ("{unit}",), "Penalty contribution."
    )
    yield Entry(
        "recall_unused",
        file,
        row({"rule": word("never", "on_closure", "after_months")}, {"months": whole(1)}),
        ("months",),
        "Unused money goes back to its funder.",
    )
    yield Entry("silence_rule", file, word("accept", "refuse"), ("choice",), "A co-funder that does not answer.")
    yield Entry("answer_working_days", file, whole(0), ("working days",), "A co-funder's time to answer.")


def ending_and_payout_entries() -> Iterable[Entry]:
    """How a booking ends, and how providers are paid."""
    file = "cancellation.yaml"
    yield Entry(
        "cancellation_table",
        file,
        table(
            {
                "actor": word("citizen", "provider", "administrator"),
                "phase": word("before_start", "after_start"),
                "cause": CODE,
                "provider_percent": PERCENT,
                "recredit_percent": PERCENT,
            },
            {"threshold_working_days": whole(0), "co_payment_refund": FLAG, "penalty": AMOUNT},
        ),
        ("percent",),
        "Every ending: what the provider gets, what goes back to the citizen; the rest to the fund.",
    )
    yield Entry("late_cancel_working_days", file, whole(0), ("working days",), "Late is this close to the start.")
    yield Entry("late_cancel_provider_percent", file, PERCENT, ("percent",), "Provider's part of a late cancellation.")
    yield Entry(
        "attendance_bands",
        file,
        table({"below": UNTIL_PERCENT}, {"provider_percent": PERCENT, "pro_rata": FLAG}),
        ("percent",),
        "Pay by attendance, in rising bands.",
    )
    yield Entry("residual_destination", file, word("recredit", "fund"), ("choice",), "Where the part not paid goes.")
    yield Entry("force_majeure_causes", file, CODES, ("list",), "Humane endings.")
    yield Entry("evidence_required", file, CODES, ("list",), "Evidence that an ending asks for.")
    yield Entry(
        "penalty_ladder",
        file,
        table({"amount": AMOUNT, "suspended_days": whole(0)}),
        ("{unit}",),
        "First, second, third non-completion.",
    )
    yield Entry("exclusion_months", file, whole(0), ("months",), "Exclusion of a citizen at fault.")
    file = "payout.yaml"
    yield Entry("completion_gate_percent", file, PERCENT, ("percent",), "Attendance without which nothing is paid.")
    yield Entry(
        "rounding_completion", file, word("half_up_integer", "none"), ("choice",), "Rounding of a completion rate."
    )
    yield Entry("exam_required", file, FLAG, ("yes or no",), "An exam is part of completion.")
    yield Entry("proof_months", file, whole(0), ("months",), "Time for proof after the end.")
    yield Entry("entry_declaration_days", file, whole(0), DAYS, "Provider declares the start.")
    yield Entry("exit_declaration_days", file, whole(0), DAYS, "Provider declares the end.")
    yield Entry("service_done_silence_days", file, whole(0), DAYS, "A declaration is valid by silence after this.")
    yield Entry("payment_terms_days", file, whole(0), ("calendar days",), "A payout is due.")
    yield Entry("audit_sample_percent", file, PERCENT, ("percent",), "Declarations drawn for audit.")
    yield Entry("advance_percent", file, PERCENT, ("percent",), "Money before the end.")
    yield Entry(
        "advance_from_days", file, whole(0), ("calendar days",), "An advance may be paid this long before start."
    )
    yield Entry(
        "milestones", file, table({"at_percent": PERCENT, "pay_percent": PERCENT}), ("percent",), "Payment in parts."
    )


def accreditation_entries() -> Iterable[Entry]:
    """What providers must show."""
    file = "accreditation.yaml"
    yield Entry("accreditation_label", file, TEXT, ("text",), "Quality label asked of a provider.")
    yield Entry("accreditation_validity", file, whole(1), ("months",), "Life of an accreditation.")
    yield Entry("renewal_notice_days", file, whole(0), ("calendar days",), "Notice before an accreditation ends.")
    yield Entry("review_due_on", file, DAY, ("date",), "Day by which the criteria are reviewed.")
    yield Entry("lapse_blocks_new", file, FLAG, ("yes or no",), "A lapsed provider takes no new bookings.")
    yield Entry(
        "in_flight_policy",
        file,
        word("finish", "transfer", "refund"),
        ("choice",),
        "What a lapse means for those enrolled.",
    )
    yield Entry(
        "max_grants_per_offer",
        file,
        row({"count": whole(1), "period": PERIODS}),
        ("count",),
        "Volume limit of one offer.",
    )
    yield Entry("max_share_of_budget", file, PERCENT, ("percent",), "Most of the budget one provider may take.")
    yield Entry("price_change_limit_percent", file, PERCENT, ("percent",), "Most that a price may rise in a year.")
    yield Entry("no_gift_rule", file, FLAG, ("yes or no",), "Gifts with a booking are forbidden.")


def budget_entries() -> Iterable[Entry]:
    """What money there is, and what happens when it is gone."""
    file = "budget.yaml"
    yield Entry("envelope", file, AMOUNT, ANY_AMOUNT, "Money there is.")
    yield Entry("budget_period", file, PERIODS, ("choice",), "Period of the envelope.")
    yield Entry("rounds", file, table({"opens_on": DAY, "envelope": AMOUNT}), ("{unit}",), "Rounds of applications.")
    yield Entry("funder_split", file, table({"fund": CODE, "percent": PERCENT}), ("percent",), "Shares of the funders.")
    yield Entry("quotas", file, table({"group": CODE, "percent": PERCENT}), ("percent",), "Parts reserved for groups.")
    yield Entry("soft_cap_percent", file, PERCENT, ("percent",), "Alarm at this part of the envelope.")
    yield Entry("hard_cap", file, AMOUNT, ANY_AMOUNT, "Nothing is granted above this.")
    yield Entry("counting_basis", file, word("reserved", "paid"), ("choice",), "What fills the envelope.")
    yield Entry(
        "exhaustion_policy",
        file,
        word("reject", "waitlist", "lottery", "next_round", "partial", "prorate_amount"),
        ("choice",),
        "Money runs out.",
    )
    yield Entry("partial_allowed", file, FLAG, ("yes or no",), "A last grant may be a part.")
    yield Entry(
        "release_policy", file, word("queue", "lottery", "next_round"), ("choice",), "Who gets money that came back."
    )
    yield Entry("offer_deadline_days", file, whole(0), DAYS, "Time to take a place offered from the queue.")
    yield Entry("priority_tiers", file, CODES, ("list",), "Order of groups in the queue.")
    yield Entry("lottery_seed_commitment", file, TEXT, ("text",), "Digest of the seed, published before the draw.")


def operation_entries() -> Iterable[Entry]:
    """Sign-in, publication and closing."""
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
