"""Tells whether a text is written in another language than English, in which models are asked here.

Letters of other scripts are counted. In Latin script the words are counted that a language can't do without
and English lacks; diagnoses are no such words, so "situs inversus" and "cor pulmonale" stay English.
"""

import re
import unicodedata
from functools import lru_cache

from inference.dialects.parsed import ParsedCompletion

# Letters of other scripts than Latin: fewer are a name or a term in brackets. One alone is a sign, such as
# the α or the µ of a measurement.
MANY_LETTERS, LARGE_SHARE = 8, 0.1
# Of another language's words in Latin script, those with accents among them: fewer are a name or a term, as
# are fewer than three where all that is foreign about them is an accent ("Köhler and Ménétrier").
FEWEST_ACCENTED = 3
FEWEST_WORDS, SHARE_OF_WORDS = 2, 0.2

# What nobody can write a report without. In no other list are words that are common in English (die, was, do,
# met, come), those of Latin terms (in, per, os, cum, et, al, de, se), and letters, which may be axes (y).
WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "English": "the of and with there are this that which without not from has have it its by be been "
        "both either consistent left right heart lung lungs chest seen evidence clear enlarged normal small "
        "large mild",
        "German": "der das den dem des und oder ist sind wird werden wurde ein eine einer einem einen eines "
        "kein keine keinen keiner keinem nicht mit im vom zum zur von bei auf aus für über unter durch nach "
        "ohne auch sich es sie er ich wir dass wie nur noch bereits sowie beide beidseits beidseitige rechts "
        "links rechte rechten rechter linke linken linker herz lunge lungen lungenflügel erguss befund "
        "vergrößert verdichtung hinweis normale normaler zeigt nein",
        "French": "le la les du des un une est sont ou dans avec sans sur pas au aux ce cette ces il elle "
        "qui que dont mais aucun aucune droit droite gauche cœur coeur poumon poumons pulmonaire épanchement "
        "taille radiographie normaux limites",
        "Spanish": "el la los las del un una unos unas es están con sin por para que lo su sus como pero "
        "hay muy más ni este esta derecho derecha izquierdo izquierda corazón pulmón pulmones pulmonar "
        "derrame tamaño ambos hallazgos silueta radiografía límites",
        "Portuguese": "um uma da dos das nos nas é são está com sem por para que ao mais não há ou direito "
        "direita esquerdo esquerda coração pulmão pulmões derrame tamanho ambos achados silhueta radiografia",
        "Italian": "il lo la gli le un uno una di del della dei delle nel nella è sono con senza che alla da "
        "dal più né questo questa destro destra sinistro sinistra cuore polmone polmoni polmonare versamento "
        "dimensioni reperti radiografia",
        "Dutch": "het een en van zijn niet geen voor op aan bij uit naar ook maar wordt worden dat deze dit "
        "zonder rechts links rechter linker longen hart vergroot beeld",
    }.items()
}
_SENTENCE_END = re.compile(r"[.!?;\n\r]+(?=\s|$)|[。！？；।؟]+")
_LETTERS = re.compile(r"[^\W\d_]+")
# "café-au-lait" is one.
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
# LA is the left atrium, DES a stent.
_ABBREVIATION = re.compile(r"[A-Z]{1,4}")


def is_foreign(text: str) -> bool:
    """Whether the text, or a sentence of it, is in another language than English. An answer of a word or two
    in Latin script is never told as foreign: "Normal" is a word of many languages.

    >>> is_foreign("Situs inversus with cor pulmonale; no pneumothorax [12, 30, 44, 61].")
    False
    >>> is_foreign("心脏增大，双侧胸腔积液。"), is_foreign("El corazón es de tamaño normal.")
    (True, True)
    """
    # So that the letters of formulas and of wide script count as what they look like.
    text = unicodedata.normalize("NFKC", text)
    if _has_other_script(text):
        return True
    pieces = [piece for piece in _SENTENCE_END.split(text) if piece]
    by_piece = [
        [word.lower() for word in _WORD.findall(piece) if not _ABBREVIATION.fullmatch(word)]
        for piece in pieces
    ]
    whole = [word for words in by_piece for word in words]
    return _is_foreign_latin(whole) or any(map(_is_foreign_latin, by_piece))


def foreign_parts(text: str, parsed: ParsedCompletion) -> tuple[str, ...]:
    """Which parts of a completion are foreign, as keys of PROBLEM_SENTENCES; what stands beside its reasoning
    belongs to its answer."""
    start, end = parsed.reasoning_span or (0, 0)
    opened, closed = parsed.answer_span or (end, end)
    beside = f"{text[: min(start, opened)]}\n{text[max(end, closed) :]}"
    between = text[min(end, closed) : max(start, opened)]
    parts = {
        "foreign_reasoning": (text[start:end],),
        "foreign_answer": (text[opened:closed], beside, between),
    }
    return tuple(name for name, said in parts.items() if any(map(is_foreign, said)))


def _has_other_script(text: str) -> bool:
    if text.isascii():
        return False
    by_word = [sum(not _is_latin(sign) for sign in word) for word in _LETTERS.findall(text)]
    num_other = sum(num for num in by_word if num > 1)
    num_letters = sum(sign.isalpha() for sign in text)
    return num_other >= MANY_LETTERS or 0 < LARGE_SHARE * num_letters <= num_other


@lru_cache(maxsize=4096)
def _is_latin(sign: str) -> bool:
    return sign.isascii() or unicodedata.name(sign, "").startswith(("LATIN ", "MODIFIER ", "RIGHT SINGLE "))


def _is_foreign_latin(words: list[str]) -> bool:
    fewest = max(FEWEST_WORDS, SHARE_OF_WORDS * len(words))
    num_english = sum(word in WORDS["English"] for word in words)
    for known in (WORDS[language] for language in WORDS if language != "English"):
        num_listed = sum(word in known for word in words)
        # Accents stand for the languages that have no list.
        num_accented = sum(_is_accented(word) and word not in known for word in words)
        is_term = num_listed == 0 and num_accented < FEWEST_ACCENTED
        if num_listed + num_accented >= max(fewest, num_english + 1) and not is_term:
            return True
    return False


def _is_accented(word: str) -> bool:
    return not word.isascii() and all(map(_is_latin, word))
