"""Takes the names of models out of a text, so that no output tells its reader which model wrote it."""

import re
from collections.abc import Iterable
from functools import lru_cache

MASK = "[model]"

# Families that models name themselves by, as they are written; a hyphen stands for any or no separator.
FAMILIES = (
    *("chat-gpt", "med-gpt", "bio-gpt", "mini-gpt", "x-ray-gpt", "huatuo-gpt(?:-vision)?", "rad-gpt"),
    *("deep-medix", "deep-seek", "qwen", "qwq", "qvq", "llama", "alpaca", "vicuna", "mistral", "mixtral"),
    *("pixtral", "ministral", "medical-llama", "me-llama", "code-llama", "llava", "gemini", "gemma", "bard"),
    *(
        "med-gemini",
        "med-gemma",
        "pali-gemma",
        "med-palm",
        "shield-gemma",
        "copilot",
        "grok",
        r"claude(?!\s+bernard)",
        "intern-vl",
    ),
    *("intern-lm", "chex-agent", "che-x-agent", "maira", "rad-fm", "rad-dino", "rad-vlm", "lingshu"),
    *("hulu-med", "chest-x-reasoner", "med-r1", "med-vlm-r1", "med-flamingo", "open-flamingo"),
    *("instruct-blip", "mini-cpm", "idefics", "smol-vlm", "smol-lm", "kosmos", "cogvlm", "chat-glm", "glm"),
    *("kimi", "ernie", "bloomz", "biomed-gpt", "bio-med-clip", "bio-vil", "clinical-bert", "baichuan"),
    *("granite", "nemotron", "hermes", "wizard-lm", "molmo", "florence", "janus", "step-fun", "hunyuan"),
)
# Words that also mean something else: a model only with its version.
ONLY_WITH_VERSION = ("gpt", "phi", "palm", "falcon", "yi", "command-r", "nova", "doubao", "blip")
# Surnames and plain words among the above that are a model's only with a version or beside no other word.
_ORDINARY = ("florence", "hermes", "granite", "janus", "gemini", "bard")
MAKERS = (
    *(
        "open-ai",
        "anthropic",
        "google-deepmind",
        "deepmind",
        "alibaba-cloud",
        "tongyi(?:-lab)?",
        "mistral-ai",
    ),
    *("meta-ai", "moonshot-ai", "zhipu-ai", "stability-ai", "x-ai", "hugging-face"),
)

_SEPARATOR = r"[\s\-_./\u2010-\u2015]?"
_VERSION = r"(?:v|r|o)?\d+(?:[._]\d+)*(?:[a-z]{1,2}\d?)?"
_WORD = (
    r"instruct|chat|vision|vlm|vl|med|rad|mini|nano|micro|small|medium|large|base|pro|ultra|flash|turbo|plus"
    r"|max|preview|opus|sonnet|haiku|omni|audio|code|coder|distill|think(?:ing)?|reason(?:er|ing)?|onevision"
    r"|next|hd|it|pt|sft|dpo|grpo|awq|gptq|gguf|int[48]|fp(?:8|16)|bf16|lora"
)
# After a hyphen any of these words; after a space none that could be the sentence's own.
_SUFFIX = (
    rf"(?:[\-_./\u2010-\u2015]?{_VERSION}(?![\w])|\s{_VERSION}(?![\w]|\s?(?:mm|cm|ml|%|u/l|iu))"
    rf"|[\-_/\u2010-\u2015](?:{_WORD})(?![\w])|\s(?:instruct|chat|turbo|flash|pro|opus|sonnet|haiku|vl)(?![\w]))*"
)


def mask_model_names(text: str, names: Iterable[str] = ()) -> str:
    """The text with each known model's or maker's name, version and all, replaced by "[model]".

    `names` are those of the registry. Hyphens, spaces, underscores and case don't matter.

    >>> mask_model_names("As Qwen2.5-VL-7B-Instruct, I see a nodule.")
    'As [model], I see a nodule.'
    """
    return _pattern(tuple(sorted({name.strip() for name in names if name.strip()}))).sub(MASK, text)


@lru_cache(maxsize=16)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    named = [_loose(re.escape(name)) for name in sorted(names, key=len, reverse=True)]
    families = [_loose(name) for name in sorted(FAMILIES, key=len, reverse=True) if name not in _ORDINARY]
    versioned = [_loose(name) for name in (*ONLY_WITH_VERSION, *_ORDINARY)]
    makers = [_loose(name) for name in MAKERS]
    needed = rf"{_SEPARATOR}{_VERSION}(?![\w]|\s?(?:mm|cm|ml|%|u/l|iu))"
    return re.compile(
        rf"(?<![\w])(?:(?:{'|'.join([*named, *families])})(?:{_SUFFIX})(?![\w])"
        rf"|(?:{'|'.join(versioned)}){needed}{_SUFFIX}"
        rf"|(?:{'|'.join(makers)})(?![\w]))",
        re.IGNORECASE,
    )


def _loose(name: str) -> str:
    """With any or no separator where the name has one."""
    return re.sub(r"(?:\\?[\s\-_]|\\ )+", lambda _: _SEPARATOR, name)
