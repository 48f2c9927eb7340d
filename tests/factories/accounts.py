"""People for tests: `UserFactory`, and one factory per role."""

from functools import lru_cache
from typing import Any

import factory
from django.contrib.auth.hashers import make_password

from deepmedix_review.accounts.models import Role, User

PASSWORD = "a long enough test password"


class UserFactory(factory.django.DjangoModelFactory[User]):
    """An expert who can log in with PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    pseudonym = factory.Sequence(lambda n: f"U-{n:06d}")
    role: Any = Role.EXPERT

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create(password=_hashed_password(), **kwargs)


@lru_cache(maxsize=1)
def _hashed_password() -> str:
    """Hashed once: Django makes it slow on purpose."""
    return make_password(PASSWORD)


class ExpertFactory(UserFactory):
    role = Role.EXPERT


class AdminFactory(UserFactory):
    role = Role.ADMIN


class ResearcherFactory(UserFactory):
    role = Role.RESEARCHER
