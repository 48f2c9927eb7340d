"""Models and their makers are unnamed however they are written; the words of a report stay as they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepmedix_review.registry.selectors import model_names
from deepmedix_review.reviews.masking import mask_model_names
from tests.factories.registry import ModelVersionFactory

REGISTERED = ["Zebrafish-9X", "DeepMedix Phantom", "St. Olav's reader"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Zebrafish-9X",
            "zebrafish 9x",
            "ZEBRAFISH_9X",
            "Zebrafish9X",
            "zebrafish\u20119x",
            "Zebrafish-9X-v2",
        ),
        *("DeepMedix Phantom", "deepmedix-phantom", "DeepMedixPhantom", "DeepMedix-R1", "Deep Medix R1"),
        *(
            "St. Olav's reader",
            "Qwen",
            "qwen2.5-vl",
            "Qwen2.5-VL-7B-Instruct",
            "QWEN 2.5 VL",
            "Qwen3-VL-235B",
        ),
        *("GPT-4", "gpt4", "GPT-4o", "gpt 4.1", "GPT-5", "ChatGPT", "Chat GPT", "chatgpt-4o", "XrayGPT"),
        *("Claude", "Claude 3.5 Sonnet", "claude-opus-4", "Gemini 1.5 Pro", "gemini-2.0-flash", "Med-Gemini"),
        *(
            "MedGemma",
            "medgemma-4b-it",
            "Med-PaLM",
            "MedPaLM 2",
            "PaLM-2",
            "LLaVA",
            "LLaVA-Med",
            "llava-v1.6",
        ),
        *("Llama 3", "Llama-3.2-Vision", "llama2", "Mistral", "Mixtral-8x7B", "DeepSeek-R1", "deepseek v3"),
        *("InternVL2", "CheXagent", "CheXagent-8b", "MAIRA-2", "RadFM", "HuatuoGPT-Vision", "Phi-3.5-vision"),
        *("BLIP-2", "InstructBLIP", "MiniCPM-V", "Kimi-VL", "GLM-4V", "Grok 2", "Pixtral", "Janus-Pro-7B"),
        *("OpenAI", "Open AI", "Anthropic", "Alibaba Cloud", "Google DeepMind", "Lingshu-7B", "Command R+"),
    ],
)
@pytest.mark.parametrize("sentence", ["As {}, I see a nodule.", "({})", "{}: effusion", "says {}\nnothing"])
def test_a_model_names_itself_in_vain(name: str, sentence: str) -> None:
    masked = mask_model_names(sentence.format(name), REGISTERED)
    assert "[model]" in masked
    for word in name.replace("-", " ").replace("_", " ").split():
        if len(word) > 3:
            assert word.lower() not in masked.lower().replace("[model]", "")


@pytest.mark.parametrize(
    "name",
    [
        "Chat\u200bGPT",
        "G\u00adPT-4\u2060V",
        "\u202eQwen2.5-VL\u202c",
        "G\u0420T-4",  # a Cyrillic letter
        "\uff27\uff30\uff34-4o",  # letters of full width
        "D\u0435epM\u0435dix-R1",
        "Z\u200cebrafish-9X",
        "G P T - 4",  # written apart
        "g.p.t.4",
        "D e e p M e d i x - R 1",
        "Q\u00a0w\u00a0e\u00a0n",
        "\u0421 h e X a g e n t",
        "c l a u d e",
    ],
)
def test_a_name_is_masked_as_it_looks_whatever_it_is_written_with(name: str) -> None:
    masked = mask_model_names(f"Die Größe: as {name}, I see\u200b a nodule in Größe.", REGISTERED)
    assert masked.replace("\u202e", "").replace("\u202c", "") == (
        "Die Größe: as [model], I see\u200b a nodule in Größe."
    )


@pytest.mark.parametrize(
    "text",
    [
        "A 4 mm nodule in the right upper lobe (S2); the palm-sized opacity is unchanged.",
        "SGPT 45 U/L. GPT elevated. Phi angle normal. Claude Bernard-Horner syndrome on the left.",
        "The falcon sign, a granite-like density like a palm. 2 lesions; a model of the thorax.",
        "Janus-faced cyst; the base of the left lung; large pleural effusion [300, 420, 420, 560].",
        "O2 saturation 92 %, oxygen 2 l, T4 to T8, L1 fracture, Kerley B lines, P-A view, view PA-2.",
        "<think> Both lungs are clear [60, 80, 210, 500] </think> The answer is: \\boxed{no acute finding}",
        "chest radiograph, medium-sized, mini thoracotomy, pro memoria, Swan-Ganz catheter, ICD, PICC line",
    ],
)
def test_the_words_of_a_report_stay(text: str) -> None:
    assert mask_model_names(text, REGISTERED) == text


@pytest.mark.parametrize(
    "text",
    [
        "Levels T 4 to T 8; C 7 and L 1 are well seen, S 1 is not. A 4 x 5 x 6 mm nodule.",
        "[1 2 3 4] and (1, 2, 3, 4); p A a O 2; I V C; s / p C A B G; h / o T B; x, y, z.",
        "Points a b c d e f g h i j k l m n o p q r s t u v w x y z, A / P view, E C G, M R I, C T 3 D.",
        "a 4 mm p h a n t o m; I a m n o t",
    ],
)
def test_letters_that_stand_alone_stay(text: str) -> None:
    assert mask_model_names(text, REGISTERED) == text


def test_a_name_that_is_written_apart_after_a_word_of_one_letter_is_masked() -> None:
    assert mask_model_names("I am a G P T - 4 o here.") == "I am a [model] here."
    assert mask_model_names("Is it I G P T 4? Yes.") == "Is it I [model]? Yes."
    assert mask_model_names("G P T - 4 and GPT-4 say so") == "[model] and [model] say so"


def test_boxes_and_words_after_a_name_stay() -> None:
    assert mask_model_names("Qwen sees 3 nodules [1, 2, 3, 4]") == "[model] sees 3 nodules [1, 2, 3, 4]"
    assert mask_model_names("LLaVA 5 mm nodule") == "[model] 5 mm nodule"
    assert mask_model_names("by DeepSeek. 2 lesions") == "by [model]. 2 lesions"


@given(st.from_regex(r"[a-cÄß01]{3,9}([ \-_.][a-c89]{1,5})?", fullmatch=True))
def test_a_registered_name_of_any_letters_is_masked(name: str) -> None:
    assert mask_model_names(f"it is {name}, says it", [name]) == "it is [model], says it"


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=3))
def test_no_text_and_no_name_breaks_the_mask(text: str, names: list[str]) -> None:
    assert isinstance(mask_model_names(text, names), str)


@pytest.mark.django_db
def test_names_come_from_the_registry_and_the_presets() -> None:
    ModelVersionFactory.create(name="Zebrafish-9X")
    assert {"Zebrafish-9X", "DeepMedix-R1", "DeepMedix Phantom"} <= model_names()
