"""Providers, their accreditations, and the offers and intakes on which entitlements may be spent."""
