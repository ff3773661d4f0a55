"""Paying for training with entitlements: one redemption and its moves, from request to settlement or return."""
