"""Staged records to the rows that the owning services take, one file a kind."""
