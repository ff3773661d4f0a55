"""Ask what funds have received and given."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from ila.ledger.models import FundBalanceRow


def fund_available(session: Session, fund_id: int) -> int:
    """Return what a limited fund can still give; 0 before its first appropriation, and for funds without a limit."""
    return session.scalar(select(FundBalanceRow.available_minor).where(FundBalanceRow.fund_id == fund_id)) or 0
