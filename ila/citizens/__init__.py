"""Who holds an account, and the facts their entitlements rest on; the only personal data of the platform.

Selects for others to join: `facts_on`, `needs_on`, `work_on`. One citizen: `account`, `facts_of`, `history_of`.
Acts: `open_account`, `correct_facts`, `attest_need`, `close_account` and their kin; each locks the citizen first.
"""

from ila.citizens.commands.accounts import (
    AccountIsClosed,
    AccountIsOpen,
    AlreadyHasAccount,
    DetailErased,
    citizen_id_of_identity,
    close_account,
    erase_personal_detail,
    freeze,
    open_account,
    personal_detail,
    reopen_account,
    require_same_keys,
    unfreeze,
)
from ila.citizens.commands.facts import (
    NoSuchAttestation,
    WorkOverlaps,
    attest_need,
    correct_facts,
    record_work,
    withdraw_attestation,
)
from ila.citizens.commands.locking import LockedCitizen, lock
from ila.citizens.history import FactChange, FactVersion, History, NeedVersion, WorkVersion, history_of
from ila.citizens.identity import IdentityKeys, WrongKeys
from ila.citizens.queries import (
    KNOWN_NOW,
    Account,
    NoFacts,
    NoSuchCitizen,
    account,
    attested_on,
    citizen_id_of,
    facts_of,
    facts_on,
    id_range,
    needs_by_source_on,
    needs_on,
    reference_of,
    work_on,
)

__all__ = [
    "KNOWN_NOW",
    "Account",
    "AccountIsClosed",
    "AccountIsOpen",
    "AlreadyHasAccount",
    "DetailErased",
    "FactChange",
    "FactVersion",
    "History",
    "IdentityKeys",
    "LockedCitizen",
    "NeedVersion",
    "NoFacts",
    "NoSuchAttestation",
    "NoSuchCitizen",
    "WorkOverlaps",
    "WorkVersion",
    "WrongKeys",
    "account",
    "attest_need",
    "attested_on",
    "citizen_id_of",
    "citizen_id_of_identity",
    "close_account",
    "correct_facts",
    "erase_personal_detail",
    "facts_of",
    "facts_on",
    "freeze",
    "history_of",
    "id_range",
    "lock",
    "needs_by_source_on",
    "needs_on",
    "open_account",
    "personal_detail",
    "record_work",
    "reference_of",
    "reopen_account",
    "require_same_keys",
    "unfreeze",
    "withdraw_attestation",
    "work_on",
]
