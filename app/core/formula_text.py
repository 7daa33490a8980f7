r"""A short formula as text of one line: `O(n \log n)` is O(n log n), `x_1^2 \le \pi` is x₁² ≤ π."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SIGN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:[.,]\d+)*|\s+|.", re.DOTALL)

_RAISED = dict(
    zip(
        "0123456789+−=()abcdefghijklmnoprstuvwxyzT′∘°",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ′°°",
        strict=True,
    )
)
_LOWERED = dict(zip("0123456789+−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ",
    "Psi": "Ψ", "Omega": "Ω", "varepsilon": "ε", "varphi": "φ", "infty": "∞", "partial": "∂", "nabla": "∇",
    "ldots": "…", "dots": "…", "cdots": "⋯", "forall": "∀", "exists": "∃", "emptyset": "∅", "circ": "∘",
    "prime": "′", "neg": "¬", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "langle": "⟨",
    "rangle": "⟩", "degree": "°", "ell": "ℓ", "%": "%", "$": "$", "#": "#", "&": "&", "{": "{", "}": "}",
    "_": "_", "|": "‖",
}  # fmt: skip
_OPERATORS = {
    "+": "+", "=": "=", "<": "<", ">": ">", "times": "×", "cdot": "·", "div": "÷", "pm": "±", "le": "≤",
    "leq": "≤", "ge": "≥", "geq": "≥", "lt": "<", "gt": ">", "ne": "≠", "neq": "≠", "approx": "≈",
    "equiv": "≡", "sim": "∼", "propto": "∝", "in": "∈", "notin": "∉", "subset": "⊂", "subseteq": "⊆",
    "cup": "∪", "cap": "∩", "to": "→", "rightarrow": "→", "leftarrow": "←", "Rightarrow": "⇒",
    "Leftarrow": "⇐", "Leftrightarrow": "⇔", "leftrightarrow": "↔", "implies": "⇒", "iff": "⇔",
    "mapsto": "↦", "land": "∧", "wedge": "∧", "lor": "∨", "vee": "∨", "mid": "|", "setminus": "∖",
    "oplus": "⊕", "otimes": "⊗",
}  # fmt: skip
_FUNCTIONS = re.compile(
    r"arccos|arcsin|arctan|arg|cosh?|cot|csc|deg|det|dim|exp|gcd|inf|lg|lim|ln|log|max|min|mod|Pr"
    r"|sec|sinh?|sup|tanh?"
)
_WORDS = frozenset({"text", "textbf", "textit", "mathrm", "mathbf", "mathcal", "operatorname", "mbox"})
_DOUBLE = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "Q": "ℚ", "C": "ℂ", "P": "ℙ"}
_SPACES = frozenset({"\\,", "\\;", "\\:", "\\ ", "\\quad", "\\qquad", "~"})
_NOTHING = frozenset(
    {"\\!", "\\left", "\\right", "\\big", "\\Big", "\\bigl", "\\bigr", "\\displaystyle", "\\limits"}
)
_BASE = re.compile(r"((?:log|lim|max|min)[₀-₉ₐ-ₜᵢ-ᵥⱼ]+)(?=[^\W₀-₉ₐ-ₜᵢ-ᵥⱼ])")
_SIMPLE = re.compile(r"[\w∞√′]+", re.UNICODE)


class _NeedsMore(Exception):
    """The formula cannot be written in one line of text."""


def formula_text(latex: str) -> str | None:
    """The formula as text; None where that needs more than a line, or is not understood."""
    rest = _Rest(_SIGN.findall(latex.strip()))
    try:
        text = _sequence(rest)
    except _NeedsMore:
        return None
    return text if rest.next is None and text else None


@dataclass(slots=True)
class _Rest:
    """What is still to be read."""

    all: list[str]
    at: int = field(default=0)

    @property
    def next(self) -> str | None:
        return self.all[self.at] if self.at < len(self.all) else None

    def take(self) -> str:
        if self.next is None:
            raise _NeedsMore
        self.at += 1
        return self.all[self.at - 1]


def _sequence(rest: _Rest) -> str:
    """All up to a closing brace or the end, with the usual spaces around operators."""
    text = _BASE.sub(r"\1 ", "".join(_pieces(rest)))
    return re.sub(r"([(\[{⌊⌈⟨]) +| +(?=[)\]}⌋⌉⟩,])", r"\1", re.sub(" {2,}", " ", text)).strip()


def _pieces(rest: _Rest) -> Iterator[str]:
    before = ""
    while rest.next not in (None, "}"):
        piece = _piece(rest.take(), rest, before)
        if piece:
            before = piece
            yield piece


def _piece(sign: str, rest: _Rest, before: str) -> str:
    name = sign.removeprefix("\\")
    if sign.isspace() or sign in _NOTHING:
        return ""
    if sign in _SPACES:
        return " "
    if sign == "-":
        unary = not before or before[-1] in " ([{,"
        return "−" if unary else " − "
    if sign == ",":
        return ", "
    if sign in "^_":
        return _raised(_group(rest)) if sign == "^" else _lowered(_group(rest))
    if sign == "{":
        rest.at -= 1
        return _group(rest)
    if name in _OPERATORS and (sign != name or sign in "+=<>"):
        return f" {_OPERATORS[name]} "
    if sign != name:
        return _command(name, rest, before)
    if sign in "&\\#%}":
        raise _NeedsMore
    return "′" if sign == "'" else sign


def _command(name: str, rest: _Rest, before: str) -> str:
    if name in _SYMBOLS:
        return _SYMBOLS[name]
    if _FUNCTIONS.fullmatch(name):
        apart = " " if before and (before[-1].isalnum() or before[-1] in ")]") else ""
        follows = next((sign for sign in rest.all[rest.at :] if not sign.isspace()), "")
        return f"{apart}{name}{'' if follows in ('', '(', '_', '^', '}', '[') else ' '}"
    if name in _WORDS:
        return _raw(rest)
    if name == "mathbb":
        letter = _group(rest)
        if letter in _DOUBLE:
            return _DOUBLE[letter]
    elif name in ("frac", "tfrac", "dfrac"):
        above, below = _group(rest), _group(rest)
        return f"{_bracketed(above)}/{_bracketed(below)}"
    elif name == "sqrt" and rest.next != "[":
        return f"√{_bracketed(_group(rest))}"
    raise _NeedsMore


def _group(rest: _Rest) -> str:
    """What stands in braces next, or the next sign alone."""
    while rest.next is not None and rest.next.isspace():
        rest.take()
    sign = rest.take()
    if sign != "{":
        if sign.isdigit() and len(sign) > 1:  # x^12 is x¹2
            rest.at -= 1
            rest.all[rest.at] = sign[1:]
            sign = sign[0]
        return _piece(sign, rest, "")
    inside = _sequence(rest)
    rest.take()
    return inside


def _raw(rest: _Rest) -> str:
    """Words in braces, as they stand."""
    if rest.take() != "{":
        raise _NeedsMore
    words = ""
    while (sign := rest.take()) != "}":
        if sign in "{\\$":
            raise _NeedsMore
        words += sign
    return words


def _raised(text: str) -> str:
    return _each(text, _RAISED)


def _lowered(text: str) -> str:
    return _each(text, _LOWERED)


def _each(text: str, signs: dict[str, str]) -> str:
    try:
        return "".join(signs[sign] for sign in text.replace(" ", ""))
    except KeyError:
        raise _NeedsMore from None


def _bracketed(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else f"({text})"
