"""Answers in another language are told apart from English ones with terms of Latin, names and numbers."""

import json
import re
from pathlib import Path

import pytest

from inference.dialects import Dialect
from inference.grounding import format_completion, parse_completion
from inference.language import WORDS, is_foreign
from inference.phantoms import draw_phantom, ideal_reasoning


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yes",
        "No.",
        "Normal",
        "Right.",
        "A",
        "Pneumothorax",
        "Cor pulmonale.",
        "Situs inversus totalis with dextrocardia; pectus excavatum, status post lobectomy in situ.",
        "Bibasilar atelectasis. No focal consolidation.",
        "LA and LV enlarged; DES in the LAD. No CHF.",
        "Le Fort III; de novo nodules per os et al.",
        "Café-au-lait spots, Sjögren syndrome.",
        "En face view, peau d'orange.",
        "Opacity of 5 µm, α-1 antitrypsin deficiency, Ω.",
        "The heart [12, 30, 44, 61] and the aorta at x 10, y 20, x 30, y 40.",
        '[{"bbox_2d": [1, 2, 3, 4], "label": "nodule"}]',
        '{"box_2d": [10, 20, 30, 40]}',
        "[1, 2, 3, 4]",
        "\N{FULLWIDTH LATIN SMALL LETTER A}\N{MATHEMATICAL ITALIC SMALL X} is enlarged",
        "A, B, D, E",
    ],
)
def test_english_with_terms_names_and_numbers_is_english(text: str) -> None:
    assert not is_foreign(text)


@pytest.mark.parametrize(
    "text",
    [
        "正常",
        "心脏增大，双侧胸腔积液。",
        "The heart is enlarged. 双侧肺野清晰，无明显渗出。",
        '[{"bbox_2d": [1, 2, 3, 4], "label": "右肺结节"}]',
        "Сердце увеличено.",
        "القلب طبيعي",
        "心臓は正常です。",
        "심장이 커져 있습니다.",
        "Tim to, phổi bình thường, không tràn dịch màng phổi.",
        "Das Herz ist normal groß.",
        "Herz nicht vergrößert. Kein Pleuraerguss.",
        "Kein Hinweis auf Stauung oder Pneumonie.",
        "The heart is normal. Der linke Unterlappen ist verdichtet und nicht belüftet.",
        "Le cœur est de taille normale.",
        "Pas d'épanchement pleural.",
        "El corazón es de tamaño normal.",
        "Sin derrame pleural ni neumotórax.",
        "Sem derrame pleural.",
        "Il cuore è di dimensioni normali.",
        "Het hart is vergroot, geen pleuravocht.",
        "Serce jest powiększone, płyn w prawej jamie opłucnowej.",
    ],
)
def test_other_languages_are_told(text: str) -> None:
    assert is_foreign(text)


def test_a_foreign_sentence_is_found_at_the_end_of_a_long_english_report() -> None:
    english = "The heart is normal in size, and the lungs are clear without effusion. " * 40
    assert not is_foreign(english)
    assert is_foreign(f"{english} El corazón está aumentado de tamaño.")
    assert is_foreign(f"{english} 两肺清晰，心影不大。")


@pytest.mark.parametrize("language", sorted(set(WORDS) - {"English"}))
def test_no_word_is_in_english_and_in_another_list(language: str) -> None:
    assert not WORDS["English"] & WORDS[language]
    assert all(len(word) > 1 or not word.isascii() for word in WORDS[language])


@pytest.mark.parametrize(
    ("reasoning", "answer", "problems"),
    [
        ("The heart is enlarged", "Cardiomegaly", ()),
        ("心脏增大 [10, 20, 30, 40]", "Cardiomegaly", ("foreign_reasoning",)),
        ("The heart is enlarged", "心脏增大", ("foreign_answer",)),
        ("El corazón es grande", "Kein Erguss, das Herz ist groß", ("foreign_reasoning", "foreign_answer")),
    ],
)
def test_the_part_that_is_foreign_is_named(reasoning: str, answer: str, problems: tuple[str, ...]) -> None:
    text = format_completion([reasoning], answer)
    assert parse_completion(text, question="What do you see?").problems == problems
    assert parse_completion(text, question="").problems == problems


def test_what_stands_beside_the_parts_belongs_to_the_answer() -> None:
    text = f"好的，我来看这张片子。{format_completion(['The heart is large'], 'big')}"
    assert parse_completion(text, question="").problems == ("foreign_answer",)
    assert parse_completion("没有", question="").problems == ("no_think", "no_answer", "foreign_answer")


@pytest.mark.parametrize(
    ("dialect", "text", "problems"),
    [
        (Dialect.PROSE, "两肺清晰，心影不大。", ("foreign_answer",)),
        (Dialect.MAIRA_2, "<obj>El corazón es grande.<box><x1><y2><x3><y4></box></obj>", ("foreign_answer",)),
        (
            Dialect.JSON_BOXES,
            '[{"bbox_2d": [1, 2, 3, 4], "label": "右肺结节"}]\n\\boxed{nodule}',
            ("foreign_reasoning",),
        ),
        (Dialect.MARKED, "<|ref|>气胸<|/ref|><|box|>(12,60),(18,87)<|/box|>", ("foreign_answer",)),
    ],
)
def test_every_dialect_names_it(dialect: Dialect, text: str, problems: tuple[str, ...]) -> None:
    assert parse_completion(text, reasons=False, dialect=dialect, question="").problems == problems


def test_a_question_in_another_language_may_be_answered_in_it() -> None:
    text = format_completion(["Das Herz ist groß und nicht scharf"], "Das Herz ist vergrößert")
    assert parse_completion(text, question="Ist das Herz auf dem Bild vergrößert?").problems == ()
    assert parse_completion(text).problems == ()


def test_no_text_of_a_phantom_is_foreign() -> None:
    texts = [ideal_reasoning(draw_phantom(seed=seed).truth) for seed in range(1, 101)]
    assert not [text for text in texts if parse_completion(text, question="").problems]


def test_no_report_of_the_shared_folder_is_foreign(shared_data: Path) -> None:
    reports = json.loads((shared_data / "reports/synthetic_reports.json").read_text("utf-8"))
    texts = [text for report in reports for text in report.values()]
    table = (shared_data / "reports/labeled_reports.csv").read_text("utf-8")
    texts += re.split(r"\n\n|\n", table)
    assert len(texts) > 30
    assert not [text for text in texts if is_foreign(text)]


def test_a_long_hostile_text_is_told_in_a_moment() -> None:
    for piece in ("a", "é", "é ", ".", ". ", "心", "-a", "a'", "A ", "\n", "'"):
        is_foreign(piece * (200_000 // len(piece)))
