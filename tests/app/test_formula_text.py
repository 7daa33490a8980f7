"""Short formulas as text of one line."""

from __future__ import annotations

import pytest

from app.core.formula_text import formula_text


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"O(n \log n)", "O(n log n)"),
        (r"x_1^2 \le \pi", "x₁² ≤ π"),
        (r"a^2+b^2=c^2", "a² + b² = c²"),
        (r"-b \pm \sqrt{b^2-4ac}", "−b ± √(b² − 4ac)"),
        (r"\frac{a+b}{2}", "(a + b)/2"),
        (r"T\!\left(\frac{n}{2}\right)", "T(n/2)"),
        (r"x \in \mathbb{R}", "x ∈ ℝ"),
        (r"\mathcal{O}(n)", "O(n)"),
        (r"\log_2 n", "log₂ n"),
        (r"\log_{10}(x)", "log₁₀(x)"),
        (r"e^{-x}", "e⁻ˣ"),
        (r"90^\circ", "90°"),
        (r"f'(x)", "f′(x)"),
        (r"\{1, 2\}", "{1, 2}"),
        (r"1{,}000", "1,000"),
        (r"x^12", "x¹2"),
        (r"\text{rate} = 5\%", "rate = 5%"),
    ],
)
def test_a_short_formula_is_written_in_signs(latex, text):
    assert formula_text(latex) == text


@pytest.mark.parametrize(
    "latex",
    [
        r"\sum_{i=1}^{n} i",
        r"\begin{pmatrix}1\end{pmatrix}",
        r"e^{x^2}",
        r"x_q",
        r"\hat{x}",
        r"\sqrt[3]{x}",
        r"\frac{1}",
        "x^{2",
        "a}",
        "x^",
        "{",
        "a & b",
        "",
    ],
)
def test_what_needs_more_than_a_line_is_left_to_the_renderer(latex):
    assert formula_text(latex) is None
