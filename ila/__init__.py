"""Individual Learning Accounts: double-entry ledgers of training entitlements for a whole country.

The packages, from the edges down; each imports only what stands below it:

    cli            the command `ila`
    app            the web application
    api            JSON for machines, `/api/v1`
    portal         pages for people
    scheduling     what the clock starts: scheduler and worker
    web            what api and portal share: who asks, how a refusal is told
    credentials    micro-credentials after completed training
    payouts        money sent to providers
    redemptions    paying for training
    allocations    crediting: the yearly run, contributions, expiry
    registry       providers and quality-assured offers
    citizens       who holds an account, and need; the only personal data
    schemes        policy: dated parameters and what they decide
    seals          tamper evidence over the journal
    ledger         double entry: accounts, transfers, entitlements
    outbox, audit  messages after the commit; who did what
    access         who may do what
    db             how the platform talks to PostgreSQL
    settings, logs
    money, clock, errors, ids, failpoints

A feature is used through its package, as in `ledger.post(session, ...)`. In each, `rules` decides and is pure,
`models` stores, `queries` asks, `commands` acts and never commits: transactions begin and end in the edges alone.
"""

VERSION = "0.1.0"
