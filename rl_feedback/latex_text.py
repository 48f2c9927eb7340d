r"""Words as LaTeX prints them with pdfTeX, its T1 fonts and no further package, whatever people wrote.

Which signs these are was found with TeX Live 2022: Latin letters with their accents, and the punctuation
below, are known by themselves; Greek letters and signs of mathematics are written as such; what is left is
told by its number, since pdfTeX ends with an error where it meets one that it does not know.
"""

import re
import unicodedata
from collections.abc import Mapping

NEEDS = "% Needs \\usepackage[T1]{fontenc}, \\usepackage{booktabs} and \\usepackage{graphicx}.\n"
_SIGNS: Mapping[str, str] = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "∞": r"$\infty$",
    "√": r"$\surd$",
    "∈": r"$\in$",
    "−": "$-$",
    "⇒": r"$\Rightarrow$",
    "✓": r"$\surd$",
}
_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon "
    "phi chi psi omega"
)
_CAPITALS = "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
_KNOWN = frozenset("¡¢£¥§©«¬®°±²³´µ¶·¹º»¼½¾¿×÷ª‐‑–—‘’“”‚„†‡•…‰‹›€™←↑→↓")
_NOT_KNOWN = frozenset("ĦħĸĿŀŉŦŧſ")


def escaped(text: str) -> str:
    r"""As plain text of one line.

    >>> print(escaped("50 % of v_1 & {x}, κ ≥ 0.5 ± 0.1, Åse"))
    50 \% of v\_1 \& \{x\}, $\kappa$ $\geq$ 0.5 ± 0.1, Åse
    """
    return "".join(map(_written, " ".join(unicodedata.normalize("NFC", text).split())))


def _written(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    if sign.isascii():
        return sign if sign.isprintable() else ""
    if sign in _KNOWN or ("À" <= sign <= "ž" and sign not in _NOT_KNOWN):
        return sign
    return _greek(sign) or f"\\texttt{{U+{ord(sign):04X}}}"


def _greek(sign: str) -> str:
    named = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER (\w+)", unicodedata.name(sign, ""))
    if named is None:
        return ""
    name = named[2].lower().replace("lamda", "lambda")
    if named[1] == "CAPITAL":
        name = name.capitalize()
    return f"$\\{name}$" if name in f"{_GREEK} {_CAPITALS}".split() else ""
