"""All commands together; importing them takes a moment, and the libraries of models and documents."""

from __future__ import annotations

from app.cli import doctor, evaluate, launch, models
from app.cli.ask import ask
from app.cli.bench import bench
from app.cli.chat import chat
from app.cli.conversations import conversations
from app.cli.knowledge import knowledge
from app.cli.network import network
from app.cli.program import new_program
from app.cli.router import router
from app.cli.worker import worker

cli = new_program()
cli.command("app")(launch.app)
cli.command("web")(launch.web)
cli.command("ask")(ask)
cli.command("chat")(chat)
knowledge.command("eval")(evaluate.evaluate)
cli.add_typer(knowledge, name="kb")
cli.add_typer(conversations, name="conversations")
cli.add_typer(models.models, name="models")
cli.add_typer(network, name="network")
cli.command("worker")(worker)
cli.command("bench")(bench)
cli.add_typer(router, name="router")
cli.command("doctor")(doctor.doctor)
