"""Checks and generators of this repository, each run as `python -m tools.<name>`."""
