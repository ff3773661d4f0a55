"""The arithmetic of the journal: draws conserve, reversals undo, the chart is closed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ila.ledger.chart import (
    ALLOWED_LINES,
    CHART,
    PAIR,
    AccountKind,
    EntryKind,
    Keeping,
    NormalSide,
    conversion_id,
)
from ila.ledger.rules import (
    Account,
    InsufficientEntitlement,
    InsufficientFund,
    JournalEntry,
    OpenEntitlement,
    Transfer,
    draws,
    require_allowed,
    reversed_entry,
)

DAY = date(2027, 1, 4)
amounts = st.integers(min_value=1, max_value=10**12)
opened = st.lists(st.integers(min_value=0, max_value=10**12), max_size=12).map(
    lambda available: [OpenEntitlement(run, amount, DAY, 1) for run, amount in enumerate(available, start=1)]
)


@given(amounts, opened)
def test_draws_take_exactly_what_is_asked_or_nothing(amount_minor: int, entitlements: list[OpenEntitlement]):
    held = sum(each.available_minor for each in entitlements)

    if held < amount_minor:
        with pytest.raises(InsufficientEntitlement) as refusal:
            draws(amount_minor, entitlements)
        assert refusal.value.facts == {"available_minor": held, "needed_minor": amount_minor}
    else:
        taken = draws(amount_minor, entitlements)
        assert sum(draw.amount_minor for draw in taken) == amount_minor
        assert all(draw.amount_minor > 0 for draw in taken)


@given(amounts, opened)
def test_draws_empty_each_entitlement_before_they_touch_the_next(
    amount_minor: int, entitlements: list[OpenEntitlement]
):
    held = {each.allocation_run_id: each.available_minor for each in entitlements}
    if sum(held.values()) < amount_minor:
        return
    taken = draws(amount_minor, entitlements)

    runs = [draw.allocation_run_id for draw in taken]
    assert runs == sorted(runs)
    assert all(draw.amount_minor == held[draw.allocation_run_id] for draw in taken[:-1])
    assert taken[-1].amount_minor <= held[runs[-1]]
    skipped = {run for run in held if run < runs[-1]} - set(runs)
    assert all(held[run] == 0 for run in skipped)


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_a_draw_of_nothing_is_a_defect(amount_minor: int):
    with pytest.raises(ValueError, match="positive"):
        draws(amount_minor, [])


allowed = st.sampled_from(
    [(kind, pair) for kind, pairs in ALLOWED_LINES.items() if kind is not EntryKind.REVERSAL for pair in sorted(pairs)]
)


@given(allowed, amounts)
def test_a_reversal_is_allowed_and_undoes_each_line(chosen, amount_minor: int):
    kind, (debit, credit) = chosen
    line = Transfer(Account(debit, 1), Account(credit, 2), amount_minor)
    booked = JournalEntry(5, kind, 7, 0, 1, DAY, bytes(32), 1, (line,))
    require_allowed(kind, booked.transfers)

    undone = reversed_entry(booked, 99, effective_on=DAY, actor_id=2)

    require_allowed(undone.kind, undone.transfers)
    assert undone.transfers == (Transfer(line.credit, line.debit, amount_minor),)
    assert (undone.source_id, undone.reverses, undone.citizen_id) == (99, 99, 5)


@pytest.mark.parametrize("kind", list(EntryKind))
def test_an_entry_has_only_the_lines_of_its_kind(kind: EntryKind):
    every = {(debit, credit) for debit in AccountKind for credit in AccountKind}
    for debit, credit in every - ALLOWED_LINES[kind]:
        with pytest.raises(ValueError, match="has no line"):
            require_allowed(kind, [Transfer(Account(debit, 1), Account(credit, 2), 1)])


def test_a_line_needs_a_positive_amount():
    fund, entitlement = Account(AccountKind.FUND, 1), Account(AccountKind.ENTITLEMENT, 1)

    with pytest.raises(ValueError, match="positive"):
        require_allowed(EntryKind.ALLOCATION, [Transfer(fund, entitlement, 0)])


def test_no_line_leads_from_a_kind_to_itself_so_none_has_one_account_twice():
    assert not [(kind, debit) for kind, pairs in ALLOWED_LINES.items() for debit, credit in pairs if debit is credit]


def test_every_kind_of_account_and_entry_is_in_the_chart():
    assert set(CHART) == set(AccountKind)
    assert set(ALLOWED_LINES) == set(EntryKind)
    assert all(ALLOWED_LINES.values())


def test_money_reaches_citizens_from_funds_alone():
    """Nothing makes an entitlement out of the world outside, out of what was paid, or out of nothing."""
    sources = {
        debit for pairs in ALLOWED_LINES.values() for debit, credit in pairs if credit is AccountKind.ENTITLEMENT
    }

    assert AccountKind.OUTSIDE not in sources and AccountKind.PAID not in sources


def test_stored_balances_are_those_that_must_not_fall_below_zero_at_once():
    stored = {kind for kind, line in CHART.items() if line.keeping is Keeping.STORED}

    assert stored == {AccountKind.ENTITLEMENT, AccountKind.RESERVED}
    assert all(CHART[kind].normal_side is NormalSide.CREDIT and not CHART[kind].may_be_negative for kind in stored)


def test_numbers_of_kinds_are_what_was_stored_from_the_beginning():
    assert [kind.value for kind in AccountKind] == list(range(1, 13))
    assert [kind.value for kind in EntryKind] == list(range(1, 19))
    assert (AccountKind.OUTSIDE, AccountKind.MOVING) == (1, 12)
    assert (EntryKind.APPROPRIATION, EntryKind.REVERSAL, EntryKind.RECOVERY) == (1, 10, 18)


@given(st.integers(1, PAIR - 1), st.integers(1, PAIR - 1))
def test_a_conversion_account_tells_both_schemes_and_their_direction(one: int, other: int):
    assert divmod(conversion_id(one, other), PAIR) == (one, other)
    assert one == other or conversion_id(one, other) != conversion_id(other, one)


def test_a_refusal_of_a_fund_names_the_shortfall():
    refusal = InsufficientFund(4, 100, 350)

    assert refusal.facts["shortfall_minor"] == 250 and "250 are missing" in refusal.message
