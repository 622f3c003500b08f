"""Sizes both ends of a call agree on."""

MAX_MESSAGE = 8 * 1024 * 1024  # bytes either way: a bulk call of 1,000 rows stays far below
