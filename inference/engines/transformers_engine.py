"""Runs models in this process: any folder of the families in `inference.engines.families`."""

import logging
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from queue import SimpleQueue

import torch
from PIL import Image
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from inference.devices import free_memory, is_memory_full, place
from inference.engines.families import Family, load_family
from inference.engines.image_features import RememberedFeatures
from inference.engines.requests import (
    Done,
    EngineError,
    EngineSettings,
    Event,
    Failed,
    GenerationRequest,
    IsWanted,
    SoFar,
    Stopped,
    Token,
    every_one,
)
from inference.engines.sampling import RowProgress, RowWatch, SeededSampling, Suppressed
from inference.engines.text_so_far import TextClock

logger = logging.getLogger(__name__)

# Below this a second thread costs more than it brings: 330 against 14 tokens/s on two busy cores (1.8 million
# weights, batches of 8). The setting holds for the generating thread alone.
SMALL_NUM_WEIGHTS = 50_000_000
# Whoever waits for tokens is woken so often at most: each waking takes Python's lock from the model's thread.
SECONDS_BETWEEN_TELLS = 0.02


# Of pictures' sizes and questions whose number of tokens is known.
MOST_KNOWN = 1000


@dataclass(frozen=True)
class _Row:
    """A request made ready for the model; `num_prompt_tokens` counts the image's too. `image` is None where
    the question comes alone."""

    request: GenerationRequest
    image: Image.Image | None
    prompt: str
    num_prompt_tokens: int

    @property
    def size(self) -> tuple[int, int]:
        return (0, 0) if self.image is None else self.image.size


