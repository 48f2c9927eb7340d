"""How each known model wants to be served: its picture of a film, its prompt, its way to count regions.

`docs/reference/models.md` shows them as a table, made from here by `inference.presets_said`.
"""

from dataclasses import dataclass

from inference.dialects import Dialect
from inference.prompts import TEMPLATES
from inference.regions import Frame, Preparation

_QWEN2_5_VL = "Qwen2_5_VLForConditionalGeneration"
# Qwen2.5-VL's own lower limit, and the area that DeepMedix-R1 and CheXOne were trained with.
_MIN_PIXELS = 56 * 56
_PIXELS_512 = 512 * 512


@dataclass(frozen=True)
class ServingPreset:
    """`min_pixels` and `max_pixels` bound the area of the image that the model sees, `size_multiple` divides
    its sides. `model_id` is its name at Hugging Face. `transformers_class` is empty where the model brings
    code of its own: such a model is asked through an endpoint, or from a folder whose code an admin has read
    and allowed. `known_by` says
    where prompt, frame and picture are known from, and what is not verified; `limits` is what the licence
    forbids or asks for, in a sentence."""

    key: str
    name: str
    licence: str
    limits: str
    box_frame: Frame
    prompt_template: str
    preparation: Preparation
    min_pixels: int
    max_pixels: int
    temperature: float
    max_new_tokens: int
    model_id: str = ""
    transformers_class: str = _QWEN2_5_VL
    size_multiple: int = 28
    known_by: str = ""

    @property
    def dialect(self) -> Dialect:
        """How the model writes, asked so: that of its prompt template."""
        return TEMPLATES[self.prompt_template].dialect


