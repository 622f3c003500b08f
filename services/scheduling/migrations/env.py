"""Runs the scheduling migrations on the connection its start-up opened."""

from chassis.migrate import run_environment

run_environment()
