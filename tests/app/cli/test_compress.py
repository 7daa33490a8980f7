"""`dai models compress` makes smaller copies."""


def test_sizes_are_told_where_no_format_is_asked_for(dai, model):
    model("Hello.", name="tiny")
    lines = dai("models", "compress", "tiny").out.splitlines()
    assert [line[0] for line in lines] == ["-", *" " * (len(lines) - 1)]
    assert lines[0].split()[1] == "F16"
    formats = dai("models", "compress", "tiny", "--json").json
    assert {"format": "F16", "bytes": formats[0]["bytes"], "smaller": False} == formats[0]


def test_the_copy_is_installed_and_answers(dai, model):
    model("Hello from the small one.", name="tiny")
    result = dai("models", "compress", "tiny", "--to", "q8_0", "--json")
    assert result.json["quantisation"] == "Q8_0"
    assert result.err == ""
    assert dai("models", "use", result.json["id"]).status == 0
    assert dai("ask", "Hello?").out == "Hello from the small one.\n"


def test_compressing_twice_is_advised_against(dai, model):
    model("Hello.", name="tiny")
    first = dai("models", "compress", "tiny", "--to", "Q8_0")
    assert first.out.startswith("tiny is installed as Q8_0: ")
    again = dai("models", "compress", "sideloaded:tiny Q8_0", "--to", "Q4_0")
    assert "costs more quality" in again.err
    assert again.status == 0


def test_what_makes_no_sense_is_one_line(dai, model):
    model("Hello.", name="tiny")
    for target, words in (("F16", "would not get smaller"), ("Q99", "is not a format")):
        result = dai("models", "compress", "tiny", "--to", target)
        assert (result.status, result.out) == (1, "")
        assert words in result.err
        assert result.err.count("\n") == 1


def test_persian_users_read_persian(dai, model, persian):
    model("Hello.", name="tiny")
    assert "فشرده نمی‌شوند" in dai("models", "compress", "tiny", "--to", "Q99").err
    assert "نصب شد" in dai("models", "compress", "tiny", "--to", "Q8_0").out


def test_trade_offs_are_a_table_for_people_and_data_for_programs(dai, model):
    model("word", name="tiny", loop=True)
    head, *lines = dai("models", "trade-offs", "tiny", "--to", "Q4_0").out.splitlines()
    assert head.split()[:2] == ["Format", "Size"]
    assert [line.split()[0] for line in lines] == ["F16", "Q4_0"]
    rows = dai("models", "trade-offs", "tiny", "--to", "Q8_0", "--json").json
    assert [row["format"] for row in rows] == ["F16", "Q8_0"]
    assert [found["language"] for found in rows[1]["perplexity"]] == ["en", "fa"]
