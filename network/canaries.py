"""Questions whose answer the asker knows: who answers with garbage, or with less than it claims, fails.

Each is made up anew, from names, places and numbers that chance puts together, so that no list of answers can
be learned. To a router it is one sealed question among others. A worker reads it and could recognise its
kind; that is why a good past does not protect for ever (`network.trust`), and why the texts vary.

The verdict is plain: the right word must be there and none of the wrong ones. No model judges.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from network.aggregation import normalised

_NAMES = {
    "en": (
        "Anna",
        "Boris",
        "Clara",
        "David",
        "Emma",
        "Felix",
        "Greta",
        "Hugo",
        "Irene",
        "Jonas",
        "Kira",
        "Leon",
    ),
    "fa": (
        "آرش",
        "بهار",
        "پریسا",
        "جمشید",
        "داریوش",
        "رویا",
        "سپیده",
        "شهرام",
        "فرهاد",
        "کاوه",
        "مریم",
        "نیما",
    ),
}
_PLACES = {
    "en": ("Paris", "Oslo", "Cairo", "Lima", "Tokyo", "Berlin", "Quito", "Dublin", "Nairobi", "Hanoi"),
    "fa": ("تهران", "شیراز", "تبریز", "اصفهان", "مشهد", "یزد", "کرمان", "رشت", "همدان", "اهواز"),
}
_THINGS = {
    "en": ("keys", "letters", "candles", "bottles", "tickets", "stamps", "buttons", "spoons"),
    "fa": ("کلید", "نامه", "شمع", "بطری", "بلیت", "تمبر", "دکمه", "قاشق"),
}
_LIVES = {
    "en": (
        ("{name} lives in {place}.", "Where does {name} live? Answer with the name of the city only."),
        ("{name} moved to {place} last year.", "To which city did {name} move? Only the city, please."),
        ("The parcel for {name} goes to {place}.", "Which city does the parcel for {name} go to? One word."),
    ),
    "fa": (
        ("{name} در {place} زندگی می‌کند.", "{name} در کدام شهر زندگی می‌کند؟ فقط نام شهر را بنویس."),
        ("{name} پارسال به {place} رفت.", "{name} پارسال به کدام شهر رفت؟ فقط نام شهر."),
        ("بستهٔ {name} به {place} می‌رود.", "بستهٔ {name} به کدام شهر می‌رود؟ یک کلمه."),
    ),
}
_COUNTS = {
    "en": (
        (
            "There are {count} {thing} in the drawer.",
            "How many {thing} are in the drawer? Answer with the number.",
        ),
        ("We packed {count} {thing}.", "How many {thing} did we pack? Only the number."),
    ),
    "fa": (
        ("{count} {thing} در کشو هست.", "چند {thing} در کشو هست؟ فقط عدد را بنویس."),
        ("{count} {thing} بسته‌بندی کردیم.", "چند {thing} بسته‌بندی کردیم؟ فقط عدد."),
    ),
}
LANGUAGES = tuple(_NAMES)
_FACTS = 4


@dataclass(frozen=True, slots=True)
class Canary:
    """A question, the word that must be in its answer, and those that must not."""

    question: str
    expected: str
    wrong: tuple[str, ...]

    def passed(self, answer: str) -> bool:
        """Whether a worker that reads and understands would have written this."""
        words = re.findall(r"\w+", normalised(answer))
        return normalised(self.expected) in words and not any(
            normalised(word) in words for word in self.wrong
        )


def make_canary(chance: random.Random, language: str) -> Canary:
    """A new one in this language, or in English for a language that has none.

    `chance` decides everything: the same state makes the same canary. Real ones take `random.SystemRandom`.
    """
    language = language if language in LANGUAGES else "en"
    if chance.random() < 0.5:
        names = chance.sample(_NAMES[language], _FACTS)
        places = chance.sample(_PLACES[language], _FACTS)
        fact, question = chance.choice(_LIVES[language])
        facts = [fact.format(name=name, place=place) for name, place in zip(names, places, strict=True)]
        asked = chance.randrange(_FACTS)
        return _canary(facts, question.format(name=names[asked]), places, asked)
    things = chance.sample(_THINGS[language], _FACTS)
    counts = [str(count) for count in chance.sample(range(11, 99), _FACTS)]
    fact, question = chance.choice(_COUNTS[language])
    facts = [fact.format(count=count, thing=thing) for count, thing in zip(counts, things, strict=True)]
    asked = chance.randrange(_FACTS)
    return _canary(facts, question.format(thing=things[asked]), counts, asked)


def _canary(facts: list[str], question: str, answers: list[str], asked: int) -> Canary:
    wrong = tuple(answer for place, answer in enumerate(answers) if place != asked)
    return Canary(f"{' '.join(facts)} {question}", answers[asked], wrong)
