"""Which published messages the broker surely has: every delivery tag is accounted for by its own confirm.

py-amqp's own waiting takes any ack for the last message, so a late one would confirm the wrong event. Here an unknown
tag, a nack or a time-out is doubt, and after doubt the channel is not used any more.
"""

from __future__ import annotations


class Doubt(Exception):
    """The broker answered in a way that leaves open what it has; the text says how."""


class ConfirmTracker:
    """Delivery tags of one channel in confirm mode, from the first publish on."""

    def __init__(self) -> None:
        self._next = 1
        self._open: dict[int, int] = {}  # tag -> place in the batch
        self._confirmed: set[int] = set()
        self._refused = False

    def sent(self, place: int) -> None:
        """Note that the message at `place` of the batch was handed to the channel."""
        self._open[self._next] = place
        self._next += 1

    def on_ack(self, tag: int, multiple: bool) -> None:
        """Take the broker's ack. Errors: Doubt for a tag that is not open."""
        self._confirmed.update(self._close(tag, multiple))

    def on_nack(self, tag: int, multiple: bool) -> None:
        """Take the broker's refusal; `check` tells of it. Errors: Doubt for a tag that is not open."""
        self._close(tag, multiple)
        self._refused = True

    @property
    def waiting(self) -> int:
        """How many messages have no answer yet."""
        return len(self._open)

    def check(self) -> None:
        """Errors: Doubt when the broker refused a message."""
        if self._refused:
            raise Doubt("the broker refused a message")

    def confirmed_before(self, places: int) -> int:
        """How many of the first `places` messages are confirmed without a gap."""
        return next((place for place in range(places) if place not in self._confirmed), places)

    def start_batch(self) -> None:
        """Forget the confirmed places of the batch before; nothing may be open. Errors: Doubt."""
        if self._open:
            raise Doubt("messages of the batch before are still open")
        self._confirmed.clear()

    def _close(self, tag: int, multiple: bool) -> list[int]:
        tags = [one for one in self._open if one <= tag] if multiple else [tag]
        if not tags or tag >= self._next or any(one not in self._open for one in tags):
            raise Doubt(f"confirm for delivery tag {tag}, which is not open")
        return [self._open.pop(one) for one in tags]
