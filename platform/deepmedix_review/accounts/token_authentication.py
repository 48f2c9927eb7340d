"""Knows who asks by a token: `Authorization: Bearer dmr_…`."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from deepmedix_review.accounts.models import ApiToken, User

SCHEME = "Bearer"
# The last use of a token is written down this often at most.
USE_EVERY = timedelta(minutes=1)


class TokenRefused(APIException):
    """RFC 6750, section 3. It does not say whether the token ever held."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_detail = "This token does not hold: it is mistyped, expired or revoked. Make another one."
    auth_header = f'{SCHEME} error="invalid_token"'


class TokenAuthentication(BaseAuthentication):
    """Needs no token against forgery: no browser sends it by itself."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken | None] | None:
        scheme, _, words = get_authorization_header(request).partition(b" ")
        if scheme.lower() != SCHEME.lower().encode():
            return None
        account = account_of(words.strip().decode("latin-1"))
        if account is None:
            raise TokenRefused
        return account, account.token

    def authenticate_header(self, request: Request) -> str:
        """RFC 7235, section 4.1; a browser asks nobody for a token by itself."""
        return f'{SCHEME} realm="DeepMedix Review"'


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": SCHEME.lower()}


def account_of(words: str) -> User | None:
    """Whose token this is, with the token, whose use it notes; None where it holds no more, or never did."""
    now = timezone.now()
    token = (
        ApiToken.objects.select_related("account")
        .filter(sha256=hashed(words), revoked_at=None, expires_at__gt=now, account__is_active=True)
        .first()
    )
    if token is None:
        return None
    lately = Q(last_used_at__gte=now - USE_EVERY)
    ApiToken.objects.filter(pk=token.pk).exclude(lately).update(last_used_at=now)
    token.account.token = token
    return token.account


def hashed(words: str) -> str:
    return sha256(words.encode()).hexdigest()
