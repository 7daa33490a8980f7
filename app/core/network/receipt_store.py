"""Receipts of answers, signed by both sides: what other devices have done for this one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.core.set_aside import set_database_aside
from network.errors import MessageError
from network.protocol.message import decode_canonical
from network.protocol.receipts import CountersignedReceipt, Receipt, Verdict
from rag.database import Database, rows
from rag.errors import DatabaseDamaged

_MIGRATIONS = (
    """
    CREATE TABLE receipts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        job TEXT NOT NULL,
        node TEXT NOT NULL,
        model TEXT NOT NULL,
        router TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        milliseconds INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        canary INTEGER NOT NULL,
        issued INTEGER NOT NULL,
        signed BLOB NOT NULL,
        UNIQUE (job, node)
    );
    CREATE INDEX receipts_of_node ON receipts(node, issued);
    """,
)


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """One answer as both sides have signed it."""

    job: str
    node: str
    model: str
    router: str
    tokens: int
    milliseconds: int
    verdict: str
    canary: bool
    issued: int
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What all devices have done for this one, canaries left out."""

    questions: int
    answers: int
    tokens: int


class ReceiptStore:
    """The one door to the file of receipts. Thread-safe."""

    def __init__(self, path: Path) -> None:
        """A damaged file is set aside and begun anew: the app must start without it.

        Raises:
            DatabaseTooNew, OSError.
        """
        try:
            self._database = Database(path, _MIGRATIONS)
        except DatabaseDamaged:
            set_database_aside(path)
            self._database = Database(path, _MIGRATIONS)

    def add(self, pair: CountersignedReceipt, router: str) -> None:
        """Keep a pair that was checked and signed here; the same one again changes nothing.

        Raises:
            MessageError: it is none.
        """
        receipt = decode_canonical(pair.receipt.statement, Receipt)
        verdict = decode_canonical(pair.verdict.statement, Verdict)
        if (receipt.job, receipt.node) != (verdict.job, verdict.node):
            raise MessageError("receipt and verdict do not belong together")
        values = (
            receipt.job, receipt.node, receipt.model, router, receipt.tokens, receipt.milliseconds,
            verdict.verdict, verdict.canary, verdict.issued, msgspec.json.encode(pair),
        )  # fmt: skip
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO receipts(job, node, model, router, tokens, milliseconds, verdict,"
                " canary, issued, signed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )

    def latest(self, limit: int = 100) -> list[StoredReceipt]:
        """The newest first."""
        with self._database.read() as connection:
            found = rows(
                connection,
                "SELECT job, node, model, router, tokens, milliseconds, verdict, canary, issued"
                " FROM receipts ORDER BY id DESC LIMIT ?",
                (limit,),
            )
        return [
            StoredReceipt(job, node, model, router, tokens, milliseconds, verdict, bool(canary), issued)
            for job, node, model, router, tokens, milliseconds, verdict, canary, issued in found
        ]

    def pair(self, job: str, node: str) -> CountersignedReceipt | None:
        """Both signatures under an answer."""
        with self._database.read() as connection:
            found = rows(connection, "SELECT signed FROM receipts WHERE job = ? AND node = ?", (job, node))
        return msgspec.json.decode(found[0][0], type=CountersignedReceipt) if found else None

    def totals(self) -> Asked:
        """Everything that was asked so far."""
        with self._database.read() as connection:
            [counts] = rows(
                connection,
                "SELECT count(DISTINCT job), count(*), coalesce(sum(tokens), 0)"
                " FROM receipts WHERE NOT canary",
            )
        return Asked(*counts)

    def speeds(self, node: str, last: int = 5) -> dict[str, float]:
        """Tokens per second of a device's last answers, by model."""
        with self._database.read() as connection:
            found = rows(
                connection,
                "SELECT model, sum(tokens), sum(milliseconds) FROM"
                " (SELECT model, tokens, milliseconds FROM receipts WHERE node = ? AND milliseconds > 0"
                "  ORDER BY id DESC LIMIT ?) GROUP BY model",
                (node, last),
            )
        return {model: tokens * 1000 / milliseconds for model, tokens, milliseconds in found}

    def close(self) -> None:
        """Close the file."""
        self._database.close()
