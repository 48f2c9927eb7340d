"""The three accounts with which a new installation is tried: one for each role, with drawn passwords."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from deepmedix_review.accounts.models import Role, User
from deepmedix_review.accounts.services import change_password, create_account


@dataclass(frozen=True)
class DemoLogin:
    username: str
    password: str


def ensure_demo_logins() -> tuple[DemoLogin, ...]:
    """The accounts `expert`, `admin` and `researcher`, made where they are absent.

    Their passwords are kept in `secrets/demo_logins.json` of the home folder, readable by its owner alone.
    Where that file was lost they are drawn anew.
    """
    path = Path(settings.HOME) / "secrets" / "demo_logins.json"
    if path.exists():
        logins = tuple(DemoLogin(**row) for row in json.loads(path.read_text("utf-8")))
    else:
        logins = tuple(DemoLogin(str(role), secrets.token_urlsafe(12)) for role in Role)
        _keep(logins, path)
        for account in User.objects.filter(username__in=[login.username for login in logins]):
            password = next(login.password for login in logins if login.username == account.username)
            change_password(account, password=password, actor=None)
    present = set(User.objects.values_list("username", flat=True))
    for login in logins:
        if login.username not in present:
            create_account(username=login.username, password=login.password, role=Role(login.username))
    return logins


def _keep(logins: tuple[DemoLogin, ...], path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump([asdict(login) for login in logins], file, indent=1)
