"""Fixtures and probes for tests on real parts."""
