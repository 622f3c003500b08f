"""The one customer base: one card per real customer, however many branches, files and spellings know them."""
