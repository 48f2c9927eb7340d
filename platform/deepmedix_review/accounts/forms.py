"""What an admin says of a new account, and of one that is there."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from deepmedix_review.accounts.models import CONTACT_LENGTH, Role
from deepmedix_review.accounts.permissions import Capability
from deepmedix_review.common.forms import FormInPlace, PlainForm, offer

PASSWORD_HELP = "At least 12 characters. Give it to the person by a way you trust."


class LogInForm(AuthenticationForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"


class NewAccountForm(FormInPlace):
    username = forms.CharField(
        label="User name",
        max_length=150,
        help_text="For logging in. Only admins see it; to everybody else the person is a pseudonym.",
    )
    role = forms.ChoiceField(choices=Role.choices)
    pseudonym = forms.CharField(
        max_length=20,
        required=False,
        help_text="As screens and data sets name the person; drawn where you leave it empty.",
    )
    password = forms.CharField(
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HELP,
    )


class RoleForm(PlainForm):
    role = forms.ChoiceField(choices=Role.choices)


class ContactForm(FormInPlace):
    contact = forms.CharField(
        label="How to reach",
        max_length=CONTACT_LENGTH,
        required=False,
        help_text="A room, a telephone number, hours. Every reader of a reader study that you made or "
        "paused sees it beside your pseudonym. Empty: none.",
    )


class PasswordForm(FormInPlace):
    password = forms.CharField(
        label="New password",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HELP,
    )


class TokenForm(FormInPlace):
    name = forms.CharField(max_length=60, label="Name", help_text="What it is for: “nightly export”, say.")
    days = forms.TypedChoiceField(
        label="Holds for",
        coerce=int,
        choices=[(7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "a year")],
        initial=90,
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose what it is for."},
    )

    def __init__(self, *args: Any, offered: Sequence[Capability], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "scopes", [(one.name, str(one)) for one in offered])
