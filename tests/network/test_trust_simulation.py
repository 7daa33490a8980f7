"""Hostile workers among honest ones, with the real choice, the real aggregation and the real trust.

Only the workers are made up: how often an honest one passes a canary (0.93), how often a cheat does (0.10),
and how often two answers come out alike: two honest ones 0.80, an honest and a bad one 0.25, two bad ones
0.25, or 0.95 where the cheats have agreed on what to say. Every worker gets some 300 questions.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import pytest

from network.aggregation import medoid
from network.balancing import Nearness, Wish, Worker, choose
from network.trust import TrustBook

MODEL = "qwen3-1.7b"
NOW = 1_800_000_000
SAME = 0.85


@dataclass
class World:
    """One asker and many workers, a part of them hostile."""

    hostile_share: float
    colluding: bool
    seed: int
    workers: int = 40
    questions: int = 4_000
    cheating: float = 1.0
    """How often a hostile worker cheats."""
    canaries: int = 0
    book: TrustBook = field(default_factory=TrustBook)
    jobs_until_caught: dict[str, int] = field(default_factory=dict)
    shown: int = 0
    bad_shown: int = 0

    def run(self) -> None:
        chance = random.Random(self.seed)
        nodes = [f"{number:032x}" for number in range(self.workers)]
        self.hostile = set(chance.sample(nodes, round(self.hostile_share * self.workers)))
        wish = Wish(model=MODEL, workers=3, spares=0)
        for _ in range(self.questions):
            draw = chance.randbytes(8)
            free = [node for node in nodes if node not in self.jobs_until_caught]
            if chance.random() < self.book.canary_share(free, MODEL, NOW):
                self.canaries += 1
                for node in self.book.least_tested(free, MODEL, 3, draw, NOW):
                    self.test(node, chance)
            else:
                pool = [
                    Worker(node, {MODEL: 20.0}, nearness=Nearness.PUBLIC, trust=self.trust(node))
                    for node in free
                ]
                self.ask(choose(wish, pool, draw).workers, chance)

    def trust(self, node: str) -> float:
        return self.book.standing(node, MODEL, NOW).trust

    def test(self, node: str, chance: random.Random) -> None:
        cheats = node in self.hostile and chance.random() < self.cheating
        standing = self.book.canary(node, MODEL, NOW, passed=chance.random() < (0.10 if cheats else 0.93))
        if standing.quarantined is not None:
            self.jobs_until_caught[node] = standing.questions

    def ask(self, chosen: tuple[str, ...], chance: random.Random) -> None:
        trust = [self.trust(node) for node in chosen]
        cheats = [node in self.hostile and chance.random() < self.cheating for node in chosen]
        opinion = medoid(self.answers(cheats, chance), trust, SAME)
        self.shown += 1
        self.bad_shown += cheats[opinion.best]
        for place, node in enumerate(chosen):
            self.book.answer(node, MODEL, NOW, agreed=opinion.agreed(place))

    def answers(self, cheats: list[bool], chance: random.Random) -> np.ndarray:
        """Vectors that are alike as often as the assumptions say: alike means along the same axis."""
        axes: list[int] = []
        for place, cheat in enumerate(cheats):
            axis = place
            for earlier in range(place):
                pair = {cheat, cheats[earlier]}
                alike = 0.80 if pair == {False} else 0.95 if pair == {True} and self.colluding else 0.25
                if chance.random() < alike:
                    axis = axes[earlier]
                    break
            axes.append(axis)
        return np.eye(len(cheats), dtype=np.float32)[axes]


def worlds(**assumptions) -> list[World]:
    found = [World(seed=seed, **assumptions) for seed in (1, 2)]
    for world in found:
        world.run()
    return found


def late(worlds: list[World]) -> int:
    """After how many of its own jobs a hostile worker was caught: 95 of 100 were caught earlier."""
    jobs = sorted(world.jobs_until_caught[node] for world in worlds for node in world.hostile)
    return jobs[int(len(jobs) * 0.95)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("share", "colluding"), [(0.1, False), (0.3, False), (0.3, True)], ids=["10 %", "30 %", "30 % together"]
)
def test_cheats_are_caught_early_the_honest_left_alone_and_hardly_a_bad_answer_shown(share, colluding):
    found = worlds(hostile_share=share, colluding=colluding)
    assert all(world.hostile <= world.jobs_until_caught.keys() for world in found)
    assert late(found) <= 40
    honest = sum(world.workers - len(world.hostile) for world in found)
    assert sum(len(world.jobs_until_caught.keys() - world.hostile) for world in found) <= 0.01 * honest + 1
    assert sum(world.bad_shown for world in found) <= 0.005 * sum(world.shown for world in found)
    assert sum(world.canaries for world in found) <= 0.08 * sum(world.questions for world in found)


@pytest.mark.slow
def test_who_cheats_half_the_time_is_caught_later_but_caught():
    found = worlds(hostile_share=0.3, colluding=False, cheating=0.5)
    assert all(world.hostile <= world.jobs_until_caught.keys() for world in found)
    assert late(found) <= 300
