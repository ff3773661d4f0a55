"""The suite: what must be true, proved on a real PostgreSQL."""
