"""What can go wrong by a rule of the house, said in a sentence for a person.

RefusedByRule
 ├── NotYours
 ├── OutOfUse
 ├── IsOver
 ├── Closed
 └── FileAway
"""


class RefusedByRule(Exception):
    """A rule forbids this now; the message names the way out. The web layer answers 409."""


class OutOfUse(RefusedByRule):
    """Its subject was taken out of use: nothing of it may stay on a screen. The web layer answers 409."""


class IsOver(RefusedByRule):
    """It is forbidden for good: what waits to be sent can never be kept."""


class Closed(RefusedByRule):
    """It is closed to this person and may open again: what waits to be sent can be kept then. `may_take`: the
    next case may be taken instead. The web layer answers 409."""

    def __init__(self, sentence: str, *, may_take: bool = False) -> None:
        super().__init__(sentence)
        self.may_take = may_take


class NotYours(RefusedByRule):
    """The user's role or assignments don't allow this. The web layer answers 403."""


class FileAway(RefusedByRule):
    """Its file is not there, or can't be read. The web layer answers 410, which no browser keeps."""
