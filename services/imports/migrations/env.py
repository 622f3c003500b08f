"""Runs the steps on the connection that chassis.migrate opened."""

from chassis.migrate import run_environment

run_environment()
