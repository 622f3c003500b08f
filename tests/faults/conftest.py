"""The platform of real processes, as the end-to-end tests have it."""

from tests.e2e.conftest import office, platform

__all__ = ["office", "platform"]
