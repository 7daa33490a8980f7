"""What an engine can do, so that one suite fits all: see `tests.engines.conformance`."""

from __future__ import annotations

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Capabilities:
    """Everything is expected of an engine unless it says here that it cannot."""

    knows_the_file: bool = True
    """Tells what stands in the model's file: its name, architecture, trained context, template."""
    counts_exactly: bool = True
    """Counts tokens as the model does, not roughly, and tells what it reused."""
    renders_the_template: bool = True
    """Applies the chat template itself, with this house's guards."""
    puts_bytes_together: bool = True
    """Makes text of tokens itself; llama.cpp's server loses what stands behind a broken byte."""
    one_at_a_time: bool = True
    """Further prompts wait in a queue; else several are answered at once, and `cancel` ends them all."""

    @property
    def several_at_once(self) -> bool:
        """The opposite."""
        return not self.one_at_a_time


def needs(capability: str) -> pytest.MarkDecorator:
    """A test only for engines with this capability."""
    assert hasattr(Capabilities, capability)
    return pytest.mark.needs(capability)
