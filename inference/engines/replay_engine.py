"""Answers with completions that were recorded elsewhere, as if their model were there."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from inference.engines.requests import (
    Done,
    EngineError,
    Event,
    Failed,
    GenerationRequest,
    IsWanted,
    ReplaySettings,
    Stopped,
    every_one,
)
from inference.recorded import RecordedCompletion, read_recorded
from inference.regions import model_size


class ReplayEngine:
    """One recorded completion per film and seed; prompts, temperatures and deadlines mean nothing to it."""

    def __init__(self, settings: ReplaySettings) -> None:
        self._settings = settings
        try:
            recorded = read_recorded(settings.file)
        except ValueError as error:
            raise EngineError(str(error)) from error
        models = sorted({one.model for one in recorded})
        wanted = settings.model or models[0]
        if wanted not in models or (not settings.model and len(models) > 1):
            raise EngineError(
                f"{settings.file.name} holds completions of {', '.join(models)}. Name one of them as the "
                "model."
            )
        self._model = wanted
        self._by_film = {(one.image, one.seed): one for one in recorded if one.model == wanted}

    def generate(
        self, requests: Iterable[GenerationRequest], *, is_wanted: IsWanted = every_one
    ) -> Generator[Event]:
        """See `requests.ServingEngine.generate`; no Token is told: each text is whole at once."""
        for request in requests:
            image = self._settings.image_of(request.key)
            recorded = self._by_film.get((image, request.seed))
            if not is_wanted(request.key):
                yield Stopped(request.key)
            elif recorded is None:
                yield Failed(
                    request.key,
                    f"{self._settings.file.name} holds no completion by {self._model} of {image} with seed "
                    f"{request.seed}.",
                )
            else:
                yield self._done(request, recorded)

    def _done(self, request: GenerationRequest, recorded: RecordedCompletion) -> Done | Failed:
        try:
            rows, columns = request.shown_film.shape
            seen = recorded.model_size or model_size(
                (columns, rows),
                preparation=self._settings.preparation,
                min_pixels=self._settings.min_pixels,
                max_pixels=self._settings.max_pixels,
                factor=self._settings.size_multiple,
            )
        except (ValueError, EngineError) as error:
            return Failed(request.key, str(error))
        return Done(
            key=request.key,
            text=recorded.text,
            prompt="",
            num_tokens=0,
            seconds=0.0,
            model_size=seen,
            ended="stop",
        )
