"""Webhooks: what happens is told to addresses outside, in order, signed, and no more of it than an owner may see."""
