"""Tells whoever keeps the record that an account was made or changed.

Sent by `accounts.services` inside its transaction with `account`, `action`, `actor` and `details`.
"""

from django.dispatch import Signal

account_changed = Signal()
