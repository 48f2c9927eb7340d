"""What is said to a server of the OpenAI chat protocol, and what of its stream is understood.

Chat completions with `stream` (https://platform.openai.com/docs/api-reference/chat), as vLLM and SGLang speak
them too; `structured_outputs` is vLLM's own (https://docs.vllm.ai, OpenAI-compatible server).
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image

from inference.engines.requests import GenerationRequest
from inference.texts import well_formed

# Of one line of the stream; a token takes some hundred bytes.
LONGEST_LINE = 1_000_000
# No token is longer, so a longer text is none of the model's.
CHARACTERS_PER_TOKEN = 64


class NotTheProtocol(Exception):
    """What answers does not speak it, or speaks it wrong; asking again helps nobody."""


class TooLong(Exception):
    """It wrote on past what any model writes in so many tokens."""


class BrokenOff(Exception):
    """The stream ended in the middle; another try may get all of it."""


class ToldByServer(Exception):
    """The server said in the stream that it can't go on."""


def body_of(
    request: GenerationRequest, picture: Image.Image | None, *, model: str, regex: str = ""
) -> dict[str, Any]:
    """The film first, the question after it: a further question on the same film shares its prefix. A
    question alone is plain text, which servers of models without eyes take too."""
    content: str | list[dict[str, Any]] = request.prompt
    if picture is not None:
        content = [
            {"type": "image_url", "image_url": {"url": _data_url(picture)}},
            {"type": "text", "text": request.prompt},
        ]
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "temperature": request.temperature,
        "seed": request.seed % 2**63,
        "max_tokens": request.max_new_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if regex:
        body["structured_outputs"] = {"regex": regex}
    return body


def _data_url(picture: Image.Image) -> str:
    """As PNG, so that the server sees the very pixels that were prepared."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def data_of(read: Callable[[], bytes]) -> Iterator[str]:
    """The `data` of each server-sent event (WHATWG HTML, 9.2), until `read` gives nothing more.

    Raises NotTheProtocol for a line without end and for bytes that are no text.
    """
    waiting = b""
    data: list[str] = []
    while piece := read():
        *lines, waiting = (waiting + piece).replace(b"\r\n", b"\n").split(b"\n")
        if len(waiting) > LONGEST_LINE:
            raise NotTheProtocol
        for line in lines:
            if not line and data:
                yield "\n".join(data)
                data = []
            elif line.startswith(b"data:"):
                try:
                    data.append(line.removeprefix(b"data:").removeprefix(b" ").decode("utf-8"))
                except UnicodeDecodeError:
                    raise NotTheProtocol from None


@dataclass
class Answer:
    """What has come of one stream. `num_tokens` counts pieces until the server tells its own figure."""

    most_characters: int
    num_tokens: int = 0
    num_prompt_tokens: int = 0
    ended: Literal["", "stop", "length", "filtered"] = ""
    is_whole: bool = False
    _reasoning: list[str] = field(default_factory=list)
    _content: list[str] = field(default_factory=list)
    _num_characters: int = 0

    @property
    def text(self) -> str:
        """A server that takes the reasoning out of the text is undone: it stands in its tags again."""
        reasoning, content = "".join(self._reasoning), "".join(self._content)
        return well_formed(f"<think>{reasoning}</think>{content}" if reasoning else content)

    @property
    def text_so_far(self) -> str:
        """As `text`, while more may come: reasoning without an answer has no end yet."""
        return self.text if self._content else self.text.removesuffix("</think>")

    def take(self, data: str) -> bool:
        """Whether this event brought more text. Raises NotTheProtocol, ToldByServer, TooLong."""
        if data.strip() == "[DONE]":
            self.is_whole = True
            return False
        try:
            told = json.loads(data)
        except (ValueError, RecursionError):
            raise NotTheProtocol from None
        if not isinstance(told, dict):
            raise NotTheProtocol
        if told.get("error"):
            raise ToldByServer
        self._count(told.get("usage"))
        match told.get("choices"):
            case [{**choice}, *_]:
                return self._take_choice(choice)
            case []:
                return False
        raise NotTheProtocol

    def _take_choice(self, choice: dict[Any, Any]) -> bool:
        match choice.get("finish_reason"):
            case None:
                pass
            case "length":
                self.ended = "length"
            case "content_filter":
                self.ended = "filtered"
            case _:
                self.ended = "stop"
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return False
        before = self._num_characters
        # Servers that renamed the first to the second send both for a while, with the same words.
        reasoning = delta.get("reasoning") or delta.get("reasoning_content")
        for pieces, piece in ((self._reasoning, reasoning), (self._content, delta.get("content"))):
            if isinstance(piece, str) and piece:
                pieces.append(piece)
                self._num_characters += len(piece)
        if self._num_characters > self.most_characters:
            raise TooLong
        if self._num_characters == before:
            return False
        self.num_tokens += 1
        return True

    def _count(self, usage: Any) -> None:
        match usage:
            case {"completion_tokens": int(written), "prompt_tokens": int(read)} if min(written, read) >= 0:
                self.num_tokens, self.num_prompt_tokens = written, read
