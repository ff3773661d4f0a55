"""Tamper evidence: sealed blocks over the journal, with proofs that an entry is in them."""
