"""The progress bar."""

from rxnopt.progress import bar


def test_the_bar_stands_on_standard_error(capsys):
    with bar(True, "steps", total=4, done=1) as advance:
        advance(3, "the last one")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "steps" in shown.err
    assert "4/4" in shown.err
    assert "the last one" in shown.err


def test_nothing_is_drawn_where_none_is_wanted(capsys):
    with bar(False, "steps", total=4) as advance:
        advance(4, "the last one")
    assert capsys.readouterr() == ("", "")
