"""The launcher: `flet run --web`, `python main.py` and `flet build` look for it here."""

from app.main import run_app

if __name__ == "__main__":
    run_app()
