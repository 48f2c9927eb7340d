"""What can go wrong, each with a sentence that says the way out."""


class DeepMedixError(Exception):
    """Of this package."""


class ApiError(DeepMedixError):
    """The platform said no; `status` is HTTP's, `sentence` the platform's own."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class NoToken(ApiError):
    """401: the token is mistyped, expired or revoked."""


class NotAllowed(ApiError):
    """403: the token was not made for this, or its account may not."""


class NotThere(ApiError):
    """404: nothing has this name, or nothing that the account may see."""


class Refused(ApiError):
    """409: a rule of the platform stands against it."""


class JobFailed(DeepMedixError):
    """A job ended without what was asked for; `state` is failed or cancelled."""

    def __init__(self, state: str, sentence: str) -> None:
        super().__init__(sentence or f"It was {state}.")
        self.state = state


class TookTooLong(DeepMedixError):
    """The waiting ended, the job goes on."""


class Damaged(DeepMedixError):
    """What arrived is not what the platform wrote: its sha256 differs."""


OF_STATUS = {401: NoToken, 403: NotAllowed, 404: NotThere, 409: Refused}
