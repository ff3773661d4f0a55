"""Messages, webhooks and files that leave only after the transaction that caused them has committed."""
