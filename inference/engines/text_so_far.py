"""When the text that a model has written so far is told, of requests that want to hear it."""

import time
from dataclasses import dataclass

from inference.engines.requests import MOST_TOLD_TOKENS, GenerationRequest

# Of one request; a person reads no faster, and each time costs the decoding of all that is there: 0.04 ms for
# 300 tokens, 0.5 ms for 4096.
SECONDS_BETWEEN_TEXTS = 0.5


@dataclass
class TextClock:
    """Of one request. With its first token the text is always due, so that one that begins anew says so."""

    request: GenerationRequest
    told_at: float = float("-inf")

    def is_due(self, num_tokens: int) -> bool:
        """Whoever is told so tells it now."""
        if not self.request.tells_text or num_tokens > MOST_TOLD_TOKENS:
            return False
        now = time.monotonic()
        if num_tokens > 1 and now - self.told_at < SECONDS_BETWEEN_TEXTS:
            return False
        self.told_at = now
        return True
