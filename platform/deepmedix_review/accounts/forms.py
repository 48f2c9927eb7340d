"""What an admin says of a new account, and of one that is there."""

from django import forms

from deepmedix_review.accounts.models import Role

PASSWORD_HELP = "At least 12 characters. Give it to the person by a way you trust."


class NewAccountForm(forms.Form):
    username = forms.CharField(
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


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class PasswordForm(forms.Form):
    password = forms.CharField(
        label="New password",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=PASSWORD_HELP,
    )