PRESETS: dict[str, ServingPreset] = {
    # Trained on squares of 112 pixels alone: see docs/decisions/0009 for why films are stretched to it.
    "phantom": ServingPreset(
        key="phantom",
        name="DeepMedix Phantom",
        licence="Apache-2.0",
        limits="None beyond naming its authors.",
        box_frame=Frame.PROCESSED,
        prompt_template="phantom",
        preparation=Preparation.SQUARE,
        min_pixels=112 * 112,
        max_pixels=112 * 112,
        temperature=1.0,
        max_new_tokens=256,
        known_by="ships here",
    ),
    # Area from its published processor settings, temperature from published uses of it.
    "deepmedix-r1": ServingPreset(
        key="deepmedix-r1",
        name="DeepMedix-R1",
        licence="Apache-2.0",
        limits="None beyond naming its authors; for research, not for diagnosis.",
        box_frame=Frame.PROCESSED,
        prompt_template="deepmedix-r1",
        preparation=Preparation.ASPECT,
        min_pixels=_MIN_PIXELS,
        max_pixels=_PIXELS_512,
        temperature=0.6,
        max_new_tokens=4096,
        model_id="Qika/DeepMedix-R1",
        known_by="its prompt template and processor settings; whether its frame is `processed` or `input` is "
        "not published",
    ),
    "qwen2.5-vl": ServingPreset(
        key="qwen2.5-vl",
        name="Qwen2.5-VL",
        licence="Apache-2.0 (7B)",
        limits="None for the 7B; the 3B and 72B have licences of their own.",
        box_frame=Frame.PROCESSED,
        prompt_template="json-boxes",
        preparation=Preparation.ASPECT,
        min_pixels=_MIN_PIXELS,
        max_pixels=_PIXELS_512,
        temperature=0.0,
        max_new_tokens=1024,
        model_id="Qwen/Qwen2.5-VL-7B-Instruct",
        known_by="its model page (frame, keys of the JSON); the wording is ours",
    ),
    "qwen2.5-vl-thinking": ServingPreset(
        key="qwen2.5-vl-thinking",
        name="Qwen2.5-VL (thinking)",
        licence="Apache-2.0 (7B)",
        limits="None for the 7B; the 3B and 72B have licences of their own.",
        box_frame=Frame.PROCESSED,
        prompt_template="qwen-vl-think",
        preparation=Preparation.ASPECT,
        min_pixels=_MIN_PIXELS,
        max_pixels=_PIXELS_512,
        temperature=0.6,
        max_new_tokens=4096,
        model_id="Qwen/Qwen2.5-VL-7B-Instruct",
        known_by="asked as DeepMedix-R1 is; how its authors asked it is not published",
    ),
    "qwen3-vl": ServingPreset(
        key="qwen3-vl",
        name="Qwen3-VL",
        licence="Apache-2.0",
        limits="None beyond naming its authors.",
        box_frame=Frame.NORM1000,
        prompt_template="json-boxes",
        preparation=Preparation.ASPECT,
        min_pixels=64 * 64,
        max_pixels=_PIXELS_512,
        temperature=0.0,
        max_new_tokens=1024,
        model_id="Qwen/Qwen3-VL-8B-Instruct",
        transformers_class="Qwen3VLForConditionalGeneration",
        size_multiple=32,
        known_by="its repository's grounding cookbook (relative coordinates); the wording is ours",
    ),
    "chexone": ServingPreset(
        key="chexone",
        name="CheXOne",
        licence="Apache-2.0 (code)",
        limits="Its code is free; what its weights allow is on its model page.",
        box_frame=Frame.NORM100,
        prompt_template="chexone",
        preparation=Preparation.ASPECT,
        min_pixels=_MIN_PIXELS,
        max_pixels=_PIXELS_512,
        temperature=0.0,
        max_new_tokens=2048,
        model_id="StanfordAIMI/CheXOne",
        known_by="its repository (README, CheXOne.sh, prepare_iou.py); that its boxes are hundredths is "
        "inferred from CheXagent's data, which it was trained with",
    ),
    # One square of the whole film, stretched, as its processor makes it; version 1 writes no boxes.
    "medgemma": ServingPreset(
        key="medgemma",
        name="MedGemma",
        licence="HAI-DEF, gated",
        limits="Google's terms must be accepted first; no clinical use without its own approval.",
        box_frame=Frame.NORM1000,
        prompt_template="prose",
        preparation=Preparation.SQUARE,
        min_pixels=896 * 896,
        max_pixels=896 * 896,
        temperature=0.0,
        max_new_tokens=1024,
        model_id="google/medgemma-4b-it",
        transformers_class="Gemma3ForConditionalGeneration",
        known_by="the class's processor (picture); the question is ours",
    ),
    "medgemma-1.5": ServingPreset(
        key="medgemma-1.5",
        name="MedGemma 1.5",
        licence="HAI-DEF, gated",
        limits="Google's terms must be accepted first; no clinical use without its own approval.",
        box_frame=Frame.NORM1000,
        prompt_template="json-boxes-y-first",
        preparation=Preparation.PAD,
        min_pixels=896 * 896,
        max_pixels=896 * 896,
        temperature=0.0,
        max_new_tokens=1024,
        model_id="google/medgemma-1.5-4b-it",
        transformers_class="Gemma3ForConditionalGeneration",
        known_by="other people's uses of it (frame, y first, padding); not verified in Google's own text",
    ),
    "llava": ServingPreset(
        key="llava",
        name="LLaVA",
        licence="see the model",
        limits="Those of its language model, on its model page.",
        box_frame=Frame.NORM1,
        prompt_template="prose",
        preparation=Preparation.PAD,
        min_pixels=336 * 336,
        max_pixels=336 * 336,
        temperature=0.0,
        max_new_tokens=1024,
        model_id="llava-hf/llava-1.5-7b-hf",
        transformers_class="LlavaForConditionalGeneration",
        known_by="LLaVA-1.5 was trained on padded squares (`image_aspect_ratio: pad`); the question is ours",
    ),
    "huatuogpt-vision": ServingPreset(
        key="huatuogpt-vision",
        name="HuatuoGPT-Vision",
        licence="Apache-2.0",
        limits="None beyond naming its authors.",
        box_frame=Frame.NORM1,
        prompt_template="prose",
        preparation=Preparation.PAD,
        min_pixels=336 * 336,
        max_pixels=336 * 336,
        temperature=0.0,
        max_new_tokens=1024,
        model_id="FreedomIntelligence/HuatuoGPT-Vision-7B-hf",
        transformers_class="LlavaForConditionalGeneration",
        known_by="config.json of its original (`image_aspect_ratio: pad`, 336 pixels); the question is ours. "
        "Its folder holds no chat template: take the one on its model page",
    ),
    "deepseek-vl": ServingPreset(
        key="deepseek-vl",
        name="DeepSeek-VL",
        licence="deepseek",
        limits="Uses that its licence names are forbidden; read it first.",
        box_frame=Frame.NORM1,
        prompt_template="prose",
        preparation=Preparation.PAD,
        min_pixels=1024 * 1024,
        max_pixels=1024 * 1024,
        temperature=0.0,
        max_new_tokens=1024,
        model_id="deepseek-community/deepseek-vl-7b-chat",
        transformers_class="DeepseekVLHybridForConditionalGeneration",
        size_multiple=16,
        known_by="the class's processor (picture); the question is ours",
    ),
    "chexagent": ServingPreset(
        key="chexagent",
        name="CheXagent",
        licence="CC-BY-NC-4.0 (2-3b)",
        limits="No commercial use.",
        box_frame=Frame.NORM100,
        prompt_template="chexagent",
        preparation=Preparation.ASPECT,
        min_pixels=_MIN_PIXELS,
        max_pixels=_PIXELS_512,
        temperature=0.0,
        max_new_tokens=512,
        model_id="StanfordAIMI/CheXagent-2-3b",
        transformers_class="",
        known_by="its repository (chexagent.py); its picture is its server's",
    ),
    "maira-2": ServingPreset(
        key="maira-2",
        name="MAIRA-2",
        licence="research only",
        limits="Research only, no clinical and no commercial use.",
        box_frame=Frame.NORM1,
        prompt_template="maira-2",
        preparation=Preparation.CROP,
        min_pixels=518 * 518,
        max_pixels=518 * 518,
        temperature=0.0,
        max_new_tokens=512,
        model_id="microsoft/maira-2",
        transformers_class="",
        size_multiple=14,
        known_by="its processor's source (prompt, bins, crop); its words before the image are the "
        "server's to add; not verified through an endpoint",
    ),
    "llava-rad": ServingPreset(
        key="llava-rad",
        name="LLaVA-Rad",
        licence="research only",
        limits="Research only, no clinical and no commercial use.",
        box_frame=Frame.NORM1,
        prompt_template="llava-rad",
        preparation=Preparation.ASPECT,
        min_pixels=_MIN_PIXELS,
        max_pixels=_PIXELS_512,
        temperature=0.0,
        max_new_tokens=512,
        model_id="microsoft/llava-rad",
        transformers_class="",
        known_by="published uses of its example question; findings only; its picture is its server's",
    ),
}

# Those that go round the whole loop: what they write is rated, corrected and trained on by DeepMedix's
# grammar, and their class is the one that the training stages load.
LOOP_PRESETS: dict[str, ServingPreset] = {
    key: preset
    for key, preset in PRESETS.items()
    if preset.dialect is Dialect.DEEPMEDIX and preset.transformers_class == _QWEN2_5_VL
}
