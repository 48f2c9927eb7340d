"""What can go wrong by a rule of the house, said in a sentence for a person.

RefusedByRule
 ├── NotYours
 ├── OutOfUse
 └── IsOver
"""


class RefusedByRule(Exception):
    """A rule forbids this now; the message names the way out. The web layer answers 409."""


class OutOfUse(RefusedByRule):
    """Its subject was taken out of use: nothing of it may stay on a screen. The web layer answers 409."""


class IsOver(RefusedByRule):
    """It is forbidden for good: what waits to be sent can never be kept."""


class NotYours(RefusedByRule):
    """The user's role or assignments don't allow this. The web layer answers 403."""
