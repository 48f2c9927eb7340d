"""`{% person reader %}`: the one way a page names a person."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from deepmedix_review.accounts.models import User
from deepmedix_review.accounts.selectors import called, name_for

register = template.Library()


@register.simple_tag(takes_context=True)
def person_in_list(context: dict[str, Any], account: User) -> str:
    """The same without markup: a choice of a list has none."""
    return called(account, viewer=context["request"].user)


@register.simple_tag(takes_context=True)
def person(context: dict[str, Any], account: User) -> SafeString:
    """The pseudonym, and beside it the account's name for who manages accounts."""
    name = name_for(context["request"].user, account)
    if not name:
        return format_html("{}", account.pseudonym)
    return format_html('{} <span class="quiet">{}</span>', account.pseudonym, name)
