"""What stays on this device of a question, and comes back in its answer."""

from itertools import pairwise

import pytest

from app.core.redaction import Hidden, redact, restore

HIDDEN = [
    ("Write to anna.weiss+x@mail.example.org today", "anna.weiss+x@mail.example.org", Hidden.MAIL),
    ("نامه به reza_k@دانشگاه.example بفرست", "reza_k@دانشگاه.example", Hidden.MAIL),
    ("call +49 (30) 1234-5678 now", "+49 (30) 1234-5678", Hidden.PHONE),
    ("call 0912 345 6789", "0912 345 6789", Hidden.PHONE),
    ("شماره‌ام ۰۹۱۲۳۴۵۶۷۸۹ است", "۰۹۱۲۳۴۵۶۷۸۹", Hidden.PHONE),
    ("شماره‌ام ٠٩١٢٣٤٥٦٧٨٩ است", "٠٩١٢٣٤٥٦٧٨٩", Hidden.PHONE),
    ("(021) 8812-3456 is the office", "(021) 8812-3456", Hidden.PHONE),
    ("my card is 4111 1111 1111 1111.", "4111 1111 1111 1111", Hidden.CARD),
    ("کارت من ۶۰۳۷-۹۹۷۵-۹۹۹۹-۹۹۹۳ است", "۶۰۳۷-۹۹۷۵-۹۹۹۹-۹۹۹۳", Hidden.CARD),
    ("pay to DE89 3704 0044 0532 0130 00 please", "DE89 3704 0044 0532 0130 00", Hidden.ACCOUNT),
    ("شبا IR۰۶۲۹۶۰۰۰۰۰۰۰۱۰۰۳۲۴۲۰۰۰۰۱ است", "IR۰۶۲۹۶۰۰۰۰۰۰۰۱۰۰۳۲۴۲۰۰۰۰۱", Hidden.ACCOUNT),
    ("insurance number 65 170839 003", "65 170839 003", Hidden.NUMBER),
    ("کد ملی ۴۳۱۱۲۳۴۵۶۷ دارم", "۴۳۱۱۲۳۴۵۶۷", Hidden.NUMBER),
    ("order 4711123", "4711123", Hidden.NUMBER),
]


@pytest.mark.parametrize(("text", "secret", "kind"), HIDDEN)
def test_what_can_be_found_is_hidden_and_comes_back(text, secret, kind):
    redacted = redact([text])
    assert redacted.texts == (text.replace(secret, f"[{kind}-1]"),)
    assert [(each.kind, each.text) for each in redacted.placeholders] == [(kind, secret)]
    assert restore(redacted.texts[0], redacted.placeholders) == text


@pytest.mark.parametrize(
    "text",
    [
        "In 1979 it cost 12,500 toman, today 1.250.000.",
        "From 2024-03-20 until 20.03.2025, and on 1403/01/01.",
        "در سال ۱۳۵۷ و روز ۱۴۰۳/۰۱/۰۱ و ۱۲۳ نفر",
        "Pi is 3.14159, and 2^10 is 1024.",
        "See [1], [2, 3] and page 120-125.",
        "user@ and @name are no addresses",
        "version 1.2.3 of x86_64",
        "",
    ],
)
def test_dates_amounts_and_ordinary_words_stay(text):
    assert redact([text]).texts == (text,)


def test_the_same_text_has_the_same_placeholder_everywhere():
    redacted = redact(["Is 0912 345 6789 his?", "No: ۰۹۱۲۳۴۵۶۷۸۹ is hers, 0935 111 2233 is his."])
    assert redacted.texts == ("Is [PHONE-1] his?", "No: [PHONE-1] is hers, [PHONE-2] is his.")


def test_numbers_can_stay_where_only_names_shall_be_hidden():
    assert redact(["Anna: 0912 345 6789"], ["Anna"], patterns=False).texts == ("[NAME-1]: 0912 345 6789",)


def test_names_that_the_user_gives_are_hidden_as_whole_words():
    redacted = redact(["Anna Weiss met ANNA  WEISS and Annabel"], ["Anna Weiss", "Anna", " "])
    assert redacted.texts == ("[NAME-1] met [NAME-1] and Annabel",)


def test_persian_names_are_found_in_every_spelling():
    redacted = redact(["علی کریمی به علي كريمي نوشت، علی‌پور نه"], ["علی کریمی"])
    assert redacted.texts == ("[NAME-1] به [NAME-1] نوشت، علی‌پور نه",)


def test_a_name_inside_an_address_does_not_break_it():
    redacted = redact(["anna@mail.example is Anna's"], ["Anna"])
    assert "anna" not in redacted.texts[0].lower()
    assert restore(redacted.texts[0], redacted.placeholders).lower() == "anna@mail.example is anna's"


@pytest.mark.parametrize("said", ["[MAIL-1]", "[mail-1]", "[ MAIL - 1 ]", "[MAIL-۱]"])
def test_a_model_may_spell_a_placeholder_in_its_own_way(said):
    placeholders = redact(["a@b.example"]).placeholders
    assert restore(f"Write to {said}.", placeholders) == "Write to a@b.example."


def test_a_placeholder_that_nobody_made_stays():
    placeholders = redact(["a@b.example"]).placeholders
    assert restore("[MAIL-7] and [1] and [NAME-1]", placeholders) == "[MAIL-7] and [1] and [NAME-1]"


def test_while_an_answer_is_written_no_half_placeholder_is_shown():
    placeholders = redact(["a@b.example"]).placeholders
    whole = "Write to [MAIL-1] now"
    shown = [restore(whole[:end], placeholders, unfinished=True) for end in range(len(whole) + 1)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))
    assert shown[-1] == "Write to a@b.example now"


def test_without_anything_hidden_a_bracket_is_shown_at_once():
    assert restore("see [", (), unfinished=True) == "see ["


def test_long_texts_without_anything_take_no_time_out_of_proportion():
    text = "1 2 3 a@ b. " * 20_000 + "x" * 100_000 + "9" * 30_000
    assert redact([text], ["nobody"]).texts[0]


@pytest.mark.parametrize(
    "answer",
    [
        "[Your plan](https://evil.example/?to=[MAIL-1])",
        "See www.evil.example/[MAIL-1] now",
        "[Your plan](<https://evil.example/?to= [MAIL-1]>)",
        "[x]: HTTP://evil.example/[ mail - ۱ ]",
        "[a](https://evil.example/[MAIL-1],[MAIL-1])",
        "[a](<https://evil.example/[MAIL-1] [MAIL-1]>)",
    ],
)
def test_what_was_hidden_comes_back_in_no_address(answer):
    """A tap on the link would take it to whoever has written the answer."""
    hidden = redact(["Write to anna@mail.example"])
    assert restore(answer, hidden.placeholders) == answer
    assert restore(f"{answer} or <[MAIL-1]>", hidden.placeholders) == f"{answer} or <anna@mail.example>"
