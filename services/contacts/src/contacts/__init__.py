"""Persons, organizations and what was said with them: the one customer base."""
