"""Words that people wrote, as pdfTeX prints them: what it would end at is written in another way."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_feedback.latex_text import escaped

SPECIAL = re.compile(r"(?<!\\)[&%$#_{}~^<>|]|\\(?![&%$#_{}a-zA-Z])")
MADE = re.compile(
    r"\$(?:-|\\[a-zA-Z]+)\$|\\text[a-z]+\{\}|\\texttt\{U\+[0-9A-F]{4,6}\}|\\[&%$#_{}]", re.ASCII
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a & b 50 % $1 #2 x_y {z}", r"a \& b 50 \% \$1 \#2 x\_y \{z\}"),
        (r"\input{x} ~^", r"\textbackslash{}input\{x\} \textasciitilde{}\textasciicircum{}"),
        ("p < .05 | n > 3", r"p \textless{} .05 \textbar{} n \textgreater{} 3"),
        ("AC1 ≥ 0.6, ≤ 1, ≠ 0", r"AC1 $\geq$ 0.6, $\leq$ 1, $\neq$ 0"),
        ("κ, Δ, α, Ω, ο", r"$\kappa$, $\Delta$, $\alpha$, $\Omega$, \texttt{U+03BF}"),
        ("0.5 ± 0.1 × 2 – “so” …", "0.5 ± 0.1 × 2 – “so” …"),
        ("\N{MINUS SIGN}3", "$-$3"),
        ("Zoë Åström, Łukasz, Ģ", "Zoë Åström, Łukasz, Ģ"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
        ("肺 🫁 Ħ", r"\texttt{U+80BA} \texttt{U+1FAC1} \texttt{U+0126}"),
        ("two\nlines\u00a0and\ttabs\x1b[31m", "two lines and tabs[31m"),
    ],
)
def test_signs_are_written_so_that_they_are_printed(text: str, written: str) -> None:
    assert escaped(text) == written


@given(st.text())
def test_whatever_was_written_nothing_is_left_that_latex_takes_for_its_own_or_does_not_know(
    text: str,
) -> None:
    left = MADE.sub("", escaped(text))
    assert not SPECIAL.search(left)
    assert "\\" not in left
    known = set("¡¢£¥§©«¬®°±²³´µ¶·¸¹º»¼½¾¿×÷ª‐‑–—‘’“”‚„†‡•…‰‹›€™←↑→↓") | {
        chr(code) for code in range(0xC0, 0x17F)
    }
    assert all(sign.isascii() or sign in known for sign in left)
