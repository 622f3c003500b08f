"""Backups of every service's database: saved while the platform runs, and put back."""
