"""Becomes another program as another user, tied to its starter: `-m chassis.run_as USER PARENT SIGNAL PROGRAM ...`.

A process of its own does it because `subprocess` copies the whole caller to change users, and a copied process in
which grpc's threads were running is killed now and then before it has become the program.
"""

from __future__ import annotations

import os
import pwd
import signal
import sys

from chassis.parent_death import end_with_parent


def main(user: str, parent: str, number: str, *command: str) -> None:
    """Change to `user` ("" stays), be sent `number` when process `parent` ("" none) ends, and become `command`."""
    if user:
        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    if parent:  # after the user, since a change of user unties
        end_with_parent(int(parent), signal.Signals(int(number)))
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
