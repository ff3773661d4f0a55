"""Acts on a citizen: each locks the citizen first and never commits."""