class TransformersEngine:
    """Padded `generate()` in micro-batches of requests of like size."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        placement = place(settings.device, settings.dtype)
        try:
            self._family = load_family(settings, placement=placement)
        except EngineError:
            raise
        except Exception as error:  # the readers of weights raise errors of their own kinds
            raise EngineError(f"The model in {settings.folder} could not be read: {error}") from error
        self._model = self._family.model
        # What reads texts alone has no eye, and code of a folder's own may name its eye otherwise.
        self.features = (
            RememberedFeatures(self._model.model, most_bytes=settings.feature_bytes)
            if self._family.sees_films and hasattr(self._model.model, "get_image_features")
            else None
        )
        # For the whole process: cuDNN plans attention anew for each length, 11 ms a layer and token (H200).
        torch.backends.cuda.enable_cudnn_sdp(False)
        self._device = torch.device(placement.device)
        tokenizer = self._family.tokenizer
        # Some families add line breaks and tags to their vocabulary: these are words, no signs.
        self._reserved_words = {
            token.content for token in tokenizer.added_tokens_decoder.values() if token.special
        }
        self._end_tokens = _end_tokens(self._model.generation_config.eos_token_id, tokenizer.eos_token_id)
        self._pad_token = (
            tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(self._end_tokens)
        )
        num_weights = sum(weight.numel() for weight in self._model.parameters())
        self._is_small_on_cpu = placement.device == "cpu" and num_weights < SMALL_NUM_WEIGHTS
        self._max_positions = int(self._model.config.get_text_config().max_position_embeddings)
        # Tokens of film and question, by the picture's size and the question: pictures of one size take as
        # many, so each is read once alone, and not again for its number.
        self._known: dict[tuple[tuple[int, int] | None, str], int] = {}

    @property
    def family(self) -> Family:
        """The model in memory, with its picture of a film and the words round it."""
        return self._family

    @property
    def end_tokens(self) -> frozenset[int]:
        return self._end_tokens

    @property
    def micro_batch(self) -> int:
        return self._settings.micro_batch

    def generate(
        self, requests: Iterable[GenerationRequest], *, is_wanted: IsWanted = every_one
    ) -> Generator[Event]:
        """See `requests.ServingEngine.generate`."""
        rows = []
        for request in requests:
            try:
                rows.append(self._prepare(request))
            except (ValueError, EngineError) as error:
                yield Failed(request.key, str(error))
        # Like sizes together: least padding, and one image grid per batch.
        rows.sort(key=lambda row: (row.size, row.num_prompt_tokens, row.request.max_new_tokens))
        most = self._settings.micro_batch
        # Questions that come alone are read apart from those about films.
        for alike in ([row for row in rows if (row.image is None) == is_alone] for is_alone in (True, False)):
            for start in range(0, len(alike), most):
                yield from self._generate_batch(alike[start : start + most], is_wanted)

    def _prepare(self, request: GenerationRequest) -> _Row:
        for word in self._reserved_words:
            if word in request.prompt:
                raise EngineError(f"The question holds {word}, a sign reserved for the model. Leave it out.")
        if request.film is not None and not self._family.sees_films:
            raise EngineError("This model reads text alone and sees no films.")
        image = None if request.film is None else self._family.picture(request.film)
        prompt = self._family.chat(request.prompt, has_film=image is not None)
        alike = (None if image is None else image.size, prompt)
        if alike not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[alike] = len(self._family.read(_pictures([image]), [prompt])["input_ids"][0])
        num_prompt_tokens = self._known[alike]
        if num_prompt_tokens >= self._max_positions:
            what = "The question takes" if image is None else "The film and the question take"
            raise EngineError(
                f"{what} more than the {self._max_positions} tokens that the model reads. Ask a shorter "
                "question."
            )
        return _Row(request=request, image=image, prompt=prompt, num_prompt_tokens=num_prompt_tokens)

    def _generate_batch(self, rows: Sequence[_Row], is_wanted: IsWanted) -> Generator[Event]:
        """Those that are answered before the memory is full are not asked again."""
        yield from (Stopped(row.request.key) for row in rows if not is_wanted(row.request.key))
        rows = [row for row in rows if is_wanted(row.request.key)]
        answered: set[str] = set()
        is_full = False
        try:
            if rows:
                with closing(self._run(rows, is_wanted)) as events:
                    for event in events:
                        if not isinstance(event, Token):
                            answered.add(event.key)
                        yield event
        except (RuntimeError, MemoryError) as error:
            if not is_memory_full(error):
                raise
            is_full = True
            if len(rows) == 1:
                raise EngineError(
                    "The model's memory is too small for this film and question. "
                    "Lower the version's max_pixels, or run the worker on a larger accelerator."
                ) from error
        if is_full:
            # Past the handler: the error's frames hold the tensors of the whole batch.
            logger.warning("The memory is full with %d at once; they are asked in halves.", len(rows))
            if self.features is not None:
                self.features.forget()
            free_memory()
            left = [row for row in rows if row.request.key not in answered]
            half = (len(left) + 1) // 2
            yield from self._generate_batch(left[:half], is_wanted)
            yield from self._generate_batch(left[half:], is_wanted)

    def _run(self, rows: Sequence[_Row], is_wanted: IsWanted) -> Generator[Event]:
        """Generate in a thread, so that tokens are told while the model works."""
        requests = [row.request for row in rows]
        told: SimpleQueue[Sequence[Event] | BaseException | None] = SimpleQueue()
        stop = threading.Event()
        written: list[Event] = []
        last_told = time.monotonic()

        def flush(*last: Event) -> None:
            nonlocal written, last_told
            told.put([*written, *last])
            written, last_told = [], time.monotonic()

        clocks = [TextClock(request) for request in requests]
        num_remembered = self._num_remembered()

        def work() -> None:
            if self._is_small_on_cpu:
                torch.set_num_threads(1)
            try:
                pictures, prompts = _pictures([row.image for row in rows]), [row.prompt for row in rows]
                inputs = self._family.read(pictures, prompts).to(self._device)
                num_given = inputs["input_ids"].shape[1]

                def tell(place: int, of_all: torch.Tensor) -> None:
                    num_tokens, so_far = watch.rows[place].num_tokens, None
                    if clocks[place].is_due(num_tokens):
                        # The last sign may be cut in the middle.
                        text = self._decode(of_all[place, -num_tokens:]).rstrip("\N{REPLACEMENT CHARACTER}")
                        so_far = SoFar(text, rows[place].size)
                    written.append(Token(requests[place].key, num_tokens, so_far))
                    if time.monotonic() - last_told >= SECONDS_BETWEEN_TELLS:
                        flush()

                def end(place: int, tokens: torch.Tensor) -> None:
                    progress = watch.rows[place]
                    result = self._result(rows[place], progress, tokens[num_given:][: progress.num_tokens])
                    if isinstance(result, Done) and self._num_remembered() > num_remembered:
                        result = replace(result, is_film_remembered=True)
                    flush(result)

                watch = RowWatch(
                    requests=requests,
                    end_tokens=self._end_tokens,
                    is_wanted=lambda key: not stop.is_set() and is_wanted(key),
                    tell=tell,
                    ended=end,
                )
                with torch.inference_mode():
                    output = self._model.generate(
                        **inputs,
                        generation_config=self._generation_config(rows),
                        logits_processor=self._choosing(requests),
                        stopping_criteria=StoppingCriteriaList([watch]),
                    )
                for place, progress in enumerate(watch.rows):
                    if not progress.ended:
                        end(place, output[place])
                flush()
            except BaseException as error:  # handed to the thread that waits for it
                told.put(error)
            told.put(None)

        thread = threading.Thread(target=work, name="generate", daemon=True)
        thread.start()
        try:
            while (events := told.get()) is not None:
                if isinstance(events, BaseException):
                    try:
                        raise events
                    finally:
                        # It would keep itself, and what its frames hold, through this one.
                        del events
                yield from events
        finally:
            stop.set()
            thread.join()

    def _num_remembered(self) -> int:
        return 0 if self.features is None else self.features.num_remembered

    def _decode(self, tokens: torch.Tensor) -> str:
        return str(self._family.tokenizer.decode(tokens, skip_special_tokens=True))

    def _generation_config(self, rows: Sequence[_Row]) -> GenerationConfig:
        longest_prompt = max(row.num_prompt_tokens for row in rows)
        wanted = max(row.request.max_new_tokens for row in rows)
        return GenerationConfig(
            max_new_tokens=min(wanted, self._max_positions - longest_prompt),
            do_sample=False,
            use_cache=True,
            eos_token_id=sorted(self._end_tokens),
            pad_token_id=self._pad_token,
        )

    def _choosing(self, requests: Sequence[GenerationRequest]) -> LogitsProcessorList:
        """What stands between the model's scores and each next token."""
        never = self._family.suppressed_tokens
        return LogitsProcessorList(
            [
                *([Suppressed(never, device=self._device)] if never else []),
                SeededSampling(requests, device=self._device),
            ]
        )

    def _result(self, row: _Row, progress: RowProgress, tokens: torch.Tensor) -> Done | Failed | Stopped:
        request = row.request
        if progress.ended == "stopped":
            return Stopped(request.key)
        if progress.ended == "deadline":
            return Failed(
                request.key,
                f"It was stopped after {request.deadline_seconds:g} s, before its end. "
                "Retry it when the worker is less busy, or raise INFERENCE_SECONDS.",
            )
        return Done(
            key=request.key,
            text=self._decode(tokens),
            prompt=row.prompt,
            num_tokens=len(tokens),
            seconds=progress.seconds,
            model_size=row.size,
            ended="stop" if progress.ended == "stop" else "length",
            num_prompt_tokens=row.num_prompt_tokens,
        )


def _pictures(images: Sequence[Image.Image | None]) -> list[Image.Image]:
    return [image for image in images if image is not None]


def _end_tokens(*candidates: int | Sequence[int] | None) -> frozenset[int]:
    tokens: set[int] = set()
    for candidate in candidates:
        if isinstance(candidate, int):
            tokens.add(candidate)
        elif candidate is not None:
            tokens.update(candidate)
    return frozenset(tokens)
