"""`dai bench` measures, keeps, lists, compares and exports."""

import csv
import io

from app.core.instance import InstanceLock


def bench(dai, *arguments):
    return dai("bench", "--repetitions", "1", *arguments)


def test_figures_are_printed_and_kept(dai, model, home):
    model("word", name="tiny", loop=True)
    result = bench(dai)
    assert (result.status, result.err) == (0, "")
    for words in ("tiny · F16 · ", "pp512: ", "tg128: ", "First token after: ", "Peak memory: ", "Kept as: "):
        assert words in result.out
    kept = result.out.splitlines()[-1].removeprefix("Kept as: ")
    assert [path.name for path in home.benchmarks.iterdir()] == [f"{kept}.json"]
    assert dai("bench", "--list").out.startswith(f"{kept}  tiny · F16 · ")


def test_two_results_are_compared(dai, model):
    model("word", name="tiny", loop=True)
    ids = [bench(dai, "--json").json["id"] for _ in range(2)]
    lines = dai("bench", "--compare", *ids).out.splitlines()
    assert [line[:18].strip() for line in lines[1:3]] == ["pp512 tokens/s", "tg128 tokens/s"]
    figures = {entry["figure"]: entry for entry in dai("bench", "--compare", *ids, "--json").json}
    assert figures["tg128 tokens/s"]["ratio"] > 0
    missing = dai("bench", "--compare", ids[0], "nothing")
    assert (missing.status, missing.err) == (1, "There is no such speed test any more.\n")


def test_results_are_exported(dai, model):
    model("word", name="tiny", loop=True)
    kept = bench(dai, "tiny", "--threads", "1", "--json").json["id"]
    [row] = csv.DictReader(io.StringIO(dai("bench", "--export", "csv").out))
    assert (row["id"], row["model"], row["threads"]) == (kept, "tiny", "1")
    assert [entry["id"] for entry in dai("bench", "--export", "json").json] == [kept]


def test_without_a_model_that_is_said(dai):
    result = bench(dai)
    assert (result.status, result.out) == (1, "")
    assert "dai models add" in result.err


def test_nonsense_is_refused(dai, model):
    model("word", name="tiny", loop=True)
    assert dai("bench", "--repetitions", "0").status == 1
    assert dai("bench", "--export", "xml").status == 2


def test_beside_an_open_app_it_says_what_that_does_to_the_figures(dai, model, home):
    model("word", name="tiny", loop=True)
    window = InstanceLock(home.data / "instance.lock")
    try:
        told, quiet = bench(dai), bench(dai, "--yes")
    finally:
        window.release()
    assert told.status == quiet.status == 0
    assert "too low" in told.err
    assert quiet.err == ""
