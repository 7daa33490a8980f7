"""From the bytes of tokens to text that may be shown: characters, thoughts and stop strings."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from engines.families import ThinkingTags


class StopStrings:
    """Finds stop strings in a stream of text, also across its pieces, and holds back what may become one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.found = False

    def feed(self, text: str) -> str:
        """Take more text; returns what may be shown. Nothing comes after `found`."""
        if not self._stops or self.found:
            return "" if self.found else text
        text = self._held + text
        hits = [index for stop in self._stops if (index := text.find(stop)) >= 0]
        if hits:
            self.found, self._held = True, ""
            return text[: min(hits)]
        held = max(begun(text, stop) for stop in self._stops)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def rest(self) -> str:
        """What was held back and has not become a stop string."""
        held, self._held = self._held, ""
        return held


class ThoughtSplitter:
    """Tells a model's thought from its answer. A thought can only stand before the answer."""

    def __init__(self, tags: ThinkingTags | None, *, inside: bool) -> None:
        """`inside`: the prompt has opened the thought already. `tags` is `None` where no thought comes."""
        self._tags = tags
        self._held = ""
        self._inside = inside and tags is not None
        self._before = tags is not None and not inside
        self._trim = self._inside

    @property
    def finished(self) -> bool:
        """Whether all further text belongs to the answer."""
        return not (self._inside or self._before or self._trim)

    def feed(self, text: str) -> tuple[str, str]:
        """Take more text; returns more of the thought and more of the answer."""
        if self.finished or self._tags is None:
            return "", text
        self._held += text
        if self._before:
            start = self._held.lstrip()
            if start.startswith(self._tags.opening):
                self._held = start[len(self._tags.opening) :]
                self._before, self._inside, self._trim = False, True, True
            elif self._tags.opening.startswith(start):
                return "", ""  # nothing yet, or the beginning of the tag
            else:
                self._before = False
                return "", self._take()
        thought = self._feed_thought() if self._inside else ""
        if self._inside:
            return thought, ""
        answer = self._held.lstrip("\n") if self._trim else self._held
        self._held = ""
        if answer:
            self._trim = False
        return thought, answer

    def rest(self) -> tuple[str, str]:
        """What was held back, when no more text will come."""
        held = self._take()
        return (held, "") if self._inside else ("", held if self._before and held.strip() else "")

    def _feed_thought(self) -> str:
        if self._tags is None:
            return ""
        if self._trim:
            self._held = self._held.lstrip()
        if not self._held:
            return ""
        end = self._held.find(self._tags.closing)
        if end >= 0:
            thought = self._held[:end].rstrip()
            self._held = self._held[end + len(self._tags.closing) :]
            self._inside, self._trim = False, True
            return thought
        # White space is held back too, since none shall stand before the closing tag.
        shown = self._held[: len(self._held) - begun(self._held, self._tags.closing)].rstrip()
        self._held = self._held[len(shown) :]
        if shown:
            self._trim = False
        return shown

    def _take(self) -> str:
        held, self._held = self._held, ""
        return held


class Characters:
    """Joins bytes to characters. A byte that fits nowhere becomes U+FFFD at once and stalls nothing."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.feed = self._decoder.decode

    def rest(self) -> str:
        """U+FFFD if the last character is incomplete."""
        return self._decoder.decode(b"", final=True)


def begun(text: str, word: str) -> int:
    """How many letters at the end of `text` are the beginning of `word`."""
    longest = min(len(word) - 1, len(text))
    return next((length for length in range(longest, 0, -1) if text.endswith(word[:length])), 0)
