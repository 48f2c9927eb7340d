"""What an admin fills in about an account, and what anybody fills in to log in."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from deepmedix_review.accounts.models import Role


class LogInForm(AuthenticationForm):
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "User name and password don't match an open account. "
        "Both are case-sensitive; an admin can set a new password.",
    }


class AccountForm(forms.Form):
    """A new account. The service checks the name and the password."""

    username = forms.CharField(label="User name", max_length=150)
    role = forms.ChoiceField(choices=Role.choices)
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters. Hand it over in person.",
    )


class AccountChangeForm(forms.Form):
    """One button beside an account: another role, closed, or open again."""

    role = forms.ChoiceField(choices=Role.choices, required=False)
    active = forms.TypedChoiceField(
        choices=[("yes", "open"), ("no", "closed")],
        coerce=lambda answer: answer == "yes",
        empty_value=None,
        required=False,
    )
