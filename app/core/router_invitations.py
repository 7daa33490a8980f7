"""A router's file of invitations. It may be changed while the router runs, which sees it at once.

One a line: the word, and behind ` # ` what its owner calls it. Lines that begin with # are remarks.
"""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

from network.router.invitations import Invitation
from network.whole_file import replace_file

log = logging.getLogger(__name__)

HEAD = "# One invitation a line, and behind # whose it is; the router sees every change at once.\n"
_CLEAR_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are mistaken for each other when read out or typed."""
_NAME = " # "


class InvitationFile:
    """The invitations in a file; not thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int, int] | None = None
        self._known: tuple[Invitation, ...] = ()

    def read(self) -> tuple[Invitation, ...]:
        """Those that hold now. The file is read only where it has changed. Raises OSError."""
        stat = self.path.stat()
        stamp = stat.st_mtime_ns, stat.st_size, stat.st_ino
        if stamp != self._stamp:
            text = self.path.read_text(encoding="utf-8", errors="replace")
            self._known = tuple(
                invitation
                for number, line in enumerate(text.splitlines(), 1)
                if (invitation := _read_line(line, number)) is not None
            )
            self._stamp = stamp
        return self._known

    def watched(self) -> tuple[Invitation, ...]:
        """As `read`, for a router that runs: a file that is away for a moment changes nothing."""
        try:
            return self.read()
        except OSError as error:
            log.warning("the invitations cannot be read: %s", type(error).__name__)
            return self._known

    def add(self, name: str) -> str:
        """Make an invitation; returns its word, which is in no list. Raises OSError."""
        word = new_invite()
        self._write([*self._lines(), f"{word}{_NAME}{name}" if name else word])
        return word

    def revoke(self, name: str) -> bool:
        """Take an invitation back; False if there is none of this name. Raises OSError."""
        lines = self._lines()
        named = [(_read_line(line, number), line) for number, line in enumerate(lines, 1)]
        kept = [line for invitation, line in named if invitation is None or invitation.name != name]
        if len(kept) == len(lines):
            return False
        self._write(kept)
        return True

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return HEAD.splitlines()

    def _write(self, lines: list[str]) -> None:
        replace_file(self.path, "\n".join([*lines, ""]).encode())


def new_invite() -> str:
    """A word that nobody guesses and everybody can type."""
    letters = [secrets.choice(_CLEAR_LETTERS) for _ in range(16)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, 16, 4))


def _read_line(line: str, number: int) -> Invitation | None:
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    word, _, name = line.partition(_NAME)
    return Invitation(name.strip() or f"line {number}", word.strip())
