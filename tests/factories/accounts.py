"""People for tests: `UserFactory`, and one factory per role."""

from typing import Any

import factory

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
        user = model_class(**kwargs)
        user.set_password(PASSWORD)
        user.save()
        return user


class ExpertFactory(UserFactory):
    role = Role.EXPERT


class AdminFactory(UserFactory):
    role = Role.ADMIN


class ResearcherFactory(UserFactory):
    role = Role.RESEARCHER
