"""The jobs process: import runs, one after another, from where their last checkpoint stands."""

from __future__ import annotations

import threading

from branchline.processes.starting import begin
from chassis.process import stop_signal
from chassis.settings import load_settings
from imports.jobs import job_runner
from imports.settings import PREFIX, Settings


def main() -> None:
    """Work until SIGTERM; a run in progress stops at its next checkpoint and goes on at the next start."""
    begin("jobs")
    stopping = stop_signal()
    runner = job_runner(load_settings(Settings, PREFIX))
    work = threading.Thread(target=runner.run, name="jobs")
    work.start()
    while work.is_alive() and not stopping.wait(0.5):
        pass
    runner.stop()
    work.join()


if __name__ == "__main__":
    main()
