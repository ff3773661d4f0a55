"""Micro-credentials: facts of a completed training made into a signed document that anybody can verify."""
