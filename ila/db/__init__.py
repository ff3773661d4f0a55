"""How the platform talks to PostgreSQL; no word of the field.

`session` opens units of work, `errors` reads faults by SQLSTATE, `locks` holds the few advisory locks, `idempotency`
remembers answers, `job_claims` decides who runs a due job, `embedded` supervises a local server.
"""
