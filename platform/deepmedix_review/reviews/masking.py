"""Takes the names of models out of a text, so that no output tells its reader which model wrote it."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

MASK = "[model]"
# A registered name shorter than this would take words out of a report.
SHORTEST_NAME = 3

# What models call themselves by, one pattern each; a hyphen stands for any separator or none.
FAMILIES = re.findall(
    r"\S+",
    r"""
    alpaca baichuan bio-gpt biomed-gpt bio-med-clip bio-vil bloomz chat-glm chat-gpt chest-x-reasoner
    chex-agent claude(?!\s+bernard) clinical-bert code-llama cogvlm command-r-plus command-r\+ copilot
    deep-medix deep-seek ernie gemini gemma glm grok huatuo-gpt(?:-vision)? hulu-med hunyuan idefics
    instruct-blip intern-lm intern-vl janus-pro kimi kosmos lingshu llama llava maira me-llama med-flamingo
    med-gemini med-gemma med-gpt med-palm med-r1 med-vlm-r1 medical-llama mini-cpm mini-gpt ministral mistral
    mixtral molmo nemotron open-flamingo pali-gemma pixtral qvq qwen qwq rad-dino rad-fm rad-gpt rad-vlm
    shield-gemma smol-lm smol-vlm step-fun vicuna wizard-lm x-ray-gpt
    """,
)
# Words that mean something else too: a model's only with its version.
ONLY_WITH_VERSION = (
    *("bard", "blip", "command-r", "doubao", "falcon", "florence", "gpt", "granite", "hermes", "janus"),
    *("nova", "palm", "phi", "yi"),
)
MAKERS = (
    *("alibaba-cloud", "anthropic", "deepmind", "google-deepmind", "hugging-face", "meta-ai", "mistral-ai"),
    *("moonshot-ai", "open-ai", "stability-ai", "tongyi(?:-lab)?", "x-ai", "zhipu-ai"),
)

# Letters of other scripts that a reader takes for Latin ones, each above what it looks like.
_LOOKS_LIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТХУЬаеѕіјорсхуԁԍԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοινρυχɡ",
    "ABESIJKMHOPCTXYbaesijopcxydgqwABEZHIKMNOPTYXoivpuxg",
)

_SEPARATOR = r"[\s\-_./\u2010-\u2015]{0,3}"
_JOINT = r"[\-_./\u2010-\u2015]"
# Not in the middle of a word; an underscore is a separator.
_BEFORE, _AFTER = r"(?<![^\W_])", r"(?![^\W_])"
_VERSION = r"(?:v|r|o)?\d+(?:[._x]\d+)*(?:[a-z]{1,2}\d?)?"
_MEASURE = r"(?:mm|cm|ml|%|u/l|iu)"
_WORD = (
    r"instruct|chat|vision|vlm|vl|med|rad|mini|nano|micro|small|medium|large|base|pro|ultra|flash|turbo|plus"
    r"|max|preview|opus|sonnet|haiku|omni|audio|code|coder|distill|think(?:ing)?|reason(?:er|ing)?|onevision"
    r"|next|hd|it|pt|sft|dpo|grpo|awq|gptq|gguf|int[48]|fp(?:8|16)|bf16|lora"
)
# After a hyphen any of these words; after a space none that could be the sentence's own.
_SPACED = r"instruct|chat|turbo|flash|pro|opus|sonnet|haiku|vl"
_SUFFIX = (
    rf"(?:{_JOINT}?{_VERSION}{_AFTER}|\s{_VERSION}(?![^\W_]|\s?{_MEASURE})"
    rf"|{_JOINT}(?:{_WORD}){_AFTER}|\s(?:{_SPACED}){_AFTER})*"
)


# Three letters and more that each stand alone, as in "G P T - 4": one blank between two, or a joint with
# blanks beside it. A number of several digits ends such a run.
_APART = rf"[^\S\n\r]?{_JOINT}[^\S\n\r]?|[^\S\n\r]"
_SPELLED = re.compile(rf"{_BEFORE}[^\W_](?:(?:{_APART})[^\W_]){{2,}}{_AFTER}")


def mask_model_names(text: str, names: Iterable[str] = ()) -> str:
    """The text with each known model's or maker's name, version and all, replaced by "[model]".

    `names` are those of the registry. Hyphens, spaces, underscores and case don't matter, nor whether its
    letters are written apart.

    >>> mask_model_names("As Qwen2.5-VL-7B-Instruct, I see a nodule.")
    'As [model], I see a nodule.'
    """
    registered = {name.strip() for name in names}
    pattern = _pattern(frozenset(name for name in registered if len(name) >= SHORTEST_NAME))
    shown, places = (text, range(len(text))) if text.isascii() else _as_seen(text)
    spans = [found.span() for found in pattern.finditer(shown)]
    spans += [span for run in _SPELLED.finditer(shown) if (span := _spelled_name(run, pattern)) is not None]
    pieces, end = [], 0
    for start, stop in sorted(spans):
        if places[start] >= end:
            pieces += [text[end : places[start]], MASK]
        end = max(end, places[stop - 1] + 1)
    return "".join([*pieces, text[end:]])


def _spelled_name(run: re.Match[str], pattern: re.Pattern[str]) -> tuple[int, int] | None:
    """Where a name stands among letters that are written apart: first, or after an "a" or "I"."""
    signs = [place for place in range(*run.span()) if run.string[place].isalnum()]
    joined = "".join(run.string[place] for place in signs)
    for first in (0, 1) if joined[0] in "aAI" else (0,):
        found = pattern.match(joined[first:])
        if found is not None and found.end() > 1:
            return signs[first], signs[first + found.end() - 1] + 1
    return None


def _as_seen(text: str) -> tuple[str, list[int]]:
    """The text as it looks: without signs that are not seen, letters as those that they look like; and where
    each of its letters stands in the text."""
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        plain = sign
        if not sign.isascii():
            if unicodedata.category(sign) == "Cf":
                continue
            plain = unicodedata.normalize("NFKC", sign).translate(_LOOKS_LIKE)
        signs.append(plain if len(plain) == 1 else sign)
        places.append(place)
    return "".join(signs), places


@lru_cache(maxsize=16)
def _pattern(names: frozenset[str]) -> re.Pattern[str]:
    known = [*(re.escape(name) for name in names), *FAMILIES]
    with_version = rf"[\s\-_\u2010-\u2015]?{_VERSION}(?![^\W_]|\s?{_MEASURE}){_SUFFIX}"
    return re.compile(
        rf"{_BEFORE}(?:(?:{_any_of(known)}){_SUFFIX}{_AFTER}|(?:{_any_of(ONLY_WITH_VERSION)}){with_version}"
        rf"|(?:{_any_of(MAKERS)}){_AFTER})",
        re.IGNORECASE,
    )


def _any_of(patterns: Iterable[str]) -> str:
    """The longest first, each with any separator or none where it has one."""
    loose = (re.sub(r"(?:\\?[\s\-_])+", lambda _: _SEPARATOR, one) for one in patterns)
    return "|".join(sorted(loose, key=lambda one: (-len(one), one)))
