"""Ask what funds have received and can give."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ila.ledger.models import AppropriationRow, FundBalanceRow


def fund_available(session: Session, fund_id: int) -> int:
    """Return what a limited fund can still give; 0 before its first appropriation, and for funds without a limit."""
    return session.scalar(select(FundBalanceRow.available_minor).where(FundBalanceRow.fund_id == fund_id)) or 0


def appropriation_of(session: Session, fund_id: int, reference: str) -> int | None:
    """Return the number of the appropriation that a fund got under a reference, if it did."""
    return session.scalar(
        select(AppropriationRow.appropriation_id).where(
            AppropriationRow.fund_id == fund_id, AppropriationRow.reference == reference
        )
    )
